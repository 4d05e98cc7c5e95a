//! A source as validated.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::names::{ColumnName, SourceName};
use crate::plan::{
    Conversion, Exchange, Expect, Limits, Link, Matching, OnError, PathPattern, Preparation,
    XlsxFormat,
};

/// One family of raw exports, with everything it names resolved.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: SourceName,
    pub(crate) pattern: PathPattern,
    pub(crate) format: Format,
    pub(crate) compression: Compression,
    /// The charset of texts that do not begin with a byte order mark.
    pub(crate) encoding: &'static encoding_rs::Encoding,
    pub(crate) load: Load,
    pub(crate) columns: Vec<Column>,
    /// Conditions every clean row fulfils, as SQL over the clean columns.
    pub(crate) checks: Vec<RowCheck>,
    /// Index of the column that says when a row happened.
    pub(crate) event_time: Option<usize>,
    pub(crate) dedupe: Option<Dedupe>,
    pub(crate) rejects: RejectLimits,
    pub(crate) expect: Expect,
    pub(crate) drift: Drift,
    pub(crate) on_error: OnError,
    pub(crate) limits: Limits,
    /// Which columns hold identifiers, strongest type first.
    pub(crate) links: Vec<Link>,
    /// How its records are compared with others that do not share an identifier.
    pub(crate) matching: Option<Matching>,
    /// The business time zone, in which days are counted.
    pub(crate) business_timezone: chrono_tz::Tz,
}

/// Names of the columns martlet adds to every clean table.
pub(crate) mod added {
    /// The customer the row belongs to; only on sources with links.
    pub(crate) use crate::names::CUSTOMER_ID;
    /// The numbers of the row's identifiers in `identity/map`, strongest first; only in files, on sources with links.
    pub(crate) const IDENTIFIERS: &str = "_identifiers";
    /// The local date of the row's event time.
    pub(crate) const EVENT_DATE: &str = "_event_date";
    /// The path of the object the row came from.
    pub(crate) const OBJECT: &str = "_object";
    /// The number of the record in its object, from 1.
    pub(crate) const RECORD: &str = "_record";
}

impl Source {
    /// Returns the schema of cleaned rows: the declared columns, then `_event_date`, `_object` and `_record`.
    pub(crate) fn cleaned_schema(&self) -> SchemaRef {
        let mut fields: Vec<Field> = self.columns.iter().map(Column::field).collect();
        fields.push(Field::new(added::EVENT_DATE, DataType::Date32, true));
        fields.push(Field::new(added::OBJECT, DataType::Utf8, false));
        fields.push(Field::new(added::RECORD, DataType::Int64, false));
        Arc::new(Schema::new(fields))
    }

    /// Digests the rules by which the clean table is made; another digest means that all objects have to be decoded anew.
    pub(crate) fn rules(&self) -> String {
        // What only judges a night does not change a row.
        let rules = Self {
            rejects: RejectLimits::default(),
            expect: Expect::default(),
            on_error: OnError::Fail,
            drift: Drift::Ignore,
            matching: None,
            ..self.clone()
        };
        blake3::hash(format!("{rules:?}").as_bytes()).to_hex().to_string()
    }

    /// Says whether a raw record may hold what identifies a person.
    pub(crate) fn is_personal(&self) -> bool {
        self.columns.iter().any(|column| column.pii)
    }

    /// Returns the distinct raw fields that the columns are made from, in the order of their first use.
    pub(crate) fn raw_fields(&self) -> Vec<String> {
        let mut fields: Vec<String> = Vec::new();
        for field in self.columns.iter().flat_map(Column::raw_fields) {
            if !fields.contains(field) {
                fields.push(field.clone());
            }
        }
        fields
    }

    /// Returns the schema of the files of the clean table: that of cleaned rows, and `_identifiers` where the source
    /// has links.
    pub(crate) fn stored_schema(&self) -> SchemaRef {
        let numbers = DataType::List(Arc::new(Field::new_list_field(DataType::Int64, false)));
        self.with_identity(Field::new(added::IDENTIFIERS, numbers, true))
    }

    /// Returns the schema of the clean table as SQL sees it: that of cleaned rows, and `customer_id` where the source
    /// has links.
    pub(crate) fn table_schema(&self) -> SchemaRef {
        self.with_identity(Field::new(added::CUSTOMER_ID, DataType::Utf8, true))
    }

    fn with_identity(&self, field: Field) -> SchemaRef {
        let cleaned = self.cleaned_schema();
        if self.links.is_empty() {
            return cleaned;
        }
        let mut fields: Vec<Arc<Field>> = cleaned.fields().iter().cloned().collect();
        fields.push(Arc::new(field));
        Arc::new(Schema::new(fields))
    }
}

/// How a new export relates to the rows already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Load {
    /// Every export adds events.
    Append,
    /// Every export brings newer versions of entities; the dedupe rule keeps one of each.
    Upsert,
    /// The export of the last day supersedes all before it.
    Replace,
}

/// What is done about fields that a source does not declare, or that its objects no longer have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drift {
    Ignore,
    /// It is told in the report.
    Warn,
    /// It is told, and nothing is published.
    Fail,
}

/// How the objects of a source are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    Csv(CsvFormat),
    /// One JSON object a line.
    Ndjson,
    /// One array of JSON objects.
    Json,
    Parquet,
    Xlsx(XlsxFormat),
}

impl Format {
    /// Returns the format as an author writes it.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Xlsx(_) => "xlsx",
        }
    }
}

