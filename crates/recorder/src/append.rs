//! Recording on media whose blocks are recorded one after the other: plans and images, from the
//! next writable address on, and closing what was recorded.
//!
//! A recording that was cut goes on: where the next writable address is inside what is to be
//! recorded, and everything before it is there already, the rest is recorded.
//!
//! Invariants: nothing is sent before the next writable address and the blocks before it were
//! found to be those of the plan or image; an image begins with block 0 of a blank disc, since its
//! addresses count from there; what is not closed is said to be open.

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Epoch, EpochRole, Lba,
    ModifiedBlocks, Plan,
};
use reburn_drive::{DriveExt, RecordingExt};
use reburn_mmc::Speed;
use reburn_mmc::reply::{DiscStatus, SessionStatus};

use crate::close::{close, is_cd};
use crate::disc::Disc;
use crate::link::Link;
use crate::medium::{Medium, examine};
use crate::options::Close;
use crate::sequence::{OpenTrack, Sequence};
use crate::state::{Aim, Progress};
use crate::stream::Stream;
use crate::verify::verify;
use crate::write::transfer_blocks;
use crate::{DiscState, Event, Options, Outcome, RecordError, Verify, parameters};

/// What is to be appended.
struct Appended<'j> {
    aim: Aim,
    role: EpochRole,
    /// All of it, whole write units.
    run: BlockRange,
    /// The blocks of it that are on the disc already.
    there: BlockCount,
    source: &'j dyn BlockRead,
    options: Options,
}

/// Records a plan that was checked to be for such a medium.
pub(crate) fn plan_onto(
    link: &mut Link<'_>,
    (medium, sequence): (Medium, Sequence),
    plan: &Plan,
    source: &dyn BlockRead,
    options: Options,
    state: &mut DiscState,
) -> Result<Outcome, RecordError> {
    let there = check_plan(link, (&medium, &sequence), plan, source)?;
    let mut ranges = plan.modified.ranges();
    let (Some(first), last) = (ranges.next(), ranges.last()) else {
        return Ok(Outcome::nothing(medium));
    };
    let end = last.map_or(first.end_lba(), BlockRange::end_lba);
    let run = BlockRange::new(first.start_lba(), end).expect("one run of blocks");
    let is_commit = |epoch: &Epoch| epoch.role == EpochRole::Commit;
    let role = if plan.modified.epochs().iter().any(is_commit) {
        EpochRole::Commit
    } else {
        EpochRole::Shadow
    };
    let job = Appended {
        aim: Aim::Append(plan.class),
        role,
        run,
        there,
        source,
        options,
    };
    job.record(link, medium, sequence, state)
}

/// Records an image on a blank disc, or goes on with one.
pub(crate) fn image_onto(
    link: &mut Link<'_>,
    (medium, sequence): (Medium, Sequence),
    source: &dyn BlockRead,
    options: Options,
    state: &mut DiscState,
) -> Result<Outcome, RecordError> {
    let image = BlockRange::with_count(Lba::ZERO, source.block_count());
    let run = image.ok_or(RecordError::EmptyImage)?;
    let run = run.align_outward(medium.write_unit);
    let there = match sequence.status {
        DiscStatus::Empty => BlockCount::ZERO,
        _ => part_of_image(link, (&medium, &sequence), run, source)?,
    };
    let job = Appended {
        aim: Aim::Image,
        role: EpochRole::Commit,
        run,
        there,
        source,
        options,
    };
    job.record(link, medium, sequence, state)
}

