//! What takes the place of `mutant.rs` wherever tests break nothing: protocols as they are.

use reburn_blocks::{Epoch, WriteUnit};

use crate::{FileSystemImage, ResultImage};

#[allow(clippy::unused_self)] // as if it could be broken
impl FileSystemImage<'_> {
    /// What nothing new shares with live blocks.
    pub(crate) const fn unit_of_loss(&self) -> WriteUnit {
        self.medium.write_unit()
    }

    /// Whether the next integrity descriptor goes over the first one.
    pub(crate) const fn rewrites_first_integrity(&self) -> bool {
        false
    }
}

#[allow(clippy::unused_self)]
impl ResultImage<'_> {
    pub(crate) const fn obeys_laws(&self) -> bool {
        true
    }

    pub(crate) const fn break_epochs(&self, _: &mut Vec<Epoch>) {}
}
