//! Tests of the tree as a whole.

use bytes::Bytes;
use proptest::prelude::*;

use crate::{
    Attribute, Changes, Content, Extent, Kind, Metadata, NewKind, NodeId, Tree, TreeError,
};

fn bytes(text: &'static [u8]) -> NewKind {
    NewKind::Bytes(Bytes::from_static(text))
}

/// Every path with its link count: what a tree looks like from outside.
fn listing(tree: &Tree) -> Vec<String> {
    tree.walk(Tree::ROOT)
        .map(|(node, _)| {
            format!(
                "{} {}",
                tree.display_path(node),
                tree.links(tree.inode(node))
            )
        })
        .collect()
}

#[test]
fn children_are_sorted_by_bytes() {
    let mut tree = Tree::new(Metadata::directory());
    for name in ["b", "a", "B", "ä"] {
        tree.add(Tree::ROOT, name.as_bytes(), Metadata::file(), bytes(b""))
            .unwrap();
    }
    let names: Vec<_> = tree
        .children(Tree::ROOT)
        .iter()
        .map(|&n| tree.name(n))
        .collect();
    assert_eq!(names, [b"B".as_slice(), b"a", b"b", "ä".as_bytes()]);
}

#[test]
fn hard_links_share_a_file_until_one_is_replaced() {
    let mut tree = Tree::new(Metadata::directory());
    let a = tree
        .add(Tree::ROOT, b"a", Metadata::file(), bytes(b"one"))
        .unwrap();
    let b = tree.link(Tree::ROOT, b"b", tree.inode(a)).unwrap();
    assert_eq!(tree.links(tree.inode(a)), 2);
    let b = tree.replace(b, Metadata::file(), bytes(b"three")).unwrap();
    assert_eq!(
        (tree.links(tree.inode(a)), tree.links(tree.inode(b))),
        (1, 1)
    );
    assert!(matches!(
        tree.kind(tree.inode(a)),
        Kind::File { size: 3, .. }
    ));
    assert!(matches!(
        tree.kind(tree.inode(b)),
        Kind::File { size: 5, .. }
    ));
}

#[test]
fn sources_come_back_as_they_were_given() {
    let mut tree = Tree::new(Metadata::directory());
    let dir = tree.add_host_dir("some/folder".into()).unwrap();
    let host = NewKind::Host {
        dir,
        name: "x".into(),
        size: 7,
    };
    let same = tree
        .add(Tree::ROOT, b"x", Metadata::file(), host.clone())
        .unwrap();
    let other = tree.add(Tree::ROOT, b"y", Metadata::file(), host).unwrap();
    for node in [same, other] {
        let Kind::File {
            size: 7,
            content: Content::Host(path),
        } = tree.kind(tree.inode(node))
        else {
            panic!("not a host file")
        };
        assert_eq!(path.to_path(), std::path::Path::new("some/folder/x"));
    }
    let extents = vec![Extent::new(reburn_blocks::Lba::new(5), 2048); 2];
    let base = tree
        .add(Tree::ROOT, b"z", Metadata::file(), NewKind::Base(extents))
        .unwrap();
    let Kind::File {
        size: 4096,
        content: Content::Base(found),
    } = tree.kind(tree.inode(base))
    else {
        panic!("not a file of the base")
    };
    assert_eq!(found.len(), 2);
}

#[test]
fn refused_changes_leave_the_tree_alone() {
    let mut tree = Tree::new(Metadata::directory());
    let dir = tree
        .add(Tree::ROOT, b"d", Metadata::directory(), NewKind::Directory)
        .unwrap();
    let file = tree.add(dir, b"f", Metadata::file(), bytes(b"")).unwrap();
    let before = listing(&tree);
    let path = |path: &str| path.to_owned();
    let refused = [
        (
            tree.add(dir, b"f", Metadata::file(), bytes(b"")).err(),
            TreeError::Exists { path: path("/d/f") },
        ),
        (
            tree.add(file, b"g", Metadata::file(), bytes(b"")).err(),
            TreeError::NotADirectory { path: path("/d/f") },
        ),
        (
            tree.remove(dir).err(),
            TreeError::NotEmpty { path: path("/d") },
        ),
        (
            tree.remove(Tree::ROOT).err(),
            TreeError::NotEmpty { path: path("/") },
        ),
        (tree.remove_tree(Tree::ROOT).err(), TreeError::Root),
        (
            tree.rename(dir, dir, b"x").err(),
            TreeError::IntoItself { path: path("/d") },
        ),
        (
            tree.link(Tree::ROOT, b"l", tree.inode(dir)).err(),
            TreeError::LinkToDirectory { path: path("/l") },
        ),
    ];
    for (found, expected) in refused {
        assert_eq!(found, Some(expected));
    }
    for name in [b"".as_slice(), b".", b"..", b"a/b", b"a\0b"] {
        assert!(tree.add(dir, name, Metadata::file(), bytes(b"")).is_err());
    }
    assert_eq!(listing(&tree), before);
}

#[test]
fn a_locked_change_point_is_gone() {
    let mut tree = Tree::new(Metadata::directory());
    let early = tree.change_point();
    tree.add(Tree::ROOT, b"a", Metadata::file(), bytes(b""))
        .unwrap();
    tree.lock_in();
    let late = tree.change_point();
    tree.add(Tree::ROOT, b"b", Metadata::file(), bytes(b""))
        .unwrap();
    assert_eq!(tree.roll_back(early), Err(TreeError::ChangePointGone));
    tree.roll_back(late).unwrap();
    assert_eq!(listing(&tree), ["/ 1", "/a 1"]);
}

