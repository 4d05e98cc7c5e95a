//! Brings numbers with thousands separators or a decimal comma to the plain notation.

use crate::plan::Notation;

const NO_GROUPS: &str = "thousands separators that do not part groups of three";
const NOT_DECLARED: &str = "a number in another notation than the declared one";

/// Where in a number's whole part a reader is.
#[derive(Debug, Clone, Copy, Default)]
struct Groups {
    /// Digits since the last separator.
    digits: usize,
    separators: usize,
}

impl Groups {
    fn separate(self) -> Result<Self, &'static str> {
        let fits = match self.separators {
            0 => (1..=3).contains(&self.digits),
            _ => self.digits == 3,
        };
        if fits { Ok(Self { digits: 0, separators: self.separators + 1 }) } else { Err(NO_GROUPS) }
    }

    fn end(self) -> Result<(), &'static str> {
        if self.separators == 0 || self.digits == 3 { Ok(()) } else { Err(NO_GROUPS) }
    }
}

/// Writes a number in plain notation into `plain`.
///
/// Separators are refused unless they part groups of three, as `1,5` with the thousands separator `,` is more likely
/// one and a half than fifteen. Whether the outcome is a number is for its parser to say.
pub(crate) fn write_plain(
    notation: Notation,
    text: &str,
    plain: &mut String,
) -> Result<(), &'static str> {
    plain.clear();
    let mut whole = Some(Groups::default());
    for (place, character) in text.char_indices() {
        match whole {
            Some(groups) if Some(character) == notation.thousands => {
                whole = Some(groups.separate()?);
                continue;
            }
            Some(groups) if character.is_ascii_digit() => {
                whole = Some(Groups { digits: groups.digits + 1, ..groups });
            }
            Some(_) if place == 0 && matches!(character, '+' | '-') => {}
            Some(groups) => {
                groups.end()?;
                whole = None;
            }
            None => {}
        }
        match character {
            point if point == notation.decimal_point => plain.push('.'),
            '.' => return Err(NOT_DECLARED),
            other => plain.push(other),
        }
    }
    whole.map_or(Ok(()), Groups::end)
}

#[cfg(test)]
mod tests {
    use super::{NO_GROUPS, NOT_DECLARED, write_plain};
    use crate::plan::Notation;

    fn plain(notation: Notation, text: &str) -> Result<String, &'static str> {
        let mut plain = String::new();
        write_plain(notation, text, &mut plain).map(|()| plain)
    }

    #[test]
    fn numbers_become_plain() {
        let english = Notation { thousands: Some(','), decimal_point: '.' };
        let german = Notation { thousands: Some('.'), decimal_point: ',' };
        let french = Notation { thousands: Some('\u{202f}'), decimal_point: ',' };
        let comma = Notation { thousands: None, decimal_point: ',' };
        for (notation, text, expected) in [
            (english, "1,234,567.891", "1234567.891"),
            (english, "-12,345", "-12345"),
            (english, "+999", "+999"),
            (english, "1234.5", "1234.5"),
            (english, "1,234e3", "1234e3"),
            (english, ".5", ".5"),
            (german, "1.234,5", "1234.5"),
            (german, "1.234.567", "1234567"),
            (french, "12\u{202f}345,6", "12345.6"),
            (comma, "-0,5", "-0.5"),
            (comma, "1,5e-3", "1.5e-3"),
        ] {
            assert_eq!(plain(notation, text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_could_mean_two_numbers_is_refused() {
        let english = Notation { thousands: Some(','), decimal_point: '.' };
        let german = Notation { thousands: Some('.'), decimal_point: ',' };
        let comma = Notation { thousands: None, decimal_point: ',' };
        for (notation, text, reason) in [
            (english, "1,5", NO_GROUPS),
            (english, "1,2345", NO_GROUPS),
            (english, "1234,567", NO_GROUPS),
            (english, ",123", NO_GROUPS),
            (english, "1,,234", NO_GROUPS),
            (english, "1,23.4", NO_GROUPS),
            (english, "1,234,", NO_GROUPS),
            (german, "1.5", NO_GROUPS),
            (german, "1,234.567", NOT_DECLARED),
            (comma, "1.5", NOT_DECLARED),
        ] {
            assert_eq!(plain(notation, text), Err(reason), "{text}");
        }
    }
}
