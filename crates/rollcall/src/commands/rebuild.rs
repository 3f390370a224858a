//! `rebuild`: the cells of a data directory that are not what its facts say, made anew.

use super::verify;
use crate::args::Prove;
use crate::failure::{Failure, Result};
use crate::operations::prove::Rebuild;

pub fn run(flags: &Prove) -> Result {
    let found = verify::prove::<Rebuild>(flags)?;
    if found.damaged_files > 0 {
        let damaged = verify::damaged(found.damaged_files);
        return Err(Failure::Damaged(format!(
            "nothing was rebuilt: {damaged}, and cells made of the other facts would be wrong. {}",
            verify::REPAIR
        )));
    }
    match found.differences - found.mended {
        0 => Ok(()),
        left => {
            Err(Failure::Message(format!("{left} of {} differences cannot be mended: ids cannot be made from facts", found.differences)))
        }
    }
}
