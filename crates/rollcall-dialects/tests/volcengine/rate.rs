//! The rate limit: of an organization, over all its keys and apps (wire, Range).

use crate::naive::Naive;
use crate::stage::{AK, OTHER_AK, OTHER_SK, SEED, SK, Signer, Stage, TARGET, advance, other_tenant, set_clock, settings, tenant};
use rollcall_dialects::volcengine::{AccessKey, Settings};

fn limited(requests_per_second: u32) -> Settings {
    Settings { requests_per_second, ..settings() }
}

#[tokio::test]
async fn a_third_request_within_a_second_is_refused() {
    set_clock("2021-07-26T12:00:00.900Z");
    let stage = Stage::new(Naive::default(), vec![tenant(limited(2))]);
    assert_eq!(stage.ask(SEED).await.outcome().0, 200);
    advance(99);
    // What is refused for its body counts too.
    assert_eq!(stage.ask("{}").await.outcome().0, 400);
    advance(900);
    let refused = stage.ask(SEED).await;
    assert_eq!(refused.outcome(), (429, Some(100_018), "FlowLimitExceeded".into()));
    let message = "Request was rejected because the request speed of this openAPI is beyond the current flow control limit.";
    assert_eq!(refused.message(), message);
    advance(1);
    assert_eq!([stage.ask(SEED).await.outcome().0, stage.ask(SEED).await.outcome().0], [200, 429]);
    // The settings of a reload hold at once.
    stage.site.reload(vec![tenant(limited(3))]);
    assert_eq!([stage.ask(SEED).await.outcome().0, stage.ask(SEED).await.outcome().0], [200, 429]);
    stage.site.reload(vec![tenant(limited(0))]);
    assert_eq!(stage.ask(SEED).await.outcome().0, 200);
}

#[tokio::test]
async fn keys_and_apps_of_an_organization_share_it_and_organizations_do_not() {
    set_clock("2021-07-26T12:00:00Z");
    let second = AccessKey { id: "AKLTsecond".into(), secret: rollcall_dialects::volcengine::signature::SecretKey::new("second") };
    let mut several = limited(2);
    several.access_keys.push(second);
    let mut other = other_tenant();
    other.volcengine.requests_per_second = 1;
    let stage = Stage::new(Naive::default(), vec![tenant(several), other]);
    let ask = async |access_key: &str, secret: &str, app: &str, version: &str| {
        let signer = Signer { access_key: access_key.into(), secret: secret.into(), ..Signer::default() };
        let request = signer.sign("POST", &TARGET.replace("2020-12-01", version), &SEED.replace("Your_AppId", app));
        stage.send(request).await.outcome().0
    };
    assert_eq!(ask(AK, SK, "default", "2020-12-01").await, 200);
    assert_eq!(ask("AKLTsecond", "second", "Your_AppId", "2023-11-01").await, 200);
    assert_eq!(ask(AK, SK, "Your_AppId", "2020-12-01").await, 429);
    assert_eq!(ask(OTHER_AK, OTHER_SK, "default", "2020-12-01").await, 200);
    assert_eq!(ask(OTHER_AK, OTHER_SK, "default", "2020-12-01").await, 429);
}

#[tokio::test]
async fn what_fails_before_does_not_count() {
    set_clock("2021-07-26T12:00:00Z");
    let stage = Stage::new(Naive::default(), vec![tenant(limited(1))]);
    for _ in 0..3 {
        let wrong = Signer { secret: "guessed".into(), ..Signer::default() };
        assert_eq!(stage.send(wrong.sign("POST", TARGET, SEED)).await.outcome().0, 401);
        assert_eq!(stage.send(Signer::default().sign("GET", TARGET, "")).await.outcome().0, 405);
        assert_eq!(stage.send(Signer::default().sign("POST", "/?Action=ListUsages&Version=2020-12-01", SEED)).await.outcome().0, 404);
    }
    assert_eq!(stage.ask(SEED).await.outcome().0, 200);
}
