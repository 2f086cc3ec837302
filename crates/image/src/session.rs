//! Where sessions of an ISO 9660 volume start on media that can be edited, and the note of it
//! that each session keeps.
//!
//! A session's descriptors stand 16 blocks after its start (ECMA-119 6.2.1 seen from there),
//! and they begin a write unit. So the start of the first session is block 32, and later ones
//! start 16 blocks before a write unit; the system area between, which nobody reads in a
//! later session, belongs to whatever else is there. Readers only look at block 16, where a
//! copy of the newest session's descriptors stands; the copies in the sessions are what every
//! older head survives in. The two differ in the volume's size alone (ECMA-119 8.4.8), which
//! counts from block 0 at block 16, and from the session's start in the session.
//!
//! The note, in the application use field of the primary volume descriptor (ECMA-119 8.4.32),
//! lists the starts of all sessions, newest first, so that finding them needs no search, and
//! those options that the volume itself does not show:
//!
//! | offset | bytes | what |
//! |-------:|------:|------|
//! | 0 | 16 | `reburn sessions1` |
//! | 16 | 4 | number of sessions ever recorded, little-endian |
//! | 20 | 4 | number of starts that follow, at most 120, little-endian |
//! | 24 | 1 | interchange level, 1 to 3 |
//! | 25 | 1 | longest Joliet name: 64, 103, or 0 for no Joliet |
//! | 26 | 1 | 1 if deep folders are moved |
//! | 27 | 1 | 0 |
//! | 28 | 4 × n | starts, little-endian |

use reburn_blocks::{BlockCount, BlockRange, Lba};
use reburn_iso9660::{DeepDirectories, Joliet, Level};

/// Blocks of system area before a session's descriptors, and before the first head.
pub(crate) const SYSTEM_AREA: BlockCount = BlockCount::new(16);
/// Where readers look for the volume descriptors.
pub(crate) const HEAD: Lba = Lba::new(16);
/// The first session of an image that can be edited.
pub(crate) const FIRST_START: Lba = Lba::new(32);

const MAGIC: &[u8; 16] = b"reburn sessions1";
const STARTS_MAX: usize = 120;

/// Where numbers of the note stand.
const RECORDED: usize = 16;
const LISTED: usize = 20;
const STYLE: usize = 24;
const STARTS: usize = 28;

/// The sessions of a volume, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sessions {
    /// How many were ever recorded; older ones may no longer be listed.
    pub recorded: u32,
    /// Starts, newest first.
    pub starts: Vec<Lba>,
    pub(crate) style: Style,
}

/// Options that a volume does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) level: Level,
    pub(crate) joliet: Joliet,
    pub(crate) deep: DeepDirectories,
}

impl Style {
    fn decode(bytes: [u8; 3]) -> Option<Self> {
        Some(Self {
            level: [Level::One, Level::Two, Level::Three]
                .into_iter()
                .find(|&level| level_byte(level) == bytes[0])?,
            joliet: [Joliet::Off, Joliet::Strict64, Joliet::Relaxed103]
                .into_iter()
                .find(|&joliet| joliet_byte(joliet) == bytes[1])?,
            deep: match bytes[2] {
                0 => DeepDirectories::InPlace,
                _ => DeepDirectories::Relocate,
            },
        })
    }

    fn encode(self) -> [u8; 3] {
        let relocate = self.deep == DeepDirectories::Relocate;
        [
            level_byte(self.level),
            joliet_byte(self.joliet),
            relocate.into(),
        ]
    }
}

fn level_byte(level: Level) -> u8 {
    match level {
        Level::One => 1,
        Level::Two => 2,
        Level::Three => 3,
    }
}

fn joliet_byte(joliet: Joliet) -> u8 {
    match joliet {
        Joliet::Off => 0,
        Joliet::Strict64 => 64,
        Joliet::Relaxed103 => 103,
    }
}

