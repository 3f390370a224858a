mod dialects;

use super::*;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("rollcall.toml"), &Overrides::default()).map_err(|error| error.to_string())
}

const ORGANIZATION: &str =
    "[[organizations]]\nid = \"6f6e0a52-7d5b-4bb6-9a55-8f7f8d3b5c11\"\nname = \"Acme\"\ntime_zone = \"Asia/Shanghai\"\n";

fn hash(of: &str) -> String {
    Secret::of(of).to_string()
}

fn user(name: &str, role: &str, password: &str) -> String {
    format!("[[organizations.office365.users]]\nname = \"{name}\"\nrole = \"{role}\"\n{password}\n")
}

#[test]
fn the_example_is_a_valid_configuration() {
    let config = parse(EXAMPLE).unwrap();
    assert_eq!(config.organizations.len(), 1);
    assert_eq!(config.organizations[0].ingest_keys.len(), 1);
    assert_eq!(config.limits, Limits::default(), "the example shows the defaults");
    let shown =
        parse(&EXAMPLE.replace("# date =", "date =").replace("# history_months", "history_months").replace("# page_size", "page_size"));
    let (shown, defaults) = (shown.unwrap(), rollcall_dialects::office365::Settings::default());
    assert_eq!(format!("{:?}", shown.organizations[0].tenant.office365), format!("{defaults:?}"));
    let keys = ["show_unknown", "max_age_days", "max_span_days", "requests_per_second", "clock_skew_seconds"];
    let shown = keys.iter().fold(EXAMPLE.to_owned(), |text, key| text.replacen(&format!("# {key} = "), &format!("{key} = "), 1));
    assert_eq!(keys.iter().filter(|key| shown.contains(&format!("\n{key} = "))).count(), keys.len());
    let (shown, defaults) = (parse(&shown).unwrap(), rollcall_dialects::volcengine::Settings::default());
    assert_eq!(format!("{:?}", shown.organizations[0].tenant.volcengine), format!("{defaults:?}"));
}

#[test]
fn trusted_proxies_are_addresses_and_networks_and_nobody_by_default() {
    assert_eq!(parse("").unwrap().trusted_proxies, []);
    let given = parse("trusted_proxies = [\"10.0.0.0/8\", \"::1\", \"fd00::/8\"]").unwrap().trusted_proxies;
    let given: Vec<_> = given.iter().map(ToString::to_string).collect();
    assert_eq!(given, ["10.0.0.0/8", "::1/128", "fd00::/8"]);
    let error = parse("trusted_proxies = [\n\"10.0.0.0/8\",\n\"proxy.example\",\n\"0.0.0.0/0\"]").unwrap_err();
    assert!(
        error.contains("rollcall.toml:3: trusted_proxies: proxy.example: expected an address or a network, such as 10.0.0.7 or 10.0.0.0/8"),
        "{error}"
    );
    assert!(error.contains("rollcall.toml:4: trusted_proxies: would believe every client"), "{error}");
}

#[test]
fn place_databases_are_one_or_several_beside_the_file() {
    let places = |text: &str| Config::parse(text, Path::new("etc/rollcall.toml"), &Overrides::default()).map(|config| config.places);
    assert_eq!(places("").unwrap(), Vec::<PathBuf>::new());
    assert_eq!(places("[places]\ndatabase = \"a.mmdb\"").unwrap(), [PathBuf::from("etc/a.mmdb")]);
    let both = places("places.database = [\"v4.xdb\", \"/v6.xdb\"]").unwrap();
    assert_eq!(both, [PathBuf::from("etc/v4.xdb"), PathBuf::from("/v6.xdb")]);
    let error = parse("[places]\ndatabase = 4\n").unwrap_err();
    assert_eq!(error, "rollcall.toml:2: database: expected a path, or a list of paths");
    assert!(parse("[places]\nfile = \"a\"\n").unwrap_err().starts_with("rollcall.toml:2: file: unknown field `file`"));
}

#[test]
fn the_lake_is_a_directory_beside_the_file_or_a_bucket() {
    let read = |text: &str| Config::parse(text, Path::new("/etc/r/rollcall.toml"), &Overrides::default()).map(|config| config.storage);
    let defaults = Settings::default();
    assert_eq!(read("").unwrap(), defaults);
    let given = read("[lake]\nurl = \"lake\"\nflush_seconds = 5\nflush_facts = 7\n").unwrap();
    assert_eq!(given.lake.unwrap().to_string(), "file:///etc/r/lake");
    assert_eq!((given.flush_seconds, given.flush_facts), (5, 7));
    let options = "[lake.options]\naws_endpoint = \"http://[::1]:9000\"\naws_virtual_hosted_style_request = false\n";
    let given = read(&format!("allow_plaintext_auth = true\n[lake]\nurl = \"s3://b/a/\"\n{options}")).unwrap();
    assert!(!given.store.allow_plaintext, "that is about the clients of this server only");
    let given = read(&format!("[lake]\nurl = \"s3://b/a/\"\nallow_plaintext = true\n{options}")).unwrap();
    assert_eq!(given.lake.unwrap().to_string(), "s3://b/a");
    let options: Vec<_> = given.store.iter().collect();
    assert_eq!(options, [("aws_endpoint", "http://[::1]:9000"), ("aws_virtual_hosted_style_request", "false")]);
    assert!(given.store.allow_plaintext);
}

