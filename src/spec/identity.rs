//! The wire types of the rules of identity.

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::ordered::Ordered;
use super::sidecar::CheckSeverity;

/// Which identifiers there are and which columns hold them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identity {
    /// The types of identifiers, such as `email`.
    pub(crate) identifiers: Ordered<Identifier>,
    /// For each source the columns that hold identifiers of one person.
    pub(crate) links: Ordered<Ordered<LinkRule>>,
    /// Limits beyond which a night is not published.
    #[serde(default)]
    pub(crate) guards: Guards,
}

/// The rules of one type of identifier.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identifier {
    /// How strong it is; 1 is the strongest, and its links are taken first.
    pub(crate) priority: u32,
    /// Whether two values of this type never share a customer.
    #[serde(default)]
    pub(crate) unique: bool,
    /// How many values of this type a customer has at most.
    #[serde(default)]
    pub(crate) max_per_customer: Option<u64>,
    /// With how many customers a value may be seen before it links nobody.
    #[serde(default)]
    pub(crate) max_customers: Option<u64>,
    /// With how many other identifiers a value may be seen before it is taken for junk.
    #[serde(default)]
    pub(crate) block_above: Option<u64>,
    /// How long a link of such a value counts after it was last seen, such as `90d`.
    #[serde(default)]
    pub(crate) window: Option<String>,
    /// Values that identify nobody.
    #[serde(default)]
    pub(crate) blocked: Vec<String>,
    /// Regular expressions of values that identify nobody.
    #[serde(default)]
    pub(crate) blocked_patterns: Vec<String>,
}

/// Limits beyond which a night is not to be trusted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "they are the keys an author writes")]
pub(crate) struct Guards {
    /// How many identifiers a customer has at most.
    #[serde(default)]
    pub(crate) max_cluster_size: Option<Guard>,
    /// How many identifiers all customers but one in a thousand have at most.
    #[serde(default)]
    pub(crate) max_p999_size: Option<Guard>,
    /// How many percent of the customers of the night before may merge.
    #[serde(default)]
    pub(crate) max_merged_percent: Option<Guard>,
}

/// Which columns hold identifiers of a type: one name, a list of names, or a mapping with conditions.
#[derive(Debug, Clone, Default)]
pub(crate) struct LinkRule {
    pub(crate) columns: Vec<String>,
    pub(crate) when: Option<String>,
    pub(crate) window: Option<String>,
}

/// [`LinkRule`] as a mapping.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConditionalLink {
    /// The columns that hold the identifiers.
    columns: Vec<String>,
    /// A condition on the row, in SQL; a row that does not meet it links nothing.
    #[serde(default)]
    when: Option<String>,
    /// How long these links hold, such as `90d`.
    #[serde(default)]
    window: Option<String>,
}

impl<'de> Deserialize<'de> for LinkRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LinkRuleVisitor)
    }
}

struct LinkRuleVisitor;

impl<'de> Visitor<'de> for LinkRuleVisitor {
    type Value = LinkRule;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a column, a list of columns or a mapping")
    }

    fn visit_unit<E: Error>(self) -> Result<LinkRule, E> {
        Ok(LinkRule::default())
    }

    fn visit_str<E: Error>(self, column: &str) -> Result<LinkRule, E> {
        Ok(LinkRule { columns: vec![column.to_owned()], ..LinkRule::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<LinkRule, A::Error> {
        let columns = Vec::deserialize(SeqAccessDeserializer::new(items))?;
        Ok(LinkRule { columns, ..LinkRule::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<LinkRule, A::Error> {
        let rule = ConditionalLink::deserialize(MapAccessDeserializer::new(entries))?;
        let ConditionalLink { columns, when, window } = rule;
        Ok(LinkRule { columns, when, window })
    }
}

/// A limit: a number, or a mapping with a severity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    pub(crate) limit: u64,
    pub(crate) severity: CheckSeverity,
}

/// [`Guard`] as a mapping.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SevereGuard {
    /// The number that may not be exceeded.
    limit: u64,
    /// Whether the night is stopped or a warning is told.
    #[serde(default)]
    severity: CheckSeverity,
}

impl<'de> Deserialize<'de> for Guard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GuardVisitor)
    }
}

struct GuardVisitor;

impl<'de> Visitor<'de> for GuardVisitor {
    type Value = Guard;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a whole number that is not negative, or a mapping with `limit`")
    }

    fn visit_u64<E: Error>(self, limit: u64) -> Result<Guard, E> {
        Ok(Guard { limit, severity: CheckSeverity::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Guard, A::Error> {
        let SevereGuard { limit, severity } =
            SevereGuard::deserialize(MapAccessDeserializer::new(entries))?;
        Ok(Guard { limit, severity })
    }
}
