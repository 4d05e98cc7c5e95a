//! `docs/writing-a-stage.md` is true: its files are written, its commands run, its outputs compared.
//!
//! An HTML comment before a block of code says what the block is. `UPDATE_EXPECT=1` writes the outputs anew.

use std::fs;

use crate::harness::{Outcome, Project, copy, repository, updates_expectations};

const PAGE: &str = "docs/writing-a-stage.md";

/// What the page does with a block of code.
#[derive(Debug)]
struct Step<'a> {
    directive: &'a str,
    block: &'a str,
}

/// Returns the directives of the page, each with the block after it.
fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in page.split("<!-- ").skip(1) {
        let (directive, rest) = part.split_once(" -->\n").unwrap();
        let block = rest.strip_prefix("```").map_or("", |block| {
            let start = block.find('\n').unwrap() + 1;
            // An empty block ends where it begins.
            let end = block[start - 1..].find("\n```").unwrap() + start;
            &block[start..end]
        });
        steps.push(Step { directive, block });
    }
    steps
}

#[test]
fn the_page_tells_what_happens() {
    let path = repository().join(PAGE);
    let page = fs::read_to_string(&path).unwrap();
    let project = Project::empty();
    for folder in ["pipelines", "sql", "config"] {
        fs::create_dir(project.at(folder)).unwrap();
        copy(&repository().join(folder), &project.at(folder));
    }
    let mut told = page.clone();
    for step in steps(&page) {
        let (verb, rest) = step.directive.split_once(": ").unwrap();
        match verb {
            "file" => drop(project.write(rest, step.block)),
            "append" => drop(project.append(rest, step.block)),
            "holds" => assert!(project.read(rest).contains(step.block), "{}", project.read(rest)),
            "replace" => {
                let parts: Vec<&str> = rest.split('`').collect();
                project.replace(parts[0].trim(), parts[1], parts[3]);
            }
            "publish" => {
                let text = project.read(rest);
                let old = text.lines().find(|line| line.starts_with("publish:")).unwrap();
                project.replace(rest, old, step.block.trim_end());
            }
            "says" => {
                let said = said(&project, rest);
                if masked(&said) != masked(step.block) {
                    assert!(
                        updates_expectations(),
                        "`martlet {rest}` says\n{said}\nand not\n{}",
                        step.block
                    );
                    told = rewritten(&told, &step, &said);
                }
            }
            "says in part" => in_part(&masked(&said(&project, rest)), &masked(step.block)),
            other => panic!("the page says `{other}`"),
        }
    }
    if told != page {
        fs::write(&path, told).unwrap();
    }
}

/// Runs a command of the page in the project and returns everything it says.
fn said(project: &Project, command: &str) -> String {
    let mut arguments: Vec<&str> = Vec::new();
    for (index, part) in command.split('"').enumerate() {
        match index % 2 {
            0 => arguments.extend(part.split_whitespace()),
            _ => arguments.push(part),
        }
    }
    let raw = repository().join("data/raw");
    let mut command = project.command(&arguments);
    let Outcome { stdout, stderr, .. } =
        crate::harness::outcome(command.arg("--raw").arg(raw).arg("--no-progress"));
    match (stdout.is_empty(), stderr.is_empty()) {
        (false, false) => format!("{stderr}{stdout}"),
        _ => stdout + &stderr,
    }
}

/// Returns a text without what differs from run to run.
fn masked(text: &str) -> String {
    let run = regex::Regex::new(r"\(run [^)]*\)").unwrap();
    let time = regex::Regex::new(r"in \d+ ms").unwrap();
    time.replace_all(&run.replace_all(text, "(run)"), "in [time]").into_owned()
}

/// Checks that the lines are said, in their order; `…` stands for any number of others.
fn in_part(said: &str, lines: &str) {
    let mut rest = said.lines();
    for line in lines.lines().filter(|line| *line != "…") {
        assert!(rest.any(|said| said == line), "`{line}` is not said:\n{said}");
    }
}

fn rewritten(page: &str, step: &Step<'_>, said: &str) -> String {
    let marker = format!("<!-- {} -->\n```text\n{}```", step.directive, step.block);
    let new = format!("<!-- {} -->\n```text\n{}\n```", step.directive, said.trim_end());
    assert!(page.contains(&marker), "{marker}");
    page.replacen(&marker, &new, 1)
}
