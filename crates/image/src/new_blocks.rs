//! What a result has that its base has not, and where each block's bytes come from.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, CrashClass, ExtentMap, Lba, Protocol,
};
use reburn_tree::{InodeId, Tree};

use crate::iso_options::style_of;
use crate::mirror_flip::UpdateBlocks;
use crate::placement::{NewFile, PlacedFiles, Placement};
use crate::session::{self, Sessions};

/// What is new.
pub(crate) struct NewBlocks {
    /// Where the bytes of each new block come from.
    pub(crate) sources: ExtentMap<Source>,
    /// Blocks of new file data.
    pub(crate) data: BlockCount,
    /// Blocks of metadata that stand beside the data.
    pub(crate) metadata: BlockCount,
    pub(crate) iso: Option<IsoBlocks>,
    pub(crate) udf: Option<UdfBlocks>,
    /// What changes of a UDF volume with a metadata partition.
    pub(crate) update: Option<UpdateBlocks>,
    /// How readers come to see it; none where there was nothing before.
    pub(crate) commit: Option<Commit>,
}

/// Where a new block's bytes come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source {
    /// The volume descriptors of ISO 9660 at block 16.
    IsoHead,
    /// The same in a session.
    IsoSession,
    /// Path tables and directories of ISO 9660.
    IsoMetadata,
    /// A structure of UDF, by its index.
    UdfStructure(usize),
    /// Entries and directories of UDF.
    UdfMetadata,
    /// New units of a metadata file.
    UdfUnits,
    /// A structure that goes with them, by its index.
    UdfUpdate(usize),
    /// A volume descriptor sequence that changes, by its index.
    UdfSequence(usize),
    /// Zeros: what a write unit is filled up with, where blocks are recorded once.
    Nothing,
    /// A file, from one of its blocks on.
    File(InodeId, BlockCount),
}

/// How the new tree becomes the one that readers see.
pub(crate) struct Commit {
    /// What is recorded after everything else, each after a barrier: whole write units.
    pub(crate) epochs: Vec<BlockRangeList>,
    pub(crate) protocol: Protocol,
    /// Where a disc goes on that can only be appended to: all that is new is one run from there.
    pub(crate) next_writable: Option<Lba>,
    pub(crate) class: CrashClass,
    pub(crate) class_reason: String,
}

/// What there is of ISO 9660.
pub(crate) struct IsoBlocks {
    pub(crate) layout: reburn_iso9660::Layout,
    pub(crate) metadata_start: Lba,
    /// The volume descriptors at block 16.
    pub(crate) head_descriptors: Vec<u8>,
    /// The same in the session, where the volume's size counts from the session's start.
    pub(crate) session_descriptors: Vec<u8>,
    pub(crate) session_start: Lba,
}

/// What there is of UDF.
pub(crate) struct UdfBlocks {
    pub(crate) layout: reburn_udf::Layout,
    pub(crate) addresses: reburn_udf::Addresses,
    pub(crate) structures: Vec<reburn_udf::Structure>,
}

/// What the descriptors of ISO 9660 say besides the tree.
pub(crate) struct IsoRequest<'a> {
    pub(crate) options: &'a reburn_iso9660::IsoOptions,
    /// Where the session's descriptors stand.
    pub(crate) descriptors_start: Lba,
    /// Blocks of the whole volume, from block 0.
    pub(crate) volume_space: BlockCount,
    /// The sessions before.
    pub(crate) older: Sessions,
    pub(crate) boot_record: Option<&'a [u8; BLOCK_SIZE]>,
}

impl IsoBlocks {
    /// Blocks of the descriptors of a volume.
    pub(crate) fn descriptor_blocks(
        layout: &reburn_iso9660::Layout,
        has_boot_record: bool,
    ) -> BlockCount {
        layout.descriptor_blocks() + BlockCount::new(has_boot_record.into())
    }

    /// Blocks at 16 that readers begin with.
    pub(crate) fn head(descriptor_blocks: BlockCount) -> BlockRange {
        BlockRange::with_count(session::HEAD, descriptor_blocks).expect("a volume has descriptors")
    }

