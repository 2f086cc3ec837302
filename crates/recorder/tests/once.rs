//! Recording on emulated media that are recorded one block after the other: sessions that follow
//! each other, cuts that are gone on with, and what is refused.

mod common;

use std::ops::ControlFlow;

use common::*;
use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, CrashClass, Epoch, EpochRole,
    Fingerprint, Lba, ModifiedBlocks, Plan, Protocol, WriteUnit,
};
use reburn_drive::DriveReader;
use reburn_emulator::{Emulator, MediumKind, VirtualDisc};
use reburn_mmc::reply::DiscStatus;
use reburn_recorder::{
    BlankWay, Close, DiscState, Event, FormatWay, Medium, Options, Outcome, Recorder, inspect,
};

/// The kinds that a blank disc of which is recorded so.
fn kinds() -> impl Iterator<Item = MediumKind> {
    let all = MediumKind::ALL.into_iter();
    all.filter(|kind| !kind.is_overwritable())
}

fn blank(kind: MediumKind) -> Emulator {
    Emulator::with_disc(VirtualDisc::in_memory(kind))
}

/// Blocks that tell their number, from `start` on.
fn numbered(start: u32, count: u32) -> Vec<u8> {
    (start..start + count)
        .flat_map(|number| number.to_le_bytes().repeat(BLOCK_SIZE / 4))
        .collect()
}

/// A source whose blocks tell their number, up to a block.
struct Numbers(u32);

impl BlockRead for Numbers {
    fn block_count(&self) -> BlockCount {
        BlockCount::new(self.0)
    }

    fn read_blocks(&self, start: Lba, buf: &mut [u8]) -> Result<(), reburn_blocks::ReadError> {
        let count = u32::try_from(buf.len() / BLOCK_SIZE).unwrap();
        buf.copy_from_slice(&numbered(start.get(), count));
        Ok(())
    }
}

/// A plan that appends so many write units to the disc in the drive, whose first blocks are
/// numbered.
fn appended(drive: &mut Emulator, units: u32) -> (Plan, Numbers) {
    let medium = inspect(drive).unwrap();
    let next = medium.appendable().unwrap().next_writable;
    plan_at(next, medium.write_unit, units)
}

fn plan_at(next: Lba, unit: WriteUnit, units: u32) -> (Plan, Numbers) {
    let count = BlockCount::new(units * unit.blocks().get());
    let run = BlockRange::with_count(next, count).unwrap();
    let epoch = Epoch {
        role: EpochRole::Shadow,
        ranges: BlockRangeList::from_iter([run]),
    };
    let modified = ModifiedBlocks::new(unit, [epoch]);
    let known = BlockRange::single(Lba::new(16));
    let source = Numbers(run.end_exclusive());
    let plan = Plan {
        volume: "ARCHIVE".into(),
        base: Fingerprint::take(&source, [known]).unwrap(),
        protocol: Protocol::SessionAppend,
        next_writable: Some(next),
        class: CrashClass::Recoverable,
        class_reason: "for a test".into(),
        lower_bound: modified.block_count(),
        modified,
        total_blocks: source.block_count(),
    };
    (plan, source)
}

fn with(drive: &mut Emulator, close: Close) -> Recorder<'_> {
    let options = Options {
        close,
        ..Options::DEFAULT
    };
    Recorder::with_options(drive, options)
}

/// An image of 320 blocks on a blank disc, and its session closed.
fn first_session(kind: MediumKind) -> Emulator {
    let mut drive = blank(kind);
    let outcome = with(&mut drive, Close::Session).record_image(&Numbers(320), &mut go_on);
    let outcome = outcome.unwrap_or_else(|failure| panic!("{kind}: {failure}"));
    assert_eq!(
        (
            outcome.recorded.get(),
            outcome.verified.get(),
            outcome.closed
        ),
        (320, 320, true),
        "{kind}"
    );
    drive
}

