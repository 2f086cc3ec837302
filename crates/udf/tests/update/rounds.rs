//! Random trees through rounds of random changes.

use bytes::Bytes;
use proptest::prelude::*;
use reburn_blocks::WriteUnit;
use reburn_tree::{Attribute, Metadata, NewKind, NodeId, Timestamp, Tree};
use reburn_udf::{PartitionKind, UdfOptions, UdfRevision, UpdateError};

use crate::edit::{How, record, try_plan, with_room};

/// A change to a tree; numbers choose among what there is.
#[derive(Debug, Clone)]
pub enum Change {
    Add {
        folder: usize,
        name: String,
        len: usize,
    },
    AddMany {
        folder: usize,
        count: usize,
        name_len: usize,
    },
    AddFolder {
        folder: usize,
        name: String,
    },
    AddSpecial {
        folder: usize,
        name: String,
        kind: usize,
    },
    Remove(usize),
    Move {
        node: usize,
        folder: usize,
        name: String,
    },
    Rename {
        node: usize,
        name: String,
    },
    Replace {
        node: usize,
        len: usize,
    },
    SetMetadata {
        node: usize,
        seed: u32,
    },
    Link {
        node: usize,
        folder: usize,
        name: String,
    },
    SetStream {
        node: usize,
        name: String,
        len: usize,
    },
    RemoveStream(usize),
    SetAttributes {
        node: usize,
        count: usize,
        len: usize,
    },
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z]{1,9}",
        2 => "[a-z\u{e9}\u{20ac}]{1,40}",
        1 => "x{200,254}",
        1 => "\u{20ac}{100,127}",
    ]
}

pub fn change() -> impl Strategy<Value = Change> {
    let number = any::<usize>;
    let len = || prop_oneof![Just(0), 1usize..3000, 3000usize..9000];
    prop_oneof![
        4 => (number(), name(), len())
            .prop_map(|(folder, name, len)| Change::Add { folder, name, len }),
        1 => (number(), 1usize..120, 1usize..60)
            .prop_map(|(folder, count, name_len)| Change::AddMany { folder, count, name_len }),
        2 => (number(), name()).prop_map(|(folder, name)| Change::AddFolder { folder, name }),
        1 => (number(), name(), number())
            .prop_map(|(folder, name, kind)| Change::AddSpecial { folder, name, kind }),
        3 => number().prop_map(Change::Remove),
        3 => (number(), number(), name())
            .prop_map(|(node, folder, name)| Change::Move { node, folder, name }),
        3 => (number(), name()).prop_map(|(node, name)| Change::Rename { node, name }),
        4 => (number(), len()).prop_map(|(node, len)| Change::Replace { node, len }),
        3 => (number(), any::<u32>())
            .prop_map(|(node, seed)| Change::SetMetadata { node, seed }),
        2 => (number(), "[a-c\u{20ac}]{1,60}", len())
            .prop_map(|(node, name, len)| Change::SetStream { node, name, len }),
        1 => number().prop_map(Change::RemoveStream),
        1 => (number(), 0usize..5, 0usize..330)
            .prop_map(|(node, count, len)| Change::SetAttributes { node, count, len }),
        2 => (number(), number(), name())
            .prop_map(|(node, folder, name)| Change::Link { node, folder, name }),
    ]
}

fn bytes(len: usize, seed: usize) -> NewKind {
    let pattern = (0..len).map(|at| ((at * 7 + at / 251 + seed) % 256).try_into().unwrap_or(0));
    NewKind::Bytes(pattern.collect::<Bytes>())
}

pub fn metadata(seed: u32) -> Metadata {
    let time = |more: i64| Timestamp::from_micros(1_400_000_000_000_000 + i64::from(seed) + more);
    let mut metadata = Metadata::with_permissions((seed % 0o10000) as u16).modified_at(time(3));
    metadata.uid = seed / 7 % 2000;
    metadata.gid = seed / 11 % 2000;
    metadata.created = seed.is_multiple_of(2).then(|| time(0));
    metadata.accessed = seed.is_multiple_of(3).then(|| time(9));
    metadata.changed = seed.is_multiple_of(5).then(|| time(7));
    metadata
}

fn pick(nodes: &[NodeId], number: usize) -> Option<NodeId> {
    (!nodes.is_empty()).then(|| nodes[number % nodes.len()])
}

