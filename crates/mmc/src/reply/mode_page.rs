//! The mode pages that hold more than a bit. Offsets count from the page's first data byte,
//! two after its code.

use crate::Speed;
use crate::bytes::{Fields, flags, len16};

/// Page 01h: how hard to try to read and write (MMC-6, Read/Write Error Recovery Parameters).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryPage {
    /// AWRE 80h, ARRE 40h, TB 20h, RC 10h, PER 04h, DTE 02h, DCR 01h.
    pub options: u8,
    /// How often to try to read.
    pub read_retries: u8,
    /// How often to try to write.
    pub write_retries: u8,
}

impl RecoveryPage {
    pub(super) fn encode(self) -> Vec<u8> {
        vec![
            self.options,
            self.read_retries,
            0,
            0,
            0,
            0,
            self.write_retries,
            0,
            0,
            0,
        ]
    }

    pub(super) fn decode(fields: Fields<'_>) -> Self {
        Self {
            options: fields.u8(0),
            read_retries: fields.u8(1),
            write_retries: fields.u8(6),
        }
    }
}

/// How data reach a CD or a sequential DVD, as page 05h counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct WriteType(pub u8);

impl WriteType {
    /// In packets (CD), incremental (DVD).
    pub const PACKET: Self = Self(0);
    /// A track at a time (CD).
    pub const TRACK_AT_ONCE: Self = Self(1);
    /// A session at a time (CD), the disc at a time (DVD).
    pub const SESSION_AT_ONCE: Self = Self(2);
    /// Whole sectors as they stand on the disc (CD).
    pub const RAW: Self = Self(3);
    /// With jumps between the layers (DVD-R DL).
    pub const LAYER_JUMP: Self = Self(4);
}

/// Page 05h: how CD and sequential DVD are written (MMC-6, Write Parameters). The other media
/// ignore it.
#[allow(clippy::struct_excessive_bools)] // a bit each in the page
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteParametersPage {
    /// Whether the drive survives an empty buffer.
    pub underrun_protection: bool,
    /// Whether the link size counts.
    pub link_size_valid: bool,
    /// Whether the laser stays off.
    pub test_write: bool,
    /// In which way data are written.
    pub write_type: WriteType,
    /// What may follow the session: 0 nothing, 3 another one.
    pub multi_session: u8,
    /// Whether packets have a fixed size.
    pub fixed_packet: bool,
    /// Whether the track is a copy (serial copy management).
    pub copy: bool,
    /// Control bits of the track: 4 data, 5 data in packets.
    pub track_mode: u8,
    /// The layout of a data block, 8 for 2048 bytes.
    pub data_block_type: u8,
    /// Blocks that link two packets: 7 on CD, 16 on DVD.
    pub link_size: u8,
    /// Application code of the host, 6 bits.
    pub application_code: u8,
    /// The disc's type in a CD's lead-in: 00h, 10h for CD-I, 20h for XA.
    pub session_format: u8,
    /// Blocks of a packet.
    pub packet_size: u32,
    /// Sectors of pause before an audio track, 150 as a rule.
    pub audio_pause: u16,
    /// Media catalogue number, with its validity in the first byte.
    pub catalogue_number: [u8; 16],
    /// International standard recording code, with its validity in the first byte.
    pub recording_code: [u8; 16],
    /// Sub-header of XA sectors.
    pub sub_header: [u8; 4],
}

impl WriteParametersPage {
    const LEN: usize = 0x32;

