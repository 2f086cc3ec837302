//! Where the structures of a new volume go.

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, Lba, WriteUnit};

use super::{Access, Addresses, Layout};
use super::{MetadataFileAddresses, SparingAddresses, VirtualTableAddresses};
use crate::PartitionKind;

/// Addresses for a new volume, with room for file data.
///
/// In the order of the blocks: recognition sequence, main sequence, first anchor, sparing table,
/// integrity sequence and room for another one, spare packets, then the partition with its
/// metadata and file data. What comes after depends on [`VolumeSize`]. Everything that is ever
/// rewritten on its own is alone in its write units, and in its packets on a sparable partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrangement {
    /// Where the structures stand.
    pub addresses: Addresses,
    /// The first block for file data.
    pub data_start: Lba,
    /// Blocks of the whole volume.
    pub volume_blocks: BlockCount,
}

/// How large a volume is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeSize {
    /// As small as it can be: an image in a file. Reserve sequence, the metadata mirror and sparing
    /// tables are in front, so a longer image needs no other first anchor, and the anchors at the
    /// end come right after file data, where programs look for them. On a virtual partition
    /// nothing can be appended to it: its partition ends with the volume.
    Compact,
    /// As large as a medium of that many blocks. Reserve sequence, the metadata mirror and the
    /// second sparing table are at its far end, and what the files leave free is free for later.
    /// On a virtual partition the volume ends with its files, and the rest is for appending.
    Whole(BlockCount),
}

/// The first anchor (ECMA-167 3/8.4.2.1).
const ANCHOR: Lba = Lba::new(256);
/// Where the main sequence starts: after the blocks of recognition sequences.
const MAIN_SEQUENCE: Lba = Lba::new(64);
/// Where the reserve sequence starts if it is not at the far end.
const RESERVE_SEQUENCE: Lba = Lba::new(192);
/// Where the reserve sequence starts at the far end, counted from the last block: before the
/// anchor there, and before the places where programs look for traces of other file systems.
const RESERVE_FROM_END: BlockCount = BlockCount::new(512);
/// The last block near the start where programs look for other file systems before they look for
/// UDF, and give up if they cannot read it. On a medium whatever is recorded again later goes
/// behind it, since its write unit may be torn.
const LAST_PROBE: Lba = Lba::new(2048);
/// Blocks for integrity descriptors, so that there can be many before the sequence is full. Some
/// programs take longer sequences for damaged.
const INTEGRITY_BLOCKS: BlockCount = BlockCount::new(256);
/// Blocks of spare packets: as many as formatters give a CD-RW.
const SPARE_BLOCKS: BlockCount = BlockCount::new(1024);
/// Spare packets of a medium. Each edit takes one for each packet that changes until they are
/// folded back, and systems read no longer table than a block, which is 249.
const SPARE_PACKETS: u32 = 128;
/// What part of a medium they are at most.
const SPARE_PART: u32 = 256;

/// What stands after the data, and where that is if it is known from the start.
struct FarEnd {
    partition_end: Lba,
    sparing_table: Lba,
    reserve: Lba,
    volume_blocks: BlockCount,
}

/// What stands in front of the data.
struct Front {
    integrity: BlockRange,
    spare_integrity: Option<BlockRange>,
    spares: Option<BlockRange>,
    /// The first sparing table, and the second if that is in front too.
    tables: Option<(Lba, Lba)>,
    partition_start: Lba,
    entry: Option<Lba>,
    metadata: Lba,
    metadata_bitmap: Option<Lba>,
    near_copy: Option<Lba>,
    near_mirror: Option<Lba>,
    space_bitmap: Option<Lba>,
    data_start: Lba,
    data_end: Lba,
}

impl Arrangement {
    /// Addresses for `layout`, its recognition sequence at `recognition`, with `data` blocks for
    /// file data; `None` if the volume cannot have so many blocks.
    ///
    /// # Panics
    /// If `recognition` leaves no room before block 64, or if the write unit has more than 64
    /// blocks or does not divide 64.
    pub fn new(
        layout: &Layout,
        recognition: Lba,
        data: BlockCount,
        size: VolumeSize,
    ) -> Option<Self> {
        let unit = layout.alignment();
        assert!(
            MAIN_SEQUENCE.is_aligned(unit),
            "write units of {unit} blocks do not fit between block 64 and the anchor"
        );
        assert!(
            recognition + BlockCount::new(3) < MAIN_SEQUENCE,
            "a recognition sequence at {recognition} runs into the main sequence"
        );
        let is_virtual = layout.options.partition == PartitionKind::Virtual;
        let far = match size {
            VolumeSize::Whole(blocks) if !is_virtual => Some(FarEnd::of(layout, blocks)?),
            _ => None,
        };
        let front = Front::new(layout, data, far.as_ref())?;
        let mut arranged = Self {
            data_start: front.data_start,
            volume_blocks: BlockCount::ZERO,
            addresses: front.addresses(recognition),
        };
        if is_virtual {
            arranged.append_table(layout, front.data_end, size)?;
        } else if let Some(far) = far {
            arranged.fill(layout, &front, &far)?;
        } else {
            arranged.close(layout, front.data_end)?;
        }
        Some(arranged)
    }

