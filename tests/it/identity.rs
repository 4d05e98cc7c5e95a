//! Who is who: stable over nights, explained, decided by people, guarded.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::harness::{Outcome, Project, copy, martlet, outcome, repository};

const FIRST: &str = "2026-01-03";
const SECOND: &str = "2026-01-04";

/// Days whose nights are run one by one, the last of the sample.
const NIGHTS: [&str; 5] = ["2026-01-27", "2026-01-28", "2026-01-29", "2026-01-30", "2026-01-31"];

/// A small invented retailer with the rules of the shipped pipeline and one tiny mart.
struct Retailer(Project);

/// Which customer each identifier belongs to.
type Owners = BTreeMap<String, String>;

impl Retailer {
    fn new() -> Self {
        let project = Project::empty();
        let raw = project.at("data/raw");
        let flags = ["--customers", "80", "--days", "20", "--seed", "7", "--out"];
        let sample = outcome(martlet().arg("sample").args(flags).arg(&raw));
        assert_eq!(sample.status, Some(0), "{sample:?}");
        let pipeline =
            std::fs::read_to_string(repository().join("pipelines/nightly.yaml")).unwrap();
        let publish = pipeline.find("\npublish:").unwrap();
        let pipeline = format!("{}\npublish: [fact_customers]\n", &pipeline[..publish]);
        let stages = regex::Regex::new("(?m)^stages:.*$").unwrap();
        let name = regex::Regex::new("(?m)^name:.*$").unwrap();
        let pipeline = stages.replace(&pipeline, "stages: [sql]");
        let pipeline = name.replace(&pipeline, "name: shop").into_owned();
        project.write("pipelines/shop.yaml", pipeline);
        project.write(
            "sql/fact_customers.sql",
            "SELECT count(*) AS customers FROM identity_customers",
        );
        copy(&repository().join("config"), &created(&project.at("config")));
        Self(project)
    }

    fn owners(&self) -> Owners {
        let sql = "SELECT concat(identifier_type, ':', value) AS named, customer_id FROM identity.map \
                   WHERE customer_id IS NOT NULL";
        pairs(&self.0.query(sql))
    }

    /// Returns the identifiers of each customer.
    fn groups(&self) -> BTreeSet<BTreeSet<String>> {
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (named, customer) in self.owners() {
            groups.entry(customer).or_default().insert(named);
        }
        groups.into_values().collect()
    }
}

fn created(folder: &Path) -> std::path::PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    folder.to_owned()
}