    pub(super) fn encode(self) -> Vec<u8> {
        let mut data = vec![0; Self::LEN];
        data[0] = flags([
            (self.underrun_protection, 6),
            (self.link_size_valid, 5),
            (self.test_write, 4),
        ]) | self.write_type.0 & 0x0f;
        data[1] = self.multi_session << 6
            | flags([(self.fixed_packet, 5), (self.copy, 4)])
            | self.track_mode & 0x0f;
        data[2] = self.data_block_type & 0x0f;
        data[3] = self.link_size;
        data[5] = self.application_code & 0x3f;
        data[6] = self.session_format;
        data[8..12].copy_from_slice(&self.packet_size.to_be_bytes());
        data[12..14].copy_from_slice(&self.audio_pause.to_be_bytes());
        data[14..30].copy_from_slice(&self.catalogue_number);
        data[30..46].copy_from_slice(&self.recording_code);
        data[46..50].copy_from_slice(&self.sub_header);
        data
    }

    pub(super) fn decode(fields: Fields<'_>) -> Self {
        Self {
            underrun_protection: fields.bit(0, 6),
            link_size_valid: fields.bit(0, 5),
            test_write: fields.bit(0, 4),
            write_type: WriteType(fields.u8(0) & 0x0f),
            multi_session: fields.u8(1) >> 6,
            fixed_packet: fields.bit(1, 5),
            copy: fields.bit(1, 4),
            track_mode: fields.u8(1) & 0x0f,
            data_block_type: fields.u8(2) & 0x0f,
            link_size: fields.u8(3),
            application_code: fields.u8(5) & 0x3f,
            session_format: fields.u8(6),
            packet_size: fields.u32(8),
            audio_pause: fields.u16(12),
            catalogue_number: fields.array(14),
            recording_code: fields.array(30),
            sub_header: fields.array(46),
        }
    }
}

/// Page 1Ah: when the drive rests (SPC-3 7.4.12). Times are in tenths of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerPage {
    /// When it becomes idle.
    pub idle: Option<u32>,
    /// When it goes to standby.
    pub standby: Option<u32>,
}

impl PowerPage {
    pub(super) fn encode(self) -> Vec<u8> {
        let active = u8::from(self.idle.is_some()) << 1 | u8::from(self.standby.is_some());
        let mut data = vec![0, active];
        data.extend(self.idle.unwrap_or_default().to_be_bytes());
        data.extend(self.standby.unwrap_or_default().to_be_bytes());
        data
    }

    pub(super) fn decode(fields: Fields<'_>) -> Self {
        Self {
            idle: fields.bit(1, 1).then_some(fields.u32(2)),
            standby: fields.bit(1, 0).then_some(fields.u32(6)),
        }
    }
}

/// Page 1Dh: how long commands may take (MMC-6, Timeout and Protect). Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutPage {
    /// G3E 08h, TMOE 04h, DISP 02h, SWPP 01h.
    pub options: u8,
    /// For most commands.
    pub group_1: u16,
    /// For the slow ones.
    pub group_2: u16,
}

impl TimeoutPage {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut data = vec![0, 0, self.options, 0];
        data.extend(self.group_1.to_be_bytes());
        data.extend(self.group_2.to_be_bytes());
        data
    }

    pub(super) fn decode(fields: Fields<'_>) -> Self {
        Self {
            options: fields.u8(2),
            group_1: fields.u16(4),
            group_2: fields.u16(6),
        }
    }
}

