//! VDS flip: UDF with a plain or sparable partition, on media and files that can be rewritten.
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
//! Invariants: nothing recorded in the first epoch shares a write unit with a live block, nor a
//! packet of a sparable partition; packets that are in spare packets get nothing new, and the
//! sparing tables stay as they are; each sequence is alone in its write units. Programs that look at the main sequence alone refuse a
//! disc that is cut inside its write: so the class is Recoverable, by one write.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, CrashClass, ExtentMap, Lba, Protocol,
    WriteUnit,
};
use reburn_udf::{
    Addresses, Kept, Layout, PartitionKind, SparingAddresses, SparingStructures, Structure,
    StructureKind, UdfOptions, VolumeStructures,
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
    sparing: Option<SparingAddresses>,
}

/// Lays out new folders and files beside what is on the disc.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, udf): (&Base<'_>, &UdfBase),
    options: &UdfOptions,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let part = UdfPart::new(image, (base, udf), options)?;
    let request = Request {
        session: part.session(),
        files: &part.files,
        medium: image.medium,
        unit: part.unit,
    };
    let metadata = request.place(&part.taken(base), placement)?;
    let class_reason = class_reason(&part.places);
    let placed = part.place(image, base, metadata, &BlockRangeList::new(), placement)?;
    let mut sources = ExtentMap::new();
    let files = PlacedFiles::new(&image.tree, placement, Some(base.disc()));
    placed.blocks.add_sources(&mut sources, &files);
    add_files(&mut sources, placement, &placed.files);
    Ok(NewBlocks {
        sources,
        data: placed.files.iter().map(|file| file.blocks).sum(),
        metadata: placed.metadata,
        iso: None,
        udf: Some(placed.blocks),
        update: None,
        commit: Some(Commit {
            epochs: placed.epochs.into(),
            protocol: Protocol::VdsFlip,
            class: CrashClass::Recoverable,
            class_reason,
        }),
    })
}

/// What UDF needs for an edit, on a disc of its own or on one with ISO 9660.
pub(crate) struct UdfPart {
    layout: Layout,
    places: Places,
    medium: Medium,
    /// What nothing new shares with live blocks: a write unit, or a packet where that is larger.
    pub(crate) unit: WriteUnit,
    /// The files that need new blocks.
    pub(crate) files: Vec<NewFile>,
    /// Blocks for the bitmap of the partition.
    bitmap: BlockCount,
    /// Damaged blocks that the volume lists.
    unusable: BlockRangeList,
}

/// The same with addresses.
pub(crate) struct PlacedPart {
    pub(crate) blocks: UdfBlocks,
    pub(crate) files: Vec<NewFile>,
    /// Blocks of new metadata.
    pub(crate) metadata: BlockCount,
    /// The reserve sequence, then the main one, in whole units.
    pub(crate) epochs: [BlockRangeList; 2],
}

