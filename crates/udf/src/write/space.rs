//! The bitmap of free space (ECMA-167 4/14.12): a bit a block of the partition, 1 for a free one.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, Lba};
use reburn_record::Record;
use reburn_record::little_endian::U32;

use super::Placed;
use super::emit::seal_part;
use super::extents::file_extents;
use crate::records::{SpaceBitmap, tag_id};

/// Bytes that the tag of a bitmap vouches for: the counts, not the bits (UDF 2.3.8.1).
const COVERED: usize = 8;

/// Blocks of the bitmap for a partition of that many blocks.
pub(super) fn bitmap_blocks(partition: BlockCount) -> BlockCount {
    let bytes = SpaceBitmap::SIZE as u64 + u64::from(partition.get().div_ceil(8));
    BlockCount::for_bytes(bytes).expect("a bitmap is smaller than what it is of")
}

impl Placed<'_> {
    /// Blocks of the partition that nothing is in.
    pub(super) fn free_space(&self) -> BlockRangeList {
        let files = self.layout.files.iter().chain(&self.layout.streams);
        let files = files.flat_map(|&inode| {
            let extents = file_extents(self.tree, inode).enumerate();
            let is_embedded = self.layout.is_embedded(self.tree, inode);
            extents
                .filter(move |(_, extent)| !is_embedded && !extent.is_hole)
                .filter_map(move |(index, extent)| {
                    let start = self.files.extent_start(inode, index);
                    BlockRange::with_count(start, BlockCount::for_bytes(extent.bytes)?)
                })
        });
        let mut used: Vec<_> = files.collect();
        used.extend(self.addresses.own_blocks(self.layout));
        used.extend(self.addresses.in_use.iter());
        used.extend(self.addresses.unusable.iter());
        // In their order they join at once.
        used.sort_unstable_by_key(|range| range.start_lba());
        let used: BlockRangeList = used.into_iter().collect();
        BlockRangeList::from_iter([self.addresses.partition]).difference(&used)
    }

    /// The bitmap that belongs at `start`.
    pub(super) fn space_bitmap(&self, start: Lba) -> Vec<u8> {
        let partition = self.addresses.partition;
        let first = partition.start_lba();
        let free = self.free_space();
        let free = free.iter().map(|range| {
            let start = range.start_lba().blocks_since(first).as_usize();
            (start, range.block_count().as_usize())
        });
        self.bitmap(partition.block_count(), free, start)
    }

    /// The bitmap of free blocks in the metadata file (UDF 2.2.13.2), which belongs at `start`.
    pub(super) fn metadata_bitmap(&self, start: Lba) -> Vec<u8> {
        let (used, all) = (self.layout.used_blocks(), self.layout.metadata_blocks());
        let free = (used as usize, all.as_usize() - used as usize);
        self.bitmap(all, [free].into_iter(), start)
    }

    /// The bitmap for `bits` blocks, of which those are free: first block, and how many.
    fn bitmap(
        &self,
        bits: BlockCount,
        free: impl Iterator<Item = (usize, usize)>,
        start: Lba,
    ) -> Vec<u8> {
        let mut out = vec![0; bitmap_blocks(bits).as_usize() * BLOCK_SIZE];
        let mut head = SpaceBitmap::zeroed();
        head.number_of_bits = U32::new(bits.get());
        head.number_of_bytes = U32::new(bits.get().div_ceil(8));
        out[..SpaceBitmap::SIZE].copy_from_slice(head.bytes());
        let bitmap = &mut out[SpaceBitmap::SIZE..];
        for (first, count) in free {
            set_bits(bitmap, first, count);
        }
        let block = self.addresses.in_partition(start);
        let revision = self.layout.options.revision;
        seal_part(&mut out, COVERED, tag_id::SPACE_BITMAP, revision, block);
        out
    }
}

/// Sets `count` bits from bit `first` on.
fn set_bits(bitmap: &mut [u8], first: usize, count: usize) {
    let mut bit = first;
    let end = first + count;
    while bit < end {
        if bit.is_multiple_of(8) && end - bit >= 8 {
            bitmap[bit / 8] = 0xff;
            bit += 8;
        } else {
            bitmap[bit / 8] |= 1 << (bit % 8);
            bit += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_set_across_bytes() {
        let mut bitmap = [0; 4];
        set_bits(&mut bitmap, 3, 17);
        set_bits(&mut bitmap, 31, 1);
        assert_eq!(bitmap, [0xf8, 0xff, 0x0f, 0x80]);
    }

    #[test]
    fn bitmaps_take_whole_blocks() {
        assert_eq!(bitmap_blocks(BlockCount::new(8 * 2024)), BlockCount::ONE);
        assert_eq!(
            bitmap_blocks(BlockCount::new(8 * 2024 + 1)),
            BlockCount::new(2)
        );
    }
}
