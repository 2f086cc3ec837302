//! What changes the medium besides writes: formatting, blanking, reserving, closing.

use reburn_blocks::{BlockCount, Lba};

use super::{Fields, MediaType};
use crate::{Cdb, Sense};

/// Formats the medium as a [parameter list](crate::reply::FormatParameters) says (MMC-6,
/// FORMAT UNIT). Optical drives take no other form: the list is always sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatUnit {
    /// Whether to forget the list of defects known so far.
    pub complete_list: bool,
}

impl Fields for FormatUnit {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, 0x11);
        cdb.set_bit(1, 3, self.complete_list);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        if cdb.u8(1) & 0x17 != 0x11 {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        Ok(Self {
            complete_list: cdb.bit(1, 3),
        })
    }
}

/// What CLOSE TRACK SESSION closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseFunction {
    /// Stops the background format of a DVD+RW.
    StopFormat = 0,
    /// A track.
    Track = 1,
    /// A session; on DVD+RW, makes the disc readable before its format is complete.
    Session = 2,
    /// A session, with the whole format done (DVD+RW).
    SessionComplete = 3,
    /// A session of a DVD+R with two layers, with its middle areas.
    DualLayer = 4,
    /// The disc, for good, with a minimal radius.
    FinalizeMinimal = 5,
    /// The disc, for good.
    Finalize = 6,
}

/// Closes a track, a session or the disc (MMC-6, CLOSE TRACK SESSION).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseTrackSession {
    /// Whether to answer before it is done.
    pub immediate: bool,
    /// What to close.
    pub function: CloseFunction,
    /// The track, where one is closed.
    pub track: u16,
}

impl Fields for CloseTrackSession {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 0, self.immediate);
        cdb.set(2, self.function as u8);
        cdb.set_u16(4, self.track);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let function = match cdb.u8(2) & 7 {
            0 => CloseFunction::StopFormat,
            1 => CloseFunction::Track,
            2 => CloseFunction::Session,
            3 => CloseFunction::SessionComplete,
            4 => CloseFunction::DualLayer,
            5 => CloseFunction::FinalizeMinimal,
            6 => CloseFunction::Finalize,
            _ => return Err(Sense::INVALID_FIELD_IN_CDB),
        };
        Ok(Self {
            immediate: cdb.bit(1, 0),
            function,
            track: cdb.u16(4),
        })
    }
}

/// Blanks a CD-RW or DVD-RW (MMC-6, BLANK).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blank {
    /// Whether to answer before it is done.
    pub immediate: bool,
    /// How much: 0 everything, 1 as little as possible, 4 the last track's tail.
    pub kind: u8,
    /// The track or address to start from.
    pub start: u32,
}

impl Fields for Blank {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, self.kind & 7);
        cdb.set_bit(1, 4, self.immediate);
        cdb.set_u32(2, self.start);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            immediate: cdb.bit(1, 4),
            kind: cdb.u8(1) & 7,
            start: cdb.u32(2),
        })
    }
}

/// Calibrates the laser's power (MMC-6, SEND OPC INFORMATION).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendOpc {
    /// Whether to calibrate now.
    pub calibrate: bool,
}

impl Fields for SendOpc {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 0, self.calibrate);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            calibrate: cdb.bit(1, 0),
        })
    }
}

/// What RESERVE TRACK sets aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// So many blocks from the next writable one on.
    Size(BlockCount),
    /// Splits the track that holds this block in two, the second one of which starts here.
    SplitAt(Lba),
}

/// Reserves the space of a track before it is written (MMC-6, RESERVE TRACK).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReserveTrack {
    /// What to reserve.
    pub reservation: Reservation,
}