/// Page 2Ah: what the drive can do, in the way of older standards (MMC-3, C/DVD Capabilities
/// and Mechanical Status). Programs take the speeds from here.
#[allow(clippy::struct_excessive_bools)] // a bit each in the page
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapabilitiesPage {
    /// Media that it reads: CD-R 01h, CD-RW 02h, DVD-ROM 08h, DVD-R 10h, DVD-RAM 20h.
    pub reads: u8,
    /// Media that it writes: CD-R 01h, CD-RW 02h, test 04h, DVD-R 10h, DVD-RAM 20h.
    pub writes: u8,
    /// Whether the drive survives an empty buffer.
    pub underrun_protection: bool,
    /// Whether it can append sessions.
    pub multi_session: bool,
    /// What else it does with sectors: mode 2 form 2 20h and form 1 10h, plays audio 01h.
    pub sectors: u8,
    /// What it reads of a CD: bar code 80h, catalogue number 40h, ISRC 20h, C2 errors 10h, R-W
    /// corrected 08h and raw 04h, audio exactly 02h and at all 01h.
    pub cd_reading: u8,
    /// The mechanism: 0 caddy, 1 tray.
    pub mechanism: u8,
    /// Whether it can eject by command.
    pub eject: bool,
    /// Whether the medium is locked in now.
    pub locked: bool,
    /// Whether it can lock the medium in.
    pub lock: bool,
    /// What it does with sides, slots and volume: R-W in the lead-in 20h, change of sides 10h,
    /// slots 0Ch, separate mute 02h and volume 01h.
    pub sides_and_volume: u8,
    /// Steps of the volume.
    pub volume_levels: u16,
    /// The version of copy management, 1 for CSS.
    pub copy_management: u16,
    /// How the disc turns when written, 2 bits: 0 at constant linear velocity.
    pub rotation: u8,
    /// The highest speed of reading.
    pub read_speed_max: Speed,
    /// Kilobytes of buffer.
    pub buffer_kilobytes: u16,
    /// The speed of reading now.
    pub read_speed: Speed,
    /// The speed of writing now.
    pub write_speed: Speed,
    /// The speeds of writing that can be set, fastest first; at most 56.
    pub write_speeds: Vec<Speed>,
}

impl CapabilitiesPage {
    const HEAD_LEN: usize = 30;
    const MOST: usize = 56;

    pub(super) fn encode(&self) -> Vec<u8> {
        let speeds = &self.write_speeds[..self.write_speeds.len().min(Self::MOST)];
        let short = |speed: Speed| u16::try_from(speed.kilobytes()).unwrap_or(u16::MAX);
        let mut data = vec![0; Self::HEAD_LEN];
        data[0] = self.reads;
        data[1] = self.writes;
        data[2] = u8::from(self.underrun_protection) << 7
            | u8::from(self.multi_session) << 6
            | self.sectors & 0x3f;
        data[3] = self.cd_reading;
        data[5] = self.sides_and_volume & 0x3f;
        data[25] = self.rotation & 3;
        data[4] = self.mechanism << 5
            | u8::from(self.eject) << 3
            | u8::from(self.locked) << 1
            | u8::from(self.lock);
        let fastest = speeds.first().copied().unwrap_or(self.write_speed);
        for (offset, value) in [
            (6, short(self.read_speed_max)),
            (8, self.volume_levels),
            (20, self.copy_management),
            (10, self.buffer_kilobytes),
            (12, short(self.read_speed)),
            (16, short(fastest)),
            (18, short(self.write_speed)),
            (26, short(self.write_speed)),
            (28, len16(speeds.len())),
        ] {
            data[offset..offset + 2].copy_from_slice(&value.to_be_bytes());
        }
        for speed in speeds {
            data.extend([0, 0]);
            data.extend(short(*speed).to_be_bytes());
        }
        data
    }

