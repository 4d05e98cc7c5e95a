//! Puts the right name where a wrong one stands, so that the next mistake of a `SELECT` can be found too.

use std::ops::ControlFlow;

use datafusion::common::Span;
use datafusion::sql::sqlparser::ast::{
    Expr, Function, Ident, ObjectName, ObjectNamePart, Spanned, TableAlias, TableFactor, Value,
    VisitMut, VisitorMut,
};
use datafusion::sql::sqlparser::tokenizer;

use super::Select;

/// What kind of name is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongName {
    Column,
    Table,
    Function,
}

impl Select {
    /// Returns the `SELECT` with `right` in place of the wrong name at `place`.
    ///
    /// Where nothing is right, a column or function becomes NULL, and a table is beyond repair.
    pub(crate) fn repaired(
        &self,
        kind: WrongName,
        place: Span,
        right: Option<&str>,
    ) -> Option<Self> {
        let mut repaired = self.clone();
        let mut repair = Repair { kind, place, right };
        repaired.statement.visit(&mut repair).is_break().then_some(repaired)
    }

    /// Returns the `SELECT` with NULL for every parameter that is not `known`.
    pub(crate) fn without_parameters(&self, is_known: impl Fn(&str) -> bool) -> Self {
        let mut without = self.clone();
        let _ = without.statement.visit(&mut Blank(is_known));
        without
    }
}

struct Repair<'a> {
    kind: WrongName,
    place: Span,
    right: Option<&'a str>,
}

impl Repair<'_> {
    fn is_at(&self, place: tokenizer::Span) -> bool {
        Span::try_from_sqlparser_span(place)
            .is_some_and(|place| place.start <= self.place.start && self.place.start < place.end)
    }

    fn ident(&self, place: tokenizer::Span) -> Option<Ident> {
        self.right.map(|right| Ident { span: place, ..Ident::with_quote('"', right) })
    }
}

impl VisitorMut for Repair<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, part: &mut Expr) -> ControlFlow<()> {
        let is_meant = match (self.kind, &*part) {
            (WrongName::Column, Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {
                self.is_at(part.span())
            }
            (WrongName::Function, Expr::Function(Function { name, .. })) => self.is_at(name.span()),
            _ => false,
        };
        if !is_meant {
            return ControlFlow::Continue(());
        }
        match (part, self.right) {
            (Expr::Identifier(name), Some(_)) => {
                *name = self.ident(name.span).unwrap_or_else(|| name.clone());
            }
            (Expr::CompoundIdentifier(parts), Some(_)) => {
                let last = parts.pop().and_then(|last| self.ident(last.span));
                parts.extend(last);
            }
            (Expr::Function(Function { name, .. }), Some(_)) => {
                let right = self.ident(name.span());
                *name = ObjectName(right.map(ObjectNamePart::Identifier).into_iter().collect());
            }
            (part, _) => *part = Expr::Value(Value::Null.into()),
        }
        ControlFlow::Break(())
    }

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, .. } = table
            && self.kind == WrongName::Table
            && self.is_at(name.span())
            && let (Some(right), [ObjectNamePart::Identifier(wrong)]) =
                (self.ident(name.span()), name.0.as_slice())
        {
            // The columns may be named by the wrong name of the table; that is no second mistake.
            let called =
                TableAlias { explicit: true, name: wrong.clone(), columns: vec![], at: None };
            alias.get_or_insert(called);
            *name = ObjectName(vec![ObjectNamePart::Identifier(right)]);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

struct Blank<F>(F);

impl<F: Fn(&str) -> bool> VisitorMut for Blank<F> {
    type Break = ();

    fn pre_visit_expr(&mut self, part: &mut Expr) -> ControlFlow<()> {
        if let Expr::Value(value) = part
            && let Value::Placeholder(name) = &value.value
            && !(self.0)(name.trim_start_matches('$'))
        {
            *part = Expr::Value(Value::Null.into());
        }
        ControlFlow::Continue(())
    }
}
