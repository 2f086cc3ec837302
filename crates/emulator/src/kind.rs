//! The kinds of media, with the figures that never change.

use std::fmt;

use reburn_blocks::{BlockCount, WriteUnit};
use reburn_mmc::{Profile, Speed};

/// Spare clusters that a BD-RE gets on each layer unless a host asks otherwise: 4096 on the
/// inside, 8192 on the outside.
pub(crate) const BD_SPARE_CLUSTERS_PER_LAYER: u32 = 0x3000;

/// A kind of medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediumKind {
    /// DVD+RW, 4.7 GB.
    DvdPlusRw,
    /// DVD-RAM, 4.7 GB.
    DvdRam,
    /// BD-RE with one layer, 25 GB.
    BdRe,
    /// BD-RE with two layers, 50 GB.
    BdReDl,
    /// BD-RE with three layers, 100 GB.
    BdReTl,
}

impl MediumKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::DvdPlusRw,
        Self::DvdRam,
        Self::BdRe,
        Self::BdReDl,
        Self::BdReTl,
    ];

    /// The kind with this name, as [`MediumKind::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What programs call it: `dvd+rw`, `dvd-ram`, `bd-re`, `bd-re-dl`, `bd-re-tl`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DvdPlusRw => "dvd+rw",
            Self::DvdRam => "dvd-ram",
            Self::BdRe => "bd-re",
            Self::BdReDl => "bd-re-dl",
            Self::BdReTl => "bd-re-tl",
        }
    }

    /// What the medium records, and loses, as a whole.
    pub const fn write_unit(self) -> WriteUnit {
        if self.is_blu_ray() {
            WriteUnit::BLU_RAY
        } else {
            WriteUnit::DVD
        }
    }

    /// Blocks for data, formatted as drives format it unless told otherwise.
    pub const fn capacity(self) -> BlockCount {
        match self {
            Self::DvdPlusRw => BlockCount::new(2_295_104),
            Self::DvdRam => BlockCount::new(2_236_704),
            Self::BdRe | Self::BdReDl | Self::BdReTl => {
                let spare = BD_SPARE_CLUSTERS_PER_LAYER * self.layers();
                BlockCount::new(self.blocks_max().get() - spare * 32)
            }
        }
    }

    /// Blocks for data if no spare areas are set aside: more than any format gives.
    pub const fn blocks_max(self) -> BlockCount {
        BlockCount::new(match self {
            Self::DvdPlusRw => 2_295_104,
            Self::DvdRam => 2_295_072,
            Self::BdRe => 12_219_392,
            Self::BdReDl => 24_438_784,
            Self::BdReTl => 48_878_592,
        })
    }

    /// How many layers it has.
    pub const fn layers(self) -> u32 {
        match self {
            Self::DvdPlusRw | Self::DvdRam | Self::BdRe => 1,
            Self::BdReDl => 2,
            Self::BdReTl => 3,
        }
    }

    /// Whether it is Blu-ray.
    pub const fn is_blu_ray(self) -> bool {
        matches!(self, Self::BdRe | Self::BdReDl | Self::BdReTl)
    }

    /// The profile of a drive that has it loaded.
    pub const fn profile(self) -> Profile {
        match self {
            Self::DvdPlusRw => Profile::DVD_PLUS_RW,
            Self::DvdRam => Profile::DVD_RAM,
            Self::BdRe | Self::BdReDl | Self::BdReTl => Profile::BD_RE,
        }
    }

    /// What 1x means.
    pub const fn single_speed(self) -> Speed {
        if self.is_blu_ray() {
            Speed::BD_1X
        } else {
            Speed::DVD_1X
        }
    }

    /// How many write units hold [`MediumKind::blocks_max`].
    pub(crate) const fn units(self) -> u32 {
        self.blocks_max().units(self.write_unit())
    }
}

/// The name.
impl fmt::Display for MediumKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_kinds() {
        for kind in MediumKind::ALL {
            assert_eq!(MediumKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(MediumKind::from_name("laserdisc"), None);
    }

    #[test]
    fn capacities_are_whole_write_units() {
        assert_eq!(MediumKind::BdRe.capacity().get(), 11_826_176);
        assert_eq!(MediumKind::BdReDl.capacity().get(), 23_652_352);
        for kind in MediumKind::ALL {
            for blocks in [kind.capacity(), kind.blocks_max()] {
                assert_eq!(blocks.round_up(kind.write_unit()), blocks, "{kind}");
            }
            assert!(kind.capacity() <= kind.blocks_max());
        }
    }
}
