//! The draft of an attendance.

use super::{Clock, Draft, DraftField, EXPECTED_ID, EXPECTED_TEXT, EXPECTED_TIME, Given, Time, Value};
use crate::attendance::{Attendance, EARLY_JOIN, Field, LONGEST_STAY};
use crate::directory::Directory;
use crate::fact::{Device, Media, Medium, SessionKind, UserKind};
use crate::fields::FactField;
use crate::identity::{FactId, Joined};
use crate::organization::Organization;
use crate::place::{EXPECTED_COUNTRY, EXPECTED_SUBDIVISION, Place, Places};
use crate::receipt::FactError;
use std::borrow::Cow;
use std::net::IpAddr;
use xxhash_rust::xxh3::xxh3_64;

const EXPECTED_MEDIA: &str = "a list of audio, video, screen, message, file";
const EXPECTED_UNIT: &str = "an integer from 0 to 3 that is one of the organization's units";
const EXPECTED_ADDRESS: &str = "an IPv4 or IPv6 address";

/// An attendance being decoded.
pub type AttendanceDraft<'a> = Draft<'a, Field>;

/// The values of an attendance that were given and are right.
#[derive(Debug, Default)]
pub struct Values<'a> {
    id: Option<Cow<'a, str>>,
    app: Option<Cow<'a, str>>,
    session_id: Option<Cow<'a, str>>,
    session_kind: Option<SessionKind>,
    session_started_at: Option<Time<'a>>,
    user_id: Option<Cow<'a, str>>,
    user_kind: Option<UserKind>,
    device: Option<Device>,
    media: Option<Media>,
    joined_at: Option<Time<'a>>,
    left_at: Option<Time<'a>>,
    country: Option<Place>,
    subdivision: Option<Place>,
    ip: Option<IpAddr>,
    unit: Option<u8>,
}

impl DraftField for Field {
    type Values<'a> = Values<'a>;

    fn set<'a>(self, values: &mut Values<'a>, given: Given<'_, 'a>) -> Result<(), &'static str> {
        match self {
            Self::Id => values.id = Some(given.id().ok_or(EXPECTED_ID)?),
            Self::App => values.app = Some(given.text().ok_or(EXPECTED_TEXT)?),
            Self::SessionId => values.session_id = Some(given.text().ok_or(EXPECTED_TEXT)?),
            Self::UserId => values.user_id = Some(given.text().ok_or(EXPECTED_TEXT)?),
            Self::SessionKind => values.session_kind = Some(given.word(SessionKind::from_name).ok_or("meeting, call or room")?),
            Self::UserKind => values.user_kind = Some(given.word(UserKind::from_name).ok_or("member, guest, room or phone")?),
            Self::Device => {
                values.device = Some(given.word(Device::from_name).ok_or("desktop, web, mobile, tablet, room, phone or unknown")?);
            }
            Self::Media => values.media = Some(media(given).ok_or(EXPECTED_MEDIA)?),
            Self::SessionStartedAt => values.session_started_at = Some(given.time().ok_or(EXPECTED_TIME)?),
            Self::JoinedAt => values.joined_at = Some(given.time().ok_or(EXPECTED_TIME)?),
            Self::LeftAt => values.left_at = Some(given.time().ok_or(EXPECTED_TIME)?),
            Self::Country => values.country = Some(given.word(Place::country_only).ok_or(EXPECTED_COUNTRY)?),
            Self::Subdivision => values.subdivision = Some(given.word(Place::of_subdivision).ok_or(EXPECTED_SUBDIVISION)?),
            Self::Ip => values.ip = Some(given.word(|address| address.parse().ok()).ok_or(EXPECTED_ADDRESS)?),
            Self::Unit => {
                let number = given.integer().and_then(|number| u8::try_from(number).ok());
                values.unit = Some(number.filter(|unit| *unit <= 3).ok_or(EXPECTED_UNIT)?);
            }
        }
        Ok(())
    }

    fn times<'v, 'a>(values: &'v mut Values<'a>) -> impl Iterator<Item = (&'static str, &'v mut Option<Time<'a>>)>
    where
        'a: 'v,
    {
        let Values { session_started_at, joined_at, left_at, .. } = values;
        [("session_started_at", session_started_at), ("joined_at", joined_at), ("left_at", left_at)].into_iter()
    }

    fn missing(given: &[Self]) -> Vec<&'static str> {
        let required = [Self::SessionId, Self::SessionStartedAt, Self::UserId, Self::JoinedAt, Self::LeftAt];
        // Without a kind of session every fact is of a meeting.
        let optional = |field: &Self| *field == Self::SessionStartedAt && given.contains(&Self::SessionKind);
        required.iter().filter(|field| !given.contains(field) && !optional(field)).map(|field| field.name()).collect()
    }
}