    pub(super) fn decode(fields: Fields<'_>) -> Self {
        let speed = |offset| Speed::from_kilobytes(u32::from(fields.u16(offset)));
        let listed = fields.from(Self::HEAD_LEN).chunks_exact(4);
        let count = usize::from(fields.u16(28)).min(Self::MOST);
        let write_speeds = listed
            .take(count)
            .map(|entry| Speed::from_kilobytes(u32::from(u16::from_be_bytes([entry[2], entry[3]]))))
            .collect();
        Self {
            reads: fields.u8(0),
            writes: fields.u8(1),
            underrun_protection: fields.bit(2, 7),
            multi_session: fields.bit(2, 6),
            sectors: fields.u8(2) & 0x3f,
            cd_reading: fields.u8(3),
            sides_and_volume: fields.u8(5) & 0x3f,
            volume_levels: fields.u16(8),
            copy_management: fields.u16(20),
            rotation: fields.u8(25) & 3,
            mechanism: fields.u8(4) >> 5,
            eject: fields.bit(4, 3),
            locked: fields.bit(4, 1),
            lock: fields.bit(4, 0),
            read_speed_max: speed(6),
            buffer_kilobytes: fields.u16(10),
            read_speed: speed(12),
            write_speed: speed(26),
            write_speeds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{ModePage, ModeParameters};

    #[track_caller]
    fn check(page: ModePage, start: &[u8], len: usize) {
        let bytes = page.encode();
        assert_eq!(bytes[..start.len()], *start, "{page:?}");
        assert_eq!(bytes.len(), len);
        let list = [&[0; 8][..], &bytes].concat();
        let decoded = ModeParameters::decode_list(&list).unwrap();
        assert_eq!(decoded.pages, [page]);
    }

    #[test]
    fn golden_bytes_of_short_pages() {
        let recovery = RecoveryPage {
            options: 0xc0,
            read_retries: 5,
            write_retries: 3,
        };
        check(
            ModePage::Recovery(recovery),
            &[1, 10, 0xc0, 5, 0, 0, 0, 0, 3],
            12,
        );
        let power = PowerPage {
            idle: Some(600),
            standby: None,
        };
        check(
            ModePage::Power(power),
            &[0x1a, 10, 0, 2, 0, 0, 2, 0x58, 0],
            12,
        );
        let timeout = TimeoutPage {
            options: 4,
            group_1: 30,
            group_2: 300,
        };
        check(
            ModePage::Timeout(timeout),
            &[0x1d, 8, 0, 0, 4, 0, 0, 30, 1, 0x2c],
            10,
        );
    }

    #[test]
    fn golden_bytes_of_write_parameters() {
        let page = WriteParametersPage {
            underrun_protection: true,
            link_size_valid: true,
            write_type: WriteType::SESSION_AT_ONCE,
            multi_session: 3,
            fixed_packet: true,
            track_mode: 5,
            data_block_type: 8,
            link_size: 7,
            application_code: 0x0a,
            session_format: 0x20,
            packet_size: 16,
            audio_pause: 150,
            catalogue_number: [0x11; 16],
            recording_code: [0x22; 16],
            sub_header: [0x33; 4],
            ..WriteParametersPage::default()
        };
        let mut bytes = vec![
            5, 0x32, 0x62, 0xe5, 8, 7, 0, 0x0a, 0x20, 0, 0, 0, 0, 16, 0, 150,
        ];
        bytes.extend([0x11; 16]);
        bytes.extend([0x22; 16]);
        bytes.extend([0x33; 4]);
        check(ModePage::WriteParameters(page), &bytes, 52);
    }

    #[test]
    fn golden_bytes_of_capabilities() {
        let page = CapabilitiesPage {
            reads: 0x3f,
            writes: 0x33,
            underrun_protection: true,
            multi_session: true,
            sectors: 0x31,
            cd_reading: 0x77,
            sides_and_volume: 0x23,
            volume_levels: 0x0100,
            copy_management: 1,
            rotation: 2,
            mechanism: 1,
            eject: true,
            locked: true,
            lock: true,
            read_speed_max: Speed::BD_1X,
            buffer_kilobytes: 1536,
            read_speed: Speed::BD_1X,
            write_speed: Speed::from_kilobytes(0x0102),
            write_speeds: vec![Speed::from_kilobytes(0x0203), Speed::from_kilobytes(0x0102)],
        };
        let start = [
            0x2a, 38, 0x3f, 0x33, 0xf1, 0x77, 0x2b, 0x23, 0x11, 0x8f, 1, 0, 6, 0, 0x11, 0x8f, 0, 0,
            2, 3, 1, 2, 0, 1, 0, 0, 0, 2, 1, 2, 0, 2, 0, 0, 2, 3, 0, 0, 1, 2,
        ];
        check(ModePage::Capabilities(page), &start, 40);
    }
}
