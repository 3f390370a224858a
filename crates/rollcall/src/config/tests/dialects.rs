//! The sections of dialects.

use super::*;

#[test]
fn office365_is_read_and_its_defaults_are_those_of_the_dialect() {
    let hash = format!("password_hash = \"{PASSWORD_HASH}\"");
    let section =
        "[organizations.office365]\ndate = \"start\"\nhistory_months = 0\npage_size = 7\npublic_base_url = \"https://r.example:8443\"\n";
    let text = format!("{ORGANIZATION}{section}{}{}", user("a@x", "global-administrator", &hash), user("b@x", "user", &hash));
    let given = &parse(&text).unwrap().organizations[0].tenant.office365;
    assert_eq!((given.date_is_start, given.history_months, given.page_size), (true, 0, 7));
    assert_eq!(given.public_base_url.as_deref(), Some("https://r.example:8443"));
    let users: Vec<_> = given.users.iter().map(|user| (user.name.as_str(), user.role.name(), user.password.as_str())).collect();
    assert_eq!(users, [("a@x", "global-administrator", PASSWORD_HASH), ("b@x", "user", PASSWORD_HASH)]);
    let absent = parse(ORGANIZATION).unwrap();
    let (absent, defaults) = (&absent.organizations[0].tenant.office365, rollcall_dialects::office365::Settings::default());
    assert_eq!(format!("{absent:?}"), format!("{defaults:?}"));
}

#[test]
fn what_office365_cannot_use_is_refused_with_its_place() {
    let good = format!("password_hash = \"{PASSWORD_HASH}\"");
    let refused = |user: String, told: &str| {
        let error = parse(&format!("{ORGANIZATION}{user}")).unwrap_err();
        let told = format!("rollcall.toml:{told}");
        assert!(error.starts_with(&told) && !error.contains("hunter2"), "{told}\n{error}");
    };
    let at = "organizations[0].office365.users[0]";
    refused(user("a", "boss", &good), &format!("7: {at}.role: expected one of billing-administrator, global-administrator, "));
    refused(user("a:b", "user", &good), &format!("6: {at}.name: expected a name without a colon"));
    refused(user("a", "user", "password_hash = \"hunter2\""), &format!("8: {at}.password_hash: expected $argon2id$"));
    refused(user("a", "user", "password = \"hunter2\""), &format!("8: {at}.password: a password must not stand in the file"));
    refused(user("a", "user", &format!("{good}\npassword = \"env:X\"")), &format!("9: {at}.password: give either password_hash or"));
    refused(user("a", "user", ""), &format!(" {at}: has no password_hash; make one with `rollcall key hash`"));
    refused(user("a", "user", &format!("{good}\nsecret = \"hunter2\"")), "9: secret: unknown field `secret`");
    refused("[organizations.office365]\ndate = \"middle\"\n".into(), "6: date: unknown variant `middle`");
    for url in ["reports.example.com", "ftp://r", "https://", "https://r/path", "https://r?q", "https://me@r", "https://r#f", "x y"] {
        let section = format!("[organizations.office365]\npublic_base_url = \"{url}\"\n");
        refused(section, "6: organizations[0].office365.public_base_url: expected scheme and authority");
    }
    let other = ORGANIZATION.replace("5c11", "5c12");
    let twice = format!("{}{other}{}", user("Ann@x", "user", &good), user("aNN@X", "user", &good));
    refused(twice, "14: organizations[1].office365.users[0].name: is already that of organizations[0].office365.users[0]");
}

fn access_key(id: &str, secret: &str) -> String {
    format!("[[organizations.volcengine.access_keys]]\nid = \"{id}\"\nsecret = \"{secret}\"\n")
}

#[test]
fn volcengine_is_read_and_its_secret_comes_from_elsewhere() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("k"), "hunter2 and his friends\n").unwrap();
    let section = "[organizations.volcengine]\nshow_unknown = true\nmax_age_days = 1\nmax_span_days = 2\nrequests_per_second = 3\nclock_skew_seconds = 4\n";
    let text = format!("{ORGANIZATION}{section}{}", access_key("AKLT=a", "file:k"));
    let config = Config::parse(&text, &home.path().join("rollcall.toml"), &Overrides::default()).unwrap();
    let given = &config.organizations[0].tenant.volcengine;
    assert_eq!((given.show_unknown, given.max_age_days, given.max_span_days), (true, 1, 2));
    assert_eq!((given.requests_per_second, given.clock_skew_seconds), (3, 4));
    let expected = rollcall_dialects::volcengine::signature::SecretKey::new("hunter2 and his friends");
    assert!(given.access_keys.len() == 1 && given.access_keys[0].id == "AKLT=a" && given.access_keys[0].secret == expected);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn what_volcengine_cannot_use_is_refused_with_its_place() {
    let refused = |text: String, told: &str| {
        let error = parse(&format!("{ORGANIZATION}{text}")).unwrap_err();
        assert!(error.starts_with(&format!("rollcall.toml:{told}")) && !error.contains("hunter2"), "{told}\n{error}");
    };
    let at = "organizations[0].volcengine.access_keys[0]";
    let told = format!("7: {at}.secret: a secret must not stand in the file; write secret = \"env:NAME\" or \"file:path\"; signatures are");
    refused(access_key("a", "hunter2"), &told);
    refused(access_key("a", "file:nowhere"), &format!("7: {at}.secret: nowhere cannot be read: "));
    refused(access_key("a", "env:ROLLCALL_NOWHERE"), &format!("7: {at}.secret: the environment variable ROLLCALL_NOWHERE is not set"));
    for id in ["", "a/b", "a,b", "a b", "中", &"a".repeat(257)] {
        let error = parse(&format!("{ORGANIZATION}{}", access_key(id, "hunter2"))).unwrap_err();
        assert!(error.starts_with(&format!("rollcall.toml:6: {at}.id: expected 1 to 256 visible ASCII")), "{error}");
    }
    let other = ORGANIZATION.replace("5c11", "5c12");
    let twice = format!("{}{other}{}", access_key("a", "env:PATH"), access_key("a", "env:PATH"));
    refused(twice, &format!("13: organizations[1].volcengine.access_keys[0].id: is already that of {at}"));
    refused("[organizations.volcengine]\nsecret_hash = \"hunter2\"\n".into(), "6: secret_hash: unknown field `secret_hash`");
}

