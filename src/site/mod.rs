//! The documents of a project as one HTML page.
//!
//! Guarantee: the page stands alone, asks nothing of a network, and shows texts of authors and of data only as text:
//! markup comes from literals of this module alone. The same project and reports make the same bytes.
//! Never reads data, files or the clock.

mod column_rules;
mod constant;
mod graph;
mod html;
mod layout;
mod page;
mod run;
mod source;
mod stage;

pub(crate) use page::{Input, page};
pub(crate) use run::Run;
