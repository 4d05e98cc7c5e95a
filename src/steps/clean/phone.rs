//! Brings telephone numbers to E.164.

use std::borrow::Cow;

use hashbrown::HashMap;
use phonenumber::{Mode, country};
use unicode_normalization::UnicodeNormalization;

/// How many numbers are remembered; the library takes long for each.
const REMEMBERED: usize = 1 << 16;

/// Parses numbers of one column; remembers what it has seen.
#[derive(Debug)]
pub(crate) struct PhoneParser {
    region: Option<country::Id>,
    seen: HashMap<String, Option<String>, foldhash::fast::FixedState>,
}

impl PhoneParser {
    /// `region` is the country of numbers without a country code.
    pub(crate) fn new(region: Option<country::Id>) -> Self {
        Self { region, seen: HashMap::default() }
    }

    /// Returns the number in E.164.
    pub(crate) fn e164<'a>(
        &'a mut self,
        text: &'a str,
        scratch: &'a mut String,
    ) -> Result<&'a str, &'static str> {
        match plain_chinese_mobile(text, self.region) {
            Some(national) if national.len() == text.len() => {
                scratch.clear();
                scratch.push_str("+86");
                scratch.push_str(national);
                Ok(scratch)
            }
            Some(_) => Ok(text),
            None => self.look_up(text).ok_or("not a telephone number"),
        }
    }

    fn look_up(&mut self, text: &str) -> Option<&str> {
        if self.seen.len() >= REMEMBERED {
            self.seen.clear();
        }
        let region = self.region;
        let normal = || by_library(text, region);
        self.seen.entry_ref(text).or_insert_with(normal).as_deref()
    }
}

/// Returns the national number of a text that is certainly a Chinese mobile number and written without separators.
///
/// The prefixes are those that the library takes for mobile as a whole; a test compares them all.
fn plain_chinese_mobile(text: &str, region: Option<country::Id>) -> Option<&str> {
    let national = match text.strip_prefix("+86") {
        Some(national) => national,
        None if region == Some(country::Id::CN) => text,
        None => return None,
    };
    let [b'1', second, third, rest @ ..] = national.as_bytes() else {
        return None;
    };
    let mobile = match second {
        b'3' | b'8' => true,
        b'5' | b'9' => *third != b'4',
        b'7' => !matches!(third, b'4' | b'9'),
        _ => false,
    };
    let digits = third.is_ascii_digit() && rest.iter().all(u8::is_ascii_digit);
    (mobile && digits && rest.len() == 8).then_some(national)
}

fn by_library(text: &str, region: Option<country::Id>) -> Option<String> {
    let text: Cow<'_, str> =
        if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.nfkc().collect()) };
    let number = phonenumber::parse(region, text).ok()?;
    phonenumber::is_valid(&number).then(|| number.format().mode(Mode::E164).to_string())
}

#[cfg(test)]
mod tests {
    use phonenumber::country::Id::{CN, GB};

    use super::{PhoneParser, by_library, plain_chinese_mobile};

    fn normal(region: Option<phonenumber::country::Id>, text: &str) -> Option<String> {
        let mut scratch = String::new();
        let mut parser = PhoneParser::new(region);
        let first = parser.e164(text, &mut scratch).ok().map(str::to_owned);
        let again = parser.e164(text, &mut scratch).ok().map(str::to_owned);
        assert_eq!(first, again);
        first
    }

    #[test]
    fn spellings_of_one_number_become_one_text() {
        for text in [
            "13800138000",
            "+8613800138000",
            "138 0013 8000",
            "138-0013-8000",
            "+86 138 0013 8000",
            "0086 13800138000",
            "(+86)13800138000",
            "１３８００１３８０００",
        ] {
            assert_eq!(normal(Some(CN), text).as_deref(), Some("+8613800138000"), "{text}");
        }
        assert_eq!(normal(Some(GB), "020 7946 0958").as_deref(), Some("+442079460958"));
        assert_eq!(normal(None, "+44 20 7946 0958").as_deref(), Some("+442079460958"));
    }

    #[test]
    fn what_cannot_be_dialled_is_refused() {
        for text in ["", "1", "12345", "abc", "1380013800", "138001380000000", "+999123456789"] {
            assert_eq!(normal(Some(CN), text), None, "{text}");
        }
        assert_eq!(normal(None, "13800138000"), None);
    }

    #[test]
    fn the_short_way_says_what_the_library_says() {
        let mut taken = 0;
        for prefix in 100..200 {
            for rest in ["00000000", "12345678", "99999999"] {
                for text in [format!("{prefix}{rest}"), format!("+86{prefix}{rest}")] {
                    if plain_chinese_mobile(&text, Some(CN)).is_some() {
                        taken += 1;
                        assert_eq!(normal(Some(CN), &text), by_library(&text, Some(CN)), "{text}");
                    }
                }
            }
        }
        assert_eq!(taken, 276);
    }
}
