//! The model and the emulator leave the same discs, and plans and recorders the same traces.

use std::cell::RefCell;
use std::time::Duration;

use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRead, Lba};
use reburn_drive::{Data, Drive, ImageFileDrive, Reply, TransportError};
use reburn_emulator::{Emulator, Fate, MediumKind, VirtualDisc};
use reburn_image::{FileSystems, Medium};
use reburn_mmc::Cdb;
use reburn_rehearse::{Content, CrashState, Explorer, Options, Trace, TraceDrive};

use crate::sample;

#[test]
fn plans_and_recorders_write_the_same() {
    for medium in [Medium::DvdPlusRw, Medium::BdRe, Medium::File] {
        for file_systems in [sample::iso(), sample::mirrored(), sample::plain()] {
            let disc = sample::disc(medium, file_systems);
            sample::edit(&*disc, medium, |plan, result| {
                let planned = Trace::of_plan(plan, result).unwrap();
                let recorded = match medium {
                    Medium::File => record_in_file(&*disc, plan, result),
                    _ => Trace::emulated(plan, result, &*disc, medium).unwrap(),
                };
                assert!(planned == recorded, "{medium} {}", plan.protocol);
            });
        }
    }
}

fn record_in_file(
    disc: &dyn BlockRead,
    plan: &reburn_blocks::Plan,
    result: &dyn BlockRead,
) -> Trace {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    // Only its size counts: reads are answered with the disc.
    let file = std::fs::File::create_new(&path).unwrap();
    file.set_len(disc.block_count().bytes()).unwrap();
    let mut drive = ImageFileDrive::open(&path).unwrap();
    Trace::record(plan, result, disc, &mut drive, plan.modified.write_unit()).unwrap()
}

/// A drive that keeps a copy of itself after every command.
struct Copied<'c> {
    inner: Emulator,
    copies: &'c RefCell<Vec<Emulator>>,
}

impl Drive for Copied<'_> {
    fn execute(&mut self, cdb: &Cdb, data: Data<'_>) -> Result<Reply, TransportError> {
        let reply = self.inner.execute(cdb, data);
        self.copies
            .borrow_mut()
            .push(self.inner.snapshot().unwrap());
        reply
    }

    fn wait(&mut self, time: Duration) {
        self.inner.wait(time);
    }
}

#[test]
fn the_emulator_leaves_what_the_model_says() {
    let mut compared = 0;
    for (medium, kind) in [
        (Medium::DvdPlusRw, MediumKind::DvdPlusRw),
        (Medium::BdRe, MediumKind::BdRe),
    ] {
        for file_systems in [sample::iso(), sample::mirrored(), sample::bridge()] {
            compared += compare(medium, kind, file_systems);
        }
    }
    assert!(compared > 500, "{compared} states compared");
}

fn compare(medium: Medium, kind: MediumKind, file_systems: FileSystems) -> usize {
    let disc = sample::virtual_disc(medium, kind, file_systems);
    sample::edit(&disc, medium, |plan, result| {
        let copies = RefCell::default();
        let inner = Copied {
            inner: Emulator::with_disc(disc.snapshot().unwrap()),
            copies: &copies,
        };
        let mut drive = inner;
        let unit = kind.write_unit();
        let trace = Trace::record(plan, result, &disc, &mut drive, unit).unwrap();
        let mut explorer =
            Explorer::of_trace(&disc, plan, result, &trace, Options::default()).unwrap();
        explorer.run();
        let copies = copies.take();
        let mut compared = 0;
        for (number, copy) in copies.iter().enumerate() {
            for seed in 0..4 {
                compare_cut(copy, &explorer, &trace, number + seed);
                compared += 1;
            }
        }
        compared
    })
}

