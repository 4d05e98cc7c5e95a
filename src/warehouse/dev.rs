//! Development warehouses: beside that of a pipeline, made for a while and thrown away.

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;

use super::swap::{is_local, local_path};
use super::{Layout, Warehouse, WarehouseError};
use crate::engine::Root;
use crate::names::{DevName, PipelineName};

/// A development warehouse; being another type, no production warehouse can be thrown away in its place.
pub(crate) struct DevWarehouse(Warehouse);

impl DevWarehouse {
    pub(crate) fn open(root: Root, pipeline: &PipelineName, name: &DevName) -> Self {
        let layout = Layout::beside(&root.prefix, pipeline, name);
        Self(Warehouse::with_layout(root, layout))
    }

    /// Returns the warehouse, to be read and, under its lease, written like any other.
    pub(crate) fn warehouse(&self) -> &Warehouse {
        &self.0
    }

    /// Removes everything in it and returns how many files that were.
    pub(crate) async fn destroy(self) -> Result<usize, WarehouseError> {
        let (store, base) = (&self.0.root().store, self.0.layout().base().clone());
        let read_error = |source| WarehouseError::Read { path: base.to_string(), source };
        let listed = match store.list(Some(&base)).try_collect::<Vec<_>>().await {
            Err(object_store::Error::NotFound { .. }) => Vec::new(),
            listed => listed.map_err(read_error)?,
        };
        let count = listed.len();
        let paths = futures::stream::iter(listed.into_iter().map(|meta| Ok(meta.location)));
        let mut removals = store.delete_stream(paths.boxed());
        while let Some(removed) = removals.next().await {
            match removed {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(source) => {
                    return Err(WarehouseError::Write { path: base.to_string(), source });
                }
            }
        }
        if is_local(self.0.root()) {
            // Folders without files are in nobody's way, so one that cannot be removed is no mistake.
            let _ = std::fs::remove_dir_all(local_path(&base, ""));
        }
        Ok(count)
    }
}

/// Returns the development warehouses of a pipeline, in order of their names.
pub(crate) async fn dev_warehouses(
    root: &Root,
    pipeline: &PipelineName,
) -> Result<Vec<DevName>, WarehouseError> {
    let prefix = (!root.prefix.as_ref().is_empty()).then_some(&root.prefix);
    let listed = root
        .store
        .list_with_delimiter(prefix)
        .await
        .map_err(|source| WarehouseError::Read { path: root.shown(&root.prefix), source })?;
    let of_pipeline = |folder: &str| -> Option<DevName> {
        let (owner, name) = folder.split_once('@')?;
        name.parse().ok().filter(|_| owner == pipeline.as_str())
    };
    let folders = listed.common_prefixes.iter();
    let mut names: Vec<DevName> =
        folders.filter_map(|path| of_pipeline(path.filename()?)).collect();
    names.sort();
    Ok(names)
}
