//! The records of a small volume as the inspector shows them, sound and damaged.

use std::ops::ControlFlow;

use insta::assert_snapshot;
use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba};
use reburn_iso9660::records::{BootEntry, BootRecord, SectionHeader, ValidationEntry};
use reburn_iso9660::{Hierarchy, Inspector, Show};
use reburn_record::little_endian::{U16, U32};
use reburn_record::{Record, Sheet, Text};
use reburn_tree::Tree;

use super::{disc, tree};

/// All sheets of a walk.
fn sheets(walk: impl FnOnce(Show<'_>)) -> Vec<Sheet> {
    let mut sheets = Vec::new();
    walk(&mut |sheet| {
        sheets.push(sheet.clone());
        ControlFlow::Continue(())
    });
    sheets
}

fn text(sheets: &[Sheet]) -> String {
    let texts: Vec<_> = sheets.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

/// A line a sheet: where it is, what it is, and what is wrong with it.
fn headings(sheets: &[Sheet]) -> String {
    let lines = sheets.iter().map(|sheet| {
        let mut brief = sheet.clone();
        brief.rows.clear();
        brief.to_string()
    });
    lines.collect()
}

fn of_volume(disc: &dyn BlockRead) -> Vec<Sheet> {
    let inspector = Inspector::new(disc, Lba::ZERO);
    sheets(|show| {
        let _ = inspector.volume(show);
    })
}

fn of_path(disc: &dyn BlockRead, path: &str, hierarchy: Hierarchy) -> Vec<Sheet> {
    let inspector = Inspector::new(disc, Lba::ZERO);
    sheets(|show| {
        let shown = inspector.file(path.as_bytes(), Some(hierarchy), show);
        let _ = shown.unwrap();
    })
}

/// Shows all that can be shown of a disc of which anything may be damaged; fails if that is
/// more than the disc has room for.
pub fn walk_everything(disc: &dyn BlockRead) {
    let inspector = Inspector::new(disc, Lba::ZERO);
    let mut shown = 0;
    let mut show = |sheet: &Sheet| {
        shown += sheet.to_string().len();
        ControlFlow::Continue(())
    };
    let _ = inspector.volume(&mut show);
    for path in ["/", "/link", "/many 7", "/depth 0/depth 1/file"] {
        let _ = inspector.file(path.as_bytes(), None, &mut show);
    }
    for block in 16..40.min(disc.block_count().get()) {
        let _ = inspector.block(Lba::new(block), &mut show);
    }
    let len = disc.block_count().bytes();
    assert!(shown as u64 <= 300 * len, "{shown} bytes of text");
}

/// The volume with a boot record in place of Joliet's descriptor.
fn bootable() -> Vec<u8> {
    let mut disc = disc();
    let end = disc.len() / BLOCK_SIZE;
    let mut record = BootRecord::zeroed();
    record.standard_identifier = *b"CD001";
    record.version = 1;
    let mut name = [0; 32];
    name[..23].copy_from_slice(BootRecord::EL_TORITO);
    record.boot_system_identifier = Text::from_raw(name);
    record.boot_catalog = U32::new(u32::try_from(end).unwrap());
    disc[18 * BLOCK_SIZE..19 * BLOCK_SIZE].copy_from_slice(record.bytes());

    let mut first = ValidationEntry::zeroed();
    first.header_id = ValidationEntry::HEADER_ID;
    first.key_bytes = ValidationEntry::KEY_BYTES;
    first.checksum = U16::new(0_u16.wrapping_sub(0xaa55 + 1));
    let mut entry = BootEntry::zeroed();
    entry.boot_indicator = BootEntry::BOOTABLE;
    entry.sector_count = U16::new(4);
    entry.load_rba = U32::new(30);
    let mut header = SectionHeader::zeroed();
    header.header_indicator = SectionHeader::LAST;
    header.platform_id = 0xef;
    header.section_entries = U16::new(1);
    let catalog = [first.bytes(), entry.bytes(), header.bytes(), entry.bytes()].concat();
    disc.extend(catalog);
    disc.resize((end + 1) * BLOCK_SIZE, 0);
    disc
}

#[test]
fn a_volume_is_shown_in_order() {
    assert_snapshot!(headings(&of_volume(&bootable())));
}

#[test]
fn catalog_and_path_tables_are_shown_with_their_entries() {
    let found = of_volume(&bootable());
    let catalog = found
        .iter()
        .position(|sheet| sheet.title.starts_with("Boot catalog"));
    let catalog = catalog.unwrap();
    assert_snapshot!(text(&found[catalog..catalog + 3]));
    let table = found
        .iter()
        .find(|sheet| sheet.title.starts_with("Path table"));
    assert_snapshot!(table.unwrap());
}

#[test]
fn records_are_shown_with_their_system_use_entries() {
    let disc = disc();
    assert_snapshot!(text(&of_path(&disc, "/link", Hierarchy::RockRidge)));
    assert_snapshot!(text(&of_path(&disc, "/device", Hierarchy::RockRidge)));
    let root = of_path(&disc, "/", Hierarchy::RockRidge);
    assert_snapshot!(text(&root[..3]));
}

#[test]
fn every_name_of_every_hierarchy_is_found() {
    let (disc, tree) = (disc(), tree());
    for (node, _) in tree.walk(Tree::ROOT) {
        let path = tree.display_path(node);
        let shown = of_path(&disc, &path, Hierarchy::RockRidge);
        assert!(!shown.is_empty(), "{path}");
        let noted = shown.iter().find(|sheet| !sheet.notes.is_empty());
        assert_eq!(noted, None, "{path}");
    }
    assert!(!of_path(&disc, "/many 7", Hierarchy::Joliet).is_empty());
    assert!(!of_path(&disc, "/MANY_7", Hierarchy::Plain).is_empty());
    let inspector = Inspector::new(&disc, Lba::ZERO);
    let error = inspector.file(b"/depth 0/x", None, &mut |_| ControlFlow::Continue(()));
    assert_snapshot!(error.unwrap_err(), @"/depth 0 has no x");
}

#[test]
fn what_is_wrong_stands_below_the_record() {
    let mut disc = disc();
    // The big-endian half of the volume's size, and the length of the root's third record.
    disc[16 * BLOCK_SIZE + 87] ^= 1;
    let root = of_path(&disc, "/", Hierarchy::RockRidge);
    let third = root
        .iter()
        .filter(|sheet| sheet.record == "DirectoryRecord")
        .nth(2);
    let third = third.unwrap();
    let block = third.block.unwrap() as usize;
    disc[block * BLOCK_SIZE + third.byte] = 20;
    let noted = |sheets: Vec<Sheet>| {
        let noted = sheets.into_iter().filter(|sheet| !sheet.notes.is_empty());
        headings(&noted.collect::<Vec<_>>())
    };
    assert_snapshot!(noted(of_volume(&disc)), @"
    block 16: Primary volume descriptor [ECMA-119 8.4, 8.5]
         !  volume_space_size: the two halves differ (ECMA-119 7.3.3)
    ");
    assert_snapshot!(noted(of_path(&disc, "/", Hierarchy::RockRidge)), @"
    block 26, byte 216: The directory's block breaks off
         !  a record of 20 bytes cannot be here, where 1832 are left
    ");
}

#[test]
fn a_block_says_what_it_is() {
    let disc = bootable();
    let inspector = Inspector::new(&disc, Lba::ZERO);
    let block = |block: u32| {
        let mut known = None;
        let found = sheets(|show| {
            known = inspector.block(Lba::new(block), show).continue_value();
        });
        format!("{:?}\n{}", known.unwrap(), headings(&found))
    };
    let root = of_path(&disc, "/depth 0", Hierarchy::RockRidge);
    let folder = root.iter().find(|sheet| sheet.title.ends_with("itself"));
    assert_snapshot!(block(17), @"
    true
    block 17: Enhanced volume descriptor [ECMA-119 8.4, 8.5]
    ");
    assert_snapshot!(block(folder.unwrap().block.unwrap()), @r#"
    true
    block 35: Directory record of the directory itself [ECMA-119 9.1]
    block 35, byte 90: Directory record of the parent [ECMA-119 9.1]
    block 35, byte 180: Directory record, "DEPTH_1" [ECMA-119 9.1]
    block 35, byte 288: Directory record, "FILE.;1" [ECMA-119 9.1]
    "#);
    assert_snapshot!(block(u32::try_from(disc.len() / BLOCK_SIZE).unwrap() - 1), @"
    true
    block 201: Boot catalog, validation entry [El Torito 2.1]
    block 201, byte 32: Boot catalog, initial entry [El Torito 2.2, 2.4]
    block 201, byte 64: Boot catalog, section header [El Torito 2.3]
    block 201, byte 96: Boot catalog, section entry [El Torito 2.2, 2.4]
    ");
    assert_snapshot!(block(3), @"false");
}
