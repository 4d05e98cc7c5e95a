//! Finds the fields of a line of JSON with as little looking as possible.

use memchr::{memchr, memchr2};

/// Calls `found` with each field of a line: the key of the object it is in, its own key, and its value as written.
///
/// Knows one level of objects within objects, as the exports have, and gives up where a line is something else.
pub(crate) fn fields<'a>(line: &'a [u8], mut found: impl FnMut(&'a [u8], &'a [u8], &'a [u8])) {
    let mut outer: &[u8] = b"";
    let mut place = 1;
    loop {
        match line.get(place) {
            Some(b'"') => {
                let Some(length) = memchr(b'"', &line[place + 1..]) else { return };
                let key = &line[place + 1..place + 1 + length];
                // Behind the quote and the colon.
                place += length + 3;
                match line.get(place) {
                    Some(b'"') => {
                        let Some(end) = end_of_text(line, place + 1) else { return };
                        found(outer, key, &line[place + 1..end]);
                        place = end + 1;
                    }
                    Some(b'{') => {
                        outer = key;
                        place += 1;
                    }
                    Some(_) => {
                        let Some(length) = memchr2(b',', b'}', &line[place..]) else { return };
                        found(outer, key, &line[place..place + length]);
                        place += length;
                    }
                    None => return,
                }
            }
            Some(b',') => place += 1,
            Some(b'}') => {
                outer = b"";
                place += 1;
            }
            _ => return,
        }
    }
}

/// Returns where the quote is that ends a text.
fn end_of_text(line: &[u8], start: usize) -> Option<usize> {
    let mut place = start;
    loop {
        place += memchr(b'"', &line[place..])?;
        let backslashes =
            line[start..place].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return Some(place);
        }
        place += 1;
    }
}
