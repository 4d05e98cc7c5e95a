//! How alike two values are.

use strsim::{jaro_winkler, osa_distance};

use crate::plan::ComparisonKind;

/// How well two values agree: 0 is exact, greater is worse, the last of a kind is "other".
pub(super) type Level = u8;

/// The number of digits of a phone number that stay the same with and without the codes before it.
const LOCAL_DIGITS: usize = 7;

/// Returns the level of two different values, both present.
pub(super) fn level(kind: &ComparisonKind, left: &str, right: &str) -> Level {
    match kind {
        ComparisonKind::Exact => 1,
        ComparisonKind::JaroWinkler(levels) => {
            let similarity = jaro_winkler(left, right);
            first(levels, |level| similarity >= *level)
        }
        ComparisonKind::Levenshtein(levels) => {
            let edits = osa_distance(left, right);
            first(levels, |level| edits <= *level)
        }
        ComparisonKind::Date => date(left, right),
        ComparisonKind::Phone => phone(left, right),
        ComparisonKind::Numeric(levels) => numeric(levels, left, right),
    }
}

/// Returns the first level that is reached, or the one after all.
fn first<T>(levels: &[T], is_reached: impl Fn(&T) -> bool) -> Level {
    let reached = levels.iter().position(is_reached);
    1 + reached.unwrap_or(levels.len()) as Level
}

/// Compares dates written as year, month, day.
fn date(left: &str, right: &str) -> Level {
    let (Some(left), Some(right)) = (parts(left), parts(right)) else {
        return if osa_distance(left, right) <= 1 { 1 } else { 3 };
    };
    let [year, month, day] = left;
    let is_exchanged = year == right[0] && month == right[2] && day == right[1];
    if is_exchanged || osa_distance(&left.concat(), &right.concat()) <= 1 {
        return 1;
    }
    let agreeing = left.iter().zip(right).filter(|(left, right)| **left == *right).count();
    if agreeing == 2 { 2 } else { 3 }
}

fn parts(date: &str) -> Option<[&str; 3]> {
    let is_date = date.len() >= 8 && date.bytes().take(8).all(|byte| byte.is_ascii_digit());
    is_date.then(|| [&date[..4], &date[4..6], &date[6..8]])
}

fn phone(left: &str, right: &str) -> Level {
    let local = |number: &str| {
        number
            .len()
            .checked_sub(LOCAL_DIGITS)
            .and_then(|start| number.get(start..).map(str::to_owned))
    };
    if local(left).is_some_and(|digits| Some(digits) == local(right)) {
        1
    } else if osa_distance(left, right) <= 1 {
        2
    } else {
        3
    }
}

fn numeric(levels: &[f64], left: &str, right: &str) -> Level {
    let (Ok(left), Ok(right)) = (left.parse::<f64>(), right.parse::<f64>()) else {
        return levels.len() as Level + 1;
    };
    let difference = (left - right).abs();
    if difference == 0.0 {
        return 0;
    }
    let greater = left.abs().max(right.abs());
    first(levels, |level| difference <= level * greater)
}

#[cfg(test)]
mod tests {
    use super::{ComparisonKind, level};

    #[test]
    fn dates_with_one_mistake_are_near() {
        let of = |left, right| level(&ComparisonKind::Date, left, right);
        assert_eq!(of("19560409", "19560904"), 1, "day and month exchanged");
        assert_eq!(of("19560419", "19560491"), 1, "digits exchanged");
        assert_eq!(of("19560409", "19560408"), 1, "one digit mistyped");
        assert_eq!(of("19560409", "19560422"), 2, "another day");
        assert_eq!(of("19560409", "19740409"), 2, "another year");
        assert_eq!(of("19560409", "19740422"), 3);
        assert_eq!(of("1956", "1957"), 1);
        assert_eq!(of("1956", "19560409"), 3);
    }

    #[test]
    fn phones_agree_without_their_codes() {
        let of = |left, right| level(&ComparisonKind::Phone, left, right);
        assert_eq!(of("8613326181173", "013326181173"), 1);
        assert_eq!(of("8613326181173", "8613326181172"), 2);
        assert_eq!(of("8613326181173", "8613326188888"), 3);
        assert_eq!(of("12", "12345"), 3);
    }

    #[test]
    fn other_kinds_reach_the_first_level_that_holds() {
        let similar = ComparisonKind::JaroWinkler(vec![0.92, 0.8]);
        assert_eq!(level(&similar, "martha", "marhta"), 1);
        assert_eq!(level(&similar, "dwayne", "duane"), 2);
        assert_eq!(level(&similar, "martha", "duane"), 3);
        let edits = ComparisonKind::Levenshtein(vec![1, 2]);
        assert_eq!(level(&edits, "3721", "3712"), 1);
        assert_eq!(level(&edits, "3721", "372"), 1);
        assert_eq!(level(&edits, "3721", "3899"), 3);
        let numeric = ComparisonKind::Numeric(vec![0.01, 0.1]);
        assert_eq!(level(&numeric, "100", "100.0"), 0);
        assert_eq!(level(&numeric, "100", "99.5"), 1);
        assert_eq!(level(&numeric, "-100", "-91"), 2);
        assert_eq!(level(&numeric, "100", "-100"), 3);
        assert_eq!(level(&numeric, "100", "many"), 3);
        assert_eq!(level(&ComparisonKind::Exact, "a", "b"), 1);
    }
}