/// One change, with small numbers that pick nodes and names.
fn change(tree: &mut Tree, (what, a, b, name): (u8, usize, usize, u8)) {
    let nodes: Vec<NodeId> = tree.walk(Tree::ROOT).map(|(node, _)| node).collect();
    let (a, b) = (nodes[a % nodes.len()], nodes[b % nodes.len()]);
    let name = [b'a' + name % 6];
    // Refusals are part of the game.
    let _ = match what % 7 {
        0 => tree
            .add(a, &name, Metadata::directory(), NewKind::Directory)
            .map(drop),
        1 => tree.add(a, &name, Metadata::file(), bytes(b"x")).map(drop),
        2 => tree.link(a, &name, tree.inode(b)).map(drop),
        3 => tree.replace(a, Metadata::file(), bytes(b"yy")).map(drop),
        4 => tree.rename(a, b, &name),
        5 => tree.remove_tree(a),
        _ => {
            tree.set_metadata(
                tree.inode(a),
                Metadata::with_permissions(u16::from(name[0])),
            );
            Ok(())
        }
    };
}

/// Everything that a change can alter.
fn state(tree: &Tree) -> Vec<String> {
    tree.walk(Tree::ROOT)
        .map(|(node, depth)| {
            let inode = tree.inode(node);
            let size = match tree.kind(inode) {
                Kind::File { size, .. } => size,
                _ => 0,
            };
            let path = tree.display_path(node);
            format!(
                "{path} {depth} {} {size} {:?}",
                tree.links(inode),
                tree.metadata(inode)
            )
        })
        .collect()
}

proptest! {
    #[test]
    fn rolling_back_restores_every_state(
        first in prop::collection::vec(any::<(u8, usize, usize, u8)>(), 0..40),
        second in prop::collection::vec(any::<(u8, usize, usize, u8)>(), 0..40),
    ) {
        let mut tree = Tree::new(Metadata::directory());
        let empty = tree.change_point();
        for step in first {
            change(&mut tree, step);
        }
        let middle = (tree.change_point(), state(&tree));
        for step in second {
            change(&mut tree, step);
        }
        tree.roll_back(middle.0).unwrap();
        prop_assert_eq!(state(&tree), middle.1);
        tree.roll_back(empty).unwrap();
        prop_assert_eq!(listing(&tree), ["/ 1"]);
    }
}

#[test]
fn streams_and_attributes_follow_their_file() {
    let mut tree = Tree::new(Metadata::directory());
    let file = NewKind::Bytes(Bytes::from_static(b"data"));
    let node = tree.add(Tree::ROOT, b"f", Metadata::file(), file).unwrap();
    let inode = tree.inode(node);
    let before = tree.change_point();
    let stream = |bytes| NewKind::Bytes(Bytes::from_static(bytes));
    for (name, bytes) in [(b"b", b"2"), (b"a", b"1"), (b"b", b"3")] {
        tree.set_stream(inode, name, Metadata::file(), stream(bytes))
            .unwrap();
    }
    let attribute = Attribute {
        is_application: false,
        name: b"*Example".to_vec(),
        suffix: [0; 8],
        value: Bytes::from_static(b"x"),
    };
    tree.set_attributes(inode, vec![attribute.clone()]);
    let names: Vec<_> = tree.streams(inode).map(|(name, _)| name.to_vec()).collect();
    assert_eq!(names, [b"a", b"b"]);
    let newest = tree.stream(inode, b"b").unwrap();
    let Kind::File {
        content: Content::Bytes(bytes),
        ..
    } = tree.kind(newest)
    else {
        panic!("a stream is bytes");
    };
    assert_eq!(bytes, "3");
    assert_eq!(tree.attributes(inode), [attribute]);
    assert_eq!(tree.inodes_with_streams().collect::<Vec<_>>(), [inode]);
    let changes = tree.changes_since(before).unwrap();
    assert!(changes.inodes.contains(&inode) && changes.folders.is_empty());

    assert!(tree.remove_stream(inode, b"a") && !tree.remove_stream(inode, b"a"));
    let refused = tree.set_stream(inode, b"c", Metadata::file(), NewKind::Fifo);
    assert!(matches!(refused, Err(TreeError::StreamKind { .. })));
    tree.roll_back(before).unwrap();
    assert_eq!(tree.streams(inode).len(), 0);
    assert!(tree.attributes(inode).is_empty());
}

#[test]
fn changes_name_folders_and_files() {
    let mut tree = Tree::new(Metadata::directory());
    let folder = |tree: &mut Tree, parent, name: &[u8]| {
        tree.add(parent, name, Metadata::directory(), NewKind::Directory)
            .unwrap()
    };
    let (a, b) = (
        folder(&mut tree, Tree::ROOT, b"a"),
        folder(&mut tree, Tree::ROOT, b"b"),
    );
    let inside = folder(&mut tree, a, b"inside");
    let file = tree
        .add(inside, b"f", Metadata::file(), NewKind::Fifo)
        .unwrap();
    let before = tree.change_point();
    assert_eq!(tree.changes_since(before), Some(Changes::default()));

    tree.rename(inside, b, b"moved").unwrap();
    let inode = tree.inode(file);
    tree.link(Tree::ROOT, b"link", inode).unwrap();
    let changes = tree.changes_since(before).unwrap();
    assert_eq!(changes.folders, [Tree::ROOT, a, b, inside].into());
    assert_eq!(changes.inodes, [inode].into());
    tree.roll_back(before).unwrap();
    assert_eq!(tree.changes_since(before), Some(Changes::default()));
}
