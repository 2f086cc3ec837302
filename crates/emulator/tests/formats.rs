//! Formatting: what becomes of capacity, content and readiness.

mod common;

use std::time::Duration;

use common::{blocks, drive, first_byte, format, ordinary_format, ready};
use reburn_blocks::{BlockCount, BlockRead, Lba};
use reburn_drive::{Drive, DriveExt};
use reburn_emulator::{Background, FormatState, MediumKind, VirtualDisc};
use reburn_mmc::Sense;
use reburn_mmc::command::{CloseFunction, StartStop};
use reburn_mmc::reply::{
    BackgroundFormat, ClassEvent, FormatKind, FormatParameters, FormattedCapacity, MediaEvent,
};

#[test]
fn every_medium_is_formatted_and_holds_data() {
    for kind in MediumKind::OVERWRITABLE {
        let mut drive = ready(VirtualDisc::in_memory(kind));
        drive.format_unit(&ordinary_format(kind)).unwrap();
        assert_eq!(drive.block_count().unwrap(), kind.capacity(), "{kind}");
        assert_eq!(
            drive.format_capacities().unwrap().current,
            FormattedCapacity::Formatted(kind.capacity())
        );
        let last = kind.capacity().get() - 1;
        drive.write(Lba::new(last), &blocks(1, 1)).unwrap();
        drive.synchronize_cache().unwrap();
        assert_eq!(first_byte(&mut drive, last), 1);
        assert_eq!(first_byte(&mut drive, last - 1), 0);
    }
}

/// Each way that a drive lists can be used, and gives the capacity that it promises.
#[test]
fn every_listed_way_gives_its_capacity() {
    for kind in MediumKind::OVERWRITABLE {
        let ways = drive(kind).format_capacities().unwrap().formattable;
        assert!(!ways.is_empty());
        for descriptor in ways {
            let mut drive = drive(kind);
            drive.write(Lba::ZERO, &blocks(1, 1)).unwrap();
            let parameters = FormatParameters {
                immediate: false,
                no_certification: false,
                options_valid: false,
                descriptor,
            };
            drive.format_unit(&parameters).unwrap();
            assert_eq!(drive.block_count().unwrap(), descriptor.blocks, "{kind}");
            assert_eq!(first_byte(&mut drive, 0), 0, "the old content is gone");
        }
    }
}

#[test]
fn spare_areas_of_bd_re() {
    let kind = MediumKind::BdRe;
    for (parameter, blocks) in [
        (0x3000, 11_826_176),
        (0x5000, 11_564_032),
        (0x1000, 12_088_320),
        (0, 12_088_320), // the capacity alone says it
    ] {
        let mut drive = ready(VirtualDisc::in_memory(kind));
        let parameters = format(FormatKind::BD_RE_SPARE, blocks, parameter);
        drive.format_unit(&parameters).unwrap();
        assert_eq!(
            drive.read_capacity().unwrap().last_lba,
            Lba::new(blocks - 1)
        );
    }
    let mut drive = ready(VirtualDisc::in_memory(kind));
    let none = format(FormatKind::BD_RE_NO_SPARE, 12_219_392, 0x800);
    drive.format_unit(&none).unwrap();
    assert_eq!(drive.block_count().unwrap(), kind.blocks_max());
}

#[test]
fn an_immediate_format_reports_its_progress() {
    let kind = MediumKind::BdRe;
    let mut drive = ready(VirtualDisc::in_memory(kind));
    let parameters = FormatParameters {
        immediate: true,
        ..ordinary_format(kind)
    };
    drive.format_unit(&parameters).unwrap();
    let busy = drive.test_unit_ready().unwrap_err();
    assert!(busy.is(&Sense::FORMAT_IN_PROGRESS), "{busy}");
    for busy in [
        drive.disc_information().unwrap_err(),
        drive.read_capacity().unwrap_err(),
        drive.write(Lba::ZERO, &blocks(0, 1)).unwrap_err(),
    ] {
        assert!(busy.is(&Sense::FORMAT_IN_PROGRESS), "{busy}");
    }
    drive.inquiry().unwrap();
    drive.configuration().unwrap();
    assert!(
        drive
            .request_sense()
            .unwrap()
            .is(&Sense::FORMAT_IN_PROGRESS)
    );

    let mut seen = Vec::new();
    drive
        .wait_until_ready(Duration::from_mins(10), &mut |progress| {
            seen.extend(progress);
        })
        .unwrap();
    assert!(seen.len() >= 40 && seen.is_sorted(), "{seen:?}");
    assert_eq!(drive.block_count().unwrap(), kind.capacity());
    assert_eq!(drive.request_sense().unwrap(), Sense::NONE);
}

#[test]
fn waiting_for_a_format_ends_at_its_limit() {
    let kind = MediumKind::BdRe;
    let mut drive = ready(VirtualDisc::in_memory(kind));
    let parameters = FormatParameters {
        immediate: true,
        ..ordinary_format(kind)
    };
    drive.format_unit(&parameters).unwrap();
    let error = drive
        .wait_until_ready(Duration::from_secs(5), &mut |_| {})
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the drive was not ready after 5 s: not ready: logical unit not ready, format in \
         progress (2/04/04), 11 % done"
    );
}

