//! Where the structures of a volume are, and whether the volume can be edited: what whoever
//! changes a volume needs to know of it.

use std::collections::BTreeMap;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, Lba, WriteUnit};
use reburn_record::Record;

use super::AccessType;
use super::disc::blocks_of;
use super::note::NoteKind;
use super::partitions::{FileMap, Kind, Map};
use super::volume::Volume;
use crate::records::{
    ExtentKind, MapHead, MetadataMap, PartitionHeader, SpareIntegrity, SparingEntry, SparingTable,
    TypeOneMap,
};
use crate::write::SparingAddresses;

/// Where the structures of a volume are.
///
/// Blocks are those of the disc. Structures of volumes whose own blocks are smaller share some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeStructures {
    /// The first block of the recognition sequence (ECMA-167 2/8.3).
    pub recognition: Lba,
    /// The anchors that were found (ECMA-167 3/10.2), the one that was used first.
    pub anchors: Vec<Lba>,
    /// The first extent of the main volume descriptor sequence; `None` if it is empty.
    pub main_sequence: Option<BlockRange>,
    /// The first extent of the reserve sequence.
    pub reserve_sequence: Option<BlockRange>,
    /// The extents of the integrity sequence (ECMA-167 3/8.8.2), in the order of reading.
    pub integrity: Vec<BlockRange>,
    /// The block with the integrity descriptor that prevails, the last one that readers find.
    pub integrity_descriptor: Option<Lba>,
    /// Blocks kept for the integrity sequence to go on in when it is full: as many as it has, and
    /// right beside it. Only volumes of our own writer have them.
    pub spare_integrity: Option<BlockRange>,
    /// The partitions that have blocks of their own, in the order of their maps.
    pub partitions: Vec<BlockRange>,
    /// Where the tables and spare packets of a sparable partition are, if there is one.
    pub sparing: Option<SparingStructures>,
    /// What a metadata partition is made of (UDF 2.2.10), if there is one.
    pub metadata: Option<MetadataStructures>,
    /// The block with the entry of the virtual allocation table (UDF 2.2.11), if there is one: such
    /// a volume is appended to.
    pub virtual_table: Option<Lba>,
    /// Why the volume cannot be edited block by block; `None` if it can.
    pub obstacle: Option<EditObstacle>,
}

/// What a sparable partition has outside it (UDF 2.2.9, 2.2.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparingStructures {
    /// Blocks of a packet.
    pub packet: BlockCount,
    /// The sparing tables.
    pub tables: Vec<Lba>,
    /// Bytes of each table, as the partition map states it.
    pub table_bytes: u32,
    /// The number of the table that counts: the first of the map that is whole, as systems do.
    pub sequence_number: u32,
    /// The spare packets that it names, by their first blocks and in its order.
    pub spares: Vec<Lba>,
    /// Those of them that nothing is in and that are not damaged.
    pub free: Vec<Lba>,
    /// The packets of the partition that are in spare packets, by their first blocks.
    pub moved: BTreeMap<Lba, Lba>,
}

impl SparingStructures {
    /// The same as addresses of a volume; `None` where the spare packets are not one run, or where
    /// the tables are of another size than such a run takes.
    pub fn addresses(&self) -> Option<SparingAddresses> {
        let mut spares = self.spares.clone();
        spares.sort_unstable();
        let count = u32::try_from(spares.len()).ok()?;
        let blocks = self.packet.get().checked_mul(count)?;
        let run = BlockRange::with_count(*spares.first()?, BlockCount::new(blocks))?;
        let is_run = run
            .pieces(self.packet)
            .map(BlockRange::start_lba)
            .eq(spares);
        let bytes = SparingTable::SIZE + self.spares.len() * SparingEntry::SIZE;
        let is_size = usize::try_from(self.table_bytes) == Ok(bytes);
        (is_run && is_size).then(|| SparingAddresses {
            tables: self.tables.clone(),
            sequence_number: self.sequence_number,
            spares: run,
            moved: self.moved.clone(),
        })
    }
}

/// What a metadata partition is made of (UDF 2.2.10, 2.2.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataStructures {
    /// The block with the metadata file's entry.
    pub entry: Lba,
    /// The block with the mirror file's entry.
    pub mirror_entry: Lba,
    /// The block with the entry of the bitmap file, if there is one.
    pub bitmap_entry: Option<Lba>,
    /// The extents of the metadata file, in the order of its blocks; holes are left out.
    pub extents: Vec<BlockRange>,
    /// The extents of the mirror file, where they are others.
    pub mirror_extents: Option<Vec<BlockRange>>,
    /// What the file grows by.
    pub allocation_unit: BlockCount,
    /// What its extents start at a multiple of, counted in the partition.
    pub alignment_unit: BlockCount,
    /// Whether the mirror has a second copy of all blocks.
    pub is_duplicate: bool,
}

