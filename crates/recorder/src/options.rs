//! How to record.

use reburn_mmc::Speed;

/// What to read back and compare once everything is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Verify {
    /// Nothing.
    None,
    /// The blocks that were recorded.
    #[default]
    Recorded,
    /// Every block of the result. With a plan, the source must hold the whole result.
    Whole,
}

/// Whether a medium may be formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum FormatPolicy {
    /// If it is not formatted yet. A formatted medium is never formatted again.
    #[default]
    IfNeeded,
    /// Never: a medium that is not formatted is refused.
    Never,
}

/// What becomes of the session on media that are recorded in sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Close {
    /// It stays open: what comes next goes on in it. Few readers find an open session.
    LeaveOpen,
    /// It is closed, so that readers find it, and another one can follow.
    #[default]
    Session,
    /// The disc is closed for good, which the oldest readers ask for.
    Finalise,
}

/// How to record. The default verifies what was recorded, formats if needed, and leaves the
/// speed to the drive; a session is closed so that another one can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// What to read back.
    pub verify: Verify,
    /// Whether a medium may be formatted.
    pub format: FormatPolicy,
    /// The speed to write at; the drive takes the nearest that it has.
    pub speed: Option<Speed>,
    /// How often an epoch is taken up again after a write error or a reset of the drive.
    pub retries: u32,
    /// What becomes of the session, on media that are recorded in sessions.
    pub close: Close,
    /// Whether a medium that is recorded in pieces is recorded at once instead: DVD-R and DVD-RW,
    /// of which the disc is closed then.
    pub at_once: bool,
    /// Whether the laser stays off, on media that have such a test: CD, DVD-R and DVD-RW.
    pub simulate: bool,
}

impl Options {
    /// What [`Options::default`] gives.
    pub const DEFAULT: Self = Self {
        verify: Verify::Recorded,
        format: FormatPolicy::IfNeeded,
        speed: None,
        retries: 3,
        close: Close::Session,
        at_once: false,
        simulate: false,
    };
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}
