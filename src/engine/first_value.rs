//! `FIRST_VALUE` in an order, for many groups.
//!
//! The engine's own goes over all groups it knows at every batch, so that its time grows with the square of the rows where
//! groups are as many as sessions of visitors. This one touches the groups of a batch alone; what it answers is the same.
//! The sessions of four million events take about half of the time by it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, new_null_array};
use arrow::datatypes::{DataType, FieldRef};
use arrow::row::{RowConverter, SortField};
use datafusion::common::{Result, internal_err};
use datafusion::functions_aggregate::first_last::FirstValue;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, EmitTo, GroupsAccumulator,
    ReversedUDAF, Signature,
};
use datafusion::physical_expr::PhysicalSortExpr;

/// Bytes that nothing refers to any more are given back beyond this many.
const SLACK: usize = 1 << 20;

/// Returns the function; it stands for the engine's own of this name.
pub(super) fn first_value() -> AggregateUDF {
    AggregateUDF::new_from_impl(FirstByGroup { stock: FirstValue::new().into() })
}

/// The engine's own function, but for the state it keeps for groups.
#[derive(Debug, PartialEq, Eq, Hash)]
struct FirstByGroup {
    stock: AggregateUDF,
}

impl AggregateUDFImpl for FirstByGroup {
    fn name(&self) -> &str {
        self.stock.name()
    }

    fn signature(&self) -> &Signature {
        self.stock.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.stock.return_type(arg_types)
    }

    fn return_field(&self, arg_fields: &[FieldRef]) -> Result<FieldRef> {
        self.stock.return_field(arg_fields)
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        self.stock.accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        self.stock.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs<'_>) -> bool {
        // What the engine's own does not support are structures, which say of one row what would be several functions.
        matches!(Firsts::new(&args), Ok(Some(_))) || self.stock.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs<'_>,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match Firsts::new(&args)? {
            Some(firsts) => Ok(Box::new(firsts)),
            None => self.stock.create_groups_accumulator(args),
        }
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        let stock = self.stock.clone().with_beneficial_ordering(beneficial_ordering)?;
        Ok(stock.map(|stock| Arc::new(Self { stock }) as Arc<dyn AggregateUDFImpl>))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.stock.order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.stock.reverse_udf()
    }

    fn supports_null_handling_clause(&self) -> bool {
        self.stock.supports_null_handling_clause()
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.stock.documentation()
    }
}

/// The first value of each group, with what orders it.
struct Firsts {
    ignore_nulls: bool,
    orders: RowConverter,
    values: RowConverter,
    /// What an order and a value look like where a group has none.
    no_order: Box<[u8]>,
    no_value: Box<[u8]>,
    groups: Vec<Place>,
    /// The orders and values of all groups, and such as have been replaced.
    bytes: Vec<u8>,
    /// How many bytes have been replaced.
    unused: usize,
}

/// Where the order and the value of a group lie, one behind the other; an order has a byte at least, so none is no value.
#[derive(Clone, Copy, Default)]
struct Place {
    start: usize,
    order: usize,
    value: usize,
}

impl Place {
    fn is_set(self) -> bool {
        self.order > 0
    }

    fn len(self) -> usize {
        self.order + self.value
    }
}

/// The rows of a batch from which firsts are taken.
struct Batch<'a> {
    value: &'a ArrayRef,
    orders: &'a [ArrayRef],
    groups: &'a [usize],
    /// Says which rows count; all of them where there is none.
    counts: Option<&'a BooleanArray>,
}

impl Batch<'_> {
    fn counts(&self, row: usize) -> bool {
        self.counts.is_none_or(|counts| counts.is_valid(row) && counts.value(row))
    }
}

impl Firsts {
    /// Returns none where a type has no order of bytes.
    fn new(args: &AccumulatorArgs<'_>) -> Result<Option<Self>> {
        let types = args.order_bys.iter().map(|by| by.expr.data_type(args.schema));
        let types = types.collect::<Result<Vec<_>>>()?;
        let order = |(by, data_type): (&PhysicalSortExpr, &DataType)| {
            SortField::new_with_options(data_type.clone(), by.options)
        };
        let orders: Vec<SortField> = args.order_bys.iter().zip(&types).map(order).collect();
        let value_type = args.return_field.data_type();
        let value = vec![SortField::new(value_type.clone())];
        let are_supported =
            RowConverter::supports_fields(&orders) && RowConverter::supports_fields(&value);
        if orders.is_empty() || !are_supported {
            return Ok(None);
        }
        let none = |data_type: &DataType| new_null_array(data_type, 1);
        let no_order: Vec<ArrayRef> = types.iter().map(none).collect();
        let (orders, values) = (RowConverter::new(orders)?, RowConverter::new(value)?);
        Ok(Some(Self {
            ignore_nulls: args.ignore_nulls,
            no_order: orders.convert_columns(&no_order)?.row(0).as_ref().into(),
            no_value: values.convert_columns(&[none(value_type)])?.row(0).as_ref().into(),
            orders,
            values,
            groups: Vec::new(),
            bytes: Vec::new(),
            unused: 0,
        }))
    }

