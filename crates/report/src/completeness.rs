//! What could not have been seen, for people and for scripts.

mod json;
mod words;

use complete::{BlindRange, ChainProblem, ChainStart, DigestCheck, Gaps, NotCoveredWhy};
use ecs::Millis;

use words::{
    blind, gap, group, long, more, more_of, no_file, of_chain, place, problem, range, rest, short, shown,
    wrap,
};

use crate::{Remark, Terminal, bytes, clean, count, plural, when};

/// Things of one kind that are named for people; the rest is counted.
const SHOWN: usize = 10;
/// Things of one kind that a hunt names.
const REMARKS: usize = 20;
/// Columns of lines for people.
const WIDTH: usize = 80;

/// What could not have been seen.
#[derive(Clone, Copy, Debug)]
pub struct Completeness<'a> {
    /// Files against the digest files of their trails.
    pub digests: &'a DigestCheck,
    /// When trails did not record.
    pub blind: &'a [BlindRange],
    /// For each of these the records that are here all the same.
    pub meanwhile: &'a [u64],
    /// There are more calls that say so than are looked at; so many are.
    pub blind_limit: Option<u64>,
    /// Times without records.
    pub gaps: &'a Gaps,
    /// What was read.
    pub read: Read<'a>,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Read<'a> {
    /// Files.
    pub files: u64,
    /// Files and members of archives that hold no records by their name.
    pub skipped: u64,
    /// Events, each once.
    pub events: u64,
    /// Further deliveries of them.
    pub duplicates: u64,
    /// Records that are no events.
    pub others: u64,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Events without a time.
    pub undated: u64,
    /// The times of the first and last event.
    pub span: Option<(Millis, Millis)>,
    /// Bytes of text.
    pub text_bytes: u64,
    /// What could not be read: the first of it,
    pub troubles: &'a [String],
    /// and how much there is.
    pub trouble_count: u64,
}

/// How it is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Something was changed or removed, or a signature is wrong.
    Broken,
    /// Something was not recorded, or is not here.
    Blind,
    /// Nothing is wrong as far as it could be checked, which is not all.
    Unconfirmed,
    /// All is here.
    Complete,
}

impl Verdict {
    /// A stable name for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Blind => "blind",
            Self::Unconfirmed => "unconfirmed",
            Self::Complete => "complete",
        }
    }
}

