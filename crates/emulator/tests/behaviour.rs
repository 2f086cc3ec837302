//! How the drive behaves besides moving blocks: attentions, motion, events, speed, replies.

mod common;

use std::time::Duration;

use common::{blocks, drive, first_byte, ready, reply, sense_of};
use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_drive::{Data, Drive, DriveExt, TransportError};
use reburn_emulator::{DriveProfile, Emulator, Fate, MediumKind, VirtualDisc};
use reburn_mmc::command::{Command, Inquiry, MediaType};
use reburn_mmc::command::{
    DiscInformationType, FeatureScope, GetConfiguration, GetPerformance, ModeSelect, ModeSense,
    PageControl, PerformanceType, ReadBufferCapacity, ReadDiscInformation, ReadDiscStructure,
    ReadFormatCapacities, ReadToc, ReadTrackInformation, StartStop, StartStopUnit,
    SynchronizeCache, TocFormat, TrackAddress,
};
use reburn_mmc::reply::{
    ClassEvent, Feature, MediaEvent, MediaEventStatus, ModePage, ModeParameters,
    StreamingDescriptor,
};
use reburn_mmc::{Profile, Sense, Speed};

fn event(drive: &mut Emulator) -> MediaEventStatus {
    match drive.media_event().unwrap().event {
        Some(ClassEvent::Media(status)) => status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn power_on_is_reported_once_but_not_by_inquiry() {
    let mut drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::BdRe));
    drive.inquiry().unwrap();
    drive.configuration().unwrap();
    drive.media_event().unwrap();
    let error = drive.read_capacity().unwrap_err();
    assert!(error.is(&Sense::POWER_ON_RESET), "{error}");
    drive.read_capacity().unwrap();

    let mut drive = Emulator::with_disc(VirtualDisc::formatted(MediumKind::BdRe));
    assert_eq!(drive.request_sense().unwrap(), Sense::POWER_ON_RESET);
    drive.test_unit_ready().unwrap();
}

#[test]
fn a_new_medium_becomes_ready_and_is_reported() {
    let mut drive = Emulator::new(DriveProfile::default());
    drive.clear_attentions().unwrap();
    drive.insert(VirtualDisc::formatted(MediumKind::DvdRam));
    assert!(
        drive
            .test_unit_ready()
            .unwrap_err()
            .is(&Sense::BECOMING_READY)
    );
    assert!(
        drive
            .read_capacity()
            .unwrap_err()
            .is(&Sense::BECOMING_READY)
    );
    drive.wait(Duration::from_secs(8));
    assert_eq!(
        event(&mut drive),
        MediaEventStatus {
            event: MediaEvent::NewMedia,
            present: true,
            tray_open: false,
        }
    );
    assert_eq!(event(&mut drive).event, MediaEvent::None, "told once");
    assert!(
        drive
            .test_unit_ready()
            .unwrap_err()
            .is(&Sense::MEDIUM_CHANGED)
    );
    drive.test_unit_ready().unwrap();
    assert_eq!(drive.block_count().unwrap(), MediumKind::DvdRam.capacity());
}

#[test]
fn ejecting_and_loading() {
    let mut drive = drive(MediumKind::BdRe);
    drive.write(Lba::ZERO, &blocks(1, 1)).unwrap();
    drive.prevent_removal(true).unwrap();
    let refused = drive.start_stop(StartStop::Eject).unwrap_err();
    assert!(refused.is(&Sense::REMOVAL_PREVENTED));
    drive.press_eject();
    assert_eq!(event(&mut drive).event, MediaEvent::EjectRequest);
    drive.test_unit_ready().unwrap();

    drive.prevent_removal(false).unwrap();
    drive.start_stop(StartStop::Eject).unwrap();
    let gone = event(&mut drive);
    assert_eq!(
        (gone.event, gone.present, gone.tray_open),
        (MediaEvent::MediaRemoval, false, true)
    );
    let profile = drive.configuration().unwrap().current_profile;
    assert_eq!(profile, Profile::NONE);
    drive.start_stop(StartStop::Load).unwrap();
    assert!(
        drive
            .test_unit_ready()
            .unwrap_err()
            .is(&Sense::MEDIUM_CHANGED)
    );
    assert_eq!(
        first_byte(&mut drive, 0),
        1,
        "ejecting emptied the buffer first"
    );

    drive.press_eject();
    let disc = drive.take_disc().unwrap();
    assert_eq!(disc.kind(), MediumKind::BdRe);
    assert!(drive.take_disc().is_none());
}

