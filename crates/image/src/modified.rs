//! The blocks to record over the base, and in which order.
//!
//! Invariant: every list obeys the laws of [`laws`] before it is handed out.

use reburn_blocks::{
    BlockCount, BlockRangeList, BlockRead, CrashClass, Epoch, EpochRole, Fingerprint, Lba,
    ModifiedBlocks, Plan, Protocol, ReadError, WriteUnit, keep_differing_units,
};

use crate::base::{Base, BaseVolume};
use crate::new_blocks::{Commit, NewBlocks};
use crate::{EntireImageRequired, ImageError, ResultImage, fingerprint, in_place, laws};

impl ResultImage<'_> {
    /// The blocks to record over the base, in order, or [`EntireImageRequired`].
    ///
    /// The counterpart of IMAPI's `get_ModifiedBlocks`. Reads the base and the new blocks once,
    /// to leave out write units that would not change.
    pub fn modified_blocks(&self) -> Result<ModifiedBlocks, ImageError> {
        let base = self.base.ok_or(EntireImageRequired::NoBase)?;
        let unit = self.medium.write_unit();
        let Some((new, commit)) = self.new_with_commit() else {
            return Ok(ModifiedBlocks::new(unit, []));
        };
        let written: BlockRangeList = new.sources.iter().map(|(range, ..)| range).collect();
        let committed = commit
            .epochs
            .iter()
            .fold(BlockRangeList::new(), |all, epoch| all.union(epoch));
        let shadow = written.align_outward(unit).difference(&committed);
        match commit.class {
            CrashClass::Atomic | CrashClass::Recoverable if self.obeys_laws() => {
                laws::check(base, &shadow, commit, unit);
            }
            CrashClass::Atomic | CrashClass::Recoverable => {}
            // Live blocks are written over, but only those that change.
            CrashClass::None => in_place::check_kept(base, self.tree, new),
        }
        if let Some(start) = commit.next_writable {
            return Ok(appended(unit, &written, start, commit.protocol));
        }
        let differing = |ranges| differing(base.disc(), self, unit, ranges);
        let mut epochs = vec![Epoch {
            role: EpochRole::Shadow,
            ranges: differing(&shadow)?,
        }];
        for ranges in &commit.epochs {
            epochs.push(Epoch {
                role: EpochRole::Commit,
                ranges: differing(ranges)?,
            });
        }
        self.break_epochs(&mut epochs);
        Ok(ModifiedBlocks::new(unit, epochs))
    }

    /// Blocks that every plan to this result records under its protocol, in whole write units:
    /// new data and metadata together, and the commit. Never more than the plan records. Of an
    /// edit in place it is zero: any block may turn out to be the same as before.
    pub fn lower_bound(&self) -> BlockCount {
        let unit = self.medium.write_unit();
        let Some((new, commit)) = self.new_with_commit() else {
            return BlockCount::ZERO;
        };
        if commit.protocol == Protocol::InPlace {
            return BlockCount::ZERO;
        }
        let committed = commit.epochs.iter().map(BlockRangeList::block_count).sum();
        (new.data + new.metadata).round_up(unit) + committed
    }

    /// Everything that a recorder must know to bring the base up to date.
    pub fn plan(&self) -> Result<Plan, ImageError> {
        let base = self.base.ok_or(EntireImageRequired::NoBase)?;
        let modified = self.modified_blocks()?;
        let mut lower_bound = self.lower_bound().min(modified.block_count());
        let next_writable = base.append.map(|append| append.next_writable);
        let (protocol, class, class_reason) = match self.new_with_commit() {
            Some((_, commit)) => {
                if commit.protocol == Protocol::InPlace {
                    lower_bound = modified.block_count();
                }
                (commit.protocol, commit.class, commit.class_reason.clone())
            }
            None => (
                usual_protocol(base),
                CrashClass::Recoverable,
                "nothing is recorded".into(),
            ),
        };
        Ok(Plan {
            volume: base.label(),
            base: self.fingerprint(base)?,
            protocol,
            next_writable,
            class,
            class_reason,
            lower_bound,
            modified,
            total_blocks: self.total_blocks(),
        })
    }

    fn fingerprint(&self, base: &Base<'_>) -> Result<Fingerprint, ImageError> {
        let commit = self.new_with_commit().map(|(_, commit)| commit);
        let epochs = commit.iter().flat_map(|commit| &commit.epochs);
        let committed = epochs.fold(BlockRangeList::new(), |all, epoch| all.union(epoch));
        let unit = self.medium.write_unit();
        Ok(fingerprint::take(
            base.disc(),
            &base.metadata,
            &committed,
            unit,
        )?)
    }

    fn new_with_commit(&self) -> Option<(&NewBlocks, &Commit)> {
        let new = self.new.as_ref()?;
        Some((new, new.commit.as_ref()?))
    }
}

/// One run of blocks, all of which are recorded: on media that are recorded once, blocks cannot be
/// left out. Of a session readers know nothing until it is closed. A virtual allocation table is
/// looked for at the end of what is recorded, so any block behind the old one hides that.
fn appended(
    unit: WriteUnit,
    written: &BlockRangeList,
    start: Lba,
    protocol: Protocol,
) -> ModifiedBlocks {
    let role = match protocol {
        Protocol::SessionAppend => EpochRole::Shadow,
        _ => EpochRole::Commit,
    };
    let ranges = written.clone();
    let modified = ModifiedBlocks::new(unit, [Epoch { role, ranges }]);
    assert!(
        modified.is_one_run_from(start),
        "what is appended at {start} is not one run: {written}"
    );
    modified
}

fn usual_protocol(base: &Base<'_>) -> Protocol {
    match &base.volume {
        BaseVolume::Iso(_) if base.append.is_some() => Protocol::SessionAppend,
        _ if base.append.is_some() => Protocol::VatAppend,
        BaseVolume::Iso(_) => Protocol::HeadSwap,
        BaseVolume::Bridge(..) => Protocol::Bridge,
        BaseVolume::Udf(udf) if udf.structures.sparing.is_some() => Protocol::SparingRedo,
        BaseVolume::Udf(_) => Protocol::MirrorFlip,
    }
}

/// The write units that differ from the base. One that cannot be read there does.
fn differing(
    base: &dyn BlockRead,
    result: &dyn BlockRead,
    unit: WriteUnit,
    ranges: &BlockRangeList,
) -> Result<BlockRangeList, ReadError> {
    if let Ok(differing) = keep_differing_units(base, result, unit, ranges) {
        return Ok(differing);
    }
    let mut differing = BlockRangeList::new();
    let ranges = ranges.align_outward(unit);
    let mut bytes = vec![0; unit.bytes()];
    for one in ranges.iter().flat_map(|range| range.pieces(unit.blocks())) {
        if base.read_filled(one.start_lba(), &mut bytes).is_err() {
            differing.insert(one);
        } else {
            let one = BlockRangeList::from_iter([one]);
            differing = differing.union(&keep_differing_units(base, result, unit, &one)?);
        }
    }
    Ok(differing)
}
