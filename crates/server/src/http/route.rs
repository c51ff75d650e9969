//! What can be asked. One list: it finds the handler, says who may ask, and is the documentation.

use super::{Answer, Asked, Problem, request};
use crate::keys::Role;

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub(crate) const ALL: [Self; 6] =
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == name)
    }

    /// Whether it is there to change something.
    pub(crate) const fn changes(self) -> bool {
        !matches!(self, Self::Get | Self::Head)
    }
}

/// Who may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody, without a key.
    Open,
    /// Whoever has a key.
    AnyKey,
    /// Who may do what this role may.
    Role(Role),
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// There is none, or it does not matter.
    None,
    /// A small one of JSON.
    Json,
    /// Events.
    Events,
    /// A file, as forms send one.
    File,
}

/// Answers.
pub(crate) type Handler = fn(&Asked<'_>) -> Result<Answer, Problem>;

/// A parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) help: &'static str,
}

/// What the documentation says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doc {
    pub(crate) summary: &'static str,
    pub(crate) params: &'static [Param],
    /// The name of the body's schema.
    pub(crate) request: Option<&'static str>,
    /// The name of the answer's schema; none if it is no JSON.
    pub(crate) answer: Option<&'static str>,
}

/// Something that can be asked.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) methods: &'static [Method],
    /// The path: `{name}` stands for a part of it.
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) body: Body,
    pub(crate) handler: Handler,
    pub(crate) doc: Doc,
    /// Whose clients ask for it.
    pub(crate) dialect: Dialect,
}

/// Whose clients ask, which is how they are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Our own.
    Own,
    /// Those of Elasticsearch.
    Elastic,
    /// Those of Kibana: whoever changes something sends `kbn-xsrf`.
    Kibana,
}

impl Route {
    /// The parts of a path that the route names, if it is the route's.
    fn parts(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        let mut named = Vec::new();
        let mut given = path.trim_matches('/').split('/');
        for part in self.path.trim_matches('/').split('/') {
            let it = given.next()?;
            match part.strip_prefix('{').and_then(|it| it.strip_suffix('}')) {
                Some(name) => {
                    let decoded = request::decode(it, false).filter(|it| !it.is_empty())?;
                    // What begins so is never the name of an index.
                    if name == "index" && decoded.starts_with('_') {
                        return None;
                    }
                    named.push((name, decoded));
                }
                None if part == it => {}
                None => return None,
            }
        }
        given.next().is_none().then_some(named)
    }
}

/// What was found.
pub(crate) enum Found<'r> {
    Route(&'r Route, Vec<(&'static str, String)>),
    /// There is something, for these methods.
    OtherMethods(Vec<Method>),
    Nothing,
}

/// The route of a path and a method.
pub(crate) fn find<'r>(routes: &'r [Route], method: Option<Method>, path: &str) -> Found<'r> {
    let mut methods = Vec::new();
    for route in routes {
        let Some(parts) = route.parts(path) else { continue };
        if method.is_some_and(|it| route.methods.contains(&it)) {
            return Found::Route(route, parts);
        }
        methods.extend_from_slice(route.methods);
    }
    methods.sort_unstable();
    methods.dedup();
    if methods.is_empty() { Found::Nothing } else { Found::OtherMethods(methods) }
}
