//! What is the same for everybody: the calendar, the assortment, the campaigns.

use super::calendar::Calendar;
use super::campaigns::{Campaign, Kind, calendar_of_campaigns};
use super::chance::{Chance, Topic};
use super::options::Options;
use super::products::{Product, assortment};

/// What is the same for everybody.
#[derive(Debug)]
pub(super) struct World {
    pub(super) options: Options,
    /// How many people are held in memory together; a multiple of a household.
    pub(super) people_per_chunk: u64,
    pub(super) calendar: Calendar,
    pub(super) products: Vec<Product>,
    pub(super) campaigns: Vec<Campaign>,
    /// For each day the indexes of the campaigns that pay for visits, with their weights.
    paid: Vec<(Vec<u16>, Vec<u32>)>,
}

impl World {
    pub(super) fn new(options: &Options, people_per_chunk: u64) -> Self {
        let campaigns = calendar_of_campaigns(options.days);
        Self {
            calendar: Calendar::new(options.first_day(), options.days),
            products: assortment(options.seed, options.days),
            paid: (0..options.days).map(|day| paid_on(&campaigns, day)).collect(),
            campaigns,
            options: options.clone(),
            people_per_chunk,
        }
    }

    /// Begins a stream of chance of this world.
    pub(super) fn chance(&self, topic: Topic, thing: u64, part: u64) -> Chance {
        Chance::new(self.options.seed, topic, thing, part)
    }

    pub(super) fn campaign(&self, index: u16) -> &Campaign {
        &self.campaigns[usize::from(index)]
    }

    /// Returns the campaign that pays for a paid visit of a day.
    pub(super) fn some_paid_campaign(&self, chance: &mut Chance, day: u32) -> u16 {
        let (indexes, weights) = &self.paid[day as usize];
        indexes[chance.weighted(weights)]
    }

    /// Returns the weight of a campaign among the paid visits of a day, and that of all.
    pub(super) fn paid_share(&self, campaign: u16, day: u32) -> (u32, u32) {
        let (indexes, weights) = &self.paid[day as usize];
        let own = indexes.iter().zip(weights).find(|(index, _)| **index == campaign);
        (own.map_or(0, |(_, weight)| *weight), weights.iter().sum())
    }

    /// Returns how many visits to the web shop a person makes in the whole period, on average.
    pub(super) fn mean_web_visits(&self) -> f64 {
        3.7 * self.months() * f64::from(self.options.activity) / 100.0
    }

    /// Returns how often a user of the app opens it in the whole period, on average.
    pub(super) fn mean_app_visits(&self) -> f64 {
        4.4 * self.months() * f64::from(self.options.activity) / 100.0
    }

    /// Returns the length of the period in months of 30 days.
    pub(super) fn months(&self) -> f64 {
        f64::from(self.options.days) / 30.0
    }
}

/// Of a thousand visits to the web shop, those that a campaign paid for.
pub(super) const PAID_VISITS: u64 = 250;

fn paid_on(campaigns: &[Campaign], day: u32) -> (Vec<u16>, Vec<u32>) {
    campaigns
        .iter()
        .zip(0_u16..)
        .filter(|(campaign, _)| campaign.runs_on(day))
        .filter_map(|(campaign, index)| match campaign.kind {
            Kind::Paid(paid) => Some((index, paid.weight)),
            Kind::Message(_) | Kind::Posters { .. } => None,
        })
        .unzip()
}
