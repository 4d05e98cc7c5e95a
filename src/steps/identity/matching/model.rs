//! What is known of all pairs: how often each level of agreement occurs, and why.

/// How often a level occurs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rates {
    /// Among matches.
    pub(super) matches: f64,
    /// Among pairs of strangers.
    pub(super) others: f64,
}

impl Rates {
    /// Returns how many bits of evidence for a match the level is.
    pub(super) fn weight(self) -> f64 {
        (self.matches / self.others).log2()
    }
}

/// Different persons who are alike in some fields for a reason: a household, a street, a namesake.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Relation {
    /// The share of such pairs among all pairs of records.
    pub(super) share: f64,
    /// For each comparison, how often they agree as one person would rather than by chance.
    pub(super) alike: Vec<f64>,
}

/// The fields in which the records of a block agree, as comparisons, and its pairs.
pub(super) type BlockFields = (Vec<usize>, u64);

/// What is known of all pairs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Model {
    /// The share of matches among all pairs of records, compared or not.
    pub(super) share: f64,
    /// For each comparison, for each level.
    pub(super) rates: Vec<Vec<Rates>>,
    pub(super) relations: Vec<Relation>,
}

/// How often matches are taken to agree exactly before anything is known.
const FIRST_GUESS: f64 = 0.8;
/// How often related persons are taken to agree for a reason: in the fields of their block, and in others.
const ALIKE_IN_BLOCK: f64 = 0.9;
const ALIKE_ELSEWHERE: f64 = 0.5;
/// Related persons who agree in a field more seldom than this differ in it as strangers do.
const STRANGERS: f64 = 0.3;
/// So many related pairs have to agree in such a field for it to be believed that they do for a reason.
const TELLING_PAIRS: f64 = 50.0;
/// In how many fields related persons differ as strangers do, at least.
const LEAST_STRANGE: usize = 2;
/// Which part of all evidence agreement in those fields usually is.
const USUAL_PART: f64 = 0.35;
/// The smaller the part, the more related pairs it takes, by this power.
const PART_POWER: i32 = 6;
/// How many related pairs there are for each match, at least; fewer could not do much harm.
const LEAST_SHARE: f64 = 0.1;

impl Model {
    /// Makes a first guess: most matches agree exactly, every record has one, and the records of each block may be
    /// those of related persons.
    pub(super) fn guess(
        others: &[Vec<f64>],
        records: u64,
        pairs: f64,
        blocks: &[BlockFields],
    ) -> Self {
        let relation = |(fields, count): &BlockFields| {
            let is_of_block =
                |at| if fields.contains(&at) { ALIKE_IN_BLOCK } else { ALIKE_ELSEWHERE };
            let share = (*count as f64 / pairs / 2.0).clamp(1e-12, 0.1);
            Relation { share, alike: (0..others.len()).map(is_of_block).collect() }
        };
        let rates = |others: &Vec<f64>| {
            let both = guessed(others.len(), 1.0).into_iter().zip(others);
            both.map(|(matches, others)| Rates { matches, others: *others }).collect()
        };
        Self {
            share: (records as f64 / pairs).clamp(1e-15, 0.1),
            rates: others.iter().map(rates).collect(),
            relations: blocks.iter().map(relation).collect(),
        }
    }

    /// Puts other rates of strangers in the place of those known so far.
    pub(super) fn with_others(mut self, others: &[Vec<f64>]) -> Self {
        let rates = self.rates.iter_mut().flatten().zip(others.iter().flatten());
        rates.for_each(|(rates, others)| rates.others = *others);
        self
    }

    /// Returns how many bits of evidence for a match there are, given those of each field.
    pub(super) fn weight(&self, parts: &[Option<f64>]) -> f64 {
        let ratio = |part: &Option<f64>| part.map(|bits| (-bits).exp2());
        let ratios: Vec<Option<f64>> = parts.iter().map(ratio).collect();
        let mut others = Vec::new();
        self.explain(&ratios, &mut others);
        // Beyond this the number would no longer be one.
        let others = others.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        -(others / (1.0 - self.share)).log2()
    }

    /// Returns how probable a match is, given so many bits of evidence for it.
    pub(super) fn probability(&self, weight: f64) -> f64 {
        let odds = self.share / (1.0 - self.share) * weight.exp2();
        if odds.is_infinite() { 1.0 } else { odds / (1.0 + odds) }
    }

    /// Tells how often each kind of non-match looks like a pair, relative to a match: strangers, then each relation.
    ///
    /// `ratios` tells for each field how often strangers have the pair's level, relative to matches.
    pub(super) fn explain(&self, ratios: &[Option<f64>], others: &mut Vec<f64>) {
        let related: f64 = self.relations.iter().map(|relation| relation.share).sum();
        let strangers = (1.0 - self.share - related).max(f64::MIN_POSITIVE);
        others.clear();
        others.push(strangers * ratios.iter().flatten().product::<f64>());
        others.extend(self.relations.iter().map(|relation| {
            let fields = relation.alike.iter().zip(ratios);
            let present = fields.filter_map(|(alike, ratio)| Some((alike, (*ratio)?)));
            let product: f64 =
                present.map(|(alike, ratio)| alike + (1.0 - alike) * ratio).product();
            relation.share * product
        }));
    }

    /// Keeps the relations that are of different persons, who differ in some telling fields as strangers do, and
    /// that are many.
    ///
    /// Without this a relation might as well be of matches with many mistakes. `pairs` is the number of all pairs.
    pub(super) fn judge_relations(&mut self, pairs: f64) {
        // By strangers alone: what is taken for matches may be the very pairs of a relation.
        let bits: Vec<f64> = self.rates.iter().map(|rates| -rates[0].others.log2()).collect();
        let (all, least) = (bits.iter().sum::<f64>(), LEAST_SHARE * self.share);
        self.relations.retain_mut(|relation| {
            let (mut count, mut strange) = (0, 0.0);
            for (alike, bits) in relation.alike.iter_mut().zip(&bits) {
                if *alike < STRANGERS {
                    count += 1;
                    strange += bits;
                    // Many pairs keep how seldom they agree: else families at a large address, whose surname one pair in
                    // ten has in common, would be left to the matches. Of few it may be the matches with a mistake.
                    if relation.share * pairs * *alike < TELLING_PAIRS {
                        *alike = 0.0;
                    }
                }
            }
            count >= LEAST_STRANGE && relation.share * credit(strange / all) > least
        });
    }
}

/// Returns how much a relation counts whose persons differ in such a part of the evidence.
///
/// A pair that agrees in nearly all of it is rather a match with a mistake that comes in twos, such as given name
/// and surname exchanged.
fn credit(part: f64) -> f64 {
    (part / USUAL_PART).clamp(0.0, 1.0).powi(PART_POWER)
}

/// Spreads matches over levels as the first guess has it.
pub(super) fn guessed(levels: usize, matches: f64) -> Vec<f64> {
    let rest = (1.0 - FIRST_GUESS) / (levels - 1).max(1) as f64;
    let share = |level| if level == 0 { FIRST_GUESS } else { rest };
    (0..levels).map(|level| matches * share(level)).collect()
}
