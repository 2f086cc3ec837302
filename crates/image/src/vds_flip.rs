//! VDS flip: UDF with a plain partition, on media and files that can be rewritten.
//!
//! A UDF volume is described twice, by a main and a reserve volume descriptor sequence, and kernels
//! read the reserve where the main one cannot be read. Every folder is recorded anew, since a
//! folder that moves changes what leads to it and what leads back; entries of files that did not
//! change stay. The new sequences lead to the new file set.
//!
//! - **Shadow** records new data, the file set, folders, entries of changed files, a closed
//!   integrity descriptor behind the last one, and in a file that grows the anchors at its new end.
//!   Where the integrity sequence is full, the descriptor begins another one in blocks that were
//!   kept for it, and the new sequences lead there: it never fills up for good.
//! - **Commit** records the reserve sequence, and after a barrier the main one.
//!
//! | reserve | main | what readers show |
//! |---|---|---|
//! | old, torn, new | old | the old tree |
//! | new | torn | the new tree, in readers that try the reserve sequence |
//! | new | new | the new tree |
//!
//! Invariants: nothing recorded in the first epoch shares a write unit with a live block; each
//! sequence is alone in its write units. Programs that look at the main sequence alone refuse a
//! disc that is cut inside its write: so the class is Recoverable, by one write.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, CrashClass, ExtentMap, Lba, Protocol,
    WriteUnit,
};
use reburn_udf::{
    Addresses, Kept, Layout, PartitionKind, Structure, StructureKind, UdfOptions, VolumeStructures,
};

use crate::base::{Base, UdfBase};
use crate::fresh::{for_medium, udf_files};
use crate::new_blocks::{Commit, NewBlocks, UdfBlocks, add_files};
use crate::placement::{NewFile, PlacedFiles, Placement, Request};
use crate::{EntireImageRequired, FileSystemImage, ImageError, Medium};

/// Where an edit finds and leaves the parts of a volume.
struct Places {
    partition: BlockRange,
    main: Lba,
    reserve: Lba,
    integrity: BlockRange,
    spare_integrity: Option<BlockRange>,
    integrity_descriptor: Lba,
}

/// Lays out new folders and files beside what is on the disc.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, udf): (&Base<'_>, &UdfBase),
    options: &UdfOptions,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, medium, unit) = (&image.tree, image.medium, image.medium.write_unit());
    check_kind(udf)?;
    let changes = tree.changes_since(base.imported).unwrap_or_default();
    let kept = Kept {
        entries: &udf.entries,
        changed: &changes.inodes,
    };
    let layout = Layout::with_kept(tree, &for_medium(options, medium), &kept)?;
    let places = places(&udf.structures, &base.live, &layout, unit)?;
    check_alone(base, &places, &layout, unit)?;
    let files = udf_files(tree, &layout);
    let bitmap = bitmap_room(&layout, &places, &files);
    let request = Request {
        session: layout.metadata_blocks() + bitmap,
        files: &files,
        medium,
        unit,
    };
    let metadata = request.place(&usable(base, &places, medium), placement)?;
    let end = end_of_new(placement, &files, metadata, request.session);
    let mut grown = grow(&places, end, unit).ok_or(too_big(end, medium))?;
    // Where there is an anchor already, it says the same.
    grown.anchors.retain(|&lba| !base.live.contains(lba));
    let addresses = Addresses {
        recognition: udf.structures.recognition,
        anchors: grown.anchors,
        main_sequence: places.main,
        reserve_sequence: places.reserve,
        integrity: places.integrity,
        spare_integrity: places.spare_integrity,
        integrity_descriptor: places.integrity_descriptor,
        partition: grown.partition,
        metadata,
        metadata_file: None,
        sparing: None,
        virtual_table: None,
        space_bitmap: (!bitmap.is_zero()).then(|| metadata + layout.metadata_blocks()),
        // What only the old tree uses is free after the next edit.
        in_use: base.live.clone(),
        unusable: BlockRangeList::new(),
    };
    let placed_files = PlacedFiles::new(tree, placement, Some(base.disc()));
    let mut blocks = UdfBlocks::new(layout, addresses, &placed_files);
    blocks.structures.retain(is_rewritten);
    let mut sources = ExtentMap::new();
    blocks.add_sources(&mut sources, &placed_files);
    add_files(&mut sources, placement, &files);
    let sequence = |kind| {
        let found = blocks.structures.iter().filter(|s| s.kind == kind);
        let ranges: BlockRangeList = found.map(Structure::range).collect();
        ranges.align_outward(unit)
    };
    let commit = Commit {
        epochs: vec![
            sequence(StructureKind::ReserveSequence),
            sequence(StructureKind::MainSequence),
        ],
        protocol: Protocol::VdsFlip,
        class: CrashClass::Recoverable,
        class_reason: class_reason(&places),
    };
    Ok(NewBlocks {
        sources,
        data: files.iter().map(|file| file.blocks).sum(),
        metadata: request.session + unit.blocks(),
        iso: None,
        udf: Some(blocks),
        update: None,
        commit: Some(commit),
    })
}

