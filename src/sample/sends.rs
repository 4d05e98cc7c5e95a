//! Rows of messages.

use serde::Serialize;

use super::chance::scramble64;
use super::chunk::{Mark, Output, Row, Scene};
use super::encode::json;
use super::messages::Sending;
use super::options::SampleError;
use super::people::Identifier;
use super::session::Writer;
use super::source::Source;

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the names of the exported fields")]
struct Send<'a> {
    send_id: String,
    campaign_id: &'a str,
    channel: &'static str,
    user_id: Option<String>,
    email: Option<String>,
    group: &'static str,
    assigned_at: String,
    sent_at: Option<String>,
    opened_at: Option<String>,
    clicked_at: Option<String>,
    updated_at: String,
}

/// When a row of a message is exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Assigned,
    Outcome,
}

/// Writes a message as it is known at one moment.
pub(super) fn write(
    scene: &Scene,
    campaign: u16,
    moment: Moment,
    output: &mut Output,
) -> Result<(), SampleError> {
    let Some(sending) = Sending::of(scene.world, campaign, scene.person) else {
        return Ok(());
    };
    let mut writer = Writer::new(scene.world, scene.person);
    let line = json(&send(scene, campaign, moment, &sending, &mut writer))?;
    let mark = match moment {
        Moment::Assigned => Mark::First,
        Moment::Outcome => Mark::Version,
    };
    let at = scene.at;
    output.push(Source::CampaignSends, Row { at, line, mark });
    output.record(scene.index, writer.marks);
    if moment == Moment::Assigned {
        output.count_send(campaign, sending.is_control);
    }
    Ok(())
}

fn send<'a>(
    scene: &'a Scene,
    campaign: u16,
    moment: Moment,
    sending: &Sending,
    writer: &mut Writer,
) -> Send<'a> {
    let key = (u64::from(campaign) << 40) | scene.person.number;
    let campaign = scene.world.campaign(campaign);
    let calendar = &scene.world.calendar;
    let known = |at: Option<i64>| at.filter(|_| moment == Moment::Outcome);
    let written = |at: Option<i64>| at.map(|at| calendar.with_offset(at));
    let is_email = campaign.channel == "email";
    // The mail system knows every tenth customer by nothing but the address.
    let is_nameless = is_email && scramble64(key).is_multiple_of(10);
    Send {
        send_id: format!("{:016x}", scramble64(key)),
        campaign_id: &campaign.id,
        channel: campaign.channel,
        user_id: (!is_nameless).then(|| writer.plain(Identifier::User)),
        email: is_email.then(|| writer.plain(Identifier::Email(0))),
        group: if sending.is_control { "control" } else { "treatment" },
        assigned_at: calendar.with_offset(sending.at),
        sent_at: written(Some(sending.at).filter(|_| !sending.is_control)),
        opened_at: written(known(sending.opened_at)),
        clicked_at: written(known(sending.clicked_at)),
        updated_at: calendar.with_offset(scene.at),
    }
}
