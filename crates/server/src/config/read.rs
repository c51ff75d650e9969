//! From the file, the environment and the command line to a [`Config`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ecs::Millis;
use span::{Diagnostic, Severity, Span, position};
use store::LetterLimits;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::OF_TYPES;
use super::receiver::{NotificationConfig, Reading, ReceiverConfig, diagnostic};
use super::value::expected;
use super::{
    Config, HTTP, KEYS, Key, Kind, Origin, RulesConfig, S3Config, STDIN, Section, SourceConfig, SourceKind,
    Value,
};

/// A configuration, and where each of its values comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// What the server is to do.
    pub config: Config,
    /// The values of `[server]` and `[rules]`,
    pub settings: Settings,
    /// and those of each source,
    pub sources: Vec<Settings>,
    /// receiver
    pub receivers: Vec<Settings>,
    /// and notification.
    pub notifications: Vec<Settings>,
}

/// The values of a table, and where they come from, in the order of [`KEYS`].
pub type Settings = Vec<(&'static Key, Option<Value>, Origin)>;

/// What has been set, by section and name.
pub(super) type Given = BTreeMap<(Section, &'static str), (Value, Origin, Option<Span>)>;

/// What has been set in the tables that there may be several of, in their order.
type Lists = Vec<(Section, Given, Span)>;

/// Reads a configuration. `file` is its name and its text; `variable` asks the environment; `options` are values of the
/// command line, by section, name and what the option is called. Paths in the file are relative to `folder`.
///
/// # Errors
///
/// Everything that is wrong, with its place in the file. What is wrong in the environment or on the command line has none.
pub fn read(
    file: Option<(&str, &str)>,
    folder: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
    options: &[(Section, &'static str, &'static str, String)],
) -> Result<Configured, Vec<Diagnostic>> {
    let mut wrong = Vec::new();
    let mut given = Given::new();
    let mut lists = Lists::new();
    if let Some((name, text)) = file {
        File { name, text, folder }.read(&mut given, &mut lists, &mut wrong);
    }
    for key in KEYS {
        let Some(name) = key.variable() else { continue };
        let Some(text) = variable(&name) else { continue };
        match Value::of_text(&text, key.kind) {
            Ok(value) => _ = given.insert((key.section, key.name), (value, Origin::Variable(name), None)),
            Err(why) => wrong.push(Diagnostic::whole(Severity::Error, "CONF006", format!("{name}: {why}"))),
        }
    }
    for (section, name, option, text) in options {
        let Some(key) = find(*section, name) else { continue };
        match Value::of_text(text, key.kind) {
            Ok(value) => _ = given.insert((*section, key.name), (value, Origin::Option(option), None)),
            Err(why) => wrong.push(Diagnostic::whole(Severity::Error, "CONF006", format!("{option}: {why}"))),
        }
    }
    match configure(&given, &lists, (variable, folder), &mut wrong) {
        Some(configured) if wrong.is_empty() => Ok(configured),
        _ => Err(wrong),
    }
}

fn find(section: Section, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|it| it.section == section && it.name == name)
}

/// The file.
struct File<'a> {
    name: &'a str,
    text: &'a str,
    folder: &'a Path,
}

