//! How the features' data travel. They fill whole words of 4 bytes; what is missing reads as
//! zero, as in the shorter data of older versions.

use reburn_blocks::{Lba, WriteUnit};

use super::bits::{
    CdReading, CdSessionWriting, CdTrackWriting, DvdMinusWriting, FormattableWays, MountRainier,
    RigidOverwriting, StreamingSupport, WriteProtection,
};
use super::parts::{
    BdReadClasses, BdWriteClasses, IncrementalStreaming, link_sizes, push_link_sizes,
};
use super::{Feature, ProfileDescriptor};
use crate::Profile;
use crate::bytes::{Fields, flags};

impl Feature {
    /// The data after the descriptor's head of 4 bytes.
    pub(in crate::reply) fn encode(&self) -> Vec<u8> {
        match self {
            Self::ProfileList(profiles) => encode_profiles(profiles),
            Self::Core {
                interface,
                inquiry_pages,
            } => {
                let [a, b, c, d] = interface.to_be_bytes();
                vec![a, b, c, d, flags([(*inquiry_pages, 1)]), 0, 0, 0]
            }
            Self::Morphing { operational_change } => word(flags([(*operational_change, 1)])),
            Self::RemovableMedium {
                mechanism,
                load,
                eject,
                lock,
            } => word(mechanism << 5 | flags([(*load, 4), (*eject, 3), (*lock, 0)])),
            Self::WriteProtect(protection) => word(protection.bits()),
            Self::Timeout { group_3_unit } => match group_3_unit {
                Some(unit) => [&[1, 0][..], &unit.to_be_bytes()].concat(),
                None => Vec::new(),
            },
            Self::RealTimeStreaming(streaming) => word(streaming.bits()),
            Self::SerialNumber(data) | Self::Unknown { data, .. } => data.clone(),
            Self::DiscControlBlocks(identifiers) => {
                let identifiers = &identifiers[..identifiers.len().min(62)];
                identifiers.iter().flat_map(|id| id.to_be_bytes()).collect()
            }
            Self::FirmwareDate(date) => date.to_vec(),
            _ => self.encode_blocks_and_media(),
        }
    }

    /// The data of features about how blocks are addressed, and of those without data.
    fn encode_blocks_and_media(&self) -> Vec<u8> {
        match self {
            Self::RandomReadable {
                block_size,
                blocking,
                error_recovery_page,
            }
            | Self::WriteOnce {
                block_size,
                blocking,
                error_recovery_page,
            } => encode_blocks(*block_size, *blocking, *error_recovery_page),
            Self::RandomWritable {
                last_lba,
                block_size,
                blocking,
                error_recovery_page,
            } => {
                let blocks = encode_blocks(*block_size, *blocking, *error_recovery_page);
                [&last_lba.get().to_be_bytes()[..], &blocks].concat()
            }
            Self::IncrementalStreaming(streaming) => streaming.encode(),
            Self::Formattable(ways) => encode_ways(*ways),
            Self::DefectManagement {
                spare_area_information,
            } => word(flags([(*spare_area_information, 7)])),
            _ => self.encode_media(),
        }
    }

    /// The data of features about kinds of media.
    fn encode_media(&self) -> Vec<u8> {
        match self {
            Self::CdRead(reading) => word(reading.bits()),
            Self::DvdRead {
                multi_110,
                dual_layer_rw,
                dual_layer_r,
            } => {
                let layers = flags([(*dual_layer_rw, 1), (*dual_layer_r, 0)]);
                vec![u8::from(*multi_110), 0, layers, 0]
            }
            Self::MountRainier(ways) => word(ways.bits()),
            Self::DvdPlusRw {
                write,
                quick_start,
                close_only,
            }
            | Self::DvdPlusRwDualLayer {
                write,
                quick_start,
                close_only,
            } => {
                let ways = flags([(*quick_start, 1), (*close_only, 0)]);
                vec![u8::from(*write), ways, 0, 0]
            }
            Self::DvdPlusR { write } | Self::DvdPlusRDualLayer { write } => word(u8::from(*write)),
            Self::RigidRestrictedOverwrite(overwriting) => word(overwriting.bits()),
            Self::CdTrackAtOnce {
                writing,
                data_types,
            } => {
                let [high, low] = data_types.to_be_bytes();
                vec![writing.bits(), 0, high, low]
            }
            Self::CdMastering {
                writing,
                cue_sheet_max,
            } => {
                let [_, high, middle, low] = cue_sheet_max.to_be_bytes();
                vec![writing.bits(), high, middle, low]
            }
            Self::DvdMinusWrite(writing) => word(writing.bits()),
            Self::LayerJump(sizes) => {
                let mut data = vec![0; 3];
                push_link_sizes(&mut data, sizes);
                data
            }
            Self::CdRwMediaWrite(subtypes) => vec![0, *subtypes, 0, 0],
            Self::BdPseudoOverwrite => word(0),
            Self::BdRead(classes) => classes.encode(),
            Self::BdWrite(classes) => classes.encode(),
            _ => Vec::new(), // the feature is its code
        }
    }

