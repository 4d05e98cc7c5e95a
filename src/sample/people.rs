//! People: who they are, what identifies them and how they buy. Everything follows from a person's number.

use super::calendar::Calendar;
use super::chance::{Chance, Topic, scramble, scramble64};
use super::words::{CITIES, FAMILY_NAMES, GIVEN_NAMES, MAIL_DOMAINS};

/// Beginnings of valid Chinese mobile numbers.
const MOBILE_NETWORKS: [u64; 24] = [
    130, 131, 132, 133, 135, 136, 137, 139, 150, 151, 152, 153, 155, 156, 157, 158, 159, 180, 181,
    182, 186, 187, 188, 189,
];
/// Neighbouring numbers that live together.
const HOUSEHOLD: u64 = 4;

/// Something that points at a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identifier {
    User,
    Card,
    Email(u8),
    Phone(u8),
    Cookie(u8),
    Device(u8),
    SharedCookie,
    SharedDevice,
}

impl Identifier {
    /// How many identifiers a person may have for himself; their bits are the lowest.
    pub(super) const OWN: u32 = 14;

    pub(super) const ALL: [Self; 16] = [
        Self::User,
        Self::Card,
        Self::Email(0),
        Self::Email(1),
        Self::Email(2),
        Self::Phone(0),
        Self::Phone(1),
        Self::Cookie(0),
        Self::Cookie(1),
        Self::Cookie(2),
        Self::Cookie(3),
        Self::Device(0),
        Self::Device(1),
        Self::Device(2),
        Self::SharedCookie,
        Self::SharedDevice,
    ];

    /// Returns the place of the identifier in [`Identifier::ALL`].
    pub(super) fn bit(self) -> u32 {
        match self {
            Self::User => 0,
            Self::Card => 1,
            Self::Email(number) => 2 + u32::from(number),
            Self::Phone(number) => 5 + u32::from(number),
            Self::Cookie(number) => 7 + u32::from(number),
            Self::Device(number) => 11 + u32::from(number),
            Self::SharedCookie => 14,
            Self::SharedDevice => 15,
        }
    }

    /// Returns the name of its type in the pipeline.
    pub(super) fn type_name(self) -> &'static str {
        match self {
            Self::User => "user_id",
            Self::Card => "loyalty_card",
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
            Self::Cookie(_) | Self::SharedCookie => "cookie",
            Self::Device(_) | Self::SharedDevice => "device",
        }
    }
}

/// How a person buys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Buyer {
    Never,
    Once,
    Occasional,
    Regular,
    Vip,
}

impl Buyer {
    const ALL: [Self; 5] = [Self::Never, Self::Once, Self::Occasional, Self::Regular, Self::Vip];
    /// Of a hundred people.
    const SHARES: [u32; 5] = [20, 50, 22, 7, 1];

    /// Returns how many purchases a buyer who comes back makes in 30 days.
    pub(super) fn purchases_a_month(self) -> f64 {
        match self {
            Self::Never | Self::Once => 0.0,
            Self::Occasional => 0.9,
            Self::Regular => 2.8,
            Self::Vip => 11.0,
        }
    }

    /// Returns how much more a buyer browses than the average person.
    pub(super) fn browsing(self) -> f64 {
        match self {
            Self::Never => 0.6,
            Self::Once => 0.8,
            Self::Occasional => 1.2,
            Self::Regular => 2.2,
            Self::Vip => 4.0,
        }
    }
}

/// By which ways a person may be written to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Consent {
    pub(super) email: bool,
    pub(super) sms: bool,
}

/// A person.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) number: u64,
    pub(super) buyer: Buyer,
    /// The time of registration, before the period for most; none for guests.
    pub(super) registered_at: Option<i64>,
    pub(super) has_card: bool,
    pub(super) uses_app: bool,
    /// Whether the household's tablet is used.
    pub(super) shares_tablet: bool,
    pub(super) consent: Consent,
    emails: u8,
    phones: u8,
    cookies: u8,
    devices: u8,
    family: u8,
    given: u8,
    city: u8,
}