impl File<'_> {
    fn read(&self, given: &mut Given, lists: &mut Lists, wrong: &mut Vec<Diagnostic>) {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let span = error.span().map_or(Span::at(0), |it| Span::new(it.start, it.end));
            wrong.push(Diagnostic::new(Severity::Error, "CONF001", error.message().to_owned(), span));
        }
        for (name, value) in table.get_ref() {
            let section = Section::ALL.into_iter().find(|it| it.as_str() == name.get_ref());
            match (section, value.get_ref()) {
                (Some(section), DeValue::Array(tables)) if section.is_list() => {
                    for table in tables {
                        let DeValue::Table(members) = table.get_ref() else {
                            wrong.push(not_a_table(section, span_of(table)));
                            continue;
                        };
                        let mut its = Given::new();
                        self.table(section, members, &mut its, wrong);
                        lists.push((section, its, span_of(table)));
                    }
                }
                (Some(section), DeValue::Table(members)) if !section.is_list() => {
                    self.table(section, members, given, wrong);
                }
                (Some(section), _) => wrong.push(not_a_table(section, span_of(name))),
                (None, _) => {
                    let text = name.get_ref();
                    let known = Section::ALL.map(Section::as_str);
                    let message = format!("there is no table `{text}`");
                    let found = Diagnostic::new(Severity::Error, "CONF002", message, span_of(name));
                    wrong.push(found.help(meant(text, &known)));
                }
            }
        }
    }

    fn table(&self, section: Section, table: &DeTable<'_>, given: &mut Given, wrong: &mut Vec<Diagnostic>) {
        for (name, value) in table {
            let Some(key) = find(section, name.get_ref()) else {
                let known: Vec<&str> =
                    KEYS.iter().filter(|it| it.section == section).map(|it| it.name).collect();
                let message = format!("`{}` has no key `{}`", section.as_str(), name.get_ref());
                let found = Diagnostic::new(Severity::Error, "CONF003", message, span_of(name));
                wrong.push(found.help(meant(name.get_ref(), &known)));
                continue;
            };
            match self.value(value, key.kind) {
                Ok(it) => {
                    let line = position(self.text, name.span().start).line;
                    let origin = Origin::File { name: self.name.to_owned(), line };
                    given.insert((section, key.name), (it, origin, Some(span_of(value))));
                }
                Err(why) => {
                    let message = format!("`{}`: {why}", key.name);
                    wrong.push(Diagnostic::new(Severity::Error, "CONF004", message, span_of(value)));
                }
            }
        }
    }

    fn value(&self, value: &Spanned<DeValue<'_>>, kind: Kind) -> Result<Value, String> {
        let path = |text: &str| self.folder.join(text).display().to_string();
        match (value.get_ref(), kind) {
            (DeValue::String(text), Kind::Path) => Ok(Value::Text(path(text))),
            (
                DeValue::String(text),
                Kind::Text | Kind::OneOf(_) | Kind::Bytes(..) | Kind::Duration(..) | Kind::Address,
            ) => Value::of_text(text, kind),
            (DeValue::Integer(number), Kind::Number(..) | Kind::Bytes(..)) => {
                let number = u64::from_str_radix(number.as_str(), number.radix());
                Value::of_number(number.map_err(|_| expected(kind).to_owned())?, kind)
            }
            (DeValue::Boolean(flag), Kind::Flag) => Ok(Value::Flag(*flag)),
            (DeValue::Array(items), Kind::Texts | Kind::Paths) => {
                let text = |it: &Spanned<DeValue<'_>>| match it.get_ref() {
                    DeValue::String(text) if kind == Kind::Paths => Some(path(text)),
                    DeValue::String(text) => Some(text.to_string()),
                    _ => None,
                };
                let texts: Option<Vec<String>> = items.iter().map(text).collect();
                texts.map(Value::Texts).ok_or_else(|| expected(kind).to_owned())
            }
            _ => Err(expected(kind).to_owned()),
        }
    }
}

fn span_of<T>(it: &Spanned<T>) -> Span {
    Span::new(it.span().start, it.span().end)
}

fn not_a_table(section: Section, span: Span) -> Diagnostic {
    let name = section.as_str();
    let written = if section.is_list() { format!("[[{name}]]") } else { format!("[{name}]") };
    Diagnostic::new(Severity::Error, "CONF005", format!("`{name}` is a table: write {written}"), span)
}

/// What a name was probably meant to be.
fn meant(name: &str, known: &[&str]) -> String {
    let near = known.iter().map(|it| (strsim::damerau_levenshtein(name, it), it)).min();
    match near {
        Some((distance, it)) if distance <= 1 + name.chars().count() / 3 => format!("did you mean `{it}`?"),
        _ => format!("there are: {}", known.join(", ")),
    }
}

/// What holds of a key if nothing is said.
fn default(key: &Key) -> Option<Value> {
    let text = key.default?;
    if let Some(list) = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        let items = list.split(',').map(|it| it.trim().trim_matches('"')).filter(|it| !it.is_empty());
        return Some(Value::Texts(items.map(str::to_owned).collect()));
    }
    Some(Value::of_text(text.trim_matches('"'), key.kind).expect("defaults are values; a test reads them"))
}

/// The values of a table, with what holds where nothing is given.
pub(super) struct Table(Settings);

