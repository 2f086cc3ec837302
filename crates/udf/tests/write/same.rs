//! Comparing trees with what was read back of them.

use reburn_tree::{InodeId, Kind, Tree};

use crate::image::content_of;

fn shape(kind: Kind<'_>) -> String {
    match kind {
        Kind::File { size, .. } => format!("file of {size}"),
        other => format!("{other:?}"),
    }
}

/// A tree with the disc that its files are on.
#[derive(Clone, Copy)]
pub struct OnDisc<'a> {
    pub disc: &'a Vec<u8>,
    pub tree: &'a Tree,
}

/// Compares everything that a volume keeps of a tree. Content in memory counts as it is.
pub fn assert_same(disc: &Vec<u8>, written: &Tree, read: &Tree) {
    let tree = written;
    let written = OnDisc { disc, tree };
    assert_all_same(written, OnDisc { disc, tree: read });
}

/// The same for content that was on another disc.
pub fn assert_all_same(written: OnDisc<'_>, read: OnDisc<'_>) {
    let nodes = written.tree.walk(Tree::ROOT);
    let nodes: Vec<_> = nodes.map(|(node, _)| node).collect();
    assert_eq!(nodes.len(), read.tree.walk(Tree::ROOT).count());
    for node in nodes {
        let path = written.tree.display_path(node);
        let found = read.tree.lookup(&written.tree.path(node));
        let found = found.unwrap_or_else(|| panic!("{path}"));
        let (inode, seen) = (written.tree.inode(node), read.tree.inode(found));
        assert_inode(written, inode, read, seen, &path);
        let attributes = written.tree.attributes(inode);
        let mut sorted: Vec<_> = attributes.to_vec();
        sorted.sort_by_key(|attribute| attribute.is_application);
        assert_eq!(read.tree.attributes(seen), sorted, "{path}");
        let streams: Vec<_> = written.tree.streams(inode).collect();
        let found: Vec<_> = read.tree.streams(seen).collect();
        assert_eq!(streams.len(), found.len(), "{path}");
        for ((name, stream), (found_name, found)) in streams.into_iter().zip(found) {
            assert_eq!(name, found_name, "{path}");
            let path = format!("{path}:{}", String::from_utf8_lossy(name));
            assert_inode(written, stream, read, found, &path);
        }
    }
}

fn assert_inode(written: OnDisc<'_>, inode: InodeId, read: OnDisc<'_>, seen: InodeId, path: &str) {
    let (wanted, has) = (written.tree.kind(inode), read.tree.kind(seen));
    assert_eq!(shape(has), shape(wanted), "{path}");
    let bytes = content_of(written.disc, wanted);
    assert!(content_of(read.disc, has) == bytes, "{path}");
    assert_eq!(read.tree.links(seen), written.tree.links(inode), "{path}");
    let (wanted, has) = (written.tree.metadata(inode), read.tree.metadata(seen));
    assert_eq!(has.permissions, wanted.permissions, "{path}");
    assert_eq!((has.uid, has.gid), (wanted.uid, wanted.gid), "{path}");
    assert_eq!(has.modified, wanted.modified, "{path}");
    let or_modified = |time: Option<_>| Some(time.unwrap_or(wanted.modified));
    assert_eq!(has.accessed, or_modified(wanted.accessed), "{path}");
    assert_eq!(has.changed, or_modified(wanted.changed), "{path}");
    if wanted.created.is_some() {
        assert_eq!(has.created, wanted.created, "{path}");
    }
}
