//! The vocabulary of rollcall: facts, organizations, the directory, the calendar, and the questions and answers
//! called reports. No I/O and no storage format lives here; everything else in the project depends on this crate.
//!
//! # Layout
//! - [`calendar`]: instants, half-open ranges, quarter hours, and the days, weeks, months and years of any zone
//! - [`fact`]: the small closed vocabularies of a fact (user kind, device, media …)
//! - [`attendance`], [`assistance`]: the facts and their fields
//! - [`draft`]: a fact being decoded, and its validation
//! - [`fields`]: what the fields of facts are called
//! - [`identity`]: what makes a fact one and the same when it is sent again
//! - [`instant`]: times as sources write them
//! - [`place`]: country and subdivision codes, their names, and what resolves addresses to them
//! - [`receipt`]: the answer to an ingest, and the errors it lists
//! - [`organization`], [`directory`]: tenants, and the people and departments in them
//! - [`cancellation`]: how work learns that nobody waits for it
//! - [`reports`]: typed parameters and rows, and the [`Reports`] trait that answers them

pub mod assistance;
pub mod attendance;
pub mod calendar;
pub mod cancellation;
pub mod directory;
pub mod draft;
pub mod fact;
pub mod fields;
pub mod identity;
pub mod instant;
pub mod organization;
pub mod place;
pub mod receipt;
pub mod reports;

pub use assistance::Assistance;
pub use attendance::Attendance;
pub use calendar::{Calendar, Hour, Millis, Period, Quarter, Range};
pub use cancellation::{Cancellation, Ended};
pub use directory::Directory;
pub use draft::{AssistanceDraft, AttendanceDraft, Clock, Draft, Value};
pub use fact::{AssistanceKind, Device, FactKind, Media, Medium, SessionKind, UserKind};
pub use fields::FactField;
pub use identity::FactId;
pub use organization::{OrgId, Organization};
pub use place::{Place, Places};
pub use receipt::{FactError, Receipt};
pub use reports::{Answer, Covers, ReportError, Reports};
