//! Parses numbers of one unit into another.

use super::number::{Scanned, TOO_LARGE, parse_double, scan_any, split_sign};
use crate::plan::Conversion;

const TOO_MANY_DIGITS: &str = "more digits than a conversion has room for";

/// Parses decimals and integers by exact arithmetic.
///
/// Few conversions end: a third of an hour has no last place in minutes' decimals. So, unlike a plain decimal, what is
/// finer than the column's last place is rounded to it, half to even, once, from the exact outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Converter {
    conversion: Conversion,
    scale: i32,
    /// The first magnitude that does not fit.
    limit: u128,
}

impl Converter {
    pub(crate) fn to_decimal(conversion: Conversion, precision: u8, scale: i8) -> Self {
        let limit = 10u128.saturating_pow(u32::from(precision));
        Self { conversion, scale: i32::from(scale), limit }
    }

    pub(crate) fn to_integer(conversion: Conversion) -> Self {
        Self { conversion, scale: 0, limit: u64::MAX.into() }
    }

    /// Returns the unscaled value.
    pub(crate) fn parse(self, text: &str) -> Result<i128, &'static str> {
        let (negative, digits) = split_sign(text.as_bytes());
        let magnitude = self.convert(&scan_any(digits)?).ok_or(TOO_MANY_DIGITS)?;
        if magnitude >= self.limit {
            return Err(TOO_LARGE);
        }
        let magnitude = magnitude as i128;
        Ok(if negative { -magnitude } else { magnitude })
    }

    pub(crate) fn parse_integer(self, text: &str) -> Result<i64, &'static str> {
        i64::try_from(self.parse(text)?).map_err(|_| TOO_LARGE)
    }

    fn convert(self, scanned: &Scanned) -> Option<u128> {
        if scanned.mantissa == 0 {
            return Some(0);
        }
        let power = scanned.power + self.scale;
        let numerator = scanned.mantissa.checked_mul(u128::from(self.conversion.numerator))?;
        let denominator = u128::from(self.conversion.denominator);
        match 10u128.checked_pow(power.unsigned_abs()) {
            Some(ten) if power < 0 => Some(divide(numerator, denominator.checked_mul(ten)?)),
            Some(ten) => Some(divide(numerator.checked_mul(ten)?, denominator)),
            // No number of 128 bits is half of what has 40 digits.
            None => (power < 0).then_some(0),
        }
    }
}

/// Parses a floating-point number; multiplies and then divides as processors do.
pub(crate) fn convert_double(conversion: Conversion, text: &str) -> Result<f64, &'static str> {
    let value = parse_double(text)?;
    let value = value * conversion.numerator as f64 / conversion.denominator as f64;
    if value.is_finite() { Ok(value) } else { Err(TOO_LARGE) }
}

/// Divides and rounds half to even.
fn divide(numerator: u128, denominator: u128) -> u128 {
    let (quotient, rest) = (numerator / denominator, numerator % denominator);
    match rest.cmp(&(denominator - rest)) {
        std::cmp::Ordering::Less => quotient,
        std::cmp::Ordering::Equal => quotient + quotient % 2,
        std::cmp::Ordering::Greater => quotient + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::super::number::{NO_DECIMAL, TOO_LARGE};
    use super::{Converter, TOO_MANY_DIGITS, convert_double};
    use crate::plan::{Conversion, Unit};

    fn between(from: &str, to: &str) -> Conversion {
        Unit::named(from).unwrap().to(Unit::named(to).unwrap())
    }

    #[test]
    fn decimals_are_converted_exactly_and_rounded_once() {
        for (from, to, text, expected) in [
            ("g", "kg", "1500", Ok(15_000)),
            ("g", "kg", "-0.1", Ok(-1)),
            ("kg", "g", "1.5", Ok(15_000_000)),
            ("lb", "kg", "1", Ok(4_536)),
            ("lb", "kg", "100", Ok(453_592)),
            ("in", "cm", "1e1", Ok(254_000)),
            ("min", "h", "20", Ok(3_333)),
            ("min", "h", "40", Ok(6_667)),
            ("percent", "fraction", "12.5", Ok(1_250)),
            // Halves go to the even neighbour, what is nearer goes there.
            ("g", "kg", "0.05", Ok(0)),
            ("g", "kg", "0.15", Ok(2)),
            ("g", "kg", "0.25", Ok(2)),
            ("g", "kg", "-0.25", Ok(-2)),
            ("g", "kg", "0.2500000001", Ok(3)),
            ("g", "kg", "0", Ok(0)),
            ("t", "mg", "100000", Err(TOO_LARGE)),
            // 34,000 mg: too many digits to be reckoned with, which is no reason to make nothing of it.
            ("t", "mg", "0.0000340000000000000000000000000000000000001", Err(TOO_MANY_DIGITS)),
            ("g", "kg", "1e40", Err(TOO_MANY_DIGITS)),
            ("g", "kg", "x", Err(NO_DECIMAL)),
        ] {
            let converter = Converter::to_decimal(between(from, to), 18, 4);
            assert_eq!(converter.parse(text), expected, "{text} {from} to {to}");
        }
    }

    #[test]
    fn what_floating_point_leaves_behind_is_rounded_away() {
        let converter = Converter::to_decimal(Conversion::NONE, 18, 4);
        for (text, expected) in [
            ("19.990000000000002", Ok(199_900)),
            ("2.4019999999999997", Ok(24_020)),
            ("-0.30000000000000004", Ok(-3_000)),
            ("1.776357e-15", Ok(0)),
            ("-4.9e-324", Ok(0)),
            ("0.00005", Ok(0)),
            ("0.00015", Ok(2)),
            ("99999999999999.99995", Err(TOO_LARGE)),
            ("1e400", Err(TOO_MANY_DIGITS)),
            ("1.2.3", Err(NO_DECIMAL)),
        ] {
            assert_eq!(converter.parse(text), expected, "{text}");
        }
    }

    #[test]
    fn integers_are_rounded_to_whole_numbers() {
        let converter = Converter::to_integer(between("s", "min"));
        for (text, expected) in [
            ("120", Ok(2)),
            ("30", Ok(0)),
            ("90", Ok(2)),
            ("89.9", Ok(1)),
            ("-150", Ok(-2)),
            ("1e21", Err(TOO_LARGE)),
        ] {
            assert_eq!(converter.parse_integer(text), expected, "{text}");
        }
    }

    #[test]
    fn doubles_are_multiplied_before_they_are_divided() {
        assert_eq!(convert_double(between("percent", "fraction"), "7"), Ok(0.07));
        assert_eq!(convert_double(between("kg", "g"), "0.1"), Ok(100.0));
        assert_eq!(convert_double(between("kg", "g"), "1e308"), Err(TOO_LARGE));
        assert_eq!(convert_double(between("kg", "g"), "x"), Err("not a number"));
    }
}
