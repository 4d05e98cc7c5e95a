//! Rows of online orders and their lines.

use serde::Serialize;

use super::chance::{Chance, Topic};
use super::chunk::{Mark, Output, Row, Scene};
use super::encode::{Amount, json};
use super::options::SampleError;
use super::people::Identifier;
use super::purchase::{Back, Basket, Fate, Line, Place, Purchase};
use super::session::{Access, Writer};
use super::source::Source;
use super::spelling::junk;

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the exported fields")]
struct Order<'a> {
    order_id: &'a str,
    placed_at: String,
    updated_at: String,
    channel: &'static str,
    status: &'static str,
    currency: &'static str,
    items_amount: Amount,
    discount_amount: Amount,
    tax_amount: Amount,
    shipping_amount: Amount,
    refund_amount: Amount,
    refunded_at: Option<String>,
    user_id: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    cookie: Option<String>,
    device_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coupon: Option<Coupon<'a>>,
    city: &'static str,
}

#[derive(Serialize)]
struct Coupon<'a> {
    code: String,
    campaign_id: &'a str,
}

#[derive(Serialize)]
struct OrderLine<'a> {
    order_id: &'a str,
    line_no: usize,
    placed_at: &'a str,
    sku: &'a str,
    quantity: i64,
    unit_price: Amount,
}

/// Writes one version of an order, and its lines with the first.
pub(super) fn write(
    scene: &Scene,
    purchase: &Purchase,
    version: u8,
    output: &mut Output,
) -> Result<(), SampleError> {
    let basket = Basket::of(scene.world, purchase, scene.person);
    let order_id = purchase.order_id(scene.person);
    let state = State::of(Fate::of(scene.world, purchase, scene.person), version, &basket);
    let mut writer = Writer::new(scene.world, scene.person);
    let order = order(scene, purchase, &basket, &order_id, state, &mut writer);
    let mark = if version == 0 { Mark::First } else { Mark::Version };
    let row = Row { at: scene.at, line: json(&order)?, mark };
    output.push(Source::OnlineOrders, row);
    output.record(scene.index, writer.marks);
    if version == 0 {
        write_lines(scene, &basket, &order_id, &order.placed_at, output)?;
    }
    Ok(())
}

fn write_lines(
    scene: &Scene,
    basket: &Basket,
    order_id: &str,
    placed_at: &str,
    output: &mut Output,
) -> Result<(), SampleError> {
    for (number, line) in basket.lines.iter().enumerate() {
        let row = json(&OrderLine {
            order_id,
            line_no: number + 1,
            placed_at,
            sku: &scene.world.products[line.product].sku,
            quantity: line.quantity,
            unit_price: Amount { hundredths: line.unit_price, is_text: false },
        })?;
        output.push(Source::OnlineOrderLines, Row::first(scene.at, row));
    }
    Ok(())
}

/// What has become of an order at one version.
#[derive(Clone, Copy)]
struct State {
    status: &'static str,
    refund: i64,
    is_back: bool,
}

impl State {
    fn of(fate: Fate, version: u8, basket: &Basket) -> Self {
        let plain = |status| Self { status, refund: 0, is_back: false };
        match (fate, version) {
            (Fate::Test, _) => plain("test"),
            (_, 0) => plain("paid"),
            (Fate::Cancelled { .. }, _) => plain("cancelled"),
            (Fate::Shipped { back: Some(back), .. }, 2) => Self::back(back, basket),
            (Fate::Shipped { .. }, _) => plain("shipped"),
        }
    }

    fn back(back: Back, basket: &Basket) -> Self {
        let everything = basket.items - basket.discount;
        let first_line = basket.lines.first().map_or(0, Line::amount);
        // The discount of the order is spread over its lines.
        let share = first_line * everything / basket.items.max(1);
        let is_all = back.is_all || basket.lines.len() == 1;
        Self {
            status: if is_all { "refunded" } else { "shipped" },
            refund: if is_all { everything } else { share },
            is_back: true,
        }
    }
}

fn order<'a>(
    scene: &'a Scene,
    purchase: &Purchase,
    basket: &Basket,
    order_id: &'a str,
    state: State,
    writer: &mut Writer,
) -> Order<'a> {
    let calendar = &scene.world.calendar;
    // Every version of an order shows the same identifiers in the same spelling.
    let mut chance = purchase.chance(scene.world, Topic::Receipt, scene.person);
    let access = Access::of_purchase(scene.world, scene.person, purchase);
    let is_text = purchase.place == Place::App;
    let amount = |hundredths| Amount { hundredths, is_text };
    let machine = writer.machine(access.machine, &mut chance);
    let (cookie, device_id) = match purchase.place {
        Place::App => (None, Some(machine)),
        Place::Web | Place::Store => (Some(machine), None),
    };
    Order {
        order_id,
        placed_at: calendar.with_offset(purchase.at),
        updated_at: calendar.with_offset(scene.at),
        channel: if is_text { "app" } else { "web" },
        status: state.status,
        currency: basket.currency.code(),
        items_amount: amount(basket.items),
        discount_amount: amount(basket.discount),
        tax_amount: amount(basket.tax),
        shipping_amount: amount(basket.shipping),
        refund_amount: amount(state.refund),
        refunded_at: state.is_back.then(|| calendar.with_offset(scene.at)),
        user_id: user_id(access, writer, &mut chance),
        email: email(purchase, access, writer, &mut chance),
        phone: phone(purchase, access, writer, &mut chance),
        cookie,
        device_id,
        coupon: coupon(scene, purchase),
        city: scene.person.city(),
    }
}

fn user_id(access: Access, writer: &mut Writer, chance: &mut Chance) -> Option<String> {
    if access.is_logged_in {
        return Some(writer.plain(Identifier::User));
    }
    chance.permille(30).then(|| junk::USER.to_owned())
}

/// The web shop asks everybody for an address, the app few.
fn email(
    purchase: &Purchase,
    access: Access,
    writer: &mut Writer,
    chance: &mut Chance,
) -> Option<String> {
    let share = if purchase.place == Place::App { 150 } else { 1000 };
    chance.permille(share).then(|| writer.email(access.email, chance))
}

/// The app asks everybody for a phone, the web shop most.
fn phone(
    purchase: &Purchase,
    access: Access,
    writer: &mut Writer,
    chance: &mut Chance,
) -> Option<String> {
    let share = if purchase.place == Place::App { 1000 } else { 700 };
    chance.permille(share).then(|| writer.phone(access.phone, chance))
}

fn coupon<'a>(scene: &'a Scene, purchase: &Purchase) -> Option<Coupon<'a>> {
    let campaign = scene.world.campaign(purchase.cause?);
    campaign.has_coupon().then(|| Coupon {
        code: format!("SAVE15-{}", campaign.id.to_uppercase()),
        campaign_id: &campaign.id,
    })
}
