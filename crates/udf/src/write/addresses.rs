//! Where the structures of a volume stand.

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, Lba, WriteUnit};

use super::{Access, Layout};

/// Where everything but file data stands. [`Arrangement`] makes those of a new volume.
///
/// Sequences, integrity sequence and anchors are outside the partition, all else inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The first block of the recognition sequence: 16, or the first after the descriptors of
    /// ISO 9660 on a disc that has both (ECMA-167 2/8.3).
    pub recognition: Lba,
    /// Blocks with an anchor: at least two of 256, the last block of the volume, and 256
    /// before it (UDF 2.2.3).
    pub anchors: Vec<Lba>,
    /// The main volume descriptor sequence, [`Layout::sequence_blocks`] long.
    pub main_sequence: Lba,
    /// The reserve sequence, as long.
    pub reserve_sequence: Lba,
    /// All blocks for integrity descriptors (ECMA-167 3/8.8.2).
    pub integrity: BlockRange,
    /// The write unit in it that the new descriptor fills. Those before it have older ones.
    pub integrity_descriptor: Lba,
    /// The partition.
    pub partition: BlockRange,
    /// The run of all entries and directories.
    pub metadata: Lba,
    /// For a metadata partition, where its own entries are.
    pub metadata_file: Option<MetadataFileAddresses>,
    /// For overwritable access, the bitmap of free space,
    /// [`Layout::bitmap_blocks`] long.
    pub space_bitmap: Option<Lba>,
    /// Blocks of the partition that hold neither metadata nor files of this volume, and that
    /// are not free all the same.
    pub in_use: BlockRangeList,
}

/// Where the parts of a metadata partition stand that are not in it (UDF 2.2.10, 2.2.13).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataFileAddresses {
    /// The metadata file's entry.
    pub entry: Lba,
    /// The mirror file's entry, far from it.
    pub mirror_entry: Lba,
    /// The second copy of all metadata, if there is to be one.
    pub mirror: Option<Lba>,
}

impl Addresses {
    /// The blocks of the metadata run.
    pub(super) fn metadata_range(&self, layout: &Layout) -> BlockRange {
        range(self.metadata, layout.metadata_blocks())
    }

    /// The blocks of the metadata's second copy.
    pub(super) fn mirror_range(&self, layout: &Layout) -> Option<BlockRange> {
        let mirror = self.metadata_file?.mirror?;
        Some(range(mirror, layout.metadata_blocks()))
    }

    /// A block of the volume as the partition counts it.
    pub(super) fn in_partition(&self, lba: Lba) -> u32 {
        assert!(
            self.partition.contains(lba),
            "block {lba} is not in the partition {}",
            self.partition
        );
        lba.blocks_since(self.partition.start_lba()).get()
    }

    /// Everything of the metadata that is in the partition.
    pub(super) fn own_blocks(&self, layout: &Layout) -> Vec<BlockRange> {
        let bitmap_blocks = layout.bitmap_blocks(self.partition.block_count());
        let bitmap = self
            .space_bitmap
            .and_then(|start| BlockRange::with_count(start, bitmap_blocks));
        let entries = self
            .metadata_file
            .map(|file| [file.entry, file.mirror_entry].map(BlockRange::single));
        [
            Some(self.metadata_range(layout)),
            self.mirror_range(layout),
            bitmap,
        ]
        .into_iter()
        .flatten()
        .chain(entries.into_iter().flatten())
        .collect()
    }

    /// Checks what [`Layout::place`] promises to check.
    pub(super) fn check(&self, layout: &Layout) {
        let options = &layout.options;
        assert_eq!(
            self.metadata_file.is_some(),
            options.revision.has_metadata_partition(),
            "a metadata partition has a metadata file, other partitions have none"
        );
        let has_mirror = self.metadata_file.is_some_and(|file| file.mirror.is_some());
        assert_eq!(
            has_mirror, options.duplicate_metadata,
            "there is a second copy of the metadata exactly where it is wanted"
        );
        assert_eq!(
            self.space_bitmap.is_some(),
            options.access == Access::Overwritable,
            "there is a bitmap of free space exactly where others may write"
        );
        let unit = options.write_unit;
        assert!(
            self.integrity.contains(self.integrity_descriptor)
                && self.integrity.block_count() >= unit.blocks(),
            "the integrity sequence {} has no write unit at {}",
            self.integrity,
            self.integrity_descriptor
        );
        let mut outside = vec![
            range(self.main_sequence, layout.sequence_blocks()),
            range(self.reserve_sequence, layout.sequence_blocks()),
            self.integrity,
        ];
        outside.extend(self.anchors.iter().copied().map(BlockRange::single));
        let inside = self.own_blocks(layout);
        for range in &inside {
            assert_eq!(
                self.partition.intersection(*range),
                Some(*range),
                "{range} is not in the partition"
            );
        }
        for range in &outside {
            assert_eq!(
                self.partition.intersection(*range),
                None,
                "{range} is in the partition"
            );
        }
        let all: Vec<_> = inside.into_iter().chain(outside).collect();
        let used: u64 = all.iter().map(|r| u64::from(r.block_count().get())).sum();
        let joined: BlockRangeList = all.into_iter().collect();
        assert_eq!(
            used,
            joined.block_count().get().into(),
            "two structures share a block"
        );
    }
}

fn range(start: Lba, count: BlockCount) -> BlockRange {
    BlockRange::with_count(start, count).expect("structures would end past the last address")
}

