//! Why a recording failed, and what the disc is like then.

use std::fmt;

use reburn_blocks::{BlockCount, BlockRange, Lba, ReadError, WriteUnit};
use reburn_drive::CommandError;
use reburn_mmc::{Profile, Sense};

use crate::DiscState;

/// Who has to act when a recording fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The drive or the medium does not do what is needed.
    Drive,
    /// The disc is not the one that the plan is for.
    WrongDisc,
    /// What is on the disc is not what was recorded.
    Verification,
    /// The bytes to be recorded cannot be had.
    Source,
    /// The caller wanted to stop.
    Cancelled,
}

/// Why a recording failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// There is nothing to record on.
    #[error("the drive has no medium ({sense}): insert a disc")]
    NoMedium {
        /// What the drive said.
        sense: Sense,
    },
    /// The drive stayed busy.
    #[error("the drive was not ready after {waited_seconds} s ({sense}): wait and try again")]
    NotReady {
        /// What the drive said last.
        sense: Sense,
        /// How long it was waited for.
        waited_seconds: u64,
    },
    /// The medium, of a kind that can be recorded here, is write-protected.
    #[error("the {} is write-protected: {}", Name(*profile), how_to_unprotect(*profile))]
    WriteProtected {
        /// What it is.
        profile: Profile,
    },
    /// The image file cannot grow.
    #[error("the host has no space left for the image file ({sense}): make room and try again")]
    HostFull {
        /// What the drive said.
        sense: Sense,
    },
    /// The medium cannot be written in any order.
    #[error(
        "a medium of the kind {profile} cannot be recorded here: use a recordable or rewritable disc, \
         or an image file"
    )]
    NotOverwritable {
        /// What it is.
        profile: Profile,
    },
    /// Blocks of the medium are recorded once, and there are some already.
    #[error(
        "the {} holds something already, and an image begins with its first block: edit what it has, \
         or use a blank disc{}",
        Name(*profile), or_blank_it(*profile)
    )]
    NotBlank {
        /// What it is.
        profile: Profile,
    },
    /// Nothing can be added to the disc.
    #[error("the {} is closed, so nothing can be added to it: use another disc", Name(*profile))]
    Closed {
        /// What it is.
        profile: Profile,
    },
    /// An interruption left a track that the drive does not go on with.
    #[error(
        "a recording on the {} was interrupted, and the drive cannot go on with it: close it \
         (`reburn drive close`), or use another disc{}",
        Name(*profile), or_blank_it(*profile)
    )]
    Damaged {
        /// What it is.
        profile: Profile,
    },
    /// The plan writes over what the disc cannot write over.
    #[error(
        "the plan overwrites blocks, and the {} can only be appended to: make the plan from the disc \
         itself, which tells where it goes on",
        Name(*profile)
    )]
    NotAppended {
        /// What it is.
        profile: Profile,
    },
    /// The plan is for a disc that can only be appended to.
    #[error(
        "the plan appends a session where a disc goes on that is recorded once, and readers of the {} \
         do not look there: make the plan for this disc",
        Name(*profile)
    )]
    NotOverwritten {
        /// What it is.
        profile: Profile,
    },
    /// The disc goes on at another block than the plan.
    #[error(
        "the plan is for a disc that goes on at block {plan}, and this one goes on at block {next}: \
         make a new plan for it"
    )]
    GoesOnElsewhere {
        /// Where the plan begins.
        plan: Lba,
        /// Where the disc goes on.
        next: Lba,
    },
    /// The drive does not take the way in which the medium is recorded.
    #[error(
        "the drive does not take the way in which a {} is recorded: {source}; try another drive",
        Name(*profile)
    )]
    WriteParameters {
        /// What it is.
        profile: Profile,
        /// What the drive said.
        source: CommandError,
    },
    /// The medium has no test recording.
    #[error(
        "a {} cannot be recorded with the laser off, only CD, DVD-R and DVD-RW can: leave the \
         simulation out",
        Name(*profile)
    )]
    NoTest {
        /// What it is.
        profile: Profile,
    },
    /// The medium is not recorded at once.
    #[error(
        "a {} is recorded in tracks, not at once, as DVD-R and DVD-RW can be: leave that out",
        Name(*profile)
    )]
    NotAtOnce {
        /// What it is.
        profile: Profile,
    },
    /// What was recorded cannot be closed.
    #[error("the {} cannot be closed: {source}; try again, or try another drive", Name(*profile))]
    Close {
        /// What it is.
        profile: Profile,
        /// What the drive said.
        source: CommandError,
    },
    /// Nothing is open on the disc.
    #[error("the {} has no open session: nothing is to be closed", Name(*profile))]
    NothingToClose {
        /// What it is.
        profile: Profile,
    },
    /// The medium cannot be blanked.
    #[error("a {} cannot be blanked: only CD-RW and DVD-RW can", Name(*profile))]
    NotBlankable {
        /// What it is.
        profile: Profile,
    },
    /// Blanking failed.
    #[error("the {} cannot be blanked: {source}; try again or use another disc", Name(*profile))]
    Blank {
        /// What it is.
        profile: Profile,
        /// What the drive said.
        source: CommandError,
    },
    /// The drive describes the medium in a way that no disc is.
    #[error("the drive reports {what}, which no disc has: try another drive")]
    Implausible {
        /// What it reports.
        what: String,
    },
    /// The medium is not formatted, and formatting it was not allowed.
    #[error("the {} is not formatted: format it first, or allow formatting", Name(*profile))]
    NotFormatted {
        /// What it is.
        profile: Profile,
    },
    /// No way to format the medium makes it large enough, or there is none at all.
    #[error(
        "the drive offers no format of the {} with at least {needed} blocks: use a larger disc",
        Name(*profile)
    )]
    NoFormat {
        /// What it is.
        profile: Profile,
        /// The blocks needed.
        needed: BlockCount,
    },
    /// The format failed.
    #[error("the {} cannot be formatted: {source}; try again or use another disc", Name(*profile))]
    Format {
        /// What it is.
        profile: Profile,
        /// What the drive said.
        source: CommandError,
    },
    /// What the plan takes for one write unit is only part of one here.
    #[error(
        "the plan is made for write units of {plan}, but the {} records {medium} at once, so \
         the plan's order would not protect it: make the plan for this kind of medium",
        Name(*profile)
    )]
    WriteUnit {
        /// The plan's write unit.
        plan: WriteUnit,
        /// The medium's write unit.
        medium: WriteUnit,
        /// What the medium is.
        profile: Profile,
    },
    /// The medium is too small.
    #[error(
        "{needed} blocks are needed, but the {} has {available}: use a larger disc",
        Name(*profile)
    )]
    TooSmall {
        /// The blocks needed.
        needed: BlockCount,
        /// The blocks that can be written.
        available: BlockCount,
        /// What the medium is.
        profile: Profile,
    },
    /// The disc differs from the one that the plan was made for.
    #[error(
        "the disc is not '{volume}' as the plan knows it: {}; insert that disc, or make a new \
         plan for this one",
        Differ(*range)
    )]
    WrongDisc {
        /// The plan's disc.
        volume: String,
        /// The first blocks that differ.
        range: BlockRange,
    },
    /// The disc is not as before the plan, but as after it.
    #[error("the disc '{volume}' already has every block of the plan: nothing is left to record")]
    AlreadyRecorded {
        /// The plan's disc.
        volume: String,
    },
    /// The disc holds nothing yet.
    #[error(
        "the {} is blank, and the plan changes the disc '{volume}': insert that disc",
        Name(*profile)
    )]
    BlankDisc {
        /// What it is.
        profile: Profile,
        /// The plan's disc.
        volume: String,
    },
    /// The plan fits any disc, so nothing protects the wrong one.
    #[error("the plan does not say what its disc looks like: make it again")]
    NoFingerprint,
    /// The disc could not be compared with what the plan expects.
    #[error("the disc cannot be compared with what the plan expects: {source}")]
    DiscUnreadable {
        /// What the drive said.
        source: ReadError,
    },
    /// There is nothing to record.
    #[error("the image has no blocks: nothing can be recorded")]
    EmptyImage,
    /// The source ends before the result does.
    #[error(
        "the source has {available} blocks, but the plan's result has {needed}: they do not \
         belong together"
    )]
    SourceTooShort {
        /// The blocks it has.
        available: BlockCount,
        /// The blocks of the result.
        needed: BlockCount,
    },
    /// The whole result shall be compared, but the source has only what is recorded.
    #[error(
        "the whole disc cannot be verified: {source}; verify only what is recorded, or record from \
         the whole result"
    )]
    SourceIncomplete {
        /// What is missing.
        source: ReadError,
    },
    /// A block to be recorded or compared could not be read from its source.
    #[error("the source failed: {0}")]
    Source(#[source] ReadError),
    /// Blocks could not be written, or made durable, despite all retries.
    #[error("blocks cannot be written: {source}; use another disc, or clean this one")]
    Write {
        /// What the drive said last.
        source: CommandError,
    },
    /// The medium may have been changed while it was recorded.
    #[error("the medium may have been changed during recording: {sense}")]
    MediumChanged {
        /// What the drive said.
        sense: Sense,
    },
    /// Blocks read back are not what was recorded.
    #[error(
        "verification failed: of {compared} blocks compared, {differing} differ and {unreadable} \
         cannot be read, the first is block {first}; record again, on another disc if it happens \
         twice"
    )]
    VerificationFailed {
        /// The first block that is not as recorded.
        first: Lba,
        /// Blocks with other bytes.
        differing: BlockCount,
        /// Blocks that the drive could not read.
        unreadable: BlockCount,
        /// Blocks compared, those included.
        compared: BlockCount,
    },
    /// The caller stopped it.
    #[error("cancelled")]
    Cancelled,
    /// Another command failed.
    #[error(transparent)]
    Command(CommandError),
}

