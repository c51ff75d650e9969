//! Counts what Sigma rules match in CloudTrail files, with rsigma's engine: `peer-rsigma RULES DATA THREADS`.

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rules, data, threads] = arguments.as_slice() else {
        return Err("usage: peer-rsigma RULES DATA THREADS".into());
    };
    let collection = rsigma_parser::parse_sigma_yaml(&std::fs::read_to_string(rules)?)?;
    let mut engine = Engine::new();
    engine.add_collection(&collection)?;
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in walkdir::WalkDir::new(data) {
        let path = entry?.into_path();
        if path.extension().is_some_and(|it| it == "gz") {
            files.push(path);
        }
    }
    let next = AtomicUsize::new(0);
    let work = || -> Result<(u64, u64)> {
        let mut decompressor = libdeflater::Decompressor::new();
        let (mut text, mut records, mut matches) = (Vec::new(), 0, 0);
        while let Some(path) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let packed = std::fs::read(path)?;
            let size = packed.last_chunk().map_or(0, |size| u32::from_le_bytes(*size) as usize);
            text.resize(size, 0);
            decompressor.gzip_decompress(&packed, &mut text)?;
            let file: Value = serde_json::from_slice(&text)?;
            for record in file["Records"].as_array().into_iter().flatten() {
                records += 1;
                matches += engine.evaluate(&JsonEvent::borrow(record)).len() as u64;
            }
        }
        Ok((records, matches))
    };
    let (mut records, mut matches) = (0, 0);
    std::thread::scope(|scope| -> Result<()> {
        let threads: Vec<_> = (0..threads.parse::<usize>()?.max(1)).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let (more_records, more_matches) = thread.join().map_err(|_| "a thread panicked")??;
            records += more_records;
            matches += more_matches;
        }
        Ok(())
    })?;
    println!("{records} {matches}");
    Ok(())
}
