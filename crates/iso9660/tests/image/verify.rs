//! Conformance of an image, checked on the raw bytes: what the standards demand of volume
//! descriptors, path tables and directories, without the reader's leniency.

use std::collections::BTreeMap;

use reburn_blocks::BLOCK_SIZE;
use reburn_iso9660::records::{
    Ce, Cl, DirectoryRecord, FileFlags, PRIMARY, PathTableRecordL, PathTableRecordM, Pl,
    SUPPLEMENTARY, TERMINATOR, VolumeDescriptor,
};
use reburn_iso9660::susp::{Entries, Entry};
use reburn_record::Record;

/// A directory record and what belongs to it.
struct Found<'a> {
    head: &'a DirectoryRecord,
    identifier: &'a [u8],
    system_use: &'a [u8],
}

/// A directory that records lead to.
struct Directory {
    location: u32,
    length: u32,
    /// Its place among all, counted from 1 as in the path table.
    parent: usize,
    identifier: Vec<u8>,
}

/// An image, and which of its blocks are in use.
pub struct Verifier<'a> {
    image: &'a [u8],
    /// Each block in use with what uses it.
    used: BTreeMap<u32, String>,
}

/// Checks all hierarchies of the session that starts at `start`.
pub fn verify(image: &[u8], start: u32) {
    let mut verifier = Verifier {
        image,
        used: BTreeMap::new(),
    };
    let mut block = start + 16;
    loop {
        let (descriptor, _) = VolumeDescriptor::view(verifier.block(block)).unwrap();
        assert_eq!(&descriptor.standard_identifier, b"CD001");
        match descriptor.descriptor_type {
            PRIMARY | SUPPLEMENTARY => verifier.hierarchy(descriptor),
            other => {
                assert_eq!(other, TERMINATOR);
                break;
            }
        }
        block += 1;
    }
}

