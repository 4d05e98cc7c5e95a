//! What a benchmark is.

/// Says why a benchmark could not be prepared or done.
pub(crate) type Failure = String;

/// Does the work of a benchmark once; returns how many rows, or whatever else, came of it.
pub(crate) type Work = Box<dyn FnMut() -> Result<u64, Failure>>;

/// How much is worked on.
pub(crate) enum Amount {
    Rows(u64),
    /// Counted only where they are asked for.
    Bytes(fn() -> u64),
}

/// A part of a night, with what it works on.
pub(crate) struct Bench {
    /// `<group>/<part>`.
    pub(crate) name: String,
    pub(crate) amount: Amount,
    /// What must come of the work.
    pub(crate) yields: u64,
    prepare: Box<dyn Fn() -> Result<Work, Failure>>,
}

impl Bench {
    pub(crate) fn new(
        name: impl Into<String>,
        amount: Amount,
        yields: u64,
        prepare: impl Fn() -> Result<Work, Failure> + 'static,
    ) -> Self {
        Self { name: name.into(), amount, yields, prepare: Box::new(prepare) }
    }

    pub(crate) fn group(&self) -> &str {
        self.name.split_once('/').map_or(&self.name, |(group, _)| group)
    }

    pub(crate) fn part(&self) -> &str {
        self.name.split_once('/').map_or(&self.name, |(_, part)| part)
    }

    pub(crate) fn prepared(&self) -> Result<Work, Failure> {
        (self.prepare)().map_err(|failure| format!("{}: {failure}", self.name))
    }

    /// Fails where something else came of the work than must: then something else was measured.
    pub(crate) fn judge(&self, outcome: Result<u64, Failure>) -> Result<(), Failure> {
        match outcome {
            Ok(yielded) if yielded == self.yields => Ok(()),
            Ok(yielded) => Err(format!("{}: {yielded} came of it, not {}", self.name, self.yields)),
            Err(failure) => Err(format!("{}: {failure}", self.name)),
        }
    }
}