#[test]
fn loading_at_once_goes_on_beside_commands() {
    let mut drive = drive(MediumKind::BdRe);
    drive.start_stop(StartStop::Eject).unwrap();
    let load = StartStopUnit {
        immediate: true,
        action: StartStop::Load,
    };
    drive.command(load, Data::None).unwrap();
    assert!(
        drive
            .test_unit_ready()
            .unwrap_err()
            .is(&Sense::BECOMING_READY)
    );
    drive
        .wait_until_ready(Duration::from_secs(30), &mut |_| {})
        .unwrap();
}

#[test]
fn without_power_nothing_answers() {
    let mut drive = drive(MediumKind::BdRe);
    drive.prevent_removal(true).unwrap();
    drive.power_cut(|_| Fate::Old).unwrap();
    let cdb = Command::from(Inquiry {
        page: None,
        allocation: 36,
    })
    .encode();
    let error = drive.execute(&cdb, Data::None).unwrap_err();
    assert!(matches!(error, TransportError::Lost(_)));
    assert_eq!(
        error.to_string(),
        "the drive does not answer: the drive has no power"
    );
    drive.power_on();
    assert!(
        drive
            .test_unit_ready()
            .unwrap_err()
            .is(&Sense::POWER_ON_RESET)
    );
    assert!(
        drive
            .test_unit_ready()
            .unwrap_err()
            .is(&Sense::BECOMING_READY)
    );
    drive
        .wait_until_ready(Duration::from_secs(30), &mut |_| {})
        .unwrap();
    drive.start_stop(StartStop::Eject).unwrap(); // the lock is gone
}

#[test]
fn a_flush_at_once_is_durable_when_it_is_over() {
    let mut drive = drive(MediumKind::DvdPlusRw);
    drive.write(Lba::ZERO, &blocks(1, 160)).unwrap();
    let at_once = SynchronizeCache {
        immediate: true,
        ..SynchronizeCache::ALL
    };
    drive.command(at_once, Data::None).unwrap();
    assert!(
        drive
            .test_unit_ready()
            .unwrap_err()
            .is(&Sense::OPERATION_IN_PROGRESS)
    );
    assert!(
        drive
            .disc_information()
            .unwrap_err()
            .is(&Sense::OPERATION_IN_PROGRESS)
    );
    let mut cut = drive.snapshot().unwrap();
    cut.power_cut(|_| Fate::Old).unwrap();
    assert_eq!(cut.disc().unwrap().unreadable().count(), 0);
    cut.power_on();
    cut.wait(Duration::from_mins(1));
    cut.clear_attentions().unwrap();
    assert_eq!(first_byte(&mut cut, 0), 0, "it was still running");

    drive
        .wait_until_ready(Duration::from_secs(30), &mut |_| {})
        .unwrap();
    drive
        .power_cut(|_| unreachable!("nothing is buffered"))
        .unwrap();
    drive.power_on();
    drive.wait(Duration::from_mins(1));
    drive.clear_attentions().unwrap();
    assert_eq!(first_byte(&mut drive, 159), 1);
}

#[test]
fn a_drive_may_say_it_is_ready_while_it_flushes() {
    let profile = DriveProfile {
        ready_tells_of_flush: false,
        ..DriveProfile::default()
    };
    let disc = VirtualDisc::formatted(MediumKind::DvdPlusRw);
    let mut drive = Emulator::with_profile(profile, disc);
    drive.clear_attentions().unwrap();
    drive.write(Lba::ZERO, &blocks(1, 160)).unwrap();
    let at_once = SynchronizeCache {
        immediate: true,
        ..SynchronizeCache::ALL
    };
    drive.command(at_once, Data::None).unwrap();
    drive.test_unit_ready().unwrap();
    assert!(
        drive
            .disc_information()
            .unwrap_err()
            .is(&Sense::OPERATION_IN_PROGRESS)
    );
}

