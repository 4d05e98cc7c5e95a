//! Rows of the web shop.

use serde::Serialize;

use super::chance::{Chance, Topic, scramble64};
use super::chunk::{Output, Row, Scene};
use super::encode::{Amount, json};
use super::happening::Visit;
use super::options::SampleError;
use super::people::Identifier;
use super::products;
use super::purchase::{Basket, Place, Purchase};
use super::session::{Access, Writer};
use super::source::Source;
use super::spelling::junk;
use super::words::{BROWSERS, CATEGORIES};

#[derive(Serialize)]
struct WebEvent<'a> {
    event_id: String,
    ts: String,
    received_at: String,
    r#type: &'static str,
    session_id: &'a str,
    cookie: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    utm: Option<Utm<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referrer: Option<&'static str>,
    device: Device,
    #[serde(skip_serializing_if = "Option::is_none")]
    cart_value: Option<Amount>,
}

#[derive(Serialize)]
struct Utm<'a> {
    source: &'static str,
    medium: &'static str,
    campaign: &'a str,
}

#[derive(Clone, Copy, Serialize)]
struct Device {
    r#type: &'static str,
    os: &'static str,
    browser: &'static str,
}

/// One thing done in a visit.
#[derive(Clone, Copy)]
pub(super) struct Step {
    pub(super) kind: &'static str,
    pub(super) product: Option<usize>,
    /// Value of the cart in fen.
    pub(super) cart: Option<i64>,
}

/// Writes the events of a visit.
pub(super) fn write(scene: &Scene, visit: &Visit, output: &mut Output) -> Result<(), SampleError> {
    let mut chance = scene.chance(Topic::Visit);
    let purchase = scene.purchase(visit.purchase);
    let access = match purchase {
        Some(purchase) => Access::of_purchase(scene.world, scene.person, purchase),
        None => Access::of_visit(scene.world, scene.person, Place::Web, scene.serial, scene.at),
    };
    let steps = match purchase {
        Some(purchase) => buying(scene, purchase, &mut chance),
        None => browsing(scene, "page_view", &mut chance),
    };
    let session = Session {
        scene,
        visit,
        access,
        id: format!("s{:016x}", scene.key(0)),
        order_id: purchase.map(|purchase| purchase.order_id(scene.person)),
        device: device(access.machine, scene.person.number),
        referrer: referrer(visit, &mut chance),
        ends: end(scene.at, purchase, steps.len(), &mut chance),
        steps: steps.len(),
    };
    for (number, step) in steps.into_iter().enumerate() {
        session.write_step(number, step, &mut chance, output)?;
    }
    Ok(())
}

/// Returns when the last step of a visit is taken: with the purchase, or after a while for each step.
pub(super) fn end(
    begins: i64,
    purchase: Option<&Purchase>,
    steps: usize,
    chance: &mut Chance,
) -> i64 {
    match purchase {
        Some(purchase) => purchase.at,
        None => begins + steps as i64 * chance.between(8, 60) as i64,
    }
}

/// Returns the steps of a visit that ends with a purchase.
pub(super) fn buying(scene: &Scene, purchase: &Purchase, chance: &mut Chance) -> Vec<Step> {
    let basket = Basket::of(scene.world, purchase, scene.person);
    let mut steps = browsing(scene, opening(purchase.place), chance);
    steps.retain(|step| matches!(step.kind, "page_view" | "app_open" | "product_view"));
    steps.truncate(4);
    for line in &basket.lines {
        for kind in ["product_view", "add_to_cart"] {
            let product = Some(line.product);
            steps.push(Step { kind, product, cart: None });
        }
    }
    steps.push(Step {
        kind: "checkout",
        product: None,
        cart: Some(basket.value_in_fen(scene.world, purchase.day())),
    });
    steps
}

fn opening(place: Place) -> &'static str {
    match place {
        Place::App => "app_open",
        Place::Web | Place::Store => "page_view",
    }
}

/// Returns the steps of a visit that may lead to a cart, but to no order.
pub(super) fn browsing(scene: &Scene, opening: &'static str, chance: &mut Chance) -> Vec<Step> {
    let step = |kind, product, cart| Step { kind, product, cart };
    let mut steps = vec![step(opening, None, None)];
    let views = [0, 1, 2, 3, 5, 8][chance.weighted(&[14, 22, 20, 18, 16, 10])];
    for _ in 0..views {
        if chance.permille(280) && opening == "page_view" {
            steps.push(step("page_view", None, None));
        }
        steps.push(step("product_view", Some(products::pick(chance)), None));
    }
    if views > 0 && chance.permille(180) {
        let product = products::pick(chance);
        let day = (scene.at / super::calendar::DAY) as u32;
        let price = scene.world.products[product].price_on(day);
        steps.push(step("add_to_cart", Some(product), Some(price)));
        if chance.permille(250) {
            steps.push(step("checkout", None, Some(price)));
        }
    }
    steps
}

