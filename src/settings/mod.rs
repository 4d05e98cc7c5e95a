//! Where things are and how big the machine is, each value with its origin.
//!
//! Guarantee: [`resolve`] is pure, and flags win over variables, variables over the chosen environment's
//! file, that file over the defaults. Secrets come from variables only and show in no message.
//! Reads the process environment, in one place; opens no file and no store.

mod file;
mod keys;
mod location;
mod resolve;
mod secret;
mod setting;
mod values;
mod variables;

pub(crate) use file::environment_schema;
pub(crate) use keys::Flags;
pub(crate) use location::Location;
pub(crate) use resolve::{Layers, Machine, Settings, environment, environment_path, resolve};
pub(crate) use setting::{Origin, Setting};
pub(crate) use variables::Variables;

#[cfg(test)]
mod tests;
