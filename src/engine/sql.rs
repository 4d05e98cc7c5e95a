//! Stage SQL: parsed once, planned as often as its tables change.

mod facts;
mod question;
mod repair;
mod times;

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{ScalarValue, TableReference, plan_err};
use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::{ContextProvider, ExprPlanner};
use datafusion::logical_expr::{
    AggregateUDF, Expr, HigherOrderUDF, LogicalPlan, ScalarUDF, TableSource, Volatility, WindowUDF,
};
use datafusion::sql::parser::{DFParser, Statement as ParsedStatement};
use datafusion::sql::planner::{ParserOptions, PlannerContext, SqlToRel};
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{
    Select as AstSelect, Statement, Value, ValueWithSpan, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

pub(crate) use question::judge_question;
pub(crate) use repair::WrongName;
pub(crate) use times::MixedTime;
pub(super) use times::comparisons;

/// A single `SELECT`, parsed.
#[derive(Debug, Clone)]
pub(crate) struct Select {
    statement: Statement,
    /// The tables it reads, without those it defines itself.
    pub(crate) tables: BTreeSet<String>,
    /// The parameters it uses, in the order of the text.
    pub(crate) parameters: Vec<ParameterUse>,
}

/// A place at which a `SELECT` uses a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterUse {
    /// The name without the `$`.
    pub(crate) name: String,
    /// Line and column, in characters, from 1.
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// Says why a text is not a single `SELECT`.
#[derive(Debug)]
pub(crate) enum SelectError {
    Syntax(DataFusionError),
    Empty,
    /// There are several statements; the second begins at this line and column.
    Several(u64, u64),
    /// It is, or holds, another kind of statement.
    NotSelect {
        /// The words that begin it.
        kind: String,
        line: u64,
        column: u64,
    },
    /// The table reference has a schema or catalog.
    Qualified(String),
}

impl Select {
    pub(crate) fn parse(sql: &str) -> Result<Self, SelectError> {
        let mut statements = DFParser::parse_sql(sql).map_err(SelectError::Syntax)?;
        let parsed = statements.pop_front().ok_or(SelectError::Empty)?;
        if !statements.is_empty() {
            let (line, column) = second_statement(sql);
            return Err(SelectError::Several(line, column));
        }
        let (references, _) =
            resolve_table_references(&parsed, true).map_err(SelectError::Syntax)?;
        let statement = only_query(parsed).map_err(|kind| not_select(sql, kind))?;
        let tables = references.iter().map(bare_name).collect::<Result<_, _>>()?;
        let parameters = parameters_of(&statement);
        Ok(Self { statement, tables, parameters })
    }
}

/// Returns the statement if it is a query that does nothing but read, otherwise the words that begin what it does.
fn only_query(parsed: ParsedStatement) -> Result<Statement, String> {
    match parsed {
        ParsedStatement::Statement(statement) => match written_to(&statement) {
            None => Ok(*statement),
            Some(kind) => Err(kind),
        },
        other => Err(first_word(&other.to_string())),
    }
}

/// Returns the words that begin the first part of a statement that is no query, or that makes a table of one.
fn written_to(statement: &Statement) -> Option<String> {
    struct Writes;
    impl Visitor for Writes {
        type Break = String;

        fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<String> {
            match statement {
                Statement::Query(_) => ControlFlow::Continue(()),
                other => ControlFlow::Break(first_word(&other.to_string())),
            }
        }

        fn pre_visit_select(&mut self, select: &AstSelect) -> ControlFlow<String> {
            match select.into {
                Some(_) => ControlFlow::Break("INTO".to_owned()),
                None => ControlFlow::Continue(()),
            }
        }
    }
    statement.visit(&mut Writes).break_value()
}

fn first_word(sql: &str) -> String {
    sql.split_whitespace().next().unwrap_or_default().to_uppercase()
}

fn not_select(sql: &str, kind: String) -> SelectError {
    let is_sought = |token: &&TokenWithSpan| matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case(&kind));
    let (line, column) = place(tokens(sql).iter().find(is_sought));
    SelectError::NotSelect { kind, line, column }
}

fn second_statement(sql: &str) -> (u64, u64) {
    let tokens = tokens(sql);
    let after = tokens.iter().skip_while(|token| token.token != Token::SemiColon);
    place(after.skip(1).find(|token| token.token != Token::SemiColon))
}

/// Returns the words and signs of a text, without white space and comments.
fn tokens(sql: &str) -> Vec<TokenWithSpan> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
    let mut tokens = tokens.unwrap_or_default();
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    tokens
}

fn place(token: Option<&TokenWithSpan>) -> (u64, u64) {
    token.map_or((1, 1), |token| (token.span.start.line, token.span.start.column))
}

fn bare_name(reference: &TableReference) -> Result<String, SelectError> {
    match reference {
        TableReference::Bare { table } => Ok(table.to_string()),
        qualified => Err(SelectError::Qualified(qualified.to_string())),
    }
}

fn parameters_of(statement: &Statement) -> Vec<ParameterUse> {
    struct Uses(Vec<ParameterUse>);
    impl Visitor for Uses {
        type Break = ();

        fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
            if let Value::Placeholder(name) = &value.value {
                let start = value.span.start;
                self.0.push(ParameterUse {
                    name: name.trim_start_matches('$').to_owned(),
                    line: start.line,
                    column: start.column,
                });
            }
            ControlFlow::Continue(())
        }
    }
    let mut uses = Uses(Vec::new());
    let _ = statement.visit(&mut uses);
    uses.0
}

