//! The vocabulary of rollcall: facts, organizations, the directory, the calendar, and the questions and answers
//! called reports. No I/O and no storage format lives here; everything else in the project depends on this crate.
//!
//! # Layout
//! - [`calendar`]: instants, half-open ranges, quarter hours, and the days, weeks, months and years of any zone
//! - [`fact`]: the small closed vocabularies of a fact (user kind, device, media …)
//! - [`attendance`]: the attendance fact and its fields
//! - [`draft`]: a fact being decoded, and its validation
//! - [`identity`]: what makes a fact one and the same when it is sent again
//! - [`instant`]: times as sources write them
//! - [`place`]: country and subdivision codes
//! - [`receipt`]: the answer to an ingest, and the errors it lists
//! - [`organization`], [`directory`]: tenants, and the people and departments in them
//! - [`reports`]: typed parameters and rows, and the [`Reports`] trait that answers them

pub mod attendance;
pub mod calendar;
pub mod directory;
pub mod draft;
pub mod fact;
pub mod identity;
pub mod instant;
pub mod organization;
pub mod place;
pub mod receipt;
pub mod reports;

pub use attendance::Attendance;
pub use calendar::{Calendar, Millis, Period, Quarter, Range};
pub use directory::Directory;
pub use draft::{Draft, Value};
pub use fact::{Device, Media, SessionKind, UserKind};
pub use identity::FactId;
pub use organization::{OrgId, Organization};
pub use place::Place;
pub use receipt::{FactError, Receipt};
pub use reports::{Answer, Covers, ReportError, Reports};
