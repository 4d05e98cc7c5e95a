//! What the audit hands on.

use crate::steps::transform::Transformed;

/// Tables all of whose blocking checks have passed.
pub(crate) struct Audited {
    pub(crate) transformed: Transformed,
}

/// What the audit found.
#[must_use]
pub(crate) enum Verdict {
    /// The tables may be published.
    Passed(Box<Audited>),
    /// At least one check of severity `error` has failed.
    Blocked,
}
