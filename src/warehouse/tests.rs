//! A night is published whole or not at all, whatever fails on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::util::pretty::pretty_format_batches;
use chrono::{DateTime, TimeDelta};
use deltalake_core::DeltaTable;
use deltalake_core::logstore::{StorageConfig, default_logstore};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt};

use super::fault::{Fault, FaultStore};
use super::{
    Claim, Claimed, Commit, GENERATION_VERSION, Generation, TableRecord, Warehouse, WarehouseError,
    Zone, claim,
};
use crate::engine::{FileSummary, ParquetFile, ParquetOptions, Root};
use crate::names::RunId;

const MART: &str = "fact";
const SOURCE: &str = "web";
const TABLES: [(Zone, &str); 2] = [(Zone::Marts, MART), (Zone::Clean, SOURCE)];

type Tables = BTreeMap<Zone, BTreeMap<String, TableRecord>>;

fn opened(store: Arc<dyn ObjectStore>) -> Warehouse {
    let root = Root { store, prefix: Path::from("w"), url: "memory:///".parse().unwrap() };
    Warehouse::open(root, &"shop".parse().unwrap())
}

/// Claims the lease at a moment; `None` where somebody holds it.
async fn leased(
    store: &Arc<dyn ObjectStore>,
    run: &str,
    second: i64,
) -> Result<Option<Warehouse>, WarehouseError> {
    let warehouse = opened(Arc::clone(store));
    let asked = Claim {
        owner: run.to_owned(),
        run_id: run.to_owned(),
        host: None,
        pid: 1,
        duration: TimeDelta::seconds(60),
        clock: Arc::new(move || DateTime::from_timestamp(second, 0).unwrap()),
    };
    match claim(warehouse.root(), warehouse.layout(), asked).await? {
        Claimed::Held(lease) => Ok(Some(warehouse.under(lease))),
        Claimed::Refused(_) => Ok(None),
    }
}

fn batch(night: i64) -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(night), None, Some(-night)]));
    let words: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "ü"]));
    RecordBatch::try_from_iter_with_nullable([("number", numbers, true), ("word", words, false)])
        .unwrap()
}

fn file(folder: &std::path::Path, night: i64) -> FileSummary {
    let (path, batch) = (folder.join(format!("{night}.parquet")), batch(night));
    let options = ParquetOptions::published();
    let mut file = ParquetFile::create(&path, &batch.schema(), options).unwrap();
    file.write(&batch).unwrap();
    file.finish().unwrap()
}

/// Publishes a night as `run` does: its tables hold the night's number.
async fn publish(
    warehouse: &Warehouse,
    run: &str,
    night: i64,
) -> Result<Option<u64>, WarehouseError> {
    warehouse.roll_forward().await?;
    let previous = warehouse.current().await?;
    if let Some(current) = previous.as_ref().filter(|current| current.digest == night.to_string()) {
        warehouse.refresh_latest(current).await?;
        return Ok(Some(current.number));
    }
    let number = warehouse.next_number(previous.as_ref().map(|previous| previous.number)).await?;
    let folder = tempfile::tempdir().unwrap();
    let mut tables = Tables::new();
    for (zone, name) in TABLES {
        let path = warehouse.layout().table_file(zone, name, &RunId::new(run), 0);
        let uploaded = warehouse.upload(&file(folder.path(), night), &path).await?;
        let record = TableRecord::of(vec![uploaded]);
        tables.entry(zone).or_default().insert(name.to_owned(), record);
    }
    let generation = generation(number, run, night, tables);
    match warehouse.commit(&generation).await? {
        Commit::Conflict => Ok(None),
        Commit::Committed => {
            warehouse.refresh_latest(&generation).await?;
            Ok(Some(number))
        }
    }
}

fn generation(number: u64, run: &str, night: i64, tables: Tables) -> Generation {
    Generation {
        version: GENERATION_VERSION,
        number,
        pipeline: "shop".to_owned(),
        run_id: run.to_owned(),
        as_of: "2026-01-01".parse().unwrap(),
        timezone: "UTC".to_owned(),
        digest: night.to_string(),
        head: number,
        rules: BTreeMap::new(),
        parts: None,
        states: BTreeMap::new(),
        fence: 0,
        restores: None,
        tables,
    }
}

