//! Ways to break the commit protocols, which tests must notice.
//!
//! Compiled in with the feature `mutants` alone, which only tests switch on. An image that is
//! broken obeys no laws: what is wrong with its plans must be found by whoever rehearses them.

use reburn_blocks::{Epoch, EpochRole, WriteUnit};

use crate::{FileSystemImage, ResultImage};

/// A way to break a protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// No barrier stands behind an epoch, counted from 0.
    BarrierDropped(usize),
    /// No barrier stands anywhere.
    NoBarriers,
    /// The last epoch, which readers follow, is recorded first.
    LastFirst,
    /// The second copy of what readers follow is never recorded.
    SecondCopyForgotten,
    /// New blocks go into write units with live blocks of the old tree.
    UnitShared,
    /// The next integrity descriptor is recorded over the first one.
    FirstIntegrityRewritten,
}

impl Mutant {
    fn break_epochs(self, epochs: &mut Vec<Epoch>) {
        match self {
            Self::BarrierDropped(epoch) => drop_barrier(epochs, epoch),
            Self::NoBarriers => {
                while epochs.len() > 1 {
                    drop_barrier(epochs, 0);
                }
            }
            Self::LastFirst => epochs.rotate_right(1),
            Self::SecondCopyForgotten => {
                epochs.remove(epochs.len() - 2);
            }
            Self::UnitShared | Self::FirstIntegrityRewritten => {}
        }
    }
}

fn drop_barrier(epochs: &mut Vec<Epoch>, epoch: usize) {
    let next = epochs.remove(epoch + 1);
    let merged = &mut epochs[epoch];
    merged.ranges = merged.ranges.union(&next.ranges);
    merged.role = EpochRole::Commit;
}

impl FileSystemImage<'_> {
    /// Breaks every plan of this image.
    pub fn break_with(&mut self, mutant: Mutant) {
        self.mutant = Some(mutant);
    }

    /// What nothing new shares with live blocks.
    pub(crate) fn unit_of_loss(&self) -> WriteUnit {
        match self.mutant {
            Some(Mutant::UnitShared) => WriteUnit::FILE,
            _ => self.medium.write_unit(),
        }
    }

    /// Whether the next integrity descriptor goes over the first one.
    pub(crate) fn rewrites_first_integrity(&self) -> bool {
        self.mutant == Some(Mutant::FirstIntegrityRewritten)
    }
}

impl ResultImage<'_> {
    pub(crate) fn obeys_laws(&self) -> bool {
        self.mutant.is_none()
    }

    pub(crate) fn break_epochs(&self, epochs: &mut Vec<Epoch>) {
        epochs.retain(|epoch| !epoch.ranges.is_empty());
        if let Some(mutant) = self.mutant {
            mutant.break_epochs(epochs);
        }
    }
}
