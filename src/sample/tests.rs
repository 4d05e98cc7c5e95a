use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::options::{Options, SampleError};
use super::source::Source;
use super::tally::{SourceSummary, Summary};
use super::{dirt, write};
use crate::sample::write::write_in_chunks;

/// The options of the sample in `data/raw`; its README tells them as a command.
fn committed(out: &Path) -> Options {
    Options {
        customers: 400,
        days: 120,
        seed: 2026,
        last_day: NaiveDate::from_ymd_opt(2026, 1, 30).unwrap(),
        activity: 75,
        threads: 2,
        out: out.to_owned(),
    }
}

fn small(out: &Path) -> Options {
    Options { customers: 120, days: 20, activity: 100, ..committed(out) }
}

/// Makes a sample of several chunks.
fn make(options: &Options) -> Summary {
    write_in_chunks(options, 40, &|_| ()).unwrap()
}

/// Returns every file below a folder: path and text, unpacked.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, unpacked(&path));
            }
        }
    }
    found
}

fn unpacked(path: &Path) -> Vec<u8> {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_none_or(|ending| ending != "gz") {
        return bytes;
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
    text
}

fn of_source(files: &BTreeMap<String, Vec<u8>>, source: Source) -> Vec<(&str, Vec<&[u8]>)> {
    let folder = format!("{}/", source.folder());
    let skipped = usize::from(source.header().is_some());
    let lines = |text| <[u8]>::split_inclusive(text, |byte| *byte == b'\n').skip(skipped);
    files
        .iter()
        .filter(|(path, _)| path.starts_with(&folder))
        .map(|(path, text)| (path.as_str(), lines(text).collect()))
        .collect()
}

/// Returns the values of some fields of a good line.
fn fields(source: Source, line: &[u8], names: &[&str]) -> Vec<String> {
    if let Some(header) = source.header() {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
        let row = reader.records().next().unwrap().unwrap();
        let place = |name: &&str| header.split(',').position(|column| column == *name).unwrap();
        return names.iter().map(|name| row[place(name)].to_owned()).collect();
    }
    let row: Value = serde_json::from_slice(line).unwrap();
    names.iter().map(|name| row[name].to_string()).collect()
}

/// Returns the key of a source and the column that tells its versions apart.
fn key(source: Source) -> (Vec<&'static str>, Option<&'static str>) {
    match source {
        Source::WebEvents | Source::AppEvents => (vec!["event_id"], None),
        Source::OnlineOrders => (vec!["order_id"], Some("updated_at")),
        Source::OnlineOrderLines => (vec!["order_id", "line_no"], None),
        Source::StoreSales => (vec!["receipt_id", "line_no"], None),
        Source::Campaigns => (vec!["campaign_id"], Some("updated_at")),
        Source::CampaignCosts => (vec!["date", "campaign_id"], Some("reported_at")),
        Source::CampaignSends => (vec!["send_id"], Some("updated_at")),
        Source::CrmCustomers => (vec!["user_id"], Some("updated_at")),
        Source::Products => (vec!["sku"], Some("updated_at")),
        Source::ExchangeRates => (vec!["date", "currency"], None),
    }
}

/// Counts anew what a summary tells of a source, from its files alone.
fn recount(root: &Path, files: &BTreeMap<String, Vec<u8>>, source: Source) -> SourceSummary {
    let (key, version) = key(source);
    let (mut keys, mut versions) = (BTreeSet::new(), BTreeSet::new());
    let mut counted = SourceSummary::default();
    for (path, lines) in of_source(files, source) {
        counted.files += 1;
        counted.bytes += fs::metadata(root.join(path)).unwrap().len();
        counted.rows += lines.len() as u64;
        for line in lines {
            if let Some(flaw) = dirt::tests::recognise(source, line) {
                *counted.dirty.entry(flaw).or_default() += 1;
                continue;
            }
            counted.late += u64::from(path.contains("-late"));
            let name = fields(source, line, &key);
            versions.insert((name.clone(), version.map(|column| fields(source, line, &[column]))));
            keys.insert(name);
        }
    }
    counted.first = keys.len() as u64;
    counted.versions = versions.len() as u64 - counted.first;
    let broken: u64 = counted.dirty.values().sum();
    counted.duplicates = counted.rows - versions.len() as u64 - broken;
    counted
}

/// Returns the counts with all flaws that make a row unreadable under one name.
fn as_recognised(source: Source, summary: &SourceSummary) -> SourceSummary {
    let mut dirty = BTreeMap::new();
    for (name, count) in &summary.dirty {
        *dirty.entry(dirt::tests::known_as(source, name)).or_default() += count;
    }
    SourceSummary { dirty, ..summary.clone() }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let [one, four] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let made = make(&Options { threads: 1, ..small(one.path()) });
    assert_eq!(made, make(&Options { threads: 4, ..small(four.path()) }));
    let [one, four] = [one, four].map(|folder| packed(folder.path()));
    assert_eq!(one.keys().collect::<Vec<_>>(), four.keys().collect::<Vec<_>>());
    assert!(one == four, "the files differ");
}

/// Returns every file below a folder as it is stored.
fn packed(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let names = files(root).into_keys();
    names.map(|name| (name.clone(), fs::read(root.join(&name)).unwrap())).collect()
}

#[test]
fn another_seed_makes_another_sample() {
    let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    make(&small(one.path()));
    make(&Options { seed: 8, ..small(other.path()) });
    let [one, other] = [one, other].map(|folder| files(folder.path()));
    assert!(
        one["exchange_rates/dt=2026-01-30/part-0000.csv"]
            != other["exchange_rates/dt=2026-01-30/part-0000.csv"]
    );
}

#[test]
fn what_was_planted_is_what_the_files_hold() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { days: 45, ..small(folder.path()) };
    let summary = make(&options);
    let files = files(folder.path());
    for source in Source::ALL {
        let told = &summary.sources[source.name()];
        let counted = recount(folder.path(), &files, source);
        assert_eq!(counted, as_recognised(source, told), "{source:?}");
    }
    let web = &summary.sources["web_events"];
    let broken: u64 = web.dirty.values().sum();
    assert!(web.late > 0 && web.duplicates * 100 > web.rows && broken * 200 > web.rows);
}

