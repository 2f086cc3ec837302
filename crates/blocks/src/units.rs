//! Addresses and counts. The unit lives in the type: no arithmetic mixes blocks, bytes and
//! write units, and each conversion is a named function.
//!
//! Invariant: an [`Lba`] is at most [`Lba::MAX`], so that `last + 1` is always representable.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Bytes in a block, the data sector of every optical disc (ECMA-119 6.1.2, MMC).
pub const BLOCK_SIZE: usize = 2048;

/// The number of a block, counted from the start of the medium (logical block address).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lba(u32);

impl Lba {
    /// The first block.
    pub const ZERO: Self = Self(0);
    /// The last address this workspace handles: one less than the field's largest value.
    pub const MAX: Self = Self(u32::MAX - 1);

    /// The block with this number.
    ///
    /// # Panics
    /// If `number` is `u32::MAX`. Numbers read from a disc go through [`Lba::checked`].
    pub const fn new(number: u32) -> Self {
        assert!(number < u32::MAX, "block number u32::MAX is out of range");
        Self(number)
    }

    /// The block with this number, or `None` if it is past [`Lba::MAX`].
    #[allow(clippy::cast_possible_truncation)] // compared first
    pub const fn checked(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 as u64 {
            Some(Self(number as u32))
        } else {
            None
        }
    }

    /// The number of the block.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Where the block starts in an image, in bytes.
    pub const fn byte_offset(self) -> u64 {
        self.0 as u64 * BLOCK_SIZE as u64
    }

    /// The block `count` further on, or `None` past [`Lba::MAX`].
    pub const fn checked_add(self, count: BlockCount) -> Option<Self> {
        Self::checked(self.0 as u64 + count.0 as u64)
    }

    /// How many blocks lie from `earlier` (inclusive) to `self` (exclusive); zero if none.
    pub const fn blocks_since(self, earlier: Self) -> BlockCount {
        BlockCount(self.0.saturating_sub(earlier.0))
    }

    /// The first block of the write unit that holds this block.
    #[must_use]
    pub const fn align_down(self, unit: WriteUnit) -> Self {
        Self(self.0 - self.0 % unit.0)
    }

    /// The first block at or after this one that starts a write unit; `None` past the end.
    pub const fn align_up(self, unit: WriteUnit) -> Option<Self> {
        Self::checked((self.0 as u64).next_multiple_of(unit.0 as u64))
    }

    /// Whether a write unit starts here.
    pub const fn is_aligned(self, unit: WriteUnit) -> bool {
        self.0.is_multiple_of(unit.0)
    }
}

impl fmt::Display for Lba {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Panics past [`Lba::MAX`]: for sums that a caller has bounded. Hostile values go through
/// [`Lba::checked_add`].
impl Add<BlockCount> for Lba {
    type Output = Self;
    fn add(self, count: BlockCount) -> Self {
        self.checked_add(count)
            .expect("block address past the largest a disc can have")
    }
}

impl AddAssign<BlockCount> for Lba {
    fn add_assign(&mut self, count: BlockCount) {
        *self = *self + count;
    }
}

/// A number of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BlockCount(u32);

impl BlockCount {
    /// No blocks.
    pub const ZERO: Self = Self(0);
    /// One block.
    pub const ONE: Self = Self(1);
    /// As many blocks as addresses exist.
    pub const MAX: Self = Self(u32::MAX);

    /// This many blocks.
    pub const fn new(count: u32) -> Self {
        Self(count)
    }

    /// This many blocks, or `None` above [`BlockCount::MAX`].
    #[allow(clippy::cast_possible_truncation)] // compared first
    pub const fn checked(count: u64) -> Option<Self> {
        if count <= u32::MAX as u64 {
            Some(Self(count as u32))
        } else {
            None
        }
    }

    /// The blocks that `bytes` occupy, the last one filled up; `None` above
    /// [`BlockCount::MAX`].
    pub const fn for_bytes(bytes: u64) -> Option<Self> {
        Self::checked(bytes.div_ceil(BLOCK_SIZE as u64))
    }

    /// The blocks that `len` bytes in memory make, the last one filled up.
    ///
    /// # Panics
    /// Above [`BlockCount::MAX`], 8 TiB, which no buffer has.
    pub const fn in_buffer(len: usize) -> Self {
        Self::for_bytes(len as u64).expect("a buffer of more blocks than a disc can have")
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The number, as an index or length.
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }

