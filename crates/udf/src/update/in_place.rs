//! Edits in place: each changed block of the metadata partition over what it replaces, as a kernel
//! would write it.
//!
//! No unit of the metadata file moves, so its entries change only when it grows. New entries go to
//! free addresses of the units that there are. The integrity descriptor is written over the last
//! one, and metadata that exist twice are written twice. All of it can be torn: a power cut may
//! leave neither the old tree nor the new one.
//!
//! Invariants: every address that is written is free, or is that of something that changed; no
//! block of the disc is two addresses.

use std::collections::BTreeSet;

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, WriteUnit};
use reburn_tree::{Changes, Content, InodeId, Kind, Tree};

use super::area::Area;
use super::blocks::{Copy, Pieces};
use super::folders::Folders;
use super::plan::Planner;
use super::{Update, UpdateError, UpdateOptions};
use crate::{Entries, Volume, stays_in_place};

impl Update {
    /// Works out an edit in place; otherwise as [`Update::new`].
    ///
    /// `writable` are blocks of the disc with data of files that no name leads to any more, and
    /// with nothing else: a new file under the name of one of them goes into its blocks, as far
    /// as they reach. [`Update::over`] says which.
    ///
    /// # Errors
    /// As [`Update::new`], and [`UpdateError::InPlace`].
    pub fn in_place(
        volume: &Volume,
        disc: &dyn BlockRead,
        (tree, entries): (&Tree, &Entries),
        changes: &Changes,
        options: &UpdateOptions,
        writable: &BlockRangeList,
    ) -> Result<Self, UpdateError> {
        let found = (tree, entries, changes);
        // What shares a write unit with what changes is lost with it, and nothing is appended.
        let options = UpdateOptions {
            write_unit: WriteUnit::FILE,
            integrity: None,
            ..*options
        };
        let update = Self::plan(volume, disc, found, &options, Some(writable))?;
        update.check_addresses((tree, entries), changes)?;
        Ok(update)
    }

    /// The blocks that a file's content goes over, in the order of its bytes: all of it, or its
    /// first part. What they do not hold is one run more, or several where that is too long for
    /// one extent, and is asked for behind them.
    pub fn over(&self, inode: InodeId) -> &[BlockRange] {
        self.planned.over.get(&inode).map_or(&[], Vec::as_slice)
    }

    /// Blocks of the disc that an edit in place writes over: entries, directories and the integrity
    /// descriptor. File data are not counted, nor is what goes where nothing was.
    pub fn overwritten(&self) -> BlockRangeList {
        let mut blocks = self.changed_blocks(&self.base.main, self.base.mirror.as_ref());
        blocks.insert(BlockRange::single(self.integrity.0));
        if let Area::Metadata(area) = &self.area {
            blocks = blocks.union(&area.entries());
        }
        blocks
    }

    /// Where the changed addresses are on the disc, in the copies that there are.
    pub(super) fn changed_blocks(&self, main: &Pieces, mirror: Option<&Pieces>) -> BlockRangeList {
        let copies = [Some(main), mirror].into_iter().flatten();
        let blocks = copies.flat_map(|pieces| {
            let addresses = self.planned.sources.keys();
            addresses.filter_map(|&address| pieces.locate(address))
        });
        blocks.map(BlockRange::single).collect()
    }

    /// Checks that nothing that did not change is written over, whatever the disc says.
    fn check_addresses(
        &self,
        (tree, entries): (&Tree, &Entries),
        changes: &Changes,
    ) -> Result<(), UpdateError> {
        let sources = &self.planned.sources;
        let folders = self.planned.directories.iter();
        let folders: BTreeSet<InodeId> = folders.map(|folder| folder.inode).collect();
        let is_kept = |inode: &InodeId| !changes.inodes.contains(inode) && !folders.contains(inode);
        let files = tree.walk(Tree::ROOT).map(|(node, _)| tree.inode(node));
        let owners = tree.inodes_with_streams();
        let owners = owners.filter(|&inode| tree.links(inode) > 0);
        let streams = owners.flat_map(|owner| tree.streams(owner).map(|(_, stream)| stream));
        let mut kept = files.chain(streams).filter(is_kept);
        let is_written = |inode| {
            let entry = entries.get(inode);
            entry.is_some_and(|entry| sources.contains_key(&entry.block))
        };
        if kept.any(is_written) {
            return Err(UpdateError::InPlace(
                "an entry that changes is in the block of one that does not",
            ));
        }
        if self
            .changed_blocks(&self.base.main, None)
            .contains(self.integrity.0)
        {
            return Err(UpdateError::InPlace(
                "its integrity descriptor is among the metadata",
            ));
        }
        Ok(())
    }
}

