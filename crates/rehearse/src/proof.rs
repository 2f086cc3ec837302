//! What can be said of a plan without cutting it.
//!
//! A reader of the old tree that needs nothing of what is written before the commit shows the old
//! tree whatever becomes of these writes: that settles every subset of them at once. So all of it
//! is made unreadable, and the old tree must be there still.

use reburn_blocks::{BlockRange, BlockRangeList, BlockRead, CrashClass, Lba, Plan, WriteUnit};
use reburn_udf::{Session, Volume, VolumeStructures};

use crate::content::CrashState;
use crate::cuts::CutEpoch;
use crate::judge::Judge;
use crate::report::{Breach, Proof, Violation};
use crate::units::{State, UNREADABLE, UnitId, Units};

/// Blocks of a recognition sequence, at most: the descriptors of ISO 9660 left out.
const RECOGNITION_BLOCKS: u32 = 3;

/// Looks at what is written where, and at what readers of the old tree read.
pub(crate) fn prove(
    base: &dyn BlockRead,
    plan: &Plan,
    (units, judge): (&Units<'_>, &mut Judge<'_>),
    epochs: &[CutEpoch],
    read: BlockRangeList,
) -> Proof {
    let writes = |epochs: &mut dyn Iterator<Item = &CutEpoch>| -> Vec<UnitId> {
        let writes = epochs.flat_map(|epoch| &epoch.writes);
        writes.map(|&(unit, _)| unit).collect()
    };
    let ranges =
        |of: &[UnitId]| -> BlockRangeList { of.iter().map(|&unit| units.range(unit)).collect() };
    let before = writes(&mut epochs.iter().take_while(|epoch| !epoch.is_commit));
    let mut lost = State::default();
    for &unit in &before {
        lost.set(unit, UNREADABLE);
    }
    let probed = read.intersection(&ranges(&before));
    let (without, shared) = match judge.not_old(units, &lost) {
        shown if shown.is_empty() => (None, BlockRangeList::new()),
        shown => (Some(shown.join("; ")), probed.align_outward(units.size())),
    };
    let commits = epochs.iter().filter(|epoch| epoch.is_commit);
    let fixed = match (plan.class, Volume::open(base, Session::default())) {
        (CrashClass::Atomic, Ok(volume)) => fixed_blocks(&volume.structures()),
        _ => BlockRangeList::new(),
    };
    let all = ranges(&writes(&mut epochs.iter()));
    Proof {
        read,
        probed,
        shared,
        without,
        commit_units: commits.map(|epoch| epoch.writes.len()).collect(),
        fixed: fixed.align_outward(units.size()).intersection(&all),
    }
}

/// What an Atomic plan leaves alone: recognition sequence, anchors, descriptor sequences and first
/// integrity descriptor.
fn fixed_blocks(structures: &VolumeStructures) -> BlockRangeList {
    let recognition = structures.recognition;
    let last = Lba::checked(u64::from(recognition.get() + RECOGNITION_BLOCKS - 1));
    let recognition = last.and_then(|last| BlockRange::new(recognition, last));
    let first = structures
        .integrity
        .first()
        .map(|extent| extent.start_lba());
    let single = structures.anchors.iter().copied().chain(first);
    let sequences = [
        structures.main_sequence,
        structures.reserve_sequence,
        recognition,
    ];
    let sequences = sequences.into_iter().flatten();
    single.map(BlockRange::single).chain(sequences).collect()
}

/// What of it breaks the class.
pub(crate) fn violations(proof: &Proof, class: CrashClass, unit: WriteUnit) -> Vec<Violation> {
    let violation = |breach, what| Violation {
        breach,
        state: CrashState::default(),
        what,
    };
    let mut found = Vec::new();
    if class == CrashClass::None {
        return found;
    }
    if !proof.shared.is_empty() {
        let shared = &proof.shared;
        let what =
            format!("blocks {shared} are written before the commit and the old tree has them");
        found.push(violation(Breach::Shadow, what));
    }
    let is_medium = unit != WriteUnit::FILE;
    if is_medium && proof.commit_units.iter().any(|&n| n != 1) {
        let what = format!("the commit writes {:?} units at once", proof.commit_units);
        found.push(violation(Breach::Commit, what));
    }
    if !proof.fixed.is_empty() {
        let what = format!(
            "blocks {} lead readers to the volume and are written",
            proof.fixed
        );
        found.push(violation(Breach::Fixed, what));
    }
    found
}
