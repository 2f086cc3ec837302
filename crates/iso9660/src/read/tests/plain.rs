//! Directories and files without extensions.

use insta::assert_snapshot;
use reburn_blocks::BLOCK_SIZE;
use reburn_record::{Both16, Both32};

use crate::read::Hierarchy;
use crate::read::fixture::{Fixture, ROOT, Row};
use crate::records::FileFlags;

#[test]
fn plain_names_lose_version_and_empty_extension() {
    let volume = Fixture::new(&[
        Row::file(b"A.;1", 30, 5),
        Row::directory(b"DIR", 21),
        Row::file(b"EMPTY.TXT;1", 0, 0),
    ])
    .directory(21, ROOT, &[Row::file(b"INNER.TXT;1", 31, 2049)]);
    assert_snapshot!(volume.show(), @"
    /A 30+5
    /DIR folder
    /DIR/INNER.TXT 31+2049
    /EMPTY.TXT
    ");
    let read = volume.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.metadata_ranges.to_string(), "16-17 20-21");
    assert_eq!(read.data_ranges.to_string(), "30-32");
    let inode = read.tree.inode(read.tree.lookup(b"/A").unwrap());
    let metadata = read.tree.metadata(inode);
    assert_eq!(metadata.modified.to_string(), "2024-02-29 00:00:00");
    assert_eq!(metadata.permissions, 0o444);
}