/// Applies a change as far as the tree takes it.
#[allow(clippy::too_many_lines)] // a list
pub fn apply(tree: &mut Tree, change: &Change) {
    let all: Vec<_> = tree.walk(Tree::ROOT).map(|(node, _)| node).collect();
    let folders: Vec<_> = all
        .iter()
        .copied()
        .filter(|n| tree.is_directory(*n))
        .collect();
    let folder = |number: usize| folders[number % folders.len()];
    let seed = all.len();
    let seed32 = u32::try_from(seed).unwrap() * 77;
    // What the tree refuses, it refuses whole.
    let _ = match change {
        Change::Add {
            folder: at,
            name,
            len,
        } => tree
            .add(
                folder(*at),
                name.as_bytes(),
                metadata(seed32),
                bytes(*len, seed),
            )
            .map(drop),
        Change::AddMany {
            folder: at,
            count,
            name_len,
        } => (0..*count).try_for_each(|number| {
            let name = format!("{number}{}", "n".repeat(*name_len));
            let kind = bytes(number * 3, seed);
            tree.add(folder(*at), name.as_bytes(), metadata(seed32), kind)
                .map(drop)
        }),
        Change::AddFolder { folder: at, name } => tree
            .add(
                folder(*at),
                name.as_bytes(),
                metadata(seed32),
                NewKind::Directory,
            )
            .map(drop),
        Change::AddSpecial {
            folder: at,
            name,
            kind,
        } => {
            let (major, minor) = (8, 1);
            let kinds = [
                NewKind::Symlink(b"../some/where".to_vec()),
                NewKind::CharDevice { major, minor },
                NewKind::BlockDevice { major, minor },
                NewKind::Fifo,
                NewKind::Socket,
            ];
            let kind = kinds[kind % kinds.len()].clone();
            tree.add(folder(*at), name.as_bytes(), metadata(seed32), kind)
                .map(drop)
        }
        Change::Remove(number) => tree.remove_tree(pick(&all, *number).unwrap()),
        Change::Move {
            node,
            folder: at,
            name,
        } => tree.rename(pick(&all, *node).unwrap(), folder(*at), name.as_bytes()),
        Change::Rename { node, name } => {
            let node = pick(&all, *node).unwrap();
            tree.rename(node, tree.parent(node), name.as_bytes())
        }
        Change::Replace { node, len } => tree
            .replace(
                pick(&all, *node).unwrap(),
                metadata(seed32),
                bytes(*len, seed + 1),
            )
            .map(drop),
        Change::SetMetadata { node, seed } => {
            let inode = tree.inode(pick(&all, *node).unwrap());
            let mut new = metadata(*seed);
            // A time that was recorded cannot be made unknown.
            let old = *tree.metadata(inode);
            new.created = new.created.or(old.created);
            new.accessed = new.accessed.or(old.accessed);
            new.changed = new.changed.or(old.changed);
            tree.set_metadata(inode, new);
            Ok(())
        }
        Change::SetStream { node, name, len } => {
            let owner = tree.inode(pick(&all, *node).unwrap());
            tree.set_stream(owner, name.as_bytes(), metadata(seed32), bytes(*len, seed))
                .map(drop)
        }
        Change::RemoveStream(node) => {
            let owner = tree.inode(pick(&all, *node).unwrap());
            let first = tree.streams(owner).next().map(|(name, _)| name.to_vec());
            if let Some(name) = first {
                tree.remove_stream(owner, &name);
            }
            Ok(())
        }
        Change::SetAttributes { node, count, len } => {
            let attribute = |index: usize| Attribute {
                // In the order that they are recorded in.
                is_application: index > 2,
                name: b"*somebody".to_vec(),
                suffix: [index.try_into().unwrap(); 8],
                value: vec![7; *len].into(),
            };
            let inode = tree.inode(pick(&all, *node).unwrap());
            tree.set_attributes(inode, (0..*count).map(attribute).collect());
            Ok(())
        }
        Change::Link {
            node,
            folder: at,
            name,
        } => {
            let inode = tree.inode(pick(&all, *node).unwrap());
            tree.link(folder(*at), name.as_bytes(), inode).map(drop)
        }
    };
}

#[derive(Debug, Clone, Copy)]
struct Kind {
    revision: UdfRevision,
    unit: WriteUnit,
    is_duplicate: bool,
    is_scattered: bool,
}

fn kind() -> impl Strategy<Value = Kind> {
    let revision = prop_oneof![Just(UdfRevision::V2_50), Just(UdfRevision::V2_60)];
    let unit = prop_oneof![
        Just(WriteUnit::FILE),
        Just(WriteUnit::DVD),
        Just(WriteUnit::BLU_RAY)
    ];
    (revision, unit, any::<bool>(), any::<bool>()).prop_map(
        |(revision, unit, is_duplicate, is_scattered)| Kind {
            revision,
            unit,
            is_duplicate,
            is_scattered,
        },
    )
}

fn sparable_kind() -> impl Strategy<Value = Kind> {
    let revision = prop_oneof![
        Just(UdfRevision::V1_50),
        Just(UdfRevision::V2_00),
        Just(UdfRevision::V2_01)
    ];
    (revision, kind()).prop_map(|(revision, kind)| Kind {
        revision,
        is_duplicate: false,
        ..kind
    })
}

/// Whether a volume of the revision can hold it: streams came with UDF 2.00.
fn is_possible(change: &Change, revision: UdfRevision) -> bool {
    revision >= UdfRevision::V2_00 || !matches!(change, Change::SetStream { .. })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn edited_volumes_hold_the_edited_tree(
        kind in prop_oneof![kind(), sparable_kind()],
        first in prop::collection::vec(change(), 0..40),
        rounds in prop::collection::vec(prop::collection::vec(change(), 0..12), 1..6),
    ) {
        let possible = |change: &&Change| is_possible(change, kind.revision);
        let mut tree = Tree::new(metadata(1));
        for change in first.iter().filter(possible) {
            apply(&mut tree, change);
        }
        let partition = match kind.revision {
            UdfRevision::V2_50 | UdfRevision::V2_60 => PartitionKind::Metadata,
            _ => PartitionKind::Sparable,
        };
        let options = UdfOptions {
            write_unit: kind.unit,
            duplicate_metadata: kind.is_duplicate,
            ..UdfOptions::with_partition(kind.revision, partition)
        };
        let image = with_room(&tree, &options, 6000);
        let how = How {
            is_scattered: kind.is_scattered,
            ..How::new(kind.unit)
        };
        let mut disc = image.bytes;
        for changes in rounds {
            let edit_tree = |tree: &mut Tree| {
                for change in changes.iter().filter(possible) {
                    apply(tree, change);
                }
            };
            let planned = try_plan(&disc, how, edit_tree);
            if let Err(UpdateError::SparesFull { needed, free }) = planned {
                prop_assert!(needed > free && partition == PartitionKind::Sparable);
                break;
            }
            let planned = planned.unwrap_or_else(|error| panic!("{error}"));
            let copies = if kind.is_duplicate { planned.units } else { 0 };
            prop_assert_eq!(planned.mirror_units, copies);
            disc = record(&disc, how, &planned);
        }
    }
}