/// Cuts the power of a copy, and compares its disc with the model's, block by block, on every unit
/// that the plan writes.
fn compare_cut(copy: &Emulator, explorer: &Explorer<'_>, trace: &Trace, seed: usize) {
    let mut drive = copy.snapshot().unwrap();
    let buffered = drive.buffered();
    // One unit is torn at most.
    let torn = seed % (buffered.len() + 1);
    let mut contents = Vec::new();
    drive
        .power_cut(|range| {
            let number = contents.len();
            let fate = match seed >> (number % 8) & 1 {
                _ if number == torn => Fate::Unreadable,
                0 => Fate::Old,
                _ => Fate::New,
            };
            contents.push((range, fate));
            fate
        })
        .unwrap();
    let cut: &VirtualDisc = drive.disc().unwrap();
    let state = CrashState {
        units: writes_of(copy, explorer, trace, &contents),
    };
    explorer
        .with_disc(&state, |model| {
            for write in trace.epochs().iter().flat_map(|epoch| &epoch.writes) {
                let mut bytes = [vec![0; write.bytes.len()], vec![0; write.bytes.len()]];
                let [left, right] = &mut bytes;
                let left = cut.read_blocks(write.start, left).is_ok();
                let right = model.read_blocks(write.start, right).is_ok();
                assert_eq!(left, right, "unit {} in {state}", write.start);
                assert!(
                    !left || bytes[0] == bytes[1],
                    "unit {} in {state}",
                    write.start
                );
            }
            let mut blocks = [[0; BLOCK_SIZE], [0; BLOCK_SIZE]];
            for lba in [0, 300, 5000].map(Lba::new) {
                let [left, right] = &mut blocks;
                let left = cut.read_blocks(lba, left).map_err(drop);
                assert_eq!(left, model.read_blocks(lba, right).map_err(drop));
            }
        })
        .expect("a state of the model");
}

/// The state in the model's words: what is in the buffer has its fate, what left it is new.
fn writes_of(
    copy: &Emulator,
    explorer: &Explorer<'_>,
    trace: &Trace,
    fates: &[(BlockRange, Fate)],
) -> Vec<(BlockRange, Content)> {
    let disc = copy.disc().unwrap();
    let mut units = Vec::new();
    for write in trace.epochs().iter().flat_map(|epoch| &epoch.writes) {
        let range = BlockRange::with_count(write.start, trace.write_unit().blocks()).unwrap();
        let found = fates.iter().find(|(unit, _)| *unit == range);
        let mut now = vec![0; write.bytes.len()];
        let is_recorded = disc.read_blocks(write.start, &mut now).is_ok() && now == *write.bytes;
        let content = match found {
            Some((_, Fate::Unreadable)) => Content::Unreadable,
            Some((_, Fate::New)) => Content::New,
            None if is_recorded => Content::New,
            Some((_, Fate::Old)) | None => continue,
        };
        units.push((range, content));
    }
    // Units that the plan does not change are old to the model.
    units.retain(|(range, content)| {
        let single = CrashState {
            units: vec![(*range, *content)],
        };
        explorer.with_disc(&single, |_| ()).is_some()
    });
    units
}

#[test]
fn reads_while_tracing_show_what_was_written() {
    use reburn_drive::DriveExt;
    let base = vec![7; 64 * BLOCK_SIZE];
    let kind = MediumKind::DvdPlusRw;
    let inner = Emulator::with_disc(VirtualDisc::formatted(kind));
    let mut drive = TraceDrive::new(inner, &base, kind.write_unit());
    drive.clear_attentions().unwrap();
    // A part of a unit: the rest comes from the base.
    drive.write(Lba::new(20), &[9; BLOCK_SIZE]).unwrap();
    let mut blocks = vec![0; 3 * BLOCK_SIZE];
    drive.read(Lba::new(19), &mut blocks).unwrap();
    assert_eq!(
        [blocks[0], blocks[BLOCK_SIZE], blocks[2 * BLOCK_SIZE]],
        [7, 9, 7]
    );
    drive.synchronize_cache().unwrap();
    drive.write(Lba::new(20), &[8; BLOCK_SIZE]).unwrap();
    let trace = drive.into_trace();
    let epochs: Vec<_> = trace
        .epochs()
        .iter()
        .map(|epoch| epoch.writes.clone())
        .collect();
    assert_eq!(epochs.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1]);
    let write = &epochs[1][0];
    assert_eq!(
        (write.start, write.bytes.len()),
        (Lba::new(16), 16 * BLOCK_SIZE)
    );
    assert_eq!((write.bytes[0], write.bytes[4 * BLOCK_SIZE]), (7, 8));
}
