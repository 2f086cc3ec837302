//! Commands as lines of text, and what the drive says of the medium after each.

use std::fmt::Write as _;

use reburn_blocks::Lba;
use reburn_drive::{Data, DriveExt};
use reburn_emulator::{Emulator, Fate};
use reburn_mmc::command::{
    DiscInformationType, ReadDiscInformation, ReadToc, ReadTrackInformation, TocFormat,
    TrackAddress,
};
use reburn_mmc::reply::{
    CueEntry, CueSheet, DataForm, DiscInformation, DiscStatus, ModePage, ModeParameters,
    SessionStatus, Toc, TocSessions, TrackInformation, WriteType,
};
use reburn_mmc::{Msf, SectorAddress, Sense};

use super::{blocks, reply, sense_of};

/// The figures of a sense.
pub fn figures(sense: Option<Sense>) -> String {
    sense.map_or("good".into(), |sense| {
        format!("{:x}/{:02x}/{:02x}", sense.key as u8, sense.asc, sense.ascq)
    })
}

/// Carries out one line, or (`5x reserve 16`) one line several times; what the drive answered
/// last.
pub fn step(drive: &mut Emulator, line: &str) -> String {
    if let Some((times, line)) = line.split_once("x ") {
        let times: u32 = times.parse().unwrap();
        return (0..times).map(|_| step(drive, line)).last().unwrap();
    }
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let numbers = numbers(rest);
    let number = |index: usize| numbers.get(index).copied().unwrap_or(0);
    let low = |index| number(index).to_be_bytes()[3];
    let [a, b, c, d] = number(0).to_be_bytes();
    let nothing = |drive: &mut Emulator, cdb: &[u8]| sense_of(drive, cdb, Data::None);
    let sense = match word {
        "write" => {
            let data = blocks(0x55, number(1) as usize);
            let [.., high, low] = number(1).to_be_bytes();
            let cdb = [0x2a, 0, a, b, c, d, 0, high, low, 0];
            sense_of(drive, &cdb, Data::Out(&data))
        }
        "read" => {
            let mut room = blocks(0, number(1) as usize);
            let [.., high, low] = number(1).to_be_bytes();
            let cdb = [0x28, 0, a, b, c, d, 0, high, low, 0];
            sense_of(drive, &cdb, Data::In(&mut room))
        }
        "readcd" => {
            let mut room = vec![0; number(1) as usize * 2352];
            let [.., high, low] = number(1).to_be_bytes();
            let cdb = [0xbe, 0, a, b, c, d, 0, high, low, 0xf8, 0, 0];
            sense_of(drive, &cdb, Data::In(&mut room))
        }
        // cue STARTS.. LEAD-OUT
        "cue" => {
            let first = disc_information(drive).map_or(1, |disc| disc.last_track_in_last_session);
            let list = cue_sheet(first, &numbers).encode();
            let length = u8::try_from(list.len()).unwrap();
            let cdb = [0x5d, 0, 0, 0, 0, 0, 0, 0, length, 0];
            sense_of(drive, &cdb, Data::Out(&list))
        }
        "sync" => nothing(drive, &[0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        "close" => {
            let [.., high, low] = number(1).to_be_bytes();
            nothing(drive, &[0x5b, 0, d, 0, high, low, 0, 0, 0, 0])
        }
        "reserve" => nothing(drive, &[0x53, 0, 0, 0, 0, a, b, c, d, 0]),
        "split" => nothing(drive, &[0x53, 2, a, b, c, d, 0, 0, 0, 0]),
        "repair" => nothing(drive, &[0x58, 0, 0, 0, c, d, 0, 0, 0, 0]),
        "blank" => nothing(drive, &[0xa1, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        "layer" => {
            let cdb = [0xbf, 0, 0, 0, 0, 0, 0, 0x20, 0, 12, 0, 0];
            sense_of(drive, &cdb, Data::Out(&layer_list(number(0))))
        }
        // format KIND SUBTYPE BLOCKS PARAMETER
        "format" => {
            let list = format_list(low(0), low(1), number(2), number(3));
            sense_of(drive, &[4, 0x11, 0, 0, 0, 0], Data::Out(&list))
        }
        // page TYPE MULTI TEST
        "page" => write_page(drive, low(0), low(1), number(2) == 1),
        "cut" => {
            let mut fates = numbers.iter().map(|fate| match fate {
                0 => Fate::Old,
                1 => Fate::New,
                _ => Fate::Unreadable,
            });
            drive
                .power_cut(|_| fates.next().unwrap_or(Fate::Old))
                .unwrap();
            drive.power_on();
            ready_again(drive)
        }
        "protect" => {
            let disc = drive.disc_mut().unwrap();
            disc.set_write_protected(number(0) == 1).unwrap();
            None
        }
        "wait" => {
            reburn_drive::Drive::wait(drive, std::time::Duration::from_secs(number(0).into()));
            None
        }
        other => panic!("nobody knows how to {other}"),
    };
    figures(sense)
}

/// The numbers of a line: decimal, below zero too, or hexadecimal (`26h`).
fn numbers(text: &str) -> Vec<u32> {
    let number = |word: &str| {
        if let Some(digits) = word.strip_suffix('h') {
            u32::from_str_radix(digits, 16)
        } else if let Some(below_0) = word.strip_prefix('-') {
            below_0.parse().map(u32::wrapping_neg)
        } else {
            word.parse()
        }
    };
    text.split_whitespace()
        .map(|word| number(word).unwrap())
        .collect()
}

/// The sheet of a session whose tracks start at these blocks; the last one is its lead-out.
fn cue_sheet(first: u16, blocks: &[u32]) -> CueSheet {
    let first = first.to_be_bytes()[1];
    let line = |track, index, form, block: i64| CueEntry {
        control_adr: 0x41,
        track,
        index,
        form,
        copy: 0,
        time: Msf::of(SectorAddress::checked(block).unwrap()),
    };
    let (lead_out, starts) = blocks.split_last().unwrap();
    let pause = i64::from(starts[0]) - 150;
    let mut entries = vec![
        line(0, 0, DataForm::MODE_1_ZEROS, pause),
        line(first, 0, DataForm::MODE_1, pause),
    ];
    for (number, start) in (first..).zip(starts) {
        entries.push(line(number, 1, DataForm::MODE_1, i64::from(*start)));
    }
    let end = i64::from(*lead_out);
    entries.push(line(CueEntry::LEAD_OUT, 1, DataForm::MODE_1_ZEROS, end));
    CueSheet { entries }
}

/// The list of SEND DISC STRUCTURE that makes the first layer so many blocks long.
fn layer_list(blocks: u32) -> Vec<u8> {
    [&[0, 10, 0, 0, 0, 0, 0, 0][..], &blocks.to_be_bytes()].concat()
}

/// The list of FORMAT UNIT.
fn format_list(kind: u8, subtype: u8, blocks: u32, parameter: u32) -> Vec<u8> {
    [
        &[0, 0, 0, 8][..],
        &blocks.to_be_bytes(),
        &[kind << 2 | subtype],
        &parameter.to_be_bytes()[1..],
    ]
    .concat()
}

/// Waits until a drive that was off is ready.
fn ready_again(drive: &mut Emulator) -> Option<Sense> {
    reburn_drive::Drive::wait(drive, std::time::Duration::from_secs(30));
    drive.clear_attentions().unwrap();
    None
}

/// Sets write type, multi-session and test write.
fn write_page(drive: &mut Emulator, kind: u8, multi_session: u8, test: bool) -> Option<Sense> {
    let Ok(Some(ModePage::WriteParameters(mut page))) = drive.mode_page(5) else {
        panic!("page 05h is there");
    };
    page.write_type = WriteType(kind);
    page.multi_session = multi_session;
    page.test_write = test;
    let list = ModeParameters {
        write_protected: false,
        pages: vec![ModePage::WriteParameters(page)],
    }
    .encode();
    let length = u8::try_from(list.len()).unwrap();
    let cdb = [0x55, 0x10, 0, 0, 0, 0, 0, 0, length, 0];
    sense_of(drive, &cdb, Data::Out(&list))
}

/// READ DISC INFORMATION.
pub fn disc_information(drive: &mut Emulator) -> Result<DiscInformation, Sense> {
    let command = ReadDiscInformation {
        kind: DiscInformationType::Standard,
        allocation: u16::MAX,
    };
    reply(drive, command).map(|bytes| DiscInformation::decode(&bytes).unwrap())
}

/// READ TRACK INFORMATION.
pub fn track_information(
    drive: &mut Emulator,
    address: TrackAddress,
) -> Result<TrackInformation, Sense> {
    let command = ReadTrackInformation {
        address,
        open: false,
        allocation: u16::MAX,
    };
    reply(drive, command).map(|bytes| TrackInformation::decode(&bytes).unwrap())
}

/// How the medium stands: disc, tracks, table of contents, capacity, in one line.
pub fn summary(drive: &mut Emulator) -> String {
    let disc = match disc_information(drive) {
        Ok(disc) => disc,
        Err(sense) => return format!("disc {}", figures(Some(sense))),
    };
    let status = match disc.status {
        DiscStatus::Empty => "blank",
        DiscStatus::Appendable => "appendable",
        DiscStatus::Complete => "complete",
        DiscStatus::RandomAccess => "random",
    };
    let session = match disc.last_session {
        SessionStatus::Empty => "empty",
        SessionStatus::Incomplete => "incomplete",
        SessionStatus::Damaged => "damaged",
        SessionStatus::Complete => "complete",
    };
    let mut text = format!("{status}, session {} {session};", disc.sessions);
    for number in 1..=disc.last_track_in_last_session {
        let track = track_information(drive, TrackAddress::Track(number.into())).unwrap();
        let bits = [
            (track.reserved, 'R'),
            (track.blank, 'B'),
            (track.packet, 'P'),
            (track.fixed_packet, 'F'),
            (track.damaged, 'D'),
        ];
        let flags: String = bits
            .iter()
            .filter(|(set, _)| *set)
            .map(|(_, letter)| *letter)
            .collect();
        let flags = if flags.is_empty() { "-".into() } else { flags };
        write!(text, " [{}+{} {flags}", track.start, track.track_size).unwrap();
        if let Some(next) = track.next_writable {
            write!(text, " next {next} free {}", track.free_blocks).unwrap();
        }
        text.push(']');
    }
    let capacity = drive.read_capacity().unwrap().last_lba;
    write!(text, " last {capacity}; toc {}", toc(drive)).unwrap();
    text
}

fn toc(drive: &mut Emulator) -> String {
    let mut ask = |format| {
        let command = ReadToc {
            msf: false,
            format,
            first: 0,
            allocation: u16::MAX,
        };
        reply(drive, command)
    };
    let tracks = match ask(TocFormat::Tracks) {
        Err(sense) => return figures(Some(sense)),
        Ok(bytes) => Toc::decode(&bytes).unwrap(),
    };
    let starts: Vec<_> = tracks
        .entries
        .iter()
        .map(|entry| entry.address.to_string())
        .collect();
    let session = ask(TocFormat::Sessions).map(|bytes| TocSessions::decode(&bytes).unwrap());
    let session = match session {
        Ok(session) => format!(
            "session {} at {}",
            session.last_session, session.first_track.address
        ),
        Err(sense) => figures(Some(sense)),
    };
    format!("{} {session}", starts.join(" "))
}

/// The block after which an open track of the medium goes on, as FFh names it.
pub fn next_writable(drive: &mut Emulator) -> Option<Lba> {
    let track = track_information(drive, TrackAddress::Track(0xff)).ok()?;
    track.next_writable
}
