//! SQL conditions on single rows, compiled once and evaluated on batches.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::{DFSchema, DataFusionError};
use datafusion::physical_plan::PhysicalExpr;
use datafusion::prelude::{SessionConfig, SessionContext};

/// Says why a condition cannot be compiled or evaluated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExpressionError {
    #[error("the condition cannot be planned: `{sql}`")]
    Plan {
        sql: String,
        #[source]
        source: Box<DataFusionError>,
    },
    #[error("the condition is not boolean but {found}: `{sql}`")]
    NotBoolean { sql: String, found: DataType },
    #[error("the condition cannot be evaluated: `{sql}`")]
    Evaluate {
        sql: String,
        #[source]
        source: Box<DataFusionError>,
    },
}

/// A boolean SQL expression over the columns of one schema.
#[derive(Debug, Clone)]
pub(crate) struct RowExpression {
    sql: String,
    physical: Arc<dyn PhysicalExpr>,
}

impl RowExpression {
    /// Plans `sql` against `schema`; decimals in it are exact.
    pub(crate) fn compile(schema: &SchemaRef, sql: &str) -> Result<Self, ExpressionError> {
        let refused = |source: DataFusionError| ExpressionError::Plan {
            sql: sql.to_owned(),
            source: Box::new(source),
        };
        let frame = DFSchema::try_from(Arc::clone(schema)).map_err(refused)?;
        let session = session();
        let logical = session.parse_sql_expr(sql, &frame).map_err(refused)?;
        let physical = session.create_physical_expr(logical, &frame).map_err(refused)?;
        match physical.data_type(schema).map_err(refused)? {
            DataType::Boolean | DataType::Null => Ok(Self { sql: sql.to_owned(), physical }),
            found => Err(ExpressionError::NotBoolean { sql: sql.to_owned(), found }),
        }
    }

    /// Says for every row whether the condition holds; NULL where it cannot be told.
    pub(crate) fn evaluate(&self, batch: &RecordBatch) -> Result<BooleanArray, ExpressionError> {
        let failed = |source: DataFusionError| ExpressionError::Evaluate {
            sql: self.sql.clone(),
            source: Box::new(source),
        };
        let value = self.physical.evaluate(batch).map_err(failed)?;
        let array = value.into_array(batch.num_rows()).map_err(failed)?;
        match array.as_any().downcast_ref::<BooleanArray>() {
            Some(answers) => Ok(answers.clone()),
            None => Ok(BooleanArray::new_null(batch.num_rows())),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "only `engine` makes sessions")]
fn session() -> SessionContext {
    let mut config = SessionConfig::new();
    config.options_mut().sql_parser.parse_float_as_decimal = true;
    SessionContext::new_with_config(config)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, Decimal128Array, RecordBatch};
    use arrow::datatypes::{DataType, Field, Schema};

    use super::{ExpressionError, RowExpression};

    fn prices() -> RecordBatch {
        let prices = Decimal128Array::from(vec![Some(10), Some(9), None])
            .with_precision_and_scale(9, 2)
            .unwrap();
        let schema = Schema::new(vec![Field::new("price", DataType::Decimal128(9, 2), true)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(prices)]).unwrap()
    }

    #[test]
    fn a_condition_is_exact_and_unknown_for_null() {
        let batch = prices();
        let expression = RowExpression::compile(&batch.schema(), "price >= 0.1").unwrap();
        let answers = expression.evaluate(&batch).unwrap();
        assert!(answers.value(0));
        assert!(!answers.value(1));
        assert!(answers.is_null(2));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        let schema = prices().schema();
        let refused = |sql: &str| RowExpression::compile(&schema, sql).unwrap_err();
        assert!(matches!(refused("price + 1"), ExpressionError::NotBoolean { .. }));
        assert!(matches!(refused("prize > 1"), ExpressionError::Plan { .. }));
        assert!(matches!(refused("price >"), ExpressionError::Plan { .. }));
    }
}
