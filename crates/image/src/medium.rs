//! What an image must know of the medium it is for: its geometry, nothing of drives.

use reburn_blocks::{BlockCount, WriteUnit};

/// A kind of rewritable medium, or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Medium {
    /// An image file: any block can be written alone, and the file can grow.
    File,
    /// DVD+RW, 4.7 GB.
    DvdPlusRw,
    /// DVD-RAM, 4.7 GB, in its usual format.
    DvdRam,
    /// BD-RE with one layer, 25 GB, with the default spare areas.
    BdRe,
    /// BD-RE with two layers, 50 GB.
    BdReDl,
    /// BD-RE XL with three layers, 100 GB.
    BdReTl,
}

impl Medium {
    /// Every medium, in the order that help texts list them.
    pub const ALL: [Self; 6] = [
        Self::File,
        Self::DvdPlusRw,
        Self::DvdRam,
        Self::BdRe,
        Self::BdReDl,
        Self::BdReTl,
    ];

    /// The name that a user gives: `file`, `dvd+rw`, `dvd-ram`, `bd-re`, `bd-re-dl`,
    /// `bd-re-tl`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::DvdPlusRw => "dvd+rw",
            Self::DvdRam => "dvd-ram",
            Self::BdRe => "bd-re",
            Self::BdReDl => "bd-re-dl",
            Self::BdReTl => "bd-re-tl",
        }
    }

    /// The medium of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|medium| medium.name() == name)
    }

    /// What the medium records, and loses, as a whole.
    pub const fn write_unit(self) -> WriteUnit {
        match self {
            Self::File => WriteUnit::FILE,
            Self::DvdPlusRw | Self::DvdRam => WriteUnit::DVD,
            Self::BdRe | Self::BdReDl | Self::BdReTl => WriteUnit::BLU_RAY,
        }
    }

    /// How many blocks the medium holds as it is usually formatted; `None` for a file, which
    /// grows.
    pub const fn capacity(self) -> Option<BlockCount> {
        match self {
            Self::File => None,
            Self::DvdPlusRw => Some(BlockCount::new(2_295_104)),
            Self::DvdRam => Some(BlockCount::new(2_236_704)),
            Self::BdRe => Some(BlockCount::new(11_826_176)),
            Self::BdReDl => Some(BlockCount::new(23_652_352)),
            Self::BdReTl => Some(BlockCount::new(47_305_728)),
        }
    }
}

impl std::fmt::Display for Medium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
