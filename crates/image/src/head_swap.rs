//! Head swap: ISO 9660 on media and files that can be rewritten.
//!
//! ISO 9660 has one place where readers begin, block 16, and no second copy that they would
//! try. So everything new is recorded where nothing of the old tree is, and then the write
//! unit of block 16 is exchanged.
//!
//! - **Shadow** records the session: its own descriptors, path tables, directories and new data.
//!   A cut inside it leaves the old tree.
//! - **Commit** records the write units of block 16 and the descriptors behind it. A cut inside it
//!   leaves the old tree, the new one, or, if a unit is torn, a disc that needs its head copied
//!   back from a session.
//!
//! Invariants: the shadow epoch shares no write unit with a live block of the old tree; the
//! commit epoch holds no data of the new tree besides the head; the session has a copy of
//! every descriptor at block 16. Both trees are whole on the disc throughout, so the class is
//! Recoverable: one write brings back one of them.

use reburn_blocks::{BlockCount, BlockRangeList, CrashClass, ExtentMap, Lba, Protocol};
use reburn_iso9660::{IsoOptions, Layout};

use crate::base::{Base, IsoBase};
use crate::new_blocks::{Commit, IsoBlocks, IsoRequest, NewBlocks, add_files, end_of_files};
use crate::placement::{PlacedFiles, Placement, Request, new_files};
use crate::{FileSystemImage, ImageError, Medium};

/// Lays out a new session behind what is on the disc.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, iso): (&Base<'_>, &IsoBase),
    options: &IsoOptions,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let (tree, medium) = (&image.tree, image.medium);
    let layout = Layout::new(tree, options)?;
    let descriptor_blocks = IsoBlocks::descriptor_blocks(&layout, iso.boot_record.is_some());
    let head = IsoBlocks::head(descriptor_blocks);
    let unit = medium.write_unit();
    // What lies where the head will be must move.
    let doomed = BlockRangeList::from_iter([head]).align_outward(unit);
    let files = new_files(tree, &doomed);
    let session = descriptor_blocks + layout.metadata_blocks();
    let request = Request {
        session,
        files: &files,
        medium,
        unit: image.unit_of_loss(),
    };
    let descriptors_start = request.place(&base.live, placement)?;
    let mut sources = ExtentMap::new();
    IsoBlocks::add_sources(&mut sources, &layout, head, descriptors_start);
    add_files(&mut sources, placement, &files);
    // What a file has behind the last used block still counts, so that no reader thinks that
    // something else follows the volume.
    let file_end = match medium {
        Medium::File => base.disc().block_count(),
        _ => BlockCount::ZERO,
    };
    let volume_space = end_of_files(tree, placement)
        .max(sources.end())
        .max(file_end);
    let blocks = IsoBlocks::new(
        layout,
        &PlacedFiles::new(tree, placement, Some(base.disc())),
        &IsoRequest {
            options,
            descriptors_start,
            volume_space,
            older: iso.sessions.clone(),
            boot_record: iso.boot_record.as_deref(),
        },
    );
    let commit = Commit {
        epochs: vec![doomed],
        protocol: Protocol::HeadSwap,
        next_writable: None,
        class: CrashClass::Recoverable,
        class_reason: class_reason(medium, blocks.session_start),
    };
    Ok(NewBlocks {
        sources,
        data: files.iter().map(|file| file.blocks).sum(),
        metadata: session,
        iso: Some(blocks),
        udf: None,
        update: None,
        commit: Some(commit),
    })
}

fn class_reason(medium: Medium, start: Lba) -> String {
    match medium {
        Medium::File => format!(
            "the descriptors at block 16 are written one by one; if they stop half way, the \
             copy in the session at block {start} brings back the new tree"
        ),
        _ => format!(
            "readers begin at block 16 and know no second copy; if its write unit is torn, the \
             copy in the session at block {start} brings back the new tree"
        ),
    }
}
