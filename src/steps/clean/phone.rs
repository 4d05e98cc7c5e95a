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
            Some(national) => {
                scratch.clear();
                scratch.push_str("+86");
                scratch.extend(national.map(char::from));
                Ok(scratch)
            }
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

/// Returns the national number of a text that is certainly a Chinese mobile number, with blanks and hyphens between its
/// digits at most.
///
/// The prefixes are those that the library takes for mobile as a whole; a test compares them all.
fn plain_chinese_mobile(text: &str, region: Option<country::Id>) -> Option<[u8; 11]> {
    let (digits, count) = digits(text)?;
    let digits = &digits[..count];
    let national = match text.strip_prefix('+') {
        Some(_) => digits.strip_prefix(b"86")?,
        None if region == Some(country::Id::CN) => digits.strip_prefix(b"0086").unwrap_or(digits),
        None => return None,
    };
    let mobile = match national {
        [b'1', b'3' | b'8', ..] => true,
        [b'1', b'5' | b'9', third, ..] => *third != b'4',
        [b'1', b'7', third, ..] => !matches!(third, b'4' | b'9'),
        _ => false,
    };
    if mobile { national.try_into().ok() } else { None }
}

/// Returns the digits of a text that has nothing else but a plus in front and single blanks or hyphens between them.
fn digits(text: &str) -> Option<([u8; 15], usize)> {
    let (mut digits, mut count, mut follows_digit) = ([0; 15], 0, false);
    for byte in text.strip_prefix('+').unwrap_or(text).bytes() {
        match byte {
            b'0'..=b'9' => {
                *digits.get_mut(count)? = byte;
                count += 1;
            }
            b' ' | b'-' if follows_digit => {}
            _ => return None,
        }
        follows_digit = byte.is_ascii_digit();
    }
    follows_digit.then_some((digits, count))
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
        let spelled = |prefix: u32, rest: &str| {
            let (middle, end) = rest.split_at(4);
            [
                format!("{prefix}{rest}"),
                format!("+86{prefix}{rest}"),
                format!("{prefix}-{middle}-{end}"),
                format!("+86 {prefix} {middle} {end}"),
                format!("0086{prefix}{rest}"),
                format!("00-86 {prefix}{middle}-{end}"),
            ]
        };
        for prefix in 100..200 {
            for rest in ["00000000", "12345678", "99999999"] {
                for text in spelled(prefix, rest) {
                    if plain_chinese_mobile(&text, Some(CN)).is_some() {
                        taken += 1;
                        assert_eq!(normal(Some(CN), &text), by_library(&text, Some(CN)), "{text}");
                    }
                }
            }
        }
        assert_eq!(taken, 828);
        for text in ["+86-", "-13800138000", "138--00138000", "+13800138000", "13800138000 "] {
            assert_eq!(plain_chinese_mobile(text, Some(CN)), None, "{text}");
        }
    }
}
