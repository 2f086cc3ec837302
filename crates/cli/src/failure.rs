//! How the program fails: one sentence, and an exit code that says what kind of failure it is.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use reburn_blocks::{PlanFileError, ReadError};
use reburn_image::{ImageError, WriteOutError};
use reburn_iso9660::IsoError;
use reburn_recorder::ErrorKind;
use reburn_udf::UdfError;

/// Why the program did not do what it was asked to.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A mistake in what was asked for, or in a file that was named.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
        }
    }

    /// A drive or medium that failed.
    pub fn drive(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            message: message.into(),
        }
    }

    /// A disc that is not the one that a plan was made for.
    pub fn wrong_disc(message: impl Into<String>) -> Self {
        Self {
            code: 4,
            message: message.into(),
        }
    }

    /// The same failure, with what it happened to in front.
    #[must_use]
    pub fn of(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// A failure of the host's file system.
    pub fn host(path: &Path, error: &std::io::Error) -> Self {
        Self::usage(format!("{}: {error}", path.display()))
    }

    /// The exit code as a number.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// The program's exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unreadable { .. } => Self::drive(error.to_string()),
            _ => Self::usage(error.to_string()),
        }
    }
}

impl From<reburn_recorder::Failure> for Failure {
    fn from(failure: reburn_recorder::Failure) -> Self {
        let code = match failure.kind() {
            ErrorKind::WrongDisc => 4,
            ErrorKind::Verification => 5,
            ErrorKind::Source => 2,
            _ => 3,
        };
        Self {
            code,
            message: failure.to_string(),
        }
    }
}

impl From<IsoError> for Failure {
    fn from(error: IsoError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<UdfError> for Failure {
    fn from(error: UdfError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<WriteOutError> for Failure {
    fn from(error: WriteOutError) -> Self {
        match error {
            WriteOutError::Read(error) => error.into(),
            other => Self::usage(other.to_string()),
        }
    }
}

impl From<PlanFileError> for Failure {
    fn from(error: PlanFileError) -> Self {
        Self::usage(error.to_string())
    }
}
