//! Tables of partitions, file set, directories, files and streams (ECMA-167 4/8, 4/9; UDF 2.2.11,
//! 2.2.13, 2.3.2, 2.3.4, 3.2.1, 3.3.5, 3.3.7).

use std::collections::{BTreeMap, BTreeSet};

use reburn_udf::{Access, PartitionKind, UdfRevision};

use super::Counts;
use super::bytes::{
    BLOCK, check_char_spec, check_developer, check_tag, check_udf_id, dstring, is_zero, name, time,
    u16_at, u32_at,
};
use super::entry::{Entry, icb};
use super::volume::{Volume, block};

/// A walk over everything in the partitions.
pub struct Files<'a> {
    pub volume: Volume<'a>,
    pub used_metadata: BTreeSet<u32>,
    /// Blocks that no file may use.
    pub unusable: u64,
    pub free_metadata: Option<Vec<u8>>,
    /// Links that entries state, and names that lead to them.
    links: BTreeMap<(u16, u32), (u16, u16)>,
    /// Unique ids of entries, and of names.
    ids: BTreeMap<(u16, u32), u64>,
    name_ids: BTreeSet<u32>,
    /// Entries with a name that has their id.
    first_names: BTreeSet<(u16, u32)>,
    counts: Counts,
}

/// A name in a directory.
struct Name {
    text: String,
    characteristics: u8,
    icb: (u16, u32),
    id: u32,
}

impl<'a> Files<'a> {
    pub fn new(volume: Volume<'a>) -> Self {
        Self {
            volume,
            used_metadata: BTreeSet::new(),
            unusable: 0,
            free_metadata: None,
            links: BTreeMap::new(),
            ids: BTreeMap::new(),
            name_ids: BTreeSet::new(),
            first_names: BTreeSet::new(),
            counts: Counts::default(),
        }
    }

    pub fn check(&mut self) -> Counts {
        match self.volume.options.partition {
            PartitionKind::Metadata => self.load_metadata(),
            PartitionKind::Virtual => self.load_table(),
            PartitionKind::Plain | PartitionKind::Sparable => {}
        }
        let (root, system) = self.check_file_set();
        let entry = self.entry(root);
        assert_eq!((entry.file_type, entry.id), (4, 0));
        self.links.insert(root, (entry.links, 0));
        self.ids.insert(root, 0);
        self.counts.directories = 1;
        self.check_streams(&entry);
        let mut pending = vec![(entry, root)];
        while let Some((entry, parent)) = pending.pop() {
            pending.extend(self.check_directory(&entry, parent));
        }
        self.check_system(system);
        for (address, (stated, found)) in &self.links {
            assert_eq!(stated, found, "links of {address:?}");
        }
        let named: BTreeSet<_> = self
            .links
            .keys()
            .copied()
            .filter(|at| *at != root)
            .collect();
        assert!(!self.volume.is_third() || named == self.first_names);
        let all: BTreeSet<_> = self.ids.values().collect();
        assert_eq!(all.len(), self.ids.len(), "unique ids of entries");
        let integrity = &self.volume.integrity;
        assert_eq!(integrity.files, self.counts.files);
        assert_eq!(integrity.directories, self.counts.directories);
        std::mem::take(&mut self.counts)
    }

    /// The file set descriptor: root, and system stream directory.
    fn check_file_set(&mut self) -> ((u16, u32), Option<(u16, u32)>) {
        let address = self.volume.file_set;
        self.claim(address, "the file set");
        let set = block(self.volume.image, self.lba(address));
        check_tag(set, 256, address.1, 496, self.volume.is_third());
        assert!(time(&set[16..]) <= self.volume.integrity.time);
        assert_eq!((u16_at(set, 28), u16_at(set, 30)), (3, 3));
        assert_eq!([32, 36, 40, 44].map(|at| u32_at(set, at)), [1, 1, 0, 0]);
        check_char_spec(&set[48..]);
        check_char_spec(&set[240..]);
        assert!(!dstring(&set[112..240]).is_empty() && !dstring(&set[304..336]).is_empty());
        check_udf_id(
            &set[416..],
            b"*OSTA UDF Compliant",
            self.volume.options.revision.code(),
        );
        assert!(is_zero(&set[336..400]) && is_zero(&set[448..464]) && is_zero(&set[480..]));
        (icb(&set[400..416]).unwrap(), icb(&set[464..480]))
    }

