//! What to record so that a disc is whole again: a plan and its blocks.

use std::collections::BTreeMap;
use std::fmt;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, CrashClass, Epoch, EpochRole,
    Lba, ModifiedBlocks, Plan, Protocol, ReadError, WriteUnit,
};

use super::Finding;
use crate::{ImageError, Medium, fingerprint};

/// A structure that is to be mended.
pub(super) struct Job {
    /// The finding that it is for.
    pub(super) finding: usize,
    /// The blocks of the structure.
    pub(super) range: BlockRange,
    /// What shall stand there.
    pub(super) mends: Vec<(Lba, Vec<u8>)>,
    /// Whether readers look at another copy first.
    pub(super) is_second_copy: bool,
}

/// What mends a disc: its plan, and the disc as it is then.
pub struct Repair<'d> {
    disc: &'d dyn BlockRead,
    plan: Plan,
    unit: WriteUnit,
    /// Write units by their first blocks.
    units: BTreeMap<Lba, Vec<u8>>,
}

impl fmt::Debug for Repair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repair")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

/// A write unit to be recorded.
struct MendedUnit {
    bytes: Vec<u8>,
    /// Whether readers see the same while it is being written.
    is_safe: bool,
}

/// Write units in the order in which they are recorded.
struct Units<'d> {
    disc: &'d dyn BlockRead,
    unit: WriteUnit,
    order: Vec<Lba>,
    mended: BTreeMap<Lba, MendedUnit>,
}

impl<'d> Repair<'d> {
    /// Works out the plan, and notes at the findings what it mends. None if it mends nothing.
    pub(super) fn new(
        disc: &'d dyn BlockRead,
        medium: Medium,
        volume: String,
        jobs: &[Job],
        live: Option<&BlockRangeList>,
        metadata: &BlockRangeList,
        findings: &mut [Finding],
    ) -> Result<Option<Self>, ImageError> {
        let unit = medium.write_unit();
        let mut units = Units {
            disc,
            unit,
            order: Vec::new(),
            mended: BTreeMap::new(),
        };
        // What other structures are mended in the same unit is not lost with it.
        let own: BlockRangeList = jobs.iter().map(|job| job.range).collect();
        for job in jobs {
            let Some(finding) = findings.get_mut(job.finding) else {
                continue;
            };
            match units.add(job, live, &own) {
                Ok(()) => finding.is_mended = true,
                Err(obstacle) => finding.obstacle = Some(obstacle),
            }
        }
        if units.order.is_empty() {
            return Ok(None);
        }
        let plan = units.plan(volume, metadata)?;
        let units = units.mended.into_iter();
        Ok(Some(Self {
            disc,
            plan,
            unit,
            units: units.map(|(lba, unit)| (lba, unit.bytes)).collect(),
        }))
    }

    /// A plan with the write units that it records.
    pub(super) fn of_units(
        disc: &'d dyn BlockRead,
        plan: Plan,
        units: BTreeMap<Lba, Vec<u8>>,
    ) -> Self {
        Self {
            disc,
            unit: plan.modified.write_unit(),
            plan,
            units,
        }
    }

    /// The write units to record, one an epoch, for the disc as it is.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Units<'_> {
    /// Takes in what a job writes, or says what stands against it.
    fn add(
        &mut self,
        job: &Job,
        live: Option<&BlockRangeList>,
        own: &BlockRangeList,
    ) -> Result<(), String> {
        let ranges = job.mends.iter().map(|(start, bytes)| {
            BlockRange::with_count(*start, BlockCount::in_buffer(bytes.len()))
        });
        let ranges: BlockRangeList = ranges.flatten().collect();
        let touched = ranges.align_outward(self.unit);
        // What leads to the rest of a structure stands first in it, and is recorded last.
        let mut starts: Vec<Lba> = touched
            .iter()
            .flat_map(|range| range.pieces(self.unit.blocks()))
            .map(BlockRange::start_lba)
            .collect();
        starts.reverse();
        let mut added = Vec::new();
        for start in starts {
            if let Some(mended) = self.mended(start, job, live, own)? {
                added.push((start, mended));
            }
        }
        for (start, mended) in added {
            if self.mended.insert(start, mended).is_none() {
                self.order.push(start);
            }
        }
        Ok(())
    }

