//! The state of one track: READ TRACK INFORMATION.

use reburn_blocks::{BlockCount, Lba};
use reburn_record::big_endian::{U16, U32};
use reburn_record::{Record, record};

use crate::DecodeError;
use crate::bytes::{Fields, flags, len16};

record! {
    /// The reply to READ TRACK INFORMATION.
    struct TrackInformationData: 48, "MMC-6 READ TRACK INFORMATION" {
        0  length: U16, "READ TRACK INFORMATION";
        2  track_low: u8, "READ TRACK INFORMATION";
        3  session_low: u8, "READ TRACK INFORMATION";
        4  reserved_4: u8, "READ TRACK INFORMATION";
        5  track_mode: u8, "READ TRACK INFORMATION";
        6  data_mode: u8, "READ TRACK INFORMATION";
        7  validity: u8, "READ TRACK INFORMATION";
        8  start: U32, "READ TRACK INFORMATION";
        12 next_writable: U32, "READ TRACK INFORMATION";
        16 free_blocks: U32, "READ TRACK INFORMATION";
        20 packet_size: U32, "READ TRACK INFORMATION";
        24 track_size: U32, "READ TRACK INFORMATION";
        28 last_recorded: U32, "READ TRACK INFORMATION";
        32 track_high: u8, "READ TRACK INFORMATION";
        33 session_high: u8, "READ TRACK INFORMATION";
        34 reserved_34: U16, "READ TRACK INFORMATION";
        36 read_compatibility: U32, "READ TRACK INFORMATION";
        40 next_layer_jump: U32, "READ TRACK INFORMATION";
        44 last_layer_jump: U32, "READ TRACK INFORMATION";
    }
}

/// Bytes that every drive returns; older ones stop there.
const SHORTEST: usize = 32;

/// The state of one track.
#[allow(clippy::struct_excessive_bools)] // a bit each in the reply
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackInformation {
    /// Its number.
    pub track: u16,
    /// The session it is in.
    pub session: u16,
    /// Control bits of the track, 4 for data.
    pub track_mode: u8,
    /// Whether it is a second or later copy (serial copy management).
    pub copy: bool,
    /// How far layer jump recording got, 2 bits: 0 not used, 1 the track does not end yet.
    pub layer_jump: u8,
    /// How its data are stored: 1, or 15 if not known.
    pub data_mode: u8,
    /// Whether an interruption damaged it.
    pub damaged: bool,
    /// Whether it was reserved.
    pub reserved: bool,
    /// Whether nothing is recorded in it.
    pub blank: bool,
    /// Whether it is recorded in packets.
    pub packet: bool,
    /// Whether the packets have a fixed size.
    pub fixed_packet: bool,
    /// Its first block.
    pub start: Lba,
    /// The block to append at, if there is one.
    pub next_writable: Option<Lba>,
    /// Blocks that can still be recorded in it.
    pub free_blocks: BlockCount,
    /// Blocks in a packet, or in what the medium records at once.
    pub packet_size: BlockCount,
    /// Blocks in the track.
    pub track_size: BlockCount,
    /// The last block recorded, if the drive knows it.
    pub last_recorded: Option<Lba>,
    /// Up to where the track must be recorded for players to read the disc (DVD+R DL).
    pub read_compatibility: u32,
    /// The block from which the next jump to the other layer leaves.
    pub next_layer_jump: u32,
    /// The block from which the last jump left.
    pub last_layer_jump: u32,
}

impl TrackInformation {
    /// Track 1 of session 1 for data, from block 0 on, with nothing in it and no room.
    pub const DATA: Self = Self {
        track: 1,
        session: 1,
        track_mode: 4,
        copy: false,
        layer_jump: 0,
        data_mode: 1,
        damaged: false,
        reserved: false,
        blank: false,
        packet: false,
        fixed_packet: false,
        start: Lba::ZERO,
        next_writable: None,
        free_blocks: BlockCount::ZERO,
        packet_size: BlockCount::ZERO,
        track_size: BlockCount::ZERO,
        last_recorded: None,
        read_compatibility: 0,
        next_layer_jump: 0,
        last_layer_jump: 0,
    };