impl Sessions {
    /// Reads the note from an application use field; `None` where there is none.
    pub fn decode(field: &[u8; 512]) -> Option<Self> {
        let number = |at: usize| {
            u32::from_le_bytes([field[at], field[at + 1], field[at + 2], field[at + 3]])
        };
        let listed = usize::try_from(number(LISTED)).ok()?;
        if !field.starts_with(MAGIC) || listed > STARTS_MAX {
            return None;
        }
        let start = |index: usize| Lba::checked(number(STARTS + 4 * index).into());
        Some(Self {
            recorded: number(RECORDED),
            starts: (0..listed).map(start).collect::<Option<_>>()?,
            style: Style::decode([field[STYLE], field[STYLE + 1], field[STYLE + 2]])?,
        })
    }

    /// The note as it stands on the disc.
    pub fn encode(&self) -> [u8; 512] {
        let starts = &self.starts[..self.starts.len().min(STARTS_MAX)];
        let listed = u32::try_from(starts.len()).expect("at most 120");
        let mut field = [0; 512];
        let mut put = |at: usize, bytes: &[u8]| field[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, MAGIC);
        put(RECORDED, &self.recorded.to_le_bytes());
        put(LISTED, &listed.to_le_bytes());
        put(STYLE, &self.style.encode());
        for (index, start) in starts.iter().enumerate() {
            put(STARTS + 4 * index, &start.get().to_le_bytes());
        }
        field
    }

    /// The same with one more session, whose volume has these options.
    #[must_use]
    pub(crate) fn with(&self, start: Lba, style: Style) -> Self {
        let older = self.starts.iter().copied().filter(|&older| older != start);
        Self {
            recorded: self.recorded.saturating_add(1),
            starts: std::iter::once(start)
                .chain(older)
                .take(STARTS_MAX)
                .collect(),
            style,
        }
    }

    /// The listed sessions by their numbers, which count from 1, the oldest first.
    pub fn numbered(&self) -> impl Iterator<Item = (u32, Lba)> {
        let numbers = (0..=self.recorded).rev();
        let mut listed: Vec<_> = numbers.zip(self.starts.iter().copied()).collect();
        listed.reverse();
        listed.into_iter()
    }

    /// Where the session with a number starts, if it is listed.
    pub fn start_of(&self, number: u32) -> Option<Lba> {
        self.numbered()
            .find_map(|(listed, start)| (listed == number).then_some(start))
    }

    /// The descriptors of every listed session: `descriptors` blocks each.
    pub(crate) fn heads(&self, descriptors: BlockCount) -> impl Iterator<Item = BlockRange> {
        self.starts.iter().filter_map(move |start| {
            BlockRange::with_count(start.checked_add(SYSTEM_AREA)?, descriptors)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_round_trips_and_forgets_the_oldest() {
        let mut sessions = Sessions::default();
        assert_eq!(Sessions::decode(&sessions.encode()), Some(sessions.clone()));
        for number in 1..=130 {
            sessions = sessions.with(Lba::new(number * 32), Style::default());
        }
        let decoded = Sessions::decode(&sessions.encode()).unwrap();
        assert_eq!(decoded, sessions);
        assert_eq!(decoded.recorded, 130);
        assert_eq!(decoded.starts.len(), 120);
        assert_eq!(decoded.starts[0], Lba::new(130 * 32));
        let listed: Vec<_> = decoded.numbered().collect();
        assert_eq!(listed[0], (11, Lba::new(11 * 32)));
        assert_eq!(listed.last(), Some(&(130, Lba::new(130 * 32))));
        assert_eq!(decoded.start_of(20), Some(Lba::new(20 * 32)));
        assert_eq!(decoded.start_of(10), None);
    }

    #[test]
    fn other_fields_are_no_note() {
        assert_eq!(Sessions::decode(&[b' '; 512]), None);
        let mut hostile = Sessions::default().encode();
        hostile[20..24].fill(0xff);
        assert_eq!(Sessions::decode(&hostile), None);
    }
}
