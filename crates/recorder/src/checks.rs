//! What must hold before anything is written.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Plan};

use crate::disc::Disc;
use crate::link::Link;
use crate::medium::Medium;
use crate::{Event, Options, RecordError, Verify};

/// What can be told of a plan without reading the disc.
pub(crate) fn check_plan(
    medium: &Medium,
    plan: &Plan,
    source: &dyn BlockRead,
    options: Options,
) -> Result<(), RecordError> {
    let profile = medium.profile;
    check_kind(medium)?;
    if !medium.formatted {
        let volume = plan.volume.clone();
        return Err(RecordError::BlankDisc { profile, volume });
    }
    check_writable(medium)?;
    let unit = plan.modified.write_unit();
    if !unit.is_multiple_of(medium.write_unit) {
        return Err(RecordError::WriteUnit {
            plan: unit,
            medium: medium.write_unit,
            profile,
        });
    }
    let end = plan.modified.ranges().map(BlockRange::end_exclusive).max();
    check_fits(medium, end.unwrap_or(0))?;
    let (available, needed) = (source.block_count(), plan.total_blocks);
    if available < needed {
        return Err(RecordError::SourceTooShort { available, needed });
    }
    if plan.base.parts.is_empty() && !plan.modified.is_empty() {
        return Err(RecordError::NoFingerprint);
    }
    if options.verify == Verify::Whole {
        check_coverage(plan, source)?;
    }
    Ok(())
}

/// Tries a block that the plan does not record: a saved plan does not hold it.
fn check_coverage(plan: &Plan, source: &dyn BlockRead) -> Result<(), RecordError> {
    let recorded: BlockRangeList = plan.modified.ranges().collect();
    let unchanged = recorded.complement(plan.total_blocks);
    let Some(range) = unchanged.iter().next() else {
        return Ok(());
    };
    let mut block = vec![0; BLOCK_SIZE];
    source
        .read_filled(range.start_lba(), &mut block)
        .map_err(|source| RecordError::SourceIncomplete { source })
}

/// Compares the disc with the plan's fingerprint.
pub(crate) fn check_disc(
    link: &mut Link<'_>,
    medium: &Medium,
    plan: &Plan,
    source: &dyn BlockRead,
) -> Result<(), RecordError> {
    link.emit(Event::CheckingDisc)?;
    let disc = Disc::new(link, medium.capacity);
    let volume = || plan.volume.clone();
    match plan.base.mismatch(&disc) {
        Ok(None) => Ok(()),
        Ok(Some(_)) if holds_result(&disc, plan, source) => {
            Err(RecordError::AlreadyRecorded { volume: volume() })
        }
        Ok(Some(mismatch)) => {
            let range = mismatch.range;
            Err(RecordError::WrongDisc {
                volume: volume(),
                range,
            })
        }
        Err(error) => Err(disc.explain(error)),
    }
}

/// Whether the disc already has every block of the plan. Reads on only while it does.
fn holds_result(disc: &dyn BlockRead, plan: &Plan, source: &dyn BlockRead) -> bool {
    const CHUNK: BlockCount = BlockCount::new(32);
    let mut on_disc = vec![0; CHUNK.as_usize() * BLOCK_SIZE];
    let mut wanted = on_disc.clone();
    let pieces = plan.modified.ranges().flat_map(|range| range.pieces(CHUNK));
    !plan.modified.is_empty()
        && pieces.into_iter().all(|piece| {
            let len = piece.block_count().as_usize() * BLOCK_SIZE;
            disc.read_blocks(piece.start_lba(), &mut on_disc[..len])
                .is_ok()
                && source
                    .read_filled(piece.start_lba(), &mut wanted[..len])
                    .is_ok()
                && on_disc[..len] == wanted[..len]
        })
}

pub(crate) fn check_kind(medium: &Medium) -> Result<(), RecordError> {
    if medium.is_rewritable_kind() || medium.overwritable {
        Ok(())
    } else {
        Err(RecordError::NotOverwritable {
            profile: medium.profile,
        })
    }
}

pub(crate) fn check_writable(medium: &Medium) -> Result<(), RecordError> {
    if medium.overwritable {
        Ok(())
    } else {
        Err(RecordError::WriteProtected {
            profile: medium.profile,
        })
    }
}

pub(crate) fn check_fits(medium: &Medium, end: u32) -> Result<(), RecordError> {
    let needed = BlockCount::new(end);
    if needed <= medium.writable {
        return Ok(());
    }
    let (available, profile) = (medium.writable, medium.profile);
    Err(RecordError::TooSmall {
        needed,
        available,
        profile,
    })
}
