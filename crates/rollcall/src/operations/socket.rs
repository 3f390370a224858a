//! Where the operator's socket is.
//!
//! The system takes only about 108 bytes for the name of a socket, and a data directory may lie deeper than that. Linux then finds the
//! directory by an open file of ours, `/proc/self/fd/N`; elsewhere such a directory has no socket.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Its name in the data directory.
pub const NAME: &str = "operator.sock";

/// The open files of this process, as directories.
const OPEN_FILES: &str = "/proc/self/fd";

/// The socket of a data directory, by a name that the system takes.
pub struct Socket {
    name: PathBuf,
    /// What the name leads through.
    _directory: Option<File>,
}

impl Socket {
    /// The socket of the directory `data`, whether it is there or not.
    ///
    /// # Errors
    /// The directory cannot be opened, or its path is too long on this system.
    pub fn of(data: &Path) -> io::Result<Self> {
        let name = data.join(NAME);
        if SocketAddr::from_pathname(&name).is_ok() {
            return Ok(Self { name, _directory: None });
        }
        if !Path::new(OPEN_FILES).is_dir() {
            return Err(io::Error::new(io::ErrorKind::InvalidFilename, "the path is too long for a socket"));
        }
        let directory = File::open(data)?;
        let name = [OPEN_FILES, &directory.as_raw_fd().to_string(), NAME].iter().collect();
        Ok(Self { name, _directory: Some(directory) })
    }

    /// The name; it leads there as long as this lives.
    pub fn name(&self) -> &Path {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixListener, UnixStream};

    #[test]
    fn a_directory_has_a_socket_however_long_its_path_is() {
        let home = tempfile::tempdir().unwrap();
        for data in [home.path().join("data"), home.path().join("d".repeat(200))] {
            std::fs::create_dir(&data).unwrap();
            let listener = UnixListener::bind(Socket::of(&data).unwrap().name()).unwrap();
            assert!(data.join(NAME).exists());
            UnixStream::connect(Socket::of(&data).unwrap().name()).unwrap();
            listener.accept().unwrap();
        }
    }
}
