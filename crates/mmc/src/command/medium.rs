//! What is on the medium and how it is laid out.

use reburn_blocks::Lba;

use super::{Fields, bare_commands};
use crate::{Cdb, Sense};

bare_commands! {
    /// The last block (MMC-6, READ CAPACITY).
    ReadCapacity;
}

/// Declares commands that hold an allocation length and, in byte 1, nothing else.
macro_rules! allocations {
    ($($(#[$doc:meta])* $name:ident;)+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $name {
                /// Bytes of reply that the host has room for.
                pub allocation: u16,
            }

            impl Fields for $name {
                fn put(&self, cdb: &mut Cdb) {
                    cdb.set_u16(7, self.allocation);
                }

                fn get(cdb: &Cdb) -> Result<Self, Sense> {
                    Ok(Self { allocation: cdb.u16(7) })
                }
            }
        )+
    };
}

allocations! {
    /// How the medium is formatted and could be (MMC-6, READ FORMAT CAPACITIES).
    ReadFormatCapacities;
}

/// Which disc information is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscInformationType {
    /// Status, sessions, tracks.
    Standard = 0,
    /// How many tracks are possible.
    TrackResources = 1,
    /// How many pseudo-overwrites are left on a BD-R.
    PseudoOverwrite = 2,
}

/// The state of the disc as a whole (MMC-6, READ DISC INFORMATION).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadDiscInformation {
    /// Which information.
    pub kind: DiscInformationType,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for ReadDiscInformation {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, self.kind as u8);
        cdb.set_u16(7, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let kind = match cdb.u8(1) & 7 {
            0 => DiscInformationType::Standard,
            1 => DiscInformationType::TrackResources,
            2 => DiscInformationType::PseudoOverwrite,
            _ => return Err(Sense::INVALID_FIELD_IN_CDB),
        };
        Ok(Self {
            kind,
            allocation: cdb.u16(7),
        })
    }
}

/// How a track is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackAddress {
    /// The track that holds a block.
    Lba(Lba),
    /// By its number; FFh stands for the one that is not written yet.
    Track(u32),
    /// The first one of a session.
    Session(u32),
}

/// The state of one track (MMC-6, READ TRACK INFORMATION).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadTrackInformation {
    /// Which track.
    pub address: TrackAddress,
    /// Whether to take the first open track from there on.
    pub open: bool,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for ReadTrackInformation {
    fn put(&self, cdb: &mut Cdb) {
        let (kind, value) = match self.address {
            TrackAddress::Lba(lba) => (0, lba.get()),
            TrackAddress::Track(number) => (1, number),
            TrackAddress::Session(number) => (2, number),
        };
        cdb.set(1, kind);
        cdb.set_bit(1, 2, self.open);
        cdb.set_u32(2, value);
        cdb.set_u16(7, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let address = match cdb.u8(1) & 3 {
            0 => TrackAddress::Lba(cdb.lba(2)?),
            1 => TrackAddress::Track(cdb.u32(2)),
            2 => TrackAddress::Session(cdb.u32(2)),
            _ => return Err(Sense::INVALID_FIELD_IN_CDB),
        };
        Ok(Self {
            address,
            open: cdb.bit(1, 2),
            allocation: cdb.u16(7),
        })
    }
}

/// Which table READ TOC/PMA/ATIP returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TocFormat {
    /// Tracks and where they start.
    Tracks = 0,
    /// Where the last closed session starts.
    Sessions = 1,
    /// Every entry of a CD's lead-in.
    Full = 2,
    /// A CD's program memory area.
    Pma = 3,
    /// A recordable CD's pre-groove data.
    Atip = 4,
    /// Titles in a CD's lead-in.
    CdText = 5,
}

