//! What planted faults do, at once and for good.

mod common;

use std::fmt::Write as _;
use std::time::Duration;

use common::script::{figures, step, summary};
use common::{blocks, drive, first_byte, ready, sense_of};
use reburn_blocks::{BlockCount, Lba};
use reburn_drive::{CommandError, Data, Drive, DriveExt};
use reburn_emulator::{
    At, CommandFault, DriveProfile, Emulator, Fate, FaultPlan, LateErrors, MediumKind, ReadFault,
    VirtualDisc, WhenFull, WriteFault,
};
use reburn_mmc::Sense;

#[track_caller]
fn sense(result: Result<(), CommandError>) -> Sense {
    match result {
        Err(CommandError::Sense { sense, .. }) => sense,
        other => panic!("{other:?}"),
    }
}

/// A drive with another profile and a formatted disc, or a blank one that knows no format.
fn with(kind: MediumKind, change: impl Fn(&mut DriveProfile)) -> Emulator {
    let mut profile = DriveProfile::default();
    change(&mut profile);
    let mut drive = Emulator::with_profile(profile, VirtualDisc::formatted(kind));
    drive.clear_attentions().unwrap();
    drive
}

#[test]
fn a_write_error_says_what_was_planted() {
    for planted in [
        Sense::WRITE_ERROR,
        Sense::NO_DEFECT_SPARE,
        Sense::AUTO_REALLOCATION_FAILED,
        Sense::TRACKING_SERVO_FAILURE,
    ] {
        let mut drive = drive(MediumKind::BdRe);
        let faults = drive.faults_mut();
        faults.plant_write_at(At::Block(Lba::new(70)), WriteFault::Fails(planted));
        drive.write(Lba::ZERO, &blocks(1, 128)).unwrap();
        assert_eq!(sense(drive.synchronize_cache()), planted.at(70));
        drive.synchronize_cache().unwrap();
        assert_eq!(first_byte(&mut drive, 0), 1);
        let lost = sense(drive.read(Lba::new(64), &mut blocks(0, 1)));
        assert!(lost.is(&Sense::UNCORRECTABLE_ERROR), "{lost}");
    }
}

/// The error of a unit that is recorded to make room comes with a later write, and names a
/// block far before it.
#[test]
fn late_errors_are_told_as_the_profile_says() {
    for (late_errors, deferred) in [(LateErrors::Deferred, true), (LateErrors::Current, false)] {
        let mut drive = with(MediumKind::DvdPlusRw, |profile| {
            profile.late_errors = late_errors;
        });
        drive
            .faults_mut()
            .plant_write_at(At::After(0), WriteFault::ERROR);
        let told = (0..)
            .map(|unit| (unit, drive.write(Lba::new(unit * 16), &blocks(1, 16))))
            .find_map(|(unit, result)| result.err().map(|error| (unit, sense(Err(error)))));
        let (unit, told) = told.unwrap();
        assert_eq!(told.deferred, deferred);
        assert_eq!(told.information, Some(0));
        assert_eq!(unit, 0x11_8000 / 32768, "when the buffer is full");
    }
}

#[test]
fn faults_by_count_strike_once() {
    let mut drive = drive(MediumKind::DvdPlusRw);
    drive.write(Lba::ZERO, &blocks(1, 48)).unwrap();
    drive.synchronize_cache().unwrap();
    let faults = drive.faults_mut();
    faults.plant_write_at(At::After(1), WriteFault::Silent);
    faults.plant_read(At::After(1), ReadFault::transient(1));
    drive.write(Lba::ZERO, &blocks(2, 48)).unwrap();
    drive.synchronize_cache().unwrap();
    assert_eq!(first_byte(&mut drive, 0), 2);
    let failed = sense(drive.read(Lba::new(16), &mut blocks(0, 1)));
    assert_eq!(failed, Sense::UNRECOVERED_READ_ERROR.at(16));
    assert_eq!(first_byte(&mut drive, 16), 1, "silently lost");
    assert_eq!(first_byte(&mut drive, 32), 2);
}

#[test]
fn a_read_error_lets_through_what_stands_before_it() {
    let mut drive = drive(MediumKind::DvdPlusRw);
    drive.write(Lba::ZERO, &blocks(1, 48)).unwrap();
    drive.synchronize_cache().unwrap();
    let faults = drive.faults_mut();
    faults.plant_read(At::Block(Lba::new(40)), ReadFault::UNCORRECTABLE);
    let mut room = blocks(0, 48);
    for _ in 0..3 {
        let cdb = [0x28, 0, 0, 0, 0, 0, 0, 0, 48, 0];
        let cdb = reburn_mmc::Cdb::new(&cdb).unwrap();
        let reply = drive.execute(&cdb, Data::In(&mut room)).unwrap();
        assert_eq!(reply.sense, Some(Sense::UNCORRECTABLE_ERROR.at(40)));
        assert_eq!(reply.transferred, 32 * 2048);
    }
}

