//! Features: what a drive can do with a medium (MMC-6, Features).

use reburn_blocks::{Lba, WriteUnit};

use crate::Profile;
use crate::bytes::{BLOCK_BYTES, Fields, flags};

/// One entry of the profile list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileDescriptor {
    /// The kind of medium.
    pub profile: Profile,
    /// Whether such a medium is loaded.
    pub current: bool,
}

/// Declares a set of flags that travels as one byte: field, bit, meaning.
macro_rules! bit_fields {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $bit:literal, $meaning:literal;)+ }) => {
        $(#[$doc])*
        #[allow(clippy::struct_excessive_bools)] // a bit each in the feature
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct $name {
            $(#[doc = $meaning] pub $field: bool,)+
        }

        impl $name {
            const fn bits(self) -> u8 {
                $((self.$field as u8) << $bit |)+ 0
            }

            const fn from_bits(byte: u8) -> Self {
                Self { $($field: byte >> $bit & 1 == 1,)+ }
            }
        }
    };
}

bit_fields! {
    /// How a medium can be formatted.
    FormattableWays {
        spare_areas: 3, "Whether spare areas can be left out (BD-RE).";
        expandable: 2, "Whether spare areas can be enlarged (DVD-RAM, BD-RE).";
        quick_certification: 1, "Whether a quick certification can be chosen.";
        certification: 0, "Whether a full certification can be chosen.";
    }
}

bit_fields! {
    /// How speeds are reported and set.
    StreamingSupport {
        buffer_capacity_in_blocks: 4, "Whether READ BUFFER CAPACITY counts blocks.";
        set_cd_speed: 3, "Whether SET CD SPEED works.";
        write_speeds_in_page_2a: 2, "Whether page 2Ah lists write speeds.";
        write_speeds: 1, "Whether GET PERFORMANCE lists write speeds.";
        stream_writing: 0, "Whether SET STREAMING sets write speeds.";
    }
}

/// What a drive can do. Features that hold much and matter little here keep their data as
/// bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feature {
    /// 0000h: the kinds of media the drive handles, best first; at most 62.
    ProfileList(Vec<ProfileDescriptor>),
    /// 0001h: how the drive is attached (1 SCSI, 2 ATAPI, 7 serial ATAPI, 8 USB).
    Core {
        /// The code of the interface.
        interface: u32,
        /// Whether INQUIRY with pages works as SPC-3 says.
        inquiry_pages: bool,
    },
    /// 0002h: the drive reports what changes by itself.
    Morphing {
        /// Whether operational changes are among the events.
        operational_change: bool,
    },
    /// 0003h: the medium can be removed.
    RemovableMedium {
        /// The mechanism: 0 caddy, 1 tray.
        mechanism: u8,
        /// Whether the drive can load the medium by itself.
        load: bool,
        /// Whether the drive can eject it by command.
        eject: bool,
        /// Whether it can be locked in.
        lock: bool,
    },
    /// 0010h: blocks can be read in any order.
    RandomReadable {
        /// Bytes in a block.
        block_size: u32,
        /// What the medium delivers at once.
        blocking: WriteUnit,
        /// Whether the page of read error recovery exists.
        error_recovery_page: bool,
    },
    /// 001Fh: DVDs can be read. The data say which.
    DvdRead(Vec<u8>),
    /// 0020h: blocks can be written in any order.
    RandomWritable {
        /// The last block that can be written.
        last_lba: Lba,
        /// Bytes in a block.
        block_size: u32,
        /// What the medium records at once.
        blocking: WriteUnit,
        /// Whether the page of error recovery exists.
        error_recovery_page: bool,
    },
    /// 0023h: the medium can be formatted.
    Formattable(FormattableWays),
    /// 0024h: the drive replaces bad blocks by itself.
    DefectManagement {
        /// Whether the state of the spare areas can be read.
        spare_area_information: bool,
    },
    /// 002Ah: DVD+RW.
    DvdPlusRw {
        /// Whether it can be written.
        write: bool,
        /// Whether a format can be ended early, for readers.
        quick_start: bool,
        /// Whether closing is all that can be done to it.
        close_only: bool,
    },
    /// 0040h: Blu-ray can be read. The data say which versions.
    BdRead(Vec<u8>),
    /// 0041h: Blu-ray can be written. The data say which versions.
    BdWrite(Vec<u8>),
    /// 0100h: power management.
    PowerManagement,
    /// 0105h: commands time out. The data say when.
    Timeout(Vec<u8>),
    /// 0107h: speeds are reported and set in real time.
    RealTimeStreaming(StreamingSupport),
    /// 0108h: the drive's serial number, ASCII.
    SerialNumber(Vec<u8>),
    /// A feature without a case here.
    Unknown {
        /// Its code.
        code: u16,
        /// Its data, whole words of 4 bytes.
        data: Vec<u8>,
    },
}

