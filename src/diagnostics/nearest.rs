//! Finds the name that was meant.

use strsim::{jaro_winkler, normalized_damerau_levenshtein};

/// Below this likeness two names have nothing to do with each other.
const LEAST_LIKENESS: f64 = 0.6;

/// Returns the candidate most like `name`, if any is like it at all.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name = name.to_lowercase();
    let ranked = candidates
        .into_iter()
        .map(|candidate| (likeness(&name, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= LEAST_LIKENESS);
    // Of equals the first wins, so that the hint does not depend on anything but the order given.
    ranked
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, candidate)| candidate)
}

/// Returns how alike two names are: edits count, and a common beginning breaks ties.
fn likeness(left: &str, right: &str) -> f64 {
    0.8 * normalized_damerau_levenshtein(left, right) + 0.2 * jaro_winkler(left, right)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_misspelling_leads_to_the_name_that_was_meant() {
        let columns = ["event_id", "occurred_at", "email", "revenue"];
        assert_eq!(nearest("emial", columns), Some("email"));
        assert_eq!(nearest("Revenu", columns), Some("revenue"));
        assert_eq!(nearest("ocurred_at", columns), Some("occurred_at"));
        assert_eq!(nearest("event", columns), Some("event_id"));
    }

    #[test]
    fn a_name_like_no_other_has_no_nearest() {
        assert_eq!(nearest("warehouse", ["email", "revenue"]), None);
        assert_eq!(nearest("x", ["email"]), None);
        assert_eq!(nearest("email", []), None);
    }

    #[test]
    fn of_equals_the_first_wins() {
        assert_eq!(nearest("item_c", ["item_a", "item_b"]), Some("item_a"));
    }
}