struct Session<'a> {
    scene: &'a Scene<'a>,
    visit: &'a Visit,
    access: Access,
    id: String,
    order_id: Option<String>,
    device: Device,
    referrer: Option<&'static str>,
    ends: i64,
    steps: usize,
}

impl Session<'_> {
    fn write_step(
        &self,
        number: usize,
        step: Step,
        chance: &mut Chance,
        output: &mut Output,
    ) -> Result<(), SampleError> {
        let scene = self.scene;
        let between = self.steps.saturating_sub(1).max(1) as i64;
        let at = scene.at + (self.ends - scene.at) * number as i64 / between;
        let mut writer = Writer::new(scene.world, scene.person);
        let mut event = self.event(number, step, at, &mut writer, chance);
        output.push(Source::WebEvents, Row::first(at, json(&event)?));
        if chance.permille(3) {
            let again = at + chance.between(2, 90) as i64;
            event.received_at = scene.world.calendar.in_utc(again);
            output.push(Source::WebEvents, Row::repeat(at, json(&event)?));
        }
        output.record(scene.index, writer.marks);
        Ok(())
    }

    fn event<'a>(
        &'a self,
        number: usize,
        step: Step,
        at: i64,
        writer: &mut Writer,
        chance: &mut Chance,
    ) -> WebEvent<'a> {
        let calendar = &self.scene.world.calendar;
        let is_checkout = step.kind == "checkout";
        let shows_email = is_checkout || (self.access.is_logged_in && chance.permille(60));
        let is_named = self.order_id.is_some() || self.access.is_logged_in;
        let product = step.product.map(|index| &self.scene.world.products[index]);
        WebEvent {
            event_id: format!("{:016x}", self.scene.key(number as u64 + 1)),
            ts: if chance.permille(200) { calendar.in_utc(at) } else { calendar.with_offset(at) },
            received_at: calendar.in_utc(at + 1),
            r#type: step.kind,
            session_id: &self.id,
            cookie: writer.machine(self.access.machine, chance),
            user_id: self.user_id(writer, chance),
            email: (shows_email && is_named).then(|| writer.email(self.access.email, chance)),
            url: url(step, product.map(|product| product.sku.as_str()), chance),
            sku: product.map(|product| product.sku.as_str()),
            order_id: self.order_id.as_deref().filter(|_| is_checkout),
            utm: self.utm().filter(|_| number == 0),
            referrer: self.referrer.filter(|_| number == 0),
            device: self.device,
            cart_value: step.cart.map(|hundredths| Amount { hundredths, is_text: false }),
        }
    }

    fn user_id(&self, writer: &mut Writer, chance: &mut Chance) -> Option<String> {
        if self.access.is_logged_in {
            return Some(writer.plain(Identifier::User));
        }
        chance.permille(40).then(|| junk::USER.to_owned())
    }

    fn utm(&self) -> Option<Utm<'_>> {
        let campaign = self.scene.world.campaign(self.visit.campaign?);
        let (source, medium) = campaign.link();
        Some(Utm { source, medium, campaign: &campaign.id })
    }
}

fn device(machine: Identifier, person: u64) -> Device {
    let choice = scramble64(person) as usize + machine.bit() as usize;
    let (browser, os, kind) = BROWSERS[choice % BROWSERS.len()];
    Device { r#type: kind, os, browser }
}

fn referrer(visit: &Visit, chance: &mut Chance) -> Option<&'static str> {
    if visit.campaign.is_some() {
        return None;
    }
    let pages = [
        None,
        Some("https://search.example/"),
        Some("https://weixin.example/"),
        Some("https://weibo.example/"),
    ];
    pages[chance.weighted(&[60, 22, 12, 6])]
}

fn url(step: Step, sku: Option<&str>, chance: &mut Chance) -> String {
    match (step.kind, sku) {
        ("product_view", Some(sku)) => format!("/product/{sku}"),
        ("add_to_cart", _) => "/cart".to_owned(),
        ("checkout", _) => "/checkout".to_owned(),
        _ => format!("/category/{}", chance.pick(&CATEGORIES).0),
    }
}
