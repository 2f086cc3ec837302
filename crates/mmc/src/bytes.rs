//! Reading and writing big-endian fields of parameter data whose length varies.

use crate::DecodeError;

/// Parameter data with its name, for errors that say where.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    pub what: &'static str,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// `bytes`, of which at least `needed` must be present.
    pub fn new(what: &'static str, bytes: &'a [u8], needed: usize) -> Result<Self, DecodeError> {
        let fields = Self { what, bytes };
        fields.require(needed)?;
        Ok(fields)
    }

    fn require(&self, needed: usize) -> Result<(), DecodeError> {
        let present = self.bytes.len();
        if present < needed {
            return Err(DecodeError::TooShort {
                what: self.what,
                needed,
                present,
            });
        }
        Ok(())
    }

    /// Everything up to `end`, which the data themselves announce.
    pub fn cut(self, end: usize) -> Result<Self, DecodeError> {
        self.require(end)?;
        let bytes = &self.bytes[..end];
        Ok(Self { bytes, ..self })
    }

    /// The bytes from `offset` on; none past the end.
    pub fn from(&self, offset: usize) -> &'a [u8] {
        self.bytes.get(offset..).unwrap_or_default()
    }

    /// The byte at `offset`; zero past the end, as in data that older drives keep short.
    pub fn u8(&self, offset: usize) -> u8 {
        self.bytes.get(offset).copied().unwrap_or_default()
    }

    pub fn bit(&self, offset: usize, bit: u8) -> bool {
        self.u8(offset) >> bit & 1 == 1
    }

    pub fn u16(&self, offset: usize) -> u16 {
        u16::from_be_bytes([self.u8(offset), self.u8(offset + 1)])
    }

    pub fn u32(&self, offset: usize) -> u32 {
        u32::from_be_bytes(self.array(offset))
    }

    /// The `N` bytes at `offset`; zeros past the end.
    pub fn array<const N: usize>(&self, offset: usize) -> [u8; N] {
        std::array::from_fn(|index| self.u8(offset + index))
    }

    /// The error that the field at `offset` makes no sense.
    pub fn bad(&self, offset: usize, value: impl Into<u32>) -> DecodeError {
        DecodeError::Field {
            what: self.what,
            offset,
            value: value.into(),
        }
    }
}

/// Bytes in a block, as fields hold it.
pub(crate) const BLOCK_BYTES: u32 = 0x800;
const _: () = assert!(BLOCK_BYTES as usize == reburn_blocks::BLOCK_SIZE);

/// A length as its field holds it; what does not fit is the largest.
pub(crate) fn len8(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}

/// A length as its field holds it; what does not fit is the largest.
pub(crate) fn len16(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

/// A length as its field holds it; what does not fit is the largest.
pub(crate) fn len32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// Overwrites the big-endian 16-bit field at `offset` with the bytes that follow the field
/// `header` bytes from the start: the length that opens most replies.
pub(crate) fn with_length16(mut reply: Vec<u8>) -> Vec<u8> {
    let following = len16(reply.len() - 2);
    reply[..2].copy_from_slice(&following.to_be_bytes());
    reply
}

/// A byte of flags, each with the number of its bit.
pub(crate) fn flags<const N: usize>(bits: [(bool, u8); N]) -> u8 {
    bits.into_iter()
        .fold(0, |byte, (set, bit)| byte | u8::from(set) << bit)
}
