//! Edits of discs that can only be appended to: which protocol, and where everything goes.
//!
//! Invariant: whatever is recorded is one run of whole write units from the next writable address.

use reburn_blocks::{Appendable, BlockCount, BlockRange, Lba};

use crate::base::{Base, BaseVolume};
use crate::new_blocks::NewBlocks;
use crate::placement::Placement;
use crate::{
    EntireImageRequired, FileSystemImage, FileSystems, ImageError, Medium, session_append,
    vat_append,
};

/// Blocks of the shortest track of a CD: four seconds.
const CD_TRACK_BLOCKS_MIN: u64 = 300;

/// Lays out what is new by the protocol that goes with the volume.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    (base, append): (&Base<'_>, Appendable),
    placement: &mut Placement,
) -> Result<NewBlocks, ImageError> {
    let cannot = |reason| Err(EntireImageRequired::NotAppendable { reason }.into());
    if image.in_place {
        return Err(ImageError::NotInPlace(
            "nothing on its disc can be overwritten",
        ));
    }
    if image.folds {
        return Err(ImageError::NotFolded(
            "nothing on its disc can be overwritten",
        ));
    }
    match (&base.volume, &image.file_systems) {
        (BaseVolume::Iso(iso), FileSystems::Iso(options)) => {
            session_append::lay_out(image, (base, iso), append, options, placement)
        }
        (BaseVolume::Udf(udf), FileSystems::Udf(_))
            if udf.structures.virtual_table.is_some() && !image.options_changed =>
        {
            vat_append::lay_out(image, (base, udf), append, placement)
        }
        (BaseVolume::Udf(_), FileSystems::Udf(_)) => cannot(
            "readers of its UDF volume begin in blocks that would have to change: only one with a \
             virtual partition is appended to",
        ),
        (BaseVolume::Bridge(..), FileSystems::Bridge(..)) => {
            cannot("it has ISO 9660 and UDF over the same files, and UDF would go stale")
        }
        _ => Err(EntireImageRequired::OtherFileSystem.into()),
    }
}

/// So many blocks from where the disc goes on, and what fills up the last write unit. A track of
/// a CD is filled up to its least length, before the drive does it behind everything.
pub(crate) fn run_from(medium: Medium, start: Lba, blocks: u64) -> Result<BlockRange, ImageError> {
    let unit = medium.write_unit();
    if !start.is_aligned(unit) {
        let reason = "the next block that it takes does not begin a write unit of the medium";
        return Err(EntireImageRequired::NotAppendable { reason }.into());
    }
    let capacity = medium.capacity().unwrap_or(BlockCount::new(Lba::MAX.get()));
    let free = capacity.get().saturating_sub(start.get());
    let blocks = match medium {
        Medium::CdR | Medium::CdRw => blocks.max(CD_TRACK_BLOCKS_MIN),
        _ => blocks,
    };
    let needed = BlockCount::checked(blocks);
    let run = needed.and_then(|needed| BlockRange::with_count(start, needed));
    run.map(|run| run.align_outward(unit))
        .filter(|run| run.block_count().get() <= free)
        .ok_or(ImageError::TooBig {
            needed: needed.unwrap_or(BlockCount::MAX),
            free: BlockCount::new(free),
            medium,
        })
}