fn media(given: Given<'_, '_>) -> Option<Media> {
    let add = |media: Option<Media>, name: &str| Some(media?.with(Medium::from_name(name)?));
    match given.value {
        Value::List(items) => items.iter().map(AsRef::as_ref).fold(Some(Media::NONE), add),
        Value::Str(text) if given.text_only && text == "|" => Some(Media::NONE),
        Value::Str(text) if given.text_only => text.split('|').fold(Some(Media::NONE), add),
        _ => None,
    }
}

impl<'a> AttendanceDraft<'a> {
    /// Checks the fact as a whole and fills in what is absent. Codes given with the fact win over its address, which `places` resolves;
    /// without them, or where they do not know it, the place is unknown. The address itself ends here: it is never stored and never logged.
    ///
    /// # Errors
    /// Everything wrong with the fact, without line numbers.
    pub fn finish(
        mut self,
        organization: &Organization,
        directory: &Directory,
        places: Option<&dyn Places>,
    ) -> Result<Attendance<'a>, Vec<FactError>> {
        let app = self.app_position(organization);
        self.settle(Clock::default());
        let given_place = self.place();
        if let Some(unit) = self.values.unit.filter(|unit| !organization.units.contains(unit)) {
            self.errors.push(FactError::new("unit", Some(&unit.to_string()), EXPECTED_UNIT));
        }
        let session_kind = self.values.session_kind.unwrap_or(SessionKind::Meeting);
        self.check_times();
        self.require(&[
            ("session_id", self.values.session_id.is_none(), EXPECTED_TEXT),
            ("user_id", self.values.user_id.is_none(), EXPECTED_TEXT),
            ("joined_at", self.values.joined_at.is_none(), EXPECTED_TIME),
            ("left_at", self.values.left_at.is_none(), EXPECTED_TIME),
            ("session_started_at", self.values.session_started_at.is_none() && session_kind == SessionKind::Meeting, EXPECTED_TIME),
        ]);
        let (Some(session_id), Some(user_id), Some(joined), Some(left), true) =
            (self.values.session_id, self.values.user_id, self.values.joined_at, self.values.left_at, self.errors.is_empty())
        else {
            return Err(self.errors);
        };
        let started_at = self.values.session_started_at.map_or(joined.at, |time| time.at);
        let app_name = organization.apps.get(usize::from(app)).map_or("", String::as_str);
        let default_id = FactId::default_of(app_name, &session_id, started_at, &user_id, joined.at);
        let device = self.values.device.unwrap_or(Device::Unknown);
        let media = self.values.media.unwrap_or(Media::AUDIO);
        // What depends on the directory, the configuration or a place database is hashed as it was given, so that a
        // retry after any of them changed is still the same fact.
        let numbers = [
            session_kind.number(),
            device.number(),
            media.bits(),
            self.values.user_kind.map_or(u8::MAX, UserKind::number),
            self.values.unit.unwrap_or(u8::MAX),
            u8::from(self.values.ip.is_some()),
        ];
        let mut given = Joined::default();
        given.fixed(FactId::content_word(default_id));
        given.fixed(left.at.to_le_bytes());
        given.fixed(numbers);
        given.fixed(given_place.map_or(0, |place| place.number()).to_le_bytes());
        let content = xxh3_64(given.bytes());
        let user_kind =
            self.values.user_kind.or_else(|| directory.kind_on(&user_id, || organization.day_of(joined.at))).unwrap_or(UserKind::Member);
        let id = FactId::of(self.values.id.as_deref(), default_id);
        Ok(Attendance {
            id,
            given_id: self.values.id.filter(|_| id != default_id),
            #[expect(clippy::cast_possible_truncation, reason = "32 bits tell contents apart well enough to count conflicts")]
            content: content as u32,
            app,
            session_id,
            session_kind,
            session_started_at: started_at,
            user_id,
            user_kind,
            device,
            media,
            joined_at: joined.at,
            left_at: left.at,
            place: given_place.or_else(|| places?.place_of(self.values.ip?)),
            unit: self.values.unit.unwrap_or_else(|| organization.default_unit()),
        })
    }

    fn app_position(&mut self, organization: &Organization) -> u16 {
        let name = self.values.app.as_deref().unwrap_or("default");
        let position = organization.apps.iter().position(|app| app == name).and_then(|position| u16::try_from(position).ok());
        position.unwrap_or_else(|| {
            self.errors.push(FactError::new("app", Some(name), format!("an app of the organization: {}", organization.apps.join(", "))));
            0
        })
    }

    fn place(&mut self) -> Option<Place> {
        if let (Some(country), Some(subdivision)) = (self.values.country, self.values.subdivision)
            && country.country() != subdivision.country()
        {
            self.errors.push(FactError::new(
                "subdivision",
                Some(&subdivision.code()),
                format!("a subdivision of the country {}", country.country()),
            ));
        }
        self.values.subdivision.or(self.values.country)
    }

    fn check_times(&mut self) {
        let (Some(joined), Some(left)) = (&self.values.joined_at, &self.values.left_at) else { return };
        if left.at < joined.at {
            self.errors.push(FactError::new("left_at", Some(&left.shown()), "not before joined_at"));
        } else if left.at - joined.at > LONGEST_STAY {
            self.errors.push(FactError::new("left_at", Some(&left.shown()), "not more than 7 days after joined_at"));
        }
        if let Some(started) = &self.values.session_started_at {
            if started.at < joined.at - LONGEST_STAY {
                self.errors.push(FactError::new("session_started_at", Some(&started.shown()), "not more than 7 days before joined_at"));
            } else if started.at > joined.at + EARLY_JOIN {
                self.errors.push(FactError::new("session_started_at", Some(&started.shown()), "not more than 1 day after joined_at"));
            }
        }
    }
}
#[cfg(test)]
mod tests {
    use super::*;
    use crate::organization::OrgId;
    use jiff::tz::TimeZone;

