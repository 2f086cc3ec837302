//! Every kind of volume stands before the verifier.

use bytes::Bytes;
use reburn_blocks::{BLOCK_SIZE, BlockCount, Lba};
use reburn_record::crc16;
use reburn_tree::{Extent, Metadata, NewKind, Timestamp, Tree};
use reburn_udf::{Access, UdfOptions, UdfRevision, VolumeSize};

use crate::check::{Counts, check};
use crate::extras::attributes;
use crate::image::Image;
use crate::same::{OnDisc, assert_all_same};
use crate::{all_options, read_back};

/// Both sizes, one of them a medium that ends inside a write unit.
pub const SMALL_SIZES: [VolumeSize; 2] = [
    VolumeSize::Compact,
    VolumeSize::Whole(BlockCount::new(9_001)),
];

/// A disc with a pattern that files can be taken from.
pub fn base() -> Vec<u8> {
    (0..251u8).cycle().take(64 * BLOCK_SIZE).collect()
}

/// A small tree with one of everything that a revision can have, on the disc `base`.
pub fn rich_tree(options: &UdfOptions) -> Tree {
    let time = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000 + 654_321);
    let mut tree = Tree::new(Metadata::directory().modified_at(time(1_500_000_000)));
    let mut metadata = Metadata::file().modified_at(time(1_600_000_000));
    (metadata.uid, metadata.gid) = (7, 8);
    metadata.created = Some(time(1_590_000_000));
    let bytes = |len: usize| NewKind::Bytes(vec![b'b'; len].into());
    // Names of all lengths, so that identifiers end everywhere in their blocks.
    let many = tree
        .add(Tree::ROOT, b"many", metadata, NewKind::Directory)
        .unwrap();
    for number in 0..400usize {
        let name = format!("{number:03}{}", "n".repeat(number * 7 % 61));
        tree.add(many, name.as_bytes(), metadata, bytes(number * 31 % 3000))
            .unwrap();
    }
    let with_holes = NewKind::Base(vec![
        Extent::hole(4096),
        Extent::new(Lba::new(3), 2048),
        Extent::hole(2048),
        Extent::new(Lba::new(9), 100),
    ]);
    let inside = NewKind::Base(vec![Extent::from_byte(777, 300).unwrap()]);
    let scattered = (0..300).map(|number| Extent::new(Lba::new(number % 60), 2048));
    let files = [
        ("with holes", with_holes),
        ("inside a block", inside),
        ("scattered", NewKind::Base(scattered.collect())),
        ("hole", NewKind::Base(vec![Extent::hole(10_000)])),
        ("link", NewKind::Symlink(b"../many/000".to_vec())),
        ("tty", NewKind::CharDevice { major: 4, minor: 7 }),
        ("pipe", NewKind::Fifo),
    ];
    for (name, kind) in files {
        let node = tree
            .add(Tree::ROOT, name.as_bytes(), metadata, kind)
            .unwrap();
        let inode = tree.inode(node);
        tree.link(many, format!("z {name}").as_bytes(), inode)
            .unwrap();
        tree.set_attributes(inode, attributes(options.revision.code()));
    }
    tree.set_attributes(tree.inode(many), attributes(options.revision.code()));
    let real_time = Metadata {
        real_time: true,
        ..metadata
    };
    tree.add(many, b"zz film", real_time, bytes(9000)).unwrap();
    if options.revision >= UdfRevision::V2_00 {
        for path in [
            &b"/"[..],
            b"/many",
            b"/with holes",
            b"/many/001nnnnnnn",
            b"/tty",
        ] {
            let owner = tree.inode(tree.lookup(path).unwrap());
            for number in 0..70usize {
                let name = format!("stream {number:02}{}", "s".repeat(number * 5 % 37));
                tree.set_stream(owner, name.as_bytes(), metadata, bytes(number * 40))
                    .unwrap();
            }
        }
        let root = tree.inode(Tree::ROOT);
        let scattered = NewKind::Base(vec![Extent::hole(2048), Extent::new(Lba::new(5), 7)]);
        tree.set_stream(root, b"scattered", metadata, scattered)
            .unwrap();
        tree.set_stream(root, b"*UDF NT ACL", metadata, NewKind::Bytes(Bytes::new()))
            .unwrap();
    }
    tree
}

