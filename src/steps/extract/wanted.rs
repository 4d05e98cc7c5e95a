//! Which fields of an object are wanted, and which it may lack.

use super::ExtractErrorKind;
use crate::plan;

/// The wanted fields; the place of a field is its place in a row.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) fields: Vec<String>,
    /// Places of fields of which an object has at least one.
    groups: Vec<Vec<usize>>,
}

impl Wanted {
    /// Returns what a source wants: every field of its columns, or one of them where a column is made from several
    /// and the source does not insist on its fields.
    pub(super) fn of(source: &plan::Source) -> Self {
        let fields = source.raw_fields();
        if source.drift == plan::Drift::Fail {
            return Self::each(&fields);
        }
        let place = |field: &String| fields.iter().position(|other| other == field);
        let columns = source.columns.iter();
        let groups = columns.map(|column| column.raw_fields().filter_map(place).collect());
        Self { groups: groups.collect(), fields }
    }

    /// Wants every one of these fields.
    pub(super) fn each(fields: &[String]) -> Self {
        Self {
            fields: fields.to_vec(),
            groups: (0..fields.len()).map(|place| vec![place]).collect(),
        }
    }

    /// Returns the wanted fields that an object with these fields lacks, or an error where it may not lack them.
    pub(super) fn missing(&self, present: &[String]) -> Result<Vec<String>, ExtractErrorKind> {
        let is_there = |place: &usize| present.contains(&self.fields[*place]);
        if let Some(group) = self.groups.iter().find(|group| !group.iter().any(is_there)) {
            let column = group.first().map_or("", |place| self.fields[*place].as_str());
            let present = present.iter().map(String::as_str);
            return Err(ExtractErrorKind::lacks_column(column, present));
        }
        Ok(self.fields.iter().filter(|field| !present.contains(field)).cloned().collect())
    }
}
