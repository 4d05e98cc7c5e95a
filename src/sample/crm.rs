//! Rows of the customer file.

use super::chance::Topic;
use super::chunk::{Mark, Output, Row, Scene};
use super::encode::csv;
use super::people::Identifier;
use super::session::Writer;
use super::source::Source;

/// Writes a customer's record; the second version tells of a move.
pub(super) fn write(scene: &Scene, version: u8, output: &mut Output) {
    let mut writer = Writer::new(scene.world, scene.person);
    let line = record(scene, version, &mut writer);
    let mark = if version == 0 { Mark::First } else { Mark::Version };
    let at = scene.at;
    output.push(Source::CrmCustomers, Row { at, line, mark });
    output.record(scene.index, writer.marks);
}

fn record(scene: &Scene, version: u8, writer: &mut Writer) -> Vec<u8> {
    let person = scene.person;
    let calendar = &scene.world.calendar;
    // Both versions draw the same, so that they differ only in what has changed.
    let mut chance = scene.world.chance(Topic::Crm, person.number, 0);
    let user = writer.plain(Identifier::User);
    let email = writer.email(Identifier::Email(0), &mut chance);
    let phone = chance.permille(880).then(|| writer.phone(Identifier::Phone(0), &mut chance));
    let card = person.has_card.then(|| writer.plain(Identifier::Card));
    let birthday = birthday(&mut chance);
    let gender = ["f", "m", "x", ""][chance.weighted(&[50, 40, 2, 8])];
    let city = if version == 0 { person.city() } else { person.next_city() };
    // The second address is an attribute: the pipeline does not link it.
    let seed = scene.world.options.seed;
    let second = person.second_email().map(|email| person.value(seed, email));
    let created = person.registered_at.unwrap_or_default();
    let updated = if version == 0 { created } else { scene.at };
    csv(&[
        &user,
        &person.name(),
        &email,
        &second.unwrap_or_default(),
        &phone.unwrap_or_default(),
        &card.unwrap_or_default(),
        &birthday,
        gender,
        city,
        &person.consent.email.to_string(),
        &person.consent.sms.to_string(),
        &calendar.local(created),
        &calendar.local(updated),
    ])
}

/// Returns a birthday, in one of two spellings; some people keep theirs to themselves.
fn birthday(chance: &mut super::chance::Chance) -> String {
    let (year, month, day) =
        (chance.between(1955, 2007), chance.between(1, 12), chance.between(1, 28));
    match chance.weighted(&[70, 12, 18]) {
        0 => format!("{year}-{month:02}-{day:02}"),
        1 => format!("{year}/{month:02}/{day:02}"),
        _ => String::new(),
    }
}
