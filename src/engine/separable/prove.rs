//! The proof, step by step of the query.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion::common::DFSchema;
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, LogicalPlan, Projection, Sort, TableScan, Union, Window,
};

use super::expressions::{Found, Rows, at, place, without_alias};
use super::facts::{Fact, Node, Value};
use super::{Ground, Inseparable, Separation};

type Proved = Result<Node, Inseparable>;

/// Tells how a query comes apart by the customers of `ground`.
pub(crate) fn separable(plan: &LogicalPlan, ground: &Ground) -> Result<Separation, Inseparable> {
    let mut found = Found { ground, compared: BTreeSet::new(), mentioned: BTreeSet::new() };
    let node = found.node(plan)?;
    found.mention_all(plan);
    let key = &ground.key;
    let fields = plan.schema().fields().iter().zip(&node.columns);
    for (field, fact) in fields.clone() {
        if fact.value == Value::MaybeStamp {
            let reason = format!("`{}` is the night in some rows only", field.name());
            return Err(at(reason, "yield the night in all rows, or in none", None));
        }
    }
    if !node.is_keyed {
        let help = "take the key away: its tables have no customers";
        return Err(at(format!("it reads no table with a `{key}`"), help, None));
    }
    let mut named = fields.filter(|(field, _)| field.name() == key);
    if !named.any(|(_, fact)| fact.carries) {
        let reason = format!("it yields no `{key}` as it stands in the tables it reads");
        let help =
            "yield the column of one of its tables, from the side of a join whose rows all stay";
        return Err(at(reason, help, None));
    }
    let stamp = |(field, fact): (&Arc<Field>, &Fact)| match fact.value {
        Value::Stamp(night) => Some((field.name().clone(), night)),
        _ => None,
    };
    let stamps = plan.schema().fields().iter().zip(&node.columns).filter_map(stamp).collect();
    let Found { compared, mentioned, .. } = found;
    Ok(Separation { compared, mentioned, stamps })
}

