//! Rows that do not depend on people: campaigns, their costs, products, exchange rates.

use super::calendar::DAY;
use super::campaigns::{Campaign, Kind, Message, Paid};
use super::chance::{Chance, Topic};
use super::chunk::{Mark, Output, Row};
use super::encode::{csv, decimal, decimal_by_hand};
use super::rates::Currency;
use super::source::Source;
use super::world::{PAID_VISITS, World};

/// When the platforms report, in seconds of the day.
const REPORTED: i64 = 85_800;
/// Of a thousand registered people, those a message may be written to.
const REACHABLE: f64 = 0.4;

/// Makes the rows of a day.
pub(super) fn write_day(world: &World, day: u32, output: &mut Output) {
    campaigns(world, day, output);
    costs(world, day, output);
    products(world, day, output);
    exchange_rates(world, day, output);
}

fn campaigns(world: &World, day: u32, output: &mut Output) {
    for (campaign, number) in world.campaigns.iter().zip(0_u32..) {
        if campaign.first_day == day {
            let line = campaign_row(world, campaign, campaign.budget, day);
            output.push(Source::Campaigns, Row::first(morning(day), line));
        }
        if number % 5 == 0 && campaign.first_day + 3 == day {
            let line = campaign_row(world, campaign, campaign.budget * 11 / 10, day);
            output.push(Source::Campaigns, version(morning(day), line));
        }
    }
}

fn campaign_row(world: &World, campaign: &Campaign, budget: i64, day: u32) -> Vec<u8> {
    let date = |day: u32| world.calendar.date(i64::from(day)).to_string();
    csv(&[
        &campaign.id,
        &campaign.name,
        campaign.channel,
        &date(campaign.first_day),
        &date(campaign.last_day),
        &decimal(budget * 100),
        &world.calendar.local(morning(day)),
    ])
}

fn costs(world: &World, day: u32, output: &mut Output) {
    for index in 0..world.campaigns.len() as u16 {
        if let Some(cost) = Cost::of(world, index, day) {
            let line = cost.row(world, index, day, day);
            output.push(Source::CampaignCosts, Row::first(evening(day), line));
        }
        let yesterday = day.checked_sub(1);
        let known = yesterday.and_then(|before| Some((before, Cost::of(world, index, before)?)));
        if let Some((before, cost)) = known.filter(|(_, cost)| cost.is_corrected) {
            let line = cost.corrected().row(world, index, before, day);
            output.push(Source::CampaignCosts, version(evening(day), line));
        }
    }
}

/// What a campaign costs on a day.
struct Cost {
    fen: i64,
    currency: Currency,
    impressions: i64,
    clicks: i64,
    conversions: i64,
    /// The platform reports the day again on the next.
    is_corrected: bool,
    is_by_hand: bool,
}

impl Cost {
    /// Returns what a campaign costs on a day; none for days on which it costs nothing.
    fn of(world: &World, index: u16, day: u32) -> Option<Self> {
        let campaign = world.campaign(index);
        if !campaign.runs_on(day) {
            return None;
        }
        let mut chance = world.chance(Topic::Cost, u64::from(index), u64::from(day));
        let noise = chance.between(92, 112) as i64;
        let cost = match campaign.kind {
            Kind::Paid(paid) => Self::of_clicks(world, index, &paid, day, &mut chance),
            Kind::Message(message) if day == campaign.first_day => {
                Self::of_messages(world, message)?
            }
            Kind::Message(_) => return None,
            Kind::Posters { fen_a_day } => Self::flat(fen_a_day),
        };
        let is_platform = matches!(campaign.kind, Kind::Paid(_));
        Some(Self {
            fen: cost.fen * noise / 100,
            is_corrected: chance.permille(200) && is_platform,
            is_by_hand: chance.permille(30) && cost.currency == Currency::Cny,
            ..cost
        })
    }

    fn flat(fen: i64) -> Self {
        Self {
            fen,
            currency: Currency::Cny,
            impressions: 0,
            clicks: 0,
            conversions: 0,
            is_corrected: false,
            is_by_hand: false,
        }
    }

    /// The platform counts some more clicks than the shop sees visits.
    fn of_clicks(world: &World, index: u16, paid: &Paid, day: u32, chance: &mut Chance) -> Self {
        let days = f64::from(world.calendar.days);
        let visits = world.options.customers as f64 * world.mean_web_visits() / days;
        let (own, all) = world.paid_share(index, day);
        let share = f64::from(own) / f64::from(all.max(1)) * PAID_VISITS as f64 / 1000.0;
        let busy = world.calendar.busyness(day) as f64 / 112.0;
        let clicks = (visits * share * busy * 1.15) as i64 + 1;
        Self {
            currency: paid.currency,
            impressions: clicks * chance.between(18, 60) as i64,
            clicks,
            conversions: clicks * paid.claims as i64 / 1000 + i64::from(chance.permille(300)),
            ..Self::flat(clicks * paid.fen_a_click)
        }
    }

    fn of_messages(world: &World, message: Message) -> Option<Self> {
        let reach = world.options.customers as f64 * REACHABLE * message.audience as f64 / 1000.0;
        let fen = message.fee + reach as i64 * message.piece_price / 100;
        (fen > 0).then(|| Self::flat(fen))
    }

    fn corrected(self) -> Self {
        Self { fen: self.fen * 103 / 100, clicks: self.clicks + self.clicks / 50, ..self }
    }

    fn row(&self, world: &World, index: u16, day: u32, reported: u32) -> Vec<u8> {
        let campaign = world.campaign(index);
        let amount = self.currency.amount_of_fen(self.fen, world.options.seed, day);
        let cost = if self.is_by_hand { decimal_by_hand(amount) } else { decimal(amount) };
        csv(&[
            &world.calendar.date(i64::from(day)).to_string(),
            &campaign.id,
            campaign.channel,
            self.currency.code(),
            &cost,
            &self.impressions.to_string(),
            &self.clicks.to_string(),
            &self.conversions.to_string(),
            &world.calendar.local(evening(reported)),
        ])
    }
}

fn products(world: &World, day: u32, output: &mut Output) {
    for product in &world.products {
        let is_new = day == 0;
        if !is_new && product.changed_on != Some(day) {
            continue;
        }
        let line = csv(&[
            &product.sku,
            &product.name,
            product.category,
            &product.unit_cost.map(decimal).unwrap_or_default(),
            &decimal(product.price_on(day)),
            &world.calendar.local(morning(day)),
        ]);
        let row = if is_new { Row::first(morning(day), line) } else { version(morning(day), line) };
        output.push(Source::Products, row);
    }
}

fn exchange_rates(world: &World, day: u32, output: &mut Output) {
    let date = world.calendar.date(i64::from(day)).to_string();
    for currency in Currency::ALL {
        let rate = currency.rate(world.options.seed, day);
        let text = format!("{}.{:08}", rate / 100_000_000, rate % 100_000_000);
        let line = csv(&[&date, currency.code(), &text]);
        output.push(Source::ExchangeRates, Row::first(morning(day), line));
    }
}

fn version(at: i64, line: Vec<u8>) -> Row {
    let mark = Mark::Version;
    Row { at, line, mark }
}

fn morning(day: u32) -> i64 {
    i64::from(day) * DAY + 6 * 3600
}

fn evening(day: u32) -> i64 {
    i64::from(day) * DAY + REPORTED
}
