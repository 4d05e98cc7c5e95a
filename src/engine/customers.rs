//! Looks the customers of rows up by the identifiers the rows bear.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StringArray, UInt64Array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, TypeSignature,
    Volatility,
};

/// Which customer each identifier belongs to, by the number of the identifier.
#[derive(Debug)]
pub(crate) struct Customers {
    pub(crate) ids: StringArray,
    /// The identifiers that point at one person for certain; others stand for a person of their own.
    pub(crate) certain: BooleanBuffer,
}

impl Customers {
    /// Returns the customer of each row, given the numbers of its identifiers, strongest first: that of the first
    /// certain identifier, else that of the first that has one.
    pub(crate) fn of(&self, rows: &ListArray) -> Result<ArrayRef> {
        let numbers = rows.values().as_primitive::<Int64Type>().values();
        let offsets = rows.value_offsets().windows(2);
        let found = offsets.map(|ends| {
            let of_row = &numbers[ends[0] as usize..ends[1] as usize];
            self.strongest(of_row).map(|number| number as u64)
        });
        let found: UInt64Array = found.collect();
        Ok(take(&self.ids, &found, None)?)
    }

    fn strongest(&self, numbers: &[i64]) -> Option<usize> {
        let mut fallback = None;
        for number in numbers.iter().map(|number| *number as usize) {
            // A number beyond the registry would be a row of another warehouse.
            if number >= self.ids.len() || self.ids.is_null(number) {
                continue;
            }
            if self.certain.value(number) {
                return Some(number);
            }
            fallback = fallback.or(Some(number));
        }
        fallback
    }
}

/// Makes the SQL function by which clean tables find their customers.
pub(super) fn customer_of(customers: Arc<Customers>) -> ScalarUDF {
    ScalarUDF::new_from_impl(CustomerOf {
        signature: Signature::new(TypeSignature::Any(1), Volatility::Immutable),
        customers,
    })
}

#[derive(Debug)]
struct CustomerOf {
    signature: Signature,
    customers: Arc<Customers>,
}

impl PartialEq for CustomerOf {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.customers, &other.customers)
    }
}

impl Eq for CustomerOf {}

impl Hash for CustomerOf {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.customers).hash(state);
    }
}

impl ScalarUDFImpl for CustomerOf {
    fn name(&self) -> &'static str {
        "customer_of"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match &arguments.args[0] {
            ColumnarValue::Array(rows) => {
                let rows = rows.as_list_opt::<i32>();
                let rows = rows.ok_or_else(|| wrong("customer_of takes lists of identifiers"))?;
                Ok(ColumnarValue::Array(self.customers.of(rows)?))
            }
            ColumnarValue::Scalar(row) => {
                let rows = row.to_array()?;
                let found = self.customers.of(rows.as_list::<i32>())?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?))
            }
        }
    }
}

fn wrong(message: &str) -> DataFusionError {
    DataFusionError::Internal(message.to_owned())
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, ListArray, StringArray};
    use arrow::buffer::BooleanBuffer;
    use arrow::datatypes::Int64Type;

    use super::Customers;

    #[test]
    fn the_first_certain_identifier_tells_the_customer() {
        let customers = Customers {
            ids: StringArray::from(vec![Some("ann"), Some("a shared phone"), None]),
            certain: BooleanBuffer::from(vec![true, false, false]),
        };
        let rows = [Some(vec![1, 0]), Some(vec![2, 1]), Some(vec![2]), None, Some(vec![9, 0])];
        let rows = rows.map(|row| row.map(|row| row.into_iter().map(Some).collect::<Vec<_>>()));
        let rows = ListArray::from_iter_primitive::<Int64Type, _, _>(rows);
        let found = customers.of(&rows).unwrap();
        let found: Vec<_> = found.as_string::<i32>().iter().collect();
        assert_eq!(found, [Some("ann"), Some("a shared phone"), None, None, Some("ann")]);
    }
}
