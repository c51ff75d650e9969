//! Numbers of what a program holds: each is an index into one of its vectors.

macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) u32);

        impl $name {
            pub(crate) fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("a program has fewer parts than its text has bytes"))
            }

            pub(crate) const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

id! {
    /// A path with a shape.
    ColumnId
    /// A question about one value; equal questions of many filters are one.
    PredicateId
    /// A question about several fields; equal ones of many filters are one.
    RelationId
    /// Predicates on one column, any of which may hold; equal sets of many filters are one.
    LeafId
    /// A text, among the texts that the predicates of one column ask for.
    TermId
    /// A filter, in the order the caller gave them.
    FilterId
}
