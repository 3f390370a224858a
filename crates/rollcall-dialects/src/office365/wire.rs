//! What both sides say: the paths, the four sets, the properties of their rows (wire sections 1.1, 1.4, 1.5).

use jiff::civil::DateTime;
use rollcall_model::Period;

/// The service, as bodies spell it. Requests may spell it in any case.
pub const SERVICE: &str = "/ecp/ReportingWebService/Reporting.svc/";
/// The namespace of the metadata.
pub const NAMESPACE: &str = "TenantReporting";
/// The type of every row, in its namespace.
pub const ENTITY_TYPE: &str = "TenantReporting.CsActiveUserReport";
/// The type of every row, alone.
pub const ENTITY_NAME: &str = "CsActiveUserReport";
/// The only version of the service.
pub const SERVICE_VERSION: &str = "2013-V1";

/// Headers, as HTTP/1 clients see them when they look regardless of case.
pub mod header {
    /// The version of the service.
    pub const SERVICE_VERSION: &str = "x-rws-version";
    /// The id of the request, in every answer.
    pub const REQUEST_ID: &str = "request-id";
    /// The zone that cuts the periods.
    pub const TIME_ZONE: &str = "x-timezone";
    /// How the message is built.
    pub const DATA_SERVICE_VERSION: &str = "dataserviceversion";
    /// The highest version of an answer that the client reads.
    pub const MAX_DATA_SERVICE_VERSION: &str = "maxdataserviceversion";
}

/// XML namespaces: all `http://`, whatever later copies of the documents print (wire section 1.4).
pub mod xmlns {
    /// Of Atom feeds.
    pub const ATOM: &str = "http://www.w3.org/2005/Atom";
    /// Of service documents.
    pub const APP: &str = "http://www.w3.org/2007/app";
    /// Of property values.
    pub const DATA: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices";
    /// Of what describes them.
    pub const METADATA: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata";
    /// The scheme of an entry's category.
    pub const SCHEME: &str = "http://schemas.microsoft.com/ado/2007/08/dataservices/scheme";
}

/// One of the four report sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Set {
    /// `CsActiveUserDaily`.
    Daily,
    /// `CsActiveUserWeekly`.
    Weekly,
    /// `CsActiveUserMonthly`.
    Monthly,
    /// `CsActiveUserYearly`.
    Yearly,
}

impl Set {
    /// All, in the order of the service document.
    pub const ALL: [Self; 4] = [Self::Daily, Self::Weekly, Self::Monthly, Self::Yearly];

    /// The name in paths; its case matters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Daily => "CsActiveUserDaily",
            Self::Weekly => "CsActiveUserWeekly",
            Self::Monthly => "CsActiveUserMonthly",
            Self::Yearly => "CsActiveUserYearly",
        }
    }

    /// The set of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// What a row covers.
    pub const fn period(self) -> Period {
        match self {
            Self::Daily => Period::Day,
            Self::Weekly => Period::Week,
            Self::Monthly => Period::Month,
            Self::Yearly => Period::Year,
        }
    }
}

/// A property of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Property {
    /// The end of the period, or its start; the key.
    Date,
    /// How many users were active in it.
    ActiveUsers,
    /// The ordinal of the period since 1970.
    Id,
    /// The organization's id.
    TenantGuid,
    /// The organization's name.
    TenantName,
}

impl Property {
    /// All, in the order of the metadata.
    pub const ALL: [Self; 5] = [Self::Date, Self::ActiveUsers, Self::Id, Self::TenantGuid, Self::TenantName];

    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Date => "Date",
            Self::ActiveUsers => "ActiveUsers",
            Self::Id => "ID",
            Self::TenantGuid => "TenantGuid",
            Self::TenantName => "TenantName",
        }
    }

    /// Other names that options may use: the seed's sample request asks for `ActiveUsersCount`.
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::ActiveUsers => &["ActiveUsersCount"],
            _ => &[],
        }
    }

    /// The property of a name, as a path has it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|property| property.name() == name)
    }

    /// The property of a name or an alias, as options have it.
    pub fn from_option(name: &str) -> Option<Self> {
        Self::from_name(name).or_else(|| Self::ALL.into_iter().find(|property| property.aliases().contains(&name)))
    }

    /// The EDM type.
    pub const fn edm(self) -> &'static str {
        match self {
            Self::Date => "Edm.DateTime",
            Self::ActiveUsers | Self::Id => "Edm.Int64",
            Self::TenantGuid => "Edm.Guid",
            Self::TenantName => "Edm.String",
        }
    }

    /// Whether the metadata allows null.
    pub const fn nullable(self) -> bool {
        matches!(self, Self::TenantName)
    }
}

/// `2013-05-05T00:00:00`, with a fraction only where there is one.
pub(super) fn date_text(date: DateTime) -> String {
    date.strftime("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

/// `datetime'2013-05-05T00%3A00%3A00'`: the literal, ready for a URL.
pub(super) fn date_in_url(date: DateTime) -> String {
    format!("datetime'{}'", date_text(date).replace(':', "%3A"))
}

/// Reads `yyyy-mm-ddThh:mm[:ss[.fffffff]]`. An offset or `Z` is dropped: clients send one, and mean the clock they see.
pub(super) fn parse_date(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once(['T', 't'])?;
    let time = time.trim_end_matches(['Z', 'z']);
    let time = time.find(['+', '-']).map_or(time, |offset| &time[..offset]);
    let digits = |text: &str, length: usize| {
        (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<i16>().ok()).flatten()
    };
    let mut date = date.split('-');
    let (year, month, day) = (digits(date.next()?, 4)?, digits(date.next()?, 2)?, digits(date.next()?, 2)?);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':');
    let (hour, minute, second) = (digits(time.next()?, 2)?, digits(time.next()?, 2)?, digits(time.next().unwrap_or("00"), 2)?);
    if date.next().is_some() || time.next().is_some() || !(1..=7).contains(&fraction.len()) {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanosecond = format!("{fraction:0<9}").parse().ok()?;
    let small = |number: i16| i8::try_from(number).ok();
    DateTime::new(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?, nanosecond).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn dates_are_read_as_clients_write_them() {
        let midnight = date(2013, 5, 5).at(0, 0, 0, 0);
        for text in
            ["2013-05-05T00:00:00", "2013-05-05T00:00", "2013-05-05t00:00:00Z", "2013-05-05T00:00:00.0000000", "2013-05-05T00:00+08:00"]
        {
            assert_eq!(parse_date(text), Some(midnight), "{text}");
        }
        assert_eq!(parse_date("2013-05-05T01:02:03.5").map(date_text).as_deref(), Some("2013-05-05T01:02:03.5"));
        for text in [
            "",
            "2013-05-05",
            "2013-5-5T00:00",
            "2013-13-05T00:00",
            "2013-05-05T24:00",
            "2013-05-05T00:00:00.",
            "2013-05-05T00:00:00:00",
            "é013-05-05T00:00",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(date_in_url(midnight), "datetime'2013-05-05T00%3A00%3A00'");
    }
}
