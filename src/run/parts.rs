//! Digests a plan part by part.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use datafusion::common::ScalarValue;

use crate::digest::of as digest;
use crate::plan::{self, Plan, Stage};
use crate::warehouse::{Parts, StagePart};

/// Digests each part of a plan, so that two plans can be compared by what a generation remembers of one of them.
pub(super) fn of(plan: &Plan) -> Parts {
    let constant = |table: &plan::ConstantTable| (table.name.to_owned(), rows(&table.rows));
    let variables = variables(plan);
    let stages = plan.stages.iter();
    Parts {
        martlet: env!("CARGO_PKG_VERSION").to_owned(),
        identity: identity(plan),
        decisions: None,
        texts: plan.fingerprint.clone(),
        constants: plan.constants.iter().map(constant).collect(),
        stages: stages.map(|it| (it.name.to_string(), stage(it, plan, &variables))).collect(),
        variables,
    }
}

/// Digests the rows of a table.
fn rows(rows: &RecordBatch) -> String {
    let columns = rows.columns().iter().flat_map(|column| {
        (0..rows.num_rows())
            .map(move |row| format!("{:?}", ScalarValue::try_from_array(column, row)))
    });
    let texts: Vec<String> =
        std::iter::once(format!("{:?}", rows.schema())).chain(columns).collect();
    digest(texts.iter().map(String::as_str))
}

fn variables(plan: &Plan) -> BTreeMap<String, String> {
    let variables = plan.variables.iter();
    let variables = variables.map(|it| (it.name.to_string(), it.value.to_string()));
    let currency = (plan::CURRENCY.to_owned(), plan.currency.clone());
    std::iter::once(currency).chain(variables).collect()
}

/// Digests what says who is who; the guards only judge it.
fn identity(plan: &Plan) -> String {
    let rules = &plan.identity;
    let sources = plan.sources.iter().filter(|source| !source.links.is_empty());
    let sources = sources.map(|it| format!("{} {:?} {:?}", it.name, it.links, it.matching));
    let rules = format!("{:?} {:?}", rules.identifiers, rules.sources);
    let texts: Vec<String> = std::iter::once(rules).chain(sources).collect();
    digest(texts.iter().map(String::as_str))
}

fn stage(stage: &Stage, plan: &Plan, variables: &BTreeMap<String, String>) -> StagePart {
    let sql = stage.select.canonical();
    let uses = stage.select.parameters.iter();
    let parameters: BTreeSet<String> = uses.map(|used| used.name.clone()).collect();
    let schema = format!("{:?}", stage.schema.fields());
    let checks = stage
        .checks
        .iter()
        .map(|check| format!("{} {:?} {}", check.name, check.severity, check.select.canonical()));
    let checks: Vec<String> = checks.collect();
    let values = parameters.iter().filter_map(|name| variables.get_key_value(name));
    let values = format!("{:?}", values.collect::<Vec<_>>());
    let inputs = stage.select.tables.clone();
    let reads = format!("{inputs:?}");
    let whole = [env!("CARGO_PKG_VERSION"), plan.timezone.name(), &sql, &values, &schema, &reads];
    StagePart {
        digest: digest(whole),
        sql: digest([sql.as_str()]),
        schema: digest([schema.as_str()]),
        checks: digest(checks.iter().map(String::as_str)),
        parameters,
        inputs,
    }
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::plan::{Plan, resolve};
    use crate::spec::{self, SourceTree};
    use crate::warehouse::{Parts, StagePart};

    const PIPELINE: &str = "\
version: 1
name: shop
timezone: UTC
currency: EUR
variables: { least: 10, days: 90 }
stages: [sql]
sources:
  orders: { path: 'orders/{date}.csv', format: csv, columns: { id: { type: integer } } }
publish: [large, counts]
";
    const LARGE: &str = "SELECT id FROM orders WHERE id > $least";

    fn plan(pipeline: &str, large: &str, sidecar: &str) -> Plan {
        let mut tree = SourceTree::default();
        tree.insert("pipelines/shop.yaml", pipeline);
        tree.insert("sql/large.sql", large);
        tree.insert("sql/large.yaml", sidecar);
        tree.insert("sql/counts.sql", "SELECT count(*) AS n FROM large WHERE $days > 1");
        resolve(&spec::load(&tree, "pipelines/shop.yaml").unwrap()).unwrap()
    }

    fn first() -> Parts {
        of(&plan(PIPELINE, LARGE, ""))
    }

    fn without_texts(parts: &Parts) -> Parts {
        Parts { texts: String::new(), ..parts.clone() }
    }

    fn large(parts: &Parts) -> &StagePart {
        &parts.stages["large"]
    }

    #[test]
    fn comments_and_white_space_are_no_change() {
        let same = of(&plan(PIPELINE, &format!("-- those\n{LARGE}\n"), "description: large"));
        assert_ne!(same.texts, first().texts);
        assert_eq!(without_texts(&same), without_texts(&first()));
    }

    #[test]
    fn a_change_of_sql_changes_its_stage_alone() {
        let other = of(&plan(PIPELINE, &LARGE.replace('>', ">="), ""));
        assert_ne!(large(&other).sql, large(&first()).sql);
        assert_ne!(large(&other).digest, large(&first()).digest);
        assert_eq!(large(&other).schema, large(&first()).schema);
        assert_eq!(other.stages["counts"], first().stages["counts"]);
    }

    #[test]
    fn a_variable_changes_the_stages_that_use_it() {
        let other = of(&plan(&PIPELINE.replace("10", "20"), LARGE, ""));
        assert_ne!(large(&other).digest, large(&first()).digest);
        assert_eq!(large(&other).sql, large(&first()).sql);
        assert_eq!(other.stages["counts"], first().stages["counts"]);
        assert_eq!(other.variables["least"], "20");
    }

    #[test]
    fn a_check_changes_no_row() {
        let other = of(&plan(PIPELINE, LARGE, "checks: [expression: id > 0]"));
        assert_ne!(large(&other).checks, large(&first()).checks);
        assert_eq!(large(&other).digest, large(&first()).digest);
    }

    #[test]
    fn a_type_of_another_column_is_another_stage() {
        let other = of(&plan(PIPELINE, "SELECT id * 1.5 AS id FROM orders WHERE id > $least", ""));
        assert_ne!(large(&other).schema, large(&first()).schema);
    }

    #[test]
    fn rules_of_identity_are_told_apart_from_its_guards() {
        let with = |rules: &str| {
            let linked = PIPELINE
                .replace("{ type: integer } }", "{ type: integer }, user: { type: string } }");
            let linked = linked.replace("publish:", &format!("{rules}\npublish:"));
            of(&plan(&linked, LARGE, "")).identity
        };
        let rules = "identity: { identifiers: { user: { priority: 1 } }, links: { orders: { user: user } } }";
        let guarded = rules.replace("links:", "guards: { max_cluster_size: { limit: 7 } }, links:");
        assert_ne!(with(rules), with(""));
        assert_eq!(with(rules), with(&guarded));
        assert_ne!(with(rules), with(&rules.replace("priority: 1", "priority: 1, unique: true")));
    }
}
