//! Each report as a loop over all facts. The directory never changes, so days do not matter to it.

use super::facts::{NOW, Stage, Stay, Use};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rollcall_model::Directory;
use rollcall_model::reports::*;
use rollcall_model::{Answer, Calendar, Covers, Device, Millis, OrgId, Period, Place, Range, ReportError, Reports, UserKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

type Result<T> = std::result::Result<T, ReportError>;

fn overlaps(stay: &Stay, range: Range) -> bool {
    stay.joined < range.to && stay.left > range.from
}

fn covers<R>(range: Range, zone: &TimeZone, seen: impl Iterator<Item = (Millis, Millis)>, rows: Vec<R>) -> Answer<R> {
    let seen =
        seen.fold(None, |seen: Option<(Millis, Millis)>, (from, to)| Some(seen.map_or((from, to), |(a, b)| (a.min(from), b.max(to)))));
    Answer { covers: Covers { range, zone: zone.clone(), seen }, rows }
}

impl Stage {
    fn is_in(&self, user: usize, department: &str) -> bool {
        self.below.get(department).is_some_and(|below| self.people[user].departments.iter().any(|one| below.contains(one)))
    }

    fn counts(&self, stay: &Stay, of: &StayFilter) -> bool {
        let user_kind = self.people[stay.user].kind;
        of.app.as_deref().is_none_or(|app| app == stay.app)
            && of.session_kinds.as_ref().is_none_or(|kinds| kinds.contains(&stay.kind))
            && of.user_kinds.as_ref().is_none_or(|kinds| kinds.contains(&user_kind))
            && of.devices.as_ref().is_none_or(|devices| devices.contains(&stay.device))
            && of.media.as_ref().is_none_or(|media| media.iter().any(|medium| stay.media.has(*medium)))
            && of.department.as_ref().is_none_or(|department| self.is_in(stay.user, &department.id))
    }

    fn within<'s>(&'s self, range: Range, of: &StayFilter) -> Vec<&'s Stay> {
        self.stays.iter().filter(|stay| overlaps(stay, range) && self.counts(stay, of)).collect()
    }

    fn slices(by: Grouping, range: Range, calendar: &Calendar) -> Vec<(Date, Range)> {
        match by {
            Grouping::Period(period) => calendar.periods(period, range).map(|slice| (slice.date, slice.range)).collect(),
            Grouping::Hour => calendar.hours(range).map(|hour| (hour.date, hour.range)).collect(),
            Grouping::Whole | Grouping::Rolling(_) => vec![(calendar.date_of(range.from), range)],
        }
    }

    fn person_row(&self, user: usize, stays: &[&Stay], range: Range) -> PersonRow {
        let person = &self.people[user];
        let own: Vec<_> = stays.iter().filter(|stay| stay.user == user).collect();
        let sessions: BTreeSet<_> = own.iter().map(|stay| (stay.started_at, &stay.session_id, stay.app)).collect();
        let known = self.directory.user(&person.id).is_some();
        PersonRow {
            id: person.id.clone(),
            name: if known { person.name.clone() } else { person.id.clone() },
            kind: known.then_some(person.kind),
            departments: person.departments.clone(),
            first: own.iter().map(|stay| stay.joined).min(),
            last: own.iter().map(|stay| stay.left).max(),
            sessions: sessions.len() as u64,
            time: own.iter().map(|stay| stay.left.min(range.to) - stay.joined.max(range.from)).sum(),
        }
    }

    fn uses_in<'s>(&'s self, range: Range, department: Option<&str>) -> Vec<&'s Use> {
        self.uses
            .iter()
            .filter(|one| range.contains(one.at) && department.is_none_or(|department| self.is_in(one.user, department)))
            .collect()
    }
}

fn distinct(stays: &[&Stay]) -> u64 {
    stays.iter().map(|stay| stay.user).collect::<BTreeSet<_>>().len() as u64
}

