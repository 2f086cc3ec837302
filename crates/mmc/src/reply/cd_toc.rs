//! What a CD's lead-in, program memory area and pre-groove hold: READ TOC/PMA/ATIP, formats 2
//! to 5.

use reburn_record::{Record, record};

use crate::bytes::{Fields, flags, with_length16};
use crate::{DecodeError, Msf};

const WHAT: &str = "READ TOC/PMA/ATIP";

record! {
    /// One entry of a lead-in or of a program memory area: the Q sub-channel that stands there.
    struct LeadInData: 11, "MMC-6 READ TOC/PMA/ATIP" {
        0  session: u8, "READ TOC/PMA/ATIP";
        1  adr_control: u8, "READ TOC/PMA/ATIP";
        2  track: u8, "READ TOC/PMA/ATIP";
        3  point: u8, "READ TOC/PMA/ATIP";
        4  time: [u8; 3], "READ TOC/PMA/ATIP";
        7  zero: u8, "READ TOC/PMA/ATIP";
        8  pointed: [u8; 3], "READ TOC/PMA/ATIP";
    }
}

/// One entry of a lead-in or of a program memory area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeadInEntry {
    /// The session that it is of; 0 in a program memory area.
    pub session: u8,
    /// ADR and control bits: 14h for a data track.
    pub adr_control: u8,
    /// The track number that stands there: 0 in a lead-in.
    pub track: u8,
    /// What it points at: a track from 1 to 99, or one of the constants.
    pub point: u8,
    /// A time of its own; what it means depends on the point.
    pub time: Msf,
    /// The time that it points at.
    pub pointed: Msf,
}

impl LeadInEntry {
    /// The first track's number, in the minutes of `pointed`; the disc's type in its seconds.
    pub const FIRST_TRACK: u8 = 0xa0;
    /// The last track's number, in the minutes of `pointed`.
    pub const LAST_TRACK: u8 = 0xa1;
    /// Where the lead-out starts.
    pub const LEAD_OUT: u8 = 0xa2;
    /// In `time` where the next session can start, in `pointed` the last lead-out possible.
    pub const NEXT_SESSION: u8 = 0xb0;
    /// In `pointed` where the lead-in of the first session starts.
    pub const FIRST_LEAD_IN: u8 = 0xc0;

    fn record(self) -> LeadInData {
        LeadInData {
            session: self.session,
            adr_control: self.adr_control,
            track: self.track,
            point: self.point,
            time: self.time.bytes(),
            zero: 0,
            pointed: self.pointed.bytes(),
        }
    }

    fn from_record(record: LeadInData) -> Self {
        Self {
            session: record.session,
            adr_control: record.adr_control,
            track: record.track,
            point: record.point,
            time: Msf::from_bytes(record.time),
            pointed: Msf::from_bytes(record.pointed),
        }
    }
}

/// Appends what follows the head of 4 bytes, and fills in the length.
fn table(head: [u8; 2], entries: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut reply = vec![0, 0, head[0], head[1]];
    for entry in entries {
        reply.extend(entry.as_ref());
    }
    with_length16(reply)
}

/// The head of a table and all that it announces.
fn announced(bytes: &[u8]) -> Result<Fields<'_>, DecodeError> {
    let fields = Fields::new(WHAT, bytes, 4)?;
    fields.cut((usize::from(fields.u16(0)) + 2).max(4))
}

fn encode_entries(head: [u8; 2], entries: &[LeadInEntry]) -> Vec<u8> {
    const MOST: usize = (u16::MAX as usize - 2) / LeadInData::SIZE;
    let entries = &entries[..entries.len().min(MOST)];
    table(
        head,
        entries.iter().map(|entry| entry.record().bytes().to_vec()),
    )
}

fn decode_entries(fields: Fields<'_>) -> Result<Vec<LeadInEntry>, DecodeError> {
    let mut entries = Vec::new();
    for bytes in fields.from(4).chunks_exact(LeadInData::SIZE) {
        let (record, _) = LeadInData::view(bytes)?;
        entries.push(LeadInEntry::from_record(*record));
    }
    Ok(entries)
}

/// The reply in format 2: the lead-ins of every closed session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullToc {
    /// The number of the first closed session.
    pub first_session: u8,
    /// The number of the last closed session.
    pub last_session: u8,
    /// The entries, session by session.
    pub entries: Vec<LeadInEntry>,
}

impl FullToc {
    /// The reply: 4 bytes, then 11 an entry.
    pub fn encode(&self) -> Vec<u8> {
        encode_entries([self.first_session, self.last_session], &self.entries)
    }

    /// The reply in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = announced(bytes)?;
        Ok(Self {
            first_session: fields.u8(2),
            last_session: fields.u8(3),
            entries: decode_entries(fields)?,
        })
    }
}

/// The reply in format 3: where tracks of sessions stand that are not closed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramMemory {
    /// The entries: for a track, `time` is its end and `pointed` its start.
    pub entries: Vec<LeadInEntry>,
}

impl ProgramMemory {
    /// The reply: 4 bytes, then 11 an entry.
    pub fn encode(&self) -> Vec<u8> {
        encode_entries([0, 0], &self.entries)
    }

    /// The reply in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let entries = decode_entries(announced(bytes)?)?;
        Ok(Self { entries })
    }
}

