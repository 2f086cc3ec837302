//! Structures of Blu-ray discs, as far as programs read them. Offsets count from the
//! structure's first byte, four after the reply's.

use crate::DecodeError;
use crate::bytes::Fields;

const WHAT: &str = "READ DISC STRUCTURE";

/// Format 00h: what the disc says of itself, the first of its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscUnit {
    /// The kind of disc, ASCII: `BDR` for BD-R, `BDW` for BD-RE, `BDO` for BD-ROM.
    pub kind: [u8; 3],
    /// Layers, at most 15.
    pub layers: u8,
    /// The maker, ASCII, zeros at its end.
    pub manufacturer: [u8; 6],
    /// The maker's name of the medium, ASCII.
    pub media_type: [u8; 3],
    /// Its revision.
    pub revision: u8,
}

impl DiscUnit {
    /// Bytes of the structure: room for every unit.
    pub const LEN: usize = 4096;

    /// The structure, 4096 bytes: one unit and zeros.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = vec![0; Self::LEN];
        data[..4].copy_from_slice(b"DI\x01\x00");
        data[6] = 112; // bytes of the unit
        data[8..11].copy_from_slice(&self.kind);
        data[12] = self.layers << 4;
        data[100..106].copy_from_slice(&self.manufacturer);
        data[106..109].copy_from_slice(&self.media_type);
        data[111] = self.revision;
        data
    }

    /// The structure in `data`, whose first unit must be present.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, data, 112)?;
        if fields.array(0) != *b"DI" {
            return Err(fields.bad(0, fields.u16(0)));
        }
        Ok(Self {
            kind: fields.array(8),
            layers: fields.u8(12) >> 4,
            manufacturer: fields.array(100),
            media_type: fields.array(106),
            revision: fields.u8(111),
        })
    }
}

/// Format 0Ah: how much of the spare areas is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpareAreas {
    /// Clusters that can still take the place of bad ones.
    pub free: u32,
    /// Clusters in all spare areas.
    pub total: u32,
}

impl SpareAreas {
    /// The structure, 12 bytes.
    pub fn encode(&self) -> Vec<u8> {
        [0, self.free, self.total]
            .iter()
            .flat_map(|number| number.to_be_bytes())
            .collect()
    }

    /// The structure in `data`, of which 12 bytes must be present.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, data, 12)?;
        Ok(Self {
            free: fields.u32(4),
            total: fields.u32(8),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_bytes() {
        let unit = DiscUnit {
            kind: *b"BDR",
            layers: 2,
            manufacturer: *b"MADEBY",
            media_type: *b"RB1",
            revision: 3,
        };
        let bytes = unit.encode();
        assert_eq!(bytes.len(), 4096);
        assert_eq!(bytes[..13], *b"DI\x01\0\0\0\x70\0BDR\0\x20");
        assert_eq!(bytes[100..112], *b"MADEBYRB1\0\0\x03");
        assert_eq!(DiscUnit::decode(&bytes), Ok(unit));
        assert!(DiscUnit::decode(&bytes[..111]).is_err());
        assert!(DiscUnit::decode(&[0; 112]).is_err());

        let spare = SpareAreas {
            free: 0x0102,
            total: 0x0304,
        };
        let bytes = [0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4];
        assert_eq!(spare.encode(), bytes);
        assert_eq!(SpareAreas::decode(&bytes), Ok(spare));
        assert!(SpareAreas::decode(&bytes[..11]).is_err());
    }
}
