//! The events of a run: the runner emits them, everything else listens.

use std::time::Duration;

/// The steps of a run, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Step {
    Extract,
    Clean,
    Dedupe,
    Identify,
    Transform,
    Audit,
    Publish,
}

impl Step {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Clean => "clean",
            Self::Dedupe => "dedupe",
            Self::Identify => "identify",
            Self::Transform => "transform",
            Self::Audit => "audit",
            Self::Publish => "publish",
        }
    }
}

impl Step {
    /// Returns what the step counts.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Extract => "objects",
            Self::Clean => "records",
            Self::Identify => "identifiers",
            Self::Audit => "checks",
            Self::Dedupe | Self::Transform | Self::Publish => "rows",
        }
    }
}

/// Something a listener may want to show or record.
#[derive(Debug, Clone)]
pub(crate) enum Event<'a> {
    /// A step begins to work on a source, a stage or the whole.
    Started { step: Step, subject: &'a str },
    /// One object has been decoded and cleaned.
    ObjectCleaned { source: &'a str, object: &'a str },
    /// What a step found too little memory for begins once more, by itself.
    BegunAgain { step: Step, subject: &'a str },
    /// A step is done with a source, a stage or the whole.
    Finished { step: Step, subject: &'a str, count: u64, elapsed: Duration },
}

/// Receives the events of a run.
pub(crate) trait Listener: Send + Sync {
    fn on(&self, event: &Event<'_>);
}
