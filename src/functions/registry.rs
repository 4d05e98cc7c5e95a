//! The list of functions, each with its definition.

use std::fmt::Write as _;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};
use serde_json::{Value, json};

use super::bootstrap::BootstrapInterval;
use super::half_life::HalfLifeWeight;
use super::kaplan_meier::KaplanMeierQuantile;
use super::local_date::LocalDate;
use super::markov::MarkovRemovalEffects;
use super::periods::{Periods, Question};
use super::safe_divide::SafeDivide;
use super::square_root::SquareRoot;

/// A function as it is told to those who write SQL.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    /// Arguments and their types, and the type of the answer.
    pub(crate) signature: &'static str,
    /// What it answers, in one sentence.
    pub(crate) answer: &'static str,
    /// The rule by which the answer is computed.
    pub(crate) formula: &'static str,
    /// Whose definition it follows.
    pub(crate) source: &'static str,
    /// Calls with their answers, in a pipeline that counts its days in Shanghai.
    pub(crate) examples: &'static [(&'static str, &'static str)],
}

/// Every function martlet adds to those of `DataFusion`, in the order of their names.
pub(crate) const DEFINITIONS: &[Definition] = &[
    Definition {
        name: "bootstrap_interval",
        signature: "bootstrap_interval(value double, is_treated boolean, level double) -> {low, high}",
        answer: "An aggregate: between which bounds the mean of those treated less that of the others lies, so often \
                 as `level` says.",
        formula: "the quantiles (1 - `level`) / 2 and 1 - (1 - `level`) / 2 of the differences of 2,000 resamples; each \
                  draws both groups anew with replacement, as large as they are, from a generator with a fixed seed. \
                  NULL where a group is empty",
        source: "Efron and Tibshirani, An Introduction to the Bootstrap, 1993 (percentile interval)",
        examples: &[
            ("bootstrap_interval(7, true, 0.95)['low']", "NULL"),
            ("array_length([bootstrap_interval(7, true, 0.95)])", "1"),
        ],
    },
    Definition {
        name: "half_life_weight",
        signature: "half_life_weight(age number, half_life number) -> double",
        answer: "What is left of 1 after some time, where half is left after each half-life.",
        formula: "2^(-`age` / `half_life`)",
        source: "exponential decay; the weights of `time_decay` in docs/marts.md",
        examples: &[("half_life_weight(7, 7)", "0.5"), ("half_life_weight(0, 7)", "1.0")],
    },
    Definition {
        name: "kaplan_meier_quantile",
        signature: "kaplan_meier_quantile(duration integer, is_observed boolean, probability double) -> integer",
        answer: "An aggregate: the smallest duration by which so large a share has ended, where some have not ended yet.",
        formula: "the smallest t with 1 - S(t) >= `probability`, S(t) being the product over the durations d <= t of \
                  1 - ended at d / not ended before d; NULL where that share is never reached",
        source: "Kaplan and Meier, Nonparametric Estimation from Incomplete Observations, 1958",
        examples: &[
            ("kaplan_meier_quantile(3, true, 0.5)", "3"),
            ("kaplan_meier_quantile(3, false, 0.5)", "NULL"),
        ],
    },
    Definition {
        name: "local_date",
        signature: "local_date(moment timestamp) -> date",
        answer: "The business day of a moment: its calendar date in the pipeline's time zone.",
        formula: "the date of `moment` in `timezone` of the pipeline, by the IANA rules; a cast to `DATE` would give \
                  the date in UTC",
        source: "the pipeline's `timezone`",
        examples: &[
            ("local_date(CAST('2026-01-30T16:00:00Z' AS TIMESTAMP WITH TIME ZONE))", "2026-01-31"),
            ("local_date(NULL)", "NULL"),
        ],
    },
    Definition {
        name: "markov_removal_effects",
        signature: "markov_removal_effects(from string, to string, transitions integer) -> list",
        answer: "An aggregate over the transitions of a chain: what share of its conversions is lost with each state.",
        formula: "1 - P(conversion without the state) / P(conversion), each by solving the absorbing chain's linear \
                  equations",
        source: "Anderl, Becker, von Wangenheim and Schumann, Mapping the customer journey, 2016",
        examples: &[("array_length(markov_removal_effects('(start)', '(conversion)', 1))", "0")],
    },
    Definition {
        name: "period_end",
        signature: "period_end(unit string, day date) -> date",
        answer: "The day after the last day of the calendar period that holds a day, so that `day < period_end`.",
        formula: "`period_start` of the period after; units as of `period_start`",
        source: "ISO 8601 for weeks; half-open periods as everywhere in martlet (`as_of` is exclusive too)",
        examples: &[
            ("period_end('month', DATE '2024-02-10')", "2024-03-01"),
            ("period_end('quarter', DATE '2026-12-31')", "2027-01-01"),
        ],
    },
    Definition {
        name: "period_start",
        signature: "period_start(unit string, day date) -> date",
        answer: "The first day of the calendar period that holds a day, as a date.",
        formula: "the latest first day of a `unit` that is not after `day`; `unit` is a literal: 'day', 'week' (from \
                  Monday), 'month', 'quarter' or 'year'. `date_trunc` does the same and answers with a timestamp",
        source: "ISO 8601 for weeks",
        examples: &[
            ("period_start('week', DATE '2026-02-01')", "2026-01-26"),
            ("period_start('month', DATE '2026-01-31')", "2026-01-01"),
            ("period_start('year', NULL)", "NULL"),
        ],
    },
    Definition {
        name: "periods_between",
        signature: "periods_between(unit string, from date, until date) -> integer",
        answer: "How many calendar periods after that of `from` the period of `until` is: the index of a cohort's \
                 period, 0 for the first.",
        formula: "number(`until`) - number(`from`), where the periods of a `unit` are numbered one after the other; \
                  units as of `period_start`. It counts borders, not days: from 31 January to 1 February is 1 month",
        source: "calendar cohorts, as `fact_cohort_churn` defines them (docs/marts.md)",
        examples: &[
            ("periods_between('month', DATE '2025-11-30', DATE '2026-01-01')", "2"),
            ("periods_between('week', DATE '2026-02-01', DATE '2026-02-02')", "1"),
            ("periods_between('month', DATE '2026-03-01', DATE '2026-01-31')", "-2"),
        ],
    },
    Definition {
        name: "safe_divide",
        signature: "safe_divide(numerator number, denominator number) -> double",
        answer: "A ratio: never an integer division, and NULL where the denominator is 0.",
        formula: "`numerator / denominator` as doubles; NULL where either is NULL or `denominator` = 0. Money stays a \
                  decimal: divide it with `/` and `CAST` instead",
        source: "the rule of every ratio in docs/marts.md: NULL where the denominator is zero",
        examples: &[
            ("safe_divide(1, 4)", "0.25"),
            ("safe_divide(1, 0)", "NULL"),
            ("safe_divide(NULL, 2)", "NULL"),
        ],
    },
    Definition {
        name: "square_root",
        signature: "square_root(value number) -> double",
        answer: "The square root; NULL of a negative number.",
        formula: "the x >= 0 with x * x = `value`",
        source: "standard errors, in docs/marts.md",
        examples: &[("square_root(9)", "3.0"), ("square_root(NULL)", "NULL")],
    },
];

