//! What a night of customers begins with.

use super::carry::Carried;
use super::open::Retraction;
use super::registry::Registry;
use crate::warehouse::Decision;

/// What earlier nights have left, and what people have decided since.
#[derive(Debug, Clone)]
pub(crate) struct Before {
    pub(crate) registry: Registry,
    pub(crate) retraction: Retraction,
    pub(crate) decisions: Vec<Decision>,
    /// What need not be worked out again; none where rules or decisions have changed.
    pub(crate) carried: Option<Carried>,
}

impl Before {
    /// Returns what there is before the first night.
    pub(crate) fn nothing() -> Self {
        Self {
            registry: Registry::empty(),
            retraction: Retraction::default(),
            decisions: Vec::new(),
            carried: None,
        }
    }
}
