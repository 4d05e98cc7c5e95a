//! An absorbing Markov chain of order 1, solved.

use std::collections::{BTreeMap, BTreeSet};

/// Where every path begins.
const START: &str = "(start)";
/// Where a path ends that led to an order.
const CONVERSION: &str = "(conversion)";
/// Where a path ends that did not.
const LOSS: &str = "(null)";

/// More channels would take more than a minute and a gigabyte to solve.
const MAX_CHANNELS: usize = 2_000;
/// A pivot this small means that some state never ends.
const SMALLEST_PIVOT: f64 = 1e-12;

/// States with the probabilities of what follows them.
pub(super) struct Chain<'a> {
    channels: Vec<&'a str>,
    /// By state, `(start)` first, then the channels: the probability of each state after it.
    follows: Vec<Vec<f64>>,
    /// By state: the probability that a conversion comes next.
    converts: Vec<f64>,
}

/// What is lost without a channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RemovalEffect {
    pub(super) channel: String,
    /// Share of conversions lost, 0 to 1; 0 where there are none.
    pub(super) effect: f64,
    /// Probability of a conversion from `(start)`, all channels in place.
    pub(super) conversion: f64,
}

/// Says why a chain has no solution.
#[derive(Debug, thiserror::Error)]
pub(super) enum ChainError {
    #[error("a chain of {0} channels is too large; group rare ones")]
    TooLarge(usize),
    #[error("some channels only ever lead to each other, never to an end of the path")]
    Endless,
}

impl<'a> Chain<'a> {
    pub(super) fn new(counts: &'a BTreeMap<(String, String), i64>) -> Self {
        let ends = [START, CONVERSION, LOSS];
        let states = counts.keys().flat_map(|(from, to)| [from.as_str(), to.as_str()]);
        let channels: BTreeSet<&str> = states.filter(|state| !ends.contains(state)).collect();
        let channels: Vec<&str> = channels.into_iter().collect();
        let size = channels.len() + 1;
        let index: BTreeMap<&str, usize> = std::iter::once(START)
            .chain(channels.iter().copied())
            .enumerate()
            .map(|(index, state)| (state, index))
            .collect();
        let mut follows = vec![vec![0.0; if size > MAX_CHANNELS { 0 } else { size }]; size];
        let mut converts = vec![0.0; size];
        let mut totals = vec![0.0; size];
        for ((from, to), count) in counts {
            let Some(&from) = index.get(from.as_str()) else {
                continue;
            };
            let count = float(*count);
            totals[from] += count;
            match index.get(to.as_str()) {
                Some(&to) if size <= MAX_CHANNELS => follows[from][to] += count,
                None if to == CONVERSION => converts[from] += count,
                _ => {}
            }
        }
        for ((row, converts), total) in follows.iter_mut().zip(&mut converts).zip(&totals) {
            if *total > 0.0 {
                scale(row, 1.0 / total);
                *converts /= total;
            }
        }
        Self { channels, follows, converts }
    }

    /// Returns the effect of removing each channel, in the order of their names.
    ///
    /// With the fundamental matrix `N = (I - Q)^-1`, the probability of ever being in channel `c` is
    /// `N[start][c] / N[c][c]`; what is lost is that times the probability of a conversion from `c`.
    pub(super) fn removal_effects(&self) -> Result<Vec<RemovalEffect>, ChainError> {
        if self.channels.len() >= MAX_CHANNELS {
            return Err(ChainError::TooLarge(self.channels.len()));
        }
        let visits = inverse(self.leaving()).ok_or(ChainError::Endless)?;
        let conversion = |from: usize| -> f64 {
            visits[from]
                .iter()
                .zip(&self.converts)
                .map(|(visits, converts)| visits * converts)
                .sum()
        };
        let total = conversion(0);
        let effect = |state: usize| {
            let lost = visits[0][state] / visits[state][state] * conversion(state);
            if total > 0.0 { lost / total } else { 0.0 }
        };
        let channels = self.channels.iter().zip(1..);
        Ok(channels
            .map(|(channel, state)| RemovalEffect {
                channel: (*channel).to_owned(),
                effect: effect(state),
                conversion: total,
            })
            .collect())
    }

    /// Returns `I - Q`.
    fn leaving(&self) -> Vec<Vec<f64>> {
        let mut matrix = self.follows.clone();
        for (index, row) in matrix.iter_mut().enumerate() {
            scale(row, -1.0);
            row[index] += 1.0;
        }
        matrix
    }
}

/// Inverts a matrix by Gauss-Jordan elimination with pivots chosen by size.
fn inverse(mut matrix: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = matrix.len();
    let mut inverse: Vec<Vec<f64>> = (0..size)
        .map(|row| (0..size).map(|column| f64::from(u8::from(row == column))).collect())
        .collect();
    for column in 0..size {
        let candidates = column..size;
        let pivot = candidates
            .max_by(|a, b| matrix[*a][column].abs().total_cmp(&matrix[*b][column].abs()))?;
        if matrix[pivot][column].abs() < SMALLEST_PIVOT {
            return None;
        }
        matrix.swap(column, pivot);
        inverse.swap(column, pivot);
        let factor = 1.0 / matrix[column][column];
        scale(&mut matrix[column], factor);
        scale(&mut inverse[column], factor);
        let (pivot_row, pivot_inverse) = (matrix[column].clone(), inverse[column].clone());
        for row in (0..size).filter(|row| *row != column) {
            let factor = matrix[row][column];
            if factor != 0.0 {
                subtract(&mut matrix[row], &pivot_row, factor);
                subtract(&mut inverse[row], &pivot_inverse, factor);
            }
        }
    }
    Some(inverse)
}