#[test]
fn commands_can_be_refused_or_done_with_an_effort() {
    let mut drive = drive(MediumKind::BdRe);
    let opc = [0x54, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let calibration = CommandFault::Refused(Sense::POWER_CALIBRATION_ERROR);
    drive
        .faults_mut()
        .plant_opcode(0x54, At::After(0), calibration);
    let effort = CommandFault::Effort(Sense::RECOVERED_WITH_CORRECTION);
    drive
        .faults_mut()
        .plant_command(At::Block(Lba::new(5)), effort);
    let refused = sense_of(&mut drive, &opc, Data::None);
    assert_eq!(refused, Some(Sense::POWER_CALIBRATION_ERROR));
    assert_eq!(sense_of(&mut drive, &opc, Data::None), None);
    let data = blocks(1, 32);
    let write = [0x2a, 0, 0, 0, 0, 0, 0, 0, 32, 0];
    let told = sense_of(&mut drive, &write, Data::Out(&data));
    assert_eq!(told, Some(Sense::RECOVERED_WITH_CORRECTION));
    assert_eq!(first_byte(&mut drive, 6), 1, "it was done all the same");
}

#[test]
fn a_reset_keeps_the_buffer_or_loses_it() {
    for (kept, expected) in [(true, 2), (false, 1)] {
        let mut drive = with(MediumKind::BdRe, |profile| {
            profile.reset_keeps_buffer = kept;
        });
        drive.write(Lba::ZERO, &blocks(1, 32)).unwrap();
        drive.synchronize_cache().unwrap();
        drive.write(Lba::ZERO, &blocks(2, 32)).unwrap();
        drive.prevent_removal(true).unwrap();
        drive
            .faults_mut()
            .plant_command(At::After(0), CommandFault::Reset);
        assert_eq!(sense(drive.synchronize_cache()), Sense::POWER_ON_RESET);
        drive.synchronize_cache().unwrap();
        assert_eq!(first_byte(&mut drive, 0), expected);
        drive.press_eject();
        let open = sense(drive.test_unit_ready());
        assert_eq!(open, Sense::NO_MEDIUM_TRAY_OPEN, "a reset unlocks");
    }
}

#[test]
fn a_medium_that_is_pulled_out_loses_the_buffer() {
    let mut drive = drive(MediumKind::DvdPlusRw);
    drive.write(Lba::ZERO, &blocks(1, 16)).unwrap();
    drive.prevent_removal(true).unwrap();
    drive
        .faults_mut()
        .plant_command(At::After(0), CommandFault::Removal);
    assert_eq!(sense(drive.synchronize_cache()), Sense::NO_MEDIUM_TRAY_OPEN);
    assert!(drive.disc().is_some(), "it lies on the tray");
    drive
        .start_stop(reburn_mmc::command::StartStop::Load)
        .unwrap();
    drive.clear_attentions().unwrap();
    assert_eq!(first_byte(&mut drive, 0), 0);
}

/// The power fails while the third write unit is being recorded: the first two are on the disc,
/// the later ones are not.
#[test]
fn the_power_can_fail_at_the_nth_write() {
    for (fate, third) in [
        (Fate::Old, Some(0)),
        (Fate::New, Some(1)),
        (Fate::Unreadable, None),
    ] {
        let mut drive = drive(MediumKind::DvdPlusRw);
        drive
            .faults_mut()
            .plant_write_at(At::After(2), WriteFault::PowerCut(fate));
        drive.write(Lba::ZERO, &blocks(1, 80)).unwrap();
        let answer = drive.synchronize_cache();
        assert!(
            matches!(answer, Err(CommandError::Transport { .. })),
            "{answer:?}"
        );
        drive.power_on();
        drive.wait(Duration::from_secs(30));
        drive.clear_attentions().unwrap();
        let mut room = blocks(0, 1);
        let firsts: Vec<_> = (0..5)
            .map(|unit| {
                drive
                    .read(Lba::new(unit * 16), &mut room)
                    .ok()
                    .map(|()| room[0])
            })
            .collect();
        assert_eq!(
            firsts,
            [Some(1), Some(1), third, Some(0), Some(0)],
            "{fate}"
        );
    }
}

#[test]
fn an_underrun_ends_what_must_not_be_interrupted() {
    for (protected, answer, after) in [
        (true, "good", "[0+302 R]"),
        (false, "3/0c/09", "[0+359847 RD]"),
    ] {
        let mut drive = ready(VirtualDisc::in_memory(MediumKind::CdR));
        let mut page = match drive.mode_page(5).unwrap() {
            Some(reburn_mmc::reply::ModePage::WriteParameters(page)) => page,
            other => panic!("{other:?}"),
        };
        page.write_type = reburn_mmc::reply::WriteType::TRACK_AT_ONCE;
        page.underrun_protection = protected;
        let list = reburn_mmc::reply::ModeParameters {
            write_protected: false,
            pages: vec![reburn_mmc::reply::ModePage::WriteParameters(page)],
        };
        let select = [0x55, 0x10, 0, 0, 0, 0, 0, 0, 60, 0];
        assert_eq!(
            sense_of(&mut drive, &select, Data::Out(&list.encode())),
            None
        );
        drive
            .faults_mut()
            .plant_opcode(0x2a, At::After(1), CommandFault::Underrun);
        assert_eq!(step(&mut drive, "write 0 32"), "good");
        assert_eq!(step(&mut drive, "write 32 32"), answer);
        step(&mut drive, "sync");
        assert!(
            summary(&mut drive).contains(after),
            "{}",
            summary(&mut drive)
        );
    }
}

/// How often a host is told to come back while it writes 4 MiB.
fn long_writes(kind: MediumKind, when_full: WhenFull) -> usize {
    let mut drive = with(kind, |profile| profile.when_full = when_full);
    let mut told = 0;
    let mut unit = 0;
    while unit < 64 {
        match drive.write(Lba::new(unit * 32), &blocks(1, 32)) {
            Ok(()) => unit += 1,
            Err(error) => {
                assert!(sense(Err(error)).is(&Sense::LONG_WRITE_IN_PROGRESS));
                assert!(told < 10_000, "no end");
                told += 1;
                drive.wait(Duration::from_millis(6));
            }
        }
    }
    drive.synchronize_cache().unwrap();
    assert_eq!(first_byte(&mut drive, 63 * 32), 1);
    told
}

#[test]
fn a_full_buffer_holds_the_command_or_refuses_it() {
    for (kind, when_full, refuses) in [
        (MediumKind::DvdPlusRw, WhenFull::Holds, false),
        (MediumKind::DvdPlusR, WhenFull::Holds, false),
        (MediumKind::DvdPlusRw, WhenFull::RefusesSequential, false),
        (MediumKind::DvdPlusR, WhenFull::RefusesSequential, true),
        (MediumKind::DvdPlusRw, WhenFull::Refuses, true),
        (MediumKind::BdRe, WhenFull::Refuses, true),
    ] {
        let told = long_writes(kind, when_full);
        assert_eq!(told > 0, refuses, "{kind}, {when_full:?}: {told}");
    }
}

/// A plan that a caller's numbers give is carried out without a panic, and always in the same
/// way.
#[test]
fn plans_of_faults_are_repeatable() {
    let session = |seed: u64| {
        let mut state = seed;
        let plan = FaultPlan::random(6, BlockCount::new(4096), 100, |below| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        });
        let mut drive = with(MediumKind::BdRe, |profile| {
            profile.reset_keeps_buffer = false;
        });
        drive.faults_mut().plant(&plan);
        let mut log = plan.to_string();
        for unit in 0..128 {
            let line = if unit % 16 == 15 {
                "sync".into()
            } else {
                format!("write {} 32", unit * 32)
            };
            let answer = drive.execute_line(&line);
            writeln!(log, "{line}: {answer}").unwrap();
        }
        log
    };
    for seed in 0..64 {
        assert_eq!(session(seed), session(seed));
    }
}

trait Lines {
    fn execute_line(&mut self, line: &str) -> String;
}

impl Lines for Emulator {
    /// Like a script's step, for a drive that may lose its power and come back.
    fn execute_line(&mut self, line: &str) -> String {
        let result = match line.split(' ').nth(1).map(|lba| lba.parse().unwrap()) {
            Some(lba) => self.write(Lba::new(lba), &blocks(1, 32)),
            None => self.synchronize_cache(),
        };
        match result {
            Ok(()) => "good".into(),
            Err(CommandError::Sense { sense, .. }) => {
                if sense.is(&Sense::NO_MEDIUM_TRAY_OPEN) {
                    let load = self.start_stop(reburn_mmc::command::StartStop::Load);
                    return format!("{} {}", figures(Some(sense)), load.is_ok());
                }
                figures(Some(sense))
            }
            Err(CommandError::Transport { .. }) => {
                self.power_on();
                self.wait(Duration::from_secs(30));
                "off".into()
            }
            Err(other) => panic!("{other}"),
        }
    }
}
