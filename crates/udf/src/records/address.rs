//! Addresses and extents (ECMA-167 3/7.1, 4/7.1, 4/14.14).

use reburn_record::little_endian::{U16, U32};
use reburn_record::{Record, record};

record! {
    /// An extent of the volume: bytes, and the sector where it starts.
    #[derive(Hash)]
    pub struct ExtentAd: 8, "ECMA-167 3/7.1" {
        0 extent_length: U32, "3/7.1.1";
        4 extent_location: U32, "3/7.1.2";
    }
}

record! {
    /// A block of a partition. The partition is the number of a map in the logical volume
    /// descriptor.
    #[derive(Hash)]
    pub struct LbAddr: 6, "ECMA-167 4/7.1" {
        0 logical_block_number: U32, "4/7.1.1";
        4 partition_reference_number: U16, "4/7.1.2";
    }
}

record! {
    /// An extent in the partition that the descriptor itself is in.
    pub struct ShortAd: 8, "ECMA-167 4/14.14.1" {
        0 extent_length: U32, "4/14.14.1.1";
        4 extent_position: U32, "4/14.14.1.2";
    }
}

record! {
    /// An extent in any partition. The implementation use is flags and, where a file
    /// identifier leads to its entry, the unique id (UDF 2.3.4.3, 2.3.10.1).
    pub struct LongAd: 16, "ECMA-167 4/14.14.2" {
        0  extent_length: U32, "4/14.14.2.1";
        4  extent_location: LbAddr, "4/14.14.2.2";
        10 flags: U16, "UDF 2.3.10.1";
        12 unique_id: U32, "UDF 2.3.4.3";
    }
}

record! {
    /// An extent whose recorded and real length may differ.
    pub struct ExtAd: 20, "ECMA-167 4/14.14.3" {
        0  extent_length: U32, "4/14.14.3.1";
        4  recorded_length: U32, "4/14.14.3.2";
        8  information_length: U32, "4/14.14.3.3";
        12 extent_location: LbAddr, "4/14.14.3.4";
        18 implementation_use: [u8; 2], "4/14.14.3.5";
    }
}

/// The most bytes that an extent can have (ECMA-167 4/14.14.1.1).
pub const EXTENT_BYTES_MAX: u32 = (1 << 30) - 1;

/// The upper two bits of an extent's length (ECMA-167 4/14.14.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExtentKind {
    /// Recorded and allocated.
    Recorded,
    /// Allocated, not recorded: reads as zeros.
    Allocated,
    /// Neither: a hole that reads as zeros.
    Hole,
    /// The next extent of allocation descriptors.
    Continuation,
}

impl ExtentKind {
    /// The kind and the number of bytes in an extent's length.
    pub const fn split(length: u32) -> (Self, u32) {
        let kind = match length >> 30 {
            0 => Self::Recorded,
            1 => Self::Allocated,
            2 => Self::Hole,
            _ => Self::Continuation,
        };
        (kind, length & EXTENT_BYTES_MAX)
    }
}

impl LongAd {
    /// Whether the extent is absent: no bytes in it.
    pub fn is_none(&self) -> bool {
        ExtentKind::split(self.extent_length.get()).1 == 0
    }

    /// The extent as it stands in `bytes`, whose length is checked by the caller.
    pub(crate) fn from_short(short: ShortAd, partition: u16) -> Self {
        let mut long = Self::zeroed();
        long.extent_length = short.extent_length;
        long.extent_location.logical_block_number = short.extent_position;
        long.extent_location.partition_reference_number = U16::new(partition);
        long
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::golden;

    #[test]
    fn golden_bytes() {
        let bytes = golden("00100000 00000000 0100 0000 00000000");
        let (long, _) = LongAd::view(&bytes).unwrap();
        assert_eq!(long.extent_length.get(), 4096);
        assert_eq!(long.extent_location.partition_reference_number.get(), 1);
        assert_eq!(
            ExtentKind::split(0x40ef_d000),
            (ExtentKind::Allocated, 15716352)
        );
        assert_eq!(
            ExtentKind::split(u32::MAX),
            (ExtentKind::Continuation, EXTENT_BYTES_MAX)
        );
    }
}
