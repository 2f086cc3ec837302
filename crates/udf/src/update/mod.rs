//! Editing a volume without writing it anew, where addresses of entries are not those of the disc:
//! on a metadata partition (UDF 2.2.10), where the extents of the metadata file map them to blocks
//! of the disc, and on a sparable one (UDF 2.2.9), where sparing tables say which packets are
//! elsewhere.
//!
//! An edit keeps every entry and directory that it does not change at its address, with its bytes
//! as they are, whoever wrote them. Only units with a changed block, which are allocation units of
//! the metadata file or packets, get new blocks of the disc, and then readers are told twice where
//! to look:
//!
//! ```text
//! file data, new units, integrity descriptor | mirror file's entry     | metadata file's entry |
//!                                            | all but the first table | first sparing table   |
//! ```
//!
//! where `|` is a barrier. Nothing that the old tree reads is written in the first epoch, and
//! readers take the last structure if it can be read, else the one before: at every moment they
//! see the old tree or the new one.
//!
//! Invariants: what an edit reads, writes and holds goes by what changed, but for the bitmap of a
//! sparable partition; an address that is freed may be used again at once, since its unit moves,
//! and the old unit stays whole on the disc until the next edit; new ids are above all old ones.
//!
//! On request an edit of a metadata partition is [in place](Update::in_place): then it writes the
//! changed blocks alone, over what they replace, and promises nothing.

// Sizes and addresses are checked where they come about; what casts here is bounded by them.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod area;
mod bitmap;
mod blocks;
mod cut;
mod descriptors;
mod directory;
mod error;
mod fold;
mod folder;
mod folders;
mod ids;
mod in_place;
mod integrity;
mod metadata_file;
mod metadata_partition;
mod patch;
mod placed;
mod plan;
mod space;
mod sparable;
mod sparing_table;
mod streams;
pub(crate) mod tags;
mod virtual_partition;

use std::collections::BTreeMap;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, WriteUnit,
};
use reburn_tree::{Changes, InodeId, Timestamp, Tree};

use self::area::Area;
use self::blocks::{BaseBlocks, Pieces};
use self::ids::UniqueIds;
use self::integrity::{Counts, NewIntegrity};
use self::plan::{Planned, Planner};
use crate::read::Base;
use crate::write::{NewEntries, Over, UdfOptions, VirtualTable};
use crate::{EditObstacle, Entries, FilePlacement, Volume};

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
    /// Where blocks are appended, the first of them: directories and entries of a volume with a
    /// virtual partition go there. No other volume is edited so.
    pub append: Option<Lba>,
}

impl Default for UpdateOptions {
    fn default() -> Self {
        Self {
            time: Timestamp::EPOCH,
            write_unit: WriteUnit::FILE,
            next_unique_id: 0,
            embed_files: true,
            integrity: None,
            append: None,
        }
    }
}

