//! What is on the disc after things go wrong.

mod common;

use common::{blocks, drive, first_byte, ready};
use proptest::prelude::*;
use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRead, Lba, ReadError, WriteUnit};
use reburn_drive::{Data, Drive, DriveExt, DriveReader};
use reburn_emulator::{
    DriveProfile, Emulator, Fate, MediumKind, PartialWrite, VirtualDisc, WriteFault,
};
use reburn_mmc::command::Write12;
use reburn_mmc::{Cdb, Sense};

/// The first byte of a block on the disc itself; `None` if it cannot be read.
fn on_disc(disc: &VirtualDisc, lba: u32) -> Option<u8> {
    let mut block = [0; BLOCK_SIZE];
    match disc.read_blocks(Lba::new(lba), &mut block) {
        Ok(()) => Some(block[0]),
        Err(ReadError::Unreadable { .. }) => None,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_power_cut_takes_what_was_not_synchronized() {
    for kind in MediumKind::OVERWRITABLE {
        let unit = kind.write_unit().blocks().get();
        let mut drive = drive(kind);
        drive
            .write(Lba::ZERO, &blocks(1, 3 * unit as usize))
            .unwrap();
        drive.synchronize_cache().unwrap();
        drive
            .write(Lba::ZERO, &blocks(2, 3 * unit as usize))
            .unwrap();
        assert_eq!(first_byte(&mut drive, 0), 2, "reads see the buffer");
        let fates = [Fate::New, Fate::Unreadable, Fate::Old];
        drive
            .power_cut(|range| fates[(range.start_lba().get() / unit) as usize])
            .unwrap();
        let disc = drive.disc().unwrap();
        let seen = [0, 1, 2].map(|index| on_disc(disc, index * unit + 1));
        assert_eq!(seen, [Some(2), None, Some(1)], "{kind}");
        drive.power_on();
        drive.wait(std::time::Duration::from_secs(30));
        drive.clear_attentions().unwrap();
        let error = drive
            .read(Lba::new(unit + 3), &mut blocks(0, 1))
            .unwrap_err();
        let sense = error.sense().unwrap();
        assert_eq!(sense, Sense::UNCORRECTABLE_ERROR.at(unit + 3));
    }
}

#[test]
fn a_part_of_a_torn_unit_cannot_be_written() {
    let kind = MediumKind::BdRe;
    let torn = || {
        let mut disc = VirtualDisc::formatted(kind);
        disc.make_unreadable(Lba::new(70)).unwrap();
        disc
    };
    let mut drive = ready(torn());
    drive.write(Lba::new(65), &blocks(1, 1)).unwrap();
    assert_eq!(first_byte(&mut drive, 65), 1, "from the buffer");
    let neighbour = drive.read(Lba::new(66), &mut blocks(0, 1)).unwrap_err();
    assert!(neighbour.is(&Sense::UNCORRECTABLE_ERROR));
    let error = drive.synchronize_cache().unwrap_err();
    assert_eq!(error.sense(), Some(Sense::WRITE_ERROR.at(64)));
    drive.synchronize_cache().unwrap();
    assert_eq!(on_disc(drive.disc().unwrap(), 65), None);

    // Block by block, but all of them: the unit is whole again.
    for lba in 64..96 {
        drive.write(Lba::new(lba), &blocks(2, 1)).unwrap();
    }
    drive.synchronize_cache().unwrap();
    assert_eq!(on_disc(drive.disc().unwrap(), 95), Some(2));

    let profile = DriveProfile {
        partial_write: PartialWrite::FillsWithZeros,
        ..DriveProfile::default()
    };
    let mut drive = Emulator::with_profile(profile, torn());
    drive.clear_attentions().unwrap();
    drive.write(Lba::new(65), &blocks(1, 1)).unwrap();
    drive.synchronize_cache().unwrap();
    let disc = drive.disc().unwrap();
    assert_eq!([64, 65].map(|lba| on_disc(disc, lba)), [Some(0), Some(1)]);
}

#[test]
fn a_write_error_surfaces_at_the_barrier() {
    let mut drive = drive(MediumKind::DvdPlusRw);
    drive
        .faults_mut()
        .plant_write(Lba::new(20), WriteFault::ERROR);
    drive.write(Lba::ZERO, &blocks(1, 48)).unwrap();
    let error = drive.synchronize_cache().unwrap_err();
    assert_eq!(
        error.to_string(),
        "SYNCHRONIZE CACHE failed: medium error: write error (3/0C/00) at block 20"
    );
    drive.faults_mut().clear();
    drive.synchronize_cache().unwrap();
    let disc = drive.disc().unwrap();
    let seen = [0, 16, 32].map(|lba| on_disc(disc, lba));
    assert_eq!(seen, [Some(1), None, Some(1)]);
    drive.write(Lba::new(16), &blocks(3, 16)).unwrap();
    drive.synchronize_cache().unwrap();
    assert_eq!(on_disc(drive.disc().unwrap(), 16), Some(3));
}

#[test]
fn a_write_error_of_an_earlier_command_is_deferred() {
    let mut drive = drive(MediumKind::DvdPlusRw);
    drive.faults_mut().plant_write(Lba::ZERO, WriteFault::ERROR);
    let mut failures = Vec::new();
    for chunk in 0..40u32 {
        if let Err(error) = drive.write(Lba::new(chunk * 16), &blocks(1, 16)) {
            failures.push((chunk, error.sense().unwrap()));
        }
    }
    // The 36th unit pushes the first one out.
    assert_eq!(failures, [(35, Sense::WRITE_ERROR.as_deferred().at(0))]);
    drive.synchronize_cache().unwrap();
    let disc = drive.disc().unwrap();
    assert_eq!(
        [0, 35 * 16, 36 * 16].map(|lba| on_disc(disc, lba)),
        [None, Some(0), Some(1)]
    );
}

#[test]
fn a_silent_loss_is_seen_only_by_reading_back() {
    let mut drive = drive(MediumKind::BdRe);
    drive
        .faults_mut()
        .plant_write(Lba::new(40), WriteFault::Silent);
    drive.write(Lba::ZERO, &blocks(1, 96)).unwrap();
    drive.synchronize_cache().unwrap();
    assert_eq!(
        [0, 32, 64].map(|lba| first_byte(&mut drive, lba)),
        [1, 0, 1]
    );
    let error = drive
        .write_and_verify(Lba::ZERO, &blocks(2, 96))
        .unwrap_err();
    assert_eq!(error.sense(), Some(Sense::MISCOMPARE.at(32)));
}

#[test]
fn forced_unit_access_reaches_the_disc() {
    let mut drive = drive(MediumKind::BdRe);
    drive.write(Lba::ZERO, &blocks(1, 32)).unwrap();
    let command = Write12 {
        address: Lba::new(64).into(),
        blocks: reburn_blocks::BlockCount::new(32),
        force_unit_access: true,
        streaming: false,
    };
    drive.command(command, Data::Out(&blocks(2, 32))).unwrap();
    drive.power_cut(|_| Fate::Old).unwrap();
    let disc = drive.disc().unwrap();
    assert_eq!([0, 64].map(|lba| on_disc(disc, lba)), [Some(0), Some(2)]);
}

#[test]
fn a_reader_names_the_block_that_failed() {
    let mut disc = VirtualDisc::formatted(MediumKind::BdRe);
    disc.make_unreadable(Lba::new(100)).unwrap();
    let reader = DriveReader::new(ready(disc)).unwrap();
    let error = reader
        .read_blocks(Lba::new(80), &mut blocks(0, 64))
        .unwrap_err();
    assert!(
        matches!(error, ReadError::Unreadable { lba, .. } if lba == Lba::new(96)),
        "{error}"
    );
    reader
        .read_blocks(Lba::new(64), &mut blocks(0, 32))
        .unwrap();
}

#[test]
fn a_killed_process_is_a_power_cut() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    let mut drive = ready(VirtualDisc::create(&path, MediumKind::DvdRam).unwrap());
    drive.write(Lba::ZERO, &blocks(1, 64)).unwrap();
    drive.synchronize_cache().unwrap();
    drive.write(Lba::ZERO, &blocks(2, 32)).unwrap();
    drop(drive);

    let disc = VirtualDisc::open(&path).unwrap();
    assert_eq!([0, 31, 63].map(|lba| on_disc(&disc, lba)), [Some(1); 3]);
    let mut drive = ready(disc);
    drive.write(Lba::new(16), &blocks(3, 16)).unwrap();
    drive.power_cut(|_| Fate::Unreadable).unwrap();
    drop(drive);
    let disc = VirtualDisc::open(&path).unwrap();
    assert_eq!(
        [15, 16, 32].map(|lba| on_disc(&disc, lba)),
        [Some(1), None, Some(1)]
    );
}

#[test]
fn a_disc_in_a_file_stays_out_of_memory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("disc");
    let mut drive = ready(VirtualDisc::create(&path, MediumKind::DvdRam).unwrap());
    for chunk in 0..100 {
        drive.write(Lba::new(chunk * 32), &blocks(9, 32)).unwrap();
    }
    assert!(drive.buffered().len() <= 35);
    drive.synchronize_cache().unwrap();
    drop(drive);
    let disc = VirtualDisc::open(&path).unwrap();
    assert_eq!(on_disc(&disc, 3199), Some(9));
}

