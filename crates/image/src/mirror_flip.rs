//! Mirror flip: UDF with a metadata partition, on media and files that can be rewritten.
//!
//! Entries and folders have virtual addresses, which the metadata file maps to blocks of the disc,
//! and the file's entry exists twice: readers take the mirror's where the first cannot be read.
//! So the units of the file that change are recorded in new blocks, and then the two entries are
//! made to lead to them, one after the other.
//!
//! - **Shadow** records new data, new units of the metadata file, blocks in which its allocation
//!   descriptors go on, and a closed integrity descriptor behind the last one.
//! - **Commit** records the write unit of the mirror's entry, and after a barrier the file's own.
//!
//! | main entry | mirror entry | what readers show |
//! |---|---|---|
//! | old | old, torn, new | the old tree |
//! | torn | new | the new tree |
//! | new | new | the new tree |
//!
//! Where the main entry cannot be read, readers take the mirror, so the main one is written first:
//! while it is torn they go on to take the mirror, and the old tree.
//!
//! An image file has no room in its partition, so it grows: the partition's new length stands in
//! both volume descriptor sequences before the commit, and is true of both trees. A medium's
//! partition reaches to its end; its descriptors are written only when the integrity sequence is
//! full and goes on beside, once in as many edits as it has write units.
//!
//! Invariants: nothing recorded before the commit shares a write unit with a live block; each entry
//! is alone in its write unit; a plan that leaves the descriptor sequences alone is Atomic.

use reburn_blocks::{
    BlockCount, BlockRange, BlockRangeList, CrashClass, ExtentMap, Lba, Protocol, WriteUnit,
};
use reburn_tree::Tree;
use reburn_udf::{
    ChangedSequence, Update, UpdateOptions, UpdatePlaces, UpdateRole, UpdateStructure,
    VolumeChange, VolumeStructures, probed_blocks,
};

use crate::base::{Base, UdfBase};
use crate::free_space::FreeSpace;
use crate::new_blocks::{Commit, NewBlocks, Source, add_files, data_blocks};
use crate::placement::{NewFile, PlacedFiles, Placement, new_files, streams};
use crate::places::spare_integrity;
use crate::{EntireImageRequired, FileSystemImage, ImageError, Medium, laws};

/// What an edit of a metadata partition writes.
pub(crate) struct UpdateBlocks {
    pub(crate) update: Update,
    pub(crate) places: UpdatePlaces,
    /// Blocks of new units, or of those that change in place.
    pub(crate) units: BlockCount,
    pub(crate) structures: Vec<UpdateStructure>,
    /// The descriptor sequences of a volume that grows, in the order to record them.
    pub(crate) sequences: Vec<ChangedSequence>,
}

/// Lays out what changes beside what is on the disc.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, udf): (&Base<'_>, &UdfBase),
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, medium, unit) = (&image.tree, image.medium, image.medium.write_unit());
    let changes = tree.changes_since(base.imported).unwrap_or_default();
    let (options, change) = options(image, (base, udf));
    let disc = base.disc();
    let update = Update::new(&udf.volume, disc, tree, &udf.entries, &changes, &options)?;
    let files = updated_files(tree, &update);
    let room = Room::new(&base.live, udf, medium, image.unit_of_loss())?;
    let (places, end) = room.place(&update, &files, placement)?;
    let update = (update, places);
    let (blocks, mut sources) =
        assemble((base, udf), (tree, placement), update, change, &room, end)?;
    add_files(&mut sources, placement, &files);
    let metadata = blocks.units + unit.blocks();
    check_alone(base, &blocks.sequences, unit)?;
    let commit = commit(&blocks, &udf.structures, unit);
    Ok(NewBlocks {
        data: files.iter().map(|file| file.blocks).sum(),
        metadata,
        sources,
        iso: None,
        udf: None,
        update: Some(blocks),
        commit: Some(commit),
    })
}

