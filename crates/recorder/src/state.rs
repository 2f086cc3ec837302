//! What is on the disc when recording ends, early or not.
//!
//! Invariant: a state promises no more than the epochs and the class of the plan do. What a
//! drive was asked to write counts as possibly written, until a barrier says that it is.

use std::fmt;

use reburn_blocks::{BlockCount, CrashClass, EpochRole, ModifiedBlocks};

/// What is on the disc. The sentence says it to a person, with what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DiscState {
    /// Nothing was recorded.
    Unchanged,
    /// A format has begun and is not known to have ended.
    Formatting,
    /// The disc was formatted, and nothing was recorded on it since.
    Formatted,
    /// Blanking has begun and is not known to have ended.
    Blanking,
    /// The disc was blanked.
    Blank,
    /// Only blocks that no reader of the old tree reads may have changed.
    OldTree,
    /// The blocks that make the new tree the one readers see are partly recorded.
    Committing {
        /// What the plan promises for that: atomic or recoverable.
        class: CrashClass,
    },
    /// A plan without a promise is partly recorded.
    Mixture {
        /// How many of its blocks may be new.
        recorded: BlockCount,
        /// How many it has.
        total: BlockCount,
    },
    /// An image is partly recorded.
    PartOfImage {
        /// How many of its blocks may be on the disc.
        recorded: BlockCount,
        /// How many it has, the last write unit filled up.
        total: BlockCount,
    },
    /// Every block was sent, but the drive never confirmed that the last ones are on the
    /// medium.
    Unconfirmed {
        /// What the plan promises if they are not; none for an image.
        class: CrashClass,
    },
    /// A new session is partly recorded, behind everything that the disc shows.
    Appending {
        /// How many of its blocks may be on the disc.
        recorded: BlockCount,
        /// How many it has.
        total: BlockCount,
    },
    /// Everything is recorded, but its session is still open.
    NotClosed,
    /// Everything is recorded, and the drive confirmed it.
    Recorded,
}

impl fmt::Display for DiscState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => f.write_str("nothing was recorded"),
            Self::Formatting => f.write_str(
                "the format has begun, so what the disc held is gone; let the drive finish it, \
                 then record the whole image",
            ),
            Self::Blanking => {
                f.write_str("blanking has begun, so what the disc held is gone; blank it again")
            }
            Self::Blank => f.write_str("the disc is blank"),
            Self::Formatted => f.write_str("the disc is formatted and empty"),
            Self::OldTree => {
                f.write_str("the disc still shows the old tree, and the plan can be recorded again")
            }
            Self::Committing { class } => f.write_str(while_committing(*class)),
            Self::Mixture { recorded, total } => write!(
                f,
                "up to {recorded} of {total} blocks are new and the others old, so the disc may \
                 show neither state; record the whole image"
            ),
            Self::PartOfImage { recorded, total } => write!(
                f,
                "the disc holds up to {recorded} of {total} blocks of the image and shows nothing \
                 whole; record the image again"
            ),
            Self::Appending { recorded, total } => write!(
                f,
                "the disc shows what it showed before, with up to {recorded} of {total} blocks of an \
                 open session behind it; record the same again to go on there, or close the session \
                 (`reburn drive close`)"
            ),
            Self::NotClosed => f.write_str(
                "every block was recorded, but the session is open, so readers may not find it; \
                 close it (`reburn drive close`)",
            ),
            Self::Unconfirmed { class } => write!(
                f,
                "every block was sent, but the drive did not confirm the last ones: {}",
                while_committing(*class)
            ),
            Self::Recorded => f.write_str("every block was recorded"),
        }
    }
}

const fn while_committing(class: CrashClass) -> &'static str {
    match class {
        CrashClass::Atomic => {
            "the disc shows the old tree or the new one, whole; record the plan again to finish it, \
             or repair the disc (`reburn check --repair`)"
        }
        CrashClass::Recoverable => {
            "the disc may show neither the old tree nor the new one; record the plan again to finish \
             it, or bring one of them back by one write (`reburn check --repair`)"
        }
        CrashClass::None => "the disc may show neither the old state nor the new one",
    }
}

/// What is being recorded, as far as the state of the disc depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aim {
    /// A plan of this class, over the disc it was made for.
    Plan(CrashClass),
    /// A plan of this class, behind everything that the disc has.
    Append(CrashClass),
    /// A whole image.
    Image,
}