/// A worked out edit of a volume: which units change, and what is in them. It takes some bytes
/// for each changed file, and holds the directories that changed.
#[derive(Debug)]
pub struct Update {
    options: UdfOptions,
    serial: u16,
    /// Blocks of a unit.
    unit: u32,
    partition: BlockRange,
    area: Area,
    base: BaseBlocks,
    planned: Planned,
    time: Timestamp,
    integrity: (Lba, Vec<u8>),
    counts: Counts,
    /// Whether changed blocks are written where they are.
    is_in_place: bool,
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
        if let Some(obstacle) = structures.obstacle {
            return Err(obstacle.into());
        }
        let (Some(integrity), Some(udf)) = (volume.integrity(), volume.write_options()) else {
            return Err(EditObstacle::Partitions.into());
        };
        let udf = UdfOptions {
            embed_files: options.embed_files,
            write_unit: options.write_unit,
            ..udf
        };
        let base = Base::new(volume, disc);
        let (mut area, partition) =
            Area::load(volume, &structures, (&base, disc), entries, options)?;
        let main = Pieces::new(base.main_pieces());
        let edit = Planner {
            base: &base,
            tree,
            entries,
            changes,
            options: &udf,
            serial: volume.tag_serial(),
            data: area.data(partition, &main),
            space: area.space(&main, entries),
            sources: BTreeMap::new(),
            directories: Vec::new(),
            stream_directories: Vec::new(),
            old_streams: BTreeMap::new(),
            cut: BTreeMap::new(),
            places: BTreeMap::new(),
            ids: UniqueIds::from(integrity.next_unique_id.max(options.next_unique_id)),
            writable,
            over: Over::new(),
        };
        let planned = edit.run(options, main.end())?;
        let mut base_blocks = BaseBlocks { main, mirror: None };
        let is_in_place = writable.is_some();
        area.take((&base, partition), &mut base_blocks, &planned, is_in_place)?;
        let time = integrity.recorded.unwrap_or(planned.newest);
        let time = time.max(planned.newest);
        let counts = Counts::of(tree, entries);
        let new_integrity = NewIntegrity {
            time,
            next_unique_id: planned.next_unique_id,
            counts,
            size: area.size(&planned),
            serial: volume.tag_serial(),
            moved_to: options.integrity,
            is_in_place,
        };
        Ok(Self {
            serial: volume.tag_serial(),
            unit: area.unit(),
            partition,
            integrity: match &area {
                // The table says what the descriptor would, which stays open (UDF 2.2.6).
                Area::Virtual(_) => (Lba::ZERO, Vec::new()),
                _ => new_integrity.render(&structures, disc, options.write_unit, &udf)?,
            },
            counts,
            area,
            base: base_blocks,
            options: udf,
            planned,
            time,
            is_in_place,
        })
    }

    /// Notes that file data will be in these blocks of the disc, where a bitmap of free space says
    /// so (ECMA-167 4/14.12): [`units`](Self::units) are known only then. Blocks that the old tree
    /// is in stay marked as used, so that the bitmap is true of both trees.
    ///
    /// # Errors
    /// If the bitmap as it is cannot be read.
    pub fn note_data(
        &mut self,
        disc: &dyn BlockRead,
        data: &BlockRangeList,
    ) -> Result<(), UpdateError> {
        let Area::Sparable(area) = &mut self.area else {
            return Ok(());
        };
        let free = area.note_data(disc, &self.base, &mut self.planned, data)?;
        if let Some(free) = free {
            let (_, descriptors) = &mut self.integrity;
            for block in descriptors.chunks_mut(BLOCK_SIZE) {
                integrity::set_free_blocks(block, free);
            }
        }
        Ok(())
    }

    /// Where the units of a sparable or virtual partition go; the caller chooses those of a
    /// metadata partition, and gets `None`.
    ///
    /// # Errors
    /// [`UpdateError::SparesFull`] if there are too few free spare packets.
    pub fn own_places(&self) -> Result<Option<UpdatePlaces>, UpdateError> {
        match &self.area {
            Area::Metadata(_) => Ok(None),
            Area::Virtual(area) => Ok(Some(area.places(&self.planned.units))),
            Area::Sparable(area) => Ok(Some(area.places(&self.planned.units)?)),
        }
    }

    /// Blocks of the disc that units of a sparable partition change where they are, and those
    /// that tables or spare packets stand for: no file data may be there.
    pub fn reserved(&self) -> BlockRangeList {
        match &self.area {
            Area::Metadata(_) | Area::Virtual(_) => BlockRangeList::new(),
            Area::Sparable(area) => area.reserved(&self.planned.units),
        }
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

    /// How many units, allocation units of the metadata file or packets, need new blocks.
    pub fn units(&self) -> usize {
        self.planned.units.len()
    }

    /// How many units of the second copy need new blocks; none where metadata are not
    /// duplicated.
    pub fn mirror_units(&self) -> usize {
        self.area.mirror_units().len()
    }

    /// Blocks of each.
    pub fn unit_blocks(&self) -> BlockCount {
        BlockCount::new(self.unit)
    }

    /// What the start of each is a multiple of, counted from the start of the partition
    /// (UDF 2.2.10). The law that no write unit is shared may ask for more.
    pub fn alignment(&self) -> BlockCount {
        match &self.area {
            Area::Metadata(area) => area.alignment(),
            Area::Sparable(_) | Area::Virtual(_) => self.unit_blocks(),
        }
    }

    /// How many blocks the allocation descriptors of the metadata file may go on in, and those
    /// of its mirror in as many others.
    pub fn continuation_blocks(&self) -> usize {
        match &self.area {
            Area::Metadata(area) => area.continuation_blocks(&self.base, &self.planned),
            Area::Sparable(_) | Area::Virtual(_) => 0,
        }
    }

    /// Blocks of the virtual allocation table that goes with the edit, its entry included; none
    /// where the partition is no virtual one.
    pub fn virtual_table_blocks(&self) -> BlockCount {
        match &self.area {
            Area::Virtual(_) => VirtualTable::blocks_for(self.options.revision, self.planned.end),
            _ => BlockCount::ZERO,
        }
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
}