fn usage(uses: &[&Use]) -> Usage {
    let users = |chat: Option<bool>| {
        uses.iter().filter(|one| chat.is_none_or(|chat| chat == one.chat)).map(|one| one.user).collect::<BTreeSet<_>>().len() as u64
    };
    let sum = |value: fn(&Use) -> u64| uses.iter().map(|one| value(one)).sum::<u64>();
    let (mut coding, mut completion, mut chatting) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for one in uses {
        coding.entry(one.language).or_insert_with(Vec::new).push(*one);
        if one.chat {
            chatting.entry(one.ide).or_insert_with(Vec::new).push(*one);
        } else {
            completion.entry((one.language, one.ide)).or_insert_with(Vec::new).push(*one);
        }
    }
    let who = |uses: &[&Use]| uses.iter().map(|one| one.user).collect::<BTreeSet<_>>().len() as u64;
    let total = |uses: &[&Use], value: fn(&Use) -> u64| uses.iter().map(|one| value(one)).sum::<u64>();
    Usage {
        developers: users(None),
        chat_developers: users(Some(true)),
        completion_developers: users(Some(false)),
        last_use: uses.iter().map(|one| one.at).max(),
        turns: sum(|one| one.turns),
        turns_accepted: sum(|one| one.turns / 2),
        suggested: sum(|one| one.suggested),
        accepted: sum(|one| one.accepted),
        lines_accepted: sum(|one| one.lines),
        lines_changed: sum(|one| one.lines + 5),
        chatting: chatting
            .iter()
            .map(|(ide, uses)| Chatting {
                chat_type: "FREE_INPUT".into(),
                ide: (*ide).into(),
                developers: who(uses),
                turns: total(uses, |one| one.turns),
                accepted: 0,
            })
            .collect(),
        coding: coding
            .iter()
            .map(|(language, uses)| Coding {
                language: (*language).into(),
                developers: who(uses),
                lines_accepted: total(uses, |one| one.lines),
                lines_changed: total(uses, |one| one.lines + 5),
            })
            .collect(),
        completion: completion
            .iter()
            .map(|((language, ide), uses)| Completion {
                language: (*language).into(),
                ide: (*ide).into(),
                developers: who(uses),
                suggested: total(uses, |one| one.suggested),
                accepted: total(uses, |one| one.accepted),
                lines_accepted: total(uses, |one| one.lines),
                lines_changed: 0,
            })
            .collect(),
    }
}

impl Reports for Stage {
    fn directory(&self, _: OrgId) -> Result<Arc<Directory>> {
        Ok(self.directory.clone())
    }

    fn completeness(&self, _: OrgId, now: Millis) -> Result<Completeness> {
        Ok(Completeness { receipt: Some(918_273), received_at: Some(now - 40_000), late: 3 })
    }

    fn active_users(&self, _: OrgId, ask: &ActiveUsers) -> Result<Answer<ActiveUsersRow>> {
        let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
        let stays = self.within(ask.range, &ask.of);
        let row = |(date, period): (Date, Range)| {
            let part = period.intersect(&ask.range);
            let there: Vec<_> = stays.iter().copied().filter(|stay| overlaps(stay, part)).collect();
            ActiveUsersRow { date, period, users: distinct(&there) }
        };
        let rows = Self::slices(ask.by, ask.range, &calendar).into_iter().map(row).collect();
        Ok(covers(ask.range, &ask.zone, stays.iter().map(|stay| (stay.joined, stay.left)), rows))
    }

