//! Volumes that are odd, and volumes that are wrong.

use insta::assert_snapshot;
use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_record::{Both16, Both32, Record};
use reburn_tree::Tree;

use super::fixture::{Fixture, ROOT, Row, show};
use super::{Hierarchy, Nsr, Volume};
use crate::IsoError;
use crate::records::{BootRecord, Ce, Cl, FileFlags, Pn, STANDARD_IDENTIFIER, Sp};

const RE: &[u8] = b"RE\x04\x01";

fn nm(name: &[u8]) -> Vec<u8> {
    let length = u8::try_from(5 + name.len()).unwrap();
    [b"NM", &[length, 1, 0][..], name].concat()
}

fn sl(components: &[u8]) -> Vec<u8> {
    let length = u8::try_from(5 + components.len()).unwrap();
    [b"SL", &[length, 1, 0][..], components].concat()
}

/// UCS-2, big-endian.
fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

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
    assert_snapshot!(Fixture::new(&[&rows[..2], &rows[3..]].concat()).show(), @"block 20, byte 131 (DirectoryRecord.flags, ECMA-119 9.1.6): the file has more sections, but the record after this one is not of that file");
    assert_snapshot!(Fixture::new(&rows[..1]).show(), @"block 20, byte 93 (DirectoryRecord.flags, ECMA-119 9.1.6): the file has more sections, but the record after this one is not of that file");
    let mut associated = rows[..3].to_vec();
    associated[0] = associated[0].clone().flags(FileFlags::ASSOCIATED);
    assert!(
        Fixture::new(&associated)
            .show()
            .contains("has more sections")
    );
    let mut directory = rows[..3].to_vec();
    directory[1] = Row::directory(b"BIG;1", 40);
    assert!(
        Fixture::new(&directory)
            .show()
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
fn joliet_and_enhanced_trees_can_be_chosen() {
    let plain = [Row::file(b"A.;1", 30, 5)];
    let name = ucs2("Ünï.txt;1");
    let joliet = Fixture::new(&plain)
        .supplementary(22, |descriptor| {
            descriptor.escape_sequences[..3].copy_from_slice(b"%/E");
            descriptor.volume_identifier = reburn_record::Text::from_raw(
                [ucs2("Dïsc"), ucs2(" ").repeat(12)]
                    .concat()
                    .try_into()
                    .unwrap(),
            );
        })
        .directory(22, 22, &[Row::file(&name, 31, 6)]);
    let volume = joliet.open().unwrap();
    assert_eq!(volume.hierarchies(), [Hierarchy::Joliet, Hierarchy::Plain]);
    assert_eq!(volume.best(), Hierarchy::Joliet);
    let identifier = volume.volume_identifier(Hierarchy::Joliet);
    assert_eq!(identifier.as_deref(), Some("Dïsc"));
    let read = joliet.read(Hierarchy::Joliet).unwrap();
    assert!(read.tree.lookup("/Ünï.txt".as_bytes()).is_some());
    assert_eq!(read.data_ranges.to_string(), "30-31", "of both trees");
    assert_eq!(read.metadata_ranges.to_string(), "16-18 20 22");
    assert_eq!(show(&joliet.read(Hierarchy::Plain).unwrap()), "/A 30+5");
    let error = joliet.read(Hierarchy::RockRidge).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the volume has no Rock Ridge tree; choose one that it has"
    );

    let enhanced = Fixture::new(&plain)
        .supplementary(22, |descriptor| descriptor.version = 2)
        .directory(22, 22, &[Row::file(b"long name;1", 30, 5)]);
    assert_eq!(enhanced.show(), "/long name;1 30+5");
}

#[test]
fn damage_in_another_tree_matters_only_to_writers() {
    let volume = Fixture::new(&[]).supplementary(9999, |descriptor| {
        descriptor.escape_sequences[..3].copy_from_slice(b"%/@");
    });
    let read = volume.read(Hierarchy::Plain);
    assert!(matches!(read, Err(IsoError::Corrupt { .. })), "{read:?}");
    let opened = volume.open().unwrap();
    let read = opened.read_hierarchy(&volume.disc, Hierarchy::Plain);
    assert_eq!(read.unwrap().metadata_ranges.to_string(), "16-18 20");
}

