//! Structures of DVDs, as far as programs read them. Offsets count from the structure's first
//! byte, four after the reply's.

use reburn_blocks::BlockCount;

use crate::DecodeError;
use crate::bytes::{Fields, flags, len16};

const WHAT: &str = "READ DISC STRUCTURE";

/// Format 00h: what kind of DVD it is, and where its data lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhysicalFormat {
    /// The kind of book, 4 bits: 0 DVD-ROM, 1 DVD-RAM, 2 DVD-R, 3 DVD-RW, 9 DVD+RW, 10 DVD+R,
    /// 14 DVD+R DL.
    pub book: u8,
    /// The version of the book, 4 bits.
    pub version: u8,
    /// 0 for 120 mm, 1 for 80 mm.
    pub size: u8,
    /// The highest rate that the disc asks for, 4 bits; 15 for none.
    pub rate: u8,
    /// Layers less one, 2 bits.
    pub layers: u8,
    /// Whether the second layer is read from the outside in.
    pub opposite_path: bool,
    /// Kinds of areas: 1 embossed, 2 recordable, 4 rewritable.
    pub layer_kinds: u8,
    /// Codes of the linear and of the track density, 4 bits each.
    pub densities: u8,
    /// The physical number of the first sector of data, 24 bits.
    pub first_sector: u32,
    /// That of the last one, 24 bits.
    pub last_sector: u32,
    /// The last sector of the first layer, 24 bits; 0 with one layer.
    pub layer_0_end: u32,
    /// Whether a burst cutting area exists.
    pub burst_cutting_area: bool,
}

impl PhysicalFormat {
    /// The physical number of the first sector of data on every recordable DVD but DVD-RAM.
    pub const FIRST_SECTOR: u32 = 0x3_0000;
    /// Bytes of the whole structure; what follows the fields is the medium's own.
    pub const LEN: usize = 2048;
    const FIELDS_LEN: usize = 17;

    /// The structure, 2048 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = vec![0; Self::LEN];
        data[0] = self.book << 4 | self.version & 0x0f;
        data[1] = self.size << 4 | self.rate & 0x0f;
        data[2] = (self.layers & 3) << 5 | flags([(self.opposite_path, 4)]) | self.layer_kinds & 15;
        data[3] = self.densities;
        for (offset, sector) in [
            (5, self.first_sector),
            (9, self.last_sector),
            (13, self.layer_0_end),
        ] {
            data[offset..offset + 3].copy_from_slice(&sector.to_be_bytes()[1..]);
        }
        data[16] = flags([(self.burst_cutting_area, 7)]);
        data
    }

    /// The structure in `data`, of which 17 bytes must be present.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, data, Self::FIELDS_LEN)?;
        let sector = |offset| fields.u32(offset) & 0x00ff_ffff;
        Ok(Self {
            book: fields.u8(0) >> 4,
            version: fields.u8(0) & 0x0f,
            size: fields.u8(1) >> 4,
            rate: fields.u8(1) & 0x0f,
            layers: fields.u8(2) >> 5 & 3,
            opposite_path: fields.bit(2, 4),
            layer_kinds: fields.u8(2) & 0x0f,
            densities: fields.u8(3),
            first_sector: sector(4),
            last_sector: sector(8),
            layer_0_end: sector(12),
            burst_cutting_area: fields.bit(16, 7),
        })
    }
}

/// Format 0Eh: what the lead-in of a DVD-R or DVD-RW was made with. Two parts of the maker's
/// name, in fields of 8 bytes that begin with a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreRecorded {
    /// The first part, from field 3.
    pub manufacturer: [u8; 6],
    /// The second part, from field 4.
    pub manufacturer_2: [u8; 6],
}

impl PreRecorded {
    /// Bytes of the structure.
    pub const LEN: usize = 40;

