//! What a drive was told: write units with their bytes, between barriers.
//!
//! Invariants: an epoch ends with a SYNCHRONIZE CACHE that was done when the drive answered;
//! every write is a whole write unit, filled up from the disc where the host sent a part of it;
//! a unit that was written twice in an epoch stands in it twice, in that order.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use reburn_blocks::{BlockRange, BlockRead, Lba, Plan, WriteUnit};
use reburn_drive::Drive;
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_image::Medium;
use reburn_recorder::{Options, Recorder, Verify};

use crate::{RehearseError, TraceDrive};

/// A write unit with the bytes that were written to it.
#[derive(Clone, PartialEq, Eq)]
pub struct UnitWrite {
    /// The first block of the unit.
    pub start: Lba,
    /// The whole unit.
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for UnitWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnitWrite({})", self.start)
    }
}

/// Writes between two barriers, in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceEpoch {
    /// The writes.
    pub writes: Vec<UnitWrite>,
}

/// Everything that was written to a disc, and where the barriers were.
///
/// What was written after the last barrier forms the last epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub(crate) unit: WriteUnit,
    pub(crate) epochs: Vec<TraceEpoch>,
}

impl Trace {
    /// What a recorder that follows the plan to the letter writes. `source` has the plan's
    /// blocks.
    pub fn of_plan(plan: &Plan, source: &dyn BlockRead) -> Result<Self, RehearseError> {
        let unit = plan.modified.write_unit();
        let mut epochs = Vec::new();
        for epoch in plan.modified.epochs() {
            let mut writes = Vec::new();
            for piece in epoch
                .ranges
                .iter()
                .flat_map(|range| range.pieces(unit.blocks()))
            {
                let mut bytes = vec![0; unit.bytes()];
                source.read_filled(piece.start_lba(), &mut bytes)?;
                let (start, bytes) = (piece.start_lba(), bytes.into());
                writes.push(UnitWrite { start, bytes });
            }
            epochs.push(TraceEpoch { writes });
        }
        Ok(Self { unit, epochs })
    }

    /// Has the recorder record the plan in `drive`, which stands for one with `base` in it: the
    /// medium must be of that size and kind, and what is on it does not matter. `unit` is what it
    /// records at once.
    pub fn record(
        plan: &Plan,
        source: &dyn BlockRead,
        base: &dyn BlockRead,
        drive: &mut dyn Drive,
        unit: WriteUnit,
    ) -> Result<Self, RehearseError> {
        let options = Options {
            verify: Verify::None,
            ..Options::default()
        };
        let mut drive = TraceDrive::new(drive, base, unit);
        Recorder::with_options(&mut drive, options)
            .record_plan(plan, source, &mut |_| ControlFlow::Continue(()))
            .map_err(Box::new)?;
        Ok(drive.into_trace())
    }

    /// Has the recorder record the plan in an emulated drive with a medium of that kind, which
    /// shows `base`.
    ///
    /// # Errors
    /// [`RehearseError::NoDrive`] for files, and whatever the recorder refuses the plan with.
    pub fn emulated(
        plan: &Plan,
        source: &dyn BlockRead,
        base: &dyn BlockRead,
        medium: Medium,
    ) -> Result<Self, RehearseError> {
        let kind = MediumKind::from_name(medium.name());
        let kind = kind.ok_or(RehearseError::NoDrive { medium })?;
        let mut drive = Emulator::with_disc(VirtualDisc::formatted(kind));
        Self::record(plan, source, base, &mut drive, kind.write_unit())
    }

    /// What the medium records at once.
    pub fn write_unit(&self) -> WriteUnit {
        self.unit
    }

    /// The epochs, in order, none of them empty.
    pub fn epochs(&self) -> &[TraceEpoch] {
        &self.epochs
    }

    /// The same without the barrier after an epoch: what a recorder would leave that forgets it.
    ///
    /// # Panics
    /// If no epoch follows that one.
    #[must_use]
    pub fn without_barrier(&self, epoch: usize) -> Self {
        let mut trace = self.clone();
        let next = trace.epochs.remove(epoch + 1);
        trace.epochs[epoch].writes.extend(next.writes);
        trace
    }

    /// The same with two epochs in each other's place.
    ///
    /// # Panics
    /// If there is no such epoch.
    #[must_use]
    pub fn swapped(&self, one: usize, other: usize) -> Self {
        let mut trace = self.clone();
        trace.epochs.swap(one, other);
        trace
    }

    /// The blocks of a unit.
    pub(crate) fn range(unit: WriteUnit, start: Lba) -> BlockRange {
        BlockRange::with_count(start, unit.blocks()).expect("a unit has blocks")
    }
}