/// How far a recording got.
#[derive(Debug)]
pub(crate) struct Progress<'a> {
    aim: Aim,
    blocks: &'a ModifiedBlocks,
    /// What the disc held when the first block was still to come.
    before: DiscState,
    /// The epoch being recorded; as many as there are once all have had their barrier.
    epoch: usize,
    /// Blocks of the epochs before it.
    confirmed: BlockCount,
    /// Blocks of that epoch that the drive took.
    sent: BlockCount,
    /// Blocks of that epoch that may be on the disc: sent once, or being written when the drive
    /// failed.
    reached: BlockCount,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(aim: Aim, blocks: &'a ModifiedBlocks, before: DiscState) -> Self {
        Self {
            aim,
            blocks,
            before,
            epoch: 0,
            confirmed: BlockCount::ZERO,
            sent: BlockCount::ZERO,
            reached: BlockCount::ZERO,
        }
    }

    /// The drive took the next `blocks` of the current epoch.
    pub(crate) fn advance(&mut self, blocks: BlockCount) {
        self.touch(blocks);
        self.sent += blocks;
    }

    /// The drive failed at the next `blocks`, so they may be on the disc.
    pub(crate) fn touch(&mut self, blocks: BlockCount) {
        self.reached = self.reached.max(self.sent + blocks);
    }

    /// The current epoch goes on after its first `blocks`.
    pub(crate) fn go_back(&mut self, blocks: BlockCount) {
        self.sent = blocks;
    }

    /// The current epoch is on the medium.
    pub(crate) fn confirm(&mut self) {
        self.confirmed += self.epoch_blocks();
        self.epoch += 1;
        self.sent = BlockCount::ZERO;
        self.reached = BlockCount::ZERO;
    }

    /// Whether the drive took every block of the current epoch.
    pub(crate) fn is_epoch_sent(&self) -> bool {
        self.epoch < self.blocks.epochs().len() && self.sent == self.epoch_blocks()
    }

    fn epoch_blocks(&self) -> BlockCount {
        self.blocks.epochs()[self.epoch].ranges.block_count()
    }

    /// Blocks of the current epoch that the drive took.
    pub(crate) fn sent(&self) -> BlockCount {
        self.sent
    }

    /// Blocks that the drive took.
    pub(crate) fn done(&self) -> BlockCount {
        self.confirmed + self.sent
    }

    /// Blocks to be recorded.
    pub(crate) fn total(&self) -> BlockCount {
        self.blocks.block_count()
    }

    /// What is on the disc.
    pub(crate) fn state(&self) -> DiscState {
        let epochs = self.blocks.epochs();
        let recorded = self.confirmed + self.reached;
        if recorded.is_zero() {
            return self.before;
        }
        if self.epoch == epochs.len() {
            return DiscState::Recorded;
        }
        let class = match self.aim {
            Aim::Plan(class) | Aim::Append(class) => class,
            Aim::Image => CrashClass::None,
        };
        let total = self.total();
        if recorded == total {
            return DiscState::Unconfirmed { class };
        }
        let begun = self.epoch + usize::from(!self.reached.is_zero());
        let committing = epochs[..begun]
            .iter()
            .any(|epoch| epoch.role == EpochRole::Commit);
        match self.aim {
            Aim::Image => DiscState::PartOfImage { recorded, total },
            Aim::Append(_) if !committing => DiscState::Appending { recorded, total },
            Aim::Append(class) => DiscState::Committing { class },
            Aim::Plan(CrashClass::None) => DiscState::Mixture { recorded, total },
            Aim::Plan(class) if committing => DiscState::Committing { class },
            Aim::Plan(_) => DiscState::OldTree,
        }
    }
}

#[cfg(test)]
mod tests {
    use reburn_blocks::{BlockRange, BlockRangeList, Epoch, Lba, WriteUnit};

    use super::*;

    /// Epochs of three blocks each, as many as there are roles.
    fn blocks(roles: &[EpochRole]) -> ModifiedBlocks {
        let epochs = (0u32..).zip(roles).map(|(index, &role)| {
            let start = Lba::new(index * 3);
            let range = BlockRange::with_count(start, BlockCount::new(3));
            Epoch {
                role,
                ranges: BlockRangeList::from_iter(range),
            }
        });
        ModifiedBlocks::new(WriteUnit::FILE, epochs)
    }

    /// The states on the way through a plan, one for each block and each barrier.
    fn states(class: CrashClass, roles: &[EpochRole]) -> Vec<String> {
        let blocks = blocks(roles);
        let mut progress = Progress::new(Aim::Plan(class), &blocks, DiscState::Unchanged);
        let mut states = vec![progress.state()];
        for _ in roles {
            for _ in 0..3 {
                progress.advance(BlockCount::ONE);
                states.push(progress.state());
            }
            assert!(progress.is_epoch_sent());
            progress.confirm();
            states.push(progress.state());
        }
        states.dedup();
        states.iter().map(|state| format!("{state:?}")).collect()
    }

    #[test]
    fn the_commit_begins_with_its_first_block() {
        use EpochRole::{Commit, Shadow};
        let expected = [
            "Unchanged",
            "OldTree",
            "Committing { class: Atomic }",
            "Unconfirmed { class: Atomic }",
            "Recorded",
        ];
        assert_eq!(states(CrashClass::Atomic, &[Shadow, Commit]), expected);
        assert_eq!(
            states(CrashClass::Atomic, &[Shadow, Shadow, Commit, Commit]),
            expected
        );
    }

    #[test]
    fn without_a_promise_any_block_makes_a_mixture() {
        let expected = [
            "Unchanged",
            "Mixture { recorded: BlockCount(1), total: BlockCount(3) }",
            "Mixture { recorded: BlockCount(2), total: BlockCount(3) }",
            "Unconfirmed { class: None }",
            "Recorded",
        ];
        assert_eq!(states(CrashClass::None, &[EpochRole::Shadow]), expected);
    }

    #[test]
    fn going_back_does_not_undo_what_may_be_on_the_disc() {
        let blocks = blocks(&[EpochRole::Commit]);
        let class = CrashClass::Recoverable;
        let mut progress = Progress::new(Aim::Plan(class), &blocks, DiscState::Unchanged);
        progress.touch(BlockCount::ONE);
        assert_eq!(progress.state(), DiscState::Committing { class });
        progress.advance(BlockCount::new(3));
        progress.go_back(BlockCount::ZERO);
        assert_eq!(progress.done(), BlockCount::ZERO);
        assert_eq!(progress.state(), DiscState::Unconfirmed { class });
    }

    #[test]
    fn what_was_there_before_stays_until_the_first_block() {
        let blocks = blocks(&[EpochRole::Commit]);
        let mut progress = Progress::new(Aim::Image, &blocks, DiscState::Formatted);
        assert_eq!(progress.state(), DiscState::Formatted);
        progress.touch(BlockCount::ONE);
        let (recorded, total) = (BlockCount::ONE, BlockCount::new(3));
        assert_eq!(progress.state(), DiscState::PartOfImage { recorded, total });
    }
}