    /// The reply, 48 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let [track_high, track_low] = self.track.to_be_bytes();
        let [session_high, session_low] = self.session.to_be_bytes();
        let lba = |lba: Option<Lba>| U32::new(lba.map_or(0, Lba::get));
        let state = flags([
            (self.reserved, 7),
            (self.blank, 6),
            (self.packet, 5),
            (self.fixed_packet, 4),
        ]);
        let validity = flags([
            (self.last_recorded.is_some(), 1),
            (self.next_writable.is_some(), 0),
        ]);
        let record = TrackInformationData {
            length: U16::new(len16(TrackInformationData::SIZE - 2)),
            track_low,
            session_low,
            reserved_4: 0,
            track_mode: self.layer_jump << 6
                | flags([(self.damaged, 5), (self.copy, 4)])
                | self.track_mode & 0x0f,
            data_mode: state | self.data_mode & 0x0f,
            validity,
            start: U32::new(self.start.get()),
            next_writable: lba(self.next_writable),
            free_blocks: U32::new(self.free_blocks.get()),
            packet_size: U32::new(self.packet_size.get()),
            track_size: U32::new(self.track_size.get()),
            last_recorded: lba(self.last_recorded),
            track_high,
            session_high,
            reserved_34: U16::new(0),
            read_compatibility: U32::new(self.read_compatibility),
            next_layer_jump: U32::new(self.next_layer_jump),
            last_layer_jump: U32::new(self.last_layer_jump),
        };
        record.bytes().to_vec()
    }

    /// The reply in `bytes`, of which 32 must be present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new("READ TRACK INFORMATION", bytes, SHORTEST)?;
        let lba = |offset: usize| {
            let number = fields.u32(offset);
            Lba::checked(u64::from(number)).ok_or(fields.bad(offset, number))
        };
        let valid = |bit, offset| fields.bit(7, bit).then(|| lba(offset)).transpose();
        Ok(Self {
            track: u16::from_be_bytes([fields.u8(32), fields.u8(2)]),
            session: u16::from_be_bytes([fields.u8(33), fields.u8(3)]),
            track_mode: fields.u8(5) & 0x0f,
            copy: fields.bit(5, 4),
            layer_jump: fields.u8(5) >> 6,
            data_mode: fields.u8(6) & 0x0f,
            damaged: fields.bit(5, 5),
            reserved: fields.bit(6, 7),
            blank: fields.bit(6, 6),
            packet: fields.bit(6, 5),
            fixed_packet: fields.bit(6, 4),
            start: lba(8)?,
            next_writable: valid(0, 12)?,
            free_blocks: BlockCount::new(fields.u32(16)),
            packet_size: BlockCount::new(fields.u32(20)),
            track_size: BlockCount::new(fields.u32(24)),
            last_recorded: valid(1, 28)?,
            read_compatibility: fields.u32(36),
            next_layer_jump: fields.u32(40),
            last_layer_jump: fields.u32(44),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn track() -> TrackInformation {
        TrackInformation {
            track: 0x0102,
            copy: true,
            layer_jump: 1,
            blank: true,
            packet: true,
            start: Lba::new(16),
            next_writable: Some(Lba::new(32)),
            free_blocks: BlockCount::new(2),
            packet_size: BlockCount::new(16),
            track_size: BlockCount::new(0x23_0540),
            read_compatibility: 3,
            next_layer_jump: 4,
            last_layer_jump: 5,
            ..TrackInformation::DATA
        }
    }

    fn bytes() -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&[0, 46, 2, 1, 0, 0x54, 0x61, 1]);
        bytes[11] = 16;
        bytes[15] = 32;
        bytes[19] = 2;
        bytes[23] = 16;
        bytes[24..28].copy_from_slice(&[0, 0x23, 5, 0x40]);
        bytes[32] = 1;
        bytes[39] = 3;
        bytes[43] = 4;
        bytes[47] = 5;
        bytes
    }

    #[test]
    fn golden_bytes() {
        assert_eq!(track().encode(), bytes());
        assert_eq!(TrackInformation::decode(&bytes()), Ok(track()));
        let short = TrackInformation::decode(&bytes()[..32]).unwrap();
        assert_eq!(short.track, 2, "the upper half of the number is cut off");
        assert!(TrackInformation::decode(&bytes()[..31]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(track) = TrackInformation::decode(&bytes) {
                prop_assert_eq!(TrackInformation::decode(&track.encode()), Ok(track));
            }
        }
    }
}
