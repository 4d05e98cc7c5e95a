//! Makes a sample, chunk by chunk, on several threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::chunk::{Chunk, Output};
use super::delivery::Delivery;
use super::options::{Options, SampleError};
use super::source::Source;
use super::tally::{Summary, Tally};
use super::world::World;
use super::{files, reference, truth};

/// How many people are held in memory together; each chunk has files of its own.
const PEOPLE_PER_CHUNK: u64 = 50_000;
/// The sources that do not depend on people.
const REFERENCE: [Source; 4] =
    [Source::Campaigns, Source::CampaignCosts, Source::Products, Source::ExchangeRates];
/// The sources to which people give rise.
const PERSONAL: [Source; 7] = [
    Source::WebEvents,
    Source::AppEvents,
    Source::OnlineOrders,
    Source::OnlineOrderLines,
    Source::StoreSales,
    Source::CampaignSends,
    Source::CrmCustomers,
];

/// How far the work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) done: u64,
    pub(crate) total: u64,
}

/// Makes a sample; replaces a former one in the same place, and touches nothing else.
pub(crate) fn write(
    options: &Options,
    on_progress: &(dyn Fn(Progress) + Sync),
) -> Result<Summary, SampleError> {
    write_in_chunks(options, PEOPLE_PER_CHUNK, on_progress)
}

/// Makes a sample in chunks of so many people.
pub(super) fn write_in_chunks(
    options: &Options,
    people_per_chunk: u64,
    on_progress: &(dyn Fn(Progress) + Sync),
) -> Result<Summary, SampleError> {
    options.check()?;
    files::prepare(options)?;
    let world = World::new(options, people_per_chunk);
    let work = Work {
        world: &world,
        on_progress,
        next: AtomicU64::new(0),
        chunks: options.customers.div_ceil(people_per_chunk),
        done: AtomicU64::new(0),
        has_failed: AtomicBool::new(false),
    };
    let tally = work.share_out(options.threads)?;
    truth::write_sums(&world, &tally)?;
    Ok(tally.summary())
}

/// The work that threads share.
struct Work<'a> {
    world: &'a World,
    on_progress: &'a (dyn Fn(Progress) + Sync),
    /// The next portion that nobody has taken: the chunks, and the rows that do not depend on people last.
    next: AtomicU64,
    chunks: u64,
    done: AtomicU64,
    has_failed: AtomicBool,
}

impl Work<'_> {
    /// Lets threads take portions until none is left.
    fn share_out(&self, threads: usize) -> Result<Tally, SampleError> {
        let threads = (threads as u64).min(self.chunks + 1);
        let parts: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> =
                (0..threads).map(|_| scope.spawn(|| self.take_portions())).collect();
            workers.into_iter().map(thread::ScopedJoinHandle::join).collect()
        });
        let mut sum = Tally::new(self.world.campaigns.len());
        for part in parts {
            match part {
                Ok(tally) => sum.add(&tally?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(sum)
    }

    fn take_portions(&self) -> Result<Tally, SampleError> {
        let mut sum = Tally::new(self.world.campaigns.len());
        while !self.has_failed.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number > self.chunks {
                break;
            }
            let part = if number == self.chunks {
                self.write_reference()
            } else {
                self.write_chunk(number)
            };
            if part.is_err() {
                self.has_failed.store(true, Ordering::Relaxed);
            }
            sum.add(&part?);
        }
        Ok(sum)
    }

    fn write_chunk(&self, number: u64) -> Result<Tally, SampleError> {
        let chunk = Chunk::plan(self.world, number);
        let mut output = Output::new(chunk.people.len(), self.world.campaigns.len());
        let mut deliveries = self.deliveries(&PERSONAL, number);
        let mut tally = Tally::new(self.world.campaigns.len());
        for day in 0..self.world.calendar.days {
            chunk.write_day(day, &mut output)?;
            deliver(&mut deliveries, day, &mut output, &mut tally)?;
            self.report_day();
        }
        truth::write_chunk(self.world, number, &chunk, &mut output)?;
        tally.effects = output.effects;
        Ok(tally)
    }

    fn write_reference(&self) -> Result<Tally, SampleError> {
        let mut output = Output::new(0, 0);
        let mut deliveries = self.deliveries(&REFERENCE, 0);
        let mut tally = Tally::new(self.world.campaigns.len());
        for day in 0..self.world.calendar.days {
            reference::write_day(self.world, day, &mut output);
            deliver(&mut deliveries, day, &mut output, &mut tally)?;
            self.report_day();
        }
        Ok(tally)
    }

    fn deliveries(&self, sources: &[Source], chunk: u64) -> Vec<(Source, Delivery<'_>)> {
        let delivery = |source: &Source| (*source, Delivery::new(self.world, *source, chunk));
        sources.iter().map(delivery).collect()
    }

    fn report_day(&self) {
        let days = u64::from(self.world.calendar.days);
        (self.on_progress)(Progress {
            done: self.done.fetch_add(1, Ordering::Relaxed) + 1,
            total: days * (self.chunks + 1),
        });
    }
}

fn deliver(
    deliveries: &mut [(Source, Delivery)],
    day: u32,
    output: &mut Output,
    tally: &mut Tally,
) -> Result<(), SampleError> {
    for (source, delivery) in deliveries {
        delivery.write_day(day, output.take(*source), tally.of(*source))?;
    }
    Ok(())
}
