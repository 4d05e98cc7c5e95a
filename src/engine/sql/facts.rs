//! What can be told of a `SELECT` from its text alone.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::common::Span;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Ident, Join, JoinConstraint, JoinOperator, ObjectName, Query,
    Select as SelectBody, SelectItem, SetExpr, Spanned, Statement, TableFactor, Visit, Visitor,
};

use super::Select;

/// A table of a `WITH` that is read more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RepeatedCte {
    pub(crate) name: String,
    pub(crate) declared: Span,
    /// Where it is read.
    pub(crate) reads: Vec<Span>,
}

impl Select {
    /// Returns the tables of `WITH` that are read more than once, in the order of their declarations.
    pub(crate) fn repeated_ctes(&self) -> Vec<RepeatedCte> {
        let mut found = Ctes::default();
        let _ = self.statement.visit(&mut found);
        let Ctes { declared, mut reads } = found;
        let repeated = declared.into_iter().filter_map(|(name, declared)| {
            let reads = reads.remove(&name).filter(|reads| reads.len() > 1)?;
            Some(RepeatedCte { name, declared, reads })
        });
        repeated.collect()
    }

    /// Returns the places of `*` among the columns that are yielded.
    pub(crate) fn wildcards(&self) -> Vec<Span> {
        let mut places = Vec::new();
        for body in self.bodies() {
            for item in &body.projection {
                if let SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(_, _) = item {
                    places.extend(Span::try_from_sqlparser_span(item.span()));
                }
            }
        }
        places
    }

    /// Returns the tables that are joined without a condition, although nobody wrote `CROSS JOIN`.
    pub(crate) fn unjoined_tables(&self) -> Vec<Span> {
        let mut found = Unjoined::default();
        let _ = self.statement.visit(&mut found);
        found.0
    }

    /// Returns where the column `name` is yielded, if that is told from the text.
    pub(crate) fn output(&self, name: &str) -> Option<Span> {
        let body = self.bodies().into_iter().next()?;
        let item = body.projection.iter().find(|item| yielded_name(item).as_deref() == Some(name));
        item.and_then(|item| match item {
            SelectItem::ExprWithAlias { alias, .. } => Span::try_from_sqlparser_span(alias.span),
            item => Span::try_from_sqlparser_span(item.span()),
        })
    }

    /// Returns the table of the outermost `WITH` as a `SELECT` of its own.
    pub(crate) fn cte(&self, name: &str) -> Option<Self> {
        let mut statement = self.statement.clone();
        let Statement::Query(query) = &mut statement else { return None };
        let with = query.with.as_ref()?;
        with.cte_tables.iter().find(|cte| normal(&cte.alias.name) == name)?;
        let Self { statement: all, .. } = Self::parse(&format!("SELECT * FROM \"{name}\"")).ok()?;
        let Statement::Query(all) = all else { return None };
        query.body = all.body;
        query.order_by = None;
        query.limit_clause = None;
        Some(Self { statement, tables: self.tables.clone(), parameters: self.parameters.clone() })
    }

    /// Returns the text without its comments and with one way of spacing: two texts of one meaning that differ in
    /// nothing else are the same.
    pub(crate) fn canonical(&self) -> String {
        self.statement.to_string()
    }

    /// Returns the names of the tables of the outermost `WITH`.
    pub(crate) fn cte_names(&self) -> Vec<String> {
        let with = self.query().and_then(|query| query.with.as_ref());
        let tables = with.into_iter().flat_map(|with| &with.cte_tables);
        tables.map(|cte| normal(&cte.alias.name)).collect()
    }

    fn query(&self) -> Option<&Query> {
        match &self.statement {
            Statement::Query(query) => Some(query),
            _ => None,
        }
    }

    /// Returns the `SELECT`s whose columns are yielded: one, or those of a `UNION`.
    fn bodies(&self) -> Vec<&SelectBody> {
        let mut bodies = Vec::new();
        let mut waiting: Vec<&SetExpr> =
            self.query().map(|query| &*query.body).into_iter().collect();
        while let Some(next) = waiting.pop() {
            match next {
                SetExpr::Select(body) => bodies.push(&**body),
                SetExpr::Query(query) => waiting.push(&query.body),
                SetExpr::SetOperation { left, right, .. } => waiting.extend([&**right, &**left]),
                _ => {}
            }
        }
        bodies
    }
}

/// Returns a name as SQL compares it: what is not in quotes has no capital letters.
fn normal(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

fn yielded_name(item: &SelectItem) -> Option<String> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(normal(alias)),
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(normal(name)),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) => parts.last().map(normal),
        _ => None,
    }
}

fn bare_name(name: &ObjectName) -> Option<String> {
    match name.0.as_slice() {
        [part] => part.as_ident().map(normal),
        _ => None,
    }
}

/// The tables of `WITH` and who reads them.
#[derive(Default)]
struct Ctes {
    declared: Vec<(String, Span)>,
    reads: BTreeMap<String, Vec<Span>>,
}

impl Visitor for Ctes {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        // A recursive table reads itself, once for each step, and that is what it is for.
        for cte in
            query.with.iter().filter(|with| !with.recursive).flat_map(|with| &with.cte_tables)
        {
            let place = Span::try_from_sqlparser_span(cte.alias.name.span);
            self.declared.extend(place.map(|place| (normal(&cte.alias.name), place)));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args: None, .. } = table
            && let Some(bare) = bare_name(name)
            && let Some(place) = Span::try_from_sqlparser_span(name.span())
        {
            self.reads.entry(bare).or_default().push(place);
        }
        ControlFlow::Continue(())
    }
}