/// One step of a random session.
#[derive(Debug, Clone)]
enum Step {
    Write { lba: u32, count: u32, value: u8 },
    Synchronize,
    Lose { lba: u32 },
}

const AREA: u32 = 400;

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..AREA - 70, 1u32..70, 1u8..=255)
            .prop_map(|(lba, count, value)| Step::Write { lba, count, value }),
        2 => Just(Step::Synchronize),
        1 => (0..AREA).prop_map(|lba| Step::Lose { lba }),
    ]
}

/// What the host may find in each block, as far as it was told: the newest value, and while a
/// write failed in between, the one before too.
#[derive(Debug)]
struct Model {
    newest: Vec<Vec<u8>>,
}

impl Model {
    fn new() -> Self {
        let newest = vec![vec![0]; AREA as usize];
        Self { newest }
    }

    fn write(&mut self, lba: u32, count: u32, value: u8, done: bool) {
        for values in &mut self.newest[lba as usize..(lba + count) as usize] {
            if done {
                values.clear();
            }
            values.push(value);
        }
    }
}

/// A write unit as bytes, from the disc itself; `None` if it cannot be read.
fn unit_on_disc(disc: &VirtualDisc, range: BlockRange) -> Option<Vec<u8>> {
    let mut unit = blocks(0, range.block_count().as_usize());
    disc.read_blocks(range.start_lba(), &mut unit).ok()?;
    Some(unit)
}

