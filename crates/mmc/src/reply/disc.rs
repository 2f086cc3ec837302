//! The state of a disc as a whole: READ DISC INFORMATION, standard data.

use reburn_record::big_endian::{U16, U32};
use reburn_record::{Record, record};

use crate::DecodeError;
use crate::bytes::{Fields, flags, len16};

record! {
    /// The standard reply to READ DISC INFORMATION, before its table of power calibrations.
    struct DiscInformationData: 34, "MMC-6 READ DISC INFORMATION" {
        0  length: U16, "READ DISC INFORMATION";
        2  status: u8, "READ DISC INFORMATION";
        3  first_track: u8, "READ DISC INFORMATION";
        4  sessions_low: u8, "READ DISC INFORMATION";
        5  first_track_in_last_session_low: u8, "READ DISC INFORMATION";
        6  last_track_in_last_session_low: u8, "READ DISC INFORMATION";
        7  validity: u8, "READ DISC INFORMATION";
        8  disc_type: u8, "READ DISC INFORMATION";
        9  sessions_high: u8, "READ DISC INFORMATION";
        10 first_track_in_last_session_high: u8, "READ DISC INFORMATION";
        11 last_track_in_last_session_high: u8, "READ DISC INFORMATION";
        12 disc_identification: U32, "READ DISC INFORMATION";
        16 last_session_lead_in: U32, "READ DISC INFORMATION";
        20 last_possible_lead_out: U32, "READ DISC INFORMATION";
        24 bar_code: [u8; 8], "READ DISC INFORMATION";
        32 application_code: u8, "READ DISC INFORMATION";
        33 opc_entries: u8, "READ DISC INFORMATION";
    }
}

/// How full a disc is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiscStatus {
    /// Blank.
    Empty,
    /// Something can be appended.
    Appendable,
    /// Nothing can be appended.
    Complete,
    /// None of it: blocks are written in any order.
    RandomAccess,
}

/// The state of the last session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    /// Nothing in it.
    Empty,
    /// Begun, not closed.
    Incomplete,
    /// Damaged by an interruption.
    Damaged,
    /// Closed.
    Complete,
}

/// How far the background format of a DVD+RW got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackgroundFormat {
    /// Not begun, or not that kind of medium.
    None,
    /// Interrupted; to be restarted.
    Stopped,
    /// Running.
    Running,
    /// Done.
    Complete,
}

/// The kind of disc that a CD's lead-in names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DiscType(pub u8);

impl DiscType {
    /// CD-DA or CD-ROM, and every DVD and Blu-ray disc.
    pub const CD_ROM: Self = Self(0x00);
    /// CD-I.
    pub const CD_I: Self = Self(0x10);
    /// CD-ROM XA.
    pub const CD_ROM_XA: Self = Self(0x20);
    /// Not said yet: no session is closed.
    pub const UNDEFINED: Self = Self(0xff);
}

/// The state of the disc as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscInformation {
    /// How full it is.
    pub status: DiscStatus,
    /// The state of its last session.
    pub last_session: SessionStatus,
    /// Whether it can be erased or rewritten.
    pub erasable: bool,
    /// The number of the first track, at most 255.
    pub first_track: u8,
    /// How many sessions, at least 1.
    pub sessions: u16,
    /// The first track of the last session.
    pub first_track_in_last_session: u16,
    /// The last track of the last session.
    pub last_track_in_last_session: u16,
    /// How far a background format got.
    pub background_format: BackgroundFormat,
    /// The number that identifies the disc, if it has one.
    pub disc_identification: Option<u32>,
    /// Whether any use is allowed (no application code restricts it).
    pub unrestricted_use: bool,
    /// What a CD's lead-in calls it.
    pub disc_type: DiscType,
    /// Where the lead-in of the open session starts: minutes, seconds and frames on CD, a block
    /// on the others. [`DiscInformation::NOWHERE`] if no session can follow.
    pub last_lead_in: u32,
    /// The last place where a lead-out can start, in the same units.
    pub last_possible_lead_out: u32,
    /// The disc's bar code, if it has one.
    pub bar_code: Option<[u8; 8]>,
    /// The application code that restricts the disc's use, if it counts.
    pub application_code: Option<u8>,
}

impl DiscInformation {
    /// What stands for a lead-in or lead-out that no disc takes any more.
    pub const NOWHERE: u32 = u32::MAX;

    /// One session of one track, written in any order: what rewritable DVD and Blu-ray say.
    pub const OVERWRITABLE: Self = Self {
        status: DiscStatus::Complete,
        last_session: SessionStatus::Complete,
        erasable: true,
        first_track: 1,
        sessions: 1,
        first_track_in_last_session: 1,
        last_track_in_last_session: 1,
        background_format: BackgroundFormat::None,
        disc_identification: None,
        unrestricted_use: true,
        disc_type: DiscType::CD_ROM,
        last_lead_in: 0,
        last_possible_lead_out: 0,
        bar_code: None,
        application_code: None,
    };

