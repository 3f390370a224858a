//! stub
use crate::args;
use crate::failure::Result;
pub fn run(_flags: args::Demo) -> Result {
    Ok(())
}