impl UdfPart {
    /// Finds out what is new, or what stands against an edit.
    pub(crate) fn new(
        image: &FileSystemImage<'_>,
        (base, udf): (&Base<'_>, &UdfBase),
        options: &UdfOptions,
    ) -> Result<Self, ImageError> {
        let (tree, medium) = (&image.tree, image.medium);
        check_kind(udf, options)?;
        let changes = tree.changes_since(base.imported).unwrap_or_default();
        let kept = Kept {
            entries: &udf.entries,
            changed: &changes.inodes,
        };
        let layout = Layout::with_kept(tree, &for_medium(options, medium), &kept)?;
        let unit = layout.alignment();
        let places = places(&udf.structures, &base.live, &layout)?;
        check_alone(base, &places, &layout)?;
        // What lies in a spare packet has no address in the partition that an entry could name.
        let spares = places.sparing.iter().map(|sparing| sparing.spares);
        let files = udf_files(tree, &layout, &spares.collect());
        let bitmap = bitmap_room(&layout, &places, &files);
        let inside = BlockRangeList::from_iter([places.partition]);
        Ok(Self {
            unusable: udf.unusable.intersection(&inside),
            layout,
            places,
            medium,
            unit,
            files,
            bitmap,
        })
    }

    /// Checks that another file system rewrites none of UDF's own blocks.
    pub(crate) fn check_apart_from(
        &self,
        others: &BlockRangeList,
    ) -> Result<(), EntireImageRequired> {
        let mut own = self.places.outside(&self.layout);
        own.push(self.places.partition);
        if own.iter().any(|range| others.intersects(*range)) {
            return Err(EntireImageRequired::UdfStructure {
                reason: "its structures lie among those of ISO 9660",
            });
        }
        Ok(())
    }

    /// Blocks of metadata, which form one run.
    pub(crate) fn session(&self) -> BlockCount {
        self.layout.metadata_blocks() + self.bitmap
    }

    /// Blocks that nothing new may be in: live ones, packets that are in spare packets, and those
    /// outside the partition, which grows in a file as far as nothing else of the volume is in
    /// its way.
    pub(crate) fn taken(&self, base: &Base<'_>) -> BlockRangeList {
        let partition_end = self.places.partition.end_exclusive();
        let outside = self.places.outside(&self.layout);
        let is_behind = |range: &BlockRange| range.end_exclusive() > partition_end;
        let end = match self.medium {
            Medium::File if !outside.iter().any(is_behind) => Lba::MAX.get(),
            _ => partition_end,
        };
        let before = crate::base::first_blocks(self.places.partition.start_lba());
        let mut taken = base.live.union(&self.moved_packets());
        taken.insert(before);
        taken.extend(BlockRange::new(Lba::new(end), Lba::MAX));
        taken
    }

    /// The packets of the partition that readers look for in spare packets.
    fn moved_packets(&self) -> BlockRangeList {
        let moved = self.places.sparing.iter().flat_map(|s| s.moved.keys());
        let packet = self.layout.packet().blocks();
        moved
            .filter_map(|&start| BlockRange::with_count(start, packet))
            .collect()
    }

    /// Renders everything; `metadata` is where its [`session`](Self::session) starts, all files
    /// have their places, and `in_use` is what another file system has there.
    pub(crate) fn place(
        self,
        image: &FileSystemImage<'_>,
        base: &Base<'_>,
        metadata: Lba,
        in_use: &BlockRangeList,
        placement: &Placement,
    ) -> Result<PlacedPart, ImageError> {
        let (session, in_use) = (self.session(), in_use.union(&self.moved_packets()));
        let Self {
            layout,
            places,
            medium,
            unit,
            files,
            bitmap,
            unusable,
        } = self;
        let end = end_of_new(placement, &files, metadata, session);
        let grown = grow(&places, base, end, unit).ok_or(too_big(end, medium))?;
        let addresses = Addresses {
            recognition: crate::session::HEAD,
            anchors: grown.anchors,
            main_sequence: places.main,
            reserve_sequence: places.reserve,
            integrity: places.integrity,
            spare_integrity: places.spare_integrity,
            integrity_descriptor: places.integrity_descriptor,
            partition: grown.partition,
            metadata,
            metadata_file: None,
            sparing: places.sparing,
            virtual_table: None,
            space_bitmap: (!bitmap.is_zero()).then(|| metadata + layout.metadata_blocks()),
            // What only the old tree uses is free after the next edit.
            in_use: in_use.union(&base.live),
            unusable,
        };
        let placed_files = PlacedFiles::new(&image.tree, placement, Some(base.disc()));
        let mut blocks = UdfBlocks::new(layout, addresses, &placed_files);
        blocks.structures.retain(is_rewritten);
        let sequence = |kind| {
            let found = blocks.structures.iter().filter(|s| s.kind == kind);
            let ranges: BlockRangeList = found.map(Structure::range).collect();
            ranges.align_outward(unit)
        };
        let epochs = [
            sequence(StructureKind::ReserveSequence),
            sequence(StructureKind::MainSequence),
        ];
        Ok(PlacedPart {
            metadata: session + medium.write_unit().blocks(),
            blocks,
            files,
            epochs,
        })
    }
}

impl Places {
    /// Everything outside the partition that an edit leaves where it is or rewrites there.
    fn outside(&self, layout: &Layout) -> Vec<BlockRange> {
        let sequences = [self.main, self.reserve];
        let mut all: Vec<_> = sequences
            .into_iter()
            .filter_map(|start| BlockRange::with_count(start, layout.sequence_blocks()))
            .collect();
        all.push(self.integrity);
        all.extend(self.spare_integrity);
        if let Some(sparing) = &self.sparing {
            all.push(sparing.spares);
            all.extend(sparing.tables.iter().copied().map(BlockRange::single));
        }
        all
    }