/// Checks a plan and the disc against each other; how many blocks of it are there already.
pub(crate) fn check_plan(
    link: &mut Link<'_>,
    (medium, sequence): (&Medium, &Sequence),
    plan: &Plan,
    source: &dyn BlockRead,
) -> Result<BlockCount, RecordError> {
    let profile = medium.profile;
    let start = plan
        .next_writable
        .filter(|&start| plan.modified.is_one_run_from(start));
    let start = start.ok_or(RecordError::NotAppended { profile })?;
    let unit = plan.modified.write_unit();
    if !unit.is_multiple_of(medium.write_unit) {
        return Err(RecordError::WriteUnit {
            plan: unit,
            medium: medium.write_unit,
            profile,
        });
    }
    let (available, needed) = (source.block_count(), plan.total_blocks);
    if available < needed {
        return Err(RecordError::SourceTooShort { available, needed });
    }
    if plan.modified.is_empty() {
        return Ok(BlockCount::ZERO);
    }
    if plan.base.parts.is_empty() {
        return Err(RecordError::NoFingerprint);
    }
    if sequence.status == DiscStatus::Empty {
        let volume = plan.volume.clone();
        return Err(RecordError::BlankDisc { profile, volume });
    }
    link.emit(Event::CheckingDisc)?;
    let disc = Disc::new(link, medium.capacity);
    let mismatch = match plan.base.mismatch(&disc) {
        Ok(mismatch) => mismatch,
        Err(error) => return Err(disc.explain(error)),
    };
    if let Some(mismatch) = mismatch {
        let (volume, range) = (plan.volume.clone(), mismatch.range);
        return Err(RecordError::WrongDisc { volume, range });
    }
    let count = plan.modified.block_count();
    let run = BlockRange::with_count(start, count).expect("a plan with blocks");
    match sequence.next_writable() {
        Some(next) if next == start => Ok(BlockCount::ZERO),
        // Nothing else begins right there, so the end of the plan is on the disc, or the disc
        // goes on elsewhere.
        // All of it is there. What is not closed yet still can be.
        _ if holds(&disc, run, source) => match sequence.last_session {
            SessionStatus::Incomplete | SessionStatus::Damaged => Ok(count),
            _ => Err(RecordError::AlreadyRecorded {
                volume: plan.volume.clone(),
            }),
        },
        Some(next) if run.contains(next) => {
            let there = next.blocks_since(start);
            let before = BlockRange::with_count(start, there);
            if before.is_some_and(|before| holds(&disc, before, source)) {
                Ok(there)
            } else {
                Err(RecordError::GoesOnElsewhere { plan: start, next })
            }
        }
        Some(next) => Err(RecordError::GoesOnElsewhere { plan: start, next }),
        None => Err(no_next(profile, sequence)),
    }
}

/// How many blocks of an image are on a disc where recording it was cut.
fn part_of_image(
    link: &mut Link<'_>,
    (medium, sequence): (&Medium, &Sequence),
    run: BlockRange,
    source: &dyn BlockRead,
) -> Result<BlockCount, RecordError> {
    let profile = medium.profile;
    let not_blank = || RecordError::NotBlank { profile };
    let is_first = sequence.sessions <= 1 && sequence.last_session != SessionStatus::Complete;
    let next = sequence.next_writable().filter(|_| is_first);
    let next = next.ok_or_else(not_blank)?;
    let there = next.blocks_since(run.start_lba());
    let part = BlockRange::with_count(run.start_lba(), there);
    let part = part.filter(|part| part.end_lba() <= run.end_lba());
    let Some(part) = part else {
        return Err(not_blank());
    };
    link.emit(Event::CheckingDisc)?;
    let disc = Disc::new(link, medium.capacity);
    if holds(&disc, part, source) {
        Ok(there)
    } else {
        Err(not_blank())
    }
}

/// Whether the disc has the blocks of the source in a range.
fn holds(disc: &dyn BlockRead, range: BlockRange, source: &dyn BlockRead) -> bool {
    const CHUNK: BlockCount = BlockCount::new(32);
    let mut on_disc = vec![0; CHUNK.as_usize() * BLOCK_SIZE];
    let mut wanted = on_disc.clone();
    range.pieces(CHUNK).all(|piece| {
        let len = piece.block_count().as_usize() * BLOCK_SIZE;
        let (on_disc, wanted) = (&mut on_disc[..len], &mut wanted[..len]);
        disc.read_blocks(piece.start_lba(), on_disc).is_ok()
            && source.read_filled(piece.start_lba(), wanted).is_ok()
            && on_disc == wanted
    })
}

/// Why nothing can be recorded on a disc that names no next block.
fn no_next(profile: reburn_mmc::Profile, sequence: &Sequence) -> RecordError {
    match sequence.status {
        DiscStatus::Complete => RecordError::Closed { profile },
        _ => RecordError::Damaged { profile },
    }
}

