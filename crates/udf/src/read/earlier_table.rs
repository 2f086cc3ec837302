//! Looking for a virtual allocation table further back than readers do: where a recording was cut,
//! what it left stands behind the last table that is whole.
//!
//! Invariant: a block counts as the entry of a table only if the volume can be opened by it.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba};
use reburn_record::Record;

use super::{Session, Volume};
use crate::records::{ExtendedFileEntry, FileEntry, Tag, file_type, tag_id};

/// Blocks that are read at once.
const CHUNK: BlockCount = BlockCount::new(64);

impl Volume {
    /// Opens a volume by its newest virtual allocation table, however far behind it the recorded
    /// blocks go on. Reads all of these.
    pub fn open_by_earlier_table(disc: &dyn BlockRead, session: Session) -> Option<Self> {
        let end = disc.block_count().get();
        let last = session
            .last_recorded
            .map_or(end, |last| last.get().saturating_add(1));
        let all = BlockRange::with_count(Lba::ZERO, BlockCount::new(last.min(end)))?;
        let mut chunks: Vec<_> = all.pieces(CHUNK).collect();
        chunks.reverse();
        let mut bytes = vec![0; CHUNK.as_usize() * BLOCK_SIZE];
        for chunk in chunks {
            let bytes = &mut bytes[..chunk.block_count().as_usize() * BLOCK_SIZE];
            if disc.read_blocks(chunk.start_lba(), bytes).is_err() {
                read_one_by_one(disc, chunk, bytes);
            }
            let mut blocks: Vec<_> = (chunk.start_lba().get()..)
                .zip(bytes.chunks_exact(BLOCK_SIZE))
                .filter(|(_, block)| may_be_table(block))
                .map(|(lba, _)| Lba::new(lba))
                .collect();
            blocks.reverse();
            let opened = blocks.into_iter().find_map(|lba| {
                let session = Session {
                    last_recorded: Some(lba),
                    ..session
                };
                let volume = Self::open(disc, session).ok()?;
                (volume.virtual_table_entry() == Some(lba)).then_some(volume)
            });
            if opened.is_some() {
                return opened;
            }
        }
        None
    }
}

/// Reads what can be read; zeros stand for the rest.
fn read_one_by_one(disc: &dyn BlockRead, chunk: BlockRange, bytes: &mut [u8]) {
    let blocks = chunk
        .pieces(BlockCount::ONE)
        .zip(bytes.chunks_exact_mut(BLOCK_SIZE));
    for (one, block) in blocks {
        if disc.read_blocks(one.start_lba(), block).is_err() {
            block.fill(0);
        }
    }
}

/// Whether a block looks like the entry of a table: of its type, and no name leads to it.
fn may_be_table(block: &[u8]) -> bool {
    let Ok((tag, _)) = Tag::view(block) else {
        return false;
    };
    let is_sound = tag.checksum() == tag.tag_checksum;
    match tag.tag_identifier.get() {
        tag_id::FILE_ENTRY => FileEntry::view(block).is_ok_and(|(entry, _)| {
            let links = entry.file_link_count.get();
            is_sound && links == 0 && is_table_type(entry.icb_tag.file_type)
        }),
        tag_id::EXTENDED_FILE_ENTRY => ExtendedFileEntry::view(block).is_ok_and(|(entry, _)| {
            let links = entry.file_link_count.get();
            is_sound && links == 0 && is_table_type(entry.icb_tag.file_type)
        }),
        _ => false,
    }
}

fn is_table_type(kind: u8) -> bool {
    matches!(kind, file_type::VIRTUAL_TABLE | file_type::UNSPECIFIED)
}
