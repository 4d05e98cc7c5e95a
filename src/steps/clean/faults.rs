//! Collects the broken rules of one batch.

/// The slug of a rule, as it stands in the rejects.
pub(crate) mod rule {
    pub(crate) const DECODE: &str = "decode";
    pub(crate) const OBJECT: &str = "object";
    pub(crate) const REQUIRED: &str = "required";
    pub(crate) const MAP: &str = "map";
    pub(crate) const TYPE: &str = "type";
    pub(crate) const ACCEPTED: &str = "accepted";
    pub(crate) const RATE: &str = "rate";
    pub(crate) const CHECK: &str = "check";
}

/// How many characters of an offending value are shown.
const SHOWN: usize = 80;

/// The first rule that a row breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The row's place in the raw batch.
    pub(crate) row: usize,
    /// Index of the column; none for a condition on the whole row.
    pub(crate) column: Option<usize>,
    pub(crate) rule: &'static str,
    pub(crate) reason: String,
}

/// The faults of one batch, at most one for each row; costs nothing while there are none.
#[derive(Debug)]
pub(crate) struct Faults {
    rows: usize,
    faulty: Vec<bool>,
    found: Vec<Fault>,
    /// How many values of each column are refused, those of faulty rows too.
    refused: Vec<Refused>,
}

/// How many values of a column are refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) by_any_rule: u64,
    /// Because they are not of the column's type.
    pub(crate) by_type: u64,
}

impl Faults {
    pub(crate) fn new(rows: usize) -> Self {
        Self { rows, faulty: Vec::new(), found: Vec::new(), refused: Vec::new() }
    }

    /// Notes a fault, unless the row has one already.
    pub(crate) fn note(&mut self, fault: Fault) {
        self.count(&fault);
        if self.faulty.is_empty() {
            self.faulty = vec![false; self.rows];
        }
        if !self.faulty[fault.row] {
            self.faulty[fault.row] = true;
            self.found.push(fault);
        }
    }

    fn count(&mut self, fault: &Fault) {
        let Some(column) = fault.column.filter(|_| fault.rule != rule::REQUIRED) else {
            return;
        };
        if self.refused.len() <= column {
            self.refused.resize(column + 1, Refused::default());
        }
        self.refused[column].by_any_rule += 1;
        self.refused[column].by_type += u64::from(fault.rule == rule::TYPE);
    }

    /// Returns how many values of a column are refused.
    pub(crate) fn refused(&self, column: usize) -> Refused {
        self.refused.get(column).copied().unwrap_or_default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn is_faulty(&self, row: usize) -> bool {
        self.faulty.get(row).is_some_and(|faulty| *faulty)
    }

    pub(crate) fn into_found(self) -> Vec<Fault> {
        self.found
    }
}

/// Returns a reason without the value that stands at its end.
pub(crate) fn without_value(reason: &str) -> String {
    reason.rsplit_once(": `").map_or(reason, |(rest, _)| rest).to_owned()
}

/// Returns a value as shown in a reason: in backticks and not too long.
pub(crate) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN) {
        None => format!("`{value}`"),
        Some((end, _)) => format!("`{}…`", &value[..end]),
    }
}
