//! The organization's people, stays and uses.

use jiff::ToSpan;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use rollcall_model::directory::{Department, DirectoryDocument, User};
use rollcall_model::{Calendar, Device, Directory, Media, Medium, Millis, OrgId, Organization, Place, SessionKind, UserKind};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Wednesday 16 September 2026, 14:05 in Shanghai.
pub(crate) const NOW: Millis = 1_789_538_700_000;

#[derive(Debug, Clone)]
pub(crate) struct Stay {
    pub(crate) user: usize,
    pub(crate) app: &'static str,
    pub(crate) session_id: String,
    pub(crate) kind: SessionKind,
    pub(crate) started_at: Millis,
    pub(crate) device: Device,
    pub(crate) media: Media,
    pub(crate) joined: Millis,
    pub(crate) left: Millis,
    pub(crate) place: Option<Place>,
    pub(crate) unit: u8,
}

#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) user: usize,
    pub(crate) at: Millis,
    pub(crate) chat: bool,
    pub(crate) language: &'static str,
    pub(crate) ide: &'static str,
    pub(crate) turns: u64,
    pub(crate) suggested: u64,
    pub(crate) accepted: u64,
    pub(crate) lines: u64,
}

pub(crate) struct Stage {
    pub(crate) organization: Organization,
    pub(crate) directory: Arc<Directory>,
    pub(crate) people: Vec<User>,
    pub(crate) stays: Vec<Stay>,
    pub(crate) uses: Vec<Use>,
    /// Each department with those below it.
    pub(crate) below: BTreeMap<String, BTreeSet<String>>,
}

/// Numbers that look like chance and are always the same.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as u64) as usize]
    }
}

const NAMES: [&str; 24] = [
    "陈静",
    "李伟",
    "王芳",
    "张敏",
    "刘洋",
    "赵磊",
    "黄丽",
    "周杰",
    "吴强",
    "徐娜",
    "孙鹏",
    "马超",
    "Alice Zhang",
    "Bob O'Brien",
    "Chloé Dubois",
    "Dmitri Ivanov",
    "Eve <script>alert(1)</script>",
    "Fatima & Sons",
    "朱婷",
    "胡军",
    "郭靖",
    "何琳",
    "高峰",
    "林涛",
];

const DEPARTMENTS: [(&str, Option<&str>, &str); 8] = [
    ("d-root", None, "极客公司 Acme"),
    ("d-sales", Some("d-root"), "Sales 销售部"),
    ("d-sales-east", Some("d-sales"), "East 华东"),
    ("d-sales-south", Some("d-sales"), "South 华南"),
    ("d-rd", Some("d-root"), "Research 研发部"),
    ("d-rd-core", Some("d-rd"), "Core 内核组"),
    ("d-rd-web", Some("d-rd"), "Web 前端组"),
    ("d-hr", Some("d-root"), "People 人事部"),
];

impl Stage {
    pub(crate) fn new() -> Self {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let id = OrgId(uuid::Uuid::from_u128(0x5eed));
        let organization =
            Organization { apps: vec!["default".into(), "rtc".into()], units: vec![0, 2], ..Organization::new(id, "Acme 极客", zone) };
        let leaves = ["d-sales-east", "d-sales-south", "d-rd-core", "d-rd-web", "d-hr", "d-rd-core", "d-rd-web"];
        let people: Vec<_> = (0..62).map(|at| person(at, &leaves)).collect();
        let department = |(id, parent, name): &(&str, Option<&str>, &str)| Department {
            id: (*id).into(),
            parent_id: parent.map(Into::into),
            name: (*name).into(),
            from: None,
            until: None,
        };
        let listed = people.iter().filter(|user| user.kind != UserKind::Guest && user.kind != UserKind::Phone).cloned().collect();
        let document = DirectoryDocument { departments: DEPARTMENTS.iter().map(department).collect(), users: listed };
        let directory = Arc::new(Directory::new(document).unwrap());
        let tree = directory.tree_on(date(2026, 9, 16));
        let subtree = |id: &str| tree.subtree(id).into_iter().map(ToOwned::to_owned).collect();
        let below = DEPARTMENTS.iter().map(|(id, ..)| ((*id).to_owned(), subtree(id))).collect();
        let mut stage = Self { organization, directory: directory.clone(), people, stays: Vec::new(), uses: Vec::new(), below };
        let mut dice = Dice(7);
        let mut day = date(2026, 6, 29);
        while day <= date(2026, 9, 16) {
            // A public holiday is quiet.
            if day != date(2026, 8, 28) {
                stage.meet(day, &mut dice);
                stage.write(day, &mut dice);
            }
            day = day.saturating_add(1.day());
        }
        stage
    }

