//! Users: how many of each kind, their ids, where they are and what they attend on; and the directory that knows them.

use super::chance::{Chance, mixed};
use rollcall_model::directory::{Department, DirectoryDocument, User};
use rollcall_model::{Device, UserKind};
use std::collections::HashSet;
use std::fmt::Write;

/// Where members live, in proportion.
const PLACES: [(&str, u32); 26] = [
    ("CN-BJ", 190),
    ("CN-SH", 150),
    ("CN-GD", 170),
    ("CN-ZJ", 110),
    ("CN-JS", 60),
    ("CN-SC", 55),
    ("CN-HB", 40),
    ("CN-SN", 30),
    ("CN-FJ", 20),
    ("CN-SD", 20),
    ("CN-HN", 15),
    ("CN-CQ", 15),
    ("CN-TJ", 10),
    ("CN-LN", 8),
    ("CN-AH", 8),
    ("CN-HA", 8),
    ("CN-YN", 4),
    ("CN-XJ", 2),
    ("HK", 10),
    ("SG", 15),
    ("JP-13", 8),
    ("US-CA", 12),
    ("US-WA", 4),
    ("GB-ENG", 4),
    ("DE-BE", 2),
    ("", 80),
];

const SURNAMES: [char; 24] = [
    '王', '李', '张', '刘', '陈', '杨', '黄', '赵', '吴', '周', '徐', '孙', '马', '朱', '胡', '郭', '何', '高', '林', '罗', '郑', '梁',
    '谢', '宋',
];

const GIVEN: [char; 32] = [
    '伟', '芳', '娜', '敏', '静', '丽', '强', '磊', '军', '洋', '勇', '艳', '杰', '娟', '涛', '明', '超', '秀', '霞', '平', '刚', '桂',
    '英', '华', '玉', '兰', '晨', '宇', '欣', '怡', '浩', '然',
];

/// The divisions, and the teams of each.
const DIVISIONS: [(&str, &[&str]); 7] = [
    ("研发部", &["平台组", "客户端组", "前端组", "算法组", "数据组", "测试组", "基础架构组", "安全组"]),
    ("产品部", &["协作产品组", "增长产品组", "设计组", "用户研究组"]),
    ("销售部", &["华北区", "华东区", "华南区", "西部区", "海外区", "大客户组"]),
    ("市场部", &["品牌组", "内容组", "活动组"]),
    ("客户成功部", &["实施组", "支持组", "培训组"]),
    ("职能部", &["人力资源组", "财务组", "法务组", "行政组", "采购组"]),
    ("信息技术部", &["运维组", "桌面支持组", "应用组"]),
];

/// About how many members a squad has. Where teams are larger than two of them, they have squads.
const SQUAD: usize = 25;

/// The people of an organization.
#[derive(Debug, Clone)]
pub(super) struct People {
    /// How many members.
    pub(super) members: u32,
    seed: u64,
}

impl People {
    pub(super) const fn new(members: u32, seed: u64) -> Self {
        Self { members: if members == 0 { 1 } else { members }, seed }
    }

    /// How many users of a kind there are.
    pub(super) const fn count(&self, kind: UserKind) -> u32 {
        match kind {
            UserKind::Member => self.members,
            UserKind::Guest => self.members / 5 + 10,
            UserKind::Room => self.members / 50 + 3,
            UserKind::Phone => self.members / 100 + 5,
        }
    }

    /// How many meetings recur.
    pub(super) fn series(&self) -> u64 {
        u64::from(self.members / 4 + 5)
    }

    fn key(&self, user: u32, kind: UserKind) -> u64 {
        mixed(self.seed ^ mixed(u64::from(kind.number()) << 32 | u64::from(user)))
    }