#[test]
fn older_versions_keep_their_number() {
    let volume = Fixture::new(&[
        Row::file(b"A.B;3", 30, 5),
        Row::file(b"A.B;2", 31, 5),
        Row::file(b"A.B;2", 32, 5),
    ]);
    assert_snapshot!(volume.show(), @"
    /A.B 30+5
    /A.B;2 31+5
    /A.B~1 32+5
    note: Renamed x 2
    ");
}

#[test]
fn sections_of_a_file_are_joined() {
    let more = FileFlags::MULTI_EXTENT;
    let rows = [
        Row::file(b"BIG;1", 30, 4096).flags(more),
        Row::file(b"BIG;1", 40, 2048).flags(more),
        Row::file(b"BIG;1", 35, 5),
        Row::file(b"C;1", 41, 5),
    ];
    assert_snapshot!(Fixture::new(&rows).show(), @"
    /BIG 30+4096 40+2048 35+5
    /C 41+5
    ");
    assert_snapshot!(Fixture::new(&[&rows[..2], &rows[3..]].concat()).show(), @"
    block 20, byte 131 (DirectoryRecord.flags, ECMA-119 9.1.6): the file has more
    sections, but the record after this one is not of that file
    ");
    assert_snapshot!(Fixture::new(&rows[..1]).show(), @"
    block 20, byte 93 (DirectoryRecord.flags, ECMA-119 9.1.6): the file has more
    sections, but the record after this one is not of that file
    ");
    let mut associated = rows[..3].to_vec();
    associated[0] = associated[0].clone().flags(FileFlags::ASSOCIATED);
    assert!(
        Fixture::new(&associated)
            .error()
            .contains("has more sections")
    );
    let mut directory = rows[..3].to_vec();
    directory[1] = Row::directory(b"BIG;1", 40);
    assert!(
        Fixture::new(&directory)
            .error()
            .contains("has more sections")
    );
}

#[test]
fn associated_files_and_attribute_records_are_noted() {
    let volume = Fixture::new(&[
        Row::file(b"A.;1", 30, 5).flags(FileFlags::ASSOCIATED),
        Row::file(b"A.;1", 31, 5).attributes(2),
        Row::directory(b"B", 35).attributes(1),
    ])
    .directory(36, ROOT, &[]);
    assert_snapshot!(volume.show(), @"
    /A 33+5
    /B folder
    note: AssociatedFile x 1
    note: AttributeRecord x 1
    ");
    let read = volume.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.data_ranges.to_string(), "30-33");
    assert_eq!(read.metadata_ranges.to_string(), "16-17 20 35-36");
}

#[test]
fn directories_never_loop() {
    let below = Fixture::new(&[Row::directory(b"A", 21)]);
    let up = below.directory(21, ROOT, &[Row::directory(b"UP", ROOT)]);
    assert_snapshot!(up.show(), @"
    block 21, byte 70 (DirectoryRecord.extent_location, ECMA-119 9.1.3): the
    directory at blocks 20 overlaps one that was reached another way
    ");
    let twice = Fixture::new(&[Row::directory(b"A", 21), Row::directory(b"B", 21)]);
    assert!(
        twice
            .directory(21, ROOT, &[])
            .error()
            .contains("reached another way")
    );
    let mut long = Row::directory(b"A", 21);
    long.head.data_length = Both32::new(4096);
    let overlapping = Fixture::new(&[long, Row::directory(b"B", 22)])
        .directory(21, ROOT, &[])
        .directory(22, ROOT, &[]);
    assert!(overlapping.error().contains("reached another way"));
}

#[test]
fn directories_lie_on_the_disc() {
    let mut empty = Row::directory(b"A", 21);
    empty.head.data_length = Both32::new(0);
    assert_snapshot!(Fixture::new(&[empty]).show(), @"
    block 20, byte 78 (DirectoryRecord.data_length, ECMA-119 9.1.4): the directory
    has no bytes, not even those of its own record
    ");
    let mut huge = Row::directory(b"A", 21);
    huge.head.data_length = Both32::new(u32::MAX);
    assert_snapshot!(Fixture::new(&[huge]).show(), @"
    block 20, byte 70 (DirectoryRecord.extent_location, ECMA-119 9.1.3): 2097152
    blocks from block 21 on end after the last block of the disc, 64
    ");
    let far = Row::directory(b"A", u32::MAX).attributes(255);
    assert!(
        Fixture::new(&[far])
            .error()
            .contains("after the last block")
    );
}

#[test]
fn files_past_the_end_are_noted() {
    let volume = Fixture::new(&[Row::file(b"A.;1", 60, 9000), Row::file(b"B.;1", 64, 1)]);
    assert_snapshot!(volume.show(), @"
    /A 60+9000
    /B 64+1
    note: PastEnd x 2
    ");
    let nowhere = Fixture::new(&[Row::file(b"A.;1", u32::MAX - 1, 9000)]);
    assert_snapshot!(nowhere.show(), @"
    block 20, byte 70 (DirectoryRecord.extent_location, ECMA-119 9.1.3): 5 blocks
    from block 4294967294 on end after the last block of the disc, 64
    ");
}

#[test]
fn files_in_pieces_or_elsewhere_are_refused() {
    let mut interleaved = Row::file(b"A.;1", 30, 5);
    interleaved.head.file_unit_size = 2;
    interleaved.head.interleave_gap = 3;
    assert_snapshot!(Fixture::new(&[interleaved]).show(), @"
    block 20, byte 94 (DirectoryRecord.file_unit_size, ECMA-119 9.1.7): the file is
    interleaved (2 blocks, then a gap of 3): not supported
    ");
    let mut elsewhere = Row::file(b"A.;1", 30, 5);
    elsewhere.head.volume_sequence_number = Both16::new(2);
    let single = Fixture::new(&[elsewhere.clone()]);
    assert_eq!(single.show(), "/A 30+5", "as lenient as kernels");
    let set = single.primary(|descriptor| descriptor.volume_set_size = Both16::new(3));
    assert_snapshot!(set.show(), @"
    block 20, byte 96 (DirectoryRecord.volume_sequence_number, ECMA-119 9.1.9): the
    file is on disc 2 of a set, and this is disc 1; use that disc
    ");
}

#[test]
fn missing_own_records_and_differing_halves_are_noted() {
    let mut volume = Fixture::new(&[]);
    let mut file = Row::file(b"A.;1", 30, 5).bytes();
    file[6] = 9;
    let mut block = file;
    block.resize(BLOCK_SIZE, 0);
    volume.put(ROOT, &block);
    assert_snapshot!(volume.show(), @"
    /A 30+5
    note: OwnRecord x 1
    note: HalvesDiffer x 1
    ");
    volume.put(ROOT, &[0; BLOCK_SIZE]);
    assert_eq!(volume.show(), "note: OwnRecord x 1");
}
