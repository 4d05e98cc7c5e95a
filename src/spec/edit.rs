//! Writes columns into the file beside a stage and leaves everything else as its author wrote it.

use super::load::SidecarSpec;
use super::positions::PositionMap;

/// A column as it is to be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeclaredColumn {
    pub(crate) name: String,
    pub(crate) data_type: String,
}

/// The columns stand in a way that cannot be edited line by line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InBraces;

/// Returns the text of a sidecar that declares exactly `columns`, in their order.
///
/// What is declared keeps its lines, comments, description and checks; only a type that differs is
/// replaced. A column that is no longer there is removed; comments above it stay.
pub(crate) fn with_columns(
    sidecar: Option<&SidecarSpec>,
    columns: &[DeclaredColumn],
) -> Result<String, InBraces> {
    let Some(sidecar) = sidecar else {
        return Ok(section(columns, "\n"));
    };
    let text = Text::new(&sidecar.file.text);
    if sidecar.sidecar.columns.is_empty() {
        return Ok(text.with_section(&sidecar.positions, columns));
    }
    let declared: Vec<&str> = sidecar.sidecar.columns.iter().map(|(name, _)| name).collect();
    let entries = text.entries(&sidecar.positions, &declared)?;
    Ok(text.with_entries(&sidecar.positions, &entries, columns))
}

/// Returns a section of its own.
fn section(columns: &[DeclaredColumn], line_end: &str) -> String {
    let lines = columns.iter().map(|column| line("  ", column));
    ["columns:".to_owned()].into_iter().chain(lines).map(|line| line + line_end).collect()
}

fn line(indent: &str, column: &DeclaredColumn) -> String {
    format!("{indent}{}: {{ type: {} }}", column.name, quoted(&column.data_type))
}

/// Quotes a type that would be read as two values inside braces.
fn quoted(data_type: &str) -> String {
    if data_type.contains(',') { format!("\"{data_type}\"") } else { data_type.to_owned() }
}

/// A text and how its lines end.
struct Text<'a> {
    text: &'a str,
    line_end: &'static str,
}

/// The lines of one declared column, and what stands above them since the column before.
struct Entry {
    name: String,
    lead: String,
    body: String,
}

impl<'a> Text<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, line_end: if text.contains("\r\n") { "\r\n" } else { "\n" } }
    }

    fn line_start(&self, byte: usize) -> usize {
        self.text[..byte].rfind('\n').map_or(0, |end| end + 1)
    }

    /// Returns where the line ends that holds a byte, with its line end.
    fn line_stop(&self, byte: usize) -> usize {
        self.text[byte..].find('\n').map_or(self.text.len(), |end| byte + end + 1)
    }

    /// Adds a section of columns to a text that declares none.
    fn with_section(&self, positions: &PositionMap, columns: &[DeclaredColumn]) -> String {
        let section = section(columns, self.line_end);
        let stands = |key: &str| !positions.key(&[key]).is_empty();
        if stands("columns") {
            let start = self.line_start(positions.key(&["columns"]).start);
            let value = positions.value(&["columns"]);
            let stop = self.line_stop(value.end.saturating_sub(1).max(start));
            return format!("{}{section}{}", &self.text[..start], &self.text[stop..]);
        }
        let at = if stands("description") {
            self.line_stop(positions.value(&["description"]).end.saturating_sub(1))
        } else {
            let following = ["checks", "tests"].into_iter().filter(|key| stands(key));
            let starts = following.map(|key| self.line_start(positions.key(&[key]).start));
            starts.min().unwrap_or(self.text.len())
        };
        let (before, after) = self.text.split_at(at);
        let gap = if before.is_empty() || before.ends_with('\n') { "" } else { self.line_end };
        format!("{before}{gap}{section}{after}")
    }

    /// Takes the section of columns apart.
    fn entries(&self, positions: &PositionMap, declared: &[&str]) -> Result<Vec<Entry>, InBraces> {
        let mut from = self.line_stop(positions.key(&["columns"]).start);
        let mut entries = Vec::new();
        for &name in declared {
            let key = positions.key(&["columns", name]);
            let start = self.line_start(key.start);
            if start < from || !self.text[start..key.start].trim().is_empty() {
                return Err(InBraces);
            }
            let value = positions.value(&["columns", name]);
            let stop = self.line_stop(value.end.saturating_sub(1).max(key.start));
            entries.push(Entry {
                name: name.to_owned(),
                lead: self.text[from..start].to_owned(),
                body: self.text[start..stop].to_owned(),
            });
            from = stop;
        }
        Ok(entries)
    }

    /// Puts the section together again, with the columns there are now.
    fn with_entries(
        &self,
        positions: &PositionMap,
        entries: &[Entry],
        columns: &[DeclaredColumn],
    ) -> String {
        let start = self.line_stop(positions.key(&["columns"]).start);
        let stop = start + entries.iter().map(|e| e.lead.len() + e.body.len()).sum::<usize>();
        let indent = entries
            .first()
            .map_or("  ", |entry| &entry.body[..entry.body.len() - entry.body.trim_start().len()]);
        let mut section = String::new();
        let mut kept = Vec::new();
        for column in columns {
            let entry = entries.iter().find(|entry| entry.name == column.name);
            let lines = match entry {
                Some(entry) => format!("{}{}", entry.lead, self.retyped(positions, entry, column)),
                None => line(indent, column),
            };
            // Comments above a column that is gone stay where they stood.
            section.extend(entry.map(|entry| orphans(entries, &entry.name, columns, &mut kept)));
            section += &lines;
            if !section.ends_with('\n') {
                section += self.line_end;
            }
        }
        let last: String = entries
            .iter()
            .filter(|entry| !columns.iter().any(|column| column.name == entry.name))
            .filter(|entry| !kept.contains(&entry.name))
            .map(|entry| entry.lead.as_str())
            .collect();
        format!("{}{section}{last}{}", &self.text[..start], &self.text[stop..])
    }

    /// Returns the lines of a column with the type it has now.
    fn retyped(&self, positions: &PositionMap, entry: &Entry, column: &DeclaredColumn) -> String {
        let span = positions.value(&["columns", &entry.name, "type"]);
        let key = positions.key(&["columns", &entry.name]);
        let written = self.text[span.clone()].trim_matches(['"', '\'']);
        let offset = self.line_start(key.start);
        if written == column.data_type || span.start < offset {
            return entry.body.clone();
        }
        let (from, to) = (span.start - offset, span.end - offset);
        format!("{}{}{}", &entry.body[..from], quoted(&column.data_type), &entry.body[to..])
    }
}

