//! The JSON Schemas under `schemas/`: they are those of the code, and every shipped file keeps them.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::harness::{Visible, collect, expect_file, martlet, outcome, repository};

const KINDS: [&str; 3] = ["pipeline", "sidecar", "environment"];

fn schema(kind: &str) -> (String, Value) {
    let told = outcome(martlet().args(["schema", kind]));
    assert_eq!(told.status, Some(0), "{told:?}");
    let schema = serde_json::from_str(&told.stdout).unwrap();
    (told.stdout, schema)
}

/// Returns the shipped YAML files with their kind, by path.
fn shipped() -> BTreeMap<String, (&'static str, String)> {
    let mut files = Visible::new();
    for folder in ["pipelines", "sql", "config", "benches", "tests/cases"] {
        collect(&repository(), &repository().join(folder), &mut files);
    }
    let is_yaml =
        |path: &String| Path::new(path).extension().is_some_and(|ending| ending == "yaml");
    let mut yaml = BTreeMap::new();
    for (path, content) in files.into_iter().filter(|(path, _)| is_yaml(path)) {
        let text = String::from_utf8(content).unwrap();
        let is_pipeline = text.lines().any(|line| line.starts_with("publish:"));
        let kind = if path.starts_with("config/") {
            "environment"
        } else if is_pipeline {
            "pipeline"
        } else {
            "sidecar"
        };
        yaml.insert(path, (kind, text));
    }
    yaml
}

#[test]
fn the_committed_schemas_are_those_of_the_code() {
    for kind in KINDS {
        let path = repository().join(format!("schemas/{kind}.schema.json"));
        expect_file(&path, &schema(kind).0);
    }
}

#[test]
fn every_key_is_described() {
    for kind in KINDS {
        let (_, schema) = schema(kind);
        let mut undescribed = Vec::new();
        let of_types = schema["definitions"].as_object().into_iter().flatten();
        for (name, object) in of_types.chain([(&kind.to_owned(), &schema)]) {
            for (key, property) in object["properties"].as_object().into_iter().flatten() {
                if property["description"].as_str().is_none_or(str::is_empty) {
                    undescribed.push(format!("{name}.{key}"));
                }
            }
        }
        assert!(undescribed.is_empty(), "{undescribed:?}");
    }
}

#[test]
fn every_shipped_file_keeps_its_schema() {
    let schemas: BTreeMap<&str, Value> = KINDS.map(|kind| (kind, schema(kind).1)).into();
    let files = shipped();
    assert!(files.len() > 40, "{:?}", files.keys());
    for (path, (kind, text)) in &files {
        let value: Value = serde_yaml::from_str(text).unwrap();
        let mistakes = Validator { root: &schemas[kind] }.mistakes(&value);
        assert!(mistakes.is_empty(), "{path} as {kind}: {mistakes:#?}");
    }
}

#[test]
fn every_shipped_file_tells_editors_its_schema() {
    let line = Regex::new(r"^# yaml-language-server: \$schema=(\S+)$").unwrap();
    for (path, (kind, text)) in shipped() {
        // The cases are copied elsewhere by their tests, away from the schemas.
        if path.starts_with("tests/") {
            continue;
        }
        let told = text.lines().next().and_then(|first| line.captures(first));
        let told = told.unwrap_or_else(|| panic!("{path} does not begin with its schema"));
        let schema = normal(&Path::new(&path).parent().unwrap().join(&told[1]));
        assert_eq!(schema, Path::new(&format!("schemas/{kind}.schema.json")), "{path}");
    }
}

#[test]
fn files_that_martlet_refuses_break_their_schema() {
    let (_, pipeline) = schema("pipeline");
    let text = std::fs::read_to_string(repository().join("pipelines/nightly.yaml")).unwrap();
    for (old, new, place) in [
        ("timezone: Asia/Shanghai", "time_zone: Asia/Shanghai", "/"),
        ("    load: append", "    load: add", "/sources/web_events/load"),
        ("version: 1", "version: one", "/version"),
        (
            "event_id: { type: string",
            "event_id: { type: text",
            "/sources/web_events/columns/event_id/type",
        ),
        ("stages: [", "stages: [[], ", "/stages/0"),
    ] {
        let broken: Value = serde_yaml::from_str(&text.replacen(old, new, 1)).unwrap();
        let mistakes = Validator { root: &pipeline }.mistakes(&broken);
        assert!(mistakes.iter().any(|told| told.starts_with(place)), "{new}: {mistakes:?}");
    }
}

fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                parts.pop().unwrap();
            }
            Component::Normal(part) => parts.push(part.to_str().unwrap()),
            _ => {}
        }
    }
    parts.iter().collect()
}

/// Holds values against a schema; knows the words our schemas use and refuses any other.
struct Validator<'a> {
    root: &'a Value,
}

impl Validator<'_> {
    fn mistakes(&self, value: &Value) -> Vec<String> {
        let mut mistakes = Vec::new();
        self.check(self.root, value, "", &mut mistakes);
        mistakes
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, mistakes: &mut Vec<String>) {
        let Some(schema) = schema.as_object() else {
            assert_eq!(schema, &json!(true));
            return;
        };
        for (word, rule) in schema {
            let holds = match word.as_str() {
                "$schema" | "title" | "description" | "definitions" | "format" | "default"
                // Those of objects are held against the value below, together.
                | "properties" | "additionalProperties" | "required" => true,
                "$ref" => {
                    let target = rule.as_str().unwrap().strip_prefix('#').unwrap();
                    self.check(self.root.pointer(target).unwrap(), value, place, mistakes);
                    true
                }
                "allOf" => {
                    rule.as_array()
                        .unwrap()
                        .iter()
                        .for_each(|part| self.check(part, value, place, mistakes));
                    true
                }
                "anyOf" => self.fitting(rule, value, place) > 0,
                "oneOf" => self.fitting(rule, value, place) == 1,
                "type" => types(rule).any(|name| is_of_type(value, name)),
                "enum" => rule.as_array().unwrap().contains(value),
                "const" => rule == value,
                "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
                "maxLength" => {
                    value.as_str().is_none_or(|text| text.len() as u64 <= rule.as_u64().unwrap())
                }
                "pattern" => {
                    let pattern = Regex::new(rule.as_str().unwrap()).unwrap();
                    value.as_str().is_none_or(|text| pattern.is_match(text))
                }
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(rule, item, &format!("{place}/{index}"), mistakes);
                    }
                    true
                }
                other => panic!("the validator does not know `{other}`"),
            };
            if !holds {
                mistakes.push(format!("{place}/ {word}: {rule} does not hold for {value}"));
            }
        }
        if let Some(object) = value.as_object() {
            self.check_object(schema, object, place, mistakes);
        }
    }

    fn check_object(
        &self,
        schema: &Map<String, Value>,
        object: &Map<String, Value>,
        place: &str,
        mistakes: &mut Vec<String>,
    ) {
        for key in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            if !object.contains_key(key.as_str().unwrap()) {
                mistakes.push(format!("{place}/ lacks {key}"));
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        for (key, value) in object {
            let place = format!("{place}/{key}");
            match (known.and_then(|known| known.get(key)), schema.get("additionalProperties")) {
                (None, Some(Value::Bool(false))) => mistakes.push(format!("{place} is not known")),
                (Some(rule), _) | (None, Some(rule)) => {
                    self.check(rule, value, &place, mistakes);
                }
                (None, None) => {}
            }
        }
    }

    /// Returns how many of several schemas a value keeps.
    fn fitting(&self, schemas: &Value, value: &Value, place: &str) -> usize {
        let fits = |schema: &&Value| {
            let mut mistakes = Vec::new();
            self.check(schema, value, place, &mut mistakes);
            mistakes.is_empty()
        };
        schemas.as_array().unwrap().iter().filter(fits).count()
    }
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    let several = rule.as_array().into_iter().flatten();
    several.chain(rule.is_string().then_some(rule)).map(|name| name.as_str().unwrap())
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the validator does not know the type `{other}`"),
    }
}
