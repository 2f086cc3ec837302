//! Directories as runs of file identifiers (ECMA-167 4/14.4).
//!
//! Invariants: the first identifier leads to the parent, then come the names in the order of
//! the tree; identifiers may cross blocks, and each is tagged with the block it starts in.

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_record::little_endian::U32;
use reburn_tree::{NodeId, Tree};

use super::emit::developer;
use super::identifier::{Identifier, fid_len};
use super::layout::Directory;
use super::names::{encoded_len, recorded_name};
use super::{Access, Layout, Placed, UdfOptions, UdfRevision, system};
use crate::records::{EntityId, LongAd, Tag, characteristics};

/// Bytes of a directory between two places that writing can start from.
const CHECKPOINT_BYTES: u64 = 64 * BLOCK_SIZE as u64;

/// How long directories get.
#[derive(Debug, Clone, Copy)]
pub(super) struct FidSizes {
    end: u64,
    keeps_tags_whole: bool,
}

impl FidSizes {
    /// A directory with the identifier that leads to the parent (UDF 2.3.4.2).
    pub(super) fn new(layout: &Layout) -> Self {
        Self {
            end: fid_len(0) as u64,
            keeps_tags_whole: keeps_tags_whole(layout),
        }
    }

    /// Adds the identifier of a name.
    pub(super) fn push(&mut self, name: &str) {
        if self.keeps_tags_whole {
            self.end += u64::from(filler(self.end));
        }
        self.end += fid_len(encoded_len(name)) as u64;
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.end
    }
}

/// Whether no tag of an identifier may lie in two blocks: on write-once media from UDF 2.00 on
/// (UDF 2.3.4.4).
pub(super) fn keeps_tags_whole(layout: &Layout) -> bool {
    layout.options.keeps_tags_whole()
}

impl UdfOptions {
    /// Whether no tag of an identifier may lie in two blocks: on write-once media from UDF 2.00 on
    /// (UDF 2.3.4.4).
    pub(crate) fn keeps_tags_whole(&self) -> bool {
        self.access == Access::WriteOnce && self.revision >= UdfRevision::V2_00
    }
}

/// Bytes of implementation use by which the identifier before byte `end` grows, so that the tag
/// there lies in one block.
pub(crate) fn filler(end: u64) -> u16 {
    let left = BLOCK_SIZE as u64 - end % BLOCK_SIZE as u64;
    if left < Tag::SIZE as u64 {
        EntityId::SIZE as u16
    } else {
        0
    }
}

/// What a file identifier says.
pub(super) struct Fid<'a> {
    pub(super) characteristics: u8,
    pub(super) icb: LongAd,
    pub(super) unique_id: u64,
    /// The name as it is recorded; empty for the parent's.
    pub(super) name: &'a str,
    /// Where in the directory it starts, and whether another one follows.
    pub(super) at: u64,
    pub(super) is_last: bool,
}

/// Where a directory is.
#[derive(Debug, Clone, Copy)]
pub(super) struct DirectoryPlace {
    /// The block in its partition that holds the first byte.
    pub(super) first_block: u32,
    /// Whether that block holds all.
    pub(super) is_embedded: bool,
}

impl Placed<'_> {
    /// Puts a file identifier at the end of `out`, which begins with it.
    pub(super) fn write_fid(&self, place: DirectoryPlace, fid: &Fid<'_>, out: &mut Vec<u8>) {
        let options = &self.layout.options;
        let mut icb = fid.icb;
        if options.revision.is_third_edition() {
            // UDF 2.3.4.3; ids of that many entries fit into 32 bits.
            icb.unique_id = U32::new(fid.unique_id as u32);
        }
        let end = fid.at + fid_len(encoded_len(fid.name)) as u64;
        let filler = if keeps_tags_whole(self.layout) && !fid.is_last {
            filler(end)
        } else {
            0
        };
        let block = if place.is_embedded {
            place.first_block
        } else {
            place.first_block + (fid.at / BLOCK_SIZE as u64) as u32
        };
        let developer = developer(options);
        let identifier = Identifier {
            characteristics: fid.characteristics,
            icb,
            implementation_use: &developer.bytes()[..filler.into()],
            name: fid.name,
        };
        identifier.write(options.revision, block, out);
    }
}

