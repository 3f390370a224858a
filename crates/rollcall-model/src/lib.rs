//! The vocabulary of rollcall: facts, organizations, the directory, the calendar, and the questions and answers
//! called reports. No I/O and no storage format lives here; everything else in the project depends on this crate.
//!
//! # Layout
//! - [`calendar`]: instants, half-open ranges, quarter hours, and the days, weeks, months and years of any zone
//! - [`fact`]: the small closed vocabularies of a fact (user kind, device, media …)
//! - [`attendance`]: the attendance fact, its fields and its validation
//! - [`place`]: country and subdivision codes
//! - [`receipt`]: the answer to an ingest, and the errors it lists
//! - [`organization`], [`directory`]: tenants, and the people and departments in them
//! - [`reports`]: typed parameters and rows, and the [`Reports`] trait that answers them

pub mod attendance;
pub mod calendar;
pub mod directory;
pub mod fact;
mod instant;
pub mod organization;
pub mod place;
pub mod receipt;
pub mod reports;

pub use attendance::{Attendance, Draft, Value};
pub use calendar::{Calendar, Millis, Period, Quarter, Range};
pub use directory::Directory;
pub use fact::{Device, Media, SessionKind, UserKind};
pub use organization::{OrgId, Organization};
pub use place::Place;
pub use receipt::{FactError, Receipt};
pub use reports::{Answer, Covers, ReportError, Reports};