impl<'a> Verifier<'a> {
    fn block(&self, number: u32) -> &'a [u8] {
        &self.image[number as usize * BLOCK_SIZE..][..BLOCK_SIZE]
    }

    /// Notes that `what` uses blocks that nothing else may use.
    fn claim(&mut self, first: u32, blocks: u32, what: &str) {
        for block in first..first + blocks {
            let before = self.used.insert(block, what.to_owned());
            assert_eq!(before, None, "block {block} is used twice, by {what}");
        }
    }

    fn hierarchy(&mut self, descriptor: &VolumeDescriptor) {
        let is_plain = descriptor.descriptor_type == PRIMARY;
        let is_enhanced = descriptor.version == 2;
        assert_eq!(descriptor.file_structure_version, descriptor.version);
        assert_eq!(descriptor.root.head.length, 34);
        assert_eq!(descriptor.volume_sequence_number.get(), Ok(1));
        let root = descriptor.root.head;
        let mut directories = vec![Directory {
            location: root.extent_location.get().unwrap(),
            length: root.data_length.get().unwrap(),
            parent: 1,
            identifier: vec![0],
        }];
        let mut index = 0;
        while index < directories.len() {
            let children = self.directory(&directories, index, is_plain);
            directories.extend(children);
            index += 1;
        }
        self.path_tables(descriptor, &directories);
        for directory in &directories[1..] {
            let limit = if is_enhanced { 207 } else { 206 };
            assert!(directory.identifier.len() <= limit);
        }
    }

    /// Checks a directory; the directories recorded in it.
    fn directory(
        &mut self,
        directories: &[Directory],
        index: usize,
        is_plain: bool,
    ) -> Vec<Directory> {
        let directory = &directories[index];
        let parent = &directories[directory.parent - 1];
        assert!(directory.length.is_multiple_of(2048) && directory.length > 0);
        let blocks = directory.length / 2048;
        self.claim(directory.location, blocks, "a directory");
        let records: Vec<_> = (0..blocks)
            .flat_map(|block| records(self.block(directory.location + block)))
            .collect();

        let [own, dot_dot, members @ ..] = &records[..] else {
            panic!("a directory without its first two records");
        };
        for (record, identifier, target) in [(own, 0, directory), (dot_dot, 1, parent)] {
            assert_eq!(record.identifier, [identifier]);
            assert_eq!(record.head.extent_location.get(), Ok(target.location));
            assert_eq!(record.head.data_length.get(), Ok(target.length));
            assert!(record.head.flags == FileFlags::DIRECTORY);
        }
        for pair in members.windows(2) {
            let more = pair[0].head.flags.contains(FileFlags::MULTI_EXTENT);
            let order = order_key(pair[0].identifier, is_plain)
                .cmp(&order_key(pair[1].identifier, is_plain));
            assert!(if more { order.is_eq() } else { order.is_lt() });
        }
        let mut children = Vec::new();
        let mut continuation = directory.location + blocks;
        for record in &records {
            for entry in self.entries(record, &mut continuation) {
                if entry.signature == *b"CL" {
                    let (cl, _) = entry.view::<Cl>().unwrap();
                    self.moved(cl.location.get().unwrap(), directory.location);
                }
            }
        }
        for record in members {
            let location = record.head.extent_location.get().unwrap();
            let length = record.head.data_length.get().unwrap();
            assert!(location != 0 || length == 0, "data without an extent");
            if record.head.flags.contains(FileFlags::DIRECTORY) {
                assert!(location > directory.location, "a child before its parent");
                children.push(Directory {
                    location,
                    length,
                    parent: index + 1,
                    identifier: record.identifier.to_vec(),
                });
            } else {
                assert_eq!(length == 0, location == 0, "an extent without data");
            }
        }
        children
    }

    /// The entries of a record. Where they go on, that is in the blocks after the directory,
    /// from `next` on.
    fn entries(&mut self, record: &Found<'a>, next: &mut u32) -> Vec<Entry<'a>> {
        let mut all = Vec::new();
        let mut area = record.system_use;
        loop {
            all.extend(Entries::new(area).map(Result::unwrap));
            let pointers = all.iter().filter(|entry| entry.signature == *b"CE").count();
            let Some(last) = all.pop_if(|entry| entry.signature == *b"CE") else {
                assert_eq!(pointers, 0, "a pointer is not the last entry");
                return all;
            };
            assert_eq!(pointers, 1);
            let (ce, _) = last.view::<Ce>().unwrap();
            let (block, offset, length) = (
                ce.block.get().unwrap(),
                ce.offset.get().unwrap() as usize,
                ce.length.get().unwrap() as usize,
            );
            assert!(offset + length <= BLOCK_SIZE, "an area crosses a block");
            if block == *next {
                self.claim(block, 1, "a continuation");
                *next += 1;
            }
            assert_eq!(
                block + 1,
                *next,
                "areas stand in the order of their records"
            );
            area = &self.block(block)[offset..offset + length];
        }
    }

    /// Checks that a moved directory knows the directory it belongs in (RRIP 4.1.5.2).
    fn moved(&self, location: u32, belongs_in: u32) {
        let parent = &records(self.block(location))[1];
        let mut entries = Entries::new(parent.system_use).map(Result::unwrap);
        let link = entries.find(|entry| entry.signature == *b"PL").unwrap();
        let (pl, _) = link.view::<Pl>().unwrap();
        assert_eq!(pl.location.get(), Ok(belongs_in));
    }

    fn path_tables(&mut self, descriptor: &VolumeDescriptor, directories: &[Directory]) {
        let size = descriptor.path_table_size.get().unwrap();
        let (table_l, table_m) = (descriptor.path_table_l.get(), descriptor.path_table_m.get());
        let blocks = size.div_ceil(2048);
        self.claim(table_l, blocks, "the L path table");
        self.claim(table_m, blocks, "the M path table");
        let bytes = |table: u32| {
            let all = &self.image[table as usize * BLOCK_SIZE..][..blocks as usize * BLOCK_SIZE];
            let (used, rest) = all.split_at(size as usize);
            assert!(rest.iter().all(|&byte| byte == 0));
            used
        };
        let (mut rest_l, mut rest_m) = (bytes(table_l), bytes(table_m));
        for directory in directories {
            let (l, after_l) = PathTableRecordL::view(rest_l).unwrap();
            let (m, after_m) = PathTableRecordM::view(rest_m).unwrap();
            let len = directory.identifier.len();
            for (found, identifier, location, parent) in [
                (
                    l.identifier_length,
                    after_l,
                    l.extent_location.get(),
                    l.parent_number.get(),
                ),
                (
                    m.identifier_length,
                    after_m,
                    m.extent_location.get(),
                    m.parent_number.get(),
                ),
            ] {
                assert_eq!(usize::from(found), len);
                assert_eq!(identifier[..len], directory.identifier);
                assert_eq!(location, directory.location);
                assert_eq!(usize::from(parent), directory.parent);
            }
            rest_l = &after_l[len.next_multiple_of(2)..];
            rest_m = &after_m[len.next_multiple_of(2)..];
        }
        assert!(rest_l.is_empty() && rest_m.is_empty());
    }
}

/// The records of one block; what comes after them is zero.
fn records(block: &[u8]) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    let mut rest = block;
    while let Some(&length @ 1..=255) = rest.first() {
        let (bytes, after) = rest.split_at(usize::from(length));
        let (head, tail) = DirectoryRecord::view(bytes).unwrap();
        let identifier_length = usize::from(head.identifier_length);
        let offset = DirectoryRecord::system_use_offset(head.identifier_length);
        assert!(bytes.len().is_multiple_of(2) && bytes.len() >= offset);
        assert_eq!(head.volume_sequence_number.get(), Ok(1));
        assert_eq!((head.file_unit_size, head.interleave_gap), (0, 0));
        assert_eq!(head.extended_attribute_length, 0);
        found.push(Found {
            head,
            identifier: &tail[..identifier_length],
            system_use: &bytes[offset..],
        });
        rest = after;
    }
    assert!(
        rest.iter().all(|&byte| byte == 0),
        "bytes after the last record"
    );
    found
}

/// What records are sorted by: with d-characters, name, extension and version, each filled up
/// with spaces (ECMA-119 9.3); else the identifier.
fn order_key(identifier: &[u8], is_plain: bool) -> Vec<u8> {
    if !is_plain {
        return identifier.to_vec();
    }
    let (file, version) = match identifier.iter().position(|&byte| byte == b';') {
        Some(at) => identifier.split_at(at),
        None => (identifier, &b""[..]),
    };
    let mut parts = file.splitn(2, |&byte| byte == b'.');
    let mut key = vec![b' '; 64];
    for (place, part) in [parts.next(), parts.next()]
        .into_iter()
        .flatten()
        .enumerate()
    {
        key[place * 32..place * 32 + part.len()].copy_from_slice(part);
    }
    key.extend(version);
    key
}