impl Table {
    fn of(sections: &[Section], given: &Given) -> Self {
        let keys = KEYS.iter().filter(|it| sections.contains(&it.section));
        let setting = |key: &'static Key| match given.get(&(key.section, key.name)) {
            Some((value, origin, _)) => (key, Some(value.clone()), origin.clone()),
            None => (key, default(key), Origin::Default),
        };
        Self(keys.map(setting).collect())
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|it| it.0.name == name)?.1.as_ref()
    }

    pub(super) fn number(&self, name: &str) -> u64 {
        if let Some(Value::Number(number)) = self.value(name) { *number } else { 0 }
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.value(name) == Some(&Value::Flag(true))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        if let Some(Value::Text(text)) = self.value(name) { Some(text) } else { None }
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        if let Some(Value::Texts(texts)) = self.value(name) { texts.clone() } else { Vec::new() }
    }
}

/// What asks the environment, and what paths are relative to.
type Around<'a> = (&'a dyn Fn(&str) -> Option<String>, &'a Path);

fn configure(
    given: &Given,
    lists: &Lists,
    around: Around<'_>,
    wrong: &mut Vec<Diagnostic>,
) -> Option<Configured> {
    let table = Table::of(&[Section::Server, Section::Rules], given);
    let tls = match (table.text("tls_certificate"), table.text("tls_key")) {
        (Some(certificate), Some(key)) => Some((PathBuf::from(certificate), PathBuf::from(key))),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            let message = "`tls_certificate` and `tls_key` go together: one of them is missing";
            let place = ["tls_certificate", "tls_key"]
                .into_iter()
                .find_map(|it| given.get(&(Section::Server, it)).and_then(|(.., span)| *span));
            wrong.push(match place {
                Some(span) => Diagnostic::new(Severity::Error, "CONF007", message, span),
                None => Diagnostic::whole(Severity::Error, "CONF007", message),
            });
            None
        }
    };
    let mut made: Vec<SourceConfig> = Vec::new();
    let mut settings = Vec::new();
    for (_, given, span) in lists.iter().filter(|it| it.0 == Section::Sources) {
        let table = Table::of(&[Section::Sources], given);
        match source(&table, given, &made) {
            Ok(it) => made.push(it),
            Err((message, place)) => {
                wrong.push(Diagnostic::new(Severity::Error, "CONF008", message, place.unwrap_or(*span)));
            }
        }
        settings.push(table.0);
    }
    if !made.iter().any(|it| it.kind == SourceKind::Http) {
        made.push(SourceConfig {
            name: HTTP.to_owned(),
            kind: SourceKind::Http,
            indices: Vec::new(),
            silent_ms: None,
        });
    }
    let told = told(lists, around, wrong);
    let Some(Value::Address(listen)) = table.value("listen") else { return None };
    let config = Config {
        listen: *listen,
        tls,
        body_bytes: usize::try_from(table.number("body_max")).ok()?,
        text_bytes: table.number("text_max"),
        queue_bytes: usize::try_from(table.number("queue_max")).ok()?,
        requests: usize::try_from(table.number("requests_max")).ok()?,
        request_ms: table.number("request_timeout"),
        public_url: table.text("public_url").map(str::to_owned),
        rate: table.number("rate_max"),
        logs_requests: table.value("log_requests") == Some(&Value::Flag(true)),
        behind_ms: table.number("behind_max"),
        threads: usize::try_from(table.number("threads")).ok()?,
        letters: LetterLimits {
            bytes: table.number("dead_letters_max"),
            age: table.number("dead_letters_age") as Millis,
        },
        sources: made,
        rules: RulesConfig {
            paths: table.texts("paths").into_iter().map(PathBuf::from).collect(),
            builtin: table.value("builtin") == Some(&Value::Flag(true)),
            only: table.texts("only"),
            catch_up_ms: table.number("catch_up"),
        },
        receivers: told.receivers,
        notifications: told.notifications,
    };
    let (receivers, notifications) = told.settings;
    Some(Configured { config, settings: table.0, sources: settings, receivers, notifications })
}

/// Who is told of what, with the values that say so.
#[derive(Default)]
struct Told {
    receivers: Vec<ReceiverConfig>,
    notifications: Vec<NotificationConfig>,
    settings: (Vec<Settings>, Vec<Settings>),
}

