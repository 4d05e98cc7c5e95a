//! Guesses the type of a field from its values.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Texts that stand for "no value" in many exports.
const NULL_TOKENS: &[&str] = &["", "N/A", "n/a", "NA", "NULL", "null", "None", "-"];
/// What share of the values must fit a type: exports are dirty, and what does not fit becomes a reject.
const FITTING_PERCENT: usize = 95;
/// How many formats a date or timestamp may have.
const MAX_FORMATS: usize = 3;
const DATE_FORMATS: &[&str] =
    &["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d.%m.%Y", "%d-%m-%Y"];
const MOMENT_FORMATS: &[&str] = &[
    "rfc3339",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
];

/// Says whether a value is of a type.
type Fits<'a> = &'a dyn Fn(&str) -> bool;

/// The values of one field that were seen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Field {
    /// The field's name in the objects; dots lead into nested objects.
    pub(crate) name: String,
    /// The values in the order of the records; none where a record lacks the field.
    pub(crate) values: Vec<Option<String>>,
}

/// What a field seems to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guess {
    /// The type as an author writes it.
    pub(crate) data_type: String,
    pub(crate) formats: Vec<&'static str>,
    /// Whether floating point has left more decimals in some values than anybody wrote.
    pub(crate) rounds: bool,
    /// Whether no value was missing.
    pub(crate) required: bool,
    /// How many values do not fit the type.
    pub(crate) misfits: usize,
    /// Whether hardly any value came twice.
    pub(crate) distinct: bool,
}

impl Field {
    /// Guesses what the field is.
    pub(crate) fn guess(&self) -> Guess {
        let values: Vec<&str> = self.present().collect();
        let (data_type, formats, misfits) = self.kind(&values);
        let is_decimal = data_type.starts_with("decimal");
        let different: HashSet<&str> = values.iter().copied().collect();
        Guess {
            data_type,
            formats,
            rounds: is_decimal && values.iter().any(|text| is_of_floating_point(text)),
            required: !values.is_empty() && values.len() == self.values.len(),
            misfits,
            distinct: most(different.len(), values.len()),
        }
    }

    /// Returns the texts for "no value" that occur in the field, without the empty one.
    pub(crate) fn null_tokens(&self) -> impl Iterator<Item = &str> {
        let texts = self.values.iter().flatten().map(|text| text.trim());
        texts.filter(|text| !text.is_empty() && NULL_TOKENS.contains(text))
    }

    fn present(&self) -> impl Iterator<Item = &str> {
        let texts = self.values.iter().flatten().map(|text| text.trim());
        texts.filter(|text| !NULL_TOKENS.contains(text))
    }

    fn kind(&self, values: &[&str]) -> (String, Vec<&'static str>, usize) {
        let plain = |name: &str, misfits| (name.to_owned(), Vec::new(), misfits);
        if values.is_empty() {
            return plain("string", 0);
        }
        if let Some(format) = self.unix_time(values) {
            return ("timestamp".to_owned(), vec![format], 0);
        }
        if self.is_day_in_digits(values) {
            return ("date".to_owned(), vec![DIGITS], 0);
        }
        let fits: [(&str, Fits<'_>); 4] = [
            ("boolean", &is_boolean),
            ("email", &is_email),
            ("phone", &|text| self.is_phone(text)),
            ("integer", &is_integer),
        ];
        for (name, fits) in fits {
            if let Some(misfits) = misfits(values, fits) {
                return plain(name, misfits);
            }
        }
        if let Some(misfits) = misfits(values, |text| decimal_digits(text).is_some()) {
            return (decimal(values), Vec::new(), misfits);
        }
        if let Some(misfits) = misfits(values, is_double) {
            return plain("double", misfits);
        }
        for (name, known) in [("date", DATE_FORMATS), ("timestamp", MOMENT_FORMATS)] {
            if let Some((formats, misfits)) = formats(values, known) {
                return (name.to_owned(), formats, misfits);
            }
        }
        plain("string", 0)
    }

    /// Says which unit of time since 1970 the values count, where name and size suggest that they do.
    fn unix_time(&self, values: &[&str]) -> Option<&'static str> {
        let name = self.last_word();
        let is_time = matches!(name, "ts" | "at" | "time" | "timestamp" | "ms" | "epoch" | "on");
        // From 2001 to 2286, so that no shorter number is taken for a time.
        let all =
            |digits: usize| values.iter().all(|text| text.len() == digits && is_integer(text));
        match (is_time, all(13), all(10)) {
            (true, true, _) => Some("unix_ms"),
            (true, _, true) => Some("unix_s"),
            _ => None,
        }
    }

