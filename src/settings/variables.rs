//! The variables of the process environment that martlet reads.

use std::collections::BTreeMap;

use super::secret::Secret;

/// The name under which the key that hashes identifiers is given.
pub(super) const IDENTITY_KEY: &str = "MARTLET_IDENTITY_KEY";

/// The variables that say what martlet does.
const OPTIONS: &[&str] = &[
    "AWS_ALLOW_HTTP",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "MARTLET_ENV",
    "MARTLET_MEMORY",
    "MARTLET_RAW",
    "MARTLET_THREADS",
    "MARTLET_WAREHOUSE",
    "MARTLET_WORK",
];

/// The variables that let martlet into object stores; the stores know them by these names.
///
/// Others that the stores would honour are left out on purpose: they can send credentials to another host.
pub(super) const CREDENTIALS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_USE_EMULATOR",
    "AZURE_TENANT_ID",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
];

/// The variables of the process environment that martlet reads; an empty one counts as absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(BTreeMap<&'static str, Secret>);

impl Variables {
    /// Says whether the user of this process has asked for no colour, as many programs understand it.
    pub(crate) fn refuse_colour() -> bool {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
    }

    /// Returns at which place a test lets this process die, and the file in which places are to be noted.
    #[cfg(debug_assertions)]
    pub(crate) fn crash() -> (Option<String>, Option<std::path::PathBuf>) {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        let [at, noted_in] =
            ["MARTLET_CRASH_AT", "MARTLET_CRASH_POINTS"].map(|name| std::env::var(name).ok());
        (at, noted_in.map(Into::into))
    }

    /// Reads the variables of this process; a value that is no UTF-8 counts as absent.
    pub(crate) fn of_process() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Asks for each variable martlet reads, and for no other.
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let names = OPTIONS.iter().chain(CREDENTIALS).chain([&IDENTITY_KEY]);
        let found = names.filter_map(|name| {
            let value = lookup(name).filter(|value| !value.is_empty())?;
            Some((*name, Secret::new(&value)))
        });
        Self(found.collect())
    }

    /// Returns the value of a variable that is no secret.
    pub(super) fn option(&self, name: &'static str) -> Option<&str> {
        debug_assert!(OPTIONS.contains(&name), "{name}");
        self.0.get(name).map(Secret::expose)
    }

    pub(super) fn identity_key(&self) -> Option<&Secret> {
        self.0.get(IDENTITY_KEY)
    }

    pub(super) fn credentials(&self) -> BTreeMap<&'static str, Secret> {
        let is_credential = |(name, _): &(&&'static str, &Secret)| CREDENTIALS.contains(*name);
        let credentials = self.0.iter().filter(is_credential);
        credentials.map(|(name, secret)| (*name, secret.clone())).collect()
    }
}
