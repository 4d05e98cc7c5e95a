//! Rows of tills.

use super::chance::{Chance, Topic};
use super::chunk::{Output, Row, Scene};
use super::encode::{csv, decimal, decimal_by_hand};
use super::people::Identifier;
use super::purchase::{Basket, Line, Purchase};
use super::session::Writer;
use super::source::Source;
use super::spelling::junk;

/// How many stores there are.
const STORES: u64 = 18;

/// Writes the receipt of a purchase.
pub(super) fn write_receipt(scene: &Scene, purchase: &Purchase, output: &mut Output) {
    let basket = Basket::of(scene.world, purchase, scene.person);
    let receipt = Receipt {
        id: purchase.receipt_id(scene.person),
        original: String::new(),
        kind: "sale",
        sign: 1,
    };
    receipt.write(scene, purchase, &basket.lines, output);
}

/// Writes the receipt of the return of a purchase's first line.
pub(super) fn write_return(scene: &Scene, purchase: &Purchase, output: &mut Output) {
    let basket = Basket::of(scene.world, purchase, scene.person);
    let receipt = Receipt {
        id: purchase.return_receipt_id(scene.person),
        original: purchase.receipt_id(scene.person),
        kind: "return",
        sign: -1,
    };
    receipt.write(scene, purchase, &basket.lines[..1], output);
}

struct Receipt {
    id: String,
    original: String,
    kind: &'static str,
    /// Returns count backwards.
    sign: i64,
}

/// What stands on every line of a receipt.
struct Head {
    store: String,
    sold_at: String,
    card: String,
    phone: String,
}

impl Receipt {
    fn write(&self, scene: &Scene, purchase: &Purchase, lines: &[Line], output: &mut Output) {
        let mut chance = purchase.chance(scene.world, Topic::Receipt, scene.person);
        let mut writer = Writer::new(scene.world, scene.person);
        let head = Head {
            store: format!("S{:02}", 1 + scene.person.number % STORES),
            sold_at: scene.world.calendar.at_till(scene.at),
            card: card(scene, &mut writer, &mut chance),
            phone: phone(scene, &mut writer, &mut chance),
        };
        for (number, line) in lines.iter().enumerate() {
            let sku = &scene.world.products[line.product].sku;
            let text = self.line(&head, number + 1, sku, line, &mut chance);
            output.push(Source::StoreSales, Row::first(scene.at, text));
        }
        output.record(scene.index, writer.marks);
    }

    fn line(
        &self,
        head: &Head,
        number: usize,
        sku: &str,
        line: &Line,
        chance: &mut Chance,
    ) -> Vec<u8> {
        // The same discount for a sale and its return: both draw it from the same stream.
        let percent = if chance.permille(120) { 10 } else { 0 };
        let discount = line.amount() * percent / 100 * self.sign;
        let amount = line.amount() * self.sign - discount;
        let is_by_hand = chance.permille(25);
        let written = |hundredths| {
            if is_by_hand { decimal_by_hand(hundredths) } else { decimal(hundredths) }
        };
        csv(&[
            &self.id,
            &number.to_string(),
            &head.store,
            &head.sold_at,
            self.kind,
            &self.original,
            &head.card,
            &head.phone,
            sku,
            &(line.quantity * self.sign).to_string(),
            &written(line.unit_price),
            &decimal(discount),
            &written(amount),
        ])
    }
}

/// Most people with a card show it; some tills hold a card of their own against the scanner.
fn card(scene: &Scene, writer: &mut Writer, chance: &mut Chance) -> String {
    if scene.person.has_card && chance.permille(820) {
        return writer.plain(Identifier::Card);
    }
    let junk = if chance.permille(15) { junk::CARD } else { "" };
    junk.to_owned()
}

/// Some people have the receipt sent to their phone.
fn phone(scene: &Scene, writer: &mut Writer, chance: &mut Chance) -> String {
    if !chance.permille(250) {
        return String::new();
    }
    let phone = scene.person.some_phone(chance);
    writer.phone(phone, chance)
}
