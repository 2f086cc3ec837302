//! What hardly any writer makes, but the standard has: each test changes the small volume into
//! one that has it.

use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_record::little_endian::{U16, U32, U64};
use reburn_record::{Record, Sheet};
use reburn_tree::Tree;
use reburn_udf::records::{
    ExtAd, ExtentAd, FileEntry, IndirectEntry, LongAd, Partition, ShortAd, SpaceBitmap,
    TerminalEntry, UnallocatedSpaceEntry, VolumeDescriptorPointer, file_type, icb_flags, tag_id,
};
use reburn_udf::{ImportedTree, Inspector, NoteKind, Session, Volume};

use super::disc::content;
use super::fixture::{CONTENT_A, PARTITION, SEQUENCES, identifier, seal, volume};
use super::{at, read};

/// The entry of `/a`.
const ENTRY_A: u32 = 3;
/// In the length of an extent: allocated, not recorded.
const NOT_RECORDED: u32 = 0x4000_0000;
/// A block of the partition that nothing uses, and many after it.
const FREE: u32 = 60;

fn content_of(disc: &[u8], found: &ImportedTree, path: &[u8]) -> Vec<u8> {
    let disc = disc.to_vec();
    let inode = found.tree.inode(found.tree.lookup(path).unwrap());
    content(&disc, &found.tree, inode)
}

fn kinds(found: &ImportedTree) -> Vec<NoteKind> {
    let kinds = found.notes.iter().map(|note| note.kind);
    kinds.filter(|kind| *kind != NoteKind::Deleted).collect()
}

/// Puts a descriptor into a block of the partition.
fn put(disc: &mut [u8], block: u32, id: u16, bytes: &[u8]) {
    let mut bytes = bytes.to_vec();
    seal(&mut bytes, id, block);
    let start = at(PARTITION + block);
    disc[start..start + BLOCK_SIZE].fill(0);
    disc[start..start + bytes.len()].copy_from_slice(&bytes);
}

/// Puts the entry of a file of `length` bytes into a block.
fn put_entry(disc: &mut [u8], block: u32, strategy: u16, form: u16, length: u64, rest: &[u8]) {
    let mut entry = FileEntry::zeroed();
    entry.icb_tag.strategy_type = U16::new(strategy);
    entry.icb_tag.maximum_number_of_entries = U16::new(if strategy == 4096 { 2 } else { 1 });
    entry.icb_tag.file_type = file_type::FILE;
    entry.icb_tag.flags = U16::new(form);
    entry.file_link_count = U16::new(1);
    entry.information_length = U64::new(length);
    entry.length_of_allocation_descriptors = U32::new(u32::try_from(rest.len()).unwrap());
    let bytes = [entry.bytes(), rest].concat();
    put(disc, block, tag_id::FILE_ENTRY, &bytes);
}

fn short(length: u32, block: u32) -> Vec<u8> {
    let short = ShortAd {
        extent_length: U32::new(length),
        extent_position: U32::new(block),
    };
    short.bytes().to_vec()
}

fn extended(length: u32, information: u32, block: u32) -> Vec<u8> {
    let mut extended = ExtAd::zeroed();
    extended.extent_length = U32::new(length);
    extended.recorded_length = U32::new(length);
    extended.information_length = U32::new(information);
    extended.extent_location.logical_block_number = U32::new(block);
    extended.bytes().to_vec()
}

fn long(block: u32) -> LongAd {
    let mut long = LongAd::zeroed();
    long.extent_length = U32::new(4096);
    long.extent_location.logical_block_number = U32::new(block);
    long
}

fn titles(walk: impl FnOnce(&mut dyn FnMut(&Sheet) -> ControlFlow<()>)) -> Vec<String> {
    let mut titles = Vec::new();
    walk(&mut |sheet| {
        assert!(sheet.notes.is_empty(), "{sheet}");
        titles.push(sheet.title.clone());
        ControlFlow::Continue(())
    });
    titles
}

#[test]
fn extended_descriptors_lead_to_data() {
    let mut disc = volume();
    let extents = [extended(2048, 2048, 20), extended(952, 952, 21)].concat();
    put_entry(&mut disc, ENTRY_A, 4, icb_flags::EXTENDED, 3000, &extents);
    let found = read(&disc).unwrap();
    assert_eq!(content_of(&disc, &found, b"/a"), CONTENT_A);
    assert_eq!(found.data_ranges.to_string(), "120-121 130-131");
}

#[test]
fn compressed_extents_are_refused() {
    let mut disc = volume();
    let extents = extended(2048, 3000, 20);
    put_entry(&mut disc, ENTRY_A, 4, icb_flags::EXTENDED, 3000, &extents);
    assert_eq!(
        read(&disc).unwrap_err().to_string(),
        "block 103, byte 180 (ExtAd.recorded_length, ECMA-167 4/14.14.3.2): the extent has 2048 \
         bytes recorded for 3000: compressed or encoded"
    );
}

