//! What is done to raw texts beyond the rules that nearly every column has.

/// How the raw text of a column is found and prepared; the default takes it as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Preparation {
    /// Raw fields that are asked in order where those before them have no value.
    pub(crate) further_fields: Vec<String>,
    pub(crate) form: Form,
    pub(crate) split: Option<Split>,
    pub(crate) mapping: Option<Mapping>,
    pub(crate) notation: Option<Notation>,
}

/// The Unicode form a text is brought to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Form {
    #[default]
    AsItIs,
    Nfkc,
}

/// Which part of a text counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) by: String,
    pub(crate) take: Take,
}

/// Which of several parts is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Take {
    /// The part with this place, from 0.
    Nth(usize),
    Last,
}

/// Values that stand in place of others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mapping {
    /// What is written, and what is meant by it.
    pub(crate) values: Vec<(String, String)>,
    pub(crate) other: Unmapped,
}

/// What becomes of a value that is not mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unmapped {
    Reject,
    Keep,
    Null,
}

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Notation {
    pub(crate) thousands: Option<char>,
    pub(crate) decimal_point: char,
}