/// Addresses for a new volume, with room for file data.
///
/// In the order of the blocks: recognition sequence, main and reserve sequence, anchor, integrity sequence,
/// the partition with its metadata, then file data, then the mirror, then behind the partition
/// the anchors at the end. Everything that is ever rewritten on its own
/// is alone in its write units, none of them where programs look for traces of other file
/// systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrangement {
    /// Where the structures stand.
    pub addresses: Addresses,
    /// The first block for file data.
    pub data_start: Lba,
    /// Blocks of the whole volume.
    pub volume_blocks: BlockCount,
}

/// The first anchor (ECMA-167 3/8.4.2.1).
const ANCHOR: Lba = Lba::new(256);
/// Where the main sequence starts: after the blocks of recognition sequences.
const MAIN_SEQUENCE: Lba = Lba::new(64);
/// Where the reserve sequence starts: in front too, so that the partition can grow.
const RESERVE_SEQUENCE: Lba = Lba::new(192);
/// Write units for integrity descriptors, so that there can be many before the first has to be
/// overwritten. Some programs take longer sequences for damaged.
const INTEGRITY_UNITS: u32 = 8;

impl Arrangement {
    /// Addresses for `layout`, its recognition sequence at `recognition`, with `data` blocks for
    /// file data; `None` if no disc has so many blocks.
    ///
    /// # Panics
    /// If `recognition` leaves no room before block 64, or if the write unit has more than 64
    /// blocks or does not divide 64.
    pub fn new(layout: &Layout, recognition: Lba, data: BlockCount) -> Option<Self> {
        let unit = layout.options.write_unit;
        assert!(
            MAIN_SEQUENCE.is_aligned(unit) && ANCHOR.is_aligned(unit),
            "write units of {unit} blocks do not fit between block 64 and the anchor"
        );
        assert!(
            recognition + BlockCount::new(3) < MAIN_SEQUENCE,
            "a recognition sequence at {recognition} runs into the main sequence"
        );
        let mut next = ANCHOR.checked_add(unit.blocks())?;
        let integrity = take(
            &mut next,
            BlockCount::new(INTEGRITY_UNITS * unit.blocks().get()),
        )?;
        let partition_start = next;
        let has_file = layout.options.revision.has_metadata_partition();
        let entry = take_if(has_file, &mut next, unit.blocks())?;
        let metadata = take(&mut next, layout.metadata_blocks())?.start_lba();
        let so_far = next.checked_add(data)?.blocks_since(partition_start);
        let bitmap_room = bitmap_room(layout, so_far)?;
        let space_bitmap = take_if(!bitmap_room.is_zero(), &mut next, bitmap_room)?;
        let data_start = next;
        next = next.checked_add(data)?.align_up(unit)?;
        let has_mirror = layout.options.duplicate_metadata;
        let mirror = take_if(has_mirror, &mut next, layout.metadata_blocks())?;
        next = next.align_up(unit)?;
        let mirror_entry = take_if(has_file, &mut next, unit.blocks())?;
        let partition = BlockRange::new(partition_start, Lba::checked(u64::from(next.get()) - 1)?)?;
        let volume_blocks = end_of_volume(next, unit)?;
        let last = Lba::new(volume_blocks.get() - 1);
        Some(Self {
            addresses: Addresses {
                recognition,
                anchors: vec![ANCHOR, Lba::new(last.get() - ANCHOR.get()), last],
                main_sequence: MAIN_SEQUENCE,
                reserve_sequence: RESERVE_SEQUENCE,
                integrity,
                integrity_descriptor: integrity.start_lba(),
                partition,
                metadata,
                metadata_file: entry.zip(mirror_entry).map(|(entry, mirror_entry)| {
                    MetadataFileAddresses {
                        entry,
                        mirror_entry,
                        mirror,
                    }
                }),
                space_bitmap,
                in_use: BlockRangeList::default(),
            },
            data_start,
            volume_blocks,
        })
    }
}

/// Blocks for the bitmap of a partition with `so_far` blocks in it besides, and two units and the
/// bitmap to come. What the bitmap adds is an eight-thousandth, so a bound is enough.
fn bitmap_room(layout: &Layout, so_far: BlockCount) -> Option<BlockCount> {
    let units = 2 * u64::from(layout.options.write_unit.blocks().get());
    let so_far = u64::from(so_far.get()) + units;
    let bound = BlockCount::checked(so_far + so_far / 8000 + 64)?;
    Some(layout.bitmap_blocks(bound))
}

/// The next `count` blocks.
fn take(next: &mut Lba, count: BlockCount) -> Option<BlockRange> {
    let range = BlockRange::with_count(*next, count)?;
    *next = next.checked_add(count)?;
    Some(range)
}

/// The start of the next `count` blocks if they are wanted; the outer `None` if there are not as
/// many.
#[allow(clippy::option_option)] // One says what is wanted, the other what a disc can have.
fn take_if(wanted: bool, next: &mut Lba, count: BlockCount) -> Option<Option<Lba>> {
    if wanted {
        Some(Some(take(next, count)?.start_lba()))
    } else {
        Some(None)
    }
}

/// Blocks of a volume whose last block and the one 256 before it are at or after `next`.
fn end_of_volume(next: Lba, unit: WriteUnit) -> Option<BlockCount> {
    let end = next
        .checked_add(BlockCount::new(ANCHOR.get() + 1))?
        .align_up(unit)?;
    BlockCount::checked(end.get().into())
}
