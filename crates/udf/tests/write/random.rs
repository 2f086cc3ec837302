//! Random trees on every kind of volume: verified, read back whole, and the same bytes each time.

use proptest::prelude::*;
use proptest::sample::Index;
use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_tree::{Attribute, Extent, Metadata, NewKind, Timestamp, Tree};
use reburn_udf::{UdfOptions, UdfRevision};

use crate::check::check;
use crate::image::Image;
use crate::same::{OnDisc, assert_all_same};
use crate::verify::{SMALL_SIZES, base};
use crate::{all_options, read_back};

/// What is added to a folder.
#[derive(Debug, Clone)]
enum Item {
    Folder,
    /// A file in memory of that many bytes.
    Bytes(usize),
    /// A file on the base disc: runs of blocks and holes, and bytes of the last one.
    Base(Vec<(bool, u32, u32)>, u64),
    /// A file that does not begin with a block.
    Inside(u64, u64),
    Symlink(String),
    /// Another name for the last file.
    Link,
}

#[derive(Debug, Clone)]
struct Added {
    folder: usize,
    name: String,
    item: Item,
    permissions: u16,
    time: i64,
    created: bool,
    real_time: bool,
    streams: Vec<(String, usize)>,
    attributes: Vec<(bool, String, Vec<u8>)>,
}

/// Around what entries of each form hold.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0usize..3000,
        1 => 1790usize..1880,
        1 => 2040usize..2060,
        1 => Just(40_000),
    ]
}

fn item() -> impl Strategy<Value = Item> {
    let run = (any::<bool>(), 0u32..60, 1u32..4);
    prop_oneof![
        2 => Just(Item::Folder),
        4 => length().prop_map(Item::Bytes),
        2 => (prop::collection::vec(run, 1..300), 1u64..2049)
            .prop_map(|(runs, last)| Item::Base(runs, last)),
        1 => (0u64..100_000, 1u64..20_000).prop_map(|(at, len)| Item::Inside(at, len)),
        1 => "[a-z./\u{20ac}]{1,80}".prop_map(Item::Symlink),
        2 => Just(Item::Link),
    ]
}

prop_compose! {
    fn added()(
        folder in 0usize..6,
        name in "[a-zA-Z\u{e4}\u{20ac}\u{1f600}]{1,60}",
        item in item(),
        permissions in 0u16..0o10000,
        time in -10_000_000_000_000_000i64..10_000_000_000_000_000,
        (created, real_time) in any::<(bool, bool)>(),
        streams in prop::collection::vec(("[a-z\u{20ac}]{1,40}", length()), 0..6),
        attributes in prop::collection::vec(
            (any::<bool>(), "\\*(UDF )?[a-z]{1,17}", prop::collection::vec(any::<u8>(), 0..90)),
            0..3,
        ),
    ) -> Added {
        Added { folder, name, item, permissions, time, created, real_time, streams, attributes }
    }
}

fn new_kind(item: &Item) -> Option<NewKind> {
    Some(match item {
        Item::Folder => NewKind::Directory,
        Item::Bytes(len) => NewKind::Bytes(vec![b'x'; *len].into()),
        Item::Base(runs, last) => {
            let count = runs.len();
            let extents = runs
                .iter()
                .enumerate()
                .map(|(index, &(is_hole, start, blocks))| {
                    let whole = u64::from(blocks) * BLOCK_SIZE as u64;
                    let bytes = if index + 1 == count {
                        whole - 2048 + last
                    } else {
                        whole
                    };
                    if is_hole {
                        Extent::hole(bytes)
                    } else {
                        Extent::new(Lba::new(start), bytes)
                    }
                });
            NewKind::Base(extents.collect())
        }
        Item::Inside(at, len) => NewKind::Base(vec![Extent::from_byte(*at, *len).unwrap()]),
        Item::Symlink(target) => NewKind::Symlink(normal(target)),
        Item::Link => return None,
    })
}

/// A path without empty components, as it is recorded.
fn normal(target: &str) -> Vec<u8> {
    let parts: Vec<_> = target.split('/').filter(|part| !part.is_empty()).collect();
    let root = if target.starts_with('/') || parts.is_empty() {
        "/"
    } else {
        ""
    };
    format!("{root}{}", parts.join("/")).into_bytes()
}

fn build(all: &[Added], options: &UdfOptions) -> Tree {
    let has_streams = options.revision >= UdfRevision::V2_00;
    let [low, high] = options.revision.code().to_le_bytes();
    let mut tree = Tree::new(Metadata::directory());
    let mut folders = vec![Tree::ROOT];
    let mut last = None;
    for added in all {
        let parent = folders[added.folder % folders.len()];
        let name = added.name.as_bytes();
        if tree.child(parent, name).is_some() {
            continue;
        }
        let time = Timestamp::from_micros(added.time);
        let mut metadata = Metadata::with_permissions(added.permissions).modified_at(time);
        metadata.created = added.created.then_some(time);
        metadata.real_time = added.real_time;
        let node = match (new_kind(&added.item), last) {
            (Some(kind), _) => tree.add(parent, name, metadata, kind).unwrap(),
            (None, Some(file)) => {
                tree.link(parent, name, file).unwrap();
                continue;
            }
            (None, None) => continue,
        };
        let inode = tree.inode(node);
        if matches!(added.item, Item::Folder) {
            folders.push(node);
        } else {
            last = Some(inode);
        }
        for (name, len) in added.streams.iter().filter(|_| has_streams) {
            let bytes = NewKind::Bytes(vec![b's'; *len].into());
            tree.set_stream(inode, name.as_bytes(), metadata, bytes)
                .unwrap();
        }
        let attributes = added
            .attributes
            .iter()
            .map(|(is_application, name, value)| Attribute {
                is_application: *is_application,
                name: name.clone().into_bytes(),
                suffix: [low, high, 0, 0, 7, 0, 0, 0],
                value: value.clone().into(),
            });
        tree.set_attributes(inode, attributes.collect());
    }
    tree
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_trees_are_read_back(
        all in prop::collection::vec(added(), 0..50),
        kind in any::<Index>(),
        size in any::<Index>(),
    ) {
        let every = all_options();
        let options = &every[kind.index(every.len())];
        let (tree, base) = (build(&all, options), base());
        let size = SMALL_SIZES[size.index(2)];
        let image = Image::from_base(&tree, &base, options, size);
        check(&image.bytes, options);
        let (_, read) = read_back(&image);
        let written = OnDisc { disc: &base, tree: &tree };
        assert_all_same(written, OnDisc { disc: &image.bytes, tree: &read.tree });
        let again = Image::from_base(&tree, &base, options, size);
        prop_assert!(again.bytes == image.bytes, "the same tree gives the same bytes");
    }
}