impl Feature {
    /// The code of [`Feature::RandomWritable`].
    pub const RANDOM_WRITABLE: u16 = 0x0020;
    /// The code of [`Feature::Formattable`].
    pub const FORMATTABLE: u16 = 0x0023;
    /// The code of [`Feature::DefectManagement`].
    pub const DEFECT_MANAGEMENT: u16 = 0x0024;

    /// The feature's code.
    pub const fn code(&self) -> u16 {
        match self {
            Self::ProfileList(_) => 0x0000,
            Self::Core { .. } => 0x0001,
            Self::Morphing { .. } => 0x0002,
            Self::RemovableMedium { .. } => 0x0003,
            Self::RandomReadable { .. } => 0x0010,
            Self::DvdRead(_) => 0x001f,
            Self::RandomWritable { .. } => Self::RANDOM_WRITABLE,
            Self::Formattable(_) => Self::FORMATTABLE,
            Self::DefectManagement { .. } => Self::DEFECT_MANAGEMENT,
            Self::DvdPlusRw { .. } => 0x002a,
            Self::BdRead(_) => 0x0040,
            Self::BdWrite(_) => 0x0041,
            Self::PowerManagement => 0x0100,
            Self::Timeout(_) => 0x0105,
            Self::RealTimeStreaming(_) => 0x0107,
            Self::SerialNumber(_) => 0x0108,
            Self::Unknown { code, .. } => *code,
        }
    }

    /// The data after the descriptor's head of 4 bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
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
            Self::RandomReadable {
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
            Self::Formattable(ways) => [ways.bits(), 0, 0, 0, 0, 0, 0, 0].to_vec(),
            Self::DefectManagement {
                spare_area_information,
            } => word(flags([(*spare_area_information, 7)])),
            Self::DvdPlusRw {
                write,
                quick_start,
                close_only,
            } => {
                vec![
                    u8::from(*write),
                    flags([(*quick_start, 1), (*close_only, 0)]),
                    0,
                    0,
                ]
            }
            Self::RealTimeStreaming(streaming) => word(streaming.bits()),
            Self::PowerManagement => Vec::new(),
            Self::DvdRead(data)
            | Self::Timeout(data)
            | Self::BdRead(data)
            | Self::BdWrite(data)
            | Self::SerialNumber(data)
            | Self::Unknown { data, .. } => data.clone(),
        }
    }

    /// The feature with this code and data; data that are missing read as zero. The error is
    /// the value that makes no sense.
    pub(super) fn decode(code: u16, data: &[u8]) -> Result<Self, u32> {
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
            0x0010 => Self::RandomReadable {
                block_size: fields.u32(0),
                blocking: unit(fields.u16(4))?,
                error_recovery_page: fields.bit(6, 0),
            },
            0x001f => Self::DvdRead(words(data)),
            Self::RANDOM_WRITABLE => Self::RandomWritable {
                last_lba: Lba::checked(u64::from(fields.u32(0))).ok_or(fields.u32(0))?,
                block_size: fields.u32(4),
                blocking: unit(fields.u16(8))?,
                error_recovery_page: fields.bit(10, 0),
            },
            Self::FORMATTABLE => Self::Formattable(FormattableWays::from_bits(fields.u8(0))),
            Self::DEFECT_MANAGEMENT => Self::DefectManagement {
                spare_area_information: fields.bit(0, 7),
            },
            0x002a => Self::DvdPlusRw {
                write: fields.bit(0, 0),
                quick_start: fields.bit(1, 1),
                close_only: fields.bit(1, 0),
            },
            0x0040 => Self::BdRead(words(data)),
            0x0041 => Self::BdWrite(words(data)),
            0x0100 if data.is_empty() => Self::PowerManagement,
            0x0105 => Self::Timeout(words(data)),
            0x0107 => Self::RealTimeStreaming(StreamingSupport::from_bits(fields.u8(0))),
            0x0108 => Self::SerialNumber(words(data)),
            _ => Self::Unknown {
                code,
                data: words(data),
            },
        })
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