    /// The structure, 40 bytes: five fields of 8.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = vec![0; Self::LEN];
        for (number, field) in (1..).zip(data.chunks_exact_mut(8)) {
            field[0] = number;
        }
        data[17..23].copy_from_slice(&self.manufacturer);
        data[25..31].copy_from_slice(&self.manufacturer_2);
        data
    }

    /// The structure in `data`; the fields must have their numbers.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, data, 32)?;
        for (offset, number) in [(16, 3), (24, 4)] {
            if fields.u8(offset) != number {
                return Err(fields.bad(offset, fields.u8(offset)));
            }
        }
        Ok(Self {
            manufacturer: fields.array(17),
            manufacturer_2: fields.array(25),
        })
    }
}

/// Format 11h: what the groove of a DVD+R or DVD+RW says of it (address in pre-groove).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrooveInformation {
    /// The physical format that the disc was made for.
    pub physical: PhysicalFormat,
    /// The maker, ASCII, zeros at its end.
    pub manufacturer: [u8; 8],
    /// The maker's name of the medium, ASCII.
    pub media_type: [u8; 3],
    /// Its revision.
    pub revision: u8,
}

impl GrooveInformation {
    /// Bytes of the structure.
    pub const LEN: usize = 256;

    /// The structure, 256 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut data = self.physical.encode();
        data.truncate(Self::LEN);
        data[19..27].copy_from_slice(&self.manufacturer);
        data[27..30].copy_from_slice(&self.media_type);
        data[30] = self.revision;
        data
    }

    /// The structure in `data`, of which 31 bytes must be present.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, data, 31)?;
        Ok(Self {
            physical: PhysicalFormat::decode(data)?,
            manufacturer: fields.array(19),
            media_type: fields.array(27),
            revision: fields.u8(30),
        })
    }
}

/// Format 20h: how much of a DVD+R DL or DVD-R DL lies on its first layer. SEND DISC STRUCTURE
/// sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerCapacity {
    /// Whether it cannot be set any more.
    pub fixed: bool,
    /// Blocks on the first layer.
    pub blocks: BlockCount,
}

impl LayerCapacity {
    /// The structure, 8 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let fixed = flags([(self.fixed, 7)]);
        [&[fixed, 0, 0, 0][..], &self.blocks.get().to_be_bytes()].concat()
    }

    /// The structure in `data`, of which 8 bytes must be present.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, data, 8)?;
        Ok(Self {
            fixed: fields.bit(0, 7),
            blocks: BlockCount::new(fields.u32(4)),
        })
    }
}

/// Format C0h: whether the medium can be written. SEND DISC STRUCTURE sets the persistent part.
#[allow(clippy::struct_excessive_bools)] // a bit each in the structure
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProtectionStatus {
    /// By its content: a disc control block, a finished format.
    pub associated: bool,
    /// By a switch of the cartridge.
    pub cartridge: bool,
    /// By what it was told, for good or until it is told otherwise.
    pub persistent: bool,
    /// By what the drive was told until it is off.
    pub software: bool,
}

impl ProtectionStatus {
    /// The structure, 4 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let bits = flags([
            (self.associated, 3),
            (self.cartridge, 2),
            (self.persistent, 1),
            (self.software, 0),
        ]);
        vec![bits, 0, 0, 0]
    }

    /// The structure in `data`, of which one byte must be present.
    pub fn decode(data: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, data, 1)?;
        Ok(Self {
            associated: fields.bit(0, 3),
            cartridge: fields.bit(0, 2),
            persistent: fields.bit(0, 1),
            software: fields.bit(0, 0),
        })
    }
}

/// One line of format FFh: a structure that the drive has for this medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailableStructure {
    /// Its format.
    pub format: u8,
    /// Whether it can be sent.
    pub sendable: bool,
    /// Whether it can be read.
    pub readable: bool,
    /// Bytes of it with its head of 4.
    pub len: u16,
}

impl AvailableStructure {
    /// The list of `structures`, 4 bytes each; at most 16,383.
    pub fn encode_list(structures: &[Self]) -> Vec<u8> {
        structures
            .iter()
            .take(16_383)
            .flat_map(|structure| {
                let [high, low] = structure.len.to_be_bytes();
                let ways = flags([(structure.sendable, 7), (structure.readable, 6)]);
                [structure.format, ways, high, low]
            })
            .collect()
    }

