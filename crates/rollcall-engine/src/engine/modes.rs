//! Who may enter a data directory, or a backup: its owner alone.
//!
//! The program's umask makes new files and directories so. What was made otherwise, by an older version or by somebody's `mkdir`, is
//! corrected here, at start.

use crate::error::EngineError;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What group and others may do.
const OTHERS: u32 = 0o077;

/// Takes a directory, and everything in it, away from group and others; `what` says what it is. Looks into it only if they may enter it.
///
/// A directory that belongs to another user stays as it is, with a warning: some systems make volumes so.
///
/// # Errors
/// [`EngineError::Storage`] if the directory cannot be read.
pub(crate) fn close_to_others(what: &str, directory: &Path) -> Result<(), EngineError> {
    let unusable = |error: io::Error| EngineError::Storage(format!("{}: {error}", directory.display()));
    let mode = fs::metadata(directory).map_err(unusable)?.permissions().mode();
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let mut corrected = 0;
    match close(directory, &mut corrected) {
        Ok(()) => tracing::warn!(
            directory = %directory.display(),
            mode = format_args!("{:o}", mode & 0o7777),
            corrected,
            "others could enter {what}: it, and what is in it, is for its owner alone now"
        ),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => tracing::warn!(
            directory = %directory.display(),
            mode = format_args!("{:o}", mode & 0o7777),
            "others can enter {what}, and this process may not change that; its owner can: chmod -R go= on it"
        ),
        Err(error) => return Err(unusable(error)),
    }
    Ok(())
}

fn close(path: &Path, corrected: &mut u64) -> io::Result<()> {
    let about = fs::symlink_metadata(path)?;
    if about.is_symlink() {
        return Ok(());
    }
    let mode = about.permissions().mode();
    if mode & OTHERS != 0 {
        fs::set_permissions(path, Permissions::from_mode(mode & 0o7777 & !OTHERS))?;
        *corrected += 1;
    }
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            close(&entry?.path(), corrected)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_could_read_is_closed_to_them_with_everything_in_it() {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        let (ledger, file) = (data.join("ledger"), data.join("ledger/0.jnl"));
        let elsewhere = home.path().join("elsewhere");
        fs::create_dir_all(&ledger).unwrap();
        fs::write(&file, "facts").unwrap();
        fs::write(&elsewhere, "of somebody else").unwrap();
        std::os::unix::fs::symlink(&elsewhere, data.join("link")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for (path, mode) in [(&data, 0o755), (&ledger, 0o750), (&file, 0o644), (&elsewhere, 0o644)] {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        }
        close_to_others("the data directory", &data).unwrap();
        assert_eq!([&data, &ledger, &file, &elsewhere].map(|path| mode(path)), [0o700, 0o700, 0o600, 0o644]);
    }
}
