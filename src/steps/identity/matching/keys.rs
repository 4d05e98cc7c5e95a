//! The keys by which records are put into blocks.

use crate::plan::{Key, KeyFunction};

use super::records::{RecordNumber, Records};

/// Parts the keys of a record; no folded text holds it.
const SEPARATOR: char = '\u{1f}';
/// How many combinations of keys one record may have in one rule.
const MAX_COMBINATIONS: usize = 64;

/// Returns what a record is filed under by a rule; nothing where a value is missing.
pub(super) fn combinations(records: &Records, keys: &[Key], record: RecordNumber) -> Vec<String> {
    let mut combined = vec![String::new()];
    for key in keys {
        let parts = parts(records, key, record);
        combined = combined
            .iter()
            .flat_map(|before| parts.iter().map(move |part| format!("{before}{part}{SEPARATOR}")))
            .take(MAX_COMBINATIONS)
            .collect();
    }
    combined
}

/// Returns the keys of one record, each once.
fn parts(records: &Records, key: &Key, record: RecordNumber) -> Vec<String> {
    let texts = key.fields.iter().filter_map(|field| records.text(*field, record));
    let mut parts: Vec<String> = texts.flat_map(|text| made(key.function, text)).collect();
    parts.sort_unstable();
    parts.dedup();
    parts
}

fn made(function: KeyFunction, text: &str) -> Vec<String> {
    let characters = || text.chars().count();
    match function {
        KeyFunction::Whole => vec![text.to_owned()],
        KeyFunction::Prefix(length) => vec![text.chars().take(length).collect()],
        KeyFunction::Suffix(length) => {
            vec![text.chars().skip(characters().saturating_sub(length)).collect()]
        }
        KeyFunction::Soundex => soundex(text).into_iter().collect(),
        KeyFunction::QGrams(length) => q_grams(text, length),
        KeyFunction::Deletions => deletions(text),
    }
}

fn q_grams(text: &str, length: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= length {
        return vec![text.to_owned()];
    }
    letters.windows(length).map(|window| window.iter().collect()).collect()
}

fn deletions(text: &str) -> Vec<String> {
    let without = |gap: usize| {
        let letters = text.chars().enumerate().filter(move |(place, _)| *place != gap);
        letters.map(|(_, letter)| letter).collect::<String>()
    };
    let shortened = (0..text.chars().count()).map(without);
    std::iter::once(text.to_owned()).chain(shortened).collect()
}

/// Returns the American Soundex code of a word in Latin letters; other words stand for themselves.
fn soundex(word: &str) -> Option<String> {
    let first = word.chars().next()?;
    if !first.is_ascii_alphabetic() {
        return Some(word.to_owned());
    }
    let mut code = String::from(first.to_ascii_uppercase());
    let mut last = digit(first);
    for letter in word.chars().skip(1) {
        let this = digit(letter);
        if let Some(sound) = this.filter(|_| this != last) {
            code.push(sound);
        }
        // `h` and `w` do not part letters of one sound; vowels do.
        if !matches!(letter, 'h' | 'w') {
            last = this;
        }
        if code.len() == 4 {
            return Some(code);
        }
    }
    Some(format!("{code:0<4}"))
}

const fn digit(letter: char) -> Option<char> {
    match letter {
        'b' | 'f' | 'p' | 'v' => Some('1'),
        'c' | 'g' | 'j' | 'k' | 'q' | 's' | 'x' | 'z' => Some('2'),
        'd' | 't' => Some('3'),
        'l' => Some('4'),
        'm' | 'n' => Some('5'),
        'r' => Some('6'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{key, records};
    use super::{KeyFunction, combinations, made, soundex};

    #[test]
    fn soundex_codes_are_those_of_the_american_archives() {
        let codes = [
            ("robert", "R163"),
            ("rupert", "R163"),
            ("rubin", "R150"),
            ("ashcraft", "A261"),
            ("tymczak", "T522"),
            ("pfister", "P236"),
            ("honeyman", "H555"),
            ("bockwka", "B200"),
            ("lee", "L000"),
        ];
        for (word, code) in codes {
            assert_eq!(soundex(word).as_deref(), Some(code), "{word}");
        }
        assert_eq!(soundex("王").as_deref(), Some("王"));
    }

    #[test]
    fn one_mistake_leaves_a_deletion_in_common() {
        let of = |text| made(KeyFunction::Deletions, text);
        for other in ["12345", "1245", "12354", "12945", "123456"] {
            assert!(of("12345").iter().any(|key| of(other).contains(key)), "{other}");
        }
        assert!(!of("12345").iter().any(|key| of("54321").contains(key)));
    }

    #[test]
    fn parts_of_a_text_are_counted_in_characters() {
        assert_eq!(made(KeyFunction::Prefix(2), "müller"), ["mü"]);
        assert_eq!(made(KeyFunction::Suffix(3), "müll"), ["üll"]);
        assert_eq!(made(KeyFunction::Suffix(9), "müll"), ["müll"]);
        assert_eq!(made(KeyFunction::QGrams(3), "müll"), ["mül", "üll"]);
        assert_eq!(made(KeyFunction::QGrams(3), "mü"), ["mü"]);
    }

    #[test]
    fn a_record_is_filed_under_every_combination_and_nowhere_without_a_value() {
        let records = records(&[0, 0], &[&["ann", "lee", "1980"], &["ann", "lee", ""]]);
        let keys = [key(KeyFunction::Whole, &[0, 1]), key(KeyFunction::Whole, &[2])];
        let filed = combinations(&records, &keys, 0);
        assert_eq!(filed, ["ann\u{1f}1980\u{1f}", "lee\u{1f}1980\u{1f}"]);
        assert!(combinations(&records, &keys, 1).is_empty());
    }
}
