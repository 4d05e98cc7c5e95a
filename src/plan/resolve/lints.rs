//! What is allowed but most likely not meant: warnings.

use arrow::datatypes::{DataType, Schema};
use datafusion::common::Span;

use super::place::Place;
use super::stages::{Parsed, Scope};
use crate::diagnostics::{Code, Diagnostic, Diagnostics, SourceFile};
use crate::engine::MixedTime;
use crate::plan::sql_diagnostic::{bytes, first_line};

/// Words in the name of a column that holds money.
const MONEY: &[&str] = &[
    "amount", "aov", "cost", "costs", "discount", "fee", "fees", "monetary", "paid", "price",
    "profit", "refund", "revenue", "sales", "spend", "spent", "tax", "value",
];
/// Words in the name of a column that is counted or compared rather than paid.
const NO_MONEY: &[&str] = &[
    "count",
    "days",
    "id",
    "index",
    "percent",
    "percentile",
    "probability",
    "rank",
    "rate",
    "ratio",
    "score",
    "share",
];

/// Warns of what is allowed in a stage but most likely not meant.
pub(super) fn of_stage(
    stage: &Parsed<'_>,
    schema: &Schema,
    mixed: &[MixedTime],
    published: bool,
    found: &mut Diagnostics,
) {
    let mut warnings = repeated_ctes(stage);
    if published {
        warnings.extend(stars(stage));
    }
    warnings.extend(unjoined(stage));
    warnings.extend(mixed.iter().map(|mixed| mixed_time(stage, mixed)));
    warnings.extend(float_money(stage, schema));
    found.extend(warnings.into_iter().filter(|warning| !is_allowed(&stage.spec.sql, warning.code)));
}

/// Says whether a file excuses a warning: `-- allow(sql/cross-join): why`.
fn is_allowed(file: &SourceFile, code: Code) -> bool {
    file.text.contains(&format!("allow({})", code.as_str()))
}

fn warning(stage: &Parsed<'_>, code: Code, message: String, place: Option<Span>) -> Diagnostic {
    let file = &stage.spec.sql;
    let span = place.map_or_else(|| first_line(&file.text), |place| bytes(&file.text, place));
    Diagnostic::warning(code, message).at(file, span)
}

fn repeated_ctes(stage: &Parsed<'_>) -> Diagnostics {
    let file = &stage.spec.sql;
    let repeated = stage.select.repeated_ctes().into_iter();
    repeated
        .map(|cte| {
            let times = cte.reads.len();
            let message = format!("`{}` is read {times} times, and computed each time", cte.name);
            let last = cte.reads.last().copied();
            warning(stage, Code::RepeatedCte, message, last)
                .labelled(file, bytes(&file.text, cte.declared), "declared here")
                .help("move it into a stage of its own, which is computed once")
        })
        .collect()
}

fn stars(stage: &Parsed<'_>) -> Diagnostics {
    let message = "the mart takes whatever columns its inputs have";
    let stars = stage.select.wildcards().into_iter();
    stars
        .map(|star| {
            warning(stage, Code::SelectStar, message.to_owned(), Some(star))
                .help("name the columns, so that none is published unseen")
        })
        .collect()
}

fn unjoined(stage: &Parsed<'_>) -> Diagnostics {
    let message = "every row of this table is paired with every row of the others";
    let tables = stage.select.unjoined_tables().into_iter();
    tables
        .map(|table| {
            warning(stage, Code::CrossJoin, message.to_owned(), Some(table))
                .help("give the condition with `ON`; where it is meant, write `CROSS JOIN`")
        })
        .collect()
}

fn mixed_time(stage: &Parsed<'_>, mixed: &MixedTime) -> Diagnostic {
    let message = format!("an instant is compared with {}, which is taken to be UTC", mixed.with);
    let help = match mixed.with {
        "a day" => "compare days with `local_date(…)`, or instants with `$as_of`",
        _ => "compare with an instant, such as `$as_of` or a text that ends in its offset",
    };
    warning(stage, Code::MixedTime, message, mixed.place).help(help)
}

fn float_money(stage: &Parsed<'_>, schema: &Schema) -> Diagnostics {
    let fields = schema.fields().iter();
    fields
        .filter(|field| *field.data_type() == DataType::Float64 && is_money(field.name()))
        .map(|field| {
            let message = format!("`{}` sounds like money but is a `double`", field.name());
            let place = stage.select.output(field.name());
            warning(stage, Code::FloatMoney, message, place)
                .help("`CAST` it to `DECIMAL(18, 4)`, and what it is computed from")
        })
        .collect()
}

fn is_money(name: &str) -> bool {
    let has = |words: &[&str]| name.split('_').any(|word| words.contains(&word));
    has(MONEY) && !has(NO_MONEY)
}

/// Warns of sources and variables that no stage on the way to a mart uses.
pub(super) fn unused(
    scope: &Scope<'_>,
    needed: &[&Parsed<'_>],
    place: &Place<'_>,
    found: &mut Diagnostics,
) {
    let spec = scope.spec;
    let reads = |table: &str| {
        let reads = |stage: &Parsed<'_>| {
            stage.select.tables.contains(table)
                || stage.checks.iter().any(|check| check.reads(table))
        };
        needed.iter().copied().any(reads)
    };
    let links = |source: &str| {
        let identity = spec.pipeline.identity.iter();
        identity.flat_map(|identity| identity.links.iter()).any(|(name, _)| name == source)
    };
    for (name, _) in spec.pipeline.sources.iter() {
        if !reads(name) && !links(name) {
            let message = format!("no mart needs the source `{name}`");
            let place = place.child("sources").child(name);
            found.push(place.key_warning(Code::UnusedSource, message));
        }
    }
    let uses = |variable: &str| {
        let uses = |stage: &Parsed<'_>| {
            let in_sql = stage.select.parameters.iter().any(|used| used.name == variable);
            in_sql || stage.checks.iter().any(|check| check.uses(variable))
        };
        needed.iter().copied().any(uses)
    };
    for (name, _) in spec.pipeline.variables.iter() {
        if !uses(name) {
            let message = format!("nothing uses the variable `{name}`");
            let place = place.child("variables").child(name);
            found.push(place.key_warning(Code::UnusedVariable, message));
        }
    }
    found.retain(|warning| {
        let unused = matches!(warning.code, Code::UnusedSource | Code::UnusedVariable);
        !unused || !is_allowed(&spec.file, warning.code)
    });
}