    /// The bytes in that many blocks.
    pub const fn bytes(self) -> u64 {
        self.0 as u64 * BLOCK_SIZE as u64
    }

    /// Whether there are none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum, or `None` above [`BlockCount::MAX`].
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        Self::checked(self.0 as u64 + other.0 as u64)
    }

    /// The write units that hold that many blocks, the last one filled up.
    pub const fn units(self, unit: WriteUnit) -> u32 {
        self.0.div_ceil(unit.0)
    }

    /// That many blocks, the last write unit filled up (saturating).
    #[must_use]
    pub const fn round_up(self, unit: WriteUnit) -> Self {
        Self(self.units(unit).saturating_mul(unit.0))
    }
}

impl fmt::Display for BlockCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Panics above [`BlockCount::MAX`]; see [`BlockCount::checked_add`].
impl Add for BlockCount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.checked_add(other)
            .expect("more blocks than a disc can have")
    }
}

impl AddAssign for BlockCount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// Panics if `other` is larger.
impl Sub for BlockCount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(
            self.0
                .checked_sub(other.0)
                .expect("fewer blocks than are taken away"),
        )
    }
}

impl std::iter::Sum for BlockCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::ZERO, |sum, count| sum + count)
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ByteCount(u64);

impl ByteCount {
    /// This many bytes.
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// In units a person reads: `2048 bytes`, `1.5 MiB`.
impl fmt::Display for ByteCount {
    #[allow(clippy::cast_precision_loss)] // shown with two digits
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
        if self.0 < 10 * 1024 {
            return write!(f, "{} bytes", self.0);
        }
        let mut value = self.0 as f64 / 1024.0;
        let mut unit = 0;
        while value >= 1024.0 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        write!(f, "{value:.1} {}", UNITS[unit])
    }
}

/// The blocks that a medium records at once, its ECC block; also what one torn write loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteUnit(u32);

impl WriteUnit {
    /// A file on a host: any block alone.
    pub const FILE: Self = Self(1);
    /// DVD of every kind: an ECC block of 16 sectors (ECMA-267 section 4).
    pub const DVD: Self = Self(16);
    /// Blu-ray: a cluster of 32 sectors.
    pub const BLU_RAY: Self = Self(32);
    /// CD in fixed packets: 32 user data blocks.
    pub const CD_PACKET: Self = Self(32);

    /// A write unit of `blocks` blocks; `None` for zero.
    pub const fn new(blocks: u32) -> Option<Self> {
        if blocks == 0 {
            None
        } else {
            Some(Self(blocks))
        }
    }

    /// Blocks in one unit.
    pub const fn blocks(self) -> BlockCount {
        BlockCount(self.0)
    }

    /// Bytes in one unit.
    pub const fn bytes(self) -> usize {
        self.0 as usize * BLOCK_SIZE
    }

    /// The number of the unit that holds `lba`.
    pub const fn index_of(self, lba: Lba) -> u32 {
        lba.0 / self.0
    }

    /// Whether units of this size never cut a unit of `other`.
    pub const fn is_multiple_of(self, other: Self) -> bool {
        self.0.is_multiple_of(other.0)
    }
}

impl fmt::Display for WriteUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => write!(f, "1 block"),
            n => write!(f, "{n} blocks"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alignment_rounds_to_whole_units() {
        assert_eq!(Lba::new(37).align_down(WriteUnit::DVD), Lba::new(32));
        assert_eq!(Lba::new(37).align_up(WriteUnit::DVD), Some(Lba::new(48)));
        assert_eq!(Lba::new(48).align_up(WriteUnit::DVD), Some(Lba::new(48)));
        assert_eq!(Lba::MAX.align_up(WriteUnit::DVD), None);
        assert_eq!(
            BlockCount::new(33).round_up(WriteUnit::BLU_RAY),
            BlockCount::new(64)
        );
    }

    #[test]
    fn hostile_numbers_are_refused() {
        assert_eq!(Lba::checked(u64::from(u32::MAX)), None);
        assert_eq!(Lba::MAX.checked_add(BlockCount::ONE), None);
        assert_eq!(BlockCount::for_bytes(u64::MAX), None);
        assert_eq!(WriteUnit::new(0), None);
    }

    #[test]
    fn byte_counts_read_well() {
        assert_eq!(ByteCount::new(2048).to_string(), "2048 bytes");
        assert_eq!(ByteCount::new(1024 * 1024 * 3 / 2).to_string(), "1.5 MiB");
    }
}