/// The values of `$name` parameters, in a fixed order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(String, ScalarValue)>);

impl Parameters {
    pub(crate) fn new(values: Vec<(String, ScalarValue)>) -> Self {
        Self(values)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn types(&self) -> Vec<Option<FieldRef>> {
        let field = |(name, value): &(String, ScalarValue)| {
            Some(Arc::new(Field::new(name, value.data_type(), value.is_null())))
        };
        self.0.iter().map(field).collect()
    }

    fn values(&self) -> Vec<ScalarValue> {
        self.0.iter().map(|(_, value)| value.clone()).collect()
    }
}

/// The tables a `SELECT` may read.
pub(crate) type Tables = HashMap<String, Arc<dyn TableSource>>;

/// Plans a `SELECT` over `tables`, checks its types and binds its parameters.
pub(crate) fn plan_select(
    state: &SessionState,
    tables: &Tables,
    parameters: &Parameters,
    select: &Select,
) -> Result<LogicalPlan> {
    let written = as_written(state, tables, parameters, select)?;
    checked(state, parameters, written)
}

/// A `SELECT` that can be planned.
pub(crate) struct Planned {
    /// Its types are brought together, its parameters bound.
    pub(crate) plan: LogicalPlan,
    /// The same with its parameters and every type as its author wrote it.
    pub(crate) written: LogicalPlan,
    /// The comparisons of times in it that are not what they look like.
    pub(crate) mixed: Vec<MixedTime>,
}

/// Plans a `SELECT` and finds the comparisons of times in it that are not what they look like.
pub(crate) fn plan_and_inspect(
    state: &SessionState,
    tables: &Tables,
    parameters: &Parameters,
    select: &Select,
) -> Result<Planned> {
    let written = as_written(state, tables, parameters, select)?;
    let mixed = times::mixed_times(&written)?;
    Ok(Planned { plan: checked(state, parameters, written.clone())?, written, mixed })
}

/// Plans a `SELECT` with every type as its author wrote it.
fn as_written(
    state: &SessionState,
    tables: &Tables,
    parameters: &Parameters,
    select: &Select,
) -> Result<LogicalPlan> {
    let scope = Scope { state, tables };
    let options = ParserOptions::from(&state.config_options().sql_parser);
    let mut context = PlannerContext::new().with_prepare_param_data_types(parameters.types());
    SqlToRel::new_with_options(&scope, options)
        .sql_statement_to_plan_with_context(select.statement.clone(), &mut context)
}

/// Binds the parameters of a plan and brings its types together.
fn checked(
    state: &SessionState,
    parameters: &Parameters,
    plan: LogicalPlan,
) -> Result<LogicalPlan> {
    let bound = plan.with_param_values(parameters.values())?;
    state.analyzer().execute_and_check(bound, state.config_options(), |_, _| {})
}

/// Returns the functions of a plan whose answers do not follow from their arguments.
pub(crate) fn not_deterministic(plan: &LogicalPlan) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                if let Expr::ScalarFunction(call) = part
                    && call.func.signature().volatility != Volatility::Immutable
                {
                    names.insert(call.func.name().to_owned());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(names)
}

/// Returns the schema a plan yields.
pub(crate) fn schema_of(plan: &LogicalPlan) -> SchemaRef {
    Arc::clone(plan.schema().inner())
}

/// What names in a `SELECT` may refer to.
struct Scope<'a> {
    state: &'a SessionState,
    tables: &'a Tables,
}

impl ContextProvider for Scope<'_> {
    fn get_table_source(&self, name: TableReference) -> Result<Arc<dyn TableSource>> {
        match self.tables.get(name.table()) {
            Some(table) => Ok(Arc::clone(table)),
            None => plan_err!("table '{}' not found", name.table()),
        }
    }

    fn get_expr_planners(&self) -> &[Arc<dyn ExprPlanner>] {
        self.state.expr_planners()
    }

    fn get_function_meta(&self, name: &str) -> Option<Arc<ScalarUDF>> {
        self.state.scalar_functions().get(name).cloned()
    }

    fn get_higher_order_meta(&self, name: &str) -> Option<Arc<HigherOrderUDF>> {
        self.state.higher_order_functions().get(name).cloned()
    }

    fn get_aggregate_meta(&self, name: &str) -> Option<Arc<AggregateUDF>> {
        self.state.aggregate_functions().get(name).cloned()
    }

    fn get_window_meta(&self, name: &str) -> Option<Arc<WindowUDF>> {
        self.state.window_functions().get(name).cloned()
    }

    fn get_variable_type(&self, _: &[String]) -> Option<DataType> {
        None
    }

    fn options(&self) -> &ConfigOptions {
        self.state.config_options()
    }

    fn udf_names(&self) -> Vec<String> {
        self.state.scalar_functions().keys().cloned().collect()
    }

    fn higher_order_function_names(&self) -> Vec<String> {
        self.state.higher_order_functions().keys().cloned().collect()
    }

    fn udaf_names(&self) -> Vec<String> {
        self.state.aggregate_functions().keys().cloned().collect()
    }

    fn udwf_names(&self) -> Vec<String> {
        self.state.window_functions().keys().cloned().collect()
    }
}
