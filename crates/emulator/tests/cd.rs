//! What only CDs have: tables of their lead-ins, whole sectors, sessions at once, and what comes
//! back of what was recorded.

mod common;

use std::time::Duration;

use common::script::{disc_information, step, summary};
use common::{blocks, first_byte, ready, reply, sense_of};
use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, Lba};
use reburn_drive::{Data, DriveExt};
use reburn_emulator::{DriveProfile, Emulator, MediumKind, VirtualDisc};
use reburn_mmc::command::{ReadCd, ReadCdMsf, ReadToc, SectorParts, SectorType, TocFormat};
use reburn_mmc::reply::{
    DiscInformation, DiscType, Feature, FullToc, LeadInEntry, PreGroove, ProgramMemory,
};
use reburn_mmc::{Msf, Profile, SectorAddress, Sense};

fn blank(kind: MediumKind) -> Emulator {
    ready(VirtualDisc::in_memory(kind))
}

/// Carries out lines that must all succeed.
#[track_caller]
fn run(drive: &mut Emulator, lines: &[&str]) {
    for line in lines {
        assert_eq!(step(drive, line), "good", "{line}");
    }
}

/// Two sessions, the second one open behind another closed track.
fn two_sessions() -> Emulator {
    let mut drive = blank(MediumKind::CdR);
    run(&mut drive, &["page 1 3", "write 0 300", "sync", "close 2"]);
    run(&mut drive, &["write 11702 400", "sync"]);
    drive
}

fn table(drive: &mut Emulator, format: TocFormat) -> Result<Vec<u8>, Sense> {
    let command = ReadToc {
        msf: true,
        format,
        first: 0,
        allocation: u16::MAX,
    };
    reply(drive, command)
}

#[test]
fn lead_ins_list_what_is_closed_and_program_memory_what_is_not() {
    let mut drive = two_sessions();
    let toc = FullToc::decode(&table(&mut drive, TocFormat::Full).unwrap()).unwrap();
    assert_eq!((toc.first_session, toc.last_session), (1, 1));
    let at = |lba| Msf::of(Lba::new(lba));
    let none = Msf::default();
    let entries: Vec<_> = toc
        .entries
        .iter()
        .map(|entry| (entry.adr_control, entry.point, entry.time, entry.pointed))
        .collect();
    assert_eq!(
        entries,
        [
            (0x14, LeadInEntry::FIRST_TRACK, none, Msf::new(1, 0, 0)),
            (0x14, LeadInEntry::LAST_TRACK, none, Msf::new(1, 0, 0)),
            (0x14, LeadInEntry::LEAD_OUT, none, at(302)),
            (0x14, 1, none, at(0)),
            (0x54, LeadInEntry::NEXT_SESSION, at(11_702), at(359_849)),
            (0x54, LeadInEntry::FIRST_LEAD_IN, none, Msf::new(97, 0, 0)),
        ]
    );
    let memory = ProgramMemory::decode(&table(&mut drive, TocFormat::Pma).unwrap()).unwrap();
    let [track] = memory.entries[..] else {
        panic!("{memory:?}");
    };
    assert_eq!(
        (track.point, track.pointed, track.time),
        (2, at(11_702), at(12_104))
    );
}

#[test]
fn the_groove_tells_the_capacity() {
    for (kind, rewritable) in [(MediumKind::CdR, false), (MediumKind::CdRw, true)] {
        let mut drive = blank(kind);
        let groove = PreGroove::decode(&table(&mut drive, TocFormat::Atip).unwrap()).unwrap();
        assert_eq!(groove.rewritable, rewritable);
        assert_eq!(groove.last_lead_out, Msf::new(79, 59, 74));
        let refused = Err(Sense::INVALID_FIELD_IN_CDB);
        assert_eq!(table(&mut drive, TocFormat::Full), refused, "a blank disc");
        assert_eq!(table(&mut drive, TocFormat::CdText), refused);
    }
}

#[test]
fn places_stand_in_minutes_seconds_and_frames() {
    let mut drive = two_sessions();
    let disc = disc_information(&mut drive).unwrap();
    let lead_in = Msf::of(Lba::new(11_702 - 4650));
    assert_eq!(disc.last_lead_in, lead_in.field());
    assert_eq!(disc.last_possible_lead_out, 0x004f_3b4a);
    assert_eq!(disc.disc_type, DiscType::CD_ROM);
    run(&mut drive, &["page 1 0", "close 2"]);
    let disc = disc_information(&mut drive).unwrap();
    assert_eq!(disc.last_possible_lead_out, DiscInformation::NOWHERE);
    let mut blank = blank(MediumKind::CdR);
    let disc = disc_information(&mut blank).unwrap();
    assert_eq!(disc.disc_type, DiscType::UNDEFINED);
    assert_eq!(disc.last_lead_in, Msf::new(97, 0, 0).field());
}

