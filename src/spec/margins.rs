//! What a sale contributes where nobody knows what the goods cost.

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema::AnyScalar;
use super::types::Scalar;

/// The margin of a category of products.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Margin {
    /// The category, as order lines name it.
    pub(crate) category: String,
    /// The contribution of a unit of money sold, as 0.35; at most 1.
    #[schemars(with = "AnyScalar")]
    pub(crate) rate: Scalar,
}
