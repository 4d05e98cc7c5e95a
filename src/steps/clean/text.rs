//! The rules that every column's text goes through before it is given a type.

use std::borrow::Cow;

use regex::Regex;

use crate::plan;

/// The text rules of one column.
#[derive(Debug, Clone)]
pub(crate) struct TextRules {
    trim: bool,
    null_if: Vec<String>,
    replace: Option<(Regex, String)>,
    case: Option<plan::Case>,
    default: Option<String>,
}

impl TextRules {
    pub(crate) fn new(column: &plan::Column) -> Result<Self, regex::Error> {
        let replace = match &column.replace {
            None => None,
            Some(replace) => Some((Regex::new(&replace.pattern)?, replace.with.clone())),
        };
        Ok(Self {
            trim: column.trim,
            null_if: column.null_if.clone(),
            replace,
            case: column.case,
            default: column.default.clone(),
        })
    }

    /// Returns the same rules for texts of which no value is to stay none.
    pub(crate) fn without_default(&self) -> Self {
        Self { default: None, ..self.clone() }
    }

    /// Returns rules that leave every text as it is.
    pub(crate) fn idle() -> Self {
        Self { trim: false, null_if: Vec::new(), replace: None, case: None, default: None }
    }

    /// Applies trim, null tokens, replace, case and default, in this order.
    ///
    /// A text that is empty, at first or after `replace`, is no value. `scratch` holds the outcome when it
    /// differs from the raw text.
    #[inline]
    pub(crate) fn apply<'a>(
        &'a self,
        raw: Option<&'a str>,
        scratch: &'a mut String,
    ) -> Option<&'a str> {
        let Some(text) = raw.and_then(|text| self.value(text)) else {
            return self.default.as_deref();
        };
        if self.replace.is_none() && self.case.is_none() {
            return Some(text);
        }
        self.rewrite(text, scratch)
    }

    /// Applies trim and null tokens.
    #[inline]
    pub(crate) fn value<'a>(&self, text: &'a str) -> Option<&'a str> {
        let text = if self.trim { trim(text) } else { text };
        let means_nothing = text.is_empty() || self.null_if.iter().any(|token| token == text);
        (!means_nothing).then_some(text)
    }

    /// Applies replace and case, then default where nothing is left.
    pub(crate) fn rewrite<'a>(&'a self, text: &'a str, scratch: &'a mut String) -> Option<&'a str> {
        let text = match &self.replace {
            None => Cow::Borrowed(text),
            Some((pattern, with)) => pattern.replace_all(text, with),
        };
        if text.is_empty() {
            return self.default.as_deref();
        }
        match (text, self.case) {
            (Cow::Borrowed(text), None) => return Some(text),
            (Cow::Owned(text), None) => *scratch = text,
            (Cow::Borrowed(text), Some(case)) if has_case(text, case) => return Some(text),
            (text, Some(case)) => change_case(&text, case, scratch),
        }
        Some(scratch)
    }
}

/// Removes Unicode white space from both ends.
#[inline]
fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(b'!'..=b'~'), Some(b'!'..=b'~')) => text,
        _ => text.trim(),
    }
}

/// Says whether a text is surely in its case already.
fn has_case(text: &str, case: plan::Case) -> bool {
    match case {
        plan::Case::Lower => is_plain_lower(text),
        plan::Case::Upper => text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_lowercase()),
    }
}

/// Says whether a text is ASCII without upper-case letters.
pub(crate) fn is_plain_lower(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}

fn change_case(text: &str, case: plan::Case, into: &mut String) {
    into.clear();
    match case {
        plan::Case::Lower if text.is_ascii() => {
            into.push_str(text);
            into.make_ascii_lowercase();
        }
        plan::Case::Upper if text.is_ascii() => {
            into.push_str(text);
            into.make_ascii_uppercase();
        }
        plan::Case::Lower => into.push_str(&text.to_lowercase()),
        plan::Case::Upper => into.push_str(&text.to_uppercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::{TextRules, trim};
    use crate::plan;

    fn rules() -> TextRules {
        TextRules {
            trim: true,
            null_if: vec!["N/A".to_owned(), "-".to_owned()],
            replace: None,
            case: None,
            default: None,
        }
    }

    fn applied(rules: &TextRules, text: &str) -> Option<String> {
        let mut scratch = String::new();
        rules.apply(Some(text), &mut scratch).map(str::to_owned)
    }

    #[test]
    fn white_space_of_every_kind_is_trimmed() {
        for (text, trimmed) in [
            ("a", "a"),
            (" a b\t", "a b"),
            ("\u{a0}a\u{3000}", "a"),
            ("é ", "é"),
            (" \r\n", ""),
            ("", ""),
        ] {
            assert_eq!(trim(text), trimmed, "{text:?}");
        }
    }

    #[test]
    fn tokens_are_compared_after_trimming_and_exactly() {
        assert_eq!(applied(&rules(), " N/A "), None);
        assert_eq!(applied(&rules(), "-"), None);
        assert_eq!(applied(&rules(), "n/a"), Some("n/a".to_owned()));
        assert_eq!(applied(&rules(), "   "), None);
    }

    #[test]
    fn without_trim_blanks_are_a_value() {
        let rules = TextRules { trim: false, ..rules() };
        assert_eq!(applied(&rules, " N/A"), Some(" N/A".to_owned()));
        assert_eq!(applied(&rules, " "), Some(" ".to_owned()));
        assert_eq!(applied(&rules, ""), None);
    }

    #[test]
    fn replace_comes_before_case_and_may_leave_nothing() {
        let rules = TextRules {
            replace: Some((regex::Regex::new(r"(\d+)\.0$|^X$").unwrap(), "$1".to_owned())),
            case: Some(plan::Case::Lower),
            ..rules()
        };
        assert_eq!(applied(&rules, "A17850.0"), Some("a17850".to_owned()));
        assert_eq!(applied(&rules, "17850.5"), Some("17850.5".to_owned()));
        assert_eq!(applied(&rules, "X"), None);
        assert_eq!(applied(&rules, "x"), Some("x".to_owned()));
    }

    #[test]
    fn case_goes_beyond_ascii() {
        let lower = TextRules { case: Some(plan::Case::Lower), ..rules() };
        let upper = TextRules { case: Some(plan::Case::Upper), ..rules() };
        assert_eq!(applied(&lower, "ÀB"), Some("àb".to_owned()));
        assert_eq!(applied(&upper, "aß1"), Some("ASS1".to_owned()));
        assert_eq!(applied(&upper, "ab"), Some("AB".to_owned()));
    }

    #[test]
    fn the_default_stands_in_for_no_value_and_is_not_rewritten() {
        let rules = TextRules {
            default: Some("None".to_owned()),
            case: Some(plan::Case::Lower),
            ..rules()
        };
        assert_eq!(applied(&rules, "-"), Some("None".to_owned()));
        let mut scratch = String::new();
        assert_eq!(rules.apply(None, &mut scratch), Some("None"));
    }
}
