//! Work on many items by several threads.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Items that a thread takes at once: a rule takes some 50 µs, and starting a thread as much.
const CHUNK: usize = 32;

/// The results of `work` on the items, chunk by chunk and in their order, whoever did them.
pub(crate) fn chunks<T: Sync, R: Send>(
    items: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    let chunks: Vec<&[T]> = items.chunks(CHUNK).collect();
    let threads = threads.get().min(chunks.len());
    if threads <= 1 {
        return chunks.into_iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(chunk) = chunks.get(at) else { return done };
            done.push((at, work(chunk)));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        for count in [0, 1, CHUNK, 10 * CHUNK + 1] {
            let items: Vec<usize> = (0..count).collect();
            for threads in [1, 2, 8, 100] {
                let threads = NonZeroUsize::new(threads).unwrap();
                let done = chunks(&items, threads, |chunk| {
                    // The first chunk is done last.
                    if chunk.first() == Some(&0) {
                        thread::yield_now();
                    }
                    chunk.to_vec()
                });
                assert_eq!(done.concat(), items, "{count} items, {threads} threads");
            }
        }
    }
}
