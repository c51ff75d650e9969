//! What the terminal can do, and progress drawn on it.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use hunt::{Progress, Stage, Trouble};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use report::Terminal;

use crate::args::{Colour, Global};
use crate::input;

/// How often the bar is drawn.
const REDRAW: Duration = Duration::from_millis(100);
/// Narrower terminals get lines of this width nevertheless.
const WIDTH_MIN: u16 = 60;

/// Whether standard output is somewhere people read, and how.
pub(crate) fn stdout_terminal(global: &Global, to_file: bool) -> Terminal {
    let tty = !to_file && stdout().is_terminal();
    let colour = match global.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => tty && !no_color(),
    };
    let width =
        tty.then(|| console::Term::stdout().size_checked()).flatten().map(|(_, width)| width.max(WIDTH_MIN));
    Terminal { width, colour }
}

/// Whether standard error may have colours.
pub(crate) fn stderr_colour(global: &Global) -> bool {
    match global.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => stderr().is_terminal() && !no_color(),
    }
}

fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// A progress bar on standard error, if that is a terminal. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    pub(crate) fn start(global: &Global, progress: Arc<Progress>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        if global.quiet || !stderr().is_terminal() {
            return Self { stop, thread: None };
        }
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let spinner = ProgressStyle::with_template("{spinner} {msg}").expect("a fixed template");
            let reading = ProgressStyle::with_template(
                "{spinner} {bar:30} {percent:>3} %  {msg}  {bytes_per_sec}, {eta} left",
            )
            .expect("a fixed template")
            .progress_chars("━╸ ");
            let mut drawn = None;
            while !seen.load(Relaxed) {
                let stage = progress.stage();
                if drawn != Some(stage) {
                    // Resetting draws: the style comes first.
                    bar.set_style(match stage {
                        Stage::Discovering | Stage::Executing => spinner.clone(),
                        Stage::Scanning | Stage::Building => reading.clone(),
                    });
                    bar.reset();
                    drawn = Some(stage);
                }
                bar.set_message(message(stage, &progress, bar.elapsed()));
                bar.set_length(progress.total_bytes());
                bar.set_position(progress.read_bytes());
                std::thread::sleep(REDRAW);
            }
            bar.finish_and_clear();
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A bar that panicked has drawn its last; the run goes on.
            let _ = thread.join();
        }
    }
}

/// How many of something are done, on standard error, if that is a terminal. It ends when dropped.
#[derive(Debug)]
pub(crate) struct Counter(ProgressBar);

impl Counter {
    pub(crate) fn start(global: &Global, what: &'static str) -> Self {
        let target = if global.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style =
            ProgressStyle::with_template("{spinner} {bar:30} {pos}/{len} {msg}").expect("a fixed template");
        Self(
            ProgressBar::with_draw_target(None, target)
                .with_style(style.progress_chars("━╸ "))
                .with_message(what),
        )
    }

    pub(crate) fn at(&self, done: usize, all: usize) {
        self.0.set_length(all as u64);
        self.0.set_position(done as u64);
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn message(stage: Stage, progress: &Progress, elapsed: Duration) -> String {
    let (files, total) = progress.files();
    match stage {
        Stage::Discovering => "looking for files".to_owned(),
        Stage::Scanning => {
            let records = progress.records();
            let rate = records as f64 / elapsed.as_secs_f64().max(0.001);
            format!(
                "{files}/{total} files, {} of {}, {} records ({}/s)",
                HumanBytes(progress.read_bytes()),
                HumanBytes(progress.total_bytes()),
                report::count(records),
                report::count(rate as u64)
            )
        }
        Stage::Executing => "executing the rules".to_owned(),
        Stage::Building => format!("collecting the evidence, {files}/{total} files"),
    }
}

/// Says something on standard error. If nobody listens there, that is no reason to stop.
pub(crate) fn say(text: &str) {
    let _ = stderr().write_all(text.as_bytes());
}

/// Says on standard error what is to be known, unless it is to be quiet.
pub(crate) fn notices(global: &Global, notices: &[report::Remark]) {
    if !global.quiet {
        notices.iter().for_each(notice);
    }
}

/// Says one notice on standard error.
pub(crate) fn notice(notice: &report::Remark) {
    let word = if notice.severe { "warning" } else { "note" };
    let lines: Vec<String> = notice.text.lines().map(report::clean).collect();
    say(&format!("{word}: {}\n", lines.join("\n    ")));
}

/// Problems of the input that are shown; the rest is counted.
const TROUBLES_SHOWN: usize = 10;

/// Says on standard error what is to be known of the paths, and what of the input could not be read.
pub(crate) fn troubles(global: &Global, notices: &[String], first: &[Trouble], total: u64) {
    if global.quiet {
        return;
    }
    for text in notices {
        say(&format!("warning: {}\n", report::clean(text)));
    }
    if total == 0 {
        return;
    }
    let parts = report::plural(total, "part of the input", "parts of the input");
    say(&format!("warning: {parts} could not be read:\n"));
    for trouble in first.iter().take(TROUBLES_SHOWN) {
        say(&format!("    {}\n", input::trouble(trouble)));
    }
    if total > TROUBLES_SHOWN as u64 {
        say(&format!("    … and {} more\n", report::count(total - TROUBLES_SHOWN as u64)));
    }
}

/// Says one thing on standard error, unless it is to be quiet.
pub(crate) fn note(global: &Global, text: &str) {
    if !global.quiet {
        say(&format!("note: {text}\n"));
    }
}

/// Says on standard error how many deliveries were left out because their events were there before.
pub(crate) fn copies(global: &Global, copies: u64) {
    if copies > 0 && !global.quiet {
        let deliveries = report::plural(copies, "further delivery", "further deliveries");
        say(&format!("note: {deliveries} of events that were there before; --copies prints them too\n"));
    }
}
