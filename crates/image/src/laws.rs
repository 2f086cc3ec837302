//! The laws that every list of modified blocks obeys, checked before it is handed out, in release
//! builds too. The write unit is what a torn write loses, so:
//!
//! 1. nothing recorded before the commit shares a write unit with a live block of the old tree;
//! 2. every epoch of the commit is whole write units, and in the atomic class one of them;
//! 3. in the atomic class nothing is recorded in a write unit with the recognition sequence, an
//!    anchor, a descriptor sequence or the first integrity descriptor, whose loss readers do not
//!    get over, and the units of the commit keep off the places where programs look for other file
//!    systems before they look for this one: an error there ends their search.

use reburn_blocks::{BlockCount, BlockRange, BlockRangeList, CrashClass, WriteUnit};
use reburn_udf::{VolumeStructures, probed_blocks};

use crate::base::{Base, BaseVolume};
use crate::new_blocks::Commit;

/// Checks the laws on a list of modified blocks.
///
/// # Panics
/// If one is broken: the list would break its promise, so it is never handed out.
pub(crate) fn check(base: &Base<'_>, shadow: &BlockRangeList, commit: &Commit, unit: WriteUnit) {
    let shared = base.live.align_outward(unit).intersection(shadow);
    assert!(
        shared.is_empty(),
        "blocks {shared} of the first epoch share units with the old tree"
    );
    for epoch in &commit.epochs {
        assert_eq!(
            *epoch,
            epoch.align_outward(unit),
            "an epoch of the commit is not whole write units"
        );
    }
    if commit.class != CrashClass::Atomic {
        return;
    }
    let broken = match &base.volume {
        BaseVolume::Udf(udf) => against_atomic(&udf.structures, &commit.epochs, unit),
        BaseVolume::Iso(_) | BaseVolume::Bridge(..) => Some("ISO 9660 has one head only"),
    };
    assert_eq!(broken, None, "the plan is not atomic");
    if let BaseVolume::Udf(udf) = &base.volume {
        let touched = protected(&udf.structures, unit).intersection(shadow);
        assert!(
            touched.is_empty(),
            "blocks {touched} of the first epoch are never rewritten"
        );
    }
}

/// Why these epochs of a commit cannot be atomic on a volume; `None` if they can.
pub(crate) fn against_atomic(
    structures: &VolumeStructures,
    epochs: &[BlockRangeList],
    unit: WriteUnit,
) -> Option<&'static str> {
    let all = epochs
        .iter()
        .fold(BlockRangeList::new(), |all, epoch| all.union(epoch));
    if epochs
        .iter()
        .any(|epoch| epoch.block_count() > unit.blocks())
    {
        return Some("a part of its commit is more than one write unit");
    }
    if !all.intersection(&protected(structures, unit)).is_empty() {
        return Some(
            "its commit rewrites a write unit with an anchor, a descriptor sequence or the first \
             integrity descriptor",
        );
    }
    if !all.intersection(&probed(structures, unit)).is_empty() {
        return Some(
            "its commit rewrites a write unit where programs look for other file systems, and give \
             up if they cannot read it",
        );
    }
    None
}

/// Write units whose loss readers do not get over.
fn protected(structures: &VolumeStructures, unit: WriteUnit) -> BlockRangeList {
    let first_integrity = structures.integrity.first();
    let first_integrity = first_integrity.map(|range| BlockRange::single(range.start_lba()));
    let sequences = [structures.main_sequence, structures.reserve_sequence];
    let singles = structures.anchors.iter().chain([&structures.recognition]);
    let singles = singles.map(|&lba| BlockRange::single(lba));
    let all = singles.chain(sequences.into_iter().flatten());
    let all: BlockRangeList = all.chain(first_integrity).collect();
    all.align_outward(unit)
}

/// Write units where programs look before they look for UDF. The last anchor is the last block of a
/// volume that fills its disc. In a file any block can be read, whatever was being written.
fn probed(structures: &VolumeStructures, unit: WriteUnit) -> BlockRangeList {
    if unit == WriteUnit::FILE {
        return BlockRangeList::new();
    }
    let last = structures.anchors.iter().max();
    let blocks = last.and_then(|last| BlockCount::checked(u64::from(last.get()) + 1));
    probed_blocks(blocks.unwrap_or_default()).align_outward(unit)
}
