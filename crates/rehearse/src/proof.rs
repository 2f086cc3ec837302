//! What can be said of a plan without cutting it.
//!
//! A reader of the old tree that reads nothing which is written before the commit shows the old
//! tree whatever becomes of these writes: that settles every subset of them at once.

use reburn_blocks::{BlockRange, BlockRangeList, BlockRead, CrashClass, Lba, Plan, WriteUnit};
use reburn_udf::{Session, Volume};

use crate::content::CrashState;
use crate::cuts::CutEpoch;
use crate::report::{Breach, Proof, Violation};
use crate::units::Units;

/// Blocks of a recognition sequence, at most: the descriptors of ISO 9660 left out.
const RECOGNITION_BLOCKS: u32 = 3;

/// Looks at what is written where.
pub(crate) fn prove(
    base: &dyn BlockRead,
    plan: &Plan,
    units: &Units<'_>,
    epochs: &[CutEpoch],
    read: BlockRangeList,
) -> Proof {
    let ranges = |epochs: &mut dyn Iterator<Item = &CutEpoch>| -> BlockRangeList {
        let writes = epochs.flat_map(|epoch| &epoch.writes);
        writes.map(|&(unit, _)| units.range(unit)).collect()
    };
    let before = ranges(&mut epochs.iter().take_while(|epoch| !epoch.is_commit));
    let all = ranges(&mut epochs.iter());
    let commits = epochs.iter().filter(|epoch| epoch.is_commit);
    let fixed = match plan.class {
        CrashClass::Atomic => fixed_blocks(base),
        _ => BlockRangeList::new(),
    };
    Proof {
        shared: read.align_outward(units.size()).intersection(&before),
        read,
        commit_units: commits.map(|epoch| epoch.writes.len()).collect(),
        fixed: fixed.align_outward(units.size()).intersection(&all),
    }
}

/// What an Atomic plan leaves alone: recognition sequence, anchors, descriptor sequences and first
/// integrity descriptor of a UDF volume; nothing where there is none.
fn fixed_blocks(base: &dyn BlockRead) -> BlockRangeList {
    let Ok(volume) = Volume::open(base, Session::default()) else {
        return BlockRangeList::new();
    };
    let structures = volume.structures();
    let recognition = structures.recognition;
    let last = Lba::checked(u64::from(recognition.get() + RECOGNITION_BLOCKS - 1));
    let recognition = last.and_then(|last| BlockRange::new(recognition, last));
    let first = structures.integrity.first().map(|extent| extent.start_lba());
    let single = structures.anchors.iter().copied().chain(first);
    let sequences = [structures.main_sequence, structures.reserve_sequence, recognition];
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
        let what = format!("blocks {shared} are written before the commit and the old tree has them");
        found.push(violation(Breach::Shadow, what));
    }
    let is_medium = unit != WriteUnit::FILE;
    if class == CrashClass::Atomic && is_medium && proof.commit_units.iter().any(|&n| n != 1) {
        let what = format!("the commit writes {:?} units at once", proof.commit_units);
        found.push(violation(Breach::Commit, what));
    }
    if !proof.fixed.is_empty() {
        let what = format!("blocks {} lead readers to the volume and are written", proof.fixed);
        found.push(violation(Breach::Fixed, what));
    }
    found
}
