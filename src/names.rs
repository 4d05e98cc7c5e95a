//! Validated names: one type and one rule each.
//!
//! A value of these types is known to be a lower-case ASCII word (`[a-z][a-z0-9_]*`, at most 63
//! characters), so it is safe as a table name, a column name and a part of an object path.

use std::fmt;
use std::str::FromStr;

const MAX_LENGTH: usize = 63;

/// The column that martlet adds to tables of rows with customers.
pub(crate) const CUSTOMER_ID: &str = "customer_id";

/// Says why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("a name must not be empty")]
    Empty,
    #[error("a name has at most {MAX_LENGTH} characters")]
    TooLong,
    #[error(
        "a name starts with a lower-case letter and holds only lower-case letters, digits and `_`"
    )]
    BadCharacter,
}

/// Returns the text itself when it is a name.
fn checked(text: &str) -> Result<&str, NameError> {
    let is_word = |character: char| matches!(character, 'a'..='z' | '0'..='9' | '_');
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > MAX_LENGTH {
        return Err(NameError::TooLong);
    }
    if !text.starts_with(|first: char| first.is_ascii_lowercase()) || !text.chars().all(is_word) {
        return Err(NameError::BadCharacter);
    }
    Ok(text)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(Box<str>);

        impl $name {
            pub(crate) fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                checked(text).map(|word| Self(word.into()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}

name!(
    /// Names a pipeline; its warehouse folder bears the same name.
    PipelineName
);
name!(
    /// Names a development warehouse beside that of its pipeline.
    DevName
);
name!(
    /// Names a source; its clean table bears the same name.
    SourceName
);
name!(
    /// Names a stage; its table bears the same name.
    StageName
);
name!(
    /// Names a column of a source or a stage.
    ColumnName
);
name!(
    /// Names a type of identifier, such as `email` or `cookie`.
    IdentifierType
);
name!(
    /// Names a variable of a pipeline; SQL refers to it as `$name`.
    VariableName
);

/// Names one execution; sorts by the time the run began.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RunId(Box<str>);

impl RunId {
    /// Wraps an id the command line made (`20260131T021500000000Z-4f2a9c01`).
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{NameError, SourceName};

    #[test]
    fn a_lower_case_word_is_a_name() {
        assert_eq!("web_events2".parse::<SourceName>().unwrap().as_str(), "web_events2");
    }

    #[test]
    fn what_is_no_word_is_refused_with_its_reason() {
        let refused = |text: &str| text.parse::<SourceName>().unwrap_err();
        assert_eq!(refused(""), NameError::Empty);
        assert_eq!(refused(&"a".repeat(64)), NameError::TooLong);
        for text in ["Web", "2web", "web-events", "../web", "web events", "_web"] {
            assert_eq!(refused(text), NameError::BadCharacter, "{text}");
        }
    }
}
