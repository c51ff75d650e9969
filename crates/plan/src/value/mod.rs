//! Conditions that compute with values: functions, several fields, null.
//!
//! A language makes a [`ValueExpr`] of what it cannot ask of a field directly: `length(user.name) > 20`,
//! `endsWith~(mail.to, user.domain)`. Its leaves are constants and [`Operand`]s, fields with what turns their raw values
//! into typed ones ([`Reading`]: the same code that a [`Matcher`](crate::Matcher) asks); everything else is a
//! [`Function`], operators and the three-valued `and`, `or` and `not` among them. Arguments are checked when it is built,
//! and what does not depend on an event is computed then.
//!
//! [`Expr::some`](crate::Expr::some) makes an [`Expr`](crate::Expr) of it: yes if **some choice of values**, one of each
//! operand, makes it true, where a field without a value contributes one null. It is no third kind of truth: the answer is
//! yes or no, and `not` around it is the complement of documents.
//!
//! ```
//! use plan::value::{Case, Datum, Function, Named, Operand, Operands, ValueExpr};
//! use plan::{Expr, naive};
//!
//! let types = serde_json::json!({"to": "keyword", "domain": "keyword"});
//! let catalog = ecs::Catalog::from_types(types.as_object().unwrap()).unwrap();
//! let mut operands = Operands::default();
//! let mut field = |name| match Operand::named(name, &catalog) {
//!     Named::Operand(operand) => operands.value(operand),
//!     Named::Constant(datum) => ValueExpr::Const(datum),
//!     Named::Nothing => ValueExpr::Const(Datum::Null),
//! };
//! let (to, domain) = (field("to"), field("domain"));
//! let own = ValueExpr::call(Function::EndsWith(Case::Ignored), vec![to, domain]).unwrap();
//! let expr = Expr::some(operands.as_slice(), own);
//! assert_eq!(expr.to_string(), "endsWith~(to, domain)");
//! let matches = |document: serde_json::Value| naive::matches(&expr, document.as_object().unwrap());
//! assert!(matches(serde_json::json!({"to": ["a@x.org", "b@Y.org"], "domain": "y.org"})));
//! assert!(!matches(serde_json::json!({"to": "a@x.org"})));
//! ```
//!
//! What one field decides becomes a predicate with a [`Test::Computed`](crate::Test), decided once for each distinct value
//! of a block, and `or not exists` where it is true of null. What needs several fields stays a [`Relation`], which is asked
//! last, of the rows that everything else leaves.
//!
//! **Languages with three truth values.** ES|QL keeps null through `and`, `or` and `not` and decides at the end: the whole
//! condition is one [`ValueExpr`], and `where` keeps what it is true of. [`Expr::some`](crate::Expr::some) takes it apart as
//! far as that changes nothing: `a or b` is true if either is; `a and b` is, of fields that have nothing in common, if both
//! are; and a negation moves inwards. So
//!
//! ```text
//! Call(And, [Call(Equals, [action, "x"]), Call(Not, [Call(Like, [user])]), Call(Equals, [source, target])])
//!   action: "x"                         a predicate
//!   user: not (user like …)             a predicate, whose `not` stays within: null is not true, with or without it
//!   source == target                    a relation
//! ```
//!
//! A field with several values counts as null there: it will need an operand that says so, since a predicate sees one value
//! at a time. Then a choice is the only one, and `and` comes apart whatever its fields have in common.
//!
//! **Left out on purpose.** No syntax: which function a name means, which arguments may be left out and what is said of a
//! wrong one is the language's.

mod datum;
mod evaluate;
mod function;
mod java;
mod measure;
mod reading;
mod relation;
mod show;
mod text;

pub use datum::{Datum, Double, Type};
pub use function::{CallError, Case, Function};
pub use java::{JavaRegexp, JavaRegexpError};
pub use measure::Measure;
pub use reading::{Named, Operand, Reading};
pub use relation::{Answer, CHOICES_MAX, Computed, Relation, Values};
pub use text::Like;

/// An expression over the values of fields. [`ValueExpr::call`] checks the arguments of a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueExpr {
    /// The same for every event.
    Const(Datum<'static>),
    /// A value of the operand of that number, and the type of its values.
    Field(usize, Type),
    /// A function of other values.
    Call(Function, Vec<ValueExpr>),
}

/// The fields of one condition, each once, with their numbers.
#[derive(Clone, Debug, Default)]
pub struct Operands(Vec<Operand>);

