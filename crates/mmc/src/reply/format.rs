//! How a medium is formatted, could be, and shall be.

use std::fmt;

use reburn_blocks::BlockCount;
use reburn_record::big_endian::{U16, U32};
use reburn_record::{Record, record};

use crate::DecodeError;
use crate::bytes::{BLOCK_BYTES, Fields, flags, len8, len16};

const WHAT: &str = "READ FORMAT CAPACITIES";

/// Whether the medium is formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormattedCapacity {
    /// Not yet; it could hold at most so many blocks.
    Unformatted(BlockCount),
    /// To so many blocks.
    Formatted(BlockCount),
    /// No medium, or one without a known capacity.
    NoMedium(BlockCount),
}

impl FormattedCapacity {
    const fn parts(self) -> (u8, BlockCount) {
        match self {
            Self::Unformatted(blocks) => (1, blocks),
            Self::Formatted(blocks) => (2, blocks),
            Self::NoMedium(blocks) => (3, blocks),
        }
    }

    /// The blocks that hold data now: none on a medium that is not formatted.
    pub const fn usable_blocks(self) -> BlockCount {
        match self {
            Self::Formatted(blocks) => blocks,
            Self::Unformatted(_) | Self::NoMedium(_) => BlockCount::ZERO,
        }
    }
}

/// The code of a format type (MMC-6, FORMAT UNIT).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FormatKind(pub u8);

impl FormatKind {
    /// The whole medium (DVD-RAM, BD-RE, BD-R).
    pub const FULL: Self = Self(0x00);
    /// The whole DVD-RAM with another spare area.
    pub const SPARE_AREA: Self = Self(0x01);
    /// The whole CD-RW in packets, or the whole DVD-RW for overwriting.
    pub const REWRITABLE_FULL: Self = Self(0x10);
    /// The last session grows (CD-RW).
    pub const GROW_SESSION: Self = Self(0x11);
    /// A session is added (CD-RW).
    pub const ADD_SESSION: Self = Self(0x12);
    /// The last border grows quickly (DVD-RW).
    pub const QUICK_GROW: Self = Self(0x13);
    /// A border is added quickly (DVD-RW).
    pub const QUICK_ADD: Self = Self(0x14);
    /// The first border, quickly: it grows as it is written (DVD-RW).
    pub const QUICK: Self = Self(0x15);
    /// In the way of Mount Rainier.
    pub const MOUNT_RAINIER: Self = Self(0x24);
    /// DVD+RW, mostly in the background.
    pub const DVD_PLUS_RW: Self = Self(0x26);
    /// BD-RE with spare areas.
    pub const BD_RE_SPARE: Self = Self(0x30);
    /// BD-RE without spare areas.
    pub const BD_RE_NO_SPARE: Self = Self(0x31);
    /// BD-R with spare areas.
    pub const BD_R_SPARE: Self = Self(0x32);
}

/// `26h`, as documents write it.
impl fmt::Display for FormatKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}h", self.0)
    }
}

record! {
    /// One way to format, in a list of capacities and in a parameter list.
    struct DescriptorData: 8, "MMC-6 FORMAT UNIT" {
        0 blocks: U32, "READ FORMAT CAPACITIES";
        4 kind: u8, "READ FORMAT CAPACITIES";
        5 parameter: [u8; 3], "READ FORMAT CAPACITIES";
    }
}

/// One way to format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatDescriptor {
    /// The capacity that results.
    pub blocks: BlockCount,
    /// How.
    pub kind: FormatKind,
    /// A variety of it, 0 to 3: on BD-RE, how much is certified; on BD-R, the recording mode
    /// (0 sequential with replaceable clusters, 1 sequential, 2 random).
    pub subtype: u8,
    /// What the type says: block size, spare clusters. 24 bits.
    pub parameter: u32,
}

impl FormatDescriptor {
    fn record(self) -> DescriptorData {
        let [_, a, b, c] = self.parameter.to_be_bytes();
        DescriptorData {
            blocks: U32::new(self.blocks.get()),
            kind: self.kind.0 << 2 | self.subtype & 3,
            parameter: [a, b, c],
        }
    }

    fn from_record(record: DescriptorData) -> Self {
        let [a, b, c] = record.parameter;
        Self {
            blocks: BlockCount::new(record.blocks.get()),
            kind: FormatKind(record.kind >> 2),
            subtype: record.kind & 3,
            parameter: u32::from_be_bytes([0, a, b, c]),
        }
    }
}

/// How the medium is formatted and which ways there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatCapacities {
    /// As it is.
    pub current: FormattedCapacity,
    /// As it could be; at most 30.
    pub formattable: Vec<FormatDescriptor>,
}

impl FormatCapacities {
    /// The most ways that fit: the length is one byte.
    const MOST: usize = 30;

    /// The reply: 4 bytes, then 8 for the current capacity and each way.
    pub fn encode(&self) -> Vec<u8> {
        let ways = &self.formattable[..self.formattable.len().min(Self::MOST)];
        let mut reply = vec![0, 0, 0, len8(8 + ways.len() * 8)];
        let (state, blocks) = self.current.parts();
        let current = FormatDescriptor {
            blocks,
            kind: FormatKind(0),
            subtype: state,
            parameter: BLOCK_BYTES,
        };
        reply.extend(current.record().bytes());
        for way in ways {
            reply.extend(way.record().bytes());
        }
        reply
    }

