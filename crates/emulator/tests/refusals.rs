//! What each medium in each state refuses, with the exact sense.
//!
//! The tables are text: a name, the command's bytes, what comes with it (room for a reply,
//! blocks, a parameter list), and the figures of the sense, or `good`.

mod common;

use common::{blocks, drive, first_byte, ready, sense_of};
use reburn_drive::{Data, DriveExt};
use reburn_emulator::{DriveProfile, Emulator, MediumKind, VirtualDisc};
use reburn_mmc::Sense;
use reburn_mmc::command::StartStop;

/// Gives a drive every command of a table.
#[track_caller]
fn check(drive: &mut Emulator, state: &str, table: &str) {
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [name, cdb, sent, expected] = cells[..] else {
            panic!("not four cells: {line}");
        };
        assert_eq!(answer(drive, &hex(cdb), sent), expected, "{name}, {state}");
    }
}

/// The figures that the drive answers a command with, or `good`.
fn answer(drive: &mut Emulator, cdb: &[u8], sent: &str) -> String {
    let (what, size) = sent.split_once(' ').unwrap_or((sent, ""));
    let mut bytes = match what {
        "nothing" => Vec::new(),
        "room" => vec![0; size.parse().unwrap()],
        "blocks" => blocks(1, size.parse().unwrap()),
        "list" => hex(size),
        other => panic!("nobody sends {other}"),
    };
    let data = match what {
        "nothing" => Data::None,
        "room" => Data::In(&mut bytes),
        _ => Data::Out(&bytes),
    };
    match sense_of(drive, cdb, data) {
        None => "good".into(),
        Some(sense) => format!("{:x}/{:02x}/{:02x}", sense.key as u8, sense.asc, sense.ascq),
    }
}

/// Bytes written as hexadecimal; `xN` repeats the byte before it N times in all.
fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in text.split_whitespace() {
        if let Some(times) = word.strip_prefix('x') {
            let last = *bytes.last().unwrap();
            bytes.extend(vec![last; times.parse::<usize>().unwrap() - 1]);
        } else {
            bytes.push(u8::from_str_radix(word, 16).unwrap());
        }
    }
    bytes
}

/// What no drive takes, whatever is in it.
const NONSENSE: &str = "
    unknown command          | c5 00 00 00 00 00             | nothing                   | 5/20/00
    MODE SENSE (6)           | 1a 00 3f 00 04 00             | room 4                    | 5/20/00
    READ BUFFER              | 3c 02 00 00 00 00 00 10 00 00 | room 4096                 | 5/24/00
    INQUIRY of a page        | 12 01 80 00 ff 00             | room 255                  | 5/24/00
    GET CONFIGURATION, scope | 46 03 00 00 00 00 00 00 08 00 | room 8                    | 5/24/00
    events not polled        | 4a 00 00 00 10 00 00 00 08 00 | room 8                    | 5/24/00
    saved pages              | 5a 00 ff 00 00 00 00 00 40 00 | room 64                   | 5/39/00
    page 33h                 | 5a 00 33 00 00 00 00 00 40 00 | room 64                   | 5/24/00
    select another type      | 55 10 00 00 00 00 00 00 3c 00 | list 00 x8 05 32 01 00 x49 | 5/26/00
    select capabilities      | 55 10 00 00 00 00 00 00 0c 00 | list 00 x8 2a 02 00 00    | 5/26/00
    select, cut short        | 55 10 00 00 00 00 00 00 14 00 | list 00 x8 01 0a          | 5/1a/00
    select, to be saved      | 55 11 00 00 00 00 00 00 08 00 | list 00 x8                | 5/24/00
    select, no page format   | 55 00 00 00 00 00 00 00 08 00 | list 00 x8                | 5/24/00
