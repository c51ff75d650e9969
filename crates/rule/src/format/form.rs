//! What a field may hold.

/// The form of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    /// Any string.
    Text,
    /// A string that is not empty.
    Words,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A string, or a list of strings.
    TextOrTexts {
        /// At most so many.
        max: usize,
    },
    /// A list of strings.
    Texts {
        /// At least so many.
        min: usize,
        /// At most so many.
        max: usize,
    },
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Integer {
        /// At least.
        min: i64,
        /// At most.
        max: i64,
    },
    /// A whole number from 1 on and a unit.
    Duration,
    /// A duration that may be zero: one side of a window.
    Window,
    /// `now-6m`.
    DateMath,
    /// A table of known fields.
    Table(&'static [Entry]),
    /// A list of tables of known fields.
    Tables {
        /// The fields.
        entries: &'static [Entry],
        /// At least so many.
        min: usize,
    },
    /// A list of tables that are kept as they stand.
    Objects,
    /// A table that is kept as it stands.
    Object,
    /// Anything, kept as it stands.
    Any,
}

/// Whether a field must be there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// It may be absent.
    Optional,
    /// It must be there.
    Required,
    /// It must be there in rules of these types.
    RequiredFor(&'static [&'static str]),
}

/// One field of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    pub(crate) need: Need,
    /// The rule types that have it; `None` is all.
    pub(crate) types: Option<&'static [&'static str]>,
    /// What the API fills in, as JSON.
    pub(crate) default: Option<&'static str>,
    /// One sentence for editors.
    pub(crate) doc: &'static str,
}

impl Entry {
    /// A field that may be absent, in rules of all types.
    pub(crate) const fn new(name: &'static str, form: Form, doc: &'static str) -> Self {
        Self { name, form, need: Need::Optional, types: None, default: None, doc }
    }

    pub(crate) const fn required(mut self) -> Self {
        self.need = Need::Required;
        self
    }

    pub(crate) const fn required_for(mut self, types: &'static [&'static str]) -> Self {
        self.need = Need::RequiredFor(types);
        self
    }

    pub(crate) const fn of(mut self, types: &'static [&'static str]) -> Self {
        self.types = Some(types);
        self
    }

    pub(crate) const fn default(mut self, json: &'static str) -> Self {
        self.default = Some(json);
        self
    }

    /// Whether a rule of that type has it.
    pub(crate) fn belongs(&self, type_name: &str) -> bool {
        self.types.is_none_or(|types| types.contains(&type_name))
    }

    /// Whether a rule of that type must have it.
    pub(crate) fn is_required(&self, type_name: Option<&str>) -> bool {
        match self.need {
            Need::Optional => false,
            Need::Required => type_name.is_none_or(|name| self.belongs(name)),
            Need::RequiredFor(types) => type_name.is_some_and(|name| types.contains(&name)),
        }
    }

    /// What to write for it, as TOML.
    pub(crate) fn example(&self) -> String {
        let value = match self.form {
            Form::Text | Form::Words | Form::Any => "\"…\"".to_owned(),
            Form::Choice(words) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
            }
            Form::TextOrTexts { .. } | Form::Texts { .. } => "[\"…\"]".to_owned(),
            Form::Flag => "true".to_owned(),
            Form::Integer { min, max } => min.midpoint(max.min(100)).to_string(),
            Form::Duration => "\"5m\"".to_owned(),
            Form::Window => "\"1h\"".to_owned(),
            Form::DateMath => "\"now-7d\"".to_owned(),
            Form::Table(entries) => format!("{{ {} }}", inline(entries)),
            Form::Tables { entries, .. } => format!("[{{ {} }}]", inline(entries)),
            Form::Objects => "[{ … }]".to_owned(),
            Form::Object => "{ … }".to_owned(),
        };
        format!("{} = {value}", self.name)
    }
}

fn inline(entries: &[Entry]) -> String {
    let required: Vec<String> =
        entries.iter().filter(|entry| entry.is_required(None)).map(Entry::example).collect();
    if required.is_empty() { "…".to_owned() } else { required.join(", ") }
}
