//! The trait of all drives.

use std::io;
use std::time::Duration;

use reburn_mmc::{Cdb, Sense};

/// What a command sends or receives besides its block.
#[derive(Debug)]
pub enum Data<'a> {
    /// Nothing.
    None,
    /// Room for what the drive sends.
    In(&'a mut [u8]),
    /// What the host sends.
    Out(&'a [u8]),
}

impl Data<'_> {
    /// The same data for a shorter time.
    pub fn reborrow(&mut self) -> Data<'_> {
        match self {
            Self::None => Data::None,
            Self::In(buf) => Data::In(buf),
            Self::Out(data) => Data::Out(data),
        }
    }
}

/// How a drive answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// Bytes that moved, in either direction.
    pub transferred: usize,
    /// Why the drive refused or failed; `None` if it did what it was told.
    pub sense: Option<Sense>,
}

impl Reply {
    /// Done, with so many bytes moved.
    pub const fn good(transferred: usize) -> Self {
        Self {
            transferred,
            sense: None,
        }
    }

    /// Refused, with nothing moved.
    pub const fn refused(sense: Sense) -> Self {
        Self {
            transferred: 0,
            sense: Some(sense),
        }
    }
}

/// Why a command got no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The way to the drive failed: it is unplugged, powered off, or the host's driver failed.
    #[error("the drive does not answer: {0}")]
    Lost(#[from] io::Error),
    /// The command moves data the other way, or more of them than were given: a mistake of the
    /// caller.
    #[error("the command {cdb} does not go with its data: {reason}")]
    Data {
        /// The command.
        cdb: Cdb,
        /// What does not fit.
        reason: &'static str,
    },
}

/// Something that takes commands as an optical drive does.
pub trait Drive {
    /// Carries out one command.
    ///
    /// A reply longer than the room for it is cut; a shorter one leaves the rest as it was.
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError>;

    /// Lets time pass before the drive is asked again. A drive with a modelled clock moves it
    /// instead of sleeping.
    fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
    }

    /// The most bytes that one command may move. A whole number of blocks.
    fn transfer_limit(&self) -> usize {
        64 * 1024
    }
}

impl<D: Drive + ?Sized> Drive for &mut D {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        (**self).execute(cdb, data)
    }
    fn wait(&mut self, time: Duration) {
        (**self).wait(time);
    }
    fn transfer_limit(&self) -> usize {
        (**self).transfer_limit()
    }
}

impl<D: Drive + ?Sized> Drive for Box<D> {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        (**self).execute(cdb, data)
    }
    fn wait(&mut self, time: Duration) {
        (**self).wait(time);
    }
    fn transfer_limit(&self) -> usize {
        (**self).transfer_limit()
    }
}
