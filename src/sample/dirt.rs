//! Broken rows: what can be wrong with a row of each source.

use serde_json::Value;

use super::chance::Chance;
use super::encode::csv;
use super::options::SampleError;
use super::source::Source;

/// Something that is wrong with a row, in a way for which the pipeline must reject it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flaw {
    pub(super) name: &'static str,
    damage: Damage,
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    /// The row ends early.
    CutOff,
    /// The row is no JSON.
    Syntax,
    /// The row has a field too many.
    ExtraField,
    /// The first field is no UTF-8.
    InvalidUtf8,
    /// A field holds something else; in NDJSON the text of the value.
    Set(&'static str, &'static str),
    /// A required field is missing or empty.
    Drop(&'static str),
}

/// Returns a broken copy of a good row, and what is wrong with it; none for sources that are never broken.
pub(super) fn spoil(
    source: Source,
    line: &[u8],
    chance: &mut Chance,
) -> Result<Option<(&'static str, Vec<u8>)>, SampleError> {
    let flaws = flaws(source);
    if flaws.is_empty() {
        return Ok(None);
    }
    let flaw = chance.pick(flaws);
    let broken = match source.header() {
        Some(header) => spoil_csv(header, line, flaw.damage),
        None => spoil_json(line, flaw.damage)?,
    };
    Ok(Some((flaw.name, broken)))
}

fn spoil_json(line: &[u8], damage: Damage) -> Result<Vec<u8>, SampleError> {
    match damage {
        Damage::CutOff => Ok([&line[..line.len() * 6 / 10], b"\n"].concat()),
        Damage::Syntax => Ok([b"{\"event\" = ", line].concat()),
        Damage::InvalidUtf8 => Ok([b"{\xC3\x28", line].concat()),
        Damage::ExtraField => Ok([line.trim_ascii_end(), b" }\n"].concat()),
        Damage::Set(field, text) => edit(line, |row| {
            let value = serde_json::from_str(text)?;
            row.insert(field.to_owned(), value);
            Ok(())
        }),
        Damage::Drop(field) => edit(line, |row| {
            row.shift_remove(field);
            Ok(())
        }),
    }
}

fn edit(
    line: &[u8],
    change: impl FnOnce(&mut serde_json::Map<String, Value>) -> Result<(), SampleError>,
) -> Result<Vec<u8>, SampleError> {
    let mut row = serde_json::from_slice(line)?;
    change(&mut row)?;
    super::encode::json(&row)
}

fn spoil_csv(header: &str, line: &[u8], damage: Damage) -> Vec<u8> {
    let mut fields = csv_fields(line);
    let place = |name: &str| header.split(',').position(|column| column == name);
    match damage {
        Damage::CutOff | Damage::Syntax => fields.truncate(fields.len() / 2),
        Damage::ExtraField => fields.push("?".to_owned()),
        Damage::Set(name, text) => set(&mut fields, place(name), text),
        Damage::Drop(name) => set(&mut fields, place(name), ""),
        Damage::InvalidUtf8 => {}
    }
    let texts: Vec<&str> = fields.iter().map(String::as_str).collect();
    let mut broken = csv(&texts);
    if matches!(damage, Damage::InvalidUtf8) {
        broken.splice(0..0, *b"\xC3\x28");
    }
    broken
}

fn set(fields: &mut [String], place: Option<usize>, text: &str) {
    if let Some(field) = place.and_then(|place| fields.get_mut(place)) {
        text.clone_into(field);
    }
}

fn csv_fields(line: &[u8]) -> Vec<String> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(line);
    let record = reader.records().find_map(Result::ok).unwrap_or_default();
    record.iter().map(str::to_owned).collect()
}

/// Returns what can be wrong with a row of a source.
pub(super) fn flaws(source: Source) -> &'static [Flaw] {
    match source {
        Source::WebEvents => WEB_EVENTS,
        Source::AppEvents => APP_EVENTS,
        Source::OnlineOrders => ONLINE_ORDERS,
        Source::OnlineOrderLines => ONLINE_ORDER_LINES,
        Source::StoreSales => STORE_SALES,
        Source::CampaignCosts => CAMPAIGN_COSTS,
        Source::CampaignSends => CAMPAIGN_SENDS,
        Source::CrmCustomers => CRM_CUSTOMERS,
        Source::Campaigns | Source::Products | Source::ExchangeRates => &[],
    }
}

