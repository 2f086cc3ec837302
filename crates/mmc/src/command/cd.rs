//! Sectors of a CD as they stand there, with what surrounds the user's data.

use super::Fields;
use crate::{Cdb, Msf, SectorAddress, Sense};

/// What kind of sector READ CD expects; another kind is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SectorType(pub u8);

impl SectorType {
    /// Any kind.
    pub const ANY: Self = Self(0);
    /// Audio, 2352 bytes.
    pub const AUDIO: Self = Self(1);
    /// Mode 1, 2048 bytes of the user.
    pub const MODE_1: Self = Self(2);
    /// Mode 2 without form, 2336 bytes of the user.
    pub const MODE_2: Self = Self(3);
    /// Mode 2 form 1, 2048 bytes of the user.
    pub const MODE_2_FORM_1: Self = Self(4);
    /// Mode 2 form 2, 2324 bytes of the user.
    pub const MODE_2_FORM_2: Self = Self(5);
}

/// Which parts of each sector READ CD returns.
#[allow(clippy::struct_excessive_bools)] // a bit each in the command
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SectorParts {
    /// The 12 bytes that every sector begins with.
    pub sync: bool,
    /// The 4 bytes of address and mode.
    pub header: bool,
    /// The 8 bytes before the user data of mode 2.
    pub sub_header: bool,
    /// The user's data.
    pub user_data: bool,
    /// The bytes that detect and correct errors.
    pub correction: bool,
    /// Flags of uncorrected bytes: 0 none, 1 a bit for each, 2 that and two bytes of sums.
    pub error_flags: u8,
    /// Sub-channels: 0 none, 1 raw P-W, 2 Q, 4 corrected R-W.
    pub sub_channel: u8,
}

impl SectorParts {
    /// The user's data alone.
    pub const USER_DATA: Self = Self {
        sync: false,
        header: false,
        sub_header: false,
        user_data: true,
        correction: false,
        error_flags: 0,
        sub_channel: 0,
    };

    fn put(self, cdb: &mut Cdb) {
        cdb.set(9, (self.error_flags & 3) << 1);
        cdb.set_bit(9, 7, self.sync);
        cdb.set_bit(9, 6, self.sub_header);
        cdb.set_bit(9, 5, self.header);
        cdb.set_bit(9, 4, self.user_data);
        cdb.set_bit(9, 3, self.correction);
        cdb.set(10, self.sub_channel & 7);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let error_flags = cdb.u8(9) >> 1 & 3;
        if error_flags == 3 {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        Ok(Self {
            sync: cdb.bit(9, 7),
            header: cdb.bit(9, 5),
            sub_header: cdb.bit(9, 6),
            user_data: cdb.bit(9, 4),
            correction: cdb.bit(9, 3),
            error_flags,
            sub_channel: cdb.u8(10) & 7,
        })
    }
}

/// Reads sectors of a CD by address (MMC-6, READ CD).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadCd {
    /// The kind of sector that must stand there.
    pub expected: SectorType,
    /// The first sector.
    pub address: SectorAddress,
    /// How many sectors, at most 24 bits.
    pub sectors: u32,
    /// Which parts of each.
    pub parts: SectorParts,
}

impl Fields for ReadCd {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, (self.expected.0 & 7) << 2);
        cdb.set_u32(2, self.address.field());
        cdb.set_u24(6, self.sectors);
        self.parts.put(cdb);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            expected: SectorType(cdb.u8(1) >> 2 & 7),
            address: cdb.address(2),
            sectors: cdb.u24(6),
            parts: SectorParts::get(cdb)?,
        })
    }
}

/// Reads sectors of a CD by playing time (MMC-6, READ CD MSF).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadCdMsf {
    /// The kind of sector that must stand there.
    pub expected: SectorType,
    /// The first sector.
    pub start: Msf,
    /// The sector after the last one.
    pub end: Msf,
    /// Which parts of each.
    pub parts: SectorParts,
}

impl Fields for ReadCdMsf {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, (self.expected.0 & 7) << 2);
        for (offset, byte) in (3..).zip(self.start.bytes().into_iter().chain(self.end.bytes())) {
            cdb.set(offset, byte);
        }
        self.parts.put(cdb);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            expected: SectorType(cdb.u8(1) >> 2 & 7),
            start: Msf::new(cdb.u8(3), cdb.u8(4), cdb.u8(5)),
            end: Msf::new(cdb.u8(6), cdb.u8(7), cdb.u8(8)),
            parts: SectorParts::get(cdb)?,
        })
    }
}

/// Sends the [cue sheet](crate::reply::CueSheet) of a session that is recorded at once (MMC-6,
/// SEND CUE SHEET).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendCueSheet {
    /// Bytes of the sheet, at most 24 bits.
    pub list_length: u32,
}

impl Fields for SendCueSheet {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_u24(6, self.list_length);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            list_length: cdb.u24(6),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, check};
    use super::*;

    #[test]
    fn golden_bytes() {
        let whole = SectorParts {
            sync: true,
            header: true,
            sub_header: true,
            user_data: true,
            correction: true,
            error_flags: 0,
            sub_channel: 0,
        };
        let read = ReadCd {
            expected: SectorType::ANY,
            address: SectorAddress::PAUSE,
            sectors: 0x0001_0203,
            parts: whole,
        };
        check(
            read,
            &[0xbe, 0, 0xff, 0xff, 0xff, 0x6a, 1, 2, 3, 0xf8, 0, 0],
        );
        let data = ReadCd {
            expected: SectorType::MODE_1,
            address: SectorAddress::ZERO,
            sectors: 1,
            parts: SectorParts {
                header: true,
                error_flags: 2,
                sub_channel: 1,
                ..SectorParts::USER_DATA
            },
        };
        check(data, &[0xbe, 8, 0, 0, 0, 0, 0, 0, 1, 0x34, 1, 0]);
        let by_time = ReadCdMsf {
            expected: SectorType::AUDIO,
            start: Msf::new(0, 2, 0),
            end: Msf::new(1, 3, 74),
            parts: SectorParts::USER_DATA,
        };
        check(by_time, &[0xb9, 4, 0, 0, 2, 0, 1, 3, 74, 0x10, 0, 0]);
        check(
            SendCueSheet {
                list_length: 0x0001_0203,
            },
            &[0x5d, 0, 0, 0, 0, 0, 1, 2, 3, 0],
        );
    }

    #[test]
    fn error_flags_without_meaning_are_refused() {
        let bytes = [0xbe, 0, 0, 0, 0, 0, 0, 0, 1, 0x16, 0, 0];
        assert_eq!(Command::decode(&bytes), Err(Sense::INVALID_FIELD_IN_CDB));
    }
}
