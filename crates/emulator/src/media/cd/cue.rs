//! Sessions that are recorded at once: from a cue sheet to tracks, and from one WRITE to the
//! next.
//!
//! The sheet says where everything begins; the host then sends every sector from the pause of
//! the first track on, in order, to the lead-out. What stands in the pause before the session's
//! first track is no block of the user, and is not kept.
//!
//! Data in sectors of mode 1 are recorded, 2048 bytes each. Audio, whole sectors and titles in
//! the lead-in (CD-TEXT) are refused with 5/26/00 when the sheet is sent: there is no place for
//! them on the disc. Source: MMC-6, SEND CUE SHEET.

use reburn_blocks::{BlockCount, Lba};
use reburn_mmc::reply::{CueEntry, CueSheet, DataForm};
use reburn_mmc::{SectorAddress, Sense};

use crate::state::MediumState;
use crate::tracks::{Track, TrackRecording, TrackTable};

/// A session that is being recorded at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AtOnce {
    /// The sector that the next WRITE must start at.
    pub next: SectorAddress,
    /// The tracks: control bits and first block of each.
    tracks: Vec<(u8, Lba)>,
    /// Where the session's lead-out starts.
    lead_out: Lba,
}

/// What a line of a cue sheet is about.
const ADR_POSITION: u8 = 1;

impl AtOnce {
    /// The session that a sheet describes, to follow what is on the disc: at `next_writable`,
    /// with the number `first_track`, below `area`.
    pub fn new(
        sheet: &CueSheet,
        first_track: usize,
        next_writable: Lba,
        area: BlockCount,
    ) -> Result<Self, Sense> {
        let bad = Sense::INVALID_FIELD_IN_PARAMETERS;
        let positions: Vec<_> = sheet
            .entries
            .iter()
            .filter(|entry| entry.control_adr & 0x0f == ADR_POSITION)
            .copied()
            .collect();
        let [lead_in, pause, middle @ .., lead_out] = &positions[..] else {
            return Err(bad);
        };
        let titles = lead_in.form.0 >> 6 != 0;
        if lead_in.track != 0 || titles || lead_out.track != CueEntry::LEAD_OUT {
            return Err(bad);
        }
        let start = SectorAddress::checked(i64::from(next_writable.get()) - 150);
        let start = start.ok_or(bad)?;
        if pause.index != 0 || pause.time.address() != Some(start) {
            return Err(bad);
        }
        let lead_out = lead_out.time.address().and_then(SectorAddress::lba);
        let lead_out = lead_out.filter(|end| end.get() <= area.get()).ok_or(bad)?;
        let tracks = tracks(*pause, middle, first_track)?;
        let first = tracks.first().map(|(_, start)| *start);
        if first != Some(next_writable) || tracks.last().is_none_or(|last| last.1 >= lead_out) {
            return Err(bad);
        }
        Ok(Self {
            next: start,
            tracks,
            lead_out,
        })
    }

    /// How many of `count` sectors from the next one on lie before the session's first block.
    pub fn before_first(&self, count: u32) -> u32 {
        let first = self.tracks.first().map_or(0, |(_, start)| start.get());
        let left = i64::from(first) - self.next.get();
        u32::try_from(left).unwrap_or(0).min(count)
    }

    /// Sectors that the session still lacks.
    pub fn left(&self) -> u32 {
        u32::try_from(i64::from(self.lead_out.get()) - self.next.get()).unwrap_or(0)
    }

    /// Whether a sector was sent already.
    pub fn is_begun(&self) -> bool {
        let first = self.tracks.first().map_or(0, |(_, start)| start.get());
        self.next.get() != i64::from(first) + SectorAddress::PAUSE.get()
    }

    /// Goes on behind so many sectors.
    pub fn advance(&mut self, count: u32) {
        self.next = self.next.checked_add(count).unwrap_or(SectorAddress::LAST);
    }

    /// The state with the session's tracks, still empty, in the place of the invisible one.
    pub fn begun(&self, state: &MediumState) -> MediumState {
        let mut table = (*state.tracks).clone();
        self.begin(&mut table);
        MediumState {
            tracks: table.into(),
            ..state.clone()
        }
    }

    fn begin(&self, table: &mut TrackTable) {
        let session = table.sessions();
        table.tracks.retain(|track| !track.is_invisible());
        let ends = self.tracks.iter().skip(1).map(|(_, start)| *start);
        for ((control, start), end) in self.tracks.iter().zip(ends.chain([self.lead_out])) {
            table.tracks.push(Track {
                end: Some(end),
                reserved: true,
                recording: TrackRecording::DiscAtOnce,
                control: *control,
                ..Track::invisible(session, *start)
            });
        }
    }
}