    fn meeting_days(&self, _: OrgId, ask: &MeetingDays) -> Result<Answer<MeetingDay>> {
        let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
        let of =
            StayFilter { app: ask.app.clone(), session_kinds: Some(vec![rollcall_model::SessionKind::Meeting]), ..StayFilter::default() };
        let stays: Vec<_> = self
            .stays
            .iter()
            .filter(|stay| ask.range.contains(stay.started_at) && self.counts(stay, &of) && ask.unit.is_none_or(|unit| unit == stay.unit))
            .collect();
        let row = |(date, period): (Date, Range)| {
            let mut meetings: BTreeMap<_, Vec<&Stay>> = BTreeMap::new();
            for stay in stays.iter().filter(|stay| period.contains(stay.started_at)) {
                meetings.entry((stay.started_at, &stay.session_id)).or_default().push(stay);
            }
            let span = |stays: &Vec<&Stay>| {
                stays.iter().map(|stay| stay.left).max().unwrap() - stays.iter().map(|stay| stay.joined).min().unwrap()
            };
            let all: Vec<_> = meetings.values().flatten().copied().collect();
            MeetingDay {
                date,
                period,
                meetings: meetings.len() as u64,
                duration: meetings.values().map(span).sum(),
                participants: meetings.values().map(|stays| distinct(stays)).sum(),
                people: ask.with_people.then(|| distinct(&all)),
            }
        };
        let rows = Self::slices(ask.by, ask.range, &calendar).into_iter().map(row).collect();
        Ok(covers(ask.range, &ask.zone, stays.iter().map(|stay| (stay.joined, stay.left)), rows))
    }

