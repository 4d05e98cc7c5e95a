//! The tests of a stage, with every name found and every value typed.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use chrono::NaiveDate;

use super::fixtures::{Target, Wanted, fixture};
use super::place::{Place, with_nearest};
use super::stages::{Parsed, Scope};
use super::{column, variables};
use crate::diagnostics::{self, Code, Diagnostics};
use crate::engine::{Select, Tables, plan_select, schema_of};
use crate::plan::data_type::canonical_schema;
use crate::plan::stage::Variable;
use crate::plan::unit_test::{Expectation, Fixture, Match, UnitTest};
use crate::spec;

/// Reads the tests of a stage, or reports what is wrong with them.
pub(super) fn resolve(
    stage: &Parsed<'_>,
    schema: &SchemaRef,
    scope: &Scope<'_>,
    tables: &Tables,
    found: &mut Diagnostics,
) -> Vec<UnitTest> {
    let Some(sidecar) = &stage.spec.sidecar else {
        return Vec::new();
    };
    let root = Place::root(&sidecar.file, &sidecar.positions).child("tests");
    let mut names = BTreeSet::new();
    let mut tests = Vec::new();
    for (index, written) in sidecar.sidecar.tests.iter().enumerate() {
        let place = root.child(index);
        if !names.insert(written.name.as_str()) {
            let message = format!("two tests are named `{}`", written.name);
            found.push(place.child("name").error(Code::BadTest, message));
        }
        let reader = Reader { stage, sidecar, scope, tables, place };
        tests.extend(reader.test(written, schema, found));
    }
    tests
}

/// Reads one test.
struct Reader<'a> {
    stage: &'a Parsed<'a>,
    sidecar: &'a spec::SidecarSpec,
    scope: &'a Scope<'a>,
    tables: &'a Tables,
    place: Place<'a>,
}

impl Reader<'_> {
    fn test(
        &self,
        written: &spec::UnitTest,
        schema: &SchemaRef,
        found: &mut Diagnostics,
    ) -> Option<UnitTest> {
        let before = found.len();
        let as_of = self.as_of(written, found);
        let timezone =
            column::timezone(written.timezone.as_deref(), self.scope.timezone, &self.place, found);
        let variables = self.variables(written, found);
        let (select, schema) = self.asked(written, schema, found)?;
        let given = self.given(written, found);
        let expect = self.expected(written, &schema, found)?;
        (found.len() == before).then_some(UnitTest {
            name: written.name.clone(),
            file: Arc::clone(&self.place.file.path),
            line: diagnostics::Place::of(&self.place.file.text, self.place.value().start).line,
            as_of: as_of?,
            timezone: timezone?,
            variables,
            select,
            schema,
            given,
            expect,
        })
    }

    fn as_of(&self, written: &spec::UnitTest, found: &mut Diagnostics) -> Option<NaiveDate> {
        let Some(text) = &written.as_of else {
            return Some(self.no_as_of(written, found));
        };
        let date = text.parse().ok();
        if date.is_none() {
            let message = format!("`{text}` is no date");
            let place = self.place.child("as_of");
            found.push(place.error(Code::BadTest, message).help("write it as `2026-01-31`"));
        }
        date
    }

    /// A test of what does not depend on the night needs no `as_of`.
    fn no_as_of(&self, written: &spec::UnitTest, found: &mut Diagnostics) -> NaiveDate {
        let depends = |name: &str| matches!(name, "as_of" | "as_of_date");
        if self.stage.select.parameters.iter().any(|used| depends(&used.name)) {
            let message = format!("the test `{}` does not say its `as_of`", written.name);
            let help = "the stage uses `$as_of` or `$as_of_date`; write `as_of: 2026-01-31`";
            found.push(self.place.child("name").error(Code::BadTest, message).help(help));
        }
        NaiveDate::default()
    }

    /// Returns the pipeline's variables with the values that the test gives some of them.
    fn variables(&self, written: &spec::UnitTest, found: &mut Diagnostics) -> Vec<Variable> {
        let place = self.place.child("variables");
        let mut all = self.scope.variables.to_vec();
        for given in variables::resolve(&written.variables, &place, found) {
            match all.iter_mut().find(|known| known.name == given.name) {
                Some(known) => *known = given,
                None => {
                    let message = format!("the pipeline has no variable `{}`", given.name);
                    let unknown = place.child(&given.name).key_error(Code::BadTest, message);
                    let names = self.scope.variables.iter().map(|known| known.name.as_str());
                    found.push(with_nearest(unknown, given.name.as_str(), names));
                }
            }
        }
        all
    }

    /// Returns what is tested: the stage, or a table of its `WITH`.
    fn asked(
        &self,
        written: &spec::UnitTest,
        schema: &SchemaRef,
        found: &mut Diagnostics,
    ) -> Option<(Select, SchemaRef)> {
        let Some(name) = &written.cte else {
            return Some((self.stage.select.clone(), Arc::clone(schema)));
        };
        let place = self.place.child("cte");
        let Some(select) = self.stage.select.cte(name) else {
            let message = format!("the stage has no table `{name}` in a `WITH`");
            let names = self.stage.select.cte_names();
            let unknown = place.error(Code::BadTest, message);
            found.push(with_nearest(unknown, name, names.iter().map(String::as_str)));
            return None;
        };
        let plan = plan_select(self.scope.state, self.tables, self.scope.parameters, &select);
        let schema = plan.ok().and_then(|plan| canonical_schema(&schema_of(&plan)).ok());
        if schema.is_none() {
            let message = format!("the table `{name}` has a column that cannot be compared");
            found.push(place.error(Code::BadTest, message));
        }
        Some((select, schema?))
    }

    fn given(
        &self,
        written: &spec::UnitTest,
        found: &mut Diagnostics,
    ) -> Vec<(String, SchemaRef, Fixture)> {
        let mut given = Vec::new();
        let upstream = &self.stage.upstream;
        for (table, rows) in written.given.iter() {
            let place = self.place.child("given").child(table);
            let Some(source) = self.tables.get(table).filter(|_| upstream.contains(table)) else {
                let message = format!("the stage `{}` does not need `{table}`", self.stage.name);
                let unknown = place.key_error(Code::TestUnknownTable, message);
                found.push(with_nearest(unknown, table, upstream.iter().map(String::as_str)));
                continue;
            };
            let target = Target { schema: &source.schema(), wanted: Wanted::Whole, name: table };
            let fixture = self.rows(rows, &target, &place, found);
            given.extend(fixture.map(|rows| (table.to_owned(), source.schema(), rows)));
        }
        given
    }

    fn expected(
        &self,
        written: &spec::UnitTest,
        schema: &Schema,
        found: &mut Diagnostics,
    ) -> Option<Expectation> {
        let wanted = match written.matching {
            spec::Match::Exact => Wanted::Whole,
            spec::Match::Columns | spec::Match::Some => Wanted::Written,
        };
        let matching = match written.matching {
            spec::Match::Exact | spec::Match::Columns => Match::All,
            spec::Match::Some => Match::Some,
        };
        let target = Target { schema, wanted, name: self.stage.name.as_str() };
        let place = self.place.child("expect");
        let rows = self.rows(&written.expect, &target, &place, found)?;
        Some(Expectation { rows, matching })
    }

    fn rows(
        &self,
        rows: &spec::Rows,
        target: &Target<'_>,
        place: &Place<'_>,
        found: &mut Diagnostics,
    ) -> Option<Fixture> {
        fixture(rows, target, place, &self.sidecar.fixtures, self.scope.state, found)
    }
}
