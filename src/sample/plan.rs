//! Plans what a person does in the whole period.

use super::calendar::{DAY, SCREEN_HOURS, SHOP_HOURS, pick_second};
use super::campaigns::Kind;
use super::chance::{Chance, Topic};
use super::happening::{Happening, Visit, What};
use super::messages::Sending;
use super::people::{Buyer, Person};
use super::purchase::{Fate, Place, Purchase};
use super::world::{PAID_VISITS, World};

/// A visit ends before midnight: it never begins later than this before it.
const LONGEST_VISIT: i64 = 1200;
/// When the customer file is exported on the first day.
const FIRST_EXPORT: i64 = 3 * 3600;
/// Visits beyond this are not made, so that their numbers fit.
const MOST_VISITS: u32 = 24_000;

/// What the people of a chunk do.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) purchases: Vec<Purchase>,
    pub(super) happenings: Vec<Happening>,
}

/// Adds what one person does.
pub(super) fn plan_person(world: &World, person: &Person, index: u32, planned: &mut Planned) {
    let mut plan = Planner {
        world,
        person,
        index,
        serial: 0,
        number: 0,
        chance: world.chance(Topic::Plan, person.number, 0),
        planned,
    };
    plan.customer_record();
    plan.purchases();
    plan.web_visits();
    plan.app_visits();
    plan.messages();
}

struct Planner<'a> {
    world: &'a World,
    person: &'a Person,
    index: u32,
    serial: u16,
    number: u16,
    chance: Chance,
    planned: &'a mut Planned,
}