/// Blocks of the disc, as a host reads them.
fn read(drive: &mut Emulator, start: u32, count: u32) -> Vec<u8> {
    let reader = DriveReader::with_count(drive, BlockCount::new(start + count));
    let mut bytes = vec![0; count as usize * BLOCK_SIZE];
    reader.read_blocks(Lba::new(start), &mut bytes).unwrap();
    bytes
}

fn goes_on_at(medium: &Medium) -> u32 {
    medium.appendable().unwrap().next_writable.get()
}

#[test]
fn sessions_follow_each_other_on_every_medium() {
    for kind in kinds() {
        let mut drive = first_session(kind);
        let mut starts = Vec::new();
        for number in 1..=4u32 {
            let (plan, source) = appended(&mut drive, number);
            let start = plan.next_writable.unwrap().get();
            let outcome = with(&mut drive, Close::Session).record_plan(&plan, &source, &mut go_on);
            let outcome: Outcome = outcome.unwrap_or_else(|failure| panic!("{kind}: {failure}"));
            assert_eq!(outcome.recorded, plan.modified.block_count(), "{kind}");
            let medium = inspect(&mut drive).unwrap();
            let goes_on = medium.appendable().unwrap();
            assert_eq!(
                goes_on.session_start.get(),
                start,
                "{kind}: the last closed session"
            );
            assert!(goes_on.begins_session, "{kind}");
            assert_eq!(
                medium.sequence.unwrap().sessions,
                2 + u16::try_from(number).unwrap()
            );
            starts.push((start, plan.modified.block_count().get()));
        }
        assert!(read(&mut drive, 0, 320) == numbered(0, 320), "{kind}");
        for (start, count) in starts {
            assert!(
                read(&mut drive, start, count) == numbered(start, count),
                "{kind}"
            );
        }
    }
}

