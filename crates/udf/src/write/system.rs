//! What a sparable volume keeps for itself among the metadata: the list of blocks that no file
//! may use (UDF 3.3.7.2; before 2.00 UDF 1.50 2.3.13).
//!
//! It is there even where it is empty, as nothing is known to be damaged on a new volume. Up to
//! 1.50 it is a hidden file of the root; later a stream of the system stream directory.

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_tree::{Metadata, Tree};

use super::directory::{DirectoryPlace, Fid, FidSizes};
use super::entry::Entry;
use super::placed::short_ad;
use super::{EXTENT_BLOCKS_MAX, Layout, LayoutError, Placed};
use crate::PartitionKind;
use crate::records::{LongAd, ShortAd, characteristics, file_type, icb_flags};

/// The file's name in the root.
pub(super) const ROOT_FILE: &str = "Non-Allocatable Space";
/// The stream's name.
const STREAM: &str = "*UDF Non-Allocatable Space";

/// Whether the list is a file of the root.
pub(super) fn has_root_file(layout: &Layout) -> bool {
    is_sparable(layout) && !layout.options.revision.is_third_edition()
}

fn has_stream(layout: &Layout) -> bool {
    is_sparable(layout) && layout.options.revision.is_third_edition()
}

fn is_sparable(layout: &Layout) -> bool {
    layout.options.partition == PartitionKind::Sparable
}

impl Layout {
    /// Finds room for what the volume keeps for itself: an entry, or two of directory and stream.
    pub(super) fn add_system(&mut self, tree: &Tree, blocks: &mut u64) -> Result<(), LayoutError> {
        if has_root_file(self) {
            if let Some(taken) = tree.child(Tree::ROOT, ROOT_FILE.as_bytes()) {
                let path = tree.display_path(taken);
                return Err(LayoutError::ReservedName { path });
            }
            self.counts.files += 1;
            *blocks += 1;
        } else if has_stream(self) {
            *blocks += 2;
        }
        Ok(())
    }
}

impl Placed<'_> {
    /// The name of the list in the root, at byte `at` of the directory, behind all other names.
    pub(super) fn root_file(&self, at: u64) -> Fid<'static> {
        let block = self.layout.system_start;
        Fid {
            characteristics: characteristics::HIDDEN,
            icb: self.metadata_ad(block, BLOCK_SIZE as u32),
            unique_id: self.layout.places.new_id(block),
            name: ROOT_FILE,
            at,
            is_last: true,
        }
    }

    /// What leads to the system stream directory, if there is one.
    pub(super) fn system_streams(&self) -> Option<LongAd> {
        let icb = self.metadata_ad(self.layout.system_start, BLOCK_SIZE as u32);
        has_stream(self.layout).then_some(icb)
    }

    /// An entry of what the volume keeps for itself.
    pub(super) fn write_system(&self, block: u32, out: &mut [u8]) {
        let (layout, first) = (self.layout, self.layout.system_start);
        let entry = if has_stream(layout) && block == first {
            self.system_stream_directory()
        } else {
            let is_stream = has_stream(layout);
            let stream = if is_stream { icb_flags::STREAM } else { 0 };
            Entry {
                flags: icb_flags::SHORT | icb_flags::SYSTEM | stream,
                links: 1,
                unique_id: if is_stream {
                    0
                } else {
                    layout.places.new_id(block)
                },
                tail: self.unusable_extents(),
                ..self.readable(file_type::FILE)
            }
        };
        entry.write(&layout.options, self.metadata_block(block), out);
    }

    /// Extents that are allocated and hold nothing, behind the end of an empty file.
    fn unusable_extents(&self) -> Vec<u8> {
        const ALLOCATED: u32 = 1 << 30;
        let room = (BLOCK_SIZE - self.layout.form.head_bytes()) / ShortAd::SIZE;
        let ranges = self.addresses.unusable.iter();
        let pieces = ranges.flat_map(|range| range.pieces(EXTENT_BLOCKS_MAX));
        let mut out = Vec::new();
        for piece in pieces.take(room) {
            let bytes = piece.block_count().bytes() as u32 | ALLOCATED;
            let block = self.addresses.in_partition(piece.start_lba());
            out.extend_from_slice(short_ad(bytes.into(), block).bytes());
        }
        out
    }

    /// The directory is its own parent, as the root is.
    fn system_stream_directory(&self) -> Entry {
        let first = self.layout.system_start;
        let mut sizes = FidSizes::new(self.layout);
        sizes.push(STREAM);
        let place = DirectoryPlace {
            first_block: self.metadata_block(first),
            is_embedded: true,
        };
        let parent = Fid {
            characteristics: characteristics::PARENT | characteristics::DIRECTORY,
            icb: self.metadata_ad(first, BLOCK_SIZE as u32),
            unique_id: 0,
            name: "",
            at: 0,
            is_last: false,
        };
        let stream = Fid {
            characteristics: characteristics::METADATA,
            icb: self.metadata_ad(first + 1, BLOCK_SIZE as u32),
            name: STREAM,
            is_last: true,
            ..parent
        };
        let (mut tail, mut second) = (Vec::new(), Vec::new());
        self.write_fid(place, &parent, &mut tail);
        self.write_fid(place, &stream, &mut second);
        tail.extend(second);
        Entry {
            flags: icb_flags::EMBEDDED,
            links: 1,
            information_length: sizes.bytes(),
            tail,
            ..self.readable(file_type::STREAM_DIRECTORY)
        }
    }

    fn readable(&self, file_type: u8) -> Entry {
        let entry = Entry::of_system(file_type, self.layout.volume_time);
        Entry {
            metadata: Metadata {
                permissions: 0o444,
                ..entry.metadata
            },
            ..entry
        }
    }
}