#[test]
fn power_lost_while_formatting_leaves_nothing() {
    for kind in [MediumKind::DvdRam, MediumKind::BdRe] {
        let mut drive = drive(kind);
        drive.write(Lba::ZERO, &blocks(1, 64)).unwrap();
        drive.synchronize_cache().unwrap();
        let parameters = FormatParameters {
            immediate: true,
            ..ordinary_format(kind)
        };
        drive.format_unit(&parameters).unwrap();
        drive
            .power_cut(|_| unreachable!("nothing is buffered"))
            .unwrap();
        drive.power_on();
        drive
            .wait_until_ready(Duration::from_mins(1), &mut |_| {})
            .unwrap();
        let mut block = blocks(0, 1);
        let corrupted = Sense::MEDIUM_FORMAT_CORRUPTED;
        assert!(
            drive
                .read(Lba::ZERO, &mut block)
                .unwrap_err()
                .is(&corrupted)
        );
        assert!(drive.write(Lba::ZERO, &block).unwrap_err().is(&corrupted));
        let current = drive.format_capacities().unwrap().current;
        assert!(matches!(current, FormattedCapacity::Unformatted(_)));
        drive.format_unit(&ordinary_format(kind)).unwrap();
        assert_eq!(first_byte(&mut drive, 0), 0);
    }
}

fn background(drive: &mut impl DriveExt) -> BackgroundFormat {
    drive.disc_information().unwrap().background_format
}

#[test]
fn dvd_plus_rw_is_formatted_in_the_background() {
    let kind = MediumKind::DvdPlusRw;
    let mut drive = ready(VirtualDisc::in_memory(kind));
    assert_eq!(background(&mut drive), BackgroundFormat::None);
    drive.format_unit(&ordinary_format(kind)).unwrap();
    assert_eq!(background(&mut drive), BackgroundFormat::Running);

    // Blocks can be written at once, anywhere.
    drive.write(Lba::new(2_000_000), &blocks(7, 16)).unwrap();
    drive.synchronize_cache().unwrap();
    drive.wait(Duration::from_mins(1));
    assert_eq!(background(&mut drive), BackgroundFormat::Running);
    drive.close(CloseFunction::StopFormat, 0).unwrap();
    assert_eq!(background(&mut drive), BackgroundFormat::Stopped);
    let stopped = drive.disc().unwrap().state().background;
    assert!(matches!(stopped, Background::Stopped(passed) if passed > BlockCount::ZERO));
    drive.wait(Duration::from_hours(1));
    assert_eq!(drive.disc().unwrap().state().background, stopped);

    let restart = format(FormatKind::DVD_PLUS_RW, u32::MAX, 1);
    drive.format_unit(&restart).unwrap();
    assert_eq!(background(&mut drive), BackgroundFormat::Running);
    drive.wait(Duration::from_hours(1));
    assert_eq!(background(&mut drive), BackgroundFormat::Complete);
    let event = drive.media_event().unwrap().event;
    assert!(matches!(
        event,
        Some(ClassEvent::Media(status)) if status.event == MediaEvent::FormatCompleted
    ));
    assert_eq!(
        first_byte(&mut drive, 2_000_015),
        7,
        "data outlive the format"
    );
}

#[test]
fn a_power_cut_loses_the_place_of_a_background_format() {
    let kind = MediumKind::DvdPlusRw;
    let mut drive = ready(VirtualDisc::in_memory(kind));
    drive.format_unit(&ordinary_format(kind)).unwrap();
    drive.write(Lba::new(160), &blocks(3, 16)).unwrap();
    drive.synchronize_cache().unwrap();
    drive.wait(Duration::from_mins(1));
    drive
        .power_cut(|_| unreachable!("nothing is buffered"))
        .unwrap();
    let state = drive.disc().unwrap().state();
    assert_eq!(state.background, Background::Stopped(BlockCount::ZERO));
    assert_eq!(state.format, FormatState::Formatted(kind.capacity()));
    let mut block = blocks(0, 1);
    drive
        .disc()
        .unwrap()
        .read_blocks(Lba::new(170), &mut block)
        .unwrap();
    assert_eq!(block, blocks(3, 1));
}

#[test]
fn ending_the_format_of_a_dvd_plus_rw() {
    let kind = MediumKind::DvdPlusRw;
    for (function, expected) in [
        (CloseFunction::Session, BackgroundFormat::Stopped),
        (CloseFunction::SessionComplete, BackgroundFormat::Complete),
    ] {
        let mut drive = ready(VirtualDisc::in_memory(kind));
        drive.format_unit(&ordinary_format(kind)).unwrap();
        let before = drive.modelled_time();
        drive.close(function, 0).unwrap();
        assert_eq!(background(&mut drive), expected);
        let took = drive.modelled_time().checked_sub(before).unwrap();
        assert!(took >= drive.profile().mechanics.close);
    }
    let mut drive = ready(VirtualDisc::in_memory(kind));
    drive.format_unit(&ordinary_format(kind)).unwrap();
    drive.start_stop(StartStop::Eject).unwrap();
    let state = drive.disc().unwrap().state();
    assert!(matches!(state.background, Background::Stopped(_)));
}
