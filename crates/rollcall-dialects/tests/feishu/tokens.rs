//! The token endpoint.

use crate::naive::Naive;
use crate::stage::{APP_ID, DAILY, SECRET, Stage, TOKEN, advance, set_clock, tenant, unlimited};
use http::Request;
use rollcall_dialects::Secret;
use rollcall_dialects::feishu::{App, Settings};
use rollcall_dialects::sign_in::SignInLimits;
use rollcall_dialects::site::Channel;

const DAY: &str = "start_time=1609113600&end_time=1609200000";

fn stage() -> Stage {
    Stage::new(Naive::default(), vec![tenant("UTC", unlimited())])
}

fn body(app_id: &str, secret: &str) -> String {
    format!(r#"{{"app_id":"{app_id}","app_secret":"{secret}"}}"#)
}

#[tokio::test]
async fn a_token_is_had_with_or_without_content_type_and_slash() {
    set_clock("2021-01-05T12:00:00Z");
    let stage = stage();
    for (path, content_type) in [
        (TOKEN.to_owned(), None),
        (TOKEN.to_owned(), Some("application/json; charset=utf-8")),
        (format!("{TOKEN}/"), Some("application/json")),
        (TOKEN.to_owned(), Some("text/plain")),
    ] {
        let mut request = Request::post(path);
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        let answer = stage.send(request.body(body(APP_ID, SECRET).into()).unwrap()).await;
        let json = answer.json();
        let token = json["tenant_access_token"].as_str().unwrap();
        let expire = json["expire"].as_i64().unwrap();
        assert!(token.starts_with("t-") && (1800..=7200).contains(&expire));
        assert_eq!(
            (answer.status.as_u16(), answer.body),
            (200, format!(r#"{{"code":0,"expire":{expire},"msg":"ok","tenant_access_token":"{token}"}}"#))
        );
    }
}

#[tokio::test]
async fn failures_come_with_200_and_without_a_token() {
    let stage = stage();
    let invalid = r#"{"code":10003,"data":{},"msg":"invalid param"}"#;
    let unknown = r#"{"code":10014,"msg":"app id not exists"}"#;
    let wrong = r#"{"code":10014,"msg":"app secret invalid"}"#;
    for (body, expected) in [
        (String::new(), invalid),
        ("{".into(), invalid),
        ("[]".into(), invalid),
        ("{}".into(), invalid),
        ("null".into(), invalid),
        (r#"{"app_id":5,"app_secret":"s"}"#.into(), invalid),
        (body("", "s"), invalid),
        (body("not an id", "s"), invalid),
        (body(&"a".repeat(129), "s"), invalid),
        (format!(r#"{{"app_id":"{APP_ID}"}}"#), invalid),
        (body(APP_ID, ""), invalid),
        (format!("{}{}", body(APP_ID, SECRET), " ".repeat(65_536)), invalid),
        (body("cli_nobody", SECRET), unknown),
        (body(APP_ID, "another"), wrong),
    ] {
        let answer = stage.ask_token(body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, expected), "{body:.80}");
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    }
    let not_utf8 = stage.ask_token(vec![b'{', b'"', 0xFF]).await;
    assert_eq!(not_utf8.code(), 10_003);
}

#[tokio::test]
async fn unknown_keys_of_a_token_request_are_ignored() {
    let answer = stage().ask_token(format!(r#"{{"x":[1],"app_secret":"{SECRET}","app_id":"{APP_ID}"}}"#)).await;
    assert_eq!(answer.code(), 0);
}

#[tokio::test]
async fn an_expired_token_is_refused_as_a_forged_one_is() {
    set_clock("2021-01-05T12:00:00Z");
    let stage = stage();
    let json = stage.ask_token(body(APP_ID, SECRET)).await.json();
    let authorization = format!("Bearer {}", json["tenant_access_token"].as_str().unwrap());
    let uri = format!("{DAILY}?{DAY}");
    advance(json["expire"].as_i64().unwrap() * 1000 - 1);
    assert_eq!(stage.get_with(&authorization, &uri).await.code(), 0);
    advance(1);
    let expired = stage.get_with(&authorization, &uri).await;
    assert_eq!((expired.status.as_u16(), expired.code()), (400, 99_991_663));
    assert_eq!(stage.get(&uri).await.code(), 0);
}

#[tokio::test]
async fn a_reload_ends_the_tokens_of_a_rotated_secret_and_of_a_dropped_application() {
    let stage = stage();
    let uri = format!("{DAILY}?{DAY}");
    let authorization = format!("Bearer {}", stage.token().await);
    assert_eq!(stage.get_with(&authorization, &uri).await.code(), 0);
    let rotated = vec![App { app_id: APP_ID.into(), secret: Secret::of("rotated") }];
    for apps in [rotated, Vec::new()] {
        stage.site.reload(vec![tenant("UTC", Settings { apps, ..unlimited() })]);
        assert_eq!(stage.get_with(&authorization, &uri).await.code(), 99_991_663);
    }
}

#[tokio::test]
async fn guesses_at_a_secret_are_limited_by_application_and_address() {
    set_clock("2021-01-05T12:00:00Z");
    let stage = stage();
    stage.site.guesses.set_limits(SignInLimits { failures: 3, failures_of_address: 5, failures_of_name: 1, ..SignInLimits::default() });
    let ask = async |app_id: &str, secret: &str, address: &str| {
        let channel = Channel { client: Some(address.parse().unwrap()), ..Channel::default() };
        stage.send(Request::post(TOKEN).extension(channel).body(body(app_id, secret).into()).unwrap()).await
    };
    let (home, stranger) = ("203.0.113.7", "2001:db8::1");
    for number in 0..3 {
        assert_eq!(ask(APP_ID, &format!("wrong {number}"), stranger).await.code(), 10_014);
    }
    for address in [stranger, "2001:db8::2"] {
        let refused = ask(APP_ID, SECRET, address).await;
        assert_eq!((refused.status.as_u16(), refused.body.as_str()), (429, r#"{"code":99991400,"msg":"request trigger frequency limit"}"#));
        assert_eq!((refused.header("x-ogw-ratelimit-limit"), refused.header("x-ogw-ratelimit-reset")), ("3", "1"));
    }
    // The application itself is not kept out by that, from wherever it asks.
    for address in [home, "203.0.113.8"] {
        assert_eq!(ask(APP_ID, SECRET, address).await.code(), 0);
    }
    // Nor does a stranger get on by other names.
    assert_eq!(ask("cli_one", "wrong", stranger).await.code(), 10_014);
    assert_eq!(ask("cli_two", "wrong", stranger).await.code(), 10_014);
    assert_eq!(ask("cli_three", "wrong", stranger).await.status, 429);
    advance(1000);
    assert_eq!(ask(APP_ID, SECRET, stranger).await.code(), 0);
    // Where an application is at home, others at the same address do not keep it out.
    for number in 0..6 {
        let _ = ask(&format!("cli_{number}"), "wrong", stranger).await;
    }
    assert_eq!((ask("cli_other", "wrong", stranger).await.status.as_u16(), ask(APP_ID, SECRET, stranger).await.code()), (429, 0));
}