#[test]
fn what_is_allocated_but_not_recorded_reads_as_zeros() {
    let mut disc = volume();
    let extents = [short(2048, 20), short(NOT_RECORDED + 952, 21)].concat();
    put_entry(&mut disc, ENTRY_A, 4, icb_flags::SHORT, 3000, &extents);
    let found = read(&disc).unwrap();
    let expected = [vec![b'a'; 2048], vec![0; 952]].concat();
    assert_eq!(content_of(&disc, &found, b"/a"), expected);
    // Nobody else may use the block that is allocated.
    assert_eq!(found.data_ranges.to_string(), "120-121 130-131");
    // What is allocated behind the end of the file is not part of it, but not free either.
    let extents = [short(3000, 20), short(NOT_RECORDED + 2048, 22)].concat();
    put_entry(&mut disc, ENTRY_A, 4, icb_flags::SHORT, 3000, &extents);
    let found = read(&disc).unwrap();
    assert_eq!(content_of(&disc, &found, b"/a"), CONTENT_A);
    assert_eq!(found.data_ranges.to_string(), "120-122 130-131");
}

/// Makes `/a` a file whose ICB begins at `FREE`.
fn point_to_free(disc: &mut [u8]) {
    let name = identifier("a", 0, FREE, 2);
    let start = at(PARTITION + 2) + identifier("", 0, 1, 2).len();
    disc[start..start + name.len()].copy_from_slice(&name);
}

fn indirect(disc: &mut [u8], block: u32, target: u32) {
    let mut entry = IndirectEntry::zeroed();
    entry.icb_tag.strategy_type = U16::new(4096);
    entry.icb_tag.file_type = 3;
    entry.indirect_icb = long(target);
    put(disc, block, tag_id::INDIRECT_ENTRY, entry.bytes());
}

#[test]
fn chains_of_entries_lead_to_the_newest() {
    let mut disc = volume();
    point_to_free(&mut disc);
    let embedded = icb_flags::EMBEDDED;
    put_entry(&mut disc, FREE, 4096, embedded, 3, b"old");
    let found = read(&disc).unwrap();
    assert_eq!(
        content_of(&disc, &found, b"/a"),
        b"old",
        "nothing follows yet"
    );

    indirect(&mut disc, FREE + 1, FREE + 10);
    put_entry(&mut disc, FREE + 10, 4096, embedded, 5, b"newer");
    let found = read(&disc).unwrap();
    assert_eq!(content_of(&disc, &found, b"/a"), b"newer");

    indirect(&mut disc, FREE + 11, FREE + 20);
    put_entry(&mut disc, FREE + 20, 4096, embedded, 6, b"newest");
    let mut end = TerminalEntry::zeroed();
    end.icb_tag.strategy_type = U16::new(4096);
    end.icb_tag.file_type = 11;
    put(&mut disc, FREE + 21, tag_id::TERMINAL_ENTRY, end.bytes());
    let found = read(&disc).unwrap();
    assert_eq!(content_of(&disc, &found, b"/a"), b"newest");
    assert_eq!(kinds(&found), []);
    let chain = [160, 161, 170, 171, 180, 181].map(Lba::new);
    assert!(chain.iter().all(|&lba| found.metadata_ranges.contains(lba)));
    let inspector = Inspector::new(&disc, Session::default());
    let shown = titles(|show| {
        let _ = inspector.file(b"/a", show).unwrap();
    });
    assert_eq!(
        shown,
        [
            "File identifier descriptor, \"a\"",
            "File entry",
            "Indirect entry",
            "File entry",
            "Indirect entry",
            "File entry",
            "Terminal entry",
            "The file's bytes, embedded",
        ]
    );
}

#[test]
fn a_chain_of_entries_that_leads_to_itself_is_an_error() {
    let mut disc = volume();
    point_to_free(&mut disc);
    put_entry(&mut disc, FREE, 4096, icb_flags::EMBEDDED, 3, b"old");
    indirect(&mut disc, FREE + 1, FREE);
    let error = read(&disc).unwrap_err().to_string();
    assert!(error.contains("goes on more than 4096 times"), "{error}");
    let inspector = Inspector::new(&disc, Session::default());
    let mut last = None;
    let _ = inspector.file(b"/a", &mut |sheet| {
        last = Some(sheet.clone());
        ControlFlow::Continue(())
    });
    let last = last.unwrap();
    assert!(
        last.notes.is_empty(),
        "the newest entry is shown all the same: {last}"
    );
}

/// Moves all but the first descriptor of the main sequence behind a pointer.
fn chain_sequence(disc: &mut [u8], next: u32) {
    let first = SEQUENCES[0];
    for index in (1..4).rev() {
        let from = at(first + index);
        let mut bytes = disc[from..from + BLOCK_SIZE].to_vec();
        let id = u16::from_le_bytes([bytes[0], bytes[1]]);
        let len = if id == tag_id::LOGICAL_VOLUME {
            446
        } else {
            512
        };
        seal(&mut bytes[..len], id, first + index + 7);
        disc[from..from + BLOCK_SIZE].fill(0);
        let to = at(first + index + 7);
        disc[to..to + BLOCK_SIZE].copy_from_slice(&bytes);
    }
    let mut pointer = VolumeDescriptorPointer::zeroed();
    pointer.sequence_number = U32::new(1);
    pointer.next_sequence = ExtentAd {
        extent_length: U32::new(8 * 2048),
        extent_location: U32::new(next),
    };
    let mut bytes = pointer.bytes().to_vec();
    seal(&mut bytes, tag_id::VOLUME_POINTER, first + 1);
    let start = at(first + 1);
    disc[start..start + bytes.len()].copy_from_slice(&bytes);
}

