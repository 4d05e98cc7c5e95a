//! A process that dies at any of the named places in the code leaves one night whole.
//!
//! `MARTLET_CRASH_POINTS` names a file to which a debug build adds every place before and after a write as it
//! comes by; `MARTLET_CRASH_AT` names the place at which it dies.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::harness::outcome;
use crate::nights::{FIRST, Nights, SECOND};

const SIGABRT: i32 = 6;

/// Returns the places a night comes by, each once.
fn places(nights: &Nights, as_of: &str) -> Vec<String> {
    let file = nights.project.at("crash_points");
    let mut command =
        nights.project.command(&["run", &nights.project.pipeline_path(), "--as-of", as_of]);
    let outcome = outcome(command.env("MARTLET_CRASH_POINTS", &file));
    assert_eq!(outcome.status, Some(0), "{outcome:?}");
    let text = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let mut places: Vec<String> = Vec::new();
    for place in text.lines() {
        if !places.iter().any(|known| known == place) {
            places.push(place.to_owned());
        }
    }
    places
}

/// Runs a night that dies at a place.
#[track_caller]
fn die(nights: &Nights, as_of: &str, place: &str) {
    let mut command =
        nights.project.command(&["run", &nights.project.pipeline_path(), "--as-of", as_of]);
    let ended = command.env("MARTLET_CRASH_AT", place).output().unwrap().status;
    assert_eq!(ended.signal(), Some(SIGABRT), "{place}: {ended:?}");
}

#[test]
fn a_second_night_that_dies_at_any_place_leaves_one_night_whole() {
    let nights = Nights::new();
    let places = places(&nights, SECOND);
    assert!(places.len() >= 40, "{places:?}");
    for place in places {
        nights.restore();
        die(&nights, SECOND, &place);
        nights.check_readers(&place);
        nights.check_next_run(&place);
    }
}

#[test]
fn a_first_night_that_dies_at_any_place_leaves_nothing_or_the_night() {
    let nights = Nights::new();
    nights.project.remove("data/warehouse");
    // What is uploaded before the decision is nobody's to see; the second night dies at all of it.
    let places = places(&nights, FIRST).into_iter().filter(|place| !place.starts_with("upload"));
    for place in places {
        nights.project.remove("data/warehouse");
        die(&nights, FIRST, &place);
        nights.check_first_readers(&place);
        nights.check_first_again(&place);
    }
}
