//! Small volumes, byte by byte. Each snapshot was read against the standard once; from then on
//! a change of a single byte shows.

use std::collections::BTreeSet;
use std::fmt::Write;

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
use reburn_tree::{Attribute, Metadata, NewKind, Timestamp, Tree};
use reburn_udf::{Access, PartitionKind, StructureKind, UdfOptions, UdfRevision};

use crate::check::check;
use crate::image::Image;

/// A folder with a file that is not embedded, has an attribute, and a stream where there are any.
fn tree(revision: UdfRevision) -> Tree {
    let metadata = Metadata::file().modified_at(Timestamp::from_seconds(1_600_000_000));
    let mut tree = Tree::new(Metadata::directory().modified_at(metadata.modified));
    let folder = tree
        .add(Tree::ROOT, b"d", metadata, NewKind::Directory)
        .unwrap();
    let bytes = NewKind::Bytes(Bytes::from_static(b"content"));
    let file = tree.add(folder, b"f", metadata, bytes).unwrap();
    let file = tree.inode(file);
    let attribute = Attribute {
        is_application: false,
        name: b"*UDF OS/2 EALength".to_vec(),
        suffix: [0; 8],
        value: Bytes::from_static(&[4, 0, 0, 0]),
    };
    tree.set_attributes(file, vec![attribute]);
    if revision >= UdfRevision::V2_00 {
        let bytes = NewKind::Bytes(Bytes::from_static(b"stream"));
        tree.set_stream(file, b"s", metadata, bytes).unwrap();
    }
    tree
}

/// A block in groups of four bytes, without the zeros at its end.
fn push_block(out: &mut String, image: &[u8], lba: Lba) {
    let at = lba.get() as usize * BLOCK_SIZE;
    let block = &image[at..at + BLOCK_SIZE];
    let Some(last) = block.iter().rposition(|&byte| byte != 0) else {
        return;
    };
    write!(out, "block {lba}").unwrap();
    let mut is_blank = false;
    for (offset, line) in (0..).step_by(32).zip(block[..=last].chunks(32)) {
        // Lines of zeros are left out.
        is_blank = line.iter().all(|&byte| byte == 0);
        if is_blank {
            continue;
        }
        write!(out, "\n  {offset:4} ").unwrap();
        for group in line.chunks(4) {
            out.push(' ');
            for byte in group {
                write!(out, "{byte:02x}").unwrap();
            }
        }
    }
    assert!(!is_blank);
    out.push('\n');
}

/// Everything of a volume once: copies are left out, as are blocks of zeros.
fn dump(options: UdfOptions) -> String {
    let options = UdfOptions {
        time: Timestamp::from_seconds(1_700_000_000),
        embed_files: false,
        ..options
    };
    let tree = tree(options.revision);
    let image = Image::new(&tree, &options);
    check(&image.bytes, &options);
    let placed = image.placed();
    let mut seen = BTreeSet::new();
    let mut ranges = vec![placed.metadata_range()];
    for structure in placed.structures() {
        let is_new = seen.insert(format!("{:?}", structure.kind));
        if is_new && structure.kind != StructureKind::ReserveSequence {
            ranges.push(structure.range());
        }
    }
    ranges.sort_by_key(|range| range.start_lba());
    let mut out = String::new();
    for range in ranges {
        for number in 0..range.block_count().get() {
            push_block(
                &mut out,
                &image.bytes,
                range.start_lba() + BlockCount::new(number),
            );
        }
    }
    out
}

#[test]
fn plain() {
    insta::assert_snapshot!(dump(UdfOptions {
        access: Access::Overwritable,
        ..UdfOptions::new(UdfRevision::V1_02)
    }));
}

#[test]
fn sparable() {
    let options = |revision| UdfOptions::with_partition(revision, PartitionKind::Sparable);
    insta::assert_snapshot!(dump(options(UdfRevision::V1_50)));
    insta::assert_snapshot!(dump(options(UdfRevision::V2_01)));
}

#[test]
fn virtual_partition() {
    let options = |revision| UdfOptions::with_partition(revision, PartitionKind::Virtual);
    insta::assert_snapshot!(dump(options(UdfRevision::V1_50)));
    insta::assert_snapshot!(dump(options(UdfRevision::V2_60)));
}

#[test]
fn metadata() {
    insta::assert_snapshot!(dump(UdfOptions {
        access: Access::Overwritable,
        ..UdfOptions::new(UdfRevision::V2_50)
    }));
    insta::assert_snapshot!(dump(UdfOptions {
        access: Access::PseudoOverwritable,
        ..UdfOptions::new(UdfRevision::V2_60)
    }));
}