/// Why a volume cannot be edited, so that the whole image must be recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditObstacle {
    /// Blocks that are not the disc's.
    #[error("its blocks have {0} bytes, and only volumes with blocks of 2048 can be edited")]
    BlockSize(u32),
    /// Neither a metadata or virtual partition and what it lies on, nor a sparable one.
    #[error(
        "only a metadata partition on a plain one (UDF 2.2.10), a sparable one (UDF 2.2.9) and, where \
         blocks are appended, a virtual one (UDF 2.2.8) can be edited, and it has other partitions"
    )]
    Partitions,
    /// The root is not in the metadata partition.
    #[error("its file set is not in the metadata or virtual partition (UDF 2.2.11, 2.2.13)")]
    FileSet,
    /// Others may write there, so bitmaps say what is free.
    #[error(
        "its access type lets other systems write, and bitmaps of free space cannot be kept \
         whole while it is edited; only volumes without bitmaps can be edited"
    )]
    Access,
    /// The next unique id is not known.
    #[error("it has no integrity descriptor, so the next unique id is not known; repair it first")]
    NoIntegrity,
    /// It was left open.
    #[error("its last writer did not finish, and it may contradict itself; check it first")]
    Open,
    /// Descriptors in places that an edit would not find.
    #[error("its volume descriptor sequences are not two, or go on elsewhere (ECMA-167 3/8.4.2)")]
    Sequences,
    /// A unit of no blocks, or of more than any disc has.
    #[error("its metadata file grows by {0} blocks, which no file can (UDF 2.2.10)")]
    AllocationUnit(u32),
}

impl VolumeStructures {
    /// The spare packets that nothing is in, ascending: free by the sparing table, and apart from
    /// everything else of the volume.
    pub fn free_spares(&self) -> Vec<Lba> {
        let Some(sparing) = &self.sparing else {
            return Vec::new();
        };
        let packet = |start: &Lba| BlockRange::with_count(*start, sparing.packet);
        let singles = sparing.tables.iter().chain(&self.anchors);
        let sequences = [self.main_sequence, self.reserve_sequence];
        let others: BlockRangeList = singles
            .map(|&lba| BlockRange::single(lba))
            .chain(sequences.into_iter().flatten())
            .chain(self.integrity.iter().copied())
            .chain(self.spare_integrity)
            .chain(self.partitions.iter().copied())
            .chain(sparing.moved.values().filter_map(packet))
            // Up to the recognition sequence with its neighbours.
            .chain(BlockRange::new(
                Lba::ZERO,
                self.recognition + BlockCount::new(8),
            ))
            .collect();
        let mut taken = others;
        let mut free: Vec<Lba> = sparing.free.clone();
        free.sort_unstable();
        free.retain(|start| {
            let Some(range) = packet(start).filter(|range| !taken.intersects(*range)) else {
                return false;
            };
            taken.insert(range);
            true
        });
        free
    }

    /// The first block of the write unit that the next integrity descriptor fills; `None` if
    /// the sequence has none left that readers would look at: they read on only from a
    /// descriptor to the one right behind it.
    pub fn next_integrity_unit(&self, unit: WriteUnit) -> Option<Lba> {
        let next = self.integrity_descriptor?.checked_add(BlockCount::ONE)?;
        let range = BlockRange::with_count(next, unit.blocks())?;
        let is_inside = |extent: &&BlockRange| extent.intersection(range) == Some(range);
        next.is_aligned(unit)
            .then(|| self.integrity.iter().find(is_inside))
            .flatten()
            .map(|_| next)
    }
}

impl Volume {
    /// Where the volume's structures are, and whether it can be edited.
    pub fn structures(&self) -> VolumeStructures {
        let size = self.block_size();
        let extent = |extent: &crate::records::ExtentAd| {
            let at = u64::from(extent.extent_location.get()) * u64::from(size);
            blocks_of(at, extent.extent_length.get().into())
        };
        let own = |map: &&Map| matches!(map.kind, Kind::Plain | Kind::Sparable(_));
        let partitions = self.partitions.maps.iter().filter(own);
        let metadata = self.metadata_structures();
        let obstacle = self.obstacle(metadata.as_ref());
        VolumeStructures {
            recognition: self.recognition,
            anchors: self.anchors.clone(),
            main_sequence: extent(&self.pointer.main_sequence),
            reserve_sequence: extent(&self.pointer.reserve_sequence),
            integrity: self.integrity_sequence.extents.clone(),
            integrity_descriptor: self.integrity_sequence.prevailing,
            spare_integrity: self.spare_integrity(),
            partitions: partitions
                .filter_map(|map| {
                    let at = u64::from(map.start) * u64::from(size);
                    blocks_of(at, u64::from(map.length) * u64::from(size))
                })
                .collect(),
            sparing: self.sparing(),
            metadata,
            virtual_table: self.virtual_table,
            obstacle,
        }
    }

