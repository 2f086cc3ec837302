//! The records of a small volume as the inspector shows them, sound and damaged.

use std::ops::ControlFlow;

use insta::assert_snapshot;
use reburn_blocks::{BlockRead, Lba};
use reburn_record::Sheet;
use reburn_udf::records::tag_id;
use reburn_udf::{Inspector, Session, Show};

use super::at;
use super::fixture::{PARTITION, SEQUENCES, seal, volume};

/// All sheets of a walk.
pub fn sheets(walk: impl FnOnce(Show<'_>)) -> Vec<Sheet> {
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
    let inspector = Inspector::new(disc, Session::default());
    sheets(|show| {
        let _ = inspector.volume(show);
    })
}

fn of_path(disc: &dyn BlockRead, path: &str) -> Vec<Sheet> {
    let inspector = Inspector::new(disc, Session::default());
    sheets(|show| {
        let _ = inspector.file(path.as_bytes(), show).unwrap();
    })
}

/// Shows all that can be shown of a disc of which anything may be damaged; fails if that is
/// more than the disc has room for.
pub fn walk_everything(disc: &dyn BlockRead) {
    let inspector = Inspector::new(disc, Session::default());
    let mut shown = 0;
    let mut show = |sheet: &Sheet| {
        shown += sheet.to_string().len();
        ControlFlow::Continue(())
    };
    let _ = inspector.volume(&mut show);
    for path in ["/", "/a", "/chained", "/folder/another a", "/link", "/tty"] {
        let _ = inspector.file(path.as_bytes(), &mut show);
    }
    for block in [16, SEQUENCES[0] + 2, 64, PARTITION + 1, PARTITION + 2] {
        let _ = inspector.block(Lba::new(block), &mut show);
    }
    let len = disc.block_count().bytes();
    assert!(
        shown as u64 <= 100 * len + 1_000_000,
        "{shown} bytes of text"
    );
}

#[test]
fn a_volume_is_shown_in_order() {
    assert_snapshot!(headings(&of_volume(&volume())));
}

#[test]
fn descriptors_are_shown_with_what_follows_them() {
    let sheets = of_volume(&volume());
    let begin = |title: &str| {
        let found = sheets
            .iter()
            .position(|sheet| sheet.title.starts_with(title));
        found.unwrap_or_else(|| panic!("no sheet {title}"))
    };
    let logical = begin("Logical volume descriptor, main");
    assert_snapshot!(text(&sheets[logical..logical + 2]));
    let integrity = begin("Logical volume integrity");
    assert_snapshot!(text(&sheets[integrity..=integrity]));
}

#[test]
fn a_directory_is_shown_with_its_identifiers() {
    assert_snapshot!(headings(&of_path(&volume(), "/")));
    assert_snapshot!(text(&of_path(&volume(), "/folder")));
}

#[test]
fn descriptors_that_go_on_elsewhere_are_followed() {
    assert_snapshot!(text(&of_path(&volume(), "/chained")));
}

#[test]
fn targets_and_attributes_are_shown_one_by_one() {
    let link = of_path(&volume(), "/link");
    assert_snapshot!(link.last().unwrap());
    let device = of_path(&volume(), "/tty");
    assert_snapshot!(device.last().unwrap());
}

#[test]
fn what_is_wrong_stands_below_the_record() {
    let mut disc = volume();
    disc[at(SEQUENCES[0] + 2) + 300] ^= 1;
    disc[at(256) + 20] ^= 1;
    disc[at(PARTITION + 1) + 20] ^= 1;
    // The second name of the root directory.
    disc[at(PARTITION + 2) + 40] = 0;
    let noted = |sheets: Vec<Sheet>| {
        let noted = sheets.into_iter().filter(|sheet| !sheet.notes.is_empty());
        headings(&noted.collect::<Vec<_>>())
    };
    assert_snapshot!(noted(of_volume(&disc)), @"
    block 256: Anchor volume descriptor pointer [ECMA-167 3/10.2]
         !  the descriptor's check is 0x1753, not 0xd701 as its tag says
    block 34: Logical volume descriptor, main sequence [ECMA-167 3/10.6]
         !  the descriptor's check is 0x68d3, not 0x3013 as its tag says
    ");
    assert_snapshot!(noted(of_path(&disc, "/")), @"
    block 101 (partition 0, block 1): File entry [ECMA-167 4/14.9]
         !  the descriptor's check is 0xf377, not 0x8374 as its tag says
    block 102, byte 40: Something else in the directory
         !  40 bytes are no file identifier; they were passed over
    ");
    assert!(
        of_path(&disc, "/chained").len() > 2,
        "other names are still found"
    );
}

#[test]
fn a_volume_without_anchors_is_shown_as_far_as_it_goes() {
    let mut disc = volume();
    for sector in [256, 299] {
        disc[at(sector)..at(sector + 1)].fill(0);
    }
    assert_snapshot!(text(&of_volume(&disc)[3..]), @"
    block 256: No anchor was found
         !  sectors 256, 299, 43, 298, 42 were looked at; without one, nothing leads on
    ");
    let inspector = Inspector::new(&disc, Session::default());
    let error = inspector.file(b"/a", &mut |_| ControlFlow::Continue(()));
    assert_snapshot!(error.unwrap_err(), @"the root directory cannot be found: no file set descriptor leads there");
}

#[test]
fn a_block_says_what_it_is() {
    let disc = volume();
    let inspector = Inspector::new(&disc, Session::default());
    let block = |block: u32| {
        let mut known = None;
        let found = sheets(|show| {
            known = inspector.block(Lba::new(block), show).continue_value();
        });
        format!("{:?}\n{}", known.unwrap(), headings(&found))
    };
    assert_snapshot!(block(17), @"
    true
    block 17: NSR03: a volume by ECMA-167, third edition [ECMA-167 2/9.1]
    ");
    assert_snapshot!(block(SEQUENCES[1]), @"
    true
    block 48: Primary volume descriptor [ECMA-167 3/10.1]
    ");
    assert_snapshot!(block(PARTITION + 7), @"
    true
    block 107 (partition 0, block 7): File entry [ECMA-167 4/14.9]
    block 107, byte 176 (partition 0, block 7): Extended attribute header descriptor [ECMA-167 4/14.10.1]
         !  the tag's version is 0; only 2 and 3 exist
         !  a descriptor with tag 0 is here, not with tag 262
    block 107, byte 200 (partition 0, block 7): Extended attribute, device specification [ECMA-167 4/14.10.7]
    ");
    assert_snapshot!(block(PARTITION + 2), @r#"
    true
    block 102 (partition 0, block 2): File identifier descriptor, the parent [ECMA-167 4/14.4]
    block 102, byte 40 (partition 0, block 2): File identifier descriptor, "a" [ECMA-167 4/14.4]
    block 102, byte 80 (partition 0, block 2): File identifier descriptor, "chained" [ECMA-167 4/14.4]
    block 102, byte 128 (partition 0, block 2): File identifier descriptor, "link" [ECMA-167 4/14.4]
    block 102, byte 172 (partition 0, block 2): File identifier descriptor, "tty" [ECMA-167 4/14.4]
    block 102, byte 216 (partition 0, block 2): File identifier descriptor, "folder" [ECMA-167 4/14.4]
    block 102, byte 264 (partition 0, block 2): File identifier descriptor, "gone" [ECMA-167 4/14.4]
    "#);
    assert_snapshot!(block(PARTITION + 20), @"
    false
    block 120: No descriptor
    ");
}

#[test]
fn a_descriptor_in_the_wrong_place_is_shown_with_where_it_belongs() {
    let mut disc = volume();
    let start = at(PARTITION + 5);
    seal(&mut disc[start..start + 48], tag_id::ALLOCATION_EXTENT, 9);
    let inspector = Inspector::new(&disc, Session::default());
    let found = sheets(|show| {
        let _ = inspector.block(Lba::new(PARTITION + 5), show);
    });
    assert_snapshot!(headings(&found), @"
    block 105: Allocation extent descriptor [ECMA-167 4/14.5]
         !  the descriptor was written for block 9, and this is block 5
    ");
}

#[test]
fn a_walk_ends_when_nobody_wants_more() {
    let disc = volume();
    let inspector = Inspector::new(&disc, Session::default());
    let mut count = 0;
    let flow = inspector.volume(&mut |_| {
        count += 1;
        if count == 3 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    assert_eq!((flow, count), (ControlFlow::Break(()), 3));
}
