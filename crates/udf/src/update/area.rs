//! What an edit works in: a partition whose addresses stay while the blocks behind them change,
//! unit by unit, and what makes readers look in the new places.
//!
//! | partition | unit | new places | where readers are told | then again |
//! |---|---|---|---|---|
//! | metadata | allocation unit | anywhere in the partition below | mirror file's entry | metadata file's entry |
//! | virtual | block | behind everything else | the virtual allocation table | |
//! | sparable | packet | spare packets | all sparing tables but the first | the first sparing table |

use reburn_blocks::{BlockRange, BlockRangeList, BlockRead, Lba};

use super::blocks::{BaseBlocks, Pieces};
use super::metadata_partition::MetadataPartition;
use super::plan::Planned;
use super::space::Space;
use super::sparable::SparablePartition;
use super::virtual_partition::VirtualPartition;
use super::{Update, UpdateError, UpdateOptions, UpdatePlaces, UpdateStructure};
use crate::read::Base;
use crate::{EditObstacle, Entries, Volume, VolumeStructures};

/// A partition that is edited.
#[derive(Debug)]
pub(super) enum Area {
    Metadata(MetadataPartition),
    Sparable(SparablePartition),
    Virtual(VirtualPartition),
}

impl Area {
    /// Reads what must be known of the partition that entries are in.
    pub(super) fn load(
        volume: &Volume,
        structures: &VolumeStructures,
        (base, disc): (&Base<'_>, &dyn BlockRead),
        entries: &Entries,
        options: &UpdateOptions,
    ) -> Result<(Self, BlockRange), UpdateError> {
        let unit = options.write_unit;
        let partition = *structures
            .partitions
            .first()
            .ok_or(EditObstacle::Partitions)?;
        let area = match (&structures.metadata, &structures.sparing) {
            (Some(metadata), _) => Self::Metadata(MetadataPartition::load(
                volume, base, disc, metadata, partition, unit,
            )?),
            (None, Some(sparing)) => Self::Sparable(SparablePartition::load(
                volume,
                structures,
                (base, disc),
                (sparing, partition),
                entries,
                unit,
            )?),
            (None, None) => match (structures.virtual_table, options.append) {
                (Some(_), Some(first)) => {
                    Self::Virtual(VirtualPartition::load(volume, partition, first)?)
                }
                _ => return Err(EditObstacle::Partitions.into()),
            },
        };
        Ok((area, partition))
    }

    /// Takes in what was worked out, and checks that it can be.
    pub(super) fn take(
        &mut self,
        (volume, partition): (&Base<'_>, BlockRange),
        base: &mut BaseBlocks,
        planned: &Planned,
        is_in_place: bool,
    ) -> Result<(), UpdateError> {
        match self {
            Self::Metadata(area) => {
                base.mirror = area.trusted_mirror(volume, &base.main);
                if is_in_place {
                    area.check_in_place(partition, base)?;
                }
                area.take(volume, base, planned, is_in_place);
                Ok(())
            }
            Self::Sparable(_) if is_in_place => {
                Err(UpdateError::InPlace("it has a sparable partition"))
            }
            Self::Virtual(_) if is_in_place => {
                Err(UpdateError::InPlace("it has a virtual partition"))
            }
            Self::Sparable(_) if planned.end > base.main.end() => Err(UpdateError::PartitionFull),
            Self::Sparable(_) | Self::Virtual(_) => Ok(()),
        }
    }

    /// Blocks of a unit.
    pub(super) fn unit(&self) -> u32 {
        match self {
            Self::Metadata(area) => area.unit(),
            Self::Sparable(area) => area.packet(),
            Self::Virtual(_) => 1,
        }
    }

    /// Addresses that are free.
    pub(super) fn space(&self, main: &Pieces, entries: &Entries) -> Space {
        match self {
            Self::Metadata(area) => {
                Space::new(area.unit(), main.end(), main.addresses(), entries.used())
            }
            Self::Sparable(area) => area.space(),
            Self::Virtual(area) => area.space(main, entries),
        }
    }

    /// Blocks of the disc that the data of files can be in.
    pub(super) fn data(&self, partition: BlockRange, main: &Pieces) -> BlockRangeList {
        match self {
            Self::Metadata(_) => BlockRangeList::from_iter([partition]).difference(&main.ranges()),
            Self::Sparable(_) => main.ranges(),
            Self::Virtual(_) => BlockRangeList::from_iter([partition]),
        }
    }

    /// Blocks of the partition of entries that it has after the edit, if it may have others than
    /// before: the number of the partition, and how many.
    pub(super) fn size(&self, planned: &Planned) -> Option<(usize, u32)> {
        match self {
            Self::Metadata(_) => Some((1, planned.end)),
            Self::Sparable(_) | Self::Virtual(_) => None,
        }
    }

    /// Blocks that the old tree is in, as far as new units must keep off them.
    pub(super) fn old_ranges(&self, base: &BaseBlocks) -> BlockRangeList {
        match self {
            Self::Metadata(area) => area.old_ranges(base),
            Self::Sparable(area) => area.old_ranges(base),
            Self::Virtual(area) => area.old_ranges(),
        }
    }

    /// Blocks of the disc where new units can be.
    pub(super) fn room(&self, partition: BlockRange) -> BlockRangeList {
        let mut room = BlockRangeList::from_iter([partition]);
        if let Self::Sparable(area) = self {
            room = room.union(&area.spare_ranges());
        }
        room
    }

    /// Whether everything exists twice.
    pub(super) fn has_copy(&self) -> bool {
        match self {
            Self::Metadata(area) => area.is_duplicate(),
            Self::Sparable(_) | Self::Virtual(_) => false,
        }
    }

    /// Units of a second copy that get new blocks.
    pub(super) fn mirror_units(&self) -> &[u32] {
        match self {
            Self::Metadata(area) => area.mirror_units(),
            Self::Sparable(_) | Self::Virtual(_) => &[],
        }
    }

    /// Where the second copy, or the only one, will be.
    pub(super) fn new_mirror(
        &self,
        base: &BaseBlocks,
        main: &Pieces,
        places: &UpdatePlaces,
    ) -> Pieces {
        match self {
            Self::Metadata(area) => area.new_mirror(base, main, places),
            Self::Sparable(_) | Self::Virtual(_) => main.clone(),
        }
    }

    /// Where a block of the disc with file data belongs in the partition.
    pub(super) fn home_of(&self, lba: Lba) -> Lba {
        match self {
            Self::Metadata(_) | Self::Virtual(_) => lba,
            Self::Sparable(area) => area.home_of(lba),
        }
    }

    /// What makes readers look in the new places, in the order of writing.
    pub(super) fn structures(
        &self,
        update: &Update,
        pieces: (&Pieces, &Pieces),
        places: &UpdatePlaces,
    ) -> Vec<UpdateStructure> {
        match self {
            Self::Metadata(area) => area.structures(update, pieces, places),
            Self::Sparable(area) => area.structures(&update.planned.units, places),
            Self::Virtual(_) => Vec::new(),
        }
    }
}
