//! Features: what a drive can do with a medium (MMC-6, Features).

use reburn_blocks::{Lba, WriteUnit};

mod bits;
mod parts;
mod wire;

pub use bits::{
    CdReading, CdSessionWriting, CdTrackWriting, DvdMinusWriting, FormattableWays, MountRainier,
    RigidOverwriting, StreamingSupport, WriteProtection,
};
pub use parts::{BdReadClasses, BdWriteClasses, IncrementalStreaming};

use crate::Profile;
use crate::bytes::BLOCK_BYTES;

/// One entry of the profile list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileDescriptor {
    /// The kind of medium.
    pub profile: Profile,
    /// Whether such a medium is loaded.
    pub current: bool,
}

/// What a drive can do.
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
    /// 0004h: writing can be forbidden.
    WriteProtect(WriteProtection),
    /// 0010h: blocks can be read in any order.
    RandomReadable {
        /// Bytes in a block.
        block_size: u32,
        /// What the medium delivers at once.
        blocking: WriteUnit,
        /// Whether the page of read error recovery exists.
        error_recovery_page: bool,
    },
    /// 001Dh: every kind of CD can be read.
    MultiRead,
    /// 001Eh: sectors of CDs can be read whole.
    CdRead(CdReading),
    /// 001Fh: DVDs can be read.
    DvdRead {
        /// Whether as the specification 1.1 of DVD-ROM says.
        multi_110: bool,
        /// Whether DVD-RW with two layers too.
        dual_layer_rw: bool,
        /// Whether DVD-R with two layers too.
        dual_layer_r: bool,
    },
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
    /// 0021h: data can be appended in pieces.
    IncrementalStreaming(IncrementalStreaming),
    /// 0023h: the medium can be formatted.
    Formattable(FormattableWays),
    /// 0024h: the drive replaces bad blocks by itself.
    DefectManagement {
        /// Whether the state of the spare areas can be read.
        spare_area_information: bool,
    },
    /// 0025h: each write unit can be written once, in any order (BD-R).
    WriteOnce {
        /// Bytes in a block.
        block_size: u32,
        /// What the medium records at once.
        blocking: WriteUnit,
        /// Whether the page of error recovery exists.
        error_recovery_page: bool,
    },
    /// 0026h: packets can be overwritten (formatted CD-RW, DVD-RW).
    RestrictedOverwrite,
    /// 0028h: Mount Rainier.
    MountRainier(MountRainier),
    /// 002Ah: DVD+RW.
    DvdPlusRw {
        /// Whether it can be written.
        write: bool,
        /// Whether a format can be ended early, for readers.
        quick_start: bool,
        /// Whether closing is all that can be done to it.
        close_only: bool,
    },
    /// 002Bh: DVD+R.
    DvdPlusR {
        /// Whether it can be written.
        write: bool,
    },
    /// 002Ch: DVD-RW in restricted overwrite mode.
    RigidRestrictedOverwrite(RigidOverwriting),
    /// 002Dh: CDs are recorded track at once.
    CdTrackAtOnce {
        /// How.
        writing: CdTrackWriting,
        /// The layouts of data that can be written, a bit each: bit 8 for 2048 bytes.
        data_types: u16,
    },
    /// 002Eh: CDs are recorded session at once.
    CdMastering {
        /// How.
        writing: CdSessionWriting,
        /// The longest cue sheet in bytes, 24 bits.
        cue_sheet_max: u32,
    },
    /// 002Fh: DVD-R and DVD-RW are recorded disc at once.
    DvdMinusWrite(DvdMinusWriting),
    /// 0033h: two layers are recorded with jumps between them. The link sizes, at most 248.
    LayerJump(Vec<u8>),
    /// 0037h: CD-RW is written. A bit for each subtype: standard 0, high speed 2, ultra 4.
    CdRwMediaWrite(u8),
    /// 0038h: recorded clusters of a BD-R can be replaced.
    BdPseudoOverwrite,
    /// 003Ah: DVD+RW with two layers.
    DvdPlusRwDualLayer {
        /// Whether it can be written.
        write: bool,
        /// Whether a format can be ended early, for readers.
        quick_start: bool,
        /// Whether closing is all that can be done to it.
        close_only: bool,
    },
    /// 003Bh: DVD+R with two layers.
    DvdPlusRDualLayer {
        /// Whether it can be written.
        write: bool,
    },
    /// 0040h: Blu-ray can be read.
    BdRead(BdReadClasses),
    /// 0041h: Blu-ray can be written.
    BdWrite(BdWriteClasses),
    /// 0100h: power management.
    PowerManagement,
    /// 0105h: commands time out. For the slow ones, seconds that each unit of data adds, if the
    /// drive has that group.
    Timeout {
        /// Bytes in a unit, if the group of slow transfers (group 3) exists.
        group_3_unit: Option<u16>,
    },
    /// 0107h: speeds are reported and set in real time.
    RealTimeStreaming(StreamingSupport),
    /// 0108h: the drive's serial number, ASCII.
    SerialNumber(Vec<u8>),
    /// 010Ah: disc control blocks can be read and sent. Their identifiers, at most 62.
    DiscControlBlocks(Vec<u32>),
    /// 010Ch: when the drive's firmware was made, ASCII: century, year, month, day, time.
    FirmwareDate([u8; 16]),
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
    /// The code of [`Feature::IncrementalStreaming`].
    pub const INCREMENTAL_STREAMING: u16 = 0x0021;
    /// The code of [`Feature::Formattable`].
    pub const FORMATTABLE: u16 = 0x0023;
    /// The code of [`Feature::DefectManagement`].
    pub const DEFECT_MANAGEMENT: u16 = 0x0024;
    /// The code of [`Feature::WriteOnce`].
    pub const WRITE_ONCE: u16 = 0x0025;
    /// The code of [`Feature::RigidRestrictedOverwrite`].
    pub const RIGID_RESTRICTED_OVERWRITE: u16 = 0x002c;
    /// The code of [`Feature::BdPseudoOverwrite`].
    pub const BD_PSEUDO_OVERWRITE: u16 = 0x0038;

    /// The feature's code.
    pub const fn code(&self) -> u16 {
        match self {
            Self::ProfileList(_) => 0x0000,
            Self::Core { .. } => 0x0001,
            Self::Morphing { .. } => 0x0002,
            Self::RemovableMedium { .. } => 0x0003,
            Self::WriteProtect(_) => 0x0004,
            Self::RandomReadable { .. } => 0x0010,
            Self::MultiRead => 0x001d,
            Self::CdRead(_) => 0x001e,
            Self::DvdRead { .. } => 0x001f,
            Self::RandomWritable { .. } => Self::RANDOM_WRITABLE,
            Self::IncrementalStreaming(_) => Self::INCREMENTAL_STREAMING,
            Self::Formattable(_) => Self::FORMATTABLE,
            Self::DefectManagement { .. } => Self::DEFECT_MANAGEMENT,
            Self::WriteOnce { .. } => Self::WRITE_ONCE,
            Self::RestrictedOverwrite => 0x0026,
            Self::MountRainier(_) => 0x0028,
            Self::DvdPlusRw { .. } => 0x002a,
            Self::DvdPlusR { .. } => 0x002b,
            Self::RigidRestrictedOverwrite(_) => Self::RIGID_RESTRICTED_OVERWRITE,
            Self::CdTrackAtOnce { .. } => 0x002d,
            Self::CdMastering { .. } => 0x002e,
            Self::DvdMinusWrite(_) => 0x002f,
            Self::LayerJump(_) => 0x0033,
            Self::CdRwMediaWrite(_) => 0x0037,
            Self::BdPseudoOverwrite => Self::BD_PSEUDO_OVERWRITE,
            Self::DvdPlusRwDualLayer { .. } => 0x003a,
            Self::DvdPlusRDualLayer { .. } => 0x003b,
            Self::BdRead(_) => 0x0040,
            Self::BdWrite(_) => 0x0041,
            Self::PowerManagement => 0x0100,
            Self::Timeout { .. } => 0x0105,
            Self::RealTimeStreaming(_) => 0x0107,
            Self::SerialNumber(_) => 0x0108,
            Self::DiscControlBlocks(_) => 0x010a,
            Self::FirmwareDate(_) => 0x010c,
            Self::Unknown { code, .. } => *code,
        }
    }
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
mod tests;