    /// The feature with this code and data; data that are missing read as zero. The error is
    /// the value that makes no sense.
    pub(in crate::reply) fn decode(code: u16, data: &[u8]) -> Result<Self, u32> {
        let fields = Fields::new("feature", data, 0).map_err(|_| 0u32)?;
        Ok(match code {
            0x0000 => Self::ProfileList(decode_profiles(data)),
            0x0001 => Self::Core {
                interface: fields.u32(0),
                inquiry_pages: fields.bit(4, 1),
            },
            0x0002 => Self::Morphing {
                operational_change: fields.bit(0, 1),
            },
            0x0003 => Self::RemovableMedium {
                mechanism: fields.u8(0) >> 5,
                load: fields.bit(0, 4),
                eject: fields.bit(0, 3),
                lock: fields.bit(0, 0),
            },
            0x0004 => Self::WriteProtect(WriteProtection::from_bits(fields.u8(0))),
            0x0010..=0x0027 => return Self::decode_blocks(code, fields),
            0x0028..=0x0041 => Self::decode_media(code, fields),
            0x0100 if data.is_empty() => Self::PowerManagement,
            0x0105 => Self::Timeout {
                group_3_unit: fields.bit(0, 0).then_some(fields.u16(2)),
            },
            0x0107 => Self::RealTimeStreaming(StreamingSupport::from_bits(fields.u8(0))),
            0x0108 => Self::SerialNumber(words(data)),
            0x010a => Self::DiscControlBlocks(
                (0..data.len() / 4)
                    .map(|index| fields.u32(index * 4))
                    .collect(),
            ),
            0x010c => Self::FirmwareDate(fields.array(0)),
            _ => Self::unknown(code, fields),
        })
    }

    fn unknown(code: u16, fields: Fields<'_>) -> Self {
        Self::Unknown {
            code,
            data: words(fields.from(0)),
        }
    }

    /// A feature of the codes 0010h to 0027h.
    fn decode_blocks(code: u16, fields: Fields<'_>) -> Result<Self, u32> {
        Ok(match code {
            0x0010 => Self::RandomReadable {
                block_size: fields.u32(0),
                blocking: unit(fields.u16(4))?,
                error_recovery_page: fields.bit(6, 0),
            },
            0x001d => Self::MultiRead,
            0x001e => Self::CdRead(CdReading::from_bits(fields.u8(0))),
            0x001f => Self::DvdRead {
                multi_110: fields.bit(0, 0),
                dual_layer_rw: fields.bit(2, 1),
                dual_layer_r: fields.bit(2, 0),
            },
            Self::RANDOM_WRITABLE => Self::RandomWritable {
                last_lba: Lba::checked(u64::from(fields.u32(0))).ok_or(fields.u32(0))?,
                block_size: fields.u32(4),
                blocking: unit(fields.u16(8))?,
                error_recovery_page: fields.bit(10, 0),
            },
            Self::INCREMENTAL_STREAMING => {
                Self::IncrementalStreaming(IncrementalStreaming::decode(fields))
            }
            Self::FORMATTABLE => Self::Formattable(decode_ways(fields)),
            Self::DEFECT_MANAGEMENT => Self::DefectManagement {
                spare_area_information: fields.bit(0, 7),
            },
            Self::WRITE_ONCE => Self::WriteOnce {
                block_size: fields.u32(0),
                blocking: unit(fields.u16(4))?,
                error_recovery_page: fields.bit(6, 0),
            },
            0x0026 => Self::RestrictedOverwrite,
            _ => Self::unknown(code, fields),
        })
    }

