//! The rules of identity and the links of the sources.

use arrow::datatypes::DataType;

use super::place::{Place, name, with_nearest};
use super::source::column_index;
use crate::diagnostics::{Code, Diagnostics};
use crate::engine::RowExpression;
use crate::plan::identity::{
    Guard, Guards, Identifier, Identity, Link, LinkedSource, Pattern, Window,
};
use crate::plan::source::Source;
use crate::plan::sql_diagnostic::bad_condition;
use crate::spec;

/// Reads the identity rules and gives every source its links.
pub(super) fn resolve(
    identity: &spec::Identity,
    sources: &mut [Source],
    declared: &[&str],
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Identity {
    let mut identifiers: Vec<Identifier> = identity
        .identifiers
        .iter()
        .filter_map(|(text, rules)| {
            identifier(text, rules, &place.child("identifiers").child(text), found)
        })
        .collect();
    identifiers.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
    let guards = guards(&identity.guards, &place.child("guards"), found);
    let place = place.child("links");
    let mut linked = Vec::new();
    for (text, links) in identity.links.iter() {
        let place = place.child(text);
        match sources.iter_mut().find(|source| source.name.as_str() == text) {
            Some(source) => {
                let mut resolved =
                    Linking { source, identifiers: &identifiers, found }.links(links, &place);
                resolved.sort_by_key(|link| (link.rank, link.link.column));
                linked.push(linked_source(source, &resolved));
                source.links = resolved.into_iter().map(|ranked| ranked.link).collect();
            }
            // The source is there, with mistakes of its own.
            None if declared.contains(&text) => {}
            None => {
                let message = format!("the pipeline has no source `{text}`");
                let unknown = place.key_error(Code::UnknownSource, message);
                found.push(with_nearest(unknown, text, declared.iter().copied()));
            }
        }
    }
    Identity { identifiers, sources: linked, guards }
}

fn identifier(
    text: &str,
    rules: &spec::Identifier,
    place: &Place<'_>,
    found: &mut Diagnostics,
) -> Option<Identifier> {
    let name = name(text, |message| place.key_error(Code::BadName, message), found)?;
    let limits = [
        ("priority", Some(u64::from(rules.priority))),
        ("max_per_customer", rules.max_per_customer),
        ("max_customers", rules.max_customers),
        ("block_above", rules.block_above),
    ];
    for (key, _) in limits.iter().filter(|(_, limit)| *limit == Some(0)) {
        found.push(place.child(key).error(Code::BadValue, format!("`{key}` is at least 1")));
    }
    if rules.unique && rules.max_per_customer.is_some_and(|limit| limit > 1) {
        let message = "a `unique` identifier has one value per customer";
        let help = "remove `max_per_customer`, or `unique`";
        found.push(place.child("max_per_customer").error(Code::BadValue, message).help(help));
    }
    Some(Identifier {
        name,
        priority: rules.priority,
        unique: rules.unique,
        max_per_customer: rules.max_per_customer,
        max_customers: rules.max_customers,
        block_above: rules.block_above,
        window: window(rules.window.as_deref(), place, found),
        blocked: rules.blocked.clone(),
        blocked_patterns: patterns(&rules.blocked_patterns, place, found),
    })
}

fn patterns(texts: &[String], place: &Place<'_>, found: &mut Diagnostics) -> Vec<Pattern> {
    let place = place.child("blocked_patterns");
    let mut patterns = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match Pattern::parse(text) {
            Ok(pattern) => patterns.push(pattern),
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.lines().last().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ");
                let message = format!("the pattern is no regular expression: {reason}");
                found.push(place.child(index).error(Code::BadValue, message));
            }
        }
    }
    patterns
}

fn window(text: Option<&str>, place: &Place<'_>, found: &mut Diagnostics) -> Option<Window> {
    let text = text?;
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    match days {
        Some(days) if days > 0 => Some(Window { days }),
        _ => {
            let message = format!("`{text}` is no time window");
            let help = "a window is a whole number of days, at least one, such as `365d`";
            found.push(place.child("window").error(Code::BadValue, message).help(help));
            None
        }
    }
}

