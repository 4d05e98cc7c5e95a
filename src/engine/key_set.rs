//! Some customers, and tables of their rows alone or of those of all others.

use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, ScalarFunctionArgs,
    ScalarUDF, ScalarUDFImpl, Signature, TableSource, TypeSignature, Volatility, lit,
};

/// Some customers; whoever has no id is always among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct KeySet(HashSet<String>);

impl KeySet {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// Adds the customers of a column of texts.
    pub(crate) fn add(&mut self, column: &dyn Array) -> Result<()> {
        for key in texts(column)?.iter().flatten() {
            if !self.0.contains(key) {
                self.0.insert(key.to_owned());
            }
        }
        Ok(())
    }

    fn find(&self, column: &dyn Array) -> Result<BooleanArray> {
        let keys = texts(column)?.iter();
        Ok(keys.map(|key| Some(key.is_none_or(|key| self.0.contains(key)))).collect())
    }
}

/// Makes a table of the rows that belong to some customers.
pub(crate) fn rows_of_keys(
    table: &Arc<dyn TableSource>,
    key: &str,
    keys: &Arc<KeySet>,
) -> Result<Arc<dyn TableSource>> {
    let plan = LogicalPlanBuilder::scan(ROWS, Arc::clone(table), None)?
        .filter(is_among(keys).call(vec![named(key)]))?
        .build()?;
    Ok(provider_as_source(Arc::new(ViewTable::new(plan, None))))
}

/// Makes a query for the rows that belong to all customers but some; the columns of `replaced` get values in place of
/// theirs.
pub(crate) fn rows_of_others(
    table: Arc<dyn TableProvider>,
    key: &str,
    keys: &Arc<KeySet>,
    replaced: &[(String, ScalarValue)],
) -> Result<LogicalPlan> {
    let schema = table.schema();
    let rows = LogicalPlanBuilder::scan(ROWS, provider_as_source(table), None)?
        .filter(Expr::Not(Box::new(is_among(keys).call(vec![named(key)]))))?;
    let columns = schema.fields().iter().map(|field| {
        match replaced.iter().find(|(name, _)| name == field.name()) {
            Some((name, value)) => {
                let value = lit(value.clone()).cast_to(field.data_type(), rows.schema())?;
                Ok(value.alias(name))
            }
            None => Ok(named(field.name())),
        }
    });
    let columns = columns.collect::<Result<Vec<Expr>>>()?;
    rows.project(columns)?.build()
}

const ROWS: &str = "rows";

fn named(column: &str) -> Expr {
    Expr::Column(Column::new_unqualified(column))
}

fn texts(column: &dyn Array) -> Result<&arrow::array::StringArray> {
    let wrong = || DataFusionError::Internal("customers are told apart by texts".to_owned());
    column.as_string_opt::<i32>().ok_or_else(wrong)
}

/// Makes the SQL function that says whether a customer is among some.
fn is_among(keys: &Arc<KeySet>) -> ScalarUDF {
    ScalarUDF::new_from_impl(IsAmong {
        signature: Signature::new(
            TypeSignature::Exact(vec![DataType::Utf8]),
            Volatility::Immutable,
        ),
        keys: Arc::clone(keys),
    })
}

#[derive(Debug)]
struct IsAmong {
    signature: Signature,
    keys: Arc<KeySet>,
}

impl PartialEq for IsAmong {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keys, &other.keys)
    }
}

impl Eq for IsAmong {}

impl Hash for IsAmong {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.keys).hash(state);
    }
}

impl ScalarUDFImpl for IsAmong {
    fn name(&self) -> &'static str {
        "is_among"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &arguments.args[0] {
            ColumnarValue::Array(keys) => {
                Ok(ColumnarValue::Array(Arc::new(self.keys.find(keys.as_ref())?)))
            }
            ColumnarValue::Scalar(key) => {
                let found = self.keys.find(key.to_array()?.as_ref())?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::StringArray;

    use super::KeySet;

    #[test]
    fn whoever_has_no_id_is_among_any_customers() {
        let mut keys = KeySet::default();
        keys.add(&StringArray::from(vec![Some("ann"), None])).unwrap();
        let found = keys.find(&StringArray::from(vec![Some("ann"), Some("bob"), None])).unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some(true), Some(false), Some(true)]);
        assert_eq!(keys.len(), 1);
    }
}
