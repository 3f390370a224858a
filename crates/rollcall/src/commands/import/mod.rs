//! stub
use crate::args;
use crate::failure::Result;
pub fn run(_flags: args::Import) -> Result {
    Ok(())
}
/// An error with its causes, for people.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
