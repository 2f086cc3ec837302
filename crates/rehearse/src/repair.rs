//! How a damaged disc is brought back: given from outside, so that any repair can be rehearsed.

use reburn_blocks::{BlockRead, Plan};

/// What a repair records, with its blocks.
pub struct Repair<'d> {
    /// The blocks, in order.
    pub plan: Plan,
    /// Their bytes.
    pub blocks: Box<dyn BlockRead + 'd>,
}

/// Looks at a disc and says how to repair it; `None` if nothing is wrong. An error says why it
/// cannot be repaired.
pub type RepairFn<'r> =
    dyn for<'d> Fn(&'d dyn BlockRead) -> Result<Option<Repair<'d>>, String> + 'r;