impl Appended<'_> {
    fn record(
        &self,
        link: &mut Link<'_>,
        medium: Medium,
        sequence: Sequence,
        state: &mut DiscState,
    ) -> Result<Outcome, RecordError> {
        let (profile, options) = (medium.profile, self.options);
        let track = self.check_room(&medium, &sequence)?;
        if options.simulate && !parameters::has_test_write(profile) {
            return Err(RecordError::NoTest { profile });
        }
        let at_once = options.at_once || !sequence.in_pieces;
        if at_once && !parameters::is_dvd_minus(profile) {
            return Err(RecordError::NotAtOnce { profile });
        }
        if at_once && !self.there.is_zero() {
            return Err(RecordError::Damaged { profile });
        }
        if let Some(speed) = options.speed {
            link.ask(|drive| drive.set_speed(Speed::MAX, speed))?;
        }
        let rest = self.rest();
        let count = rest.map_or(BlockCount::ZERO, BlockRange::block_count);
        parameters::set(link, profile, at_once, options)?;
        if at_once {
            link.ask(|drive| drive.reserve_track(count))?;
        }
        if !self.there.is_zero() {
            link.emit(Event::Resumed {
                there: self.there,
                total: self.run.block_count(),
            })?;
        }
        link.emit(Event::Started {
            blocks: count,
            epochs: 1,
        })?;
        let mut retries = 0;
        if let Some(rest) = rest {
            let blocks = self.epoch(&medium, rest);
            let mut progress = Progress::new(self.aim, &blocks, *state);
            link.emit(Event::Epoch {
                index: 0,
                role: self.role,
                blocks: count,
            })?;
            let mut stream = Stream::new(link, &medium, track.number, self.source, options.retries);
            let recorded = stream.record(rest, &mut progress);
            retries = stream.retried();
            if !options.simulate {
                *state = progress.state();
            }
            recorded?;
        }
        let outcome = Outcome {
            recorded: count,
            epochs: usize::from(!count.is_zero()),
            resumed: self.there,
            retries,
            simulated: options.simulate,
            ..Outcome::nothing(medium)
        };
        self.finish(link, outcome, (track, at_once), state)
    }

    /// Closes what was recorded and reads it back.
    fn finish(
        &self,
        link: &mut Link<'_>,
        outcome: Outcome,
        (track, at_once): (OpenTrack, bool),
        state: &mut DiscState,
    ) -> Result<Outcome, RecordError> {
        let options = self.options;
        if options.simulate {
            return Ok(outcome);
        }
        let medium = &outcome.medium;
        // What was recorded at once is closed.
        if !at_once && options.close != Close::LeaveOpen {
            *state = DiscState::NotClosed;
            close(link, medium.profile, track.number, options.close)?;
        }
        *state = DiscState::Recorded;
        let verified = match options.verify {
            Verify::None => BlockCount::ZERO,
            Verify::Recorded | Verify::Whole => {
                let transfer = transfer_blocks(link.drive, medium);
                let compared = BlockRangeList::from_iter([self.run]);
                verify(link, self.source, &compared, medium.write_unit, transfer)?
            }
        };
        Ok(Outcome {
            verified,
            closed: at_once || options.close != Close::LeaveOpen,
            ..outcome
        })
    }

    /// What is still to be recorded.
    fn rest(&self) -> Option<BlockRange> {
        let start = self.run.start_lba().checked_add(self.there)?;
        BlockRange::new(start, self.run.end_lba())
    }

    fn epoch(&self, medium: &Medium, rest: BlockRange) -> ModifiedBlocks {
        let epoch = Epoch {
            role: self.role,
            ranges: BlockRangeList::from_iter([rest]),
        };
        ModifiedBlocks::new(medium.write_unit, [epoch])
    }

    /// The track that takes it, if it can.
    fn check_room(&self, medium: &Medium, sequence: &Sequence) -> Result<OpenTrack, RecordError> {
        let profile = medium.profile;
        let track = sequence.track.filter(|track| track.next_writable.is_some());
        let track = track.ok_or_else(|| no_next(profile, sequence))?;
        let needed = self.run.block_count() - self.there;
        // The run-out of a CD track.
        let around = if is_cd(profile) { 2 } else { 0 };
        if !needed.is_zero() && needed + BlockCount::new(around) > track.free {
            let available = track.free;
            return Err(RecordError::TooSmall {
                needed,
                available,
                profile,
            });
        }
        Ok(track)
    }
}

/// Closes what is open on the disc, mending what an interruption left.
pub(crate) fn close_disc(
    link: &mut Link<'_>,
    options: Options,
    wanted: Close,
    state: &mut DiscState,
) -> Result<Medium, RecordError> {
    let medium = examine(link)?;
    link.settle();
    let profile = medium.profile;
    let Some(sequence) = medium.sequence else {
        return Err(RecordError::NothingToClose { profile });
    };
    let is_open = matches!(
        sequence.last_session,
        SessionStatus::Incomplete | SessionStatus::Damaged
    );
    let is_final = wanted == Close::Finalise && sequence.status == DiscStatus::Appendable;
    if !is_open && !is_final {
        return Err(RecordError::NothingToClose { profile });
    }
    let track = sequence.track.map_or(1, |track| track.number);
    let options = Options {
        close: wanted,
        simulate: false,
        ..options
    };
    parameters::set(link, profile, false, options)?;
    *state = DiscState::NotClosed;
    if sequence.is_damaged() {
        let mended = crate::close::until_done(link, |drive| drive.begin_repair(track));
        // Closing mends as well, on drives that do not know the command.
        crate::medium::supported(mended)?;
    }
    close(link, profile, track, wanted)?;
    *state = DiscState::Recorded;
    examine(link)
}
