//! A chunk of people: what they do, and the rows that come of it.

use super::calendar::DAY;
use super::chance::{Chance, Topic, scramble64};
use super::evidence::{Evidence, Marks};
use super::happening::{Happening, What};
use super::options::SampleError;
use super::people::Person;
use super::plan::{Planned, plan_person};
use super::purchase::Purchase;
use super::sends::Moment;
use super::source::Source;
use super::tally::Effect;
use super::world::World;
use super::{app, crm, orders, sends, store, web};

/// People and what they do in the whole period, in the order of time.
pub(super) struct Chunk<'a> {
    world: &'a World,
    pub(super) people: Vec<Person>,
    pub(super) purchases: Vec<Purchase>,
    happenings: Vec<Happening>,
}

impl<'a> Chunk<'a> {
    /// Plans what the people of a chunk do.
    pub(super) fn plan(world: &'a World, number: u64) -> Self {
        let first = number * world.people_per_chunk;
        let end = (first + world.people_per_chunk).min(world.options.customers);
        let person = |number| Person::new(world.options.seed, number, &world.calendar);
        let people: Vec<Person> = (first..end).map(person).collect();
        let mut planned = Planned::default();
        for (person, index) in people.iter().zip(0..) {
            plan_person(world, person, index, &mut planned);
        }
        let mut happenings = planned.happenings;
        happenings
            .sort_unstable_by_key(|happening| (happening.at, happening.person, happening.serial));
        Self { world, people, purchases: planned.purchases, happenings }
    }

    /// Makes the rows of a day.
    pub(super) fn write_day(&self, day: u32, output: &mut Output) -> Result<(), SampleError> {
        let begins = i64::from(day) * DAY;
        let before = |end: i64| self.happenings.partition_point(|happening| happening.at < end);
        for happening in &self.happenings[before(begins)..before(begins + DAY)] {
            self.write(happening, output)?;
        }
        Ok(())
    }

    fn write(&self, happening: &Happening, output: &mut Output) -> Result<(), SampleError> {
        let scene = Scene {
            world: self.world,
            person: &self.people[happening.person as usize],
            purchases: &self.purchases,
            index: happening.person,
            serial: happening.serial,
            at: happening.at,
        };
        let purchase = |index: u32| &self.purchases[index as usize];
        match happening.what {
            What::WebVisit(visit) => web::write(&scene, &visit, output)?,
            What::AppVisit(visit) => app::write(&scene, &visit, output)?,
            What::Order { purchase: index, version } => {
                orders::write(&scene, purchase(index), version, output)?;
            }
            What::Receipt { purchase: index } => {
                store::write_receipt(&scene, purchase(index), output);
            }
            What::Return { purchase: index } => {
                store::write_return(&scene, purchase(index), output);
            }
            What::Send { campaign } => {
                sends::write(&scene, campaign, Moment::Assigned, output)?;
            }
            What::SendOutcome { campaign } => {
                sends::write(&scene, campaign, Moment::Outcome, output)?;
            }
            What::CustomerRecord { version } => crm::write(&scene, version, output),
        }
        Ok(())
    }
}

/// A happening with everything its rows are made from.
pub(super) struct Scene<'a> {
    pub(super) world: &'a World,
    pub(super) person: &'a Person,
    purchases: &'a [Purchase],
    /// Index of the person in the chunk.
    pub(super) index: u32,
    pub(super) serial: u16,
    pub(super) at: i64,
}

impl<'a> Scene<'a> {
    pub(super) fn purchase(&self, index: Option<u32>) -> Option<&'a Purchase> {
        index.map(|index| &self.purchases[index as usize])
    }

    /// Begins the stream of chance of this happening.
    pub(super) fn chance(&self, topic: Topic) -> Chance {
        self.world.chance(topic, self.person.number, u64::from(self.serial))
    }

    /// Returns a number that no other happening and no other row of this one has.
    pub(super) fn key(&self, row: u64) -> u64 {
        let happening = (self.person.number << 28) | (u64::from(self.serial) << 12);
        scramble64(happening | row)
    }
}

/// What a row is to the other rows of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// The first of its key.
    First,
    /// A newer state of a key that came before.
    Version,
    /// The same again.
    Repeat,
}

/// A row of an export.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// When it is exported.
    pub(super) at: i64,
    pub(super) line: Vec<u8>,
    pub(super) mark: Mark,
}

impl Row {
    pub(super) fn first(at: i64, line: Vec<u8>) -> Self {
        let mark = Mark::First;
        Self { at, line, mark }
    }

    pub(super) fn repeat(at: i64, line: Vec<u8>) -> Self {
        let mark = Mark::Repeat;
        Self { at, line, mark }
    }
}

/// The rows of a day by source, and what they tell of people and campaigns.
pub(super) struct Output {
    rows: [Vec<Row>; Source::ALL.len()],
    pub(super) evidence: Vec<Evidence>,
    pub(super) effects: Vec<Effect>,
}

impl Output {
    pub(super) fn new(people: usize, campaigns: usize) -> Self {
        Self {
            rows: std::array::from_fn(|_| Vec::new()),
            evidence: vec![Evidence::default(); people],
            effects: vec![Effect::default(); campaigns],
        }
    }

    pub(super) fn push(&mut self, source: Source, row: Row) {
        self.rows[source as usize].push(row);
    }

    /// Takes the rows of a source out.
    pub(super) fn take(&mut self, source: Source) -> Vec<Row> {
        std::mem::take(&mut self.rows[source as usize])
    }

    /// Takes note of the identifiers of a row.
    pub(super) fn record(&mut self, person: u32, marks: Marks) {
        self.evidence[person as usize].record(marks);
    }

    /// Counts a person chosen for a message.
    pub(super) fn count_send(&mut self, campaign: u16, is_control: bool) {
        let effect = &mut self.effects[usize::from(campaign)];
        if is_control {
            effect.control += 1;
        } else {
            effect.treated += 1;
        }
    }
}