impl Feature {
    /// Ordinary blocks, readable in any order.
    pub const fn random_readable(blocking: WriteUnit) -> Self {
        Self::RandomReadable {
            block_size: BLOCK_BYTES,
            blocking,
            error_recovery_page: true,
        }
    }

    /// Ordinary blocks up to `last_lba`, writable in any order.
    pub const fn random_writable(last_lba: Lba, blocking: WriteUnit) -> Self {
        Self::RandomWritable {
            last_lba,
            block_size: BLOCK_BYTES,
            blocking,
            error_recovery_page: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(feature: &Feature, data: &[u8]) {
        assert_eq!(feature.encode(), data, "{feature:?}");
        assert_eq!(Feature::decode(feature.code(), data).as_ref(), Ok(feature));
    }

    #[test]
    fn golden_bytes_of_what_a_drive_is() {
        check(
            &Feature::Core {
                interface: 7,
                inquiry_pages: true,
            },
            &[0, 0, 0, 7, 2, 0, 0, 0],
        );
        check(
            &Feature::Morphing {
                operational_change: true,
            },
            &[2, 0, 0, 0],
        );
        check(
            &Feature::RemovableMedium {
                mechanism: 1,
                load: true,
                eject: true,
                lock: true,
            },
            &[0x39, 0, 0, 0],
        );
        check(&Feature::PowerManagement, &[]);
        check(&Feature::Timeout(Vec::new()), &[]);
        check(
            &Feature::RealTimeStreaming(StreamingSupport {
                stream_writing: true,
                write_speeds: true,
                write_speeds_in_page_2a: true,
                set_cd_speed: true,
                buffer_capacity_in_blocks: false,
            }),
            &[0x0f, 0, 0, 0],
        );
        check(&Feature::SerialNumber(b"12345678".to_vec()), b"12345678");
    }

    #[test]
    fn golden_bytes_of_what_a_medium_allows() {
        check(
            &Feature::random_readable(WriteUnit::DVD),
            &[0, 0, 8, 0, 0, 16, 1, 0],
        );
        check(
            &Feature::Formattable(FormattableWays {
                spare_areas: true,
                expandable: false,
                certification: true,
                quick_certification: false,
            }),
            &[0x09, 0, 0, 0, 0, 0, 0, 0],
        );
        check(
            &Feature::DefectManagement {
                spare_area_information: true,
            },
            &[0x80, 0, 0, 0],
        );
        check(
            &Feature::DvdPlusRw {
                write: true,
                quick_start: true,
                close_only: false,
            },
            &[1, 2, 0, 0],
        );
        check(&Feature::DvdRead(vec![0, 0, 0, 0]), &[0, 0, 0, 0]);
        check(
            &Feature::BdWrite(vec![0, 0, 0, 0, 0, 1, 0, 3]),
            &[0, 0, 0, 0, 0, 1, 0, 3],
        );
    }

    #[test]
    fn an_address_without_a_block_is_refused() {
        assert_eq!(Feature::decode(0x0020, &[0xff; 12]), Err(u32::MAX));
    }
}
