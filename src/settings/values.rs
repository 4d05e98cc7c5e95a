//! What each setting may be.

use std::path::Path;

use super::location::{Location, LocationError, holds_credentials};
use crate::diagnostics::Code;
use crate::size::parse_bytes;

const LEAST_MEMORY: usize = 64 << 20;
const MOST_THREADS: usize = 1024;

/// Says why a value is refused, without its name and the value itself.
pub(super) struct Refusal {
    pub(super) code: Code,
    pub(super) message: String,
    pub(super) help: &'static str,
}

impl Refusal {
    pub(super) fn new(message: String, help: &'static str) -> Self {
        Self { code: Code::BadSetting, message, help }
    }

    pub(super) fn secret() -> Self {
        Self {
            code: Code::SecretInFile,
            message: "holds a secret in its URL".to_owned(),
            help: "take it out and set the variables of the store, such as AWS_ACCESS_KEY_ID",
        }
    }
}

pub(super) fn location(text: &str, root: &Path) -> Result<Location, Refusal> {
    Location::parse(text, root).map_err(|error| match error {
        LocationError::Credentials => Refusal::secret(),
        LocationError::Unknown => Refusal::new(
            format!("must be a folder or a URL, not `{text}`"),
            "give a path, `file:///path`, `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`",
        ),
    })
}

pub(super) fn memory(text: &str) -> Result<usize, Refusal> {
    let help = "give a number with a unit, such as `4GiB`";
    match parse_bytes(text) {
        Some(bytes) if bytes >= LEAST_MEMORY => Ok(bytes),
        Some(_) => Err(Refusal::new(
            format!("must be at least {} MiB, not `{text}`", LEAST_MEMORY >> 20),
            help,
        )),
        None => Err(Refusal::new(format!("must be a size, not `{text}`"), help)),
    }
}

pub(super) fn threads(text: &str) -> Result<usize, Refusal> {
    match text.parse() {
        Ok(threads) if (1..=MOST_THREADS).contains(&threads) => Ok(threads),
        _ => Err(Refusal::new(
            format!("must be a whole number from 1 to {MOST_THREADS}, not `{text}`"),
            "leave it out to have one thread for each core",
        )),
    }
}

pub(super) fn truth(text: &str) -> Result<bool, Refusal> {
    text.to_lowercase().parse().map_err(|_| {
        Refusal::new(format!("must be `true` or `false`, not `{text}`"), "leave it out for `false`")
    })
}

pub(super) fn endpoint(text: &str, allow_http: bool) -> Result<String, Refusal> {
    let help = "give the URL of the service, such as `https://s3.example.com`";
    if holds_credentials(text) {
        return Err(Refusal::secret());
    }
    let Ok(url) = url::Url::parse(text) else {
        return Err(Refusal::new(format!("must be a URL, not `{text}`"), help));
    };
    match url.scheme() {
        "https" => Ok(text.to_owned()),
        "http" if allow_http => Ok(text.to_owned()),
        "http" => Err(Refusal::new(
            "has no encryption".to_owned(),
            "use `https://`, or set `store.allow_http: true`",
        )),
        _ => Err(Refusal::new(
            "must be a URL that begins with `https://` or `http://`".to_owned(),
            help,
        )),
    }
}
