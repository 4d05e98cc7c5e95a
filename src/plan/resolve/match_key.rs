//! The keys of blocks: `surname`, `prefix(surname, 3)`, `soundex(given_name, surname)`.

use super::place::{Place, with_nearest};
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::matching::{Key, KeyFunction};

/// The functions an author may write.
const FUNCTIONS: [&str; 6] = ["any", "prefix", "suffix", "soundex", "qgrams", "deletions"];
/// The longest prefix, suffix or run of characters.
const MAX_LENGTH: usize = 64;

/// Reads a key; `field` finds the field of a column.
pub(super) fn resolve(
    text: &str,
    mut field: impl FnMut(&str, &mut Diagnostics) -> Option<usize>,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Key> {
    let (name, arguments) = match text.split_once('(') {
        None => ("any", text),
        Some((name, rest)) => (name.trim(), rest.trim_end().strip_suffix(')').unwrap_or_default()),
    };
    let mut arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
    let function = function(name, &mut arguments, text, place, found)?;
    let fields: Vec<_> = arguments.iter().map(|name| field(name, found)).collect();
    let fields: Option<Vec<usize>> = fields.into_iter().collect();
    Some(Key { function, fields: fields? })
}

/// Finds a function and takes its number off the end of the arguments.
fn function(
    name: &str,
    arguments: &mut Vec<&str>,
    text: &str,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<KeyFunction> {
    let function = match name {
        "any" => Some(KeyFunction::Whole),
        "soundex" => Some(KeyFunction::Soundex),
        "deletions" => Some(KeyFunction::Deletions),
        "prefix" => length(arguments).map(KeyFunction::Prefix),
        "suffix" => length(arguments).map(KeyFunction::Suffix),
        "qgrams" => length(arguments).map(KeyFunction::QGrams),
        _ => {
            let message = format!("there is no key `{name}`");
            let unknown = place.error(Code::BadMatch, message);
            found.push(with_nearest(unknown, name, FUNCTIONS));
            return None;
        }
    };
    let is_sound = arguments.iter().all(|argument| !argument.is_empty());
    let function = function.filter(|_| is_sound && !arguments.is_empty());
    if function.is_none() {
        let message = format!("`{text}` is no key");
        let help = "a key is a column, `soundex(column)` or `prefix(column, 3)`";
        found.push(place.error(Code::BadMatch, message).help(help));
    }
    function
}

/// Takes a length off the end of the arguments.
fn length(arguments: &mut Vec<&str>) -> Option<usize> {
    let length = arguments.pop()?.parse().ok()?;
    (1..=MAX_LENGTH).contains(&length).then_some(length)
}
