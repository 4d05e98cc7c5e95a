//! From records to scored pairs.

use std::collections::BTreeMap;

use super::blocking::{BlockCounts, Candidates, Pair, candidates};
use super::chance::{Chance, Frequencies};
use super::em::{Counted, Fitted, fitted};
use super::model::{BlockFields, Model};
use super::pattern::{Pattern, compared};
use super::records::{RecordNumber, Records};
use super::select::{Persons, Scored, missed, rank, select};
use crate::plan;

/// The pairs that are matches, best first, and what they were judged by.
pub(super) struct Outcome<'a> {
    pub(super) chosen: Vec<Scored>,
    /// The best of the pairs that were not taken.
    pub(super) missed: Vec<Scored>,
    pub(super) scorer: Scorer<'a>,
    /// The number of all pairs, compared or not.
    pub(super) all: f64,
    /// How many pairs were compared.
    pub(super) pairs: u64,
    /// For each blocking rule.
    pub(super) blocks: Vec<BlockCounts>,
}

/// How often the rates of strangers are taken anew, from records of persons told apart meanwhile.
const PASSES: usize = 2;

/// How probable it must be that two records are of one person to take them for it where rates of strangers are estimated.
///
/// It is not the threshold of the rules: what a pair is worth would depend on how sure one wants to be of it, and pairs
/// just below a high threshold would count as strangers who agree, and drag each other down.
const MORE_LIKELY_THAN_NOT: f64 = 0.5;
/// Pairs less probable than that need not be looked at by anybody.
const WORTH_A_LOOK: f64 = 0.01;

/// Compares the candidates, estimates what their levels are worth, and keeps those beyond the threshold.
pub(super) fn score<'a>(
    threads: usize,
    rules: &'a plan::Matching,
    records: &'a Records,
) -> Outcome<'a> {
    let Candidates { pairs, blocks } = candidates(threads, rules, records);
    let compared = compared(threads, records, &rules.comparisons, &pairs);
    let evidence = Evidence {
        threads,
        rules,
        records,
        chance: Chance::sample(threads, rules, records),
        counted: counted(&compared),
        all: all_pairs(rules, records),
    };
    let mut persons = Persons::new(records.len()).leaders();
    let mut scorer = evidence.scorer(evidence.guess(&blocks, &persons), &persons);
    for _ in 0..PASSES {
        persons = scorer.persons(&compared);
        scorer = evidence.scorer(scorer.model, &persons);
    }
    let mut matches: Vec<Scored> = scorer.beyond(rules.threshold, &compared).collect();
    rank(&mut matches);
    let chosen = select(records, &matches);
    let missed = missed(records, &chosen, scorer.beyond(WORTH_A_LOOK, &compared));
    Outcome { chosen, missed, scorer, all: evidence.all, pairs: pairs.len() as u64, blocks }
}

/// Counts equal patterns, so that a round of estimation does not go over all pairs.
fn counted(compared: &[(Pair, Pattern)]) -> Vec<Counted> {
    let mut counts: BTreeMap<Pattern, u64> = BTreeMap::new();
    for (_, pattern) in compared {
        *counts.entry(*pattern).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// Returns how many pairs there are, compared or not.
fn all_pairs(rules: &plan::Matching, records: &Records) -> f64 {
    let own = records.of_source(0) as f64;
    let others = records.len() as f64 - own;
    let within = if rules.within { own * (own - 1.0) / 2.0 } else { 0.0 };
    (own * others + within).max(1.0)
}

/// What the estimates are made from.
struct Evidence<'a> {
    threads: usize,
    rules: &'a plan::Matching,
    records: &'a Records,
    chance: Chance,
    counted: Vec<Counted>,
    /// The number of all pairs.
    all: f64,
}

impl<'a> Evidence<'a> {
    fn guess(&self, blocks: &[BlockCounts], persons: &[RecordNumber]) -> Model {
        let others = self.chance.rates(self.records, &self.rules.comparisons, persons);
        let blocks = block_fields(self.rules, blocks);
        let guess = Model::guess(&others, self.records.len() as u64, self.all, &blocks);
        guess.with_household(&self.rules.household)
    }

    fn scorer(&self, model: Model, persons: &[RecordNumber]) -> Scorer<'a> {
        let comparisons = &self.rules.comparisons;
        let others = self.chance.rates(self.records, comparisons, persons);
        let guess = model.with_others(&others);
        let Fitted { model, rounds, has_settled } =
            fitted(self.threads, guess, &self.counted, self.all);
        let frequencies = comparisons.iter().map(|comparison| {
            let frequencies = || Frequencies::of(self.records, comparison.field, persons);
            comparison.frequencies.then(frequencies)
        });
        let frequencies = frequencies.collect();
        let Self { rules, records, .. } = *self;
        Scorer { rules, records, model, rounds, has_settled, frequencies }
    }
}

