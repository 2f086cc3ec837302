//! Why a program was not run.

use std::io;

/// Why a program could not be run with an emulated drive, or was left without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The program did not start.
    #[error("{program} did not start: {source}")]
    Start {
        /// Its name.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The kernel does not let the program's system calls be answered here.
    #[error(
        "this system does not let the system calls of a program be answered by another \
         ({source}): it needs Linux 5.14 with seccomp, and a container must allow seccomp(2) with \
         user notification; `reburn drive serve` does without"
    )]
    Refused {
        /// What the kernel said.
        source: io::Error,
    },
    /// The program's system calls stopped arriving.
    #[error("the program ran on without the drive: its system calls do not arrive: {source}")]
    Lost {
        /// Why.
        source: io::Error,
    },
}
