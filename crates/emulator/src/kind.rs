//! The kinds of media, with the figures that never change.

use std::fmt;

use reburn_blocks::{BlockCount, WriteUnit};
use reburn_mmc::Speed;

/// Spare clusters that a Blu-ray disc gets on each layer unless a host asks otherwise: 4096 on
/// the inside, 8192 on the outside.
pub(crate) const BD_SPARE_CLUSTERS_PER_LAYER: u32 = 0x3000;

/// A kind of medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MediumKind {
    /// CD-R of 80 minutes.
    CdR,
    /// CD-RW of 80 minutes.
    CdRw,
    /// DVD-R, 4.7 GB.
    DvdR,
    /// DVD-R with two layers, 8.5 GB.
    DvdRDl,
    /// DVD-RW, 4.7 GB.
    DvdRw,
    /// DVD+R, 4.7 GB.
    DvdPlusR,
    /// DVD+R with two layers, 8.5 GB.
    DvdPlusRDl,
    /// DVD+RW, 4.7 GB.
    DvdPlusRw,
    /// DVD-RAM, 4.7 GB.
    DvdRam,
    /// BD-R with one layer, 25 GB.
    BdR,
    /// BD-R with two layers, 50 GB.
    BdRDl,
    /// BD-R with three layers, 100 GB.
    BdRTl,
    /// BD-R with four layers, 128 GB.
    BdRQl,
    /// BD-RE with one layer, 25 GB.
    BdRe,
    /// BD-RE with two layers, 50 GB.
    BdReDl,
    /// BD-RE with three layers, 100 GB.
    BdReTl,
    /// BD-RE with four layers, 128 GB.
    BdReQl,
}

/// What never changes of a kind.
struct Figures {
    name: &'static str,
    /// Blocks with no spare areas set aside.
    blocks_max: u32,
    /// Blocks as drives format it; spare areas of Blu-ray are taken off this.
    blocks: u32,
    layers: u32,
    unit: WriteUnit,
}

