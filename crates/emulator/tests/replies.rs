//! What each medium says of itself, byte by byte.

mod common;

use std::fmt::Write as _;

use common::{ready, reply};
use insta::assert_snapshot;
use reburn_emulator::{MediumKind, VirtualDisc};
use reburn_mmc::command::{
    Command, DiscInformationType, ReadCapacity, ReadDiscInformation, ReadFormatCapacities, ReadToc,
    ReadTrackInformation, TocFormat, TrackAddress,
};

/// The replies to the questions that every program asks first, as hexadecimal.
fn replies(disc: VirtualDisc) -> String {
    let allocation = u16::MAX;
    let questions: [Command; 5] = [
        ReadCapacity.into(),
        ReadFormatCapacities { allocation }.into(),
        ReadDiscInformation {
            kind: DiscInformationType::Standard,
            allocation,
        }
        .into(),
        ReadTrackInformation {
            address: TrackAddress::Track(1),
            open: false,
            allocation,
        }
        .into(),
        ReadToc {
            msf: false,
            format: TocFormat::Tracks,
            first: 0,
            allocation,
        }
        .into(),
    ];
    let mut drive = ready(disc);
    let mut text = String::new();
    for question in questions {
        let bytes = reply(&mut drive, question).unwrap();
        writeln!(text, "{}", question.name()).unwrap();
        for row in bytes.chunks(16) {
            let hex: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(text, "  {}", hex.join(" ")).unwrap();
        }
    }
    text
}

#[test]
fn blank_dvd_plus_rw() {
    assert_snapshot!(replies(VirtualDisc::in_memory(MediumKind::DvdPlusRw)), @"
    READ CAPACITY
      00 00 00 00 00 00 08 00
    READ FORMAT CAPACITIES
      00 00 00 10 00 23 05 40 01 00 08 00 00 23 05 40
      98 00 00 00
    READ DISC INFORMATION
      00 20 10 01 01 01 01 20 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      00 00
    READ TRACK INFORMATION
      00 2e 01 01 00 04 41 00 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 10 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    READ TOC/PMA/ATIP
      00 12 01 01 00 14 01 00 00 00 00 00 00 14 aa 00
      00 00 00 00
    ");
}

#[test]
fn formatted_dvd_plus_rw() {
    assert_snapshot!(replies(VirtualDisc::formatted(MediumKind::DvdPlusRw)), @"
    READ CAPACITY
      00 23 05 3f 00 00 08 00
    READ FORMAT CAPACITIES
      00 00 00 10 00 23 05 40 02 00 08 00 00 23 05 40
      98 00 00 00
    READ DISC INFORMATION
      00 20 1e 01 01 01 01 23 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      00 00
    READ TRACK INFORMATION
      00 2e 01 01 00 04 01 00 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 10 00 23 05 40 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    READ TOC/PMA/ATIP
      00 12 01 01 00 14 01 00 00 00 00 00 00 14 aa 00
      00 23 05 40
    ");
}

#[test]
fn dvd_ram() {
    assert_snapshot!(replies(VirtualDisc::in_memory(MediumKind::DvdRam)), @"
    READ CAPACITY
      00 22 21 1f 00 00 08 00
    READ FORMAT CAPACITIES
      00 00 00 28 00 22 21 20 02 00 08 00 00 22 21 20
      00 00 08 00 00 23 05 20 00 00 08 00 00 21 fb 20
      04 00 08 00 00 21 d5 20 04 00 08 00
    READ DISC INFORMATION
      00 20 1e 01 01 01 01 20 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      00 00
    READ TRACK INFORMATION
      00 2e 01 01 00 04 01 02 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 10 00 22 21 20 00 22 21 1f
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    READ TOC/PMA/ATIP
      00 12 01 01 00 14 01 00 00 00 00 00 00 14 aa 00
      00 22 21 20
    ");
}

#[test]
fn blank_bd_re() {
    assert_snapshot!(replies(VirtualDisc::in_memory(MediumKind::BdRe)), @"
    READ CAPACITY
      00 00 00 00 00 00 08 00
    READ FORMAT CAPACITIES
      00 00 00 30 00 ba 74 00 01 00 08 00 00 b4 74 00
      00 00 30 00 00 b4 74 00 c0 00 30 00 00 b0 74 00
      c0 00 50 00 00 b8 74 00 c0 00 10 00 00 ba 74 00
      c4 00 08 00
    READ DISC INFORMATION
      00 20 10 01 01 01 01 20 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      00 00
    READ TRACK INFORMATION
      00 2e 01 01 00 04 41 00 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 20 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    READ TOC/PMA/ATIP
      00 12 01 01 00 14 01 00 00 00 00 00 00 14 aa 00
      00 00 00 00
    ");
}

#[test]
fn formatted_bd_re() {
    assert_snapshot!(replies(VirtualDisc::formatted(MediumKind::BdRe)), @"
    READ CAPACITY
      00 b4 73 ff 00 00 08 00
    READ FORMAT CAPACITIES
      00 00 00 30 00 b4 74 00 02 00 08 00 00 b4 74 00
      00 00 30 00 00 b4 74 00 c0 00 30 00 00 b0 74 00
      c0 00 50 00 00 b8 74 00 c0 00 10 00 00 ba 74 00
      c4 00 08 00
    READ DISC INFORMATION
      00 20 1e 01 01 01 01 20 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
      00 00
    READ TRACK INFORMATION
      00 2e 01 01 00 04 01 00 00 00 00 00 00 00 00 00
      00 00 00 00 00 00 00 20 00 b4 74 00 00 00 00 00
      00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
    READ TOC/PMA/ATIP
      00 12 01 01 00 14 01 00 00 00 00 00 00 14 aa 00
      00 b4 74 00
    ");
}
