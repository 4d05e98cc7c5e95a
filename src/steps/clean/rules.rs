//! The rules of a source, ready to apply.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use phonenumber::country;

use super::CleanErrorKind;
use super::check::Check;
use super::exchange::{Exchange, RateTables};
use super::number::Decimal;
use super::phone::PhoneParser;
use super::prepare::Preparer;
use super::text::TextRules;
use super::time::{DateParser, TimestampParser};
use super::unit::Converter;
use super::zone::Zone;
use crate::plan::{self, ColumnKind, TimeFormat};

/// The rules of a source that threads share.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) source: Arc<plan::Source>,
    pub(crate) schema: SchemaRef,
    pub(crate) columns: Vec<ColumnRules>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) checks: Vec<Check>,
}

/// The rules of one column.
#[derive(Debug)]
pub(crate) struct ColumnRules {
    pub(crate) index: usize,
    /// The place of the raw field.
    pub(crate) field: usize,
    pub(crate) data_type: DataType,
    pub(crate) required: bool,
    /// Idle where the texts are prepared.
    pub(crate) text: TextRules,
    pub(crate) preparer: Option<Preparer>,
    pub(crate) accepted: Vec<String>,
}

/// What a thread needs to clean: parsers that remember what they have seen.
#[derive(Debug)]
pub(crate) struct Parsers {
    /// One for each column.
    pub(crate) columns: Vec<Parser>,
    pub(crate) business_zone: Zone,
    pub(crate) scratch: Scratch,
}

/// Texts that are written anew for every value.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) text: String,
    pub(crate) value: String,
}

/// Gives a column's texts their type.
#[derive(Debug)]
pub(crate) enum Parser {
    String,
    Email,
    Phone(PhoneParser),
    Boolean,
    Integer,
    Double,
    Decimal(Decimal),
    Date(DateParser),
    Timestamp(TimestampParser),
    ConvertedInteger(Converter),
    ConvertedDouble(plan::Conversion),
    ConvertedDecimal(Converter),
}

impl Rules {
    /// `rates` holds the tables of all sources that this one converts by.
    pub(crate) fn compile(
        source: &Arc<plan::Source>,
        rates: &RateTables,
    ) -> Result<Self, CleanErrorKind> {
        let schema = source.cleaned_schema();
        let fields = source.raw_fields();
        let columns = source.columns.iter().enumerate();
        let columns = columns.map(|(index, column)| ColumnRules::compile(index, column, &fields));
        let checks = source.checks.iter();
        let checks = checks.map(|check| Check::compile(source, &schema, check));
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            exchanges: Exchange::of(source, rates),
            checks: checks.collect::<Result<_, _>>()?,
            source: Arc::clone(source),
            schema,
        })
    }
}

impl ColumnRules {
    fn compile(
        index: usize,
        column: &plan::Column,
        fields: &[String],
    ) -> Result<Self, CleanErrorKind> {
        let text = TextRules::new(column).map_err(|error| CleanErrorKind::Rule {
            column: column.name.clone(),
            reason: error.to_string(),
        })?;
        let preparer = Preparer::new(column, fields, &text);
        let field = fields.iter().position(|field| *field == column.from);
        Ok(Self {
            index,
            field: field.unwrap_or_default(),
            data_type: column.kind.data_type(),
            required: column.required,
            text: if preparer.is_some() { TextRules::idle() } else { text },
            preparer,
            accepted: column.accepted.clone(),
        })
    }

    /// Says whether a value is among those accepted.
    #[inline]
    pub(crate) fn accepts(&self, value: &str) -> bool {
        self.accepted.is_empty() || self.accepted.iter().any(|accepted| accepted == value)
    }
}

impl Parsers {
    pub(crate) fn new(source: &plan::Source) -> Result<Self, CleanErrorKind> {
        let columns = source.columns.iter();
        let columns = columns.map(|column| Parser::new(column, &source.format));
        Ok(Self {
            columns: columns.collect::<Result<_, _>>()?,
            business_zone: Zone::new(source.business_timezone),
            scratch: Scratch::default(),
        })
    }
}

impl Parser {
    fn new(column: &plan::Column, format: &plan::Format) -> Result<Self, CleanErrorKind> {
        if let Some(converting) = column.conversion.and_then(|to| Self::converting(column, to)) {
            return Ok(converting);
        }
        Ok(match &column.kind {
            ColumnKind::String => Self::String,
            ColumnKind::Email => Self::Email,
            ColumnKind::Phone { region } => {
                let region = region.as_deref().map(|code| region_of(column, code));
                Self::Phone(PhoneParser::new(region.transpose()?))
            }
            ColumnKind::Boolean => Self::Boolean,
            ColumnKind::Integer => Self::Integer,
            ColumnKind::Double => Self::Double,
            ColumnKind::Decimal { precision, scale } => {
                Self::Decimal(Decimal::new(*precision, *scale))
            }
            ColumnKind::Date { formats } => Self::Date(DateParser::new(&with_own(formats, format))),
            ColumnKind::Timestamp { formats, timezone, clock_changes } => {
                let formats = with_own(formats, format);
                Self::Timestamp(TimestampParser::new(&formats, *timezone, *clock_changes))
            }
        })
    }

    /// Returns the parser of a column of numbers whose unit changes.
    fn converting(column: &plan::Column, conversion: plan::Conversion) -> Option<Self> {
        match column.kind {
            ColumnKind::Integer => Some(Self::ConvertedInteger(Converter::to_integer(conversion))),
            ColumnKind::Double => Some(Self::ConvertedDouble(conversion)),
            ColumnKind::Decimal { precision, scale } => {
                let converter = Converter::to_decimal(conversion, precision, scale);
                Some(Self::ConvertedDecimal(converter))
            }
            _ => None,
        }
    }
}

fn region_of(column: &plan::Column, code: &str) -> Result<country::Id, CleanErrorKind> {
    code.parse().map_err(|_| CleanErrorKind::Rule {
        column: column.name.clone(),
        reason: format!("no country has the code `{code}`"),
    })
}

/// Returns the declared formats and those in which Parquet's and spreadsheets' own dates and times become text.
fn with_own(declared: &[TimeFormat], format: &plan::Format) -> Vec<TimeFormat> {
    let mut formats = declared.to_vec();
    if matches!(format, plan::Format::Parquet | plan::Format::Xlsx(_)) {
        let pattern = |text: &str| TimeFormat::Pattern(text.to_owned());
        formats.extend([TimeFormat::Rfc3339, pattern("%Y-%m-%dT%H:%M:%S%.f"), pattern("%Y-%m-%d")]);
    }
    formats
}
