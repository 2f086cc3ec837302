//! Sparing redo: UDF with a sparable partition, on media and files that can be rewritten.
//!
//! Sparing tables say which packets of the partition are elsewhere, and there are two of them:
//! readers take the first one that they can read. So packets that change are recorded in spare
//! packets as a whole, and then the tables are made to lead there, one after the other. Entries and
//! folders keep their addresses, and the cost is the packets that change.
//!
//! - **Shadow** records new data in packets that nothing is in, changed packets in spare packets,
//!   and a closed integrity descriptor behind the last one. The bitmap of free space is a part of
//!   the partition, and changes with it.
//! - **Commit** records the write unit of the second table, and after a barrier that of the first.
//!
//! | first table | second table | what readers show |
//! |---|---|---|
//! | old | old, torn, new | the old tree |
//! | torn | new | the new tree |
//! | new | new | the new tree |
//!
//! What cannot be done this way is done by VDS flip, and its plan says why: tables that are
//! damaged, alone or longer than a block, too few free spare packets, and image files whose
//! partition must grow, since its bitmap would have to grow too. [Folding](crate::sparing_fold)
//! makes spare packets free again.
//!
//! Invariants: nothing recorded before the commit shares a packet with a live block; each table is
//! alone in its write unit; a plan that leaves the descriptor sequences alone is Atomic.

use reburn_blocks::{BlockCount, BlockRangeList, CrashClass, Protocol, WriteUnit};
use reburn_udf::{UdfOptions, Update, UpdateError, UpdateRole, UpdateStructure, VolumeStructures};

use crate::base::{Base, UdfBase};
use crate::free_space::FreeSpace;
use crate::mirror_flip::{
    Room, UpdateBlocks, assemble, check_alone, options, range_of, updated_files,
};
use crate::new_blocks::{Commit, NewBlocks, add_files};
use crate::placement::{NewFile, Placement};
use crate::{FileSystemImage, ImageError, Medium, laws, vds_flip};

/// Why the class is atomic.
const ATOMIC: &str = "readers take the first sparing table if it can be read, else the second, and \
                      each leads to a whole tree";

/// Lays out what changes beside what is on the disc, in packets if that can be.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, udf): (&Base<'_>, &UdfBase),
    options: &UdfOptions,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let error = match in_packets(image, (base, udf), placement) {
        Ok(new) => return Ok(new),
        Err(error) => error,
    };
    *placement = Placement::new(&image.tree);
    match vds_flip::lay_out(image, (base, udf), options, placement) {
        Ok(mut new) => {
            if let Some(commit) = &mut new.commit {
                let why = reason(&error);
                let flip = &commit.class_reason;
                commit.class_reason =
                    format!("{flip}; exchanging packets would be atomic, but {why}");
            }
            Ok(new)
        }
        // There is a way out.
        Err(_) if are_spares_full(&error) => Err(error),
        Err(other) => Err(other),
    }
}

fn are_spares_full(error: &ImageError) -> bool {
    let ImageError::UdfUpdate(error) = error else {
        return false;
    };
    matches!(**error, UpdateError::SparesFull { .. })
}

/// What stands against exchanging packets.
fn reason(error: &ImageError) -> String {
    match error {
        ImageError::TooBig { .. } | ImageError::NoRoomInARow { .. } => {
            "the partition has too few packets that nothing is in".into()
        }
        ImageError::UdfUpdate(error) => match &**error {
            UpdateError::PartitionFull => {
                "the partition has too few packets that nothing is in".into()
            }
            UpdateError::SparesFull { needed, free } => format!(
                "{needed} packets change and {free} spare packets are free: fold back what is in \
                 the others first"
            ),
            other => other.to_string(),
        },
        other => other.to_string(),
    }
}