    fn sparing(&self) -> Option<SparingStructures> {
        let mut maps = self.partitions.maps.iter();
        let (map, sparing) = maps.find_map(|map| match &map.kind {
            Kind::Sparable(sparing) => Some((map, sparing)),
            _ => None,
        })?;
        // Volumes with other blocks are not edited.
        let is_ours = self.block_size() as usize == BLOCK_SIZE;
        let lba = |sector: u32| Lba::checked(sector.into());
        let all = |sectors: &[u32]| {
            let lbas = sectors.iter().map(|&sector| lba(sector));
            lbas.collect::<Option<Vec<Lba>>>()
        };
        let moved = sparing.moved.iter();
        let moved = moved.map(|(&from, &to)| Some((lba(map.start.checked_add(from)?)?, lba(to)?)));
        is_ours.then_some(SparingStructures {
            packet: BlockCount::new(sparing.packet),
            tables: all(&sparing.tables.sectors)?,
            table_bytes: sparing.tables.bytes,
            sequence_number: sparing.tables.number,
            spares: all(&sparing.tables.packets)?,
            free: all(&sparing.tables.free)?,
            moved: moved.collect::<Option<_>>()?,
        })
    }

    /// What the logical volume descriptor notes of it, if that can be true.
    fn spare_integrity(&self) -> Option<BlockRange> {
        let (note, _) = SpareIntegrity::view(&self.logical.implementation_use).ok()?;
        let [used] = self.integrity_sequence.extents[..] else {
            return None;
        };
        let at = u64::from(note.extent.extent_location.get()) * u64::from(self.block_size());
        let spare = blocks_of(at, note.extent.extent_length.get().into())?;
        let is_beside = spare.start_lba().get() == used.end_exclusive()
            || used.start_lba().get() == spare.end_exclusive();
        let is_whole = at.is_multiple_of(BLOCK_SIZE as u64);
        (note.magic == *SpareIntegrity::MAGIC
            && is_whole
            && is_beside
            && spare.block_count() == used.block_count())
        .then_some(spare)
    }

    fn metadata_structures(&self) -> Option<MetadataStructures> {
        let size = u64::from(self.block_size());
        let (index, record) = self.metadata_map()?;
        let Kind::Metadata {
            under,
            main,
            mirror,
        } = &self.partitions.maps.get(index)?.kind
        else {
            return None;
        };
        let start = self.partitions.map(*under).ok()?.start;
        let lba = |block: u32| {
            let sector = u64::from(start) + u64::from(block);
            Lba::checked(sector * size / BLOCK_SIZE as u64)
        };
        let extents = |file: &FileMap| {
            let pieces = file.0.iter();
            pieces
                .filter_map(|&(_, sector, count)| blocks_of(sector * size, u64::from(count) * size))
                .collect()
        };
        let bitmap = record.metadata_bitmap_file_location.get();
        Some(MetadataStructures {
            entry: lba(record.metadata_file_location.get())?,
            mirror_entry: lba(record.metadata_mirror_file_location.get())?,
            bitmap_entry: (bitmap != MetadataMap::NO_BITMAP)
                .then(|| lba(bitmap))
                .flatten(),
            extents: extents(main),
            mirror_extents: mirror.as_ref().map(extents),
            allocation_unit: BlockCount::new(record.allocation_unit_size.get()),
            alignment_unit: BlockCount::new(record.alignment_unit_size.get().into()),
            is_duplicate: record.flags & MetadataMap::DUPLICATE != 0,
        })
    }

    /// The map of the metadata partition, and its index among all maps.
    pub(crate) fn metadata_map(&self) -> Option<(usize, MetadataMap)> {
        let mut rest = &self.sequence.logical.as_ref()?.maps[..];
        for (index, map) in self.partitions.maps.iter().enumerate() {
            let (head, _) = MapHead::view(rest).ok()?;
            if matches!(map.kind, Kind::Metadata { .. }) {
                return Some((index, *MetadataMap::view(rest).ok()?.0));
            }
            rest = rest.get(usize::from(head.partition_map_length).max(1)..)?;
        }
        None
    }

