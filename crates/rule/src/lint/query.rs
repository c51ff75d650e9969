//! What a query asks, against what events can hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use ecs::{Catalog, Dynamic, Source, Values};
use plan::{FieldUse, ValueKind, ValueUse};
use span::{Diagnostic, Edit, Severity, Span};

use super::Finding;
use super::fields::{Purpose, problem};
use crate::index_pattern::glob_matches;
use crate::language::{Language, language};
use crate::parse::with_stand_ins;
use crate::suggest::nearest;
use crate::{GuideLanguage, QueryLanguage};

/// What is known of the events that are asked.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// The types of fields.
    pub(crate) catalog: &'a Catalog,
    /// Where the events come from.
    pub(crate) source: &'a Source,
    /// Events of the source and no others are asked, so that what it never gives is never found.
    pub(crate) only: bool,
}

/// What is odd in a query that stands alone: of the language, of its fields, of its values. `source` is where the
/// documents come from, if that is known; others may be among them.
pub fn lint_query(
    language: QueryLanguage,
    text: &str,
    catalog: &Catalog,
    source: Option<&Source>,
) -> Vec<Diagnostic> {
    let language = self::language(language);
    let unknown = Source::default();
    let scope = Scope { catalog, source: source.unwrap_or(&unknown), only: false };
    let mut diagnostics = (language.findings)(text);
    diagnostics.extend(check(language, text, &scope, source.is_some()));
    // Documents may have more fields than a mapping that lets them says.
    let is_open = source.is_none() && catalog.dynamic() != Dynamic::Off;
    diagnostics.retain(|it| it.severity > Severity::Note && !(is_open && it.code == "RULE101"));
    diagnostics.sort_by_key(Diagnostic::span);
    diagnostics
}

/// What is odd in the fields of a query, each told once, and, with `values`, in the values they are compared with. The
/// places are those of the query.
pub(super) fn check(language: &Language, text: &str, scope: &Scope<'_>, values: bool) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for FieldUse { name, span, may_be_object } in (language.fields)(text) {
        // What is underlined may be more than the name.
        let is_bare = text.get(span.range()).is_some_and(|it| it.trim_matches('"') == name);
        if let Some(&first) = told.get(&name) {
            // Told once, and mended wherever it stands.
            if is_bare {
                mend(&mut found, first, span);
            }
            continue;
        }
        let purpose = if may_be_object { Purpose::Existence } else { Purpose::Query };
        let Some(problem) = problem(scope, &name, purpose, span) else { continue };
        told.insert(name, found.len());
        let diagnostic = problem.diagnostic();
        found.push(match problem {
            Finding::OwnName { fields, .. } if fields.len() == 1 && is_bare => {
                diagnostic.edit(span, &fields[0])
            }
            _ => diagnostic,
        });
    }
    if values {
        let problems = (language.values)(text).into_iter().filter_map(|it| value_problem(scope.source, &it));
        found.extend(problems.map(|it| it.diagnostic()));
    }
    found
}

/// Adds to a finding that it is mended here as where it was first.
fn mend(found: &mut [Diagnostic], at: usize, span: Span) {
    let Some(diagnostic) = found.get_mut(at) else { return };
    if let Some(edit) = diagnostic.edits.first().map(|edit| Edit { span, text: edit.text.clone() })
        && !diagnostic.edits.contains(&edit)
    {
        diagnostic.edits.push(edit);
    }
}

/// Whether every event that the query lets through is of that data set, by what it says itself.
pub(super) fn asks_only_for(language: &Language, text: &str, dataset: &str) -> bool {
    let names = |field: &str| matches!(field, "event.dataset" | "data_stream.dataset");
    (language.values)(text).iter().any(|it| it.is_required && names(&it.field) && it.text == dataset)
}

/// What of the fields' values is known beside what the source says: those that the built-in rules and their
/// guides ask for.
static ASKED: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(|| {
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in crate::builtin(GuideLanguage::English).rules {
        let guide = rule.guide.iter().flat_map(|it| it.triage.iter().chain(&it.response));
        let steps = guide.flat_map(|it| &it.queries);
        let steps =
            steps.filter_map(|it| Some((QueryLanguage::from_name(&it.language)?, with_stand_ins(&it.query))));
        let own = rule.language.map(|it| (it, rule.query.clone()));
        for (language, query) in own.into_iter().chain(steps) {
            for value in (self::language(language).values)(&query) {
                if value.kind != ValueKind::Pattern {
                    asked.entry(value.field).or_default().insert(value.text);
                }
            }
        }
    }
    asked
});

/// Fields whose values are names of the service's own: how the built-in rules write one is how it is written.
const NAMES: [&str; 3] = ["event.action", "event.provider", "aws.cloudtrail.error_code"];

/// The values of a field that are known.
fn known_values<'a>(field: &str, listed: &'a [String]) -> BTreeSet<&'a str> {
    let asked = NAMES.contains(&field).then(|| ASKED.get(field)).flatten();
    listed.iter().chain(asked.into_iter().flatten()).map(String::as_str).collect()
}