fn told(lists: &Lists, (variable, folder): Around<'_>, wrong: &mut Vec<Diagnostic>) -> Told {
    let mut told = Told::default();
    let of = |section: Section| lists.iter().filter(move |it| it.0 == section);
    for (section, given, span) in of(Section::Receivers).chain(of(Section::Notifications)) {
        let table = Table::of(&[*section], given);
        let reading = Reading { table: &table, given, section: *section, variable, folder };
        if *section == Section::Receivers {
            match reading.receiver(&told.receivers) {
                Ok(it) => told.receivers.push(it),
                Err(error) => wrong.push(diagnostic("CONF011", error, *span)),
            }
            told.settings.0.push(table.0);
        } else {
            match reading.notification(&told.receivers, &told.notifications) {
                Ok(it) => told.notifications.push(it),
                Err(error) => wrong.push(diagnostic("CONF012", error, *span)),
            }
            told.settings.1.push(table.0);
        }
    }
    told
}

/// A source, or what is wrong with it and where.
fn source(
    table: &Table,
    given: &Given,
    others: &[SourceConfig],
) -> Result<SourceConfig, (String, Option<Span>)> {
    let place = |name: &'static str| given.get(&(Section::Sources, name)).and_then(|(.., span)| *span);
    let kind = table.text("type").ok_or(("a source needs a `type`, such as \"folder\"".to_owned(), None))?;
    let name = match (table.text("name"), kind) {
        (Some(name), _) => name.to_owned(),
        (None, "http") => HTTP.to_owned(),
        (None, "stdin") => STDIN.to_owned(),
        (None, _) => return Err(("a source needs a `name`".to_owned(), None)),
    };
    let is_name = |it: u8| it.is_ascii_alphanumeric() || b"-_.".contains(&it);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
        let message = format!("`{name}` is no name: up to 64 letters, digits, `-`, `_` and `.`");
        return Err((message, place("name")));
    }
    if others.iter().any(|it| it.name == name) {
        return Err((format!("two sources are named `{name}`"), place("name")));
    }
    let of_others = OF_TYPES.iter().filter(|(_, types)| !types.contains(&kind));
    if let Some((other, _)) = of_others.into_iter().find(|(name, _)| place(name).is_some()) {
        return Err((format!("a source of type \"{kind}\" has no `{other}`"), place(other)));
    }
    let path = |what: &str| {
        let path = table.text("path").map(PathBuf::from);
        path.ok_or_else(|| (format!("{what} needs a `path`"), None))
    };
    let kind = match kind {
        "http" => SourceKind::Http,
        "stdin" => SourceKind::Stdin { stops: table.text("at_end") == Some("stop") },
        "unix" => {
            let mode = table.text("mode").unwrap_or_default();
            let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|it| (b'0'..=b'7').contains(&it));
            let mode = u32::from_str_radix(mode, 8).ok().filter(|it| is_mode && *it <= 0o777);
            let wrong = "`mode`: expected permissions, as a text of octal digits such as \"0660\"";
            let mode = mode.ok_or_else(|| (wrong.to_owned(), place("mode")))?;
            if !cfg!(unix) {
                return Err(("there are no Unix sockets on this system".to_owned(), place("type")));
            }
            SourceKind::Unix { path: path("a socket")?, mode }
        }
        "s3" => SourceKind::S3(bucket(table, &place)?),
        _ => SourceKind::Folder {
            path: path("a folder")?,
            interval_ms: table.number("interval"),
            settle_ms: table.number("settle"),
        },
    };
    if ["http", "stdin"].contains(&kind.name()) && others.iter().any(|it| it.kind.name() == kind.name()) {
        return Err((format!("there is one source of type \"{}\" at most", kind.name()), place("type")));
    }
    let silent_ms = Some(table.number("silent_after")).filter(|it| *it > 0);
    Ok(SourceConfig { name, kind, indices: table.texts("indices"), silent_ms })
}

