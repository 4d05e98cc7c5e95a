//! The marts of the night before, whose histories a night goes on with.

use std::collections::BTreeMap;

use super::RunError;
use crate::names::StageName;
use crate::plan::{History, Plan, Stage, written_type};
use crate::warehouse::{Generation, TableRecord, Zone};
use crate::zone::AsOf;

/// Returns the marts of the present generation, where the histories among them can go on.
///
/// A column that a snapshot gains is NULL in the rows of earlier nights, and one that it loses is not shown any more.
/// One whose type changes would leave files that no reader can put beside each other, so that is refused before
/// anything is read.
pub(super) fn marts_before(
    plan: &Plan,
    before: Option<&Generation>,
) -> Result<BTreeMap<String, TableRecord>, RunError> {
    let marts = before.into_iter().flat_map(|generation| generation.tables(Zone::Marts));
    let marts = marts.map(|(name, table)| (name.to_owned(), table.clone()));
    let marts: BTreeMap<String, TableRecord> = marts.collect();
    let snapshots = plan.stages.iter().filter(|stage| stage.published);
    for stage in snapshots.filter(|stage| stage.history == History::Snapshot) {
        if let Some(table) = marts.get(stage.name.as_str()) {
            require_same_types(stage, table)?;
        }
    }
    Ok(marts)
}

/// Refuses to publish some marts of one night beside the others of another.
pub(super) fn fits_present(
    plan: &Plan,
    present: Option<&Generation>,
    as_of: AsOf,
) -> Result<(), RunError> {
    let other = present.filter(|it| !plan.left_out.is_empty() && it.as_of != as_of.date);
    other.map_or(Ok(()), |present| Err(RunError::OtherNight { as_of: present.as_of }))
}

/// Returns the marts of the night before that this run leaves as they are.
pub(super) fn carried(
    plan: &Plan,
    before: &BTreeMap<String, TableRecord>,
) -> BTreeMap<String, TableRecord> {
    let left_out = plan.left_out.iter().map(StageName::as_str);
    left_out.filter_map(|name| Some((name.to_owned(), before.get(name)?.clone()))).collect()
}

fn require_same_types(stage: &Stage, table: &TableRecord) -> Result<(), RunError> {
    let Some(history) = &table.history else { return Ok(()) };
    for field in stage.schema.fields() {
        let (column, now) = (field.name(), written_type(field.data_type()));
        if let Some(before) = history.types.get(column).filter(|before| **before != now) {
            return Err(RunError::HistoryType {
                mart: stage.name.clone(),
                column: column.clone(),
                before: before.clone(),
                now,
            });
        }
    }
    Ok(())
}
