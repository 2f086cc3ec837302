//! Recognition, anchors, volume descriptors, integrity, partition maps and what they lead to
//! (ECMA-167 2/8, 3/8; UDF 2.1.7, 2.2).

use std::collections::{BTreeMap, BTreeSet};

use reburn_udf::{Access, PartitionKind, UdfOptions, UdfRevision};

use super::bytes::{
    BLOCK, check_char_spec, check_developer, check_tag, check_udf_id, dstring, is_zero, time,
    u16_at, u32_at, u64_at,
};

/// A volume whose descriptors were verified.
pub struct Volume<'a> {
    pub image: &'a [u8],
    pub options: &'a UdfOptions,
    /// First block of the partition, and how many.
    pub start: u32,
    pub length: u32,
    /// Blocks of the disc of each block of the metadata file.
    pub metadata: Vec<u32>,
    /// Blocks of the partition of each virtual block.
    pub table: Vec<u32>,
    /// Packets that are elsewhere.
    pub moved: BTreeMap<u32, u32>,
    pub packet: u32,
    pub metadata_map: Option<[u32; 3]>,
    pub bitmap: Option<(u32, u32)>,
    pub file_set: (u16, u32),
    pub integrity: Integrity,
    /// Blocks of the disc that something is in.
    pub used: BTreeSet<u32>,
}

/// What the integrity descriptor says.
pub struct Integrity {
    pub time: [u16; 9],
    pub next_id: u64,
    pub free: Vec<u32>,
    pub size: Vec<u32>,
    pub files: u32,
    pub directories: u32,
}

/// A sequence of volume descriptors, by tag.
type Sequence<'a> = BTreeMap<u16, &'a [u8]>;

pub fn block(image: &[u8], lba: u32) -> &[u8] {
    &image[lba as usize * BLOCK..][..BLOCK]
}

pub fn check<'a>(image: &'a [u8], options: &'a UdfOptions) -> Volume<'a> {
    check_recognition(image, options);
    let [main, reserve] = check_anchors(image, options);
    let unit = options.write_unit.blocks().get();
    assert!(main % unit == 0 && reserve % unit == 0 && main.abs_diff(reserve) >= unit);
    let sequence = check_sequence(image, options, main);
    let second = check_sequence(image, options, reserve);
    for (id, descriptor) in &sequence {
        assert_eq!(
            descriptor[16..],
            second[id][16..],
            "both sequences are equal"
        );
    }
    check_texts(&sequence, options);
    let mut volume = Volume {
        image,
        options,
        start: u32_at(sequence[&5], 188),
        length: u32_at(sequence[&5], 192),
        metadata: Vec::new(),
        table: Vec::new(),
        moved: BTreeMap::new(),
        packet: 1,
        metadata_map: None,
        bitmap: None,
        file_set: (u16_at(sequence[&6], 256), u32_at(sequence[&6], 252)),
        integrity: check_integrity(image, options, &sequence),
        used: BTreeSet::new(),
    };
    volume.claim_outside(&sequence, [main, reserve]);
    volume.check_partition(sequence[&5]);
    volume.check_maps(sequence[&6]);
    volume.check_numbers();
    volume
}

fn is_third(options: &UdfOptions) -> bool {
    options.revision >= UdfRevision::V2_00
}

fn check_recognition(image: &[u8], options: &UdfOptions) {
    let nsr = if is_third(options) {
        b"NSR03"
    } else {
        b"NSR02"
    };
    for (lba, id) in (16..).zip([b"BEA01", nsr, b"TEA01"]) {
        let structure = block(image, lba);
        assert_eq!(
            (structure[0], &structure[1..6], structure[6]),
            (0, &id[..], 1)
        );
        assert!(is_zero(&structure[7..]));
    }
    assert!(is_zero(block(image, 19)));
}

fn check_anchors(image: &[u8], options: &UdfOptions) -> [u32; 2] {
    let last = u32::try_from(image.len() / BLOCK).unwrap() - 1;
    let anchors = match options.partition {
        PartitionKind::Virtual => vec![256],
        _ => vec![256, last - 256, last],
    };
    let places: BTreeSet<_> = anchors
        .iter()
        .map(|&lba| {
            let anchor = block(image, lba);
            check_tag(anchor, 2, lba, 496, is_third(options));
            assert!(is_zero(&anchor[32..]));
            assert!(u32_at(anchor, 16) >= 16 * 2048 && u32_at(anchor, 24) >= 16 * 2048);
            [u32_at(anchor, 20), u32_at(anchor, 28)]
        })
        .collect();
    assert_eq!(places.len(), 1, "all anchors are equal");
    places.into_iter().next().unwrap()
}