/// Whether the volume has one partition of the kind whose blocks are where it is.
fn check_kind(udf: &UdfBase) -> Result<(), EntireImageRequired> {
    let cannot = |reason| Err(EntireImageRequired::UdfStructure { reason });
    let partitions = udf.volume.partitions();
    let kinds: Vec<_> = partitions.iter().map(|partition| partition.kind).collect();
    match kinds[..] {
        _ if udf.volume.block_size() as usize != BLOCK_SIZE => {
            cannot("its blocks are not those of the disc")
        }
        [PartitionKind::Plain] => Ok(()),
        _ => cannot("only plain partitions are edited this way"),
    }
}

/// Where the volume has its parts, if this protocol can change them.
fn places(
    structures: &VolumeStructures,
    live: &BlockRangeList,
    layout: &Layout,
    unit: WriteUnit,
) -> Result<Places, EntireImageRequired> {
    let cannot = |reason| EntireImageRequired::UdfStructure { reason };
    let [partition] = structures.partitions[..] else {
        return Err(cannot("it has several partitions"));
    };
    let sequences = structures.main_sequence.zip(structures.reserve_sequence);
    let (main, reserve) = sequences.ok_or(cannot("it has no reserve descriptor sequence"))?;
    if [main, reserve]
        .iter()
        .any(|s| s.block_count() < layout.sequence_blocks())
    {
        return Err(cannot(
            "its descriptor sequences are shorter than a write unit",
        ));
    }
    let (integrity, spare_integrity, integrity_descriptor) =
        integrity_place(structures, live, unit).map_err(cannot)?;
    let outside = [main, reserve, integrity];
    if outside
        .iter()
        .any(|range| partition.intersection(*range).is_some())
    {
        return Err(cannot("its descriptors lie in the partition"));
    }
    Ok(Places {
        partition,
        main: main.start_lba(),
        reserve: reserve.start_lba(),
        integrity,
        spare_integrity,
        integrity_descriptor,
    })
}

/// The integrity sequence, the blocks kept for another one, and where the next descriptor goes:
/// behind the last one, or where nothing is left there to the start of the other sequence, which
/// the old tree does not lead to.
fn integrity_place(
    structures: &VolumeStructures,
    live: &BlockRangeList,
    unit: WriteUnit,
) -> Result<(BlockRange, Option<BlockRange>, Lba), &'static str> {
    if structures.integrity_descriptor.is_none() {
        return Err("it has no integrity descriptor, so the next unique id is not known");
    }
    let spare = structures.spare_integrity.filter(|spare| {
        let mut others = structures.partitions.iter();
        let is_whole = spare.align_outward(unit) == *spare;
        is_whole && !live.intersects(*spare) && others.all(|p| p.intersection(*spare).is_none())
    });
    let next = structures.next_integrity_unit(unit);
    let holds = |range: &&BlockRange| next.is_some_and(|next| range.contains(next));
    match (structures.integrity.iter().find(holds), next, spare) {
        (Some(integrity), Some(next), _) => Ok((*integrity, spare, next)),
        (_, _, Some(spare)) => {
            let used = structures.integrity.first().copied();
            Ok((spare, used, spare.start_lba()))
        }
        _ => Err("its integrity sequence has no room for another descriptor"),
    }
}