    /// Ends a virtual partition with its table, in the last block of a write unit.
    fn append_table(&mut self, layout: &Layout, data_end: Lba, size: VolumeSize) -> Option<()> {
        let end = data_end
            .checked_add(layout.virtual_table_blocks())?
            .align_up(layout.options.write_unit)?;
        let last = Lba::checked(u64::from(end.get()) - 1)?;
        let medium_end = match size {
            VolumeSize::Compact => last,
            VolumeSize::Whole(blocks) => Lba::checked(u64::from(blocks.get()).checked_sub(1)?)?,
        };
        if medium_end < last {
            return None;
        }
        let at = &mut self.addresses;
        at.partition = BlockRange::new(at.partition.start_lba(), medium_end)?;
        at.virtual_table = Some(VirtualTableAddresses {
            entry: last,
            previous: None,
        });
        self.volume_blocks = BlockCount::checked(end.get().into())?;
        Some(())
    }

    /// Ends a volume that fills a medium.
    fn fill(&mut self, layout: &Layout, front: &Front, far: &FarEnd) -> Option<()> {
        let at = &mut self.addresses;
        at.partition = BlockRange::new(front.partition_start, before(far.partition_end)?)?;
        at.reserve_sequence = far.reserve;
        if let Some(sparing) = &mut at.sparing {
            sparing.tables[1] = far.sparing_table;
        }
        let mut free_end = far.partition_end;
        if let Some(file) = &mut at.metadata_file {
            free_end = back(free_end, layout.alignment().blocks())?;
            file.mirror_entry = free_end;
            if layout.options.duplicate_metadata {
                free_end = back(free_end, layout.metadata_blocks())?;
                file.mirror = Some(free_end);
            }
        }
        if front.data_end > free_end {
            return None;
        }
        self.end_at(far.volume_blocks);
        Some(())
    }

    /// Ends a volume after its data.
    fn close(&mut self, layout: &Layout, data_end: Lba) -> Option<()> {
        let unit = layout.alignment();
        let next = data_end.align_up(unit)?;
        let at = &mut self.addresses;
        at.partition = BlockRange::new(at.partition.start_lba(), before(next)?)?;
        self.end_at(end_of_volume(next, unit)?);
        Some(())
    }

    fn end_at(&mut self, volume_blocks: BlockCount) {
        let last = Lba::new(volume_blocks.get() - 1);
        let anchors = [Lba::new(last.get() - ANCHOR.get()), last];
        self.addresses.anchors.extend(anchors);
        self.volume_blocks = volume_blocks;
    }
}

impl FarEnd {
    /// The end of a medium of so many blocks; `None` where it has too few.
    fn of(layout: &Layout, volume_blocks: BlockCount) -> Option<Self> {
        let unit = layout.alignment();
        let last = before(Lba::checked(volume_blocks.get().into())?)?;
        let reserve = back(last, RESERVE_FROM_END)?.align_down(unit);
        let sparing_table = match layout.options.partition {
            PartitionKind::Sparable => back(reserve, unit.blocks())?,
            _ => reserve,
        };
        Some(Self {
            partition_end: sparing_table,
            sparing_table,
            reserve,
            volume_blocks,
        })
    }
}