    /// Whether no two of them share a block, and none lies in the partition.
    fn are_apart(&self, layout: &Layout) -> bool {
        let mut all = self.outside(layout);
        all.push(self.partition);
        all.sort_unstable_by_key(|range| range.start_lba());
        all.windows(2)
            .all(|two| two[0].end_exclusive() <= two[1].start_lba().get())
    }
}

/// Whether the volume has one partition of a kind whose blocks are where it is, but for packets
/// that are damaged.
fn check_kind(udf: &UdfBase, options: &UdfOptions) -> Result<(), EntireImageRequired> {
    let cannot = |reason| Err(EntireImageRequired::UdfStructure { reason });
    let partitions = udf.volume.partitions();
    let kinds: Vec<_> = partitions.iter().map(|partition| partition.kind).collect();
    match kinds[..] {
        _ if udf.volume.block_size() as usize != BLOCK_SIZE => {
            cannot("its blocks are not those of the disc")
        }
        [kind @ (PartitionKind::Plain | PartitionKind::Sparable)] if kind == options.partition => {
            Ok(())
        }
        [PartitionKind::Plain | PartitionKind::Sparable] => {
            cannot("its revision has no partition of the kind that it has")
        }
        _ => cannot("only plain and sparable partitions are edited this way"),
    }
}

/// Where the volume has its parts, if this protocol can change them.
fn places(
    structures: &VolumeStructures,
    live: &BlockRangeList,
    layout: &Layout,
) -> Result<Places, EntireImageRequired> {
    let cannot = |reason| EntireImageRequired::UdfStructure { reason };
    let [partition] = structures.partitions[..] else {
        return Err(cannot("it has several partitions"));
    };
    let sparing = structures.sparing.as_ref();
    if sparing.is_none() && layout.options().partition == PartitionKind::Sparable {
        return Err(cannot("its sparing tables name blocks that no disc has"));
    }
    let sparing = sparing.map(|sparing| sparing_place(sparing, partition, layout));
    let sparing = sparing.transpose().map_err(cannot)?;
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
    let unit = layout.options().write_unit;
    let (integrity, spare_integrity, integrity_descriptor) =
        integrity_place(structures, live, unit).map_err(cannot)?;
    let places = Places {
        partition,
        main: main.start_lba(),
        reserve: reserve.start_lba(),
        integrity,
        spare_integrity,
        integrity_descriptor,
        sparing,
    };
    if places.are_apart(layout) {
        Ok(places)
    } else {
        Err(cannot(
            "its descriptors lie in the partition or in each other",
        ))
    }
}

/// What a sparable partition has outside it, if a volume of ours can have it so: tables stay as
/// they are.
fn sparing_place(
    sparing: &SparingStructures,
    partition: BlockRange,
    layout: &Layout,
) -> Result<SparingAddresses, &'static str> {
    let packet = layout.packet();
    if sparing.packet != packet.blocks() {
        return Err("its packets are of another size than the medium's");
    }
    let unlike = "its spare packets are not one run, or its sparing tables do not fit it";
    let found = sparing.addresses().ok_or(unlike)?;
    let is_whole = |range: BlockRange| range.align_outward(packet) == range;
    if !is_whole(partition) || !is_whole(found.spares) {
        return Err("its partition or its spare packets are not whole packets");
    }
    let fits = |(from, to): (&Lba, &Lba)| {
        let is_packet = from.is_aligned(packet) && to.is_aligned(packet);
        is_packet && partition.contains(*from) && found.spares.contains(*to)
    };
    if !found.moved.iter().all(fits) {
        return Err("its sparing tables name packets that are none");
    }
    Ok(found)
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
    let is_free = |next: &Lba| {
        let range = BlockRange::with_count(*next, unit.blocks());
        range.is_some_and(|range| !live.intersects(range))
    };
    let next = structures.next_integrity_unit(unit).filter(is_free);
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
) -> Result<(), EntireImageRequired> {
    let sequences = [places.main, places.reserve];
    let own = sequences.map(|start| BlockRange::with_count(start, layout.sequence_blocks()));
    let own: BlockRangeList = own.into_iter().flatten().collect();
    let neighbours = own.align_outward(layout.alignment()).difference(&own);
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

fn grow(places: &Places, base: &Base<'_>, end: u64, unit: WriteUnit) -> Option<Grown> {
    let old = places.partition;
    if end <= old.end_exclusive().into() {
        return Some(Grown {
            partition: old,
            anchors: Vec::new(),
        });
    }
    let mut end = Lba::checked(end)?.align_up(unit)?;
    let anchors = loop {
        let anchors = end_anchors(end, unit)?;
        // What is there belongs to the old tree.
        let mut live = base.live.iter();
        let taken = live.find_map(|range| {
            let anchor = anchors.iter().find(|&&anchor| range.contains(anchor))?;
            Some(range.end_exclusive() - anchor.get())
        });
        match taken {
            Some(blocks) => end = end.checked_add(BlockCount::new(blocks))?.align_up(unit)?,
            None => break anchors,
        }
    };
    Some(Grown {
        partition: BlockRange::new(old.start_lba(), Lba::new(end.get() - 1))?,
        anchors: anchors.to_vec(),
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

/// The recognition sequence, the first anchor and sparing tables stay true.
fn is_rewritten(structure: &Structure) -> bool {
    let kind = structure.kind;
    !matches!(
        kind,
        StructureKind::Recognition | StructureKind::SparingTable
    )
}

fn class_reason(places: &Places) -> String {
    format!(
        "the sequence at block {} is rewritten last; if its write is torn, kernels read the one at \
         block {}, but programs that know one place only see no volume until it is copied back",
        places.main, places.reserve
    )
}