/// What is wrong with a value that a field is compared with.
pub(super) fn value_problem(source: &Source, value: &ValueUse) -> Option<Finding> {
    let ValueUse { field, text, kind, span, .. } = value;
    let (field, text, span) = (field.as_str(), text.as_str(), *span);
    let (written, name) = (text.to_owned(), field.to_owned());
    // What is written instead is a word, which needs no escapes.
    let like = |instead: &str| match kind {
        ValueKind::Quoted => format!("\"{instead}\""),
        ValueKind::Bare | ValueKind::Pattern => instead.to_owned(),
    };
    if *kind == ValueKind::Pattern {
        return pattern_problem(source, field, text, span);
    }
    let letter_case = |known: String| {
        let (field, value, instead) = (field.to_owned(), text.to_owned(), like(&known));
        Finding::LetterCase { field, value, known, instead, span }
    };
    match source.values(field) {
        Values::Only(allowed) => {
            if allowed.iter().any(|it| it == text) {
                return None;
            }
            let (allowed, instead) = (allowed.clone(), synonym(text, allowed).map(like));
            Some(Finding::NoSuchValue { field: name, value: written, allowed, instead, span })
        }
        Values::Lowercase => {
            let lower = text.to_lowercase();
            (lower != text).then(|| letter_case(lower))
        }
        Values::Hosts(hosts) => {
            let known = known_values(field, hosts);
            if let Some(known) = other_case(text, &known) {
                return Some(letter_case(known.to_owned()));
            }
            let is_word = text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-');
            (is_word && !text.is_empty()).then(|| {
                let host = format!("{}.amazonaws.com", text.to_lowercase());
                // That there is such a service is known of some only.
                let (certain, instead) = (known.contains(host.as_str()), like(&host));
                Finding::NoHost { field: name, value: written, instead, certain, span }
            })
        }
        Values::Known(listed) => name_problem(field, text, &known_values(field, listed), span, letter_case),
        Values::Any => name_problem(field, text, &known_values(field, &[]), span, letter_case),
    }
}

/// What is wrong with a name of which some others are known.
fn name_problem(
    field: &str,
    text: &str,
    known: &BTreeSet<&str>,
    span: Span,
    letter_case: impl FnOnce(String) -> Finding,
) -> Option<Finding> {
    if let Some(known) = other_case(text, known) {
        return Some(letter_case(known.to_owned()));
    }
    if known.contains(text) || !NAMES.contains(&field) {
        return None;
    }
    let (field, value, similar) = (field.to_owned(), text.to_owned(), slip(text, known)?.to_owned());
    Some(Finding::NearValue { field, value, similar, span })
}

/// How the text is written, if it is known in another letter case only.
fn other_case<'a>(text: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    if known.contains(text) {
        return None;
    }
    known.iter().copied().find(|known| known.eq_ignore_ascii_case(text))
}

/// What is wrong with a pattern: nothing that the field can hold is of its form.
fn pattern_problem(source: &Source, field: &str, glob: &str, span: Span) -> Option<Finding> {
    let Values::Only(allowed) = source.values(field) else { return None };
    let fits = |glob: &str| allowed.iter().any(|it| glob_matches(glob, it));
    if fits(glob) {
        return None;
    }
    let lower = glob.to_lowercase();
    let instead = fits(&lower).then_some(lower);
    let (field, value, allowed) = (field.to_owned(), glob.to_owned(), allowed.clone());
    Some(Finding::NoSuchValue { field, value, allowed, instead, span })
}

/// The allowed value that is surely meant: another letter case, another form of the word.
fn synonym<'a>(text: &str, allowed: &'a [String]) -> Option<&'a str> {
    let lower = text.to_lowercase();
    let same = allowed.iter().find(|it| it.eq_ignore_ascii_case(text));
    let stem =
        |it: &&String| ["fail", "succ"].iter().any(|stem| lower.starts_with(stem) && it.starts_with(stem));
    same.or_else(|| allowed.iter().find(stem)).map(String::as_str)
}

/// Names shorter than this are one letter apart by chance.
const SLIP_LEN_MIN: usize = 9;

/// The one known name that is a single slip of a finger away.
fn slip<'a>(text: &str, known: &BTreeSet<&'a str>) -> Option<&'a str> {
    if text.len() < SLIP_LEN_MIN {
        return None;
    }
    // An `s` more or less is another call: `GetParameter`, `GetParameters`.
    let plural = |it: &str| it.strip_suffix('s') == Some(text) || text.strip_suffix('s') == Some(it);
    let mut near =
        known.iter().copied().filter(|it| !plural(it) && strsim::damerau_levenshtein(text, it) == 1);
    let first = near.next()?;
    near.next().is_none().then_some(first)
}

/// The nearest field that events can have.
pub(super) fn nearest_filled(name: &str, source: &Source) -> Option<String> {
    nearest(name, source.fields.keys().copied()).map(str::to_owned)
}
