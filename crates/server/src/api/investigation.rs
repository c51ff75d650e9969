//! Alerts investigated, and what to do about them, over the events of the store.

use std::sync::{Arc, PoisonError, TryLockError};

use hunt::{Files, FilesReport, Progress};
use investigate::{Investigation, Options, Subject};
use report::investigation::{BareSteps, InvestigationFormat};
use report::runbook::PlanFormat;
use rule::GuideLanguage;
use serde_json::Value;
use store::Store;

use super::alerts::{book, problem};
use crate::http::{Answer, Asked, Kind, Problem};

pub(super) fn investigation(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["format"])?;
    let (format, content_type) = match asked.query.get("format").unwrap_or("json") {
        "json" => (InvestigationFormat::Json, "application/json"),
        "md" => (InvestigationFormat::Markdown, "text/markdown; charset=utf-8"),
        "text" => (InvestigationFormat::Text, "text/plain; charset=utf-8"),
        "html" => (InvestigationFormat::Html, "text/html; charset=utf-8"),
        other => {
            return Err(Problem::new(Kind::Parameter, format!("`format={other}`: json, md, text or html")));
        }
    };
    let it = investigated(asked)?;
    let mut body = Vec::new();
    let terminal = report::Terminal { width: Some(100), colour: false };
    let language = GuideLanguage::English;
    report::investigation::write(&mut body, format, &[it], language, terminal, BareSteps::InALine)
        .map_err(|it| Problem::new(Kind::Failed, it.to_string()))?;
    Ok(Answer::new(200, content_type, body))
}

pub(super) fn response(asked: &Asked<'_>) -> Result<Answer, Problem> {
    asked.query.only(&["format"])?;
    let (format, content_type) = match asked.query.get("format").unwrap_or("json") {
        "json" => (PlanFormat::Json, "application/json"),
        "md" => (PlanFormat::Markdown, "text/markdown; charset=utf-8"),
        "sh" => (PlanFormat::Shell, "text/x-shellscript; charset=utf-8"),
        other => return Err(Problem::new(Kind::Parameter, format!("`format={other}`: json, md or sh"))),
    };
    let it = investigated(asked)?;
    let language = GuideLanguage::English;
    let plan = investigate::plan(&it, &asked.app.detection.force().all, language, asked.app.now());
    let mut body = Vec::new();
    report::runbook::write(&mut body, format, &[plan], language)
        .map_err(|it| Problem::new(Kind::Failed, it.to_string()))?;
    Ok(Answer::new(200, content_type, body))
}

fn investigated(asked: &Asked<'_>) -> Result<Investigation, Problem> {
    let app = asked.app;
    let book = book(asked)?;
    let document = book.alert(asked.part("id")).map_err(|it| problem(&it))?;
    // It reads much of the store: one at a time is what this machine has besides its work.
    let _alone = match app.investigating.try_lock() {
        Ok(alone) => alone,
        Err(TryLockError::Poisoned(alone)) => PoisonError::into_inner(alone),
        Err(TryLockError::WouldBlock) => {
            return Err(Problem::later(Kind::Busy, "another alert is being investigated"));
        }
    };
    let id = ecs::alert::id(&document).unwrap_or_default();
    let blocks = book.blocks(id).map_err(|it| problem(&it))?;
    let rule_id = ecs::alert::field(&document, "rule.rule_id").and_then(Value::as_str);
    let rule =
        app.detection.force().rules.iter().find(|it| Some(it.rule_id.as_str()) == rule_id).map(Arc::clone);
    let subject = Subject::kept(document, blocks, rule);
    let stored = Store::open(&app.data).and_then(|it| it.inputs());
    let stored = stored.map_err(|it| Problem::new(Kind::Failed, format!("{} {it}", it.code())))?;
    let now = app.now();
    let progress = Progress::default();
    let mut files = Files {
        paths: Vec::new(),
        stored,
        normalise: app.detection.normalise.clone(),
        limits: reader::Limits::default(),
        threads: app.threads,
        block_rows: 0,
        now,
        progress: &progress,
        read: FilesReport::default(),
    };
    let options = Options {
        now,
        steps: Vec::new(),
        language: GuideLanguage::English,
        raised: Vec::new(),
        issued: None,
    };
    let made = investigate::investigate(&[subject], &mut files, &options);
    let made = made.map_err(|it| Problem::new(Kind::Failed, it.to_string()))?;
    if let Some(trouble) = files.read.troubles.first() {
        app.log.warn("SRV043", &trouble.text, &[]);
    }
    made.into_iter().next().ok_or_else(|| Problem::new(Kind::Failed, "nothing was investigated"))
}
