//! Editing a volume with a metadata partition (UDF 2.2.10) without writing it anew.
//!
//! Addresses in a metadata partition are virtual: the extents of the metadata file map them to
//! blocks of the disc. An edit keeps every entry and directory that it does not change at its
//! address, with its bytes as they are, whoever wrote them. Only the allocation units of the
//! metadata file with a changed block get new blocks of the disc, and then the file's entry and
//! its mirror are written with the new extents:
//!
//! ```text
//! file data, new units, integrity descriptor | mirror file's entry | metadata file's entry |
//! ```
//!
//! where `|` is a barrier. Nothing that the old tree reads is written before the mirror's entry,
//! and readers take the file's entry if it can be read, else the mirror's: at every moment they
//! see the old tree or the new one.
//!
//! Invariants: what an edit reads, writes and holds goes by what changed; an address that is
//! freed may be used again at once, since its unit moves, and the old unit stays whole on the
//! disc until the next edit; new ids are above all old ones.
//!
//! On request an edit is [in place](Update::in_place): then it writes the changed blocks alone,
//! over what they replace, and promises nothing.

// Sizes and addresses are checked where they come about; what casts here is bounded by them.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod blocks;
mod cut;
mod descriptors;
mod directory;
mod error;
mod folder;
mod folders;
mod ids;
mod in_place;
mod integrity;
mod metadata_file;
mod patch;
mod placed;
mod plan;
mod space;
mod streams;
pub(crate) mod tags;

use std::collections::BTreeMap;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, WriteUnit,
};
use reburn_tree::{Changes, InodeId, Timestamp, Tree};

use self::blocks::{BaseBlocks, Pieces};
use self::ids::UniqueIds;
use self::integrity::{Counts, NewIntegrity};
use self::metadata_file::{FileContent, FileSide, descriptors_max};
use self::plan::{METADATA_BLOCKS_MAX, Planned, Planner};
use self::space::Space;
use crate::read::Base;
use crate::write::{NewEntries, Over, UdfOptions};
use crate::{
    EditObstacle, Entries, FilePlacement, Integrity, LayoutError, MetadataStructures, Volume,
    VolumeStructures,
};

pub use descriptors::{ChangedSequence, VolumeChange};
pub use error::UpdateError;
pub use placed::{PlacedUpdate, UpdatePlaces, UpdateRole, UpdateStructure};

/// How a volume is edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpdateOptions {
    /// When it is. The volume is never older than what is on it (UDF 3.1.1).
    pub time: Timestamp,
    /// What the medium loses at once when a write fails.
    pub write_unit: WriteUnit,
    /// New unique ids are at least this, and above those of the volume.
    pub next_unique_id: u64,
    /// Whether new small files lie in their entries.
    pub embed_files: bool,
    /// An empty extent for the integrity sequence to go on in, where it is full. The logical
    /// volume descriptor must lead there before readers see the new tree; see
    /// [`Volume::changed_sequences`].
    pub integrity: Option<BlockRange>,
}

impl Default for UpdateOptions {
    fn default() -> Self {
        Self {
            time: Timestamp::EPOCH,
            write_unit: WriteUnit::FILE,
            next_unique_id: 0,
            embed_files: true,
            integrity: None,
        }
    }
}

/// A worked out edit of a volume: which units change, and what is in them. It takes some bytes
/// for each changed file, and holds the directories that changed.
#[derive(Debug)]
pub struct Update {
    options: UdfOptions,
    serial: u16,
    /// Blocks of an allocation unit.
    unit: u32,
    alignment: BlockCount,
    partition: BlockRange,
    is_duplicate: bool,
    base: BaseBlocks,
    planned: Planned,
    /// Units of the second copy that get new blocks.
    mirror_units: Vec<u32>,
    /// The metadata file's entry, and its mirror's.
    sides: [FileSide; 2],
    information_length: u64,
    time: Timestamp,
    integrity: (Lba, Vec<u8>),
    /// Whether changed blocks are written where they are.
    is_in_place: bool,
    /// Whether the entries of the metadata file change.
    has_entries: bool,
}

impl Update {
    /// Works out what to change so that the volume on `disc` holds `tree`. Tree and `entries`
    /// were read from it, and `changes` are those to the tree since then.
    ///
    /// # Errors
    /// See [`UpdateError`]; whether the whole image could be recorded instead says
    /// [`UpdateError::needs_entire_image`].
    pub fn new(
        volume: &Volume,
        disc: &dyn BlockRead,
        tree: &Tree,
        entries: &Entries,
        changes: &Changes,
        options: &UpdateOptions,
    ) -> Result<Self, UpdateError> {
        let found = (tree, entries, changes);
        Self::plan(volume, disc, found, options, None)
    }

