//! What a disc can still take: READ DISC INFORMATION, track resources and pseudo-overwrite.

use reburn_record::big_endian::{U16, U32};
use reburn_record::{Record, record};

use crate::DecodeError;
use crate::bytes::{Fields, len16};
use crate::command::DiscInformationType;

const WHAT: &str = "READ DISC INFORMATION";

/// The type of data that the upper bits of byte 2 name.
const fn type_bits(kind: DiscInformationType) -> u8 {
    (kind as u8) << 5
}

/// The error that a reply holds another type of data than `kind`, if it does.
fn check_type(bytes: &[u8], kind: DiscInformationType, len: usize) -> Result<(), DecodeError> {
    let fields = Fields::new(WHAT, bytes, len)?;
    if fields.u8(2) & 0xe0 == type_bits(kind) {
        return Ok(());
    }
    Err(fields.bad(2, fields.u8(2)))
}

record! {
    /// The reply to READ DISC INFORMATION about tracks.
    struct TrackResourcesData: 12, "MMC-6 READ DISC INFORMATION" {
        0  length: U16, "READ DISC INFORMATION";
        2  kind: u8, "READ DISC INFORMATION";
        3  reserved_3: u8, "READ DISC INFORMATION";
        4  tracks_max: U16, "READ DISC INFORMATION";
        6  tracks: U16, "READ DISC INFORMATION";
        8  appendable_max: U16, "READ DISC INFORMATION";
        10 appendable: U16, "READ DISC INFORMATION";
    }
}

/// How many tracks a disc has and can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackResources {
    /// The most tracks.
    pub tracks_max: u16,
    /// Tracks that exist.
    pub tracks: u16,
    /// The most tracks that can be open for appending at a time.
    pub appendable_max: u16,
    /// Tracks that are.
    pub appendable: u16,
}

impl TrackResources {
    /// The reply, 12 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let record = TrackResourcesData {
            length: U16::new(len16(TrackResourcesData::SIZE - 2)),
            kind: type_bits(DiscInformationType::TrackResources),
            reserved_3: 0,
            tracks_max: U16::new(self.tracks_max),
            tracks: U16::new(self.tracks),
            appendable_max: U16::new(self.appendable_max),
            appendable: U16::new(self.appendable),
        };
        record.bytes().to_vec()
    }

    /// The reply in `bytes`, of which 12 must be present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (record, _) = TrackResourcesData::view(bytes)?;
        check_type(
            bytes,
            DiscInformationType::TrackResources,
            TrackResourcesData::SIZE,
        )?;
        Ok(Self {
            tracks_max: record.tracks_max.get(),
            tracks: record.tracks.get(),
            appendable_max: record.appendable_max.get(),
            appendable: record.appendable.get(),
        })
    }
}

record! {
    /// The reply to READ DISC INFORMATION about pseudo-overwrite.
    struct PseudoOverwriteData: 16, "MMC-6 READ DISC INFORMATION" {
        0  length: U16, "READ DISC INFORMATION";
        2  kind: u8, "READ DISC INFORMATION";
        3  reserved_3: u8, "READ DISC INFORMATION";
        4  remaining_replacements: U32, "READ DISC INFORMATION";
        8  map_entries: U32, "READ DISC INFORMATION";
        12 remaining_updates: U32, "READ DISC INFORMATION";
    }
}

/// What is left of a BD-R's pseudo-overwrite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PseudoOverwriteResources {
    /// Clusters that can still be replaced.
    pub remaining_replacements: u32,
    /// Replacements that the disc holds now.
    pub map_entries: u32,
    /// How often the disc can still take down where replaced clusters are.
    pub remaining_updates: u32,
}

impl PseudoOverwriteResources {
    /// The reply, 16 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let record = PseudoOverwriteData {
            length: U16::new(len16(PseudoOverwriteData::SIZE - 2)),
            kind: type_bits(DiscInformationType::PseudoOverwrite),
            reserved_3: 0,
            remaining_replacements: U32::new(self.remaining_replacements),
            map_entries: U32::new(self.map_entries),
            remaining_updates: U32::new(self.remaining_updates),
        };
        record.bytes().to_vec()
    }

    /// The reply in `bytes`, of which 16 must be present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (record, _) = PseudoOverwriteData::view(bytes)?;
        check_type(
            bytes,
            DiscInformationType::PseudoOverwrite,
            PseudoOverwriteData::SIZE,
        )?;
        Ok(Self {
            remaining_replacements: record.remaining_replacements.get(),
            map_entries: record.map_entries.get(),
            remaining_updates: record.remaining_updates.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::DiscInformation;

    #[test]
    fn golden_bytes() {
        let tracks = TrackResources {
            tracks_max: 0x0102,
            tracks: 0x0304,
            appendable_max: 0x0506,
            appendable: 0x0708,
        };
        let bytes = [0, 10, 0x20, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(tracks.encode(), bytes);
        assert_eq!(TrackResources::decode(&bytes), Ok(tracks));
        assert!(TrackResources::decode(&bytes[..11]).is_err());

        let overwrite = PseudoOverwriteResources {
            remaining_replacements: 0x0001_0203,
            map_entries: 0x0405_0607,
            remaining_updates: 0x0809_0a0b,
        };
        let bytes = [0, 14, 0x40, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
        assert_eq!(overwrite.encode(), bytes);
        assert_eq!(PseudoOverwriteResources::decode(&bytes), Ok(overwrite));
        assert!(PseudoOverwriteResources::decode(&bytes[..15]).is_err());
    }

    /// A host that asks for one type and gets the standard data, as from drives that know no
    /// other, must not take its bytes for counts.
    #[test]
    fn another_type_of_data_is_refused() {
        let standard = DiscInformation::OVERWRITABLE.encode();
        assert!(TrackResources::decode(&standard).is_err());
        assert!(PseudoOverwriteResources::decode(&standard).is_err());
    }
}