    /// A write unit as it shall be; `None` if it is so already.
    fn mended(
        &self,
        start: Lba,
        job: &Job,
        live: Option<&BlockRangeList>,
        own: &BlockRangeList,
    ) -> Result<Option<MendedUnit>, String> {
        let Some(range) = BlockRange::with_count(start, self.unit.blocks()) else {
            return Ok(None);
        };
        let before = self.mended.get(&start);
        let mut is_lost = false;
        let mut bytes = vec![0; self.unit.bytes()];
        for (lba, block) in lbas(range).zip(bytes.chunks_mut(BLOCK_SIZE)) {
            if self.disc.read_filled(lba, block).is_ok() {
                continue;
            }
            block.fill(0);
            is_lost = true;
            let is_needed = live.is_none_or(|live| live.contains(lba));
            if is_needed && !own.contains(lba) {
                return Err(format!(
                    "block {lba} in the same write unit cannot be read either, and is in use"
                ));
            }
        }
        let as_is = bytes.clone();
        if let Some(before) = before {
            bytes.clone_from(&before.bytes);
        }
        for (first, mend) in &job.mends {
            let mend = lbas_from(*first).zip(mend.chunks(BLOCK_SIZE));
            for (lba, block) in mend.filter(|(lba, _)| range.contains(*lba)) {
                let at = lba.blocks_since(start).as_usize() * BLOCK_SIZE;
                bytes[at..at + BLOCK_SIZE].copy_from_slice(block);
            }
        }
        let is_new = is_lost || before.is_some() || bytes != as_is;
        let is_safe = is_lost || (job.is_second_copy && before.is_none_or(|before| before.is_safe));
        Ok(is_new.then_some(MendedUnit { bytes, is_safe }))
    }

    fn plan(&self, volume: String, metadata: &BlockRangeList) -> Result<Plan, ImageError> {
        let epochs = self.order.iter().map(|&start| Epoch {
            role: EpochRole::Commit,
            ranges: BlockRange::with_count(start, self.unit.blocks())
                .into_iter()
                .collect(),
        });
        let modified = ModifiedBlocks::new(self.unit, epochs);
        let is_safe = self.mended.values().all(|unit| unit.is_safe);
        let (class, class_reason) = if is_safe {
            let reason = "only what cannot be read, or what readers look at second, is written: they \
                          show the same tree, or none, as before until the repair is complete";
            (CrashClass::Atomic, reason)
        } else {
            let reason = "something that readers look at first is written anew; if its write is torn, \
                          check the disc and repair it again";
            (CrashClass::Recoverable, reason)
        };
        Ok(Plan {
            volume,
            base: fingerprint::take(self.disc, metadata, &modified.ranges().collect(), self.unit)?,
            protocol: Protocol::Repair,
            next_writable: None,
            class,
            class_reason: class_reason.into(),
            lower_bound: modified.block_count(),
            total_blocks: self.disc.block_count().max(end(modified.ranges())),
            modified,
        })
    }
}

fn end(ranges: impl Iterator<Item = BlockRange>) -> BlockCount {
    BlockCount::new(ranges.map(BlockRange::end_exclusive).max().unwrap_or(0))
}

fn lbas(range: BlockRange) -> impl Iterator<Item = Lba> {
    range.pieces(BlockCount::ONE).map(BlockRange::start_lba)
}

fn lbas_from(start: Lba) -> impl Iterator<Item = Lba> {
    (start.get()..u32::MAX).map(Lba::new)
}

impl BlockRead for Repair<'_> {
    fn block_count(&self) -> BlockCount {
        self.plan.total_blocks
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        let Some(range) = BlockRange::with_count(start, BlockCount::in_buffer(buf.len())) else {
            return Ok(());
        };
        if range.end_exclusive() > self.block_count().get() {
            let available = self.block_count();
            return Err(ReadError::OutOfRange { range, available });
        }
        // Runs between mended units are read at once.
        let mended: BlockRangeList = range
            .align_outward(self.unit)
            .pieces(self.unit.blocks())
            .filter(|piece| self.units.contains_key(&piece.start_lba()))
            .collect();
        let place = |part: BlockRange| {
            let at = part.start_lba().blocks_since(start).as_usize() * BLOCK_SIZE;
            at..at + part.block_count().as_usize() * BLOCK_SIZE
        };
        for part in &BlockRangeList::from_iter([range]).difference(&mended) {
            self.disc
                .read_filled(part.start_lba(), &mut buf[place(part)])?;
        }
        for (&first, bytes) in &self.units {
            let unit = BlockRange::with_count(first, self.unit.blocks());
            if let Some(part) = unit.and_then(|unit| unit.intersection(range)) {
                let from = part.start_lba().blocks_since(first).as_usize() * BLOCK_SIZE;
                let to = place(part);
                buf[to.clone()].copy_from_slice(&bytes[from..from + to.len()]);
            }
        }
        Ok(())
    }
}
