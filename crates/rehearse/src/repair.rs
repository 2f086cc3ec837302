//! How a damaged disc is brought back: given from outside, so that any repair can be rehearsed.

use reburn_blocks::{BlockRead, Plan};
use reburn_image::{Health, Medium};

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

/// The repair of [`Health`]: what is not whole is copied from what is.
pub fn mend(disc: &dyn BlockRead, medium: Medium) -> Result<Option<Repair<'_>>, String> {
    let health = Health::check(disc, medium).map_err(|error| error.to_string())?;
    let repair = health.into_repair();
    Ok(repair.map(|repair| Repair {
        plan: repair.plan().clone(),
        blocks: Box::new(repair),
    }))
}
