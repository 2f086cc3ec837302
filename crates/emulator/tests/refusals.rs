//! What each medium in each state refuses, with the exact sense.

mod common;

use common::{blocks, drive, ready, sense_of};
use reburn_drive::{Data, DriveExt};
use reburn_emulator::{DriveProfile, Emulator, MediumKind, VirtualDisc};
use reburn_mmc::Sense;
use reburn_mmc::command::StartStop;

/// A command by its bytes, the data it comes with, and what the drive says to it.
type Case = (&'static str, &'static [u8], Sent, Option<Sense>);

/// What is sent with a command.
#[derive(Debug, Clone, Copy)]
enum Sent {
    Nothing,
    Room(usize),
    Blocks(usize),
    List(&'static [u8]),
}

#[track_caller]
fn check(drive: &mut Emulator, state: &str, cases: &[Case]) {
    for (name, cdb, sent, expected) in cases {
        let mut room = Vec::new();
        let out;
        let data = match sent {
            Nothing => Data::None,
            Room(len) => {
                room.resize(*len, 0);
                Data::In(&mut room)
            }
            Blocks(count) => {
                out = blocks(1, *count);
                Data::Out(&out)
            }
            List(list) => Data::Out(list),
        };
        let sense = sense_of(drive, cdb, data);
        assert_eq!(sense, *expected, "{name}, {state}");
    }
}

use Sent::{Blocks, List, Nothing, Room};

/// What no drive takes, whatever is in it.
const NONSENSE: &[Case] = &[
    (
        "unknown command",
        &[0xc5, 0, 0, 0, 0, 0],
        Nothing,
        Some(Sense::INVALID_COMMAND),
    ),
    (
        "MODE SENSE (6)",
        &[0x1a, 0, 0x3f, 0, 4, 0],
        Room(4),
        Some(Sense::INVALID_COMMAND),
    ),
    (
        "INQUIRY of a page",
        &[0x12, 1, 0x80, 0, 255, 0],
        Room(255),
        Some(Sense::INVALID_FIELD_IN_CDB),
    ),
    (
        "GET CONFIGURATION with scope 3",
        &[0x46, 3, 0, 0, 0, 0, 0, 0, 8, 0],
        Room(8),
        Some(Sense::INVALID_FIELD_IN_CDB),
    ),
    (
        "GET EVENT STATUS not polled",
        &[0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8, 0],
        Room(8),
        Some(Sense::INVALID_FIELD_IN_CDB),
    ),
    (
        "saved mode pages",
        &[0x5a, 0, 0xff, 0, 0, 0, 0, 0, 64, 0],
        Room(64),
        Some(Sense::SAVING_NOT_SUPPORTED),
    ),
    (
        "an unknown mode page",
        &[0x5a, 0, 0x33, 0, 0, 0, 0, 0, 64, 0],
        Room(64),
        Some(Sense::INVALID_FIELD_IN_CDB),
    ),
    (
        "MODE SELECT of another write type",
        &[0x55, 0x10, 0, 0, 0, 0, 0, 0, 60, 0],
        List(&{
            let mut list = [0; 60];
            list[8] = 5;
            list[9] = 0x32;
            list[10] = 1;
            list
        }),
        Some(Sense::INVALID_FIELD_IN_PARAMETERS),
    ),
    (
        "MODE SELECT of the capabilities",
        &[0x55, 0x10, 0, 0, 0, 0, 0, 0, 12, 0],
        List(&[0, 0, 0, 0, 0, 0, 0, 0, 0x2a, 2, 0, 0]),
        Some(Sense::INVALID_FIELD_IN_PARAMETERS),
    ),
    (
        "MODE SELECT cut short",
        &[0x55, 0x10, 0, 0, 0, 0, 0, 0, 20, 0],
        List(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 10]),
        Some(Sense::PARAMETER_LIST_LENGTH),
    ),
    (
        "MODE SELECT to be saved",
        &[0x55, 0x11, 0, 0, 0, 0, 0, 0, 8, 0],
        List(&[0; 8]),
        Some(Sense::INVALID_FIELD_IN_CDB),
    ),
];

#[test]
fn nonsense_is_refused_with_and_without_a_medium() {
    let mut empty = Emulator::new(DriveProfile::default());
    empty.clear_attentions().unwrap();
    check(&mut empty, "no medium", NONSENSE);
    for kind in MediumKind::ALL {
        check(&mut drive(kind), kind.name(), NONSENSE);
    }
}