/// How the volume is edited, and what its descriptors say of it then: a full integrity sequence
/// goes on in the extent beside it.
pub(crate) fn options(
    image: &FileSystemImage<'_>,
    (base, udf): (&Base<'_>, &UdfBase),
) -> (UpdateOptions, VolumeChange) {
    let (structures, unit) = (&udf.structures, image.medium.write_unit());
    let is_full = structures.next_integrity_unit(unit).is_none();
    let spare = spare_integrity(structures, &base.live, unit).filter(|_| is_full);
    let first = structures.integrity.first().copied();
    let options = UpdateOptions {
        time: image.time,
        write_unit: unit,
        integrity: spare.or(first.filter(|_| image.rewrites_first_integrity())),
        ..UpdateOptions::default()
    };
    let change = VolumeChange {
        integrity: spare,
        ..VolumeChange::default()
    };
    (options, change)
}

/// The files and streams that an edit needs blocks for.
pub(crate) fn updated_files(tree: &Tree, update: &Update) -> Vec<NewFile> {
    let mut files = new_files(tree, &BlockRangeList::new());
    files.extend(streams(tree));
    files.retain(|file| !update.is_embedded(tree, file.inode));
    files
}

/// What an edit writes, and where the bytes of each block come from, but for file data. A volume
/// in which something must reach to `end` grows.
pub(crate) fn assemble(
    (base, udf): (&Base<'_>, &UdfBase),
    (tree, placement): (&Tree, &Placement),
    (mut update, places): (Update, UpdatePlaces),
    mut change: VolumeChange,
    room: &Room,
    end: u64,
) -> Result<(UpdateBlocks, ExtentMap<Source>), ImageError> {
    let disc = base.disc();
    let mut anchors = None;
    if end > room.partition.end_exclusive().into() {
        let grown = grow(room.partition, end, room.unit);
        let (partition, at_end) = grown.ok_or_else(|| room.too_big(end))?;
        change.partition = Some(partition);
        update.grow(partition);
        anchors = Some(at_end);
    }
    let sequences = if change.is_empty() {
        Vec::new()
    } else {
        udf.volume.changed_sequences(disc, &change)?
    };
    let placed_files = PlacedFiles::new(tree, placement, Some(disc));
    let new = update.place(tree, disc, &places, &placed_files);
    let mut structures = new.structures();
    // Where there is an anchor already, it says the same.
    let anchors = anchors.into_iter().flatten();
    for lba in anchors.filter(|&lba| !base.live.contains(lba)) {
        structures.push(udf.volume.anchor_at(disc, lba)?);
    }
    let mut sources = ExtentMap::new();
    for range in &new.ranges() {
        sources.insert(range, Source::UdfUnits);
    }
    for (index, structure) in structures.iter().enumerate() {
        sources.insert(structure.range(), Source::UdfUpdate(index));
    }
    for (index, sequence) in sequences.iter().enumerate() {
        if let Some(range) = range_of(sequence) {
            sources.insert(range, Source::UdfSequence(index));
        }
    }
    let units = new.ranges().block_count();
    drop(new);
    let blocks = UpdateBlocks {
        update,
        places,
        units,
        structures,
        sequences,
    };
    Ok((blocks, sources))
}

/// The epochs after the first, and what they promise.
fn commit(blocks: &UpdateBlocks, structures: &VolumeStructures, unit: WriteUnit) -> Commit {
    let sequence = |sequence: &ChangedSequence| {
        BlockRangeList::from_iter(range_of(sequence)).align_outward(unit)
    };
    let mut epochs: Vec<_> = blocks.sequences.iter().map(sequence).collect();
    // In the order of writing.
    let entries = blocks.structures.iter().filter(|structure| {
        matches!(
            structure.role,
            UpdateRole::MirrorEntry | UpdateRole::MetadataEntry
        )
    });
    for entry in entries {
        let range = BlockRangeList::from_iter([entry.range()]);
        epochs.push(range.align_outward(unit));
    }
    let (class, class_reason) = match laws::against_atomic(structures, &epochs, unit) {
        None => {
            let reason = "readers take the metadata file's entry if it can be read, else its \
                          mirror's, and each leads to a whole tree";
            (CrashClass::Atomic, reason)
        }
        Some(_) if !blocks.sequences.is_empty() => {
            let reason = "the partition grows, or the integrity sequence is full and moves, so the \
                          volume descriptors are rewritten too; if the main sequence is torn, \
                          kernels read the reserve sequence, but programs that know one place only \
                          see no volume until it is copied back";
            (CrashClass::Recoverable, reason)
        }
        Some(reason) => (CrashClass::Recoverable, reason),
    };
    Commit {
        epochs,
        protocol: Protocol::MirrorFlip,
        next_writable: None,
        class,
        class_reason: class_reason.into(),
    }
}

/// Checks that the sequences are alone in their write units: a torn one takes nothing with it.
pub(crate) fn check_alone(
    base: &Base<'_>,
    sequences: &[ChangedSequence],
    unit: WriteUnit,
) -> Result<(), EntireImageRequired> {
    let own: BlockRangeList = sequences.iter().filter_map(range_of).collect();
    let neighbours = own.align_outward(unit).difference(&own);
    if base.live.intersection(&neighbours).is_empty() {
        return Ok(());
    }
    Err(EntireImageRequired::UdfStructure {
        reason: "its descriptor sequences share write units with other structures",
    })
}

pub(crate) fn range_of((start, bytes): &ChangedSequence) -> Option<BlockRange> {
    BlockRange::with_count(*start, BlockCount::in_buffer(bytes.len()))
}

/// Free space for new blocks.
pub(crate) struct Room {
    free: BlockRangeList,
    partition: BlockRange,
    unit: WriteUnit,
    medium: Medium,
}

impl Room {
    /// Room in a volume whose `live` blocks nothing new may share a `unit` with.
    pub(crate) fn new(
        live: &BlockRangeList,
        udf: &UdfBase,
        medium: Medium,
        unit: WriteUnit,
    ) -> Result<Self, ImageError> {
        let partition = *udf.structures.partitions.first().ok_or(no_partition())?;
        // A file grows as far as nothing else of the volume is in its way.
        let end = partition.end_exclusive();
        let structures = &udf.structures;
        let sequences = [structures.main_sequence, structures.reserve_sequence];
        let others = sequences
            .into_iter()
            .flatten()
            .chain(structures.integrity.iter().copied());
        let is_behind = others
            .into_iter()
            .any(|range| range.start_lba().get() >= end);
        let last = match medium {
            Medium::File if !is_behind => Lba::MAX,
            _ => partition.end_lba(),
        };
        let whole = BlockRange::new(partition.start_lba(), last).ok_or(no_partition())?;
        let mut free = BlockRangeList::from_iter([whole]).difference(live);
        if let Some(blocks) = medium.capacity() {
            // A unit that is torn there hides the volume from programs that look for others.
            free = free.difference(&probed_blocks(blocks).align_outward(unit));
        }
        Ok(Self {
            free,
            partition,
            unit,
            medium,
        })
    }

    /// Places units, continuations and files; where they end.
    pub(crate) fn place(
        &self,
        update: &Update,
        files: &[NewFile],
        placement: &mut Placement,
    ) -> Result<(UpdatePlaces, u64), ImageError> {
        let end = self
            .free
            .last_lba()
            .map_or(0, |last| u64::from(last.get()) + 1);
        let end = BlockCount::checked(end).unwrap_or(BlockCount::MAX);
        let live = self.free.complement(end);
        let mut free = FreeSpace::new(&live, end, self.unit);
        let alignment = match update.units() + update.mirror_units() {
            0 => self.unit,
            _ => self.alignment(update)?,
        };
        let unit_blocks = update.unit_blocks();
        let mut used_end = 0;
        let no_room = |what: &str, needed, free: &FreeSpace| ImageError::NoRoomInARow {
            what: what.into(),
            needed,
            longest: free.longest(),
            medium: self.medium,
        };
        let mut take = |what: &str, count: BlockCount, align, free: &mut FreeSpace| {
            let taken = free
                .take(count, align)
                .ok_or_else(|| no_room(what, count, free))?;
            used_end = used_end.max(u64::from(taken.end_exclusive()));
            Ok::<_, ImageError>(taken.start_lba())
        };
        let needed = u64::from(unit_blocks.get()) * (update.units() + update.mirror_units()) as u64
            + 2 * update.continuation_blocks() as u64
            + data_blocks(files);
        if needed > u64::from(free.block_count().get()) {
            return Err(self.too_big(needed));
        }
        let mut places = UpdatePlaces::default();
        let what = "a unit of the metadata file";
        for _ in 0..update.units() {
            places
                .units
                .push(take(what, unit_blocks, alignment, &mut free)?);
        }
        for _ in 0..update.mirror_units() {
            places
                .mirror_units
                .push(take(what, unit_blocks, alignment, &mut free)?);
        }
        for list in [&mut places.continuations, &mut places.mirror_continuations] {
            for _ in 0..update.continuation_blocks() {
                list.push(take(
                    "a block of extents",
                    BlockCount::ONE,
                    self.unit,
                    &mut free,
                )?);
            }
        }
        for &file in files {
            let start = take("a file", file.blocks, WriteUnit::FILE, &mut free)?;
            placement.set(file, start);
        }
        Ok((places, used_end))
    }

    /// What units are aligned to on the disc: in the partition they must be aligned, and they must
    /// be whole write units.
    fn alignment(&self, update: &Update) -> Result<WriteUnit, EntireImageRequired> {
        let cannot = || EntireImageRequired::UdfStructure {
            reason: "its metadata units are not aligned to write units of the medium",
        };
        let (wanted, unit) = (update.alignment().get().max(1), self.unit.blocks().get());
        let both = if wanted.is_multiple_of(unit) {
            wanted
        } else if unit.is_multiple_of(wanted) {
            unit
        } else {
            return Err(cannot());
        };
        let both = WriteUnit::new(both).ok_or_else(cannot)?;
        let start = self.partition.start_lba();
        // Units count from the partition's start.
        let is_aligned = wanted == 1 || start.is_aligned(both);
        is_aligned.then_some(both).ok_or_else(cannot)
    }

    fn too_big(&self, needed: u64) -> ImageError {
        ImageError::TooBig {
            needed: BlockCount::checked(needed).unwrap_or(BlockCount::MAX),
            free: self.free.align_inward(self.unit).block_count(),
            medium: self.medium,
        }
    }
}

/// The partition of a volume that grows to `end`, and the anchors at its new end: the last block of
/// the volume, and the one 256 before it (UDF 2.2.3).
fn grow(old: BlockRange, end: u64, unit: WriteUnit) -> Option<(BlockRange, [Lba; 2])> {
    let end = Lba::checked(end)?.align_up(unit)?;
    let partition = BlockRange::new(old.start_lba(), Lba::new(end.get() - 1))?;
    let far = end.checked_add(BlockCount::new(257))?.align_up(unit)?;
    let last = far.get() - 1;
    Some((partition, [Lba::new(last - 256), Lba::new(last)]))
}

fn no_partition() -> EntireImageRequired {
    EntireImageRequired::UdfStructure {
        reason: "it has no partition of its own",
    }
}
