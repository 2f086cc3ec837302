//! What to record, in which order, on which disc.
//!
//! Invariants: epochs are recorded in order, with a barrier after each; inside an epoch the
//! ranges ascend and are whole write units; no block stands in two epochs; an epoch is never
//! empty. What is appended to a disc whose blocks are recorded once is one run of blocks, in the
//! order of the epochs too.

use std::fmt;

use crate::{BlockCount, BlockRange, BlockRangeList, Fingerprint, Lba, WriteUnit};

/// What a power cut while recording can leave behind. Nothing is called safe without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CrashClass {
    /// Cut at any moment, the disc shows the old tree or the new one, whole, in readers as
    /// they are.
    Atomic,
    /// Cut at any moment, one write of a repair brings back the old tree or the new one.
    Recoverable,
    /// No promise.
    None,
}

impl fmt::Display for CrashClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Atomic => "atomic",
            Self::Recoverable => "recoverable",
            Self::None => "none",
        })
    }
}

/// How a plan gets from the old state of a disc to the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// ISO 9660 on rewritable media and files: a new session, then the write unit of
    /// block 16, where readers begin.
    HeadSwap,
    /// UDF with a metadata partition: the metadata file's mirror is made to lead to the new tree,
    /// then the metadata file itself.
    MirrorFlip,
    /// UDF with another partition: the reserve volume descriptor sequence is made to lead to the
    /// new tree, then the main one.
    VdsFlip,
    /// UDF with a sparable partition: changed packets are recorded in spare packets, and then the
    /// sparing tables are made to lead there.
    SparingRedo,
    /// What a sparing redo left in spare packets goes back to where it belongs.
    SparingFold,
    /// ISO 9660 and UDF over the same file data: head swap and VDS flip, one after the other.
    Bridge,
    /// ISO 9660 on media that are recorded once: a new session, which readers find when it is
    /// closed.
    SessionAppend,
    /// UDF with a virtual partition: what changes, then a virtual allocation table that leads
    /// there as the last block of the disc.
    VatAppend,
    /// The fewest blocks, each over what it replaces, with no promise.
    InPlace,
    /// What is not whole is copied from what is.
    Repair,
    /// The differing blocks in ascending order: for two images whose meaning is not known.
    Difference,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeadSwap => "head swap",
            Self::MirrorFlip => "mirror flip",
            Self::VdsFlip => "VDS flip",
            Self::SparingRedo => "sparing redo",
            Self::SparingFold => "sparing fold-back",
            Self::Bridge => "head swap, then VDS flip",
            Self::SessionAppend => "session append",
            Self::VatAppend => "VAT append",
            Self::InPlace => "in place",
            Self::Repair => "repair",
            Self::Difference => "difference",
        })
    }
}

/// What an epoch is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EpochRole {
    /// Blocks that no reader of the old tree reads.
    Shadow,
    /// The blocks that make the new tree the one readers see.
    Commit,
}

impl fmt::Display for EpochRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shadow => "shadow",
            Self::Commit => "commit",
        })
    }
}

/// Blocks that may be recorded in any order, followed by a barrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// What the epoch is there for.
    pub role: EpochRole,
    /// The blocks, whole write units.
    pub ranges: BlockRangeList,
}

/// The blocks in which a result differs from its base, in the order to record them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModifiedBlocks {
    write_unit: WriteUnit,
    epochs: Vec<Epoch>,
}

impl ModifiedBlocks {
    /// The list made of these epochs; empty ones are left out.
    ///
    /// # Panics
    /// If a range is not whole write units, or a block stands in two epochs: the list would
    /// break its promise, so it is never built.
    pub fn new(write_unit: WriteUnit, epochs: impl IntoIterator<Item = Epoch>) -> Self {
        let epochs: Vec<_> = epochs
            .into_iter()
            .filter(|epoch| !epoch.ranges.is_empty())
            .collect();
        let mut seen = BlockRangeList::new();
        for epoch in &epochs {
            for range in &epoch.ranges {
                assert_eq!(
                    range,
                    range.align_outward(write_unit),
                    "not whole write units"
                );
                assert!(
                    !seen.intersects(range),
                    "blocks {range} stand in two epochs"
                );
            }
            seen = seen.union(&epoch.ranges);
        }
        Self { write_unit, epochs }
    }

    /// What the medium records at once; every range is whole units of it.
    pub fn write_unit(&self) -> WriteUnit {
        self.write_unit
    }

    /// The epochs, in order, none of them empty.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// Every range in the order to record it, as IMAPI's `IBlockRangeList` lists them.
    pub fn ranges(&self) -> impl Iterator<Item = BlockRange> {
        self.epochs.iter().flat_map(|epoch| epoch.ranges.iter())
    }

