use std::path::PathBuf;

use object_store::aws::AmazonS3ConfigKey;
use object_store::azure::AzureConfigKey;
use object_store::gcp::GoogleConfigKey;

use super::variables::CREDENTIALS;
use super::{Flags, Layers, Location, Machine, Origin, Settings, Variables, environment, resolve};
use crate::diagnostics::{Diagnostic, Look, SourceFile, render};

fn variables(pairs: &[(&str, &str)]) -> Variables {
    Variables::from_lookup(|name| {
        let found = pairs.iter().find(|(other, _)| *other == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn layers(file: &str, pairs: &[(&str, &str)], flags: Flags) -> Layers {
    Layers {
        flags,
        variables: variables(pairs),
        file: Some(SourceFile { path: "config/s3.yaml".into(), text: file.into() }),
        root: PathBuf::from("/project"),
        machine: Machine { cores: 6, temporary_folder: PathBuf::from("/temporary") },
    }
}

fn resolved(file: &str, pairs: &[(&str, &str)], flags: Flags) -> Settings {
    resolve(&layers(file, pairs, flags)).unwrap()
}

/// Returns a line for each mistake: code, message, the text at its place, help.
fn refused(file: &str, pairs: &[(&str, &str)], flags: Flags) -> Vec<String> {
    let diagnostics = resolve(&layers(file, pairs, flags)).unwrap_err();
    let line = |diagnostic: &Diagnostic| {
        let place = diagnostic.labels.first();
        let place = place.map_or("-", |label| &label.file.text[label.span.clone()]);
        let help = diagnostic.help.as_deref().unwrap_or("-");
        let code = diagnostic.code.as_str();
        format!("{code}: {} | {place} | {help}", diagnostic.message)
    };
    diagnostics.iter().map(line).collect()
}

#[test]
fn nothing_said_leaves_the_defaults() {
    let settings = resolved("", &[], Flags::default());
    let folder = |path: &str| Location::Folder(PathBuf::from(path));
    assert_eq!(settings.raw.value, folder("/project/data/raw"));
    assert_eq!(settings.warehouse.value, folder("/project/data/warehouse"));
    assert_eq!(settings.work.value, PathBuf::from("/temporary"));
    assert_eq!(settings.memory.value, 2 << 30);
    assert_eq!(settings.threads.value, 6);
    assert!(!settings.store.allow_http.value);
    assert_eq!(settings.store.endpoint, None);
    assert_eq!(settings.environment.value, "default");
    assert_eq!(settings.identity_key.origin, Origin::Default);
    assert!(settings.credentials.is_empty());
    for origin in [settings.raw.origin, settings.work.origin, settings.threads.origin] {
        assert_eq!(origin, Origin::Default);
    }
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_defaults() {
    let file = "# here\nraw: from_file\nmemory: 1GiB\n";
    let said = |pairs: &[(&str, &str)], flag: Option<&str>| {
        let flags = Flags { raw: flag.map(str::to_owned), ..Flags::default() };
        let raw = resolved(file, pairs, flags).raw;
        format!("{} {}", raw.value, raw.origin)
    };
    let variable = [("MARTLET_RAW", "from_variable")];
    assert_eq!(said(&variable, Some("from_flag")), "/project/from_flag --raw");
    assert_eq!(said(&variable, None), "/project/from_variable MARTLET_RAW");
    assert_eq!(said(&[], None), "/project/from_file config/s3.yaml:2");
    assert_eq!(said(&[("MARTLET_RAW", "")], None), "/project/from_file config/s3.yaml:2");
}

#[test]
fn every_variable_and_flag_reaches_its_setting() {
    let pairs = [
        ("MARTLET_WAREHOUSE", "gs://b/w"),
        ("MARTLET_WORK", "tmp"),
        ("MARTLET_MEMORY", "512MiB"),
        ("MARTLET_THREADS", "3"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:8333"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ALLOW_HTTP", "TRUE"),
    ];
    let settings = resolved("", &pairs, Flags::default());
    assert_eq!(settings.warehouse.value.to_string(), "gs://b/w");
    assert_eq!(settings.work.value, PathBuf::from("/project/tmp"));
    assert_eq!((settings.memory.value, settings.threads.value), (512 << 20, 3));
    assert_eq!(settings.store.endpoint.unwrap().value, "http://127.0.0.1:8333");
    assert_eq!(settings.store.region.unwrap().value, "eu-west-1");
    assert!(settings.store.allow_http.value);
    let text = |text: &str| Some(text.to_owned());
    let flags = Flags {
        environment: text("s3"),
        raw: text("a"),
        warehouse: text("b"),
        work: text("c"),
        memory: text("1GiB"),
        threads: text("4"),
    };
    let settings = resolved("", &pairs, flags);
    assert_eq!(settings.environment.origin, Origin::Flag("--env"));
    assert_eq!(settings.warehouse.value.to_string(), "/project/b");
    assert_eq!(settings.work.value, PathBuf::from("/project/c"));
    assert_eq!((settings.memory.value, settings.threads.value), (1 << 30, 4));
}

#[test]
fn the_environment_is_chosen_by_flag_or_variable() {
    let flags = |name: &str| Flags { environment: Some(name.to_owned()), ..Flags::default() };
    let chosen = environment(&flags("prod"), &variables(&[("MARTLET_ENV", "s3")])).unwrap();
    assert_eq!((chosen.value.as_str(), chosen.origin), ("prod", Origin::Flag("--env")));
    let chosen = environment(&Flags::default(), &variables(&[("MARTLET_ENV", "s3")])).unwrap();
    assert_eq!(chosen.value, "s3");
    assert_eq!(
        environment(&flags("../s3"), &variables(&[])).unwrap_err()[0].message,
        "`--env` must be the name of an environment, not `../s3`"
    );
}

#[test]
fn all_that_is_wrong_is_told_at_once_at_its_place() {
    let file = "memory: 4GG\nthreads: 0\nstore: { endpoint: 'http://host', regoin: x }\n";
    assert_eq!(
        refused(file, &[], Flags::default()),
        ["spec/unknown-key: unknown key `regoin` in `store` | regoin | did you mean `region`?"]
    );
    let file = file.replace(", regoin: x", "");
    let pairs = [("MARTLET_RAW", "ftp://host/x"), ("MARTLET_IDENTITY_KEY", "short")];
    let flags = Flags { warehouse: Some("s3://".to_owned()), ..Flags::default() };
    insta::assert_snapshot!(refused(&file, &pairs, flags).join("\n"), @"
settings/bad-value: `MARTLET_RAW` must be a folder or a URL, not `ftp://host/x` | - | give a path, `file:///path`, `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`
settings/bad-value: `--warehouse` must be a folder or a URL, not `s3://` | - | give a path, `file:///path`, `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`
settings/bad-value: `memory` must be a size, not `4GG` | 4GG | give a number with a unit, such as `4GiB`
settings/bad-value: `threads` must be a whole number from 1 to 1024, not `0` | 0 | leave it out to have one thread for each core
settings/bad-value: `store.endpoint` has no encryption | 'http://host' | use `https://`, or set `store.allow_http: true`
settings/bad-value: `MARTLET_IDENTITY_KEY` has less than 16 bytes | - | make a random one, for example with `openssl rand -hex 32`
");
}

#[test]
fn secrets_in_a_file_are_refused_and_never_shown() {
    let file = "\
raw: s3://key:hunter2@raw/x
memory: 1XB
store:
  secret_access_key: \"hunter2, ü\"
  sas: hunter2
  Account-Key: { x: hunter2 }
token: |
  hunter2
";
    insta::assert_snapshot!(refused(file, &[], Flags::default()).join("\n"), @"
settings/secret-in-file: `raw` holds a secret | raw | take it out of the file and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment
settings/secret-in-file: `store.secret_access_key` holds a secret | secret_access_key | take it out of the file and set AWS_SECRET_ACCESS_KEY in the environment
settings/secret-in-file: `store.sas` holds a secret | sas | take it out of the file and set AZURE_STORAGE_SAS_TOKEN in the environment
settings/secret-in-file: `store.Account-Key` holds a secret | Account-Key | take it out of the file and set AZURE_STORAGE_ACCOUNT_KEY in the environment
settings/secret-in-file: `token` holds a secret | token | take it out of the file and set AWS_SESSION_TOKEN in the environment
");
    let look = Look { colour: false, unicode: true, width: 80 };
    let diagnostics = resolve(&layers(file, &[], Flags::default())).unwrap_err();
    let shown = render(&diagnostics, look) + &format!("{diagnostics:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn credentials_in_a_url_given_elsewhere_are_not_shown_either() {
    let pairs = [
        ("MARTLET_RAW", "s3://key:hunter2@raw/x"),
        ("AWS_ENDPOINT_URL", "https://key:hunter2@host"),
    ];
    let lines = refused("", &pairs, Flags::default());
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert!(line.starts_with("settings/secret-in-file"), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[test]
fn only_listed_variables_are_read_and_none_is_shown() {
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "hunter2"),
        ("AWS_METADATA_ENDPOINT", "http://elsewhere"),
        ("MARTLET_IDENTITY_KEY", "hunter2 hunter2 hunter2"),
    ];
    let settings = resolved("", &pairs, Flags::default());
    let names: Vec<&str> = settings.credentials.keys().copied().collect();
    assert_eq!(names, ["AWS_ACCESS_KEY_ID"]);
    assert_eq!(settings.credentials["AWS_ACCESS_KEY_ID"].expose(), "hunter2");
    assert_eq!(settings.identity_key.value.expose(), "hunter2 hunter2 hunter2");
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert!(!format!("{:?}", layers("", &pairs, Flags::default())).contains("hunter2"));
}

#[test]
fn every_credential_is_known_to_its_store() {
    for name in CREDENTIALS {
        let key = name.to_lowercase();
        let is_known = key.parse::<AmazonS3ConfigKey>().is_ok()
            || key.parse::<AzureConfigKey>().is_ok()
            || key.parse::<GoogleConfigKey>().is_ok();
        assert!(is_known, "{name}");
    }
}

#[test]
fn the_defaults_explain_every_key_and_the_example_resolves() {
    let defaults = include_str!("../../config/default.yaml");
    let keys =
        defaults.lines().filter(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    let names: Vec<&str> = keys.filter_map(|line| line.trim().split(':').next()).collect();
    let all = [
        "raw",
        "warehouse",
        "work",
        "memory",
        "threads",
        "store",
        "endpoint",
        "region",
        "allow_http",
    ];
    assert_eq!(names, all);
    for name in all {
        let lines: Vec<&str> = defaults.lines().map(str::trim).collect();
        let line = lines.iter().position(|line| line.starts_with(&format!("{name}:")));
        assert!(lines[line.unwrap() - 1].starts_with('#'), "{name}");
    }
    let settings = resolved(include_str!("../../config/s3.yaml"), &[], Flags::default());
    assert_eq!(settings.raw.value.to_string(), "s3://martlet-raw/exports");
    assert!(settings.store.endpoint.is_some());
}
