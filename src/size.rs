//! Sizes in bytes, as people write them.

/// Units by their spelling, the longer before those they end with.
const UNITS: &[(&str, f64)] = &[
    ("KiB", 1024.0),
    ("MiB", 1024.0 * 1024.0),
    ("GiB", 1024.0 * 1024.0 * 1024.0),
    ("TiB", 1024.0 * 1024.0 * 1024.0 * 1024.0),
    ("KB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
];

/// Returns the number of bytes a text such as `4GiB` or `1.5 GB` stands for.
pub(crate) fn parse_bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let (number, factor) = UNITS.iter().find_map(|(unit, factor)| {
        let start = text.len().checked_sub(unit.len())?;
        let (number, written) = text.split_at_checked(start)?;
        written.eq_ignore_ascii_case(unit).then_some((number.trim_end(), factor))
    })?;
    let is_plain = number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let bytes = number.parse::<f64>().ok().filter(|_| is_plain)? * factor;
    // Above this, not every whole number is a float any more; no machine has so much.
    (bytes < 9e15).then_some(bytes as usize)
}

#[cfg(test)]
mod tests {
    use super::parse_bytes;

    #[test]
    fn a_number_with_a_unit_is_a_size() {
        assert_eq!(parse_bytes("4GiB"), Some(4 << 30));
        assert_eq!(parse_bytes("1.5 gib"), Some(3 << 29));
        assert_eq!(parse_bytes(" 512MB "), Some(512_000_000));
        assert_eq!(parse_bytes("64KiB"), Some(65536));
    }

    #[test]
    fn anything_else_is_none() {
        for text in
            ["", "4", "GiB", "4GG", "-1GiB", "1e3GiB", "infGiB", "9999999TiB", "ü", "1..2MB"]
        {
            assert_eq!(parse_bytes(text), None, "{text}");
        }
    }
}
