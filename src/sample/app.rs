//! Rows of the app.

use serde::Serialize;

use super::chance::{Chance, Topic};
use super::chunk::{Output, Row, Scene};
use super::encode::json;
use super::happening::Visit;
use super::options::SampleError;
use super::people::Identifier;
use super::purchase::Place;
use super::session::{Access, Writer};
use super::source::Source;
use super::web::{Step, browsing, buying, end};
use super::words::APP_VERSIONS;

#[derive(Serialize)]
struct AppEvent<'a> {
    event_id: String,
    ts: i64,
    received_at: i64,
    r#type: &'static str,
    session_id: &'a str,
    device: Device,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign_id: Option<&'a str>,
    app: App,
}

#[derive(Serialize)]
struct Device {
    id: String,
    os: &'static str,
}

#[derive(Serialize)]
struct App {
    version: &'static str,
}

/// Writes the events of one use of the app.
pub(super) fn write(scene: &Scene, visit: &Visit, output: &mut Output) -> Result<(), SampleError> {
    let mut chance = scene.chance(Topic::Visit);
    let purchase = scene.purchase(visit.purchase);
    let access = match purchase {
        Some(purchase) => Access::of_purchase(scene.world, scene.person, purchase),
        None => Access::of_visit(scene.world, scene.person, Place::App, scene.serial, scene.at),
    };
    let steps = match purchase {
        Some(purchase) => buying(scene, purchase, &mut chance),
        None => browsing(scene, "app_open", &mut chance),
    };
    let session = Session {
        scene,
        access,
        id: format!("a{:016x}", scene.key(0)),
        order_id: purchase.map(|purchase| purchase.order_id(scene.person)),
        campaign: visit.campaign.map(|index| scene.world.campaign(index).id.as_str()),
        ends: end(scene.at, purchase, steps.len(), &mut chance),
        steps: steps.len(),
    };
    for (number, step) in steps.into_iter().enumerate() {
        session.write_step(number, step, &mut chance, output)?;
    }
    Ok(())
}

struct Session<'a> {
    scene: &'a Scene<'a>,
    access: Access,
    id: String,
    order_id: Option<String>,
    campaign: Option<&'a str>,
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
        output.push(Source::AppEvents, Row::first(at, json(&event)?));
        if chance.permille(3) {
            event.received_at += chance.between(2000, 900_000) as i64;
            output.push(Source::AppEvents, Row::repeat(at, json(&event)?));
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
    ) -> AppEvent<'a> {
        let millis = self.scene.world.calendar.unix_millis(at) + chance.below(1000) as i64;
        let is_checkout = step.kind == "checkout";
        let knows_phone = self.access.is_logged_in || self.order_id.is_some();
        let shows_phone = (is_checkout || chance.permille(70)) && knows_phone;
        let id = writer.machine(self.access.machine, chance);
        AppEvent {
            event_id: format!("{:016x}", self.scene.key(number as u64 + 1)),
            ts: millis,
            received_at: millis + chance.between(50, 2500) as i64,
            r#type: step.kind,
            session_id: &self.id,
            device: Device { os: operating_system(self.scene.person.number), id },
            user_id: self.access.is_logged_in.then(|| writer.plain(Identifier::User)),
            phone: shows_phone.then(|| writer.phone(self.access.phone, chance)),
            sku: step.product.map(|index| self.scene.world.products[index].sku.as_str()),
            order_id: self.order_id.as_deref().filter(|_| is_checkout),
            campaign_id: self.campaign.filter(|_| number == 0),
            app: App { version: APP_VERSIONS[(self.scene.person.number % 4) as usize] },
        }
    }
}

fn operating_system(person: u64) -> &'static str {
    if person.is_multiple_of(3) { "iOS" } else { "Android" }
}