/// Copies what `out` shall have of an identifier: `out` begins with byte `from` of the directory,
/// the identifier with byte `at`.
pub(super) fn copy_part(fid: &[u8], at: u64, from: u64, out: &mut [u8]) {
    let end = from + out.len() as u64;
    let skipped = from.saturating_sub(at).min(fid.len() as u64) as usize;
    let kept = end.saturating_sub(at).min(fid.len() as u64) as usize;
    if skipped < kept {
        let start = (at + skipped as u64 - from) as usize;
        out[start..start + kept - skipped].copy_from_slice(&fid[skipped..kept]);
    }
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
    pub(super) place: DirectoryPlace,
}

impl DirectoryWriter<'_> {
    /// Fills `out` with the bytes of the directory from `from` on; what is past its end stays.
    pub(super) fn write(&self, from: u64, out: &mut [u8], checkpoints: &mut Checkpoints) {
        let end = from + out.len() as u64;
        let children = self.placed.tree.children(self.directory.node);
        let last = children.len() + usize::from(self.has_root_file());
        let mut cursor = checkpoints.before(from);
        let mut fid = Vec::with_capacity(fid_len(255));
        while cursor.byte < end && cursor.place <= last {
            checkpoints.note(cursor);
            let start = cursor.byte;
            fid.clear();
            self.next(children, cursor.place == last, &mut cursor, &mut fid);
            copy_part(&fid, start, from, out);
        }
    }

    fn has_root_file(&self) -> bool {
        self.directory.node == Tree::ROOT && system::has_root_file(self.placed.layout)
    }

    /// Puts the identifier at the cursor into `fid` and moves the cursor behind it.
    fn next(&self, children: &[NodeId], is_last: bool, cursor: &mut Cursor, fid: &mut Vec<u8>) {
        let (tree, at) = (self.placed.tree, cursor.byte);
        let name;
        let described = match cursor.place.checked_sub(1) {
            None => {
                let parent = tree.inode(tree.parent(self.directory.node));
                Fid {
                    characteristics: characteristics::PARENT | characteristics::DIRECTORY,
                    icb: self.placed.icb(parent),
                    unique_id: self.placed.unique_id(parent),
                    name: "",
                    at,
                    is_last,
                }
            }
            Some(child) => match children.get(child) {
                Some(&node) => {
                    let (characteristics, unique_id) = self.child(node, cursor);
                    name = recorded_name(tree.name(node));
                    Fid {
                        characteristics,
                        icb: self.placed.icb(tree.inode(node)),
                        unique_id,
                        name: &name,
                        at,
                        is_last,
                    }
                }
                None => self.placed.root_file(at),
            },
        };
        self.placed.write_fid(self.place, &described, fid);
        cursor.place += 1;
        cursor.byte += fid.len() as u64;
    }

    /// Characteristics and unique id of a name.
    fn child(&self, node: NodeId, cursor: &mut Cursor) -> (u8, u64) {
        let (tree, layout) = (self.placed.tree, self.placed.layout);
        let inode = tree.inode(node);
        if tree.is_directory(node) {
            return (characteristics::DIRECTORY, self.placed.unique_id(inode));
        }
        let next = self.directory.first_file + cursor.files;
        if layout.files.get(next as usize) == Some(&inode) {
            cursor.files += 1;
            return (0, self.placed.unique_id(inode));
        }
        if layout.keeps(inode) && layout.places.is_first_name(inode, node) {
            return (0, self.placed.unique_id(inode));
        }
        let link = self.directory.links_before + cursor.links;
        cursor.links += 1;
        (0, self.placed.link_id(link))
    }
}
