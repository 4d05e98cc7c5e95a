//! Tables that are replaced in part: a run makes some files anew, and the others are carried over.
//!
//! A file that is carried stays where it is, so it costs a night nothing, and its commit to the Delta table names only
//! what came and what went.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{TableFile, TableHistory, TableRecord};

impl TableRecord {
    /// Makes the record of a table of which nothing but its files is known.
    pub(crate) fn of(files: Vec<TableFile>) -> Self {
        let rows = files.iter().map(|file| file.rows).sum();
        Self {
            description: None,
            rows,
            columns: BTreeMap::new(),
            not_additive: BTreeSet::new(),
            files,
            history: None,
        }
    }

    /// Adds the files of the table as it was before that `is_carried` picks; what they are replaced by is here already.
    ///
    /// The files are in order of their nights, then of their dates, so the same parts make the same record.
    pub(crate) fn carrying(
        mut self,
        former: &Self,
        is_carried: impl Fn(&TableFile) -> bool,
    ) -> Self {
        self.files.extend(former.files.iter().filter(|file| is_carried(file)).cloned());
        self.files.sort_by_key(|file| (file.as_of, file.dates));
        self.rows = self.files.iter().map(|file| file.rows).sum();
        self
    }

    /// Makes the record one of the night `as_of`, and adds the files of all other nights.
    pub(crate) fn beside_other_nights(
        mut self,
        former: Option<&Self>,
        as_of: NaiveDate,
        types: BTreeMap<String, String>,
    ) -> Self {
        for file in &mut self.files {
            file.as_of = Some(as_of);
        }
        let mut history = TableHistory { as_of, types };
        let Some(former) = former else { return Self { history: Some(history), ..self } };
        if let Some(known) = &former.history {
            history.types.extend(known.types.clone());
        }
        let is_other = |file: &TableFile| file.as_of.is_some_and(|night| night != as_of);
        Self { history: Some(history), ..self }.carrying(former, is_other)
    }

    /// Returns the files of the night that was computed last: all, where the table has no history.
    pub(crate) fn last_night(&self) -> impl Iterator<Item = &TableFile> {
        let night = self.history.as_ref().map(|history| history.as_of);
        self.files.iter().filter(move |file| night.is_none() || file.as_of == night)
    }

    /// Returns all files, those of the night that was computed last before the others.
    pub(crate) fn last_night_first(&self) -> Vec<&TableFile> {
        let night = self.history.as_ref().map(|history| history.as_of);
        let mut files: Vec<&TableFile> = self.files.iter().collect();
        files.sort_by_key(|file| night.is_some() && file.as_of != night);
        files
    }

    /// Counts the rows of the night that was computed last.
    pub(crate) fn rows_of_last_night(&self) -> u64 {
        self.last_night().map(|file| file.rows).sum()
    }

    /// Returns the nights whose rows the table holds; none where it has no history.
    pub(crate) fn nights(&self) -> BTreeSet<NaiveDate> {
        self.files.iter().filter_map(|file| file.as_of).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::NaiveDate;

    use crate::warehouse::{TableFile, TableRecord};

    fn night(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, day).unwrap()
    }

    fn written(path: &str, rows: u64) -> TableRecord {
        let (path, checksum) = (path.to_owned(), String::new());
        TableRecord::of(vec![TableFile { path, rows, checksum, ..TableFile::default() }])
    }

    fn types(column: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(column.to_owned(), "integer".to_owned())])
    }

    fn paths(record: &TableRecord) -> Vec<&str> {
        record.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn a_night_takes_the_place_of_itself_and_stands_beside_the_others() {
        let second = written("b", 2).beside_other_nights(None, night(2), types("old"));
        let third = written("c", 3).beside_other_nights(Some(&second), night(3), types("new"));
        let first = written("a", 1).beside_other_nights(Some(&third), night(1), types("new"));
        let again = written("d", 4).beside_other_nights(Some(&first), night(2), types("new"));
        assert_eq!(paths(&again), ["a", "d", "c"]);
        assert_eq!((again.rows, again.rows_of_last_night()), (8, 4));
        assert_eq!(again.nights().into_iter().collect::<Vec<_>>(), [night(1), night(2), night(3)]);
        let known = again.history.unwrap().types;
        assert_eq!(known.keys().collect::<Vec<_>>(), ["new", "old"]);
    }

    #[test]
    fn a_table_without_nights_is_no_night_of_a_history() {
        let record =
            written("b", 2).beside_other_nights(Some(&written("a", 1)), night(1), types("x"));
        assert_eq!((paths(&record), record.rows), (vec!["b"], 2));
        let present = written("a", 1);
        assert_eq!((present.rows_of_last_night(), present.nights().len()), (1, 0));
    }
}