    /// How many blocks will be recorded.
    pub fn block_count(&self) -> BlockCount {
        self.epochs
            .iter()
            .map(|epoch| epoch.ranges.block_count())
            .sum()
    }

    /// Whether all ranges, in the order to record them, are one run of blocks from `start` on: what
    /// a medium takes whose blocks are recorded once, one after the other.
    pub fn is_one_run_from(&self, start: Lba) -> bool {
        let mut next = u64::from(start.get());
        self.ranges().all(|range| {
            let follows = u64::from(range.start_lba().get()) == next;
            next = u64::from(range.end_exclusive());
            follows
        })
    }

    /// Whether there is nothing to record.
    pub fn is_empty(&self) -> bool {
        self.epochs.is_empty()
    }
}

/// Everything that a recorder must know to bring a disc up to date, but the bytes.
///
/// The bytes come from a [`crate::BlockRead`] beside it: the result image, or a saved
/// [`crate::PlanFile`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The disc that the plan is for, in words: its volume identifier.
    pub volume: String,
    /// What the disc must look like before.
    pub base: Fingerprint,
    /// How the disc gets from old to new.
    pub protocol: Protocol,
    /// On a disc that can only be appended to, the next writable address that it must have: all
    /// that is recorded is one run from there. None where blocks are overwritten.
    pub next_writable: Option<Lba>,
    /// What a power cut can leave behind.
    pub class: CrashClass,
    /// Why the plan has that class, in a sentence.
    pub class_reason: String,
    /// The blocks to record, in order.
    pub modified: ModifiedBlocks,
    /// The blocks that any plan to the same end has to record, in whole write units.
    pub lower_bound: BlockCount,
    /// Blocks of the whole result.
    pub total_blocks: BlockCount,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{Digest, FingerprintPart, Lba};

    /// DVD units 64-79, then 16-31.
    pub(crate) fn sample_plan() -> Plan {
        let shadow = Epoch {
            role: EpochRole::Shadow,
            ranges: ranges(64, 79),
        };
        let commit = Epoch {
            role: EpochRole::Commit,
            ranges: ranges(16, 31),
        };
        let range = BlockRange::single(Lba::new(16));
        let digest = Digest::of(b"the old head");
        Plan {
            volume: "ARCHIVE".into(),
            base: Fingerprint {
                parts: vec![FingerprintPart { range, digest }],
            },
            protocol: Protocol::HeadSwap,
            next_writable: None,
            class: CrashClass::Recoverable,
            class_reason: "the head can be torn".into(),
            modified: ModifiedBlocks::new(WriteUnit::DVD, [shadow, commit]),
            lower_bound: BlockCount::new(20),
            total_blocks: BlockCount::new(80),
        }
    }

    fn ranges(start: u32, end: u32) -> BlockRangeList {
        BlockRange::new(Lba::new(start), Lba::new(end))
            .into_iter()
            .collect()
    }

    #[test]
    fn order_is_by_epoch_not_by_address() {
        let shadow = Epoch {
            role: EpochRole::Shadow,
            ranges: ranges(64, 79),
        };
        let commit = Epoch {
            role: EpochRole::Commit,
            ranges: ranges(16, 31),
        };
        let none = Epoch {
            role: EpochRole::Commit,
            ranges: BlockRangeList::new(),
        };
        let modified = ModifiedBlocks::new(WriteUnit::DVD, [shadow, none, commit]);
        let listed: Vec<_> = modified.ranges().map(|range| range.to_string()).collect();
        assert_eq!(listed, ["64-79", "16-31"]);
        assert_eq!(modified.block_count().get(), 32);
    }

    #[test]
    fn one_run_is_known_from_others() {
        let epoch = |start, end| Epoch {
            role: EpochRole::Shadow,
            ranges: ranges(start, end),
        };
        let run = ModifiedBlocks::new(WriteUnit::DVD, [epoch(64, 79), epoch(80, 95)]);
        assert!(run.is_one_run_from(Lba::new(64)));
        assert!(!run.is_one_run_from(Lba::new(48)));
        let gap = ModifiedBlocks::new(WriteUnit::DVD, [epoch(64, 79), epoch(96, 111)]);
        assert!(!gap.is_one_run_from(Lba::new(64)));
        let back = ModifiedBlocks::new(WriteUnit::DVD, [epoch(80, 95), epoch(64, 79)]);
        assert!(!back.is_one_run_from(Lba::new(80)));
        assert!(ModifiedBlocks::new(WriteUnit::DVD, []).is_one_run_from(Lba::ZERO));
    }

    #[test]
    #[should_panic(expected = "whole write units")]
    fn partial_write_units_are_never_listed() {
        let epoch = Epoch {
            role: EpochRole::Shadow,
            ranges: ranges(64, 70),
        };
        ModifiedBlocks::new(WriteUnit::DVD, [epoch]);
    }
}