    fn obstacle(&self, metadata: Option<&MetadataStructures>) -> Option<EditObstacle> {
        /// More blocks than one extent can have.
        const UNIT_MAX: u32 = 1 << 16;
        let size = self.block_size();
        let has_note = |kind| self.notes().iter().any(|note| note.kind == kind);
        let kinds: Vec<_> = self.partitions.maps.iter().map(|map| &map.kind).collect();
        let metadata = match (kinds.as_slice(), metadata) {
            ([Kind::Plain, Kind::Metadata { .. }], Some(metadata)) => metadata,
            ([Kind::Plain, Kind::Virtual { under: 0, .. }], _) => {
                let obstacles = [
                    (size as usize != BLOCK_SIZE, EditObstacle::BlockSize(size)),
                    (
                        usize::from(self.file_set_partition()) != UPPER_PARTITION,
                        EditObstacle::FileSet,
                    ),
                    (self.integrity.is_none(), EditObstacle::NoIntegrity),
                ];
                let found = obstacles.into_iter().find(|(is_there, _)| *is_there);
                return found.map(|(_, obstacle)| obstacle);
            }
            ([Kind::Sparable(_)], _) => {
                let obstacles = [
                    (size as usize != BLOCK_SIZE, EditObstacle::BlockSize(size)),
                    (self.file_set_partition() != 0, EditObstacle::FileSet),
                    (self.integrity.is_none(), EditObstacle::NoIntegrity),
                    (has_note(NoteKind::Open), EditObstacle::Open),
                ];
                let found = obstacles.into_iter().find(|(is_there, _)| *is_there);
                return found.map(|(_, obstacle)| obstacle);
            }
            _ => return Some(EditObstacle::Partitions),
        };
        let unit = metadata.allocation_unit.get();
        let access = self.partitions().first().map(|partition| partition.access);
        let has_no_bitmaps = matches!(
            access,
            Some(AccessType::ReadOnly | AccessType::PseudoOverwritable)
        );
        let obstacles = [
            (size as usize != BLOCK_SIZE, EditObstacle::BlockSize(size)),
            (
                usize::from(self.file_set_partition()) != UPPER_PARTITION,
                EditObstacle::FileSet,
            ),
            (
                !has_no_bitmaps || metadata.bitmap_entry.is_some(),
                EditObstacle::Access,
            ),
            (self.integrity.is_none(), EditObstacle::NoIntegrity),
            (has_note(NoteKind::Open), EditObstacle::Open),
            (
                !(1..=UNIT_MAX).contains(&unit),
                EditObstacle::AllocationUnit(unit),
            ),
        ];
        let found = obstacles.into_iter().find(|(is_there, _)| *is_there);
        found.map(|(_, obstacle)| obstacle)
    }

    /// Where the partition with file data says what is free (ECMA-167 4/14.3).
    pub(crate) fn space_header(&self) -> Option<&PartitionHeader> {
        let map = self.partitions.maps.first()?;
        let (descriptor, _) = self.sequence.partitions.get(&map.number)?;
        Some(&descriptor.header)
    }

    /// The blocks of the file set's partition that its descriptors are in: the first, and one
    /// past the last.
    pub(super) fn file_set_blocks(&self) -> (u32, u32) {
        let extent = &self.logical.logical_volume_contents_use;
        let (_, length) = ExtentKind::split(extent.extent_length.get());
        let first = extent.extent_location.logical_block_number.get();
        let count = length.div_ceil(self.block_size()).max(1);
        (first, first.saturating_add(count))
    }

    /// Another block of the volume's structures in the write unit of an entry.
    pub(crate) fn other_in_unit(&self, entry: Lba, unit: WriteUnit) -> Option<Lba> {
        let unit = BlockRange::single(entry).align_outward(unit);
        let parts = self
            .blocks
            .iter()
            .filter_map(|range| range.intersection(unit));
        let others = parts.flat_map(|part| [part.start_lba(), part.end_lba()]);
        others.into_iter().find(|&lba| lba != entry)
    }

    /// Blocks of the volume's structures in a partition.
    pub(crate) fn structure_ranges(&self, partition: BlockRange) -> BlockRangeList {
        let parts = self.blocks.iter();
        parts
            .filter_map(|range| range.intersection(partition))
            .collect()
    }

    /// The serial number of the volume's tags (UDF 2.2.1.1).
    pub(crate) fn tag_serial(&self) -> u16 {
        self.primary.tag.tag_serial_number.get()
    }

    /// The partition that the file set is in.
    pub(crate) fn file_set_partition(&self) -> u16 {
        let extent = &self.logical.logical_volume_contents_use.extent_location;
        extent.partition_reference_number.get()
    }
}

/// The map of the metadata or virtual partition of a volume that can be edited: the one after the
/// plain partition's.
const UPPER_PARTITION: usize = 1;

const _: () = assert!(TypeOneMap::SIZE == 6 && MetadataMap::SIZE == 64);