/// The tables joined without a condition.
#[derive(Default)]
struct Unjoined(Vec<Span>);

impl Visitor for Unjoined {
    type Break = ();

    fn pre_visit_select(&mut self, body: &SelectBody) -> ControlFlow<()> {
        let listed: Vec<&TableFactor> =
            body.from.iter().map(|table| &table.relation).filter(|table| is_whole(table)).collect();
        let conditions = body.selection.as_ref().map_or(0, links);
        let bare = listed.iter().skip(1 + conditions);
        self.0.extend(bare.filter_map(|table| place_of(table)));
        let joins = body.from.iter().flat_map(|table| &table.joins);
        let unconditional = joins.filter(|join| is_whole(&join.relation) && !has_condition(join));
        self.0.extend(unconditional.filter_map(|join| place_of(&join.relation)));
        ControlFlow::Continue(())
    }
}

/// Says whether a table is one of its own, and not made from the row beside it.
fn is_whole(table: &TableFactor) -> bool {
    matches!(
        table,
        TableFactor::Table { args: None, .. } | TableFactor::Derived { lateral: false, .. }
    )
}

fn place_of(table: &TableFactor) -> Option<Span> {
    let span = match table {
        TableFactor::Table { name, .. } => name.span(),
        TableFactor::Derived { alias: Some(alias), .. } => alias.name.span,
        other => other.span(),
    };
    Span::try_from_sqlparser_span(span)
}

fn has_condition(join: &Join) -> bool {
    use JoinOperator as J;
    match &join.join_operator {
        J::Join(constraint)
        | J::Inner(constraint)
        | J::Left(constraint)
        | J::LeftOuter(constraint)
        | J::Right(constraint)
        | J::RightOuter(constraint)
        | J::FullOuter(constraint) => match constraint {
            JoinConstraint::On(condition) => names_a_column(condition),
            JoinConstraint::Using(columns) => !columns.is_empty(),
            JoinConstraint::Natural => true,
            JoinConstraint::None => false,
        },
        _ => true,
    }
}

fn names_a_column(condition: &Expr) -> bool {
    struct Names;
    impl Visitor for Names {
        type Break = ();

        fn pre_visit_expr(&mut self, part: &Expr) -> ControlFlow<()> {
            match part {
                Expr::Identifier(_) | Expr::CompoundIdentifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    condition.visit(&mut Names).is_break()
}

/// Counts the conditions that tie two columns to each other.
fn links(condition: &Expr) -> usize {
    let is_column = |side: &Expr| matches!(side, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    match condition {
        Expr::Nested(inner) => links(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => links(left) + links(right),
        Expr::BinaryOp { left, right, .. } => usize::from(is_column(left) && is_column(right)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Select;

    fn parsed(sql: &str) -> Select {
        Select::parse(sql).unwrap()
    }

    fn unjoined(sql: &str) -> Vec<u64> {
        parsed(sql).unjoined_tables().iter().map(|place| place.start.column).collect()
    }

    #[test]
    fn only_what_is_read_twice_is_computed_twice() {
        let sql = "WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a)\nSELECT * FROM A, b, t AS c";
        let repeated = parsed(sql).repeated_ctes();
        assert_eq!(repeated.len(), 1);
        assert_eq!((repeated[0].name.as_str(), repeated[0].declared.start.column), ("a", 6));
        let lines: Vec<u64> = repeated[0].reads.iter().map(|place| place.start.line).collect();
        assert_eq!(lines, [1, 2]);
        assert!(parsed("WITH a AS (SELECT 1 AS x) SELECT x FROM a").repeated_ctes().is_empty());
    }

    #[test]
    fn a_star_counts_only_where_it_is_yielded() {
        assert_eq!(parsed("SELECT x FROM (SELECT * FROM t) AS t").wildcards(), []);
        assert_eq!(parsed("SELECT count(*) AS n FROM t").wildcards(), []);
        assert_eq!(parsed("SELECT 1 AS x UNION ALL SELECT * FROM t").wildcards().len(), 1);
    }

    #[test]
    fn tables_without_a_condition_are_found_and_cross_joins_are_meant() {
        assert_eq!(unjoined("SELECT 1 FROM a, b"), [18]);
        assert!(unjoined("SELECT 1 FROM a, b WHERE a.x = b.x").is_empty());
        assert_eq!(unjoined("SELECT 1 FROM a, b WHERE a.x = 1"), [18]);
        assert_eq!(unjoined("SELECT 1 FROM a JOIN b ON 1 = 1"), [22]);
        assert!(unjoined("SELECT 1 FROM a JOIN b USING (x)").is_empty());
        assert!(unjoined("SELECT 1 FROM a CROSS JOIN b").is_empty());
        assert!(unjoined("SELECT 1 FROM a, unnest(a.xs) AS b").is_empty());
    }

    #[test]
    fn a_column_is_found_where_it_gets_its_name() {
        let select = parsed("SELECT a, t.b, c + 1 AS D FROM t");
        let column = |name| select.output(name).map(|place| place.start.column);
        assert_eq!(["a", "b", "d", "e"].map(column), [Some(8), Some(11), Some(25), None]);
    }

    #[test]
    fn a_table_of_with_is_a_select_of_its_own() {
        let select = parsed("WITH a AS (SELECT x FROM t) SELECT count(*) AS n FROM a ORDER BY 1");
        assert_eq!(select.cte_names(), ["a"]);
        let own = select.cte("a").unwrap();
        assert_eq!(own.statement.to_string(), "WITH a AS (SELECT x FROM t) SELECT * FROM \"a\"");
        assert!(select.cte("b").is_none());
    }
}
