//! Expressions over the rows of one step.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, Span};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Placeholder;

use super::facts::{Fact, Node, Value};
use super::{Compared, Ground, Inseparable, Night};
use crate::engine::sql::comparisons;

/// The rows over which expressions are computed.
pub(super) struct Rows<'a> {
    pub(super) node: &'a Node,
    pub(super) schema: &'a DFSchema,
}

/// What has been found so far.
pub(super) struct Found<'a> {
    pub(super) ground: &'a Ground,
    pub(super) compared: BTreeSet<Compared>,
    pub(super) mentioned: BTreeSet<String>,
}

/// What to do with the night instead of computing with it.
const NIGHT: &str = "compare `$as_of` with a column as it stands in a table with customers, or `$as_of_date` with such a day, or yield it as a column of its own; keep what else depends on the night in a stage of its own";

impl Rows<'_> {
    /// Returns what is known of a column.
    pub(super) fn fact(&self, column: &Column) -> Option<&Fact> {
        self.node.columns.get(self.schema.maybe_index_of_column(column)?)
    }

    /// Says whether an expression is a bare column that holds the customer.
    pub(super) fn carries(&self, part: &Expr) -> bool {
        let bare = without_alias(part);
        matches!(bare, Expr::Column(column) if self.fact(column).is_some_and(|fact| fact.carries))
    }
}

impl Found<'_> {
    /// Returns what is known of a column that is yielded.
    pub(super) fn yielded(&mut self, part: &Expr, rows: &Rows<'_>) -> Result<Fact, Inseparable> {
        match without_alias(part) {
            Expr::Column(column) => {
                self.mentioned.insert(column.name.clone());
                rows.fact(column).cloned().ok_or_else(|| unknown(part))
            }
            Expr::Placeholder(parameter) if let Some(night) = self.night(parameter) => {
                Ok(Fact { carries: false, value: Value::Stamp(night) })
            }
            computed => {
                self.row_by_row(computed, rows)?;
                Ok(Fact::default())
            }
        }
    }

    /// Proves that the value of an expression for one row follows from the row, and from the night only where a column
    /// is compared with it.
    pub(super) fn row_by_row(&mut self, part: &Expr, rows: &Rows<'_>) -> Result<(), Inseparable> {
        match part {
            Expr::Column(column) => {
                self.mentioned.insert(column.name.clone());
                let fact = rows.fact(column).ok_or_else(|| unknown(part))?;
                if fact.value.is_of_the_night() {
                    let reason = format!("it computes with `{}`, which is the night", column.name);
                    return Err(at(reason, NIGHT, place(part)));
                }
                Ok(())
            }
            Expr::Placeholder(parameter) if self.night(parameter).is_some() => {
                Err(at("it computes with the night".to_owned(), NIGHT, None))
            }
            part if !comparisons(part).is_empty() => {
                let mut sides = comparisons(part).into_iter();
                sides.try_for_each(|(left, right)| self.comparison(left, right, rows))
            }
            Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_)
            | Expr::ScalarSubquery(_)
            | Expr::OuterReferenceColumn(..) => {
                let help = "join the table instead";
                Err(at("it asks another query for each row".to_owned(), help, place(part)))
            }
            part => {
                let mut parts = Vec::new();
                // Nothing fails here; what is wrong is told by the loop below.
                let _ = part.apply_children(|part| {
                    parts.push(part.clone());
                    Ok(TreeNodeRecursion::Continue)
                });
                parts.iter().try_for_each(|part| self.row_by_row(part, rows))
            }
        }
    }

    /// Follows a comparison: with the night only columns are compared that stand unchanged in a table with customers,
    /// so that the rows about which another night decides otherwise can be found there.
    fn comparison(
        &mut self,
        left: &Expr,
        right: &Expr,
        rows: &Rows<'_>,
    ) -> Result<(), Inseparable> {
        let (night, other) = match (self.is_night(left), self.is_night(right)) {
            (None, Some(night)) => (night, left),
            (Some(night), None) => (night, right),
            _ => {
                self.row_by_row(left, rows)?;
                return self.row_by_row(right, rows);
            }
        };
        let refused = || {
            let what = match night {
                Night::Instant => "an instant",
                Night::Date => "a day",
            };
            let reason = format!(
                "it compares the night with something else than {what} of a table with customers"
            );
            at(reason, NIGHT, place(other))
        };
        let Expr::Column(column) = other else { return Err(refused()) };
        self.mentioned.insert(column.name.clone());
        let field = rows.schema.maybe_index_of_column(column).map(|it| rows.schema.field(it));
        let is_alike = field.is_some_and(|field| is_of_type(field.data_type(), night));
        match rows.fact(column).map(|fact| &fact.value) {
            Some(Value::Stored(columns)) if is_alike => {
                let compared = columns.iter().map(|(table, column)| Compared {
                    table: table.clone(),
                    column: column.clone(),
                    night,
                });
                self.compared.extend(compared);
                Ok(())
            }
            _ => Err(refused()),
        }
    }

    fn is_night(&self, part: &Expr) -> Option<Night> {
        match part {
            Expr::Placeholder(parameter) => self.night(parameter),
            _ => None,
        }
    }

    fn night(&self, parameter: &Placeholder) -> Option<Night> {
        self.ground.night(parameter)
    }
}

impl Ground {
    /// Says which form of the night a parameter is. The planner numbers parameters, so their names are in their fields.
    pub(super) fn night(&self, parameter: &Placeholder) -> Option<Night> {
        self.nights.get(parameter.field.as_ref()?.name()).copied()
    }
}

fn is_of_type(data_type: &DataType, night: Night) -> bool {
    match night {
        Night::Instant => matches!(data_type, DataType::Timestamp(_, Some(_))),
        Night::Date => *data_type == DataType::Date32,
    }
}

pub(super) fn without_alias(part: &Expr) -> &Expr {
    match part {
        Expr::Alias(alias) => without_alias(&alias.expr),
        part => part,
    }
}

pub(super) fn at(reason: String, help: &'static str, place: Option<Span>) -> Inseparable {
    Inseparable { reason, help, place }
}

fn unknown(column: &Expr) -> Inseparable {
    let reason = format!("where `{column}` comes from cannot be followed");
    at(reason, "name the table it is of", place(column))
}

/// Returns the place of the first column of an expression.
pub(super) fn place(part: &Expr) -> Option<Span> {
    let mut place = None;
    let _ = part.apply(|part| {
        if let Expr::Column(column) = part {
            place = place.or_else(|| column.spans.first());
        }
        Ok(TreeNodeRecursion::Continue)
    });
    place
}