#[test]
fn replies_honour_the_allocation_length() {
    let commands: [fn(u16) -> Command; 8] = [
        |allocation| {
            Inquiry {
                page: None,
                allocation,
            }
            .into()
        },
        |allocation| {
            GetConfiguration {
                scope: FeatureScope::All,
                start: 0,
                allocation,
            }
            .into()
        },
        |allocation| {
            let kind = DiscInformationType::Standard;
            ReadDiscInformation { kind, allocation }.into()
        },
        |allocation| {
            let address = TrackAddress::Track(1);
            ReadTrackInformation {
                address,
                open: false,
                allocation,
            }
            .into()
        },
        |allocation| ReadFormatCapacities { allocation }.into(),
        |allocation| {
            ReadBufferCapacity {
                in_blocks: false,
                allocation,
            }
            .into()
        },
        |allocation| {
            ReadToc {
                msf: false,
                format: TocFormat::Tracks,
                first: 0,
                allocation,
            }
            .into()
        },
        |allocation| {
            let control = PageControl::Current;
            ModeSense {
                control,
                page: 0x3f,
                no_descriptors: true,
                allocation,
            }
            .into()
        },
    ];
    for kind in MediumKind::OVERWRITABLE {
        let mut drive = drive(kind);
        for command in commands {
            let whole = reply(&mut drive, command(u16::MAX)).unwrap();
            for len in [0, 1, 4, 8, whole.len() - 1, whole.len(), whole.len() + 1] {
                let allocation = u16::try_from(len).unwrap();
                let part = reply(&mut drive, command(allocation)).unwrap();
                assert_eq!(part, whole[..len.min(whole.len())], "{}", command(0).name());
            }
        }
    }
}

#[test]
fn features_follow_the_medium() {
    for (kind, expected) in [
        (MediumKind::DvdPlusRw, [true, true, false, true, false]),
        (MediumKind::DvdRam, [true, true, true, false, false]),
        (MediumKind::BdRe, [true, true, true, false, true]),
    ] {
        let configuration = drive(kind).configuration().unwrap();
        let profile = match kind {
            MediumKind::DvdPlusRw => Profile::DVD_PLUS_RW,
            MediumKind::DvdRam => Profile::DVD_RAM,
            _ => Profile::BD_RE,
        };
        assert_eq!(configuration.current_profile, profile);
        let current = [
            Feature::RANDOM_WRITABLE,
            Feature::FORMATTABLE,
            Feature::DEFECT_MANAGEMENT,
            0x002a,
            0x0041,
        ]
        .map(|code| configuration.is_current(code));
        assert_eq!(current, expected, "{kind}");
        let codes: Vec<_> = configuration
            .features
            .iter()
            .map(|descriptor| descriptor.feature.code())
            .collect();
        assert!(codes.is_sorted());
        match &configuration
            .feature(Feature::RANDOM_WRITABLE)
            .unwrap()
            .feature
        {
            Feature::RandomWritable {
                last_lba, blocking, ..
            } => {
                assert_eq!(last_lba.get() + 1, kind.capacity().get());
                assert_eq!(*blocking, kind.write_unit());
            }
            other => panic!("{other:?}"),
        }
    }
    let mut blank = ready(VirtualDisc::in_memory(MediumKind::BdRe));
    let configuration = blank.configuration().unwrap();
    assert!(!configuration.is_current(Feature::RANDOM_WRITABLE));
    assert!(configuration.is_current(Feature::FORMATTABLE));
}

