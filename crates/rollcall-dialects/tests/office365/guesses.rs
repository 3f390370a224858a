//! Guesses at passwords: how many are looked at, whom the others keep waiting, and whom not.

use crate::stage::{Answer, PASSWORD, SERVICE, Stage, account, advance, basic, from, may, settings, tenant};
use axum::body::Body;
use http::Request;
use rollcall_dialects::FailedSignIn;
use rollcall_dialects::office365::{Role, Settings, User, hash_password};
use rollcall_dialects::sign_in::SignInLimits;
use tower::ServiceExt;

const ADMIN: &str = "admin@example.com";
const HOME: &str = "203.0.113.7";
const STRANGER: &str = "198.51.100.1";
/// A hash that takes years to make, and as little memory as can be.
const ENDLESS: &str = "$argon2id$v=19$m=8,t=4000000000,p=1$cm9sbGNhbGwgbm9ib2R5$Tm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLiBOb2JvZHk";
/// One that takes no time.
const QUICK: &str = "$argon2id$v=19$m=8,t=1,p=1$cm9sbGNhbGwgbm9ib2R5$Tm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLiBOb2JvZHk";

fn stage(limits: SignInLimits) -> Stage {
    let stage = Stage::new(may(), settings());
    stage.site.guesses.set_limits(limits);
    stage
}

fn request(name: &str, password: &str, address: &str) -> Request<Body> {
    let request = Request::get(format!("{SERVICE}/$metadata")).header("authorization", basic(name, password));
    request.extension(from(address)).body(Body::empty()).unwrap()
}

async fn sign_in(stage: &Stage, name: &str, password: &str, address: &str) -> Answer {
    stage.send(request(name, password, address)).await
}

async fn status(stage: &Stage, name: &str, password: &str, address: &str) -> u16 {
    sign_in(stage, name, password, address).await.status.as_u16()
}

#[tokio::test]
async fn after_too_many_wrong_passwords_an_account_waits_at_that_address_and_a_right_one_starts_anew() {
    let stage = stage(SignInLimits { failures: 3, ..SignInLimits::default() });
    for name in [ADMIN, "nobody@example.com"] {
        for number in 0..3 {
            assert_eq!(status(&stage, name, &format!("wrong {number}"), STRANGER).await, 401, "{name}");
        }
        let refused = sign_in(&stage, name, PASSWORD, STRANGER).await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, "1"));
        assert_eq!(refused.body, "{\"ErrorCode\":\"\",\"Message\":\"Too many failed sign-ins. Try again in 1 second.\"}");
        assert_eq!(refused.header("content-type"), "application/json;charset=utf-8");
    }
    advance(1000);
    assert_eq!(status(&stage, ADMIN, "wrong again", STRANGER).await, 401);
    assert_eq!(sign_in(&stage, ADMIN, "wrong once more", STRANGER).await.header("retry-after"), "2");
    assert_eq!(status(&stage, "clerk@example.com", PASSWORD, STRANGER).await, 200);
    advance(2000);
    assert_eq!(status(&stage, ADMIN, PASSWORD, STRANGER).await, 200);
    for number in 0..3 {
        assert_eq!(status(&stage, ADMIN, &format!("wrong, and later {number}"), STRANGER).await, 401);
    }
    assert_eq!(status(&stage, ADMIN, "wrong, and last", STRANGER).await, 429);
    // What is remembered waits for nothing, wherever it comes from.
    for address in [STRANGER, HOME] {
        assert_eq!(status(&stage, ADMIN, PASSWORD, address).await, 200);
    }
}

#[tokio::test]
async fn what_comes_while_it_has_to_wait_is_not_hashed() {
    let mut settings = settings();
    settings.users[0].password = QUICK.into();
    let stage = Stage::new(may(), settings.clone());
    stage.site.guesses.set_limits(SignInLimits { failures: 1, ..SignInLimits::default() });
    assert_eq!(status(&stage, ADMIN, "wrong", STRANGER).await, 401);
    // Were it hashed now, there would be no end of it.
    settings.users.iter_mut().for_each(|user| user.password = ENDLESS.into());
    stage.site.reload(vec![tenant(settings)]);
    for _ in 0..100 {
        assert_eq!(status(&stage, ADMIN, "another", STRANGER).await, 429);
    }
}

