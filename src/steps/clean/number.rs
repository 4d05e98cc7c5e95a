//! Parses numbers; decimals exactly, without floating point anywhere.

pub(crate) const NO_DECIMAL: &str = "not a decimal number";
const TOO_FINE: &str = "more decimal places than the column keeps";
pub(crate) const TOO_LARGE: &str = "too large for the column";

/// Parses a whole number of 64 bits.
pub(crate) fn parse_integer(text: &str) -> Result<i64, &'static str> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        use std::num::IntErrorKind::{NegOverflow, PosOverflow};
        match error.kind() {
            PosOverflow | NegOverflow => TOO_LARGE,
            _ => "not an integer",
        }
    })
}

/// Parses a floating-point number; infinities and NaN are refused, also those that overflow yields.
pub(crate) fn parse_double(text: &str) -> Result<f64, &'static str> {
    if text.bytes().any(|byte| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E')) {
        return Err("not a number");
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(_) => Err(TOO_LARGE),
        Err(_) => Err("not a number"),
    }
}

/// The form of a decimal column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decimal {
    scale: i32,
    /// The first magnitude that does not fit.
    limit: u128,
}

impl Decimal {
    pub(crate) fn new(precision: u8, scale: i8) -> Self {
        Self { scale: i32::from(scale), limit: 10u128.saturating_pow(u32::from(precision)) }
    }

    /// Parses a number in plain or scientific notation to its unscaled value.
    ///
    /// A value that would have to be rounded is refused; zeros behind the last place kept are no decimal places.
    pub(crate) fn parse(self, text: &str) -> Result<i128, &'static str> {
        let (negative, digits) = split_sign(text.as_bytes());
        let magnitude = match self.parse_short(digits) {
            Some(magnitude) => magnitude,
            None => self.parse_any(digits)?,
        };
        if magnitude >= self.limit {
            return Err(TOO_LARGE);
        }
        let magnitude = magnitude as i128;
        Ok(if negative { -magnitude } else { magnitude })
    }

    /// Parses what is short and needs no rounding, which is nearly everything.
    fn parse_short(self, digits: &[u8]) -> Option<u128> {
        if digits.len() > 18 || !digits.first()?.is_ascii_digit() {
            return None;
        }
        let mut mantissa = 0u64;
        let mut point = digits.len();
        for (place, byte) in digits.iter().enumerate() {
            match byte {
                b'0'..=b'9' => mantissa = mantissa * 10 + u64::from(byte - b'0'),
                b'.' if point == digits.len() => point = place,
                _ => return None,
            }
        }
        let places = digits.len().saturating_sub(point + 1) as i32;
        let power = u32::try_from(self.scale - places).ok()?;
        u128::from(mantissa).checked_mul(10u128.checked_pow(power)?)
    }

    fn parse_any(self, text: &[u8]) -> Result<u128, &'static str> {
        let Scanned { mantissa, power } = scan_any(text)?;
        if mantissa == 0 {
            return Ok(0);
        }
        // The mantissa does not end in zero, so a negative power means places that would be lost.
        let power = u32::try_from(power + self.scale).map_err(|_| TOO_FINE)?;
        let scaled = 10u128.checked_pow(power).and_then(|factor| mantissa.checked_mul(factor));
        scaled.ok_or(TOO_LARGE)
    }
}

/// Splits a sign off; says whether it is a minus.
pub(crate) fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix(b"+").unwrap_or(text)),
    }
}

/// A number without sign: `mantissa` times ten to the `power`.
pub(crate) struct Scanned {
    pub(crate) mantissa: u128,
    pub(crate) power: i32,
}

/// Reads a number without sign in plain or scientific notation.
pub(crate) fn scan_any(text: &[u8]) -> Result<Scanned, &'static str> {
    let exponent_at = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (digits, exponent) = match exponent_at {
        None => (text, 0),
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
    };
    let scanned = scan(digits)?;
    Ok(Scanned { power: scanned.power + exponent, ..scanned })
}

fn scan(digits: &[u8]) -> Result<Scanned, &'static str> {
    let mut scanned = Scanned { mantissa: 0, power: 0 };
    let mut zeros = 0;
    let mut point = None;
    for (place, byte) in digits.iter().enumerate() {
        match byte {
            b'0' => zeros += 1,
            b'1'..=b'9' => {
                scanned.mantissa = append(scanned.mantissa, zeros, byte - b'0')?;
                zeros = 0;
            }
            b'.' if point.is_none() => point = Some(place),
            _ => return Err(NO_DECIMAL),
        }
    }
    let places = point.map_or(0, |point| digits.len() - point - 1);
    if digits.len() == usize::from(point.is_some()) {
        return Err(NO_DECIMAL);
    }
    scanned.power = zeros as i32 - places as i32;
    Ok(scanned)
}

/// Appends zeros and a digit to a mantissa; leading zeros vanish.
fn append(mantissa: u128, zeros: u32, digit: u8) -> Result<u128, &'static str> {
    if mantissa == 0 {
        return Ok(u128::from(digit));
    }
    10u128
        .checked_pow(zeros + 1)
        .and_then(|factor| mantissa.checked_mul(factor))
        .and_then(|shifted| shifted.checked_add(u128::from(digit)))
        .ok_or("more digits than a decimal has")
}

