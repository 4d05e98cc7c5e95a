//! Checks, each turned into a query that counts the rows that break it.

use std::fmt::Write as _;

use arrow::datatypes::Schema;
use serde_yaml::Value;

use super::history;
use super::place::Place;
use super::stages::{Parsed, Scope};
use crate::diagnostics::{Code, Diagnostics};
use crate::engine::{Select, Tables, plan_select};
use crate::plan::sql_diagnostic::bad_check;
use crate::plan::stage::{Check, CheckSeverity, RowChecks};
use crate::spec::{self, StageSpec};

/// A check as SQL, with its place.
pub(super) struct Written<'a> {
    name: String,
    severity: CheckSeverity,
    select: Select,
    /// What it asserts, where that is simple.
    rule: Rule,
    place: Place<'a>,
}

impl Written<'_> {
    /// Returns the tables the check reads.
    pub(super) fn tables(&self) -> impl Iterator<Item = &str> {
        self.select.tables.iter().map(String::as_str)
    }

    pub(super) fn reads(&self, table: &str) -> bool {
        self.select.tables.contains(table)
    }

    pub(super) fn uses(&self, parameter: &str) -> bool {
        self.select.parameters.iter().any(|used| used.name == parameter)
    }

    pub(super) fn check(&self) -> Check {
        let key = match &self.rule {
            Rule::Unique { key, .. } => Some(key.clone()),
            _ => None,
        };
        let (name, select) = (self.name.clone(), self.select.clone());
        Check { name, severity: self.severity, select, key }
    }
}

/// A rule that is to become a check: its name and its counting query.
struct Asked {
    name: String,
    sql: String,
    rule: Rule,
}

/// What a check asserts.
enum Rule {
    /// The condition is true of no row.
    Never(String),
    /// No two rows are equal in these columns, which the key yields.
    Unique { columns: Vec<String>, key: Box<Select> },
    /// Anything else.
    Other,
}

impl Asked {
    /// Asks for the rows of which a condition is true; one on NULL is not.
    fn never(name: String, table: &str, condition: String) -> Self {
        let sql = format!("SELECT count(*) FROM {} WHERE {condition}", quoted(table));
        Self { name, sql, rule: Rule::Never(condition) }
    }

    fn other(name: String, sql: String) -> Self {
        Self { name, sql, rule: Rule::Other }
    }
}