    /// Renders the descriptors; everything has its place.
    pub(crate) fn new(
        layout: reburn_iso9660::Layout,
        files: &PlacedFiles<'_>,
        request: &IsoRequest<'_>,
    ) -> Self {
        let blocks = Self::descriptor_blocks(&layout, request.boot_record.is_some());
        let descriptors_start = request.descriptors_start;
        let session_start = Lba::new(descriptors_start.get() - session::SYSTEM_AREA.get());
        let metadata_start = descriptors_start + blocks;
        let note = request.older.with(session_start, style_of(request.options));
        let note = note.encode();
        let placed = layout.place(files.tree, metadata_start, files);
        let sizes = [
            request.volume_space,
            request.volume_space - BlockCount::new(session_start.get()),
        ];
        let [head_descriptors, session_descriptors] = sizes.map(|volume_space| {
            let mut blocks = placed.descriptors(volume_space, &note);
            if let Some(boot_record) = request.boot_record {
                // Right after the primary descriptor (El Torito 2.0).
                blocks.splice(BLOCK_SIZE..BLOCK_SIZE, boot_record.iter().copied());
            }
            blocks
        });
        Self {
            layout,
            metadata_start,
            head_descriptors,
            session_descriptors,
            session_start,
        }
    }

    /// Notes where the descriptors and directories are.
    pub(crate) fn add_sources(
        sources: &mut ExtentMap<Source>,
        layout: &reburn_iso9660::Layout,
        head: BlockRange,
        descriptors_start: Lba,
    ) {
        sources.insert(head, Source::IsoHead);
        Self::add_session(sources, layout, head.block_count(), descriptors_start);
    }

    /// Notes where those of a session are that has no copy of its descriptors at block 16.
    pub(crate) fn add_session(
        sources: &mut ExtentMap<Source>,
        layout: &reburn_iso9660::Layout,
        descriptors: BlockCount,
        descriptors_start: Lba,
    ) {
        let metadata_start = descriptors_start + descriptors;
        let metadata = (
            metadata_start,
            layout.metadata_blocks(),
            Source::IsoMetadata,
        );
        let session = (descriptors_start, descriptors, Source::IsoSession);
        for (start, count, source) in [session, metadata] {
            if let Some(range) = BlockRange::with_count(start, count) {
                sources.insert(range, source);
            }
        }
    }
}

impl UdfBlocks {
    /// Renders the structures; everything has its place.
    pub(crate) fn new(
        layout: reburn_udf::Layout,
        addresses: reburn_udf::Addresses,
        files: &PlacedFiles<'_>,
    ) -> Self {
        let structures = layout.place(files.tree, &addresses, files).structures();
        Self {
            layout,
            addresses,
            structures,
        }
    }

    /// Notes where structures, entries and directories are.
    pub(crate) fn add_sources(&self, sources: &mut ExtentMap<Source>, files: &PlacedFiles<'_>) {
        let placed = self.layout.place(files.tree, &self.addresses, files);
        let metadata = [Some(placed.metadata_range()), placed.mirror_range()];
        for range in metadata.into_iter().flatten() {
            sources.insert(range, Source::UdfMetadata);
        }
        for (index, structure) in self.structures.iter().enumerate() {
            sources.insert(structure.range(), Source::UdfStructure(index));
        }
    }
}

/// Notes where new files are.
pub(crate) fn add_files(sources: &mut ExtentMap<Source>, placement: &Placement, files: &[NewFile]) {
    let mut placed = Vec::with_capacity(files.len());
    for &file in files {
        let mut skipped = BlockCount::ZERO;
        for run in placement.runs(file) {
            placed.push((run, file.inode, skipped));
            skipped += run.block_count();
        }
    }
    placed.sort_unstable_by_key(|(run, ..)| run.start_lba());
    for (run, inode, skipped) in placed {
        sources.insert(run, Source::File(inode, skipped));
    }
}

/// Blocks of all these files.
pub(crate) fn data_blocks(files: &[NewFile]) -> u64 {
    files.iter().map(|file| u64::from(file.blocks.get())).sum()
}

/// The first block after the data of every file.
pub(crate) fn end_of_files(tree: &Tree, placement: &Placement) -> BlockCount {
    let nodes = tree.walk(Tree::ROOT).map(|(node, _)| tree.inode(node));
    let ends = nodes.map(|inode| {
        let extents = placement.extents(tree, inode);
        let ranges = extents
            .as_slice()
            .iter()
            .filter_map(reburn_tree::Extent::blocks);
        ranges.map(BlockRange::end_exclusive).max().unwrap_or(0)
    });
    BlockCount::new(ends.max().unwrap_or(0))
}