#[test]
fn sequences_go_on_where_pointers_lead() {
    let mut disc = volume();
    chain_sequence(&mut disc, SEQUENCES[0] + 8);
    let opened = Volume::open(&disc, Session::default()).unwrap();
    assert_eq!(opened.notes(), [], "the reserve sequence is not needed");
    assert_eq!(read(&disc).unwrap().tree.walk(Tree::ROOT).count(), 7);
    let inspector = Inspector::new(&disc, Session::default());
    let shown = titles(|show| {
        let _ = inspector.volume(show);
    });
    assert_eq!(
        shown[5..11],
        [
            "Primary volume descriptor, main sequence",
            "Volume descriptor pointer, main sequence",
            "Partition descriptor, main sequence",
            "Logical volume descriptor, main sequence",
            "Partition map 0, a partition as its descriptor says",
            "Terminating descriptor, main sequence",
        ]
    );
}

#[test]
fn pointers_that_lead_in_circles_end_a_sequence() {
    let mut disc = volume();
    chain_sequence(&mut disc, SEQUENCES[0]);
    let opened = Volume::open(&disc, Session::default()).unwrap();
    let kinds: Vec<_> = opened.notes().iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [NoteKind::ReserveSequence]);
    disc[at(SEQUENCES[1])] ^= 1;
    let error = Volume::open(&disc, Session::default()).unwrap_err();
    assert!(
        error.to_string().contains("goes on more than 16 times"),
        "{error}"
    );
}

/// Changes both copies of the partition descriptor.
fn with_space(disc: &mut [u8], change: impl Fn(&mut Partition)) {
    for first in SEQUENCES {
        let start = at(first + 1);
        let (partition, _) = Partition::view(&disc[start..]).unwrap();
        let mut partition = *partition;
        change(&mut partition);
        let mut bytes = partition.bytes().to_vec();
        seal(&mut bytes, tag_id::PARTITION, first + 1);
        disc[start..start + bytes.len()].copy_from_slice(&bytes);
    }
}

fn extent(length: u32, block: u32) -> ShortAd {
    ShortAd {
        extent_length: U32::new(length),
        extent_position: U32::new(block),
    }
}

#[test]
fn free_space_is_counted_in_tables() {
    let mut disc = volume();
    with_space(&mut disc, |partition| {
        partition.header.unallocated_space_table = extent(2048, FREE);
    });
    let mut entry = UnallocatedSpaceEntry::zeroed();
    entry.icb_tag.strategy_type = U16::new(4);
    entry.icb_tag.file_type = file_type::UNALLOCATED_SPACE;
    let extents = [
        short(NOT_RECORDED + 10 * 2048, 70),
        short(NOT_RECORDED + 2048, 100),
        // No bytes end the list.
        short(0, 0),
        short(NOT_RECORDED + 2048, 120),
    ]
    .concat();
    entry.length_of_allocation_descriptors = U32::new(u32::try_from(extents.len()).unwrap());
    let bytes = [entry.bytes(), &extents].concat();
    put(&mut disc, FREE, tag_id::SPACE_ENTRY, &bytes);
    let opened = Volume::open(&disc, Session::default()).unwrap();
    assert_eq!(opened.free_blocks(&disc).unwrap(), Some(11));
    let inspector = Inspector::new(&disc, Session::default());
    let shown = titles(|show| {
        let _ = inspector.volume(show);
    });
    assert!(shown.contains(&"Unallocated space entry, unallocated space".into()));

    disc[at(PARTITION + FREE) + 30] ^= 1;
    let error = opened.free_blocks(&disc).unwrap_err().to_string();
    assert!(error.contains("descriptor's check"), "{error}");
}

#[test]
fn free_space_is_counted_in_bitmaps() {
    let mut disc = volume();
    with_space(&mut disc, |partition| {
        partition.header.unallocated_space_bitmap = extent(2048, FREE);
    });
    let mut bitmap = SpaceBitmap::zeroed();
    bitmap.number_of_bits = U32::new(150);
    bitmap.number_of_bytes = U32::new(19);
    // The last two bits are of no block.
    let bytes = [bitmap.bytes(), &[0; 17], &[0x0f, 0xff]].concat();
    put(&mut disc, FREE, tag_id::SPACE_BITMAP, &bytes);
    let opened = Volume::open(&disc, Session::default()).unwrap();
    assert_eq!(opened.free_blocks(&disc).unwrap(), Some(4 + 6));

    bitmap.number_of_bytes = U32::new(18);
    put(&mut disc, FREE, tag_id::SPACE_BITMAP, bitmap.bytes());
    let error = opened.free_blocks(&disc).unwrap_err().to_string();
    assert!(
        error.contains("a length of 19 bytes does not fit into the 18"),
        "{error}"
    );
}
