//! Lists in the states of aggregate functions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::ScalarValue;

/// Makes the field of a list.
pub(super) fn list_field(name: &str, items: DataType) -> FieldRef {
    Arc::new(Field::new_list(name, Field::new_list_field(items, true), true))
}

/// Makes a list of values.
pub(super) fn list_of(values: &[ScalarValue], items: &DataType) -> ScalarValue {
    ScalarValue::List(ScalarValue::new_list_nullable(values, items))
}

/// Returns the integers of a row's list.
pub(super) fn integers(lists: &ArrayRef, row: usize) -> Vec<i64> {
    let lists = lists.as_list::<i32>();
    if lists.is_null(row) {
        return Vec::new();
    }
    lists.value(row).as_primitive::<Int64Type>().iter().flatten().collect()
}

/// Returns the doubles of a row's list.
pub(super) fn doubles(lists: &ArrayRef, row: usize) -> Vec<f64> {
    let lists = lists.as_list::<i32>();
    if lists.is_null(row) {
        return Vec::new();
    }
    lists.value(row).as_primitive::<Float64Type>().iter().flatten().collect()
}

/// Returns the texts of a row's list.
pub(super) fn texts(lists: &ArrayRef, row: usize) -> Vec<String> {
    let lists = lists.as_list::<i32>();
    if lists.is_null(row) {
        return Vec::new();
    }
    let texts = lists.value(row);
    texts.as_string::<i32>().iter().flatten().map(str::to_owned).collect()
}