    /// A feature of the codes 0028h to 0041h.
    fn decode_media(code: u16, fields: Fields<'_>) -> Self {
        let first = fields.u8(0);
        let write = fields.bit(0, 0);
        let (quick_start, close_only) = (fields.bit(1, 1), fields.bit(1, 0));
        match code {
            0x0028 => Self::MountRainier(MountRainier::from_bits(first)),
            0x002a => Self::DvdPlusRw {
                write,
                quick_start,
                close_only,
            },
            0x002b => Self::DvdPlusR { write },
            Self::RIGID_RESTRICTED_OVERWRITE => {
                Self::RigidRestrictedOverwrite(RigidOverwriting::from_bits(first))
            }
            0x002d => Self::CdTrackAtOnce {
                writing: CdTrackWriting::from_bits(first),
                data_types: fields.u16(2),
            },
            0x002e => Self::CdMastering {
                writing: CdSessionWriting::from_bits(first),
                cue_sheet_max: fields.u32(0) & 0x00ff_ffff,
            },
            0x002f => Self::DvdMinusWrite(DvdMinusWriting::from_bits(first)),
            0x0033 => Self::LayerJump(link_sizes(fields)),
            0x0037 => Self::CdRwMediaWrite(fields.u8(1)),
            Self::BD_PSEUDO_OVERWRITE => Self::BdPseudoOverwrite,
            0x003a => Self::DvdPlusRwDualLayer {
                write,
                quick_start,
                close_only,
            },
            0x003b => Self::DvdPlusRDualLayer { write },
            0x0040 => Self::BdRead(BdReadClasses::decode(fields)),
            0x0041 => Self::BdWrite(BdWriteClasses::decode(fields)),
            _ => Self::unknown(code, fields),
        }
    }
}

/// One byte of flags and three that are reserved.
fn word(first: u8) -> Vec<u8> {
    vec![first, 0, 0, 0]
}

/// Data filled up to whole words of 4 bytes, which is how it travels.
fn words(data: &[u8]) -> Vec<u8> {
    let mut words = data.to_vec();
    words.resize(data.len().next_multiple_of(4).min(252), 0);
    words
}

/// The way of BD-R stands in a byte of its own.
fn encode_ways(ways: FormattableWays) -> Vec<u8> {
    let others = FormattableWays {
        random_recording: false,
        ..ways
    };
    let random = u8::from(ways.random_recording);
    vec![others.bits(), 0, 0, 0, random, 0, 0, 0]
}

fn decode_ways(fields: Fields<'_>) -> FormattableWays {
    FormattableWays {
        random_recording: fields.bit(4, 0),
        ..FormattableWays::from_bits(fields.u8(0))
    }
}

fn encode_blocks(block_size: u32, blocking: WriteUnit, error_recovery_page: bool) -> Vec<u8> {
    let blocking = u16::try_from(blocking.blocks().get()).unwrap_or(u16::MAX);
    let mut data = block_size.to_be_bytes().to_vec();
    data.extend(blocking.to_be_bytes());
    data.extend([u8::from(error_recovery_page), 0]);
    data
}

/// The blocking factor as a write unit; zero, which some drives report without a medium,
/// counts as one block.
fn unit(blocking: u16) -> Result<WriteUnit, u32> {
    WriteUnit::new(u32::from(blocking.max(1))).ok_or(u32::from(blocking))
}

fn encode_profiles(profiles: &[ProfileDescriptor]) -> Vec<u8> {
    const MOST: usize = 62; // the length is one byte
    let mut data = Vec::with_capacity(profiles.len() * 4);
    for descriptor in profiles.iter().take(MOST) {
        data.extend(descriptor.profile.0.to_be_bytes());
        data.extend([u8::from(descriptor.current), 0]);
    }
    data
}

fn decode_profiles(data: &[u8]) -> Vec<ProfileDescriptor> {
    data.chunks_exact(4)
        .map(|entry| ProfileDescriptor {
            profile: Profile(u16::from_be_bytes([entry[0], entry[1]])),
            current: entry[2] & 1 == 1,
        })
        .collect()
}