const fn flaw(name: &'static str, damage: Damage) -> Flaw {
    Flaw { name, damage }
}

const IMPOSSIBLE: &str = "\"2026-02-30T10:00:00+08:00\"";

const WEB_EVENTS: &[Flaw] = &[
    flaw("cut_off", Damage::CutOff),
    flaw("syntax", Damage::Syntax),
    flaw("missing_id", Damage::Drop("event_id")),
    flaw("empty_session", Damage::Set("session_id", "\"\"")),
    flaw("unreadable_time", Damage::Set("ts", "\"yesterday\"")),
    flaw("impossible_date", Damage::Set("ts", IMPOSSIBLE)),
    flaw("unknown_type", Damage::Set("type", "\"teleport\"")),
    flaw("bad_email", Damage::Set("email", "\"no-at-sign.example\"")),
    flaw("negative_amount", Damage::Set("cart_value", "-12.5")),
    flaw("text_in_number", Damage::Set("cart_value", "\"a lot\"")),
];

const APP_EVENTS: &[Flaw] = &[
    flaw("cut_off", Damage::CutOff),
    flaw("syntax", Damage::Syntax),
    flaw("trailing_garbage", Damage::ExtraField),
    flaw("missing_id", Damage::Drop("event_id")),
    flaw("missing_session", Damage::Drop("session_id")),
    flaw("unreadable_time", Damage::Set("ts", "\"soon\"")),
    flaw("unknown_type", Damage::Set("type", "\"teleport\"")),
    flaw("bad_phone", Damage::Set("phone", "\"12\"")),
];

const ONLINE_ORDERS: &[Flaw] = &[
    flaw("cut_off", Damage::CutOff),
    flaw("missing_id", Damage::Drop("order_id")),
    flaw("missing_time", Damage::Set("updated_at", "null")),
    flaw("impossible_date", Damage::Set("placed_at", IMPOSSIBLE)),
    flaw("unknown_status", Damage::Set("status", "\"lost\"")),
    flaw("unknown_currency", Damage::Set("currency", "\"XXX\"")),
    flaw("negative_amount", Damage::Set("items_amount", "-49.9")),
    flaw("text_in_number", Damage::Set("items_amount", "\"twelve\"")),
    flaw("bad_email", Damage::Set("email", "\"two@@signs.example\"")),
    flaw("bad_phone", Damage::Set("phone", "\"12\"")),
];

const ONLINE_ORDER_LINES: &[Flaw] = &[
    flaw("cut_off", Damage::CutOff),
    flaw("missing_sku", Damage::Drop("sku")),
    flaw("zero_quantity", Damage::Set("quantity", "0")),
    flaw("text_in_number", Damage::Set("quantity", "\"two\"")),
    flaw("negative_amount", Damage::Set("unit_price", "-1")),
];

const STORE_SALES: &[Flaw] = &[
    flaw("cut_off", Damage::CutOff),
    flaw("extra_field", Damage::ExtraField),
    flaw("invalid_utf8", Damage::InvalidUtf8),
    flaw("missing_id", Damage::Drop("receipt_id")),
    flaw("impossible_date", Damage::Set("sold_at", "31/02/2026 10:00")),
    flaw("unreadable_time", Damage::Set("sold_at", "late evening")),
    flaw("unknown_kind", Damage::Set("kind", "swap")),
    flaw("text_in_number", Damage::Set("amount", "free")),
    flaw("zero_quantity", Damage::Set("quantity", "0")),
    flaw("negative_price", Damage::Set("unit_price", "-5.00")),
    flaw("bad_phone", Damage::Set("phone", "12")),
];

const CAMPAIGN_COSTS: &[Flaw] = &[
    flaw("extra_field", Damage::ExtraField),
    flaw("missing_id", Damage::Drop("campaign_id")),
    flaw("impossible_date", Damage::Set("date", "2026-02-30")),
    flaw("negative_amount", Damage::Set("cost", "-5.00")),
    flaw("text_in_number", Damage::Set("cost", "unknown")),
];

