//! The file of an environment.

use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::location::holds_credentials;
use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile};
use crate::spec::{PositionMap, Tree, parse_optional, parse_tree};

/// The keys of `config/<environment>.yaml`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentFile {
    /// Where the raw exports lie: a folder, relative to the project's root, or a URL (`file://`, `s3://`, `az://`,
    /// `gs://`).
    #[serde(default)]
    pub(super) raw: Option<String>,
    /// Where the warehouse lies, likewise; each pipeline has a folder of its own below it.
    #[serde(default)]
    pub(super) warehouse: Option<String>,
    /// The local folder for everything that is not published yet; the system's temporary folder where it is left out.
    #[serde(default)]
    pub(super) work: Option<String>,
    /// How much memory a run may use, with a unit, such as `2GiB`.
    #[serde(default)]
    pub(super) memory: Option<String>,
    /// How many threads compute; one for each core where it is left out.
    #[serde(default)]
    pub(super) threads: Option<u64>,
    /// How to reach the object store, where its own defaults do not fit.
    #[serde(default)]
    pub(super) store: StoreFile,
}

/// How to reach the object store.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StoreFile {
    /// The URL of the service, for stores that are not Amazon's, Microsoft's or Google's own.
    #[serde(default)]
    pub(super) endpoint: Option<String>,
    /// The region of the buckets.
    #[serde(default)]
    pub(super) region: Option<String>,
    /// Whether an endpoint without encryption (`http://`) may be used.
    #[serde(default)]
    pub(super) allow_http: Option<bool>,
}

/// Returns the JSON Schema of an environment's file.
pub(crate) fn environment_schema() -> schemars::Schema {
    crate::spec::schema_of::<EnvironmentFile>("martlet environment")
}

/// A file that has been read; its text shows no secret any more.
#[derive(Debug, Clone)]
pub(super) struct ReadFile {
    pub(super) file: SourceFile,
    pub(super) positions: PositionMap,
    pub(super) values: EnvironmentFile,
}

/// Reads the file of an environment; what looks like a secret in it is an error and never shown.
pub(super) fn read(file: &SourceFile) -> Result<ReadFile, Diagnostics> {
    let secrets = secrets(file);
    let file = without(file, &secrets);
    let (values, positions, mut diagnostics) = parse_optional(&file);
    // A key that is refused as a secret need not be called unknown as well.
    diagnostics.retain(|diagnostic| {
        let place = diagnostic.labels.first().map(|label| &label.span);
        !secrets.iter().any(|secret| Some(&secret.key) == place)
    });
    diagnostics.extend(secrets.iter().map(|secret| secret.diagnostic(&file)));
    match values {
        Some(values) if diagnostics.is_empty() => Ok(ReadFile { file, positions, values }),
        _ => Err(diagnostics),
    }
}

/// A value that must not stand in a file.
struct SecretValue {
    name: String,
    key: Range<usize>,
    value: Range<usize>,
    variable: &'static str,
}

impl SecretValue {
    fn diagnostic(&self, file: &SourceFile) -> Diagnostic {
        let message = format!("`{}` holds a secret", self.name);
        Diagnostic::error(Code::SecretInFile, message)
            .at(file, self.key.clone())
            .help(format!("take it out of the file and set {} in the environment", self.variable))
    }
}

fn secrets(file: &SourceFile) -> Vec<SecretValue> {
    let (tree, positions, _) = parse_tree(file);
    let mut found = Vec::new();
    if let Some(tree) = tree {
        collect(&tree, &positions, &mut Vec::new(), &mut found);
    }
    found
}

fn collect(
    tree: &Tree,
    positions: &PositionMap,
    path: &mut Vec<String>,
    found: &mut Vec<SecretValue>,
) {
    let Tree::Map(entries) = tree else { return };
    for (key, value) in entries {
        path.push(key.clone());
        match variable_for(key, value) {
            Some(variable) => {
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                found.push(SecretValue {
                    name: path.join("."),
                    key: positions.key(&path),
                    value: positions.value(&path),
                    variable,
                });
            }
            None => collect(value, positions, path, found),
        }
        path.pop();
    }
}

/// Returns the variable that should hold a value, where it is a secret.
fn variable_for(key: &str, value: &Tree) -> Option<&'static str> {
    match value {
        Tree::Text(text) if holds_credentials(text) => Some(match text.contains("://") {
            true if text.starts_with("az:") => "AZURE_STORAGE_SAS_TOKEN",
            true if text.starts_with("gs:") => "GOOGLE_SERVICE_ACCOUNT_KEY",
            _ => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        }),
        _ => variable_for_key(&key.to_lowercase()),
    }
}

/// Parts of keys that betray a secret, and the variable for it; the first that fits wins.
const SECRET_KEYS: &[(&str, &str)] = &[
    ("identity_key", "MARTLET_IDENTITY_KEY"),
    ("client_secret", "AZURE_CLIENT_SECRET"),
    ("account_key", "AZURE_STORAGE_ACCOUNT_KEY"),
    ("sas", "AZURE_STORAGE_SAS_TOKEN"),
    ("service_account", "GOOGLE_SERVICE_ACCOUNT_KEY"),
    ("private_key", "GOOGLE_SERVICE_ACCOUNT_KEY"),
    ("credential", "GOOGLE_APPLICATION_CREDENTIALS"),
    ("secret", "AWS_SECRET_ACCESS_KEY"),
    ("password", "AWS_SECRET_ACCESS_KEY"),
    ("token", "AWS_SESSION_TOKEN"),
    ("access_key", "AWS_ACCESS_KEY_ID"),
    ("key", "AWS_ACCESS_KEY_ID"),
];

fn variable_for_key(key: &str) -> Option<&'static str> {
    let key = key.replace('-', "_");
    SECRET_KEYS.iter().find_map(|(part, variable)| key.contains(part).then_some(*variable))
}

/// Returns the file with each secret written over, so that no message can show it.
fn without(file: &SourceFile, secrets: &[SecretValue]) -> SourceFile {
    let mut text = file.text.to_string();
    for secret in secrets.iter().filter(|secret| secret.key != secret.value) {
        let cover = |c: char| match c {
            '\n' | '\r' => c.to_string(),
            _ => "x".repeat(c.len_utf8()),
        };
        let covered: String = text[secret.value.clone()].chars().map(cover).collect();
        text.replace_range(secret.value.clone(), &covered);
    }
    SourceFile { path: Arc::clone(&file.path), text: text.into() }
}
