//! Speeds: the replies to GET PERFORMANCE and the list of SET STREAMING.

use reburn_blocks::Lba;
use reburn_record::big_endian::U32;
use reburn_record::{Record, record};

use crate::bytes::{Fields, len32};
use crate::{DecodeError, Speed};

const WHAT: &str = "GET PERFORMANCE";
const HEADER_LEN: usize = 8;

/// Bytes that follow the length field of a reply with `count` descriptors.
fn header(count: usize, flags: u8) -> Vec<u8> {
    let following = len32(HEADER_LEN - 4 + count * 16);
    [&following.to_be_bytes()[..], &[flags, 0, 0, 0]].concat()
}

/// How many bytes the whole reply has, from its first 4.
fn announced_len(bytes: &[u8]) -> Result<usize, DecodeError> {
    let following = Fields::new(WHAT, bytes, 4)?.u32(0);
    Ok((following as usize).saturating_add(4).max(HEADER_LEN))
}

/// The descriptors of a reply that are present: hosts ask for as many as they have room for,
/// while the length announces all of them.
fn present<R: Record>(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let end = announced_len(bytes)?.min(bytes.len());
    let fields = Fields::new(WHAT, bytes, HEADER_LEN)?.cut(end.max(HEADER_LEN))?;
    let data = fields.from(HEADER_LEN);
    Ok(&data[..data.len() / R::SIZE * R::SIZE])
}

fn lba(offset: usize, value: U32) -> Result<Lba, DecodeError> {
    Lba::checked(u64::from(value.get())).ok_or(DecodeError::Field {
        what: WHAT,
        offset,
        value: value.get(),
    })
}

record! {
    /// The speed over a range of blocks.
    struct RangeData: 16, "MMC-6 GET PERFORMANCE type 00h" {
        0  start_lba: U32, "GET PERFORMANCE";
        4  start_speed: U32, "GET PERFORMANCE";
        8  end_lba: U32, "GET PERFORMANCE";
        12 end_speed: U32, "GET PERFORMANCE";
    }
}

/// The speed over a range of blocks; in between it changes evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerformanceRange {
    /// The first block.
    pub start_lba: Lba,
    /// The speed there.
    pub start_speed: Speed,
    /// The last block.
    pub end_lba: Lba,
    /// The speed there.
    pub end_speed: Speed,
}

/// The reply of type 00h: nominal speeds over the medium.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Performance {
    /// Whether these are speeds of writing.
    pub write: bool,
    /// The ranges, ascending.
    pub ranges: Vec<PerformanceRange>,
}

impl Performance {
    /// The reply: 8 bytes, then 16 a range.
    pub fn encode(&self) -> Vec<u8> {
        let mut reply = header(self.ranges.len(), u8::from(self.write) << 1);
        for range in &self.ranges {
            let record = RangeData {
                start_lba: U32::new(range.start_lba.get()),
                start_speed: U32::new(range.start_speed.kilobytes()),
                end_lba: U32::new(range.end_lba.get()),
                end_speed: U32::new(range.end_speed.kilobytes()),
            };
            reply.extend(record.bytes());
        }
        reply
    }

    /// The reply in `bytes`, as many whole ranges as are present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut ranges = Vec::new();
        for entry in present::<RangeData>(bytes)?.chunks_exact(RangeData::SIZE) {
            let (record, _) = RangeData::view(entry)?;
            ranges.push(PerformanceRange {
                start_lba: lba(0, record.start_lba)?,
                start_speed: Speed::from_kilobytes(record.start_speed.get()),
                end_lba: lba(8, record.end_lba)?,
                end_speed: Speed::from_kilobytes(record.end_speed.get()),
            });
        }
        let write = Fields::new(WHAT, bytes, HEADER_LEN)?.bit(4, 1);
        Ok(Self { write, ranges })
    }
}

record! {
    /// A write speed that can be set.
    struct WriteSpeedData: 16, "MMC-6 GET PERFORMANCE type 03h" {
        0  flags: u8, "GET PERFORMANCE";
        1  reserved: [u8; 3], "GET PERFORMANCE";
        4  end_lba: U32, "GET PERFORMANCE";
        8  read_speed: U32, "GET PERFORMANCE";
        12 write_speed: U32, "GET PERFORMANCE";
    }
}

