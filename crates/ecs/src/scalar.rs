//! Values of documents as delivered.

/// One value of a field as the document gives it, before any mapping is applied.
///
/// null, empty arrays and objects are no values and never appear as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// A JSON string.
    Str(&'a str),
    /// A JSON number that is an integer of 64 bits, signed.
    Int(i64),
    /// A JSON number that is an integer above the signed range.
    UInt(u64),
    /// A JSON number with a fraction or exponent, if its shortest text is how it was written.
    Float(f64),
    /// Any other JSON number, as written: `1.10`, `1e400`, integers beyond 64 bits.
    NumberText(&'a str),
    /// A JSON boolean.
    Bool(bool),
}

/// How the values of a path are laid out in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// The scalars found at the path, arrays flattened. Also one key of a `flattened` field.
    Leaf,
    /// All leaves under a `flattened` field, each a string `key` + NUL + `value`, keys dotted.
    FlattenedRoot,
    /// The JSON text of each element of a `nested` field (an object not in an array is one element).
    Nested,
}
