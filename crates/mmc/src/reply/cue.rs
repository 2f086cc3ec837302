//! The cue sheet of a CD session that is recorded at once: what SEND CUE SHEET sends.

use reburn_record::{Record, record};

use crate::{DecodeError, Msf};

record! {
    /// One line of a cue sheet.
    struct CueData: 8, "MMC-6 SEND CUE SHEET" {
        0 control_adr: u8, "SEND CUE SHEET";
        1 track: u8, "SEND CUE SHEET";
        2 index: u8, "SEND CUE SHEET";
        3 form: u8, "SEND CUE SHEET";
        4 copy: u8, "SEND CUE SHEET";
        5 time: [u8; 3], "SEND CUE SHEET";
    }
}

/// How the sectors of a line are sent and recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DataForm(pub u8);

impl DataForm {
    /// Audio, 2352 bytes sent for each sector.
    pub const AUDIO: Self = Self(0x00);
    /// Audio that the drive makes: nothing is sent.
    pub const AUDIO_SILENCE: Self = Self(0x01);
    /// Mode 1, 2048 bytes sent.
    pub const MODE_1: Self = Self(0x10);
    /// Mode 1, 2352 bytes sent of which the drive makes all but the user's data.
    pub const MODE_1_WHOLE: Self = Self(0x11);
    /// Mode 1 that the drive makes: nothing is sent.
    pub const MODE_1_ZEROS: Self = Self(0x14);
    /// Lead-in with titles: 96 bytes of sub-channel sent.
    pub const CD_TEXT: Self = Self(0x41);

    /// Bytes of the main channel that are sent for each sector; `None` for a form without a line
    /// here.
    pub const fn bytes_per_sector(self) -> Option<usize> {
        Some(match self {
            Self::AUDIO | Self::MODE_1_WHOLE => 2352,
            Self::MODE_1 => 2048,
            Self::AUDIO_SILENCE | Self::MODE_1_ZEROS => 0,
            Self::CD_TEXT => 96,
            _ => return None,
        })
    }
}

/// One line of a cue sheet: what begins at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CueEntry {
    /// Control and ADR bits: 41h for a data track.
    pub control_adr: u8,
    /// The track: 0 for the lead-in, [`CueEntry::LEAD_OUT`] for the lead-out.
    pub track: u8,
    /// The index: 0 for the pause, 1 for the track itself.
    pub index: u8,
    /// How the sectors are sent.
    pub form: DataForm,
    /// Whether the track is a copy (80h), in alternation with 0 for serial copy management.
    pub copy: u8,
    /// When it begins; 00:00:00 is the pause of the first track.
    pub time: Msf,
}

impl CueEntry {
    /// The number that stands for the lead-out.
    pub const LEAD_OUT: u8 = 0xaa;
}

/// A cue sheet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CueSheet {
    /// The lines, in order of time.
    pub entries: Vec<CueEntry>,
}

impl CueSheet {
    /// The sheet, 8 bytes a line.
    pub fn encode(&self) -> Vec<u8> {
        let mut list = Vec::with_capacity(self.entries.len() * CueData::SIZE);
        for entry in &self.entries {
            let record = CueData {
                control_adr: entry.control_adr,
                track: entry.track,
                index: entry.index,
                form: entry.form.0,
                copy: entry.copy,
                time: entry.time.bytes(),
            };
            list.extend(record.bytes());
        }
        list
    }

    /// The sheet in `bytes`, which must be whole lines.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (record, after) = CueData::view(rest)?;
            entries.push(CueEntry {
                control_adr: record.control_adr,
                track: record.track,
                index: record.index,
                form: DataForm(record.form),
                copy: record.copy,
                time: Msf::from_bytes(record.time),
            });
            rest = after;
        }
        Ok(Self { entries })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_bytes() {
        let line = |track, index, form, time| CueEntry {
            control_adr: 0x41,
            track,
            index,
            form,
            copy: 0,
            time,
        };
        let sheet = CueSheet {
            entries: vec![
                line(0, 0, DataForm::MODE_1_ZEROS, Msf::default()),
                line(1, 0, DataForm::MODE_1, Msf::default()),
                line(1, 1, DataForm::MODE_1, Msf::new(0, 2, 0)),
                line(
                    CueEntry::LEAD_OUT,
                    1,
                    DataForm::MODE_1_ZEROS,
                    Msf::new(1, 2, 3),
                ),
            ],
        };
        let bytes = [
            0x41, 0, 0, 0x14, 0, 0, 0, 0, // lead-in
            0x41, 1, 0, 0x10, 0, 0, 0, 0, // pause
            0x41, 1, 1, 0x10, 0, 0, 2, 0, // track
            0x41, 0xaa, 1, 0x14, 0, 1, 2, 3, // lead-out
        ];
        assert_eq!(sheet.encode(), bytes);
        assert_eq!(CueSheet::decode(&bytes), Ok(sheet));
        assert!(CueSheet::decode(&bytes[..31]).is_err());
        assert_eq!(CueSheet::decode(&[]), Ok(CueSheet::default()));
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(sheet) = CueSheet::decode(&bytes) {
                prop_assert_eq!(sheet.encode(), bytes);
            }
        }
    }
}
