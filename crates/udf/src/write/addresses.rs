//! Where the structures of a volume stand.

use std::collections::BTreeMap;

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, Lba};

use super::{Access, Layout};
use crate::PartitionKind;

/// Where everything but file data stands. [`Arrangement`](super::Arrangement) makes those of a
/// new volume.
///
/// Sequences, integrity sequence, anchors and what a sparable partition needs besides are outside
/// the partition, all else inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The first block of the recognition sequence: 16, or the first after the descriptors of
    /// ISO 9660 on a disc that has both (ECMA-167 2/8.3).
    pub recognition: Lba,
    /// Blocks with an anchor: at least two of 256, the last block of the volume, and 256
    /// before it; on a write-once disc that is still open one is enough (UDF 2.2.3).
    pub anchors: Vec<Lba>,
    /// The main volume descriptor sequence, [`Layout::sequence_blocks`] long.
    pub main_sequence: Lba,
    /// The reserve sequence, as long.
    pub reserve_sequence: Lba,
    /// All blocks for integrity descriptors (ECMA-167 3/8.8.2).
    pub integrity: BlockRange,
    /// Blocks kept for another integrity sequence, as many and right beside it. When this one is
    /// full, a new logical volume descriptor can lead to that one.
    pub spare_integrity: Option<BlockRange>,
    /// The write unit in it that the new descriptor fills. Those before it have older ones.
    pub integrity_descriptor: Lba,
    /// The partition.
    pub partition: BlockRange,
    /// The run of all entries and directories.
    pub metadata: Lba,
    /// For a metadata partition, where its own entries are.
    pub metadata_file: Option<MetadataFileAddresses>,
    /// For a sparable partition, its tables and spare packets.
    pub sparing: Option<SparingAddresses>,
    /// For a virtual partition, its table.
    pub virtual_table: Option<VirtualTableAddresses>,
    /// Where a bitmap says which blocks are free, the bitmap, [`Layout::bitmap_blocks`] long.
    pub space_bitmap: Option<Lba>,
    /// Blocks of the partition that hold neither metadata nor files of this volume, and that
    /// are not free all the same.
    pub in_use: BlockRangeList,
    /// Damaged blocks of a sparable partition, which no file may use. The volume lists as many
    /// as fit into an entry; none is free.
    pub unusable: BlockRangeList,
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
    /// For overwritable access, the entry of the bitmap of free metadata blocks, and the bitmap
    /// behind it: [`Layout::metadata_bitmap_blocks`].
    pub bitmap: Option<Lba>,
}

/// Where the parts of a sparable partition stand that are not in it (UDF 2.2.9, 2.2.12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SparingAddresses {
    /// The sparing tables, one to four, each in a packet of its own.
    pub tables: Vec<Lba>,
    /// The number of the tables: of several the highest counts.
    pub sequence_number: u32,
    /// All spare packets.
    pub spares: BlockRange,
    /// The packets of the partition that are in spare packets, by their first blocks.
    pub moved: BTreeMap<Lba, Lba>,
}

/// Where a virtual allocation table stands (UDF 2.2.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VirtualTableAddresses {
    /// The table's entry, the last block recorded. A table that does not fit into it stands right
    /// before it: [`Layout::virtual_table_blocks`] in all.
    pub entry: Lba,
    /// The entry of the table before.
    pub previous: Option<Lba>,
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

    /// The blocks of the virtual allocation table, its entry last.
    pub(super) fn virtual_table_range(&self, layout: &Layout) -> Option<BlockRange> {
        let table = self.virtual_table?;
        let count = layout.virtual_table_blocks();
        let start = table.entry.get().checked_sub(count.get() - 1);
        let start = start.expect("a virtual allocation table would begin before the disc");
        Some(range(Lba::new(start), count))
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
        let file = self.metadata_file;
        let entries = file.map(|file| [file.entry, file.mirror_entry].map(BlockRange::single));
        let metadata_bitmap = file.and_then(|file| file.bitmap);
        [
            Some(self.metadata_range(layout)),
            self.mirror_range(layout),
            metadata_bitmap.map(|start| range(start, layout.metadata_bitmap_blocks())),
            self.virtual_table_range(layout),
            bitmap,
        ]
        .into_iter()
        .flatten()
        .chain(entries.into_iter().flatten())
        .collect()
    }

    /// Everything outside the partition but the recognition sequence.
    fn outside(&self, layout: &Layout) -> Vec<BlockRange> {
        let mut outside = vec![
            range(self.main_sequence, layout.sequence_blocks()),
            range(self.reserve_sequence, layout.sequence_blocks()),
            self.integrity,
        ];
        outside.extend(self.spare_integrity);
        outside.extend(self.anchors.iter().copied().map(BlockRange::single));
        if let Some(sparing) = &self.sparing {
            outside.push(sparing.spares);
            outside.extend(sparing.tables.iter().copied().map(BlockRange::single));
        }
        outside
    }

    /// Checks what [`Layout::place`] promises to check.
    pub(super) fn check(&self, layout: &Layout) {
        self.check_kind(layout);
        let unit = layout.options.write_unit;
        assert!(
            self.integrity.contains(self.integrity_descriptor)
                && self.integrity.block_count() >= unit.blocks(),
            "the integrity sequence {} has no write unit at {}",
            self.integrity,
            self.integrity_descriptor
        );
        let (inside, outside) = (self.own_blocks(layout), self.outside(layout));
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

    /// Checks that there is what the kind of partition and its access need, and nothing else.
    fn check_kind(&self, layout: &Layout) {
        let options = &layout.options;
        let agree = |there: bool, wanted: bool, what: &str| {
            assert_eq!(there, wanted, "{what} stands exactly where it is wanted");
        };
        let is = |kind| options.partition == kind;
        let file = self.metadata_file;
        agree(
            file.is_some(),
            is(PartitionKind::Metadata),
            "a metadata file",
        );
        agree(
            self.sparing.is_some(),
            is(PartitionKind::Sparable),
            "sparing",
        );
        let table = self.virtual_table.is_some();
        agree(table, is(PartitionKind::Virtual), "a virtual table");
        let mirror = file.is_some_and(|file| file.mirror.is_some());
        agree(mirror, options.duplicate_metadata, "a second copy");
        let bitmap = self.space_bitmap.is_some();
        agree(
            bitmap,
            options.access.has_bitmap(),
            "a bitmap of free space",
        );
        let bitmap = file.is_some_and(|file| file.bitmap.is_some());
        let wanted = is(PartitionKind::Metadata) && options.access == Access::Overwritable;
        agree(bitmap, wanted, "a bitmap of free metadata");
        if let Some(sparing) = &self.sparing {
            sparing.check(layout, self.partition);
        }
    }
}

impl SparingAddresses {
    fn check(&self, layout: &Layout, partition: BlockRange) {
        let packet = layout.packet();
        assert!(
            (1..=4).contains(&self.tables.len()),
            "a sparable partition has one to four tables"
        );
        let is_whole = |range: BlockRange| range.align_outward(packet) == range;
        assert!(
            is_whole(self.spares) && is_whole(partition),
            "the partition {partition} and the spare packets {} are whole packets",
            self.spares
        );
        for (&from, &to) in &self.moved {
            assert!(
                partition.contains(from)
                    && self.spares.contains(to)
                    && from.is_aligned(packet)
                    && to.is_aligned(packet),
                "the packet at {from} cannot be in a spare packet at {to}"
            );
        }
    }
}

fn range(start: Lba, count: BlockCount) -> BlockRange {
    BlockRange::with_count(start, count).expect("structures would end past the last address")
}