/// Checks that the sequences are alone in their write units: a torn one takes nothing with it.
fn check_alone(
    base: &Base<'_>,
    places: &Places,
    layout: &Layout,
    unit: WriteUnit,
) -> Result<(), EntireImageRequired> {
    let sequences = [places.main, places.reserve];
    let own = sequences.map(|start| BlockRange::with_count(start, layout.sequence_blocks()));
    let own: BlockRangeList = own.into_iter().flatten().collect();
    let neighbours = own.align_outward(unit).difference(&own);
    if base.live.intersection(&neighbours).is_empty() {
        return Ok(());
    }
    Err(EntireImageRequired::UdfStructure {
        reason: "its descriptor sequences share write units with other structures",
    })
}

/// Blocks for a bitmap of the partition, where there is one, and of what it may grow by.
fn bitmap_room(layout: &Layout, places: &Places, files: &[NewFile]) -> BlockCount {
    let data: u64 = files.iter().map(|file| u64::from(file.blocks.get())).sum();
    let grown = u64::from(places.partition.block_count().get())
        + data
        + u64::from(layout.metadata_blocks().get());
    let bound = BlockCount::checked(grown + grown / 8000 + 64).unwrap_or(BlockCount::MAX);
    layout.bitmap_blocks(bound)
}

/// Blocks that nothing new may be in: live ones and those outside the partition, which grows in a
/// file as far as nothing else of the volume is in its way.
fn usable(base: &Base<'_>, places: &Places, medium: Medium) -> BlockRangeList {
    let partition_end = places.partition.end_exclusive();
    let starts = [places.main, places.reserve, places.integrity.start_lba()];
    let behind = starts
        .into_iter()
        .find(|start| start.get() >= partition_end);
    let end = match (medium, behind) {
        (Medium::File, None) => BlockCount::new(Lba::MAX.get()),
        _ => BlockCount::new(partition_end),
    };
    let before = crate::base::first_blocks(places.partition.start_lba());
    let mut taken = base.live.clone();
    taken.insert(before);
    if let Some(behind) = BlockRange::new(Lba::new(end.get()), Lba::MAX) {
        taken.insert(behind);
    }
    taken
}

/// The first block after everything new.
fn end_of_new(placement: &Placement, files: &[NewFile], metadata: Lba, blocks: BlockCount) -> u64 {
    let ends = files.iter().filter_map(|file| {
        let start = placement.start(file.inode)?;
        Some(u64::from(start.get()) + u64::from(file.blocks.get()))
    });
    ends.fold(
        u64::from(metadata.get()) + u64::from(blocks.get()),
        u64::max,
    )
}

/// What becomes of a partition that must reach to `end`.
struct Grown {
    partition: BlockRange,
    /// Anchors at the new end of a volume that grows.
    anchors: Vec<Lba>,
}

fn grow(places: &Places, end: u64, unit: WriteUnit) -> Option<Grown> {
    let old = places.partition;
    if end <= old.end_exclusive().into() {
        return Some(Grown {
            partition: old,
            anchors: Vec::new(),
        });
    }
    let end = Lba::checked(end)?.align_up(unit)?;
    let partition = BlockRange::new(old.start_lba(), Lba::new(end.get() - 1))?;
    Some(Grown {
        partition,
        anchors: end_anchors(end, unit)?.to_vec(),
    })
}

/// The last block of a volume whose partition ends before `end`, and the one 256 before it
/// (UDF 2.2.3).
fn end_anchors(end: Lba, unit: WriteUnit) -> Option<[Lba; 2]> {
    let far = end.checked_add(BlockCount::new(257))?.align_up(unit)?;
    let last = far.get() - 1;
    Some([Lba::new(last - 256), Lba::new(last)])
}

fn too_big(end: u64, medium: Medium) -> ImageError {
    ImageError::TooBig {
        needed: BlockCount::checked(end).unwrap_or(BlockCount::MAX),
        free: medium.capacity().unwrap_or(BlockCount::MAX),
        medium,
    }
}

/// The recognition sequence and the first anchor stay true.
fn is_rewritten(structure: &Structure) -> bool {
    structure.kind != StructureKind::Recognition
}

fn class_reason(places: &Places) -> String {
    format!(
        "the sequence at block {} is rewritten last; if its write is torn, kernels read the one at \
         block {}, but programs that know one place only see no volume until it is copied back",
        places.main, places.reserve
    )
}
