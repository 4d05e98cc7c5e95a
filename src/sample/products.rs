//! The assortment.

use super::chance::{Chance, Topic};
use super::words::{CATEGORIES, PRODUCT_WORDS};

/// How many products there are.
const COUNT: u32 = 240;

/// A thing that is sold.
#[derive(Debug)]
pub(super) struct Product {
    pub(super) sku: String,
    pub(super) name: String,
    pub(super) category: &'static str,
    /// In fen; unknown for some.
    pub(super) unit_cost: Option<i64>,
    /// In fen, before the change.
    first_price: i64,
    /// The day from which another price holds.
    pub(super) changed_on: Option<u32>,
}

impl Product {
    /// Returns the price in fen on a day.
    pub(super) fn price_on(&self, day: u32) -> i64 {
        match self.changed_on {
            Some(changed) if day >= changed => self.first_price * 108 / 100 / 10 * 10,
            _ => self.first_price,
        }
    }
}

/// Returns every product, the most popular first.
pub(super) fn assortment(seed: u64, days: u32) -> Vec<Product> {
    (0..COUNT).map(|number| product(seed, number, days)).collect()
}

fn product(seed: u64, number: u32, days: u32) -> Product {
    let mut chance = Chance::new(seed, Topic::Product, u64::from(number), 0);
    let (category, thing, low, high) = *chance.pick(&CATEGORIES);
    let nearer_low = chance.unit() * chance.unit();
    let first_price = ((low as f64 + (high - low) as f64 * nearer_low) as i64) * 100 + 90;
    let cost_share = chance.between(38, 72) as i64;
    let known = chance.permille(950);
    let changes = chance.permille(120) && days > 1;
    Product {
        sku: format!("SKU{:04}", number + 1),
        name: format!("{}{thing} {}号", chance.pick(&PRODUCT_WORDS), number + 1),
        category,
        unit_cost: known.then_some(first_price * cost_share / 100),
        first_price,
        changed_on: changes.then(|| chance.between(1, u64::from(days) - 1) as u32),
    }
}

/// Returns the index of a product; a few are bought often, most rarely.
pub(super) fn pick(chance: &mut Chance) -> usize {
    let place = chance.unit();
    (f64::from(COUNT) * place * place) as usize
}

/// Returns the index of the product that goes well with another.
pub(super) fn partner(index: usize) -> usize {
    (index ^ 1) % COUNT as usize
}
