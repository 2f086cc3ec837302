//! Entries of SUSP and Rock Ridge, their continuations, and moved directories.

use insta::assert_snapshot;
use reburn_record::Record;
use reburn_tree::Tree;

use crate::read::Hierarchy;
use crate::read::fixture::{Fixture, ROOT, Row, show};
use crate::records::{Ce, Cl, Pn, Sp};

const RE: &[u8] = b"RE\x04\x01";

fn nm(name: &[u8]) -> Vec<u8> {
    let length = u8::try_from(5 + name.len()).unwrap();
    [b"NM", &[length, 1, 0][..], name].concat()
}

fn sl(components: &[u8]) -> Vec<u8> {
    let length = u8::try_from(5 + components.len()).unwrap();
    [b"SL", &[length, 1, 0][..], components].concat()
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
        volume.error().contains("reached another way"),
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
    assert_snapshot!(Fixture::rock_ridge(&[claim(40)]).show(), @"
    block 20, byte 246 (Cl.location, RRIP 4.1.5.1): block 40 does not begin with a
    directory's own record
    ");
    assert_snapshot!(Fixture::rock_ridge(&[claim(400)]).show(), @"
    block 20, byte 246 (Cl.location, RRIP 4.1.5.1): 1 blocks from block 400 on end
    after the last block of the disc, 64
    ");
    assert_snapshot!(Fixture::rock_ridge(&[claim(ROOT)]).show(), @"
    block 20, byte 246 (Cl.location, RRIP 4.1.5.1): the directory at blocks 20
    overlaps one that was reached another way
    ");
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

    assert_snapshot!(with(Ce::new(400, 0, 20)).show(), @"
    block 20, byte 250 (Ce.block, SUSP 5.1): 1 blocks from block 400 on end after
    the last block of the disc, 64
    ");
    assert_snapshot!(with(Ce::new(40, 2000, 49)).show(), @"
    block 20, byte 258 (Ce.offset, SUSP 5.1): 49 bytes at byte 2000 do not lie
    within one block
    ");
    assert!(
        with(Ce::new(40, u32::MAX, u32::MAX))
            .error()
            .contains("do not lie")
    );
    let endless = with(Ce::new(40, 0, 28)).with(40, Ce::new(40, 0, 28).bytes());
    assert_snapshot!(endless.show(), @"
    block 40, byte 0 (Ce.head, SUSP 5.1): the record continues more than 32 times;
    no writer needs that
    ");
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
    assert_snapshot!(files(17).show(), @"
    block 20, byte 1262 (Ce.block, SUSP 5.1): records continue in this block more
    than 16 times over; no writer needs that
    ");
}

#[test]
fn entries_that_contradict_the_record_are_named() {
    let file = |mode: u32| Row::file(b"A.;1", 0, 0).px(mode, 1, 2);
    let show = |row: Row| Fixture::rock_ridge(&[row]).show();
    assert_snapshot!(show(file(0o40755)), @"
    block 20, byte 206 (Px.mode, RRIP 4.1.1): mode 40755 does not suit a record that
    is not of a directory
    ");
    assert_snapshot!(show(file(0o120_777)), @"
    block 20, byte 206 (Px.mode, RRIP 4.1.1): the file is a symbolic link, but no SL
    entry gives its target
    ");
    assert_snapshot!(show(file(0o060_644)), @"
    block 20, byte 206 (Px.mode, RRIP 4.1.1): the file is a device, but no PN entry
    gives its numbers
    ");
    let directory = Row::directory(b"A", 21).px(0o100_644, 1, 2);
    assert_snapshot!(show(directory), @"
    block 20, byte 202 (Px.mode, RRIP 4.1.1): mode 100644 does not suit a record of
    a directory
    ");
    let link = |components| file(0o120_777).entry(&sl(components));
    assert_snapshot!(show(link(b"\0\x09abc")), @"
    block 20, byte 252 (ComponentHead.length, RRIP 4.1.3.1): a length of 3 is too
    short: the record takes at least 9 bytes
    ");
    assert_snapshot!(show(link(b"\x20\0")), @"
    block 20, byte 251 (ComponentHead.flags, RRIP 4.1.3.1): a component with flags
    0x20 in the target of a symbolic link is not supported
    ");
    assert_snapshot!(show(file(0o100_644).entry(b"TF\x0c\x01\x0e1234567")), @r#"
    block 20, byte 248 (SuspHead.length, SUSP 4.1): entry "TF" of 12 bytes does not
    fit: it takes at least 26 bytes, and 12 are left
    "#);
    assert_snapshot!(show(file(0o100_644).entry(b"NM\x40\x01\0abc")), @r#"
    block 20, byte 248 (SuspHead.length, SUSP 4.1): entry "NM" of 64 bytes does not
    fit: it takes at least 4 bytes, and 8 are left
    "#);
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
