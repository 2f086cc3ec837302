//! What a CD's lead-ins, program memory area and pre-groove hold, in the forms of READ TOC.

use reburn_blocks::Lba;
use reburn_mmc::command::TocFormat;
use reburn_mmc::reply::{DiscType, FullToc, LeadInEntry, PreGroove, ProgramMemory};
use reburn_mmc::{Msf, SectorAddress, Sense};

use super::{LEAD_IN_SECTORS, PAUSE_SECTORS};
use crate::MediumKind;
use crate::media::Situation;

/// Where the first session's lead-in starts. On a disc that is sold its place names the maker;
/// this one names none.
const FIRST_LEAD_IN: Msf = Msf::new(97, 0, 0);

/// Where the lead-in of the open session starts, for READ DISC INFORMATION.
pub(super) fn next_lead_in(now: Situation<'_>) -> Option<Msf> {
    let table = now.tracks();
    let open = table.open_session().first()?;
    if table.closed_sessions == 0 {
        return Some(FIRST_LEAD_IN);
    }
    let before = i64::from(open.start.get()) - i64::from(PAUSE_SECTORS + LEAD_IN_SECTORS);
    SectorAddress::checked(before).map(Msf::of)
}

/// The last place where a lead-out can start.
pub(super) fn last_lead_out(now: Situation<'_>) -> Msf {
    Msf::of(Lba::ZERO + now.kind.blocks_max())
}

/// A table besides those of tracks and sessions; numbers below `first` are left out.
pub(super) fn table(now: Situation<'_>, format: TocFormat, first: u8) -> Result<Vec<u8>, Sense> {
    match format {
        TocFormat::Full if now.tracks().closed_sessions > 0 => {
            let last = u8::try_from(now.tracks().closed_sessions).unwrap_or(u8::MAX);
            let sessions = first.max(1)..=last;
            let toc = FullToc {
                first_session: 1,
                last_session: last,
                entries: sessions.flat_map(|session| lead_in(now, session)).collect(),
            };
            Ok(toc.encode())
        }
        TocFormat::Pma => Ok(program_memory(now).encode()),
        TocFormat::Atip => Ok(pre_groove(now).encode()),
        _ => Err(Sense::INVALID_FIELD_IN_CDB),
    }
}

/// The entries of a closed session's lead-in.
fn lead_in(now: Situation<'_>, session: u8) -> Vec<LeadInEntry> {
    let table = now.tracks();
    let Some((first, last)) = table.tracks_of(u16::from(session)) else {
        return Vec::new();
    };
    let (first_index, last_index) = (usize::from(first) - 1, usize::from(last));
    let tracks = &table.tracks[first_index..last_index];
    let control = tracks.first().map_or(4, |track| track.control);
    let entry = |adr: u8, point, time, pointed| LeadInEntry {
        session,
        adr_control: adr << 4 | control & 0x0f,
        track: 0,
        point,
        time,
        pointed,
    };
    let number = |number: u16, second| Msf::new(low(number), second, 0);
    let none = Msf::default();
    let end = tracks.last().map_or(Lba::ZERO, |track| track.next_writable);
    let mut entries = vec![
        entry(
            1,
            LeadInEntry::FIRST_TRACK,
            none,
            number(first, DiscType::CD_ROM.0),
        ),
        entry(1, LeadInEntry::LAST_TRACK, none, number(last, 0)),
        entry(1, LeadInEntry::LEAD_OUT, none, Msf::of(end)),
    ];
    for (number, track) in (first..).zip(tracks) {
        entries.push(LeadInEntry {
            adr_control: 1 << 4 | track.control & 0x0f,
            ..entry(1, low(number), none, Msf::of(track.start))
        });
    }
    let following = table.tracks.get(last_index);
    if let Some(next) = following {
        let time = Msf::of(next.start);
        entries.push(entry(
            5,
            LeadInEntry::NEXT_SESSION,
            time,
            last_lead_out(now),
        ));
        if session == 1 {
            entries.push(entry(5, LeadInEntry::FIRST_LEAD_IN, none, FIRST_LEAD_IN));
        }
    }
    entries
}

/// The tracks that are complete in sessions that are not.
fn program_memory(now: Situation<'_>) -> ProgramMemory {
    let table = now.tracks();
    let closed = table.closed_tracks();
    let entries = closed
        .filter(|(_, track)| track.session > table.closed_sessions)
        .map(|(number, track)| LeadInEntry {
            session: 0,
            adr_control: 1 << 4 | track.control & 0x0f,
            track: 0,
            point: low(number),
            time: Msf::of(track.next_writable),
            pointed: Msf::of(track.start),
        })
        .collect();
    ProgramMemory { entries }
}

fn pre_groove(now: Situation<'_>) -> PreGroove {
    let rewritable = now.kind == MediumKind::CdRw;
    PreGroove {
        writing_power: 5,
        reference_speed: if rewritable { 2 } else { 0 },
        unrestricted_use: true,
        rewritable,
        subtype: 0,
        lead_in: FIRST_LEAD_IN,
        last_lead_out: last_lead_out(now),
        values: [None; 3],
    }
}

fn low(number: u16) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}