    /// Where a user is: at home, or now and then elsewhere. Rooms do not travel.
    pub(super) fn place(&self, user: u32, kind: UserKind, chance: &mut Chance) -> &'static str {
        let away = kind != UserKind::Room && chance.percent(4);
        let mut home = Chance::new(self.key(user, kind), 1);
        let place = if away { chance.weighted(&PLACES) } else { home.weighted(&PLACES) };
        place.unwrap_or_default()
    }

    /// What a user attends on: usually the same.
    pub(super) fn device(&self, user: u32, kind: UserKind, chance: &mut Chance) -> Device {
        let devices: &[_] = match kind {
            UserKind::Room => return Device::Room,
            UserKind::Phone => return Device::Phone,
            UserKind::Guest => &[(Device::Web, 50), (Device::Desktop, 20), (Device::Mobile, 25), (Device::Unknown, 5)],
            UserKind::Member => &[(Device::Desktop, 66), (Device::Mobile, 24), (Device::Web, 6), (Device::Tablet, 4)],
        };
        let mut habit = Chance::new(self.key(user, kind), 2);
        let device = if chance.percent(70) { habit.weighted(devices) } else { chance.weighted(devices) };
        device.unwrap_or(Device::Unknown)
    }

    /// Appends the id that facts carry.
    pub(super) fn write_id(&self, user: u32, kind: UserKind, text: &mut Vec<u8>) {
        let key = self.key(user, kind);
        match kind {
            UserKind::Member | UserKind::Guest => long_id("ou_", key, text),
            UserKind::Room => long_id("omm_", key, text),
            UserKind::Phone => {
                text.extend_from_slice(b"phone_");
                hexadecimal(key, 12, text);
            }
        }
    }

    fn id(&self, user: u32, kind: UserKind) -> String {
        let mut id = Vec::new();
        self.write_id(user, kind, &mut id);
        text_of(id)
    }

    /// Departments, members with all their ids, and rooms.
    pub(super) fn directory(&self) -> DirectoryDocument {
        let departments = self.departments();
        let parents: HashSet<&str> = departments.iter().filter_map(|department| department.parent_id.as_deref()).collect();
        let teams: Vec<&Department> = departments.iter().filter(|department| !parents.contains(department.id.as_str())).collect();
        let members = (0..self.members).map(|user| self.member(user, &teams));
        let rooms = (0..self.count(UserKind::Room)).map(|room| self.room(room));
        let users = members.chain(rooms).collect();
        DirectoryDocument { departments, users }
    }

    fn departments(&self) -> Vec<Department> {
        let teams: usize = DIVISIONS.iter().map(|(_, teams)| teams.len()).sum();
        let squads = match self.members as usize / (teams * SQUAD) {
            0 | 1 => 0,
            squads => squads,
        };
        let id = |number: u64| {
            let mut id = b"od-".to_vec();
            hexadecimal(mixed(self.seed ^ mixed(number << 40)), 16, &mut id);
            text_of(id)
        };
        let mut departments = vec![Department { id: id(0), parent_id: None, name: "示例集团".into(), from: None, until: None }];
        for (division, teams) in DIVISIONS {
            let above = id(departments.len() as u64);
            departments.push(Department { id: above.clone(), parent_id: Some(id(0)), name: division.into(), from: None, until: None });
            for team in teams {
                let team_id = id(departments.len() as u64);
                departments.push(Department {
                    id: team_id.clone(),
                    parent_id: Some(above.clone()),
                    name: (*team).into(),
                    from: None,
                    until: None,
                });
                for squad in 1..=squads {
                    departments.push(Department {
                        id: id(departments.len() as u64),
                        parent_id: Some(team_id.clone()),
                        name: format!("第{squad}小组"),
                        from: None,
                        until: None,
                    });
                }
            }
        }
        departments
    }

    /// A member of one team, or now and then of two.
    fn member(&self, user: u32, teams: &[&Department]) -> User {
        let key = self.key(user, UserKind::Member);
        let mut chance = Chance::new(key, 3);
        let mut pick = |from: &[char]| usize::try_from(chance.below(from.len() as u64)).ok().and_then(|at| from.get(at).copied());
        let mut name: String = pick(&SURNAMES).into_iter().chain(pick(&GIVEN)).collect();
        name.extend(pick(&GIVEN).filter(|_| !key.is_multiple_of(3)));
        let own = usize::try_from(chance.skewed(u32::try_from(teams.len()).unwrap_or(u32::MAX))).unwrap_or_default();
        let second = if chance.percent(5) { own + 1 } else { own };
        let ids = (own..=second).filter_map(|at| teams.get(at)).map(|team| team.id.clone());
        let (mut union_id, mut user_id) = (Vec::new(), Vec::new());
        long_id("on_", mixed(key), &mut union_id);
        hexadecimal(mixed(key ^ 1), 8, &mut user_id);
        let id = self.id(user, UserKind::Member);
        User {
            open_id: Some(id.clone()),
            id,
            union_id: Some(text_of(union_id)),
            // Eight digits are not enough to differ by chance among many.
            user_id: Some(format!("{}{user:x}", text_of(user_id))),
            name,
            kind: UserKind::Member,
            departments: ids.collect(),
            from: None,
            until: None,
        }
    }

    fn room(&self, room: u32) -> User {
        let id = self.id(room, UserKind::Room);
        let mut name = String::new();
        // Writing to a string cannot fail.
        let _ = write!(name, "{}层会议室{:02}", room / 12 + 1, room % 12 + 1);
        User { id, open_id: None, union_id: None, user_id: None, name, kind: UserKind::Room, departments: vec![], from: None, until: None }
    }
}

fn long_id(prefix: &str, key: u64, text: &mut Vec<u8>) {
    text.extend_from_slice(prefix.as_bytes());
    hexadecimal(key, 16, text);
    hexadecimal(mixed(key), 16, text);
}

/// Appends the lowest `digits` hexadecimal digits of a number.
pub(super) fn hexadecimal(number: u64, digits: u32, text: &mut Vec<u8>) {
    for digit in (0..digits).rev() {
        let nibble = (number >> (digit * 4)) & 15;
        text.push(b"0123456789abcdef".get(usize::try_from(nibble).unwrap_or_default()).copied().unwrap_or(b'0'));
    }
}

fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_default()
}
