//! Refuses marts that would show personal data unasked.

use crate::diagnostics::{Code, Diagnostic, Diagnostics};
use crate::lineage::{Personal, personal};
use crate::plan::Plan;
use crate::spec::PipelineSpec;

/// Reports every column of a mart that shows personal data without a word of its contract.
pub(super) fn refused(spec: &PipelineSpec, plan: &Plan) -> Diagnostics {
    match personal(plan) {
        Ok(found) => found.iter().map(|it| diagnostic(spec, it)).collect(),
        // The plan is sound, so this is no mistake of the author's; but unseen columns must not be published.
        Err(error) => {
            let message = format!("the lineage of `{}` cannot be read: {error}", plan.name);
            let unread = Diagnostic::error(Code::SqlInvalid, message).at(&spec.file, 0..0);
            std::iter::once(unread).collect()
        }
    }
}

fn diagnostic(spec: &PipelineSpec, Personal { mart, column, source }: &Personal) -> Diagnostic {
    let message = format!(
        "the column `{column}` of the mart `{mart}` shows `{source}`, which is personal data"
    );
    let refused = Diagnostic::error(Code::PersonalColumn, message);
    let stage = spec.stages.iter().find(|stage| stage.name == *mart);
    let sidecar = stage.and_then(|stage| stage.sidecar.as_ref());
    let declared = sidecar.filter(|it| it.sidecar.columns.iter().any(|(name, _)| name == column));
    let placed = match (declared, stage) {
        (Some(it), _) => refused.at(&it.file, it.positions.key(&["columns", column])),
        (None, Some(stage)) => {
            let end = stage.sql.text.find('\n').unwrap_or(stage.sql.text.len());
            refused.at(&stage.sql, 0..end)
        }
        (None, None) => refused,
    };
    placed.help(
        "leave the column out, or say `pii: true` under it in the sidecar if readers of marts may see it, `pii: false` if nobody can be told by it",
    )
}