fn check_sequence<'a>(image: &'a [u8], options: &UdfOptions, start: u32) -> Sequence<'a> {
    let mut sequence = BTreeMap::new();
    for lba in start..start + 16 {
        let descriptor = block(image, lba);
        let id = u16_at(descriptor, 0);
        let covered = match id {
            6 => 440 + u32_at(descriptor, 264) as usize - 16,
            7 => 8,
            _ => 496,
        };
        check_tag(descriptor, id, lba, covered, is_third(options));
        assert!(is_zero(&descriptor[16 + covered..]));
        assert!(sequence.insert(id, descriptor).is_none(), "tag {id} once");
        if id == 8 {
            break;
        }
    }
    let ids: Vec<_> = sequence.keys().copied().collect();
    assert_eq!(ids, [1, 4, 5, 6, 7, 8]);
    let mut numbers: Vec<_> = [1, 4, 5, 6, 7].map(|id| u32_at(sequence[&id], 16)).to_vec();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
    sequence
}

fn check_texts(sequence: &Sequence<'_>, options: &UdfOptions) {
    let revision = options.revision.code();
    let label = match &*options.texts.label {
        "" => "UDF",
        label => label,
    };
    let primary = sequence[&1];
    assert_eq!(dstring(&primary[24..56]), label);
    let set = dstring(&primary[72..200]);
    assert!(set[..8].bytes().all(|digit| digit.is_ascii_hexdigit()));
    assert_eq!(
        (
            u32_at(primary, 20),
            u16_at(primary, 56),
            u16_at(primary, 58)
        ),
        (0, 1, 1)
    );
    assert_eq!(
        (u16_at(primary, 60), u16_at(primary, 62)),
        (2, 2),
        "interchange levels"
    );
    assert_eq!(
        (u32_at(primary, 64), u32_at(primary, 68)),
        (1, 1),
        "character sets"
    );
    check_char_spec(&primary[200..]);
    check_char_spec(&primary[264..]);
    assert!(is_zero(&primary[328..376]) && is_zero(&primary[420..512]));
    time(&primary[376..]);
    check_developer(&primary[388..]);
    let information = sequence[&4];
    check_udf_id(&information[20..], b"*UDF LV Info", revision);
    check_char_spec(&information[52..]);
    assert_eq!(dstring(&information[116..244]), label);
    for at in [244, 280, 316] {
        dstring(&information[at..at + 36]);
    }
    check_developer(&information[352..]);
    let logical = sequence[&6];
    check_char_spec(&logical[20..]);
    assert_eq!(dstring(&logical[84..212]), label);
    assert_eq!(u32_at(logical, 212), 2048);
    check_udf_id(&logical[216..], b"*OSTA UDF Compliant", revision);
    check_developer(&logical[272..]);
    assert_eq!(u32_at(logical, 248), 2048, "the file set is a block");
    assert_eq!(u32_at(sequence[&7], 20), 0);
    let partition = sequence[&5];
    assert_eq!((u16_at(partition, 20), u16_at(partition, 22)), (1, 0));
    let contents: &[u8] = if is_third(options) {
        b"\0+NSR03"
    } else {
        b"\0+NSR02"
    };
    assert_eq!(&partition[24..31], contents);
    assert!(is_zero(&partition[31..56]));
    check_developer(&partition[196..]);
    let access = match options.access {
        Access::PseudoOverwritable => 0,
        Access::ReadOnly => 1,
        Access::WriteOnce => 2,
        Access::Rewritable => 3,
        Access::Overwritable => 4,
    };
    assert_eq!(u32_at(partition, 184), access);
}