#[test]
fn sectors_come_whole_or_in_parts() {
    let mut drive = two_sessions();
    let whole = SectorParts {
        sync: true,
        header: true,
        sub_header: true,
        correction: true,
        ..SectorParts::USER_DATA
    };
    let read = |address, sectors, parts| ReadCd {
        expected: SectorType::ANY,
        address: SectorAddress::from(Lba::new(address)),
        sectors,
        parts,
    };
    let sectors = reply(&mut drive, read(298, 2, whole)).unwrap();
    assert_eq!(sectors.len(), 2 * 2352);
    assert_eq!(sectors[12..16], [0x00, 0x05, 0x73, 1], "00:05:73, mode 1");
    assert_eq!(sectors[2352 + 16..2352 + 2064], blocks(0x55, 1));
    let header = SectorParts {
        header: true,
        user_data: false,
        error_flags: 1,
        ..SectorParts::USER_DATA
    };
    let headers = reply(&mut drive, read(75, 2, header)).unwrap();
    assert_eq!(headers.len(), 2 * (4 + 294));
    assert_eq!(headers[298..302], [0x00, 0x03, 0x01, 1]);

    let by_time = ReadCdMsf {
        expected: SectorType::MODE_1,
        start: Msf::new(0, 2, 0),
        end: Msf::new(0, 2, 3),
        parts: SectorParts::USER_DATA,
    };
    assert_eq!(reply(&mut drive, by_time).unwrap(), blocks(0x55, 3));
    let audio = ReadCd {
        expected: SectorType::AUDIO,
        ..read(0, 1, whole)
    };
    assert_eq!(reply(&mut drive, audio), Err(Sense::ILLEGAL_MODE_FOR_TRACK));
}

#[test]
fn what_was_sent_at_once_comes_back() {
    let mut drive = blank(MediumKind::CdRw);
    run(&mut drive, &["page 2 0", "cue 0 400 700"]);
    let data: Vec<u8> = (0..850u32)
        .flat_map(|block| vec![block.to_le_bytes()[0]; BLOCK_SIZE])
        .collect();
    drive.write(SectorAddress::PAUSE, &data).unwrap();
    drive.synchronize_cache().unwrap();
    for block in [0, 399, 400, 699] {
        let sent = u8::try_from((block + 150) % 256).unwrap();
        assert_eq!(first_byte(&mut drive, block), sent, "block {block}");
    }
}

#[test]
fn a_disc_in_a_file_keeps_its_sessions() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cd");
    let mut drive = ready(VirtualDisc::create(&path, MediumKind::CdR).unwrap());
    run(&mut drive, &["page 1 3", "write 0 300", "sync", "close 2"]);
    run(&mut drive, &["page 0 3", "write 11702 100", "sync"]);
    let before = summary(&mut drive);
    drop(drive);
    let mut drive = ready(VirtualDisc::open(&path).unwrap());
    assert_eq!(summary(&mut drive), before);
    assert_eq!(first_byte(&mut drive, 299), 0x55);
    run(
        &mut drive,
        &["page 0 3", "write 11809 16", "sync", "close 1 2"],
    );
}

#[test]
fn a_track_at_once_waits_for_its_barrier() {
    let mut drive = blank(MediumKind::CdR);
    run(
        &mut drive,
        &[
            "page 1 3",
            "write 0 300",
            "wait 60",
            "write 300 300",
            "wait 60",
        ],
    );
    assert!(
        summary(&mut drive).contains("[0+359847 R next 600"),
        "{}",
        summary(&mut drive)
    );
    drive
        .power_cut(|_| panic!("an idle drive has recorded everything"))
        .unwrap();
}

#[test]
fn only_sectors_of_mode_1_are_recorded() {
    let select = |kind: u8, block_type: u8| {
        let mut drive = blank(MediumKind::CdR);
        let mut list = vec![0; 60];
        (list[8], list[9]) = (5, 50);
        (list[10], list[11], list[12]) = (0x40 | kind, 4, block_type);
        sense_of(
            &mut drive,
            &[0x55, 0x10, 0, 0, 0, 0, 0, 0, 60, 0],
            Data::Out(&list),
        )
    };
    let refused = Some(Sense::INVALID_FIELD_IN_PARAMETERS);
    for (kind, block_type, expected) in [
        (0, 8, None),
        (1, 8, None),
        (2, 0, None),
        (1, 0, refused),
        (1, 10, refused),
        (3, 1, refused),
        (3, 3, refused),
    ] {
        assert_eq!(
            select(kind, block_type),
            expected,
            "type {kind}, block {block_type}"
        );
    }
}

#[test]
fn a_cd_is_offered_as_one() {
    let mut drive = blank(MediumKind::CdRw);
    let configuration = drive.configuration().unwrap();
    assert_eq!(configuration.current_profile, Profile::CD_RW);
    for code in [0x001e, 0x0021, 0x002d, 0x002e, 0x0037] {
        assert!(configuration.is_current(code), "{code:04x}h");
    }
    assert!(!configuration.is_current(Feature::RANDOM_WRITABLE));
    run(&mut drive, &["page 1 0", "write 0 300", "sync", "close 2"]);
    let configuration = drive.configuration().unwrap();
    assert!(!configuration.is_current(0x002d), "closed for good");
    assert!(configuration.is_current(0x001e));
}

#[test]
fn a_drive_without_cds_does_not_use_one() {
    let profile = DriveProfile {
        media: vec![MediumKind::BdRe],
        ..DriveProfile::default()
    };
    let disc = VirtualDisc::in_memory(MediumKind::CdR);
    let mut drive = Emulator::with_profile(profile, disc);
    drive.clear_attentions().unwrap();
    let configuration = drive.configuration().unwrap();
    assert_eq!(configuration.current_profile, Profile::NONE);
    assert!(configuration.feature(0x002d).is_none());
    assert!(step(&mut drive, "write 0 16").starts_with("5/30/"));
}

/// 80 minutes of play at 24 times the speed.
#[test]
fn a_sector_takes_a_75th_of_a_second() {
    let profile = DriveProfile::default();
    let whole = BlockRange::with_count(Lba::ZERO, BlockCount::new(359_849)).unwrap();
    let whole: BlockRangeList = [whole].into_iter().collect();
    let time = profile.range_list_time(MediumKind::CdR, &whole);
    let expected = Duration::from_secs(80 * 60 / 24);
    assert!(
        time > expected && time < expected + Duration::from_secs(2),
        "{time:?}"
    );
}
