//! What an image must know of the medium it is for: its geometry, nothing of drives.

use reburn_blocks::{BlockCount, WriteUnit};

/// A kind of medium, or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Medium {
    /// An image file: any block can be written alone, and the file can grow.
    File,
    /// CD-R of 80 minutes.
    CdR,
    /// CD-RW of 80 minutes, recorded as a CD-R is.
    CdRw,
    /// DVD-R, 4.7 GB.
    DvdR,
    /// DVD-R with two layers, 8.5 GB.
    DvdRDl,
    /// DVD-RW, 4.7 GB.
    DvdRw,
    /// DVD-RAM, 4.7 GB, in its usual format.
    DvdRam,
    /// DVD+RW, 4.7 GB.
    DvdPlusRw,
    /// DVD+R, 4.7 GB.
    DvdPlusR,
    /// DVD+R with two layers, 8.5 GB.
    DvdPlusRDl,
    /// BD-R with one layer, 25 GB, without spare areas.
    BdR,
    /// BD-R with two layers, 50 GB.
    BdRDl,
    /// BD-R XL with three layers, 100 GB.
    BdRTl,
    /// BD-R XL with four layers, 128 GB.
    BdRQl,
    /// BD-RE with one layer, 25 GB, with the default spare areas.
    BdRe,
    /// BD-RE with two layers, 50 GB.
    BdReDl,
    /// BD-RE XL with three layers, 100 GB.
    BdReTl,
    /// BD-RE XL with four layers, 128 GB.
    BdReQl,
}

impl Medium {
    /// Every medium, in the order that help texts list them.
    pub const ALL: [Self; 18] = [
        Self::File,
        Self::CdR,
        Self::CdRw,
        Self::DvdR,
        Self::DvdRDl,
        Self::DvdRw,
        Self::DvdRam,
        Self::DvdPlusRw,
        Self::DvdPlusR,
        Self::DvdPlusRDl,
        Self::BdR,
        Self::BdRDl,
        Self::BdRTl,
        Self::BdRQl,
        Self::BdRe,
        Self::BdReDl,
        Self::BdReTl,
        Self::BdReQl,
    ];

    /// The name that a user gives: `file`, `cd-r`, `dvd-rw`, `dvd+r-dl`, `bd-re-tl` and so on.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::CdR => "cd-r",
            Self::CdRw => "cd-rw",
            Self::DvdR => "dvd-r",
            Self::DvdRDl => "dvd-r-dl",
            Self::DvdRw => "dvd-rw",
            Self::DvdRam => "dvd-ram",
            Self::DvdPlusRw => "dvd+rw",
            Self::DvdPlusR => "dvd+r",
            Self::DvdPlusRDl => "dvd+r-dl",
            Self::BdR => "bd-r",
            Self::BdRDl => "bd-r-dl",
            Self::BdRTl => "bd-r-tl",
            Self::BdRQl => "bd-r-ql",
            Self::BdRe => "bd-re",
            Self::BdReDl => "bd-re-dl",
            Self::BdReTl => "bd-re-tl",
            Self::BdReQl => "bd-re-ql",
        }
    }

    /// The medium of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|medium| medium.name() == name)
    }

    /// What the medium records, and loses, as a whole.
    pub const fn write_unit(self) -> WriteUnit {
        match self {
            // A track of a CD holds any number of blocks, each with a code of its own.
            Self::File | Self::CdR | Self::CdRw => WriteUnit::FILE,
            Self::DvdR
            | Self::DvdRDl
            | Self::DvdRw
            | Self::DvdRam
            | Self::DvdPlusRw
            | Self::DvdPlusR
            | Self::DvdPlusRDl => WriteUnit::DVD,
            Self::BdR
            | Self::BdRDl
            | Self::BdRTl
            | Self::BdRQl
            | Self::BdRe
            | Self::BdReDl
            | Self::BdReTl
            | Self::BdReQl => WriteUnit::BLU_RAY,
        }
    }

    /// Whether a blank one is recorded from its first block on, one after the other. CD-RW and
    /// DVD-RW can be overwritten too, once they are formatted so.
    pub const fn is_sequential(self) -> bool {
        !matches!(
            self,
            Self::File
                | Self::DvdRam
                | Self::DvdPlusRw
                | Self::BdRe
                | Self::BdReDl
                | Self::BdReTl
                | Self::BdReQl
        )
    }

    /// How many blocks the medium holds as it is usually formatted; `None` for a file, which
    /// grows.
    pub const fn capacity(self) -> Option<BlockCount> {
        Some(BlockCount::new(match self {
            Self::File => return None,
            // The lead-out begins at 79:59:74 at the latest, two blocks of run-out before it.
            Self::CdR | Self::CdRw => 359_847,
            Self::DvdR | Self::DvdRw => 2_297_888,
            Self::DvdRDl => 4_171_712,
            Self::DvdRam => 2_236_704,
            Self::DvdPlusRw | Self::DvdPlusR => 2_295_104,
            Self::DvdPlusRDl => 4_173_824,
            Self::BdR => 12_219_392,
            Self::BdRDl => 24_438_784,
            Self::BdRTl => 48_878_592,
            Self::BdRQl => 62_500_864,
            Self::BdRe => 11_826_176,
            Self::BdReDl => 23_652_352,
            Self::BdReTl => 47_305_728,
            Self::BdReQl => 60_928_000,
        }))
    }
}

impl std::fmt::Display for Medium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_whole_write_units_and_names_lead_back() {
        for medium in Medium::ALL {
            assert_eq!(Medium::from_name(medium.name()), Some(medium));
            let capacity = medium.capacity().unwrap_or_default();
            assert_eq!(capacity.round_up(medium.write_unit()), capacity, "{medium}");
        }
    }
}
