//! Each setting, declared once: its flag, its variables, its key in a file.

use super::file::EnvironmentFile;

/// What the flags of the command line say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) environment: Option<String>,
    pub(crate) raw: Option<String>,
    pub(crate) warehouse: Option<String>,
    pub(crate) work: Option<String>,
    pub(crate) memory: Option<String>,
    pub(crate) threads: Option<String>,
}

/// The ways in which one setting can be said.
pub(super) struct Key {
    /// The path of its key in a file; the name under which messages know it.
    pub(super) path: &'static [&'static str],
    pub(super) flag: Option<Flag>,
    /// The variables, the first of which that is set wins.
    pub(super) variables: &'static [&'static str],
    pub(super) in_file: fn(&EnvironmentFile) -> Option<String>,
}

/// The name of a flag and where its value lies.
pub(super) type Flag = (&'static str, fn(&Flags) -> Option<&String>);

impl Key {
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }
}

pub(super) const RAW: Key = Key {
    path: &["raw"],
    flag: Some(("--raw", |flags| flags.raw.as_ref())),
    variables: &["MARTLET_RAW"],
    in_file: |file| file.raw.clone(),
};

pub(super) const WAREHOUSE: Key = Key {
    path: &["warehouse"],
    flag: Some(("--warehouse", |flags| flags.warehouse.as_ref())),
    variables: &["MARTLET_WAREHOUSE"],
    in_file: |file| file.warehouse.clone(),
};

pub(super) const WORK: Key = Key {
    path: &["work"],
    flag: Some(("--work", |flags| flags.work.as_ref())),
    variables: &["MARTLET_WORK"],
    in_file: |file| file.work.clone(),
};

pub(super) const MEMORY: Key = Key {
    path: &["memory"],
    flag: Some(("--memory", |flags| flags.memory.as_ref())),
    variables: &["MARTLET_MEMORY"],
    in_file: |file| file.memory.clone(),
};

pub(super) const THREADS: Key = Key {
    path: &["threads"],
    flag: Some(("--threads", |flags| flags.threads.as_ref())),
    variables: &["MARTLET_THREADS"],
    in_file: |file| file.threads.map(|threads| threads.to_string()),
};

pub(super) const ENDPOINT: Key = Key {
    path: &["store", "endpoint"],
    flag: None,
    variables: &["AWS_ENDPOINT_URL", "AWS_ENDPOINT"],
    in_file: |file| file.store.endpoint.clone(),
};

pub(super) const REGION: Key = Key {
    path: &["store", "region"],
    flag: None,
    variables: &["AWS_REGION", "AWS_DEFAULT_REGION"],
    in_file: |file| file.store.region.clone(),
};

pub(super) const ALLOW_HTTP: Key = Key {
    path: &["store", "allow_http"],
    flag: None,
    variables: &["AWS_ALLOW_HTTP"],
    in_file: |file| file.store.allow_http.map(|allow| allow.to_string()),
};
