//! What a Delta table says of its columns.

use arrow::datatypes::{DataType, Field, Schema};
use deltalake_core::kernel::Action;
use deltalake_core::{DeltaTable, DeltaTableError};
use serde_json::{Value, json};

use crate::warehouse::TableRecord;

/// The columns of a Delta table with their comments.
///
/// It is not partitioned: a file covers as many dates as make it worth being one, and its bounds tell readers which.
pub(super) struct TableSchema<'a> {
    schema: Value,
    description: Option<&'a str>,
}

impl<'a> TableSchema<'a> {
    /// Takes the columns of a file, in the types martlet gives to files.
    pub(super) fn new(schema: &Schema, record: &'a TableRecord) -> Self {
        let fields = schema.fields().iter();
        let fields: Vec<Value> =
            fields.map(|field| column(field, record.columns.get(field.name()))).collect();
        let schema = json!({ "type": "struct", "fields": fields });
        Self { schema, description: record.description.as_deref() }
    }

    /// Returns the actions that make `table` say this; none where it does already.
    pub(super) fn actions(&self, table: &DeltaTable) -> Result<Vec<Action>, DeltaTableError> {
        let Ok(state) = table.snapshot() else {
            let protocol = json!({ "minReaderVersion": 1, "minWriterVersion": 2 });
            let id = uuid::Uuid::now_v7().to_string();
            let protocol = Action::Protocol(serde_json::from_value(protocol)?);
            return Ok(vec![protocol, self.metadata(&id)?]);
        };
        let metadata = serde_json::to_value(state.metadata())?;
        let told = metadata["schemaString"].as_str().unwrap_or_default();
        let same = serde_json::from_str::<Value>(told)? == self.schema
            && metadata["description"].as_str() == self.description;
        if same {
            return Ok(Vec::new());
        }
        Ok(vec![self.metadata(metadata["id"].as_str().unwrap_or_default())?])
    }

    fn metadata(&self, id: &str) -> Result<Action, DeltaTableError> {
        let metadata = json!({
            "id": id,
            "name": null,
            "description": self.description,
            "format": { "provider": "parquet", "options": {} },
            "schemaString": self.schema.to_string(),
            "partitionColumns": [],
            "configuration": {},
            "createdTime": null,
        });
        Ok(Action::Metadata(serde_json::from_value(metadata)?))
    }
}

fn column(field: &Field, comment: Option<&String>) -> Value {
    named(field.name(), &data_type(field.data_type()), comment.map(String::as_str))
}

/// Every column may be NULL: what must not be is a check's to say, and readers differ in what they make of it.
fn named(name: &str, data_type: &Value, comment: Option<&str>) -> Value {
    let metadata = comment.map_or_else(|| json!({}), |comment| json!({ "comment": comment }));
    json!({ "name": name, "type": data_type, "nullable": true, "metadata": metadata })
}

/// Returns the name Delta has for a type that martlet gives to files.
fn data_type(arrow: &DataType) -> Value {
    match arrow {
        DataType::Boolean => json!("boolean"),
        DataType::Int8 => json!("byte"),
        DataType::Int16 => json!("short"),
        DataType::Int32 => json!("integer"),
        DataType::Int64 => json!("long"),
        DataType::Float32 => json!("float"),
        DataType::Float64 => json!("double"),
        DataType::Date32 => json!("date"),
        DataType::Timestamp(_, _) => json!("timestamp"),
        DataType::Decimal128(precision, scale) => json!(format!("decimal({precision},{scale})")),
        DataType::Binary => json!("binary"),
        DataType::List(item) => json!({
            "type": "array",
            "elementType": data_type(item.data_type()),
            "containsNull": true,
        }),
        DataType::Struct(fields) => {
            let fields: Vec<Value> = fields.iter().map(|field| column(field, None)).collect();
            json!({ "type": "struct", "fields": fields })
        }
        _ => json!("string"),
    }
}