fn guards(guards: &spec::Guards, place: &Place<'_>, found: &mut Diagnostics) -> Guards {
    let usual = Guards::default();
    let sizes =
        [("max_cluster_size", guards.max_cluster_size), ("max_p999_size", guards.max_p999_size)];
    for (key, guard) in sizes {
        if guard.is_some_and(|guard| guard.limit == 0) {
            found.push(place.child(key).error(Code::BadValue, format!("`{key}` is at least 1")));
        }
    }
    let guard = |given: Option<spec::Guard>, usual| match given {
        Some(spec::Guard { limit, severity }) => {
            Guard { limit, blocks: matches!(severity, spec::CheckSeverity::Error) }
        }
        None => usual,
    };
    Guards {
        max_cluster_size: guard(guards.max_cluster_size, usual.max_cluster_size),
        max_p999_size: guard(guards.max_p999_size, usual.max_p999_size),
        max_merged_percent: guard(guards.max_merged_percent, usual.max_merged_percent),
    }
}

/// What the links of one source are read with.
struct Linking<'a> {
    source: &'a Source,
    identifiers: &'a [Identifier],
    found: &'a mut Diagnostics,
}

/// A link and the rank of its type, 0 being the strongest.
struct Ranked {
    rank: usize,
    link: Link,
    window: Option<Window>,
}

impl Linking<'_> {
    fn links(&mut self, links: &spec::Ordered<spec::LinkRule>, place: &Place<'_>) -> Vec<Ranked> {
        let links = links.iter();
        links.flat_map(|(text, rule)| self.links_of(text, rule, &place.child(text))).collect()
    }

    fn links_of(&mut self, text: &str, rule: &spec::LinkRule, place: &Place<'_>) -> Vec<Ranked> {
        let mut types = self.identifiers.iter();
        let Some(rank) = types.position(|identifier| identifier.name.as_str() == text) else {
            let message = format!("the pipeline declares no identifier `{text}`");
            let unknown = place.key_error(Code::UnknownIdentifier, message);
            let names = self.identifiers.iter().map(|identifier| identifier.name.as_str());
            self.found.push(with_nearest(unknown, text, names));
            return Vec::new();
        };
        if rule.columns.is_empty() {
            self.found.push(place.key_error(Code::BadValue, "the link names no column"));
        }
        let window = window(rule.window.as_deref(), place, self.found);
        let when = rule.when.as_deref().and_then(|when| self.condition(when, place));
        let mut resolved = Vec::new();
        for column in &rule.columns {
            if let Some(column) = self.column(column, place) {
                let identifier = self.identifiers[rank].name.clone();
                let link = Link { identifier, column, when: when.clone() };
                resolved.push(Ranked { rank, link, window });
            }
        }
        resolved
    }

    fn column(&mut self, column: &str, place: &Place<'_>) -> Option<usize> {
        let names = self.source.columns.iter().map(|column| column.name.as_str());
        let names: Vec<&str> = names.collect();
        let index = column_index(column, &names, place, self.found)?;
        if self.source.columns[index].kind.data_type() != DataType::Utf8 {
            let message = format!("the column `{column}` holds no text");
            let help = "identifiers are columns of type `string`, `email` or `phone`";
            self.found.push(place.error(Code::BadValue, message).help(help));
        }
        Some(index)
    }

    /// Plans a condition against the clean columns, so that a wrong one is found without data.
    fn condition(&mut self, when: &str, place: &Place<'_>) -> Option<String> {
        let Err(error) = RowExpression::compile(&self.source.cleaned_schema(), when) else {
            return Some(when.to_owned());
        };
        let names = self.source.columns.iter().map(|column| column.name.as_str());
        let place = place.child("when");
        let made = bad_condition(&error, names, |code, message| place.error(code, message));
        self.found.push(made);
        None
    }
}

/// Says which types a source links, and for how long.
fn linked_source(source: &Source, links: &[Ranked]) -> LinkedSource {
    let mut types: Vec<(_, Option<Window>)> = Vec::new();
    for Ranked { link, window, .. } in links {
        if types.iter().all(|(name, _)| *name != link.identifier) {
            types.push((link.identifier.clone(), *window));
        }
    }
    LinkedSource { name: source.name.clone(), types }
}