#[test]
fn a_session_that_is_left_open_goes_on_and_is_closed_later() {
    for kind in kinds() {
        let mut drive = blank(kind);
        with(&mut drive, Close::LeaveOpen)
            .record_image(&Numbers(320), &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        let medium = inspect(&mut drive).unwrap();
        assert!(!medium.appendable().unwrap().begins_session, "{kind}");
        let told = medium.sequence.unwrap().to_string();
        assert!(
            told.starts_with("session 1 is open, it goes on at block"),
            "{told}"
        );
        let (plan, source) = appended(&mut drive, 2);
        with(&mut drive, Close::LeaveOpen)
            .record_plan(&plan, &source, &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        let medium = with(&mut drive, Close::Session)
            .close(Close::Session, &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        assert!(medium.appendable().unwrap().begins_session, "{kind}");
        let start = plan.next_writable.unwrap().get();
        let count = plan.modified.block_count().get();
        assert!(
            read(&mut drive, start, count) == numbered(start, count),
            "{kind}"
        );
    }
}

#[test]
fn a_disc_that_is_closed_for_good_takes_nothing_more() {
    for kind in kinds() {
        let mut drive = first_session(kind);
        let (plan, source) = appended(&mut drive, 1);
        with(&mut drive, Close::Finalise)
            .record_plan(&plan, &source, &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        let medium = inspect(&mut drive).unwrap();
        assert_eq!(
            medium.sequence.unwrap().status,
            DiscStatus::Complete,
            "{kind}"
        );
        let (more, source) = plan_at(Lba::new(1 << 20), medium.write_unit, 1);
        let refused = Recorder::new(&mut drive).record_plan(&more, &source, &mut go_on);
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("is closed, so nothing can be added"),
            "{kind}: {refused}"
        );
        let refused = Recorder::new(&mut drive).record_plan(&plan, &source, &mut go_on);
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("already has every block"),
            "{kind}: {refused}"
        );
    }
}

#[test]
fn a_recording_that_was_stopped_goes_on() {
    for kind in kinds().filter(|kind| !kind.is_cd()) {
        let mut half = |event| match event {
            Event::Recorded { done, total } if done.get() * 2 > total.get() => {
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        };
        let mut drive = blank(kind);
        let stopped = Recorder::new(&mut drive).record_image(&Numbers(320), &mut half);
        let state = stopped.unwrap_err().state;
        assert!(
            matches!(state, DiscState::PartOfImage { .. }),
            "{kind}: {state}"
        );
        let outcome = Recorder::new(&mut drive).record_image(&Numbers(320), &mut go_on);
        let outcome = outcome.unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        assert!(!outcome.resumed.is_zero(), "{kind}");
        assert_eq!((outcome.resumed + outcome.recorded).get(), 320, "{kind}");
        assert!(read(&mut drive, 0, 320) == numbered(0, 320), "{kind}");

        let (plan, source) = appended(&mut drive, 8);
        let stopped = Recorder::new(&mut drive).record_plan(&plan, &source, &mut half);
        let stopped = stopped.unwrap_err();
        assert!(
            matches!(stopped.state, DiscState::Appending { .. }),
            "{stopped}"
        );
        let other = Numbers(source.0);
        let outcome = Recorder::new(&mut drive).record_plan(&plan, &other, &mut go_on);
        let outcome = outcome.unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        assert!(
            !outcome.resumed.is_zero() && outcome.closed,
            "{kind}: {outcome}"
        );
        let again = Recorder::new(&mut drive).record_plan(&plan, &other, &mut go_on);
        let again = again.unwrap_err().to_string();
        assert!(again.contains("already has every block"), "{kind}: {again}");
    }
}

#[test]
fn what_does_not_go_together_is_refused_in_words() {
    let mut drive = first_session(MediumKind::DvdPlusR);
    let refuse = |drive: &mut Emulator, plan: &Plan| {
        let source = Numbers(plan.total_blocks.get());
        let refused = Recorder::new(drive).record_plan(plan, &source, &mut go_on);
        refused.unwrap_err().to_string()
    };
    let next = goes_on_at(&inspect(&mut drive).unwrap());
    let (elsewhere, _) = plan_at(Lba::new(next + 160), WriteUnit::DVD, 2);
    let told = refuse(&mut drive, &elsewhere);
    assert!(told.contains("and this one goes on at block"), "{told}");
    let told = refuse(&mut drive, &head_swap());
    assert!(told.contains("can only be appended to"), "{told}");
    let (mut other, _) = plan_at(Lba::new(next), WriteUnit::DVD, 2);
    other.base = Fingerprint::take(&filled(32, 7), [BlockRange::single(Lba::new(16))]).unwrap();
    let told = refuse(&mut drive, &other);
    assert!(told.contains("the disc is not 'ARCHIVE'"), "{told}");
    let again = Recorder::new(&mut drive).record_image(&Numbers(64), &mut go_on);
    let told = again.unwrap_err().to_string();
    assert!(told.contains("holds something already"), "{told}");
    let (plan, source) = plan_at(Lba::new(next), WriteUnit::DVD, 2);
    let mut over = Emulator::with_disc(VirtualDisc::formatted(MediumKind::DvdPlusRw));
    Recorder::new(&mut over)
        .record_image(&Numbers(320), &mut go_on)
        .unwrap();
    let told = Recorder::new(&mut over).record_plan(&plan, &source, &mut go_on);
    let told = told.unwrap_err().to_string();
    assert!(told.contains("appends a session"), "{told}");
}

#[test]
fn a_test_with_the_laser_off_leaves_the_disc_blank() {
    let options = Options {
        simulate: true,
        ..Options::DEFAULT
    };
    let mut drive = blank(MediumKind::DvdR);
    let outcome = Recorder::with_options(&mut drive, options)
        .record_image(&Numbers(320), &mut go_on)
        .unwrap();
    assert_eq!(outcome.to_string(), "tested 320 blocks with the laser off");
    assert!(inspect(&mut drive).unwrap().blank);
    for kind in [MediumKind::DvdPlusR, MediumKind::BdR] {
        let mut drive = blank(kind);
        let refused = Recorder::with_options(&mut drive, options)
            .record_image(&Numbers(320), &mut go_on)
            .unwrap_err();
        assert!(
            refused.to_string().contains("laser off, only CD"),
            "{refused}"
        );
        assert!(inspect(&mut drive).unwrap().blank);
    }
}

#[test]
fn a_dvd_rw_is_blanked_and_recorded_again() {
    for way in [BlankWay::Full, BlankWay::Minimal] {
        let mut drive = first_session(MediumKind::DvdRw);
        let mut told = 0;
        let mut events = |event| {
            told += usize::from(matches!(event, Event::Blanking { .. }));
            ControlFlow::Continue(())
        };
        let medium = Recorder::new(&mut drive).blank(way, &mut events).unwrap();
        assert!(medium.blank && told > 0);
        // Blanked as little as possible it is recorded at once, and closed then.
        let outcome = Recorder::new(&mut drive)
            .record_image(&Numbers(640), &mut go_on)
            .unwrap_or_else(|failure| panic!("{way:?}: {failure}"));
        assert!(outcome.closed);
        assert!(read(&mut drive, 0, 640) == numbered(0, 640), "{way:?}");
    }
    let refused = Recorder::new(&mut blank(MediumKind::DvdPlusR)).blank(BlankWay::Full, &mut go_on);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("only CD-RW and DVD-RW can"), "{refused}");
}

#[test]
fn a_dvd_minus_is_recorded_at_once_when_asked_to() {
    let options = Options {
        at_once: true,
        ..Options::DEFAULT
    };
    for kind in [MediumKind::DvdR, MediumKind::DvdRw] {
        let mut drive = blank(kind);
        Recorder::with_options(&mut drive, options)
            .record_image(&Numbers(320), &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind}: {failure}"));
        let medium = inspect(&mut drive).unwrap();
        assert_eq!(
            medium.sequence.unwrap().status,
            DiscStatus::Complete,
            "{kind}"
        );
        assert!(read(&mut drive, 0, 320) == numbered(0, 320), "{kind}");
    }
    let refused = Recorder::with_options(&mut blank(MediumKind::BdR), options)
        .record_image(&Numbers(320), &mut go_on);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("in tracks, not at once"), "{refused}");
}

#[test]
fn formatted_for_overwriting_they_take_plans_as_rewritable_media_do() {
    let ways = [
        (MediumKind::DvdRw, FormatWay::Usual),
        (MediumKind::DvdRw, FormatWay::Full),
        (MediumKind::BdR, FormatWay::Usual),
    ];
    for (kind, way) in ways {
        let mut drive = blank(kind);
        let medium = Recorder::new(&mut drive)
            .format(way, &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind} {way:?}: {failure}"));
        assert!(medium.overwritable, "{kind} {way:?}: {medium:?}");
        Recorder::new(&mut drive)
            .record_image(&Numbers(320), &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind} {way:?}: {failure}"));
        // Blocks 64-79 and 96-143 are overwritten, then 16-31; 400-415 leaves a gap behind.
        let shadow = [(64, 95), (96, 159), (416, 447)];
        let mut plan = plan(
            medium.write_unit,
            CrashClass::Recoverable,
            &shadow,
            &[(0, 31)],
        );
        plan.total_blocks = BlockCount::new(448);
        let known = BlockRange::single(Lba::new(300));
        plan.base = Fingerprint::take(&Numbers(320), [known]).unwrap();
        let source = filled(448, 0xab);
        Recorder::new(&mut drive)
            .record_plan(&plan, &source, &mut go_on)
            .unwrap_or_else(|failure| panic!("{kind} {way:?}: {failure}"));
        assert!(read(&mut drive, 0, 32) == filled(32, 0xab), "{kind}");
        assert!(read(&mut drive, 32, 32) == numbered(32, 32), "{kind}");
        assert!(read(&mut drive, 416, 32) == filled(32, 0xab), "{kind}");
        assert!(read(&mut drive, 160, 160) == numbered(160, 160), "{kind}");
    }
}