impl Planner<'_> {
    /// Lets units stay, and the content of new files go over that of the files they replace.
    pub(super) fn begin_in_place(&mut self, folders: &Folders<'_>) {
        let Some(writable) = self.writable else {
            return;
        };
        self.space.keep_units();
        let mut claimed = BlockRangeList::new();
        for (new, old) in folders.successors() {
            let (Kind::File { size, content }, Kind::File { content: old, .. }) =
                (self.tree.kind(new), self.tree.kind(old))
            else {
                continue;
            };
            let stays = matches!(content, Content::Base(extents) if stays_in_place(extents));
            if stays || self.new_entries().is_embedded(new) {
                continue;
            }
            let Content::Base(old) = old else { continue };
            let mut left = BlockCount::for_bytes(size).unwrap_or(BlockCount::MAX);
            let mut over = Vec::new();
            for extent in old {
                let blocks = extent.blocks().filter(|_| extent.start().is_some());
                let blocks = blocks.and_then(|range| {
                    let count = range.block_count().min(left);
                    BlockRange::with_count(range.start_lba(), count)
                });
                let Some(blocks) = blocks else { continue };
                let list = BlockRangeList::from_iter([blocks]);
                if claimed.intersects(blocks) || !list.difference(writable).is_empty() {
                    continue;
                }
                claimed.insert(blocks);
                over.push(blocks);
                left = left - blocks.block_count();
            }
            self.over.insert(new, over);
        }
    }

    /// New units alone, and one past the last address.
    pub(super) fn finish_in_place(&self, end: u32) -> Result<(Vec<u32>, u32), UpdateError> {
        let (units, end_now) = self.space.appended(end);
        if end_now > end && !end.is_multiple_of(self.space.unit()) {
            return Err(UpdateError::InPlace(
                "its metadata file must grow, and does not end with an allocation unit",
            ));
        }
        Ok((units, end_now))
    }
}

/// Checks that addresses of the metadata partition are blocks of their own, in the partition.
pub(super) fn check(
    partition: BlockRange,
    main: &Pieces,
    mirror: Option<&Pieces>,
    is_duplicate: bool,
) -> Result<(), UpdateError> {
    if is_duplicate && mirror.is_none() {
        return Err(UpdateError::InPlace(
            "the second copy of its metadata is not that of the first; repair it first",
        ));
    }
    let copies = [Some(main), mirror].into_iter().flatten();
    let counts = copies.clone().flat_map(Pieces::iter);
    let count: u64 = counts.map(|(_, _, count)| u64::from(count)).sum();
    let ranges = copies.map(Pieces::ranges);
    let all = ranges.fold(BlockRangeList::new(), |all, ranges| all.union(&ranges));
    let is_inside = all
        .difference(&BlockRangeList::from_iter([partition]))
        .is_empty();
    if u64::from(all.block_count().get()) != count || !is_inside {
        return Err(UpdateError::InPlace(
            "blocks of its metadata file have several addresses, or are outside the partition",
        ));
    }
    Ok(())
}

/// Where a block is in a copy: its address there.
pub(super) fn address_of(pieces: &[(Lba, u32, u32, Copy)], lba: Lba) -> Option<(u32, Copy)> {
    let after = pieces.partition_point(|&(first, ..)| first <= lba);
    let &(first, address, count, copy) = pieces.get(after.checked_sub(1)?)?;
    let skipped = lba.blocks_since(first).get();
    (skipped < count).then_some((address + skipped, copy))
}
