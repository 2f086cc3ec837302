//! The bitmap of free space of a partition that is edited (ECMA-167 4/14.12): bits of what is new
//! are cleared, those of what was gone before this edit are set, and what this edit frees stays
//! marked as used, so that the bitmap is true of the old tree too.

use reburn_blocks::{BLOCK_SIZE, BlockRead, ReadError};
use reburn_record::Record;

use super::blocks::{BaseBlocks, Copy};
use super::{UpdateError, tags};
use crate::records::{ExtentKind, SpaceBitmap, Tag, tag_id};
use crate::{UdfError, Volume};

/// Bytes that the tag vouches for: the counts, not the bits (UDF 2.3.8.1).
const COVERED: usize = 8;
/// Bits of a block.
const BLOCK_BITS: u64 = 8 * BLOCK_SIZE as u64;
/// Bits that the head takes of the first block.
const HEAD_BITS: u64 = 8 * SpaceBitmap::SIZE as u64;

/// A bitmap.
#[derive(Debug)]
pub(super) struct Bitmap {
    /// Its first address.
    first: u32,
    /// Blocks of the partition.
    bits: u32,
    /// Addresses that are marked as used: first, and one past the last; ascending and apart.
    used: Vec<(u32, u32)>,
}

impl Bitmap {
    /// The bitmap of a partition of so many blocks, if it has one and no other list of free space.
    pub(super) fn load(
        volume: &Volume,
        base: &BaseBlocks,
        disc: &dyn BlockRead,
        bits: u32,
    ) -> Result<Option<Self>, UpdateError> {
        let cannot = |reason| UpdateError::Sparing { reason };
        let Some(header) = volume.space_header() else {
            return Ok(None);
        };
        let others = [
            header.unallocated_space_table,
            header.freed_space_table,
            header.freed_space_bitmap,
        ];
        if others.iter().any(|ad| ad.extent_length.get() != 0) {
            return Err(cannot("free space is listed in another form than a bitmap"));
        }
        let extent = &header.unallocated_space_bitmap;
        let (_, length) = ExtentKind::split(extent.extent_length.get());
        if length == 0 {
            return Ok(None);
        }
        let bitmap = Self {
            first: extent.extent_position.get(),
            bits,
            used: Vec::new(),
        };
        let mut block = vec![0; BLOCK_SIZE];
        let what = "the space bitmap";
        let read = base.read(disc, Copy::Main, bitmap.first, &mut block);
        read.map_err(|source| UdfError::Io { what, source })?;
        let is_head = |bytes: &[u8]| {
            let (tag, record) = (Tag::view(bytes).ok()?.0, SpaceBitmap::view(bytes).ok()?.0);
            let is_bitmap = tag.tag_identifier.get() == tag_id::SPACE_BITMAP
                && tag.tag_location.get() == bitmap.first
                && tag.checksum() == tag.tag_checksum;
            let bytes = u64::from(record.number_of_bytes.get());
            let is_long = bytes >= u64::from(bits).div_ceil(8)
                && bytes + SpaceBitmap::SIZE as u64 <= u64::from(length);
            Some(is_bitmap && is_long && record.number_of_bits.get() == bits)
        };
        let end = u64::from(bitmap.first) + u64::from(bitmap.blocks());
        if is_head(&block) != Some(true) || end > u64::from(bits) {
            return Err(cannot(
                "the bitmap of free space is not that of the partition",
            ));
        }
        Ok(Some(bitmap))
    }

    /// Blocks that the bits are in.
    fn blocks(&self) -> u32 {
        (HEAD_BITS + u64::from(self.bits)).div_ceil(BLOCK_BITS) as u32
    }

    /// Its addresses: first, and one past the last.
    pub(super) fn addresses(&self) -> (u32, u32) {
        (self.first, self.first + self.blocks())
    }

    /// Marks these addresses as used, which ascend and are apart, and all others as free; how many
    /// are free.
    pub(super) fn set_used(&mut self, used: Vec<(u32, u32)>) -> u32 {
        let count: u32 = used.iter().map(|(start, end)| end - start).sum();
        self.used = used;
        self.bits - count
    }

    /// The numbers of its blocks that change.
    pub(super) fn changed(
        &self,
        base: &BaseBlocks,
        disc: &dyn BlockRead,
    ) -> Result<Vec<u32>, UdfError> {
        let (mut old, mut new) = (vec![0; BLOCK_SIZE], vec![0; BLOCK_SIZE]);
        let mut changed = Vec::new();
        for number in 0..self.blocks() {
            let what = "the space bitmap";
            let read = base.read(disc, Copy::Main, self.first + number, &mut old);
            read.map_err(|source| UdfError::Io { what, source })?;
            new.copy_from_slice(&old);
            self.patch(number, &mut new);
            if old != new {
                changed.push(number);
            }
        }
        Ok(changed)
    }

    /// Fills `out` with a block of it.
    pub(super) fn read(
        &self,
        base: &BaseBlocks,
        disc: &dyn BlockRead,
        number: u32,
        out: &mut [u8],
    ) -> Result<(), ReadError> {
        base.read(disc, Copy::Main, self.first + number, out)?;
        self.patch(number, out);
        Ok(())
    }

    /// Makes a block as it is one as it shall be.
    fn patch(&self, number: u32, block: &mut [u8]) {
        // Addresses whose bits are in the block, and the bit of the first.
        let start = (u64::from(number) * BLOCK_BITS).saturating_sub(HEAD_BITS);
        let at = if number == 0 { HEAD_BITS } else { 0 };
        let end = (start + BLOCK_BITS - at).min(self.bits.into());
        let (start, end) = (start as u32, end as u32);
        let bit = |address: u32| (at + u64::from(address - start)) as usize;
        set_bits(block, bit(start), bit(end), true);
        let from = self
            .used
            .partition_point(|&(_, used_end)| used_end <= start);
        for &(low, high) in self.used[from..].iter().take_while(|(low, _)| *low < end) {
            set_bits(block, bit(low.max(start)), bit(high.min(end)), false);
        }
        if number == 0 {
            tags::reseal(block, COVERED);
        }
    }
}

/// Gives the bits from `start` to before `end` a value.
fn set_bits(block: &mut [u8], start: usize, end: usize, value: bool) {
    let mut bit = start;
    while bit < end {
        if bit.is_multiple_of(8) && end - bit >= 8 {
            block[bit / 8] = if value { 0xff } else { 0 };
            bit += 8;
        } else {
            let mask = 1 << (bit % 8);
            block[bit / 8] = if value {
                block[bit / 8] | mask
            } else {
                block[bit / 8] & !mask
            };
            bit += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_follow_each_other_across_blocks() {
        let mut bitmap = Bitmap {
            first: 0,
            bits: 16384 + 100,
            used: Vec::new(),
        };
        assert_eq!((bitmap.blocks(), bitmap.addresses()), (2, (0, 2)));
        let last_in_first = 16384 - 192 - 1;
        let used = vec![(3, 5), (last_in_first, last_in_first + 3)];
        assert_eq!(bitmap.set_used(used), 16384 + 100 - 5);
        let mut blocks = [vec![0; BLOCK_SIZE], vec![0xaa; BLOCK_SIZE]];
        bitmap.patch(0, &mut blocks[0]);
        bitmap.patch(1, &mut blocks[1]);
        assert_eq!(blocks[0][24..26], [0xe7, 0xff]);
        assert_eq!(blocks[0][2047], 0x7f);
        assert_eq!(blocks[1][0], 0xfc);
        // 292 bits, and then what was there.
        assert_eq!(blocks[1][35..38], [0xff, 0xaf, 0xaa]);
    }
}