/// A write speed that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteSpeed {
    /// The last block of the medium.
    pub end_lba: Lba,
    /// The speed of reading that goes with it.
    pub read_speed: Speed,
    /// The speed of writing.
    pub write_speed: Speed,
}

/// The reply of type 03h: the write speeds that can be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteSpeeds {
    /// The speeds, fastest first.
    pub speeds: Vec<WriteSpeed>,
}

impl WriteSpeeds {
    /// The reply: 8 bytes, then 16 a speed.
    pub fn encode(&self) -> Vec<u8> {
        let mut reply = header(self.speeds.len(), 0);
        for speed in &self.speeds {
            let record = WriteSpeedData {
                flags: 0,
                reserved: [0; 3],
                end_lba: U32::new(speed.end_lba.get()),
                read_speed: U32::new(speed.read_speed.kilobytes()),
                write_speed: U32::new(speed.write_speed.kilobytes()),
            };
            reply.extend(record.bytes());
        }
        reply
    }

    /// The reply in `bytes`, as many whole speeds as are present.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut speeds = Vec::new();
        for entry in present::<WriteSpeedData>(bytes)?.chunks_exact(WriteSpeedData::SIZE) {
            let (record, _) = WriteSpeedData::view(entry)?;
            speeds.push(WriteSpeed {
                end_lba: lba(4, record.end_lba)?,
                read_speed: Speed::from_kilobytes(record.read_speed.get()),
                write_speed: Speed::from_kilobytes(record.write_speed.get()),
            });
        }
        Ok(Self { speeds })
    }
}

record! {
    /// The parameter list of SET STREAMING.
    struct StreamingData: 28, "MMC-6 SET STREAMING" {
        0  flags: u8, "SET STREAMING";
        1  reserved: [u8; 3], "SET STREAMING";
        4  start_lba: U32, "SET STREAMING";
        8  end_lba: U32, "SET STREAMING";
        12 read_size: U32, "SET STREAMING";
        16 read_time: U32, "SET STREAMING";
        20 write_size: U32, "SET STREAMING";
        24 write_time: U32, "SET STREAMING";
    }
}

/// Speeds for a range of blocks, as so many kilobytes in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamingDescriptor {
    /// Whether to return to the drive's own speeds; then nothing else counts.
    pub restore_defaults: bool,
    /// Whether the drive shall refuse what it cannot do exactly.
    pub exact: bool,
    /// The first block.
    pub start_lba: Lba,
    /// The last block.
    pub end_lba: Lba,
    /// Kilobytes to read in `read_time`.
    pub read_size: u32,
    /// Milliseconds for `read_size`.
    pub read_time: u32,
    /// Kilobytes to write in `write_time`.
    pub write_size: u32,
    /// Milliseconds for `write_size`.
    pub write_time: u32,
}

impl StreamingDescriptor {
    /// Bytes of the list.
    pub const LEN: usize = StreamingData::SIZE;

    /// `size` kilobytes in `time` as a speed; `None` if no time is given.
    fn speed(size: u32, time: u32) -> Option<Speed> {
        let per_second = (u64::from(size) * 1000).checked_div(u64::from(time))?;
        Some(Speed::from_kilobytes(
            u32::try_from(per_second).unwrap_or(u32::MAX),
        ))
    }

    /// The speed of reading.
    pub fn read_speed(&self) -> Option<Speed> {
        Self::speed(self.read_size, self.read_time)
    }

    /// The speed of writing.
    pub fn write_speed(&self) -> Option<Speed> {
        Self::speed(self.write_size, self.write_time)
    }

    /// These speeds for the blocks up to `end_lba`, counted over one second.
    pub fn for_speeds(end_lba: Lba, read: Speed, write: Speed) -> Self {
        let second = 1000;
        Self {
            restore_defaults: false,
            exact: false,
            start_lba: Lba::ZERO,
            end_lba,
            read_size: read.kilobytes(),
            read_time: second,
            write_size: write.kilobytes(),
            write_time: second,
        }
    }

