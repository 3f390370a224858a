//! What the tests of several modules need.

use std::path::Path;

/// Copies a directory with everything in it. No test starts a process for that: between `fork` and `exec` the child would hold the lock of
/// every data directory that is open in this process.
pub(crate) fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
