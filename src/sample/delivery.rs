//! How rows reach the exports: in order of time, some twice, some broken, some late, some parts again.

use std::collections::BTreeMap;

use super::chance::{Chance, Topic};
use super::chunk::{Mark, Row};
use super::dirt;
use super::files::{encode, export_path, write};
use super::options::SampleError;
use super::source::Source;
use super::tally::{Delivered, SourceSummary};
use super::world::World;

/// How many of a thousand rows have a broken copy beside them.
const DIRTY: u64 = 10;
/// A part of the export is delivered again once in so many days.
const ROUND: u64 = 30;
/// The longest delay of a late row, in days.
const LATEST: u64 = 3;

/// The exports of one source for one chunk of people.
pub(super) struct Delivery<'a> {
    world: &'a World,
    source: Source,
    chunk: u64,
    /// Rows held back, by the day on which they are delivered.
    late: BTreeMap<u32, Vec<Row>>,
    /// Lines of yesterday that are delivered again today.
    again: Vec<Line>,
    /// The day of each round whose export is delivered again.
    phase: u64,
}

/// A line of a file.
#[derive(Debug, Clone)]
struct Line {
    text: Vec<u8>,
    delivered: Delivered,
}

impl<'a> Delivery<'a> {
    pub(super) fn new(world: &'a World, source: Source, chunk: u64) -> Self {
        let mut chance = world.chance(Topic::Delivery, source as u64, chunk << 32 | 0xFFFF_FFFF);
        let days = u64::from(world.options.days);
        Self {
            world,
            source,
            chunk,
            late: BTreeMap::new(),
            again: Vec::new(),
            phase: chance.below(ROUND.min(days.saturating_sub(1)).max(1)),
        }
    }

    /// Writes the files of a day.
    pub(super) fn write_day(
        &mut self,
        day: u32,
        rows: Vec<Row>,
        summary: &mut SourceSummary,
    ) -> Result<(), SampleError> {
        let part = self.chunk << 32 | u64::from(day);
        let mut chance = self.world.chance(Topic::Delivery, self.source as u64, part);
        let punctual = self.hold_back(day, rows, &mut chance);
        let lines = self.lines(punctual, &mut chance)?;
        let is_due = self.chunk == 0 && self.source.is_daily();
        self.write_file(day, "", &lines, is_due, summary)?;
        let late: Vec<Line> = self.late.remove(&day).into_iter().flatten().map(plain).collect();
        summary.late += late.len() as u64;
        self.write_file(day, "-late", &late, false, summary)?;
        let again = std::mem::take(&mut self.again);
        self.write_file(day, "-again", &again, false, summary)?;
        self.again = self.to_deliver_again(day, &lines, &mut chance);
        Ok(())
    }

    /// Keeps the late rows of a day and returns the others in the order of time.
    fn hold_back(&mut self, day: u32, mut rows: Vec<Row>, chance: &mut Chance) -> Vec<Row> {
        rows.sort_by_key(|row| row.at);
        let mut punctual = Vec::with_capacity(rows.len());
        for row in rows {
            if chance.permille(self.source.late()) {
                let delivery = day + chance.between(1, LATEST) as u32;
                if delivery < self.world.calendar.days {
                    self.late.entry(delivery).or_default().push(row);
                    continue;
                }
            }
            punctual.push(row);
        }
        punctual
    }

    /// Returns the lines of a file: some rows have a broken copy beside them, some come again at the end.
    fn lines(&self, rows: Vec<Row>, chance: &mut Chance) -> Result<Vec<Line>, SampleError> {
        let mut lines = Vec::with_capacity(rows.len() + rows.len() / 32);
        let mut repeated = Vec::new();
        for row in rows {
            let broken = if chance.permille(DIRTY) {
                dirt::spoil(self.source, &row.line, chance)?
            } else {
                None
            };
            if chance.permille(self.source.repeated()) {
                repeated.push(Line { text: row.line.clone(), delivered: Delivered::Duplicate });
            }
            lines.push(plain(row));
            lines.extend(
                broken.map(|(flaw, text)| Line { text, delivered: Delivered::Dirty(flaw) }),
            );
        }
        lines.append(&mut repeated);
        Ok(lines)
    }

    /// Returns the lines that are delivered again on the next day: everything, or a stretch of it.
    fn to_deliver_again(&self, day: u32, lines: &[Line], chance: &mut Chance) -> Vec<Line> {
        let is_time = u64::from(day) % ROUND == self.phase && day + 1 < self.world.calendar.days;
        if !is_time || !self.source.is_redelivered() {
            return Vec::new();
        }
        let stretch = if (self.chunk + self.source as u64).is_multiple_of(4) {
            0..lines.len()
        } else {
            let size = lines.len() * chance.between(20, 50) as usize / 100;
            let begin = chance.below((lines.len() - size) as u64 + 1) as usize;
            begin..begin + size
        };
        lines[stretch].iter().cloned().map(Line::again).collect()
    }

    fn write_file(
        &self,
        day: u32,
        ending: &str,
        lines: &[Line],
        is_due: bool,
        summary: &mut SourceSummary,
    ) -> Result<(), SampleError> {
        if lines.is_empty() && !is_due {
            return Ok(());
        }
        let name = format!("part-{:04}{ending}", self.chunk);
        let date = self.world.calendar.date(i64::from(day));
        let path = export_path(&self.world.options, self.source, date, &name);
        let bytes = encode(self.source, lines.iter().map(|line| line.text.as_slice()))?;
        write(&path, &bytes)?;
        summary.files += 1;
        summary.bytes += bytes.len() as u64;
        for line in lines {
            summary.count(line.delivered);
        }
        Ok(())
    }
}

impl Line {
    fn again(self) -> Self {
        let delivered = match self.delivered {
            Delivered::Dirty(flaw) => Delivered::Dirty(flaw),
            Delivered::First | Delivered::Version | Delivered::Duplicate => Delivered::Duplicate,
        };
        Self { delivered, ..self }
    }
}

fn plain(row: Row) -> Line {
    Line {
        text: row.line,
        delivered: match row.mark {
            Mark::First => Delivered::First,
            Mark::Version => Delivered::Version,
            Mark::Repeat => Delivered::Duplicate,
        },
    }
}
