//! The truth about a sample: who is who, what campaigns did, what was planted.

use super::chunk::{Chunk, Output};
use super::encode::{csv, decimal};
use super::files::{TRUTH, gzip, write};
use super::options::SampleError;
use super::people::{Identifier, Person};
use super::purchase::{Basket, Place, Purchase};
use super::tally::{Effect, Tally};
use super::world::World;

/// Writes who is who in a chunk, and which of its purchases campaigns caused; counts the latter.
pub(super) fn write_chunk(
    world: &World,
    number: u64,
    chunk: &Chunk,
    output: &mut Output,
) -> Result<(), SampleError> {
    let name = format!("part-{number:04}.csv.gz");
    let identities = identities(world, chunk, output);
    write_part(world, "identities", &name, &identities)?;
    let conversions = conversions(world, chunk, &mut output.effects);
    write_part(world, "conversions", &name, &conversions)
}

/// Writes what is known when everything is made.
pub(super) fn write_sums(world: &World, tally: &Tally) -> Result<(), SampleError> {
    let folder = world.options.out.join(TRUTH);
    let mut counts = serde_json::to_vec_pretty(&tally.summary())?;
    counts.push(b'\n');
    write(&folder.join("counts.json"), &counts)?;
    write(&folder.join("campaigns.csv"), &campaigns(world, &tally.effects))
}

fn write_part(
    world: &World,
    family: &str,
    name: &str,
    lines: &[Vec<u8>],
) -> Result<(), SampleError> {
    let path = world.options.out.join(TRUTH).join(family).join(name);
    write(&path, &gzip(lines.iter().map(Vec::as_slice))?)
}

fn identities(world: &World, chunk: &Chunk, output: &Output) -> Vec<Vec<u8>> {
    let mut lines = vec![csv(&["person", "identifier_type", "value", "shared", "group"])];
    for (person, evidence) in chunk.people.iter().zip(&output.evidence) {
        for identifier in Identifier::ALL {
            if evidence.has_seen(identifier) {
                let group = evidence.group(identifier);
                lines.push(identity(world, person, identifier, group));
            }
        }
    }
    lines
}

fn identity(world: &World, person: &Person, identifier: Identifier, group: Option<u8>) -> Vec<u8> {
    let value = person.value(world.options.seed, identifier);
    let value = match identifier {
        Identifier::Phone(_) => format!("+86{value}"),
        Identifier::User | Identifier::Cookie(_) | Identifier::Device(_) => value.to_lowercase(),
        _ => value,
    };
    let number = person.number.to_string();
    let name = group.map(|group| format!("{number}-{group}"));
    csv(&[
        &number,
        identifier.type_name(),
        &value,
        if group.is_none() { "true" } else { "false" },
        &name.unwrap_or_default(),
    ])
}

fn conversions(world: &World, chunk: &Chunk, effects: &mut [Effect]) -> Vec<Vec<u8>> {
    let mut lines = vec![csv(&["order_id", "person", "campaign_id", "value_cny"])];
    for purchase in &chunk.purchases {
        let Some(cause) = purchase.cause else {
            continue;
        };
        let person = &chunk.people[purchase.person as usize];
        let value = Basket::of(world, purchase, person).value_in_fen(world, purchase.day());
        let effect = &mut effects[usize::from(cause)];
        effect.caused += 1;
        effect.caused_fen += value;
        lines.push(csv(&[
            &id(purchase, person),
            &person.number.to_string(),
            &world.campaign(cause).id,
            &decimal(value),
        ]));
    }
    lines
}

fn id(purchase: &Purchase, person: &Person) -> String {
    match purchase.place {
        Place::Store => purchase.receipt_id(person),
        Place::Web | Place::App => purchase.order_id(person),
    }
}

fn campaigns(world: &World, effects: &[Effect]) -> Vec<u8> {
    let header = csv(&[
        "campaign_id",
        "channel",
        "effect_per_million",
        "treated",
        "control",
        "caused_orders",
        "caused_value_cny",
    ]);
    let rows = world.campaigns.iter().zip(effects).map(|(campaign, effect)| {
        csv(&[
            &campaign.id,
            campaign.channel,
            &campaign.true_effect().to_string(),
            &effect.treated.to_string(),
            &effect.control.to_string(),
            &effect.caused.to_string(),
            &decimal(effect.caused_fen),
        ])
    });
    [header].into_iter().chain(rows).flatten().collect()
}