fn pairs(csv: &str) -> Owners {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

#[test]
fn nights_one_by_one_keep_ids_and_group_like_one_run_over_all() {
    let retailer = Retailer::new();
    let mut before = Owners::new();
    let mut moved = 0;
    for night in NIGHTS {
        retailer.0.publish(night);
        let now = retailer.owners();
        let recorded = "SELECT DISTINCT concat(from_customer_id, '>', customer_id) AS way, change \
                        FROM identity.changes WHERE change IN ('merged', 'split') \
                        AND changed_at = (SELECT max(changed_at) FROM identity.changes)";
        let recorded = pairs(&retailer.0.query(recorded));
        for (identifier, id) in before.iter().filter(|(named, id)| now[*named] != **id) {
            let way = format!("{id}>{}", now[identifier]);
            assert!(
                recorded.contains_key(&way),
                "{identifier} went {way} on {night}: {recorded:?}"
            );
            moved += 1;
        }
        assert!(before.keys().all(|named| now.contains_key(named)));
        before = now;
    }
    assert!(moved > 0, "nothing ever merged: the sample shows nothing");
    // Nothing but the nights is told in the history.
    let overlaps = "SELECT count(*) AS n FROM identity.history AS one JOIN identity.history AS other \
                    ON one.number = other.number AND one.valid_from < other.valid_from \
                    WHERE one.valid_to IS NULL OR one.valid_to > other.valid_from";
    assert_eq!(retailer.0.value(overlaps), "0");
    let open = "SELECT count(*) AS n FROM identity.history WHERE valid_to IS NULL";
    assert_eq!(retailer.0.value(open), before.len().to_string());

    let forced = retailer.0.run_with(NIGHTS[4], &["--force"]);
    assert_eq!(forced.status, Some(0), "{forced:?}");
    assert_eq!(retailer.owners(), before);

    let groups = retailer.groups();
    retailer.0.remove("data/warehouse");
    retailer.0.publish(NIGHTS[4]);
    assert_eq!(retailer.groups(), groups);
}

#[test]
fn a_question_to_an_earlier_generation_is_answered_with_the_ids_of_that_night() {
    let project = Project::shop();
    let ids = |of: &[&str]| {
        let sql = "SELECT DISTINCT email, customer_id FROM clean.orders WHERE email LIKE '%@mail.shop' \
                   UNION SELECT value, customer_id FROM identity.map WHERE identifier_type = 'email'";
        let arguments =
            [&["query", "--pipeline", "shop", "--format", "csv"][..], of, &[sql]].concat();
        let told = project.martlet(&arguments);
        assert_eq!(told.status, Some(0), "{told:?}");
        // Rows and map agree, or an e-mail would stand there twice.
        assert_eq!(told.stdout.lines().count() - 1, pairs(&told.stdout).len(), "{told:?}");
        pairs(&told.stdout)
    };
    project.publish(FIRST);
    let first = ids(&[]);
    assert_ne!(first["ann@mail.shop"], first["bob@mail.shop"]);
    project.publish(SECOND);
    let second = ids(&[]);
    assert_eq!(second["ann@mail.shop"], second["bob@mail.shop"]);
    assert_eq!(ids(&["--generation", "1"]), first);
}

fn explain(project: &Project, arguments: &[&str]) -> Outcome {
    let arguments: Vec<&str> = ["identity"].iter().chain(arguments).copied().collect();
    let outcome = project.martlet(&arguments);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    outcome
}

fn machine(project: &Project, arguments: &[&str]) -> Value {
    let json = ["--format", "json", "--show-personal"];
    let arguments: Vec<&str> = arguments.iter().chain(&json).copied().collect();
    serde_json::from_str(&explain(project, &arguments).stdout).unwrap()
}

#[test]
fn a_customer_is_shown_by_any_identifier_and_by_ids_it_had() {
    let project = Project::shop();
    project.publish(FIRST);
    let bob = project.value("SELECT customer_id FROM identity.map WHERE value = 'bob@mail.shop'");
    project.publish(SECOND);
    let by_value = machine(&project, &["show", "Ann@mail.shop"]);
    let id = by_value["customer_id"].as_str().unwrap();
    let values = by_value["identifiers"].as_array().unwrap().iter();
    let values: Vec<&str> = values.map(|row| row["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["K77", "c1", "ann@mail.shop", "bob@mail.shop"]);
    assert_eq!(machine(&project, &["show", id]), by_value);
    assert_eq!(machine(&project, &["show", "card:k77"]), by_value);
    let objects: BTreeSet<&str> = by_value["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["object"].as_str().unwrap())
        .collect();
    assert!(objects.contains("orders/dt=2026-01-03/a.csv"), "{objects:?}");
    let merged = by_value["changes"].as_array().unwrap().iter();
    let merged: Vec<_> = merged.filter(|row| row["change"] == "merged").collect();
    assert_eq!(merged.len(), 1);
    assert_eq!(
        (&merged[0]["reason"], &merged[0]["right_value"]),
        (&"link".into(), &"bob@mail.shop".into())
    );
    // The id that went leads to the one that stayed.
    assert_eq!(machine(&project, &["show", &bob]), by_value);
    let told = explain(&project, &["show", &bob]);
    assert!(told.stderr.contains(&format!("the customer {bob} is {id} now")), "{}", told.stderr);
    // Nothing that identifies a person is shown unasked.
    assert!(
        !told.stdout.contains("bob@mail.shop") && told.stdout.contains("bo…(13)"),
        "{}",
        told.stdout
    );
}

#[test]
fn the_chain_between_two_identifiers_names_sources_and_objects() {
    let project = Project::shop();
    project.publish(SECOND);
    let why = machine(&project, &["why", "c1", "bob@mail.shop"]);
    assert_eq!(why["one_customer"], true);
    let step = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        [text("left_value"), text("right_value"), text("object")]
    };
    let chain: Vec<_> = why["chain"].as_array().unwrap().iter().map(step).collect();
    let expected = [
        ["c1", "ann@mail.shop", "visits/dt=2026-01-01/a.ndjson"],
        ["K77", "ann@mail.shop", "orders/dt=2026-01-01/a.csv"],
        ["K77", "bob@mail.shop", "orders/dt=2026-01-03/a.csv"],
    ];
    assert_eq!(chain, expected);
    let apart = explain(&project, &["why", "c1", "c3"]);
    assert!(apart.stderr.contains("nothing that was seen connects them"), "{apart:?}");
    for (arguments, message) in [
        (["why", "c1", "nobody"], "no identifier `nobody` was ever seen"),
        (["why", "c1", "cookie:c1"], "are the same identifier"),
    ] {
        let refused = project.martlet(&[&["identity"], &arguments[..]].concat());
        assert_eq!(refused.status, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(message), "{refused:?}");
    }
}

#[test]
fn what_joins_records_that_are_only_alike_is_shown_with_its_weight() {
    let project = Project::of_case("matching");
    project.publish("2026-02-01");
    let why = machine(&project, &["why", "M1001", "M1043"]);
    assert_eq!(why["one_customer"], true);
    let chain = why["chain"].as_array().unwrap();
    assert_eq!((chain.len(), &chain[0]["source"]), (1, &"match".into()));
    assert!(chain[0]["weight"].as_f64().unwrap() > 5.0, "{chain:?}");
    let shown = machine(&project, &["show", "M1043"]);
    assert_eq!(shown["links"].as_array().unwrap().len(), 1);
    assert_eq!(shown["links"][0]["weight"], chain[0]["weight"]);
}

#[test]
fn an_audit_counts_what_comes_together() {
    let project = Project::shop();
    project.publish(SECOND);
    let audit = machine(&project, &["audit"]);
    let cards = audit["cardinalities"].as_array().unwrap().iter();
    let cards: Vec<_> = cards.filter(|row| row["type"] == "card").collect();
    assert_eq!(cards.len(), 1);
    assert_eq!((&cards[0]["linked_type"], &cards[0]["most"]), (&"email".into(), &2.into()));
    assert_eq!(audit["largest_customers"][0]["identifiers"], 4);
    assert_eq!(audit["largest_customers"][0]["email_identifiers"], 2);
    assert_eq!(audit["most_linked_values"].as_array().unwrap().len(), 8);
}

#[test]
fn decisions_of_people_survive_nights_and_rebuilds() {
    let project = Project::shop();
    project.publish(SECOND);
    let id = |value: &str| {
        project.value(&format!("SELECT customer_id FROM identity.map WHERE value = '{value}'"))
    };
    let before = id("ann@mail.shop");
    assert_eq!(id("bob@mail.shop"), before);
    let refused = project.martlet(&["identity", "split", &before, "--keep", "c3"]);
    assert_eq!(refused.status, Some(2), "{refused:?}");
    explain(&project, &["split", "c1", "--keep", "bob@mail.shop", "K77"]);
    // A decision is something new, though no export is.
    project.publish(SECOND);
    assert_eq!((id("bob@mail.shop"), id("K77")), (before.clone(), before.clone()));
    assert_ne!(id("ann@mail.shop"), before);
    assert_eq!(id("ann@mail.shop"), id("c1"));
    assert_eq!(
        project.value("SELECT count(*) AS n FROM identity.conflicts WHERE rule = 'decision'"),
        "1"
    );
    let after = [id("ann@mail.shop"), id("bob@mail.shop")];
    let forced = project.run_with(SECOND, &["--force"]);
    assert_eq!(forced.status, Some(0), "{forced:?}");
    assert_eq!([id("ann@mail.shop"), id("bob@mail.shop")], after);

    explain(&project, &["unlink", "c1", "ann@mail.shop"]);
    project.publish(SECOND);
    assert_ne!(id("c1"), id("ann@mail.shop"));
    // Taking the files away takes the decisions back.
    std::fs::remove_dir_all(project.in_warehouse("restricted/decisions")).unwrap();
    project.publish(SECOND);
    assert_eq!(id("ann@mail.shop"), id("bob@mail.shop"));
    assert_eq!(id("c1"), id("bob@mail.shop"));
}

#[test]
fn a_guard_keeps_a_night_of_giants_from_being_published() {
    let project = Project::shop();
    project.replace_in_pipeline(
        "identity:\n",
        "identity:\n  guards: { max_cluster_size: 3, max_p999_size: { limit: 2, severity: warn } }\n",
    );
    let published = project.publish(FIRST);
    assert!(
        published.stdout.contains("warning: identity max_p999_size(2): 1 rows"),
        "{published:?}"
    );
    let visible = project.visible();
    let blocked = project.run(SECOND);
    assert_eq!(blocked.status, Some(3), "{blocked:?}");
    assert!(project.visible() == visible);
    let report = project.report();
    assert_eq!(report["status"], "checks_failed");
    assert_eq!(
        report["errors"][0],
        "the customers cannot be trusted: a customer has 4 identifiers, more than `max_cluster_size: 3`; \
         most links have card `…(3)` (2), email `an…(13)` (2), cookie `…(2)` (1), email `bo…(13)` (1)"
    );
    assert!(report["help"].as_str().unwrap().contains("identity: guards:"));
}

#[test]
fn a_value_on_a_hundred_thousand_rows_never_becomes_a_customer_of_all() {
    let project = Project::shop();
    let visit = |number: usize| {
        let (at, email) = (1_767_225_600_000_u64, "info@mail.shop");
        format!(
            "{{\"visit_id\": \"w{number}\", \"ts\": {at}, \"client\": {{\"cookie\": \"w{number}\"}}, \"email\": \"{email}\"}}\n"
        )
    };
    project.write(
        "data/raw/visits/dt=2026-01-01/b.ndjson",
        (0..100_000).map(visit).collect::<String>(),
    );
    let blocked = project.run(FIRST);
    assert_eq!(blocked.status, Some(3), "{blocked:?}");
    assert!(blocked.stdout.contains("100001 identifiers"), "{}", blocked.stdout);
    // Told that no e-mail is seen with so many cookies, the night goes through.
    project.replace_in_pipeline(
        "    email: { priority: 1 }",
        "    email: { priority: 1, block_above: 50 }",
    );
    project.publish(FIRST);
    assert_eq!(project.value("SELECT max(identifiers) AS n FROM identity.clusters"), "3");
    let conflicts =
        "SELECT concat(rule, ' ', left_value, ' ', others) AS told FROM identity.conflicts";
    assert_eq!(project.query(conflicts), "told\nblock_above info@mail.shop 100000\n");
}
