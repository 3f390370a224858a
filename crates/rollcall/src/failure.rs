//! How a command fails: a message for people, and an exit code for scripts.

use std::fmt::Display;
use std::io;
use std::process::ExitCode;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// What went wrong, and what to do next: exit code 1.
    #[error("{0}")]
    Message(String),
    /// Data is damaged, which another command must mend first: exit code 4.
    #[error("{0}")]
    Damaged(String),
    /// The command line asks for something that makes no sense: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Done, but for what had errors and was skipped as asked: exit code 3.
    #[error("{0}")]
    Partly(String),
    /// Ended by Ctrl-C before it was done: exit code 130.
    #[error("{0}")]
    Interrupted(String),
    /// The reader of standard output went away, which is its good right: exit code 0, silently.
    #[error("standard output was closed")]
    ReaderGone,
}

/// What a command returns.
pub type Result<T = (), E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure with its cause: `doing: cause`.
    pub fn of(doing: impl Display, cause: impl Display) -> Self {
        Self::Message(format!("{doing}: {cause}"))
    }

    /// A failure to write to standard output.
    pub fn of_output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::ReaderGone } else { Self::of("standard output", error) }
    }

    /// Tells people, and returns the exit code.
    pub fn report(&self) -> ExitCode {
        let code = match self {
            Self::ReaderGone => return ExitCode::SUCCESS,
            Self::Message(_) => 1,
            Self::Usage(_) => 2,
            Self::Partly(_) => 3,
            Self::Damaged(_) => 4,
            Self::Interrupted(_) => 130,
        };
        crate::output::note(format_args!("error: {self}"));
        ExitCode::from(code)
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Message(message)
    }
}

impl From<crate::config::ConfigError> for Failure {
    fn from(error: crate::config::ConfigError) -> Self {
        Self::Message(format!("the configuration cannot be used\n{error}"))
    }
}

impl From<rollcall_engine::places::PlacesError> for Failure {
    fn from(error: rollcall_engine::places::PlacesError) -> Self {
        Self::Message(error.to_string())
    }
}

impl From<rollcall_engine::EngineError> for Failure {
    fn from(error: rollcall_engine::EngineError) -> Self {
        match error {
            rollcall_engine::EngineError::Damaged(message) => Self::Damaged(message),
            error => Self::Message(error.to_string()),
        }
    }
}
