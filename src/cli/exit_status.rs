//! The exit statuses: each tells an orchestrator what to do.

use std::process::ExitCode;

use crate::report::Status;
use crate::run::ErrorClass;

macro_rules! statuses {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $meaning:literal, $action:literal;)*) => {
        /// How the process ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ExitStatus {
            $($(#[$doc])* $variant,)*
        }

        impl ExitStatus {
            /// Every status, in the order of the table in the README.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            pub(crate) const fn code(self) -> u8 {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// Says what the status means.
            pub(crate) const fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => $meaning,)*
                }
            }

            /// Says what whoever started the process should do.
            pub(crate) const fn action(self) -> &'static str {
                match self {
                    $(Self::$variant => $action,)*
                }
            }
        }
    };
}

statuses! {
    /// All is well.
    Success = 0, "published, or nothing new to do", "go on";
    /// A bug.
    Bug = 1, "a bug in martlet", "page its maintainers";
    /// The author must act.
    Usage = 2, "usage, settings, pipeline or SQL is wrong; no data was touched", "do not retry; page the author";
    /// The data owner must act.
    ChecksFailed = 3, "a check or a test failed; nothing was published", "do not retry; page the data owner";
    /// The inputs may come later.
    Incomplete = 4, "inputs are missing or incomplete; nothing was published", "reschedule";
    /// The operator must act.
    Permanent = 5, "failed, and a retry will not help (disk, memory, permission)", "page the operator";
    /// A retry may help.
    TryAgain = 75, "try again: storage trouble, another run under way", "retry";
    /// Nothing new to do, and the caller asked to be told so.
    Skipped = 99, "nothing new to do, only with `--skip-exit-code`", "mark skipped";
    /// Ctrl-C.
    Interrupted = 130, "interrupted by SIGINT; lease released; a night that was decided already is completed by the next run", "retry";
    /// The machine or the orchestrator ended the run.
    Terminated = 143, "interrupted by SIGTERM; lease released; a night that was decided already is completed by the next run", "retry";
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

impl From<ErrorClass> for ExitStatus {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::Author => Self::Usage,
            ErrorClass::Bug => Self::Bug,
            ErrorClass::Data => Self::ChecksFailed,
            ErrorClass::Incomplete => Self::Incomplete,
            ErrorClass::Permanent => Self::Permanent,
            ErrorClass::Transient => Self::TryAgain,
        }
    }
}

/// Returns the status a failed run reports, beside its exit status.
pub(crate) const fn run_status(class: ErrorClass) -> Status {
    match class {
        ErrorClass::Data => Status::ChecksFailed,
        ErrorClass::Incomplete => Status::Incomplete,
        ErrorClass::Author | ErrorClass::Bug | ErrorClass::Permanent | ErrorClass::Transient => {
            Status::Failed
        }
    }
}
