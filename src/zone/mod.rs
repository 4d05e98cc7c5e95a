//! Local days: when one begins, and which one a moment is in.

mod as_of;
mod offsets;

pub(crate) use as_of::AsOf;
pub(crate) use offsets::ZoneOffsets;
