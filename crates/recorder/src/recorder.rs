//! Recording as a whole: checks, then epochs, then closing and reading back.
//!
//! Invariants: nothing is written before every check has passed; the medium is locked in from
//! the check of the disc until the end, however that comes; what is on the disc is known at
//! every moment.

use std::fmt;
use std::ops::ControlFlow;

use reburn_blocks::{
    BlockCount, BlockRange, BlockRangeList, BlockRead, Epoch, EpochRole, Lba, ModifiedBlocks, Plan,
};
use reburn_drive::{Drive, DriveExt, RecordingExt};
use reburn_mmc::command::CloseFunction;
use reburn_mmc::reply::BackgroundFormat;
use reburn_mmc::{Profile, Speed};

use crate::append;
use crate::blank::{self, BlankWay};
use crate::checks::{Standing, check_disc, check_fits, check_kind, check_plan, check_writable};
use crate::close::until_done;
use crate::format::{self, FormatWay, ensure_formatted, ensure_growing, resume_format};
use crate::frontier::{Filled, filled_up};
use crate::link::Link;
use crate::medium::{Medium, examine, supported};
use crate::state::{Aim, Progress};
use crate::verify::verify;
use crate::write::{Writer, transfer_blocks};
use crate::{Close, DiscState, Event, Failure, Options, RecordError, Verify};

/// What a recording came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The medium, as it was when recording began.
    pub medium: Medium,
    /// Blocks recorded, the last write unit filled up.
    pub recorded: BlockCount,
    /// Epochs they were recorded in, each followed by a barrier.
    pub epochs: usize,
    /// Blocks of the plan that were on the disc already, since it had been cut there.
    pub resumed: BlockCount,
    /// How often blocks were written again after an error or a reset.
    pub retries: u32,
    /// Whether the medium was formatted first.
    pub formatted: bool,
    /// Blocks read back and found right.
    pub verified: BlockCount,
    /// Whether a session was closed.
    pub closed: bool,
    /// Whether the laser was off all the time.
    pub simulated: bool,
}

impl Outcome {
    /// Nothing was recorded on the medium.
    pub(crate) fn nothing(medium: Medium) -> Self {
        Self {
            medium,
            recorded: BlockCount::ZERO,
            epochs: 0,
            resumed: BlockCount::ZERO,
            retries: 0,
            formatted: false,
            verified: BlockCount::ZERO,
            closed: false,
            simulated: false,
        }
    }
}

/// One sentence.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.simulated {
            write!(f, "tested {} blocks with the laser off", self.recorded)?;
        } else if self.recorded.is_zero() {
            f.write_str("nothing to record: the disc is already as the plan wants it")?;
        } else {
            let (blocks, epochs) = (self.recorded, self.epochs);
            write!(
                f,
                "recorded {blocks} blocks in {epochs} epoch{}",
                plural(epochs)
            )?;
        }
        if !self.resumed.is_zero() {
            let total = self.resumed + self.recorded;
            write!(f, ", resumed: {} of {total} were there", self.resumed)?;
        }
        if self.retries > 0 {
            let ending = if self.retries == 1 { "y" } else { "ies" };
            write!(f, " with {} retr{ending}", self.retries)?;
        }
        if self.closed {
            f.write_str(", closed the session")?;
        }
        if !self.verified.is_zero() {
            write!(f, ", read {} back", self.verified)?;
        }
        Ok(())
    }
}

const fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Records plans and images on the medium in a drive.
pub struct Recorder<'d> {
    drive: &'d mut dyn Drive,
    options: Options,
}

impl<'d> Recorder<'d> {
    /// A recorder with the default options.
    pub fn new(drive: &'d mut dyn Drive) -> Self {
        Self::with_options(drive, Options::default())
    }

    /// A recorder with these options.
    pub fn with_options(drive: &'d mut dyn Drive, options: Options) -> Self {
        Self { drive, options }
    }

    /// Checks everything that [`Recorder::record_plan`] checks, and writes nothing.
    pub fn check_plan(
        &mut self,
        plan: &Plan,
        source: &dyn BlockRead,
    ) -> Result<Medium, RecordError> {
        let mut unheard = |_: Event| ControlFlow::Continue(());
        let mut link = Link::new(self.drive, &mut unheard);
        let medium = examine(&mut link)?;
        if let Some(sequence) = medium.sequence {
            append::check_plan(&mut link, (&medium, &sequence), plan, source)?;
            return Ok(medium);
        }
        check_plan(&medium, plan, source, self.options)?;
        check_disc(&mut link, &medium, plan, source)?;
        Ok(medium)
    }