fn small_buffer(kind: MediumKind) -> Emulator {
    let profile = DriveProfile {
        dvd_buffer: 4 * WriteUnit::DVD.bytes(),
        bd_buffer: 4 * WriteUnit::BLU_RAY.bytes(),
        ..DriveProfile::default()
    };
    let mut drive = Emulator::with_profile(profile, VirtualDisc::formatted(kind));
    drive.clear_attentions().unwrap();
    drive
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// What left the buffer is on the disc. After a power cut each write unit of the buffer is
    /// as the caller chose, as a whole, and all others are as they were.
    #[test]
    fn random_sessions_keep_their_promise(
        kind in prop::sample::select(&MediumKind::OVERWRITABLE[..]),
        steps in prop::collection::vec(step(), 1..40),
        fates in prop::collection::vec(
            prop::sample::select(&[Fate::Old, Fate::New, Fate::Unreadable][..]),
            1..6,
        ),
    ) {
        let mut drive = small_buffer(kind);
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Write { lba, count, value } => {
                    let data = blocks(value, count as usize);
                    let written = drive.write(Lba::new(lba), &data);
                    model.write(lba, count, value, written.is_ok());
                }
                // Each failure gives up one unit.
                Step::Synchronize => while drive.synchronize_cache().is_err() {},
                Step::Lose { lba } => {
                    drive.disc_mut().unwrap().make_unreadable(Lba::new(lba)).unwrap();
                }
            }
        }
        let buffered = drive.buffered();
        prop_assert!(buffered.len() <= 4);
        let is_buffered = |lba| buffered.iter().any(|range| range.contains(Lba::new(lba)));
        for (lba, newest) in (0..).zip(&model.newest) {
            let seen = on_disc(drive.disc().unwrap(), lba);
            let as_told = seen.is_none_or(|seen| newest.contains(&seen));
            prop_assert!(as_told || is_buffered(lba), "block {}: {:?}, {:?}", lba, seen, newest);
        }

        let mut expected = Vec::new();
        for (range, fate) in buffered.iter().zip(fates.iter().cycle()) {
            let old = unit_on_disc(drive.disc().unwrap(), *range);
            let mut new = blocks(0, range.block_count().as_usize());
            let readable = drive.read(range.start_lba(), &mut new).is_ok();
            expected.push(match fate {
                Fate::Old => old,
                Fate::New if readable => Some(new),
                Fate::New | Fate::Unreadable => None,
            });
        }
        let others: Vec<_> = (0..AREA).filter(|lba| !is_buffered(*lba)).collect();
        let disc = drive.disc().unwrap();
        let before: Vec<_> = others.iter().map(|lba| on_disc(disc, *lba)).collect();
        let mut chosen = fates.iter().copied().cycle();
        drive.power_cut(|_| chosen.next().unwrap()).unwrap();
        let disc = drive.disc().unwrap();
        for (range, expected) in buffered.iter().zip(&expected) {
            prop_assert!(unit_on_disc(disc, *range) == *expected, "blocks {}", range);
        }
        let after: Vec<_> = others.iter().map(|lba| on_disc(disc, *lba)).collect();
        prop_assert_eq!(after, before);
    }

    /// No command, however odd, makes the drive panic or send more than there is room for.
    #[test]
    fn any_bytes_get_an_answer(
        kind in prop::sample::select(&MediumKind::OVERWRITABLE[..]),
        commands in prop::collection::vec(
            (prop::collection::vec(any::<u8>(), 1..=16), prop::collection::vec(any::<u8>(), 0..64)),
            1..30,
        ),
        formatted in any::<bool>(),
    ) {
        const KNOWN: [u8; 34] = [
            0x00, 0x03, 0x04, 0x12, 0x1b, 0x1e, 0x23, 0x25, 0x28, 0x2a, 0x2b, 0x2e, 0x2f, 0x35,
            0x3c, 0x43, 0x46, 0x4a, 0x51, 0x52, 0x54, 0x55, 0x5a, 0x5b, 0x5c, 0xa1, 0xa7, 0xa8,
            0xaa, 0xac, 0xad, 0xb6, 0xbb, 0xbd,
        ];
        let new = if formatted { VirtualDisc::formatted } else { VirtualDisc::in_memory };
        let mut drive = ready(new(kind));
        for (mut bytes, out) in commands {
            bytes[0] = KNOWN[usize::from(bytes[0]) % KNOWN.len()];
            // Transfers of many blocks would only make this slow.
            if bytes.len() > 8 && matches!(bytes[0], 0x28 | 0x2a | 0x2e | 0x2f | 0xa8 | 0xaa) {
                bytes[6..8].fill(0);
            }
            let cdb = Cdb::new(&bytes).unwrap();
            let mut room = vec![0; 4 * BLOCK_SIZE];
            if let Ok(reply) = drive.execute(&cdb, Data::In(&mut room)) {
                prop_assert!(reply.transferred <= room.len());
            }
            let _ = drive.execute(&cdb, Data::Out(&out));
            let _ = drive.execute(&cdb, Data::None);
        }
    }
}
