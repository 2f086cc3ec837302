//! Addresses of sectors that need not hold blocks of the user: the pause before a CD's first
//! track and its lead-in stand before block 0.
//!
//! Two forms of one number: [`SectorAddress`] as WRITE and READ CD carry it, counted from
//! block 0, and [`Msf`] as cue sheets and a CD's own tables do, in minutes, seconds and frames.
//! Source: MMC-6, table "LBA to MSF translation".

use std::fmt;

use reburn_blocks::Lba;

use crate::Sense;

/// Frames in a second of a CD.
const FRAMES: i64 = 75;
/// Frames in a minute of a CD.
const MINUTE: i64 = 60 * FRAMES;
/// Minutes from here on stand for the lead-in.
const LEAD_IN_MINUTE: u8 = 90;

/// The address of a sector, counted from block 0; below zero before it.
///
/// As a field of 32 bits it is a two's complement number: what would stand above the largest
/// address that a disc can have lies before block 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectorAddress(i64);

impl SectorAddress {
    /// Block 0.
    pub const ZERO: Self = Self(0);
    /// Where the pause of a CD's first track starts, 2 seconds before block 0.
    pub const PAUSE: Self = Self(-150);
    /// The first address that minutes, seconds and frames can say, 90:00:00 in the lead-in.
    pub const FIRST: Self = Self(-45_150);
    /// The last one: above it the field's values lie before block 0.
    pub const LAST: Self = Self(Self::FIRST.0 + u32::MAX as i64);

    /// The sector with this number, or `None` before [`SectorAddress::FIRST`] or past
    /// [`SectorAddress::LAST`].
    pub const fn checked(number: i64) -> Option<Self> {
        if number < Self::FIRST.0 || number > Self::LAST.0 {
            return None;
        }
        Some(Self(number))
    }

    /// The number of the sector.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The block of the user that stands there; `None` before block 0.
    pub fn lba(self) -> Option<Lba> {
        Lba::checked(u64::try_from(self.0).ok()?)
    }

    /// The block of the user that stands there, or the sense by which a drive refuses another
    /// sector: 5/21/00.
    pub fn block(self) -> Result<Lba, Sense> {
        self.lba().ok_or(Sense::LBA_OUT_OF_RANGE)
    }

    /// The sector `count` further on; `None` past the last one.
    pub const fn checked_add(self, count: u32) -> Option<Self> {
        Self::checked(self.0 + count as i64)
    }

    pub(crate) const fn from_field(field: u32) -> Self {
        let number = field as i64;
        if number > Self::LAST.0 {
            Self(number - (u32::MAX as i64 + 1))
        } else {
            Self(number)
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // two's complement
    pub(crate) const fn field(self) -> u32 {
        self.0 as u32
    }
}

/// Past [`SectorAddress::LAST`], which no disc reaches, the sector that the same bits name.
impl From<Lba> for SectorAddress {
    fn from(lba: Lba) -> Self {
        Self::from_field(lba.get())
    }
}

impl fmt::Display for SectorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A sector of a CD by playing time: 75 frames a second, block 0 at 00:02:00. Minutes from 90
/// on lie in the lead-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Msf {
    /// Minutes.
    pub minute: u8,
    /// Seconds, at most 59.
    pub second: u8,
    /// Frames, at most 74.
    pub frame: u8,
}

impl Msf {
    /// This time.
    pub const fn new(minute: u8, second: u8, frame: u8) -> Self {
        Self {
            minute,
            second,
            frame,
        }
    }

    /// The time of a sector. Past 255 minutes, on discs that are no CDs, it is the last one.
    pub fn of(address: impl Into<SectorAddress>) -> Self {
        let number = address.into().get();
        let frames = if number < SectorAddress::PAUSE.0 {
            number - SectorAddress::FIRST.0 + i64::from(LEAD_IN_MINUTE) * MINUTE
        } else {
            number - SectorAddress::PAUSE.0
        };
        let last = Self::new(u8::MAX, 59, 74);
        let part = |number: i64| u8::try_from(number).ok();
        let minute = part(frames / MINUTE);
        let second = part(frames % MINUTE / FRAMES);
        let frame = part(frames % FRAMES);
        match (minute, second, frame) {
            (Some(minute), Some(second), Some(frame)) => Self::new(minute, second, frame),
            _ => last,
        }
    }

    /// The sector at this time; `None` if the seconds or frames are too many, or the minutes
    /// past the lead-in.
    pub fn address(self) -> Option<SectorAddress> {
        if self.second >= 60 || self.frame >= 75 || self.minute >= 100 {
            return None;
        }
        let frames = i64::from(self.minute) * MINUTE
            + i64::from(self.second) * FRAMES
            + i64::from(self.frame);
        let number = if self.minute < LEAD_IN_MINUTE {
            frames + SectorAddress::PAUSE.0
        } else {
            frames - i64::from(LEAD_IN_MINUTE) * MINUTE + SectorAddress::FIRST.0
        };
        SectorAddress::checked(number)
    }

    /// The three bytes.
    pub const fn bytes(self) -> [u8; 3] {
        [self.minute, self.second, self.frame]
    }

    /// The time in three bytes, whatever they hold.
    pub const fn from_bytes([minute, second, frame]: [u8; 3]) -> Self {
        Self::new(minute, second, frame)
    }

    /// As a field of four bytes holds it: 00 M S F.
    pub const fn field(self) -> u32 {
        u32::from_be_bytes([0, self.minute, self.second, self.frame])
    }
}

/// `00:02:00`.
impl fmt::Display for Msf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}:{:02}", self.minute, self.second, self.frame)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_pause_and_the_lead_in_stand_before_block_0() {
        for (number, time) in [
            (0, "00:02:00"),
            (-1, "00:01:74"),
            (-150, "00:00:00"),
            (-151, "99:59:74"),
            (-45_150, "90:00:00"),
            (359_849, "79:59:74"),
        ] {
            let address = SectorAddress::checked(number).unwrap();
            assert_eq!(Msf::of(address).to_string(), time);
            assert_eq!(Msf::of(address).address(), Some(address), "{time}");
        }
        assert_eq!(SectorAddress::checked(-45_151), None);
        assert_eq!(Msf::of(Lba::new(3_000_000)), Msf::new(255, 59, 74));
    }

    #[test]
    fn a_field_is_a_number_in_twos_complement() {
        for (number, field) in [
            (-150, 0xffff_ff6a),
            (-1, 0xffff_ffff),
            (-45_150, 0xffff_4fa2),
            (0xffff_4fa1, 0xffff_4fa1),
            (16, 16),
        ] {
            let address = SectorAddress::checked(number).unwrap();
            assert_eq!(address.field(), field);
            assert_eq!(SectorAddress::from_field(field), address);
        }
        assert_eq!(SectorAddress::PAUSE.lba(), None);
        assert_eq!(SectorAddress::from(Lba::new(7)).lba(), Some(Lba::new(7)));
    }

    proptest! {
        #[test]
        fn times_and_fields_name_the_same_sector(field in any::<u32>(), bytes in any::<[u8; 3]>()) {
            prop_assert_eq!(SectorAddress::from_field(field).field(), field);
            if let Some(address) = Msf::from_bytes(bytes).address() {
                prop_assert_eq!(Msf::of(address).bytes(), bytes);
            }
        }
    }
}