    /// A file of the volume itself: nobody owns it, and no name leads to it.
    fn own_file(&mut self, number: u32, file_type: u8) -> Entry {
        let entry = self.entry((0, number));
        assert_eq!(
            (entry.file_type, entry.links, entry.attributes),
            (file_type, 0, 0)
        );
        assert_eq!(entry.stream_directory, None);
        entry
    }

    fn load_metadata(&mut self) {
        let [main, mirror, bitmap] = self.volume.metadata_map.unwrap();
        let options = self.volume.options;
        let main = self.own_file(main, 250);
        self.volume.metadata = main
            .blocks
            .iter()
            .map(|b| self.volume.start + b.1)
            .collect();
        assert_eq!((main.id, main.flags, main.length % (32 * 2048)), (0, 0, 0));
        let unit = options.write_unit.blocks().get();
        assert_eq!(main.blocks[0].1 % unit, 0);
        if !options.duplicate_metadata {
            // Both lead to the same blocks.
            for (_, number, _) in &main.blocks {
                self.volume.used.remove(&(self.volume.start + number));
            }
        }
        let mirror = self.own_file(mirror, 251);
        assert!(main.address.1.abs_diff(mirror.address.1) >= unit);
        assert_eq!((mirror.id, mirror.length), (0, main.length));
        assert_eq!(mirror.blocks == main.blocks, !options.duplicate_metadata);
        for (first, second) in main.blocks.iter().zip(&mirror.blocks) {
            let image = self.volume.image;
            let at = |number: u32| block(image, self.volume.start + number);
            assert!(at(first.1) == at(second.1), "both copies are equal");
        }
        let has_bitmap = options.access == Access::Overwritable;
        assert_eq!(bitmap != u32::MAX, has_bitmap);
        if has_bitmap {
            let file = self.own_file(bitmap, 252);
            let bytes = self.content(&file);
            check_tag(&bytes, 264, file.blocks[0].1, 8, true);
            let bits = u32_at(&bytes, 16);
            assert_eq!(bits as usize, main.blocks.len());
            assert_eq!(u32_at(&bytes, 20), bits.div_ceil(8));
            assert_eq!(bytes.len(), 24 + bits.div_ceil(8) as usize);
            self.free_metadata = Some(bytes[24..].to_vec());
        }
        let size = u64::from(self.volume.integrity.size[1]);
        assert_eq!(size * 2048, main.length);
    }

    fn load_table(&mut self) {
        let last = u32::try_from(self.volume.image.len() / BLOCK).unwrap() - 1;
        let unit = self.volume.options.write_unit.blocks().get();
        assert_eq!((last + 1) % unit, 0, "the last block of a write unit");
        let is_third = self.volume.is_third();
        let file_type = if is_third { 248 } else { 0 };
        let number = last - self.volume.start;
        let entry = self.entry((0, number));
        assert_eq!((entry.file_type, entry.links), (file_type, 0));
        assert_eq!(entry.id + 1, self.volume.integrity.next_id);
        assert_eq!(entry.attributes, u32::from(!is_third));
        let table = self.content(&entry);
        let integrity = &self.volume.integrity;
        let entries = if is_third {
            let header = usize::from(u16_at(&table, 0));
            assert_eq!((header, u16_at(&table, 2)), (184, 32));
            assert!(!dstring(&table[4..132]).is_empty());
            assert_eq!(u32_at(&table, 132), u32::MAX);
            let counts = [integrity.files, integrity.directories];
            assert_eq!([136, 140].map(|at| u32_at(&table, at)), counts);
            let revision = self.volume.options.revision.code();
            let read = revision.min(0x0250);
            let stated = [144, 146, 148].map(|at| u16_at(&table, at));
            assert_eq!(stated, [read, read, revision]);
            assert!(is_zero(&table[150..152]));
            check_developer(&table[152..]);
            &table[184..]
        } else {
            let end = table.len() - 36;
            check_udf_id(&table[end..], b"*UDF Virtual Alloc Tbl", 0x0150);
            assert_eq!(u32_at(&table, end + 32), u32::MAX);
            &table[..end]
        };
        assert_eq!(entries.len() % 4, 0);
        let entries = entries.chunks(4).map(|bytes| u32_at(bytes, 0));
        self.volume.table = entries.collect();
        let used = self.volume.table.iter().filter(|&&entry| entry != u32::MAX);
        let distinct: BTreeSet<_> = used.clone().collect();
        assert_eq!(distinct.len(), used.count());
        assert_eq!(self.volume.file_set, (1, 0));
    }

