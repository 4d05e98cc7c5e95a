//! The many ways in which people and machines write one identifier.

use super::chance::Chance;

/// Values that identify nobody, as real exports hold them.
pub(super) mod junk {
    pub(in crate::sample) const USER: &str = "anonymous";
    pub(in crate::sample) const EMAIL: &str = "test@test.com";
    pub(in crate::sample) const PHONE: &str = "13800138000";
    pub(in crate::sample) const COOKIE: &str = "undefined";
    pub(in crate::sample) const DEVICE: &str = "00000000-0000-0000-0000-000000000000";
    pub(in crate::sample) const CARD: &str = "LC00000000";
}

/// Writes an address in one of its spellings.
pub(super) fn email(address: &str, chance: &mut Chance) -> String {
    match chance.weighted(&[80, 8, 6, 6]) {
        1 => address.to_uppercase(),
        2 => capitalised(address),
        3 => format!(" {address} "),
        _ => address.to_owned(),
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Writes a mobile number of eleven digits in one of its spellings.
pub(super) fn phone(digits: &str, chance: &mut Chance) -> String {
    let (network, middle, end) = (&digits[..3], &digits[3..7], &digits[7..]);
    match chance.weighted(&[50, 15, 12, 8, 8, 7]) {
        1 => format!("+86{digits}"),
        2 => format!("+86 {network}-{middle}-{end}"),
        3 => format!("0086{digits}"),
        4 => format!("{network} {middle} {end}"),
        5 => format!("{network}-{middle}-{end}"),
        _ => digits.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use phonenumber::Mode;

    use super::{email, phone};
    use crate::sample::chance::{Chance, Topic};

    #[test]
    fn every_spelling_of_a_number_is_the_same_valid_number() {
        let mut chance = Chance::new(1, Topic::Person, 0, 0);
        let mut spellings = BTreeSet::new();
        for _ in 0..200 {
            let written = phone("13912345678", &mut chance);
            let parsed = phonenumber::parse(Some(phonenumber::country::CN), &written).unwrap();
            assert!(parsed.is_valid(), "{written}");
            assert_eq!(parsed.format().mode(Mode::E164).to_string(), "+8613912345678");
            spellings.insert(written);
        }
        assert_eq!(spellings.len(), 6);
    }

    #[test]
    fn every_spelling_of_an_address_is_the_same_trimmed_and_lower_cased() {
        let mut chance = Chance::new(1, Topic::Person, 0, 0);
        let mut spellings = BTreeSet::new();
        for _ in 0..200 {
            let written = email("wanghe.1a@qq.example", &mut chance);
            assert_eq!(written.trim().to_lowercase(), "wanghe.1a@qq.example");
            spellings.insert(written);
        }
        assert_eq!(spellings.len(), 4);
    }
}