    /// Works out an edit that goes beside what is there, or with `writable` one in place.
    fn plan(
        volume: &Volume,
        disc: &dyn BlockRead,
        (tree, entries, changes): (&Tree, &Entries, &Changes),
        options: &UpdateOptions,
        writable: Option<&BlockRangeList>,
    ) -> Result<Self, UpdateError> {
        let structures = volume.structures();
        let (metadata, partition, integrity, udf) = editable(volume, &structures)?;
        let udf = UdfOptions {
            embed_files: options.embed_files,
            write_unit: options.write_unit,
            ..udf
        };
        let base = Base::new(volume, disc);
        let sides = FileSide::load(volume, &base, disc, metadata, partition, options.write_unit)?;
        check_units(metadata, options.write_unit, sides[0].length())?;
        let unit = metadata.allocation_unit.get();
        let main = Pieces::new(base.main_pieces());
        let end = main.end();
        let next_id = integrity.next_unique_id.max(options.next_unique_id);
        let planner = Planner {
            base: &base,
            tree,
            entries,
            changes,
            options: &udf,
            serial: volume.tag_serial(),
            data: BlockRangeList::from_iter([partition]).difference(&main.ranges()),
            space: Space::new(unit, end, main.addresses(), entries.used()),
            sources: BTreeMap::new(),
            directories: Vec::new(),
            stream_directories: Vec::new(),
            old_streams: BTreeMap::new(),
            cut: BTreeMap::new(),
            places: BTreeMap::new(),
            ids: UniqueIds::from(next_id),
            writable,
            over: Over::new(),
        };
        let plan = planner.run(options, end)?;
        let mirror = trusted_mirror(&base, &sides, &main, metadata.is_duplicate);
        let is_in_place = writable.is_some();
        if is_in_place {
            in_place::check(partition, &main, mirror.as_ref(), metadata.is_duplicate)?;
        }
        // What mirrors another state is of no use for the new one.
        let mirrors = sides[1].agrees(&sides[0]) && mirrors(&base, &main, mirror.as_ref());
        let has_entries = !is_in_place || !plan.units.is_empty() || !mirrors;
        let mirror_units = match (&mirror, metadata.is_duplicate) {
            (_, false) => Vec::new(),
            (Some(_), true) => plan.units.clone(),
            // A mirror of another state is made anew.
            (None, true) => mapped_units(&main, unit, &plan.units),
        };
        let time = integrity.recorded.unwrap_or(plan.newest).max(plan.newest);
        let new_integrity = NewIntegrity {
            time,
            next_unique_id: plan.next_unique_id,
            counts: Counts::of(tree),
            metadata_blocks: plan.end,
            serial: volume.tag_serial(),
            moved_to: options.integrity,
            is_in_place,
        };
        let information_length = if plan.end == end {
            sides[0].length()
        } else {
            BlockCount::new(plan.end).bytes()
        };
        Ok(Self {
            serial: volume.tag_serial(),
            unit,
            alignment: metadata.alignment_unit,
            partition,
            is_duplicate: metadata.is_duplicate,
            integrity: new_integrity.render(&structures, disc, options.write_unit, &udf)?,
            base: BaseBlocks { main, mirror },
            options: udf,
            planned: plan,
            mirror_units,
            sides,
            information_length,
            time,
            is_in_place,
            has_entries,
        })
    }

    /// Lets the partition, which starts where it did, reach further: for image files. The volume
    /// descriptors must say so before readers see the new tree; see
    /// [`Volume::changed_sequences`].
    pub fn grow(&mut self, partition: BlockRange) {
        self.partition = partition;
        let (_, descriptors) = &mut self.integrity;
        for block in descriptors.chunks_mut(BLOCK_SIZE) {
            integrity::set_partition_blocks(block, partition.block_count());
        }
    }

    /// How many allocation units of the metadata file need new blocks.
    pub fn units(&self) -> usize {
        self.planned.units.len()
    }

    /// How many units of the second copy need new blocks; none where metadata are not
    /// duplicated.
    pub fn mirror_units(&self) -> usize {
        self.mirror_units.len()
    }

    /// Blocks of each.
    pub fn unit_blocks(&self) -> BlockCount {
        BlockCount::new(self.unit)
    }

    /// What the start of each is a multiple of, counted from the start of the partition
    /// (UDF 2.2.10). The law that no write unit is shared may ask for more.
    pub fn alignment(&self) -> BlockCount {
        self.alignment
    }

    /// How many blocks the allocation descriptors of the metadata file may go on in, and those
    /// of its mirror in as many others.
    pub fn continuation_blocks(&self) -> usize {
        if !self.has_entries {
            return 0;
        }
        let mirror = self.base.mirror.as_ref().unwrap_or(&self.base.main);
        let units = self.planned.units.len().max(self.mirror_units.len());
        let ads = [&self.base.main, mirror]
            .map(|pieces| descriptors_max(pieces, units, self.unit, self.planned.end));
        let blocks = self.sides.iter().zip(ads);
        let blocks = blocks.map(|(side, ads)| side.continuations(ads));
        blocks.max().unwrap_or(0)
    }