/// The reply in format 4: what the groove of a recordable CD says of it (absolute time in
/// pre-groove).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreGroove {
    /// The power to write with, as a code of 3 bits.
    pub writing_power: u8,
    /// The speed that the power is for, as a code of 3 bits; 0 on CD-R.
    pub reference_speed: u8,
    /// Whether any use is allowed.
    pub unrestricted_use: bool,
    /// Whether the disc is a CD-RW.
    pub rewritable: bool,
    /// The disc's subtype, 3 bits.
    pub subtype: u8,
    /// Where the lead-in starts, which also tells the disc's maker.
    pub lead_in: Msf,
    /// The last place where a lead-out can start: the disc's capacity.
    pub last_lead_out: Msf,
    /// Further values, if they count: A1, A2, A3.
    pub values: [Option<[u8; 3]>; 3],
}

impl PreGroove {
    const LEN: usize = 28;

    /// The reply, 28 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let counts = self.values.map(|value| value.is_some());
        let kind = flags([
            (self.rewritable, 6),
            (counts[0], 2),
            (counts[1], 1),
            (counts[2], 0),
        ]);
        let mut reply = vec![0; Self::LEN];
        reply[4] = 0x80 | (self.writing_power & 7) << 4 | self.reference_speed & 7;
        reply[5] = flags([(self.unrestricted_use, 6)]);
        reply[6] = 0x80 | kind | (self.subtype & 7) << 3;
        reply[8..11].copy_from_slice(&self.lead_in.bytes());
        reply[12..15].copy_from_slice(&self.last_lead_out.bytes());
        for (value, offset) in self.values.into_iter().zip([16, 20, 24]) {
            reply[offset..offset + 3].copy_from_slice(&value.unwrap_or_default());
        }
        with_length16(reply)
    }

    /// The reply in `bytes`, of which 15 must be present: older drives leave out the rest.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, bytes, 15)?;
        let value = |bit, offset| fields.bit(6, bit).then_some(fields.array(offset));
        Ok(Self {
            writing_power: fields.u8(4) >> 4 & 7,
            reference_speed: fields.u8(4) & 7,
            unrestricted_use: fields.bit(5, 6),
            rewritable: fields.bit(6, 6),
            subtype: fields.u8(6) >> 3 & 7,
            lead_in: Msf::from_bytes(fields.array(8)),
            last_lead_out: Msf::from_bytes(fields.array(12)),
            values: [value(2, 16), value(1, 20), value(0, 24)],
        })
    }
}

/// The reply in format 5: titles, in packs as the lead-in holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CdText {
    /// Packs of 18 bytes: 4 that say what and where, 12 of text, 2 that check them; at most
    /// 3640.
    pub packs: Vec<[u8; 18]>,
}

impl CdText {
    const MOST: usize = 3640;

    /// The reply: 4 bytes, then 18 a pack.
    pub fn encode(&self) -> Vec<u8> {
        table([0, 0], &self.packs[..self.packs.len().min(Self::MOST)])
    }

    /// The reply in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let packs = announced(bytes)?.from(4).as_chunks().0.to_vec();
        Ok(Self { packs })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_bytes_of_a_full_toc() {
        let toc = FullToc {
            first_session: 1,
            last_session: 2,
            entries: vec![LeadInEntry {
                session: 1,
                adr_control: 0x14,
                track: 0,
                point: LeadInEntry::LEAD_OUT,
                time: Msf::new(1, 2, 3),
                pointed: Msf::new(4, 5, 6),
            }],
        };
        let bytes = [0, 13, 1, 2, 1, 0x14, 0, 0xa2, 1, 2, 3, 0, 4, 5, 6];
        assert_eq!(toc.encode(), bytes);
        assert_eq!(FullToc::decode(&bytes), Ok(toc.clone()));
        assert!(FullToc::decode(&bytes[..14]).is_err());
        let memory = ProgramMemory {
            entries: toc.entries,
        };
        let mut bytes = bytes;
        bytes[2..4].fill(0);
        assert_eq!(memory.encode(), bytes);
        assert_eq!(ProgramMemory::decode(&bytes), Ok(memory));
    }

    #[test]
    fn golden_bytes_of_a_pre_groove() {
        let groove = PreGroove {
            writing_power: 5,
            reference_speed: 2,
            unrestricted_use: true,
            rewritable: true,
            subtype: 1,
            lead_in: Msf::new(97, 26, 66),
            last_lead_out: Msf::new(79, 59, 74),
            values: [Some([1, 2, 3]), None, None],
        };
        let mut bytes = [0; 28];
        bytes[1] = 26;
        bytes[4..15].copy_from_slice(&[0xd2, 0x40, 0xcc, 0, 97, 26, 66, 0, 79, 59, 74]);
        bytes[16..19].copy_from_slice(&[1, 2, 3]);
        assert_eq!(groove.encode(), bytes);
        assert_eq!(PreGroove::decode(&bytes), Ok(groove));
        assert!(PreGroove::decode(&bytes[..14]).is_err());
    }

    #[test]
    fn golden_bytes_of_cd_text() {
        let text = CdText {
            packs: vec![*b"\x80\x00\x00\x00Title\x00\x00\x00\x00\x00\x00\x00\x12\x34"],
        };
        let bytes = [&[0, 20, 0, 0][..], &text.packs[0]].concat();
        assert_eq!(text.encode(), bytes);
        assert_eq!(CdText::decode(&bytes), Ok(text));
        assert!(CdText::decode(&bytes[..21]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(toc) = FullToc::decode(&bytes) {
                prop_assert_eq!(FullToc::decode(&toc.encode()), Ok(toc));
            }
            if let Ok(groove) = PreGroove::decode(&bytes) {
                prop_assert_eq!(PreGroove::decode(&groove.encode()), Ok(groove));
            }
            if let Ok(text) = CdText::decode(&bytes) {
                prop_assert_eq!(CdText::decode(&text.encode()), Ok(text));
            }
        }
    }
}
