//! The marts of two nights side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::error::DataFusionError;

use crate::engine::{Published, Resources};
use crate::report::{SegmentMove, Total};
use crate::warehouse::{Generation, Warehouse, Zone};

const SEGMENTS: &str = "fact_rfm_segments";

/// How many customers went from which segment to which; NULL where they were or are in none.
pub(crate) const SEGMENT_MOVES: &str = "
SELECT before.segment AS before, after.segment AS after, count(*) AS customers
FROM before.fact_rfm_segments AS before
FULL JOIN after.fact_rfm_segments AS after ON before.customer_id = after.customer_id
WHERE before.segment IS DISTINCT FROM after.segment
GROUP BY before.segment, after.segment
ORDER BY customers DESC, before, after";

const BEFORE: &str = "before";
const AFTER: &str = "after";

/// Two nights whose marts a session sees as `before` and `after`.
pub(crate) struct Pair {
    published: Published,
    before: BTreeSet<String>,
    after: BTreeSet<String>,
    /// By mart, the columns that may not be added up in one of the nights.
    not_additive: BTreeMap<String, BTreeSet<String>>,
}

impl Pair {
    /// Makes a session that sees the marts of two generations.
    pub(crate) async fn of_generations(
        warehouse: &Warehouse,
        resources: &Resources<'_>,
        before: &Generation,
        after: &Generation,
    ) -> Result<Self, DataFusionError> {
        let mut pair = Self::beginning_with(warehouse, resources, before).await?;
        pair.after = add(&pair.published, AFTER, warehouse, after).await?;
        pair.note_not_additive(after);
        Ok(pair)
    }

    /// Makes a session that sees the marts of a generation; those of the other night are added one by one.
    pub(super) async fn beginning_with(
        warehouse: &Warehouse,
        resources: &Resources<'_>,
        before: &Generation,
    ) -> Result<Self, DataFusionError> {
        let timezone = before.timezone.parse().unwrap_or(chrono_tz::UTC);
        let published = Published::open(warehouse.root(), resources, timezone)?;
        let names = add(&published, BEFORE, warehouse, before).await?;
        let (after, not_additive) = (BTreeSet::new(), BTreeMap::new());
        let mut pair = Self { published, before: names, after, not_additive };
        pair.note_not_additive(before);
        Ok(pair)
    }

    fn note_not_additive(&mut self, generation: &Generation) {
        for (name, table) in generation.tables(Zone::Marts) {
            self.not_additive
                .entry(name.to_owned())
                .or_default()
                .extend(table.not_additive.clone());
        }
    }

    /// Adds a mart of the later night, whose columns may be added up but for some.
    pub(super) fn add_after(
        &mut self,
        mart: &str,
        not_additive: BTreeSet<String>,
        table: Arc<dyn TableProvider>,
    ) -> Result<(), DataFusionError> {
        self.not_additive.entry(mart.to_owned()).or_default().extend(not_additive);
        self.after.insert(mart.to_owned());
        self.published.put(AFTER, mart, table)
    }

    /// Lets the later night have a mart as the earlier one has it.
    pub(super) async fn stays(&mut self, mart: &str) -> Result<(), DataFusionError> {
        if !self.before.contains(mart) {
            return Ok(());
        }
        let table = self.published.session.table_provider(TableReference::partial(BEFORE, mart));
        self.add_after(mart, BTreeSet::new(), table.await?)
    }

    /// Says whether customers can be compared by segment.
    pub(crate) fn has_segments(&self) -> bool {
        self.before.contains(SEGMENTS) && self.after.contains(SEGMENTS)
    }

    pub(crate) async fn ask(&self, sql: &str) -> Result<Vec<RecordBatch>, DataFusionError> {
        let frame = self.published.session.sql(sql).await?;
        let schema = Arc::new(frame.schema().as_arrow().clone());
        let mut batches = frame.collect().await?;
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        Ok(batches)
    }

