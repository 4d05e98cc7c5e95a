//! `martlet docs`: one page that stands alone, shows texts as texts, and misses nothing.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;

use crate::harness::{Project, martlet, outcome, repository};

/// Elements that have no end.
const VOID: [&str; 2] = ["meta", "input"];

/// What tags may say; nothing of it runs, and nothing of it asks anything of anybody.
const ATTRIBUTES: [&str; 27] = [
    "aria-label",
    "autocomplete",
    "charset",
    "class",
    "content",
    "d",
    "data-from",
    "data-search",
    "data-table",
    "data-to",
    "height",
    "href",
    "http-equiv",
    "id",
    "lang",
    "name",
    "placeholder",
    "role",
    "rx",
    "text-anchor",
    "type",
    "viewBox",
    "width",
    "x",
    "y",
    "open",
    "title",
];

fn page(project: &Project) -> String {
    let ended = project.martlet(&["docs", "--out", "docs.html"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0), "docs.html\n"), "{ended:?}");
    project.read("docs.html")
}

/// Returns the tags of a page, in order, without what stands in its styles and scripts.
fn tags(page: &str) -> Vec<String> {
    let code = Regex::new(r"(?s)<(style|script)>.*?</(style|script)>").unwrap();
    assert_eq!(code.find_iter(page).count(), 2, "one style and one script");
    let page = code.replace_all(page, "");
    let tag = Regex::new(r#"</?[a-z][a-z0-9]*(?: [a-zA-Z-]+="[^"<>]*")*>"#).unwrap();
    let rest = tag.replace_all(&page, "").replace("<!DOCTYPE html>", "");
    assert!(!rest.contains(['<', '>']), "something that is no tag looks like one");
    tag.find_iter(&page).map(|found| found.as_str().to_owned()).collect()
}

fn name(tag: &str) -> &str {
    tag.trim_matches(['<', '/', '>']).split(' ').next().unwrap()
}

fn values(tags: &[String], attribute: &str) -> Vec<String> {
    let pattern = Regex::new(&format!(r#" {attribute}="([^"]*)""#)).unwrap();
    tags.iter().filter_map(|tag| Some(pattern.captures(tag)?[1].to_owned())).collect()
}

/// Holds what is true of every page.
#[track_caller]
fn check_page(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "no doctype");
    let tags = tags(page);
    let mut open: Vec<&str> = Vec::new();
    for tag in &tags {
        match tag.strip_prefix("</") {
            Some(_) => assert_eq!(open.pop(), Some(name(tag)), "{tag} ends something else"),
            None if !VOID.contains(&name(tag)) => open.push(name(tag)),
            None => {}
        }
    }
    assert!(open.is_empty(), "never ended: {open:?}");
    let ids = values(&tags, "id");
    let known: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(known.len(), ids.len(), "an id stands twice: {ids:?}");
    for link in values(&tags, "href") {
        let target = link.strip_prefix('#').unwrap_or_else(|| panic!("`{link}` leads outside"));
        assert!(known.contains(&target.to_owned()), "nothing has the id `{target}`");
    }
    let attribute = Regex::new(r#" ([a-zA-Z-]+)="[^"]*""#).unwrap();
    for tag in &tags {
        for found in attribute.captures_iter(tag) {
            assert!(ATTRIBUTES.contains(&&found[1]), "`{}` in {tag}", &found[1]);
        }
    }
    let asks = Regex::new(r"url\(|@import|fetch|XMLHttp|import\(|https?:").unwrap();
    let style = &page[page.find("<style>").unwrap()..page.find("</style>").unwrap()];
    let script = &page[page.find("<script>").unwrap()..];
    assert!(!asks.is_match(style) && !asks.is_match(script));
}

#[test]
fn every_table_of_the_shipped_pipelines_has_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("docs.html");
    let mut command = martlet();
    command.current_dir(repository()).args(["docs", "--out"]).arg(&out);
    // No warehouse is there: the page is made without runs.
    let ended = outcome(command.arg("--warehouse").arg(folder.path().join("none")));
    assert_eq!(ended.status, Some(0), "{ended:?}");
    let page = fs::read_to_string(&out).unwrap();
    check_page(&page);
    let ids: BTreeSet<String> = values(&tags(&page), "id").into_iter().collect();
    let told = outcome(martlet().current_dir(repository()).args(["lineage", "--format", "json"]));
    let told: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    for pipeline in told["pipelines"].as_array().unwrap() {
        let name = pipeline["pipeline"].as_str().unwrap();
        for table in pipeline["tables"].as_array().unwrap() {
            let is_identity = table["kind"] == "identity";
            let part = if is_identity { "identity" } else { table["name"].as_str().unwrap() };
            assert!(ids.contains(&format!("{name}-{part}")), "{name}-{part}");
            let node = format!("data-table=\"{}\"", table["name"].as_str().unwrap());
            assert!(page.contains(&node), "{node}");
        }
    }
    assert!(page.contains("No run has left a report in the warehouse."));
}

#[test]
fn checks_and_runs_are_those_of_the_newest_run() {
    let project = Project::shop();
    project.publish("2026-01-02");
    let first = page(&project);
    check_page(&first);
    assert!(first.contains("published as generation 1"), "{first}");
    let holds = first.matches("<span class=\"good\">holds</span>").count();
    assert!(holds > 0 && !first.contains("not run yet"));
    assert_eq!(page(&project), first, "the same project makes another page");

    let check = "  - { name: nothing_is_sold, expression: revenue < 0 }\n";
    project.append("sql/marts/fact_revenue.yaml", check);
    assert_eq!(project.run("2026-01-03").status, Some(3));
    let second = page(&project);
    check_page(&second);
    assert!(second.contains("checks failed"), "{second}");
    let broken = Regex::new(
        r#"nothing_is_sold</code></td><td>stops the night</td><td><span class="bad">\d+ rows break it"#,
    );
    assert!(broken.unwrap().is_match(&second), "{second}");
}

#[test]
fn texts_of_authors_stay_texts() {
    let project = Project::shop();
    let hostile =
        "</pre></script><script>alert(1)</script><img src=x onerror='alert(2)'> & \"quoted\"";
    project.append("sql/order_values.sql", &format!("-- {hostile}\n"));
    let description = serde_json::Value::from(hostile).to_string();
    project.append("sql/marts/fact_revenue.yaml", &format!("# {hostile}\n"));
    let sidecar = project.read("sql/marts/fact_revenue.yaml");
    let lines = sidecar.lines().filter(|line| !line.starts_with("description:"));
    let lines: Vec<&str> = lines.collect();
    let text = format!("description: {description}\n{}\n", lines.join("\n"));
    project.write("sql/marts/fact_revenue.yaml", text);
    let page = page(&project);
    check_page(&page);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{page}");
}

#[test]
fn a_page_that_cannot_be_written_is_told() {
    let project = Project::shop();
    let ended = project.martlet(&["docs", "--out", "none/docs.html"]);
    assert_eq!(ended.status, Some(5), "{ended:?}");
    assert!(ended.stderr.contains("`none/docs.html` cannot be written"), "{ended:?}");
}
