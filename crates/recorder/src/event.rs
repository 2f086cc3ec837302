//! What a recorder reports while it works.

use reburn_blocks::{BlockCount, EpochRole, Lba};
use reburn_mmc::Sense;

/// One step, as a value. Whoever receives it decides whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The drive is busy, and the recorder waits for it.
    Waiting {
        /// What the drive says it is busy with.
        sense: Sense,
    },
    /// The medium is being formatted.
    Formatting {
        /// How far it got, in thousandths; none if the drive does not say.
        permille: Option<u16>,
    },
    /// The medium is being blanked.
    Blanking {
        /// How far it got, in thousandths; none if the drive does not say.
        permille: Option<u16>,
    },
    /// The disc is compared with what the plan expects.
    CheckingDisc,
    /// The plan was cut on this disc in its commit, and goes on where the disc stands.
    Resumed {
        /// Blocks of the plan that are there already.
        there: BlockCount,
        /// Blocks of the plan.
        total: BlockCount,
    },
    /// Every check has passed, and recording begins.
    Started {
        /// Blocks to be recorded.
        blocks: BlockCount,
        /// Epochs they are recorded in.
        epochs: usize,
    },
    /// An epoch begins.
    Epoch {
        /// Its number, from 0.
        index: usize,
        /// What it is there for.
        role: EpochRole,
        /// Blocks in it.
        blocks: BlockCount,
    },
    /// The drive took some blocks.
    Recorded {
        /// Blocks it took so far.
        done: BlockCount,
        /// Blocks to be recorded.
        total: BlockCount,
    },
    /// Blocks are written again, because of an error or a reset.
    Retrying {
        /// The first of them.
        lba: Lba,
        /// What the drive said.
        sense: Sense,
    },
    /// The epoch with this number is on the medium.
    Barrier {
        /// Its number, from 0.
        index: usize,
    },
    /// The medium is made readable for other drives: the format of a DVD+RW is ended, a track,
    /// session or disc is closed.
    Closing,
    /// Blocks are read back and compared.
    Verifying {
        /// Blocks compared so far.
        done: BlockCount,
        /// Blocks to be compared.
        total: BlockCount,
    },
}