#[test]
fn without_a_medium() {
    let mut drive = Emulator::new(DriveProfile::default());
    drive.clear_attentions().unwrap();
    let cases = |sense| {
        let refused = Some(sense);
        [
            ("TEST UNIT READY", &[0, 0, 0, 0, 0, 0][..], Nothing, refused),
            (
                "READ CAPACITY",
                &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                Room(8),
                refused,
            ),
            (
                "READ",
                &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0],
                Room(2048),
                refused,
            ),
            (
                "WRITE",
                &[0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0],
                Blocks(1),
                refused,
            ),
            (
                "VERIFY",
                &[0x2f, 0, 0, 0, 0, 0, 0, 0, 1, 0],
                Nothing,
                refused,
            ),
            (
                "SYNCHRONIZE CACHE",
                &[0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                Nothing,
                refused,
            ),
            (
                "READ TOC",
                &[0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0],
                Room(12),
                refused,
            ),
            (
                "READ DISC INFORMATION",
                &[0x51, 0, 0, 0, 0, 0, 0, 0, 34, 0],
                Room(34),
                refused,
            ),
            (
                "READ TRACK INFORMATION",
                &[0x52, 1, 0, 0, 0, 1, 0, 0, 48, 0],
                Room(48),
                refused,
            ),
            (
                "CLOSE SESSION",
                &[0x5b, 0, 2, 0, 0, 0, 0, 0, 0, 0],
                Nothing,
                refused,
            ),
            (
                "FORMAT UNIT",
                &[4, 0x11, 0, 0, 0, 0],
                List(&[0; 12]),
                refused,
            ),
            (
                "READ DISC STRUCTURE",
                &[0xad, 1, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0],
                Room(4),
                refused,
            ),
            (
                "READ FORMAT CAPACITIES",
                &[0x23, 0, 0, 0, 0, 0, 0, 0, 12, 0],
                Room(12),
                None,
            ),
            (
                "READ BUFFER CAPACITY",
                &[0x5c, 0, 0, 0, 0, 0, 0, 0, 12, 0],
                Room(12),
                None,
            ),
            (
                "GET CONFIGURATION",
                &[0x46, 0, 0, 0, 0, 0, 0, 0, 8, 0],
                Room(8),
                None,
            ),
            ("PREVENT ALLOW", &[0x1e, 0, 0, 0, 0, 0], Nothing, None),
        ]
    };
    check(&mut drive, "closed", &cases(Sense::NO_MEDIUM_TRAY_CLOSED));
    drive.start_stop(StartStop::Eject).unwrap();
    check(&mut drive, "open", &cases(Sense::NO_MEDIUM_TRAY_OPEN));
    let load = drive.start_stop(StartStop::Load).unwrap_err();
    assert!(load.is(&Sense::NO_MEDIUM_TRAY_CLOSED));
}