";

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
    const TABLE: &str = "
        TEST UNIT READY        | 00 00 00 00 00 00                   | nothing     | 2/3a/0?
        READ CAPACITY          | 25 00 00 00 00 00 00 00 00 00       | room 8      | 2/3a/0?
        READ                   | 28 00 00 00 00 00 00 00 01 00       | room 2048   | 2/3a/0?
        WRITE                  | 2a 00 00 00 00 00 00 00 01 00       | blocks 1    | 2/3a/0?
        VERIFY                 | 2f 00 00 00 00 00 00 00 01 00       | nothing     | 2/3a/0?
        SYNCHRONIZE CACHE      | 35 00 00 00 00 00 00 00 00 00       | nothing     | 2/3a/0?
        READ TOC               | 43 00 00 00 00 00 00 00 0c 00       | room 12     | 2/3a/0?
        READ DISC INFORMATION  | 51 00 00 00 00 00 00 00 22 00       | room 34     | 2/3a/0?
        READ TRACK INFORMATION | 52 01 00 00 00 01 00 00 30 00       | room 48     | 2/3a/0?
        SEND OPC               | 54 01 00 00 00 00 00 00 00 00       | nothing     | 2/3a/0?
        RESERVE TRACK          | 53 00 00 00 00 00 00 00 10 00       | nothing     | 2/3a/0?
        REPAIR TRACK           | 58 00 00 00 00 01 00 00 00 00       | nothing     | 2/3a/0?
        CLOSE SESSION          | 5b 00 02 00 00 00 00 00 00 00       | nothing     | 2/3a/0?
        FORMAT UNIT            | 04 11 00 00 00 00                   | list 00 x12 | 2/3a/0?
        BLANK                  | a1 00 00 00 00 00 00 00 00 00 00 00 | nothing     | 2/3a/0?
        GET PERFORMANCE        | ac 00 00 00 00 00 00 00 00 01 03 00 | room 24     | 2/3a/0?
        READ DISC STRUCTURE    | ad 01 00 00 00 00 00 00 00 04 00 00 | room 4      | 2/3a/0?
        START                  | 1b 00 00 00 01 00                   | nothing     | 2/3a/0?
        READ FORMAT CAPACITIES | 23 00 00 00 00 00 00 00 0c 00       | room 12     | good
        READ BUFFER CAPACITY   | 5c 00 00 00 00 00 00 00 0c 00       | room 12     | good
        GET CONFIGURATION      | 46 00 00 00 00 00 00 00 08 00       | room 8      | good
        MECHANISM STATUS       | bd 00 00 00 00 00 00 00 00 08 00 00 | room 8      | good
        SET CD SPEED           | bb 00 ff ff ff ff 00 00 00 00 00 00 | nothing     | good
        PREVENT ALLOW          | 1e 00 00 00 00 00                   | nothing     | good
    ";
    let mut drive = Emulator::new(DriveProfile::default());
    drive.clear_attentions().unwrap();
    check(&mut drive, "closed", &TABLE.replace('?', "1"));
    drive.start_stop(StartStop::Eject).unwrap();
    check(&mut drive, "open", &TABLE.replace('?', "2"));
    let load = drive.start_stop(StartStop::Load).unwrap_err();
    assert!(load.is(&Sense::NO_MEDIUM_TRAY_CLOSED));
}

#[test]
fn unformatted_media() {
    const TABLE: &str = "
        TEST UNIT READY        | 00 00 00 00 00 00             | nothing   | good
        READ CAPACITY          | 25 00 00 00 00 00 00 00 00 00 | room 8    | good
        READ                   | 28 00 00 00 00 00 00 00 01 00 | room 2048 | 5/21/00
        READ of no block       | 28 00 00 00 00 00 00 00 00 00 | nothing   | 5/21/00
        VERIFY                 | 2f 00 00 00 00 00 00 00 01 00 | nothing   | 5/21/00
        WRITE                  | 2a 00 00 00 00 00 00 00 01 00 | blocks 1  | 5/30/05
        WRITE AND VERIFY       | 2e 00 00 00 00 00 00 00 01 00 | blocks 1  | 5/30/05
        SYNCHRONIZE CACHE      | 35 00 00 00 00 00 00 00 00 00 | nothing   | good
        READ DISC INFORMATION  | 51 00 00 00 00 00 00 00 22 00 | room 34   | good
        READ TRACK INFORMATION | 52 01 00 00 00 01 00 00 30 00 | room 48   | good
    ";
    for kind in MediumKind::OVERWRITABLE {
        if kind != MediumKind::DvdRam {
            check(&mut ready(VirtualDisc::in_memory(kind)), kind.name(), TABLE);
        }
    }
    let sold = ready(VirtualDisc::in_memory(MediumKind::DvdRam));
    let blocks = sold.disc().unwrap().state().blocks();
    assert_eq!(
        blocks,
        MediumKind::DvdRam.capacity(),
        "DVD-RAM is sold formatted"
    );
}

#[test]
fn a_write_protected_medium() {
    const TABLE: &str = "
        READ             | 28 00 00 00 00 00 00 00 01 00       | room 2048 | good
        WRITE (10)       | 2a 00 00 00 00 00 00 00 01 00       | blocks 1  | 7/27/00
        WRITE (12)       | aa 00 00 00 00 00 00 00 00 01 00 00 | blocks 1  | 7/27/00
        WRITE AND VERIFY | 2e 00 00 00 00 00 00 00 01 00       | blocks 1  | 7/27/00
    ";
    const FORMATS: [(MediumKind, &str); 3] = [
        (MediumKind::DvdPlusRw, "98 00 00 00"),
        (MediumKind::DvdRam, "00 00 08 00"),
        (MediumKind::BdRe, "00 00 00 00"),
    ];
    for kind in MediumKind::OVERWRITABLE {
        let mut disc = VirtualDisc::formatted(kind);
        disc.set_write_protected(true).unwrap();
        let mut drive = ready(disc);
        check(&mut drive, kind.name(), TABLE);
        assert_eq!(drive.last_writable_lba().unwrap(), None, "{kind}");
        assert_eq!(first_byte(&mut drive, 0), 0);
    }
    for (kind, way) in FORMATS {
        let mut disc = VirtualDisc::formatted(kind);
        disc.set_write_protected(true).unwrap();
        let list = format!("list 00 00 00 08 ff ff ff ff {way}");
        let table = format!("FORMAT UNIT | 04 11 00 00 00 00 | {list} | 7/27/00");
        check(&mut ready(disc), kind.name(), &table);
    }
}