    fn take_in(&mut self, batch: &Batch<'_>, groups: usize) -> Result<()> {
        self.groups.resize(groups, Place::default());
        let orders = self.orders.convert_columns(batch.orders)?;
        let values = self.values.convert_columns(std::slice::from_ref(batch.value))?;
        for (row, &group) in batch.groups.iter().enumerate() {
            if !batch.counts(row) || self.ignore_nulls && batch.value.is_null(row) {
                continue;
            }
            let order = orders.row(row);
            let known = self.groups[group];
            // Of rows that are equal in order the one that came first stays.
            if !known.is_set() || order.as_ref() < self.order(known) {
                self.put(group, order.as_ref(), values.row(row).as_ref());
            }
        }
        self.compact();
        Ok(())
    }

    fn order(&self, place: Place) -> &[u8] {
        if place.is_set() {
            &self.bytes[place.start..place.start + place.order]
        } else {
            &self.no_order
        }
    }

    fn value(&self, place: Place) -> &[u8] {
        if place.is_set() {
            &self.bytes[place.start + place.order..place.start + place.len()]
        } else {
            &self.no_value
        }
    }

    /// Puts a value in the place of that of a group: where that one stood if there is room.
    fn put(&mut self, group: usize, order: &[u8], value: &[u8]) {
        let known = self.groups[group];
        let mut place = Place { start: known.start, order: order.len(), value: value.len() };
        if place.len() > known.len() {
            place.start = self.bytes.len();
            self.unused += known.len();
            self.bytes.extend_from_slice(order);
            self.bytes.extend_from_slice(value);
        } else {
            self.unused += known.len() - place.len();
            let (middle, end) = (place.start + place.order, place.start + place.len());
            self.bytes[place.start..middle].copy_from_slice(order);
            self.bytes[middle..end].copy_from_slice(value);
        }
        self.groups[group] = place;
    }

    /// Gives bytes back once most of them are not used.
    fn compact(&mut self) {
        if self.unused <= SLACK || self.unused <= self.bytes.len() / 2 {
            return;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len() - self.unused);
        for place in self.groups.iter_mut().filter(|place| place.is_set()) {
            let start = bytes.len();
            bytes.extend_from_slice(&self.bytes[place.start..place.start + place.len()]);
            place.start = start;
        }
        (self.bytes, self.unused) = (bytes, 0);
    }

    fn values_of(&self, groups: &[Place]) -> Result<ArrayRef> {
        let parser = self.values.parser();
        let rows = groups.iter().map(|place| parser.parse(self.value(*place)));
        match self.values.convert_rows(rows)?.pop() {
            Some(values) => Ok(values),
            None => internal_err!("a column has become none"),
        }
    }

    fn orders_of(&self, groups: &[Place]) -> Result<Vec<ArrayRef>> {
        let parser = self.orders.parser();
        let rows = groups.iter().map(|place| parser.parse(self.order(*place)));
        Ok(self.orders.convert_rows(rows)?)
    }

    /// Forgets groups that have been told.
    fn forget(&mut self, groups: &[Place]) {
        self.unused += groups.iter().map(|place| place.len()).sum::<usize>();
        if self.groups.is_empty() {
            (self.bytes, self.unused) = (Vec::new(), 0);
        }
        self.compact();
    }
}

