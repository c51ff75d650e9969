//! `trailwarden verify`.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use complete::Keys;
use hunt::{HuntOptions, Progress, Verified};
use report::completeness::{Completeness, Read};
use rule::{Exceptions, Selection};

use crate::VERSION;
use crate::args::{Global, Verify, VerifyFormat};
use crate::{input, output, status, terminal};

pub(crate) fn run(args: &Verify, global: &Global) -> anyhow::Result<u8> {
    if let Some(path) = &args.output {
        output::check(path)?;
        output::spare(path, &args.input.paths, &args.public_keys)?;
    }
    let mut keys = Keys::default();
    for path in &args.public_keys {
        let place = || format!("--public-keys `{}`", path.display());
        let file = std::fs::read(path).with_context(place)?;
        let its = Keys::read(&file).map_err(|error| anyhow!("{}: {} {error}", place(), error.code()))?;
        keys.extend(its);
    }
    let options = HuntOptions {
        limits: args.input.limits.reader(),
        threads: input::threads(args.threads).get(),
        stored: args.input.stored()?,
        ..HuntOptions::new(
            args.input.paths.clone(),
            Selection::default(),
            Exceptions::default(),
            input::normalise(None)?,
            input::now(args.now.as_deref())?,
            VERSION,
        )
    };
    let stored_is_empty = options.stored.is_empty();
    let (since, until) = input::range(args.since.as_deref(), args.until.as_deref(), options.now)?;
    let range = complete::Range { since, until };
    let progress = Arc::new(Progress::default());
    let bar = terminal::Bar::start(global, Arc::clone(&progress));
    let verified = hunt::verify(&options, &keys, range, &mut std::io::stdin(), &progress);
    drop(bar);
    let it = verified?;
    let troubles: Vec<String> = it.read.troubles.iter().map(input::trouble).collect();
    let completeness = of(&it, &troubles);
    let text = match args.format {
        VerifyFormat::Text => completeness.text(terminal::stdout_terminal(global, args.output.is_some())),
        VerifyFormat::Md => completeness.markdown(),
        VerifyFormat::Json => completeness.json(),
    };
    let mut out = output::open(args.output.as_deref())?;
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the result")?;
    let mut told = it.read.notices.clone();
    if !stored_is_empty {
        told.push(
            "a store keeps records and no digest files: only the files that were taken in can be checked against \
             digests (`trailwarden verify PATH…`), and only their names tell of gaps"
                .to_owned(),
        );
    }
    terminal::troubles(global, &told, &[], 0);
    Ok(status::of(
        it.digests.is_broken(),
        status::Input {
            is_usable: it.read.events > 0 || it.digests.digests > 0,
            is_complete: it.read.loss_count == 0,
            strict: args.input.strict,
        },
    ))
}

/// What is to be printed of it.
fn of<'v>(it: &'v Verified, troubles: &'v [String]) -> Completeness<'v> {
    let read = &it.read;
    Completeness {
        digests: &it.digests,
        blind: &it.blind.ranges,
        meanwhile: &it.meanwhile,
        blind_limit: it.blind.is_over.then_some(hunt::WATCHED_CALLS_MAX as u64),
        gaps: &it.gaps,
        read: Read {
            files: read.files,
            skipped: read.skipped + read.skipped_members,
            events: read.events,
            duplicates: read.duplicates,
            others: read.others,
            unreadable: read.unreadable,
            undated: read.undated,
            span: read.span,
            text_bytes: read.text_bytes,
            troubles,
            trouble_count: read.trouble_count,
        },
    }
}