    fn weekend(day: Date) -> bool {
        day.weekday().to_monday_zero_offset() >= 5
    }

    fn meet(&mut self, day: Date, dice: &mut Dice) {
        let calendar = Calendar::new(self.organization.zone.clone());
        let midnight = calendar.start_of(day);
        let places = ["CN-SH", "CN-SH", "CN-BJ", "CN-GD", "CN-ZJ", "CN-SC", "CN-HK", "CN-TW", "SG", "US"].map(Place::from_code);
        for number in 0..if Self::weekend(day) { 1 } else { 9 } {
            let start = midnight + (9 + dice.roll(9) as i64) * 3_600_000 + dice.roll(2) as i64 * 1_800_000;
            let kind = dice.pick(&[SessionKind::Meeting, SessionKind::Meeting, SessionKind::Meeting, SessionKind::Call, SessionKind::Room]);
            let attendees = 2 + dice.roll(9);
            for _ in 0..attendees {
                // The last of the members never comes.
                let user = dice.roll(61) as usize;
                let joined = start + dice.roll(600) as i64 * 1000;
                let left = joined + (300 + dice.roll(4500) as i64) * 1000;
                if left > NOW {
                    continue;
                }
                let media = dice.pick(&[Media::AUDIO, Media::AUDIO.with(Medium::Video), Media::AUDIO.with(Medium::Screen)]);
                let device = match self.people[user].kind {
                    UserKind::Room => Device::Room,
                    UserKind::Phone => Device::Phone,
                    UserKind::Member | UserKind::Guest => dice.pick(&[Device::Desktop, Device::Desktop, Device::Web, Device::Mobile]),
                };
                let stay = Stay {
                    user,
                    app: if number == 7 { "rtc" } else { "default" },
                    session_id: format!("standup-{number}"),
                    kind,
                    started_at: start,
                    device,
                    media,
                    joined,
                    left,
                    place: if dice.roll(12) == 0 { None } else { dice.pick(&places) },
                    unit: if number == 7 { 2 } else { 0 },
                };
                self.stays.push(stay);
            }
        }
    }

    fn write(&mut self, day: Date, dice: &mut Dice) {
        let midnight = Calendar::new(self.organization.zone.clone()).start_of(day);
        for user in 0..self.people.len() {
            let develops = self.people[user].departments.iter().any(|department| department.starts_with("d-rd"));
            if !develops || Self::weekend(day) || dice.roll(3) == 0 {
                continue;
            }
            for chat in [true, false] {
                let at = midnight + (9 + dice.roll(9) as i64) * 3_600_000;
                let suggested = 20 + dice.roll(80);
                let accepted = suggested * (20 + dice.roll(30)) / 100;
                let one = Use {
                    user,
                    at,
                    chat,
                    language: dice.pick(&["rust", "go", "typescript", "python", ""]),
                    ide: dice.pick(&["vscode", "intellij"]),
                    turns: if chat { 1 + dice.roll(9) } else { 0 },
                    suggested: if chat { 0 } else { suggested },
                    accepted: if chat { 0 } else { accepted },
                    lines: accepted * 2,
                };
                if at <= NOW {
                    self.uses.push(one);
                }
            }
        }
    }
}

fn person(at: usize, leaves: &[&str]) -> User {
    let kind = match at {
        50..=53 => UserKind::Guest,
        54..=56 => UserKind::Room,
        57 => UserKind::Phone,
        _ => UserKind::Member,
    };
    let name = match kind {
        UserKind::Room => format!("会议室 {at}"),
        UserKind::Phone => "+86 21 5555 0100".to_owned(),
        _ if at < NAMES.len() => NAMES[at].to_owned(),
        _ => format!("{} {}", NAMES[at % 12], at),
    };
    let departments = if kind == UserKind::Member { vec![leaves[at % leaves.len()].to_owned()] } else { vec![] };
    User { id: format!("u-{at}x"), open_id: None, union_id: None, user_id: None, name, kind, departments, from: None, until: None }
}
