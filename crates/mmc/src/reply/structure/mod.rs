//! Structures outside the user's blocks: READ DISC STRUCTURE and SEND DISC STRUCTURE.

mod blu_ray;
mod dvd;

pub use blu_ray::{DiscUnit, SpareAreas};
pub use dvd::{
    AvailableStructure, GrooveInformation, LayerCapacity, PhysicalFormat, PreRecorded,
    ProtectionStatus,
};

use crate::DecodeError;
use crate::bytes::{Fields, with_length16};

/// One structure of the disc, as it stands there. What it means depends on medium and format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscStructure {
    /// The bytes, at most 65,533.
    pub data: Vec<u8>,
}

impl DiscStructure {
    const MOST: usize = 65_533;

    /// The reply: 4 bytes, then the structure.
    pub fn encode(&self) -> Vec<u8> {
        let data = &self.data[..self.data.len().min(Self::MOST)];
        with_length16([&[0; 4], data].concat())
    }

    /// How many bytes the whole reply has, from its first 4.
    pub fn announced_len(header: &[u8]) -> Result<usize, DecodeError> {
        let fields = Fields::new("READ DISC STRUCTURE", header, 4)?;
        Ok((usize::from(fields.u16(0)) + 2).max(4))
    }

    /// The reply in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let len = Self::announced_len(bytes)?;
        let fields = Fields::new("READ DISC STRUCTURE", bytes, 4)?.cut(len)?;
        Ok(Self {
            data: fields.from(4).to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_bytes() {
        let structure = DiscStructure {
            data: vec![0x92, 0xf, 2, 0],
        };
        let bytes = [0, 6, 0, 0, 0x92, 0xf, 2, 0];
        assert_eq!(structure.encode(), bytes);
        assert_eq!(DiscStructure::decode(&bytes), Ok(structure));
        assert_eq!(DiscStructure::announced_len(&bytes[..4]), Ok(8));
        assert!(DiscStructure::decode(&bytes[..7]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..16)) {
            if let Ok(structure) = DiscStructure::decode(&bytes) {
                prop_assert_eq!(DiscStructure::decode(&structure.encode()), Ok(structure));
            }
        }
    }
}
