//! Where the structures of a volume stand that a reader needs, or should not: what is lost one
//! write unit at a time.

use std::fmt;

use reburn_blocks::{BlockCount, BlockRange, BlockRead, Lba, WriteUnit};
use reburn_record::Record;
use reburn_udf::records::{FileSetDescriptor, LogicalVolume, tag_id};
use reburn_udf::{Session, Volume, VolumeStructures};

use super::volumes::{read, text};

/// Something that a disc can lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Structure {
    /// The recognition sequence from block 16 on (ECMA-167 2/8.3), or the volume descriptors of
    /// ISO 9660.
    Head,
    /// The anchor at block 256 (ECMA-167 3/8.4.2.1).
    Anchor,
    /// All of the main volume descriptor sequence (ECMA-167 3/8.4.2.2).
    MainSequence,
    /// The block in it with the logical volume descriptor.
    LogicalVolume,
    /// All of the reserve sequence.
    ReserveSequence,
    /// The first integrity descriptor (ECMA-167 3/8.8.2).
    FirstIntegrity,
    /// The one that the change added.
    LaterIntegrity,
    /// The file set descriptor, and the root folder's entry that stands behind it.
    FileSet,
    /// The entry of the metadata file (UDF 2.2.13).
    MetadataEntry,
    /// The entry of its mirror.
    MirrorEntry,
    /// A sparing table (UDF 2.2.12), by its place among them.
    SparingTable(usize),
    /// A block in which nothing is, though somebody may look there.
    Free(Lba),
    /// The same, counted from the end: the last block is 1.
    FreeFromEnd(u32),
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("head"),
            Self::Anchor => f.write_str("anchor at 256"),
            Self::MainSequence => f.write_str("main sequence"),
            Self::LogicalVolume => f.write_str("logical volume descriptor"),
            Self::ReserveSequence => f.write_str("reserve sequence"),
            Self::FirstIntegrity => f.write_str("first integrity descriptor"),
            Self::LaterIntegrity => f.write_str("later integrity descriptor"),
            Self::FileSet => f.write_str("file set and root"),
            Self::MetadataEntry => f.write_str("metadata file's entry"),
            Self::MirrorEntry => f.write_str("mirror file's entry"),
            Self::SparingTable(number) => write!(f, "sparing table {}", number + 1),
            Self::Free(lba) => write!(f, "free block {lba}"),
            Self::FreeFromEnd(count) => write!(f, "free block {count} from the end"),
        }
    }
}

/// Where things are on one disc.
pub struct Places {
    structures: Option<VolumeStructures>,
    logical_volume: Option<Lba>,
    file_set: Option<Lba>,
    end: BlockCount,
    unit: WriteUnit,
}

impl Places {
    /// Finds everything; a disc without UDF has its head alone.
    pub fn find(disc: &dyn BlockRead, unit: WriteUnit) -> Result<Self, String> {
        let mut places = Self {
            structures: None,
            logical_volume: None,
            file_set: None,
            end: disc.block_count(),
            unit,
        };
        let Ok(volume) = Volume::open(disc, Session::default()) else {
            return Ok(places);
        };
        let structures = volume.structures();
        let sequence = structures
            .main_sequence
            .ok_or("there is no main sequence")?;
        for block in sequence.pieces(BlockCount::ONE) {
            let bytes = read(disc, block.start_lba(), block.block_count())?;
            let Ok((descriptor, _)) = LogicalVolume::view(&bytes) else {
                continue;
            };
            // Any block can be viewed as any record.
            if descriptor.tag.tag_identifier.get() == tag_id::LOGICAL_VOLUME {
                places.logical_volume = Some(block.start_lba());
                let at = &descriptor.logical_volume_contents_use.extent_location;
                let number = at.logical_block_number.get();
                places.file_set = Some(address(&structures, number)?);
                break;
            }
        }
        if let Some(lba) = places.file_set {
            let bytes = read(disc, lba, BlockCount::ONE)?;
            let (set, _) = FileSetDescriptor::view(&bytes).map_err(text)?;
            if set.tag.tag_identifier.get() != tag_id::FILE_SET {
                return Err(format!("block {lba} is no file set descriptor"));
            }
        }
        places.structures = Some(structures);
        Ok(places)
    }

    /// The blocks that are lost with a structure: whole write units, but for the one that is lost
    /// alone.
    pub fn of(&self, structure: Structure) -> Result<BlockRange, String> {
        let range = self
            .range(structure)
            .ok_or_else(|| format!("the volume has no {structure}"))?;
        Ok(match structure {
            Structure::LogicalVolume => range,
            _ => range.align_outward(self.unit),
        })
    }

    fn range(&self, structure: Structure) -> Option<BlockRange> {
        if structure == Structure::Head {
            return Some(BlockRange::single(Lba::new(16)));
        }
        let all = self.structures.as_ref()?;
        let metadata = all.metadata.as_ref();
        let single = match structure {
            Structure::MainSequence => return all.main_sequence,
            Structure::ReserveSequence => return all.reserve_sequence,
            Structure::Head => return None,
            Structure::Anchor => all.anchors.first().copied(),
            Structure::LogicalVolume => self.logical_volume,
            Structure::FirstIntegrity => all.integrity.first().map(|range| range.start_lba()),
            Structure::LaterIntegrity => all.integrity_descriptor,
            Structure::FileSet => self.file_set,
            Structure::MetadataEntry => metadata.map(|metadata| metadata.entry),
            Structure::MirrorEntry => metadata.map(|metadata| metadata.mirror_entry),
            Structure::SparingTable(number) => all.sparing.as_ref()?.tables.get(number).copied(),
            Structure::Free(lba) => Some(lba),
            Structure::FreeFromEnd(count) => self.end.get().checked_sub(count).map(Lba::new),
        };
        single.map(BlockRange::single)
    }
}

/// The block of the disc that a block of the file set's partition is.
fn address(structures: &VolumeStructures, number: u32) -> Result<Lba, String> {
    let count = BlockCount::new(number);
    if let Some(metadata) = &structures.metadata {
        let mut left = count;
        for extent in &metadata.extents {
            if left < extent.block_count() {
                return Ok(extent.start_lba() + left);
            }
            left = left - extent.block_count();
        }
        return Err(format!("block {number} is behind the metadata file"));
    }
    let partition = structures.partitions.first();
    let partition = partition.ok_or("there is no partition")?;
    let lba = partition.start_lba() + count;
    let Some(sparing) = &structures.sparing else {
        return Ok(lba);
    };
    let moved = sparing.moved.iter().find_map(|(&from, &to)| {
        let packet = BlockRange::with_count(from, sparing.packet)?;
        packet.contains(lba).then(|| to + lba.blocks_since(from))
    });
    Ok(moved.unwrap_or(lba))
}