/// Returns the scalar functions of a pipeline whose days are counted in `timezone`.
pub(crate) fn scalar_functions(timezone: Tz) -> Vec<ScalarUDF> {
    let periods = |question| ScalarUDF::new_from_shared_impl(Arc::new(Periods::new(question)));
    vec![
        ScalarUDF::new_from_shared_impl(Arc::new(LocalDate::new(timezone))),
        periods(Question::End),
        periods(Question::Start),
        periods(Question::Between),
        ScalarUDF::new_from_shared_impl(Arc::new(SafeDivide::new())),
        ScalarUDF::new_from_shared_impl(Arc::new(HalfLifeWeight::new())),
        ScalarUDF::new_from_shared_impl(Arc::new(SquareRoot::new())),
    ]
}

/// Returns the aggregate functions of every pipeline.
pub(crate) fn aggregate_functions() -> Vec<AggregateUDF> {
    vec![
        AggregateUDF::new_from_shared_impl(Arc::new(BootstrapInterval::new())),
        AggregateUDF::new_from_shared_impl(Arc::new(KaplanMeierQuantile::new())),
        AggregateUDF::new_from_shared_impl(Arc::new(MarkovRemovalEffects::new())),
    ]
}

/// Tells all functions to people.
pub(crate) fn text() -> String {
    let mut text = String::new();
    for definition in DEFINITIONS {
        let Definition { signature, answer, formula, source, examples, .. } = definition;
        let _ = writeln!(text, "{signature}\n  {answer}\n  formula: {formula}\n  source: {source}");
        for (call, answer) in *examples {
            let _ = writeln!(text, "  {call} = {answer}");
        }
        text.push('\n');
    }
    text
}

/// Tells all functions as a page of the documents.
pub(crate) fn markdown() -> String {
    let mut text = HEAD.to_owned();
    for definition in DEFINITIONS {
        let Definition { name, signature, answer, formula, source, examples } = definition;
        let _ = writeln!(text, "\n## {name}\n\n`{signature}`\n\n{answer}\n");
        let _ = writeln!(
            text,
            "| | |\n| --- | --- |\n| formula | {formula} |\n| source | {source} |\n"
        );
        let _ = writeln!(text, "| call | answer |\n| --- | --- |");
        for (call, answer) in *examples {
            let _ = writeln!(text, "| `{call}` | `{answer}` |");
        }
    }
    text
}

const HEAD: &str = "\
# SQL functions

Stages are written in the SQL of [DataFusion](https://datafusion.apache.org/user-guide/sql/index.html), with its
functions. These are the ones martlet adds; `martlet functions` prints them. This page is made by
`martlet functions --format markdown`, and a test compares the two and computes every example.
";

/// Tells all functions to machines; the version says which form it has.
pub(crate) fn to_json() -> Value {
    let function = |definition: &Definition| {
        let examples = definition.examples.iter();
        let examples: Vec<Value> =
            examples.map(|(call, answer)| json!({ "call": call, "answer": answer })).collect();
        json!({
            "name": definition.name,
            "signature": definition.signature,
            "answer": definition.answer,
            "formula": definition.formula,
            "source": definition.source,
            "examples": examples,
        })
    };
    let functions: Vec<Value> = DEFINITIONS.iter().map(function).collect();
    json!({ "version": 1, "functions": functions })
}