    /// The reply, 34 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let [sessions_high, sessions_low] = self.sessions.to_be_bytes();
        let [first_high, first_low] = self.first_track_in_last_session.to_be_bytes();
        let [last_high, last_low] = self.last_track_in_last_session.to_be_bytes();
        let identified = self.disc_identification.is_some();
        let validity = flags([
            (identified, 7),
            (self.bar_code.is_some(), 6),
            (self.unrestricted_use, 5),
            (self.application_code.is_some(), 4),
        ]);
        let record = DiscInformationData {
            length: U16::new(len16(DiscInformationData::SIZE - 2)),
            status: u8::from(self.erasable) << 4
                | (self.last_session as u8) << 2
                | self.status as u8,
            first_track: self.first_track,
            sessions_low,
            first_track_in_last_session_low: first_low,
            last_track_in_last_session_low: last_low,
            validity: validity | self.background_format as u8,
            disc_type: self.disc_type.0,
            sessions_high,
            first_track_in_last_session_high: first_high,
            last_track_in_last_session_high: last_high,
            disc_identification: U32::new(self.disc_identification.unwrap_or_default()),
            last_session_lead_in: U32::new(self.last_lead_in),
            last_possible_lead_out: U32::new(self.last_possible_lead_out),
            bar_code: self.bar_code.unwrap_or_default(),
            application_code: self.application_code.unwrap_or_default(),
            opc_entries: 0,
        };
        record.bytes().to_vec()
    }

    /// The reply in `bytes`, of which 34 must be present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (record, _) = DiscInformationData::view(bytes)?;
        let fields = Fields::new("READ DISC INFORMATION", bytes, DiscInformationData::SIZE)?;
        if fields.u8(2) >> 5 != 0 {
            return Err(fields.bad(2, fields.u8(2))); // not the standard data
        }
        let status = match record.status & 3 {
            0 => DiscStatus::Empty,
            1 => DiscStatus::Appendable,
            2 => DiscStatus::Complete,
            _ => DiscStatus::RandomAccess,
        };
        let last_session = match record.status >> 2 & 3 {
            0 => SessionStatus::Empty,
            1 => SessionStatus::Incomplete,
            2 => SessionStatus::Damaged,
            _ => SessionStatus::Complete,
        };
        let background_format = match record.validity & 3 {
            0 => BackgroundFormat::None,
            1 => BackgroundFormat::Stopped,
            2 => BackgroundFormat::Running,
            _ => BackgroundFormat::Complete,
        };
        let pair = |high, low| u16::from_be_bytes([high, low]);
        Ok(Self {
            status,
            last_session,
            erasable: fields.bit(2, 4),
            first_track: record.first_track,
            sessions: pair(record.sessions_high, record.sessions_low),
            first_track_in_last_session: pair(
                record.first_track_in_last_session_high,
                record.first_track_in_last_session_low,
            ),
            last_track_in_last_session: pair(
                record.last_track_in_last_session_high,
                record.last_track_in_last_session_low,
            ),
            background_format,
            disc_identification: fields.bit(7, 7).then_some(record.disc_identification.get()),
            unrestricted_use: fields.bit(7, 5),
            disc_type: DiscType(record.disc_type),
            last_lead_in: record.last_session_lead_in.get(),
            last_possible_lead_out: record.last_possible_lead_out.get(),
            bar_code: fields.bit(7, 6).then_some(record.bar_code),
            application_code: fields.bit(7, 4).then_some(record.application_code),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes() -> [u8; 34] {
        let mut bytes = [0; 34];
        bytes[..16].copy_from_slice(&[0, 32, 0x1e, 1, 1, 1, 2, 0xf2, 0x20, 0, 0, 1, 0, 0, 1, 2]);
        bytes[16..24].copy_from_slice(&[0, 1, 2, 3, 0xff, 0xff, 0xff, 0xff]);
        bytes[24..33].copy_from_slice(b"barcode!A");
        bytes
    }

    #[test]
    fn golden_bytes() {
        let information = DiscInformation {
            last_track_in_last_session: 0x0102,
            background_format: BackgroundFormat::Running,
            disc_identification: Some(0x102),
            disc_type: DiscType::CD_ROM_XA,
            last_lead_in: 0x0001_0203,
            last_possible_lead_out: DiscInformation::NOWHERE,
            bar_code: Some(*b"barcode!"),
            application_code: Some(b'A'),
            ..DiscInformation::OVERWRITABLE
        };
        assert_eq!(information.encode(), bytes());
        assert_eq!(DiscInformation::decode(&bytes()), Ok(information));
        assert!(DiscInformation::decode(&bytes()[..33]).is_err());
    }

    #[test]
    fn another_type_of_data_is_refused() {
        let mut resources = bytes();
        resources[2] |= 0x20;
        assert!(DiscInformation::decode(&resources).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(information) = DiscInformation::decode(&bytes) {
                let again = DiscInformation::decode(&information.encode());
                prop_assert_eq!(again, Ok(information));
            }
        }
    }
}