#[test]
fn what_a_lake_cannot_be_is_refused_with_its_place_and_without_its_secret() {
    for (text, told) in [
        ("[lake]\nurl = \"https://b/a\"", "2: lake.url: expected s3://bucket/prefix, file:///directory, or a path"),
        ("[lake]\nurl = \"s3://user:hunter2@b/a\"", "2: lake.url: a location has no credentials"),
        ("[lake.options]\naws_colour = \"red\"", "2: lake.options.aws_colour: is no option of an S3-compatible store"),
        (
            "[lake.options]\naws_endpoint = \"http://store.example.com:9000\"",
            "2: lake.options.aws_endpoint: http://store.example.com:9000 would be sent credentials and facts in plain text",
        ),
        (
            "[lake.options]\nendpoint = \"store.example.com\"",
            "2: lake.options.endpoint: store.example.com is no URL that begins with https://",
        ),
        ("[lake.options]\naws_region = [1]", "2: lake.options.aws_region: expected a string, a number, true or false"),
        (
            "[lake.options]\naws_secret_access_key = \"hunter2\"",
            "2: lake.options.aws_secret_access_key: a secret must not stand in the file",
        ),
        ("[lake.options]\naws_session_token = \"env:ROLLCALL_NOT_SET\"", "2: lake.options.aws_session_token: the environment variable"),
        ("[lake]\ncolour = 1", "2: colour: unknown field `colour`"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.starts_with(&format!("rollcall.toml:{told}")) && !error.contains("hunter2"), "{told}\n{error}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_its_place() {
    let error = parse("listen = \"127.0.0.1:1\"\nlissen = 1\n").unwrap_err();
    assert!(error.starts_with("rollcall.toml:2: lissen: unknown field `lissen`"), "{error}");
    let error = parse(&format!("{ORGANIZATION}[organizations.feishu]\nnumber = \"x\"\n")).unwrap_err();
    assert!(error.starts_with("rollcall.toml:6: number: unknown field `number`"), "{error}");
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let error = parse(&format!("{ORGANIZATION}[[organizations.ingest_keys]]\nname = \"a\"\nsecret = \"hunter2\"\n")).unwrap_err();
    assert!(error.starts_with("rollcall.toml:7: organizations[0].ingest_keys[0].secret: a secret must not stand in the file"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn every_problem_is_reported_at_once() {
    let error =
        parse("listen = \"nowhere\"\n[[organizations]]\nid = \"x\"\nname = \"\"\ntime_zone = \"Mars/Olympus\"\nunits = [7]\n").unwrap_err();
    for place in
        ["1: listen", "3: organizations[0].id", "4: organizations[0].name", "5: organizations[0].time_zone", "6: organizations[0].units"]
    {
        assert!(error.contains(&format!("rollcall.toml:{place}: ")), "{place} in {error}");
    }
}

#[test]
fn what_must_be_unique_is_refused_twice() {
    let error = parse(&format!("{ORGANIZATION}{ORGANIZATION}")).unwrap_err();
    assert!(error.contains("rollcall.toml:6: organizations[1].id: is already that of organizations[0]"), "{error}");
    let key = format!("[[organizations.ingest_keys]]\nname = \"a\"\nhash = \"{}\"\n", hash("k"));
    let error = parse(&format!("{ORGANIZATION}{key}{key}")).unwrap_err();
    assert!(error.contains("the same key is used at organizations[0].ingest_keys[0]"), "{error}");
    let app = format!("[[organizations.feishu.apps]]\napp_id = \"cli_a\"\nsecret_hash = \"{}\"\n", hash("k"));
    let other = ORGANIZATION.replace("5c11", "5c12");
    let error = parse(&format!("{ORGANIZATION}{app}{other}{app}")).unwrap_err();
    assert!(error.contains("organizations[1].feishu.apps[0].app_id: is already that of organizations[0].feishu.apps[0]"), "{error}");
}

#[test]
fn plain_text_stays_on_this_machine_unless_allowed() {
    assert!(parse("listen = \"127.0.0.1:1\"").unwrap().check_plaintext().is_ok());
    assert!(parse("listen = \"[::1]:1\"").unwrap().check_plaintext().is_ok());
    assert!(parse("listen = \"0.0.0.0:1\"").unwrap().check_plaintext().unwrap_err().contains("allow_plaintext_auth"));
    assert!(parse("listen = \"0.0.0.0:1\"\nallow_plaintext_auth = true").unwrap().check_plaintext().is_ok());
}

#[test]
fn flags_stand_in_for_the_files_values() {
    let overrides = Overrides { listen: Some("127.0.0.1:9".parse().unwrap()), data: Some("elsewhere".into()) };
    let config = Config::parse("listen = \"127.0.0.1:1\"\ndata = \"d\"", Path::new("etc/rollcall.toml"), &overrides).unwrap();
    assert_eq!((config.listen.port(), config.data), (9, PathBuf::from("elsewhere")));
    assert_eq!(Config::parse("data = \"d\"", Path::new("etc/rollcall.toml"), &Overrides::default()).unwrap().data, PathBuf::from("etc/d"));
}

/// A hash of the least parameters: these tests compare nothing with it.
const PASSWORD_HASH: &str = "$argon2id$v=19$m=8,t=1,p=1$cm9sbGNhbGwgbm9ib2R5$Tm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLiBOb2JvZHk";

#[test]
fn a_password_of_a_file_is_hashed_when_it_is_read() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("p"), "hunter2, too\n").unwrap();
    let text = format!("{ORGANIZATION}{}", user("a", "user", "password = \"file:p\""));
    let config = Config::parse(&text, &home.path().join("rollcall.toml"), &Overrides::default()).unwrap();
    let password = &config.organizations[0].tenant.office365.users[0].password;
    assert!(password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{password}");
    // Read again it has the same hash, so that whoever signed in with it is known still.
    let again = Config::parse(&text, &home.path().join("rollcall.toml"), &Overrides::default()).unwrap();
    assert_eq!(&again.organizations[0].tenant.office365.users[0].password, password);
}

#[test]
fn a_secret_that_could_be_guessed_is_refused_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let told = |section: &str, secret: String| {
        std::fs::write(home.path().join("s"), format!("{secret}\n")).unwrap();
        let text = format!("{ORGANIZATION}{section}");
        Config::parse(&text, &home.path().join("rollcall.toml"), &Overrides::default()).map(drop).map_err(|error| error.to_string())
    };
    let with = |table: &str, keys: &str| format!("[[organizations.{table}]]\n{keys}\n");
    for (section, line, key, shortest) in [
        (with("ingest_keys", "name = \"a\"\nsecret = \"file:s\""), 7, "ingest_keys[0].secret: the secret", 20),
        (with("feishu.apps", "app_id = \"a\"\nsecret = \"file:s\""), 7, "feishu.apps[0].secret: the secret", 20),
        (with("volcengine.access_keys", "id = \"a\"\nsecret = \"file:s\""), 7, "volcengine.access_keys[0].secret: the secret", 20),
        (
            with("yunxiao.tokens", "name = \"a\"\nscopes = [\"organization\"]\nsecret = \"file:s\""),
            8,
            "yunxiao.tokens[0].secret: the secret",
            20,
        ),
        (user("a", "user", "password = \"file:s\""), 8, "office365.users[0].password: the password", 12),
    ] {
        // Letters are counted, not bytes.
        let error = told(&section, "密".repeat(shortest - 1)).unwrap_err();
        let expected = format!(
            "rollcall.toml:{line}: organizations[0].{key} at file:s has fewer than {shortest} characters, so it could be guessed; take a longer one"
        );
        assert!(error.ends_with(&expected), "{error}");
        assert_eq!(told(&section, "密".repeat(shortest)), Ok(()), "{key}");
    }
}

#[test]
fn sign_ins_are_limited_as_the_example_shows_and_their_addresses_logged() {
    let defaults = parse("").unwrap();
    assert_eq!((defaults.sign_in, defaults.log_client_addresses), (SignInLimits::default(), true));
    let (_, section) = EXAMPLE.split_once("[sign_in]\n").unwrap();
    let lines: Vec<_> = section.lines().take_while(|line| line.starts_with("# ")).collect();
    assert_eq!(lines.len(), 5);
    let shown = format!("log_client_addresses = false\n[sign_in]\n{}", lines.join("\n").replace("# ", ""));
    // What stands behind a value is a comment no more.
    let shown: String = shown.lines().map(|line| line.split("  ").next().unwrap().to_owned() + "\n").collect();
    let shown = parse(&shown).unwrap();
    assert_eq!((shown.sign_in, shown.log_client_addresses), (SignInLimits::default(), false));
    let given = parse("[sign_in]\nfailures = 1\nlongest_wait_seconds = 0\nwaiting_passwords = 7").unwrap().sign_in;
    assert_eq!(given, SignInLimits { failures: 1, longest_wait_seconds: 0, waiting_passwords: 7, ..SignInLimits::default() });
    assert!(parse("[sign_in]\ntries = 1").unwrap_err().starts_with("rollcall.toml:2: tries: unknown field `tries`"));
}
