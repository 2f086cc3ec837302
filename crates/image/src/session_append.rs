//! Session append: ISO 9660 on media whose blocks are recorded once.
//!
//! A new session begins where the disc goes on. It has descriptors of its own 16 blocks after its
//! start, where a reader looks that knows from the drive where the last session is, and
//! directories that lead to new files and to old ones, whose blocks stay in the sessions before
//! (ECMA-119 6.2.1 seen from the session's start; all addresses count from block 0).
//!
//! Nothing that was recorded changes, block 16 least of all. What makes readers see the new tree
//! is that the drive closes the session: until then the drive's table of contents ends with the
//! session before.
//!
//! Invariants: every block that is recorded lies at or behind the next writable address, without a
//! gap, up to the end of a write unit; the session holds a whole tree, so no older head is needed.
//!
//! A cut leaves the old tree where readers look, and an open session behind it: the same plan can
//! go on in it, and closing it as it is makes a session without a volume, so the class is
//! Recoverable and not Atomic.

use reburn_blocks::{Appendable, BlockCount, BlockRangeList, CrashClass, ExtentMap, Lba, Protocol};
use reburn_iso9660::{IsoOptions, Layout};

use crate::append::run_from;
use crate::base::{Base, IsoBase};
use crate::new_blocks::{Commit, IsoBlocks, IsoRequest, NewBlocks, Source, add_files, data_blocks};
use crate::placement::{PlacedFiles, Placement, new_files};
use crate::session::SYSTEM_AREA;
use crate::{EntireImageRequired, FileSystemImage, ImageError};

/// Lays out a new session where the disc goes on.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, iso): (&Base<'_>, &IsoBase),
    append: Appendable,
    options: &IsoOptions,
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    if !append.begins_session {
        return Err(EntireImageRequired::SessionOpen.into());
    }
    let tree = &image.tree;
    let layout = Layout::new(tree, options)?;
    let files = new_files(tree, &BlockRangeList::new());
    let descriptors = IsoBlocks::descriptor_blocks(&layout, iso.boot_record.is_some());
    let session = descriptors + layout.metadata_blocks();
    let blocks = u64::from(SYSTEM_AREA.get()) + u64::from(session.get()) + data_blocks(&files);
    let run = run_from(image.medium, append.next_writable, blocks)?;

    let descriptors_start = append.next_writable + SYSTEM_AREA;
    let mut next = descriptors_start + session;
    for &file in &files {
        placement.set(file, next);
        next += file.blocks;
    }
    let mut sources = ExtentMap::new();
    sources.insert(run, Source::Nothing);
    IsoBlocks::add_session(&mut sources, &layout, descriptors, descriptors_start);
    add_files(&mut sources, placement, &files);
    let iso_blocks = IsoBlocks::new(
        layout,
        &PlacedFiles::new(tree, placement, Some(base.disc())),
        &IsoRequest {
            options,
            descriptors_start,
            volume_space: BlockCount::new(run.end_exclusive()),
            older: iso.sessions.clone(),
            boot_record: iso.boot_record.as_deref(),
        },
    );
    Ok(NewBlocks {
        sources,
        data: files.iter().map(|file| file.blocks).sum(),
        metadata: SYSTEM_AREA + session,
        iso: Some(iso_blocks),
        udf: None,
        update: None,
        commit: Some(Commit {
            epochs: Vec::new(),
            protocol: Protocol::SessionAppend,
            next_writable: Some(append.next_writable),
            class: CrashClass::Recoverable,
            class_reason: class_reason(append.session_start),
        }),
    })
}

fn class_reason(shown: Lba) -> String {
    format!(
        "readers show the session at block {shown} until the new one is closed; if recording stops \
         half way, the same plan goes on where it stopped"
    )
}