#[test]
fn unformatted_media() {
    for kind in [
        MediumKind::DvdPlusRw,
        MediumKind::BdRe,
        MediumKind::BdReDl,
        MediumKind::BdReTl,
    ] {
        let cases: &[Case] = &[
            ("TEST UNIT READY", &[0, 0, 0, 0, 0, 0], Nothing, None),
            (
                "READ CAPACITY",
                &[0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                Room(8),
                None,
            ),
            (
                "READ",
                &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0],
                Room(2048),
                Some(Sense::LBA_OUT_OF_RANGE),
            ),
            (
                "WRITE",
                &[0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0],
                Blocks(1),
                Some(Sense::CANNOT_WRITE_FORMAT),
            ),
            (
                "SYNCHRONIZE CACHE",
                &[0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                Nothing,
                None,
            ),
        ];
        check(&mut ready(VirtualDisc::in_memory(kind)), kind.name(), cases);
    }
}

#[test]
fn a_write_protected_medium() {
    for kind in MediumKind::ALL {
        let mut disc = VirtualDisc::formatted(kind);
        disc.set_write_protected(true).unwrap();
        let cases: &[Case] = &[
            ("READ", &[0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0], Room(2048), None),
            (
                "WRITE",
                &[0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0],
                Blocks(1),
                Some(Sense::WRITE_PROTECTED),
            ),
            (
                "WRITE AND VERIFY",
                &[0x2e, 0, 0, 0, 0, 0, 0, 0, 1, 0],
                Blocks(1),
                Some(Sense::WRITE_PROTECTED),
            ),
            (
                "FORMAT UNIT",
                &[4, 0x11, 0, 0, 0, 0],
                List(&[0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0x98, 0, 0, 0]),
                Some(Sense::WRITE_PROTECTED),
            ),
        ];
        let mut drive = ready(disc);
        check(&mut drive, kind.name(), cases);
        assert_eq!(drive.last_writable_lba().unwrap(), None, "{kind}");
        assert_eq!(common::first_byte(&mut drive, 0), 0);
    }
}

#[test]
fn blocks_past_the_end() {
    for kind in MediumKind::ALL {
        let mut drive = drive(kind);
        let end = kind.capacity().get();
        for (lba, count, expected) in [
            (end - 1, 1u16, None),
            (end - 1, 0, None),
            (end - 1, 2, Some(Sense::LBA_OUT_OF_RANGE)),
            (end, 0, Some(Sense::LBA_OUT_OF_RANGE)),
            (end, 1, Some(Sense::LBA_OUT_OF_RANGE)),
            (u32::MAX, 0, Some(Sense::LBA_OUT_OF_RANGE)),
        ] {
            for opcode in [0x28, 0x2a, 0x2e, 0x2f] {
                let [a, b, c, d] = lba.to_be_bytes();
                let [high, low] = count.to_be_bytes();
                let cdb = [opcode, 0, a, b, c, d, 0, high, low, 0];
                let mut bytes = blocks(0, usize::from(count));
                let data = match opcode {
                    0x28 => Data::In(&mut bytes),
                    0x2f => Data::None,
                    _ => Data::Out(&bytes),
                };
                let sense = sense_of(&mut drive, &cdb, data);
                assert_eq!(sense, expected, "{kind}: {opcode:02x} of {count} at {lba}");
            }
        }
    }
}

/// Questions that only another medium answers.
#[test]
fn fields_that_the_medium_does_not_have() {
    let refused = Some(Sense::INVALID_FIELD_IN_CDB);
    for kind in MediumKind::ALL {
        let cases: &[Case] = &[
            (
                "CD-TEXT",
                &[0x43, 0, 5, 0, 0, 0, 0, 0, 4, 0],
                Room(4),
                refused,
            ),
            ("ATIP", &[0x43, 0, 4, 0, 0, 0, 0, 0, 4, 0], Room(4), refused),
            (
                "the full TOC",
                &[0x43, 0, 2, 0, 0, 0, 0, 0, 4, 0],
                Room(4),
                refused,
            ),
            (
                "track 2",
                &[0x52, 1, 0, 0, 0, 2, 0, 0, 48, 0],
                Room(48),
                refused,
            ),
            (
                "POW resources",
                &[0x51, 2, 0, 0, 0, 0, 0, 0, 16, 0],
                Room(16),
                refused,
            ),
            (
                "an unknown structure",
                &[0xad, 0, 0, 0, 0, 0, 0, 0x77, 0, 4, 0, 0],
                Room(4),
                refused,
            ),
            (
                "performance of type 5",
                &[0xac, 0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 0],
                Room(24),
                refused,
            ),
            (
                "BLANK",
                &[0xa1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
                Nothing,
                Some(Sense::CANNOT_FORMAT_MEDIUM),
            ),
            (
                "close track 1",
                &[0x5b, 0, 1, 0, 0, 1, 0, 0, 0, 0],
                Nothing,
                refused,
            ),
            (
                "byte check",
                &[0x2f, 2, 0, 0, 0, 0, 0, 0, 1, 0],
                Nothing,
                refused,
            ),
            (
                "streaming with forced unit access",
                &[0xaa, 8, 0, 0, 0, 0, 0, 0, 0, 1, 0x80, 0],
                Blocks(1),
                refused,
            ),
        ];
        check(&mut drive(kind), kind.name(), cases);
    }
    let close_session: &[u8] = &[0x5b, 0, 2, 0, 0, 0, 0, 0, 0, 0];
    let cases: &[Case] = &[("close session", close_session, Nothing, None)];
    check(&mut drive(MediumKind::DvdPlusRw), "DVD+RW", cases);
    let cases: &[Case] = &[("close session", close_session, Nothing, refused)];
    check(&mut drive(MediumKind::DvdRam), "DVD-RAM", cases);
    check(&mut drive(MediumKind::BdRe), "BD-RE", cases);
}

/// Format 26h is DVD+RW's alone, 01h DVD-RAM's, 30h and 31h BD-RE's.
#[test]
fn formats_of_other_media() {
    let refused = Some(Sense::INVALID_FIELD_IN_PARAMETERS);
    let wrong = |name, list| (name, &[4, 0x11, 0, 0, 0, 0][..], List(list), refused);
    let dvd_plus_rw = wrong("26h", &[0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0x98, 0, 0, 0]);
    let full = wrong("00h", &[0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0, 0, 8, 0]);
    let spare = wrong("01h", &[0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 4, 0, 8, 0]);
    let few = wrong(
        "30h with 4095",
        &[0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xc0, 0, 0xf, 0xff],
    );
    let many = wrong(
        "30h with FFFFFFh",
        &[0, 0, 0, 8, 0xff, 0xff, 0xff, 0xff, 0xc0, 255, 255, 255],
    );
    let other_size = wrong("00h of 32 blocks", &[0, 0, 0, 8, 0, 0, 0, 32, 0, 0, 0, 0]);
    let quick = wrong("15h", &[0, 0, 0, 8, 0, 0, 0, 0, 0x54, 0, 0, 0]);
    let long = wrong("a list for two", &[0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0]);
    let drive_of = |kind, cases: &[Case]| check(&mut drive(kind), kind.name(), cases);
    drive_of(MediumKind::DvdPlusRw, &[full, spare, few, quick, long]);
    drive_of(
        MediumKind::DvdRam,
        &[dvd_plus_rw, few, other_size, quick, long],
    );
    drive_of(
        MediumKind::BdRe,
        &[dvd_plus_rw, spare, few, many, other_size, quick, long],
    );
    let short: &[Case] = &[(
        "a short list",
        &[4, 0x11, 0, 0, 0, 0],
        List(&[0, 0, 0, 8]),
        Some(Sense::PARAMETER_LIST_LENGTH),
    )];
    drive_of(MediumKind::BdRe, short);
    assert_eq!(
        ready(VirtualDisc::in_memory(MediumKind::DvdRam))
            .disc()
            .unwrap()
            .state()
            .blocks(),
        MediumKind::DvdRam.capacity(),
        "DVD-RAM is sold formatted"
    );
}
