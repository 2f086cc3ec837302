//! In place: the fewest blocks, each over what it replaces, as a kernel would write them. Only when
//! asked for.
//!
//! What it does: a changed file keeps its blocks, and only what they do not hold goes elsewhere; an
//! entry or directory that changes is written where it is, in both copies where there are two; the
//! integrity descriptor is written over the last one. New entries go to free blocks of the metadata
//! file, new data to free blocks of the partition, those of files that are gone among them. An
//! image file without free blocks grows. What this costs is the floor that the other protocols are
//! compared with.
//!
//! What it does not promise: anything, while it is recorded. Old and new blocks of one file, of a
//! directory and of the entries that it leads to are on the disc together, in one epoch; a power
//! cut can leave neither the old tree nor the new one, and a torn write unit takes with it whatever
//! else is in there. The class is None.
//!
//! Invariants: no block of a file that stays, and no structure that does not change, is written
//! over; once all is recorded, the volume is as whole as after any other edit.

use reburn_blocks::{BlockCount, BlockRangeList, CrashClass, Protocol, WriteUnit};
use reburn_tree::{Changes, Content, Extent, InodeId, Kind, Tree};
use reburn_udf::{Update, UpdateOptions, VolumeChange};

use crate::base::{Base, BaseVolume, UdfBase};
use crate::mirror_flip::{Room, assemble, range_of, updated_files};
use crate::new_blocks::{Commit, NewBlocks, add_files};
use crate::placement::{NewFile, Placement};
use crate::{FileSystemImage, ImageError};

/// Lays out what changes over what it replaces.
///
/// # Errors
/// [`ImageError::NotInPlace`] if the disc has no UDF volume with a metadata partition.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    base: &Base<'_>,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let cannot = |reason| Err(ImageError::NotInPlace(reason));
    match &base.volume {
        BaseVolume::Udf(udf) if udf.structures.metadata.is_some() => {
            lay_out_udf(image, (base, udf), placement)
        }
        BaseVolume::Udf(_) => cannot("it is UDF without a metadata partition (UDF 2.2.10)"),
        BaseVolume::Iso(_) => cannot("ISO 9660 lists all of its directories in one piece"),
        BaseVolume::Bridge(..) => cannot("it has ISO 9660 beside UDF, which must change with it"),
    }
}

fn lay_out_udf(
    image: &FileSystemImage<'_>,
    (base, udf): (&Base<'_>, &UdfBase),
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, medium) = (&image.tree, image.medium);
    let changes = tree.changes_since(base.imported).unwrap_or_default();
    let writable = writable(base, tree, &changes);
    let options = UpdateOptions {
        time: image.time,
        ..UpdateOptions::default()
    };
    let (volume, entries) = (&udf.volume, &udf.entries);
    let old = (tree, entries);
    let update = Update::in_place(volume, base.disc(), old, &changes, &options, &writable)?;
    let files = updated_files(tree, &update);
    let over = files.iter().flat_map(|file| update.over(file.inode));
    let live = base.live.difference(&writable);
    let live = live.union(&over.copied().collect());
    let room = Room::new(&live, udf, medium, WriteUnit::FILE)?;
    let rests = files.iter().filter_map(|&file| rest_of(file, &update));
    let rests: Vec<_> = rests.collect();
    let (places, end) = room.place(&update, &rests, placement)?;
    for &file in &files {
        join(tree, file, &update, placement);
    }
    let (old, update) = ((tree, &*placement), (update, places));
    let (blocks, mut sources) = assemble(
        (base, udf),
        old,
        update,
        VolumeChange::default(),
        &room,
        end,
    )?;
    add_files(&mut sources, placement, &files);
    let written: BlockRangeList = sources.iter().map(|(range, ..)| range).collect();
    let new = NewBlocks {
        sources,
        data: BlockCount::ZERO,
        metadata: BlockCount::ZERO,
        iso: None,
        udf: None,
        update: Some(blocks),
        commit: Some(Commit {
            epochs: vec![written.align_outward(medium.write_unit())],
            protocol: Protocol::InPlace,
            next_writable: None,
            class: CrashClass::None,
            class_reason: "what changes is written over what it replaces, so a power cut while it \
                           is recorded can leave neither the old tree nor the new one"
                .into(),
        }),
    };
    if kept_and_written(base, tree, &new).is_empty() {
        return Ok(new);
    }
    let reason = "blocks that change are also those of files or structures that stay";
    Err(ImageError::NotInPlace(reason))
}

