//! Object stores and the place in them below which things lie.

use std::path::{Component, Path as LocalPath, PathBuf};
use std::sync::Arc;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use url::Url;

use crate::settings::{Location, Settings};

/// An object store and the path in it below which things lie.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) prefix: Path,
    /// The URL of the store's own root, such as `file:///` or `s3://bucket/`.
    pub(crate) url: Url,
}

/// Says why a place cannot be reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RootError {
    #[error("the folder `{}` cannot be used", .0.display())]
    Folder(PathBuf, #[source] std::io::Error),
    #[error("the path `{}` cannot be used", .0.display())]
    Path(PathBuf, #[source] object_store::path::Error),
    #[error("`{0}` is no URL of an object store")]
    Url(String, #[source] url::ParseError),
    #[error("the object store of `{0}` cannot be used")]
    Store(String, #[source] object_store::Error),
}

impl Root {
    /// Opens a place with the credentials and options of `settings`; touches nothing in it.
    pub(crate) fn open(location: &Location, settings: &Settings) -> Result<Self, RootError> {
        match location {
            Location::Folder(folder) => local(folder),
            Location::Bucket { service, bucket, prefix } => {
                remote(&format!("{}://{bucket}/", service.scheme()), prefix, settings)
            }
        }
    }

    /// Opens a local folder.
    #[cfg(test)]
    pub(crate) fn of_folder(folder: &LocalPath) -> Result<Self, RootError> {
        local(folder)
    }

    /// Returns the URL of a path of the store.
    pub(crate) fn url_of(&self, path: &Path) -> Url {
        let mut url = self.url.clone();
        // Part by part, since a name may hold what means something else in a URL.
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.clear().extend(path.as_ref().split('/').filter(|part| !part.is_empty()));
        }
        url
    }

    /// Writes a path as a person would open it: a local path, or a URL.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match self.url.scheme() {
            "file" => format!("/{path}"),
            _ => self.url_of(path).to_string(),
        }
    }
}

fn local(folder: &LocalPath) -> Result<Root, RootError> {
    let absolute =
        std::path::absolute(folder).map_err(|error| RootError::Folder(folder.to_owned(), error))?;
    let absolute = without_dots(&absolute);
    let prefix = Path::from_absolute_path(&absolute)
        .map_err(|error| RootError::Path(folder.to_owned(), error))?;
    let url = parsed("file:///")?;
    Ok(Root { store: Arc::new(LocalFileSystem::new()), prefix, url })
}

/// Resolves `..` by name, since a path of an object store has none.
fn without_dots(path: &LocalPath) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

fn remote(bucket: &str, prefix: &str, settings: &Settings) -> Result<Root, RootError> {
    let url = parsed(bucket)?;
    let unusable = |error| RootError::Store(bucket.to_owned(), error);
    let (store, _) = object_store::parse_url_opts(&url, options(settings)).map_err(unusable)?;
    Ok(Root { store: Arc::from(store), prefix: Path::from(prefix), url })
}

/// Returns what the store must know, under the names it knows: credentials and where the service is.
fn options(settings: &Settings) -> Vec<(String, String)> {
    let credentials = settings.credentials.iter();
    let mut options: Vec<(String, String)> = credentials
        .map(|(name, secret)| ((*name).to_owned(), secret.expose().to_owned()))
        .collect();
    let store = &settings.store;
    let mut add = |names: &[&str], value: &str| {
        options.extend(names.iter().map(|name| ((*name).to_owned(), value.to_owned())));
    };
    if let Some(endpoint) = &store.endpoint {
        add(&["aws_endpoint", "azure_storage_endpoint"], &endpoint.value);
    }
    if let Some(region) = &store.region {
        add(&["aws_region"], &region.value);
    }
    if store.allow_http.value {
        add(&["allow_http"], "true");
    }
    options
}

fn parsed(url: &str) -> Result<Url, RootError> {
    Url::parse(url).map_err(|error| RootError::Url(url.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::without_dots;

    #[test]
    fn a_folder_beside_the_project_is_named_without_dots() {
        assert_eq!(without_dots(Path::new("/a/b/../shared/./data")), Path::new("/a/shared/data"));
    }
}
