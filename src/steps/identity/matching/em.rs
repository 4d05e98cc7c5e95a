//! Estimates the model from the candidates by expectation and maximisation, without knowing which are matches.

use super::model::{Model, Rates, Relation, guessed};
use super::pattern::Pattern;
use crate::engine::{Queue, on_threads};

/// A pattern and how many of the candidates show it.
pub(super) type Counted = (Pattern, u64);

/// No more rounds than this; each costs one pass over the patterns.
const MAX_ROUNDS: usize = 1000;
/// The rounds end when nothing moves by more.
const PRECISION: f64 = 1e-4;
/// Related persons never agree in a field for certain. Matches may, so this must be so near that no pairs go over from a
/// relation to the matches round by round for the little that is between.
const MOST_ALIKE: f64 = 0.99999;
/// Counts as if so many matches had been seen that agree as the first guess has it.
const GUESSED: f64 = 5.0;
/// Sums of so many patterns are added up, so that rounding does not depend on the number of threads.
const PATTERNS_AT_ONCE: usize = 4096;

/// Estimates shares and rates from the candidates; the rates of strangers stay.
///
/// `pairs` is the number of all pairs. Those that are no candidates are taken to be of strangers.
pub(super) fn fitted(threads: usize, guess: Model, candidates: &[Counted], pairs: f64) -> Fitted {
    let mut fitted = settled(threads, guess, candidates, pairs);
    loop {
        let relations = fitted.model.relations.len();
        fitted.model.judge_relations(pairs);
        let is_final = fitted.model.relations.len() == relations;
        let rounds = fitted.rounds;
        fitted = settled(threads, fitted.model, candidates, pairs);
        fitted.rounds += rounds;
        if is_final {
            return fitted;
        }
    }
}

/// An estimate, and how it came about.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) model: Model,
    /// How often all candidates were looked at.
    pub(super) rounds: usize,
    /// Whether nothing moved any more in the last round.
    pub(super) has_settled: bool,
}

fn settled(threads: usize, guess: Model, candidates: &[Counted], pairs: f64) -> Fitted {
    let mut model = guess;
    for round in 1..=MAX_ROUNDS {
        let next = expected(threads, &model, candidates).model(&model, pairs);
        let moved = distance(&model, &next);
        model = next;
        if moved < PRECISION {
            return Fitted { model, rounds: round, has_settled: true };
        }
    }
    Fitted { model, rounds: MAX_ROUNDS, has_settled: false }
}

/// Returns by how much the models differ at most.
fn distance(before: &Model, after: &Model) -> f64 {
    let rates = before.rates.iter().flatten().zip(after.rates.iter().flatten());
    let rates = rates.map(|(before, after)| (before.matches - after.matches).abs());
    let relations = before.relations.iter().zip(&after.relations);
    let relations = relations.flat_map(|(before, after)| before.alike.iter().zip(&after.alike));
    let relations = relations.map(|(before, after)| (before - after).abs());
    let share = (before.share / after.share).ln().abs();
    rates.chain(relations).fold(share, f64::max)
}

/// What is expected to be behind the candidates.
struct Expected {
    matches: f64,
    /// For each comparison, for each level, among matches.
    levels: Vec<Vec<f64>>,
    relations: Vec<ExpectedRelation>,
}

#[derive(Clone)]
struct ExpectedRelation {
    pairs: f64,
    /// For each comparison, pairs with values on both sides, and those that agree as one person would.
    fields: Vec<(f64, f64)>,
}