impl Fields for ReserveTrack {
    fn put(&self, cdb: &mut Cdb) {
        match self.reservation {
            Reservation::Size(blocks) => cdb.set_u32(5, blocks.get()),
            Reservation::SplitAt(lba) => {
                cdb.set_bit(1, 1, true);
                cdb.set_u32(2, lba.get());
            }
        }
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        let reservation = if cdb.bit(1, 1) {
            Reservation::SplitAt(cdb.lba(2)?)
        } else {
            Reservation::Size(BlockCount::new(cdb.u32(5)))
        };
        Ok(Self { reservation })
    }
}

/// Makes a track that an interruption damaged whole, as far as it can be (MMC-6, REPAIR TRACK).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairTrack {
    /// Whether to answer before it is done.
    pub immediate: bool,
    /// The track.
    pub track: u16,
}

impl Fields for RepairTrack {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set_bit(1, 0, self.immediate);
        cdb.set_u16(4, self.track);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            immediate: cdb.bit(1, 0),
            track: cdb.u16(4),
        })
    }
}

/// Sends a structure that stands outside the user's blocks (MMC-6, SEND DISC STRUCTURE): the
/// capacity of the first layer, write protection, a disc control block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendDiscStructure {
    /// Whose structures.
    pub media: MediaType,
    /// Which structure.
    pub format: u8,
    /// Bytes of the structure with its head of 4 bytes.
    pub list_length: u16,
}

impl Fields for SendDiscStructure {
    fn put(&self, cdb: &mut Cdb) {
        cdb.set(1, self.media as u8);
        cdb.set(7, self.format);
        cdb.set_u16(8, self.list_length);
    }

    fn get(cdb: &Cdb) -> Result<Self, Sense> {
        Ok(Self {
            media: MediaType::from_low_bits(cdb.u8(1))?,
            format: cdb.u8(7),
            list_length: cdb.u16(8),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, check};
    use super::*;

    #[test]
    fn golden_bytes_of_changes() {
        check(
            FormatUnit {
                complete_list: false,
            },
            &[4, 0x11, 0, 0, 0, 0],
        );
        check(
            FormatUnit {
                complete_list: true,
            },
            &[4, 0x19, 0, 0, 0, 0],
        );
        let close = CloseTrackSession {
            immediate: true,
            function: CloseFunction::Session,
            track: 0x0102,
        };
        check(close, &[0x5b, 1, 2, 0, 1, 2, 0, 0, 0, 0]);
        let blank = Blank {
            immediate: true,
            kind: 1,
            start: 5,
        };
        check(blank, &[0xa1, 0x11, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0]);
        check(
            SendOpc { calibrate: true },
            &[0x54, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        );
    }

    #[test]
    fn golden_bytes_of_tracks() {
        let size = Reservation::Size(BlockCount::new(0x0102_0304));
        check(
            ReserveTrack { reservation: size },
            &[0x53, 0, 0, 0, 0, 1, 2, 3, 4, 0],
        );
        let split = Reservation::SplitAt(Lba::new(0x0102_0304));
        check(
            ReserveTrack { reservation: split },
            &[0x53, 2, 1, 2, 3, 4, 0, 0, 0, 0],
        );
        let repair = RepairTrack {
            immediate: true,
            track: 0x0102,
        };
        check(repair, &[0x58, 1, 0, 0, 1, 2, 0, 0, 0, 0]);
    }

    #[test]
    fn golden_bytes_of_a_structure() {
        let layer_0 = SendDiscStructure {
            media: MediaType::Dvd,
            format: 0x20,
            list_length: 12,
        };
        check(layer_0, &[0xbf, 0, 0, 0, 0, 0, 0, 0x20, 0, 12, 0, 0]);
    }

    #[test]
    fn what_no_drive_accepts_is_refused() {
        for bytes in [
            &[0x04, 0, 0, 0, 0, 0][..],
            &[0x04, 0x12, 0, 0, 0, 0],
            &[0x5b, 0, 7, 0, 0, 0, 0, 0, 0, 0],
            &[0xbf, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(
                Command::decode(bytes),
                Err(Sense::INVALID_FIELD_IN_CDB),
                "{bytes:02x?}"
            );
        }
    }
}
