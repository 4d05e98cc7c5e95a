//! Lines and columns, as people count them.

/// A place in a text: lines and characters, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// Returns the place of a byte; beyond the text, the place of its end.
    pub(crate) fn of(text: &str, byte: usize) -> Self {
        let before = &text[..text.floor_char_boundary(byte)];
        let (lines, rest) = match before.rfind('\n') {
            Some(end) => (before.matches('\n').count(), &before[end + 1..]),
            None => (0, before.trim_start_matches('\u{feff}')),
        };
        Self { line: lines + 1, column: rest.chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    fn place(text: &str, byte: usize) -> (usize, usize) {
        let Place { line, column } = Place::of(text, byte);
        (line, column)
    }

    #[test]
    fn columns_count_characters_and_lines_count_line_ends() {
        let text = "a: 数字\r\n\tü: x";
        assert_eq!(place(text, 0), (1, 1));
        assert_eq!(place(text, text.find('字').unwrap()), (1, 5));
        assert_eq!(place(text, text.find('ü').unwrap()), (2, 2));
        assert_eq!(place(text, text.find('x').unwrap()), (2, 5));
    }

    #[test]
    fn places_beyond_the_text_and_inside_a_character_are_brought_back() {
        assert_eq!(place("ab\n", 99), (2, 1));
        assert_eq!(place("ü", 1), (1, 1));
        assert_eq!(place("", 0), (1, 1));
        assert_eq!(place("\u{feff}a", 3), (1, 1));
    }
}