fn scale(row: &mut [f64], factor: f64) {
    for value in row {
        *value *= factor;
    }
}

fn subtract(row: &mut [f64], other: &[f64], factor: f64) {
    for (value, other) in row.iter_mut().zip(other) {
        *value -= factor * other;
    }
}

#[expect(clippy::cast_precision_loss, reason = "no table has 2^53 transitions")]
fn float(count: i64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Chain, ChainError, RemovalEffect};

    /// Counts the transitions of paths; a path is channels, how often it converted, how often not.
    fn counts(paths: &[(&[&str], i64, i64)]) -> BTreeMap<(String, String), i64> {
        let mut counts = BTreeMap::new();
        let mut add = |from: &str, to: &str, count: i64| {
            *counts.entry((from.to_owned(), to.to_owned())).or_default() += count;
        };
        for (channels, conversions, losses) in paths {
            let mut before = "(start)";
            for channel in *channels {
                add(before, channel, conversions + losses);
                before = channel;
            }
            add(before, "(conversion)", *conversions);
            add(before, "(null)", *losses);
        }
        counts
    }

    fn effects(paths: &[(&[&str], i64, i64)]) -> Vec<RemovalEffect> {
        Chain::new(&counts(paths)).removal_effects().unwrap()
    }

    /// Removes the channel from the chain and follows all paths until hardly anything is on its way.
    fn followed(counts: &BTreeMap<(String, String), i64>, removed: &str) -> f64 {
        let mut total = BTreeMap::<&str, f64>::new();
        for ((from, _), count) in counts {
            *total.entry(from).or_default() += super::float(*count);
        }
        let mut at = BTreeMap::from([("(start)", 1.0)]);
        let mut converted = 0.0;
        for _ in 0..10_000 {
            let mut next = BTreeMap::<&str, f64>::new();
            for ((from, to), count) in counts {
                let here = at.get(from.as_str()).copied().unwrap_or_default();
                let flow = here * super::float(*count) / total[from.as_str()];
                match to.as_str() {
                    "(conversion)" => converted += flow,
                    to if to == removed || to == "(null)" => {}
                    to => *next.entry(to).or_default() += flow,
                }
            }
            at = next;
        }
        converted
    }

    /// The worked example of many introductions: C1 is on half of what converts, C2 and C3 on all.
    #[test]
    fn it_equals_the_worked_example() {
        let found = effects(&[(&["C1", "C2", "C3"], 1, 0), (&["C1"], 0, 1), (&["C2", "C3"], 0, 1)]);
        let effects: Vec<f64> = found.iter().map(|effect| effect.effect).collect();
        for (found, expected) in effects.iter().zip([0.5, 1.0, 1.0]) {
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert!((found[0].conversion - 1.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn solving_equals_removing_and_following() {
        let paths: &[(&[&str], i64, i64)] = &[
            (&["mail", "search", "mail", "direct"], 7, 20),
            (&["search", "search", "direct"], 3, 9),
            (&["social"], 0, 50),
            (&["direct", "mail"], 11, 2),
            (&["social", "direct", "social", "search"], 5, 31),
        ];
        let counts = counts(paths);
        let all = followed(&counts, "");
        for effect in effects(paths) {
            let expected = 1.0 - followed(&counts, &effect.channel) / all;
            assert!((effect.effect - expected).abs() < 1e-9, "{effect:?} {expected}");
            assert!((effect.conversion - all).abs() < 1e-9, "{effect:?} {all}");
        }
    }

    #[test]
    fn a_channel_that_follows_itself_changes_nothing() {
        let once = effects(&[(&["a", "b"], 2, 3), (&["b"], 1, 1)]);
        let twice = effects(&[(&["a", "a", "b"], 2, 3), (&["b"], 1, 1)]);
        for (once, twice) in once.iter().zip(&twice) {
            assert!((once.effect - twice.effect).abs() < 1e-12);
        }
    }

    #[test]
    fn without_conversions_nothing_is_lost() {
        assert!(effects(&[(&["a"], 0, 4)])[0].effect.abs() < f64::EPSILON);
        assert!(effects(&[]).is_empty());
    }

    #[test]
    fn channels_that_never_end_are_refused() {
        let endless = BTreeMap::from([
            (("(start)".to_owned(), "a".to_owned()), 1),
            (("a".to_owned(), "a".to_owned()), 1),
        ]);
        let refused = Chain::new(&endless).removal_effects();
        assert!(matches!(refused, Err(ChainError::Endless)));
    }
}
