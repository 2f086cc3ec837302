//! What can go wrong with a typed call.

use std::fmt;

use reburn_blocks::BlockRange;
use reburn_mmc::{DecodeError, Sense};

use crate::TransportError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The drive gave no answer.
    #[error("{command}: {source}")]
    Transport {
        /// The command's name.
        command: &'static str,
        /// Why.
        source: TransportError,
    },
    /// The drive refused the command or failed at it.
    #[error("{command}{} failed: {sense}", Blocks(*range))]
    Sense {
        /// The command's name.
        command: &'static str,
        /// The blocks that it was to move, where it moves blocks.
        range: Option<BlockRange>,
        /// What the drive said.
        sense: Sense,
    },
    /// The drive's reply makes no sense.
    #[error("{command}: the drive's reply makes no sense: {source}")]
    Reply {
        /// The command's name.
        command: &'static str,
        /// Where.
        source: DecodeError,
    },
    /// The drive did not become ready in time.
    #[error("the drive was not ready after {waited_seconds} s: {sense}")]
    NotReady {
        /// How long it was waited for.
        waited_seconds: u64,
        /// What the drive said last.
        sense: Sense,
    },
}

impl CommandError {
    /// What the drive said, if it said anything.
    pub const fn sense(&self) -> Option<Sense> {
        match self {
            Self::Sense { sense, .. } | Self::NotReady { sense, .. } => Some(*sense),
            Self::Transport { .. } | Self::Reply { .. } => None,
        }
    }

    /// Whether the drive gave this sense, whatever stands beside the three figures.
    pub fn is(&self, sense: &Sense) -> bool {
        self.sense().is_some_and(|given| given.is(sense))
    }
}

/// ` of blocks 32-63`, or nothing.
struct Blocks(Option<BlockRange>);

impl fmt::Display for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(range) if range.start_lba() == range.end_lba() => write!(f, " of block {range}"),
            Some(range) => write!(f, " of blocks {range}"),
            None => Ok(()),
        }
    }
}