impl Front {
    fn new(layout: &Layout, data: BlockCount, far: Option<&FarEnd>) -> Option<Self> {
        let options = &layout.options;
        let unit = layout.alignment();
        let is = |kind| options.partition == kind;
        let mut next = ANCHOR.checked_add(unit.blocks())?;
        if far.is_some() {
            next = LAST_PROBE.checked_add(unit.blocks())?;
        }
        let table = take_if(is(PartitionKind::Sparable), &mut next, unit.blocks())?;
        let (integrity, spare_integrity) = if is(PartitionKind::Virtual) {
            // It is written once; the tables follow it up.
            let least = options.write_unit.blocks().max(BlockCount::new(2));
            (take(&mut next, least.round_up(unit))?, None)
        } else {
            let blocks = INTEGRITY_BLOCKS.round_up(unit);
            let first = take(&mut next, blocks)?;
            (first, Some(take(&mut next, blocks)?))
        };
        let (mut spares, mut tables) = (None, None);
        if let Some(first) = table {
            let blocks = far.map_or(SPARE_BLOCKS, |far| spare_blocks(far.volume_blocks, unit));
            spares = Some(take(&mut next, blocks.round_up(unit))?);
            let second = match far {
                Some(far) => far.sparing_table,
                None => take(&mut next, unit.blocks())?.start_lba(),
            };
            tables = Some((first, second));
        }
        let partition_start = next;
        let has_file = is(PartitionKind::Metadata);
        let entry = take_if(has_file, &mut next, unit.blocks())?;
        let metadata = take(&mut next, layout.metadata_blocks())?.start_lba();
        let has_bitmap = has_file && options.access == Access::Overwritable;
        let bitmap_blocks = layout.metadata_bitmap_blocks().round_up(unit);
        let metadata_bitmap = take_if(has_bitmap, &mut next, bitmap_blocks)?;
        let has_near_mirror = has_file && far.is_none();
        let has_near_copy = has_near_mirror && options.duplicate_metadata;
        let near_copy = take_if(has_near_copy, &mut next, layout.metadata_blocks())?;
        next = next.align_up(unit)?;
        let near_mirror = take_if(has_near_mirror, &mut next, unit.blocks())?;
        let bitmap_room = if let Some(far) = far {
            let partition = far.partition_end.get().checked_sub(partition_start.get())?;
            layout.bitmap_blocks(BlockCount::new(partition))
        } else {
            let so_far = next.checked_add(data)?.blocks_since(partition_start);
            bitmap_room(layout, so_far)?
        };
        let space_bitmap = take_if(!bitmap_room.is_zero(), &mut next, bitmap_room)?;
        Some(Self {
            integrity,
            spare_integrity,
            spares,
            tables,
            partition_start,
            entry,
            metadata,
            metadata_bitmap,
            near_copy,
            near_mirror,
            space_bitmap,
            data_start: next,
            data_end: next.checked_add(data)?,
        })
    }

    /// The addresses of what is in front. What is behind still stands in front too.
    fn addresses(&self, recognition: Lba) -> Addresses {
        Addresses {
            recognition,
            anchors: vec![ANCHOR],
            main_sequence: MAIN_SEQUENCE,
            reserve_sequence: RESERVE_SEQUENCE,
            integrity: self.integrity,
            spare_integrity: self.spare_integrity,
            integrity_descriptor: self.integrity.start_lba(),
            partition: BlockRange::single(self.partition_start),
            metadata: self.metadata,
            metadata_file: self.entry.map(|entry| MetadataFileAddresses {
                entry,
                mirror_entry: self.near_mirror.unwrap_or(entry),
                mirror: self.near_copy,
                bitmap: self.metadata_bitmap,
            }),
            sparing: self
                .spares
                .zip(self.tables)
                .map(|(spares, (first, second))| SparingAddresses {
                    tables: vec![first, second],
                    sequence_number: 1,
                    spares,
                    moved: std::collections::BTreeMap::new(),
                }),
            virtual_table: None,
            space_bitmap: self.space_bitmap,
            in_use: BlockRangeList::default(),
            unusable: BlockRangeList::default(),
        }
    }
}

/// Blocks for the bitmap of a partition with `so_far` blocks in it besides, and some units and the
/// bitmap to come. What the bitmap adds is an eight-thousandth, so a bound is
/// enough.
fn bitmap_room(layout: &Layout, so_far: BlockCount) -> Option<BlockCount> {
    let units = 2 * u64::from(layout.alignment().blocks().get());
    let so_far = u64::from(so_far.get()) + units;
    let bound = BlockCount::checked(so_far + so_far / 8000 + 64)?;
    Some(layout.bitmap_blocks(bound))
}

/// Blocks of spare packets of a medium of so many blocks.
fn spare_blocks(medium: BlockCount, packet: WriteUnit) -> BlockCount {
    let wanted = SPARE_PACKETS * packet.blocks().get();
    let part = BlockCount::new(wanted.min(medium.get() / SPARE_PART));
    part.max(SPARE_BLOCKS)
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

/// The block that many before `lba`.
fn back(lba: Lba, count: BlockCount) -> Option<Lba> {
    lba.get().checked_sub(count.get()).map(Lba::new)
}

fn before(lba: Lba) -> Option<Lba> {
    back(lba, BlockCount::ONE)
}

/// Blocks of a volume whose last block and the one 256 before it are at or after `next`.
fn end_of_volume(next: Lba, unit: WriteUnit) -> Option<BlockCount> {
    let end = next
        .checked_add(BlockCount::new(ANCHOR.get() + 1))?
        .align_up(unit)?;
    BlockCount::checked(end.get().into())
}
