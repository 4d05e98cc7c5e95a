//! JSON Schemas of what authors write, for editors that complete and check while they type.
//!
//! They are made of the wire types, so a key has one description: the comment above its field.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::identity::{ConditionalLink, Guard, LinkRule, SevereGuard};
use super::ordered::Ordered;
use super::preparation::MapOther;
use super::sidecar::Sidecar;
use super::types::Pipeline;
use super::unit_test::{Elsewhere, Rows};

/// Returns the JSON Schema of a pipeline's file.
pub(crate) fn pipeline_schema() -> Schema {
    schema_of::<Pipeline>("martlet pipeline")
}

/// Returns the JSON Schema of the file beside a stage.
pub(crate) fn sidecar_schema() -> Schema {
    schema_of::<Sidecar>("martlet sidecar")
}

/// Returns the JSON Schema of a file; draft 7 is the one that editors know best.
pub(crate) fn schema_of<T: JsonSchema>(title: &str) -> Schema {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema
}

/// A value of a variable, a default or a bound: anything but a list or a mapping.
pub(super) struct AnyScalar;

impl JsonSchema for AnyScalar {
    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean", "null"] })
    }
}

impl<V: JsonSchema> JsonSchema for Ordered<V> {
    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, V>::schema_name()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, V>::json_schema(generator)
    }
}

impl JsonSchema for MapOther {
    fn schema_name() -> Cow<'static, str> {
        "MapOther".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // YAML reads a bare `null` as no value, which is a word here like the others.
        json_schema!({ "enum": ["reject", "keep", "null", null] })
    }
}

impl JsonSchema for LinkRule {
    fn schema_name() -> Cow<'static, str> {
        "LinkRule".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let conditional = generator.subschema_for::<ConditionalLink>();
        json_schema!({
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" } },
                conditional,
            ]
        })
    }
}

impl JsonSchema for Guard {
    fn schema_name() -> Cow<'static, str> {
        "Guard".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let severe = generator.subschema_for::<SevereGuard>();
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, severe] })
    }
}

impl JsonSchema for Rows {
    fn schema_name() -> Cow<'static, str> {
        "Rows".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let elsewhere = generator.subschema_for::<Elsewhere>();
        let rows = generator.subschema_for::<Vec<BTreeMap<String, AnyScalar>>>();
        json_schema!({ "anyOf": [rows, elsewhere, { "type": "null" }] })
    }
}

/// The names of pipelines and their folders.
pub(super) fn name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 63 })
}

/// The types of a source's columns.
pub(super) fn column_type(_: &mut SchemaGenerator) -> Schema {
    types(&["string", "email", "phone", "boolean", "integer", "double", "date", "timestamp"])
}

/// The types of a stage's columns.
pub(super) fn stage_type(_: &mut SchemaGenerator) -> Schema {
    types(&["string", "boolean", "integer", "double", "date", "timestamp"])
}

fn types(words: &[&str]) -> Schema {
    json_schema!({
        "anyOf": [
            { "enum": words },
            { "type": "string", "pattern": r"^decimal\( *[0-9]+ *, *[0-9]+ *\)$" },
        ]
    })
}