fn check_integrity(image: &[u8], options: &UdfOptions, sequence: &Sequence<'_>) -> Integrity {
    let (bytes, start) = (u32_at(sequence[&6], 432), u32_at(sequence[&6], 436));
    let is_virtual = options.partition == PartitionKind::Virtual;
    assert!(is_virtual || bytes >= 8192);
    let count = u32_at(block(image, start), 72) as usize;
    let whole = 80 + 8 * count + 46;
    let mut all = start..start + bytes / 2048;
    let first = block(image, start);
    let is_there = |lba: &u32| u16_at(block(image, *lba), 0) == 9;
    for lba in all.by_ref().take_while(is_there) {
        let copy = block(image, lba);
        check_tag(copy, 9, lba, whole - 16, is_third(options));
        assert_eq!(copy[16..], first[16..]);
        assert!(is_zero(&copy[whole..]));
    }
    assert!(all.all(|lba| is_zero(block(image, lba))));
    assert_eq!(
        u32_at(first, 28),
        u32::from(!is_virtual),
        "closed but for virtual ones"
    );
    assert!(is_zero(&first[32..40]) && is_zero(&first[48..72]));
    assert_eq!(u32_at(first, 76), 46);
    let table = |at: usize| {
        (0..count)
            .map(|index| u32_at(first, at + 4 * index))
            .collect()
    };
    let used = &first[80 + 8 * count..];
    check_developer(used);
    let revision = options.revision.code();
    let read = revision.min(0x0250);
    let write = match options.access {
        Access::PseudoOverwritable => 0x0260,
        _ => read,
    };
    let stated = [40, 42, 44].map(|at| u16_at(used, at));
    assert_eq!(stated, [read, write, revision]);
    Integrity {
        time: time(&first[16..]),
        next_id: u64_at(first, 40),
        free: table(80),
        size: table(80 + 4 * count),
        files: u32_at(used, 32),
        directories: u32_at(used, 36),
    }
}