/// A part of the text: a title and what there is under it, each with further lines.
type Section = (&'static str, Vec<(String, Vec<String>)>);

impl Completeness<'_> {
    /// How it is.
    pub fn verdict(&self) -> Verdict {
        if self.digests.is_broken() {
            return Verdict::Broken;
        }
        let hides = |it: &&BlindRange| it.aspect.hides_events();
        if self.blind.iter().any(|it| hides(&it)) || !self.gaps.gaps.is_empty() {
            return Verdict::Blind;
        }
        let it = self.digests;
        let all: u64 = it.chains.iter().map(|it| it.digests).sum();
        let is_confirmed = all > 0
            && it.vouched() == all
            && it.unchecked == 0
            && it.not_covered.is_empty()
            && it.chains.iter().all(|it| it.problems.is_empty())
            && self.gaps.too_little.is_empty()
            && self.blind_limit.is_none()
            && self.read.trouble_count + self.read.unreadable + self.read.undated == 0;
        if is_confirmed { Verdict::Complete } else { Verdict::Unconfirmed }
    }

    /// The same in one sentence.
    pub fn sentence(&self) -> String {
        let it = self.digests;
        let mut parts = Vec::new();
        let mut say = |number: u64, one: &str, many: &str| {
            if number > 0 {
                parts.push(plural(number, one, many));
            }
        };
        let problems = |is: fn(&ChainProblem) -> bool| {
            it.chains.iter().flat_map(|it| &it.problems).filter(|it| is(it)).count() as u64
        };
        say(it.changed.len() as u64, "file was changed", "files were changed");
        say(it.missing.len() as u64, "listed file is missing", "listed files are missing");
        let missing = problems(|it| matches!(it, ChainProblem::Missing { .. }));
        say(missing, "digest file is missing", "digest files are missing");
        let broken = problems(|it| it.is_broken() && !matches!(it, ChainProblem::Missing { .. }));
        say(broken, "link or signature is broken", "links or signatures are broken");
        say(it.unreadable.len() as u64, "digest file is unreadable", "digest files are unreadable");
        let blind = self.blind.iter().filter(|it| it.aspect.hides_events()).count() as u64;
        say(blind, "blind range", "blind ranges");
        say(self.gaps.gaps.len() as u64, "gap in the records", "gaps in the records");
        let digests: u64 = it.chains.iter().map(|it| it.digests).sum();
        let listed = plural(it.right, "listed file", "listed files");
        let rest = if digests == 0 {
            "no digest file is here, so nothing tells whether files are missing or changed".to_owned()
        } else if it.is_broken() {
            format!("{listed} of {} as it should be", plural(digests, "digest", "digests"))
        } else if it.vouched() == digests {
            format!(
                "all {listed} are here as their {} say, by their signatures",
                plural(digests, "digest", "digests")
            )
        } else if it.has_keys {
            format!(
                "all {listed} are here as their {} say, and signatures vouch for {} of these",
                plural(digests, "digest", "digests"),
                count(it.vouched())
            )
        } else {
            format!(
                "all {listed} are here as their {} say, whose signatures were not checked (--public-keys)",
                plural(digests, "digest", "digests")
            )
        };
        let head = match self.verdict() {
            Verdict::Broken => "Something is wrong",
            Verdict::Blind => "Not everything could have been seen",
            Verdict::Unconfirmed => "Nothing wrong was found, and not everything could be checked",
            Verdict::Complete => "All that was recorded is here",
        };
        parts.push(rest);
        format!("{head}: {}.", parts.join(", "))
    }

    /// For a terminal: the verdict, what is wrong, what could not be seen, what is not known, what is fine.
    pub fn text(&self, terminal: Terminal) -> String {
        let colour = match self.verdict() {
            Verdict::Broken => "1;31",
            Verdict::Blind => "1;33",
            Verdict::Unconfirmed => "1",
            Verdict::Complete => "1;32",
        };
        let mut out = String::new();
        wrap(&mut out, "", &self.sentence());
        out = terminal.paint(colour, out.trim_end()) + "\n";
        for (title, items) in self.sections() {
            out += &format!("\n{}\n", terminal.paint("1", title));
            for (head, lines) in items {
                wrap(&mut out, "  ", &head);
                for line in lines {
                    wrap(&mut out, "      ", &line);
                }
            }
        }
        out
    }

    /// The same as Markdown.
    pub fn markdown(&self) -> String {
        let plain = |text: &str| crate::investigation::escape(text);
        let mut out = format!("# Completeness\n\n{}\n", plain(&self.sentence()));
        for (title, items) in self.sections() {
            out += &format!("\n## {title}\n\n");
            for (head, lines) in items {
                out += &format!("* {}\n", plain(&head));
                for line in lines {
                    out += &format!("  * {}\n", plain(&line));
                }
            }
        }
        out
    }

    /// The same for scripts: all of it.
    pub fn json(&self) -> String {
        json::of(self)
    }

    fn sections(&self) -> Vec<Section> {
        let all = [
            ("What is wrong", self.wrong()),
            ("What could not be seen", self.unseen()),
            ("What is not known", self.unknown()),
            ("What is fine", self.fine()),
        ];
        all.into_iter().filter(|(_, items)| !items.is_empty()).collect()
    }

    fn wrong(&self) -> Vec<(String, Vec<String>)> {
        let it = self.digests;
        let mut items = Vec::new();
        items.extend(group(&it.changed, "changed file", "changed files", |it| {
            let how = if it.is_readable { "" } else { ", cannot be read to its end" };
            format!("{}{how}; {} lists another", clean(&it.place), short(&it.digest))
        }));
        items.extend(group(&it.missing, "missing file", "missing files", |it| {
            format!("{}; {} lists it", clean(&it.object), short(&it.digest))
        }));
        items.extend(group(
            &it.unreadable,
            "unreadable digest file",
            "unreadable digest files",
            |(place, why)| format!("{}: {}", clean(place), clean(why)),
        ));
        for chain in &it.chains {
            let broken: Vec<&ChainProblem> = chain.problems.iter().filter(|it| it.is_broken()).collect();
            if !broken.is_empty() {
                let head = format!("{}: {}", of_chain(chain), plural(broken.len() as u64, "fault", "faults"));
                items.push((head, shown(&broken, |it| problem(it))));
            }
        }
        items
    }

    fn unseen(&self) -> Vec<(String, Vec<String>)> {
        let mut items = Vec::new();
        for (at, range) in self.blind.iter().enumerate().take(SHOWN * 2) {
            items.push((blind(range), self.blind_lines(at, range)));
        }
        if self.blind.len() > SHOWN * 2 {
            items.push((more(self.blind.len() - SHOWN * 2, "blind range", "blind ranges"), Vec::new()));
        }
        items.extend(group(&self.gaps.gaps, "gap in the records", "gaps in the records", gap));
        let gone = |why: NotCoveredWhy| self.digests.not_covered.iter().filter(move |it| it.why == why);
        for (why, one, many) in [
            (
                NotCoveredWhy::NotListed,
                "file that no digest lists, though one of its time lists others",
                "files that no digest lists, though digests of their time list others",
            ),
            (
                NotCoveredWhy::InGap,
                "file delivered where digests are missing",
                "files delivered where digests are missing",
            ),
        ] {
            let these: Vec<_> = gone(why).collect();
            items.extend(group(&these, one, many, |it| clean(&it.place)));
        }
        for chain in &self.digests.chains {
            let off: Vec<&ChainProblem> = chain.problems.iter().filter(|it| !it.is_broken()).collect();
            if !off.is_empty() {
                items.push((format!("{}: interrupted", of_chain(chain)), shown(&off, |it| problem(it))));
            }
        }
        items
    }

    fn blind_lines(&self, at: usize, range: &BlindRange) -> Vec<String> {
        let mut lines = Vec::new();
        let end = range.to.map_or_else(|| "the end of the data".to_owned(), when);
        let long =
            range.to.map_or_else(String::new, |to| format!(" ({})", long(to.saturating_sub(range.from))));
        lines.push(format!("from {} to {end}{long}", when(range.from)));
        let cause = |it: &complete::Cause| {
            format!("{} by {} at {} ({})", clean(&it.action), clean(&it.who), when(it.time), clean(&it.id))
        };
        lines.extend(range.calls.iter().take(SHOWN / 3).map(cause));
        let rest = range.call_count.saturating_sub((SHOWN / 3) as u64) as usize;
        if rest > 0 {
            lines.push(more(rest, "such call", "such calls"));
        }
        lines.extend(range.ended_by.as_ref().map(|it| format!("ended by {}", cause(it))));
        if let Some(&records) = self.meanwhile.get(at).filter(|&&it| it > 0 && range.aspect.hides_events()) {
            let records = plural(records, "record", "records");
            lines.push(format!(
                "{records} of the account are here from that time all the same: something else recorded"
            ));
        }
        lines
    }

    fn unknown(&self) -> Vec<(String, Vec<String>)> {
        let it = self.digests;
        let mut items: Vec<(String, Vec<String>)> = Vec::new();
        for chain in &it.chains {
            let mut lines = Vec::new();
            if let ChainStart::Cut { previous } = &chain.start {
                lines.push(format!(
                    "what came before {} is not here: the first names {}",
                    when(chain.from),
                    short(previous)
                ));
            }
            let s = chain.signatures;
            let mut say = |number: u64, why: &str| {
                if number > 0 {
                    lines.push(format!(
                        "{}: {why}",
                        plural(number, "signature not checked", "signatures not checked")
                    ));
                }
            };
            let key =
                if it.has_keys { "no key for it is given" } else { "no keys are given (--public-keys)" };
            say(s.no_key, key);
            say(
                s.unsigned,
                "nobody says it; keep what `aws s3api head-object` prints beside the digest file",
            );
            say(s.unknown, "made in a way that is not known");
            let loose = chain.digests - chain.vouched;
            if loose > 0 && it.has_keys {
                lines.push(format!("no signature vouches for {}", plural(loose, "digest", "digests")));
            }
            if !lines.is_empty() {
                items.push((of_chain(chain), lines));
            }
        }
        if it.unchecked > 0 {
            let head = plural(it.unchecked, "listed file has", "listed files have");
            items.push((format!("{head} a hash of a kind that is not known"), Vec::new()));
        }
        for (why, words) in [
            (NotCoveredWhy::Before, "delivered before the first digest that is here"),
            (NotCoveredWhy::After, "delivered after the last digest that is here"),
            (NotCoveredWhy::NoChain, "of accounts and regions without a digest"),
            (NotCoveredWhy::Unnamed, "whose names do not say when they were delivered"),
        ] {
            let these = it.not_covered.iter().filter(|it| it.why == why).count() as u64;
            if these > 0 && !it.chains.is_empty() {
                items.push((format!("{} {words}", plural(these, "file", "files")), Vec::new()));
            }
        }
        if it.chains.is_empty() {
            items.push((
                "no digest file is here (`CloudTrail-Digest/` beside `CloudTrail/`)".to_owned(),
                Vec::new(),
            ));
        }
        if let Some(limit) = self.blind_limit {
            let head =
                format!("more than {} calls say what trails record: the first were looked at", count(limit));
            items.push((head, Vec::new()));
        }
        let few: Vec<String> = self.gaps.too_little.iter().map(|it| place(&it.account, &it.region)).collect();
        if !few.is_empty() {
            let head = "too little data to tell gaps from quiet times".to_owned();
            items.push((head, shown(&few, String::clone)));
        }
        let read = &self.read;
        if read.unreadable > 0 {
            items.push((
                plural(read.unreadable, "record could not be read", "records could not be read"),
                Vec::new(),
            ));
        }
        if read.trouble_count > 0 {
            let head = plural(
                read.trouble_count,
                "part of the input could not be read",
                "parts of the input could not be read",
            );
            let mut lines: Vec<String> = read.troubles.iter().take(SHOWN).map(|it| clean(it)).collect();
            let rest = (read.trouble_count as usize).saturating_sub(lines.len());
            lines.extend((rest > 0).then(|| more(rest, "part", "parts")));
            items.push((head, lines));
        }
        if read.undated > 0 {
            items.push((plural(read.undated, "event has no time", "events have no time"), Vec::new()));
        }
        if read.skipped > 0 {
            let head = plural(read.skipped, "file was passed over", "files were passed over");
            items.push((format!("{head}: no records by name and content"), Vec::new()));
        }
        items
    }

    fn fine(&self) -> Vec<(String, Vec<String>)> {
        let mut items = Vec::new();
        for chain in &self.digests.chains {
            let s = chain.signatures;
            let mut lines = vec![format!(
                "{}, {} to {}",
                plural(chain.digests, "digest", "digests"),
                when(chain.from),
                when(chain.to)
            )];
            lines.push(format!("{} as listed", plural(chain.right, "file", "files")));
            if s.right > 0 {
                lines.push(plural(s.right, "right signature", "right signatures"));
            }
            items.push((of_chain(chain), lines));
        }
        let quiet = self.gaps.looked_at - self.gaps.too_little.len() as u64;
        if self.gaps.gaps.is_empty() && quiet > 0 {
            let where_ = plural(quiet, "account and region", "accounts and regions");
            items.push((format!("no gap in the records of {where_}"), Vec::new()));
        }
        if self.blind.is_empty() {
            items.push(("no call here stopped or narrowed a trail".to_owned(), Vec::new()));
        }
        let read = &self.read;
        let mut lines =
            vec![format!("{} ({} of text)", plural(read.files, "file", "files"), bytes(read.text_bytes))];
        if let Some((first, last)) = read.span {
            lines.push(format!("{} to {} UTC", when(first), when(last)));
        }
        if read.duplicates > 0 {
            lines.push(plural(read.duplicates, "further delivery of one", "further deliveries of them"));
        }
        if read.others > 0 {
            lines.push(plural(read.others, "record that is no event", "records that are no events"));
        }
        items.push((format!("{} read", plural(read.events, "event", "events")), lines));
        items
    }
}

