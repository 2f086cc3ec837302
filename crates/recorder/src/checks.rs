//! What must hold before anything is written.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Digest, Epoch, EpochRole,
    ModifiedBlocks, Plan, WriteUnit,
};

use reburn_mmc::Profile;

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
    if plan.next_writable.is_some() && profile != Profile::REMOVABLE_DISK {
        return Err(RecordError::NotOverwritten { profile });
    }
    if options.simulate {
        return Err(RecordError::NoTest { profile });
    }
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

/// How far a disc is from the one that the plan was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is that disc.
    Before,
    /// The plan was cut in its commit: everything before is there, and of the commit what is not
    /// in these units.
    HalfWay {
        /// What is still to be recorded.
        rest: ModifiedBlocks,
    },
}

/// Compares the disc with the plan's fingerprint.
///
/// A disc that differs from it in units of the commit alone, and has all that the plan records
/// before, is one where the plan was cut: a barrier stands between the two.
pub(crate) fn check_disc(
    link: &mut Link<'_>,
    medium: &Medium,
    plan: &Plan,
    source: &dyn BlockRead,
) -> Result<Standing, RecordError> {
    link.emit(Event::CheckingDisc)?;
    let disc = Disc::new(link, medium.capacity);
    let committed = plan
        .modified
        .epochs()
        .iter()
        .filter(|epoch| epoch.role == EpochRole::Commit)
        .fold(BlockRangeList::new(), |all, epoch| all.union(&epoch.ranges));
    let unit = plan.modified.write_unit();
    let is_of_commit = |range: BlockRange| {
        let whole = range.align_outward(unit);
        let is_one = whole.block_count() == unit.blocks();
        is_one && committed.contains(range.start_lba()) && committed.contains(range.end_lba())
    };
    let mut stops: Option<BlockRange> = None;
    let (mut unlike, mut unreadable) = (Vec::new(), None);
    for part in &plan.base.parts {
        match Digest::of_blocks(&disc, part.range) {
            Ok(digest) if digest == part.digest => {}
            Ok(_) => {
                unlike.push(part.range);
                if !is_of_commit(part.range) {
                    stops = Some(part.range);
                    break;
                }
            }
            Err(error) if is_of_commit(part.range) && disc.is_unreadable() => {
                unlike.push(part.range);
                unreadable.get_or_insert(error);
            }
            Err(error) => return Err(disc.explain(error)),
        }
    }
    let Some(&first) = unlike.first() else {
        return Ok(Standing::Before);
    };
    let volume = || plan.volume.clone();
    let rest = rest(&disc, plan, source);
    if rest.as_ref().is_some_and(ModifiedBlocks::is_empty) {
        return Err(RecordError::AlreadyRecorded { volume: volume() });
    }
    let recognised = unlike.len() < plan.base.parts.len();
    let is_half_way =
        stops.is_none() && unlike.iter().all(|&part| is_cut(&disc, part, unit, source));
    match (rest.filter(|_| is_half_way && recognised), unreadable) {
        (Some(rest), _) => Ok(Standing::HalfWay { rest }),
        (None, Some(source)) => Err(RecordError::DiscUnreadable { source }),
        (None, None) => Err(RecordError::WrongDisc {
            volume: volume(),
            range: stops.unwrap_or(first),
        }),
    }
}

/// What the disc does not have of a plan, in whole units; `None` if something is missing of what
/// is recorded before the commit.
fn rest(disc: &dyn BlockRead, plan: &Plan, source: &dyn BlockRead) -> Option<ModifiedBlocks> {
    let unit = plan.modified.write_unit();
    let mut epochs = Vec::new();
    for epoch in plan.modified.epochs() {
        let mut ranges = BlockRangeList::new();
        let units = epoch.ranges.iter().flat_map(|r| r.pieces(unit.blocks()));
        for one in units.filter(|&one| !holds(disc, one, source)) {
            if epoch.role == EpochRole::Shadow {
                return None;
            }
            ranges.insert(one);
        }
        epochs.push(Epoch {
            role: epoch.role,
            ranges,
        });
    }
    let is_some = !plan.modified.is_empty();
    is_some.then(|| ModifiedBlocks::new(unit, epochs))
}

/// Whether the disc has the blocks of the source in a range.
fn holds(disc: &dyn BlockRead, range: BlockRange, source: &dyn BlockRead) -> bool {
    let mut on_disc = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
    let mut wanted = on_disc.clone();
    let start = range.start_lba();
    disc.read_blocks(start, &mut on_disc).is_ok()
        && source.read_filled(start, &mut wanted).is_ok()
        && on_disc == wanted
}

/// Whether a part of a unit of the commit, which is not as before, is as this plan leaves it when
/// it is cut: new, unreadable, or on a host's file new up to a sector. Anything else is of another
/// plan that came later, and is not written over.
fn is_cut(disc: &dyn BlockRead, part: BlockRange, unit: WriteUnit, source: &dyn BlockRead) -> bool {
    const SECTOR: usize = 512;
    let mut on_disc = vec![0; part.block_count().as_usize() * BLOCK_SIZE];
    let mut wanted = on_disc.clone();
    let start = part.start_lba();
    if source.read_filled(start, &mut wanted).is_err() {
        return false;
    }
    match disc.read_blocks(start, &mut on_disc) {
        Err(_) => true,
        Ok(()) if unit == WriteUnit::FILE => on_disc[..SECTOR] == wanted[..SECTOR],
        Ok(()) => on_disc == wanted,
    }
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
