//! Comparisons of instants with what has no time zone.

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ScalarValue, Span};
use datafusion::error::Result;
use datafusion::logical_expr::expr::Between;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, Join, LogicalPlan, Operator};

/// An instant that is compared with what has no time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MixedTime {
    /// Names what the instant is compared with.
    pub(crate) with: &'static str,
    /// A column of the comparison.
    pub(crate) place: Option<Span>,
}

/// Returns the comparisons in a plan whose types have not been brought together yet.
pub(super) fn mixed_times(plan: &LogicalPlan) -> Result<Vec<MixedTime>> {
    let mut found = Vec::new();
    plan.apply_with_subqueries(|node| {
        let schema = merge_schema(&node.inputs());
        if let LogicalPlan::Join(Join { on, .. }) = node {
            found.extend(on.iter().filter_map(|(left, right)| compared(left, right, &schema)));
        }
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                found.extend(
                    comparisons(part).into_iter().filter_map(|(l, r)| compared(l, r, &schema)),
                );
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    found.dedup();
    Ok(found)
}

/// Returns the pairs an expression compares; none where it is no comparison.
pub(in crate::engine) fn comparisons(part: &Expr) -> Vec<(&Expr, &Expr)> {
    use Operator as O;
    match part {
        Expr::BinaryExpr(BinaryExpr {
            left,
            op:
                O::Eq
                | O::NotEq
                | O::Lt
                | O::LtEq
                | O::Gt
                | O::GtEq
                | O::IsDistinctFrom
                | O::IsNotDistinctFrom,
            right,
        }) => vec![(left, right)],
        Expr::Between(Between { expr, low, high, .. }) => vec![(expr, low), (expr, high)],
        _ => vec![],
    }
}

fn compared(left: &Expr, right: &Expr, schema: &DFSchema) -> Option<MixedTime> {
    let is_instant =
        |side: &Expr| matches!(side.get_type(schema), Ok(DataType::Timestamp(_, Some(_))));
    let other = match (is_instant(left), is_instant(right)) {
        (true, false) => right,
        (false, true) => left,
        _ => return None,
    };
    let with = zoneless(other, &other.get_type(schema).ok()?)?;
    Some(MixedTime { with, place: place(left).or_else(|| place(right)) })
}

/// Names a type that an instant cannot rightly be compared with.
fn zoneless(side: &Expr, data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Timestamp(_, None) => Some("a time without a zone"),
        DataType::Date32 | DataType::Date64 => Some("a day"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => match side {
            Expr::Literal(ScalarValue::Utf8(Some(text)), _) if has_zone(text) => None,
            _ => Some("a text"),
        },
        number if number.is_integer() => Some("a number"),
        _ => None,
    }
}

/// Says whether a time ends in its offset from UTC.
fn has_zone(text: &str) -> bool {
    let time = text.split_once(['T', ' ']).map_or("", |(_, time)| time);
    time.ends_with(['Z', 'z']) || time.contains(['+', '-'])
}

fn place(side: &Expr) -> Option<Span> {
    let mut place = None;
    let _ = side.apply(|part| {
        if let Expr::Column(Column { spans, .. }) = part {
            place = place.or_else(|| spans.first());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    place
}

#[cfg(test)]
mod tests {
    use super::has_zone;

    #[test]
    fn a_zone_stands_behind_the_time() {
        assert!(has_zone("2026-01-31T00:00:00Z") && has_zone("2026-01-31 00:00:00+08:00"));
        assert!(!has_zone("2026-01-31") && !has_zone("2026-01-31 00:00:00"));
    }
}
