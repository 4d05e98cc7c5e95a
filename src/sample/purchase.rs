//! Purchases: what is bought, what it costs, and what becomes of it.

use super::calendar::DAY;
use super::chance::{Chance, Topic, scramble48};
use super::people::{Buyer, Person};
use super::products;
use super::rates::Currency;
use super::world::World;

/// Returns are numbered like purchases, from here on.
const RETURNS: u64 = 1 << 11;

/// Where something is bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Web,
    App,
    Store,
}

/// A purchase.
#[derive(Debug, Clone, Copy)]
pub(super) struct Purchase {
    /// Index of the person in the chunk.
    pub(super) person: u32,
    /// Tells the purchases of one person apart.
    pub(super) number: u16,
    pub(super) at: i64,
    pub(super) place: Place,
    /// Index of the campaign without which it would not have happened.
    pub(super) cause: Option<u16>,
}

impl Purchase {
    pub(super) fn day(&self) -> u32 {
        (self.at / DAY) as u32
    }

    /// Returns the id of the order.
    pub(super) fn order_id(&self, person: &Person) -> String {
        let letter = if self.place == Place::App { 'A' } else { 'W' };
        format!("{letter}{:012X}", self.key(person, 0))
    }

    pub(super) fn receipt_id(&self, person: &Person) -> String {
        format!("R{:012X}", self.key(person, 0))
    }

    pub(super) fn return_receipt_id(&self, person: &Person) -> String {
        format!("R{:012X}", self.key(person, RETURNS))
    }

    fn key(&self, person: &Person, offset: u64) -> u64 {
        scramble48((person.number << 12) | (offset + u64::from(self.number) % RETURNS))
    }

    pub(super) fn chance(&self, world: &World, topic: Topic, person: &Person) -> Chance {
        world.chance(topic, person.number, u64::from(self.number))
    }
}

/// One product of a basket; money in the smallest unit of the basket's currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) product: usize,
    pub(super) quantity: i64,
    pub(super) unit_price: i64,
}

impl Line {
    pub(super) fn amount(&self) -> i64 {
        self.quantity * self.unit_price
    }
}

/// What a purchase consists of; money in the smallest unit of its currency.
#[derive(Debug)]
pub(super) struct Basket {
    pub(super) currency: Currency,
    pub(super) lines: Vec<Line>,
    pub(super) items: i64,
    pub(super) discount: i64,
    pub(super) tax: i64,
    pub(super) shipping: i64,
}

impl Basket {
    /// Returns what a purchase consists of; the same whenever it is asked.
    pub(super) fn of(world: &World, purchase: &Purchase, person: &Person) -> Self {
        let mut chance = purchase.chance(world, Topic::Basket, person);
        let currency = match purchase.place {
            Place::Web => Currency::ALL[chance.weighted(&[94, 3, 1, 2])],
            Place::App | Place::Store => Currency::Cny,
        };
        let lines = lines(world, purchase, person.buyer, currency, &mut chance);
        let items = lines.iter().map(Line::amount).sum();
        let discount = items * discount_percent(world, purchase, &mut chance) / 100;
        let (seed, day) = (world.options.seed, purchase.day());
        let is_small = currency.to_fen(items - discount, seed, day) < 19_900;
        let shipping = if is_small { 1_000 } else { 0 };
        Self {
            currency,
            items,
            discount,
            tax: ((items - discount) * 6 + 50) / 100,
            shipping: currency.amount_of_fen(shipping, seed, day),
            lines,
        }
    }

    /// Returns what the items bring in, in fen.
    pub(super) fn value_in_fen(&self, world: &World, day: u32) -> i64 {
        let net = self.items - self.discount;
        self.currency.to_fen(net, world.options.seed, day)
    }
}

fn lines(
    world: &World,
    purchase: &Purchase,
    buyer: Buyer,
    currency: Currency,
    chance: &mut Chance,
) -> Vec<Line> {
    let more = u64::from(buyer == Buyer::Vip);
    let count = 1 + more + chance.weighted(&[55, 25, 12, 8]) as u64;
    let mut chosen: Vec<usize> = Vec::new();
    while (chosen.len() as u64) < count {
        let product = match chosen.last() {
            Some(last) if chance.permille(250) => products::partner(*last),
            _ => products::pick(chance),
        };
        if !chosen.contains(&product) {
            chosen.push(product);
        }
    }
    let (seed, day) = (world.options.seed, purchase.day());
    chosen
        .into_iter()
        .map(|product| Line {
            product,
            quantity: 1 + chance.weighted(&[85, 11, 4]) as i64,
            unit_price: currency.amount_of_fen(world.products[product].price_on(day), seed, day),
        })
        .collect()
}

/// Returns the discount: a coupon's, or one of the shop's own.
fn discount_percent(world: &World, purchase: &Purchase, chance: &mut Chance) -> i64 {
    let has_coupon = |cause: u16| world.campaign(cause).has_coupon();
    let own = if chance.permille(100) { 5 } else { 0 };
    if purchase.place != Place::Store && purchase.cause.is_some_and(has_coupon) {
        return 15;
    }
    own
}

/// What becomes of an online order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nobody bought; the shop was tried out.
    Test,
    Cancelled {
        at: i64,
    },
    Shipped {
        at: i64,
        back: Option<Back>,
    },
}

/// What is given back of a shipped order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) at: i64,
    /// Everything, or the first line alone.
    pub(super) is_all: bool,
}

impl Fate {
    /// Returns what becomes of an online order; the same whenever it is asked.
    pub(super) fn of(world: &World, purchase: &Purchase, person: &Person) -> Self {
        let mut chance = purchase.chance(world, Topic::Fate, person);
        let later = |chance: &mut Chance, low: u64, high: u64| chance.between(low, high) as i64;
        match chance.weighted(&[5, 40, 955]) {
            0 if purchase.cause.is_none() => Self::Test,
            1 => Self::Cancelled { at: purchase.at + later(&mut chance, 600, 72_000) },
            _ => {
                let at = purchase.at + later(&mut chance, 28_800, 172_800);
                let comes_back = chance.permille(70);
                let back = Back {
                    at: at + later(&mut chance, 5 * 86_400, 20 * 86_400),
                    is_all: chance.permille(550),
                };
                Self::Shipped { at, back: comes_back.then_some(back) }
            }
        }
    }

    /// Returns the times at which the order is exported, the placing first.
    pub(super) fn times(self, placed: i64) -> Vec<i64> {
        match self {
            Self::Test => vec![placed],
            Self::Cancelled { at } | Self::Shipped { at, back: None } => vec![placed, at],
            Self::Shipped { at, back: Some(back) } => vec![placed, at, back.at],
        }
    }
}