    /// How many bytes the whole reply has, from its first 4.
    pub fn announced_len(header: &[u8]) -> Result<usize, DecodeError> {
        Ok(4 + usize::from(Fields::new(WHAT, header, 4)?.u8(3)))
    }

    /// The reply in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let len = Self::announced_len(bytes)?;
        let fields = Fields::new(WHAT, bytes, 12)?.cut(len.max(12))?;
        let blocks = BlockCount::new(fields.u32(4));
        let current = match fields.u8(8) & 3 {
            1 => FormattedCapacity::Unformatted(blocks),
            2 => FormattedCapacity::Formatted(blocks),
            3 => FormattedCapacity::NoMedium(blocks),
            _ => return Err(fields.bad(8, fields.u8(8))),
        };
        let mut formattable = Vec::new();
        let mut rest = fields.from(12);
        while rest.len() >= DescriptorData::SIZE {
            let (record, after) = DescriptorData::view(rest)?;
            formattable.push(FormatDescriptor::from_record(*record));
            rest = after;
        }
        formattable.truncate(Self::MOST);
        Ok(Self {
            current,
            formattable,
        })
    }
}

record! {
    /// The parameter list of FORMAT UNIT.
    struct ParameterData: 12, "MMC-6 FORMAT UNIT" {
        0 reserved: u8, "FORMAT UNIT";
        1 options: u8, "FORMAT UNIT";
        2 descriptor_length: U16, "FORMAT UNIT";
        4 descriptor: DescriptorData, "FORMAT UNIT";
    }
}

/// How to format: the parameter list of FORMAT UNIT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatParameters {
    /// Whether to answer before it is done.
    pub immediate: bool,
    /// Whether to skip the check of every block (needs `options_valid`).
    pub no_certification: bool,
    /// Whether the options count at all.
    pub options_valid: bool,
    /// The way.
    pub descriptor: FormatDescriptor,
}

impl FormatParameters {
    /// Bytes of the list.
    pub const LEN: usize = ParameterData::SIZE;

    /// The list, 12 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let options = flags([
            (self.options_valid, 7),
            (self.no_certification, 5),
            (self.immediate, 1),
        ]);
        let record = ParameterData {
            reserved: 0,
            options,
            descriptor_length: U16::new(len16(DescriptorData::SIZE)),
            descriptor: self.descriptor.record(),
        };
        record.bytes().to_vec()
    }

    /// The list in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (record, _) = ParameterData::view(bytes)?;
        let fields = Fields::new("FORMAT UNIT", bytes, Self::LEN)?;
        if usize::from(record.descriptor_length.get()) != DescriptorData::SIZE {
            return Err(fields.bad(2, record.descriptor_length.get()));
        }
        Ok(Self {
            immediate: fields.bit(1, 1),
            no_certification: fields.bit(1, 5),
            options_valid: fields.bit(1, 7),
            descriptor: FormatDescriptor::from_record(record.descriptor),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bd_re() -> FormatCapacities {
        let way = |kind, blocks, parameter| FormatDescriptor {
            blocks: BlockCount::new(blocks),
            kind,
            subtype: 0,
            parameter,
        };
        FormatCapacities {
            current: FormattedCapacity::Formatted(BlockCount::new(11_826_176)),
            formattable: vec![
                way(FormatKind::BD_RE_SPARE, 11_564_032, 0x5000),
                way(FormatKind::BD_RE_NO_SPARE, 12_219_392, 0x800),
            ],
        }
    }

    const BD_RE: [u8; 28] = [
        0, 0, 0, 24, // 24 bytes follow
        0, 0xb4, 0x74, 0, 2, 0, 8, 0, // formatted
        0, 0xb0, 0x74, 0, 0xc0, 0, 0x50, 0, // 30h
        0, 0xba, 0x74, 0, 0xc4, 0, 8, 0, // 31h
    ];

    #[test]
    fn golden_bytes_of_capacities() {
        assert_eq!(bd_re().encode(), BD_RE);
        assert_eq!(FormatCapacities::decode(&BD_RE), Ok(bd_re()));
        assert_eq!(FormatCapacities::announced_len(&BD_RE[..4]), Ok(28));
        assert!(FormatCapacities::decode(&BD_RE[..27]).is_err());
        let mut unknown_state = BD_RE;
        unknown_state[8] = 0;
        assert!(FormatCapacities::decode(&unknown_state).is_err());
    }

    #[test]
    fn golden_bytes_of_parameters() {
        let parameters = FormatParameters {
            immediate: true,
            no_certification: false,
            options_valid: false,
            descriptor: FormatDescriptor {
                blocks: BlockCount::MAX,
                kind: FormatKind::DVD_PLUS_RW,
                subtype: 0,
                parameter: 1,
            },
        };
        let bytes = [0, 2, 0, 8, 0xff, 0xff, 0xff, 0xff, 0x98, 0, 0, 1];
        assert_eq!(parameters.encode(), bytes);
        assert_eq!(FormatParameters::decode(&bytes), Ok(parameters));
        assert!(FormatParameters::decode(&bytes[..11]).is_err());
        let mut long = bytes;
        long[3] = 16;
        assert!(FormatParameters::decode(&long).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(capacities) = FormatCapacities::decode(&bytes) {
                let again = FormatCapacities::decode(&capacities.encode());
                prop_assert_eq!(again, Ok(capacities));
            }
            if let Ok(parameters) = FormatParameters::decode(&bytes) {
                let again = FormatParameters::decode(&parameters.encode());
                prop_assert_eq!(again, Ok(parameters));
            }
        }
    }
}