    fn organization() -> Organization {
        Organization::new(OrgId(uuid::Uuid::nil()), "o", TimeZone::UTC)
    }

    fn finish(fields: &[(&str, Value<'static>)]) -> Result<Attendance<'static>, Vec<String>> {
        resolved(fields, None)
    }

    fn resolved(fields: &[(&str, Value<'static>)], places: Option<&dyn Places>) -> Result<Attendance<'static>, Vec<String>> {
        let mut draft = AttendanceDraft::new();
        for (field, value) in fields {
            draft.set(field, value.clone());
        }
        draft.finish(&organization(), &Directory::default(), places).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    fn str(text: &'static str) -> Value<'static> {
        Value::Str(text.into())
    }

    fn valid() -> Vec<(&'static str, Value<'static>)> {
        vec![
            ("session_id", str("s")),
            ("session_started_at", str("2025-03-01T09:00:00Z")),
            ("user_id", str("u")),
            ("joined_at", str("2025-03-01T17:00:00+08:00")),
            ("left_at", Value::Int(1_740_823_200_000)),
        ]
    }

    fn with(field: &'static str, value: Value<'static>) -> Vec<(&'static str, Value<'static>)> {
        let mut fields: Vec<_> = valid().into_iter().filter(|(name, _)| *name != field).collect();
        fields.push((field, value));
        fields
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let fact = finish(&valid()).unwrap();
        assert_eq!(
            (fact.session_kind, fact.user_kind, fact.device, fact.media, fact.unit),
            (SessionKind::Meeting, UserKind::Member, Device::Unknown, Media::AUDIO, 0)
        );
        assert_eq!(fact.joined_at, 1_740_819_600_000);
        assert_eq!(fact.place, None);
    }

    #[test]
    fn every_error_of_a_fact_is_told() {
        let errors = finish(&[
            ("session_id", Value::Int(3)),
            ("user_id", str("")),
            ("device", str("fridge")),
            ("media", Value::List(vec!["audio".into(), "smell".into()])),
            ("joined_at", str("yesterday")),
            ("unit", Value::Int(1)),
            ("colour", str("red")),
            ("app", str("x")),
        ])
        .unwrap_err();
        assert_eq!(
            errors,
            [
                "session_id 3: expected a string of 1 to 256 bytes without control characters",
                "user_id : expected a string of 1 to 256 bytes without control characters",
                "device fridge: expected desktop, web, mobile, tablet, room, phone or unknown",
                "media [audio,smell]: expected a list of audio, video, screen, message, file",
                "joined_at yesterday: expected an RFC 3339 time with an offset, or integer Unix milliseconds, from 1972 to 2199",
                "colour red: expected no such field; see the fields of an attendance",
                "app x: expected an app of the organization: default",
                "unit 1: expected an integer from 0 to 3 that is one of the organization's units",
                "left_at is missing: expected an RFC 3339 time with an offset, or integer Unix milliseconds, from 1972 to 2199",
                "session_started_at is missing: expected an RFC 3339 time with an offset, or integer Unix milliseconds, from 1972 to 2199",
            ]
        );
    }

    #[test]
    fn times_out_of_order_are_refused() {
        assert_eq!(finish(&with("left_at", str("2025-03-01T08:59Z"))).unwrap_err(), ["left_at 2025-03-01T08:59Z is before joined_at"]);
        assert_eq!(
            finish(&with("left_at", str("2025-03-08T09:00:00.001Z"))).unwrap_err(),
            ["left_at 2025-03-08T09:00:00.001Z is more than 7 days after joined_at"]
        );
        assert_eq!(finish(&with("session_started_at", str("2025-03-02T09:00:00.001Z"))).unwrap_err().len(), 1);
        assert_eq!(finish(&with("session_started_at", str("2025-02-22T08:59:59Z"))).unwrap_err().len(), 1);
        assert!(finish(&with("left_at", str("2025-03-08T09:00:00Z"))).is_ok());
    }

    #[test]
    fn a_subdivision_implies_its_country_and_a_mismatch_is_refused() {
        let mut fields = with("subdivision", str("CN-31"));
        assert_eq!(finish(&fields).unwrap().place.unwrap().code(), "CN-SH");
        fields.push(("country", str("US")));
        assert_eq!(finish(&fields).unwrap_err(), ["subdivision CN-SH: expected a subdivision of the country US"]);
    }

    /// Knows where one address is.
    struct Only(&'static str, &'static str);

    impl Places for Only {
        fn place_of(&self, address: IpAddr) -> Option<Place> {
            Place::from_code(self.1).filter(|_| address.to_string() == self.0)
        }
    }

    #[test]
    fn an_address_gives_the_place_unless_codes_do() {
        let shanghai = Only("2001:db8::1", "CN-SH");
        let mut fields = with("ip", str("2001:DB8:0::1"));
        let place = |fields: &[_], places| resolved(fields, places).unwrap().place.map(|place| place.code());
        assert_eq!(place(&fields, Some(&shanghai)).as_deref(), Some("CN-SH"));
        assert_eq!(place(&fields, None), None);
        assert_eq!(place(&with("ip", str("192.0.2.1")), Some(&shanghai)), None);
        assert_eq!(place(&valid(), Some(&shanghai)), None);
        fields.push(("country", str("CN")));
        assert_eq!(place(&fields, Some(&shanghai)).as_deref(), Some("CN"));
        for malformed in ["1.2.3", "1.2.3.256", "::g", "1.2.3.4/8", "", "localhost", "fe80::1%eth0"] {
            let told = format!("ip {malformed}: expected an IPv4 or IPv6 address");
            assert_eq!(resolved(&with("ip", str(malformed)), Some(&shanghai)).unwrap_err(), [told]);
        }
    }

    #[test]
    fn a_fact_is_the_same_wherever_its_address_is() {
        let content = |fields: &[_], places| resolved(fields, places).map(|fact| (fact.id, fact.content)).unwrap();
        let (shanghai, paris) = (Only("192.0.2.1", "CN-SH"), Only("192.0.2.1", "FR"));
        let fields = with("ip", str("192.0.2.1"));
        assert_eq!(content(&fields, Some(&shanghai)), content(&fields, Some(&paris)));
        assert_eq!(content(&fields, Some(&shanghai)), content(&fields, None));
        assert_eq!(content(&fields, None), content(&with("ip", str("198.51.100.7")), None));
        assert_ne!(content(&fields, None), content(&valid(), None));
    }

    #[test]
    fn the_same_fact_has_the_same_id_and_content() {
        let first = finish(&valid()).unwrap();
        let again = finish(&with("joined_at", Value::Int(1_740_819_600_000))).unwrap();
        assert_eq!((first.id, first.content), (again.id, again.content));
        let longer = finish(&with("left_at", Value::Int(1_740_823_200_001))).unwrap();
        assert_eq!(first.id, longer.id);
        assert_ne!(first.content, longer.content);
        let exported = finish(&with("id", Value::Str(first.id.to_string().into()))).unwrap();
        assert_eq!((exported.id, exported.given_id), (first.id, None));
        assert!(matches!(finish(&with("id", str("x"))).unwrap().id, FactId::Given(_)));
    }

    #[test]
    fn an_id_in_the_words_of_another_facts_default_is_a_given_id_like_any_other() {
        let own = finish(&valid()).unwrap();
        let others = finish(&with("user_id", str("v"))).unwrap().id.to_string();
        assert_ne!(own.id.to_string(), others);
        let copied = finish(&with("id", Value::Str(others.clone().into()))).unwrap();
        assert_eq!((copied.id, copied.given_id.as_deref()), (FactId::of_given(&others), Some(others.as_str())));
        assert!(matches!(copied.id, FactId::Given(_)));
        for almost in [own.id.to_string().to_uppercase(), own.id.to_string().replace("rc-", "rc"), format!("{} ", own.id)] {
            assert!(matches!(finish(&with("id", Value::Str(almost.into()))).unwrap().id, FactId::Given(_)));
        }
    }

    fn finish_by(clock: Clock<'_>, fields: &[(&str, Value<'static>)]) -> Result<(i64, i64), Vec<String>> {
        let mut draft = AttendanceDraft::new();
        for (field, value) in fields {
            draft.set(field, value.clone());
        }
        let fact = draft.by(clock).finish(&organization(), &Directory::default(), None);
        fact.map(|fact| (fact.joined_at, fact.left_at)).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_time_after_the_latest_is_refused_in_every_field() {
        let latest = |latest| Clock { latest, ..Clock::default() };
        assert!(finish_by(latest(1_740_823_200_000), &valid()).is_ok());
        assert_eq!(
            finish_by(latest(1_740_823_199_999), &valid()).unwrap_err(),
            ["left_at 1740823200000 is later than 2025-03-01T09:59:59.999Z, the latest that limits.future_seconds allows"]
        );
        let told = finish_by(latest(1_740_819_599_000), &valid()).unwrap_err();
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(
            told[1],
            "joined_at 2025-03-01T17:00:00+08:00 is later than 2025-03-01T08:59:59Z, the latest that limits.future_seconds allows"
        );
    }

    #[test]
    fn a_time_without_an_offset_needs_a_zone() {
        let fields = |joined: Value<'static>| {
            [with("joined_at", joined), vec![]]
                .concat()
                .into_iter()
                .filter(|(name, _)| *name != "left_at")
                .chain([("left_at", str("2025-03-01 17:30"))])
                .collect::<Vec<_>>()
        };
        let expected = "expected an offset such as +08:00, or, for times without one, the parameter zone (rollcall import: --time-zone), such as zone=Asia/Shanghai";
        let told = finish_by(Clock::default(), &fields(Value::Local(1_740_848_400_500))).unwrap_err();
        assert_eq!(told, [format!("joined_at 2025-03-01T17:00:00.5: {expected}"), format!("left_at 2025-03-01 17:30: {expected}")]);
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let clock = Clock { zone: Some(&shanghai), ..Clock::default() };
        for joined in
            [Value::Local(1_740_848_400_000), str("2025-03-01T17:00:00"), str("2025-03-01T09:00:00Z"), Value::Int(1_740_819_600_000)]
        {
            assert_eq!(finish_by(clock, &fields(joined)), Ok((1_740_819_600_000, 1_740_821_400_000)));
        }
        let new_york = TimeZone::get("America/New_York").unwrap();
        let clock = Clock { zone: Some(&new_york), ..Clock::default() };
        let told = finish_by(clock, &fields(str("2025-03-09T02:30:00"))).unwrap_err();
        assert_eq!(
            told[0],
            "joined_at 2025-03-09T02:30:00: expected a time that the clocks of America/New_York showed: they were set forward past this one"
        );
    }

    #[test]
    fn a_field_twice_is_refused_and_null_is_absent() {
        let mut fields = valid();
        fields.push(("user_id", str("v")));
        assert_eq!(finish(&fields).unwrap_err(), ["user_id v: expected each field once"]);
        assert!(finish(&with("device", Value::Null)).is_ok());
        assert_eq!(
            finish(&with("user_id", Value::Null)).unwrap_err(),
            ["user_id is missing: expected a string of 1 to 256 bytes without control characters"]
        );
    }

    #[test]
    fn text_formats_read_numbers_and_lists_from_text() {
        let mut draft = AttendanceDraft::text_only();
        for (field, value) in [
            ("session_id", "s"),
            ("session_started_at", "1740819600000"),
            ("user_id", "u"),
            ("joined_at", "1740819600000"),
            ("left_at", "2025-03-01T10:00:00Z"),
            ("media", "audio|screen"),
            ("unit", "0"),
            ("device", ""),
        ] {
            draft.set(field, str(value));
        }
        let fact = draft.finish(&organization(), &Directory::default(), None).unwrap();
        assert!(fact.media.has(Medium::Screen) && !fact.media.has(Medium::Video));
        assert_eq!(fact.left_at - fact.joined_at, 3_600_000);
    }
}
