//! `trailwarden normalize`.

use std::sync::Arc;

use hunt::{NormalizeOptions, Progress};

use crate::args::{Global, Normalize};
use crate::{input, output, status, terminal};

pub(crate) fn run(args: &Normalize, global: &Global) -> anyhow::Result<u8> {
    let options = NormalizeOptions {
        paths: args.input.paths.clone(),
        stored: args.input.stored()?,
        normalise: cloudtrail::Options {
            tags: args.tags.clone(),
            original: cloudtrail::Original::Tagged,
            geo: input::geo(args.geoip.as_deref())?,
            envelope: Some(cloudtrail::Envelope::default()),
            ..cloudtrail::Options::default()
        },
        limits: args.input.limits.reader(),
        now: input::now(args.now.as_deref())?,
        copies: args.copies,
    };
    let mut out = output::Lines::open(None)?;
    let progress = Arc::new(Progress::default());
    // The documents themselves show progress where they go to the terminal.
    let bar = (!output::is_terminal()).then(|| terminal::Bar::start(global, Arc::clone(&progress)));
    let report = hunt::normalize(&options, &mut std::io::stdin(), &progress, &mut |document| {
        out.json(&document.source)
    });
    drop(bar);
    out.finish()?;
    let report = report?;
    terminal::troubles(global, &report.notices, &report.troubles, report.trouble_count);
    terminal::copies(global, report.copies);
    Ok(status::of(
        false,
        status::Input {
            // What holds no record is read, too.
            is_usable: report.documents > 0 || report.trouble_count == 0,
            is_complete: report.loss_count == 0,
            strict: args.input.strict,
        },
    ))
}