/// Returns the night that the tables of a generation hold, and checks that it is one.
async fn night_of(warehouse: &Warehouse, generation: &Generation) -> i64 {
    let night: i64 = generation.digest.parse().unwrap();
    let expected = pretty_format_batches(&[batch(night)]).unwrap().to_string();
    for (zone, name) in TABLES {
        let found = warehouse.table(generation, zone, name).await.unwrap();
        assert_eq!(pretty_format_batches(&found).unwrap().to_string(), expected);
    }
    night
}

async fn delta_files(warehouse: &Warehouse, zone: Zone, name: &str) -> BTreeSet<String> {
    let (root, folder) = (warehouse.root(), warehouse.layout().table(zone, name));
    let store = Arc::new(PrefixStore::new(Arc::clone(&root.store), folder.clone()));
    let url = root.url_of(&folder);
    let log = default_logstore(store, Arc::clone(&root.store), &url, &StorageConfig::default());
    let mut table = DeltaTable::new(log);
    table.load().await.unwrap();
    let files = table.snapshot().unwrap().snapshot().try_log_data().unwrap();
    files.iter().map(|file| file.path().into_owned()).collect()
}

fn named_files(generation: &Generation, zone: Zone, name: &str) -> BTreeSet<String> {
    let table = &generation.tables[&zone][name];
    let names = table.files.iter().map(|file| file.path.rsplit('/').next().unwrap().to_owned());
    names.collect()
}

/// Checks that readers see whole nights: of `CURRENT`, of each Delta table, and of `latest/` when it says so.
async fn check_readers(warehouse: &Warehouse, what: &str) -> i64 {
    let current = warehouse.current().await.unwrap().unwrap();
    let night = night_of(warehouse, &current).await;
    for (zone, name) in TABLES {
        let files = delta_files(warehouse, zone, name).await;
        let mut known = Vec::new();
        for number in warehouse.generation_numbers().await.unwrap() {
            let generation = warehouse.generation(number).await.unwrap().unwrap();
            known.push(named_files(&generation, zone, name));
        }
        assert!(known.contains(&files), "{what}: {name} shows {files:?}");
    }
    let marker = warehouse.read(&warehouse.layout().latest_generation()).await.unwrap();
    if marker.is_some_and(|marker| marker == current.number.to_string()) {
        let latest = warehouse.read(&warehouse.layout().latest(MART)).await.unwrap();
        let file = &current.tables[&Zone::Marts][MART].files[0];
        let original = warehouse.read(&warehouse.layout().named(&file.path)).await.unwrap();
        assert_eq!(latest, original, "{what}: latest/ is of another night");
    }
    night
}

/// Checks that everything shows the second night.
async fn check_end(warehouse: &Warehouse, what: &str) {
    assert_eq!(check_readers(warehouse, what).await, 2, "{what}");
    let current = warehouse.current().await.unwrap().unwrap();
    for (zone, name) in TABLES {
        let files = delta_files(warehouse, zone, name).await;
        assert_eq!(files, named_files(&current, zone, name), "{what}: {name}");
    }
    let marker = warehouse.read(&warehouse.layout().latest_generation()).await.unwrap().unwrap();
    assert_eq!(marker, current.number.to_string(), "{what}");
}

async fn after_first_night() -> InMemory {
    let memory = InMemory::new();
    let store: Arc<dyn ObjectStore> = Arc::new(memory.clone());
    let warehouse = leased(&store, "first", 0).await.unwrap().unwrap();
    assert_eq!(publish(&warehouse, "first", 1).await.unwrap(), Some(1));
    memory
}

