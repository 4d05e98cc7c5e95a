//! How often different persons agree by chance.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::blocking::Pair;
use super::pattern::{Pattern, compared, levels};
use super::records::{MISSING, RecordNumber, Records, Value};
use crate::plan::{self, Comparison};

/// How many random pairs are looked at.
const SAMPLE: u64 = 200_000;
/// Counts as if this many pairs had been seen more on every level.
const SMOOTHING: f64 = 0.5;

/// Pairs of records taken at random, and how they agree.
pub(super) struct Chance(Vec<(Pair, Pattern)>);

impl Chance {
    /// Takes pairs at random from those that the rules want; the same for the same records.
    pub(super) fn sample(threads: usize, rules: &plan::Matching, records: &Records) -> Self {
        let pairs = random_pairs(rules, records);
        Self(compared(threads, records, &rules.comparisons, &pairs))
    }

    /// Returns for each comparison how often each level occurs among pairs of different persons, as far as
    /// `persons` tells them apart.
    pub(super) fn rates(
        &self,
        records: &Records,
        comparisons: &[Comparison],
        persons: &[RecordNumber],
    ) -> Vec<Vec<f64>> {
        let is_of_two = |((left, right), _): &&(Pair, Pattern)| {
            persons[*left as usize] != persons[*right as usize]
        };
        let patterns: Vec<Pattern> = self.0.iter().filter(is_of_two).map(|pair| pair.1).collect();
        let rates = comparisons.iter().enumerate().map(|(at, comparison)| {
            let exact = Frequencies::of(records, comparison.field, persons).agreement();
            rates(&patterns, at, levels(comparison), exact)
        });
        rates.collect()
    }
}

/// Returns how often each level occurs; that of the exact one is known better than a sample tells.
fn rates(patterns: &[Pattern], at: usize, levels: usize, exact: f64) -> Vec<f64> {
    let mut seen = vec![SMOOTHING; levels];
    for level in patterns.iter().filter_map(|pattern| pattern.level(at)) {
        seen[level] += 1.0;
    }
    let inexact: f64 = seen[1..].iter().sum();
    let shares = seen[1..].iter().map(|seen| seen / inexact * (1.0 - exact));
    std::iter::once(exact).chain(shares).collect()
}

fn random_pairs(rules: &plan::Matching, records: &Records) -> Vec<Pair> {
    let own = records.of_source(0) as u64;
    let (first, all) = (if rules.within { 0 } else { own }, records.len() as u64);
    if own == 0 || first == all {
        return Vec::new();
    }
    let mut random = ChaCha8Rng::from_seed(seed(records));
    let mut below = |limit: u64| ((u128::from(random.next_u64()) * u128::from(limit)) >> 64) as u64;
    let count = (own.saturating_mul(all - first) / 2).min(SAMPLE);
    let pairs = (0..count).map(|_| (below(own), first + below(all - first)));
    let pairs = pairs.filter(|(left, right)| left != right);
    let number = |record: u64| record as RecordNumber;
    pairs.map(|(left, right)| (number(left.min(right)), number(left.max(right)))).collect()
}

/// Digests what the records hold.
fn seed(records: &Records) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for field in &records.fields {
        hasher.update(&(field.texts.len() as u64).to_le_bytes());
        for text in &field.texts {
            hasher.update(text.as_bytes());
        }
        for value in &field.values {
            hasher.update(&value.to_le_bytes());
        }
    }
    hasher.finalize().into()
}

/// How many persons have each value of a field.
pub(super) struct Frequencies {
    persons: Vec<u32>,
    total: f64,
}

impl Frequencies {
    /// Counts each value once for each person.
    pub(super) fn of(records: &Records, field: usize, persons: &[RecordNumber]) -> Self {
        let field = &records.fields[field];
        let values = field.values.iter().zip(persons).filter(|(value, _)| **value != MISSING);
        let mut seen: Vec<_> = values.map(|(value, person)| (*value, *person)).collect();
        seen.sort_unstable();
        seen.dedup();
        let mut counts = vec![0; field.texts.len()];
        for (value, _) in &seen {
            counts[*value as usize] += 1;
        }
        Self { persons: counts, total: seen.len() as f64 }
    }

    /// Returns how often two different persons have the same value.
    pub(super) fn agreement(&self) -> f64 {
        let pairs = |count: f64| count * (count - 1.0);
        let equal: f64 = self.persons.iter().map(|count| pairs(f64::from(*count))).sum();
        ((equal + 1.0) / (pairs(self.total).max(0.0) + 2.0)).min(0.999)
    }

    /// Returns how often another person has this value.
    ///
    /// The counts are taken together with one more that the rate of agreement foresees: of a value that was
    /// seen once nobody can say more than that.
    pub(super) fn share(&self, value: Value, agreement: f64) -> f64 {
        f64::from(self.persons[value as usize]) / (self.total + 1.0 / agreement)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::records;
    use super::Frequencies;

    #[test]
    fn a_value_is_counted_once_for_each_person() {
        let records = records(&[0; 5], &[&["lee"], &["lee"], &["lee"], &["ode"], &[""]]);
        let of = |persons: &[u32]| Frequencies::of(&records, 0, persons);
        // Of the 12 ordered pairs of records with a value 6 agree.
        assert!((of(&[0, 1, 2, 3, 4]).agreement() - 7.0 / 14.0).abs() < 1e-9);
        // Of the 6 ordered pairs of persons 2 agree.
        assert!((of(&[0, 0, 2, 3, 4]).agreement() - 3.0 / 8.0).abs() < 1e-9);
    }

    #[test]
    fn a_rare_value_is_shared_by_fewer_others() {
        let records = records(&[0; 4], &[&["lee"], &["lee"], &["lee"], &["ode"]]);
        let frequencies = Frequencies::of(&records, 0, &[0, 1, 2, 3]);
        let share = |value| frequencies.share(value, 0.5);
        assert!((share(0) - 3.0 / 6.0).abs() < 1e-9);
        assert!((share(1) - 1.0 / 6.0).abs() < 1e-9);
        // Nobody knows how rare a value is that was seen once in a column where next to none comes twice.
        assert!((frequencies.share(1, 1e-6) - 1e-6).abs() < 1e-9);
    }
}
