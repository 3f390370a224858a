//! `report`: a question to a running server, or to a data directory.

use super::local;
use super::remote::{Remote, unreachable};
use crate::args::{self, RowFormat};
use crate::failure::{Failure, Result};
use crate::output;
use crate::problem::detail_in;
use crate::reports::{self, Bounds, Document};
use reqwest::Method;
use rollcall_model::{Quarter, Reports};
use std::time::Duration;

/// How long a report may take: one that must first make its cells may take a while.
const REQUEST_TIME: Duration = Duration::from_secs(300);

pub fn run(flags: args::Report) -> Result {
    let document = match (&flags.asking.to_url, &flags.asking.local.data) {
        (Some(url), _) => super::wait(ask(url, &flags))?,
        (None, Some(data)) => {
            let opened = local::open(data, &flags.asking.local)?;
            // The command line serves one person on one machine, so the length of an answer is theirs to choose.
            let question = reports::question(flags.report, &flags.given, &opened.organization, Bounds::NONE);
            let question = question.map_err(|bad| Failure::Usage(bad.to_string()))?;
            let (org, now) = (opened.organization.id, Quarter::of(crate::server::now()).start());
            let answered =
                opened.engine.completeness(org, now).and_then(|found| Ok(question(&opened.engine, org)?.with_completeness(&found, now)));
            answered.map_err(|error| Failure::Message(error.to_string()))?
        }
        (None, None) => return Err(Failure::Usage("give --to-url or --data".into())),
    };
    match flags.asking.format {
        RowFormat::Json => output::line(String::from_utf8_lossy(&document.json())),
        RowFormat::Csv => output::data(&document.csv()),
        RowFormat::Table => {
            output::note(document.caption());
            output::data(document.table().as_bytes())?;
            if let Some(next) = document.next() {
                output::note(format!("there may be more: --cursor {next}"));
            }
            Ok(())
        }
    }
}

async fn ask(url: &str, flags: &args::Report) -> Result<Document> {
    let remote = Remote::of("--to-url", url, flags.asking.key.as_deref())?;
    let path = format!("/v1/reports/{}", flags.report.name());
    let address = remote.address(&path);
    let request = remote.request(&super::client(REQUEST_TIME)?, Method::GET, &path).query(&flags.given);
    let unreachable = |error| unreachable(&address, error);
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(unreachable)?;
    if !status.is_success() {
        return Err(Failure::of(&address, detail_in(&body).unwrap_or_else(|| status.to_string())));
    }
    Document::from_json(&body, reports::columns_of(flags.report, &flags.given))
        .map_err(|error| Failure::of(format_args!("{address} answered something else"), error))
}
