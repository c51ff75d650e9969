//! The template of a configuration, and a configuration with where its values come from.

use super::{Configured, KEYS, Key, Kind, Origin, Section, Value};

/// A file that sets nothing and says what can be set.
pub fn template() -> String {
    let mut text = String::from(
        "# What `trailwarden serve` is to do. A line that is commented out shows what holds without it, or an example.\n\
         # `trailwarden config check` says what is wrong, `trailwarden config show` where each value comes from.\n",
    );
    for section in Section::ALL {
        text += &match section {
            Section::Server | Section::Rules => format!("\n[{}]\n", section.as_str()),
            Section::Sources => {
                "\n# As many as there are sources. What is posted needs none.\n#[[sources]]\n".to_owned()
            }
            // Each type has keys of its own: examples say more.
            Section::Receivers => {
                text += RECEIVERS;
                continue;
            }
            Section::Notifications => {
                "\n# What receivers are told. The actions of rules come beside it.\n#[[notifications]]\n"
                    .to_owned()
            }
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

/// Examples of receivers.
const RECEIVERS: &str = "
# Who is told: as many as there are. `docs/notifications.md` says what each type has.
# A secret is never in this file: `env:NAME` is a variable of the environment, `file:PATH` a file.
#[[receivers]]
#name = \"soc\"
#type = \"slack\"
#url = \"file:/etc/trailwarden/slack.url\"

#[[receivers]]
#name = \"teams\"
#type = \"teams\"
#url = \"file:/etc/trailwarden/teams.url\"

#[[receivers]]
#name = \"pager\"
#type = \"pagerduty\"
#secret = \"file:/etc/trailwarden/pagerduty.key\"

#[[receivers]]
#name = \"hook\"
#type = \"webhook\"
#url = \"https://hooks.example.com/trailwarden\"
# Signs each body (webhook-signature, as Standard Webhooks have it).
#secret = \"file:/etc/trailwarden/hook.key\"
#headers = [\"X-Team: soc\"]
# The body; without it the message goes as JSON.
#body = '{\"text\": \"{{title}}\", \"alerts\": {{count}}}'
#content_type = \"application/json\"

#[[receivers]]
#name = \"mail\"
#type = \"email\"
#address = \"mail.example.com:587\"
# starttls, tls, or tcp without a password.
#protocol = \"starttls\"
#username = \"trailwarden\"
#secret = \"file:/etc/trailwarden/mail.password\"
#from = \"trailwarden@example.com\"
#to = [\"soc@example.com\"]

#[[receivers]]
#name = \"siem\"
#type = \"syslog\"
#address = \"syslog.example.com:6514\"
# tls, tcp or udp.
#protocol = \"tls\"
# Certificates (PEM) that are trusted beside those of this machine.
#authorities = \"/etc/trailwarden/ca.pem\"

#[[receivers]]
#name = \"collector\"
#type = \"otlp\"
#url = \"http://127.0.0.1:4318/v1/logs\"

#[[receivers]]
#name = \"elastic\"
#type = \"index\"
#url = \"https://elasticsearch.example.com:9200\"
#index = \"trailwarden-alerts\"
# An API key; with a `username` the password.
#secret = \"file:/etc/trailwarden/elastic.key\"
# Each type has these, too.
# Ids of Kibana's connectors that it stands for in the actions of rules.
#connectors = []
# How long one attempt may take.
#timeout = \"10s\"
# What it did not take for so long is put aside, and listed by `trailwarden notify dead`.
#give_up = \"24h\"
# The proxy that requests go through; none otherwise, whatever the environment says.
#proxy = \"http://proxy.example.com:3128\"
";

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
    let Configured { sources, receivers, notifications, .. } = configured;
    for (name, tables) in [("sources", sources), ("receivers", receivers), ("notifications", notifications)] {
        for table in tables {
            text += &format!("\n[[{name}]]\n");
            let kind = table.iter().find(|it| it.0.name == "type").and_then(|it| match &it.1 {
                Some(Value::Text(text)) => Some(text.as_str()),
                Some(_) | None => None,
            });
            let is_its = |key: &Key| key.types().zip(kind).is_none_or(|(types, kind)| types.contains(&kind));
            // Each type of receiver has keys of its own: only what somebody said is told.
            let is_told = |origin: &Origin| name != "receivers" || *origin != Origin::Default;
            let shown = table.iter().filter(|it| it.1.is_some() && is_its(it.0) && is_told(&it.2));
            for (key, value, origin) in shown {
                text += &line(key.name, key.kind, value.as_ref(), &origin.to_string());
            }
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
        assert_eq!((configured.config.receivers.len(), configured.config.notifications.len()), (8, 1));
        assert!(configured.config.tls.is_some());
    }

    #[test]
    fn what_is_shown_is_read_again() {
        let text = "[server]\nlisten = \"127.0.0.1:1\"\nqueue_max = \"3 MiB\"\n[rules]\nonly = [\"a \\\"b\\\"\", \"c\"]\n\
                    [[sources]]\ntype = \"folder\"\nname = \"t\"\npath = \"/in\"\nsettle = \"0s\"\n\
                    [[sources]]\ntype = \"stdin\"\n[[sources]]\ntype = \"unix\"\nname = \"u\"\npath = \"/s\"\n\
                    [[sources]]\ntype = \"s3\"\nname = \"b\"\nurl = \"s3://b/c\"\nlisting = \"5m\"\n\
                    [[sources]]\ntype = \"http\"\n\
                    [[receivers]]\nname = \"r\"\ntype = \"slack\"\nurl = \"file:/k\"\n\
                    [[notifications]]\nreceiver = \"r\"\non = [\"alerts\", \"health\"]\nseverity = \"high\"\n";
        let configured = of(text);
        let shown = show(&configured);
        assert_eq!(of(&shown).config, configured.config, "{shown}");
        assert!(shown.contains("# f:2\n") && shown.contains("# default\n"), "{shown}");
    }
}