    fn content(&self, entry: &Entry) -> Vec<u8> {
        if let Some(bytes) = &entry.embedded {
            return bytes.clone();
        }
        let mut content = Vec::new();
        for &(partition, number, bytes) in &entry.blocks {
            let lba = self.lba((partition, number));
            content.extend_from_slice(&block(self.volume.image, lba)[..bytes]);
        }
        content
    }

    /// The names of a directory; the first leads to `parent`.
    fn names(&self, entry: &Entry, parent: (u16, u32)) -> Vec<Name> {
        let options = self.volume.options;
        let content = self.content(entry);
        if options.partition == PartitionKind::Metadata && entry.embedded.is_none() {
            assert_eq!(entry.flags & 7, 0, "directories have short descriptors");
            assert!(entry.blocks.iter().all(|block| block.0 == 1));
        }
        let keeps_tags_whole =
            options.access == Access::WriteOnce && options.revision >= UdfRevision::V2_00;
        let (mut at, mut names) = (0, Vec::new());
        while at < content.len() {
            let rest = &content[at..];
            let (name_len, used) = (usize::from(rest[19]), usize::from(u16_at(rest, 36)));
            let length = (38 + used + name_len).next_multiple_of(4);
            let location = match &entry.embedded {
                Some(_) => entry.address.1,
                None => entry.blocks[at / BLOCK].1,
            };
            check_tag(rest, 257, location, length - 16, self.volume.is_third());
            assert!(
                !keeps_tags_whole || at % BLOCK <= BLOCK - 16,
                "a tag in two blocks"
            );
            assert_eq!(u16_at(rest, 16), 1);
            if used > 0 {
                assert_eq!(used, 32);
                check_developer(&rest[38..]);
            }
            assert!(is_zero(&rest[38 + used + name_len..length]));
            names.push(Name {
                text: match name_len {
                    0 => String::new(),
                    _ => name(&rest[38 + used..38 + used + name_len]),
                },
                characteristics: rest[18],
                icb: (u16_at(rest, 28), u32_at(rest, 24)),
                id: u32_at(rest, 32),
            });
            assert_eq!((u32_at(rest, 20), u16_at(rest, 30)), (2048, 0));
            at += length;
        }
        assert_eq!(at as u64, entry.length);
        let up = names.remove(0);
        assert_eq!(
            (up.text.as_str(), up.characteristics, up.icb),
            ("", 0x0a, parent)
        );
        let id = if self.volume.is_third() {
            self.ids[&parent]
        } else {
            0
        };
        assert_eq!(u64::from(up.id), id, "the parent's id");
        let distinct: BTreeSet<_> = names.iter().map(|name| &name.text).collect();
        assert!(distinct.len() == names.len() && !distinct.contains(&String::new()));
        names
    }

    /// Verifies a directory and all files in it; the folders in it.
    fn check_directory(
        &mut self,
        directory: &Entry,
        parent: (u16, u32),
    ) -> Vec<(Entry, (u16, u32))> {
        self.links.get_mut(&parent).unwrap().1 += 1;
        let mut folders = Vec::new();
        for name in self.names(directory, parent) {
            let is_new = !self.links.contains_key(&name.icb);
            let entry = is_new.then(|| self.entry(name.icb));
            let is_list = name.text == "Non-Allocatable Space";
            assert_eq!(name.characteristics & 1, u8::from(is_list), "hidden");
            assert_eq!(name.characteristics & !3, 0);
            if let Some(entry) = &entry {
                self.check_new(entry);
                assert_eq!(entry.file_type == 4, name.characteristics & 2 != 0);
                assert_eq!(entry.flags & 0x400 != 0, is_list, "system");
            }
            self.links.get_mut(&name.icb).unwrap().1 += 1;
            self.check_name_id(&name);
            match entry {
                Some(entry) if entry.file_type == 4 => {
                    self.counts.directories += 1;
                    folders.push((entry, directory.address));
                }
                _ => self.counts.files += 1,
            }
        }
        folders
    }

