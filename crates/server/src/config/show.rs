//! The template of a configuration, and a configuration with where its values come from.

use super::{Configured, KEYS, Key, Kind, Section, Value};

/// A file that sets nothing and says what can be set.
pub fn template() -> String {
    let mut text = String::from(
        "# What `trailwarden serve` is to do. A line that is commented out shows what holds without it, or an example.\n\
         # `trailwarden config check` says what is wrong, `trailwarden config show` where each value comes from.\n",
    );
    for section in Section::ALL {
        let is_list = section == Section::Sources;
        text += &if is_list {
            "\n# As many as there are sources. What is posted needs none.\n#[[sources]]\n".to_owned()
        } else {
            format!("\n[{}]\n", section.as_str())
        };
        for key in KEYS.iter().filter(|it| it.section == section) {
            let value = if key.example.is_empty() { key.default.unwrap_or("\"\"") } else { key.example };
            // The example is a folder; what it does not have stands beside it.
            let only = match key.types() {
                Some(types) if !types.contains(&"folder") => format!(" Only of type {}: ", types.join(", ")),
                Some(_) | None => String::new(),
            };
            text += &format!("# {}\n#{only}{} = {value}\n", sentence(key.help), key.name);
        }
    }
    text
}

fn sentence(help: &str) -> String {
    let mut letters = help.chars();
    let first = letters.next().map(|it| it.to_ascii_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// A configuration as a file would have it, each value with where it comes from.
pub fn show(configured: &Configured) -> String {
    let mut text = String::new();
    let mut section = None;
    for (key, value, origin) in &configured.settings {
        if section != Some(key.section) {
            section = Some(key.section);
            text += &format!("{}[{}]\n", if text.is_empty() { "" } else { "\n" }, key.section.as_str());
        }
        text += &line(key.name, key.kind, value.as_ref(), &origin.to_string());
    }
    for source in &configured.sources {
        text += "\n[[sources]]\n";
        let kind = source.iter().find(|it| it.0.name == "type").and_then(|it| match &it.1 {
            Some(Value::Text(text)) => Some(text.as_str()),
            Some(_) | None => None,
        });
        let is_its = |key: &Key| key.types().zip(kind).is_none_or(|(types, kind)| types.contains(&kind));
        for (key, value, origin) in source.iter().filter(|it| it.1.is_some() && is_its(it.0)) {
            text += &line(key.name, key.kind, value.as_ref(), &origin.to_string());
        }
    }
    text
}

fn line(name: &str, kind: Kind, value: Option<&Value>, origin: &str) -> String {
    match value {
        Some(value) => format!("{:50} # {origin}\n", format!("{name} = {}", value.written(kind))),
        None => format!("{:50} # not set\n", format!("# {name}")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::read;
    use super::*;

    fn of(text: &str) -> Configured {
        read(Some(("f", text)), Path::new("/"), &|_| None, &[]).unwrap()
    }

    /// The template sets nothing; with its comments taken away it is a configuration, too.
    #[test]
    fn the_template_is_a_configuration() {
        assert_eq!(of(&template()).config, of("").config);
        let line = |it: &str| match it.strip_prefix('#') {
            Some(rest) if !rest.starts_with(' ') => rest.to_owned(),
            _ => it.to_owned(),
        };
        let bare: Vec<String> = template().lines().map(line).collect();
        let configured = of(&bare.join("\n"));
        assert_eq!(configured.config.sources.len(), 2);
        assert!(configured.config.tls.is_some());
    }

    #[test]
    fn what_is_shown_is_read_again() {
        let text = "[server]\nlisten = \"127.0.0.1:1\"\nqueue_max = \"3 MiB\"\n[rules]\nonly = [\"a \\\"b\\\"\", \"c\"]\n\
                    [[sources]]\ntype = \"folder\"\nname = \"t\"\npath = \"/in\"\nsettle = \"0s\"\n\
                    [[sources]]\ntype = \"stdin\"\n[[sources]]\ntype = \"unix\"\nname = \"u\"\npath = \"/s\"\n\
                    [[sources]]\ntype = \"s3\"\nname = \"b\"\nurl = \"s3://b/c\"\nlisting = \"5m\"\n\
                    [[sources]]\ntype = \"http\"\n";
        let configured = of(text);
        let shown = show(&configured);
        assert_eq!(of(&shown).config, configured.config, "{shown}");
        assert!(shown.contains("# f:2\n") && shown.contains("# default\n"), "{shown}");
    }
}
