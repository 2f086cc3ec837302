//! Tracks and sessions as tables: READ TOC/PMA/ATIP, formats 0 and 1.

use reburn_blocks::Lba;
use reburn_record::big_endian::U32;
use reburn_record::{Record, record};

use crate::bytes::{Fields, with_length16};
use crate::{DecodeError, Msf};

const WHAT: &str = "READ TOC/PMA/ATIP";

record! {
    /// One track in a table of contents.
    struct TrackData: 8, "MMC-6 READ TOC/PMA/ATIP" {
        0 reserved_0: u8, "READ TOC/PMA/ATIP";
        1 adr_control: u8, "READ TOC/PMA/ATIP";
        2 track: u8, "READ TOC/PMA/ATIP";
        3 reserved_3: u8, "READ TOC/PMA/ATIP";
        4 address: U32, "READ TOC/PMA/ATIP";
    }
}

/// One track of a table of contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TocEntry {
    /// ADR and control bits: 14h for data.
    pub adr_control: u8,
    /// The track's number; [`TocEntry::LEAD_OUT`] for the end of the last one.
    pub track: u8,
    /// Where it starts: a block, or minutes, seconds and frames, as asked for.
    pub address: u32,
}

impl TocEntry {
    /// The number that stands for the lead-out.
    pub const LEAD_OUT: u8 = 0xaa;

    /// A data track.
    pub const fn data(track: u8, address: u32) -> Self {
        Self {
            adr_control: 0x14,
            track,
            address,
        }
    }

    /// The address of a block in minutes, seconds and frames, 0 0 m s f without the first
    /// byte: block 0 stands at 0 minutes, 2 seconds. Past 255 minutes the last one is given.
    pub fn msf(lba: Lba) -> u32 {
        Msf::of(lba).field()
    }

    fn record(self) -> TrackData {
        TrackData {
            reserved_0: 0,
            adr_control: self.adr_control,
            track: self.track,
            reserved_3: 0,
            address: U32::new(self.address),
        }
    }

    fn from_record(record: TrackData) -> Self {
        Self {
            adr_control: record.adr_control,
            track: record.track,
            address: record.address.get(),
        }
    }
}

/// The reply in format 0: the tracks and the lead-out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toc {
    /// The number of the first track.
    pub first_track: u8,
    /// The number of the last track.
    pub last_track: u8,
    /// The tracks, ascending, then the lead-out; at most 100.
    pub entries: Vec<TocEntry>,
}

impl Toc {
    const MOST: usize = 100;

    /// The table without the tracks before `first`; the lead-out stays.
    #[must_use]
    pub fn starting_at(mut self, first: u8) -> Self {
        self.entries.retain(|entry| entry.track >= first);
        self
    }

    /// The reply: 4 bytes, then 8 a track.
    pub fn encode(&self) -> Vec<u8> {
        let mut reply = vec![0, 0, self.first_track, self.last_track];
        for entry in self.entries.iter().take(Self::MOST) {
            reply.extend(entry.record().bytes());
        }
        with_length16(reply)
    }

    /// The reply in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, bytes, 4)?;
        let fields = fields.cut((usize::from(fields.u16(0)) + 2).max(4))?;
        let mut entries = Vec::new();
        let mut rest = fields.from(4);
        while rest.len() >= TrackData::SIZE && entries.len() < Self::MOST {
            let (record, after) = TrackData::view(rest)?;
            entries.push(TocEntry::from_record(*record));
            rest = after;
        }
        Ok(Self {
            first_track: fields.u8(2),
            last_track: fields.u8(3),
            entries,
        })
    }
}

/// The reply in format 1: where the last closed session starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TocSessions {
    /// The number of the first closed session.
    pub first_session: u8,
    /// The number of the last closed session.
    pub last_session: u8,
    /// The first track of the last closed session.
    pub first_track: TocEntry,
}

impl TocSessions {
    /// The reply, 12 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut reply = vec![0, 0, self.first_session, self.last_session];
        reply.extend(self.first_track.record().bytes());
        with_length16(reply)
    }

    /// The reply in `bytes`, of which 12 must be present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, bytes, 12)?;
        let (record, _) = TrackData::view(fields.from(4))?;
        Ok(Self {
            first_session: fields.u8(2),
            last_session: fields.u8(3),
            first_track: TocEntry::from_record(*record),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn toc() -> Toc {
        Toc {
            first_track: 1,
            last_track: 1,
            entries: vec![
                TocEntry::data(1, 0),
                TocEntry::data(TocEntry::LEAD_OUT, 0x23_0540),
            ],
        }
    }

    const BYTES: [u8; 20] = [
        0, 18, 1, 1, // header
        0, 0x14, 1, 0, 0, 0, 0, 0, // track 1
        0, 0x14, 0xaa, 0, 0, 0x23, 5, 0x40, // lead-out
    ];

    #[test]
    fn golden_bytes() {
        assert_eq!(toc().encode(), BYTES);
        assert_eq!(Toc::decode(&BYTES), Ok(toc()));
        assert!(Toc::decode(&BYTES[..19]).is_err());
        assert_eq!(toc().starting_at(2).entries.len(), 1);

        let sessions = TocSessions {
            first_session: 1,
            last_session: 1,
            first_track: TocEntry::data(1, 0),
        };
        let bytes = [0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0];
        assert_eq!(sessions.encode(), bytes);
        assert_eq!(TocSessions::decode(&bytes), Ok(sessions));
        assert!(TocSessions::decode(&bytes[..11]).is_err());
    }

    #[test]
    fn addresses_in_minutes_seconds_and_frames() {
        assert_eq!(TocEntry::msf(Lba::ZERO), 0x0000_0200);
        assert_eq!(TocEntry::msf(Lba::new(75 * 60 - 150)), 0x0001_0000);
        assert_eq!(TocEntry::msf(Lba::new(3_000_000)), 0x00ff_3b4a);
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(toc) = Toc::decode(&bytes) {
                prop_assert_eq!(Toc::decode(&toc.encode()), Ok(toc));
            }
        }
    }
}
