//! Messages of the SQL engine in the words of an author.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// Turns an engine's message into one of ours: no prefix, a small first letter, backticks, no period.
pub(super) fn worded(message: &str) -> String {
    const PREFIXES: &[&str] = &[
        "Internal error: ",
        "Schema error: ",
        "Error during planning: ",
        "sql parser error: ",
        "ParserError: ",
    ];
    let message = message.trim();
    let wrapped = message.strip_prefix("SQL error: ParserError(\"");
    let mut rest = wrapped.map_or(message, |inner| inner.trim_end_matches("\")"));
    for prefix in PREFIXES {
        rest = rest.strip_prefix(prefix).unwrap_or(rest);
    }
    let rest = backticked(rest.trim_end_matches('.'));
    let rest = in_short(&written_types(&rest));
    let mut characters = rest.chars();
    let is_acronym = rest.chars().nth(1).is_some_and(char::is_uppercase);
    match characters.next() {
        Some(first) if !is_acronym => first.to_lowercase().chain(characters).collect(),
        _ => rest,
    }
}

/// Writes quotes as backticks, and leaves apostrophes.
fn backticked(message: &str) -> String {
    let bytes = message.as_bytes();
    let is_letter =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
    let quote = |(at, character): (usize, char)| {
        let inside = is_letter(at.checked_sub(1)) && is_letter(Some(at + 1));
        if character == '\'' && !inside { '`' } else { character }
    };
    message.char_indices().map(quote).collect()
}

/// Says shortly what the engine says at length: which operator or function does not take which types.
fn in_short(message: &str) -> String {
    let parts = |pattern: &str| Regex::new(pattern).ok()?.captures(message);
    let compared =
        r"argument type for comparison operation (.+) (=|!=|<>|<=|>=|<|>|IS .*FROM) (.+)$";
    if let Some(found) = parts(compared) {
        return format!("`{}` does not compare {} with {}", &found[2], &found[1], &found[3]);
    }
    if let Some(found) = parts(r"arithmetic expression (.+) ([-+*/%]) (.+) to valid types") {
        return format!("`{}` does not take {} and {}", &found[2], &found[1], &found[3]);
    }
    match parts(r"(?i)function `(\w+)` failed to match any signature.*?received (\w+)") {
        Some(found) => format!("`{}` does not take {}", &found[1], found[2].to_lowercase()),
        None => message.to_owned(),
    }
}

/// Writes the types in a message as an author does.
fn written_types(message: &str) -> String {
    /// Each internal spelling, and what authors write.
    static TYPES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        let spellings = [
            (r"\bTimestamp\((?:[^()]|\([^()]*\))*\)", "timestamp"),
            (r"\bDecimal(?:32|64|128|256)\((\d+), ?(-?\d+)\)", "decimal($1,$2)"),
            (r"\b(?:Interval|Duration)\([^()]*\)", "interval"),
            (r"\b(?:Large)?Utf8(?:View)?\b", "string"),
            (r"\bU?Int(?:8|16|32|64)\b", "integer"),
            (r"\bFloat(?:16|32|64)\b", "double"),
            (r"\bDate(?:32|64)\b", "date"),
            (r"\bBoolean\b", "boolean"),
        ];
        spellings
            .into_iter()
            .filter_map(|(pattern, word)| Some((Regex::new(pattern).ok()?, word)))
            .collect()
    });
    TYPES.iter().fold(message.to_owned(), |message, (pattern, word)| {
        pattern.replace_all(&message, *word).into_owned()
    })
}

/// Returns where a name stands that a message has in backticks and the text has once, as a whole word.
pub(super) fn mentioned(text: &str, message: &str) -> Option<Range<usize>> {
    let lower = text.to_lowercase();
    // Only where no letter changes its length do the places in both texts agree.
    let same = lower.len() == text.len();
    let quoted = message.split('`').skip(1).step_by(2);
    quoted.filter(|_| same).find_map(|name| {
        let name = name.rsplit('.').next().unwrap_or(name).to_lowercase();
        let is_word =
            |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let (bytes, length) = (lower.as_bytes(), name.len());
        let is_whole = |at: &usize| {
            !is_word(at.checked_sub(1).and_then(|before| bytes.get(before)))
                && !is_word(bytes.get(at + length))
        };
        let places = lower.match_indices(name.as_str()).map(|(at, _)| at);
        let mut places = places.filter(is_whole).filter(|_| length > 0);
        // Of several places it cannot be told which is meant.
        match (places.next(), places.next()) {
            (Some(at), None) => Some(at..at + length),
            _ => None,
        }
    })
}

/// Returns where a name stands last as a whole word.
pub(super) fn last_mention(text: &str, name: &str) -> Option<Range<usize>> {
    let pattern = Regex::new(&format!(r"(?i)\b{}\b", regex::escape(name))).ok()?;
    pattern.find_iter(text).last().map(|found| found.range())
}

#[cfg(test)]
mod tests {
    use super::{last_mention, mentioned, worded};

    #[test]
    fn what_does_not_fit_is_said_shortly() {
        let told = |message: &str| worded(message);
        assert_eq!(
            told(
                "Cannot infer common argument type for comparison operation Decimal128(9, 2) > Timestamp(µs, \"UTC\")"
            ),
            "`>` does not compare decimal(9,2) with timestamp"
        );
        assert_eq!(
            told("Cannot coerce arithmetic expression Utf8 * Date32 to valid types"),
            "`*` does not take string and date"
        );
        assert_eq!(
            told(
                "Internal error: Function 'sum' failed to match any signature, errors: Error during planning: Function 'sum' requires Decimal, but received String (DataType: Utf8).,Error"
            ),
            "`sum` does not take string"
        );
        assert_eq!(told("'a' isn't 'b'."), "`a` isn't `b`");
    }

    #[test]
    fn the_last_of_several_mentions_is_found() {
        assert_eq!(last_mention("SELECT id, idd FROM t ORDER BY Idd", "idd"), Some(31..34));
    }

    #[test]
    fn types_are_written_as_authors_do() {
        assert_eq!(
            worded(
                "Error during planning: Cannot compare Utf8View with Timestamp(Microsecond, Some(\"UTC\"))."
            ),
            "cannot compare string with timestamp"
        );
        assert_eq!(
            worded("No function matches sum(Decimal128(18, 4), Int64, Timestamp(µs, \"UTC\"))"),
            "no function matches sum(decimal(18,4), integer, timestamp)"
        );
    }

    #[test]
    fn a_name_that_is_mentioned_is_found_as_a_whole_word() {
        let text = "SELECT assumed, SUM(name) FROM t WHERE x AND x";
        assert_eq!(mentioned(text, "failed to coerce arguments of `sum`"), Some(16..19));
        assert_eq!(mentioned(text, "the column `t.name` is no number"), Some(20..24));
        assert_eq!(mentioned(text, "`x` is no condition"), None);
        assert_eq!(mentioned(text, "no name is mentioned, or `another`"), None);
    }
}