/// A bucket, or what is wrong with it and where.
fn bucket(
    table: &Table,
    place: &dyn Fn(&'static str) -> Option<Span>,
) -> Result<S3Config, (String, Option<Span>)> {
    let owned = |name: &str| table.text(name).map(str::to_owned);
    let url = owned("url").ok_or(("a bucket needs a `url`: \"s3://BUCKET/PREFIX\"".to_owned(), None))?;
    if !url.strip_prefix("s3://").is_some_and(|it| !it.is_empty() && !it.starts_with('/')) {
        let message = format!("`{url}` is no address of a bucket: write \"s3://BUCKET/PREFIX\"");
        return Err((message, place("url")));
    }
    let queue = owned("queue");
    if queue.as_ref().is_some_and(|it| !it.starts_with("https://") && !it.starts_with("http://")) {
        let message = "a queue is named by its address: \"https://sqs.REGION.amazonaws.com/ACCOUNT/NAME\"";
        return Err((message.to_owned(), place("queue")));
    }
    let since_ms = owned("since").map(|text| {
        let wrong = || (format!("`{text}` is no date: write \"2026-01-01\""), place("since"));
        ecs::date::parse(&text).map_err(|_| wrong())
    });
    Ok(S3Config {
        url,
        queue,
        listing_ms: table.number("listing"),
        reconcile_ms: table.number("reconcile"),
        since_ms: since_ms.transpose()?,
        endpoint: owned("endpoint"),
        region: owned("region"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Configured, Vec<Diagnostic>> {
        read(Some(("trailwarden.toml", text)), Path::new("/etc/tw"), &|_| None, &[])
    }

    /// What is wrong, as `code line:column message (help)`.
    fn wrong(text: &str) -> Vec<String> {
        let all = of(text).unwrap_err();
        let one = |it: &Diagnostic| {
            let at = it.span().map_or_else(String::new, |span| {
                let at = position(text, span.start);
                format!("{}:{} ", at.line, at.column)
            });
            let help = it.help.as_ref().map_or_else(String::new, |it| format!(" ({it})"));
            format!("{} {at}{}{help}", it.code, it.message)
        };
        all.iter().map(one).collect()
    }

    #[test]
    fn nothing_is_a_configuration() {
        let configured = of("").unwrap();
        assert_eq!(configured.config.listen.to_string(), "127.0.0.1:9480");
        assert_eq!(configured.config.body_bytes, 64 << 20);
        assert!(configured.config.rules.builtin && configured.config.tls.is_none());
        let http = SourceConfig {
            name: "http".to_owned(),
            kind: SourceKind::Http,
            indices: Vec::new(),
            silent_ms: None,
        };
        assert_eq!(configured.config.sources, [http]);
        assert!(configured.settings.iter().all(|it| it.2 == Origin::Default));
    }

    #[test]
    fn a_file_sets_what_it_names() {
        let text = "[server]\nlisten = \"[::1]:80\"\nbody_max = 4096\n[rules]\npaths = [\"r\", \"/x\"]\n\
                    [[sources]]\ntype = \"folder\"\nname = \"trail\"\npath = \"in\"\ninterval = \"1m\"\n\
                    [[sources]]\ntype = \"http\"\nindices = [\"filebeat-*\"]\n";
        let Configured { config, settings, sources, .. } = of(text).unwrap();
        assert_eq!(config.listen.to_string(), "[::1]:80");
        assert_eq!(config.body_bytes, 4096);
        assert_eq!(config.rules.paths, [PathBuf::from("/etc/tw/r"), PathBuf::from("/x")]);
        let folder =
            SourceKind::Folder { path: PathBuf::from("/etc/tw/in"), interval_ms: 60_000, settle_ms: 2_000 };
        assert_eq!(config.sources[0].kind, folder);
        assert_eq!((config.sources[1].name.as_str(), config.sources[1].indices.len()), ("http", 1));
        let origin = &settings.iter().find(|it| it.0.name == "body_max").unwrap().2;
        assert_eq!(origin.to_string(), "trailwarden.toml:3");
        assert_eq!(sources.len(), 2);
    }

    #[test]
    fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
        let text = "[server]\nlisten = \"127.0.0.1:1\"\nthreads = 1\nbody_max = \"1 MiB\"\n";
        let variable = |name: &str| match name {
            "TRAILWARDEN_SERVER_LISTEN" => Some("127.0.0.1:2".to_owned()),
            "TRAILWARDEN_SERVER_THREADS" => Some("2".to_owned()),
            _ => None,
        };
        let option = [(Section::Server, "listen", "--listen", "127.0.0.1:3".to_owned())];
        let read = read(Some(("f", text)), Path::new(""), &variable, &option).unwrap();
        let origin = |name: &str| read.settings.iter().find(|it| it.0.name == name).unwrap().2.to_string();
        assert_eq!((read.config.listen.port(), read.config.threads, read.config.body_bytes), (3, 2, 1 << 20));
        assert_eq!(origin("listen"), "option --listen");
        assert_eq!(origin("threads"), "environment TRAILWARDEN_SERVER_THREADS");
        assert_eq!(origin("body_max"), "f:4");
        assert_eq!(origin("builtin"), "default");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert_eq!(
            wrong("[server]\nlissten = \"x\"\n"),
            ["CONF003 2:1 `server` has no key `lissten` (did you mean `listen`?)"]
        );
        assert_eq!(wrong("[srver]\n"), ["CONF002 1:2 there is no table `srver` (did you mean `server`?)"]);
        assert_eq!(
            wrong("[kafka]\n"),
            [
                "CONF002 1:2 there is no table `kafka` (there are: server, rules, sources, receivers, notifications)"
            ]
        );
        assert_eq!(
            wrong("[server]\nlisten = 80\n"),
            ["CONF004 2:10 `listen`: expected an address and a port, as a text such as \"127.0.0.1:9480\""]
        );
        assert_eq!(
            wrong("[server]\nbody_max = \"1 B\"\n"),
            ["CONF004 2:12 `body_max`: must be between 1 KiB and 4 GiB"]
        );
        assert_eq!(
            wrong("[sources]\nname = \"x\"\n"),
            ["CONF005 1:2 `sources` is a table: write [[sources]]"]
        );
        assert_eq!(
            wrong("[server]\ntls_key = \"k\"\n"),
            ["CONF007 2:11 `tls_certificate` and `tls_key` go together: one of them is missing"]
        );
        assert_eq!(
            wrong("[[sources]]\ntype = \"folder\"\nname = \"a\"\n"),
            ["CONF008 1:1 a folder needs a `path`"]
        );
        let two = "[[sources]]\ntype = \"http\"\n[[sources]]\ntype = \"http\"\nname = \"b\"\n";
        assert_eq!(wrong(two), ["CONF008 4:8 there is one source of type \"http\" at most"]);
        assert_eq!(
            wrong("[[sources]]\ntype = \"kafka\"\n")[0],
            "CONF004 2:8 `type`: expected one of folder, http, s3, stdin, unix"
        );
        let unix = "[[sources]]\ntype = \"unix\"\nname = \"s\"\npath = \"s\"\n";
        assert_eq!(
            wrong(&format!("{unix}mode = \"0990\"\n")),
            ["CONF008 5:8 `mode`: expected permissions, as a text of octal digits such as \"0660\""]
        );
        assert_eq!(
            wrong(&format!("{unix}interval = \"5s\"\n")),
            ["CONF008 5:12 a source of type \"unix\" has no `interval`"]
        );
        let bucket = "[[sources]]\ntype = \"s3\"\nname = \"b\"\n";
        assert_eq!(wrong(bucket), ["CONF008 1:1 a bucket needs a `url`: \"s3://BUCKET/PREFIX\""]);
        assert_eq!(
            wrong(&format!("{bucket}url = \"s3://b\"\nsettle = \"1s\"\n")),
            ["CONF008 5:10 a source of type \"s3\" has no `settle`"]
        );
        assert_eq!(
            wrong(&format!("{bucket}url = \"/b\"\n")),
            ["CONF008 4:7 `/b` is no address of a bucket: write \"s3://BUCKET/PREFIX\""]
        );
        assert_eq!(
            wrong(&format!("{bucket}url = \"s3://b\"\nsince = \"May\"\n")),
            ["CONF008 5:9 `May` is no date: write \"2026-01-01\""]
        );
        assert!(wrong("[server\n")[0].starts_with("CONF001 1:"));
        // All of it at once.
        assert_eq!(wrong("[server]\na = 1\nb = 2\n[x]\n").len(), 3);
    }

    #[test]
    fn wrong_variables_and_options_are_told() {
        let variable = |name: &str| (name == "TRAILWARDEN_RULES_BUILTIN").then(|| "yes".to_owned());
        let option = [(Section::Server, "listen", "--listen", "localhost".to_owned())];
        let wrong = read(None, Path::new(""), &variable, &option).unwrap_err();
        assert_eq!(wrong[0].message, "TRAILWARDEN_RULES_BUILTIN: expected true or false");
        assert!(wrong[1].message.starts_with("--listen: expected an address"), "{wrong:?}");
    }
}