#[test]
fn one_feature_can_be_asked_for() {
    let mut drive = drive(MediumKind::BdRe);
    let command = GetConfiguration {
        scope: FeatureScope::One,
        start: Feature::RANDOM_WRITABLE,
        allocation: 32,
    };
    let bytes = reply(&mut drive, command).unwrap();
    assert_eq!(
        bytes,
        [
            0, 0, 0, 20, 0, 0, 0, 0x43, // header
            0, 0x20, 5, 12, 0, 0xb4, 0x73, 0xff, 0, 0, 8, 0, 0, 32, 1, 0,
        ]
    );
}

#[test]
fn tables_of_contents_are_made_up() {
    let mut drive = drive(MediumKind::DvdPlusRw);
    // The kernel's question: format 1 in the last byte.
    let mut room = [0; 12];
    let cdb = [0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40];
    assert_eq!(sense_of(&mut drive, &cdb, Data::In(&mut room)), None);
    assert_eq!(room, [0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0]);
    let tracks = ReadToc {
        msf: false,
        format: TocFormat::Tracks,
        first: 0,
        allocation: 64,
    };
    let expected = [
        0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0x23, 5, 0x40,
    ];
    assert_eq!(reply(&mut drive, tracks).unwrap(), expected);
}

#[test]
fn structures_of_the_disc() {
    let structure = |media, format| ReadDiscStructure {
        media,
        address: 0,
        layer: 0,
        format,
        allocation: u16::MAX,
    };
    let mut plus_rw = drive(MediumKind::DvdPlusRw);
    let physical = reply(&mut plus_rw, structure(MediaType::Dvd, 0)).unwrap();
    assert_eq!(physical[..4], [8, 2, 0, 0]);
    assert_eq!(physical[4] >> 4, 9, "the book type of DVD+RW");
    let mut bd_re = drive(MediumKind::BdRe);
    let information = reply(&mut bd_re, structure(MediaType::BluRay, 0)).unwrap();
    assert_eq!(information.len(), 4100);
    assert_eq!(information[4..6], *b"DI");
    let spare = reply(&mut bd_re, structure(MediaType::BluRay, 0x0a)).unwrap();
    assert_eq!(spare[8..12], 0x3000u32.to_be_bytes());
    let wrong = reply(&mut bd_re, structure(MediaType::Dvd, 0));
    assert_eq!(wrong, Err(Sense::INVALID_FIELD_IN_CDB));
}

#[test]
fn the_buffer_fills_and_empties() {
    let mut drive = drive(MediumKind::DvdPlusRw);
    let total = 0x11_8000;
    let before = drive.buffer_capacity().unwrap();
    assert_eq!((before.total, before.blank), (total, total));
    drive.write(Lba::new(8), &blocks(1, 16)).unwrap();
    let during = drive.buffer_capacity().unwrap();
    assert_eq!(
        during.blank,
        total - 2 * 32 * 1024,
        "two write units were touched"
    );
    assert_eq!(drive.buffered().len(), 2);
    for chunk in 0..20 {
        drive.write(Lba::new(chunk * 32), &blocks(2, 32)).unwrap();
    }
    assert_eq!(drive.buffered().len(), 35, "no more than fit");
    drive.synchronize_cache().unwrap();
    assert_eq!(drive.buffer_capacity().unwrap().blank, total);
}

#[test]
fn an_idle_drive_empties_its_buffer() {
    let mut drive = drive(MediumKind::BdRe);
    drive.write(Lba::ZERO, &blocks(1, 1)).unwrap();
    drive.wait(Duration::from_secs(1));
    assert_eq!(drive.buffered().len(), 1);
    drive.wait(Duration::from_secs(5));
    assert_eq!(drive.buffered().len(), 0);
}

