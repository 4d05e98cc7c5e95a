//! Runs that are ended from outside: readers see the night before or the night itself, and the next run goes on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::harness::{Project, count_from};
use crate::nights::{FIRST, Nights, SECOND};

/// About as many named places as a night comes by.
const PLACES: u32 = 90;
/// How many turns a run is left alone at most, some milliseconds of them.
const LONGER: u64 = 2_000_000;

/// Starts the second night; its progress comes as one JSON line for each step that is done.
fn start(project: &Project) -> Child {
    let arguments = ["run", "pipelines/shop.yaml", "--as-of", SECOND, "--log-format", "json"];
    let mut command = project.command(&arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until so many steps are done; the pipe stays open, so that nothing but a signal ends the run.
fn wait_for_steps(child: &mut Child, steps: usize) {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    for _ in 0..steps {
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.starts_with("{\"step\":"), "the run has ended early: {line}");
    }
    child.stderr = Some(stderr.into_inner());
}

fn killed(mut child: Child) -> ExitStatus {
    child.kill().unwrap();
    child.wait().unwrap()
}

#[test]
fn a_run_killed_after_any_step_leaves_one_night_whole() {
    let nights = Nights::new();
    let mut steps = 0;
    let mut left_old = 0;
    loop {
        let mut child = start(&nights.project);
        steps += 1;
        wait_for_steps(&mut child, steps);
        let status = killed(child);
        let what = format!("killed after step {steps}");
        let is_second = nights.check_readers(&what);
        left_old += usize::from(!is_second);
        nights.check_next_run(&what);
        nights.restore();
        // The last line comes when everything is in place.
        if status.signal().is_none() || is_second {
            break;
        }
    }
    assert!(left_old > 6, "only {left_old} kills came before the night was published");
}

#[test]
fn a_run_killed_while_it_publishes_leaves_one_night_whole() {
    let nights = Nights::new();
    let appears = |folder: &str| {
        let before = fs::read_dir(nights.project.in_warehouse(folder)).unwrap().count();
        let folder = nights.project.in_warehouse(folder);
        move || fs::read_dir(&folder).unwrap().count() > before
    };
    for folder in [
        "restricted/clean/orders",
        "marts/fact_buyers",
        "marts/fact_revenue/_delta_log",
        "restricted/identity/map",
        "generations",
    ] {
        let has_appeared = appears(folder);
        let mut child = start(&nights.project);
        while !has_appeared() {
            assert!(child.try_wait().unwrap().is_none(), "the run ended before {folder} grew");
            std::thread::yield_now();
        }
        killed(child);
        let what = format!("killed when {folder} grew");
        nights.check_readers(&what);
        nights.check_next_run(&what);
        nights.restore();
    }
}

/// Waits until a run has come by so many of its named places, and then a little longer, as chance has it.
fn wait_for_places(child: &mut Child, noted_in: &Path, places: usize, longer: u64) {
    let come_by = || fs::read_to_string(noted_in).map_or(0, |text| text.lines().count());
    while come_by() < places {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        std::thread::yield_now();
    }
    for _ in 0..longer {
        std::hint::spin_loop();
    }
}

/// `MARTLET_KILLS` says how often.
#[test]
fn a_run_killed_at_any_moment_leaves_one_night_whole() {
    let nights = Nights::new();
    let noted_in = nights.project.at("crash_points");
    let mut chance = ChaCha8Rng::seed_from_u64(20_260_104);
    let mut left_old = 0;
    let kills = count_from("MARTLET_KILLS", 8);
    for kill in 0..kills {
        let _ = fs::remove_file(&noted_in);
        let (places, longer) = (chance.next_u32() % PLACES, chance.next_u64() % LONGER);
        let mut command =
            nights.project.command(&["run", "pipelines/shop.yaml", "--as-of", SECOND]);
        command.env("MARTLET_CRASH_POINTS", &noted_in).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        wait_for_places(&mut child, &noted_in, places as usize, longer);
        killed(child);
        let what = format!("kill {kill}, {longer} turns after place {places}");
        left_old += usize::from(!nights.check_readers(&what));
        nights.check_next_run(&what);
        nights.restore();
    }
    assert!(left_old > 0 && left_old < kills, "{left_old} of {kills} kills came before the end");
}

/// Adds so many visits that a run is still at them when its first lines are read.
fn many_visits(project: &Project) {
    let line = |number| {
        format!(
            "{{\"visit_id\": \"n{number}\", \"ts\": 1767398400000, \"client\": {{\"cookie\": \"c{number}\"}}}}\n"
        )
    };
    let visits: String = (0..150_000).map(line).collect();
    project.write("data/raw/visits/dt=2026-01-03/many.ndjson", visits);
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Ends a long run by a signal, and checks its exit status and what it leaves.
#[track_caller]
fn interrupted(signal: &str, status: i32) {
    let project = Project::shop();
    project.publish(FIRST);
    let before = project.visible();
    many_visits(&project);

    let mut child = start(&project);
    wait_for_steps(&mut child, 1);
    send(signal, &child);
    let ended = child.wait().unwrap();
    assert_eq!(ended.code(), Some(status), "{ended:?}");
    assert!(project.visible() == before, "an interrupted run changed what readers see");
    let report = project.report();
    assert_eq!(report["status"], "interrupted");
    assert_eq!(report["exit_status"], status);
    let lease = fs::read(project.in_warehouse("LEASE")).unwrap();
    let lease: serde_json::Value = serde_json::from_slice(&lease).unwrap();
    assert_eq!(lease["released"], true);

    project.remove("data/raw/visits/dt=2026-01-03/many.ndjson");
    project.publish(SECOND);
    assert_eq!(fs::read_dir(project.at("work/martlet")).unwrap().count(), 0);
}

#[test]
fn sigterm_ends_a_run_with_143() {
    interrupted("-TERM", 143);
}

#[test]
fn sigint_ends_a_run_with_130() {
    interrupted("-INT", 130);
}

#[test]
fn a_signal_that_comes_between_two_nights_ends_a_backfill() {
    let project = Project::shop();
    let pipeline = project.pipeline_path();
    let backfill =
        ["backfill", &pipeline, "--from", "2026-01-02", "--to", SECOND, "--log-format", "json"];
    let mut child = project.command(&backfill);
    let mut child = child.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let is_published = |line: &String| line.contains("\"step\":\"publish\"");
    stderr.by_ref().map(Result::unwrap).find(is_published).unwrap();
    send("-TERM", &child);
    stderr.for_each(|line| drop(line.unwrap()));
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let generations = project.martlet(&["generations", "--format", "csv"]).stdout;
    assert!(generations.lines().count() < 4, "{generations}");
    let rest = project.martlet(&backfill[..6]);
    assert_eq!(rest.status, Some(0), "{rest:?}");
    assert_eq!(project.report()["as_of"], SECOND);
}

/// Starts the second night and stops it, with the lease in its hands, before it has published anything.
fn stopped_on_the_way(project: &Project) -> Child {
    project.publish(FIRST);
    many_visits(project);
    let mut slow = start(project);
    wait_for_steps(&mut slow, 4);
    send("-STOP", &slow);
    slow
}

#[test]
fn a_second_run_is_told_who_is_running() {
    let project = Project::shop();
    let slow = stopped_on_the_way(&project);
    let before = project.visible();
    let second = project.run(SECOND);
    assert_eq!(second.status, Some(75), "{second:?}");
    let holder = format!("process {} on ", slow.id());
    assert!(second.stderr.contains(&holder), "{second:?}");
    assert!(project.visible() == before, "the refused run changed what readers see");
    killed(slow);
    // Nobody has to wait for the lease of a process that is known to be dead.
    project.publish(SECOND);
}

#[test]
fn a_run_that_wakes_after_its_lease_was_taken_over_publishes_nothing() {
    let project = Project::shop();
    let slow = stopped_on_the_way(&project);
    let lease = project.in_warehouse("LEASE");
    let text = fs::read_to_string(&lease).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["until"] = "2026-01-01T00:00:00Z".into();
    fs::write(&lease, record.to_string()).unwrap();

    project.publish(SECOND);
    let published = project.visible();
    send("-CONT", &slow);
    let ended = slow.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(75), "{ended:?}");
    assert!(project.visible() == published, "the run that came too late changed what readers see");
}

#[test]
fn of_eight_runs_at_once_one_publishes_and_the_others_say_try_again_or_nothing_new() {
    let project = Project::shop();
    project.publish(FIRST);
    let arguments = ["run", "pipelines/shop.yaml", "--as-of", SECOND, "--no-progress"];
    let start = |_| {
        let mut command = project.command(&arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs: Vec<Child> = (0..8).map(start).collect();
    let mut published = 0;
    for run in runs {
        let ended = run.wait_with_output().unwrap();
        let said = String::from_utf8(ended.stdout).unwrap();
        match ended.status.code() {
            Some(0) => published += usize::from(said.starts_with("published ")),
            status => assert_eq!(status, Some(75), "{said}"),
        }
    }
    assert_eq!(published, 1);
    assert_eq!(fs::read_to_string(project.in_warehouse("CURRENT")).unwrap(), "2");
    let left = fs::read_dir(project.in_warehouse("")).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let locks: Vec<String> = left.filter(|name| name.starts_with("LEASE-")).collect();
    assert!(locks.is_empty(), "{locks:?}");
}