/// Parses an exponent; one that is out of all proportion is cut, which leaves it so.
fn parse_exponent(text: &[u8]) -> Result<i32, &'static str> {
    let (negative, digits) = split_sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NO_DECIMAL);
    }
    let digit = |value: i32, byte: &u8| {
        let next = value.saturating_mul(10).saturating_add(i32::from(byte - b'0'));
        next.min(1 << 28)
    };
    let value = digits.iter().fold(0, digit);
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decimal, NO_DECIMAL, TOO_FINE, TOO_LARGE, parse_double, parse_integer};

    #[test]
    fn integers_are_whole_numbers() {
        for (text, value) in [("0", 0), ("-7", -7), ("+7", 7), ("007", 7)] {
            assert_eq!(parse_integer(text), Ok(value));
        }
        assert_eq!(parse_integer("9223372036854775807"), Ok(i64::MAX));
        assert_eq!(parse_integer("9223372036854775808"), Err(TOO_LARGE));
        for text in ["", "1.0", "1e3", "1,000", "0x1", "٣", "-", "1 "] {
            assert_eq!(parse_integer(text), Err("not an integer"), "{text}");
        }
    }

    #[test]
    fn doubles_are_finite() {
        assert_eq!(parse_double("-1.5e3"), Ok(-1500.0));
        assert_eq!(parse_double("1e-400"), Ok(0.0));
        assert_eq!(parse_double("1e400"), Err(TOO_LARGE));
        for text in ["", "NaN", "inf", "-Infinity", "1,5", "e", "1_0"] {
            assert_eq!(parse_double(text), Err("not a number"), "{text}");
        }
    }

    #[test]
    fn decimals_are_exact() {
        let decimal = Decimal::new(18, 4);
        for (text, value) in [
            ("19.90", 199_000),
            ("-19.9", -199_000),
            ("+1", 10_000),
            ("0", 0),
            ("-0.0", 0),
            (".5", 5000),
            ("5.", 50_000),
            ("1.23450000000000000000000000000000000000000000", 12_345),
            ("000000000000000000000000000000000000000000001", 10_000),
            ("1E3", 10_000_000),
            ("1.5e-3", 15),
            ("12000e-7", 12),
            ("0e999999999999", 0),
            ("99999999999999.9999", 999_999_999_999_999_999),
        ] {
            assert_eq!(decimal.parse(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn decimals_are_never_rounded_nor_cut() {
        let decimal = Decimal::new(18, 4);
        for (text, reason) in [
            ("0.00001", TOO_FINE),
            ("1.23456", TOO_FINE),
            ("1e-5", TOO_FINE),
            ("1e-999999999999", TOO_FINE),
            ("100000000000000", TOO_LARGE),
            ("1e14", TOO_LARGE),
            ("1e999999999999", TOO_LARGE),
            ("", NO_DECIMAL),
            (".", NO_DECIMAL),
            ("-", NO_DECIMAL),
            ("1,234.50", NO_DECIMAL),
            ("1.2.3", NO_DECIMAL),
            ("1e", NO_DECIMAL),
            ("e1", NO_DECIMAL),
            ("1e1.5", NO_DECIMAL),
            ("--1", NO_DECIMAL),
            ("NaN", NO_DECIMAL),
            ("¥1", NO_DECIMAL),
        ] {
            assert_eq!(decimal.parse(text), Err(reason), "{text}");
        }
        let many = "1".repeat(60);
        assert!(decimal.parse(&many).is_err());
        assert!(Decimal::new(38, 10).parse(&format!("0.{}1", "0".repeat(90))).is_err());
    }

    #[test]
    fn the_widest_decimal_has_38_digits() {
        let decimal = Decimal::new(38, 0);
        let widest = "9".repeat(38);
        assert_eq!(decimal.parse(&widest), Ok(10i128.pow(38) - 1));
        assert_eq!(decimal.parse(&format!("1{}", "0".repeat(38))), Err(TOO_LARGE));
    }

    proptest! {
        #[test]
        fn short_and_long_ways_agree(text in "[0-9]{0,12}(\\.[0-9]{0,8})?") {
            let decimal = Decimal::new(18, 4);
            if let Some(short) = decimal.parse_short(text.as_bytes()) {
                prop_assert_eq!(decimal.parse_any(text.as_bytes()), Ok(short));
            }
        }

        #[test]
        fn what_is_written_out_is_read_back(value in -999_999_999_999_999_999i128..=999_999_999_999_999_999) {
            let sign = if value < 0 { "-" } else { "" };
            let magnitude = value.abs();
            let text = format!("{sign}{}.{:04}", magnitude / 10_000, magnitude % 10_000);
            prop_assert_eq!(Decimal::new(18, 4).parse(&text), Ok(value));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.eE]{0,60}") {
            let _ = Decimal::new(38, 10).parse(&text);
            let _ = parse_double(&text);
            let _ = parse_integer(&text);
        }
    }
}
