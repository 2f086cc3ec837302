//! Directories as runs of file identifiers (ECMA-167 4/14.4).
//!
//! Invariants: the first identifier leads to the parent, then come the names in the order of
//! the tree; identifiers may cross blocks, and each is tagged with the block it starts in.

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32};
use reburn_tree::NodeId;

use super::emit::seal;
use super::layout::Directory;
use super::names::{encode, recorded_name};
use super::placed::Placed;
use crate::records::{FileIdentifier, characteristics, tag_id};

/// Bytes of a file identifier before its name (ECMA-167 4/14.4).
const FID_HEAD_BYTES: usize = FileIdentifier::SIZE;

/// Bytes of the file identifier without a name that leads to the parent (UDF 2.3.4.2).
pub(super) const PARENT_FID_BYTES: usize = fid_len(0);

/// Bytes of a directory between two places that writing can start from.
const CHECKPOINT_BYTES: u64 = 64 * BLOCK_SIZE as u64;

/// Bytes of a file identifier with a name of that many (ECMA-167 4/14.4.9).
pub(super) const fn fid_len(name: usize) -> usize {
    (FID_HEAD_BYTES + name).next_multiple_of(4)
}

/// Where writing a directory stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    /// The next identifier: 0 for the parent's, then those of the folder's children.
    place: usize,
    /// Where it starts in the directory.
    byte: u64,
    /// Files named so far whose first name is in this directory.
    files: u32,
    /// Names so far of files that were named before.
    links: u32,
}

/// Cursors at which writing has passed by, some way apart, so that it need not start anew for
/// every part of a large directory.
#[derive(Debug, Default)]
pub(super) struct Checkpoints(Vec<Cursor>);

impl Checkpoints {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The last known cursor at or before `byte`.
    fn before(&self, byte: u64) -> Cursor {
        let after = self.0.partition_point(|cursor| cursor.byte <= byte);
        after
            .checked_sub(1)
            .map_or_else(Cursor::default, |at| self.0[at])
    }

    fn note(&mut self, cursor: Cursor) {
        let last = self.0.last().map_or(0, |last| last.byte);
        if cursor.byte >= last + CHECKPOINT_BYTES {
            self.0.push(cursor);
        }
    }
}

/// Writes one directory.
pub(super) struct DirectoryWriter<'a> {
    pub(super) placed: &'a Placed<'a>,
    pub(super) directory: &'a Directory,
    /// The block in its partition that holds the first byte, and whether that block holds all.
    pub(super) first_block: u32,
    pub(super) is_embedded: bool,
}

impl DirectoryWriter<'_> {
    /// Fills `out` with the bytes of the directory from `from` on; what is past its end stays.
    pub(super) fn write(&self, from: u64, out: &mut [u8], checkpoints: &mut Checkpoints) {
        let end = from + out.len() as u64;
        let children = self.placed.tree.children(self.directory.node);
        let mut cursor = checkpoints.before(from);
        let mut fid = Vec::with_capacity(fid_len(255));
        while cursor.byte < end && cursor.place <= children.len() {
            checkpoints.note(cursor);
            let start = cursor.byte;
            fid.clear();
            self.next(children, &mut cursor, &mut fid);
            // The part that is wanted.
            let skipped = from.saturating_sub(start).min(fid.len() as u64) as usize;
            let kept = (end - start).min(fid.len() as u64) as usize;
            if skipped < kept {
                let at = (start + skipped as u64 - from) as usize;
                out[at..at + kept - skipped].copy_from_slice(&fid[skipped..kept]);
            }
        }
    }

    /// Puts the identifier at the cursor into `fid` and moves the cursor behind it.
    fn next(&self, children: &[NodeId], cursor: &mut Cursor, fid: &mut Vec<u8>) {
        let (tree, layout) = (self.placed.tree, self.placed.layout);
        let (node, mut bits) = match cursor.place.checked_sub(1) {
            None => {
                let bits = characteristics::PARENT | characteristics::DIRECTORY;
                (tree.parent(self.directory.node), bits)
            }
            Some(child) => (children[child], 0),
        };
        let inode = tree.inode(node);
        let mut unique_id = self.placed.unique_id(inode);
        if cursor.place > 0 {
            if tree.is_directory(node) {
                bits |= characteristics::DIRECTORY;
            } else {
                let next = self.directory.first_file + cursor.files;
                if layout.files.get(next as usize) == Some(&inode) {
                    cursor.files += 1;
                } else if !(layout.keeps(inode) && layout.places.is_first_name(inode, node)) {
                    let link = self.directory.links_before + cursor.links;
                    unique_id = self.placed.link_id(link);
                    cursor.links += 1;
                }
            }
        }
        let mut head = FileIdentifier::zeroed();
        head.file_version_number = U16::new(1);
        head.file_characteristics = bits;
        head.icb = self.placed.icb(inode);
        if layout.options.revision.is_third_edition() {
            // UDF 2.3.4.3; ids of that many entries fit into 32 bits.
            head.icb.unique_id = U32::new(unique_id as u32);
        }
        fid.extend_from_slice(head.bytes());
        if cursor.place > 0 {
            encode(&recorded_name(tree.name(node)), fid);
        }
        fid[FID_LENGTH_AT] = (fid.len() - FID_HEAD_BYTES) as u8;
        fid.resize(fid.len().next_multiple_of(4), 0);
        let block = if self.is_embedded {
            self.first_block
        } else {
            self.first_block + (cursor.byte / BLOCK_SIZE as u64) as u32
        };
        seal(fid, tag_id::FILE_IDENTIFIER, layout.options.revision, block);
        cursor.place += 1;
        cursor.byte += fid.len() as u64;
    }
}

/// Where the length of the name stands in a file identifier (ECMA-167 4/14.4.4).
const FID_LENGTH_AT: usize = std::mem::offset_of!(FileIdentifier, length_of_file_identifier);
