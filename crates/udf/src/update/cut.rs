//! Directories that stay, but whose allocation descriptors must be cut where units end.
//!
//! A descriptor names blocks of the metadata partition, wherever they are on the disc. Linux looks
//! up the first of them alone and takes the others to follow it there, so a descriptor must not
//! go from one unit into another when either moves.

use std::collections::BTreeSet;

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;

use super::UpdateError;
use super::plan::{Planner, Source};
use crate::LayoutError;
use crate::read::{BaseDirectory, DirectoryRun};
use crate::records::{ExtentKind, ShortAd};
use crate::write::directory_ads;

/// A directory that stays.
#[derive(Debug)]
pub(super) struct CutDirectory {
    pub(super) bytes: u64,
    pub(super) blocks: Vec<u32>,
}

impl Planner<'_> {
    /// Finds directories with descriptors that go across what will be torn, and has their
    /// entries written with others. These move more units, which may tear more directories.
    pub(super) fn cut_torn(&mut self) -> Result<(), UpdateError> {
        let mut whole: BTreeSet<u32> = BTreeSet::new();
        loop {
            let space = &self.space;
            let is_torn = |run: &&DirectoryRun| {
                space.is_torn(run.first, run.end) && !whole.contains(&run.entry)
            };
            let torn = self.entries.long_runs().iter().filter(is_torn);
            let torn: BTreeSet<u32> = torn.map(|run| run.entry).collect();
            if torn.is_empty() {
                return Ok(());
            }
            for entry in torn {
                whole.insert(entry);
                self.cut(entry)?;
            }
        }
    }

    fn cut(&mut self, entry: u32) -> Result<(), UpdateError> {
        // The folder is gone.
        if self.space.is_free(entry) {
            return Ok(());
        }
        // Directories that are written anew are cut already.
        let patched = match self.sources.get(&entry) {
            None => false,
            Some(Source::Patched(_)) => true,
            Some(_) => return Ok(()),
        };
        let base = self.base.directory(entry)?;
        let unit = self.space.unit();
        let Some(blocks) = base.blocks.clone().filter(|_| crosses(&base, unit)) else {
            return Ok(());
        };
        let bytes = base.bytes.len() as u64;
        let room = BLOCK_SIZE - base.entry.descriptors.start;
        if directory_ads(&blocks, bytes, unit).len() > room {
            let path = format!("the directory with its entry in block {entry}");
            return Err(LayoutError::DirectoryTooLarge { path, bytes }.into());
        }
        if !patched {
            self.sources.insert(entry, Source::Cut);
        }
        self.space.change(entry);
        self.cut.insert(entry, CutDirectory { bytes, blocks });
        Ok(())
    }
}

/// Whether a descriptor of the directory goes from one unit into another.
fn crosses(base: &BaseDirectory, unit: u32) -> bool {
    // Descriptors that go on elsewhere are many, and are put together here.
    let descriptors = &base.entry.block[base.entry.descriptors.clone()];
    !base.entry.chain.is_empty()
        || descriptors.chunks_exact(ShortAd::SIZE).any(|bytes| {
            let Ok((ad, _)) = ShortAd::view(bytes) else {
                return true;
            };
            let (_, length) = ExtentKind::split(ad.extent_length.get());
            let first = ad.extent_position.get();
            let last = u64::from(first) + u64::from(length).div_ceil(BLOCK_SIZE as u64).max(1) - 1;
            u64::from(first / unit) != last / u64::from(unit)
        })
}