/// Returns the places of columns that tell all rows of a table that passes its checks apart, and the place of the check
/// that says so; all columns where no check does.
///
/// Of several keys it is the one that ends first, and of those the shortest.
pub(super) fn telling_columns(
    schema: &Schema,
    checks: &[Written<'_>],
) -> (Vec<usize>, Option<usize>) {
    let blocking = checks.iter().enumerate();
    let blocking = blocking.filter(|(_, check)| check.severity == CheckSeverity::Error);
    let keys = blocking.filter_map(|(check, written)| match &written.rule {
        Rule::Unique { columns, .. } => {
            let places = columns.iter().map(|column| schema.index_of(column).ok());
            let mut places = places.collect::<Option<Vec<usize>>>()?;
            places.sort_unstable();
            Some((places, Some(check)))
        }
        _ => None,
    });
    let key = keys.min_by_key(|(places, _)| (places.last().copied(), places.len()));
    key.unwrap_or_else(|| ((0..schema.fields().len()).collect(), None))
}

/// Puts the checks of single rows together, so that one reading of the table answers all of them.
pub(super) fn together(table: &str, checks: &[Written<'_>]) -> Option<RowChecks> {
    // What looks into tables is planned as a join, which belongs to a query of its own.
    let is_simple = |condition: &&String| !condition.to_lowercase().contains("select");
    let of_rows = checks.iter().enumerate().filter_map(|(place, check)| match &check.rule {
        Rule::Never(condition) => Some((place, Some(condition).filter(is_simple)?)),
        _ => None,
    });
    let (checks, conditions): (Vec<usize>, Vec<&String>) = of_rows.unzip();
    if checks.len() < 2 {
        return None;
    }
    let count = |(number, condition): (usize, &&String)| {
        format!("count(*) FILTER (WHERE {condition}) AS failures_{number}")
    };
    let counts: Vec<String> = conditions.iter().enumerate().map(count).collect();
    let sql = format!("SELECT {} FROM {}", counts.join(", "), quoted(table));
    let select = Select::parse(&sql).ok()?;
    Some(RowChecks { checks, select })
}

/// Reads the checks of a stage's sidecar, or reports what is wrong with them.
pub(super) fn written<'a>(stage: &'a StageSpec, found: &mut Diagnostics) -> Vec<Written<'a>> {
    let Some(written) = &stage.sidecar else {
        return Vec::new();
    };
    let root = Place::root(&written.file, &written.positions);
    let mut checks = Vec::new();
    for (column, contract) in written.sidecar.columns.iter() {
        let place = root.child("columns").child(column).child("checks");
        for (index, check) in contract.checks.iter().enumerate() {
            let place = place.child(index);
            let rules = column_rules(&stage.name, column, check, &place, found);
            checks.extend(parsed(one(rules, &place, found), check.severity, place, found));
        }
    }
    if let Some(condition) = history::of_another_night(stage) {
        let name = "rows_are_of_the_night".to_owned();
        let rule = Asked::never(name, &stage.name, condition);
        let place = root.child("history");
        checks.extend(parsed(Some(rule), spec::CheckSeverity::Error, place, found));
    }
    for (index, check) in written.sidecar.checks.iter().enumerate() {
        let place = root.child("checks").child(index);
        let rules = table_rules(&stage.name, check, &place, found);
        let mut rule = one(rules, &place, found);
        if let (Some(rule), Some(name)) = (&mut rule, &check.name) {
            rule.name.clone_from(name);
        }
        checks.extend(parsed(rule, check.severity, place, found));
    }
    checks
}

/// Plans the checks of a stage; `tables` holds every table of the run.
pub(super) fn validate(
    stage: &Parsed<'_>,
    scope: &Scope<'_>,
    tables: &Tables,
    found: &mut Diagnostics,
) {
    for check in &stage.checks {
        let unplanned =
            |table: &String| !tables.contains_key(table) && scope.declared.contains(table.as_str());
        if check.select.tables.iter().any(unplanned) {
            continue;
        }
        if let Err(error) = plan_select(scope.state, tables, scope.parameters, &check.select) {
            let names: Vec<&str> = scope.declared.iter().copied().collect();
            found.push(bad_check(&error, &names, |code, message| check.place.error(code, message)));
        }
    }
}

fn parsed<'a>(
    asked: Option<Asked>,
    severity: spec::CheckSeverity,
    place: Place<'a>,
    found: &mut Diagnostics,
) -> Option<Written<'a>> {
    let asked = asked?;
    let severity = match severity {
        spec::CheckSeverity::Error => CheckSeverity::Error,
        spec::CheckSeverity::Warn => CheckSeverity::Warn,
    };
    match Select::parse(&asked.sql) {
        Ok(select) => {
            let Asked { name, rule, .. } = asked;
            Some(Written { name, severity, select, rule, place })
        }
        Err(_) => {
            let message = format!("the check `{}` is not well-formed SQL", asked.name);
            found.push(place.error(Code::SqlSyntax, message));
            None
        }
    }
}

/// Returns the only rule, or reports that there is none or more than one.
fn one(rules: Vec<Asked>, place: &Place<'_>, found: &mut Diagnostics) -> Option<Asked> {
    let count = rules.len();
    let mut rules = rules.into_iter();
    match (rules.next(), count) {
        (Some(rule), 1) => Some(rule),
        (None, _) => {
            let help = "rules are not_null, unique, accepted_values, range and relationship for a \
                        column; unique, row_count, expression and query for a table";
            found.push(place.error(Code::BadCheck, "the check has no rule").help(help));
            None
        }
        (Some(_), _) => {
            let help = "write one list item for each rule";
            found.push(place.error(Code::BadCheck, "the check has more than one rule").help(help));
            None
        }
    }
}