impl Person {
    pub(super) fn new(seed: u64, number: u64, calendar: &Calendar) -> Self {
        let mut chance = Chance::new(seed, Topic::Person, number, 0);
        let buyer = Buyer::ALL[chance.weighted(&Buyer::SHARES)];
        let registered_at = registration(&mut chance, buyer, calendar);
        let uses_app = chance.permille(520);
        Self {
            number,
            buyer,
            registered_at,
            has_card: chance.permille(620),
            uses_app,
            shares_tablet: registered_at.is_some() && uses_tablet(seed, number, &mut chance),
            consent: Consent { email: chance.permille(700), sms: chance.permille(450) },
            emails: 1 + chance.weighted(&[72, 22, 6]) as u8,
            phones: 1 + chance.weighted(&[88, 12]) as u8,
            cookies: 1 + chance.weighted(&[35, 35, 20, 10]) as u8,
            devices: 1 + chance.weighted(&[70, 24, 6]) as u8,
            family: chance.below(FAMILY_NAMES.len() as u64) as u8,
            given: chance.below(GIVEN_NAMES.len() as u64) as u8,
            city: chance.weighted(&CITIES.map(|(_, people)| people)) as u8,
        }
    }

    pub(super) fn is_registered(&self, at: i64) -> bool {
        self.registered_at.is_some_and(|since| since <= at)
    }

    pub(super) fn name(&self) -> String {
        let (family, _) = FAMILY_NAMES[usize::from(self.family)];
        let (given, _) = GIVEN_NAMES[usize::from(self.given)];
        format!("{family}{given}")
    }

    pub(super) fn city(&self) -> &'static str {
        CITIES[usize::from(self.city)].0
    }

    /// Returns the city a person moves to.
    pub(super) fn next_city(&self) -> &'static str {
        CITIES[(usize::from(self.city) + 1) % CITIES.len()].0
    }

    /// Returns one of the person's addresses; most of the time the first.
    pub(super) fn some_email(&self, chance: &mut Chance) -> Identifier {
        let number = chance.weighted(&[80, 15, 5]) as u8;
        Identifier::Email(number % self.emails)
    }

    /// Returns one of the person's phones; most of the time the first.
    pub(super) fn some_phone(&self, chance: &mut Chance) -> Identifier {
        let number = chance.weighted(&[85, 15]) as u8;
        Identifier::Phone(number % self.phones)
    }

    /// Returns one of the person's browsers; the usual one is another every six weeks.
    pub(super) fn some_cookie(&self, chance: &mut Chance, day: u32) -> Identifier {
        let usual = (u64::from(day) + self.number % 42) / 42;
        let number = usual + u64::from(chance.permille(200));
        Identifier::Cookie((number % u64::from(self.cookies)) as u8)
    }

    /// Returns one of the person's phones with the app.
    pub(super) fn some_device(&self, chance: &mut Chance, day: u32) -> Identifier {
        let usual = (u64::from(day) + self.number % 90) / 90;
        let number = usual + u64::from(chance.permille(120));
        Identifier::Device((number % u64::from(self.devices)) as u8)
    }

    /// Returns the second address as the customer file knows it.
    pub(super) fn second_email(&self) -> Option<Identifier> {
        (self.emails > 1).then_some(Identifier::Email(1))
    }

    /// Returns an identifier's value, written as martlet normalises it save for a phone's country code.
    pub(super) fn value(&self, seed: u64, identifier: Identifier) -> String {
        match identifier {
            Identifier::User => format!("u{:08}", scramble(self.number, 100_000_000)),
            Identifier::Card => format!("LC{:08}", 1 + scramble(self.number, 99_999_999)),
            Identifier::Email(which) => self.email(which),
            Identifier::Phone(which) => self.phone(which),
            Identifier::Cookie(which) => self.cookie(seed, u64::from(which)),
            Identifier::Device(which) => device(seed, self.number * HOUSEHOLD + u64::from(which)),
            Identifier::SharedCookie => household_cookie(seed, self.household()),
            Identifier::SharedDevice => device(seed, u64::MAX / 2 + self.household()),
        }
    }

    fn household(&self) -> u64 {
        self.number / HOUSEHOLD
    }

    fn email(&self, which: u8) -> String {
        const ENDINGS: u64 = 36 * 36 * 36 * 36 * 36 * 36;
        let ending = scramble(self.number * 3 + u64::from(which), ENDINGS);
        let (_, family) = FAMILY_NAMES[usize::from(self.family)];
        let (_, given) = GIVEN_NAMES[usize::from(self.given)];
        let domain = MAIL_DOMAINS[(ending % MAIL_DOMAINS.len() as u64) as usize];
        format!("{family}{given}.{}@{domain}", base36(ending))
    }

    fn phone(&self, which: u8) -> String {
        const LINES: u64 = 100_000_000;
        let networks = MOBILE_NETWORKS.len() as u64;
        let line = scramble(self.number * 2 + u64::from(which), networks * LINES);
        let network = MOBILE_NETWORKS[(line / LINES) as usize];
        format!("{network}{:08}", line % LINES)
    }

    fn cookie(&self, seed: u64, which: u64) -> String {
        let number = (self.number << 3) | which;
        format!("{:016x}", scramble64(number ^ scramble64(seed)))
    }
}