    /// Whether a file needs no blocks of its own: it lies in its entry, or it is on the disc
    /// already, where it stays.
    pub fn is_embedded(&self, tree: &Tree, inode: InodeId) -> bool {
        let new = NewEntries {
            options: &self.options,
            tree,
            over: &self.planned.over,
        };
        !self.planned.places.contains_key(&inode) || new.is_embedded(inode)
    }

    /// When the volume is last changed, as it will say.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The edit with addresses: its units where `places` says, file data where `files` says.
    /// `files` is asked for files and streams that are new and not
    /// [embedded](Self::is_embedded), and for the content of embedded ones that are not in
    /// memory; not for content of the base that stays where it is.
    ///
    /// # Panics
    /// If `places` are too few, outside the partition, or where the old metadata are.
    pub fn place<'a>(
        &'a self,
        tree: &'a Tree,
        disc: &'a dyn BlockRead,
        places: &'a UpdatePlaces,
        files: &'a dyn FilePlacement,
    ) -> PlacedUpdate<'a> {
        PlacedUpdate::new(self, tree, disc, places, files)
    }

    /// Blocks of the disc that the metadata are in so far: the file's extents and those of a
    /// second copy, and the blocks that their descriptors go on in.
    fn old_ranges(&self) -> BlockRangeList {
        let chains = self
            .sides
            .iter()
            .flat_map(|side| side.chain.iter().copied());
        let mirror = self.base.mirror.as_ref().map(Pieces::ranges);
        let mut ranges = self.base.main.ranges();
        if let Some(mirror) = mirror {
            ranges = ranges.union(&mirror);
        }
        ranges.union(&chains.collect())
    }

    fn file_content(&self) -> FileContent<'_> {
        let checkpoints = self.sides.iter().filter_map(|side| side.checkpoint);
        let newest = checkpoints.max().unwrap_or(0);
        FileContent {
            options: &self.options,
            partition: self.partition,
            unit: self.unit,
            serial: self.serial,
            information_length: self.information_length,
            time: self.time,
            checkpoint: newest.checked_add(1).unwrap_or(1),
        }
    }
}

/// What an edit must know of a volume, unless something stands against one.
fn editable<'v>(
    volume: &'v Volume,
    structures: &'v VolumeStructures,
) -> Result<
    (
        &'v MetadataStructures,
        BlockRange,
        &'v Integrity,
        UdfOptions,
    ),
    EditObstacle,
> {
    let parts = (
        structures.metadata.as_ref(),
        structures.partitions.first(),
        volume.integrity(),
        volume.write_options(),
    );
    match (structures.obstacle, parts) {
        (None, (Some(metadata), Some(&partition), Some(integrity), Some(udf))) => {
            Ok((metadata, partition, integrity, udf))
        }
        (obstacle, _) => Err(obstacle.unwrap_or(EditObstacle::Partitions)),
    }
}

/// Checks that new units are whole write units, and that addresses stay within their bounds.
fn check_units(
    metadata: &MetadataStructures,
    unit: WriteUnit,
    length: u64,
) -> Result<(), UpdateError> {
    let allocation = metadata.allocation_unit;
    if !allocation.get().is_multiple_of(unit.blocks().get()) {
        return Err(UpdateError::WriteUnit { allocation, unit });
    }
    let blocks = length.div_ceil(BLOCK_SIZE as u64);
    if blocks > METADATA_BLOCKS_MAX.into() {
        return Err(LayoutError::MetadataTooLarge { blocks }.into());
    }
    Ok(())
}

/// The second copy of the metadata as it is; `None` if there is none, or if it is of another
/// edit than the first, as after a power cut.
fn trusted_mirror(
    base: &Base<'_>,
    [main_side, mirror_side]: &[FileSide; 2],
    main: &Pieces,
    is_duplicate: bool,
) -> Option<Pieces> {
    if !is_duplicate || !mirror_side.agrees(main_side) {
        return None;
    }
    let mirror = Pieces::new(base.mirror_pieces()?);
    let is_same = mirror.joined_addresses() == main.joined_addresses();
    is_same.then_some(mirror)
}

/// Whether both files lead to the blocks that they should lead to.
fn mirrors(base: &Base<'_>, main: &Pieces, mirror: Option<&Pieces>) -> bool {
    let pieces = base.mirror_pieces().map(Pieces::new);
    mirror.is_some() || pieces.is_none_or(|pieces| pieces == *main)
}

/// The units that have an address, and those of `more`, ascending.
fn mapped_units(pieces: &Pieces, unit: u32, more: &[u32]) -> Vec<u32> {
    let mapped = pieces
        .addresses()
        .flat_map(|(start, end)| start / unit..end.div_ceil(unit));
    let mut units: Vec<u32> = mapped.chain(more.iter().copied()).collect();
    units.sort_unstable();
    units.dedup();
    units
}
