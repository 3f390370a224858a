//! What the two usage reports are asked, in the model's words.

use crate::Tenant;
use jiff::ToSpan;
use jiff::civil::Date;
use rollcall_model::calendar::{EARLIEST, LATEST};
use rollcall_model::reports::{DepartmentDays, DeveloperDays, Developers, UsageSpan};
use rollcall_model::{Calendar, Millis, Range};

/// A question as it was asked, without the page. Equal questions share the rows that their pages are cut from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Question {
    /// The first day.
    pub(super) start: Date,
    /// The last day.
    pub(super) end: Date,
    pub(super) who: Who,
    /// Pages of other lengths begin elsewhere.
    pub(super) page_length: u64,
}

/// Whose rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// Every department.
    Departments,
    /// One department.
    Department(String),
    /// Every developer.
    Developers,
    /// One developer.
    Developer(String),
    /// The developers of a department.
    DevelopersOf(String),
}

impl Question {
    /// The instants asked for, up to the end of today: days to come have no rows.
    fn range(&self, calendar: &Calendar, now: Millis) -> Range {
        let today = calendar.day(calendar.date_of(now));
        let from = calendar.start_of(self.start).clamp(EARLIEST, LATEST);
        let to = calendar.start_of(self.end.saturating_add(1.day())).min(today.to).min(LATEST);
        Range::new(from, to.max(from))
    }

    /// As a question for `department_days`.
    pub(super) fn of_departments(&self, tenant: &Tenant, now: Millis) -> DepartmentDays {
        let zone = tenant.organization.zone.clone();
        let department = match &self.who {
            Who::Department(id) => Some(id.clone()),
            _ => None,
        };
        DepartmentDays {
            range: self.range(&Calendar::new(zone.clone()), now),
            zone,
            by: UsageSpan::Day,
            department,
            with_subtree: tenant.yunxiao.include_subdepartments,
            only: None,
        }
    }

    /// As a question for `developer_days`.
    pub(super) fn of_developers(&self, tenant: &Tenant, now: Millis) -> DeveloperDays {
        let zone = tenant.organization.zone.clone();
        let with_subtree = tenant.yunxiao.include_subdepartments;
        let developers = match &self.who {
            Who::Developer(id) => Developers::One(id.clone()),
            Who::DevelopersOf(id) => Developers::Of { department: id.clone(), with_subtree },
            _ => Developers::All,
        };
        DeveloperDays { range: self.range(&Calendar::new(zone.clone()), now), zone, by: UsageSpan::Day, developers, only: None }
    }
}
