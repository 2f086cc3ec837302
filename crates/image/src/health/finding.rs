//! Something that is not whole, as a person reads it.

use std::fmt;

use reburn_blocks::BlockRange;

use crate::View;

/// Something of a disc that is not whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file system that it belongs to.
    pub view: View,
    /// Where it is; none where it is in no one place.
    pub blocks: Option<BlockRange>,
    /// What it is and what it means to readers, in a sentence.
    pub what: String,
    /// Whether a repair mends it.
    pub is_mended: bool,
    /// Why it does not, where something stands against it.
    pub obstacle: Option<String>,
}

impl Finding {
    pub(super) fn new(view: View, blocks: Option<BlockRange>, what: impl Into<String>) -> Self {
        Self {
            view,
            blocks,
            what: what.into(),
            is_mended: false,
            obstacle: None,
        }
    }
}

/// `UDF, block 1024: the entry of ... (a repair mends it)`.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.view)?;
        match self.blocks {
            Some(range) if range.start_lba() == range.end_lba() => write!(f, ", block {range}")?,
            Some(range) => write!(f, ", blocks {range}")?,
            None => {}
        }
        write!(f, ": {}", self.what)?;
        match (&self.obstacle, self.is_mended) {
            (_, true) => f.write_str(" (a repair mends it)"),
            (Some(obstacle), false) => write!(f, " (no repair: {obstacle})"),
            (None, false) => f.write_str(" (no repair mends it)"),
        }
    }
}
