//! The functions that are known, each over all partitions of a batch at once.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::take;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{EmitTo, WindowFrame, WindowFrameBound, WindowFrameUnits};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::window::{
    PlainAggregateWindowExpr, StandardWindowExpr, StandardWindowFunctionExpr, WindowExpr,
};
use datafusion::physical_plan::windows::WindowUDFExpr;

use super::running::{self, Running};

/// A function of the rows of a partition.
#[derive(Debug, Clone)]
pub(super) enum Function {
    RowNumber,
    /// The value of the row before, or of the row behind.
    Neighbour(Arc<dyn PhysicalExpr>, Side),
    /// One value for all rows of a partition.
    Whole(Arc<AggregateFunctionExpr>),
    /// The sum of all rows so far.
    Running(Running),
}

/// On which side of a row its neighbour is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    Behind,
}

/// Rows of whole partitions.
pub(super) struct Partitions<'a> {
    pub(super) rows: &'a RecordBatch,
    pub(super) ranges: &'a [Range<usize>],
    /// For each row the number of its partition.
    numbers: Vec<usize>,
}

impl<'a> Partitions<'a> {
    pub(super) fn new(rows: &'a RecordBatch, ranges: &'a [Range<usize>]) -> Self {
        let numbers = ranges.iter().enumerate();
        let numbers = numbers.flat_map(|(number, range)| range.clone().map(move |_| number));
        Self { rows, ranges, numbers: numbers.collect() }
    }

    fn evaluate(&self, expression: &Arc<dyn PhysicalExpr>) -> Result<ArrayRef> {
        expression.evaluate(self.rows)?.into_array(self.rows.num_rows())
    }
}

impl Function {
    /// Returns the function of a window; none where it is not known.
    pub(super) fn of(window: &Arc<dyn WindowExpr>) -> Option<Self> {
        if let Some(standard) = window.as_any().downcast_ref::<StandardWindowExpr>() {
            let function = standard.get_standard_func_expr();
            return Self::of_standard(function.as_any().downcast_ref::<WindowUDFExpr>()?);
        }
        let aggregate = window.as_any().downcast_ref::<PlainAggregateWindowExpr>()?;
        Self::of_aggregate(aggregate)
    }

    fn of_standard(function: &WindowUDFExpr) -> Option<Self> {
        match (function.fun().name(), function.args()) {
            ("row_number", []) => Some(Self::RowNumber),
            ("lag" | "lead", [value]) => {
                Some(Self::Neighbour(Arc::clone(value), Side::of(function)?))
            }
            _ => None,
        }
    }

    fn of_aggregate(window: &PlainAggregateWindowExpr) -> Option<Self> {
        let aggregate = window.get_aggregate_expr();
        let is_plain = !aggregate.is_distinct() && aggregate.order_bys().is_empty();
        if !is_plain || !has_no_filter(window) {
            return None;
        }
        let frame = window.get_window_frame();
        if is_whole(frame, window.order_by().is_empty()) {
            let is_known = aggregate.groups_accumulator_supported();
            return is_known.then(|| Self::Whole(Arc::new(aggregate.clone())));
        }
        is_so_far(frame).then(|| Running::of(aggregate).map(Self::Running)).flatten()
    }

    /// Returns the value of each row.
    pub(super) fn evaluate(&self, of: &Partitions<'_>) -> Result<ArrayRef> {
        match self {
            Self::RowNumber => {
                let places = of.ranges.iter().flat_map(|range| 1..=range.len() as u64);
                Ok(Arc::new(UInt64Array::from_iter_values(places)))
            }
            Self::Neighbour(value, side) => {
                let values = of.evaluate(value)?;
                let places = of.ranges.iter().flat_map(|range| side.of_each(range.clone()));
                Ok(take(&values, &places.collect::<UInt64Array>(), None)?)
            }
            Self::Whole(aggregate) => {
                let arguments = aggregate.expressions();
                let arguments = arguments.iter().map(|argument| of.evaluate(argument));
                let arguments = arguments.collect::<Result<Vec<_>>>()?;
                let mut groups = aggregate.create_groups_accumulator()?;
                groups.update_batch(&arguments, &of.numbers, None, of.ranges.len())?;
                let places = of.numbers.iter().map(|number| *number as u64);
                let places = UInt64Array::from_iter_values(places);
                Ok(take(&groups.evaluate(EmitTo::All)?, &places, None)?)
            }
            Self::Running(sum) => running::sums(sum, &of.evaluate(&sum.of)?, of.ranges),
        }
    }
}

impl Side {
    /// Tells which neighbour a function reads; none where it reads another row, or passes over rows without value.
    ///
    /// The engine turns windows round to spare a sort and does not tell; so the function is asked what it makes of four
    /// rows of which one has a value: the first, and then the last.
    fn of(function: &WindowUDFExpr) -> Option<Self> {
        let first = seen(function, [true, false, false, false])?;
        let last = seen(function, [false, false, false, true])?;
        match (first.as_slice(), last.as_slice()) {
            ([false, true, false, false], [false, false, false, false]) => Some(Self::Before),
            ([false, false, false, false], [false, false, true, false]) => Some(Self::Behind),
            _ => None,
        }
    }

    /// Returns for each row of a partition the row on this side of it.
    fn of_each(self, range: Range<usize>) -> impl Iterator<Item = Option<u64>> {
        range.clone().map(move |row| match self {
            Self::Before => (row > range.start).then(|| row as u64 - 1),
            Self::Behind => (row + 1 < range.end).then_some(row as u64 + 1),
        })
    }
}

/// Says which of four rows get a value from a function, of which some have one.
fn seen(function: &WindowUDFExpr, have_value: [bool; 4]) -> Option<Vec<bool>> {
    let field = function.field().ok()?;
    let some = ScalarValue::new_default(field.data_type()).ok()?;
    let none = ScalarValue::try_from(field.data_type()).ok()?;
    let rows = have_value.map(|has_value| if has_value { some.clone() } else { none.clone() });
    let rows = ScalarValue::iter_to_array(rows).ok()?;
    let mut evaluator = function.create_evaluator().ok()?;
    if evaluator.uses_window_frame() || evaluator.include_rank() {
        return None;
    }
    let told = evaluator.evaluate_all(&[rows], have_value.len()).ok()?;
    Some((0..told.len()).map(|row| told.is_valid(row)).collect())
}

/// Says whether every row of a partition sees all of it.
fn is_whole(frame: &WindowFrame, is_without_order: bool) -> bool {
    let reaches_the_end = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::CurrentRow => frame.units == WindowFrameUnits::Range && is_without_order,
        bound => bound.is_unbounded(),
    };
    reaches_the_end(&frame.start_bound) && reaches_the_end(&frame.end_bound)
}

/// Says whether every row sees those before it and itself.
fn is_so_far(frame: &WindowFrame) -> bool {
    frame.units == WindowFrameUnits::Rows
        && frame.start_bound.is_unbounded()
        && matches!(frame.end_bound, WindowFrameBound::CurrentRow)
}

/// Says whether all rows count. The engine tells of a filter only where it shows the whole window, at the end.
fn has_no_filter(window: &PlainAggregateWindowExpr) -> bool {
    format!("{window:?}").ends_with("filter: None }")
}
