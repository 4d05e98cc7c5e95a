//! The published identity tables, and how people name what is in them.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::ParamValues;
use datafusion::error::DataFusionError;
use datafusion::scalar::ScalarValue;

use crate::cli::args::IdentityOptions;
use crate::cli::commands::query::{NoAnswer, pipeline, unanswered, usage};
use crate::cli::environment::Environment;
use crate::engine::Published;
use crate::report::masked;
use crate::warehouse::{NamedIdentifier, Warehouse, Zone};

/// The identity tables of the present generation.
pub(super) struct Registry {
    pub(super) warehouse: Warehouse,
    published: Published,
    show_personal: bool,
}

/// An identifier that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: i64,
    pub(super) named: NamedIdentifier,
    pub(super) customer: Option<String>,
}

/// An identifier is named by its value, alone or after its type; case matters only where both spellings exist.
const FIND: &str = "
SELECT number, identifier_type, value, customer_id
FROM identity.map
WHERE value IN ($whole, lower($whole), upper($whole))
   OR (identifier_type = $type AND value IN ($rest, lower($rest), upper($rest)))
ORDER BY identifier_type, value";

impl Registry {
    pub(super) async fn open(
        environment: &Environment,
        options: &IdentityOptions,
    ) -> Result<Self, NoAnswer> {
        let pipeline = pipeline(environment, options.pipeline.as_deref()).await?;
        let warehouse = Warehouse::open(environment.warehouse.clone(), &pipeline);
        let Some(generation) = warehouse.current().await.map_err(NoAnswer::Warehouse)? else {
            return Err(usage(
                format!("the pipeline `{pipeline}` has published nothing yet"),
                "publish a night with `martlet run`",
            ));
        };
        let timezone = generation.timezone.parse().unwrap_or(chrono_tz::UTC);
        let resources = environment.resources();
        let published = Published::open(warehouse.root(), &resources, timezone).map_err(failed)?;
        for (name, table) in generation.tables(Zone::Identity) {
            let files = table.files.iter().map(|file| warehouse.layout().named(&file.path));
            let schema = Some(Zone::Identity.folder());
            published.add(schema, name, files.collect()).await.map_err(failed)?;
        }
        Ok(Self { warehouse, published, show_personal: options.show_personal })
    }

    /// Asks the tables; `$show_personal` and what is given are parameters.
    pub(super) async fn ask(
        &self,
        sql: &str,
        parameters: &[(&str, ScalarValue)],
    ) -> Result<Vec<RecordBatch>, NoAnswer> {
        let mut values: Vec<(String, ScalarValue)> =
            parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        values.push(("show_personal".to_owned(), ScalarValue::from(self.show_personal)));
        let frame = self.published.session.sql(sql).await.map_err(failed)?;
        let frame = frame.with_param_values(ParamValues::from(values)).map_err(failed)?;
        let schema = std::sync::Arc::new(frame.schema().as_arrow().clone());
        let mut rows = frame.collect().await.map_err(failed)?;
        if rows.is_empty() {
            rows.push(RecordBatch::new_empty(schema));
        }
        Ok(rows)
    }

    /// Shows a value, masked unless personal ones are asked for.
    pub(super) fn shown(&self, named: &NamedIdentifier) -> String {
        let NamedIdentifier { identifier_type, value } = named;
        let value = if self.show_personal { value.clone() } else { masked(value) };
        format!("{identifier_type}:{value}")
    }

    /// Returns the identifiers that a text may name.
    pub(super) async fn named(&self, text: &str) -> Result<Vec<Found>, NoAnswer> {
        let (kind, rest) = text.split_once(':').unwrap_or(("", ""));
        let parameters = [("whole", text), ("type", kind), ("rest", rest)]
            .map(|(name, value)| (name, ScalarValue::from(value)));
        found(&self.ask(FIND, &parameters).await?)
    }

    /// Returns the one identifier that a text names.
    pub(super) async fn identifier(&self, text: &str) -> Result<Found, NoAnswer> {
        let mut named = self.named(text).await?;
        match (named.pop(), named.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(usage(
                format!("no identifier `{text}` was ever seen"),
                "values are kept as they are after cleaning: e-mails in small letters, phones as `+8613…`",
            )),
            (Some(last), false) => {
                named.push(last);
                let kinds =
                    named.iter().map(|found| format!("`{}:…`", found.named.identifier_type));
                let kinds: Vec<String> = kinds.collect();
                Err(usage(
                    format!("`{text}` is the value of several identifiers: {}", kinds.join(", ")),
                    "write the type before it",
                ))
            }
        }
    }

    /// Returns all identifiers of a customer.
    pub(super) async fn of_customer(&self, id: &str) -> Result<Vec<Found>, NoAnswer> {
        let sql = "SELECT number, identifier_type, value, customer_id FROM identity.map \
                   WHERE customer_id = $id ORDER BY identifier_type, value";
        found(&self.ask(sql, &[("id", ScalarValue::from(id))]).await?)
    }
}

fn found(rows: &[RecordBatch]) -> Result<Vec<Found>, NoAnswer> {
    let mut all = Vec::new();
    for batch in rows {
        let numbers = batch["number"].as_primitive::<Int64Type>();
        let kinds = texts(batch, "identifier_type")?;
        let values = texts(batch, "value")?;
        let customers = texts(batch, "customer_id")?;
        for row in 0..batch.num_rows() {
            let text = |texts: &ArrayRef| texts.as_string::<i32>().value(row).to_owned();
            all.push(Found {
                number: numbers.value(row),
                named: NamedIdentifier { identifier_type: text(&kinds), value: text(&values) },
                customer: customers.is_valid(row).then(|| text(&customers)),
            });
        }
    }
    Ok(all)
}

/// Returns a column of texts, whatever variant of the type a reader made of it.
pub(super) fn texts(batch: &RecordBatch, name: &str) -> Result<ArrayRef, NoAnswer> {
    cast(&batch[name], &DataType::Utf8).map_err(NoAnswer::Output)
}

pub(super) fn failed(error: DataFusionError) -> NoAnswer {
    unanswered(error, &[])
}

/// The pairs of identifiers that objects show, and those of records that are only alike, which no object shows.
pub(super) const EVIDENCE: &str = "(SELECT left_number, right_number, source, object, first_seen, last_seen, weight \
     FROM identity.evidence WHERE right_number IS NOT NULL \
     UNION ALL SELECT left_number, right_number, source, CAST(NULL AS VARCHAR), first_seen, last_seen, weight \
     FROM identity.links WHERE weight IS NOT NULL) AS evidence";

/// Returns the SQL that shows a value, masked unless personal ones are asked for; as [`masked`] does.
pub(super) fn shown(column: &str) -> String {
    format!(
        "CASE WHEN $show_personal THEN {column} \
         WHEN character_length({column}) > 4 \
         THEN concat(substr({column}, 1, 2), '…(', character_length({column}), ')') \
         ELSE concat('…(', character_length({column}), ')') END"
    )
}
