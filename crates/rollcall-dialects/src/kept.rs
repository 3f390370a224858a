//! Answers that are kept: what would be rendered twice the same is rendered once.
//!
//! An answer is given again to the same organization, to the same question asked of the same API in the same format, for as long as nothing
//! changed that it follows from ([`rollcall_model::Reports::state`]). It is looked up after credential, rate and parameters were
//! checked, and takes no turn: nothing is computed.

use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use quick_cache::sync::Cache;
use quick_cache::{OptionsBuilder, Weighter};
use rollcall_model::OrgId;
use std::sync::{Arc, PoisonError, RwLock};

/// Which part of all bytes one answer may take.
const LARGEST: u64 = 4;

/// About how many bytes an answer is: only what room is made for in advance goes by it.
const USUAL_BYTES: u64 = 8 << 10;

/// What an entry takes beside its key and its body.
const OVERHEAD: usize = 512;

/// Put among the extensions of an answer that must not be given to another request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnlyOnce;

/// Whose question it was, to which API, and everything that its answer follows from but the facts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) organization: OrgId,
    pub(crate) api: &'static str,
    pub(crate) asked: String,
}

#[derive(Debug, Clone)]
struct Kept {
    state: u128,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Debug, Clone)]
struct BySize;

impl Weighter<Question, Kept> for BySize {
    fn weight(&self, question: &Question, kept: &Kept) -> u64 {
        (OVERHEAD + question.asked.len() + kept.body.len()) as u64
    }
}

/// Answers, within so many bytes.
pub(crate) struct Answers(RwLock<Arc<Held>>);

struct Held {
    most: u64,
    answers: Cache<Question, Kept, BySize>,
}

impl Held {
    fn new(most: u64) -> Arc<Self> {
        let items = usize::try_from(most / USUAL_BYTES).unwrap_or(usize::MAX).max(1);
        let mut options = OptionsBuilder::new();
        // Of one shard, so that an answer of the largest size has room.
        options.shards(1).weight_capacity(most).estimated_items_capacity(items);
        let of = |options| Cache::with_options(options, BySize, Default::default(), Default::default());
        // Options without a default are given, so this does not fail.
        let answers = options.build().map_or_else(|_| Cache::with_weighter(items, most, BySize), of);
        Arc::new(Self { most, answers })
    }
}

impl Default for Answers {
    /// Keeps nothing.
    fn default() -> Self {
        Self(RwLock::new(Held::new(0)))
    }
}

impl Answers {
    /// From now on keeps answers within so many bytes; 0: none.
    pub(crate) fn hold(&self, most: u64) {
        if self.held().most != most {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Held::new(most);
        }
    }

    fn held(&self) -> Arc<Held> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The answer to a question, if it was kept in this state.
    pub(crate) fn get(&self, question: &Question, state: u128) -> Option<Response> {
        let held = self.held();
        if held.most == 0 {
            return None;
        }
        let kept = held.answers.get(question).filter(|kept| kept.state == state)?;
        let mut response = Response::new(Body::from(kept.body));
        *response.headers_mut() = kept.headers;
        Some(response)
    }

    /// Keeps an answer, where it may be given again: it is good, whole, and not too large. Returns it.
    pub(crate) async fn keep(&self, question: Question, state: u128, answer: Response) -> Response {
        let held = self.held();
        let size = answer.body().size_hint().exact().filter(|size| *size <= held.most / LARGEST);
        if answer.status() != StatusCode::OK || size.is_none() || answer.extensions().get::<OnlyOnce>().is_some() {
            return answer;
        }
        let (parts, body) = answer.into_parts();
        // It is in memory: this waits for nothing and copies nothing.
        let Ok(body) = axum::body::to_bytes(body, usize::MAX).await else { return Response::from_parts(parts, Body::empty()) };
        held.answers.insert(question, Kept { state, headers: parts.headers.clone(), body: body.clone() });
        Response::from_parts(parts, Body::from(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse;

    fn question(organization: u128, asked: &str) -> Question {
        Question { organization: OrgId(uuid::Uuid::from_u128(organization)), api: "native", asked: asked.into() }
    }

    async fn kept(answers: &Answers, question: Question, state: u128, answer: impl IntoResponse) {
        answers.keep(question, state, answer.into_response()).await;
    }

    async fn body(response: Option<Response>) -> Option<String> {
        let bytes = axum::body::to_bytes(response?.into_body(), usize::MAX).await.unwrap();
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn an_answer_is_given_again_to_its_organization_while_nothing_changed() {
        let answers = Answers::default();
        answers.hold(1 << 20);
        kept(&answers, question(1, "a"), 7, ([("x-kept", "yes")], "one")).await;
        kept(&answers, question(1, "b"), 7, (StatusCode::NOT_FOUND, "no")).await;
        kept(&answers, question(1, "c"), 7, (axum::Extension(OnlyOnce), "once")).await;
        kept(&answers, question(1, "d"), 7, "x".repeat(1 << 19)).await;
        let again = answers.get(&question(1, "a"), 7).unwrap();
        assert_eq!(again.headers().get("x-kept").unwrap(), "yes");
        assert_eq!(body(Some(again)).await.as_deref(), Some("one"));
        // Another organization, another API, another state.
        assert!(answers.get(&question(2, "a"), 7).is_none());
        assert!(answers.get(&Question { api: "feishu", ..question(1, "a") }, 7).is_none());
        assert!(answers.get(&question(1, "a"), 8).is_none());
        for asked in ["b", "c", "d"] {
            assert!(answers.get(&question(1, asked), 7).is_none(), "{asked}");
        }
        answers.hold(0);
        assert!(answers.get(&question(1, "a"), 7).is_none());
    }

    #[tokio::test]
    async fn whatever_is_asked_answers_take_no_more_than_their_bytes() {
        let answers = Answers::default();
        answers.hold(1 << 20);
        for number in 0..4000 {
            kept(&answers, question(number % 3, &number.to_string()), 1, "x".repeat(1000)).await;
        }
        let held = answers.held();
        assert!((1 << 19..=1 << 20).contains(&held.answers.weight()), "{}", held.answers.weight());
    }
}
