//! A metadata partition (UDF 2.2.10) as what an edit works in: units of the metadata file get new
//! blocks of the disc, and then its entry and its mirror's are written with the new extents.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, WriteUnit};
use reburn_tree::Timestamp;

use super::blocks::{BaseBlocks, Pieces};
use super::metadata_file::{FileContent, FileSide, descriptors_max};
use super::plan::{METADATA_BLOCKS_MAX, Planned};
use super::{Update, UpdateError, UpdatePlaces, UpdateRole, UpdateStructure, in_place};
use crate::read::Base;
use crate::{LayoutError, MetadataStructures, Volume};

/// What an edit of a metadata partition must know of it.
#[derive(Debug)]
pub(super) struct MetadataPartition {
    /// Blocks of an allocation unit.
    unit: u32,
    alignment: BlockCount,
    is_duplicate: bool,
    /// The metadata file's entry, and its mirror's.
    sides: [FileSide; 2],
    /// Units of the second copy that get new blocks.
    mirror_units: Vec<u32>,
    information_length: u64,
    /// Whether the entries of both files change.
    has_entries: bool,
}

impl MetadataPartition {
    /// Reads both entries, and checks that new units can be whole write units.
    pub(super) fn load(
        volume: &Volume,
        base: &Base<'_>,
        disc: &dyn BlockRead,
        metadata: &MetadataStructures,
        partition: BlockRange,
        unit: WriteUnit,
    ) -> Result<Self, UpdateError> {
        let sides = FileSide::load(volume, base, disc, metadata, partition, unit)?;
        let allocation = metadata.allocation_unit;
        if !allocation.get().is_multiple_of(unit.blocks().get()) {
            return Err(UpdateError::WriteUnit { allocation, unit });
        }
        let blocks = sides[0].length().div_ceil(BLOCK_SIZE as u64);
        if blocks > METADATA_BLOCKS_MAX.into() {
            return Err(LayoutError::MetadataTooLarge { blocks }.into());
        }
        Ok(Self {
            unit: allocation.get(),
            alignment: metadata.alignment_unit,
            is_duplicate: metadata.is_duplicate,
            information_length: sides[0].length(),
            sides,
            mirror_units: Vec::new(),
            has_entries: true,
        })
    }

    /// Blocks of an allocation unit.
    pub(super) fn unit(&self) -> u32 {
        self.unit
    }

    /// What the start of each is a multiple of.
    pub(super) fn alignment(&self) -> BlockCount {
        self.alignment
    }

    /// Checks that an edit in place would find what it must.
    pub(super) fn check_in_place(
        &self,
        partition: BlockRange,
        base: &BaseBlocks,
    ) -> Result<(), UpdateError> {
        in_place::check(
            partition,
            &base.main,
            base.mirror.as_ref(),
            self.is_duplicate,
        )
    }

    /// Takes in what changes.
    pub(super) fn take(
        &mut self,
        volume: &Base<'_>,
        base: &BaseBlocks,
        planned: &Planned,
        is_in_place: bool,
    ) {
        let [main_side, mirror_side] = &self.sides;
        // What mirrors another state is of no use for the new one.
        let pieces = volume.mirror_pieces().map(Pieces::new);
        let mirrors = mirror_side.agrees(main_side)
            && (base.mirror.is_some() || pieces.is_none_or(|pieces| pieces == base.main));
        self.has_entries = !is_in_place || !planned.units.is_empty() || !mirrors;
        if self.is_duplicate {
            self.mirror_units = match base.mirror {
                Some(_) => planned.units.clone(),
                // A mirror of another state is made anew.
                None => mapped_units(&base.main, self.unit, &planned.units),
            };
        }
        if planned.end != base.main.end() {
            self.information_length = BlockCount::new(planned.end).bytes();
        }
    }

    /// Whether the metadata exist twice.
    pub(super) fn is_duplicate(&self) -> bool {
        self.is_duplicate
    }

    /// The blocks of both entries, if they change.
    pub(super) fn entries(&self) -> BlockRangeList {
        let sides = self.sides.iter().filter(|_| self.has_entries);
        sides.map(|side| BlockRange::single(side.lba)).collect()
    }

