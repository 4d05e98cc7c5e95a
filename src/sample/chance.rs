//! Chance that is the same on every machine: seeded by what it is for, without floating-point functions of the platform.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What a stream of chance decides; two topics never share a stream.
#[derive(Debug, Clone, Copy)]
pub(super) enum Topic {
    Person,
    Household,
    Plan,
    Access,
    Visit,
    Basket,
    Fate,
    Send,
    Receipt,
    Crm,
    Product,
    Rate,
    Cost,
    Delivery,
}

/// A stream of chance.
pub(super) struct Chance(ChaCha8Rng);

impl Chance {
    /// Begins the stream of one topic for one thing, such as the basket of a person's third purchase.
    pub(super) fn new(seed: u64, topic: Topic, thing: u64, part: u64) -> Self {
        let mut key = [0_u8; 32];
        let words = [seed, topic as u64, thing, part];
        for (place, word) in key.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(key))
    }

    /// Returns a whole number from 0 up to but not including `bound`.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// Returns a whole number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// Returns true in so many of a thousand cases.
    pub(super) fn permille(&mut self, share: u64) -> bool {
        self.below(1000) < share
    }

    /// Returns true in so many of a million cases.
    pub(super) fn per_million(&mut self, share: u64) -> bool {
        self.below(1_000_000) < share
    }

    /// Returns a number from 0 up to but not including 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns one of several things.
    pub(super) fn pick<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.below(things.len() as u64) as usize]
    }

    /// Returns the index of one of several weights, the heavier the likelier.
    pub(super) fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u64 = weights.iter().copied().map(u64::from).sum();
        let mut left = self.below(total.max(1));
        for (index, weight) in weights.iter().enumerate() {
            let weight = u64::from(*weight);
            if left < weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// Returns how often something happens that happens `mean` times on average.
    pub(super) fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 16.0 {
            return self.poisson(mean / 2.0) + self.poisson(mean / 2.0);
        }
        let limit = exp_of_minus(mean);
        let mut product = self.unit();
        let mut count = 0;
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// Returns e to the power of minus `x`; the platform's own `exp` may differ in the last bit.
fn exp_of_minus(x: f64) -> f64 {
    const HALVINGS: u32 = 10;
    let small = x / f64::from(1 << HALVINGS);
    let mut power = 1.0 - small + small * small / 2.0 - small * small * small / 6.0;
    for _ in 0..HALVINGS {
        power *= power;
    }
    power
}

/// Returns another number below `modulus`, a different one for each `number` below it.
///
/// The factor is a prime larger than every prime factor of the moduli in use.
pub(super) fn scramble(number: u64, modulus: u64) -> u64 {
    const FACTOR: u128 = 2_654_435_761;
    ((u128::from(number) * FACTOR + 12_345_679) % u128::from(modulus)) as u64
}

/// Returns another number of 48 bits, a different one for each `number` of 48 bits.
pub(super) fn scramble48(number: u64) -> u64 {
    const MASK: u64 = (1 << 48) - 1;
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4B) & MASK;
    (mixed ^ (mixed >> 24)).wrapping_mul(0xD6E8_FEB8_6659) & MASK
}

/// Returns another number of 64 bits, a different one for each `number`.
pub(super) fn scramble64(number: u64) -> u64 {
    let mixed = (number ^ (number >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xCF1B_BCDC_BFA5_3E0B)
}

#[cfg(test)]
mod tests {
    use super::{Chance, Topic, exp_of_minus, scramble, scramble48};

    #[test]
    fn a_mean_is_met() {
        let mut chance = Chance::new(1, Topic::Plan, 0, 0);
        let sum: u32 = (0..10_000).map(|_| chance.poisson(2.5)).sum();
        assert!((24_000..26_000).contains(&sum), "{sum}");
    }

    #[test]
    fn the_exponential_is_near_the_platforms() {
        for x in [0.0, 0.1, 1.0, 5.0, 16.0_f64] {
            assert!((exp_of_minus(x) - (-x).exp()).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn scrambled_numbers_stay_different() {
        let distinct = |scrambled: Vec<u64>| {
            let mut sorted = scrambled.clone();
            sorted.sort_unstable();
            sorted.dedup();
            sorted.len() == scrambled.len()
        };
        assert!(distinct((0..50_000).map(|n| scramble(n, 100_000)).collect()));
        assert!(distinct((0..50_000).map(scramble48).collect()));
    }
}