/// Lays out what changes in packets.
fn in_packets(
    image: &FileSystemImage<'_>,
    (base, udf): (&Base<'_>, &UdfBase),
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, medium, unit) = (&image.tree, image.medium, image.medium.write_unit());
    let changes = tree.changes_since(base.imported).unwrap_or_default();
    let (options, change) = options(image, (base, udf));
    let disc = base.disc();
    let mut update = Update::new(&udf.volume, disc, tree, &udf.entries, &changes, &options)?;
    let files = updated_files(tree, &update);
    let data = place(&files, (base, udf), &update, medium, placement)?;
    update.note_data(disc, &data)?;
    let places = update.own_places()?.unwrap_or_default();
    let bounds = Room::new(&base.live, udf, medium, unit)?;
    let old = (tree, &*placement);
    let (blocks, mut sources) = assemble((base, udf), old, (update, places), change, &bounds, 0)?;
    add_files(&mut sources, placement, &files);
    check_alone(base, &blocks.sequences, unit)?;
    let commit = commit(&blocks, &udf.structures, unit);
    Ok(NewBlocks {
        data: files.iter().map(|file| file.blocks).sum(),
        metadata: blocks.units + unit.blocks(),
        sources,
        iso: None,
        udf: None,
        update: Some(blocks),
        commit: Some(commit),
    })
}

/// Gives files room in packets that nothing is in, neither of the old tree nor of the new entries;
/// the blocks that they take.
fn place(
    files: &[NewFile],
    (base, udf): (&Base<'_>, &UdfBase),
    update: &Update,
    medium: Medium,
    placement: &mut Placement,
) -> Result<BlockRangeList, ImageError> {
    let partition: BlockRangeList = udf.structures.partitions.iter().copied().collect();
    let end = partition.last_lba().map_or(0, |last| last.get() + 1);
    let end = BlockCount::new(end);
    let packet = WriteUnit::new(update.unit_blocks().get()).unwrap_or(medium.write_unit());
    let taken = base.live.union(&update.reserved());
    let taken = taken.union(&partition.complement(end));
    let mut free = FreeSpace::new(&taken, end, packet);
    let needed: u64 = files.iter().map(|file| u64::from(file.blocks.get())).sum();
    if needed > u64::from(free.block_count().get()) {
        return Err(ImageError::TooBig {
            needed: BlockCount::checked(needed).unwrap_or(BlockCount::MAX),
            free: free.block_count(),
            medium,
        });
    }
    let mut data = Vec::new();
    for &file in files {
        let taken = free.take(file.blocks, WriteUnit::FILE);
        let taken = taken.ok_or_else(|| ImageError::NoRoomInARow {
            what: "a file".into(),
            needed: file.blocks,
            longest: free.longest(),
            medium,
        })?;
        placement.set(file, taken.start_lba());
        data.push(taken);
    }
    Ok(data.into_iter().collect())
}

/// The epochs after the first, and what they promise.
fn commit(blocks: &UpdateBlocks, structures: &VolumeStructures, unit: WriteUnit) -> Commit {
    let sequences = blocks
        .sequences
        .iter()
        .map(|sequence| BlockRangeList::from_iter(range_of(sequence)).align_outward(unit));
    let mut epochs: Vec<_> = sequences.collect();
    epochs.extend(table_epochs(&blocks.structures, unit));
    let (class, class_reason) = match laws::against_atomic(structures, &epochs, unit) {
        None => (CrashClass::Atomic, ATOMIC),
        Some(_) if !blocks.sequences.is_empty() => {
            let reason = "the integrity sequence is full and moves, so the volume descriptors are \
                          rewritten too; if the main sequence is torn, kernels read the reserve \
                          sequence, but programs that know one place only see no volume until it \
                          is copied back";
            (CrashClass::Recoverable, reason)
        }
        Some(reason) => (CrashClass::Recoverable, reason),
    };
    Commit {
        epochs,
        protocol: Protocol::SparingRedo,
        next_writable: None,
        class,
        class_reason: class_reason.into(),
    }
}

/// An epoch for each sparing table but the first, and then one for the first.
pub(crate) fn table_epochs(
    structures: &[UpdateStructure],
    unit: WriteUnit,
) -> impl Iterator<Item = BlockRangeList> {
    let is_table =
        |s: &&UpdateStructure| matches!(s.role, UpdateRole::LaterTable | UpdateRole::FirstTable);
    let tables = structures.iter().filter(is_table);
    tables.map(move |table| BlockRangeList::from_iter([table.range()]).align_outward(unit))
}
