//! Where raw exports and the warehouse lie.

use std::fmt;
use std::path::{Path, PathBuf};

/// A place below which things lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A local folder.
    Folder(PathBuf),
    /// A bucket of an object store, and the folder in it.
    Bucket {
        service: Service,
        bucket: String,
        /// Without a slash at either end; empty for the whole bucket.
        prefix: String,
    },
}

/// A kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Amazon S3 and all that speak its protocol.
    S3,
    Azure,
    Google,
}

/// Says why a text is no location, without showing what may be secret in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LocationError {
    /// Credentials stand in the URL.
    Credentials,
    Unknown,
}

impl Location {
    /// Understands a folder relative to `root`, an absolute one, or a URL.
    pub(super) fn parse(text: &str, root: &Path) -> Result<Self, LocationError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() || text.contains('\0') {
                Err(LocationError::Unknown)
            } else {
                Ok(Self::Folder(root.join(text)))
            };
        };
        if holds_credentials(text) {
            return Err(LocationError::Credentials);
        }
        match scheme {
            "file" => local(text),
            "s3" => bucket(Service::S3, rest),
            "az" => bucket(Service::Azure, rest),
            "gs" => bucket(Service::Google, rest),
            _ => Err(LocationError::Unknown),
        }
    }
}

impl Service {
    pub(crate) const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "az",
            Self::Google => "gs",
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(formatter, "{}", path.display()),
            Self::Bucket { service, bucket, prefix } => {
                let slash = if prefix.is_empty() { "" } else { "/" };
                write!(formatter, "{}://{bucket}{slash}{prefix}", service.scheme())
            }
        }
    }
}

/// Says whether a URL has a user, a password or a query, in which signatures are passed.
pub(super) fn holds_credentials(text: &str) -> bool {
    text.split_once("://").is_some_and(|(_, rest)| rest.contains(['@', '?']))
}

fn local(text: &str) -> Result<Location, LocationError> {
    let url = url::Url::parse(text).map_err(|_| LocationError::Unknown)?;
    let path = url.to_file_path().map_err(|()| LocationError::Unknown)?;
    Ok(Location::Folder(path))
}

fn bucket(service: Service, rest: &str) -> Result<Location, LocationError> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_matches('/');
    let is_bucket = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let climbs = prefix.split('/').any(|part| matches!(part, "." | ".."));
    if bucket.is_empty() || !bucket.chars().all(is_bucket) || climbs {
        return Err(LocationError::Unknown);
    }
    Ok(Location::Bucket { service, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Location, LocationError};

    fn parsed(text: &str) -> Result<String, LocationError> {
        Location::parse(text, Path::new("/project")).map(|location| location.to_string())
    }

    #[test]
    fn folders_are_relative_to_the_root_of_the_project() {
        assert_eq!(parsed("data/raw").unwrap(), "/project/data/raw");
        assert_eq!(parsed("/srv/raw").unwrap(), "/srv/raw");
        assert_eq!(parsed("file:///srv/a%20b").unwrap(), "/srv/a b");
    }

    #[test]
    fn urls_lead_to_buckets() {
        assert_eq!(parsed("s3://raw/exports/web/").unwrap(), "s3://raw/exports/web");
        assert_eq!(parsed("az://raw").unwrap(), "az://raw");
        assert_eq!(parsed("gs://raw/x").unwrap(), "gs://raw/x");
    }

    #[test]
    fn what_leads_nowhere_is_refused() {
        for text in
            ["", "s3://", "s3:///x", "http://host/x", "s3://a b/c", "s3://a/../b", "file://x"]
        {
            assert_eq!(parsed(text), Err(LocationError::Unknown), "{text}");
        }
    }

    #[test]
    fn credentials_in_a_url_are_refused() {
        for text in ["s3://key:secret@raw/x", "az://raw/x?sig=abc"] {
            assert_eq!(parsed(text), Err(LocationError::Credentials), "{text}");
        }
    }
}
