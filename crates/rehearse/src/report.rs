//! What a rehearsal found.

use std::fmt;

use reburn_blocks::BlockRangeList;
use reburn_image::View;

use crate::content::CrashState;

/// What readers of one file system show of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The tree as it was, whole.
    Old,
    /// The tree as planned, whole.
    New,
    /// Nothing: the reader refuses the disc, with these words.
    Refused(String),
    /// Something that is neither, and in what.
    Other(String),
}

impl Verdict {
    /// Whether a whole tree is shown, the old one or the new one.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Old | Self::New)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Old => f.write_str("the old tree"),
            Self::New => f.write_str("the new tree"),
            Self::Refused(error) => write!(f, "nothing ({error})"),
            Self::Other(what) => write!(f, "neither tree ({what})"),
        }
    }
}

/// A state that stands for all those which no reader here can tell from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DistinctState {
    /// The first of them that was visited.
    pub state: CrashState,
    /// How many were visited.
    pub visits: u64,
    /// What each view shows.
    pub verdicts: Vec<(View, Verdict)>,
    /// Whether there is something to repair.
    pub needs_repair: bool,
    /// Whether a view refuses it, a write unit holds garbage, and the repair does not know what was
    /// there. Media leave a torn unit unreadable, so no class promises anything of it.
    pub is_beyond_repair: bool,
}

impl DistinctState {
    /// Whether every view shows a whole tree.
    pub fn is_whole(&self) -> bool {
        self.verdicts.iter().all(|(_, verdict)| verdict.is_whole())
    }
}

/// Which promise was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Breach {
    /// Readers show neither the old tree nor the new one, though the class promises it.
    State,
    /// A state that cannot be repaired, or cannot be read after its repair.
    Repair,
    /// A repair that finds something to do again.
    NotIdempotent,
    /// A repair that writes more than what was damaged.
    RepairCost,
    /// The recording came to its end, and a view does not show the new tree.
    Incomplete,
    /// The first epoch writes where the old tree is.
    Shadow,
    /// An epoch of the commit that a medium does not record at once.
    Commit,
    /// A structure that an Atomic plan must leave alone.
    Fixed,
}

/// A broken promise, with the state that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub breach: Breach,
    /// What is on the disc.
    pub state: CrashState,
    /// What is wrong, as a sentence.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "with {}: {}", self.state, self.what)
    }
}

/// What can be said of a plan without cutting it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// Blocks that readers of the old tree read.
    pub read: BlockRangeList,
    /// Those of them that epochs before the commit write. If the old tree is there without them,
    /// readers only look whether there is something, as an anchor at the end of the disc or the
    /// next integrity descriptor.
    pub probed: BlockRangeList,
    /// Write units with such blocks, if the old tree is not there without them.
    pub shared: BlockRangeList,
    /// What readers show with everything unreadable that is written before the commit, if that is
    /// not the old tree. With `None`, every subset of these writes shows it.
    pub without: Option<String>,
    /// Write units of each epoch of the commit.
    pub commit_units: Vec<usize>,
    /// What the commit writes of recognition sequence, anchors, volume descriptor sequences and
    /// the first integrity descriptor of UDF, in whole write units.
    pub fixed: BlockRangeList,
}

/// What a recording costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Write units recorded over what readers begin with.
    pub rewritten: usize,
    /// Write units recorded.
    pub total: usize,
    /// Barriers, the last one included.
    pub barriers: usize,
}

/// What a rehearsal found. Numbers count states; a state with several views is old if all show the
/// old tree, and so on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// States that were visited.
    pub visited: u64,
    /// States that readers can tell apart.
    pub distinct: u64,
    /// Old in every view.
    pub old: u64,
    /// New in every view.
    pub new: u64,
    /// Old in one view and new in another.
    pub between: u64,
    /// Refused by a view.
    pub refused: u64,
    /// Neither tree in a view, and not refused.
    pub other: u64,
    /// States that a repair has something to do for, cuts inside repairs included.
    pub repaired: u64,
    /// States with garbage that a view refuses and that cannot be repaired: see
    /// [`DistinctState::is_beyond_repair`].
    pub beyond_repair: u64,
    /// States visited while repairs were cut.
    pub cuts_in_repairs: u64,
    /// Write units of the largest repair.
    pub repair_units_max: usize,
    /// Broken promises; those that readers cannot tell apart are one.
    pub violations: Vec<Violation>,
    /// What was proven without cutting.
    pub proof: Proof,
    /// What the recording costs.
    pub cost: Cost,
}