    /// Says whether the values are days written without separators, where the name suggests days.
    fn is_day_in_digits(&self, values: &[&str]) -> bool {
        let is_day = |text: &&str| {
            let year = text.get(..4).and_then(|year| year.parse::<u16>().ok());
            text.len() == 8
                && is_integer(text)
                && year.is_some_and(|year| (1900..2100).contains(&year))
                && reads(DIGITS, text)
        };
        matches!(self.last_word(), "date" | "day" | "dt" | "on") && values.iter().all(is_day)
    }

    fn is_phone(&self, text: &str) -> bool {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let is_part = |byte: u8| byte.is_ascii_digit() || b"+ ()-./".contains(&byte);
        let named = matches!(self.last_word(), "phone" | "mobile" | "tel" | "telephone" | "msisdn");
        (named || text.starts_with('+')) && (7..=15).contains(&digits) && text.bytes().all(is_part)
    }

    fn last_word(&self) -> &str {
        self.name.rsplit(['.', '_', ' ', '-']).next().unwrap_or_default()
    }
}

/// A day in digits alone.
const DIGITS: &str = "%Y%m%d";

fn most(some: usize, all: usize) -> bool {
    some * 100 >= all * FITTING_PERCENT
}

/// Counts the values that do not fit, unless they are too many.
fn misfits(values: &[&str], fits: impl Fn(&str) -> bool) -> Option<usize> {
    let fitting = values.iter().filter(|text| fits(text)).count();
    most(fitting, values.len()).then(|| values.len() - fitting)
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(mailbox, host)| {
        !mailbox.is_empty() && !host.contains('@') && host.trim_matches('.').contains('.')
    }) && !text.contains(char::is_whitespace)
}

/// A whole number; one with leading zeros is a name, which would lose them.
fn is_integer(text: &str) -> bool {
    decimal_digits(text).is_some_and(|(whole, places)| whole <= 18 && places == 0)
}

/// Returns how many digits a decimal number has before and behind its point.
fn decimal_digits(text: &str) -> Option<(usize, usize)> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = whole.len() > 1 && whole.starts_with('0');
    let is_number = !whole.is_empty() && all_digits(whole) && all_digits(places);
    (is_number && !is_name && !digits.ends_with('.')).then_some((whole.len(), places.len()))
}

/// So many decimals nobody writes: floating point leaves them, as in `19.990000000000002`.
const PLACES_OF_FLOATING_POINT: usize = 12;

/// Where no value tells otherwise.
const PLACES_OF_MONEY: usize = 4;

fn is_of_floating_point(text: &str) -> bool {
    decimal_digits(text).is_some_and(|(_, places)| places >= PLACES_OF_FLOATING_POINT)
}

fn decimal(values: &[&str]) -> String {
    let digits = || values.iter().filter_map(|text| decimal_digits(text));
    let whole = digits().map(|(whole, _)| whole).max().unwrap_or(1);
    let places = digits().map(|(_, places)| places);
    let written = places.filter(|places| *places < PLACES_OF_FLOATING_POINT);
    let places = written.max().unwrap_or(PLACES_OF_MONEY);
    match whole + places {
        // Twice the digits seen leave room for what was not.
        0..=15 => format!("decimal(18,{})", places.max(2)),
        16..=38 => format!("decimal(38,{places})"),
        _ => "double".to_owned(),
    }
}

fn is_double(text: &str) -> bool {
    let is_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    let is_name = decimal_digits(text).is_none() && !text.contains(['e', 'E']);
    !is_name && text.bytes().all(is_number) && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Returns the fewest formats that read nearly all values, and how many they do not read.
fn formats(values: &[&str], known: &[&'static str]) -> Option<(Vec<&'static str>, usize)> {
    let unread = |formats: &[&str]| {
        let is_read = |text: &str| formats.iter().any(|format| reads(format, text));
        values.iter().filter(|text| !is_read(text)).count()
    };
    let mut chosen = Vec::new();
    let mut left = values.len();
    while left > 0 && chosen.len() < MAX_FORMATS {
        let with = |format: &&'static str| unread(&[&chosen[..], &[*format]].concat());
        // Of several that read as many, the first is meant.
        let best = known.iter().copied().min_by_key(with)?;
        let now = with(&best);
        if now == left {
            break;
        }
        chosen.push(best);
        left = now;
    }
    most(values.len() - left, values.len()).then_some((chosen, left))
}

fn reads(format: &str, text: &str) -> bool {
    match format {
        "rfc3339" => DateTime::parse_from_rfc3339(text).is_ok(),
        pattern if pattern.contains("%H") => NaiveDateTime::parse_from_str(text, pattern).is_ok(),
        pattern => NaiveDate::parse_from_str(text, pattern).is_ok(),
    }
}
