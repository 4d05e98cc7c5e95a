//! Shows that a value is there without showing it.

/// How many characters of a value are shown.
const SHOWN: usize = 2;

/// Returns the first characters of a value and its length: enough to find it again, too little to know whose it is.
pub(crate) fn masked(value: &str) -> String {
    let length = value.chars().count();
    // Of a short value the first characters would be most of it.
    let shown = if length > 2 * SHOWN { SHOWN } else { 0 };
    let start: String = value.chars().take(shown).collect();
    format!("{start}…({length})")
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn little_of_a_value_is_shown() {
        assert_eq!(masked("ann@x.org"), "an…(9)");
        assert_eq!(masked("陈军@例え.jp"), "陈军…(8)");
        assert_eq!(masked("u123"), "…(4)");
    }
}
