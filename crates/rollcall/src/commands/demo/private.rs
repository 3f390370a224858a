//! A directory and files that nobody else can have prepared: in a folder that all may write to, another user can put a directory or a link
//! where a name is expected, and credentials would go where it leads.

use crate::failure::{Failure, Result};
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What the names of files begin with that are being written.
const ASIDE: &str = ".demo-";

/// Makes a directory with mode 0700, or takes one that is there: not a link, not another user's, and not one that others may write to.
pub fn directory(path: &Path) -> Result<PathBuf> {
    // Without a slash at its end, which would have a link followed.
    let path: PathBuf = path.components().collect();
    let named = |error: io::Error| Failure::of(path.display(), error);
    let refused = |why: &str| Failure::Message(format!("{} {why}; choose another directory with --data", path.display()));
    DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(|error| match fs::symlink_metadata(&path) {
        Ok(found) if found.is_symlink() => refused("is a symbolic link, which another user may have put there"),
        Ok(found) if !found.is_dir() => refused("is no directory"),
        _ => named(error),
    })?;
    let found = fs::symlink_metadata(&path).map_err(named)?;
    if found.is_symlink() {
        return Err(refused("is a symbolic link, which another user may have put there"));
    }
    let ours = Aside::make(&path).and_then(|aside| aside.file.metadata());
    // In another user's directory nothing can be made, or what is made there is not of its owner.
    let ours =
        ours.map_err(|error| if error.kind() == io::ErrorKind::PermissionDenied { refused("cannot be written to") } else { named(error) })?;
    check(&found, ours.uid()).map_err(refused)?;
    let path = path.canonicalize().map_err(named)?;
    // Who may rename a folder above can put another directory in its place.
    for above in path.ancestors().skip(1) {
        check_above(&fs::metadata(above).map_err(named)?, ours.uid())
            .map_err(|why| refused(&format!("lies in {}, which {why}", above.display())))?;
    }
    Ok(path)
}

fn check_above(folder: &Metadata, our_uid: u32) -> Result<(), &'static str> {
    if ![0, our_uid].contains(&folder.uid()) {
        return Err("belongs to another user");
    }
    // With the sticky bit, as /tmp has it, everybody may rename only what is theirs.
    if folder.permissions().mode() & 0o1002 == 0o002 {
        return Err("any user may write to (chmod o-w)");
    }
    Ok(())
}

fn check(directory: &Metadata, our_uid: u32) -> Result<(), &'static str> {
    if directory.uid() != our_uid {
        return Err("belongs to another user");
    }
    if directory.permissions().mode() & 0o022 != 0 {
        return Err("may be written to by other users (chmod go-w)");
    }
    Ok(())
}

/// Writes a file for its owner's eyes only, whole or not at all. A file or link that has its name is replaced, not followed.
pub fn write(path: &Path, text: &str) -> Result {
    let directory = path.parent().unwrap_or(Path::new("."));
    let written = Aside::make(directory).and_then(|mut aside| {
        aside.file.write_all(text.as_bytes())?;
        aside.file.sync_all()?;
        fs::rename(&aside.path, path)
    });
    written.map_err(|error| Failure::of(path.display(), error))
}

/// Whether a name is that of a file that is being written, or was when its writer was killed.
pub fn is_aside(name: &std::ffi::OsStr) -> bool {
    name.to_string_lossy().starts_with(ASIDE)
}

/// A new file under a name that nobody can foresee, with mode 0600; removed when dropped, unless it was renamed.
struct Aside {
    path: PathBuf,
    file: File,
}

impl Aside {
    fn make(directory: &Path) -> io::Result<Self> {
        let path = directory.join(format!("{ASIDE}{}", uuid::Uuid::new_v4()));
        // `create_new` follows no link.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, file })
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_directory_of_its_own_is_made_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let wanted = home.path().join("state/rollcall/demo");
        let made = directory(&wanted).unwrap();
        assert_eq!((mode(&made), mode(made.parent().unwrap())), (0o700, 0o700));
        assert_eq!(directory(&wanted).unwrap(), made);
        assert_eq!(fs::read_dir(&made).unwrap().count(), 0);
    }

    #[test]
    fn a_link_a_file_and_a_directory_that_others_may_write_to_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let victim = home.path().join("victim");
        fs::create_dir(&victim).unwrap();
        let link = home.path().join("link");
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let dangling = home.path().join("dangling");
        std::os::unix::fs::symlink(home.path().join("nowhere"), &dangling).unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let open = home.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        for (path, told) in [
            (link.clone(), "is a symbolic link"),
            (link.join(""), "is a symbolic link"),
            (link.join("."), "is a symbolic link"),
            (dangling.clone(), "is a symbolic link"),
            (file, "is no directory"),
            (open, "may be written to by other users"),
        ] {
            let error = directory(&path).unwrap_err().to_string();
            assert!(error.contains(told) && error.contains("--data"), "{path:?}: {error}");
        }
        assert_eq!((fs::read_dir(&victim).unwrap().count(), dangling.exists()), (0, false));
    }

    #[test]
    fn a_folder_above_in_which_others_may_exchange_it_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let (shared, wanted) = (home.path().join("shared"), home.path().join("shared/x/demo"));
        assert!(directory(&wanted).is_ok());
        for (mode, is_taken) in [(0o1777, true), (0o775, true), (0o777, false)] {
            fs::set_permissions(&shared, fs::Permissions::from_mode(mode)).unwrap();
            let taken = directory(&wanted);
            assert_eq!(taken.is_ok(), is_taken, "{mode:o}");
            assert!(taken.err().is_none_or(|error| error.to_string().contains("which any user may write to")));
        }
        let of = fs::metadata(home.path()).unwrap();
        assert_eq!(check_above(&of, of.uid()), Ok(()));
    }

    #[test]
    fn another_users_directory_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let of = fs::metadata(home.path()).unwrap();
        assert_eq!(check(&of, of.uid()), Ok(()));
        assert_eq!(check(&of, of.uid() + 1), Err("belongs to another user"));
    }

    #[test]
    fn a_link_where_a_file_is_written_is_replaced_and_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let (victim, link) = (home.path().join("victim"), home.path().join("demo.env"));
        fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        write(&link, "secret").unwrap();
        assert_eq!((fs::read_to_string(&victim).unwrap(), fs::read_to_string(&link).unwrap()), ("precious".into(), "secret".into()));
        assert!(!fs::symlink_metadata(&link).unwrap().is_symlink() && mode(&link) == 0o600);
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
    }
}
