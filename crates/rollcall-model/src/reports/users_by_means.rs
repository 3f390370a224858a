//! `users_by_means`: distinct users by what they used: media, or devices.

use super::stays::StayFilter;
use crate::calendar::Range;
use crate::fact::{Device, Medium};
use jiff::tz::TimeZone;

/// The question: how many distinct users attended with sound, with a camera, with screen sharing; or on which devices.
///
/// A stay counts as in [`ActiveUsers`](super::ActiveUsers). A user counts once in each row.
#[derive(Debug, Clone, PartialEq)]
pub struct UsersByMeans {
    /// The instants asked for, as one.
    pub range: Range,
    /// The zone that the answer names; it does not change the rows.
    pub zone: TimeZone,
    /// What a row is.
    pub by: MeansLevel,
    /// Which stays count.
    pub of: StayFilter,
}

/// What a row of `users_by_means` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MeansLevel {
    /// A medium: audio, video, screen.
    Medium,
    /// A device.
    Device,
}

/// What somebody used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Means {
    /// A medium.
    Medium(Medium),
    /// A device.
    Device(Device),
}

impl MeansLevel {
    /// The rows of the answer, in their order.
    pub fn rows(self) -> Vec<Means> {
        match self {
            Self::Medium => [Medium::Audio, Medium::Video, Medium::Screen].map(Means::Medium).into(),
            Self::Device => Device::ALL.iter().copied().map(Means::Device).collect(),
        }
    }
}

impl Means {
    /// Its name, as facts have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Medium(medium) => medium.name(),
            Self::Device(device) => device.name(),
        }
    }
}

/// One row of the answer; each has one, also with no user at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeansUsers {
    /// What was used.
    pub means: Means,
    /// Distinct users.
    pub users: u64,
    /// Distinct users whatever they used. Rows overlap, so they may be more than this together.
    pub of: u64,
}