/// Publishes the second night while one operation fails, checks, repeats; returns false when there was none to fail.
async fn survives(first: &InMemory, fault: Fault, number: usize, for_good: bool) -> bool {
    let what = format!("{fault:?} at {number}, for good: {for_good}");
    let faulty = FaultStore::new(first.fork(), fault, number, for_good);
    let store: Arc<dyn ObjectStore> = Arc::<FaultStore>::clone(&faulty);
    let published = match leased(&store, "second", 100).await {
        Ok(Some(warehouse)) => publish(&warehouse, "second", 2).await,
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    let has_failed = faulty.heal();
    match published {
        Ok(Some(_)) => check_end(&opened(Arc::clone(&store)), &what).await,
        Ok(None) | Err(_) => {
            check_readers(&opened(Arc::clone(&store)), &what).await;
        }
    }
    let warehouse = leased(&store, "third", 200).await.unwrap().unwrap();
    let was_decided = warehouse.generation(2).await.unwrap().is_some();
    let current = publish(&warehouse, "third", 2).await.unwrap().unwrap();
    assert!(!was_decided || current == 2, "{what}: a night that was decided is published again");
    check_end(&warehouse, &what).await;
    has_failed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_operation_that_fails_in_any_way_shows_half_a_night() {
    let first = after_first_night().await;
    for fault in Fault::ALL {
        let mut number = 0;
        while survives(&first, *fault, number, false).await {
            number += 1;
        }
        assert!(number > 40, "only {number} operations");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_store_that_goes_wrong_for_good_shows_half_a_night() {
    let first = after_first_night().await;
    for fault in Fault::ALL {
        let mut number = 0;
        while survives(&first, *fault, number, true).await {
            number += 1;
        }
        assert!(number > 40, "only {number} operations");
    }
}

#[tokio::test]
async fn a_run_that_has_lost_its_lease_publishes_nothing() {
    let store: Arc<dyn ObjectStore> = Arc::new(after_first_night().await);
    let zombie = leased(&store, "zombie", 100).await.unwrap().unwrap();
    let living = leased(&store, "living", 161).await.unwrap().unwrap();
    let error = publish(&zombie, "zombie", 3).await.unwrap_err();
    assert!(matches!(error, WarehouseError::LeaseLost { .. }), "{error}");
    assert_eq!(publish(&living, "living", 2).await.unwrap(), Some(2));
    check_end(&living, "after the zombie").await;
    let current = living.current().await.unwrap().unwrap();
    assert_eq!(current.fence, 3);
}

#[tokio::test]
async fn a_writer_that_comes_too_late_does_not_take_tables_back() {
    let store: Arc<dyn ObjectStore> = Arc::new(after_first_night().await);
    let warehouse = leased(&store, "second", 100).await.unwrap().unwrap();
    let old = warehouse.current().await.unwrap().unwrap();
    publish(&warehouse, "second", 2).await.unwrap();
    // What a process does that fell asleep right after it had decided on the first generation.
    warehouse.follow(&old).await.unwrap();
    check_end(&warehouse, "after the late writer").await;
}

#[tokio::test]
async fn a_run_that_is_cut_off_behind_its_decision_knows_it() {
    let store: Arc<dyn ObjectStore> = Arc::new(after_first_night().await);
    let warehouse = leased(&store, "second", 100).await.unwrap().unwrap();
    assert_eq!(warehouse.decided_by(&RunId::new("second")).await.unwrap(), None);
    publish(&warehouse, "second", 2).await.unwrap();
    assert_eq!(warehouse.decided_by(&RunId::new("second")).await.unwrap(), Some(2));
    assert_eq!(warehouse.decided_by(&RunId::new("first")).await.unwrap(), None);
}

#[tokio::test]
async fn a_repeated_commit_writes_no_version() {
    let store: Arc<dyn ObjectStore> = Arc::new(after_first_night().await);
    let warehouse = leased(&store, "second", 100).await.unwrap().unwrap();
    let current = warehouse.current().await.unwrap().unwrap();
    let log = warehouse.layout().table(Zone::Marts, MART).join("_delta_log");
    let versions = || async { warehouse.list(&log).await.unwrap().len() };
    let before = versions().await;
    warehouse.follow(&current).await.unwrap();
    assert_eq!(versions().await, before);
}

#[tokio::test]
async fn a_delta_table_tells_types_comments_statistics_and_its_generation() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let warehouse = leased(&store, "first", 0).await.unwrap().unwrap();
    publish(&warehouse, "first", 1).await.unwrap();
    let log = warehouse.layout().table(Zone::Marts, MART).join("_delta_log");
    let text = store.get(&log.join("00000000000000000000.json")).await.unwrap();
    let text = String::from_utf8(text.bytes().await.unwrap().to_vec()).unwrap();
    let actions: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let action = |name: &str| {
        actions.iter().find_map(|action| action.get(name)).unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(action("protocol")["minReaderVersion"], 1);
    assert_eq!(action("protocol")["minWriterVersion"], 2);
    assert_eq!(action("txn")["appId"], "martlet");
    assert_eq!(action("txn")["version"], 1);
    let schema: serde_json::Value =
        serde_json::from_str(action("metaData")["schemaString"].as_str().unwrap()).unwrap();
    assert_eq!(schema["fields"][0]["name"], "number");
    assert_eq!(schema["fields"][0]["type"], "long");
    assert_eq!(schema["fields"][1]["type"], "string");
    let statistics: serde_json::Value =
        serde_json::from_str(action("add")["stats"].as_str().unwrap()).unwrap();
    let expected = serde_json::json!({
        "numRecords": 3,
        "minValues": { "number": -1, "word": "a" },
        "maxValues": { "number": 1, "word": "ü" },
        "nullCount": { "number": 1, "word": 0 },
    });
    assert_eq!(statistics, expected);
}

#[tokio::test]
async fn an_upload_that_is_given_up_is_aborted_in_the_store() {
    let faulty = FaultStore::new(InMemory::new(), Fault::Stall, usize::MAX, false);
    let warehouse = opened(Arc::<FaultStore>::clone(&faulty));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    std::fs::write(&path, vec![0; 40 << 20]).unwrap();
    let file = FileSummary { path, rows: 0, bytes: 40 << 20 };
    let object = warehouse.layout().table_file(Zone::Marts, MART, &RunId::new("r"), 0);
    let mut upload = Box::pin(warehouse.upload(&file, &object));
    // It has begun as soon as the store was asked for an upload in parts.
    while futures::poll!(upload.as_mut()).is_pending() && !faulty.has_stalled() {
        tokio::task::yield_now().await;
    }
    drop(upload);
    assert_eq!(faulty.aborted.load(Ordering::Relaxed), 0);
    warehouse.abort_uploads().await;
    assert_eq!(faulty.aborted.load(Ordering::Relaxed), 1);
}

/// Publishes a table of one file for each of these nights.
async fn publish_nights(warehouse: &Warehouse, number: u64, nights: &[i64]) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for night in nights {
        let run = RunId::new(&format!("r{night}"));
        let path = warehouse.layout().table_file(Zone::Clean, SOURCE, &run, 0);
        files.push(warehouse.upload(&file(folder.path(), *night), &path).await.unwrap());
    }
    let record = TableRecord::of(files);
    let tables = BTreeMap::from([(Zone::Clean, BTreeMap::from([(SOURCE.to_owned(), record)]))]);
    let committed = warehouse.commit(&generation(number, "r", 0, tables)).await.unwrap();
    assert_eq!(committed, Commit::Committed);
}

#[tokio::test]
async fn a_delta_table_is_told_only_what_has_changed() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let warehouse = leased(&store, "first", 0).await.unwrap().unwrap();
    publish_nights(&warehouse, 1, &[1, 2, 3]).await;
    publish_nights(&warehouse, 2, &[2, 3, 4]).await;
    let log = warehouse.layout().table(Zone::Clean, SOURCE).join("_delta_log");
    let mut told = Vec::new();
    for version in 0..2 {
        let text = warehouse.read(&log.clone().join(format!("{version:020}.json"))).await.unwrap();
        for line in String::from_utf8(text.unwrap().to_vec()).unwrap().lines() {
            let action: serde_json::Value = serde_json::from_str(line).unwrap();
            for kind in
                ["add", "remove", "metaData"].iter().filter(|kind| action.get(kind).is_some())
            {
                let action = &action[*kind];
                let path = action["path"].as_str().unwrap_or_default();
                told.push(format!("{version} {kind} {path}"));
            }
        }
    }
    let expected = [
        "0 metaData ",
        "0 add r1-0.parquet",
        "0 add r2-0.parquet",
        "0 add r3-0.parquet",
        "1 remove r1-0.parquet",
        "1 add r4-0.parquet",
    ];
    assert_eq!(told, expected);
}