/// What of a file its old blocks do not hold.
fn rest_of(file: NewFile, update: &Update) -> Option<NewFile> {
    let over = update.over(file.inode).iter();
    let over: BlockCount = over.map(|range| range.block_count()).sum();
    let blocks = file.blocks - over;
    (!blocks.is_zero()).then_some(NewFile { blocks, ..file })
}

/// Puts a file into the blocks it had, and what they do not hold behind.
fn join(tree: &Tree, file: NewFile, update: &Update, placement: &mut Placement) {
    let over = update.over(file.inode);
    let Kind::File { size, .. } = tree.kind(file.inode) else {
        return;
    };
    if over.is_empty() {
        return;
    }
    let rest = rest_of(file, update);
    let rest = rest.map(|rest| placement.runs(rest)).unwrap_or_default();
    placement.set_parts(file.inode, size, &[over, &rest].concat());
}

/// Checks that nothing is written over that stays.
///
/// # Panics
/// If something is: that was refused when it was laid out.
pub(crate) fn check_kept(base: &Base<'_>, tree: &Tree, new: &NewBlocks) {
    let both = kept_and_written(base, tree, new);
    assert!(
        both.is_empty(),
        "blocks {both} are written over, and are of files or structures that stay"
    );
}

/// Blocks that are written, and that must stay as they are.
fn kept_and_written(base: &Base<'_>, tree: &Tree, new: &NewBlocks) -> BlockRangeList {
    let changes = tree.changes_since(base.imported).unwrap_or_default();
    let mut replaced = writable(base, tree, &changes);
    if let Some(blocks) = &new.update {
        replaced = replaced.union(&blocks.update.overwritten());
        replaced = replaced.union(&blocks.sequences.iter().filter_map(range_of).collect());
    }
    let kept = base.live.difference(&replaced).union(&kept_data(tree));
    let written: BlockRangeList = new.sources.iter().map(|(range, ..)| range).collect();
    kept.intersection(&written)
}

/// Blocks with data of files that are gone, and with nothing else.
fn writable(base: &Base<'_>, tree: &Tree, changes: &Changes) -> BlockRangeList {
    let gone = changes.inodes.iter().copied();
    let gone = gone.filter(|&inode| tree.links(inode) == 0);
    let gone = data_of(tree, gone).difference(&kept_data(tree));
    gone.difference(&base.metadata).intersection(&base.live)
}

/// Blocks of the disc with data of files and streams that are in the tree.
fn kept_data(tree: &Tree) -> BlockRangeList {
    let files = tree.walk(Tree::ROOT).map(|(node, _)| tree.inode(node));
    let owners = tree.inodes_with_streams();
    let owners = owners.filter(|&inode| tree.links(inode) > 0);
    let streams = owners.flat_map(|owner| tree.streams(owner).map(|(_, stream)| stream));
    data_of(tree, files.chain(streams))
}

/// Blocks of the disc that some files are in; content in entries goes with these.
fn data_of(tree: &Tree, inodes: impl Iterator<Item = InodeId>) -> BlockRangeList {
    let extents = inodes.flat_map(|inode| match tree.kind(inode) {
        Kind::File {
            content: Content::Base(extents),
            ..
        } => extents,
        _ => &[],
    });
    let in_blocks = extents.filter(|extent| extent.start().is_some());
    in_blocks.filter_map(Extent::blocks).collect()
}