    /// Tells how many customers went from which segment to which; nothing where one of the nights has no segments.
    pub(super) async fn segment_moves(&self) -> Result<Vec<SegmentMove>, DataFusionError> {
        if !self.has_segments() {
            return Ok(Vec::new());
        }
        let mut moves = Vec::new();
        for batch in self.ask(SEGMENT_MOVES).await? {
            let texts = |place: usize| cast(batch.column(place), &DataType::Utf8);
            let (before, after) = (texts(0)?, texts(1)?);
            let text = |texts: &arrow::array::ArrayRef, row: usize| {
                let texts = texts.as_string::<i32>();
                texts.iter().nth(row).flatten().map(str::to_owned)
            };
            let customers = cast(batch.column(2), &DataType::Int64)?;
            for (row, customers) in
                customers.as_primitive::<Int64Type>().values().iter().enumerate()
            {
                let (before, after) = (text(&before, row), text(&after, row));
                moves.push(SegmentMove { before, after, customers: customers.unsigned_abs() });
            }
        }
        Ok(moves)
    }

    /// Counts the rows of every mart and sums up its decimal columns, as far as their sums mean anything.
    pub(crate) async fn totals(&self) -> Result<Vec<Total>, DataFusionError> {
        let mut totals = Vec::new();
        for mart in self.before.union(&self.after) {
            let (old, new) = (self.sums(BEFORE, mart).await?, self.sums(AFTER, mart).await?);
            let measures: BTreeSet<&String> =
                old.iter().chain(&new).map(|(measure, _)| measure).collect();
            let value = |sums: &[(String, Option<String>)], measure: &String| {
                sums.iter().find(|(name, _)| name == measure).and_then(|(_, sum)| sum.clone())
            };
            totals.extend(measures.into_iter().map(|measure| Total {
                mart: mart.clone(),
                measure: measure.clone(),
                before: value(&old, measure),
                after: value(&new, measure),
            }));
        }
        Ok(totals)
    }

    /// Returns the rows and sums of a mart in one night; none where it does not have the mart.
    async fn sums(
        &self,
        schema: &str,
        mart: &str,
    ) -> Result<Vec<(String, Option<String>)>, DataFusionError> {
        let marts = if schema == BEFORE { &self.before } else { &self.after };
        if !marts.contains(mart) {
            return Ok(Vec::new());
        }
        let columns = self.ask(&format!("SELECT * FROM {schema}.{mart} LIMIT 0")).await?;
        let schema_of = columns.first().map(RecordBatch::schema);
        let money = schema_of.iter().flat_map(|schema| schema.fields().iter().cloned());
        let money = money.filter(|field| matches!(field.data_type(), DataType::Decimal128(_, _)));
        let is_additive = |name: &String| {
            self.not_additive.get(mart).is_none_or(|columns| !columns.contains(name))
        };
        let money = money.map(|field| field.name().clone()).filter(is_additive);
        let money: Vec<String> = money.collect();
        let sums = money.iter().map(|name| format!("sum(\"{name}\")"));
        let sums: Vec<String> = std::iter::once("count(*)".to_owned()).chain(sums).collect();
        let rows = self.ask(&format!("SELECT {} FROM {schema}.{mart}", sums.join(", "))).await?;
        let Some(row) = rows.first() else { return Ok(Vec::new()) };
        let measures = std::iter::once("rows".to_owned()).chain(money);
        measures.zip(row.columns()).map(|(name, sum)| Ok((name, first_text(sum)?))).collect()
    }
}

/// Adds the marts of a generation under a schema, and returns their names.
async fn add(
    published: &Published,
    schema: &str,
    warehouse: &Warehouse,
    generation: &Generation,
) -> Result<BTreeSet<String>, DataFusionError> {
    let mut names = BTreeSet::new();
    for (name, table) in generation.tables(Zone::Marts) {
        // A mart that keeps its nights is compared night by night: by the one each generation brought.
        let files = table.last_night().map(|file| warehouse.layout().named(&file.path));
        published.add(Some(schema), name, files.collect()).await?;
        names.insert(name.to_owned());
    }
    Ok(names)
}

/// Returns the only value of an answer as a text.
pub(super) fn first_text(
    values: &arrow::array::ArrayRef,
) -> Result<Option<String>, DataFusionError> {
    let texts = cast(values, &DataType::Utf8)?;
    Ok(texts.as_string::<i32>().iter().next().flatten().map(str::to_owned))
}