fn expected(threads: usize, model: &Model, candidates: &[Counted]) -> Expected {
    let ratio = |rates: &Rates| rates.others / rates.matches;
    let of_field = |rates: &Vec<Rates>| rates.iter().map(ratio).collect();
    let ratios: Vec<Vec<f64>> = model.rates.iter().map(of_field).collect();
    let queue = Queue::new(candidates.chunks(PATTERNS_AT_ONCE).enumerate());
    let work = |_| {
        let mut found = Vec::new();
        while let Some((number, chunk)) = queue.next() {
            found.push((number, Expected::of(model, &ratios, chunk)));
        }
        Ok::<_, std::convert::Infallible>(found)
    };
    let threads = threads.min(candidates.len().div_ceil(PATTERNS_AT_ONCE));
    let Ok(found) = on_threads(threads, work);
    let mut found: Vec<_> = found.into_iter().flatten().collect();
    found.sort_by_key(|(number, _)| *number);
    let mut sum = Expected::nothing(model);
    for (_, part) in &found {
        sum.add(part);
    }
    sum
}

impl Expected {
    fn nothing(model: &Model) -> Self {
        let relation = ExpectedRelation { pairs: 0.0, fields: vec![(0.0, 0.0); model.rates.len()] };
        Self {
            matches: 0.0,
            levels: model.rates.iter().map(|rates| vec![0.0; rates.len()]).collect(),
            relations: vec![relation; model.relations.len()],
        }
    }

    fn of(model: &Model, ratios: &[Vec<f64>], candidates: &[Counted]) -> Self {
        let mut sum = Self::nothing(model);
        let mut present = vec![None; ratios.len()];
        let mut others = Vec::new();
        for (pattern, count) in candidates {
            for (at, ratio) in present.iter_mut().enumerate() {
                *ratio = pattern.level(at).map(|level| ratios[at][level]);
            }
            model.explain(&present, &mut others);
            let all = model.share + others.iter().sum::<f64>();
            let share = *count as f64 / all;
            sum.note_match(*pattern, share * model.share);
            for (at, relation) in model.relations.iter().enumerate() {
                let pairs = share * others[at + 1];
                sum.relations[at].note(relation, (&present, model.is_judged), pairs);
            }
        }
        sum
    }

