//! Joins: rows of one customer meet rows of the same customer, and of nobody.

use datafusion::common::{DFSchema, JoinType};
use datafusion::logical_expr::{BinaryExpr, Expr, Join, Operator};

use super::Inseparable;
use super::expressions::{Found, Rows, at, place};
use super::facts::{Fact, Node};

const PRESERVED: &str = "let the table with customers be the one whose rows all stay, such as the left one of a LEFT JOIN";

impl Found<'_> {
    /// Joins what is known of both sides.
    pub(super) fn join(
        &mut self,
        join: &Join,
        left: &Node,
        right: &Node,
    ) -> Result<Node, Inseparable> {
        let [left_rows, right_rows] = [(left, &join.left), (right, &join.right)]
            .map(|(node, input)| Rows { node, schema: input.schema() });
        for (one, other) in &join.on {
            self.row_by_row(one, &left_rows)?;
            self.row_by_row(other, &right_rows)?;
        }
        let unknown = |_| at("its columns cannot be told apart".to_owned(), "rename them", None);
        let schema: DFSchema = left_rows.schema.join(right_rows.schema).map_err(unknown)?;
        let columns = [left.columns.as_slice(), right.columns.as_slice()].concat();
        let both = Node { is_keyed: left.is_keyed || right.is_keyed, columns };
        let both_rows = Rows { node: &both, schema: &schema };
        if let Some(filter) = &join.filter {
            self.row_by_row(filter, &both_rows)?;
        }
        let met =
            join.on.iter().any(|(one, other)| left_rows.carries(one) && right_rows.carries(other));
        let same_customer =
            met || join.filter.as_ref().is_some_and(|it| meets(it, &both_rows, left.columns.len()));
        is_allowed(join, left.is_keyed, right.is_keyed, same_customer)?;
        Ok(Node { is_keyed: both.is_keyed, columns: columns_of(join.join_type, left, right) })
    }
}

/// Says whether a condition holds only between rows of one customer.
fn meets(condition: &Expr, both: &Rows<'_>, left: usize) -> bool {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left: one, op: Operator::And, right: other }) => {
            meets(one, both, left) || meets(other, both, left)
        }
        Expr::BinaryExpr(BinaryExpr { left: one, op: Operator::Eq, right: other }) => {
            let side = |part: &Expr| match part {
                Expr::Column(column) if both.carries(part) => {
                    both.schema.maybe_index_of_column(column).map(|place| place < left)
                }
                _ => None,
            };
            side(one).zip(side(other)).is_some_and(|(one, other)| one != other)
        }
        _ => false,
    }
}

/// Refuses a join that makes rows of several customers one, or keeps rows that nobody has.
fn is_allowed(
    join: &Join,
    left: bool,
    right: bool,
    same_customer: bool,
) -> Result<(), Inseparable> {
    use JoinType as J;
    let where_it_is = || {
        let on = join.on.iter().map(|(one, _)| one);
        on.chain(&join.filter).find_map(place)
    };
    if join.null_aware {
        let reason = "one row without a value decides about all others in `NOT IN`".to_owned();
        return Err(at(reason, "write `NOT EXISTS` as a LEFT ANTI JOIN", where_it_is()));
    }
    if left && right && !same_customer {
        let reason = "rows of different customers meet in a join".to_owned();
        let help = "let the condition `ON` say that both rows are of the same customer";
        return Err(at(reason, help, where_it_is()));
    }
    let keeps = match join.join_type {
        J::Inner => true,
        J::Left | J::LeftSemi | J::LeftAnti => left,
        J::Right | J::RightSemi | J::RightAnti => right,
        J::Full | J::LeftMark | J::RightMark => false,
    };
    if keeps || !left && !right {
        return Ok(());
    }
    let reason = "a join keeps rows that belong to no customer".to_owned();
    Err(at(reason, PRESERVED, where_it_is()))
}

fn columns_of(join_type: JoinType, left: &Node, right: &Node) -> Vec<Fact> {
    use JoinType as J;
    let or_null = |node: &Node| node.columns.iter().map(Fact::or_null).collect::<Vec<_>>();
    let (as_left, as_right) = (left.columns.clone(), right.columns.clone());
    match join_type {
        J::Inner => [as_left, as_right].concat(),
        J::Left => [as_left, or_null(right)].concat(),
        J::Right => [or_null(left), as_right].concat(),
        J::Full => [or_null(left), or_null(right)].concat(),
        J::LeftSemi | J::LeftAnti => as_left,
        J::RightSemi | J::RightAnti => as_right,
        J::LeftMark => [as_left, vec![Fact::default()]].concat(),
        J::RightMark => [as_right, vec![Fact::default()]].concat(),
    }
}
