//! `report`: a question to a running server, or to a data directory.

use super::local;
use super::remote::{Remote, unreachable};
use crate::args::{self, RowFormat};
use crate::failure::{Failure, Result};
use crate::output;
use crate::problem::detail_in;
use crate::reports::{self, Bounds, Document};
use reqwest::Method;
use std::time::Duration;

/// How long a report may take: one that must first make its cells may take a while.
const REQUEST_TIME: Duration = Duration::from_secs(300);

pub fn run(flags: args::Report) -> Result {
    let document = match (&flags.to_url, &flags.local.data) {
        (Some(url), _) => super::wait(ask(url, &flags))?,
        (None, Some(data)) => {
            let opened = local::open(data, &flags.local)?;
            // The command line serves one person on one machine, so the length of an answer is theirs to choose.
            let question = reports::question(flags.report, &given(&flags), &opened.organization, Bounds::NONE);
            let question = question.map_err(|bad| Failure::Usage(bad.to_string()))?;
            question(&opened.engine, opened.organization.id).map_err(|error| Failure::Message(error.to_string()))?
        }
        (None, None) => return Err(Failure::Usage("give --to-url or --data".into())),
    };
    match flags.format {
        RowFormat::Json => output::line(String::from_utf8_lossy(&document.json())),
        RowFormat::Csv => output::data(&document.csv()),
        RowFormat::Table => {
            output::note(document.caption());
            output::data(document.table().as_bytes())
        }
    }
}

/// The parameters given on the command line, by name.
fn given(flags: &args::Report) -> Vec<(String, String)> {
    let optional = [
        ("zone", &flags.zone),
        ("app", &flags.app),
        ("unit", &flags.unit),
        ("order", &flags.order),
        ("limit", &flags.limit),
        ("by", &flags.by),
        ("week_start", &flags.week_start),
        ("user_kind", &flags.user_kind),
        ("device", &flags.device),
        ("session_kind", &flags.session_kind),
        ("country", &flags.country),
        ("department", &flags.department),
        ("user", &flags.user),
        ("subtree", &flags.subtree),
        ("breakdown", &flags.breakdown),
    ];
    let optional = optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
    [("from".to_owned(), flags.from.clone()), ("to".to_owned(), flags.to.clone())].into_iter().chain(optional).collect()
}

async fn ask(url: &str, flags: &args::Report) -> Result<Document> {
    let remote = Remote::of("--to-url", url, flags.key.as_deref())?;
    let path = format!("/v1/reports/{}", flags.report.name());
    let address = remote.address(&path);
    let request = remote.request(&super::client(REQUEST_TIME)?, Method::GET, &path).query(&given(flags));
    let unreachable = |error| unreachable(&address, error);
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        return Err(Failure::of(&address, detail_in(&body).unwrap_or_else(|| status.to_string())));
    }
    Document::from_json(&body, flags.report.columns(&given(flags)))
        .map_err(|error| Failure::of(format_args!("{address} answered something else"), error))
}