/// The tracks between the first pause and the lead-out, numbered from `first_number` on.
fn tracks(
    pause: CueEntry,
    entries: &[CueEntry],
    first_number: usize,
) -> Result<Vec<(u8, Lba)>, Sense> {
    let bad = Sense::INVALID_FIELD_IN_PARAMETERS;
    let mut tracks: Vec<(u8, Lba)> = Vec::new();
    let mut last = (pause.track, 0, pause.time);
    if usize::from(pause.track) != first_number {
        return Err(bad);
    }
    for entry in [pause].into_iter().chain(entries.iter().copied()) {
        if entry.form != DataForm::MODE_1 {
            return Err(bad);
        }
        let same = entry.track == last.0 && (entry.index == last.1 + 1 || entry == pause);
        let next = entry.track == last.0 + 1 && entry.index <= 1 && last.1 > 0;
        let in_time = entry.time >= last.2;
        if !(same || next) || !in_time {
            return Err(bad);
        }
        if entry.index == 1 {
            let start = entry
                .time
                .address()
                .and_then(SectorAddress::lba)
                .ok_or(bad)?;
            tracks.push((entry.control_adr >> 4, start));
        }
        last = (entry.track, entry.index, entry.time);
    }
    Ok(tracks)
}

#[cfg(test)]
mod tests {
    use reburn_mmc::Msf;

    use super::*;

    fn line(track: u8, index: u8, form: DataForm, frames: u32) -> CueEntry {
        let address = SectorAddress::checked(i64::from(frames) - 150).unwrap();
        CueEntry {
            control_adr: 0x41,
            track,
            index,
            form,
            copy: 0,
            time: Msf::of(address),
        }
    }

    fn sheet() -> CueSheet {
        CueSheet {
            entries: vec![
                line(0, 0, DataForm::MODE_1_ZEROS, 0),
                line(1, 0, DataForm::MODE_1, 0),
                line(1, 1, DataForm::MODE_1, 150),
                line(2, 0, DataForm::MODE_1, 1000),
                line(2, 1, DataForm::MODE_1, 1150),
                line(CueEntry::LEAD_OUT, 1, DataForm::MODE_1_ZEROS, 2150),
            ],
        }
    }

    fn session(sheet: &CueSheet) -> Result<AtOnce, Sense> {
        AtOnce::new(sheet, 1, Lba::ZERO, BlockCount::new(2000))
    }

    #[test]
    fn a_sheet_becomes_tracks_that_meet() {
        let session = session(&sheet()).unwrap();
        assert_eq!(session.next, SectorAddress::PAUSE);
        assert_eq!((session.left(), session.before_first(200)), (2150, 150));
        let mut table = TrackTable::blank();
        session.begin(&mut table);
        let places: Vec<_> = table
            .tracks
            .iter()
            .map(|track| (track.start.get(), track.end.unwrap().get()))
            .collect();
        assert_eq!(places, [(0, 1000), (1000, 2000)]);
        assert_eq!(table.check(BlockCount::new(2000)), Ok(()));
    }

    #[test]
    fn sheets_that_cannot_be_recorded_are_refused() {
        let refused = Err(Sense::INVALID_FIELD_IN_PARAMETERS);
        for (name, change) in [
            (
                "titles",
                &(|s: &mut CueSheet| s.entries[0].form = DataForm::CD_TEXT)
                    as &dyn Fn(&mut CueSheet),
            ),
            ("audio", &|s| s.entries[2].form = DataForm::AUDIO),
            ("no lead-in", &|s| _ = s.entries.remove(0)),
            ("no lead-out", &|s| _ = s.entries.pop()),
            ("no pause", &|s| _ = s.entries.remove(1)),
            ("another first track", &|s| s.entries[1].track = 2),
            ("a track left out", &|s| s.entries[4].track = 3),
            ("an index left out", &|s| _ = s.entries.remove(2)),
            ("back in time", &|s| s.entries[4].time = Msf::new(0, 1, 0)),
            ("past the end", &|s| s.entries[5].time = Msf::new(70, 0, 0)),
            ("nothing", &|s| s.entries.clear()),
        ] {
            let mut sheet = sheet();
            change(&mut sheet);
            assert_eq!(session(&sheet), refused, "{name}");
        }
    }
}
