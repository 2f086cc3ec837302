//! Volumes that were laid out here, shown field by field: nothing is wrong with them, and
//! damage to the metadata file leads to its mirror.

use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, BlockRead, WriteUnit};
use reburn_record::Sheet;
use reburn_tree::Tree;
use reburn_udf::{Inspector, Session, UdfOptions, UdfRevision, Volume};

use super::all_options;
use super::image::{Image, difficult_tree};

fn of_path(disc: &dyn BlockRead, path: &str) -> Vec<Sheet> {
    let inspector = Inspector::new(disc, Session::default());
    let mut sheets = Vec::new();
    let flow = inspector.file(path.as_bytes(), &mut |sheet| {
        sheets.push(sheet.clone());
        ControlFlow::Continue(())
    });
    assert_eq!(flow.unwrap(), ControlFlow::Continue(()));
    sheets
}

/// The raw view finds no fault with any record of any kind of volume, and every name.
#[test]
fn nothing_is_wrong_with_what_was_written() {
    let tree = difficult_tree();
    let all = all_options().into_iter();
    for options in all.filter(|options| options.write_unit == WriteUnit::DVD) {
        let image = Image::new(&tree, &options);
        let inspector = Inspector::new(&image.bytes, Session::default());
        let mut count = 0;
        let mut check = |sheet: &Sheet| {
            count += 1;
            assert!(sheet.notes.is_empty(), "{:?}: {sheet}", options.revision);
            ControlFlow::Continue(())
        };
        let _ = inspector.volume(&mut check);
        let mut names = 0;
        for (node, _) in tree.walk(Tree::ROOT).step_by(37) {
            let path = tree.path(node);
            let shown = inspector.file(&path, &mut check);
            assert!(shown.is_ok(), "{}", tree.display_path(node));
            names += 1;
        }
        assert!(count > 25 + 2 * names, "{count} records of {names} names");
        let many = of_path(&image.bytes, "/many");
        let identifiers = many.iter().filter(|sheet| sheet.record == "FileIdentifier");
        // Its own name, its parent's, 3000 files and a folder.
        assert_eq!(identifiers.count(), 3003);
    }
}

#[test]
fn a_damaged_entry_is_shown_beside_its_copy() {
    let tree = difficult_tree();
    let options = UdfOptions {
        revision: UdfRevision::V2_50,
        duplicate_metadata: true,
        ..UdfOptions::default()
    };
    let mut image = Image::new(&tree, &options);
    let whole = of_path(&image.bytes, "/many");
    let entry = whole
        .iter()
        .position(|sheet| sheet.title == "Extended file entry");
    let entry = entry.unwrap();
    let block = whole[entry].block.unwrap() as usize;
    image.bytes[block * BLOCK_SIZE + 100] ^= 1;
    let damaged = of_path(&image.bytes, "/many");
    assert_eq!(damaged[entry].block, whole[entry].block);
    assert_eq!(damaged[entry].notes.len(), 1);
    let copy = &damaged[entry + 1];
    assert_eq!(copy.title, "Extended file entry, in the mirror");
    assert_eq!((&copy.rows, copy.notes.len()), (&whole[entry].rows, 0));
    assert_eq!(damaged.len(), whole.len() + 1);
    let read = Volume::open(&image.bytes, Session::default()).unwrap();
    assert!(read.read_tree(&image.bytes).is_ok());
}
