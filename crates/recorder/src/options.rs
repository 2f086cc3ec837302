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

/// How to record. The default verifies what was recorded, formats if needed, and leaves the
/// speed to the drive.
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
}

impl Default for Options {
    fn default() -> Self {
        Self {
            verify: Verify::default(),
            format: FormatPolicy::default(),
            speed: None,
            retries: 3,
        }
    }
}
