//! Head swap: ISO 9660 on media and files that can be rewritten.
//!
//! ISO 9660 has one place where readers begin, block 16, and no second copy that they would
//! try. So everything new is recorded where nothing of the old tree is, and then the write
//! unit of block 16 is exchanged.
//!
//! - **Shadow** records the session: its own descriptors, path tables, directories and new data.
//!   A cut inside it leaves the old tree.
//! - **Commit** records the write units of block 16 and the descriptors behind it. A cut inside it
//!   leaves the old tree, the new one, or, if a unit is torn, a disc that needs its head copied
//!   back from a session.
//!
//! Invariants: the shadow epoch shares no write unit with a live block of the old tree; the
//! commit epoch holds no data of the new tree besides the head; the session has a copy of
//! every descriptor at block 16. Both trees are whole on the disc throughout, so the class is
//! Recoverable: one write brings back one of them.

use reburn_blocks::{
    BlockCount, BlockRange, BlockRangeList, CrashClass, Epoch, EpochRole, Fingerprint, Lba,
    ModifiedBlocks, Plan, Protocol, keep_differing_units,
};

use crate::base::Base;
use crate::result::NewBlocks;
use crate::session;
use crate::{EntireImageRequired, ImageError, Medium, ResultImage};

impl ResultImage<'_> {
    /// The blocks to record over the base, in order, or [`EntireImageRequired`].
    ///
    /// The counterpart of IMAPI's `get_ModifiedBlocks`. Reads the base and the new blocks once,
    /// to leave out write units that would not change.
    pub fn modified_blocks(&self) -> Result<ModifiedBlocks, ImageError> {
        let base = self.base.ok_or(EntireImageRequired::NoBase)?;
        let unit = self.medium.write_unit();
        let Some(new) = &self.new else {
            return Ok(ModifiedBlocks::new(unit, []));
        };
        let head = BlockRangeList::from_iter([new.head]).align_outward(unit);
        let written: BlockRangeList = new.sources.iter().map(|(range, ..)| range).collect();
        let shadow = written.align_outward(unit).difference(&head);
        check_laws(base, &shadow, &head, unit);
        let differing = |ranges| keep_differing_units(base.disc(), self, unit, ranges);
        let shadow = Epoch {
            role: EpochRole::Shadow,
            ranges: differing(&shadow)?,
        };
        let commit = Epoch {
            role: EpochRole::Commit,
            ranges: differing(&head)?,
        };
        Ok(ModifiedBlocks::new(unit, [shadow, commit]))
    }

    /// Blocks that every plan to this result records under head swap, in whole write units:
    /// new data and metadata together, and the head. Never more than the plan records.
    pub fn lower_bound(&self) -> BlockCount {
        let unit = self.medium.write_unit();
        self.new.as_ref().map_or(BlockCount::ZERO, |new| {
            (new.data + new.session).round_up(unit) + new.head.align_outward(unit).block_count()
        })
    }

    /// Everything that a recorder must know to bring the base up to date.
    pub fn plan(&self) -> Result<Plan, ImageError> {
        let base = self.base.ok_or(EntireImageRequired::NoBase)?;
        let modified = self.modified_blocks()?;
        Ok(Plan {
            volume: base
                .volume
                .volume_identifier(base.volume.best())
                .unwrap_or_default(),
            base: fingerprint(base)?,
            protocol: Protocol::HeadSwap,
            class: CrashClass::Recoverable,
            class_reason: class_reason(self.medium, self.new.as_ref()),
            lower_bound: self.lower_bound().min(modified.block_count()),
            modified,
            total_blocks: self.total_blocks(),
        })
    }
}

/// The laws that the class stands on, checked on every list before it is handed out.
fn check_laws(
    base: &Base<'_>,
    shadow: &BlockRangeList,
    head: &BlockRangeList,
    unit: reburn_blocks::WriteUnit,
) {
    let shared = base.live.align_outward(unit).intersection(shadow);
    assert!(
        shared.is_empty(),
        "blocks {shared} of the first epoch share units with the old tree"
    );
    assert_eq!(head.ranges().len(), 1, "the head is one run of write units");
}

/// The head with its neighbours, and all descriptors, path tables and directories: any change
/// of a name, size, time or address on the disc shows there.
fn fingerprint(base: &Base<'_>) -> Result<Fingerprint, ImageError> {
    let head = BlockRange::new(session::HEAD, Lba::new(session::FIRST_START.get() - 1));
    let head: BlockRangeList = head.into_iter().collect();
    let metadata = base.metadata.difference(&head);
    Ok(Fingerprint::take(
        base.disc(),
        head.iter().chain(metadata.iter()),
    )?)
}

fn class_reason(medium: Medium, new: Option<&NewBlocks>) -> String {
    let Some(new) = new else {
        return "nothing is recorded".into();
    };
    let start = new.session_start;
    match medium {
        Medium::File => format!(
            "the descriptors at block 16 are written one by one; if they stop half way, the \
             copy in the session at block {start} brings back the new tree"
        ),
        _ => format!(
            "readers begin at block 16 and know no second copy; if its write unit is torn, the \
             copy in the session at block {start} brings back the new tree"
        ),
    }
}
