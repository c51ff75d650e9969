//! Trees are equal if they say the same, wherever it stands.

use super::{Command, Expr, Item, Name, Pattern, Setting, Text};

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.value) == (&other.name, &other.value)
    }
}

impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        // What it is called otherwise is part of what it says.
        let is_same_name = match (&self.name, &other.name) {
            (None, None) => self.text == other.text,
            (mine, theirs) => mine == theirs,
        };
        is_same_name && self.value == other.value
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}
