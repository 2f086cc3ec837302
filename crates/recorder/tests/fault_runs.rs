//! Recordings with random faults on every medium: each ends in success with the right blocks on the
//! disc, or in one sentence with what was there before unharmed; never in a loss that nobody tells
//! of.

mod common;

use common::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, CrashClass, Epoch, EpochRole,
    Fingerprint, Lba, ModifiedBlocks, Plan, Protocol,
};
use reburn_drive::DriveReader;
use reburn_emulator::{At, Emulator, FaultPlan, MediumKind, PlannedFault, VirtualDisc};
use reburn_recorder::{Recorder, inspect};

/// Runs of an ordinary test; all of them are many more.
const RUNS: u64 = 300;
const RUNS_FULL: u64 = 10_000;
/// Blocks of the image that is on the disc before.
const BEFORE: u32 = 320;

/// Blocks that tell their number, and another one from the end of the image on.
struct Numbers(u32);

impl BlockRead for Numbers {
    fn block_count(&self) -> BlockCount {
        BlockCount::new(self.0)
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), reburn_blocks::ReadError> {
        for (number, block) in (start.get()..).zip(buf.chunks_exact_mut(BLOCK_SIZE)) {
            let told = if number < BEFORE { number } else { !number };
            block.copy_from_slice(&told.to_le_bytes().repeat(BLOCK_SIZE / 4));
        }
        Ok(())
    }
}

/// A disc with an image, as a host leaves it.
fn prepared(kind: MediumKind) -> Emulator {
    let mut drive = Emulator::with_disc(VirtualDisc::in_memory(kind));
    Recorder::new(&mut drive)
        .record_image(&Numbers(BEFORE), &mut go_on)
        .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
    drive
}

/// What is recorded behind the image, in some write units.
fn plan_behind(drive: &mut Emulator, units: u32) -> (Plan, Numbers) {
    let medium = inspect(drive).unwrap();
    let unit = medium.write_unit;
    let next = medium.appendable().map(|found| found.next_writable);
    let start = next
        .unwrap_or(Lba::new(BEFORE + 64))
        .align_up(unit)
        .unwrap();
    let count = BlockCount::new(units * unit.blocks().get().max(16));
    let run = BlockRange::with_count(start, count).unwrap();
    let epoch = Epoch {
        role: EpochRole::Shadow,
        ranges: BlockRangeList::from_iter([run]),
    };
    let modified = ModifiedBlocks::new(unit, [epoch]);
    let source = Numbers(run.end_exclusive());
    let plan = Plan {
        volume: "ARCHIVE".into(),
        base: Fingerprint::take(&source, [BlockRange::single(Lba::new(16))]).unwrap(),
        protocol: match next {
            Some(_) => Protocol::SessionAppend,
            None => Protocol::HeadSwap,
        },
        next_writable: next,
        class: CrashClass::Recoverable,
        class_reason: "for a test".into(),
        lower_bound: modified.block_count(),
        total_blocks: source.block_count(),
        modified,
    };
    (plan, source)
}

/// Whether the disc has these blocks of the source, as a host reads them.
fn holds(drive: &mut Emulator, range: BlockRange, source: &Numbers) -> bool {
    let reader = DriveReader::with_count(drive, BlockCount::new(range.end_exclusive()));
    let mut is = vec![0; range.block_count().as_usize() * BLOCK_SIZE];
    let mut shall = is.clone();
    source.read_blocks(range.start_lba(), &mut shall).unwrap();
    reader.read_blocks(range.start_lba(), &mut is).is_ok() && is == shall
}

/// What the runs came to.
#[derive(Debug, Default)]
struct Tally {
    recorded: u32,
    refused: u32,
    gone_on: u32,
}

fn run(seed: u64, tally: &mut Tally) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let kind = MediumKind::ALL[random.random_range(0..MediumKind::ALL.len())];
    let mut drive = prepared(kind);
    let units = random.random_range(1..24);
    let (plan, source) = plan_behind(&mut drive, units);
    let recorded = plan.modified.ranges().next().unwrap();
    let count = random.random_range(1..4);
    let reach = recorded.block_count();
    let mut faults = FaultPlan::random(count, reach, 64, |below| random.random_range(0..below));
    for fault in &mut faults.faults {
        let (PlannedFault::Write(at, _) | PlannedFault::Read(at, _)) = fault else {
            continue;
        };
        if let At::Block(lba) = at {
            *lba += recorded.start_lba().blocks_since(Lba::ZERO);
        }
    }
    drive.faults_mut().plant(&faults);
    let outcome = Recorder::new(&mut drive).record_plan(&plan, &source, &mut go_on);
    // The disc goes into another drive: what counts is on it.
    let Some(disc) = drive.take_disc() else {
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains("medium"), "seed {seed}: {text}");
        return;
    };
    let mut drive = Emulator::with_disc(disc);
    inspect(&mut drive).unwrap();
    let told = || format!("seed {seed}: {kind}, {faults}");
    let before = BlockRange::with_count(Lba::ZERO, BlockCount::new(BEFORE)).unwrap();
    match outcome {
        Ok(outcome) => {
            tally.recorded += 1;
            assert!(
                holds(&mut drive, recorded, &source),
                "{}: lost in silence",
                told()
            );
            assert_eq!(outcome.verified, plan.modified.block_count(), "{}", told());
        }
        Err(failure) => {
            tally.refused += 1;
            let text = failure.to_string();
            assert!(
                !text.is_empty() && !text.contains('\n'),
                "{}: {text}",
                told()
            );
            let again = Recorder::new(&mut drive).record_plan(&plan, &source, &mut go_on);
            if again.is_ok() {
                tally.gone_on += 1;
                assert!(
                    holds(&mut drive, recorded, &source),
                    "{}: lost when it went on",
                    told()
                );
            }
        }
    }
    assert!(
        holds(&mut drive, before, &source),
        "{}: what was there is harmed",
        told()
    );
}

fn runs(count: u64) {
    let mut tally = Tally::default();
    for seed in 0..count {
        run(seed, &mut tally);
    }
    println!("{count} runs: {tally:?}");
    assert!(
        tally.recorded > 0 && tally.refused > 0 && tally.gone_on > 0,
        "{tally:?}"
    );
}

#[test]
fn faults_are_survived_or_told() {
    runs(RUNS);
}

#[test]
#[ignore = "takes minutes; the test above is a sample of it"]
fn faults_are_survived_or_told_in_many_runs() {
    runs(RUNS_FULL);
}
