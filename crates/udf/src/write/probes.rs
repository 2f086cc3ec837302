//! Where programs look for other file systems before they take a disc for UDF.
//!
//! libblkid asks for every file system that it knows, and takes a disc for none if one of these
//! reads fails, whatever the others found. So what may be torn while a disc is edited keeps off
//! them. The places are those that libblkid 2.38 was seen to read, and that were seen to end its
//! search when they were unreadable; the judge of lost units looks whether they still do.

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, Lba};

/// From here to the end of the start: superblocks of most file systems, and two labels of ZFS, of
/// which the second is read from here on. A read that fails further on counts as a short one.
const START_END: Lba = Lba::new(128);
/// Single blocks: the anchors that it knows, and at 1, 2 and 4 MiB what VMFS, bcachefs and others
/// have there.
const SINGLE: [Lba; 4] = [Lba::new(256), Lba::new(512), Lba::new(1024), Lba::new(2048)];
/// Blocks from the end: superblocks of RAID members, and the two other labels of ZFS, aligned to
/// 256 KiB.
const END: BlockCount = BlockCount::new(384);
/// A single block this far from the end: a RAID member of Promise.
const FROM_END: BlockCount = BlockCount::new(772);

/// The blocks of a disc of `blocks` blocks that must be readable if programs shall find out what is
/// on it.
pub fn probed_blocks(blocks: BlockCount) -> BlockRangeList {
    let mut probed = BlockRangeList::from_iter(BlockRange::new(Lba::ZERO, START_END));
    for lba in SINGLE {
        probed.insert(BlockRange::single(lba));
    }
    let from_end = |count: BlockCount| blocks.get().checked_sub(count.get()).map(Lba::new);
    if let Some(single) = from_end(FROM_END) {
        probed.insert(BlockRange::single(single));
    }
    if let Some(start) = from_end(END) {
        probed.extend(BlockRange::with_count(start, END));
    }
    probed
}
