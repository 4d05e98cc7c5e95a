//! Finds the objects that belong to the night.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::types::{Extracted, SourceObject};
use super::{ExtractError, ExtractErrorKind};
use crate::engine::{Context, Root};
use crate::plan;

/// Lists the objects that match the source's pattern and whose `{date}` is before the run's `as_of`.
///
/// A folder that is not there holds no objects; whether that is right, the caller decides.
pub(crate) async fn extract(
    ctx: &Context,
    source: Arc<plan::Source>,
) -> Result<Extracted, ExtractError> {
    let listed = list(&ctx.raw, source.pattern.prefix()).await;
    let found = listed.map_err(|error| ExtractError {
        source_name: source.name.clone(),
        object: None,
        kind: ExtractErrorKind::List(error),
    })?;
    let mut objects: Vec<Arc<SourceObject>> = found
        .into_iter()
        .filter_map(|meta| belonging(ctx, &source.pattern, meta))
        .map(Arc::new)
        .collect();
    objects.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(Extracted { source, objects })
}

async fn list(root: &Root, folder: &str) -> Result<Vec<ObjectMeta>, object_store::Error> {
    let folder = folder.split('/').filter(|part| !part.is_empty());
    let prefix: Path = root.prefix.parts().chain(folder.map(Into::into)).collect();
    match root.store.list(Some(&prefix)).try_collect().await {
        Err(object_store::Error::NotFound { .. }) => Ok(Vec::new()),
        other => other,
    }
}

fn belonging(ctx: &Context, pattern: &plan::PathPattern, meta: ObjectMeta) -> Option<SourceObject> {
    let parts = meta.location.prefix_match(&ctx.raw.prefix)?;
    let path: Path = parts.collect();
    let date = pattern.matches(path.as_ref())?;
    if date.is_some_and(|date| date >= ctx.as_of.date) {
        return None;
    }
    Some(SourceObject {
        path: path.as_ref().into(),
        location: meta.location,
        etag: meta.e_tag,
        size: meta.size,
        date,
    })
}
