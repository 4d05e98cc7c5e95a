//! Parses booleans.

/// Parses `true`/`false`, `t`/`f`, `yes`/`no`, `y`/`n` and `1`/`0` in any case.
pub(crate) fn parse_boolean(text: &str) -> Result<bool, &'static str> {
    let is_one_of = |words: [&str; 5]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "t", "yes", "y", "1"]) {
        return Ok(true);
    }
    if is_one_of(["false", "f", "no", "n", "0"]) {
        return Ok(false);
    }
    Err("not a boolean")
}

#[cfg(test)]
mod tests {
    use super::parse_boolean;

    #[test]
    fn words_and_digits_are_booleans() {
        for text in ["true", "TRUE", "t", "Yes", "y", "1"] {
            assert_eq!(parse_boolean(text), Ok(true), "{text}");
        }
        for text in ["false", "False", "F", "no", "N", "0"] {
            assert_eq!(parse_boolean(text), Ok(false), "{text}");
        }
        for text in ["2", "on", "truee", "1.0", "oui"] {
            assert!(parse_boolean(text).is_err(), "{text}");
        }
    }
}