    fn top_users(&self, _: OrgId, ask: &TopUsers) -> Result<Answer<TopUser>> {
        let meetings: Vec<_> = self
            .stays
            .iter()
            .filter(|stay| ask.range.contains(stay.started_at) && stay.kind == rollcall_model::SessionKind::Meeting)
            .collect();
        let mut rows: Vec<_> = (0..self.people.len())
            .map(|user| (user, self.person_row(user, &meetings, Range::new(0, i64::MAX))))
            .filter(|(_, row)| row.sessions > 0)
            .collect();
        rows.retain(|(user, _)| ask.kinds.as_ref().is_none_or(|kinds| kinds.contains(&self.people[*user].kind)));
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.time));
        rows.truncate(ask.limit);
        let rows = rows.into_iter().map(|(user, row)| TopUser {
            id: row.id,
            open_id: None,
            union_id: None,
            user_id: None,
            name: row.name,
            kind: self.people[user].kind,
            meetings: row.sessions,
            duration: row.time,
        });
        Ok(covers(ask.range, &ask.zone, meetings.iter().map(|stay| (stay.joined, stay.left)), rows.collect()))
    }

    fn users_by_place(&self, _: OrgId, ask: &UsersByPlace) -> Result<Answer<PlaceUsers>> {
        let of = StayFilter { app: ask.app.clone(), ..StayFilter::default() };
        let stays = self.within(ask.range, &of);
        let mut rows: Vec<_> = self.places(ask).into_iter().map(|(place, users)| PlaceUsers { place, users: users.len() as u64 }).collect();
        rows.sort_by_key(|row| (row.place.is_none(), std::cmp::Reverse(row.users), row.place));
        Ok(covers(ask.range, &ask.zone, stays.iter().map(|stay| (stay.joined, stay.left)), rows))
    }

    fn users_by_means(&self, _: OrgId, ask: &UsersByMeans) -> Result<Answer<MeansUsers>> {
        let stays = self.within(ask.range, &ask.of);
        let row = |means: Means| {
            let with: Vec<_> = stays
                .iter()
                .copied()
                .filter(|stay| match means {
                    Means::Medium(medium) => stay.media.has(medium),
                    Means::Device(device) => stay.device == device,
                })
                .collect();
            MeansUsers { means, users: distinct(&with), of: distinct(&stays) }
        };
        let rows = ask.by.rows().into_iter().map(row).collect();
        Ok(covers(ask.range, &ask.zone, stays.iter().map(|stay| (stay.joined, stay.left)), rows))
    }

    fn week_hours(&self, _: OrgId, ask: &WeekHours) -> Result<Answer<WeekHour>> {
        let stays = self.within(ask.range, &ask.of);
        let mut sums: BTreeMap<(i8, i8), (u64, u64)> = BTreeMap::new();
        for hour in Calendar::new(ask.zone.clone()).hours(ask.range) {
            let there: Vec<_> = stays.iter().copied().filter(|stay| overlaps(stay, hour.range)).collect();
            let sum = sums.entry((hour.date.weekday().to_monday_zero_offset(), hour.hour)).or_default();
            *sum = (sum.0 + distinct(&there), sum.1 + 1);
        }
        let row = |((day, hour), (users, hours))| WeekHour {
            weekday: jiff::civil::Weekday::from_monday_zero_offset(day).unwrap(),
            hour,
            users,
            hours,
        };
        Ok(covers(ask.range, &ask.zone, stays.iter().map(|stay| (stay.joined, stay.left)), sums.into_iter().map(row).collect()))
    }

    fn department_users(&self, _: OrgId, ask: &DepartmentUsers) -> Result<Answer<DepartmentCount>> {
        let stays = self.within(ask.range, &ask.of);
        let mut ids: Vec<_> = self.directory.departments().iter().map(|department| department.id.clone()).collect();
        if let Some(within) = &ask.within {
            let below = &self.below[within];
            ids.retain(|id| below.contains(id));
        }
        let mut rows: Vec<_> = ids
            .into_iter()
            .map(|id| {
                let of: Vec<_> = stays.iter().copied().filter(|stay| self.is_in(stay.user, &id)).collect();
                let members =
                    self.directory.users().iter().filter(|user| user.departments.iter().any(|one| self.below[&id].contains(one))).count();
                DepartmentCount { users: distinct(&of), members: members as u64, department: Some(id) }
            })
            .collect();
        if ask.within.is_none() {
            let of: Vec<_> = stays.iter().copied().filter(|stay| self.people[stay.user].departments.is_empty()).collect();
            rows.push(DepartmentCount { department: None, users: distinct(&of), members: 0 });
        }
        Ok(covers(ask.range, &ask.zone, stays.iter().map(|stay| (stay.joined, stay.left)), rows))
    }

    fn concurrency(&self, _: OrgId, ask: &Concurrency) -> Result<Answer<ConcurrencyRow>> {
        let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
        let stays = self.within(ask.range, &ask.of);
        let row = |(date, period): (Date, Range)| {
            let part = period.intersect(&ask.range);
            let there: Vec<_> = stays.iter().filter(|stay| overlaps(stay, part)).collect();
            let mut instants: Vec<_> = there.iter().map(|stay| stay.joined.max(part.from)).collect();
            instants.sort_unstable();
            let (mut most_stays, mut most_sessions): (Option<Peak>, Option<Peak>) = (None, None);
            for at in instants {
                let now: Vec<_> = there.iter().filter(|stay| stay.joined <= at && at < stay.left).collect();
                let sessions: BTreeSet<_> = now.iter().map(|stay| (stay.started_at, &stay.session_id)).collect();
                for (peak, most) in [(&mut most_stays, now.len() as u64), (&mut most_sessions, sessions.len() as u64)] {
                    if peak.is_none_or(|peak| peak.most < most) {
                        *peak = Some(Peak { most, at });
                    }
                }
            }
            ConcurrencyRow { date, period, stays: most_stays, sessions: most_sessions }
        };
        let rows = Self::slices(ask.by, ask.range, &calendar).into_iter().map(row).collect();
        Ok(covers(ask.range, &ask.zone, stays.iter().map(|stay| (stay.joined, stay.left)), rows))
    }

    fn sessions(&self, _: OrgId, ask: &Sessions) -> Result<Answer<SessionRow>> {
        let mut sessions: BTreeMap<SessionKey, Vec<&Stay>> = BTreeMap::new();
        for stay in self.stays.iter().filter(|stay| ask.range.contains(stay.started_at)) {
            let key = SessionKey { started_at: stay.started_at, app: stay.app.into(), session_id: stay.session_id.clone() };
            sessions.entry(key).or_default().push(stay);
        }
        let wanted = |key: &SessionKey, stays: &Vec<&Stay>| {
            ask.app.as_ref().is_none_or(|app| *app == key.app)
                && ask.kinds.as_ref().is_none_or(|kinds| kinds.contains(&stays[0].kind))
                && ask.user.as_ref().is_none_or(|user| stays.iter().any(|stay| self.people[stay.user].id == *user))
                && ask.department.as_ref().is_none_or(|department| stays.iter().any(|stay| self.is_in(stay.user, &department.id)))
                && ask.after.as_ref().is_none_or(|after| key > after)
        };
        let seen: Vec<_> = sessions.values().flatten().map(|stay| (stay.joined, stay.left)).collect();
        let rows = sessions.iter().filter(|(key, stays)| wanted(key, stays)).take(ask.limit).map(|(key, stays)| SessionRow {
            key: key.clone(),
            kind: stays[0].kind,
            first_join: stays.iter().map(|stay| stay.joined).min().unwrap(),
            last_leave: stays.iter().map(|stay| stay.left).max().unwrap(),
            users: distinct(stays),
            stays: stays.len() as u64,
            time: stays.iter().map(|stay| stay.left - stay.joined).sum(),
        });
        Ok(covers(ask.range, &ask.zone, seen.into_iter(), rows.collect()))
    }

    fn session(&self, _: OrgId, ask: &Session) -> Result<Answer<StayRow>> {
        let key = &ask.key;
        let of = |stay: &&Stay| stay.started_at == key.started_at && stay.app == key.app && stay.session_id == key.session_id;
        let mut stays: Vec<_> = self.stays.iter().filter(of).collect();
        stays.sort_by_key(|stay| (stay.joined, stay.left));
        let rows: Vec<_> = stays
            .iter()
            .skip(ask.skip)
            .take(ask.limit)
            .map(|stay| {
                let person = &self.people[stay.user];
                StayRow {
                    user: person.id.clone(),
                    name: self.directory.user(&person.id).map_or(&person.id, |user| &user.name).clone(),
                    user_kind: person.kind,
                    session_kind: stay.kind,
                    device: stay.device,
                    media: stay.media,
                    joined_at: stay.joined,
                    left_at: stay.left,
                    place: stay.place,
                    unit: stay.unit,
                }
            })
            .collect();
        let range = Range::new(key.started_at, rows.iter().map(|row| row.left_at).max().unwrap_or(key.started_at + 1));
        Ok(covers(range, &ask.zone, rows.iter().map(|row| (row.joined_at, row.left_at)).collect::<Vec<_>>().into_iter(), rows))
    }

    fn people(&self, org: OrgId, ask: &People) -> Result<Answer<PersonRow>> {
        let all = StayFilter::default();
        let (range, zone, stays): (_, _, Vec<&Stay>) = match &ask.behind {
            RowOf::ActiveUsers(of, period) => (of.range.intersect(period), &of.zone, self.within(of.range.intersect(period), &of.of)),
            RowOf::MeetingDays(of, period) => {
                let filter = StayFilter { app: of.app.clone(), session_kinds: Some(vec![rollcall_model::SessionKind::Meeting]), ..all };
                let range = of.range.intersect(period);
                (range, &of.zone, self.stays.iter().filter(|stay| range.contains(stay.started_at) && self.counts(stay, &filter)).collect())
            }
            RowOf::UsersByPlace(of, place) => {
                let users = self.places(of).remove(place).unwrap_or_default();
                let filter = StayFilter { app: of.app.clone(), ..all };
                (of.range, &of.zone, self.within(of.range, &filter).into_iter().filter(|stay| users.contains(&stay.user)).collect())
            }
            RowOf::DepartmentUsers(of, department) => {
                let stays = self.within(of.range, &of.of);
                let is_in = |user: usize| {
                    department.as_ref().map_or(self.people[user].departments.is_empty(), |department| self.is_in(user, department))
                };
                (of.range, &of.zone, stays.into_iter().filter(|stay| is_in(stay.user)).collect())
            }
            RowOf::Concurrency(of, at) => (
                of.range,
                &of.zone,
                self.within(of.range, &of.of).into_iter().filter(|stay| stay.joined <= *at && *at < stay.left).collect(),
            ),
            RowOf::DeveloperDays(of, row) => {
                let users: BTreeSet<_> = self.uses_in(of.range, None).iter().map(|one| one.user).collect();
                let rows =
                    users.into_iter().map(|user| self.person_row(user, &[], of.range)).filter(|found| *found.id == *row.id).collect();
                return Ok(covers(of.range, &of.zone, std::iter::empty(), rows));
            }
            RowOf::DepartmentDays(of, row) => {
                let users: BTreeSet<_> = self.uses_in(of.range, Some(&row.id)).iter().map(|one| one.user).collect();
                let rows = users.into_iter().map(|user| self.person_row(user, &[], of.range)).collect();
                return Ok(covers(of.range, &of.zone, std::iter::empty(), rows));
            }
            RowOf::UsersByMeans(..) | RowOf::TopUsers(..) | RowOf::Session(..) => return Err(ReportError::NotAnswered("people")),
        };
        let users: BTreeSet<_> = stays.iter().map(|stay| stay.user).collect();
        let mut rows: Vec<_> = users.into_iter().map(|user| self.person_row(user, &stays, range)).collect();
        let measure = |row: &PersonRow| match ask.order {
            PeopleOrder::Id => 0,
            PeopleOrder::Time => row.time,
            PeopleOrder::Sessions => row.sessions as i64,
        };
        rows.sort_by(|a, b| measure(b).cmp(&measure(a)).then_with(|| a.id.cmp(&b.id)));
        if let Some(after) = &ask.after {
            rows.retain(|row| (std::cmp::Reverse(measure(row)), &row.id) > (std::cmp::Reverse(after.measure), &after.id));
        }
        rows.truncate(ask.limit);
        let _ = org;
        Ok(covers(range, zone, stays.iter().map(|stay| (stay.joined, stay.left)), rows))
    }

    fn person(&self, _: OrgId, ask: &Person) -> Result<Answer<PersonAnswer>> {
        let Some(user) = self.people.iter().position(|person| person.id == ask.user) else {
            return Ok(covers(ask.range, &ask.zone, std::iter::empty(), vec![]));
        };
        let stays: Vec<_> = self.within(ask.range, &StayFilter::default()).into_iter().filter(|stay| stay.user == user).collect();
        let calendar = Calendar { zone: ask.zone.clone(), week_start: ask.week_start };
        let weeks = calendar.periods(Period::Week, ask.range).map(|week| {
            let part = week.range.intersect(&ask.range);
            let there: Vec<_> = stays.iter().copied().filter(|stay| overlaps(stay, part)).collect();
            let row = self.person_row(user, &there, part);
            PersonWeek { date: week.date, period: week.range, sessions: row.sessions, time: row.time }
        });
        let weeks = weeks.collect();
        let mut places: BTreeMap<Option<Place>, Millis> = BTreeMap::new();
        let mut devices: BTreeMap<Device, Millis> = BTreeMap::new();
        for stay in &stays {
            *places.entry(stay.place).or_default() += stay.left - stay.joined;
            *devices.entry(stay.device).or_default() += stay.left - stay.joined;
        }
        let days: BTreeSet<_> = stays.iter().map(|stay| calendar.date_of(stay.joined)).collect();
        let uses: Vec<_> = self.uses_in(ask.range, None).into_iter().filter(|one| one.user == user).collect();
        let answer = PersonAnswer {
            row: self.person_row(user, &stays, ask.range),
            days: days.len() as u64,
            weeks,
            places: places.into_iter().collect(),
            devices: devices.into_iter().collect(),
            usage: usage(&uses),
        };
        Ok(covers(ask.range, &ask.zone, stays.iter().map(|stay| (stay.joined, stay.left)), vec![answer]))
    }

    fn silent(&self, _: OrgId, ask: &Silent) -> Result<Answer<SilentMember>> {
        let seen: BTreeSet<_> = self.within(ask.range, &StayFilter::default()).iter().map(|stay| stay.user).collect();
        let rows = (0..self.people.len()).filter(|user| !seen.contains(user) && self.people[*user].kind == UserKind::Member);
        let rows = rows.filter(|user| ask.department.as_ref().is_none_or(|department| self.is_in(*user, &department.id)));
        let row = |user: usize| {
            let person = &self.people[user];
            SilentMember { id: person.id.clone(), name: person.name.clone(), departments: person.departments.clone() }
        };
        let mut rows: Vec<_> = rows.map(row).collect();
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows.retain(|row| ask.after.as_ref().is_none_or(|after| row.id > *after));
        rows.truncate(ask.limit);
        Ok(covers(ask.range, &ask.zone, std::iter::empty(), rows))
    }

    fn department_days(&self, _: OrgId, ask: &DepartmentDays) -> Result<Answer<DepartmentDay>> {
        let calendar = Calendar::new(ask.zone.clone());
        let spans: Vec<_> = match ask.by {
            UsageSpan::Day => calendar
                .periods(Period::Day, ask.range)
                .map(|slice| (slice.date, slice.range))
                .filter(|(_, range)| range.from <= NOW)
                .collect(),
            UsageSpan::Whole => vec![(calendar.date_of(ask.range.from), ask.range)],
        };
        let ids: Vec<String> = match (&ask.department, &ask.only) {
            (Some(id), _) => vec![id.clone()],
            (None, Some(only)) => only.iter().map(|key| key.id.to_string()).collect(),
            (None, None) => self.directory.departments().iter().map(|department| department.id.clone()).collect(),
        };
        let row = |(date, span): &(Date, Range), id: &String| DepartmentDay {
            key: RowKey { date: *date, id: id.as_str().into() },
            span: *span,
            usage: usage(&self.uses_in(span.intersect(&ask.range), Some(id))),
        };
        let rows = spans.iter().flat_map(|span| ids.iter().map(|id| row(span, id)).collect::<Vec<_>>()).collect();
        Ok(covers(ask.range, &ask.zone, self.uses_in(ask.range, None).iter().map(|one| (one.at, one.at)), rows))
    }

    fn developer_days(&self, _: OrgId, ask: &DeveloperDays) -> Result<Answer<DeveloperDay>> {
        let date = Calendar::new(ask.zone.clone()).date_of(ask.range.from);
        let all = self.uses_in(ask.range, None);
        let rows = (0..self.people.len()).filter(|user| match &ask.developers {
            Developers::All => true,
            Developers::One(id) => self.people[*user].id == *id,
            Developers::Of { department, .. } => self.is_in(*user, department),
        });
        let rows = rows.map(|user| {
            let own: Vec<_> = all.iter().copied().filter(|one| one.user == user).collect();
            DeveloperDay { key: RowKey { date, id: self.people[user].id.as_str().into() }, span: ask.range, usage: usage(&own) }
        });
        Ok(covers(ask.range, &ask.zone, all.iter().map(|one| (one.at, one.at)), rows.collect()))
    }
}

impl Stage {
    /// Who was where.
    fn places(&self, ask: &UsersByPlace) -> BTreeMap<Option<Place>, BTreeSet<usize>> {
        let filter = StayFilter { app: ask.app.clone(), ..StayFilter::default() };
        let mut places: BTreeMap<Option<Place>, BTreeSet<usize>> = BTreeMap::new();
        let stays = self.within(ask.range, &filter);
        for stay in &stays {
            let place = stay.place.and_then(|place| match ask.by {
                PlaceLevel::Country => Some(place.as_country()),
                PlaceLevel::Subdivision => {
                    place.as_subdivision().filter(|place| ask.country.is_none_or(|country| country.country() == place.country()))
                }
            });
            if let Some(place) = place {
                places.entry(Some(place)).or_default().insert(stay.user);
            }
        }
        let placed: BTreeSet<_> = places.values().flatten().copied().collect();
        let unknown: BTreeSet<_> = stays.iter().map(|stay| stay.user).filter(|user| !placed.contains(user)).collect();
        if !unknown.is_empty() {
            places.insert(None, unknown);
        }
        places
    }
}