fn token(secret: &str, rest: &str) -> String {
    format!("[[organizations.yunxiao.tokens]]\nname = \"t\"\nhash = \"{}\"\n{rest}\n", hash(secret))
}

#[test]
fn yunxiao_is_read_and_its_defaults_are_those_of_the_dialect() {
    use rollcall_dialects::yunxiao::Scope;
    let section = "[organizations.yunxiao]\norganization_id = \"67d8\"\ninclude_subdepartments = false\nrequests_per_minute = 0\n";
    let scopes = "scopes = [\"developer-usage\", \"organization\"]\nexpires = ";
    let mut text = format!("{ORGANIZATION}{section}{}", token("0", "scopes = [\"department-usage\"]"));
    for (number, expires) in ["2027-01-01", "\"2027-01-01\"", "2026-12-31T16:00:00Z", "\"2027-01-01T00:00:00+08:00\""].iter().enumerate() {
        text += &token(&format!("{}", number + 1), &format!("{scopes}{expires}"));
    }
    let given = &parse(&text).unwrap().organizations[0].tenant.yunxiao;
    assert_eq!((given.organization_id.as_deref(), given.include_subdepartments, given.requests_per_minute), (Some("67d8"), false, 0));
    assert_eq!((given.tokens[0].scopes.as_slice(), given.tokens[0].expires), (&[Scope::DepartmentUsage][..], None));
    assert!(given.tokens[0].secret.matches("0") && given.tokens[0].name == "t");
    for token in &given.tokens[1..] {
        // The first instant of the day in the organization's zone.
        assert_eq!((token.scopes.len(), token.expires), (2, Some(1_798_732_800_000)));
    }
    let absent = parse(ORGANIZATION).unwrap();
    let (absent, defaults) = (&absent.organizations[0].tenant.yunxiao, rollcall_dialects::yunxiao::Settings::default());
    assert_eq!(format!("{absent:?}"), format!("{defaults:?}"));
    let shown = EXAMPLE.replace("# include_subdepartments =", "include_subdepartments =");
    let shown = parse(&shown.replace("# requests_per_minute = 600", "requests_per_minute = 600")).unwrap();
    assert_eq!(format!("{:?}", shown.organizations[0].tenant.yunxiao), format!("{defaults:?}"));
}

#[test]
fn what_yunxiao_cannot_use_is_refused_with_its_place() {
    let refused = |rest: &str, told: &str| {
        let error = parse(&format!("{ORGANIZATION}{rest}")).unwrap_err();
        let told = format!("rollcall.toml:{told}");
        assert!(error.starts_with(&told) && !error.contains("hunter2"), "{told}\n{error}");
    };
    let at = "organizations[0].yunxiao.tokens[0]";
    let all = "scopes = [\"department-usage\"]";
    refused(
        &token("a", "scopes = []"),
        &format!("8: {at}.scopes: expected one or more of department-usage, developer-usage, organization"),
    );
    refused(&token("a", "scopes = [\"department-usage\", \"all\"]"), &format!("8: {at}.scopes: expected one or more of"));
    refused(&token("a", ""), "5: [organizations.yunxiao.tokens: missing field `scopes`".replace('[', "").as_str());
    for expires in ["\"soon\"", "\"2027-02-30\"", "\"2027-01-01T00:00:00\"", "2027-01-01T00:00:00", "5", "08:00:00"] {
        refused(&token("a", &format!("{all}\nexpires = {expires}")), &format!("9: {at}.expires: expected a day such as"));
    }
    let with = |secret: &str| format!("[[organizations.yunxiao.tokens]]\nname = \"t\"\n{all}\n{secret}\n");
    refused(
        &with("hash = \"hunter2\""),
        &format!("8: {at}.hash: expected sha256: and 64 hexadecimal digits, as `rollcall key new --for yunxiao` prints"),
    );
    refused(&with("secret = \"hunter2\""), &format!("8: {at}.secret: a secret must not stand in the file"));
    refused("[organizations.yunxiao]\norganization_id = \"\"\n", "6: organizations[0].yunxiao.organization_id: expected 1 to 256 bytes");
    let other = ORGANIZATION.replace("5c11", "5c12");
    let twice = format!("{}{other}{}", token("a", all), token("a", all));
    refused(&twice, "14: organizations[1].yunxiao.tokens[0]: the same token is used at organizations[0].yunxiao.tokens[0]");
}