#[test]
fn every_volume_is_conformant() {
    let base = base();
    for options in all_options() {
        let tree = rich_tree(&options);
        for size in SMALL_SIZES {
            let image = Image::from_base(&tree, &base, &options, size);
            let counts = check(&image.bytes, &options);
            let (volume, read) = read_back(&image);
            let integrity = volume.integrity().unwrap();
            let has_streams = options.revision >= UdfRevision::V2_00;
            assert_eq!(
                counts,
                Counts {
                    files: integrity.files,
                    directories: 2,
                    streams: if has_streams { 5 * 70 + 2 } else { 0 },
                    attributes: 8 * 5,
                }
            );
            let film = read.tree.inode(read.tree.lookup(b"/many/zz film").unwrap());
            let is_real_time = read.tree.metadata(film).real_time;
            assert_eq!(is_real_time, options.revision >= UdfRevision::V2_01);
            let written = OnDisc {
                disc: &base,
                tree: &tree,
            };
            let tree = &read.tree;
            assert_all_same(
                written,
                OnDisc {
                    disc: &image.bytes,
                    tree,
                },
            );
        }
    }
}

#[test]
fn volumes_without_files_are_conformant() {
    let tree = Tree::new(Metadata::directory());
    for options in all_options() {
        for size in [
            VolumeSize::Compact,
            VolumeSize::Whole(BlockCount::new(8192)),
        ] {
            let image = Image::sized(&tree, &options, size);
            assert_eq!(check(&image.bytes, &options).directories, 1);
        }
    }
}

/// A change to an image, made in a descriptor whose checks are mended.
fn changed(image: &Image<'_>, lba: u32, tag: usize, change: impl Fn(&mut [u8])) -> Vec<u8> {
    let mut bytes = image.bytes.clone();
    let at = lba as usize * BLOCK_SIZE;
    change(&mut bytes[at..at + BLOCK_SIZE]);
    let descriptor = &mut bytes[at + tag..at + BLOCK_SIZE];
    let covered = usize::from(u16::from_le_bytes([descriptor[10], descriptor[11]]));
    let crc = crc16(&descriptor[16..16 + covered]).to_le_bytes();
    descriptor[8..10].copy_from_slice(&crc);
    descriptor[4] = 0;
    descriptor[4] = descriptor[..16]
        .iter()
        .fold(0, |sum, byte| sum.wrapping_add(*byte));
    bytes
}

/// What the verifier would miss is not verified: each change must be found.
#[test]
fn the_verifier_finds_what_is_wrong() {
    let options = UdfOptions {
        access: Access::Overwritable,
        time: Timestamp::from_seconds(1_700_000_000),
        ..UdfOptions::new(UdfRevision::V2_60)
    };
    let tree = rich_tree(&options);
    let base = base();
    let image = Image::from_base(&tree, &base, &options, VolumeSize::Compact);
    check(&image.bytes, &options);
    let at = &image.arrangement.addresses;
    let file = at.metadata_file.unwrap();
    let (root, integrity) = (at.metadata.get() + 1, at.integrity.start_lba().get());
    let bitmap = at.space_bitmap.unwrap().get();
    let metadata_bitmap = file.bitmap.unwrap().get() + 1;
    let one_more = |at: usize| move |block: &mut [u8]| block[at] = block[at].wrapping_add(1);
    let changes: [(&str, Vec<u8>); 14] = [
        ("link count", changed(&image, root, 0, one_more(48))),
        (
            "reserved flag",
            changed(&image, root, 0, |block| block[35] |= 0x40),
        ),
        (
            "unique id of the root",
            changed(&image, root, 0, one_more(200)),
        ),
        ("object size", changed(&image, root, 0, one_more(64))),
        (
            "time after the volume's",
            changed(&image, root, 0, |block| block[94] = 0xff),
        ),
        ("blocks recorded", changed(&image, root, 0, one_more(72))),
        (
            "name's id",
            changed(&image, root, 216, |block| block[216 + 32] = 99),
        ),
        (
            "number of files",
            changed(&image, integrity, 0, one_more(80 + 16 + 32)),
        ),
        ("free blocks", changed(&image, integrity, 0, one_more(80))),
        (
            "write revision",
            changed(&image, integrity, 0, one_more(80 + 16 + 42)),
        ),
        (
            "a used block",
            changed(&image, bitmap, 0, |block| block[24] |= 1),
        ),
        (
            "a used metadata block",
            changed(&image, metadata_bitmap, 0, |block| block[24] |= 1),
        ),
        (
            "access",
            changed(&image, at.main_sequence.get() + 2, 0, one_more(184)),
        ),
        (
            "mirror",
            changed(&image, file.mirror_entry.get(), 0, one_more(27)),
        ),
    ];
    for (what, bytes) in changes {
        let found = std::panic::catch_unwind(|| check(&bytes, &options));
        assert!(found.is_err(), "{what}");
    }
}