impl GroupsAccumulator for Firsts {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        counts: Option<&BooleanArray>,
        total: usize,
    ) -> Result<()> {
        let Some((value, orders)) = values.split_first() else {
            return internal_err!("FIRST_VALUE of no column");
        };
        self.take_in(&Batch { value, orders, groups, counts }, total)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        let values = self.values_of(&groups)?;
        self.forget(&groups);
        Ok(values)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = emit_to.take_needed(&mut self.groups);
        let mut state = vec![self.values_of(&groups)?];
        state.extend(self.orders_of(&groups)?);
        let are_set = groups.iter().map(|place| Some(place.is_set()));
        state.push(Arc::new(are_set.collect::<BooleanArray>()));
        self.forget(&groups);
        Ok(state)
    }

    fn merge_batch(&mut self, state: &[ArrayRef], groups: &[usize], total: usize) -> Result<()> {
        let [value, orders @ .., are_set] = state else {
            return internal_err!("FIRST_VALUE of no state");
        };
        let counts = Some(are_set.as_boolean());
        self.take_in(&Batch { value, orders, groups, counts }, total)
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        counts: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, Array::len);
        let all = || BooleanArray::from(vec![true; rows]);
        let are_set = counts.cloned().unwrap_or_else(all);
        Ok(values.iter().cloned().chain([Arc::new(are_set) as ArrayRef]).collect())
    }

    fn size(&self) -> usize {
        self.bytes.capacity()
            + self.groups.capacity() * size_of::<Place>()
            + self.orders.size()
            + self.values.size()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch, StringArray};
    use datafusion::prelude::SessionContext;
    use proptest::collection::vec;
    use proptest::option::of;
    use proptest::prelude::{Just, ProptestConfig, any, prop_assert_eq, prop_oneof, proptest};

    use crate::engine::fixtures;
    use crate::engine::session::{planning_session, stock_session};

    type Row = (Option<i64>, Option<i64>, Option<String>, Option<i64>);

    fn batch(rows: &[Row]) -> RecordBatch {
        let numbers = |column: fn(&Row) -> Option<i64>| -> Arc<Int64Array> {
            Arc::new(rows.iter().map(column).collect())
        };
        let texts: StringArray = rows.iter().map(|row| row.2.clone()).collect();
        RecordBatch::try_from_iter_with_nullable([
            ("key", numbers(|row| row.0) as _, true),
            ("place", numbers(|row| row.1) as _, true),
            ("word", Arc::new(texts) as _, true),
            ("number", numbers(|row| row.3) as _, true),
        ])
        .unwrap()
    }

    /// Answers a query over rows that come in parts.
    async fn answer(session: &SessionContext, parts: &[Vec<Row>], sql: &str) -> String {
        let batches = parts.iter().map(|rows| batch(rows)).collect();
        fixtures::answer(session, batches, sql).await.0
    }

    const QUERIES: [&str; 4] = [
        "SELECT key, FIRST_VALUE(word ORDER BY place, number DESC, word) AS w, \
         FIRST_VALUE(number ORDER BY word IS NULL, word DESC NULLS LAST, place, number) AS n FROM t GROUP BY key \
         ORDER BY key",
        "SELECT key, FIRST_VALUE(word ORDER BY place, word) FILTER (WHERE number > 0) AS w, \
         FIRST_VALUE(word) IGNORE NULLS AS some FROM t WHERE number IS NULL OR number = 7 OR number > 0 GROUP BY key \
         ORDER BY key",
        "SELECT FIRST_VALUE(word ORDER BY place DESC, number, word) AS w FROM t",
        "SELECT key, FIRST_VALUE(named_struct('word', word, 'number', number) ORDER BY place, number, word) AS first FROM t \
         GROUP BY key ORDER BY key",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn it_answers_as_the_engines_own_does(
            parts in vec(vec((
                of(0_i64..5),
                of(-2_i64..3),
                of(prop_oneof![Just(String::new()), "[ab]{1,2}", Just("a long word, of over thirty-two bytes".to_owned())]),
                of(prop_oneof![any::<i64>(), Just(7)]),
            ), 1..20), 1..5)
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (ours, stock) = (planning_session(chrono_tz::UTC), stock_session(8192));
            for sql in QUERIES {
                // Which word comes first in no order at all depends on the rows' order, which both see alike.
                let found = runtime.block_on(answer(&ours, &parts, sql));
                let expected = runtime.block_on(answer(&stock, &parts, sql));
                prop_assert_eq!(found, expected, "{}", sql);
            }
        }
    }

    #[tokio::test]
    async fn places_that_are_given_up_are_given_back() {
        // Every row is before all that came, and longer: none of the places before can be used again.
        let row = |number: i64| {
            let word = "w".repeat(200 + usize::try_from(number).unwrap_or_default());
            (Some(number % 3), Some(-number), Some(word), None)
        };
        let rows: Vec<Row> = (0..6_000).map(row).collect();
        let parts: Vec<Vec<Row>> = rows.chunks(500).map(<[Row]>::to_vec).collect();
        let sql = "SELECT key, FIRST_VALUE(length(word) ORDER BY place) AS l, \
                   length(FIRST_VALUE(word ORDER BY place)) AS w FROM t GROUP BY key ORDER BY key";
        let found = answer(&planning_session(chrono_tz::UTC), &parts, sql).await;
        assert_eq!(found, answer(&stock_session(8192), &parts, sql).await);
        assert!(found.contains("6199"), "{found}");
    }
}
