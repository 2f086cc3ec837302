//! The entries of the metadata file and of its mirror (UDF 2.2.13), and the second copy of all
//! metadata where there is one. Readers take the file where it can be used, so that is what the
//! mirror becomes.
//!
//! An entry whose allocation descriptors go on in other blocks is copied with the way there, so
//! both entries share those until the next edit, which writes new ones for each.

use std::cell::RefCell;

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, Lba};
use reburn_record::Record;

use super::{Examined, Flaw, FlawKind, Mend};
use crate::Place;
use crate::read::entry::Reader;
use crate::read::partitions::{Address, FileMap, Kind};
use crate::records::{IcbTag, MetadataMap, Tag, file_type};
use crate::update::tags;

/// Where an entry says what kind of file it is.
const FILE_TYPE: usize = Tag::SIZE + 11;

/// Runs of blocks that are told of one by one; the rest is one of them.
const RUNS_MAX: usize = 64;

/// One of the two files.
struct File {
    /// Where its entry is.
    lba: Lba,
    /// The entry's block.
    block: Vec<u8>,
    /// Bytes of the file, and where its blocks are: block of the file, block of the disc, and how
    /// many.
    length: u64,
    pieces: Vec<(u32, u64, u32)>,
}

impl Examined<'_> {
    pub(super) fn metadata_file(&self) -> Vec<Flaw> {
        let Some((index, map)) = self.volume.metadata_map() else {
            return Vec::new();
        };
        let under = match &self.volume.partitions.maps[index].kind {
            Kind::Metadata { under, .. } => *under,
            _ => return Vec::new(),
        };
        let address = |block| Address {
            partition: under,
            block,
        };
        let main_at = address(map.metadata_file_location.get());
        let mirror_at = address(map.metadata_mirror_file_location.get());
        let main = self.file(main_at, file_type::METADATA);
        let mirror = self.file(mirror_at, file_type::METADATA_MIRROR);
        let is_duplicate = map.flags & MetadataMap::DUPLICATE != 0;
        let (kind, mend) = match (&main, &mirror) {
            (Some(main), Some(mirror)) => {
                let is_same = main.length == mirror.length
                    && if is_duplicate {
                        addresses(&main.pieces) == addresses(&mirror.pieces)
                    } else {
                        main.pieces == mirror.pieces
                    };
                if is_same {
                    return match is_duplicate {
                        true if main.pieces == mirror.pieces => vec![no_second_copy(mirror)],
                        true => self.compare_copies(main, mirror),
                        false => Vec::new(),
                    };
                }
                let mend = self.entry_for(main, mirror_at, file_type::METADATA_MIRROR);
                (FlawKind::MirrorDiffers, mend)
            }
            (Some(main), None) => {
                let mend = self.entry_for(main, mirror_at, file_type::METADATA_MIRROR);
                (FlawKind::MirrorEntry, mend)
            }
            (None, Some(mirror)) => {
                let mend = self.entry_for(mirror, main_at, file_type::METADATA);
                (FlawKind::MetadataEntry, mend)
            }
            (None, None) => return Vec::new(),
        };
        let flaw = mend.map(|mend| Flaw {
            kind,
            range: BlockRange::single(mend.start),
            mends: vec![mend],
        });
        flaw.into_iter().collect()
    }

    /// A file with its entry at an address; `None` if it cannot be used.
    fn file(&self, address: Address, expected: u8) -> Option<File> {
        let notes = RefCell::default();
        let reader = Reader::new(&self.disc, &self.volume.partitions, &notes);
        let lba = self.lba(address)?;
        let place = Place::of::<MetadataMap>(lba.byte_offset(), "metadata_file_location");
        let (entry, body) = reader.metadata_entry(address, expected, place).ok()?;
        let FileMap(pieces) = reader.file_map(&entry, &body).ok()?;
        Some(File {
            lba,
            block: self.block(lba)?,
            length: body.length,
            pieces: joined(pieces),
        })
    }

    fn lba(&self, address: Address) -> Option<Lba> {
        let map = self.volume.partitions.map(address.partition).ok()?;
        Lba::checked(u64::from(map.start) + u64::from(address.block))
    }

    /// A file's entry as it stands at another address, for the other file.
    fn entry_for(&self, file: &File, address: Address, file_type: u8) -> Option<Mend> {
        let start = self.lba(address)?;
        let mut bytes = file.block.clone();
        let covered = Tag::view(&bytes).ok()?.0.descriptor_crc_length.get();
        bytes[FILE_TYPE] = file_type;
        tags::reseal(&mut bytes, covered.into());
        tags::set_location(&mut bytes, address.block);
        Some(Mend { start, bytes })
    }

    /// Compares the blocks of both copies, which have the same addresses.
    fn compare_copies(&self, main: &File, mirror: &File) -> Vec<Flaw> {
        let mut flaws: Vec<Flaw> = Vec::new();
        for (at, copy) in blocks(&main.pieces).zip(blocks(&mirror.pieces)) {
            let (kind, start, bytes) = match (self.block(at), self.block(copy)) {
                (Some(bytes), Some(second)) if bytes == second => continue,
                (Some(first), Some(second)) if is_damaged(&first) && !is_damaged(&second) => {
                    (FlawKind::MetadataBlocks, at, second)
                }
                (Some(bytes), _) => (FlawKind::MirrorBlocks, copy, bytes),
                (None, Some(bytes)) => (FlawKind::MetadataBlocks, at, bytes),
                (None, None) => continue,
            };
            add_block(&mut flaws, kind, start, bytes);
        }
        flaws
    }
}