#[test]
fn late_rows_lie_in_the_folder_of_a_later_day() {
    let folder = tempfile::tempdir().unwrap();
    make(&small(folder.path()));
    let files = files(folder.path());
    for (path, lines) in of_source(&files, Source::OnlineOrders) {
        let day = &path["orders/dt=".len()..][..10];
        for line in lines {
            if dirt::tests::recognise(Source::OnlineOrders, line).is_some() {
                continue;
            }
            let updated = &fields(Source::OnlineOrders, line, &["updated_at"])[0][1..11];
            if path.contains("-late") || path.contains("-again") {
                assert!(updated < day, "{path} {updated}");
            } else {
                assert_eq!(updated, day, "{path}");
            }
        }
    }
}

/// Returns the sources of the pipeline that reads the sample.
fn pipeline_sources() -> serde_yaml::Mapping {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pipelines/nightly.yaml");
    let pipeline: serde_yaml::Value = serde_yaml::from_slice(&fs::read(path).unwrap()).unwrap();
    pipeline["sources"].as_mapping().unwrap().clone()
}

#[test]
fn every_file_belongs_to_a_source_of_the_pipeline() {
    let folder = tempfile::tempdir().unwrap();
    make(&small(folder.path()));
    let mut unclaimed: BTreeSet<String> = files(folder.path()).into_keys().collect();
    unclaimed.retain(|path| !path.starts_with("truth/"));
    for (name, source) in pipeline_sources() {
        let pattern = source["path"].as_str().unwrap().replace("{date}", "????-??-??");
        let matcher = globset::GlobBuilder::new(&pattern)
            .literal_separator(true)
            .build()
            .unwrap()
            .compile_matcher();
        let before = unclaimed.len();
        unclaimed.retain(|path| !matcher.is_match(path));
        assert!(unclaimed.len() < before, "{name:?} has no file");
    }
    assert_eq!(unclaimed, BTreeSet::new());
}