/// What a hunt says of it, one thing after the other.
pub fn remarks(blind: &[BlindRange], gaps: Option<&Gaps>, digest_files: u64) -> Vec<Remark> {
    let hides = || blind.iter().filter(|it| it.aspect.hides_events());
    let severe = |text: String| Remark { severe: true, text };
    let fine = |text: String| Remark { severe: false, text };
    let mut all: Vec<Remark> = hides().take(REMARKS).map(|it| severe(range(it))).collect();
    all.extend(rest(hides().count(), "blind range", "blind ranges").map(severe));
    let found = gaps.map_or(&[][..], |it| &it.gaps);
    all.extend(found.iter().take(REMARKS).map(|it| severe(no_file(it))));
    all.extend(rest(found.len(), "gap", "gaps").map(severe));
    if hides().next().is_none() {
        all.push(fine("no call stopped or narrowed a trail".to_owned()));
    }
    if found.is_empty() && gaps.is_some_and(|it| it.looked_at > it.too_little.len() as u64) {
        all.push(fine("no gap between delivered files".to_owned()));
    }
    all.push(fine(match digest_files {
        0 => "files not checked against digests: `trailwarden verify` does".to_owned(),
        _ => format!(
            "{} not checked: `trailwarden verify` does",
            plural(digest_files, "digest file", "digest files")
        ),
    }));
    all
}

/// The same in one line: the first of each.
pub fn line(blind: &[BlindRange], gaps: Option<&Gaps>, digest_files: u64) -> Remark {
    let hides: Vec<&BlindRange> = blind.iter().filter(|it| it.aspect.hides_events()).collect();
    let found = gaps.map_or(&[][..], |it| &it.gaps);
    let mut parts = Vec::new();
    let and_more = |text: String, all: usize, one: &str, many: &str| match all {
        0 | 1 => text,
        _ => format!("{text}, and {}", more_of(all - 1, one, many)),
    };
    parts.extend(hides.first().map(|it| and_more(range(it), hides.len(), "blind range", "blind ranges")));
    parts.extend(found.first().map(|it| and_more(no_file(it), found.len(), "gap", "gaps")));
    let severe = !parts.is_empty();
    let fine = remarks(blind, gaps, digest_files).into_iter().filter(|it| !it.severe).map(|it| it.text);
    parts.extend(fine);
    Remark { severe, text: format!("completeness: {}", parts.join("; ")) }
}
