//! Rules of fuzzy matching: sound ones in the plan, mistakes with their places.

use crate::diagnostics::Diagnostics;
use crate::plan::{ComparisonKind, Folding, KeyFunction, Plan, resolve};
use crate::spec::{self, SourceTree};

fn project(rules: &str) -> Result<Plan, Diagnostics> {
    let pipeline = format!(
        "\
version: 1
name: shop
timezone: UTC
currency: EUR
stages: [sql]
sources:
  members:
    path: members/*
    format: csv
    columns:
      id: {{ type: string, required: true }}
      name: {{ type: string }}
      surname: {{ type: string }}
      born: {{ type: date }}
      income: {{ type: integer }}
    match: {rules}
  guests:
    path: guests/*
    format: csv
    columns:
      number: {{ type: string, required: true }}
      name: {{ type: string }}
      last_name: {{ type: string }}
identity:
  identifiers: {{ member: {{ priority: 1 }}, guest: {{ priority: 2 }} }}
  links: {{ members: {{ member: id }}, guests: {{ guest: number }} }}
publish: [totals]
"
    );
    let mut tree = SourceTree::default();
    tree.insert("pipelines/shop.yaml", &pipeline);
    tree.insert("sql/totals.sql", "SELECT count(*) AS members FROM members");
    resolve(&spec::load(&tree, "pipelines/shop.yaml")?)
}

fn mistakes(rules: &str) -> Vec<String> {
    let found = project(rules).map(|_| ()).unwrap_err();
    found.iter().map(|found| format!("{} {}", found.code.as_str(), found.message)).collect()
}

#[test]
fn sound_rules_are_in_the_plan() {
    let plan = project(
        "{ record: member,
           blocks: [[name, 'prefix(born, 4)'], ['soundex( name , surname )']],
           neighbours: [{ by: [surname] }],
           compare: { surname: { as: jaro_winkler, swaps_with: name }, name: { as: jaro_winkler },
                      income: { as: numeric, levels: [0.1] } },
           household: [income, surname] }",
    )
    .unwrap();
    let rules = plan.sources[0].matching.as_ref().unwrap();
    let fields: Vec<_> = rules
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.column, field.folding))
        .collect();
    let expected = [
        ("surname", 2, Folding::Text),
        ("name", 1, Folding::Text),
        ("income", 4, Folding::Number),
        ("born", 3, Folding::Text),
    ];
    assert_eq!(fields, expected);
    assert_eq!(rules.comparisons[0].swaps_with, Some(1));
    assert_eq!(rules.household, [0, 2]);
    assert_eq!(rules.comparisons[2].kind, ComparisonKind::Numeric(vec![0.1]));
    assert!(rules.comparisons[0].frequencies && !rules.comparisons[2].frequencies);
    let functions: Vec<_> =
        rules.blocks[0].keys.iter().map(|key| (key.function, key.fields.clone())).collect();
    assert_eq!(functions, [(KeyFunction::Whole, vec![1]), (KeyFunction::Prefix(4), vec![3])]);
    assert_eq!(rules.blocks[1].keys[0].fields, [1, 0]);
    assert_eq!((rules.threshold.to_string(), rules.max_block), ("0.9".to_owned(), 500));
    assert!(rules.within && rules.others.is_empty());
}

#[test]
fn another_source_may_have_other_names_for_the_columns() {
    let plan = project(
        "{ record: member, blocks: [[name]], compare: { surname: { as: exact }, name: { as: exact } },
           with: { guests: { record: guest, columns: { surname: last_name } } } }",
    )
    .unwrap();
    let rules = plan.sources[0].matching.as_ref().unwrap();
    assert!(!rules.within);
    assert_eq!(rules.others[0].source.as_str(), "guests");
    assert_eq!(rules.others[0].record.column, 0);
    assert_eq!(rules.others[0].columns, [2, 1]);
}

#[test]
fn every_mistake_is_told() {
    let cases: &[(&str, &[&str])] = &[
        (
            "{ record: membr, blocks: [[nam]], compare: { surnam: { as: exact }, surname: { as: exact } } }",
            &[
                "plan/unknown-identifier the source `members` has no identifier `membr`",
                "plan/unknown-column the source has no column `surnam`",
                "plan/unknown-column the source has no column `nam`",
            ],
        ),
        (
            "{ record: member, compare: {} }",
            &[
                "plan/bad-match a source has 2 to 16 comparisons, not 0",
                "plan/bad-match no rule says which records are compared",
            ],
        ),
        (
            "{ record: member, blocks: [[], ['prefix(name)'], ['sound(name)'], ['soundex()']],
               compare: { name: { as: exact, levels: [1] }, surname: { as: exact } }, threshold: 1.0, max_block: 1 }",
            &[
                "plan/bad-match this comparison has levels of its own",
                "plan/bad-match a block has at least one key",
                "plan/bad-match `prefix(name)` is no key",
                "plan/bad-match there is no key `sound`",
                "plan/bad-match `soundex()` is no key",
                "plan/bad-match `1` is no threshold",
                "plan/bad-match `max_block` is at least 2 and at most 1000000",
            ],
        ),
        (
            "{ record: member, neighbours: [{ by: [], window: 0 }], within: false,
               compare: { name: { as: levenshtein, levels: [2, 1], swaps_with: name },
                          surname: { as: jaro_winkler, levels: [0.8, 0.9], swaps_with: born } } }",
            &[
                "plan/bad-match the levels are 1 to 8 numbers of edits from 1 to 20, rising",
                "plan/bad-match values cannot be swapped with those of `name`",
                "plan/bad-match the levels are 1 to 8 similarities between 0 and 1, falling",
                "plan/bad-match the column `born` is not compared",
                "plan/bad-match neighbours have an order and a window of at least 1",
                "plan/bad-match the records are compared neither with each other nor with others",
            ],
        ),
        (
            "{ record: member, blocks: [[name]], compare: { surname: { as: exact }, name: { as: exact } },
               with: { guests: { record: guest }, guest: { record: guest },
                       members: { record: member } } }",
            &[
                "plan/unknown-column the source has no column `surname`",
                "plan/unknown-source the pipeline has no source `guest`",
                "plan/bad-match a source is compared with itself by `within: true`",
            ],
        ),
        (
            "{ record: member, blocks: [[name]], compare: { name: { as: exact }, surname: { as: exact } },
               household: [surname, street] }",
            &["plan/bad-match the column `street` is not compared"],
        ),
        (
            "{ record: member, blocks: [[name]], compare: { name: { as: exact }, surname: { as: exact } },
               household: [surname, name] }",
            &["plan/bad-match no compared column tells the persons of a household apart"],
        ),
        (
            "{ record: member, blocks: [[name]], compare: { name: { as: fuzzy } } }",
            &["spec/bad-value `sources.members.match.compare.name.as` cannot be `fuzzy`"],
        ),
    ];
    for (rules, expected) in cases {
        assert_eq!(mistakes(rules), *expected);
    }
}