/// Returns when a person registers: most buyers before the period, some within it, some never.
fn registration(chance: &mut Chance, buyer: Buyer, calendar: &Calendar) -> Option<i64> {
    const THREE_YEARS: u64 = 3 * 365 * 86_400;
    let guests = match buyer {
        Buyer::Never | Buyer::Once => 380,
        Buyer::Occasional => 200,
        Buyer::Regular | Buyer::Vip => 60,
    };
    if chance.permille(guests) {
        return None;
    }
    if chance.permille(750) {
        return Some(-1 - chance.below(THREE_YEARS) as i64);
    }
    Some(chance.below(u64::from(calendar.days) * 86_400) as i64)
}

fn uses_tablet(seed: u64, number: u64, chance: &mut Chance) -> bool {
    let mut household = Chance::new(seed, Topic::Household, number / HOUSEHOLD, 0);
    household.permille(120) && chance.permille(700)
}

fn household_cookie(seed: u64, household: u64) -> String {
    let number = (1 << 63) | household;
    format!("{:016x}", scramble64(number ^ scramble64(seed)))
}

fn device(seed: u64, number: u64) -> String {
    let high = scramble64(number ^ scramble64(seed ^ 0xD1));
    let low = scramble64(high);
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFF,
        low >> 48 & 0xFFF,
        low & 0xFFFF_FFFF_FFFF
    )
}

fn base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        *place = DIGITS[(number % 36) as usize];
        number /= 36;
    }
    text.iter().copied().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::NaiveDate;

    use super::{Calendar, Identifier, Person};

    #[test]
    fn no_two_people_have_an_identifier_of_their_own_in_common() {
        let calendar = Calendar::new(NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(), 30);
        let mut values = BTreeSet::new();
        for number in 0..3000 {
            let person = Person::new(7, number, &calendar);
            for identifier in Identifier::ALL {
                if identifier.bit() < Identifier::OWN {
                    let value = person.value(7, identifier);
                    assert!(values.insert(value.clone()), "{identifier:?} {value}");
                }
            }
        }
    }

    #[test]
    fn the_bit_of_an_identifier_is_its_place() {
        for (place, identifier) in Identifier::ALL.into_iter().enumerate() {
            assert_eq!(place, identifier.bit() as usize);
        }
    }
}