/// Adds a block to the last flaw, if it stands right behind it, or begins another one.
fn add_block(flaws: &mut Vec<Flaw>, kind: FlawKind, lba: Lba, bytes: Vec<u8>) {
    let count = flaws.len();
    let follows = |flaw: &&mut Flaw| {
        let is_behind = flaw.range.end_exclusive() == lba.get();
        flaw.kind == kind && (is_behind || count >= RUNS_MAX)
    };
    match flaws.iter_mut().rev().find(follows) {
        Some(flaw) => {
            let (first, last) = (
                flaw.range.start_lba().min(lba),
                flaw.range.end_lba().max(lba),
            );
            flaw.range = BlockRange::new(first, last).unwrap_or(flaw.range);
            flaw.mends.push(Mend { start: lba, bytes });
        }
        None => flaws.push(Flaw {
            kind,
            range: BlockRange::single(lba),
            mends: vec![Mend { start: lba, bytes }],
        }),
    }
}

fn no_second_copy(mirror: &File) -> Flaw {
    Flaw {
        kind: FlawKind::NoSecondCopy,
        range: BlockRange::single(mirror.lba),
        mends: Vec::new(),
    }
}

/// Whether a block begins with the tag of a descriptor that is not whole.
fn is_damaged(block: &[u8]) -> bool {
    block.iter().any(|&byte| byte != 0) && Tag::check(block).is_err()
}

/// The same with pieces joined that follow each other.
fn joined(pieces: Vec<(u32, u64, u32)>) -> Vec<(u32, u64, u32)> {
    let mut joined: Vec<(u32, u64, u32)> = Vec::new();
    for (first, sector, count) in pieces {
        match joined.last_mut() {
            Some((before, at, so_far))
                if *before + *so_far == first && *at + u64::from(*so_far) == sector =>
            {
                *so_far += count;
            }
            _ => joined.push((first, sector, count)),
        }
    }
    joined
}

/// Which blocks of a file there are.
fn addresses(pieces: &[(u32, u64, u32)]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &(first, _, count) in pieces {
        match runs.last_mut() {
            Some((before, so_far)) if *before + *so_far == first => *so_far += count,
            _ => runs.push((first, count)),
        }
    }
    runs
}

/// The blocks of the disc that a file is in, in its order.
fn blocks(pieces: &[(u32, u64, u32)]) -> impl Iterator<Item = Lba> {
    pieces.iter().flat_map(|&(_, sector, count)| {
        let start = Lba::checked(sector);
        let range = start.and_then(|start| BlockRange::with_count(start, BlockCount::new(count)));
        let pieces = range.map(|range| range.pieces(BlockCount::ONE));
        pieces.into_iter().flatten().map(BlockRange::start_lba)
    })
}

const _: () = assert!(IcbTag::SIZE == 20 && FILE_TYPE < BLOCK_SIZE);