impl Operands {
    /// The value of an operand: the same field is the same operand, so that a choice gives it one value.
    pub fn value(&mut self, operand: Operand) -> ValueExpr {
        let known = self.0.iter().position(|it| *it == operand);
        let number = known.unwrap_or(self.0.len());
        let value = operand.value(number);
        if known.is_none() {
            self.0.push(operand);
        }
        value
    }

    /// All of them, by their numbers.
    pub fn as_slice(&self) -> &[Operand] {
        &self.0
    }
}

impl ValueExpr {
    /// A function of these arguments. Constant texts become addresses, dates or versions where they are compared with such,
    /// and what depends on no field is computed.
    pub fn call(function: Function, arguments: Vec<Self>) -> Result<Self, CallError> {
        let mut arguments = arguments;
        function.check(&mut arguments)?;
        if let (Function::ToNumber, [Self::Const(Datum::Text(text)), ..]) = (&function, arguments.as_slice())
        {
            // Of an event it is null, but here somebody can be told.
            let value = text.clone().into_owned();
            let call = Self::Call(function, arguments);
            return match (call.is_constant(), call.evaluate(&[])) {
                (true, Datum::Null) => Err(CallError::NotANumber { value }),
                (true, datum) => Ok(Self::Const(datum.into_owned())),
                (false, _) => Ok(call),
            };
        }
        Ok(Self::folded(function, arguments))
    }

    /// The call, or what it is known to be whatever the event.
    fn folded(function: Function, mut arguments: Vec<Self>) -> Self {
        match function {
            Function::And | Function::Or => {
                let all = function == Function::And;
                let decides = Self::Const(Datum::Bool(!all));
                if arguments.contains(&decides) {
                    return decides;
                }
                let neutral = Self::Const(Datum::Bool(all));
                arguments.retain(|it| *it != neutral);
                match arguments.len() {
                    0 => return neutral,
                    1 => return arguments.swap_remove(0),
                    _ => {}
                }
                let flat = arguments.into_iter().flat_map(|it| match it {
                    Self::Call(inner, arguments) if inner == function => arguments,
                    it => vec![it],
                });
                arguments = flat.collect();
            }
            _ if function.is_strict() && arguments.contains(&Self::Const(Datum::Null)) => {
                return Self::Const(Datum::Null);
            }
            _ => {}
        }
        let call = Self::Call(function, arguments);
        if call.is_constant() { Self::Const(call.evaluate(&[]).into_owned()) } else { call }
    }

    /// The type of its values.
    pub fn ty(&self) -> Type {
        match self {
            Self::Const(datum) => datum.ty(),
            Self::Field(_, ty) => *ty,
            Self::Call(function, arguments) => function.ty(arguments),
        }
    }

    /// Whether it is the same for every event.
    pub fn is_constant(&self) -> bool {
        match self {
            Self::Const(_) => true,
            Self::Field(..) => false,
            Self::Call(_, arguments) => arguments.iter().all(Self::is_constant),
        }
    }

    /// The numbers of its operands, ascending, each once.
    pub fn fields(&self) -> Vec<usize> {
        let mut fields = Vec::new();
        self.add_fields(&mut fields);
        fields.sort_unstable();
        fields.dedup();
        fields
    }

    fn add_fields(&self, fields: &mut Vec<usize>) {
        match self {
            Self::Const(_) => {}
            Self::Field(number, _) => fields.push(*number),
            Self::Call(_, arguments) => arguments.iter().for_each(|it| it.add_fields(fields)),
        }
    }

    /// The same with other numbers; an operand without one is null.
    fn renumbered(&self, number: &impl Fn(usize) -> Option<usize>) -> Self {
        match self {
            Self::Const(_) => self.clone(),
            Self::Field(it, ty) => number(*it).map_or(Self::Const(Datum::Null), |it| Self::Field(it, *ty)),
            Self::Call(function, arguments) => {
                Self::Call(function.clone(), arguments.iter().map(|it| it.renumbered(number)).collect())
            }
        }
    }

    /// The same where every operand has a value.
    fn of_present(&self) -> Self {
        match self {
            Self::Const(_) | Self::Field(..) => self.clone(),
            Self::Call(function, arguments) => match (function, arguments.as_slice()) {
                (Function::IsNull, [Self::Field(..)]) => Self::Const(Datum::Bool(false)),
                (Function::IsNotNull, [Self::Field(..)]) => Self::Const(Datum::Bool(true)),
                _ => Self::folded(function.clone(), arguments.iter().map(Self::of_present).collect()),
            },
        }
    }
}
