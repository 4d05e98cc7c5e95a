//! Rows as text.

use serde::{Serialize, Serializer};

use super::options::SampleError;

/// Returns a value as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<Vec<u8>, SampleError> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Returns fields as one line of CSV.
pub(super) fn csv(fields: &[&str]) -> Vec<u8> {
    let mut line = Vec::with_capacity(128);
    for (number, field) in fields.iter().enumerate() {
        if number > 0 {
            line.push(b',');
        }
        push_field(&mut line, field);
    }
    line.push(b'\n');
    line
}

fn push_field(line: &mut Vec<u8>, field: &str) {
    if field.contains([',', '"', '\n']) {
        line.push(b'"');
        line.extend_from_slice(field.replace('"', "\"\"").as_bytes());
        line.push(b'"');
    } else {
        line.extend_from_slice(field.as_bytes());
    }
}

/// An amount in hundredths, written as a number or, by carefree systems, as a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amount {
    pub(super) hundredths: i64,
    pub(super) is_text: bool,
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_text {
            serializer.serialize_str(&decimal(self.hundredths))
        } else {
            serializer.serialize_f64(self.hundredths as f64 / 100.0)
        }
    }
}

/// Writes hundredths with two decimals: `-12.30`.
pub(super) fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let size = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

/// Writes hundredths as people do who type them into a till: `¥1,234.50`.
pub(super) fn decimal_by_hand(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let yuan = (hundredths.unsigned_abs() / 100).to_string();
    let rest = hundredths.unsigned_abs() % 100;
    let mut grouped = String::new();
    for (place, digit) in yuan.chars().enumerate() {
        if place > 0 && (yuan.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}¥{grouped}.{rest:02}")
}

#[cfg(test)]
mod tests {
    use super::{Amount, csv, decimal, decimal_by_hand, json};

    #[test]
    fn hundredths_are_written_with_two_decimals() {
        assert_eq!(decimal(-1230), "-12.30");
        assert_eq!(decimal(5), "0.05");
        assert_eq!(decimal_by_hand(123_456_789), "¥1,234,567.89");
        assert_eq!(decimal_by_hand(-10_000), "-¥100.00");
    }

    #[test]
    fn an_amount_is_a_number_or_a_text() {
        let line = |is_text| {
            let hundredths = 12_990;
            let amount = Amount { hundredths, is_text };
            String::from_utf8(json(&amount).unwrap()).unwrap()
        };
        assert_eq!(line(false), "129.9\n");
        assert_eq!(line(true), "\"129.90\"\n");
    }

    #[test]
    fn fields_that_hold_the_delimiter_are_quoted() {
        assert_eq!(csv(&["a", "1,2", "say \"x\""]), b"a,\"1,2\",\"say \"\"x\"\"\"\n");
    }
}
