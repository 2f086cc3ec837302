//! What an edit of a large volume records, against what no plan of its protocol does without.

use std::collections::BTreeSet;

use reburn_blocks::WriteUnit;
use reburn_udf::UdfRevision;

use super::*;
use crate::base::BaseVolume;
use crate::new_udf_volume;

const FOLDERS: u32 = 1000;
const FILES: u32 = 100;
/// Every file has 8 kB of data.
const SIZE: usize = 8000;

fn path(folder: u32, file: u32) -> Vec<u8> {
    format!("/folder-{folder:04}/file-{file:03}").into_bytes()
}

/// 100,000 files of 8 kB in 1,000 folders.
fn large() -> FileSystemImage<'static> {
    let volume = new_udf_volume("LARGE", UdfRevision::V2_50, THEN);
    let mut image = FileSystemImage::new(Medium::BdRe, volume, THEN);
    let content = Bytes::from(vec![1; SIZE]);
    for folder in 0..FOLDERS {
        let name = format!("/folder-{folder:04}");
        let metadata = Metadata::directory().modified_at(THEN);
        image
            .add(name.as_bytes(), metadata, NewKind::Directory)
            .unwrap();
        for number in 0..FILES {
            let content = NewKind::Bytes(content.clone());
            image.add(&path(folder, number), file(), content).unwrap();
        }
    }
    image
}

#[test]
fn ten_small_files_among_a_hundred_thousand() {
    let image = large();
    // The image is the disc: it is made where it is read.
    let disc = image.result().unwrap();
    let mut edited = import(&disc, Medium::BdRe);
    let changed: Vec<_> = (0..10).map(|n| path(n * 97 + 5, n * 9)).collect();
    let unit = WriteUnit::BLU_RAY;
    // Metadata addresses do not change, so the units with the entries are what must be recorded.
    let base = edited.base.as_ref().unwrap();
    let BaseVolume::Udf(udf) = &base.volume else {
        panic!("a UDF volume");
    };
    let units: BTreeSet<u32> = changed
        .iter()
        .map(|path| {
            let inode = edited.tree.inode(edited.tree.lookup(path).unwrap());
            udf.entries.get(inode).unwrap().block / unit.blocks().get()
        })
        .collect();
    for path in &changed {
        let content = NewKind::Bytes(Bytes::from(vec![2; SIZE]));
        edited.replace(path, file(), content).unwrap();
    }
    let result = edited.result().unwrap();
    let plan = result.plan().unwrap();
    let data = BlockCount::for_bytes(10 * SIZE.next_multiple_of(BLOCK_SIZE) as u64).unwrap();
    // The integrity descriptor, and the two entries of the metadata file.
    let least = data.units(unit) + u32::try_from(units.len()).unwrap() + 1 + 2;
    let recorded = plan.modified.block_count().units(unit);
    assert!(
        recorded * 4 <= least * 5,
        "{recorded} write units, {least} at least"
    );
    assert!(plan.lower_bound.units(unit) <= least);
    assert_eq!(plan.class, reburn_blocks::CrashClass::Atomic);
    assert_eq!(plan.modified.epochs().len(), 3);
}
