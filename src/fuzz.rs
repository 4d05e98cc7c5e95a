//! Feeds mutated bytes to the parsers of what others write.
//!
//! The bytes are the same every time, so what is found once is found again; `MARTLET_FUZZ_CASES` says how many are
//! tried of each target. A target must not panic, and may hold more against what it is given.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// How many inputs are tried where nobody says.
const CASES: usize = 1000;
/// How many changes are made to an input at most.
const CHANGES: usize = 6;
/// How long an input may grow.
const LONGEST: usize = 1 << 14;

/// Tries a target on changed `seeds`; `words` are what its grammar is made of. A slow target takes a `share` of the cases.
#[track_caller]
pub(crate) fn feed(seeds: &[&[u8]], words: &[&[u8]], share: usize, target: impl Fn(&[u8])) {
    let mut chance = Chance(ChaCha8Rng::seed_from_u64(20_260_131));
    for case in 0..count_from("MARTLET_FUZZ_CASES", CASES).div_ceil(share) {
        let mut input = seeds[case % seeds.len()].to_vec();
        // The seeds themselves come first.
        if case >= seeds.len() {
            for _ in 0..=chance.below(CHANGES) {
                change(&mut input, seeds, words, &mut chance);
            }
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| target(&input)));
        assert!(outcome.is_ok(), "case {case} fails: \"{}\"", input.escape_ascii());
    }
}

/// Returns how many cases are to be tried: as a variable says, or so many.
pub(crate) fn count_from(variable: &str, fallback: usize) -> usize {
    #[expect(clippy::disallowed_methods, reason = "only whoever runs the tests sets it")]
    let written = std::env::var(variable);
    written.ok().map_or(fallback, |text| text.parse().unwrap())
}

struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0.next_u64() as usize % end.max(1)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..start + self.below((length - start).min(32) + 1)
    }
}

fn change(input: &mut Vec<u8>, seeds: &[&[u8]], words: &[&[u8]], chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    match chance.below(8) {
        0 if at < input.len() => input[at] ^= 1 << chance.below(8),
        1 if at < input.len() => input[at] = chance.below(256) as u8,
        2 => input.truncate(at),
        3 => drop(input.drain(chance.range(input.len()))),
        4 => {
            let piece = input[chance.range(input.len())].to_vec();
            let times = 1 + chance.below(20);
            input.splice(at..at, piece.repeat(times));
        }
        5 => {
            let other = seeds[chance.below(seeds.len())];
            input.truncate(at);
            input.extend_from_slice(&other[chance.below(other.len() + 1)..]);
        }
        _ => {
            let word = words[chance.below(words.len())];
            input.splice(at..at, word.iter().copied());
        }
    }
    input.truncate(LONGEST);
}