impl MediumKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::CdR,
        Self::CdRw,
        Self::DvdR,
        Self::DvdRDl,
        Self::DvdRw,
        Self::DvdPlusR,
        Self::DvdPlusRDl,
        Self::DvdPlusRw,
        Self::DvdRam,
        Self::BdR,
        Self::BdRDl,
        Self::BdRTl,
        Self::BdRQl,
        Self::BdRe,
        Self::BdReDl,
        Self::BdReTl,
        Self::BdReQl,
    ];

    /// The kinds whose blocks can be written in any order and again, once they are formatted.
    pub const OVERWRITABLE: [Self; 6] = [
        Self::DvdPlusRw,
        Self::DvdRam,
        Self::BdRe,
        Self::BdReDl,
        Self::BdReTl,
        Self::BdReQl,
    ];

    const fn figures(self) -> Figures {
        const fn figures(
            name: &'static str,
            blocks_max: u32,
            blocks: u32,
            layers: u32,
            unit: WriteUnit,
        ) -> Figures {
            Figures {
                name,
                blocks_max,
                blocks,
                layers,
                unit,
            }
        }
        const fn blu_ray(name: &'static str, blocks: u32, layers: u32) -> Figures {
            figures(name, blocks, blocks, layers, WriteUnit::BLU_RAY)
        }
        const ONE: WriteUnit = WriteUnit::FILE;
        const DVD: WriteUnit = WriteUnit::DVD;
        match self {
            Self::CdR => figures("cd-r", 359_849, 359_849, 1, ONE),
            Self::CdRw => figures("cd-rw", 359_849, 359_849, 1, ONE),
            Self::DvdR => figures("dvd-r", 2_298_496, 2_298_496, 1, DVD),
            Self::DvdRDl => figures("dvd-r-dl", 4_171_712, 4_171_712, 2, DVD),
            Self::DvdRw => figures("dvd-rw", 2_298_496, 2_297_888, 1, DVD),
            Self::DvdPlusR => figures("dvd+r", 2_295_104, 2_295_104, 1, DVD),
            Self::DvdPlusRDl => figures("dvd+r-dl", 4_173_824, 4_173_824, 2, DVD),
            Self::DvdPlusRw => figures("dvd+rw", 2_295_104, 2_295_104, 1, DVD),
            Self::DvdRam => figures("dvd-ram", 2_295_072, 2_236_704, 1, DVD),
            Self::BdR => blu_ray("bd-r", 12_219_392, 1),
            Self::BdRDl => blu_ray("bd-r-dl", 24_438_784, 2),
            Self::BdRTl => blu_ray("bd-r-tl", 48_878_592, 3),
            Self::BdRQl => blu_ray("bd-r-ql", 62_500_864, 4),
            Self::BdRe => blu_ray("bd-re", 12_219_392, 1),
            Self::BdReDl => blu_ray("bd-re-dl", 24_438_784, 2),
            Self::BdReTl => blu_ray("bd-re-tl", 48_878_592, 3),
            Self::BdReQl => blu_ray("bd-re-ql", 62_500_864, 4),
        }
    }

    /// The kind with this name, as [`MediumKind::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What programs call it: `dvd-r`, `dvd+rw`, `bd-re-dl`.
    pub const fn name(self) -> &'static str {
        self.figures().name
    }

    /// What the medium records, and loses, as a whole.
    pub const fn write_unit(self) -> WriteUnit {
        self.figures().unit
    }

    /// Blocks for data, formatted as drives format it unless told otherwise. On media that are
    /// recorded as they are sold, all that they hold.
    pub const fn capacity(self) -> BlockCount {
        let figures = self.figures();
        if self.is_blu_ray() {
            let spare = BD_SPARE_CLUSTERS_PER_LAYER * figures.layers;
            return BlockCount::new(figures.blocks - spare * 32);
        }
        BlockCount::new(figures.blocks)
    }

    /// Blocks for data if no spare areas are set aside: more than any format gives.
    pub const fn blocks_max(self) -> BlockCount {
        BlockCount::new(self.figures().blocks_max)
    }

    /// How many layers it has.
    pub const fn layers(self) -> u32 {
        self.figures().layers
    }

    /// Whether it is Blu-ray.
    pub const fn is_blu_ray(self) -> bool {
        self.is_bd_r()
            || matches!(
                self,
                Self::BdRe | Self::BdReDl | Self::BdReTl | Self::BdReQl
            )
    }

    /// Whether it is a CD.
    pub const fn is_cd(self) -> bool {
        matches!(self, Self::CdR | Self::CdRw)
    }

    /// Whether it is a DVD.
    pub const fn is_dvd(self) -> bool {
        !self.is_cd() && !self.is_blu_ray()
    }

    /// Whether it is BD-R.
    pub const fn is_bd_r(self) -> bool {
        matches!(self, Self::BdR | Self::BdRDl | Self::BdRTl | Self::BdRQl)
    }

    /// Whether its blocks can be written in any order and again, once it is formatted: one of
    /// [`MediumKind::OVERWRITABLE`]. A DVD-RW can be formatted so, but is sold otherwise.
    pub const fn is_overwritable(self) -> bool {
        matches!(
            self,
            Self::DvdPlusRw
                | Self::DvdRam
                | Self::BdRe
                | Self::BdReDl
                | Self::BdReTl
                | Self::BdReQl
        )
    }

    /// What 1x means.
    pub const fn single_speed(self) -> Speed {
        if self.is_blu_ray() {
            Speed::BD_1X
        } else if self.is_cd() {
            Speed::CD_1X
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
    fn overwritable_kinds_are_listed() {
        let listed = MediumKind::ALL
            .into_iter()
            .filter(|kind| kind.is_overwritable());
        assert_eq!(listed.collect::<Vec<_>>(), MediumKind::OVERWRITABLE);
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