/// Returns for each block the comparisons of its fields, and its pairs; of blocks with the same fields the biggest.
fn block_fields(rules: &plan::Matching, blocks: &[BlockCounts]) -> Vec<BlockFields> {
    let mut all: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
    for (block, counts) in rules.blocks.iter().zip(blocks) {
        let fields: Vec<usize> = block.keys.iter().flat_map(|key| key.fields.clone()).collect();
        let is_of_block = |at: &usize| fields.contains(&rules.comparisons[*at].field);
        let compared = (0..rules.comparisons.len()).filter(is_of_block).collect();
        let pairs = all.entry(compared).or_default();
        *pairs = counts.pairs.max(*pairs);
    }
    all.into_iter().collect()
}

/// Judges pairs.
pub(super) struct Scorer<'a> {
    rules: &'a plan::Matching,
    records: &'a Records,
    pub(super) model: Model,
    /// How many rounds the last estimate took, and whether it had settled then.
    pub(super) rounds: usize,
    pub(super) has_settled: bool,
    /// For each comparison, where its values weigh more when they are rare.
    frequencies: Vec<Option<Frequencies>>,
}

impl Scorer<'_> {
    /// Returns for each record the one that stands for its person.
    fn persons(&self, compared: &[(Pair, Pattern)]) -> Vec<RecordNumber> {
        let mut persons = Persons::new(self.records.len());
        for scored in self.beyond(MORE_LIKELY_THAN_NOT, compared) {
            persons.join(scored.pair.0, scored.pair.1);
        }
        persons.leaders()
    }

    /// Returns the pairs that are as probable as that, or more.
    fn beyond<'c>(
        &'c self,
        probability: f64,
        compared: &'c [(Pair, Pattern)],
    ) -> impl Iterator<Item = Scored> + 'c {
        let scored = compared.iter().map(|(pair, pattern)| self.judge(*pair, *pattern));
        scored.filter(move |scored| scored.probability >= probability)
    }

    fn judge(&self, pair: Pair, pattern: Pattern) -> Scored {
        let parts = self.parts(pair, pattern).map(|part| part.map(|(_, weight)| weight));
        let weight = self.model.weight(&parts.collect::<Vec<_>>());
        Scored { pair, pattern, weight, probability: self.model.probability(weight) }
    }

    /// Returns for each comparison its level and how many bits of evidence it is, unless a value is missing.
    pub(super) fn parts(
        &self,
        pair: Pair,
        pattern: Pattern,
    ) -> impl Iterator<Item = Option<(usize, f64)>> {
        let rates = self.model.rates.iter().enumerate();
        rates.map(move |(at, rates)| {
            let level = pattern.level(at)?;
            let rarity = if level == 0 { self.rarity(at, pair.0) } else { 0.0 };
            Some((level, rates[level].weight() + rarity))
        })
    }

    /// Returns how many bits more it means that both have this value rather than any equal one.
    fn rarity(&self, at: usize, record: RecordNumber) -> f64 {
        let Some(frequencies) = &self.frequencies[at] else {
            return 0.0;
        };
        let agreement = self.model.rates[at][0].others;
        let value = self.records.value(self.rules.comparisons[at].field, record);
        (agreement / frequencies.share(value, agreement)).log2()
    }
}