    pub(super) fn mirror_units(&self) -> &[u32] {
        &self.mirror_units
    }

    /// See [`Update::continuation_blocks`].
    pub(super) fn continuation_blocks(&self, base: &BaseBlocks, planned: &Planned) -> usize {
        if !self.has_entries {
            return 0;
        }
        let mirror = base.mirror.as_ref().unwrap_or(&base.main);
        let units = planned.units.len().max(self.mirror_units.len());
        let ads = [&base.main, mirror]
            .map(|pieces| descriptors_max(pieces, units, self.unit, planned.end));
        let blocks = self.sides.iter().zip(ads);
        let blocks = blocks.map(|(side, ads)| side.continuations(ads));
        blocks.max().unwrap_or(0)
    }

    /// The second copy of the metadata as it is; `None` if there is none, or if it is of another
    /// edit than the first, as after a power cut.
    pub(super) fn trusted_mirror(&self, base: &Base<'_>, main: &Pieces) -> Option<Pieces> {
        let [main_side, mirror_side] = &self.sides;
        if !self.is_duplicate || !mirror_side.agrees(main_side) {
            return None;
        }
        let mirror = Pieces::new(base.mirror_pieces()?);
        let is_same = mirror.joined_addresses() == main.joined_addresses();
        is_same.then_some(mirror)
    }

    /// Where the second copy, or the only one, will be.
    pub(super) fn new_mirror(
        &self,
        base: &BaseBlocks,
        main: &Pieces,
        places: &UpdatePlaces,
    ) -> Pieces {
        if self.is_duplicate {
            let old = base.mirror.clone().unwrap_or_default();
            old.with_units(self.unit, &self.mirror_units, &places.mirror_units)
        } else {
            main.clone()
        }
    }

    /// Blocks of the disc that the metadata are in so far: the file's extents and those of a
    /// second copy, and the blocks that their descriptors go on in.
    pub(super) fn old_ranges(&self, base: &BaseBlocks) -> BlockRangeList {
        let chains = self
            .sides
            .iter()
            .flat_map(|side| side.chain.iter().copied());
        let mirror = base.mirror.as_ref().map(Pieces::ranges);
        let mut ranges = base.main.ranges();
        if let Some(mirror) = mirror {
            ranges = ranges.union(&mirror);
        }
        ranges.union(&chains.collect())
    }

    /// Continuations and entries of both files, which map addresses to `main` and `mirror`.
    pub(super) fn structures(
        &self,
        update: &Update,
        (main, mirror): (&Pieces, &Pieces),
        places: &UpdatePlaces,
    ) -> Vec<UpdateStructure> {
        if !self.has_entries {
            return Vec::new();
        }
        let content = self.content(update, update.time);
        let [main_side, mirror_side] = &self.sides;
        let (main_unit, main_chain) = main_side.render(&content, main, &places.continuations);
        let (mirror_unit, mirror_chain) =
            mirror_side.render(&content, mirror, &places.mirror_continuations);
        let mut structures = Vec::new();
        let mut add = |role, start, bytes| structures.push(UpdateStructure { role, start, bytes });
        for (lba, block) in main_chain.into_iter().chain(mirror_chain) {
            add(UpdateRole::Continuation, lba, block);
        }
        let (mirror_start, main_start) = (mirror_side.unit_start(), main_side.unit_start());
        add(UpdateRole::MirrorEntry, mirror_start, mirror_unit);
        add(UpdateRole::MetadataEntry, main_start, main_unit);
        if !main_side.is_own {
            // Readers take the mirror until the other entry is whole again.
            let last = structures.len() - 1;
            structures.swap(last - 1, last);
        }
        structures
    }

    fn content<'a>(&self, update: &'a Update, time: Timestamp) -> FileContent<'a> {
        let checkpoints = self.sides.iter().filter_map(|side| side.checkpoint);
        let newest = checkpoints.max().unwrap_or(0);
        FileContent {
            options: &update.options,
            partition: update.partition,
            unit: self.unit,
            serial: update.serial,
            information_length: self.information_length,
            time,
            checkpoint: newest.checked_add(1).unwrap_or(1),
        }
    }
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
