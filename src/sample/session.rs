//! Who is seen to act: which browser or device, logged in or not, with which address.

use super::chance::{Chance, Topic};
use super::evidence::Marks;
use super::people::{Identifier, Person};
use super::purchase::{Place, Purchase};
use super::spelling::{self, junk};
use super::world::World;

/// Visits and purchases draw from different parts of one topic.
const OF_PURCHASES: u64 = 1 << 32;

/// Who is seen to act in a visit, an order or at a till.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) is_logged_in: bool,
    /// The browser or the device.
    pub(super) machine: Identifier,
    pub(super) email: Identifier,
    pub(super) phone: Identifier,
}

impl Access {
    /// Returns who is seen in a visit without purchase.
    pub(super) fn of_visit(
        world: &World,
        person: &Person,
        place: Place,
        serial: u16,
        at: i64,
    ) -> Self {
        let mut chance = world.chance(Topic::Access, person.number, u64::from(serial));
        let likely = if place == Place::App { 850 } else { 450 };
        let is_logged_in = chance.permille(likely) && person.is_registered(at);
        Self::draw(person, place, is_logged_in, at, &mut chance)
    }

    /// Returns who is seen in a purchase; its visit and its order show the same.
    pub(super) fn of_purchase(world: &World, person: &Person, purchase: &Purchase) -> Self {
        let part = OF_PURCHASES + u64::from(purchase.number);
        let mut chance = world.chance(Topic::Access, person.number, part);
        let likely = if purchase.place == Place::App { 970 } else { 780 };
        let is_logged_in = chance.permille(likely) && person.is_registered(purchase.at);
        Self::draw(person, purchase.place, is_logged_in, purchase.at, &mut chance)
    }

    fn draw(
        person: &Person,
        place: Place,
        is_logged_in: bool,
        at: i64,
        chance: &mut Chance,
    ) -> Self {
        // On the family's tablet people act under their own name or do nothing that would name them.
        let on_tablet = is_logged_in && person.shares_tablet && chance.permille(300);
        let day = (at / super::calendar::DAY) as u32;
        let own = match place {
            Place::App => person.some_device(chance, day),
            Place::Web | Place::Store => person.some_cookie(chance, day),
        };
        let machine = match (on_tablet, place) {
            (true, Place::App) => Identifier::SharedDevice,
            (true, Place::Web | Place::Store) => Identifier::SharedCookie,
            (false, _) => own,
        };
        Self {
            is_logged_in,
            machine,
            email: person.some_email(chance),
            phone: person.some_phone(chance),
        }
    }
}

/// Writes the identifiers of one row and keeps account of what the row shows.
pub(super) struct Writer<'a> {
    pub(super) world: &'a World,
    pub(super) person: &'a Person,
    pub(super) marks: Marks,
}

impl<'a> Writer<'a> {
    pub(super) fn new(world: &'a World, person: &'a Person) -> Self {
        Self { world, person, marks: Marks::default() }
    }

    /// Writes a user id, a card, a cookie or a device as it is.
    pub(super) fn plain(&mut self, identifier: Identifier) -> String {
        self.marks.insert(identifier);
        self.person.value(self.world.options.seed, identifier)
    }

    /// Writes an address in one of its spellings; few people make one up.
    pub(super) fn email(&mut self, identifier: Identifier, chance: &mut Chance) -> String {
        if chance.permille(2) {
            return junk::EMAIL.to_owned();
        }
        spelling::email(&self.plain(identifier), chance)
    }

    /// Writes a phone in one of its spellings; few people make one up.
    pub(super) fn phone(&mut self, identifier: Identifier, chance: &mut Chance) -> String {
        if chance.permille(3) {
            return junk::PHONE.to_owned();
        }
        spelling::phone(&self.plain(identifier), chance)
    }

    /// Writes a browser or device; few fail to tell which they are.
    pub(super) fn machine(&mut self, identifier: Identifier, chance: &mut Chance) -> String {
        if chance.permille(4) {
            return unknown_machine(identifier).to_owned();
        }
        self.plain(identifier)
    }
}

fn unknown_machine(identifier: Identifier) -> &'static str {
    match identifier {
        Identifier::Device(_) | Identifier::SharedDevice => junk::DEVICE,
        _ => junk::COOKIE,
    }
}