impl Volume<'_> {
    pub fn is_third(&self) -> bool {
        is_third(self.options)
    }

    /// Blocks of the disc get something, and nothing else before or after.
    pub fn claim(&mut self, start: u32, count: u32, what: &str) {
        for lba in start..start + count {
            assert!(self.used.insert(lba), "{what} shares block {lba}");
        }
    }

    /// A block of the disc in the plain or sparable partition.
    pub fn physical(&self, lbn: u32) -> u32 {
        assert!(lbn < self.length, "block {lbn} is not in the partition");
        let packet = lbn - lbn % self.packet;
        match self.moved.get(&packet) {
            Some(moved) => moved + lbn % self.packet,
            None => self.start + lbn,
        }
    }

    fn claim_outside(&mut self, sequence: &Sequence<'_>, sequences: [u32; 2]) {
        let last = u32::try_from(self.image.len() / BLOCK).unwrap() - 1;
        self.claim(16, 4, "recognition");
        for start in sequences {
            self.claim(start, 16, "a sequence");
        }
        let integrity = sequence[&6];
        let count = u32_at(integrity, 432) / 2048;
        self.claim(u32_at(integrity, 436), count, "the integrity sequence");
        self.claim(256, 1, "an anchor");
        if self.options.partition != PartitionKind::Virtual {
            self.claim(last - 256, 1, "an anchor");
            self.claim(last, 1, "an anchor");
        }
        self.check_outside();
    }

    fn check_partition(&mut self, descriptor: &[u8]) {
        let unit = self.options.write_unit.blocks().get();
        assert!(self.start >= 257 && self.start.is_multiple_of(unit));
        let end = self.start + self.length;
        let blocks = u32::try_from(self.image.len() / BLOCK).unwrap();
        let is_virtual = self.options.partition == PartitionKind::Virtual;
        assert!(end <= blocks || is_virtual);
        let mut header = descriptor[56..184].to_vec();
        let bitmap = (u32_at(&header, 8), u32_at(&header, 12));
        if self.options.access.has_bitmap() {
            assert!(bitmap.0 > 0 && bitmap.0.is_multiple_of(2048));
            self.bitmap = Some((bitmap.1, bitmap.0 / 2048));
            header[8..16].fill(0);
        }
        assert!(is_zero(&header), "no other set of free or freed space");
    }

    fn check_maps(&mut self, logical: &[u8]) {
        let maps = &logical[440..440 + u32_at(logical, 264) as usize];
        let count = u32_at(logical, 268);
        let revision = self.options.revision.code();
        let (first, rest) = match self.options.partition {
            PartitionKind::Sparable => maps.split_at(64),
            _ => maps.split_at(6),
        };
        let check_head = |map: &[u8], name: &[u8]| {
            assert_eq!((map[0], map[1], map.len()), (2, 64, 64));
            assert!(is_zero(&map[2..4]));
            check_udf_id(&map[4..], name, revision);
            assert_eq!((u16_at(map, 36), u16_at(map, 38)), (1, 0));
        };
        match self.options.partition {
            PartitionKind::Sparable => {
                check_head(first, b"*UDF Sparable Partition");
                self.check_sparing(first);
            }
            _ => assert_eq!(first, [1, 6, 1, 0, 0, 0]),
        }
        match self.options.partition {
            PartitionKind::Plain | PartitionKind::Sparable => {
                assert!(count == 1 && rest.is_empty());
            }
            PartitionKind::Virtual => {
                check_head(rest, b"*UDF Virtual Partition");
                assert!(count == 2 && is_zero(&rest[40..]));
            }
            PartitionKind::Metadata => {
                assert_eq!(count, 2);
                check_head(rest, b"*UDF Metadata Partition");
                let unit = self.options.write_unit.blocks().get();
                assert_eq!(u32_at(rest, 52) % unit.max(32), 0, "allocation unit");
                assert_eq!(u32::from(u16_at(rest, 56)), unit, "alignment unit");
                assert_eq!(rest[58], u8::from(self.options.duplicate_metadata));
                assert!(is_zero(&rest[59..]));
                self.metadata_map = Some([40, 44, 48].map(|at| u32_at(rest, at)));
            }
        }
    }

    fn check_sparing(&mut self, map: &[u8]) {
        let packet = u32::from(u16_at(map, 40));
        let is_small = self.options.revision >= UdfRevision::V2_01
            && self.options.write_unit.blocks().get() == 16;
        assert_eq!(packet, if is_small { 16 } else { 32 });
        assert!(self.start.is_multiple_of(packet) && self.length.is_multiple_of(packet));
        self.packet = packet;
        let bytes = u32_at(map, 44) as usize;
        let tables = [48, 52, 56, 60].map(|at| u32_at(map, at));
        let count = usize::from(map[42]);
        assert!(count >= 2 && tables[count..].iter().all(|&lba| lba == 0));
        assert!(
            bytes <= BLOCK
                && bytes == 56 + 8 * usize::from(u16_at(block(self.image, tables[0]), 48))
        );
        for &lba in &tables[..count] {
            let table = block(self.image, lba);
            check_tag(table, 0, lba, bytes - 16, self.is_third());
            check_udf_id(
                &table[16..],
                b"*UDF Sparing Table",
                self.options.revision.code(),
            );
            assert_eq!(table[16..], block(self.image, tables[0])[16..]);
            assert!(u16_at(table, 50) == 0 && is_zero(&table[bytes..]));
            assert_eq!(lba % packet, 0);
            self.claim(lba - lba % packet, packet, "a sparing table");
        }
        let table = block(self.image, tables[0]);
        let entries = (56..bytes).step_by(8);
        let entries = entries.map(|at| (u32_at(table, at), u32_at(table, at + 4)));
        let entries: Vec<_> = entries.collect();
        assert!(entries.is_sorted());
        for (original, mapped) in entries {
            assert_eq!(mapped % packet, 0);
            self.claim(mapped, packet, "a spare packet");
            if original != u32::MAX {
                assert!(original % packet == 0 && original < self.length);
                self.moved.insert(original, mapped);
            }
        }
        self.check_outside();
        // What is in a spare packet is claimed where it is.
        for mapped in self.moved.values() {
            for lba in *mapped..mapped + packet {
                self.used.remove(&lba);
            }
        }
    }

    fn check_outside(&self) {
        let inside = self.used.range(self.start..self.start + self.length).next();
        assert_eq!(
            inside, None,
            "tables and spare packets are outside the partition"
        );
    }

    /// Numbers that do not depend on what is in the partition.
    fn check_numbers(&self) {
        let Integrity { free, size, .. } = &self.integrity;
        assert_eq!(size[0], self.length);
        match self.options.partition {
            PartitionKind::Plain | PartitionKind::Sparable => assert_eq!(size.len(), 1),
            PartitionKind::Virtual => assert_eq!((free[1], size[1]), (u32::MAX, u32::MAX)),
            PartitionKind::Metadata => assert_eq!(size.len(), 2),
        }
        match self.options.access {
            Access::ReadOnly => assert!(free.iter().all(|&free| free == 0)),
            Access::PseudoOverwritable => assert_eq!(free[0], u32::MAX),
            _ => {}
        }
    }
}