#[tokio::test]
async fn the_same_wrong_password_is_one_guess_however_often_it_comes() {
    let stage = stage(SignInLimits { failures: 2, ..SignInLimits::default() });
    for _ in 0..20 {
        assert_eq!(status(&stage, ADMIN, "of last year", HOME).await, 401);
        assert_eq!(status(&stage, "nobody@example.com", "of last year", HOME).await, 401);
    }
    assert_eq!(status(&stage, ADMIN, "another", HOME).await, 401);
    assert_eq!(status(&stage, ADMIN, "yet another", HOME).await, 429);
}

#[tokio::test]
async fn many_right_sign_ins_at_once_are_one() {
    // More than may fail, and more than may wait.
    let stage = stage(SignInLimits { failures: 1, waiting_passwords: 0, ..SignInLimits::default() });
    let all: Vec<_> = (0..50).map(|_| tokio::spawn(stage.router.clone().oneshot(request(ADMIN, PASSWORD, HOME)))).collect();
    for one in all {
        assert_eq!(one.await.unwrap().unwrap().status(), 200);
    }
}

#[tokio::test]
async fn what_is_remembered_outlives_a_reload_that_left_the_password_alone() {
    // Nothing is looked at twice: the second wrong one has to wait.
    let stage = stage(SignInLimits { failures: 1, ..SignInLimits::default() });
    assert_eq!(status(&stage, ADMIN, PASSWORD, HOME).await, 200);
    assert_eq!(status(&stage, ADMIN, "wrong", HOME).await, 401);
    let with = |admin: User| Settings { users: vec![admin], ..settings() };
    stage.site.reload(vec![tenant(with(account("Admin@Example.com", Role::GlobalAdministrator)))]);
    assert_eq!(status(&stage, ADMIN, PASSWORD, HOME).await, 200);
    let replaced = User { password: hash_password(PASSWORD).unwrap(), ..account(ADMIN, Role::GlobalAdministrator) };
    stage.site.reload(vec![tenant(with(replaced))]);
    assert_eq!(status(&stage, ADMIN, PASSWORD, HOME).await, 429);
    assert_eq!(status(&stage, ADMIN, PASSWORD, STRANGER).await, 200);
}

#[tokio::test]
async fn a_name_that_becomes_an_account_is_let_in() {
    let stage = stage(SignInLimits::default());
    assert_eq!(status(&stage, "new@example.com", PASSWORD, HOME).await, 401);
    let mut settings = settings();
    settings.users.push(account("new@example.com", Role::ViewOnlyRecipients));
    stage.site.reload(vec![tenant(settings)]);
    assert_eq!(status(&stage, "new@example.com", PASSWORD, HOME).await, 200);
}

#[tokio::test]
async fn a_failed_sign_in_is_handed_to_the_log_with_its_name_only() {
    let stage = stage(SignInLimits { failures: 1, ..SignInLimits::default() });
    let failed =
        async |request: Request<Body>| stage.router.clone().oneshot(request).await.unwrap().extensions().get::<FailedSignIn>().cloned();
    let expected = |name: &str, reason| Some(FailedSignIn { api: "office365", name: name.into(), reason });
    assert_eq!(failed(request("Admin@example.com", "wrong", HOME)).await, expected(ADMIN, "no such account, or another password"));
    assert_eq!(failed(request("x", "wrong", HOME)).await, expected("x", "no such account, or another password"));
    assert_eq!(failed(request(ADMIN, "another", HOME)).await, expected(ADMIN, "too many failures"));
    assert_eq!(failed(request(ADMIN, PASSWORD, STRANGER)).await, None);
    assert_eq!(failed(Request::get(SERVICE).body(Body::empty()).unwrap()).await, None);
}