    /// Verifies the entry of a file or folder that was not met before.
    fn check_new(&mut self, entry: &Entry) {
        assert!(
            [4, 5, 6, 7, 9, 10, 12, 249].contains(&entry.file_type),
            "{entry:?}"
        );
        let revision = self.volume.options.revision;
        assert!(entry.file_type != 249 || revision >= UdfRevision::V2_01);
        assert_eq!(entry.flags & 0x2000, 0);
        let low = entry.id & 0xffff_ffff;
        assert!(
            low >= 16 && entry.id < self.volume.integrity.next_id,
            "{entry:?}"
        );
        self.links.insert(entry.address, (entry.links, 0));
        self.ids.insert(entry.address, entry.id);
        self.counts.attributes += entry.attributes;
        let is_metadata = self.volume.options.partition == PartitionKind::Metadata;
        if is_metadata && entry.file_type != 4 {
            assert!(
                entry.blocks.iter().all(|block| block.0 == 0),
                "data is outside"
            );
        }
        self.check_streams(entry);
    }

    fn check_name_id(&mut self, name: &Name) {
        if !self.volume.is_third() {
            assert_eq!(name.id, 0);
            return;
        }
        let id = self.ids[&name.icb];
        assert!(
            self.name_ids.insert(name.id),
            "two names have the id {}",
            name.id
        );
        assert!(u64::from(name.id) >= id && u64::from(name.id) < self.volume.integrity.next_id);
        if u64::from(name.id) == id {
            self.first_names.insert(name.icb);
        }
    }

    /// Verifies the streams of a file or folder.
    fn check_streams(&mut self, owner: &Entry) {
        let Some(address) = owner.stream_directory else {
            assert_eq!(owner.object_size, owner.length);
            return;
        };
        let inherits = self.volume.options.revision >= UdfRevision::V2_01;
        let directory = self.entry(address);
        assert_eq!((directory.file_type, directory.links), (13, 0));
        assert_eq!(
            (directory.stream_directory, directory.attributes),
            (None, 0)
        );
        self.check_stream_id(&directory, owner, inherits);
        let mut size = owner.length;
        for name in self.names(&directory, owner.address) {
            assert_eq!(name.characteristics, 0);
            let stream = self.entry(name.icb);
            assert_eq!(
                (stream.file_type, stream.links, stream.flags & 0x2000),
                (5, 1, 0x2000)
            );
            assert_eq!((stream.stream_directory, stream.attributes), (None, 0));
            assert_eq!(stream.object_size, stream.length);
            assert_eq!(u64::from(name.id), stream.id);
            self.check_stream_id(&stream, owner, inherits);
            size += stream.length;
            self.counts.streams += 1;
        }
        assert_eq!(owner.object_size, size);
    }

    fn check_stream_id(&mut self, entry: &Entry, owner: &Entry, inherits: bool) {
        if inherits {
            assert_eq!(entry.id, owner.id);
        } else {
            self.ids.insert(entry.address, entry.id);
        }
    }

    /// Verifies the system stream directory: on a sparable partition, the list of blocks that no
    /// file may use.
    fn check_system(&mut self, address: Option<(u16, u32)>) {
        let is_sparable = self.volume.options.partition == PartitionKind::Sparable;
        assert_eq!(address.is_some(), is_sparable && self.volume.is_third());
        let Some(address) = address else { return };
        let directory = self.entry(address);
        assert_eq!(
            (directory.file_type, directory.links, directory.id),
            (13, 1, 0)
        );
        self.ids.insert(address, 0);
        let names = self.names(&directory, address);
        self.ids.remove(&address);
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].text, "*UDF Non-Allocatable Space");
        assert_eq!((names[0].characteristics, names[0].id), (0x10, 0));
        let list = self.entry(names[0].icb);
        assert_eq!((list.file_type, list.links, list.id), (5, 1, 0));
        assert_eq!((list.flags & 0x2400, list.length), (0x2400, 0));
    }
}