#[test]
fn blocks_past_the_end() {
    for kind in MediumKind::OVERWRITABLE {
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
    const ALL: &str = "
        CD-TEXT                | 43 00 05 00 00 00 00 00 04 00       | room 4   | 5/24/00
        ATIP                   | 43 00 04 00 00 00 00 00 04 00       | room 4   | 5/24/00
        full TOC               | 43 00 02 00 00 00 00 00 04 00       | room 4   | 5/24/00
        TOC from track 2       | 43 00 00 00 00 00 02 00 04 00       | room 4   | 5/24/00
        track 2                | 52 01 00 00 00 02 00 00 30 00       | room 48  | 5/24/00
        session 2              | 52 02 00 00 00 02 00 00 30 00       | room 48  | 5/24/00
        track past the end     | 52 00 7f ff ff ff 00 00 30 00       | room 48  | 5/21/00
        track resources        | 51 01 00 00 00 00 00 00 10 00       | room 16  | 5/24/00
        pseudo-overwrites      | 51 02 00 00 00 00 00 00 10 00       | room 16  | 5/24/00
        structure 77h          | ad 00 00 00 00 00 00 77 00 04 00 00 | room 4   | 5/24/00
        performance, type 5    | ac 00 00 00 00 00 00 00 00 01 05 00 | room 24  | 5/24/00
        BLANK                  | a1 00 00 00 00 00 00 00 00 00 00 00 | nothing  | 5/30/06
        close track 1          | 5b 00 01 00 00 01 00 00 00 00       | nothing  | 5/24/00
        finalize               | 5b 00 06 00 00 00 00 00 00 00       | nothing  | 5/24/00
        byte check             | 2f 02 00 00 00 00 00 00 01 00       | nothing  | 5/24/00
        streaming, forced      | aa 08 00 00 00 00 00 00 00 01 80 00 | blocks 1 | 5/24/00
        streaming, another     | b6 00 00 00 00 00 00 00 05 00 1c 00 | list 00  | 5/24/00
        streaming, cut short   | b6 00 00 00 00 00 00 00 00 00 1c 00 | list 00  | 5/1a/00
    ";
    const CLOSE_SESSION: &str = "close session | 5b 00 02 00 00 00 00 00 00 00 | nothing |";
    for kind in MediumKind::OVERWRITABLE {
        check(&mut drive(kind), kind.name(), ALL);
        let expected = match kind {
            MediumKind::DvdPlusRw => "good",
            _ => "5/24/00",
        };
        let table = format!("{CLOSE_SESSION} {expected}");
        check(&mut drive(kind), kind.name(), &table);
    }
    let profile = DriveProfile {
        close_is_ignored: true,
        ..DriveProfile::default()
    };
    let disc = VirtualDisc::formatted(MediumKind::BdRe);
    let mut tolerant = Emulator::with_profile(profile, disc);
    tolerant.clear_attentions().unwrap();
    check(&mut tolerant, "tolerant", &format!("{CLOSE_SESSION} good"));
}

/// Format 26h is DVD+RW's alone, 01h DVD-RAM's, 30h and 31h BD-RE's.
#[test]
fn formats_of_other_media() {
    const LISTS: [(&str, &str); 9] = [
        ("26h", "00 00 00 08 ff ff ff ff 98 00 00 00"),
        ("00h", "00 00 00 08 ff ff ff ff 00 00 08 00"),
        ("01h", "00 00 00 08 ff ff ff ff 04 00 08 00"),
        (
            "30h with 4095 clusters",
            "00 00 00 08 ff ff ff ff c0 00 0f ff",
        ),
        ("30h with too many", "00 00 00 08 ff ff ff ff c0 ff ff ff"),
        ("00h of 32 blocks", "00 00 00 08 00 00 00 20 00 00 00 00"),
        ("26h of 32 blocks", "00 00 00 08 00 00 00 20 98 00 00 00"),
        ("15h", "00 00 00 08 00 00 00 00 54 00 00 00"),
        ("a list for two", "00 00 00 10 00 00 00 00 00 00 00 00"),
    ];
    for (kind, known) in [
        (MediumKind::DvdPlusRw, "26h"),
        (MediumKind::DvdRam, "none with FFFFFFFFh"),
        (MediumKind::BdRe, "00h"),
    ] {
        for (name, list) in LISTS {
            let expected = if name == known { "good" } else { "5/26/00" };
            let table = format!("{name} | 04 11 00 00 00 00 | list {list} | {expected}");
            check(&mut drive(kind), kind.name(), &table);
        }
        let short = "short list | 04 11 00 00 00 00 | list 00 00 00 08 | 5/1a/00";
        check(&mut drive(kind), kind.name(), short);
        let none = "no list | 04 00 00 00 00 00 | nothing | 5/24/00";
        check(&mut drive(kind), kind.name(), none);
    }
}
