//! The one integration test binary: it drives the compiled command as its users do.
//!
//! Each module is one kind of proof. A test works in a temporary project of its own, so all run at once;
//! `UPDATE_EXPECT=1` writes what is expected anew.

// `cfg(test)` tells the lints that helpers may panic too.
#[cfg(test)]
mod advanced;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bad_objects;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod diagnostics;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod engineer;
#[cfg(test)]
mod formats;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod history;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod infer;
#[cfg(test)]
mod intake;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod life_of_a_record;
#[cfg(test)]
mod lineage;
#[cfg(test)]
mod losses;
#[cfg(test)]
mod mart_laws;
#[cfg(test)]
mod marts;
#[cfg(test)]
mod marts_docs;
#[cfg(test)]
mod new;
#[cfg(test)]
mod night;
#[cfg(test)]
mod night_by_night;
#[cfg(test)]
mod nights;
#[cfg(test)]
mod own_shop;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod rejects;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod shipped;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod stage_tests;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod unchanged;
#[cfg(test)]
#[path = "../../src/spreadsheet/write.rs"]
mod workbook;
#[cfg(test)]
mod writing_a_stage;
