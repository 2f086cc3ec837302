//! ISO 9660 and UDF over the same file data, on media and files that can be rewritten: head swap
//! and VDS flip in turn.
//!
//! A change moves the folders of both, and both point at the same new data. Each file system has
//! its own place where readers begin, so each has its own commit.
//!
//! - **Shadow** records the new session of ISO 9660, the folders and changed entries of UDF behind
//!   it, new data, and the next integrity descriptor.
//! - **Commit** records the write units of block 16, which lead to the new session; after a barrier
//!   the reserve volume descriptor sequence of UDF, and after another one the main sequence.
//!
//! | block 16 | reserve | main | ISO 9660 | UDF |
//! |---|---|---|---|---|
//! | old | old | old | old | old |
//! | torn | old | old | none until copied back from the session | old |
//! | new | old, torn, new | old | new | old |
//! | new | new | torn | new | new, in readers that try the reserve sequence |
//! | new | new | new | new | new |
//!
//! Invariants: both trees of both file systems are whole on the disc throughout; the recognition
//! sequence of UDF, right behind the descriptors of ISO 9660, stays as it is; no file lies in an
//! entry of UDF; what ISO 9660 has counts as in use in the bitmap of UDF.

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, CrashClass, ExtentMap, Protocol};
use reburn_iso9660::IsoOptions;
use reburn_udf::UdfOptions;

use crate::base::{Base, IsoBase, UdfBase};
use crate::new_blocks::{Commit, IsoBlocks, IsoRequest, NewBlocks, add_files, end_of_files};
use crate::placement::{PlacedFiles, Placement, Request};
use crate::vds_flip::UdfPart;
use crate::{EntireImageRequired, FileSystemImage, ImageError, Medium};

/// Lays out the new session of ISO 9660, and the new folders of UDF behind it.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, iso, udf): (&Base<'_>, &IsoBase, &UdfBase),
    (iso_options, udf_options): (&IsoOptions, &UdfOptions),
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, medium, unit) = (&image.tree, image.medium, image.medium.write_unit());
    let layout = reburn_iso9660::Layout::new(tree, iso_options)?;
    let head = head(&layout, iso)?;
    let commit = BlockRangeList::from_iter([head]).align_outward(unit);
    let udf_options = UdfOptions {
        embed_files: false,
        ..udf_options.clone()
    };
    let part = UdfPart::new(image, (base, udf), &udf_options)?;
    part.check_apart_from(&commit)?;
    let session = head.block_count() + layout.metadata_blocks();
    let request = Request {
        session: session + part.session(),
        files: &part.files,
        medium,
        unit: part.unit,
    };
    let descriptors_start = request.place(&part.taken(base), placement)?;
    let in_use = BlockRange::with_count(descriptors_start, session).into_iter();
    let metadata = descriptors_start + session;
    let part = part.place(image, base, metadata, &in_use.collect(), placement)?;

    let files = PlacedFiles::new(tree, placement, Some(base.disc()));
    let mut sources = ExtentMap::new();
    IsoBlocks::add_sources(&mut sources, &layout, head, descriptors_start);
    add_files(&mut sources, placement, &part.files);
    let own_end = end_of_files(tree, placement).max(sources.end());
    part.blocks.add_sources(&mut sources, &files);
    let volume_space = match medium {
        // All of a file belongs to the volume, so that no reader thinks that something follows it.
        Medium::File => own_end.max(sources.end()).max(base.disc().block_count()),
        _ => own_end,
    };
    let blocks = IsoBlocks::new(
        layout,
        &files,
        &IsoRequest {
            options: iso_options,
            descriptors_start,
            volume_space,
            older: iso.sessions.clone(),
            boot_record: iso.boot_record.as_deref(),
        },
    );
    let [reserve, main] = part.epochs;
    Ok(NewBlocks {
        sources,
        data: part
            .files
            .iter()
            .map(|file| file.blocks)
            .sum::<BlockCount>(),
        metadata: session + part.metadata,
        commit: Some(Commit {
            epochs: vec![commit, reserve, main],
            protocol: Protocol::Bridge,
            next_writable: None,
            class: CrashClass::Recoverable,
            class_reason: format!(
                "ISO 9660 changes first, then UDF: in between one shows the new files and the other \
                 the old ones. If the write at block 16 is torn, the copy in the session at block {} \
                 brings ISO 9660 back; if that of UDF's main sequence is torn, its reserve sequence \
                 does",
                blocks.session_start
            ),
        }),
        iso: Some(blocks),
        udf: Some(part.blocks),
        update: None,
    })
}

/// The descriptors at block 16, which must be as many as before: the recognition sequence of UDF
/// stands behind them.
fn head(layout: &reburn_iso9660::Layout, iso: &IsoBase) -> Result<BlockRange, EntireImageRequired> {
    let count = IsoBlocks::descriptor_blocks(layout, iso.boot_record.is_some());
    let head = IsoBlocks::head(count);
    if head == iso.volume.descriptor_blocks() {
        return Ok(head);
    }
    Err(EntireImageRequired::UdfStructure {
        reason: "its recognition sequence stands right behind the descriptors of ISO 9660, which \
                 would be more or fewer than before",
    })
}
