//! The configuration, read again while the server runs: what can change, changes at once; what cannot is told.
//!
//! A configuration that is wrong changes nothing, and so does a certificate that cannot be used.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::Value;
use tokio_rustls::TlsAcceptor;

use crate::app::App;
use crate::config::Config;
use crate::{notify, tls};

/// Reads the configuration again, from where it was read at the start; or says what is wrong with it.
pub type ReadAgain = Box<dyn Fn() -> Result<Config, String> + Send + Sync>;

/// What holds now.
pub(crate) struct Current {
    config: RwLock<Arc<Config>>,
    tls: RwLock<Option<TlsAcceptor>>,
    read_again: Option<ReadAgain>,
    /// Held by whoever reads it again.
    reloading: Mutex<()>,
}

/// What became of a configuration that was read again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reloaded {
    /// Keys that have another value, which holds now.
    pub(crate) changed: Vec<String>,
    /// Keys that have another value, which will hold after a restart.
    pub(crate) needs_restart: Vec<String>,
}

impl Current {
    pub(crate) fn new(config: Config, tls: Option<TlsAcceptor>, read_again: Option<ReadAgain>) -> Self {
        let config = RwLock::new(Arc::new(config));
        Self { config, tls: RwLock::new(tls), read_again, reloading: Mutex::default() }
    }

    pub(crate) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What speaks TLS with whoever connects now.
    pub(crate) fn tls(&self) -> Option<TlsAcceptor> {
        self.tls.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads the configuration again and has it hold, or says why it does not.
pub(crate) fn reload(app: &App) -> Result<Reloaded, String> {
    let current = &app.current;
    let read_again = current.read_again.as_ref().ok_or("there is nothing to read it from")?;
    let _one = current.reloading.lock().unwrap_or_else(PoisonError::into_inner);
    let apply = || -> Result<Reloaded, String> {
        let wanted = read_again()?;
        let before = current.config();
        // The certificate may be another one in the same file: it is read in any case.
        let acceptor = match (&before.tls, &wanted.tls) {
            (Some(_), Some((chain, key))) => {
                Some(tls::acceptor(chain, key).map_err(|it| format!("{} {it}", it.code()))?)
            }
            (None, _) | (_, None) => None,
        };
        let (config, reloaded) = merged(&before, &wanted);
        if let Some(acceptor) = acceptor {
            *current.tls.write().unwrap_or_else(PoisonError::into_inner) = Some(acceptor);
        }
        for source in &app.sources {
            if let Some(it) = config.sources.iter().find(|it| it.name == source.name()) {
                source.set_indices(it.indices.clone());
            }
        }
        app.intake.bound(config.letters);
        notify::tell_faults(&config, &app.log);
        *current.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        Ok(reloaded)
    };
    let done = apply();
    match &done {
        Ok(Reloaded { changed, needs_restart }) => {
            let details =
                [("changed", Value::from(changed.clone())), ("needs_restart", needs_restart.clone().into())];
            if needs_restart.is_empty() {
                app.log.info("SRV038", "the configuration was read again", &details);
            } else {
                app.log.warn("SRV038", "the configuration was read again, and not all of it holds", &details);
            }
        }
        Err(error) => {
            let message = "the configuration stays as it is: what was read again cannot be used";
            app.log.error("SRV039", message, &[("reason", Value::from(error.as_str()))]);
        }
    }
    done
}

/// What holds from now on, of what held before and what is wanted.
fn merged(before: &Config, wanted: &Config) -> (Config, Reloaded) {
    let (mut config, mut reloaded) = (before.clone(), Reloaded::default());
    let Reloaded { changed, needs_restart } = &mut reloaded;
    macro_rules! take {
        ($($field:ident: $key:literal),*) => {$(
            if config.$field != wanted.$field {
                config.$field.clone_from(&wanted.$field);
                changed.push($key.to_owned());
            }
        )*};
    }
    take!(
        body_bytes: "body_max",
        text_bytes: "text_max",
        request_ms: "request_timeout",
        rate: "rate_max",
        logs_requests: "log_requests",
        behind_ms: "behind_max",
        letters: "dead_letters_max, dead_letters_age",
        receivers: "receivers",
        notifications: "notifications"
    );
    if before.tls.is_some() == wanted.tls.is_some() {
        take!(tls: "tls_certificate, tls_key");
    } else {
        needs_restart.push("tls_certificate, tls_key".to_owned());
    }
    for (name, differs) in [
        ("listen", before.listen != wanted.listen),
        ("queue_max", before.queue_bytes != wanted.queue_bytes),
        ("requests_max", before.requests != wanted.requests),
        ("threads", before.threads != wanted.threads),
        ("public_url", before.public_url != wanted.public_url),
        ("rules", before.rules != wanted.rules),
    ] {
        if differs {
            needs_restart.push(name.to_owned());
        }
    }
    for source in &mut config.sources {
        let Some(its) = wanted.sources.iter().find(|it| it.name == source.name) else {
            needs_restart.push(format!("sources.{}", source.name));
            continue;
        };
        if its.kind != source.kind {
            needs_restart.push(format!("sources.{}", source.name));
        }
        if its.indices != source.indices {
            source.indices.clone_from(&its.indices);
            changed.push(format!("sources.{}.indices", source.name));
        }
        if its.silent_ms != source.silent_ms {
            source.silent_ms = its.silent_ms;
            changed.push(format!("sources.{}.silent_after", source.name));
        }
    }
    for its in &wanted.sources {
        if !before.sources.iter().any(|it| it.name == its.name) {
            needs_restart.push(format!("sources.{}", its.name));
        }
    }
    (config, reloaded)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config;

    fn of(text: &str) -> Config {
        config::read(Some(("f", text)), Path::new("/"), &|_| None, &[]).unwrap().config
    }

    #[test]
    fn what_cannot_change_stays_and_is_told() {
        let folder = |name: &str, interval: &str| {
            format!(
                "[[sources]]\ntype = \"folder\"\nname = \"{name}\"\npath = \"/x\"\ninterval = \"{interval}\"\n"
            )
        };
        let before =
            of(&format!("[server]\nrate_max = 1\nthreads = 1\n{}{}", folder("a", "1s"), folder("b", "1s")));
        let wanted = of(&format!(
            "[server]\nrate_max = 2\nthreads = 2\nbehind_max = \"1m\"\n[rules]\nbuiltin = false\n{}indices = [\"x\"]\n{}",
            folder("a", "2s"),
            folder("c", "1s")
        ));
        let (config, reloaded) = merged(&before, &wanted);
        assert_eq!(reloaded.changed, ["rate_max", "behind_max", "sources.a.indices"]);
        assert_eq!(reloaded.needs_restart, ["threads", "rules", "sources.a", "sources.b", "sources.c"]);
        assert_eq!((config.rate, config.threads, config.behind_ms), (2, 1, 60_000));
        assert_eq!(config.sources[0].indices, ["x"]);
        assert_eq!(config.sources[0].kind, before.sources[0].kind);
        // Once more: what holds is what is wanted, as far as that can be.
        let (again, reloaded) = merged(&config, &wanted);
        assert_eq!((again, reloaded.changed.len(), reloaded.needs_restart.len()), (config, 0, 5));
        assert_eq!(merged(&before, &before), (before.clone(), Reloaded::default()));
    }
}