#[test]
fn every_column_of_the_pipeline_is_found_in_the_files() {
    let folder = tempfile::tempdir().unwrap();
    make(&small(folder.path()));
    let files = files(folder.path());
    let declared = pipeline_sources();
    for source in Source::ALL {
        let found = raw_fields(&files, source);
        for (column, rules) in declared[source.name()]["columns"].as_mapping().unwrap() {
            let from = rules["from"].as_str().unwrap_or(column.as_str().unwrap());
            assert!(found.contains(from), "{source:?} {from}");
        }
    }
}

/// Returns the names of all fields of a source, nested ones with a dot.
fn raw_fields(files: &BTreeMap<String, Vec<u8>>, source: Source) -> BTreeSet<String> {
    if let Some(header) = source.header() {
        return header.split(',').map(str::to_owned).collect();
    }
    let mut names = BTreeSet::new();
    for line in of_source(files, source).into_iter().flat_map(|(_, lines)| lines) {
        let Ok(Value::Object(row)) = serde_json::from_slice(line) else {
            continue;
        };
        for (name, value) in row {
            for inner in value.as_object().into_iter().flat_map(|value| value.keys()) {
                names.insert(format!("{name}.{inner}"));
            }
            names.insert(name);
        }
    }
    names
}

#[test]
fn the_committed_sample_is_what_its_command_makes() {
    let folder = tempfile::tempdir().unwrap();
    let summary = write(&committed(folder.path()), &|_| ()).unwrap();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("data/raw");
    let mut kept = files(&root);
    kept.retain(|path, _| !path.starts_with("online_retail/"));
    let made = files(folder.path());
    assert_eq!(kept.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (path, text) in &made {
        assert!(&kept[path] == text, "{path} differs");
    }
    let bytes: u64 = summary.sources.values().map(|source| source.bytes).sum();
    assert!(bytes < 3_000_000, "{bytes}");
}

#[test]
fn most_buyers_buy_once_and_few_buy_a_lot() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { customers: 1500, days: 30, activity: 1, ..small(folder.path()) };
    let world = super::world::World::new(&options, 1500);
    let chunk = super::chunk::Chunk::plan(&world, 0);
    let mut bought = vec![0_usize; 1500];
    chunk.purchases.iter().for_each(|purchase| bought[purchase.person as usize] += 1);
    bought.retain(|count| *count > 0);
    bought.sort_unstable();
    let once = bought.iter().filter(|count| **count == 1).count();
    let best: usize = bought.iter().rev().take(bought.len() / 20).sum();
    assert!(once * 2 > bought.len(), "{once} of {}", bought.len());
    assert!(best * 5 > bought.iter().sum::<usize>(), "{best}");
}

#[test]
fn a_campaign_that_works_causes_the_purchases_it_should() {
    let folder = tempfile::tempdir().unwrap();
    make(&Options { customers: 3000, days: 10, activity: 1, ..small(folder.path()) });
    let truth = String::from_utf8(files(folder.path())["truth/campaigns.csv"].clone()).unwrap();
    let newsletter = truth.lines().find(|line| line.contains(",email,50000,")).unwrap();
    let numbers: Vec<f64> =
        newsletter.split(',').skip(2).map(|text| text.parse().unwrap()).collect();
    let [_, treated, control, caused, _] = numbers[..] else { panic!("{newsletter}") };
    assert!((0.03..0.08).contains(&(caused / treated)), "{newsletter}");
    assert!((0.07..0.13).contains(&(control / (treated + control))), "{newsletter}");
}

#[test]
fn a_former_sample_is_replaced_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("online_retail");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("a.csv"), "a").unwrap();
    make(&small(folder.path()));
    let days = 2;
    let summary = make(&Options { days, ..small(folder.path()) });
    let left = files(folder.path());
    assert_eq!(left["online_retail/a.csv"], b"a");
    let count = of_source(&left, Source::WebEvents).len() as u64;
    assert_eq!(count, summary.sources["web_events"].files);
}

#[test]
fn a_folder_of_somebody_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("web")).unwrap();
    let refused = write(&small(folder.path()), &|_| ()).unwrap_err();
    assert!(matches!(refused, SampleError::Foreign { path } if path.ends_with("web")));
    assert!(folder.path().join("web").exists());
}

#[test]
fn options_out_of_bounds_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = write(&Options { days: 0, ..small(folder.path()) }, &|_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "`days` must lie between 1 and 3650: 0");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
