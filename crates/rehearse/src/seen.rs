//! What a reader shows of a disc: every path with its kind, metadata and content.
//!
//! Invariant: two trees are the same if and only if a user could not tell them apart; where on the
//! disc something stands does not count.

use std::collections::HashMap;

use reburn_blocks::ReadError;
use reburn_image::{ImageError, View};
use reburn_tree::{Content, Extent, InodeId, Kind, Tree, read_extents};
use sha2::{Digest, Sha256};

use crate::disc::Noted;
use crate::units::Units;

/// Bytes of a file read at a time.
const CHUNK: u64 = 1 << 20;

type Hash = [u8; 32];

/// Every path with a digest of all that a reader shows of it, or why it shows nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    entries: Vec<(Vec<u8>, Result<Hash, String>)>,
}

/// Digests of files none of whose blocks were written: they are the same in every state.
#[derive(Debug, Default)]
pub(crate) struct KnownContents(HashMap<Vec<(Option<u64>, u64)>, Hash>);

/// What reading a tree needs.
pub(crate) struct Look<'a> {
    pub(crate) disc: &'a Noted<'a>,
    pub(crate) units: &'a Units<'a>,
    pub(crate) known: &'a mut KnownContents,
}

impl Seen {
    /// What readers of a file system show of the disc.
    pub(crate) fn read(view: View, look: &mut Look<'_>) -> Result<Self, ImageError> {
        let tree = match view {
            View::Iso => view.read(look.disc)?,
            // It reads ahead.
            View::Udf => look.disc.narrowed(look.units, |disc| view.read(disc))?,
        };
        let mut first_names = HashMap::new();
        let mut entries = Vec::new();
        for (index, (node, _)) in tree.walk(Tree::ROOT).enumerate() {
            let inode = tree.inode(node);
            // Names of the same file are told from copies of it.
            let first = *first_names.entry(inode).or_insert(index);
            let digest = look.digest(&tree, inode, first).map_err(|e| e.to_string());
            entries.push((tree.path(node), digest));
        }
        Ok(Self { entries })
    }

    /// The first thing in which this is neither of two trees.
    pub(crate) fn difference(&self, old: &Self, new: &Self) -> String {
        let name = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
        let is_in = |seen: &Self, path: &[u8], digest: &Result<Hash, String>| {
            seen.entries.iter().any(|(p, d)| p == path && d == digest)
        };
        let mut strange = self
            .entries
            .iter()
            .filter(|(path, digest)| !is_in(old, path, digest) && !is_in(new, path, digest));
        if let Some((path, digest)) = strange.next() {
            return match digest {
                Ok(_) => format!("{} is neither as before nor as planned", name(path)),
                Err(error) => format!("{} cannot be read: {error}", name(path)),
            };
        }
        "each file is old or new, but not all of them are one of the two".into()
    }
}

impl Look<'_> {
    fn digest(&mut self, tree: &Tree, inode: InodeId, first: usize) -> Result<Hash, ReadError> {
        let mut hash = Sha256::new();
        hash.update(first.to_le_bytes());
        hash.update(tree.links(inode).to_le_bytes());
        hash.update(format!("{:?}", tree.metadata(inode)));
        self.add_kind(tree, inode, &mut hash)?;
        for (name, stream) in tree.streams(inode) {
            hash.update(name.len().to_le_bytes());
            hash.update(name);
            hash.update(format!("{:?}", tree.metadata(stream)));
            self.add_kind(tree, stream, &mut hash)?;
        }
        for attribute in tree.attributes(inode) {
            hash.update(format!("{attribute:?}"));
        }
        Ok(hash.finalize().into())
    }

    fn add_kind(
        &mut self,
        tree: &Tree,
        inode: InodeId,
        hash: &mut Sha256,
    ) -> Result<(), ReadError> {
        match tree.kind(inode) {
            Kind::File { size, content } => {
                hash.update(b"file");
                hash.update(size.to_le_bytes());
                hash.update(match content {
                    Content::Base(extents) => self.content(extents, size)?,
                    Content::Bytes(bytes) => Sha256::digest(bytes).into(),
                    Content::Host(_) | Content::Custom(_) => {
                        unreachable!("a tree that was read from a disc points at the disc")
                    }
                });
            }
            other => hash.update(format!("{other:?}")),
        }
        Ok(())
    }

    fn content(&mut self, extents: &[Extent], size: u64) -> Result<Hash, ReadError> {
        // None of its blocks was written.
        let mut ranges = extents.iter().filter_map(Extent::blocks);
        let is_fixed = ranges.all(|range| self.units.touches(range).is_none());
        let key = || {
            extents
                .iter()
                .map(|e| (e.first_byte(), e.bytes))
                .collect::<Vec<_>>()
        };
        if is_fixed && let Some(hash) = self.known.0.get(&key()) {
            return Ok(*hash);
        }
        let mut hash = Sha256::new();
        let mut buf = Vec::new();
        let mut offset = 0;
        while offset < size {
            let len = CHUNK.min(size - offset);
            buf.clear();
            buf.resize(usize::try_from(len).expect("a chunk fits into memory"), 0);
            read_extents(self.disc, extents, offset, &mut buf)?;
            hash.update(&buf);
            offset += len;
        }
        let hash = hash.finalize().into();
        if is_fixed {
            self.known.0.insert(key(), hash);
        }
        Ok(hash)
    }
}