impl Found<'_> {
    fn node(&mut self, plan: &LogicalPlan) -> Proved {
        match plan {
            LogicalPlan::TableScan(it) => Ok(self.scan(it)),
            LogicalPlan::Projection(it) => self.projection(it),
            LogicalPlan::Filter(it) => {
                let node = self.node(&it.input)?;
                self.row_by_row(&it.predicate, &rows(&node, &it.input))?;
                Ok(node)
            }
            LogicalPlan::SubqueryAlias(it) => self.node(&it.input),
            LogicalPlan::Aggregate(it) => self.aggregate(it),
            LogicalPlan::Window(it) => self.window(it),
            LogicalPlan::Distinct(it) => self.distinct(it),
            LogicalPlan::Sort(it) => self.sort(it),
            LogicalPlan::Join(it) => {
                let (left, right) = (self.node(&it.left)?, self.node(&it.right)?);
                self.join(it, &left, &right)
            }
            LogicalPlan::Union(it) => self.union(it),
            LogicalPlan::EmptyRelation(it) => Ok(of_nobody(&it.schema)),
            LogicalPlan::Values(it) => {
                let node = Node::default();
                let empty = DFSchema::empty();
                let over = Rows { node: &node, schema: &empty };
                it.values.iter().flatten().try_for_each(|part| self.row_by_row(part, &over))?;
                Ok(of_nobody(&it.schema))
            }
            LogicalPlan::Limit(it) => {
                let node = self.node(&it.input)?;
                if node.is_keyed { Err(limited()) } else { Ok(node) }
            }
            other => {
                let kind = other.display().to_string();
                let kind = kind.split([':', ' ']).next().unwrap_or_default().to_owned();
                let reason = format!("what `{kind}` does cannot be followed");
                Err(at(reason, "keep it in a stage of its own", None))
            }
        }
    }

    fn scan(&mut self, scan: &TableScan) -> Node {
        let ground = self.ground;
        let table = scan.table_name.table();
        let input = ground.inputs.get(table);
        let is_keyed = input.is_some_and(|input| input.is_keyed);
        let fact = |name: &String| {
            let stamp = input.and_then(|input| input.stamps.get(name));
            let value = match stamp {
                Some(night) => Value::Stamp(*night),
                None if is_keyed => {
                    Value::Stored(BTreeSet::from([(table.to_owned(), name.clone())]))
                }
                None => Value::Other,
            };
            Fact { carries: is_keyed && *name == ground.key, value }
        };
        let fields = scan.projected_schema.fields().iter();
        Node { is_keyed, columns: fields.map(|field| fact(field.name())).collect() }
    }

    fn projection(&mut self, projection: &Projection) -> Proved {
        let input = self.node(&projection.input)?;
        let rows = rows(&input, &projection.input);
        let columns = projection.expr.iter().map(|part| self.yielded(part, &rows));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(Node { is_keyed: input.is_keyed, columns })
    }

    /// Groups that have the customer among what tells them apart hold rows of one customer.
    fn aggregate(&mut self, aggregate: &Aggregate) -> Proved {
        let input = self.node(&aggregate.input)?;
        let over = rows(&input, &aggregate.input);
        let mut columns = Vec::with_capacity(aggregate.schema.fields().len());
        for part in &aggregate.group_expr {
            if let Expr::GroupingSet(_) = without_alias(part) {
                let reason = "it groups in several ways at once".to_owned();
                return Err(at(reason, "write a `GROUP BY` for each", place(part)));
            }
            columns.push(self.yielded(part, &over)?);
        }
        tells_apart(&columns)?;
        for part in &aggregate.aggr_expr {
            self.row_by_row(part, &over)?;
        }
        let node = Node { is_keyed: input.is_keyed, columns };
        if input.is_keyed && !node.carries() {
            let reason = "it sums up over rows of several customers".to_owned();
            let place = aggregate.group_expr.iter().chain(&aggregate.aggr_expr).find_map(place);
            return Err(at(reason, "add the customer to `GROUP BY`", place));
        }
        Ok(padded(node, aggregate.schema.fields().len()))
    }

    fn window(&mut self, window: &Window) -> Proved {
        let input = self.node(&window.input)?;
        let over = rows(&input, &window.input);
        for part in &window.window_expr {
            self.row_by_row(part, &over)?;
            let is_within = match without_alias(part) {
                Expr::WindowFunction(it) => {
                    it.params.partition_by.iter().any(|part| over.carries(part))
                }
                _ => false,
            };
            if input.is_keyed && !is_within {
                let reason = "a window reaches over rows of several customers".to_owned();
                return Err(at(reason, "add the customer to `PARTITION BY`", place(part)));
            }
        }
        Ok(padded(input, window.schema.fields().len()))
    }

    fn distinct(&mut self, distinct: &Distinct) -> Proved {
        match distinct {
            Distinct::All(input) => {
                let node = self.node(input)?;
                self.mention_all(input);
                tells_apart(&node.columns)?;
                if node.is_keyed && !node.carries() { Err(merged()) } else { Ok(node) }
            }
            Distinct::On(it) => {
                let input = self.node(&it.input)?;
                let over = rows(&input, &it.input);
                if input.is_keyed && !it.on_expr.iter().any(|part| over.carries(part)) {
                    return Err(merged());
                }
                let sorted = it.sort_expr.iter().flatten().map(|sort| &sort.expr);
                for part in it.on_expr.iter().chain(sorted) {
                    self.row_by_row(part, &over)?;
                }
                let columns = it.select_expr.iter().map(|part| self.yielded(part, &over));
                let columns = columns.collect::<Result<_, _>>()?;
                Ok(Node { is_keyed: input.is_keyed, columns })
            }
        }
    }

    fn sort(&mut self, sort: &Sort) -> Proved {
        let node = self.node(&sort.input)?;
        if node.is_keyed && sort.fetch.is_some() {
            return Err(limited());
        }
        let over = rows(&node, &sort.input);
        for part in &sort.expr {
            self.yielded(&part.expr, &over)?;
        }
        Ok(node)
    }

    fn union(&mut self, union: &Union) -> Proved {
        let branches = union.inputs.iter().map(|branch| self.node(branch));
        let branches: Vec<Node> = branches.collect::<Result<_, _>>()?;
        union.inputs.iter().for_each(|branch| self.mention_all(branch));
        let is_keyed = branches.iter().any(|branch| branch.is_keyed);
        if is_keyed && branches.iter().any(|branch| !branch.is_keyed) {
            let reason = "a branch of a `UNION` has no customers".to_owned();
            return Err(at(reason, "keep the branches in stages of their own", None));
        }
        let types = |place: usize| {
            let types = union.inputs.iter().map(move |it| it.schema().fields().get(place));
            types.map(|field| field.map(|field| field.data_type().clone()))
        };
        let column = |place: usize| {
            let mut facts = branches.iter().filter_map(|branch| branch.columns.get(place)).cloned();
            let first = facts.next().unwrap_or_default();
            let fact = facts.fold(first, |all, fact| Fact {
                carries: all.carries && fact.carries,
                value: all.value.beside(&fact.value),
            });
            // A value that is cast to the type of another branch is not what stands in the table.
            let is_cast = types(place).any(|it| Some(it) != types(place).next());
            match fact.value {
                Value::Stored(_) if is_cast => Fact { value: Value::Other, ..fact },
                _ => fact,
            }
        };
        let columns = (0..union.schema.fields().len()).map(column).collect();
        Ok(Node { is_keyed, columns })
    }

    /// Notes the columns of a step that takes all of them without naming any.
    fn mention_all(&mut self, plan: &LogicalPlan) {
        let fields = plan.schema().fields().iter();
        self.mentioned.extend(fields.map(|field| field.name().clone()));
    }
}

/// Refuses to tell rows apart by a column that is the night in some of them: on another night they may be equal.
fn tells_apart(columns: &[Fact]) -> Result<(), Inseparable> {
    match columns.iter().find(|fact| fact.value == Value::MaybeStamp) {
        None => Ok(()),
        Some(_) => {
            let reason = "it tells rows apart by a column that is the night in some of them";
            Err(at(reason.to_owned(), "leave the column out", None))
        }
    }
}

fn rows<'a>(node: &'a Node, plan: &'a LogicalPlan) -> Rows<'a> {
    Rows { node, schema: plan.schema() }
}

fn of_nobody(schema: &DFSchema) -> Node {
    padded(Node::default(), schema.fields().len())
}

/// Adds columns of which nothing is known.
fn padded(mut node: Node, width: usize) -> Node {
    node.columns.resize(width, Fact::default());
    node
}

fn limited() -> Inseparable {
    let help = "number the rows of each customer with `ROW_NUMBER() OVER (PARTITION BY …)` instead";
    at("it takes the first rows of all customers together".to_owned(), help, None)
}

fn merged() -> Inseparable {
    let reason = "`DISTINCT` makes one of equal rows of several customers".to_owned();
    at(reason, "keep the customer among the columns", None)
}
