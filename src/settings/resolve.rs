//! From layers to settings.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::file::{self, ReadFile};
use super::keys::{self, Flags, Key};
use super::location::Location;
use super::secret::Secret;
use super::setting::{Origin, Setting};
use super::values::{Refusal, endpoint, location, memory, threads, truth};
use super::variables::{IDENTITY_KEY, Variables};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, Place, SourceFile};

/// The defaults: the file that explains every key.
const DEFAULTS: &str = include_str!("../../config/default.yaml");

/// Hashes identifiers where no key is given; anybody can read it, so it protects nothing.
const DEVELOPMENT_IDENTITY_KEY: &str = "martlet development key, protects nothing";

const SHORTEST_IDENTITY_KEY: usize = 16;

/// What is said about an environment, the strongest voice first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layers {
    pub(crate) flags: Flags,
    pub(crate) variables: Variables,
    /// The file of the chosen environment; none where the default environment has none.
    pub(crate) file: Option<SourceFile>,
    /// The project's root, which relative folders start from.
    pub(crate) root: PathBuf,
    pub(crate) machine: Machine,
}

/// What the machine itself says, where nobody else does.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) temporary_folder: PathBuf,
}

/// Where things are and how big the machine is.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) environment: Setting<String>,
    pub(crate) raw: Setting<Location>,
    pub(crate) warehouse: Setting<Location>,
    pub(crate) work: Setting<PathBuf>,
    /// In bytes.
    pub(crate) memory: Setting<usize>,
    pub(crate) threads: Setting<usize>,
    pub(crate) store: StoreOptions,
    /// The key that hashes identifiers; of origin `default`, it protects nothing.
    pub(crate) identity_key: Setting<Secret>,
    /// What lets a run into object stores, by the name of its variable.
    pub(crate) credentials: BTreeMap<&'static str, Secret>,
}

/// How to reach the object store, where its own defaults do not fit.
#[derive(Debug, Clone)]
pub(crate) struct StoreOptions {
    pub(crate) endpoint: Option<Setting<String>>,
    pub(crate) region: Option<Setting<String>>,
    pub(crate) allow_http: Setting<bool>,
}

/// Returns the name of the chosen environment, which names its file.
pub(crate) fn environment(
    flags: &Flags,
    variables: &Variables,
) -> Result<Setting<String>, Diagnostics> {
    let flag = flags.environment.as_deref();
    let variable = variables.option("MARTLET_ENV");
    let (name, origin) = match (flag, variable) {
        (Some(name), _) => (name, Origin::Flag("--env")),
        (None, Some(name)) => (name, Origin::Variable("MARTLET_ENV")),
        (None, None) => ("default", Origin::Default),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if name.is_empty() || !name.chars().all(is_name) {
        let message = format!("`{origin}` must be the name of an environment, not `{name}`");
        return Err(vec![
            Diagnostic::error(Code::BadSetting, message)
                .help("give the name of a file in `config` without its ending, such as `s3`"),
        ]);
    }
    Ok(Setting::new(name.to_owned(), origin))
}

/// Returns the path of an environment's file, relative to the project's root.
pub(crate) fn environment_path(name: &str) -> String {
    format!("config/{name}.yaml")
}

/// Returns the settings that follow from all layers, or everything that is wrong with them.
pub(crate) fn resolve(layers: &Layers) -> Result<Settings, Diagnostics> {
    let mut resolver = Resolver::new(layers);
    let settings = resolver.settings();
    match settings {
        Some(settings) if resolver.diagnostics.is_empty() => Ok(settings),
        _ => Err(resolver.diagnostics),
    }
}

struct Resolver<'a> {
    layers: &'a Layers,
    /// The file of the chosen environment, then the defaults.
    files: Vec<(ReadFile, bool)>,
    diagnostics: Diagnostics,
}

/// A value as somebody wrote it.
struct Written {
    text: String,
    origin: Origin,
    place: Option<(SourceFile, Range<usize>)>,
}

impl<'a> Resolver<'a> {
    fn new(layers: &'a Layers) -> Self {
        let defaults = SourceFile { path: "config/default.yaml".into(), text: DEFAULTS.into() };
        let mut files = Vec::new();
        let mut diagnostics = Vec::new();
        let chosen = layers.file.iter().map(|file| (file, false));
        for (file, is_default) in chosen.chain([(&defaults, true)]) {
            match file::read(file) {
                Ok(file) => files.push((file, is_default)),
                Err(mistakes) => diagnostics.extend(mistakes),
            }
        }
        Self { layers, files, diagnostics }
    }