#[test]
fn speeds_can_be_listed_and_chosen() {
    let mut drive = drive(MediumKind::BdRe);
    let listed: Vec<_> = drive
        .write_speeds()
        .unwrap()
        .iter()
        .map(|speed| speed.write_speed)
        .collect();
    assert_eq!(listed, [Speed::BD_1X.times(2), Speed::BD_1X]);

    let timed = |drive: &mut Emulator| {
        let before = drive.modelled_time();
        drive.write(Lba::ZERO, &blocks(1, 3200)).unwrap();
        drive.synchronize_cache().unwrap();
        drive.modelled_time().checked_sub(before).unwrap()
    };
    let fast = timed(&mut drive);
    drive
        .set_speed(Speed::MAX, Speed::from_kilobytes(5000))
        .unwrap();
    let current = |drive: &mut Emulator| match drive.mode_page(0x2a).unwrap() {
        Some(ModePage::Capabilities(page)) => (page.read_speed, page.write_speed),
        other => panic!("{other:?}"),
    };
    assert_eq!(current(&mut drive), (Speed::BD_1X.times(6), Speed::BD_1X));
    let slow = timed(&mut drive);
    assert!(slow > fast.mul_f64(1.6), "{fast:?} at 2x, {slow:?} at 1x");

    let streaming = StreamingDescriptor::for_speeds(
        Lba::new(1000),
        Speed::BD_1X.times(2),
        Speed::BD_1X.times(2),
    );
    let cdb = [0xb6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 28, 0];
    let sense = sense_of(&mut drive, &cdb, Data::Out(&streaming.encode()));
    assert_eq!(sense, None);
    assert_eq!(
        current(&mut drive),
        (Speed::BD_1X.times(2), Speed::BD_1X.times(2))
    );
    let nominal = GetPerformance {
        kind: PerformanceType::Performance {
            write: false,
            exceptions: 0,
        },
        lba: Lba::ZERO,
        descriptors: 1,
    };
    let bytes = reply(&mut drive, nominal).unwrap();
    assert_eq!(bytes.len(), 24);
    assert_eq!(bytes[12..16], 8990u32.to_be_bytes());
}

#[test]
fn mode_pages_can_be_set_until_a_reset() {
    let mut drive = drive(MediumKind::BdRe);
    let retries = |drive: &mut Emulator| match drive.mode_page(1).unwrap() {
        Some(ModePage::Recovery(page)) => page.read_retries,
        other => panic!("{other:?}"),
    };
    assert_eq!(retries(&mut drive), 32);
    let mut list = ModeParameters {
        write_protected: false,
        pages: vec![drive.mode_page(1).unwrap().unwrap()],
    };
    if let ModePage::Recovery(page) = &mut list.pages[0] {
        page.read_retries = 3;
    }
    let bytes = list.encode();
    let command = ModeSelect {
        save: false,
        list_length: u16::try_from(bytes.len()).unwrap(),
    };
    drive.command(command, Data::Out(&bytes)).unwrap();
    assert_eq!(retries(&mut drive), 3);
    drive.power_cut(|_| Fate::Old).unwrap();
    drive.power_on();
    drive.wait(Duration::from_secs(30));
    drive.clear_attentions().unwrap();
    assert_eq!(retries(&mut drive), 32);
}

#[test]
fn a_read_into_less_room_is_cut_to_whole_blocks() {
    let mut drive = drive(MediumKind::BdRe);
    drive.write(Lba::ZERO, &blocks(6, 4)).unwrap();
    let mut room = vec![0; 2 * BLOCK_SIZE + 100];
    let cdb = reburn_mmc::Cdb::new(&[0x28, 0, 0, 0, 0, 0, 0, 0, 4, 0]).unwrap();
    let reply = drive.execute(&cdb, Data::In(&mut room)).unwrap();
    assert_eq!((reply.transferred, reply.sense), (2 * BLOCK_SIZE, None));
    assert_eq!(room[2 * BLOCK_SIZE..], [0; 100]);
    let wrong_way = drive.execute(&cdb, Data::Out(&room)).unwrap_err();
    assert!(matches!(wrong_way, TransportError::Data { .. }));
    let write = reburn_mmc::Cdb::new(&[0x2a, 0, 0, 0, 0, 0, 0, 0, 4, 0]).unwrap();
    let too_short = drive.execute(&write, Data::Out(&room)).unwrap_err();
    assert!(matches!(too_short, TransportError::Data { .. }));
}
