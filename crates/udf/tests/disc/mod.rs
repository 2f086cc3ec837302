//! Content and listings of trees whose files are on a disc.

use std::collections::BTreeMap;

use reburn_blocks::BlockRead;
use reburn_tree::{Content, InodeId, Kind, Tree, read_extents};

/// The bytes of a file, wherever they are.
pub fn content(disc: &dyn BlockRead, tree: &Tree, inode: InodeId) -> Vec<u8> {
    let Kind::File { content, size } = tree.kind(inode) else {
        panic!("not a file");
    };
    match content {
        Content::Bytes(bytes) => bytes.to_vec(),
        Content::Custom(source) => {
            let mut bytes = vec![0; usize::try_from(size).unwrap()];
            source.read_exact_at(0, &mut bytes).unwrap();
            bytes
        }
        Content::Base(extents) => {
            let mut bytes = vec![0; usize::try_from(size).unwrap()];
            read_extents(disc, extents, 0, &mut bytes).unwrap();
            bytes
        }
        Content::Host(_) => panic!("a file of the host in a tree from a disc"),
    }
}

/// What every path leads to, in one line.
pub fn listing(disc: &dyn BlockRead, tree: &Tree) -> BTreeMap<String, String> {
    let mut listing = BTreeMap::new();
    for (node, _) in tree.walk(Tree::ROOT) {
        let inode = tree.inode(node);
        let what = match tree.kind(inode) {
            Kind::Directory => "folder".to_owned(),
            Kind::Symlink(target) => format!("-> {}", target.escape_ascii()),
            Kind::File { .. } => {
                let bytes = content(disc, tree, inode);
                let sum = bytes.iter().fold(0u64, |sum, &byte| {
                    sum.wrapping_mul(31).wrapping_add(byte.into())
                });
                let head = &bytes[..bytes.len().min(20)];
                let names = tree.links(inode);
                format!(
                    "{} bytes, sum {sum:x}, {names} names, {}",
                    bytes.len(),
                    head.escape_ascii()
                )
            }
            kind => format!("{kind:?}"),
        };
        let metadata = tree.metadata(inode);
        let line = format!("{:o} {} {what}", metadata.permissions, metadata.modified);
        listing.insert(tree.display_path(node), line);
    }
    listing
}