    fn settings(&mut self) -> Option<Settings> {
        let root = &self.layers.root;
        let machine = &self.layers.machine;
        let environment = environment(&self.layers.flags, &self.layers.variables);
        let environment = environment.map_err(|mistakes| self.diagnostics.extend(mistakes));
        let raw = self.required(&keys::RAW, |text| location(text, root));
        let warehouse = self.required(&keys::WAREHOUSE, |text| location(text, root));
        let work = self.optional(&keys::WORK, |text| Ok(root.join(text)));
        let memory = self.required(&keys::MEMORY, memory);
        let threads = self.optional(&keys::THREADS, threads);
        let store = self.store();
        let identity_key = self.identity_key();
        Some(Settings {
            environment: environment.ok()?,
            raw: raw?,
            warehouse: warehouse?,
            work: work
                .unwrap_or_else(|| Setting::new(machine.temporary_folder.clone(), Origin::Default)),
            memory: memory?,
            threads: threads.unwrap_or_else(|| Setting::new(machine.cores.max(1), Origin::Default)),
            store: store?,
            identity_key,
            credentials: self.layers.variables.credentials(),
        })
    }

    fn store(&mut self) -> Option<StoreOptions> {
        let allow_http = self.required(&keys::ALLOW_HTTP, truth)?;
        let region = self.optional(&keys::REGION, |text| Ok(text.to_owned()));
        let endpoint = self.optional(&keys::ENDPOINT, |text| endpoint(text, allow_http.value));
        Some(StoreOptions { endpoint, region, allow_http })
    }

    fn identity_key(&mut self) -> Setting<Secret> {
        let Some(key) = self.layers.variables.identity_key() else {
            return Setting::new(Secret::new(DEVELOPMENT_IDENTITY_KEY), Origin::Default);
        };
        if key.expose().len() < SHORTEST_IDENTITY_KEY {
            let message = format!("`{IDENTITY_KEY}` has less than {SHORTEST_IDENTITY_KEY} bytes");
            self.diagnostics.push(
                Diagnostic::error(Code::BadSetting, message)
                    .help("make a random one, for example with `openssl rand -hex 32`"),
            );
        }
        Setting::new(key.clone(), Origin::Variable(IDENTITY_KEY))
    }

    /// Returns a setting for which the defaults have a value.
    fn required<T>(
        &mut self,
        key: &Key,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<Setting<T>> {
        let found = self.optional(key, parse);
        if found.is_none() && self.diagnostics.is_empty() {
            let message = format!("`{}` has no value", key.name());
            self.diagnostics.push(Diagnostic::error(Code::BadSetting, message));
        }
        found
    }

    /// Returns a setting, if anybody says anything; what they say may be refused.
    fn optional<T>(
        &mut self,
        key: &Key,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<Setting<T>> {
        let written = self.written(key)?;
        match parse(&written.text) {
            Ok(value) => Some(Setting::new(value, written.origin)),
            Err(refusal) => {
                self.diagnostics.push(written.refused(key, refusal));
                None
            }
        }
    }

    /// Returns what the strongest voice says.
    fn written(&self, key: &Key) -> Option<Written> {
        self.by_flag(key).or_else(|| self.by_variable(key)).or_else(|| {
            self.files.iter().find_map(|(file, is_default)| from_file(key, file, *is_default))
        })
    }

    fn by_flag(&self, key: &Key) -> Option<Written> {
        let (name, value) = key.flag?;
        Some(Written {
            text: value(&self.layers.flags)?.clone(),
            origin: Origin::Flag(name),
            place: None,
        })
    }

    fn by_variable(&self, key: &Key) -> Option<Written> {
        key.variables.iter().find_map(|name| {
            Some(Written {
                text: self.layers.variables.option(name)?.to_owned(),
                origin: Origin::Variable(name),
                place: None,
            })
        })
    }
}

fn from_file(key: &Key, read: &ReadFile, is_default: bool) -> Option<Written> {
    let text = (key.in_file)(&read.values)?;
    let place = read.positions.value(key.path);
    let origin = if is_default {
        Origin::Default
    } else {
        Origin::File {
            path: Arc::clone(&read.file.path),
            line: Place::of(&read.file.text, place.start).line,
        }
    };
    Some(Written { text, origin, place: Some((read.file.clone(), place)) })
}

impl Written {
    fn refused(self, key: &Key, refusal: Refusal) -> Diagnostic {
        let Refusal { code, message, help } = refusal;
        let name = match self.origin {
            Origin::Flag(name) | Origin::Variable(name) => name.to_owned(),
            Origin::File { .. } | Origin::Default => key.name(),
        };
        let diagnostic = Diagnostic::error(code, format!("`{name}` {message}")).help(help);
        match self.place {
            Some((file, place)) => diagnostic.at(&file, place),
            None => diagnostic,
        }
    }
}
