//! Personal data that marts would show.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use datafusion::error::Result;

use super::graph::{Lineage, TableKind, lineage};
use super::origin::Origin;
use crate::plan::{Plan, Stage};

/// A column of a mart that takes its values from a personal one, though nobody says that it may.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Personal {
    pub(crate) mart: String,
    pub(crate) column: String,
    /// The column of a clean table where the values come from.
    pub(crate) source: Origin,
}

/// Finds the columns of marts whose values are those of columns with `pii: true`, where their contract does not say so.
///
/// Followed are texts, dates and moments, which can name a person as they are; what is counted or summed up cannot. A
/// column of which a contract says `pii: false` is the end of it: whoever wrote that has made something else of it, or
/// groups of so many people that nobody stands out. `customer_id` is made of a secret and points at nobody outside.
pub(crate) fn personal(plan: &Plan) -> Result<Vec<Personal>> {
    if !plan.sources.iter().any(|source| source.is_personal()) {
        return Ok(Vec::new());
    }
    let lineage = lineage(plan)?;
    let mut known = of_sources(plan);
    let mut found = Vec::new();
    for stage in &plan.stages {
        for (column, source) in of_stage(stage, &lineage, &known) {
            let said = stage.columns.iter().find(|it| it.name.as_str() == column);
            let said = said.and_then(|column| column.pii);
            if said == Some(false) {
                continue;
            }
            if stage.published && said.is_none() {
                let (mart, column) = (stage.name.to_string(), column.clone());
                found.push(Personal { mart, column, source: source.clone() });
            }
            known.insert(Origin::column(stage.name.as_str(), &column), source);
        }
    }
    Ok(found)
}

/// Returns the personal columns of clean tables, each as where it comes from.
fn of_sources(plan: &Plan) -> BTreeMap<Origin, Origin> {
    let columns = plan.sources.iter().flat_map(|source| {
        let personal = source.columns.iter().filter(|column| column.pii);
        personal.map(|column| Origin::column(source.name.as_str(), column.name.as_str()))
    });
    columns.map(|column| (column.clone(), column)).collect()
}

/// Returns the columns of a stage that have the values of personal ones, each with where they come from.
fn of_stage(
    stage: &Stage,
    lineage: &Lineage,
    known: &BTreeMap<Origin, Origin>,
) -> Vec<(String, Origin)> {
    let table = lineage.table(stage.name.as_str());
    let table = table.filter(|table| matches!(table.kind, TableKind::Stage | TableKind::Mart));
    let columns = table.into_iter().flat_map(|table| &table.columns);
    let personal = columns.filter_map(|column| {
        let field = stage.schema.field_with_name(&column.name).ok()?;
        let source = column.value.iter().find_map(|origin| known.get(origin))?;
        can_name(field.data_type()).then(|| (column.name.clone(), source.clone()))
    });
    personal.collect()
}

/// Says whether a value of a type can name a person by itself.
fn can_name(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Date32 | T::Date64 | T::Timestamp(_, _)
    )
}
