//! Conditions over the facts of an investigation: when a step of response is indicated.
//!
//! `machines_reached > 0 and (grade = C or not mfa)`: names of facts, alone or compared with a word or a number; `not`
//! binds before `and`, that before `or`. A fact alone holds if it is true, a number other than zero, a text or a list
//! that is not empty.

use std::fmt;

/// A condition over facts.
#[derive(Clone, Debug, PartialEq)]
pub struct When {
    text: String,
    node: Node,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Or(Vec<Node>),
    And(Vec<Node>),
    Not(Box<Node>),
    /// The fact alone.
    Holds(String),
    Compares(String, Comparison, String),
}

/// How a fact is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

const COMPARISONS: [(&str, Comparison); 6] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!=", Comparison::NotEqual),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

/// Parentheses and `not` may nest so deep.
const DEPTH_MAX: usize = 32;

/// Facts as a condition asks of them.
pub trait Facts {
    /// Whether the fact holds by itself; nothing if it is not known.
    fn holds(&self, fact: &str) -> Option<bool>;
    /// How the fact compares with a word; nothing if it is not known.
    fn compares(&self, fact: &str, comparison: Comparison, word: &str) -> Option<bool>;
}

impl When {
    /// Reads a condition; else says in one line what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0, depth: 0 };
        let node = parser.or()?;
        match parser.tokens.get(parser.at) {
            Some(token) => Err(format!("`{token}` is not expected there")),
            None => Ok(Self { text: text.to_owned(), node }),
        }
    }

    /// Whether it holds. A fact that is not known holds for nothing, and neither does its negation.
    pub fn holds(&self, facts: &impl Facts) -> bool {
        self.node.holds(facts) == Some(true)
    }

    /// The facts that it names, in order.
    pub fn facts(&self) -> Vec<&str> {
        let mut out = Vec::new();
        self.node.facts(&mut out);
        out
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text.trim())
    }
}

impl Node {
    /// As in SQL: what is not known may still not matter.
    fn holds(&self, facts: &impl Facts) -> Option<bool> {
        match self {
            Self::Or(any) => {
                let mut known = Some(false);
                for node in any {
                    match node.holds(facts) {
                        Some(true) => return Some(true),
                        Some(false) => {}
                        None => known = None,
                    }
                }
                known
            }
            Self::And(all) => {
                let mut known = Some(true);
                for node in all {
                    match node.holds(facts) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => known = None,
                    }
                }
                known
            }
            Self::Not(inner) => inner.holds(facts).map(|it| !it),
            Self::Holds(fact) => facts.holds(fact),
            Self::Compares(fact, comparison, word) => facts.compares(fact, *comparison, word),
        }
    }

    fn facts<'n>(&'n self, out: &mut Vec<&'n str>) {
        match self {
            Self::Or(nodes) | Self::And(nodes) => nodes.iter().for_each(|it| it.facts(out)),
            Self::Not(inner) => inner.facts(out),
            Self::Holds(fact) | Self::Compares(fact, ..) => out.push(fact),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |it: char| it.is_alphanumeric() || "_-.".contains(it);
        let sign =
            COMPARISONS.iter().map(|(sign, _)| *sign).chain(["(", ")"]).find(|it| rest.starts_with(it));
        let len = match sign {
            Some(sign) => sign.len(),
            None if is_word(first) => rest.find(|it| !is_word(it)).unwrap_or(rest.len()),
            None => return Err(format!("`{first}` is not expected there")),
        };
        tokens.push(&rest[..len]);
        rest = rest[len..].trim_start();
    }
    Ok(tokens)
}

struct Parser<'t> {
    tokens: &'t [&'t str],
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn take(&mut self, token: &str) -> bool {
        let is_it = self.tokens.get(self.at) == Some(&token);
        self.at += usize::from(is_it);
        is_it
    }

    /// `and { "or" and }`
    fn or(&mut self) -> Result<Node, String> {
        let mut any = vec![self.and()?];
        while self.take("or") {
            any.push(self.and()?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Node::Or(any) })
    }

    /// `not { "and" not }`
    fn and(&mut self) -> Result<Node, String> {
        let mut all = vec![self.not()?];
        while self.take("and") {
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Node::And(all) })
    }

    /// `"not" not | "(" or ")" | fact [ comparison word ]`
    fn not(&mut self) -> Result<Node, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("the condition nests deeper than {DEPTH_MAX} levels"));
        }
        let node = if self.take("not") {
            Node::Not(Box::new(self.not()?))
        } else if self.take("(") {
            let inner = self.or()?;
            if !self.take(")") {
                return Err("`)` is missing".to_owned());
            }
            inner
        } else {
            self.fact()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn word(&mut self) -> Result<&'t str, String> {
        let token = *self.tokens.get(self.at).ok_or("the condition ends too early")?;
        let is_sign = token.starts_with(['(', ')', '<', '>', '=', '!']);
        if is_sign || ["and", "or", "not"].contains(&token) {
            return Err(format!("the name of a fact is expected, not `{token}`"));
        }
        self.at += 1;
        Ok(token)
    }

    fn fact(&mut self) -> Result<Node, String> {
        let fact = self.word()?.to_owned();
        let sign = self.tokens.get(self.at).copied();
        match COMPARISONS.iter().find(|(word, _)| Some(*word) == sign) {
            None => Ok(Node::Holds(fact)),
            Some(&(_, comparison)) => {
                self.at += 1;
                Ok(Node::Compares(fact, comparison, self.word()?.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a` is true, `b` false, `n` is 3; nothing else is known.
    struct Known;

    impl Facts for Known {
        fn holds(&self, fact: &str) -> Option<bool> {
            match fact {
                "a" | "n" => Some(true),
                "b" => Some(false),
                _ => None,
            }
        }

        fn compares(&self, fact: &str, comparison: Comparison, word: &str) -> Option<bool> {
            let number: i64 = word.parse().ok()?;
            (fact == "n").then_some(match comparison {
                Comparison::Equal => 3 == number,
                Comparison::NotEqual => 3 != number,
                Comparison::Less => 3 < number,
                Comparison::AtMost => 3 <= number,
                Comparison::Greater => 3 > number,
                Comparison::AtLeast => 3 >= number,
            })
        }
    }

    #[test]
    fn conditions() {
        for (text, holds) in [
            ("a", true),
            ("not a", false),
            ("b or a and n > 2", true),
            ("(b or a) and n >= 4", false),
            ("n != 3", false),
            ("n = 3 and n <= 3 and n < 4", true),
            // What is not known holds for nothing,
            ("c", false),
            ("not c", false),
            // and may not matter.
            ("c or a", true),
            ("not (c and b)", true),
            ("not (c and a)", false),
        ] {
            assert_eq!(When::parse(text).unwrap().holds(&Known), holds, "{text}");
        }
        assert_eq!(When::parse("a and (b or not n > 2)").unwrap().facts(), ["a", "b", "n"]);
    }

    #[test]
    fn what_is_no_condition() {
        for text in ["", "and", "a b", "a >", "(a", "a)", "a & b", "> 3", "not"] {
            assert!(When::parse(text).is_err(), "{text}");
        }
        let deep = format!("{}a{}", "(".repeat(40), ")".repeat(40));
        assert_eq!(When::parse(&deep), Err("the condition nests deeper than 32 levels".to_owned()));
    }
}
