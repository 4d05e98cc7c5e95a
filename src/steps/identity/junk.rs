//! Values that identify nobody, whatever their type.

use memchr::memrchr;

/// What programs write where they know nobody.
const JUNK: [&str; 15] = [
    "-1",
    "null",
    "(null)",
    "none",
    "nil",
    "nan",
    "na",
    "n/a",
    "#n/a",
    "anonymous",
    "undefined",
    "unknown",
    "void",
    "test",
    "xxx",
];
/// How many bytes the longest of them has; all identifiers are looked at.
const LONGEST_JUNK: usize = 9;
/// Mailboxes of nobody, whatever their domain.
const MAILBOXES: [&str; 6] = ["test", "null", "none", "noemail", "no-email", "noreply"];
/// Domains that are set aside for examples and tests. Not `.example`: the invented people of the sample have
/// their addresses there, and they are people to the pipeline.
const TEST_DOMAINS: [&str; 3] = ["example.com", "example.net", "example.org"];
const TEST_ENDINGS: [&str; 3] = [".invalid", ".localhost", ".test"];

/// Says whether a value is known to identify nobody, whatever its type.
pub(super) fn is_junk(value: &str) -> bool {
    let value = value.trim();
    // Without a letter and a digit but 0 it is a sign that somebody typed, or white space that nobody sees.
    let is_blank = !value.chars().any(|char| char.is_alphanumeric() && char != '0');
    let is_word =
        || value.len() <= LONGEST_JUNK && JUNK.iter().any(|junk| value.eq_ignore_ascii_case(junk));
    let at = || memrchr(b'@', value.as_bytes());
    is_blank || is_word() || at().is_some_and(|at| is_test_address(&value[..at], &value[at + 1..]))
}

fn is_test_address(mailbox: &str, domain: &str) -> bool {
    let ends_with = |ending: &&str| {
        let start = domain.len().checked_sub(ending.len());
        let tail = start.and_then(|start| domain.get(start..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(ending))
    };
    MAILBOXES.iter().any(|nobody| mailbox.eq_ignore_ascii_case(nobody))
        || TEST_DOMAINS.iter().any(|test| domain.eq_ignore_ascii_case(test))
        || TEST_ENDINGS.iter().any(ends_with)
}

#[cfg(test)]
mod tests {
    use super::{JUNK, LONGEST_JUNK, is_junk};

    #[test]
    fn the_longest_word_is_as_long_as_it_says() {
        assert_eq!(JUNK.iter().map(|word| word.len()).max(), Some(LONGEST_JUNK));
    }

    #[test]
    fn what_programs_write_for_nobody_is_junk() {
        let junk = [
            "",
            "  ",
            "0",
            "000-00",
            "-",
            "-1",
            "NULL",
            "None",
            "anonymous",
            "void",
            "N/A",
            "\u{200b}",
            "\u{feff}",
            ".",
            "?",
            "@",
            "#N/A",
            "(null)",
            "na",
            "xxx",
            "test@shop.cn",
            "Test@shop.cn",
            "none@none.com",
            "noreply@shop.cn",
            "ann@example.com",
            "ann@Example.Org",
            "ann@mail.test",
        ];
        for value in junk {
            assert!(is_junk(value), "{value}");
        }
    }

    #[test]
    fn what_might_be_a_person_is_no_junk() {
        let people = [
            "1",
            "10",
            "-2",
            "0a",
            "nullable",
            "testing@shop.cn",
            "ann@x.org",
            "ann@myexample.com",
            "ann@contest",
            "ann@mail.example",
            "é@例え.jp",
            "é",
            "٣",
            "nan@shop.cn",
        ];
        for value in people {
            assert!(!is_junk(value), "{value}");
        }
    }
}
