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
    /// Whether the relations have been judged to be of different persons.
    pub(super) is_judged: bool,
    /// The comparisons in which persons of one household agree; none where nobody has said so.
    pub(super) household: Vec<usize>,
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
/// Related persons who agree in a field more often than this have it in common.
const COMMON: f64 = 0.7;
/// In how many fields related persons differ as strangers do, where they are not many times the matches.
const LEAST_STRANGE: usize = 2;
/// So many times the matches differ in one field alone only if they are no matches: more than two of three would contradict
/// each other in it.
const MANY: f64 = 2.0;
/// Which part of all evidence agreement in those fields usually is.
const USUAL_PART: f64 = 0.35;
/// The smaller the part, the more related pairs it takes, by this power.
const PART_POWER: i32 = 4;
/// How many related pairs there are for each match, at least; fewer could not do much harm.
const LEAST_SHARE: f64 = 0.1;
/// How many where the fields in which they differ are less than [`MOST_PART`] of all evidence: these may be matches of persons
/// who moved house.
const LEAST_SHARE_OF_SMALL_PART: f64 = 0.3;
const MOST_PART: f64 = 0.5;
/// Of two relations of which each has in common what the other differs in, this many bits of evidence weigh as much as half
/// the pairs.
const BITS_OF_HALF: f64 = 4.0;
/// Fewer related pairs than this are held against no other relation.
const FEWEST_PAIRS: f64 = 20.0;

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
            is_judged: false,
            household: Vec::new(),
        }
    }

    /// Notes in which comparisons persons of one household agree.
    pub(super) fn with_household(self, household: &[usize]) -> Self {
        Self { household: household.to_vec(), ..self }
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
        let relations = self.relations.iter();
        others.extend(
            relations.map(|relation| relation.share * relation.likeness(ratios, self.is_judged)),
        );
    }

    /// Keeps the relations that are of different persons.
    ///
    /// Without this a relation might as well be of matches with many mistakes, or of persons who moved house. It is judged once;
    /// later, when less is left to explain, a relation moves too far to be judged by the same measures. `pairs` is the number
    /// of all pairs.
    pub(super) fn judge_relations(&mut self, pairs: f64) {
        // By strangers alone: what is taken for matches may be the very pairs of a relation.
        let bits: Vec<f64> = self.rates.iter().map(|rates| -rates[0].others.log2()).collect();
        for relation in &mut self.relations {
            relation.forget_chance(pairs);
        }
        if self.is_judged {
            return;
        }
        let is_of_others = |relation: &Relation| {
            relation.is_of_others(self.share, &bits) && self.is_beyond_household(relation)
        };
        let judged: Vec<bool> = self.relations.iter().map(is_of_others).collect();
        let contradicted: Vec<bool> =
            self.relations.iter().map(|it| self.is_contradicted(it, pairs, &bits)).collect();
        let mut kept = judged.into_iter().zip(contradicted);
        self.relations.retain(|_| kept.next().is_some_and(|(is_kept, is_not)| is_kept && !is_not));
        self.is_judged = true;
    }

    /// Says whether persons of a relation differ in something that those of a household do not have in common.
    fn is_beyond_household(&self, relation: &Relation) -> bool {
        let mut own = relation.alike.iter().enumerate();
        own.any(|(at, alike)| *alike < STRANGERS && !self.household.contains(&at))
    }

    /// Says whether another relation has in common what this one differs in, and the other way round, and is more probably
    /// of different persons: it knows them by less evidence, or there are more of them.
    ///
    /// Persons of one household have the address in common and not the name, a person who moved has the name in common and
    /// not the address. Both cannot be different persons.
    fn is_contradicted(&self, relation: &Relation, pairs: f64, bits: &[f64]) -> bool {
        let counts = |it: &Relation| {
            it.share > LEAST_SHARE * self.share
                && it.share * pairs >= FEWEST_PAIRS
                && it.alike.iter().any(|alike| *alike < STRANGERS)
        };
        let known_by = |it: &Relation| {
            let fields = it.alike.iter().zip(bits).filter(|(alike, _)| **alike >= COMMON);
            fields.map(|(_, bits)| bits).sum::<f64>()
                - BITS_OF_HALF * (it.share / self.share).log2()
        };
        let mut others = self.relations.iter().filter(|other| counts(other));
        // Who has said what persons of a household have in common has said which of the two it is.
        self.household.is_empty()
            && counts(relation)
            && others.any(|other| {
                relation.is_reverse_of(other)
                    && other.is_reverse_of(relation)
                    && known_by(relation) > known_by(other)
            })
    }
}