impl RecordError {
    /// Who has to act.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::WrongDisc { .. }
            | Self::AlreadyRecorded { .. }
            | Self::BlankDisc { .. }
            | Self::GoesOnElsewhere { .. }
            | Self::NoFingerprint => ErrorKind::WrongDisc,
            Self::VerificationFailed { .. } => ErrorKind::Verification,
            Self::EmptyImage
            | Self::SourceTooShort { .. }
            | Self::SourceIncomplete { .. }
            | Self::Source(_) => ErrorKind::Source,
            Self::Cancelled => ErrorKind::Cancelled,
            _ => ErrorKind::Drive,
        }
    }
}

/// What a person calls the medium: an image file presents itself as a removable disk.
struct Name(Profile);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Profile::REMOVABLE_DISK => f.write_str("image file"),
            profile => profile.fmt(f),
        }
    }
}

const fn or_blank_it(profile: Profile) -> &'static str {
    match profile {
        Profile::CD_RW | Profile::DVD_RW_SEQUENTIAL | Profile::DVD_RW_OVERWRITE => {
            ", or blank this one (`reburn drive blank`)"
        }
        _ => "",
    }
}

const fn how_to_unprotect(profile: Profile) -> &'static str {
    match profile {
        Profile::REMOVABLE_DISK => "give yourself the right to write it",
        _ => "open the write protection of the disc or its cartridge",
    }
}

/// `block 16 differs`, `blocks 16-31 differ`.
struct Differ(BlockRange);

impl fmt::Display for Differ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.start_lba() == self.0.end_lba() {
            write!(f, "block {} differs", self.0)
        } else {
            write!(f, "blocks {} differ", self.0)
        }
    }
}

/// A recording that did not come to its end: why, and what is on the disc.
#[derive(Debug, thiserror::Error)]
#[error("{error}; {state}")]
pub struct Failure {
    /// Why.
    #[source]
    pub error: RecordError,
    /// What is on the disc.
    pub state: DiscState,
}

impl Failure {
    /// Who has to act.
    pub const fn kind(&self) -> ErrorKind {
        self.error.kind()
    }
}
