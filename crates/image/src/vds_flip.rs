//! VDS flip: UDF with a plain partition, or a sparable one whose packets cannot be exchanged, on
//! media and files that can be rewritten.
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
//! Where the main sequence cannot be used, kernels read the reserve, so the main one is recorded
//! first.
//!
//! Invariants: nothing recorded in the first epoch shares a write unit with a live block, nor a
//! packet of a sparable partition; packets that are in spare packets get nothing new, and the
//! sparing tables stay as they are; each sequence is alone in its write units. Programs that look
//! at the main sequence alone refuse a disc that is cut inside its write: so the class is
//! Recoverable, by one write.

use reburn_blocks::{
    BlockCount, BlockRange, BlockRangeList, CrashClass, ExtentMap, Lba, Protocol, WriteUnit,
};
use reburn_udf::{Addresses, Kept, Layout, Structure, StructureKind, UdfOptions};

use crate::base::{Base, UdfBase};
use crate::fresh::{for_medium, udf_files};
use crate::new_blocks::{Commit, NewBlocks, UdfBlocks, add_files};
use crate::placement::{NewFile, PlacedFiles, Placement, Request};
use crate::places::{self, Places};
use crate::{EntireImageRequired, FileSystemImage, ImageError, Medium};

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
            next_writable: None,
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
    /// Whether readers take the reserve sequence, since the main one cannot be used.
    is_read_by_reserve: bool,
}

/// The same with addresses.
pub(crate) struct PlacedPart {
    pub(crate) blocks: UdfBlocks,
    pub(crate) files: Vec<NewFile>,
    /// Blocks of new metadata.
    pub(crate) metadata: BlockCount,
    /// The reserve sequence, then the main one, in whole units; the other way round where the main
    /// one cannot be used.
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
        places::check_kind(udf, options)?;
        let changes = tree.changes_since(base.imported).unwrap_or_default();
        let kept = Kept {
            entries: &udf.entries,
            changed: &changes.inodes,
        };
        let layout = Layout::with_kept(tree, &for_medium(options, medium), &kept)?;
        let unit = layout.alignment();
        let places = Places::find(&udf.structures, &base.live, &layout)?;
        places.check_alone(base, &layout)?;
        // What lies in a spare packet has no address in the partition that an entry could name.
        let spares = places.sparing.iter().map(|sparing| sparing.spares);
        let files = udf_files(tree, &layout, &spares.collect());
        let bitmap = bitmap_room(&layout, &places, &files);
        let inside = BlockRangeList::from_iter([places.partition]);
        Ok(Self {
            unusable: udf.unusable.intersection(&inside),
            is_read_by_reserve: udf.volume.is_read_by_reserve(),
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
            is_read_by_reserve,
        } = self;
        let end = end_of_new(placement, &files, metadata, session);
        let grown = grow(&places, base, end, unit).ok_or(too_big(end, medium))?;
        // Room was found for the bitmap of a partition that grows by what is new.
        if layout.bitmap_blocks(grown.partition.block_count()) > bitmap {
            return Err(EntireImageRequired::UdfStructure {
                reason: "it has files far behind the end of its partition",
            }
            .into());
        }
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
        let mut epochs = [
            sequence(StructureKind::ReserveSequence),
            sequence(StructureKind::MainSequence),
        ];
        if is_read_by_reserve {
            epochs.reverse();
        }
        Ok(PlacedPart {
            metadata: session + medium.write_unit().blocks(),
            blocks,
            files,
            epochs,
        })
    }
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
