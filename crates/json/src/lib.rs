//! JSON texts, looked at once.
//!
//! Every byte of every input has to be classified to find where a record ends: what is a bracket, what stands inside of a
//! string. A parser begins with the same work. So it is done once: the reader keeps the places of the [`Tokens`] that it
//! passes, and [`tape::fill`] makes the record's tape of them, in the form of the parser that reads
//! whatever this one is not sure of.
//!
//! ```
//! let text = r#"{"eventName":"GetObject"}"#;
//! let tokens = json::Tokens::of(text);
//! let (mut spare, mut tape) = (Vec::new(), Vec::new());
//! json::tape::fill(text, &tokens, &mut spare, &mut tape).expect("this is plain JSON");
//! assert_eq!(tape.len(), 3, "the object, its key and its value");
//! ```

#![expect(clippy::inline_always, reason = "compiled once for each kind of processor, that of the caller")]

mod mask;
mod pass;

mod lexer;
mod tokens;

mod escape;
mod number;
pub mod tape;

pub use escape::{mend_halves, unescape};
pub use lexer::{Lexed, Lexer};
pub use mask::{BLOCK, Masks};
pub use pass::{Machine, Pass, run, run_each};
pub use tape::Unsure;
pub use tokens::Tokens;