#[test]
fn rock_ridge_says_more() {
    let volume = Fixture::rock_ridge(&[
        Row::file(b"DEV.;1", 0, 0)
            .px(0o020_644, 1, 2)
            .entry(Pn::new(5, 1).bytes())
            .entry(&nm(b"dev")),
        Row::file(b"FIFO.;1", 0, 0).px(0o010_644, 1, 3),
        Row::file(b"FILE.;1", 30, 5)
            .px(0o104_751, 1, 4)
            .entry(&nm(b"fi"))
            .entry(&nm(b"le.txt"))
            .entry(b"TF\x1a\x01\x0d\x7c\x01\x01\0\0\0\0\x7c\x01\x02\0\0\0\0\x7c\x01\x03\0\0\0\0"),
        Row::file(b"LINK.;1", 0, 0)
            .px(0o120_777, 1, 5)
            .entry(&sl(b"\x08\0\0\x03usr\x01\x02sh\0\x03are\x04\0\x02\0")),
        Row::file(b"SOCKET.;1", 0, 0).px(0o140_644, 1, 6),
    ]);
    assert_snapshot!(volume.show(), @r#"
    /FIFO Fifo
    /LINK -> /usr/share/../.
    /SOCKET Socket
    /dev CharDevice { major: 5, minor: 1 }
    /file.txt 30+5
    "#);
    let tree = volume.read(Hierarchy::RockRidge).unwrap().tree;
    let metadata = tree.metadata(tree.inode(tree.lookup(b"/file.txt").unwrap()));
    assert_eq!((metadata.uid, metadata.gid), (7, 8));
    assert_eq!(metadata.permissions, 0o4751);
    let time = |time: Option<reburn_tree::Timestamp>| time.unwrap().to_string();
    assert_eq!(time(metadata.created), "2024-01-01 00:00:00");
    assert_eq!(time(metadata.accessed), "2024-01-02 00:00:00");
    assert_eq!(time(metadata.changed), "2024-01-03 00:00:00");
    assert_eq!(metadata.modified.to_string(), "2024-02-29 00:00:00");
    assert_eq!(metadata.accessed.unwrap().micros() % 1_000_000, 0);
    assert_eq!(tree.metadata(tree.inode(Tree::ROOT)).permissions, 0o755);
}

#[test]
fn hard_links_are_joined_where_nothing_is_lost() {
    let file =
        |name: &[u8], start, links, serial| Row::file(name, start, 5).px(0o100_644, links, serial);
    let volume = Fixture::rock_ridge(&[
        file(b"A1", 30, 2, 9),
        file(b"A2", 30, 2, 9),
        file(b"B_OTHER_SERIAL", 30, 2, 8),
        file(b"C_ONE_LINK", 30, 1, 9),
        Row::file(b"D_OTHER_MODE", 30, 5).px(0o100_600, 2, 9),
        file(b"E_OTHER_BLOCK", 31, 2, 9),
        file(b"F1", 32, 2, 0),
        file(b"F2", 32, 2, 0),
        Row::file(b"G1", 0, 0).px(0o100_644, 2, 0),
        Row::file(b"G2", 0, 0).px(0o100_644, 2, 0),
        Row::file(b"H1", 0, 0).px(0o100_644, 2, 5),
        Row::file(b"H2", 0, 0).px(0o100_644, 2, 5),
    ]);
    assert_snapshot!(volume.show(), @"
    /A1 30+5 2 links
    /A2 30+5 2 links
    /B_OTHER_SERIAL 30+5
    /C_ONE_LINK 30+5
    /D_OTHER_MODE 30+5
    /E_OTHER_BLOCK 31+5
    /F1 32+5 2 links
    /F2 32+5 2 links
    /G1
    /G2
    /H1 2 links
    /H2 2 links
    ");
}

#[test]
fn moved_directories_come_back() {
    let rows = [
        Row::directory(b"DEEP", 21).px(0o40755, 2, 2),
        Row::directory(b"RR_MOVED", 22)
            .px(0o40755, 2, 3)
            .entry(&nm(b"rr_moved")),
    ];
    let moved = Row::directory(b"MOVED", 23)
        .px(0o40700, 2, 4)
        .entry(&nm(b"moved"));
    let claim = Row::file(b"CHILD", 40, 0)
        .px(0o40700, 2, 4)
        .entry(&nm(b"child"))
        .entry(Cl::new(23).bytes());
    let inner = [Row::file(b"INNER.;1", 30, 5).px(0o100_644, 1, 5)];
    let volume = Fixture::rock_ridge(&rows)
        .directory(21, ROOT, &[claim])
        .directory(22, ROOT, &[moved.clone().entry(RE)])
        .directory(23, 22, &inner);
    assert_snapshot!(volume.show(), @"
    /DEEP folder
    /DEEP/child folder
    /DEEP/child/INNER 30+5
    ");
    // What nobody claims is not lost.
    let unclaimed = volume.directory(21, ROOT, &[]);
    assert_snapshot!(unclaimed.show(), @"
    /DEEP folder
    /rr_moved folder
    /rr_moved/moved folder
    /rr_moved/moved/INNER 30+5
    note: Unclaimed x 1
    ");
    // A folder that was not made for moved ones stays.
    let own = [
        rows[0].clone(),
        Row::directory(b"MINE", 22).px(0o40755, 2, 3),
    ];
    let claim = Row::file(b"CHILD", 0, 0)
        .px(0o40700, 2, 4)
        .entry(Cl::new(23).bytes());
    let volume = Fixture::rock_ridge(&own)
        .directory(21, ROOT, std::slice::from_ref(&claim))
        .directory(22, ROOT, &[moved.clone().entry(RE)])
        .directory(23, 22, &inner);
    assert!(volume.show().contains("/MINE folder"), "{}", volume.show());
    // A folder that is itself marked as moved is the writer's own, whatever its name.
    let hidden = [rows[0].clone(), own[1].clone().entry(RE)];
    let volume = Fixture::rock_ridge(&hidden)
        .directory(21, ROOT, std::slice::from_ref(&claim))
        .directory(22, ROOT, &[moved.clone().entry(RE)])
        .directory(23, 22, &inner);
    assert!(!volume.show().contains("MINE"), "{}", volume.show());
    // Without RE, the same directory has two places.
    let volume = Fixture::rock_ridge(&rows)
        .directory(21, ROOT, &[claim])
        .directory(22, ROOT, &[moved])
        .directory(23, 22, &inner);
    assert!(
        volume.show().contains("reached another way"),
        "{}",
        volume.show()
    );
}

#[test]
fn claims_must_lead_to_directories() {
    let claim = |to| {
        Row::file(b"C", 0, 0)
            .px(0o40755, 2, 4)
            .entry(Cl::new(to).bytes())
    };
    assert_snapshot!(Fixture::rock_ridge(&[claim(40)]).show(), @"block 20, byte 246 (Cl.location, RRIP 4.1.5.1): block 40 does not begin with a directory's own record");
    assert_snapshot!(Fixture::rock_ridge(&[claim(400)]).show(), @"block 20, byte 246 (Cl.location, RRIP 4.1.5.1): 1 blocks from block 400 on end after the last block of the disc, 64");
    assert_snapshot!(Fixture::rock_ridge(&[claim(ROOT)]).show(), @"block 20, byte 246 (Cl.location, RRIP 4.1.5.1): the directory at blocks 20 overlaps one that was reached another way");
}

#[test]
fn directories_never_loop() {
    let below = Fixture::new(&[Row::directory(b"A", 21)]);
    let up = below.directory(21, ROOT, &[Row::directory(b"UP", ROOT)]);
    assert_snapshot!(up.show(), @"block 21, byte 70 (DirectoryRecord.extent_location, ECMA-119 9.1.3): the directory at blocks 20 overlaps one that was reached another way");
    let twice = Fixture::new(&[Row::directory(b"A", 21), Row::directory(b"B", 21)]);
    assert!(
        twice
            .directory(21, ROOT, &[])
            .show()
            .contains("reached another way")
    );
    let mut long = Row::directory(b"A", 21);
    long.head.data_length = Both32::new(4096);
    let overlapping = Fixture::new(&[long, Row::directory(b"B", 22)])
        .directory(21, ROOT, &[])
        .directory(22, ROOT, &[]);
    assert!(overlapping.show().contains("reached another way"));
}

#[test]
fn directories_lie_on_the_disc() {
    let mut empty = Row::directory(b"A", 21);
    empty.head.data_length = Both32::new(0);
    assert_snapshot!(Fixture::new(&[empty]).show(), @"block 20, byte 78 (DirectoryRecord.data_length, ECMA-119 9.1.4): the directory has no bytes, not even those of its own record");
    let mut huge = Row::directory(b"A", 21);
    huge.head.data_length = Both32::new(u32::MAX);
    assert_snapshot!(Fixture::new(&[huge]).show(), @"block 20, byte 70 (DirectoryRecord.extent_location, ECMA-119 9.1.3): 2097152 blocks from block 21 on end after the last block of the disc, 64");
    let far = Row::directory(b"A", u32::MAX).attributes(255);
    assert!(Fixture::new(&[far]).show().contains("after the last block"));
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
    assert_snapshot!(nowhere.show(), @"block 20, byte 70 (DirectoryRecord.extent_location, ECMA-119 9.1.3): 5 blocks from block 4294967294 on end after the last block of the disc, 64");
}

#[test]
fn files_in_pieces_or_elsewhere_are_refused() {
    let mut interleaved = Row::file(b"A.;1", 30, 5);
    interleaved.head.file_unit_size = 2;
    interleaved.head.interleave_gap = 3;
    assert_snapshot!(Fixture::new(&[interleaved]).show(), @"block 20, byte 94 (DirectoryRecord.file_unit_size, ECMA-119 9.1.7): the file is interleaved (2 blocks, then a gap of 3): not supported");
    let mut elsewhere = Row::file(b"A.;1", 30, 5);
    elsewhere.head.volume_sequence_number = Both16::new(2);
    let single = Fixture::new(&[elsewhere.clone()]);
    assert_eq!(single.show(), "/A 30+5", "as lenient as kernels");
    let set = single.primary(|descriptor| descriptor.volume_set_size = Both16::new(3));
    assert_snapshot!(set.show(), @"block 20, byte 96 (DirectoryRecord.volume_sequence_number, ECMA-119 9.1.9): the file is on disc 2 of a set, and this is disc 1; use that disc");
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

#[test]
fn continuations_stay_in_bounds() {
    let with = |ce: Ce| {
        let row = Row::file(b"A.;1", 30, 5).px(0o100_644, 1, 2);
        Fixture::rock_ridge(&[row.entry(ce.bytes())])
    };
    let name = [&nm(b"first-")[..], Ce::new(41, 7, 12).bytes()].concat();
    let good = with(Ce::new(40, 100, 39))
        .with(41, &[&[0; 7][..], &nm(b"second!")].concat())
        .with(40, &[&[0; 100][..], &name].concat());
    assert_eq!(good.show(), "/first-second! 30+5");
    let read = good.read(Hierarchy::RockRidge).unwrap();
    assert_eq!(read.metadata_ranges.to_string(), "16-17 20 40-41");
    // In the plain tree they count as used, too.
    let read = good.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.metadata_ranges.to_string(), "16-17 20 40-41");
    assert_eq!(show(&read), "/A 30+5");

    assert_snapshot!(with(Ce::new(400, 0, 20)).show(), @"block 20, byte 250 (Ce.block, SUSP 5.1): 1 blocks from block 400 on end after the last block of the disc, 64");
    assert_snapshot!(with(Ce::new(40, 2000, 49)).show(), @"block 20, byte 258 (Ce.offset, SUSP 5.1): 49 bytes at byte 2000 do not lie within one block");
    assert!(
        with(Ce::new(40, u32::MAX, u32::MAX))
            .show()
            .contains("do not lie")
    );
    let endless = with(Ce::new(40, 0, 28)).with(40, Ce::new(40, 0, 28).bytes());
    assert_snapshot!(endless.show(), @"block 40, byte 0 (Ce.head, SUSP 5.1): the record continues more than 32 times; no writer needs that");
    let read = endless.read(Hierarchy::Plain).unwrap();
    assert_snapshot!(show(&read), @"
    /A 30+5
    note: SystemUse x 1
    ");
}

#[test]
fn a_small_disc_stays_a_small_tree() {
    // Every record takes its long name from the same bytes.
    let name = nm(&[b'n'; 250]).repeat(8);
    let area = u32::try_from(name.len()).unwrap();
    let files = |count: u32| {
        let rows: Vec<_> = (0..count)
            .map(|number| Row::file(&[b'A'; 4], 30, number).entry(Ce::new(40, 0, area).bytes()))
            .collect();
        Fixture::rock_ridge(&rows).with(40, &name)
    };
    assert!(files(16).read(Hierarchy::RockRidge).is_ok());
    assert_snapshot!(files(17).show(), @"block 20, byte 1262 (Ce.block, SUSP 5.1): records continue in this block more than 16 times over; no writer needs that");
}

#[test]
fn entries_that_contradict_the_record_are_named() {
    let file = |mode: u32| Row::file(b"A.;1", 0, 0).px(mode, 1, 2);
    let show = |row: Row| Fixture::rock_ridge(&[row]).show();
    assert_snapshot!(show(file(0o40755)), @"block 20, byte 206 (Px.mode, RRIP 4.1.1): mode 40755 does not suit a record that is not of a directory");
    assert_snapshot!(show(file(0o120_777)), @"block 20, byte 206 (Px.mode, RRIP 4.1.1): the file is a symbolic link, but no SL entry gives its target");
    assert_snapshot!(show(file(0o060_644)), @"block 20, byte 206 (Px.mode, RRIP 4.1.1): the file is a device, but no PN entry gives its numbers");
    let directory = Row::directory(b"A", 21).px(0o100_644, 1, 2);
    assert_snapshot!(show(directory), @"block 20, byte 202 (Px.mode, RRIP 4.1.1): mode 100644 does not suit a record of a directory");
    let link = |components| file(0o120_777).entry(&sl(components));
    assert_snapshot!(show(link(b"\0\x09abc")), @"block 20, byte 252 (ComponentHead.length, RRIP 4.1.3.1): a length of 3 is too short: the record takes at least 9 bytes");
    assert_snapshot!(show(link(b"\x20\0")), @"block 20, byte 251 (ComponentHead.flags, RRIP 4.1.3.1): a component with flags 0x20 in the target of a symbolic link is not supported");
    assert_snapshot!(show(file(0o100_644).entry(b"TF\x0c\x01\x0e1234567")), @r#"block 20, byte 248 (SuspHead.length, SUSP 4.1): entry "TF" of 12 bytes does not fit: it takes at least 26 bytes, and 12 are left"#);
    assert_snapshot!(show(file(0o100_644).entry(b"NM\x40\x01\0abc")), @r#"block 20, byte 248 (SuspHead.length, SUSP 4.1): entry "NM" of 64 bytes does not fit: it takes at least 4 bytes, and 8 are left"#);
}

#[test]
fn names_no_path_can_have_are_changed() {
    let file = |identifier: &[u8], start, name: &[u8]| {
        Row::file(identifier, start, 5)
            .px(0o100_644, 1, start)
            .entry(&nm(name))
    };
    let volume = Fixture::rock_ridge(&[
        file(b"A", 30, b".."),
        file(b"B", 31, b"a/b"),
        file(b"C", 32, b"a_b"),
        file(b"D", 33, b"a_b"),
        file(b"E", 34, b"a_b~1"),
        file(b"F", 35, b"a_b"),
    ]);
    assert_snapshot!(volume.show(), @"
    /__ 30+5
    /a_b 31+5
    /a_b~1 34+5
    /a_b~2 32+5
    /a_b~3 33+5
    /a_b~4 35+5
    note: Renamed x 5
    ");
}

#[test]
fn entries_may_start_after_others_data() {
    let sp = Sp {
        skipped: 14,
        ..Sp::new()
    };
    let skipped = [&[0x55; 14][..], &nm(b"name")].concat();
    let row = Row::file(b"A.;1", 30, 5).entry(&skipped);
    // CD-ROM XA has 14 bytes of its own, also in the root's own record.
    let own = [&[0x55; 14][..], sp.bytes()].concat();
    for own in [own, sp.bytes().to_vec()] {
        let volume = Fixture::new(&[]).with_own(&own, std::slice::from_ref(&row));
        assert_eq!(volume.show(), "/name 30+5");
    }
}

#[test]
fn boot_catalog_and_udf_are_noticed() {
    let mut boot = BootRecord::zeroed();
    boot.standard_identifier = STANDARD_IDENTIFIER;
    boot.version = 1;
    let mut system = [0; 32];
    system[..23].copy_from_slice(BootRecord::EL_TORITO);
    boot.boot_system_identifier = reburn_record::Text::from_raw(system);
    boot.boot_catalog.set(40);
    let mut catalog = [0; 64];
    catalog[0] = 1;
    catalog[30..34].copy_from_slice(&[0x55, 0xaa, 0x88, 0]);
    catalog[38] = 8;
    catalog[40] = 50;
    let mut volume = Fixture::new(&[]).with(17, boot.bytes()).with(40, &catalog);
    for (block, identifier) in [(19, b"\0BEA01"), (20, b"\0NSR03"), (21, b"\0TEA01")] {
        volume.put(block, identifier);
    }
    let root = Row::directory(&[0], 24).head;
    let volume = volume
        .primary(|descriptor| descriptor.root.head = root)
        .directory(24, 24, &[]);
    let opened = volume.open().unwrap();
    assert_eq!(opened.boot_catalog(), Some(Lba::new(40)));
    assert_eq!(opened.udf(), Some(Nsr::Nsr03));
    assert_eq!(opened.descriptor_blocks().to_string(), "16-18");
    let read = volume.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.metadata_ranges.to_string(), "16-18 24 40");
    assert_eq!(read.data_ranges.to_string(), "50-63", "length unknown");
    let listed = volume.directory(24, 24, &[Row::file(b"BOOT.;1", 50, 9000)]);
    let read = listed.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.data_ranges.to_string(), "50-54");
    let followed = listed.directory(24, 24, &[Row::file(b"NEXT.;1", 55, 1)]);
    let read = followed.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.data_ranges.to_string(), "50-55");
}

#[test]
fn path_tables_are_in_use() {
    let volume = Fixture::new(&[]).primary(|descriptor| {
        descriptor.path_table_size = Both32::new(2049);
        descriptor.path_table_l.set(30);
        descriptor.path_table_m.set(40);
        descriptor.optional_path_table_m.set(63);
    });
    let read = volume.read(Hierarchy::Plain).unwrap();
    assert_eq!(read.metadata_ranges.to_string(), "16-17 20 30-31 40-41");
    assert_eq!(show(&read), "note: PastEnd x 1");
}

#[test]
fn other_formats_are_told_apart() {
    let open = |disc: &[u8], start| {
        let disc = disc.to_vec();
        Volume::open(&disc, Lba::new(start))
            .unwrap_err()
            .to_string()
    };
    let blank = vec![0; 40 * BLOCK_SIZE];
    assert_snapshot!(open(&blank, 0), @"block 16, byte 1 (VolumeDescriptorHead.standard_identifier, ECMA-119 8.1.2): no ISO 9660 volume descriptor is here; if the disc has several sessions, name the start of another one");
    assert_eq!(
        open(&blank, 4).split(':').next(),
        open(&blank, 4).split(':').next()
    );
    assert!(
        open(&blank[..BLOCK_SIZE], 0).contains("no ISO 9660"),
        "too short"
    );
    assert!(
        open(&blank, u32::MAX - 3).contains("no ISO 9660"),
        "no such block"
    );
    let mut high_sierra = blank.clone();
    high_sierra[16 * BLOCK_SIZE + 9..][..5].copy_from_slice(b"CDROM");
    assert!(open(&high_sierra, 0).contains("High Sierra"));
    let small = Fixture::new(&[]).primary(|d| d.logical_block_size = Both16::new(512));
    assert_snapshot!(small.show(), @"block 16, byte 128 (VolumeDescriptor.logical_block_size, ECMA-119 8.4.12): logical blocks of 512 bytes are not supported, only of 2048");
    let terminator = Fixture::new(&[]).disc[17 * BLOCK_SIZE..18 * BLOCK_SIZE].to_vec();
    let headless = Fixture::new(&[]).with(16, &terminator);
    assert_snapshot!(headless.show(), @"block 16, byte 0 (VolumeDescriptorHead.descriptor_type, ECMA-119 8.1.1): the descriptors from here on have no primary volume descriptor among them");
}