impl Planner<'_> {
    fn add(&mut self, at: i64, what: What) {
        if !self.world.calendar.covers(at) {
            return;
        }
        self.planned.happenings.push(Happening {
            at,
            person: self.index,
            serial: self.serial,
            what,
        });
        self.serial = self.serial.saturating_add(1);
    }

    fn customer_record(&mut self) {
        let Some(since) = self.person.registered_at else {
            return;
        };
        self.add(since.max(FIRST_EXPORT), What::CustomerRecord { version: 0 });
        let changes = (60.0 * self.world.months()) as u64;
        if self.chance.permille(changes.min(400)) {
            let at = self.moment(&SHOP_HOURS);
            if at > since.max(FIRST_EXPORT) {
                self.add(at, What::CustomerRecord { version: 1 });
            }
        }
    }

    fn purchases(&mut self) {
        let days = u64::from(self.world.calendar.days);
        let count = match self.person.buyer {
            Buyer::Never => 0,
            Buyer::Once => u32::from(self.chance.permille(700 * days / (days + 12))),
            buyer => {
                let mean = buyer.purchases_a_month() * self.world.months();
                self.chance.poisson(mean)
            }
        };
        let lifetime = self.lifetime();
        for _ in 0..count {
            let place = self.some_place();
            let hours = match place {
                Place::Store => &SHOP_HOURS,
                Place::Web | Place::App => &SCREEN_HOURS,
            };
            let at = self.moment(hours);
            if count == 1 || lifetime.contains(&(at / DAY)) {
                self.buy_unprompted(at, place);
            }
        }
    }

    /// Returns the days on which a buyer who comes back is a customer.
    fn lifetime(&mut self) -> std::ops::Range<i64> {
        let days = u64::from(self.world.calendar.days);
        let first = if self.chance.permille(300) { self.chance.below(days) } else { 0 };
        let end = if self.chance.permille(350) {
            first + 1 + self.chance.below(days * 3 / 2)
        } else {
            days
        };
        first as i64..end as i64
    }

    fn some_place(&mut self) -> Place {
        let weights: &[u32] = if self.person.uses_app { &[30, 30, 40] } else { &[60, 40, 0] };
        [Place::Web, Place::Store, Place::App][self.chance.weighted(weights)]
    }

    /// Plans a purchase that no campaign caused; it may still have been looked up before.
    fn buy_unprompted(&mut self, at: i64, place: Place) {
        if place == Place::Web && self.chance.permille(500) {
            let before = at - self.chance.between(3600, 6 * 86_400) as i64;
            let campaign = self.paying_campaign(before, 200);
            self.visit(Place::Web, before, campaign, None);
        }
        let campaign = match place {
            Place::Web => self.paying_campaign(at, 200),
            Place::App | Place::Store => None,
        };
        self.buy(at, place, campaign, None);
    }

    /// Plans a purchase with everything that follows from it.
    fn buy(&mut self, at: i64, place: Place, campaign: Option<u16>, cause: Option<u16>) {
        let begins = within_day(at);
        let duration = match place {
            Place::Store => 0,
            Place::Web | Place::App => self.chance.between(300, 1000) as i64,
        };
        let purchase = Purchase {
            person: self.index,
            number: self.number,
            at: begins + duration,
            place,
            cause,
        };
        if !self.world.calendar.covers(purchase.at) {
            return;
        }
        self.number = self.number.saturating_add(1);
        let index = self.planned.purchases.len() as u32;
        self.planned.purchases.push(purchase);
        if place == Place::Store {
            self.leave_with_receipt(&purchase, index);
        } else {
            self.visit(place, begins, campaign, Some(index));
            let fate = Fate::of(self.world, &purchase, self.person);
            for (at, version) in fate.times(purchase.at).into_iter().zip(0..) {
                let purchase = index;
                self.add(at, What::Order { purchase, version });
            }
        }
    }

    fn leave_with_receipt(&mut self, purchase: &Purchase, index: u32) {
        self.add(purchase.at, What::Receipt { purchase: index });
        if self.chance.permille(50) {
            let days = self.chance.between(2, 15) as i64;
            let at = (purchase.at / DAY + days) * DAY + pick_second(&mut self.chance, &SHOP_HOURS);
            self.add(at, What::Return { purchase: index });
        }
    }

    fn visit(&mut self, place: Place, at: i64, campaign: Option<u16>, purchase: Option<u32>) {
        let visit = Visit { campaign, purchase };
        let what = match place {
            Place::App => What::AppVisit(visit),
            Place::Web | Place::Store => What::WebVisit(visit),
        };
        self.add(within_day(at), what);
    }

    fn web_visits(&mut self) {
        let mean = self.world.mean_web_visits() * self.person.buyer.browsing();
        for _ in 0..self.chance.poisson(mean).min(MOST_VISITS) {
            let at = self.moment(&SCREEN_HOURS);
            let campaign = self.paying_campaign(at, PAID_VISITS);
            match campaign {
                Some(cause) if self.is_moved_by(cause) => {
                    self.buy(at, Place::Web, campaign, campaign);
                }
                _ => self.visit(Place::Web, at, campaign, None),
            }
        }
    }

    fn app_visits(&mut self) {
        if !self.person.uses_app {
            return;
        }
        let mean = self.world.mean_app_visits() * self.person.buyer.browsing();
        for _ in 0..self.chance.poisson(mean).min(MOST_VISITS) {
            let at = self.moment(&SCREEN_HOURS);
            self.visit(Place::App, at, None, None);
        }
    }

    fn messages(&mut self) {
        for (campaign, index) in self.world.campaigns.iter().zip(0_u16..) {
            if let Some(sending) = Sending::of(self.world, index, self.person) {
                self.message(index, campaign.channel, &sending);
            }
        }
    }

    fn message(&mut self, campaign: u16, channel: &str, sending: &Sending) {
        self.add(sending.at, What::Send { campaign });
        if let Some(at) = sending.outcome_at() {
            self.add(at, What::SendOutcome { campaign });
        }
        let place = match channel {
            "push" => Place::App,
            "sms" if self.person.uses_app => Place::App,
            _ => Place::Web,
        };
        if let Some(at) = sending.buys_at {
            self.buy(at, place, Some(campaign), Some(campaign));
        } else if let Some(at) = sending.clicked_at {
            self.visit(place, at, Some(campaign), None);
        }
    }

    /// Returns a time within the period, by busy days and hours.
    fn moment(&mut self, hours: &[u32; 24]) -> i64 {
        let day = self.world.calendar.pick_day(&mut self.chance);
        i64::from(day) * DAY + pick_second(&mut self.chance, hours)
    }

    /// Returns the campaign that pays for a visit, for so many of a thousand visits.
    fn paying_campaign(&mut self, at: i64, share: u64) -> Option<u16> {
        let is_paid = self.chance.permille(share) && self.world.calendar.covers(at);
        is_paid.then(|| {
            let day = (at / DAY) as u32;
            self.world.some_paid_campaign(&mut self.chance, day)
        })
    }

    fn is_moved_by(&mut self, campaign: u16) -> bool {
        match self.world.campaign(campaign).kind {
            Kind::Paid(paid) => self.chance.per_million(paid.causes),
            Kind::Message(_) | Kind::Posters { .. } => false,
        }
    }
}

/// Moves the beginning of a visit so that it ends on the day on which it begins.
fn within_day(at: i64) -> i64 {
    let latest = at.div_euclid(DAY) * DAY + DAY - LONGEST_VISIT;
    at.min(latest)
}