    /// The list in `data`.
    pub fn decode_list(data: &[u8]) -> Vec<Self> {
        data.as_chunks()
            .0
            .iter()
            .map(|&[format, ways, high, low]| Self {
                format,
                sendable: ways >> 7 & 1 == 1,
                readable: ways >> 6 & 1 == 1,
                len: u16::from_be_bytes([high, low]),
            })
            .collect()
    }

    /// A structure of `data` bytes that can only be read.
    pub fn readable(format: u8, data: usize) -> Self {
        Self {
            format,
            sendable: false,
            readable: true,
            len: len16(data + 4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn physical() -> PhysicalFormat {
        PhysicalFormat {
            book: 14,
            version: 1,
            size: 0,
            rate: 15,
            layers: 1,
            opposite_path: true,
            layer_kinds: 2,
            densities: 0x21,
            first_sector: PhysicalFormat::FIRST_SECTOR,
            last_sector: 0x00fd_05ff,
            layer_0_end: 0x0022_d7ff,
            burst_cutting_area: true,
        }
    }

    #[test]
    fn golden_bytes_of_the_physical_format() {
        let bytes = physical().encode();
        assert_eq!(bytes.len(), 2048);
        let head = [
            0xe1, 0x0f, 0x32, 0x21, 0, 3, 0, 0, 0, 0xfd, 5, 0xff, 0, 0x22, 0xd7, 0xff, 0x80,
        ];
        assert_eq!(bytes[..17], head);
        assert_eq!(PhysicalFormat::decode(&head), Ok(physical()));
        assert!(PhysicalFormat::decode(&head[..16]).is_err());
    }

    #[test]
    fn golden_bytes_of_makers() {
        let made = PreRecorded {
            manufacturer: *b"MADEBY",
            manufacturer_2: *b"US0001",
        };
        let bytes = made.encode();
        assert_eq!(bytes[16..], *b"\x03MADEBY\0\x04US0001\0\x05\0\0\0\0\0\0\0");
        assert_eq!(PreRecorded::decode(&bytes), Ok(made));
        assert!(PreRecorded::decode(&[0; 40]).is_err());

        let groove = GrooveInformation {
            physical: physical(),
            manufacturer: *b"MADEBYUS",
            media_type: *b"R01",
            revision: 2,
        };
        let bytes = groove.encode();
        assert_eq!(
            (bytes.len(), &bytes[19..31]),
            (256, &b"MADEBYUSR01\x02"[..])
        );
        assert_eq!(GrooveInformation::decode(&bytes), Ok(groove));
        assert!(GrooveInformation::decode(&bytes[..30]).is_err());
    }

    #[test]
    fn golden_bytes_of_what_can_be_sent() {
        let capacity = LayerCapacity {
            fixed: true,
            blocks: BlockCount::new(0x0001_0203),
        };
        let bytes = [0x80, 0, 0, 0, 0, 1, 2, 3];
        assert_eq!(capacity.encode(), bytes);
        assert_eq!(LayerCapacity::decode(&bytes), Ok(capacity));
        assert!(LayerCapacity::decode(&bytes[..7]).is_err());
        let protection = ProtectionStatus {
            associated: true,
            persistent: true,
            ..ProtectionStatus::default()
        };
        assert_eq!(protection.encode(), [0x0a, 0, 0, 0]);
        assert_eq!(ProtectionStatus::decode(&[0x0a]), Ok(protection));
    }

    #[test]
    fn golden_bytes_of_the_list() {
        let list = [
            AvailableStructure::readable(0x00, 2048),
            AvailableStructure {
                format: 0xc0,
                sendable: true,
                readable: true,
                len: 8,
            },
        ];
        let bytes = [0, 0x40, 8, 4, 0xc0, 0xc0, 0, 8];
        assert_eq!(AvailableStructure::encode_list(&list), bytes);
        assert_eq!(AvailableStructure::decode_list(&bytes), list);
    }
}