    fn note_match(&mut self, pattern: Pattern, matches: f64) {
        self.matches += matches;
        for (at, levels) in self.levels.iter_mut().enumerate() {
            if let Some(level) = pattern.level(at) {
                levels[level] += matches;
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.matches += other.matches;
        let levels = self.levels.iter_mut().flatten().zip(other.levels.iter().flatten());
        levels.for_each(|(sum, part)| *sum += part);
        for (sum, part) in self.relations.iter_mut().zip(&other.relations) {
            sum.pairs += part.pairs;
            for (sum, part) in sum.fields.iter_mut().zip(&part.fields) {
                sum.0 += part.0;
                sum.1 += part.1;
            }
        }
    }

    /// Makes the model under which what is expected is most probable.
    fn model(&self, before: &Model, pairs: f64) -> Model {
        let share = |seen: f64| (seen / pairs).clamp(1e-15, 0.5);
        let rates = before.rates.iter().zip(&self.levels);
        let alike = |(present, alike): &(f64, f64)| (alike / present.max(1e-9)).min(MOST_ALIKE);
        let relation = |seen: &ExpectedRelation| Relation {
            share: share(seen.pairs),
            alike: seen.fields.iter().map(alike).collect(),
        };
        Model {
            share: share(self.matches),
            rates: rates.map(|(rates, seen)| renewed(rates, seen)).collect(),
            relations: self.relations.iter().map(relation).collect(),
            is_judged: before.is_judged,
            household: before.household.clone(),
        }
    }
}

impl ExpectedRelation {
    fn note(&mut self, relation: &Relation, seen: (&[Option<f64>], bool), pairs: f64) {
        self.pairs += pairs;
        for (field, ((present, alike), ratio)) in self.fields.iter_mut().zip(seen.0).enumerate() {
            if let Some(ratio) = ratio {
                *present += pairs;
                *alike += pairs * relation.agrees(field, *ratio, seen);
            }
        }
    }
}

fn renewed(rates: &[Rates], seen: &[f64]) -> Vec<Rates> {
    let guessed = guessed(rates.len(), GUESSED);
    let seen: Vec<f64> = seen.iter().zip(guessed).map(|(seen, guessed)| seen + guessed).collect();
    let total: f64 = seen.iter().sum();
    let both = rates.iter().zip(seen);
    both.map(|(rates, seen)| Rates { matches: seen / total, ..*rates }).collect()
}

#[cfg(test)]
mod tests {
    use super::super::model::Model;
    use super::super::pattern::Pattern;
    use super::{Counted, fitted};

    const MATCHES: [[f64; 2]; 4] = [[0.95, 0.05], [0.9, 0.1], [0.85, 0.15], [0.8, 0.2]];
    const OTHERS: [[f64; 2]; 4] = [[0.01, 0.99], [0.02, 0.98], [0.005, 0.995], [0.1, 0.9]];

    /// Returns each pattern of four comparisons as often as the rates foresee among so many pairs.
    fn foreseen(rates: &[[f64; 2]; 4], pairs: f64) -> Vec<(usize, f64)> {
        let level = |pattern: usize, at: usize| pattern >> at & 1;
        let share =
            |pattern: usize| (0..4).map(|at| rates[at][level(pattern, at)]).product::<f64>();
        (0..16).map(|pattern| (pattern, pairs * share(pattern))).collect()
    }

    fn counted(parts: &[Vec<(usize, f64)>]) -> Vec<Counted> {
        let mut counts = [0.0; 16];
        parts.iter().flatten().for_each(|(pattern, pairs)| counts[*pattern] += pairs);
        let levels = |pattern: usize| [0, 1, 2, 3].map(|at| (pattern >> at & 1) as u8);
        let pattern = |pattern: usize| Pattern::of(&levels(pattern));
        (0..16).map(|number| (pattern(number), counts[number].round() as u64)).collect()
    }

    fn fit(candidates: &[Counted], blocks: &[(Vec<usize>, u64)]) -> Model {
        let others: Vec<Vec<f64>> = OTHERS.iter().map(|rates| rates.to_vec()).collect();
        let fitted = fitted(1, Model::guess(&others, 10_000, 1e7, blocks), candidates, 1e7);
        assert!(fitted.has_settled, "{} rounds", fitted.rounds);
        fitted.model
    }

    #[test]
    fn rates_and_share_of_matches_are_found_without_labels() {
        let candidates = counted(&[foreseen(&MATCHES, 3e4), foreseen(&OTHERS, 9.97e6)]);
        let model = fit(&candidates, &[]);
        assert!((model.share * 1e7 / 3e4 - 1.0).abs() < 0.02, "{}", model.share);
        for (found, rates) in model.rates.iter().zip(MATCHES) {
            assert!((found[0].matches - rates[0]).abs() < 0.01, "{found:?}");
        }
        assert!(model.relations.is_empty());
    }

    #[test]
    fn persons_alike_for_a_reason_are_told_from_matches() {
        // They have the last two fields in common, and differ in the first two as strangers do.
        let related = [OTHERS[0], OTHERS[1], MATCHES[2], MATCHES[3]];
        let candidates =
            counted(&[foreseen(&MATCHES, 1e4), foreseen(&related, 3e4), foreseen(&OTHERS, 9.96e6)]);
        let alone = fit(&candidates, &[]);
        let model = fit(&candidates, &[(vec![2, 3], 100_000)]);
        assert_eq!(model.relations.len(), 1);
        assert!((model.share * 1e7 / 1e4 - 1.0).abs() < 0.1, "{}", model.share);
        let probability = |model: &Model| {
            let level = |(at, level): (usize, usize)| Some(model.rates[at][level].weight());
            let parts: Vec<Option<f64>> = [1, 1, 0, 0].into_iter().enumerate().map(level).collect();
            model.probability(model.weight(&parts))
        };
        assert!(probability(&alone) > 0.5, "{}", probability(&alone));
        assert!(probability(&model) < 0.01, "{}", probability(&model));
    }

    /// Returns candidates with two levels in each of five fields: given name, birth, surname, street, postcode.
    fn of_homes(chance: [f64; 5], kinds: &[([f64; 5], f64)]) -> (Vec<Vec<f64>>, Vec<Counted>) {
        let others: Vec<Vec<f64>> = chance.iter().map(|one| vec![*one, 1.0 - one]).collect();
        let count = |number: usize| {
            let share = |alike: &[f64; 5]| -> f64 {
                let field =
                    |at: usize| if number >> at & 1 == 0 { alike[at] } else { 1.0 - alike[at] };
                (0..5).map(field).product()
            };
            let levels = [0, 1, 2, 3, 4].map(|at| (number >> at & 1) as u8);
            let pairs: f64 = kinds.iter().map(|(alike, pairs)| pairs * share(alike)).sum();
            (Pattern::of(&levels), pairs.round() as u64)
        };
        (others, (0..32).map(count).collect())
    }

    #[test]
    fn who_moved_house_is_told_from_who_lives_together() {
        let chance = [8e-3, 4e-5, 3e-3, 5e-4, 2.5e-3];
        let stayed = [0.95, 0.97, 0.96, 0.95, 0.97];
        let moved = [0.95, 0.97, 0.96, 5e-4, 2.5e-3];
        let at_home = [8e-3, 4e-5, 0.9, 1.0, 1.0];
        let kinds = [(chance, 5e7), (stayed, 1_000.0), (moved, 1_000.0), (at_home, 6_000.0)];
        let (others, candidates) = of_homes(chance, &kinds);
        let blocks = [(vec![0, 1], 3_000), (vec![0, 2], 4_000), (vec![3, 4], 8_000)];
        let guess = Model::guess(&others, 10_000, 5e7, &blocks);
        let model = fitted(1, guess, &candidates, 5e7).model;
        let found = model.share * 5e7;
        assert!((found / 2_000.0 - 1.0).abs() < 0.1, "{found} matches");
        let [relation] = &model.relations[..] else { panic!("{:?}", model.relations) };
        assert!(relation.alike[0] < 0.3 && relation.alike[3] > 0.9, "{relation:?}");
    }

    #[test]
    fn where_nobody_lives_together_it_can_be_said_what_a_household_has_in_common() {
        let chance = [8e-3, 4e-5, 3e-3, 5e-4, 2.5e-3];
        let stayed = [0.95, 0.97, 0.96, 0.95, 0.97];
        let moved = [0.95, 0.97, 0.96, 5e-4, 2.5e-3];
        let kinds = [(chance, 5e7), (stayed, 1_000.0), (moved, 1_000.0)];
        let (others, candidates) = of_homes(chance, &kinds);
        let blocks = [(vec![0, 1], 3_000), (vec![0, 2], 4_000), (vec![3, 4], 2_000)];
        let found = |household: &[usize]| {
            let guess = Model::guess(&others, 10_000, 5e7, &blocks).with_household(household);
            fitted(1, guess, &candidates, 5e7).model.share * 5e7
        };
        assert!(found(&[]) < 1_300.0, "{} matches", found(&[]));
        let found = found(&[2, 3, 4]);
        assert!((found / 2_000.0 - 1.0).abs() < 0.1, "{found} matches");
    }

    #[test]
    fn many_who_differ_in_the_given_name_alone_are_no_matches() {
        // The second field is a telephone now; no birth tells the persons of a household apart.
        let chance = [8e-3, 1e-4, 3e-3, 5e-4, 2.5e-3];
        let matches = [0.95, 0.9, 0.96, 0.95, 0.97];
        let at_home = [8e-3, 0.4, 0.95, 1.0, 1.0];
        let kinds = [(chance, 5e7), (matches, 1_000.0), (at_home, 6_000.0)];
        let (others, candidates) = of_homes(chance, &kinds);
        let blocks = [(vec![0, 2], 2_000), (vec![3, 4], 8_000)];
        let guess = Model::guess(&others, 10_000, 5e7, &blocks);
        let found = fitted(1, guess, &candidates, 5e7).model.share * 5e7;
        assert!((found / 1_000.0 - 1.0).abs() < 0.3, "{found} matches");
    }

    #[test]
    fn where_nobody_is_there_twice_households_are_no_matches() {
        // Given name, birth, surname, street, postcode: persons of a household always agree in the last three.
        let chance = [8e-3, 4e-5, 3e-3, 5e-4, 2.5e-3];
        let others: Vec<Vec<f64>> = chance.iter().map(|one| vec![*one, 1.0 - one]).collect();
        let (records, pairs, related) = (10_000, 5e7, 1.4e4);
        let candidates: Vec<Counted> = (0..32_usize)
            .map(|number| {
                let levels = [0, 1, 2, 3, 4].map(|at| (number >> at & 1) as u8);
                let share = |fields: std::ops::Range<usize>| -> f64 {
                    fields.map(|at| others[at][usize::from(levels[at])]).product()
                };
                let at_home = if levels[2..] == [0, 0, 0] { related * share(0..2) } else { 0.0 };
                (Pattern::of(&levels), (pairs * share(0..5) + at_home).round() as u64)
            })
            .collect();
        let blocks = [(vec![0, 2], 1_500), (vec![3, 4], 15_000)];
        let guess = Model::guess(&others, records, pairs, &blocks);
        let model = fitted(1, guess, &candidates, pairs).model;
        let level = |(at, level): (usize, usize)| Some(model.rates[at][level].weight());
        let parts = [1, 1, 0, 0, 0].into_iter().enumerate().map(level).collect::<Vec<_>>();
        let probability = model.probability(model.weight(&parts));
        assert!(probability < 0.5, "{probability}");
    }

    #[test]
    fn families_are_no_matches_although_most_of_those_at_one_address_have_other_surnames() {
        // All of the block are at one address; of every eight related pairs one has a surname in common.
        let home = [OTHERS[0], OTHERS[1], OTHERS[2], [1.0, 0.0]];
        let family = [OTHERS[0], OTHERS[1], [1.0, 0.0], [1.0, 0.0]];
        let candidates = counted(&[
            foreseen(&MATCHES, 5e3),
            foreseen(&family, 1.5e4),
            foreseen(&home, 1e5),
            foreseen(&OTHERS, 9.88e6),
        ]);
        let model = fit(&candidates, &[(vec![3], 200_000)]);
        assert_eq!(model.relations.len(), 1);
        assert!((model.share * 1e7 / 5e3 - 1.0).abs() < 0.2, "{}", model.share * 1e7);
    }

    #[test]
    fn matches_with_two_mistakes_are_no_relation() {
        // A few percent of the matches have two fields exchanged.
        let exchanged = [[0.0, 1.0], [0.0, 1.0], MATCHES[2], MATCHES[3]];
        let candidates = counted(&[
            foreseen(&MATCHES, 2.9e4),
            foreseen(&exchanged, 1e3),
            foreseen(&OTHERS, 9.97e6),
        ]);
        assert!(fit(&candidates, &[(vec![2, 3], 100_000)]).relations.is_empty());
    }

    #[test]
    fn matches_that_differ_as_often_as_foreseen_are_no_relation() {
        let careless = [[0.45, 0.55], [0.45, 0.55], MATCHES[2], MATCHES[3]];
        let candidates = counted(&[foreseen(&careless, 3e4), foreseen(&OTHERS, 9.97e6)]);
        let model = fit(&candidates, &[(vec![2, 3], 100_000)]);
        assert!(model.relations.is_empty());
        assert!((model.rates[0][1].matches - 0.55).abs() < 0.02, "{:?}", model.rates[0]);
    }
}
