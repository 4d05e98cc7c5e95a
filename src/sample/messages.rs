//! Messages of a campaign: who is chosen, who is held out, what it leads to.

use super::calendar::DAY;
use super::campaigns::{Campaign, Kind, Message};
use super::chance::Topic;
use super::people::Person;
use super::world::World;

/// Held out of a message, of a thousand chosen.
const CONTROL: u64 = 100;

/// A person chosen for a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending {
    /// When the person was chosen; those not held out get the message then.
    pub(super) at: i64,
    pub(super) is_control: bool,
    pub(super) opened_at: Option<i64>,
    pub(super) clicked_at: Option<i64>,
    /// When the message makes the person buy who otherwise would not have.
    pub(super) buys_at: Option<i64>,
}

impl Sending {
    /// Returns what a message campaign does to a person, if he is chosen; the same whenever it is asked.
    pub(super) fn of(world: &World, campaign: u16, person: &Person) -> Option<Self> {
        let Kind::Message(message) = world.campaign(campaign).kind else {
            return None;
        };
        let mut chance = world.chance(Topic::Send, person.number, u64::from(campaign));
        let campaign = world.campaign(campaign);
        let at = i64::from(campaign.first_day) * DAY + 36_000 + chance.below(1800) as i64;
        let may_write = person.is_registered(at) && consents(person, campaign);
        if !may_write || !chance.permille(message.audience) {
            return None;
        }
        if chance.permille(CONTROL) {
            return Some(Self::without_effect(at, true));
        }
        Some(Self::treated(at, message, &mut chance))
    }

    /// Returns when the outcome is exported, if there is one to export.
    pub(super) fn outcome_at(&self) -> Option<i64> {
        self.clicked_at.max(self.opened_at)
    }

    fn without_effect(at: i64, is_control: bool) -> Self {
        Self { at, is_control, opened_at: None, clicked_at: None, buys_at: None }
    }

    fn treated(at: i64, message: Message, chance: &mut super::chance::Chance) -> Self {
        let buys = chance.per_million(message.lift);
        let tracks = message.opens > 0;
        let opens = chance.permille(message.opens) || (buys && tracks);
        let clicks = opens && (chance.permille(message.clicks) || buys);
        let opened_at = at + chance.between(60, 100_000) as i64;
        let clicked_at = opened_at + chance.between(5, 600) as i64;
        let bought_at =
            if clicks { clicked_at } else { at + chance.between(3600, 5 * 86_400) as i64 };
        Self {
            opened_at: opens.then_some(opened_at),
            clicked_at: clicks.then_some(clicked_at),
            buys_at: buys.then_some(bought_at),
            ..Self::without_effect(at, false)
        }
    }
}

fn consents(person: &Person, campaign: &Campaign) -> bool {
    match campaign.channel {
        "email" => person.consent.email,
        "sms" => person.consent.sms,
        _ => person.uses_app,
    }
}
