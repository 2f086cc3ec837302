//! How large the medium is, and how much of the buffer is free.

use reburn_blocks::Lba;
use reburn_record::big_endian::{U16, U32};
use reburn_record::{Record, record};

use crate::DecodeError;
use crate::bytes::{BLOCK_BYTES, len16};

record! {
    /// The reply to READ CAPACITY.
    struct CapacityData: 8, "MMC-6 READ CAPACITY" {
        0 last_lba: U32, "READ CAPACITY";
        4 block_size: U32, "READ CAPACITY";
    }
}

/// The last block. A medium without any reports block 0, as one with a single block does:
/// [`FormatCapacities`](super::FormatCapacities) tells the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The last block.
    pub last_lba: Lba,
    /// Bytes in a block.
    pub block_size: u32,
}

impl Capacity {
    /// A medium of ordinary blocks that ends with this one.
    pub const fn ending_at(last_lba: Lba) -> Self {
        Self {
            last_lba,
            block_size: BLOCK_BYTES,
        }
    }

    /// The reply, 8 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let record = CapacityData {
            last_lba: U32::new(self.last_lba.get()),
            block_size: U32::new(self.block_size),
        };
        record.bytes().to_vec()
    }

    /// The reply in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (record, _) = CapacityData::view(bytes)?;
        let last = record.last_lba.get();
        let last_lba = Lba::checked(u64::from(last)).ok_or(DecodeError::Field {
            what: "READ CAPACITY",
            offset: 0,
            value: last,
        })?;
        Ok(Self {
            last_lba,
            block_size: record.block_size.get(),
        })
    }
}

record! {
    /// The reply to READ BUFFER CAPACITY.
    struct BufferCapacityData: 12, "MMC-6 READ BUFFER CAPACITY" {
        0 length: U16, "READ BUFFER CAPACITY";
        2 reserved: u8, "READ BUFFER CAPACITY";
        3 in_blocks: u8, "READ BUFFER CAPACITY";
        4 total: U32, "READ BUFFER CAPACITY";
        8 blank: U32, "READ BUFFER CAPACITY";
    }
}

/// How much the write buffer holds, in bytes or in blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferCapacity {
    /// Whether the counts are blocks.
    pub in_blocks: bool,
    /// All of it; with blocks, drives leave it out (0).
    pub total: u32,
    /// What is free.
    pub blank: u32,
}

impl BufferCapacity {
    /// The reply, 12 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let record = BufferCapacityData {
            length: U16::new(len16(BufferCapacityData::SIZE - 2)),
            reserved: 0,
            in_blocks: u8::from(self.in_blocks),
            total: U32::new(self.total),
            blank: U32::new(self.blank),
        };
        record.bytes().to_vec()
    }

    /// The reply in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (record, _) = BufferCapacityData::view(bytes)?;
        Ok(Self {
            in_blocks: record.in_blocks & 1 == 1,
            total: record.total.get(),
            blank: record.blank.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes_of_a_capacity() {
        let capacity = Capacity::ending_at(Lba::new(0x0023_053f));
        let bytes = [0, 0x23, 5, 0x3f, 0, 0, 8, 0];
        assert_eq!(capacity.encode(), bytes);
        assert_eq!(Capacity::decode(&bytes), Ok(capacity));
        assert!(Capacity::decode(&bytes[..7]).is_err());
        let endless = [0xff, 0xff, 0xff, 0xff, 0, 0, 8, 0];
        assert_eq!(
            Capacity::decode(&endless).unwrap_err().to_string(),
            "READ CAPACITY: byte 0 holds 0xffffffff, which means nothing there"
        );
    }

    #[test]
    fn golden_bytes_of_a_buffer() {
        let buffer = BufferCapacity {
            in_blocks: false,
            total: 0x18_0000,
            blank: 0x1_0000,
        };
        let bytes = [0, 10, 0, 0, 0, 0x18, 0, 0, 0, 1, 0, 0];
        assert_eq!(buffer.encode(), bytes);
        assert_eq!(BufferCapacity::decode(&bytes), Ok(buffer));
        assert!(BufferCapacity::decode(&bytes[..11]).is_err());
    }
}
