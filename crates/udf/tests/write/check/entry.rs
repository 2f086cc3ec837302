//! Entries of files and what they lead to (ECMA-167 4/14.5 to 4/14.17, UDF 2.3.5 to 2.3.10).

use reburn_udf::PartitionKind;

use super::bytes::{BLOCK, check_developer, check_tag, is_zero, time, u16_at, u32_at, u64_at};
use super::files::Files;
use super::volume::block;

/// What an entry says.
#[derive(Debug, Clone)]
pub struct Entry {
    pub address: (u16, u32),
    pub file_type: u8,
    pub flags: u16,
    pub links: u16,
    pub length: u64,
    pub object_size: u64,
    pub id: u64,
    pub stream_directory: Option<(u16, u32)>,
    /// The content of an embedded file.
    pub embedded: Option<Vec<u8>>,
    /// Blocks with content: partition, number, and bytes in it; holes are left out.
    pub blocks: Vec<(u16, u32, usize)>,
    pub attributes: u32,
}

/// An allocation descriptor.
struct Extent {
    kind: u32,
    bytes: u32,
    address: (u16, u32),
}

impl Files<'_> {
    /// The block of the disc at an address.
    pub fn lba(&self, (partition, number): (u16, u32)) -> u32 {
        let volume = &self.volume;
        match (partition, volume.options.partition) {
            (0, _) => volume.physical(number),
            (1, PartitionKind::Metadata) => volume.metadata[number as usize],
            (1, PartitionKind::Virtual) => {
                let entry = volume.table[number as usize];
                assert_ne!(entry, u32::MAX, "virtual block {number} is nowhere");
                volume.physical(entry)
            }
            other => panic!("no partition {other:?}"),
        }
    }

    /// A block gets something, and nothing else before or after.
    pub fn claim(&mut self, address: (u16, u32), what: &str) {
        let lba = self.lba(address);
        if address.0 == 1 && self.volume.options.partition == PartitionKind::Metadata {
            // The metadata file has the block of the disc already.
            assert!(
                self.used_metadata.insert(address.1),
                "{what} shares {address:?}"
            );
        } else {
            self.volume.claim(lba, 1, what);
        }
    }

    /// The entry at an address.
    pub fn entry(&mut self, address: (u16, u32)) -> Entry {
        self.claim(address, "an entry");
        let (volume, lba) = (&self.volume, self.lba(address));
        let bytes = block(volume.image, lba).to_vec();
        let (id, head) = if volume.is_third() {
            (266, 216)
        } else {
            (261, 176)
        };
        let attributes = u32_at(&bytes, head - 8) as usize;
        let descriptors = u32_at(&bytes, head - 4) as usize;
        let end = head + attributes + descriptors;
        check_tag(&bytes, id, address.1, end - 16, volume.is_third());
        assert!(is_zero(&bytes[end..]), "{address:?}");
        assert_eq!(
            bytes[16..27],
            [0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0],
            "{address:?}"
        );
        assert!(is_zero(&bytes[28..34]));
        let flags = u16_at(&bytes, 34);
        assert_eq!(flags & 0xd818, 0, "reserved flags");
        assert_eq!(u32_at(&bytes, 44) >> 15, 0, "reserved permissions");
        assert!(is_zero(&bytes[50..56]), "records");
        // Times, and what stands between.
        let times: &[usize] = if volume.is_third() {
            &[80, 92, 104, 116]
        } else {
            &[72, 84, 96]
        };
        for &at in times {
            assert!(time(&bytes[at..]) <= volume.integrity.time, "{address:?}");
        }
        let after = times[times.len() - 1] + 12;
        assert_eq!(u32_at(&bytes, after), 1, "checkpoint");
        let (attribute_icb, stream_icb) = if volume.is_third() {
            assert!(is_zero(&bytes[132..136]));
            (136, Some(152))
        } else {
            (112, None)
        };
        assert!(is_zero(&bytes[attribute_icb..attribute_icb + 16]));
        check_developer(&bytes[head - 48..]);
        let stream_directory = stream_icb.and_then(|at| icb(&bytes[at..at + 16]));
        let count = self.check_attributes(&bytes[head..head + attributes], address);
        let mut entry = Entry {
            address,
            file_type: bytes[27],
            flags,
            links: u16_at(&bytes, 48),
            length: u64_at(&bytes, 56),
            object_size: if id == 266 {
                u64_at(&bytes, 64)
            } else {
                u64_at(&bytes, 56)
            },
            id: u64_at(&bytes, head - 16),
            stream_directory,
            embedded: None,
            blocks: Vec::new(),
            attributes: count,
        };
        let recorded = u64_at(&bytes, if id == 266 { 72 } else { 64 });
        let tail = &bytes[head + attributes..end];
        if flags & 7 == 3 {
            assert_eq!(
                (descriptors as u64, recorded),
                (entry.length, 0),
                "{address:?}"
            );
            entry.embedded = Some(tail.to_vec());
        } else {
            self.take_extents(&mut entry, tail.to_vec(), recorded);
        }
        entry
    }

    /// Takes in what allocation descriptors lead to.
    fn take_extents(&mut self, entry: &mut Entry, mut descriptors: Vec<u8>, recorded: u64) {
        let (mut covered, mut count) = (0, 0);
        loop {
            let mut next = None;
            for extent in self.extents(entry, &descriptors) {
                assert!(next.is_none(), "descriptors after the next extent of them");
                assert!(extent.bytes > 0);
                match extent.kind {
                    3 => next = Some(extent),
                    // What is allocated and not recorded is behind the end.
                    1 => {
                        assert!(covered == entry.length && entry.flags & 0x400 != 0);
                        self.unusable += u64::from(extent.bytes) / 2048;
                        for number in 0..extent.bytes / 2048 {
                            let (partition, first) = extent.address;
                            self.claim((partition, first + number), "an unusable block");
                        }
                    }
                    kind => {
                        assert!(covered % 2048 == 0 && covered < entry.length);
                        covered += u64::from(extent.bytes);
                        if kind == 2 {
                            assert_eq!(extent.address, (0, 0), "holes are nowhere");
                            continue;
                        }
                        count += u64::from(extent.bytes.div_ceil(2048));
                        self.take_blocks(entry, &extent);
                    }
                }
            }
            let Some(next) = next else { break };
            assert_eq!(next.bytes, 2048);
            self.claim(next.address, "allocation descriptors");
            let more = block(self.volume.image, self.lba(next.address));
            let length = u32_at(more, 20) as usize;
            check_tag(
                more,
                258,
                next.address.1,
                8 + length,
                self.volume.is_third(),
            );
            assert!(u32_at(more, 16) == 0 && is_zero(&more[24 + length..]));
            descriptors = more[24..24 + length].to_vec();
        }
        assert_eq!(
            (covered, count),
            (entry.length, recorded),
            "{:?}",
            entry.address
        );
    }

    fn take_blocks(&mut self, entry: &mut Entry, extent: &Extent) {
        let mut left = extent.bytes as usize;
        for number in extent.address.1.. {
            if left == 0 {
                break;
            }
            let address = (extent.address.0, number);
            self.claim(address, "content");
            entry.blocks.push((address.0, number, left.min(BLOCK)));
            left -= left.min(BLOCK);
        }
    }

    fn extents(&self, entry: &Entry, descriptors: &[u8]) -> Vec<Extent> {
        let is_long = match (entry.flags & 7, self.volume.options.partition) {
            (0, PartitionKind::Virtual) => entry.address.0 == 1,
            (0, _) => false,
            (1, _) => true,
            other => panic!("descriptors of form {other:?}"),
        };
        assert!(
            !is_long || entry.flags & 7 == 1,
            "short ones on a virtual partition"
        );
        let size = if is_long { 16 } else { 8 };
        assert_eq!(descriptors.len() % size, 0);
        let extent = |bytes: &[u8]| {
            assert!(!is_long || is_zero(&bytes[10..]));
            let is_nowhere = u32_at(bytes, 0) >> 30 == 2;
            let partition = match (is_long, is_nowhere) {
                (true, _) => u16_at(bytes, 8),
                (false, true) => 0,
                (false, false) => entry.address.0,
            };
            Extent {
                kind: u32_at(bytes, 0) >> 30,
                bytes: u32_at(bytes, 0) & 0x3fff_ffff,
                address: (partition, u32_at(bytes, 4)),
            }
        };
        descriptors.chunks(size).map(extent).collect()
    }

    /// Verifies a space of extended attributes; how many there are of implementations and
    /// applications (ECMA-167 4/9.1, UDF 3.3.4).
    fn check_attributes(&self, space: &[u8], address: (u16, u32)) -> u32 {
        if space.is_empty() {
            return 0;
        }
        assert_eq!(space.len() % 4, 0);
        check_tag(space, 262, address.1, 8, self.volume.is_third());
        let none = if self.volume.is_third() {
            u32::MAX
        } else {
            u32::try_from(space.len()).unwrap()
        };
        let (mut at, mut order, mut count) = (24, 0, 0);
        let mut first = [none, none];
        while at < space.len() {
            let kind = u32_at(space, at);
            let length = u32_at(space, at + 8) as usize;
            assert!(length.is_multiple_of(4) && length >= 12);
            assert_eq!(space[at + 4..at + 8], [1, 0, 0, 0]);
            let group = match kind {
                5 => {
                    assert!(
                        !self.volume.is_third(),
                        "times of creation are in the entry"
                    );
                    0
                }
                12 => 0,
                2048 => 1,
                65536 => 2,
                other => panic!("attribute {other}"),
            };
            assert!(group >= order, "attributes in order");
            order = group;
            if group > 0 {
                count += 1;
                let place = &mut first[group - 1];
                *place = (*place).min(u32::try_from(at).unwrap());
                let used = u32_at(space, at + 12) as usize;
                assert_eq!((48 + used).next_multiple_of(4), length);
                if space[at + 17..].starts_with(b"*UDF ") {
                    let sum = space[at..at + 48]
                        .iter()
                        .fold(0u16, |sum, &byte| sum + u16::from(byte));
                    assert_eq!(u16_at(space, at + 48), sum, "checksum");
                    assert_eq!(u16_at(space, at + 40), self.volume.options.revision.code());
                }
            }
            at += length;
        }
        assert_eq!([u32_at(space, 16), u32_at(space, 20)], first, "{address:?}");
        count
    }
}

/// What a long descriptor leads to; `None` where it is empty.
pub fn icb(bytes: &[u8]) -> Option<(u16, u32)> {
    if is_zero(bytes) {
        return None;
    }
    assert_eq!(u32_at(bytes, 0), 2048, "an entry is a block");
    assert_eq!(u16_at(bytes, 10), 0);
    Some((u16_at(bytes, 8), u32_at(bytes, 4)))
}