    /// Records the blocks of a plan, taken from `source`, over the disc that it was made for.
    ///
    /// Before the first write: the medium must be overwritable, its write unit must divide the
    /// plan's, every block must fit, and the disc must have the plan's fingerprint. Then each
    /// epoch is sent in whole write units, ascending, and followed by a SYNCHRONIZE CACHE that
    /// has completed before the next epoch begins. A plan that changes nothing records
    /// nothing.
    ///
    /// A disc where the same plan was cut in its commit is taken too: what it lacks is recorded.
    /// One that was cut before that still has the fingerprint, and all of the plan is recorded.
    ///
    /// `source` is the result image, or a saved plan with its blocks. `events` can stop the
    /// recording after any of them; the state of the disc is then part of the failure.
    pub fn record_plan(
        &mut self,
        plan: &Plan,
        source: &dyn BlockRead,
        events: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Outcome, Failure> {
        let mut state = DiscState::Unchanged;
        let options = self.options;
        let mut link = Link::new(self.drive, events);
        plan_onto(&mut link, plan, source, options, &mut state)
            .map_err(|error| Failure { error, state })
    }

    /// Blanks a CD-RW or DVD-RW; the medium as it is then.
    pub fn blank(
        &mut self,
        way: BlankWay,
        events: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Medium, Failure> {
        let mut state = DiscState::Unchanged;
        let mut link = Link::new(self.drive, events);
        let blanked = link
            .lock()
            .and_then(|mut link| blank::blank(&mut link, way, &mut state));
        blanked.map_err(|error| Failure { error, state })
    }

    /// Formats a medium in this way, whatever it holds; the medium as it is then. Recording an
    /// image formats by itself what must be formatted.
    pub fn format(
        &mut self,
        way: FormatWay,
        events: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Medium, Failure> {
        let mut state = DiscState::Unchanged;
        let mut link = Link::new(self.drive, events);
        let formatted = link
            .lock()
            .and_then(|mut link| format::format(&mut link, way, &mut state));
        formatted.map_err(|error| Failure { error, state })
    }

    /// Closes what is open on a disc that is recorded in sessions, after mending what an
    /// interruption left; with [`Close::Finalise`] for good. The medium as it is then.
    pub fn close(
        &mut self,
        close: Close,
        events: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Medium, Failure> {
        let mut state = DiscState::Unchanged;
        let options = self.options;
        let mut link = Link::new(self.drive, events);
        let closed = link
            .lock()
            .and_then(|mut link| append::close_disc(&mut link, options, close, &mut state));
        closed.map_err(|error| Failure { error, state })
    }

    /// Records a whole image from block 0 on, after formatting the medium if needed. The last
    /// write unit is filled up with zeros.
    ///
    /// Blocks that mean nothing to the image ([`BlockRead::used_ranges`]), and those behind it,
    /// stay as they are: an image file that was longer keeps its length, and its tail.
    pub fn record_image(
        &mut self,
        source: &dyn BlockRead,
        events: &mut dyn FnMut(Event) -> ControlFlow<()>,
    ) -> Result<Outcome, Failure> {
        let mut state = DiscState::Unchanged;
        let options = self.options;
        let mut link = Link::new(self.drive, events);
        image_onto(&mut link, source, options, &mut state).map_err(|error| Failure { error, state })
    }
}

fn plan_onto(
    link: &mut Link<'_>,
    plan: &Plan,
    source: &dyn BlockRead,
    options: Options,
    state: &mut DiscState,
) -> Result<Outcome, RecordError> {
    let mut link = link.lock()?;
    let medium = examine(&mut link)?;
    link.settle();
    if let Some(sequence) = medium.sequence {
        return append::plan_onto(&mut link, (medium, sequence), plan, source, options, state);
    }
    check_plan(&medium, plan, source, options)?;
    let standing = check_disc(&mut link, &medium, plan, source)?;
    if !plan.modified.is_empty() {
        resume_format(&mut link, &medium, options.format)?;
    }
    let blocks = match &standing {
        Standing::Before => &plan.modified,
        Standing::HalfWay { rest } => {
            let class = plan.class;
            *state = DiscState::Committing { class };
            rest
        }
    };
    let total = plan.modified.block_count();
    let there = total - blocks.block_count();
    if !there.is_zero() {
        link.emit(Event::Resumed { there, total })?;
    }
    let job = Job {
        aim: Aim::Plan(plan.class),
        blocks,
        source,
        options,
    };
    let mut compared: BlockRangeList = plan.modified.ranges().collect();
    if options.verify == Verify::Whole {
        compared.extend(BlockRange::with_count(Lba::ZERO, plan.total_blocks));
    }
    let outcome = job.run(&mut link, medium, &compared, state)?;
    Ok(Outcome {
        resumed: there,
        ..outcome
    })
}

fn image_onto(
    link: &mut Link<'_>,
    source: &dyn BlockRead,
    options: Options,
    state: &mut DiscState,
) -> Result<Outcome, RecordError> {
    let image =
        BlockRange::with_count(Lba::ZERO, source.block_count()).ok_or(RecordError::EmptyImage)?;
    let mut link = link.lock()?;
    let medium = examine(&mut link)?;
    link.settle();
    if let Some(sequence) = medium.sequence {
        return append::image_onto(&mut link, (medium, sequence), source, options, state);
    }
    if options.simulate {
        let profile = medium.profile;
        return Err(RecordError::NoTest { profile });
    }
    check_kind(&medium)?;
    let was_formatted = medium.formatted;
    let needed = image.block_count();
    let medium = ensure_formatted(&mut link, medium, needed, options.format, state)?;
    check_writable(&medium)?;
    let whole = image.align_outward(medium.write_unit);
    check_fits(&medium, whole.end_exclusive())?;
    resume_format(&mut link, &medium, options.format)?;
    let ranges = source.used_ranges().align_outward(medium.write_unit);
    let epoch = Epoch {
        role: EpochRole::Commit,
        ranges: ranges.clone(),
    };
    let blocks = ModifiedBlocks::new(medium.write_unit, [epoch]);
    let job = Job {
        aim: Aim::Image,
        blocks: &blocks,
        source,
        options,
    };
    let outcome = job.run(&mut link, medium, &ranges, state)?;
    Ok(Outcome {
        formatted: !was_formatted,
        ..outcome
    })
}

/// What is to be recorded, once every check has passed.
struct Job<'j> {
    aim: Aim,
    blocks: &'j ModifiedBlocks,
    source: &'j dyn BlockRead,
    options: Options,
}

impl Job<'_> {
    fn run(
        &self,
        link: &mut Link<'_>,
        medium: Medium,
        compared: &BlockRangeList,
        state: &mut DiscState,
    ) -> Result<Outcome, RecordError> {
        if let Some(speed) = self.options.speed {
            link.ask(|drive| drive.set_speed(Speed::MAX, speed))?;
        }
        let (blocks, fill) = match medium.frontier {
            Some(frontier) => filled_up(self.blocks, frontier),
            None => (self.blocks.clone(), BlockRangeList::new()),
        };
        let source = Filled {
            source: self.source,
            fill,
        };
        let (recorded, epochs) = (blocks.block_count(), blocks.epochs().len());
        link.emit(Event::Started {
            blocks: recorded,
            epochs,
        })?;
        let end = blocks.ranges().map(BlockRange::end_exclusive).max();
        ensure_growing(link, &medium, end.unwrap_or(0))?;
        let mut progress = Progress::new(self.aim, &blocks, *state);
        let mut writer = Writer::new(link, &medium, &source, self.options.retries);
        let written = writer.record(&blocks, &mut progress);
        let retries = writer.retried();
        *state = progress.state();
        written?;
        if !recorded.is_zero() {
            close(link, &medium)?;
        }
        let verified = match self.options.verify {
            Verify::None => BlockCount::ZERO,
            Verify::Recorded | Verify::Whole => {
                let transfer = transfer_blocks(link.drive, &medium);
                verify(link, self.source, compared, medium.write_unit, transfer)?
            }
        };
        Ok(Outcome {
            recorded,
            epochs,
            retries,
            verified,
            ..Outcome::nothing(medium)
        })
    }
}

/// Ends the background format of a DVD+RW, and the border of a DVD-RW, so that other drives can
/// read the disc.
fn close(link: &mut Link<'_>, medium: &Medium) -> Result<(), RecordError> {
    if medium.profile == Profile::DVD_RW_OVERWRITE {
        link.emit(Event::Closing)?;
        let closed = until_done(link, |drive| drive.begin_close(CloseFunction::Session, 0));
        // A border that is finished has nothing to end.
        return supported(closed).map(drop);
    }
    if !matches!(
        medium.profile,
        Profile::DVD_PLUS_RW | Profile::DVD_PLUS_RW_DL
    ) {
        return Ok(());
    }
    let disc = link.ask(|drive| drive.disc_information())?;
    if disc.background_format != BackgroundFormat::Running {
        return Ok(());
    }
    link.emit(Event::Closing)?;
    for function in [CloseFunction::StopFormat, CloseFunction::Session] {
        // A drive that refuses has nothing to end; every block is on the medium all the same.
        supported(link.ask(|drive| drive.close(function, 0)))?;
    }
    link.ask(|drive| drive.test_unit_ready())
}