fn column_rules(
    table: &str,
    column: &str,
    check: &spec::ColumnCheck,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Vec<Asked> {
    let value = quoted(column);
    let mut rules = Vec::new();
    for (key, given) in [("not_null", check.not_null), ("unique", check.unique)] {
        if given == Some(false) {
            let message = format!("`{key}: false` checks nothing");
            let help = "remove the check, or say `true`";
            found.push(place.child(key).error(Code::BadCheck, message).help(help));
        }
    }
    if check.not_null.is_some() {
        let name = format!("not_null({column})");
        rules.push(Asked::never(name, table, format!("{value} IS NULL")));
    }
    if check.unique.is_some() {
        rules.extend(unique(table, &[column]));
    }
    if let Some(values) = &check.accepted_values {
        let list: Vec<String> = values.iter().filter_map(literal).collect();
        if list.len() < values.len() || list.is_empty() {
            let message = "accepted values are a list of texts, numbers, `true` and `false`";
            found.push(place.child("accepted_values").error(Code::BadCheck, message));
        }
        let name = format!("accepted_values({column})");
        rules.push(Asked::never(name, table, format!("{value} NOT IN ({})", list.join(", "))));
    }
    if let Some(range) = &check.range {
        let condition = outside(&value, range, place, found);
        rules.push(Asked::never(format!("range({column})"), table, condition));
    }
    if let Some(target) = &check.relationship {
        rules.extend(relationship(table, column, target, place, found));
    }
    rules
}

fn table_rules(
    table: &str,
    check: &spec::Check,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Vec<Asked> {
    let mut rules = Vec::new();
    if let Some(columns) = &check.unique {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        if columns.is_empty() {
            found.push(place.child("unique").error(Code::BadCheck, "`unique` names no column"));
        } else {
            rules.extend(unique(table, &columns));
        }
    }
    if let Some(range) = &check.row_count {
        let condition = outside("count(*)", range, place, found);
        let sql = format!("SELECT CASE WHEN {condition} THEN 1 ELSE 0 END FROM {}", quoted(table));
        rules.push(Asked::other("row_count".to_owned(), sql));
    }
    if let Some(condition) = &check.expression {
        let name = format!("expression({condition})");
        rules.push(Asked::never(name, table, format!("NOT (\n{condition}\n)")));
        if !is_expression(condition) {
            let message = "the expression is not well-formed SQL";
            found.push(place.child("expression").error(Code::SqlSyntax, message));
            rules.pop();
        }
    }
    if let Some(query) = &check.query {
        let query = query.trim_end().trim_end_matches(';');
        match Select::parse(query) {
            Ok(_) => {
                let sql = format!("SELECT count(*) FROM (\n{query}\n) AS offending_rows");
                rules.push(Asked::other("query".to_owned(), sql));
            }
            Err(_) => {
                let message = "the query is not a single well-formed `SELECT`";
                found.push(place.child("query").error(Code::SqlNotSelect, message));
            }
        }
    }
    rules
}

/// Says whether a text is one whole expression, which then may stand in parentheses.
fn is_expression(text: &str) -> bool {
    use datafusion::sql::parser::DFParser;
    DFParser::parse_sql_into_expr(text).is_ok()
        && Select::parse(&format!("SELECT (\n{text}\n)")).is_ok()
}

fn unique(table: &str, columns: &[&str]) -> Option<Asked> {
    let keys: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let keys = keys.join(", ");
    let key = format!("SELECT {keys} FROM {}", quoted(table));
    let sql =
        format!("SELECT count(*) FROM ({key} GROUP BY {keys} HAVING count(*) > 1) AS repeated");
    let name = format!("unique({})", columns.join(", "));
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    let key = Box::new(Select::parse(&key).ok()?);
    Some(Asked { name, sql, rule: Rule::Unique { columns, key } })
}

/// Returns the condition that a value lies outside a range.
fn outside(value: &str, range: &spec::Range, place: &Place<'_>, found: &mut Diagnostics) -> String {
    let mut condition = String::from("false");
    for (bound, operator) in [(&range.min, "<"), (&range.max, ">")] {
        match bound.as_ref().map(literal) {
            Some(Some(bound)) => {
                let _ = write!(condition, " OR {value} {operator} {bound}");
            }
            Some(None) => {
                let message = "a bound of a range is a number or a text";
                found.push(place.error(Code::BadCheck, message));
            }
            None => {}
        }
    }
    if range.min.is_none() && range.max.is_none() {
        let message = "a range has a `min`, a `max` or both";
        found.push(place.error(Code::BadCheck, message));
    }
    condition
}

fn relationship(
    table: &str,
    column: &str,
    target: &str,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Asked> {
    let Some((to_table, to_column)) = target.split_once('.') else {
        let message = format!("`{target}` names no column of a table");
        let help = "a relationship is written `table.column`";
        found.push(place.child("relationship").error(Code::BadCheck, message).help(help));
        return None;
    };
    let (table, value) = (quoted(table), quoted(column));
    let sql = format!(
        "SELECT count(*) FROM {table} AS child WHERE child.{value} IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM {to} AS parent WHERE parent.{key} = child.{value})",
        to = quoted(to_table),
        key = quoted(to_column),
    );
    Some(Asked::other(format!("relationship({column} -> {target})"), sql))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Writes a YAML scalar as a SQL literal.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(format!("'{}'", text.replace('\'', "''"))),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::{Plan, resolve};
    use crate::spec::{self, SourceTree};

    const PIPELINE: &str = "\
version: 1
name: shop
timezone: UTC
currency: EUR
stages: [sql]
sources:
  orders: { path: 'orders/{date}.csv', format: csv, columns: { id: { type: integer } } }
publish: [ids]
";

    fn plan(sidecar: &str) -> Plan {
        let mut tree = SourceTree::default();
        tree.insert("pipelines/shop.yaml", PIPELINE);
        tree.insert("sql/ids.sql", "SELECT id FROM orders");
        tree.insert("sql/ids.yaml", sidecar);
        resolve(&spec::load(&tree, "pipelines/shop.yaml").unwrap()).unwrap()
    }

    #[test]
    fn checks_of_single_rows_are_one_query() {
        let plan = plan(
            "columns: { id: { type: integer, checks: [{ not_null: true }, { unique: true }, { range: { min: 1 } }] } }",
        );
        let together = plan.stages[0].row_checks.as_ref().unwrap();
        assert_eq!(together.checks, [0, 2]);
        assert!(together.select.tables.iter().eq(["ids"]));
        let first = "SELECT count(*) FILTER (WHERE \"id\" IS NULL) AS failures_0, ";
        assert!(together.select.canonical().starts_with(first), "{together:?}");
    }

    #[test]
    fn a_unique_key_tells_rows_apart_before_all_columns_do() {
        let telling = |checks: &str| {
            let checks = format!("checks: [{checks}]");
            let mut tree = SourceTree::default();
            tree.insert("pipelines/shop.yaml", PIPELINE);
            tree.insert("sql/ids.sql", "SELECT id, 2 AS a, 3 AS b, 4 AS c FROM orders");
            tree.insert("sql/ids.yaml", &checks);
            let plan = resolve(&spec::load(&tree, "pipelines/shop.yaml").unwrap()).unwrap();
            plan.stages[0].telling_columns.clone()
        };
        assert_eq!(telling("{ unique: [b, id] }"), [0, 2]);
        assert_eq!(telling("{ unique: [b] }, { unique: [a] }"), [1]);
        assert_eq!(telling("{ unique: [a, b] }, { unique: [b] }"), [2]);
        assert_eq!(telling("{ unique: [a], severity: warn }"), [0, 1, 2, 3]);
        assert_eq!(telling("{ row_count: { min: 1 } }"), [0, 1, 2, 3]);
    }

    #[test]
    fn a_check_by_itself_and_one_that_looks_into_tables_stay_alone() {
        let alone = plan("checks: [{ expression: id > 0 }, { unique: [id] }]");
        assert!(alone.stages[0].row_checks.is_none());
        let looks = "{ expression: id IN (SELECT id FROM orders) }";
        let looking = plan(&format!("checks: [{{ expression: id > 0 }}, {looks}]"));
        assert!(looking.stages[0].row_checks.is_none());
    }
}
