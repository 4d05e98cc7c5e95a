//! Brings the tables of rates to the sources that convert by them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;

use super::RunError;
use crate::names::SourceName;
use crate::steps::clean::Rates;
use crate::steps::dedupe::Deduped;
use crate::steps::extract::Extracted;

/// Puts the sources of rates before those that need them; each keeps its former place as a number.
pub(super) fn rates_first(extracted: Vec<Extracted>) -> Vec<(usize, Extracted)> {
    let sources = extracted.iter().flat_map(|extracted| extracted.source.rates().cloned());
    let sources: BTreeSet<SourceName> = sources.collect();
    let mut ordered: Vec<(usize, Extracted)> = extracted.into_iter().enumerate().collect();
    ordered.sort_by_key(|(_, extracted)| !sources.contains(&extracted.source.name));
    ordered
}

/// A table of rates and the source it comes from.
type Named = (SourceName, Arc<Rates>);

/// Reads the surviving rows of a source that is a table of rates, those of earlier nights too.
pub(super) fn of(deduped: Deduped) -> Result<(Deduped, Option<Named>), RunError> {
    let source = &deduped.cleaned.source;
    let Some(columns) = source.rate_columns() else {
        return Ok((deduped, None));
    };
    let mut rates = Rates::new(columns);
    for former in &deduped.former {
        for batch in former.rows_that_stay()? {
            rates.add(&batch?);
        }
    }
    for (part, survivors) in deduped.cleaned.parts.iter().zip(&deduped.survivors) {
        let mut offset = 0;
        for batch in part.rows.batches()? {
            let batch = batch?;
            let mask = BooleanArray::from(survivors.slice(offset, batch.num_rows()));
            offset += batch.num_rows();
            rates.add(&filter_record_batch(&batch, &mask)?);
        }
    }
    let name = source.name.clone();
    Ok((deduped, Some((name, Arc::new(rates)))))
}
