//! Sparing fold-back: what [sparing redo](crate::sparing_redo) left in spare packets goes back to
//! where it belongs, so that the spare packets are free for later edits. The tree stays.
//!
//! - **Shadow** copies packets to where they belong. No reader looks there as long as a table says
//!   that they are elsewhere, so a torn copy does not matter.
//! - **Commit** empties the second table, and after a barrier the first.
//!
//! | first table | second table | where readers look |
//! |---|---|---|
//! | old | old, torn, empty | spare packets |
//! | torn | empty | where packets belong |
//! | empty | empty | where packets belong |
//!
//! Invariants: both places hold the same bytes once the commit begins; the class is Atomic.

use reburn_blocks::{BlockCount, CrashClass, Protocol};
use reburn_udf::{Update, UpdateOptions, VolumeChange};

use crate::base::{Base, BaseVolume};
use crate::mirror_flip::{Room, assemble};
use crate::new_blocks::{Commit, NewBlocks};
use crate::placement::Placement;
use crate::sparing_redo::table_epochs;
use crate::{FileSystemImage, ImageError, laws};

/// Lays out the copies; `None` if no packet is elsewhere.
///
/// # Errors
/// [`ImageError::NotFolded`] if something else changes too, or if the disc has no sparable
/// partition.
pub(crate) fn lay_out(
    image: &FileSystemImage<'_>,
    base: &Base<'_>,
    placement: &Placement,
) -> Result<Option<NewBlocks>, ImageError> {
    let BaseVolume::Udf(udf) = &base.volume else {
        return Err(ImageError::NotFolded("the disc is not UDF alone"));
    };
    let Some(sparing) = &udf.structures.sparing else {
        let reason = "the volume has no sparable partition (UDF 2.2.9)";
        return Err(ImageError::NotFolded(reason));
    };
    if image.tree.has_changed_since(base.imported) || image.options_changed {
        let reason = "something else changes too, which is another edit";
        return Err(ImageError::NotFolded(reason));
    }
    if sparing.moved.is_empty() {
        return Ok(None);
    }
    let (medium, unit) = (image.medium, image.medium.write_unit());
    let options = UpdateOptions {
        write_unit: unit,
        ..UpdateOptions::default()
    };
    let update = Update::fold(&udf.volume, base.disc(), &udf.entries, &options)?;
    let places = update.own_places()?.unwrap_or_default();
    let bounds = Room::new(&base.live, udf, medium, unit)?;
    let old = (&image.tree, placement);
    let change = VolumeChange::default();
    let (blocks, sources) = assemble((base, udf), old, (update, places), change, &bounds, 0)?;
    let epochs: Vec<_> = table_epochs(&blocks.structures, unit).collect();
    let (class, class_reason) = match laws::against_atomic(&udf.structures, &epochs, unit) {
        None => {
            let reason = "readers look at the spare packets or at their copies, and both are the \
                          same";
            (CrashClass::Atomic, reason)
        }
        Some(reason) => (CrashClass::Recoverable, reason),
    };
    Ok(Some(NewBlocks {
        data: BlockCount::ZERO,
        metadata: blocks.units,
        sources,
        iso: None,
        udf: None,
        update: Some(blocks),
        commit: Some(Commit {
            epochs,
            protocol: Protocol::SparingFold,
            next_writable: None,
            class,
            class_reason: class_reason.into(),
        }),
    }))
}
