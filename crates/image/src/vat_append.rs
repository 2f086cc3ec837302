//! VAT append: UDF with a virtual partition on media whose blocks are recorded once.
//!
//! Addresses of entries are virtual, so a changed entry keeps its address, and nothing that points
//! at it changes. What changed goes where the disc goes on, and a new virtual allocation table,
//! whose entry is the last block recorded, leads there (UDF 2.2.11).
//!
//! | where a session begins: recognition sequence, anchor | changed directories and entries | new file data | zeros | table, its entry last |
//! |---|---|---|---|---|
//!
//! Readers look for the recognition sequence and the first anchor from the start of the last
//! session on, so a new session has copies of both, which lead to the descriptors of the first
//! (UDF 6.10.3, 6.11.3). In a session that is still open nothing is in front.
//!
//! Invariants: every block that is recorded lies at or behind the next writable address, without a
//! gap; the table's entry is the last of them, in the last block of a write unit; the old table
//! stays whole.
//!
//! A cut leaves a disc that does not end with a table. Kernels look there alone and mount nothing;
//! readers that search back show the old tree. Recording what is missing, or the old table once
//! more, brings back a tree, so the class is Recoverable.

use reburn_blocks::{
    Appendable, BlockCount, BlockRange, BlockRead, CrashClass, ExtentMap, Lba, Protocol, WriteUnit,
};
use reburn_udf::{Update, UpdateOptions, UpdateStructure, Volume};

use crate::append::run_from;
use crate::base::{Base, UdfBase};
use crate::mirror_flip::{UpdateBlocks, updated_files};
use crate::new_blocks::{Commit, NewBlocks, Source, add_files, data_blocks};
use crate::placement::{PlacedFiles, Placement};
use crate::session::SYSTEM_AREA;
use crate::{FileSystemImage, ImageError, Medium};

/// Where the anchor of a session is, from its start (ECMA-167 3/8.4.2.1).
const ANCHOR: BlockCount = BlockCount::new(256);

/// Lays out what changes where the disc goes on.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, udf): (&Base<'_>, &UdfBase),
    append: Appendable,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, disc) = (&image.tree, base.disc());
    let start = append.next_writable;
    let front = front(append);
    let run = run_from(image.medium, start, u64::from(front.get()) + 1)?;
    let first = run.start_lba() + front;
    let changes = tree.changes_since(base.imported).unwrap_or_default();
    let options = UpdateOptions {
        time: image.time,
        write_unit: WriteUnit::FILE,
        append: Some(first),
        ..UpdateOptions::default()
    };
    let update = Update::new(&udf.volume, disc, tree, &udf.entries, &changes, &options)?;
    let files = updated_files(tree, &update);
    let units = BlockCount::new(u32::try_from(update.units()).unwrap_or(u32::MAX));
    let table = update.virtual_table_blocks();
    let own = [front, units, table].map(|blocks| u64::from(blocks.get()));
    let run = run_from(
        image.medium,
        start,
        own.iter().sum::<u64>() + data_blocks(&files),
    )?;
    let mut next = first + units;
    for &file in &files {
        placement.set(file, next);
        next += file.blocks;
    }

    let places = update.own_places()?.unwrap_or_default();
    let placed_files = PlacedFiles::new(tree, placement, Some(disc));
    let new = update.place(tree, disc, &places, &placed_files);
    let mut structures = vec![new.virtual_table(run.end_lba())];
    structures.extend(in_front(&udf.volume, disc, append)?);
    let mut sources = ExtentMap::new();
    sources.insert(run, Source::Nothing);
    for range in &new.ranges() {
        sources.insert(range, Source::UdfUnits);
    }
    drop(new);
    for (index, structure) in structures.iter().enumerate() {
        sources.insert(structure.range(), Source::UdfUpdate(index));
    }
    add_files(&mut sources, placement, &files);
    check_order(run, &sources);
    Ok(NewBlocks {
        sources,
        data: files.iter().map(|file| file.blocks).sum(),
        metadata: front + units + table,
        iso: None,
        udf: None,
        update: Some(UpdateBlocks {
            update,
            places,
            units,
            structures,
            sequences: Vec::new(),
        }),
        commit: Some(Commit {
            epochs: Vec::new(),
            protocol: Protocol::VatAppend,
            next_writable: Some(start),
            class: CrashClass::Recoverable,
            class_reason: "readers look for the virtual allocation table in the last block recorded, \
                           and find none until all is recorded; if recording stops half way, the same \
                           plan goes on where it stopped, or the old table is recorded once more"
                .into(),
        }),
    })
}

/// Blocks in front of what is new: a session begins with recognition sequence and anchor.
fn front(append: Appendable) -> BlockCount {
    if append.begins_session {
        ANCHOR + BlockCount::ONE
    } else {
        BlockCount::ZERO
    }
}

/// What is in them.
fn in_front(
    volume: &Volume,
    disc: &dyn BlockRead,
    append: Appendable,
) -> Result<Vec<UpdateStructure>, ImageError> {
    if !append.begins_session {
        return Ok(Vec::new());
    }
    let start = append.next_writable;
    Ok(vec![
        volume.recognition_at(disc, start + SYSTEM_AREA)?,
        volume.anchor_at(disc, start + ANCHOR)?,
    ])
}

/// The table once more, where the disc goes on: the run of blocks to record, and what is in them.
/// All else in it is zeros.
pub(crate) fn table_again(
    volume: &Volume,
    disc: &dyn BlockRead,
    (medium, append): (Medium, Appendable),
) -> Result<(BlockRange, Vec<UpdateStructure>), ImageError> {
    let blocks = u64::from(front(append).get()) + 1;
    let run = run_from(medium, append.next_writable, blocks)?;
    let mut structures = in_front(volume, disc, append)?;
    structures.push(volume.virtual_table_again(disc, run.end_lba())?);
    Ok((run, structures))
}

/// Checks that the table ends the run.
///
/// # Panics
/// If it does not: no reader would find it, so such a list is never handed out.
fn check_order(run: BlockRange, sources: &ExtentMap<Source>) {
    let last: Option<(BlockRange, Lba)> = sources
        .iter()
        .map(|(range, ..)| (range, range.end_lba()))
        .last();
    let ends = last.is_some_and(|(_, end)| end == run.end_lba());
    let is_table = sources
        .pieces(BlockRange::single(run.end_lba()))
        .next()
        .is_some_and(|piece| matches!(piece.value, Some((Source::UdfUpdate(0), _))));
    assert!(ends && is_table, "the table is not the last block of {run}");
}