/// Returns what stands above the columns that are gone and stood just before `name`.
fn orphans(
    entries: &[Entry],
    name: &str,
    columns: &[DeclaredColumn],
    kept: &mut Vec<String>,
) -> String {
    let is_gone = |entry: &&Entry| !columns.iter().any(|column| column.name == entry.name);
    let before = entries.iter().take_while(|entry| entry.name != name);
    let mut gone: Vec<&Entry> =
        before.collect::<Vec<_>>().into_iter().rev().take_while(is_gone).collect();
    gone.reverse();
    kept.extend(gone.iter().map(|entry| entry.name.clone()));
    gone.into_iter().map(|entry| entry.lead.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::{DeclaredColumn, InBraces, with_columns};
    use crate::spec::{SourceTree, load};

    const PIPELINE: &str = "version: 1\nname: shop\ntimezone: UTC\ncurrency: EUR\nstages: [sql]\n\
                            sources: {}\npublish: []\n";

    fn edited(sidecar: &str, columns: &[(&str, &str)]) -> Result<String, InBraces> {
        let mut tree = SourceTree::default();
        tree.insert("pipelines/shop.yaml", PIPELINE);
        tree.insert("sql/t.sql", "SELECT 1");
        tree.insert("sql/t.yaml", sidecar);
        let spec = load(&tree, "pipelines/shop.yaml").unwrap();
        let column = |(name, data_type): &(&str, &str)| DeclaredColumn {
            name: (*name).to_owned(),
            data_type: (*data_type).to_owned(),
        };
        let columns: Vec<DeclaredColumn> = columns.iter().map(column).collect();
        with_columns(spec.stages[0].sidecar.as_ref(), &columns)
    }

    #[test]
    fn only_what_differs_is_touched() {
        let sidecar = "\
# What the shop earns.
description: Orders
columns:
  # The key.
  id: { type: integer, description: \"An id, indeed\" } # never reused
  gone: { type: date }

  # What was paid.
  amount:
    type: double
    checks: [{ not_null: true }]
# The rest.
checks:
  - unique: [id]
";
        let columns = [("id", "string"), ("day", "date"), ("amount", "decimal(18,4)")];
        let expected = "\
# What the shop earns.
description: Orders
columns:
  # The key.
  id: { type: string, description: \"An id, indeed\" } # never reused
  day: { type: date }

  # What was paid.
  amount:
    type: \"decimal(18,4)\"
    checks: [{ not_null: true }]
# The rest.
checks:
  - unique: [id]
";
        assert_eq!(edited(sidecar, &columns).unwrap(), expected);
        assert_eq!(edited(expected, &columns).unwrap(), expected);
    }

    #[test]
    fn comments_above_what_is_gone_stay() {
        let sidecar = "columns:\n  # one\n  a: { type: date }\n  # two\n  b: { type: date }\n  # three\n  c: { type: date }\n";
        assert_eq!(
            edited(sidecar, &[("b", "date")]).unwrap(),
            "columns:\n  # one\n  # two\n  b: { type: date }\n  # three\n"
        );
    }

    #[test]
    fn columns_take_their_comments_along_to_another_order() {
        let sidecar = "columns:\n  a: { type: date }\n  # two\n  b: { type: date }";
        assert_eq!(
            edited(sidecar, &[("b", "date"), ("a", "date")]).unwrap(),
            "columns:\n  # two\n  b: { type: date }\n  a: { type: date }\n"
        );
    }

    #[test]
    fn a_section_is_added_where_there_is_none() {
        let columns = [("a", "decimal(18,4)")];
        let section = "columns:\n  a: { type: \"decimal(18,4)\" }\n";
        assert_eq!(edited("", &columns).unwrap(), section);
        assert_eq!(edited("columns: {}\n", &columns).unwrap(), section);
        assert_eq!(
            edited("description: x\nchecks: []\n", &columns).unwrap(),
            format!("description: x\n{section}checks: []\n")
        );
        assert_eq!(
            edited("# top\nchecks: []\n", &columns).unwrap(),
            format!("# top\n{section}checks: []\n")
        );
        assert_eq!(
            edited("description: x", &columns).unwrap(),
            format!("description: x\n{section}")
        );
    }

    #[test]
    fn line_ends_stay_as_they_are() {
        let sidecar = "columns:\r\n  a: { type: date }\r\nchecks: []\r\n";
        assert_eq!(
            edited(sidecar, &[("a", "date"), ("b", "date")]).unwrap(),
            "columns:\r\n  a: { type: date }\r\n  b: { type: date }\r\nchecks: []\r\n"
        );
    }

    #[test]
    fn columns_in_braces_are_left_to_their_author() {
        assert_eq!(edited("columns: { a: { type: date } }\n", &[("b", "date")]), Err(InBraces));
    }
}