const CAMPAIGN_SENDS: &[Flaw] = &[
    flaw("cut_off", Damage::CutOff),
    flaw("missing_id", Damage::Drop("send_id")),
    flaw("unknown_group", Damage::Set("group", "\"both\"")),
    flaw("impossible_date", Damage::Set("assigned_at", IMPOSSIBLE)),
    flaw("bad_email", Damage::Set("email", "\"no-at-sign.example\"")),
];

const CRM_CUSTOMERS: &[Flaw] = &[
    flaw("cut_off", Damage::CutOff),
    flaw("extra_field", Damage::ExtraField),
    flaw("invalid_utf8", Damage::InvalidUtf8),
    flaw("missing_id", Damage::Drop("user_id")),
    flaw("impossible_date", Damage::Set("birthday", "1990-02-30")),
    flaw("unreadable_time", Damage::Set("created_at", "unknown")),
    flaw("bad_email", Damage::Set("email", "no-at-sign.example")),
    flaw("bad_phone", Damage::Set("phone", "12")),
    flaw("unknown_gender", Damage::Set("gender", "7")),
];

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;

    use super::{Damage, Flaw, csv_fields, flaws, spoil_csv, spoil_json};
    use crate::sample::source::Source;

    /// Returns what is wrong with a line of a file; one answer for all that cannot be read.
    pub(in crate::sample) fn recognise(source: Source, line: &[u8]) -> Option<&'static str> {
        let is_readable = match source.header() {
            Some(header) => is_readable_csv(header, line),
            None => serde_json::from_slice::<Value>(line).is_ok(),
        };
        if !is_readable {
            return Some("unreadable");
        }
        let has = |flaw: &&Flaw| match source.header() {
            Some(header) => has_csv(header, line, flaw.damage),
            None => has_json(line, flaw.damage),
        };
        flaws(source).iter().find(has).map(|flaw| flaw.name)
    }

    /// Returns the name under which [`recognise`] knows a flaw.
    pub(in crate::sample) fn known_as(source: Source, name: &'static str) -> &'static str {
        let flaw = flaws(source).iter().find(|flaw| flaw.name == name).unwrap();
        match flaw.damage {
            Damage::Set(..) | Damage::Drop(_) => name,
            _ => "unreadable",
        }
    }

    fn is_readable_csv(header: &str, line: &[u8]) -> bool {
        std::str::from_utf8(line).is_ok() && csv_fields(line).len() == header.split(',').count()
    }

    fn has_csv(header: &str, line: &[u8], damage: Damage) -> bool {
        let fields = csv_fields(line);
        let field = |name| &fields[header.split(',').position(|column| column == name).unwrap()];
        match damage {
            Damage::Set(name, text) => field(name) == text,
            Damage::Drop(name) => field(name).is_empty(),
            _ => false,
        }
    }

    fn has_json(line: &[u8], damage: Damage) -> bool {
        let row: Value = serde_json::from_slice(line).unwrap();
        match damage {
            Damage::Set(name, text) => {
                row.get(name) == Some(&serde_json::from_str::<Value>(text).unwrap())
            }
            Damage::Drop(name) => row.get(name).is_none(),
            _ => false,
        }
    }

    #[test]
    fn every_flaw_is_recognised_in_a_row_that_had_none() {
        for source in Source::ALL {
            let good: Vec<u8> = match source.header() {
                Some(header) => format!("{header}\n").into_bytes(),
                None => b"{\"event_id\":\"1\",\"session_id\":\"2\",\"order_id\":\"3\",\"sku\":\"4\",\"send_id\":\"5\"}\n".to_vec(),
            };
            for flaw in flaws(source) {
                let broken = match source.header() {
                    Some(header) => spoil_csv(header, &good, flaw.damage),
                    None => spoil_json(&good, flaw.damage).unwrap(),
                };
                assert!(broken.ends_with(b"\n"));
                let found = recognise(source, &broken);
                assert_eq!(found, Some(known_as(source, flaw.name)), "{source:?} {flaw:?}");
            }
            assert_eq!(recognise(source, &good), None, "{source:?}");
        }
    }
}
