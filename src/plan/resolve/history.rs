//! Marts that keep the rows of every night, which must say of which night a row is.

use super::place::Place;
use crate::diagnostics::{Code, Diagnostics};
use crate::plan::stage::{AS_OF, AS_OF_DATE, History};
use crate::spec::{self, StageSpec};

/// Says what becomes of a mart's rows of earlier nights; reports a snapshot that does not declare its nights.
pub(super) fn resolve(stage: &StageSpec, found: &mut Diagnostics) -> History {
    let Some(written) = stage.sidecar.as_ref().filter(|_| is_snapshot(stage)) else {
        return History::Replace;
    };
    let root = Place::root(&written.file, &written.positions);
    match written.sidecar.columns.iter().find(|(name, _)| *name == AS_OF) {
        None => {
            let message = format!("a snapshot tells its nights apart by a column `{AS_OF}`");
            let help = format!(
                "declare `{AS_OF}: {{ type: timestamp }}` under `columns` and let the SQL yield `${AS_OF} AS {AS_OF}`"
            );
            found.push(root.child("history").error(Code::BadHistory, message).help(help));
        }
        Some((_, column)) if parameter(&column.data_type).is_none() => {
            let message = format!(
                "the column `{AS_OF}` of a snapshot is a night, not a `{}`",
                column.data_type
            );
            let help = format!(
                "let it be a `timestamp`, as `${AS_OF}` is, or a `date`, as `${AS_OF_DATE}` is"
            );
            let place = root.child("columns").child(AS_OF).child("type");
            found.push(place.error(Code::BadHistory, message).help(help));
        }
        Some(_) => {}
    }
    History::Snapshot
}

/// Returns the condition that a row of a snapshot is of another night than that of the run.
pub(super) fn of_another_night(stage: &StageSpec) -> Option<String> {
    let written = stage.sidecar.as_ref().filter(|_| is_snapshot(stage))?;
    let (_, column) = written.sidecar.columns.iter().find(|(name, _)| *name == AS_OF)?;
    let parameter = parameter(&column.data_type)?;
    Some(format!("\"{AS_OF}\" IS DISTINCT FROM ${parameter}"))
}

fn is_snapshot(stage: &StageSpec) -> bool {
    let sidecar = stage.sidecar.as_ref().map(|written| &written.sidecar);
    sidecar.is_some_and(|sidecar| sidecar.history == spec::History::Snapshot)
}

/// Returns the parameter that is the night in a column of this type.
fn parameter(data_type: &str) -> Option<&'static str> {
    match data_type.trim() {
        "timestamp" => Some(AS_OF),
        "date" => Some(AS_OF_DATE),
        _ => None,
    }
}
