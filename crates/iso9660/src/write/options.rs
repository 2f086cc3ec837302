//! What a volume shall look like.

use reburn_tree::Timestamp;

use crate::names::{NameRules, PlainLevel};

/// Which hierarchies a volume has, which rules they obey, and what its descriptors say.
///
/// The default is level 3 with Rock Ridge and Joliet and no texts or dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsoOptions {
    /// Limits of the primary hierarchy.
    pub level: Level,
    /// Whether there is a Joliet hierarchy, and how long its names may be.
    pub joliet: Joliet,
    /// Whether the primary hierarchy has POSIX names and attributes.
    pub rock_ridge: bool,
    /// What becomes of folders that lie too deep for the primary hierarchy.
    pub deep: DeepDirectories,
    /// Whether there is a hierarchy as in ISO 9660:1999, with names of 207 bytes.
    pub enhanced: bool,
    /// Texts of the volume descriptors.
    pub texts: VolumeTexts,
    /// Dates of the volume descriptors.
    pub dates: VolumeDates,
}

impl Default for IsoOptions {
    fn default() -> Self {
        Self {
            level: Level::Three,
            joliet: Joliet::Strict64,
            rock_ridge: true,
            deep: DeepDirectories::Relocate,
            enhanced: false,
            texts: VolumeTexts::default(),
            dates: VolumeDates::default(),
        }
    }
}

/// Level of interchange of the primary hierarchy (ECMA-119 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Names of 8 characters and 3 of extension, files of one section.
    One,
    /// Names of 30 characters with extension, files of one section.
    Two,
    /// Names of 30 characters with extension, files of any number of sections.
    Three,
}

impl Level {
    pub(crate) fn names(self) -> NameRules {
        NameRules::Plain(match self {
            Self::One => PlainLevel::Short,
            Self::Two | Self::Three => PlainLevel::Long,
        })
    }

    /// The number that the standard gives it.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
        }
    }
}

/// A second hierarchy with names in 16-bit characters (Joliet).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joliet {
    /// None.
    Off,
    /// Names of up to 64 characters, as specified.
    Strict64,
    /// Names of up to 103 characters, as many as a directory record holds. Windows and Linux
    /// read them.
    Relaxed103,
}

impl Joliet {
    pub(crate) fn names(self) -> Option<NameRules> {
        match self {
            Self::Off => None,
            Self::Strict64 => Some(NameRules::Joliet(64)),
            Self::Relaxed103 => Some(NameRules::Joliet(103)),
        }
    }
}

/// What becomes of folders that lie deeper than the eight levels of the primary hierarchy, or
/// whose paths are longer than 255 characters (ECMA-119 6.8.2.1). The other hierarchies have
/// no such limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeepDirectories {
    /// They are recorded in a hidden folder `rr_moved`; readers of Rock Ridge show them in
    /// their own place (RRIP 4.1.5). Without Rock Ridge they are refused.
    Relocate,
    /// They stay where they are, against the standard. All of today's readers find them.
    InPlace,
}

/// Texts of the volume descriptors. The primary descriptor has them in capital letters, digits
/// and a few signs, with `_` for all else; Joliet has them as given, cut where too long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VolumeTexts {
    /// The system that uses the first 16 blocks; 32 characters (ECMA-119 8.4.5).
    pub system: String,
    /// Name of the volume; 32 characters (ECMA-119 8.4.6).
    pub volume: String,
    /// Name of the set that the volume belongs to; 128 characters (ECMA-119 8.4.19).
    pub volume_set: String,
    /// Who made the content; 128 characters (ECMA-119 8.4.20).
    pub publisher: String,
    /// Who made the volume; 128 characters (ECMA-119 8.4.21).
    pub data_preparer: String,
    /// How the data are recorded; 128 characters (ECMA-119 8.4.22).
    pub application: String,
    /// Name of a file in the root folder with a copyright notice (ECMA-119 8.4.23).
    pub copyright_file: Option<Vec<u8>>,
    /// Name of a file in the root folder with an abstract (ECMA-119 8.4.24).
    pub abstract_file: Option<Vec<u8>>,
    /// Name of a file in the root folder with bibliographic records (ECMA-119 8.4.25).
    pub bibliographic_file: Option<Vec<u8>>,
}

/// Dates of the volume descriptors, where given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VolumeDates {
    /// When the volume was made (ECMA-119 8.4.26).
    pub created: Option<Timestamp>,
    /// When it last changed (ECMA-119 8.4.27).
    pub modified: Option<Timestamp>,
    /// When its content expires (ECMA-119 8.4.28).
    pub expires: Option<Timestamp>,
    /// From when on its content may be used (ECMA-119 8.4.29).
    pub effective: Option<Timestamp>,
}