impl Relation {
    /// Takes few pairs that agree in a field in which related persons differ to do so by chance.
    ///
    /// Many pairs keep how seldom they agree: else families at a large address, whose surname one pair in ten has in common,
    /// would be left to the matches. Of few it may be the matches with a mistake.
    fn forget_chance(&mut self, pairs: f64) {
        for alike in &mut self.alike {
            if *alike < STRANGERS && self.share * pairs * *alike < TELLING_PAIRS {
                *alike = 0.0;
            }
        }
    }

    /// Says whether the persons differ in telling fields as strangers do, and are many.
    fn is_of_others(&self, matches: f64, bits: &[f64]) -> bool {
        let strange = self.alike.iter().zip(bits).filter(|(alike, _)| **alike < STRANGERS);
        let count = strange.clone().count();
        let part = strange.map(|(_, bits)| bits).sum::<f64>() / bits.iter().sum::<f64>();
        let least = if part < MOST_PART { LEAST_SHARE_OF_SMALL_PART } else { LEAST_SHARE };
        match count {
            0 => false,
            1 => self.share > MANY * matches,
            _ => count >= LEAST_STRANGE && self.share * credit(part) > least * matches,
        }
    }

    /// Says whether the persons have in common all that those of another relation differ in.
    fn is_reverse_of(&self, other: &Self) -> bool {
        let mut fields = self.alike.iter().zip(&other.alike);
        fields.all(|(alike, other)| *other >= STRANGERS || *alike >= COMMON)
    }

    /// Tells how often a pair of the relation looks like this, relative to a match.
    ///
    /// Of a relation that is judged to be of different persons, no pair agrees for a reason in all that tells them apart.
    fn likeness(&self, ratios: &[Option<f64>], is_judged: bool) -> f64 {
        let Telling { all, alike, common } = self.telling(ratios, is_judged);
        match alike {
            None => common,
            Some(alike) => common * (all - alike).max(f64::MIN_POSITIVE) / (1.0 - alike),
        }
    }

    fn telling(&self, ratios: &[Option<f64>], is_judged: bool) -> Telling {
        let mut telling = Telling { all: 1.0, alike: None, common: 1.0 };
        for (share, ratio) in self.alike.iter().zip(ratios) {
            let term = ratio.map_or(1.0, |ratio| share + (1.0 - share) * ratio);
            if is_judged && *share < STRANGERS {
                telling.all *= term;
                telling.alike = Some(telling.alike.unwrap_or(1.0) * share);
            } else {
                telling.common *= term;
            }
        }
        telling
    }

    /// Tells how probably a pair of the relation that looks like this agrees in a field for a reason; `ratio` is that of the
    /// field.
    pub(super) fn agrees(
        &self,
        field: usize,
        ratio: f64,
        (ratios, is_judged): (&[Option<f64>], bool),
    ) -> f64 {
        let share = self.alike[field];
        let term = share + (1.0 - share) * ratio;
        if !is_judged || share >= STRANGERS {
            return share / term;
        }
        if share == 0.0 {
            return 0.0;
        }
        let Telling { all, alike, .. } = self.telling(ratios, is_judged);
        let alike = alike.unwrap_or(0.0);
        // What the other telling fields leave, where they do not all agree for a reason.
        let others = (all / term - alike / share).max(0.0);
        share * others / (all - alike).max(f64::MIN_POSITIVE)
    }
}

/// How often a pair of a relation looks like this, relative to a match.
struct Telling {
    /// In the fields that tell its persons apart.
    all: f64,
    /// How often it agrees for a reason in all of these; none where there is no such field.
    alike: Option<f64>,
    /// In the other fields.
    common: f64,
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
