//! Finds the sorts whose rows come sorted in part.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use super::exec::GroupSort;
use crate::engine::replace::replaced;

/// Sorts within groups where rows come sorted by group, in each branch of a union by itself.
///
/// It must come after the rules that put sorts into a plan, or take them out.
#[derive(Debug)]
pub(in crate::engine) struct SortedGroups;

impl PhysicalOptimizerRule for SortedGroups {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        replaced(plan, |node| node.downcast_ref::<SortExec>().map_or(Ok(None), instead_of))
    }

    fn name(&self) -> &'static str {
        "SortedGroups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// Returns what can stand in the place of a sort; none where its rows come in no order that helps.
fn instead_of(sort: &SortExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if sort.fetch().is_some() {
        return Ok(None);
    }
    let branches = match branches(sort.input())? {
        Some(branches) if sort.preserve_partitioning() => branches,
        _ => return less(sort),
    };
    let mut helps = false;
    let sorts = branches.into_iter().map(|branch| {
        let sort = SortExec::new(sort.expr().clone(), branch).with_preserve_partitioning(true);
        let less = less(&sort)?;
        helps |= less.is_some();
        Ok(less.unwrap_or_else(|| Arc::new(sort)))
    });
    let sorts = sorts.collect::<Result<_>>()?;
    if helps { UnionExec::try_new(sorts).map(Some) } else { Ok(None) }
}

/// Returns the branches of a union, each with what is made of its rows behind it.
fn branches(input: &Arc<dyn ExecutionPlan>) -> Result<Option<Vec<Arc<dyn ExecutionPlan>>>> {
    let projection = input.downcast_ref::<ProjectionExec>();
    let union = projection.map_or(input, ProjectionExec::input);
    let Some(union) = union.downcast_ref::<UnionExec>() else { return Ok(None) };
    let branches = union.inputs().iter().map(|branch| match projection {
        Some(projection) => projected(projection, branch),
        None => Ok(Arc::clone(branch)),
    });
    branches.collect::<Result<_>>().map(Some)
}

/// Makes of the rows of one branch what a projection makes of those of the union.
fn projected(
    projection: &ProjectionExec,
    branch: &Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = branch.schema();
    let columns = projection.expr().iter().map(|column| {
        // The branch may have other names for the columns of the union.
        let of_branch = Arc::clone(&column.expr).transform_up(|part| {
            let place = part.downcast_ref::<Column>().map(Column::index);
            Ok(match place {
                Some(place) => {
                    let column = Column::new(schema.field(place).name(), place);
                    Transformed::yes(Arc::new(column) as Arc<dyn PhysicalExpr>)
                }
                None => Transformed::no(part),
            })
        });
        Ok((of_branch.data()?, column.alias.clone()))
    });
    let columns: Vec<(Arc<dyn PhysicalExpr>, String)> = columns.collect::<Result<_>>()?;
    Ok(Arc::new(ProjectionExec::try_new(columns, Arc::clone(branch))?))
}

/// Returns what does less than a sort: one within groups, or nothing at all.
fn less(sort: &SortExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let input = sort.input();
    if !sort.preserve_partitioning() && input.output_partitioning().partition_count() > 1 {
        return Ok(None);
    }
    let properties = input.equivalence_properties();
    let mut sorted = 0;
    while sorted < sort.expr().len()
        && properties.ordering_satisfy(sort.expr()[..=sorted].to_vec())?
    {
        sorted += 1;
    }
    if sorted == sort.expr().len() {
        return Ok(Some(Arc::clone(input)));
    }
    let groups = &sort.expr()[..sorted];
    // Constants alone would make one group of all rows.
    let helps = groups.iter().any(|by| properties.is_expr_constant(&by.expr).is_none());
    Ok(helps.then(|| Arc::new(GroupSort::new(sort, sorted)) as _))
}