    /// The list, 28 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let record = StreamingData {
            flags: u8::from(self.restore_defaults) << 2 | u8::from(self.exact) << 1,
            reserved: [0; 3],
            start_lba: U32::new(self.start_lba.get()),
            end_lba: U32::new(self.end_lba.get()),
            read_size: U32::new(self.read_size),
            read_time: U32::new(self.read_time),
            write_size: U32::new(self.write_size),
            write_time: U32::new(self.write_time),
        };
        record.bytes().to_vec()
    }

    /// The list in `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (record, _) = StreamingData::view(bytes)?;
        Ok(Self {
            restore_defaults: record.flags >> 2 & 1 == 1,
            exact: record.flags >> 1 & 1 == 1,
            start_lba: lba(4, record.start_lba)?,
            end_lba: lba(8, record.end_lba)?,
            read_size: record.read_size.get(),
            read_time: record.read_time.get(),
            write_size: record.write_size.get(),
            write_time: record.write_time.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn golden_bytes_of_performance() {
        let performance = Performance {
            write: true,
            ranges: vec![PerformanceRange {
                start_lba: Lba::ZERO,
                start_speed: Speed::DVD_1X,
                end_lba: Lba::new(0x23_053f),
                end_speed: Speed::DVD_1X.times(4),
            }],
        };
        let bytes = [
            0, 0, 0, 20, 2, 0, 0, 0, // header
            0, 0, 0, 0, 0, 0, 5, 0x69, 0, 0x23, 5, 0x3f, 0, 0, 0x15, 0xa4,
        ];
        assert_eq!(performance.encode(), bytes);
        assert_eq!(Performance::decode(&bytes), Ok(performance));
        let none = Performance::decode(&bytes[..8]).unwrap();
        assert_eq!(none.ranges, []);
        assert!(Performance::decode(&bytes[..7]).is_err());
    }

    #[test]
    fn golden_bytes_of_write_speeds() {
        let speeds = WriteSpeeds {
            speeds: vec![WriteSpeed {
                end_lba: Lba::new(1),
                read_speed: Speed::BD_1X,
                write_speed: Speed::BD_1X.times(2),
            }],
        };
        let bytes = [
            0, 0, 0, 20, 0, 0, 0, 0, // header
            0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0x11, 0x8f, 0, 0, 0x23, 0x1e,
        ];
        assert_eq!(speeds.encode(), bytes);
        assert_eq!(WriteSpeeds::decode(&bytes), Ok(speeds));
    }

    #[test]
    fn golden_bytes_of_streaming() {
        let end = Lba::new(0x0102);
        let streaming = StreamingDescriptor::for_speeds(end, Speed::BD_1X, Speed::BD_1X.times(2));
        let bytes = [
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0x11, 0x8f, 0, 0, 3, 0xe8, 0, 0, 0x23, 0x1e,
            0, 0, 3, 0xe8,
        ];
        assert_eq!(streaming.encode(), bytes);
        assert_eq!(StreamingDescriptor::decode(&bytes), Ok(streaming));
        assert_eq!(streaming.write_speed(), Some(Speed::BD_1X.times(2)));
        assert!(StreamingDescriptor::decode(&bytes[..27]).is_err());
        let timeless = StreamingDescriptor {
            read_time: 0,
            ..streaming
        };
        assert_eq!(timeless.read_speed(), None);
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(performance) = Performance::decode(&bytes) {
                let again = Performance::decode(&performance.encode());
                prop_assert_eq!(again, Ok(performance));
            }
            if let Ok(speeds) = WriteSpeeds::decode(&bytes) {
                prop_assert_eq!(WriteSpeeds::decode(&speeds.encode()), Ok(speeds));
            }
            if let Ok(streaming) = StreamingDescriptor::decode(&bytes) {
                let again = StreamingDescriptor::decode(&streaming.encode());
                prop_assert_eq!(again, Ok(streaming));
            }
        }
    }
}
