//! `person`: what one user did: in all, or by week, place or device.

use super::{BadParameter, Cell, Common, Compared, Document, Given, Question, Report, groups};
use rollcall_model::calendar::rfc3339;
use rollcall_model::reports::{Person, PersonAnswer};

/// The report.
#[derive(Debug)]
pub struct PersonReport;

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "kind",
    "departments",
    "first",
    "last",
    "days",
    "sessions",
    "time_ms",
    "turns",
    "turns_accepted",
    "suggested",
    "accepted",
    "lines_accepted",
    "lines_changed",
    "last_use",
];
/// The columns of numbers, of which all are compared.
const NUMBERS: &[&str] =
    &["days", "sessions", "time_ms", "turns", "turns_accepted", "suggested", "accepted", "lines_accepted", "lines_changed"];
const WEEKS: &[&str] = &["date", "from", "to", "sessions", "time_ms"];
const PLACES: &[&str] = &["place", "name", "name_zh", "time_ms"];
const DEVICES: &[&str] = &["device", "time_ms"];

/// What rows there are.
#[derive(Debug, Clone, Copy)]
enum Breakdown {
    None,
    Weeks,
    Places,
    Devices,
}

impl Breakdown {
    fn of(value: Option<&str>) -> Result<Self, BadParameter> {
        match value {
            None => Ok(Self::None),
            Some("weeks") => Ok(Self::Weeks),
            Some("places") => Ok(Self::Places),
            Some("devices") => Ok(Self::Devices),
            other => Err(BadParameter::new("breakdown", other, "weeks, places or devices")),
        }
    }

    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::None => COLUMNS,
            Self::Weeks => WEEKS,
            Self::Places => PLACES,
            Self::Devices => DEVICES,
        }
    }

    fn rows(self, answer: &PersonAnswer) -> Vec<Vec<Cell>> {
        let text = |text: &str| Cell::Text(text.to_owned());
        match self {
            Self::None => vec![whole(answer)],
            Self::Weeks => {
                let weeks = answer.weeks.iter();
                let row = |week: &rollcall_model::reports::PersonWeek| {
                    let period = [week.date.to_string(), rfc3339(week.period.from), rfc3339(week.period.to)].map(Cell::Text);
                    period.into_iter().chain([Cell::from(week.sessions), Cell::Number(week.time)]).collect()
                };
                weeks.map(row).collect()
            }
            Self::Places => {
                let places = answer.places.iter();
                let row = |(place, time): &(Option<rollcall_model::Place>, i64)| {
                    let names = [place.and_then(|place| place.english_name()), place.and_then(|place| place.chinese_name())];
                    let [english, chinese] = names.map(|name| Cell::from(name.map(Into::into)));
                    vec![Cell::from(place.map(|place| place.code())), english, chinese, Cell::Number(*time)]
                };
                places.map(row).collect()
            }
            Self::Devices => answer.devices.iter().map(|(device, time)| vec![text(device.name()), Cell::Number(*time)]).collect(),
        }
    }
}

fn whole(PersonAnswer { row, days, usage, .. }: &PersonAnswer) -> Vec<Cell> {
    let mut cells = vec![
        Cell::Text(row.id.clone()),
        Cell::Text(row.name.clone()),
        Cell::from(row.kind.map(|kind| kind.name().to_owned())),
        Cell::Text(row.departments.join("|")),
        Cell::from(row.first.map(rfc3339)),
        Cell::from(row.last.map(rfc3339)),
        Cell::from(*days),
        Cell::from(row.sessions),
        Cell::Number(row.time),
    ];
    let used = [usage.turns, usage.turns_accepted, usage.suggested, usage.accepted, usage.lines_accepted, usage.lines_changed];
    cells.extend(used.map(Cell::from));
    cells.push(Cell::from(usage.last_use.map(rfc3339)));
    cells
}

impl Report for PersonReport {
    fn name(&self) -> &'static str {
        "person"
    }

    fn columns(&self, given: &[(String, String)]) -> &'static [&'static str] {
        let value = given.iter().find(|(name, _)| name == "breakdown").map(|(_, value)| value.as_str());
        Breakdown::of(value).unwrap_or(Breakdown::None).columns()
    }

    fn own_parameters(&self) -> &'static [&'static str] {
        &["user", "breakdown", "week_start"]
    }

    fn compared(&self, given: &[(String, String)]) -> Option<Compared> {
        Some(match self.columns(given) {
            WEEKS => Compared::periods(&["sessions", "time_ms"]),
            PLACES => Compared::by(&["place"], &["time_ms"]),
            DEVICES => Compared::by(&["device"], &["time_ms"]),
            _ => Compared::by(&["id"], NUMBERS),
        })
    }

    fn has_day_rows(&self) -> bool {
        true
    }

    fn about(&self) -> [&'static str; 2] {
        [
            "What one user did: days, sessions, time and use of the coding assistant; or time by week, place or device. The user's sessions: the report sessions with user.",
            "某个用户的情况：天数、会话数、时长与编码助手使用量；或按周、地点、设备的时长。其会话列表用 sessions 报表加 user 参数。",
        ]
    }

    fn names_people(&self) -> bool {
        true
    }

    fn words(&self, parameter: &str) -> Option<&'static str> {
        (parameter == "breakdown").then_some("weeks|places|devices")
    }

    fn question(&self, Common { range, zone, .. }: Common, own: &Given<'_>) -> Result<Question, BadParameter> {
        let breakdown = Breakdown::of(own.get("breakdown"))?;
        let Some(user) = own.get("user") else { return Err(BadParameter::new("user", None, "the id of a user")) };
        let (week_start, home) = (groups::week_start(own.get("week_start"))?, own.organization().zone.clone());
        let ask = Person { user: user.into(), range, zone, week_start, home };
        Ok(Box::new(move |reports, org| {
            let answer = reports.person(org, &ask)?;
            Ok(Document::new(&answer.covers, breakdown.columns(), answer.rows.iter().flat_map(|row| breakdown.rows(row)).collect()))
        }))
    }
}
