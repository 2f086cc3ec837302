//! The command descriptor block: up to 16 bytes that carry one command.

use std::fmt;

use reburn_blocks::Lba;

use crate::bytes::len8;
use crate::{SectorAddress, Sense};

/// A command descriptor block. Never empty; bytes past its end read as zero, as they do in a
/// drive whose transport always carries 12 or 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cdb {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl Cdb {
    /// The longest command that the transports here carry.
    pub const MAX_LEN: usize = 16;

    /// A block of these bytes; `None` if there are none or more than [`Cdb::MAX_LEN`].
    pub fn new(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() || bytes.len() > Self::MAX_LEN {
            return None;
        }
        let mut cdb = Self {
            bytes: [0; Self::MAX_LEN],
            len: len8(bytes.len()),
        };
        cdb.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(cdb)
    }

    /// The bytes to send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// The operation code, the first byte.
    pub const fn opcode(&self) -> u8 {
        self.bytes[0]
    }

    pub(crate) const fn zeroed(opcode: u8, len: u8) -> Self {
        let mut bytes = [0; Self::MAX_LEN];
        bytes[0] = opcode;
        Self { bytes, len }
    }

    pub(crate) const fn u8(&self, offset: usize) -> u8 {
        self.bytes[offset]
    }

    pub(crate) const fn bit(&self, offset: usize, bit: u8) -> bool {
        self.bytes[offset] >> bit & 1 == 1
    }

    pub(crate) const fn u16(&self, offset: usize) -> u16 {
        u16::from_be_bytes([self.bytes[offset], self.bytes[offset + 1]])
    }

    pub(crate) const fn u24(&self, offset: usize) -> u32 {
        (self.bytes[offset] as u32) << 16 | self.u16(offset + 1) as u32
    }

    pub(crate) const fn u32(&self, offset: usize) -> u32 {
        (self.u16(offset) as u32) << 16 | self.u16(offset + 2) as u32
    }

    /// The block address at `offset`; the one value that no medium reaches is out of range.
    pub(crate) fn lba(&self, offset: usize) -> Result<Lba, Sense> {
        Lba::checked(u64::from(self.u32(offset))).ok_or(Sense::LBA_OUT_OF_RANGE)
    }

    /// The address at `offset`, which may lie before block 0.
    pub(crate) const fn address(&self, offset: usize) -> SectorAddress {
        SectorAddress::from_field(self.u32(offset))
    }

    pub(crate) fn set(&mut self, offset: usize, byte: u8) {
        self.bytes[offset] = byte;
    }

    pub(crate) fn set_bit(&mut self, offset: usize, bit: u8, value: bool) {
        self.bytes[offset] |= u8::from(value) << bit;
    }

    pub(crate) fn set_u16(&mut self, offset: usize, value: u16) {
        self.bytes[offset..offset + 2].copy_from_slice(&value.to_be_bytes());
    }

    /// The low 24 bits of `value`.
    pub(crate) fn set_u24(&mut self, offset: usize, value: u32) {
        self.bytes[offset..offset + 3].copy_from_slice(&value.to_be_bytes()[1..]);
    }

    pub(crate) fn set_u32(&mut self, offset: usize, value: u32) {
        self.bytes[offset..offset + 4].copy_from_slice(&value.to_be_bytes());
    }
}

/// The bytes in hexadecimal: `28 00 00 00 00 10 00 00 20 00`.
impl fmt::Display for Cdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.as_bytes().iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Cdb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cdb({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_one_to_sixteen_bytes() {
        assert_eq!(Cdb::new(&[]), None);
        assert_eq!(Cdb::new(&[0; 17]), None);
        let cdb = Cdb::new(&[0x28, 0, 0, 0, 0, 16]).unwrap();
        assert_eq!(cdb.opcode(), 0x28);
        assert_eq!(cdb.u32(2), 16);
        assert_eq!(cdb.u16(7), 0, "what was not sent reads as zero");
        assert_eq!(cdb.to_string(), "28 00 00 00 00 10");
    }
}
