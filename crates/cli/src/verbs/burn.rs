//! `reburn burn`: record a plan or an image, and verify it.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use reburn_blocks::{BlockCount, BlockRangeList, BlockRead, ImageFile, Lba, PlanFile, ReadError};
use reburn_image::{FileSystemImage, ImportNote, ImportOptions, Medium};
use reburn_mmc::Speed;
use reburn_recorder::{Close, Event, Options, Outcome, Recorder, Verify};
use reburn_tree::Timestamp;
use serde_json::json;

use crate::args::Burn;
use crate::choices::{CloseArg, VerifyArg};
use crate::disc::open_image;
use crate::failure::Failure;
use crate::progress::{Progress, Terminal};

/// Set by an interrupt: the recording then stops between write units and says what is on the
/// disc.
static STOP: AtomicBool = AtomicBool::new(false);

/// Records the source on the drive's disc.
pub fn run(args: &Burn, terminal: Terminal) -> Result<ExitCode, Failure> {
    let source = Source::open(&args.source)?;
    let mut drive = args.drive.drive(args.media)?;
    let options = Options {
        verify: match args.verify {
            VerifyArg::None => Verify::None,
            VerifyArg::Recorded => Verify::Recorded,
            VerifyArg::Whole => Verify::Whole,
        },
        close: args.close.into(),
        at_once: args.at_once,
        simulate: args.simulate,
        speed: args.speed.map(Speed::from_kilobytes),
        ..Options::default()
    };
    catch_interrupts()?;
    let mut show = Show::new(terminal);
    let mut recorder = Recorder::with_options(&mut *drive, options);
    let outcome = match &source {
        Source::Plan(plan) => recorder.record_plan(plan.plan(), plan, &mut |e| show.event(e)),
        Source::Image(image) => recorder.record_image(image, &mut |e| show.event(e)),
    };
    drop(show);
    let outcome = outcome.map_err(|failure| Failure::from(failure).of(&args.drive))?;
    report(&outcome, args, terminal);
    Ok(ExitCode::SUCCESS)
}

impl From<CloseArg> for Close {
    fn from(close: CloseArg) -> Self {
        match close {
            CloseArg::LeaveOpen => Self::LeaveOpen,
            CloseArg::Session => Self::Session,
            CloseArg::Finalise => Self::Finalise,
        }
    }
}

/// Lets an interrupt stop the recording between two write units.
pub fn catch_interrupts() -> Result<(), Failure> {
    let handler = ctrlc::set_handler(|| STOP.store(true, Ordering::Relaxed));
    handler.map_err(|error| Failure::usage(format!("interrupts cannot be caught: {error}")))
}

fn report(outcome: &Outcome, args: &Burn, terminal: Terminal) {
    let object = json!({
        "drive": args.drive.to_string(),
        "recorded": outcome.recorded.get(),
        "epochs": outcome.epochs,
        "resumed": outcome.resumed.get(),
        "formatted": outcome.formatted,
        "retries": outcome.retries,
        "verified": outcome.verified.get(),
        "closed": outcome.closed,
        "simulated": outcome.simulated,
    });
    terminal.result(&format!("{}: {outcome}", args.drive), &object);
}

/// What is recorded.
enum Source {
    Plan(PlanFile),
    Image(Image),
}

/// An image, and which of its blocks mean something.
struct Image {
    file: ImageFile,
    used: Option<BlockRangeList>,
}

impl Image {
    /// Looks at what is in the image. Where that is not a volume that says what is free, and
    /// wholly understood, every block counts.
    fn new(file: ImageFile) -> Self {
        let options = ImportOptions {
            medium: Medium::File,
            hierarchy: None,
            time: Timestamp::EPOCH,
            accept_losses: true,
            append: None,
        };
        let used = match FileSystemImage::import(&file, &options) {
            Ok(image) if image.notes().iter().all(ImportNote::is_usual) => image.used_ranges(),
            _ => None,
        };
        Self { file, used }
    }
}

impl BlockRead for Image {
    fn block_count(&self) -> BlockCount {
        self.file.block_count()
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        self.file.read_blocks(start, buf)
    }

    fn used_ranges(&self) -> BlockRangeList {
        let used = self.used.clone();
        used.unwrap_or_else(|| self.file.used_ranges())
    }
}

impl Source {
    fn open(path: &Path) -> Result<Self, Failure> {
        let is_plan = PlanFile::recognise(path).map_err(|error| Failure::host(path, &error))?;
        if !is_plan {
            let image = open_image(path)?;
            if image.block_count().is_zero() {
                let what = path.display();
                return Err(Failure::usage(format!(
                    "{what} is empty; name a plan or an image"
                )));
            }
            return Ok(Self::Image(Image::new(image)));
        }
        let open = || {
            let plan = PlanFile::open(path)?;
            plan.check_blocks()?;
            Ok(plan)
        };
        open()
            .map(Self::Plan)
            .map_err(|e: reburn_blocks::PlanFileError| Failure::from(e).of(path.display()))
    }
}

/// Shows events as progress.
pub struct Show {
    terminal: Terminal,
    progress: Option<(&'static str, Progress)>,
}

impl Show {
    /// Nothing is shown yet.
    pub fn new(terminal: Terminal) -> Self {
        Self {
            terminal,
            progress: None,
        }
    }

    /// Shows an event; says to stop if the user interrupted.
    pub fn event(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Formatting { permille } => {
                let done = permille.map_or(0, u32::from);
                self.at("formatting", BlockCount::new(done), BlockCount::new(1000));
            }
            Event::Blanking { permille } => {
                let done = permille.map_or(0, u32::from);
                self.at("blanking", BlockCount::new(done), BlockCount::new(1000));
            }
            Event::Recorded { done, total } => self.at("recording", done, total),
            Event::Verifying { done, total } => self.at("verifying", done, total),
            Event::Resumed { there, total } => {
                self.terminal
                    .note(&format!("resumed: {there} of {total} blocks were there"));
            }
            Event::Retrying { lba, sense } => {
                self.terminal
                    .note(&format!("blocks from {lba} on are written again: {sense}"));
            }
            _ => {}
        }
        if STOP.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn at(&mut self, what: &'static str, done: BlockCount, total: BlockCount) {
        if self
            .progress
            .as_ref()
            .is_none_or(|(shown, _)| *shown != what)
        {
            self.progress = Some((what, self.terminal.progress(what, total)));
        }
        if let Some((_, progress)) = &mut self.progress {
            progress.at(done);
        }
    }
}