/// Tracks and sessions as tables (MMC-6, READ TOC/PMA/ATIP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadToc {
    /// Whether addresses are minutes, seconds and frames and not block numbers.
    pub msf: bool,
    /// Which table.
    pub format: TocFormat,
    /// The first track or session.
    pub first: u8,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for ReadToc {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 1, self.msf);
        cdb.set(2, self.format as u8);
        cdb.set(6, self.first);
        cdb.set_u16(7, self.allocation);
    }

    /// Older hosts put formats 1 and 2 into the last byte (SFF-8020); there they count only
    /// if byte 2 is zero.
    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let code = match cdb.u8(2) & 0x0f {
            0 => cdb.u8(9) >> 6,
            code => code,
        };
        let format = match code {
            0 => TocFormat::Tracks,
            1 => TocFormat::Sessions,
            2 => TocFormat::Full,
            3 => TocFormat::Pma,
            4 => TocFormat::Atip,
            5 => TocFormat::CdText,
            _ => return Err(Sense::INVALID_FIELD_IN_CDB),
        };
        Ok(Self {
            msf: cdb.bit(1, 1),
            format,
            first: cdb.u8(6),
            allocation: cdb.u16(7),
        })
    }
}

/// Whose structures READ DISC STRUCTURE returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// DVD.
    Dvd = 0,
    /// Blu-ray.
    BluRay = 1,
}

impl MediaType {
    pub(super) fn from_low_bits(code: u8) -> Result<Self, Sense> {
        match code & 0x0f {
            0 => Ok(Self::Dvd),
            1 => Ok(Self::BluRay),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }
}

/// Structures outside the user's blocks (MMC-6, READ DISC STRUCTURE).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadDiscStructure {
    /// Whose structures.
    pub media: MediaType,
    /// Meaning depends on the format.
    pub address: u32,
    /// The layer.
    pub layer: u8,
    /// Which structure.
    pub format: u8,
    /// Bytes of reply that the host has room for.
    pub allocation: u16,
}

impl Fields for ReadDiscStructure {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, self.media as u8);
        cdb.set_u32(2, self.address);
        cdb.set(6, self.layer);
        cdb.set(7, self.format);
        cdb.set_u16(8, self.allocation);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            media: MediaType::from_low_bits(cdb.u8(1))?,
            address: cdb.u32(2),
            layer: cdb.u8(6),
            format: cdb.u8(7),
            allocation: cdb.u16(8),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, check};
    use super::*;

    #[test]
    fn golden_bytes_of_questions() {
        check(ReadCapacity, &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        check(
            ReadFormatCapacities { allocation: 0x0102 },
            &[0x23, 0, 0, 0, 0, 0, 0, 1, 2, 0],
        );
        let kind = DiscInformationType::PseudoOverwrite;
        check(
            ReadDiscInformation {
                kind,
                allocation: 34,
            },
            &[0x51, 2, 0, 0, 0, 0, 0, 0, 34, 0],
        );
        for (address, kind, open) in [
            (TrackAddress::Lba(Lba::new(0x01020304)), 0, false),
            (TrackAddress::Track(0x01020304), 1, false),
            (TrackAddress::Session(0x01020304), 6, true),
        ] {
            check(
                ReadTrackInformation {
                    address,
                    open,
                    allocation: 48,
                },
                &[0x52, kind, 1, 2, 3, 4, 0, 0, 48, 0],
            );
        }
        let structure = ReadDiscStructure {
            media: MediaType::BluRay,
            address: 0x01020304,
            layer: 1,
            format: 0x0a,
            allocation: 0x1002,
        };
        check(structure, &[0xad, 1, 1, 2, 3, 4, 1, 0x0a, 0x10, 2, 0, 0]);
    }

    #[test]
    fn the_format_of_a_toc_stands_in_two_places() {
        let sessions = ReadToc {
            msf: false,
            format: TocFormat::Sessions,
            first: 0,
            allocation: 12,
        };
        check(sessions, &[0x43, 0, 1, 0, 0, 0, 0, 0, 12, 0]);
        let by_old_host = [0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40];
        assert_eq!(Command::decode(&by_old_host), Ok(sessions.into()));
    }

    #[test]
    fn what_no_drive_accepts_is_refused() {
        for bytes in [
            &[0x51, 3, 0, 0, 0, 0, 0, 0, 34, 0][..],
            &[0x52, 3, 0, 0, 0, 0, 0, 0, 34, 0],
            &[0x43, 0, 6, 0, 0, 0, 0, 0, 12, 0],
            &[0xad, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0],
        ] {
            assert_eq!(
                Command::decode(bytes),
                Err(Sense::INVALID_FIELD_IN_CDB),
                "{bytes:02x?}"
            );
        }
    }
}