/// How a CSV object is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CsvFormat {
    pub(crate) delimiter: Delimiter,
    pub(crate) quote: u8,
    /// The names of the fields where the objects have no header line.
    pub(crate) header: Option<Vec<String>>,
    /// What a line begins with that is no record.
    pub(crate) comment: Option<u8>,
    /// What makes a quote or itself text inside quotes, besides a second quote.
    pub(crate) escape: Option<u8>,
    pub(crate) ragged: Ragged,
}

impl Default for CsvFormat {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::Byte(b','),
            quote: b'"',
            header: None,
            comment: None,
            escape: None,
            ragged: Ragged::Reject,
        }
    }
}

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    Byte(u8),
    /// Any number of spaces and tabs; those at the ends of a line mean nothing.
    Blanks,
}

/// What becomes of a record with too few fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ragged {
    Reject,
    /// The missing fields are NULL; a record with too many is rejected all the same.
    Pad,
}

/// How an object is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    /// By the ending of the object's name: `.gz`, `.zst`, `.bz2`, otherwise plain.
    Auto,
    None,
    Gzip,
    Zstd,
    Bzip2,
}

/// One column of the clean table and the rules that make it from a raw field.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: ColumnName,
    /// The raw field; dots lead into nested JSON objects.
    pub(crate) from: String,
    pub(crate) kind: ColumnKind,
    pub(crate) required: bool,
    pub(crate) pii: bool,
    pub(crate) trim: bool,
    /// Texts that mean "no value", compared after trimming.
    pub(crate) null_if: Vec<String>,
    pub(crate) case: Option<Case>,
    pub(crate) replace: Option<Replace>,
    /// The values allowed, compared after all text rules; empty allows every value.
    pub(crate) accepted: Vec<String>,
    /// What stands in for "no value", written as a raw text.
    pub(crate) default: Option<String>,
    pub(crate) preparation: Preparation,
    /// Leads from the unit of the raw numbers to that of the column.
    pub(crate) conversion: Option<Conversion>,
    /// Makes amounts of one currency those of another.
    pub(crate) exchange: Option<Exchange>,
}

impl Column {
    /// Returns the raw fields that the column is made from, in the order in which they are asked.
    pub(crate) fn raw_fields(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.from).chain(&self.preparation.further_fields)
    }

    pub(crate) fn field(&self) -> Field {
        Field::new(self.name.as_str(), self.kind.data_type(), !self.required)
    }
}

/// The type of a column, with what its parser needs to know.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ColumnKind {
    String,
    /// Trimmed and lower-cased; must look like an address.
    Email,
    /// Brought to E.164; `region` is the country of numbers without a country code (`CN`).
    Phone {
        region: Option<String>,
    },
    Boolean,
    Integer,
    Double,
    Decimal {
        precision: u8,
        scale: i8,
    },
    Date {
        formats: Vec<TimeFormat>,
    },
    Timestamp {
        formats: Vec<TimeFormat>,
        timezone: chrono_tz::Tz,
        clock_changes: ClockChanges,
    },
}

impl ColumnKind {
    pub(crate) fn data_type(&self) -> DataType {
        match self {
            Self::String | Self::Email | Self::Phone { .. } => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Decimal { precision, scale } => DataType::Decimal128(*precision, *scale),
            Self::Date { .. } => DataType::Date32,
            Self::Timestamp { .. } => {
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
            }
        }
    }
}

/// One way in which a date or timestamp may be written; formats are tried in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    /// `2026-01-31T08:15:00+08:00`, with offset or `Z`.
    Rfc3339,
    /// Seconds since 1970 in UTC, fractions allowed.
    UnixSeconds,
    /// Milliseconds since 1970 in UTC.
    UnixMillis,
    /// A `strftime` pattern; local to the column's time zone unless it holds `%z`.
    Pattern(String),
}

/// What becomes of local times that a clock change skips or repeats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ClockChanges {
    pub(crate) gap: Gap,
    pub(crate) overlap: Overlap,
}

/// What becomes of a local time that a clock change skips.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Gap {
    #[default]
    Reject,
    /// It is moved on by as much as the clock was.
    Shift,
}

/// Which of the two moments of a local time that a clock change repeats counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Overlap {
    #[default]
    Earlier,
    Later,
    Reject,
}

/// The case a text is brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
}

/// A regular expression and what stands in place of its matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replace {
    pub(crate) pattern: String,
    pub(crate) with: String,
}

/// A condition on clean rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowCheck {
    /// The column under which the condition stands; none for one on the whole row.
    pub(crate) column: Option<ColumnName>,
    /// A boolean SQL expression over the clean columns; NULL passes.
    pub(crate) expression: String,
}

/// Which of several rows of one key survives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dedupe {
    /// Indexes of the key columns; for `exact_rows`, of all columns.
    pub(crate) key: Vec<usize>,
    pub(crate) keep: Keep,
    /// Indexes of the columns that order the rows of a key; ties go by object path, then record.
    pub(crate) order_by: Vec<usize>,
    /// Rows of a key whose local event dates lie further apart than so many days are no copies of each other.
    pub(crate) window_days: Option<u32>,
}

/// The end of the order that survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    First,
    Last,
}

/// How many records of a source may be rejected before the run fails.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RejectLimits {
    pub(crate) per_run: RejectLimit,
    pub(crate) per_object: RejectLimit,
}

/// How many of some records may be rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct RejectLimit {
    pub(crate) max_rows: Option<u64>,
    pub(crate) max_percent: Option<f64>,
}
