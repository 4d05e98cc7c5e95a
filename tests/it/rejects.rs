//! `martlet rejects`: which run it shows, and what of its records.

use crate::harness::Project;

const ORDERS: &str = "data/raw/orders/dt=2026-01-02/a.csv";

fn counts(project: &Project, flags: &[&str]) -> Vec<String> {
    let arguments: Vec<&str> =
        ["rejects", "--format", "csv"].iter().chain(flags).copied().collect();
    let outcome = project.martlet(&arguments);
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    outcome.stdout.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn rejects_are_counted_with_an_example_each() {
    let project = Project::shop();
    project.publish("2026-01-03");
    let outcome = project.martlet(&["rejects", "--format", "csv", "--source", "orders"]);
    assert_eq!(
        project.masked(&outcome.stderr),
        "run [run] of shop as of 2026-01-03: published as generation 1\n"
    );
    assert_eq!(
        outcome.stdout,
        "source,column,code,rejects,object,record,line,message,raw\n\
         orders,amount,clean/check,1,orders/dt=2026-01-02/a.csv,3,4,`amount >= 0` does not hold: `-5.00`,[masked: 78 characters]\n\
         orders,email,clean/type,1,orders/dt=2026-01-01/a.csv,4,5,not an e-mail address,[masked: 79 characters]\n\
         orders,placed_at,clean/type,1,orders/dt=2026-01-01/a.csv,5,6,in none of the declared formats: `yesterday`,[masked: 62 characters]\n\
         orders,,decode/csv,1,orders/dt=2026-01-02/a.csv,4,5,\"expected 7 fields, found 4\",[masked: 68 characters]\n"
    );
}

#[test]
fn rejects_are_chosen_by_reason_and_shown_whole_on_request() {
    let project = Project::shop();
    project.publish("2026-01-03");
    assert_eq!(counts(&project, &["--reason", "clean/type"]).len(), 2);
    assert_eq!(counts(&project, &["--reason", "decode"]).len(), 2);
    assert_eq!(counts(&project, &["--reason", "decode", "--limit", "1"]).len(), 1);
    let full = ["--full", "--reason", "clean/check"];
    let masked = counts(&project, &full);
    assert!(!masked[0].contains("cid@mail.shop"), "{masked:?}");
    let shown = counts(&project, &[&full[..], &["--show-personal"]].concat());
    assert!(shown[0].contains("o7,2026-01-02T12:00:00+08:00,"), "{shown:?}");
    assert!(shown[0].contains("cid@mail.shop"), "{shown:?}");
}

#[test]
fn a_run_that_was_not_published_shows_its_rejects() {
    let project = Project::shop();
    project.publish("2026-01-02");
    let published = project.report()["run_id"].as_str().unwrap().to_owned();
    project.write(ORDERS, project.read(ORDERS).replace("2026", "then"));
    project.replace_in_pipeline("rejects: { max_rows: 5 }", "rejects: { max_rows: 3 }");
    assert_eq!(project.run("2026-01-03").status, Some(3));
    let newest = project.martlet(&["rejects", "--reason", "clean/type"]);
    assert_eq!(
        project.masked(&newest.stderr),
        "run [run] of shop as of 2026-01-03: not published: checks failed\n"
    );
    let older = project.martlet(&["rejects", "--run", &published]);
    assert!(older.stderr.ends_with("as of 2026-01-02: published as generation 1\n"), "{older:?}");
}

#[test]
fn one_object_may_have_too_many_rejects() {
    let project = Project::shop();
    let limits = "rejects: { max_rows: 5, per_object: { max_rows: 1 } }";
    project.replace_in_pipeline("rejects: { max_rows: 5 }", limits);
    let refused = project.run("2026-01-03");
    assert_eq!(refused.status, Some(3), "{refused:?}");
    let expected = "the object `orders/dt=2026-01-01/a.csv` of the source `orders` has 2 rejects of 5 records, more than the limit of 1 rows for one object";
    assert_eq!(project.report()["errors"][0], expected);
    assert_eq!(counts(&project, &["--source", "orders"]).len(), 4);
}

#[test]
fn what_is_not_there_is_refused_with_a_way_out() {
    let project = Project::shop();
    let nothing = project.martlet(&["rejects", "--pipeline", "shop"]);
    assert_eq!(nothing.status, Some(2), "{nothing:?}");
    assert!(nothing.stderr.contains("no run of the pipeline `shop` has read"), "{nothing:?}");
    project.publish("2026-01-03");
    let source = project.martlet(&["rejects", "--source", "ordrs"]);
    assert_eq!(source.status, Some(2), "{source:?}");
    assert!(source.stderr.contains("did you mean `orders`?"), "{source:?}");
    let run = project.martlet(&["rejects", "--run", "yesterday"]);
    assert_eq!(run.status, Some(2), "{run:?}");
    assert!(run.stderr.contains("the newest run that has is"), "{run:?}");
}
