//! An edit with addresses: every block that it writes, and in which order.

use std::fmt;

use reburn_blocks::{
    BLOCK_SIZE, BlockCount, BlockRange, BlockRangeList, BlockRead, Lba, ReadError,
};
use reburn_tree::{Content, Extent, InodeId, Kind, Tree};

use super::area::Area;
use super::blocks::{Copy, Pieces};
use super::folder::Directory;
use super::patch::{NewBody, Patch};
use super::plan::Source;
use super::tags;
use super::{Update, in_place};
use crate::records::icb_flags;
use crate::write::{
    DirectoryPlace, EXTENT_BLOCKS_MAX, EXTENT_BYTES_MAX, EntryPlace, FilePlacement, NewEntries,
    directory_ads, stays_in_place,
};

/// Where what an edit writes shall stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpdatePlaces {
    /// Where the new [`units`](Update::units) start, each [`unit_blocks`](Update::unit_blocks)
    /// long, at multiples of [`alignment`](Update::alignment) from the partition's start.
    pub units: Vec<Lba>,
    /// Where the [`mirror_units`](Update::mirror_units) start.
    pub mirror_units: Vec<Lba>,
    /// [`continuation_blocks`](Update::continuation_blocks) for the metadata file. Of those that
    /// are not needed, nothing is written.
    pub continuations: Vec<Lba>,
    /// As many for the mirror file.
    pub mirror_continuations: Vec<Lba>,
}

/// A structure outside the units that an edit writes, as it shall stand on the disc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateStructure {
    /// What it is, and with it when it is written.
    pub role: UpdateRole,
    /// Its first block.
    pub start: Lba,
    /// Its bytes, in whole blocks.
    pub bytes: Vec<u8>,
}

/// What an [`UpdateStructure`] is. In this order, with a barrier wherever the
/// [epoch](Self::epoch) changes. Where the metadata file's entry cannot be read, it is written
/// before its mirror's, which readers take until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpdateRole {
    /// A recognition sequence at the start of a session.
    Recognition,
    /// An anchor at the new end of a volume that grows, or at the start of a session.
    Anchor,
    /// A block that the allocation descriptors of the metadata file, or of its mirror, go on in.
    Continuation,
    /// A virtual allocation table, its entry last: once it is written, readers see the new tree.
    VirtualTable,
    /// The integrity descriptor, a write unit behind the last one.
    Integrity,
    /// The mirror file's entry, with its write unit.
    MirrorEntry,
    /// A sparing table behind the first, with its write unit.
    LaterTable,
    /// The metadata file's entry, with its write unit: once it is written, readers see the new
    /// tree.
    MetadataEntry,
    /// The first sparing table, with its write unit: once it is written, readers see the new
    /// tree.
    FirstTable,
}

impl UpdateRole {
    /// The epoch that it is written in: 0 with file data and the new units, then 1 and 2.
    pub const fn epoch(self) -> usize {
        match self {
            Self::Recognition
            | Self::Anchor
            | Self::Continuation
            | Self::VirtualTable
            | Self::Integrity => 0,
            Self::MirrorEntry | Self::LaterTable => 1,
            Self::MetadataEntry | Self::FirstTable => 2,
        }
    }
}

impl UpdateStructure {
    /// The blocks that it takes.
    pub fn range(&self) -> BlockRange {
        let count = BlockCount::in_buffer(self.bytes.len());
        BlockRange::with_count(self.start, count).expect("a structure has blocks, all on the disc")
    }
}

/// Where file data are: that of the base where it is, all other where the caller put it.
struct Placement<'a> {
    tree: &'a Tree,
    area: &'a Area,
    files: &'a dyn FilePlacement,
}

impl FilePlacement for Placement<'_> {
    fn extent_start(&self, inode: InodeId, extent: usize) -> Lba {
        let Kind::File { content, .. } = self.tree.kind(inode) else {
            return self.files.extent_start(inode, extent);
        };
        match content {
            Content::Base(extents) if stays_in_place(extents) => {
                let start = base_starts(extents).nth(extent).flatten();
                let start = start.expect("an extent that is not a hole starts with a block");
                self.area.home_of(start)
            }
            _ => self.files.extent_start(inode, extent),
        }
    }

    fn read_embedded(&self, inode: InodeId, content: &mut [u8]) -> Result<(), ReadError> {
        self.files.read_embedded(inode, content)
    }
}

/// Where the extents of a file that stays in place start, in the order of [`file_extents`];
/// `None` for holes.
///
/// [`file_extents`]: crate::file_extents
fn base_starts(extents: &[Extent]) -> impl Iterator<Item = Option<Lba>> {
    extents.iter().flat_map(|extent| {
        let count = extent.bytes.div_ceil(EXTENT_BYTES_MAX);
        let start = extent.start();
        (0..count).map(move |index| {
            let skipped = u64::from(EXTENT_BLOCKS_MAX.get()) * index;
            Lba::checked(u64::from(start?.get()) + skipped)
        })
    })
}

/// An edit with addresses.
pub struct PlacedUpdate<'a> {
    update: &'a Update,
    tree: &'a Tree,
    disc: &'a dyn BlockRead,
    places: &'a UpdatePlaces,
    files: Placement<'a>,
    /// Runs of blocks that are written, or that are written to in place: the first block of the
    /// disc, its address, how many, and of which copy; ascending.
    runs: Vec<(Lba, u32, u32, Copy)>,
    main: Pieces,
    mirror: Pieces,
}

impl fmt::Debug for PlacedUpdate<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlacedUpdate")
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

impl<'a> PlacedUpdate<'a> {
    pub(super) fn new(
        update: &'a Update,
        tree: &'a Tree,
        disc: &'a dyn BlockRead,
        places: &'a UpdatePlaces,
        files: &'a dyn FilePlacement,
    ) -> Self {
        let planned = &update.planned;
        assert_eq!(
            places.units.len(),
            planned.units.len(),
            "a place for each unit"
        );
        assert_eq!(
            places.mirror_units.len(),
            update.mirror_units(),
            "a place for each unit of the mirror"
        );
        let unit = update.unit;
        let main = planned.units.iter().zip(&places.units);
        let main = main.map(|(&index, &lba)| (lba, index * unit, unit, Copy::Main));
        let mirror = update.area.mirror_units().iter().zip(&places.mirror_units);
        let mirror = mirror.map(|(&index, &lba)| (lba, index * unit, unit, Copy::Mirror));
        let mut runs: Vec<_> = main.chain(mirror).collect();
        if update.is_in_place {
            let run = |copy| move |(address, lba, count)| (lba, address, count, copy);
            runs.extend(update.base.main.iter().map(run(Copy::Main)));
            let mirror = update.base.mirror.iter().flat_map(Pieces::iter);
            runs.extend(mirror.map(run(Copy::Mirror)));
        }
        runs.sort_unstable_by_key(|&(lba, ..)| lba);
        let pieces = &update.base.main;
        let main = pieces.with_units(update.unit, &planned.units, &places.units);
        let mirror = update.area.new_mirror(&update.base, &main, places);
        let new = Self {
            update,
            tree,
            disc,
            places,
            files: Placement {
                tree,
                area: &update.area,
                files,
            },
            runs,
            main,
            mirror,
        };
        new.check();
        new
    }

    /// Places are where units can be, and none is of two units or in use by the old tree.
    fn check(&self) {
        let room = self.update.area.room(self.update.partition);
        let mut end = Lba::ZERO;
        for &(lba, _, count, _) in &self.runs {
            let count = BlockCount::new(count);
            let range = BlockRange::with_count(lba, count).expect("a unit has blocks");
            let outside = BlockRangeList::from_iter([range]).difference(&room);
            assert!(outside.is_empty(), "{outside} is not in the partition");
            assert!(lba >= end, "{range} is given to two units");
            end = lba + count;
        }
        let count = BlockCount::new(self.update.unit);
        let old = self.update.area.old_ranges(&self.update.base);
        for &lba in self.places.units.iter().chain(&self.places.mirror_units) {
            let range = BlockRange::with_count(lba, count).expect("a unit has blocks");
            assert!(
                !old.intersects(range),
                "{range} is in use by the metadata as they are"
            );
        }
    }

    /// The blocks of the new units: of the metadata, and of their second copy. Of an edit in
    /// place, the blocks that change.
    pub fn ranges(&self) -> BlockRangeList {
        if self.update.is_in_place {
            let mirror = self.update.area.has_copy().then_some(&self.mirror);
            return self.update.changed_blocks(&self.main, mirror);
        }
        let runs = self.runs.iter();
        runs.filter_map(|&(lba, _, count, _)| BlockRange::with_count(lba, BlockCount::new(count)))
            .collect()
    }

    /// Fills `buf` with the blocks of [`ranges`](Self::ranges) from `start` on. What does not
    /// change in units comes from the base.
    ///
    /// # Panics
    /// If `buf` is not whole blocks, or if not all of them are in [`ranges`](Self::ranges).
    pub fn read(&self, start: Lba, buf: &mut [u8]) -> Result<(), ReadError> {
        assert!(buf.len().is_multiple_of(BLOCK_SIZE), "not whole blocks");
        let mut lba = start;
        for block in buf.chunks_exact_mut(BLOCK_SIZE) {
            let Some((address, copy)) = in_place::address_of(&self.runs, lba) else {
                panic!("block {lba} is in no unit that is written");
            };
            self.read_address(address, copy, block)?;
            lba += BlockCount::ONE;
        }
        Ok(())
    }

    fn read_address(&self, address: u32, copy: Copy, out: &mut [u8]) -> Result<(), ReadError> {
        let update = self.update;
        let Some(&source) = update.planned.sources.get(&address) else {
            let read = update.base.read(self.disc, copy, address, out);
            // Of what nothing is in, nothing need be kept.
            return match (read, &update.area) {
                (Err(_), Area::Sparable(area)) if area.is_unused(address) => Ok(()),
                (read, _) => read,
            };
        };
        out.fill(0);
        let new = NewEntries {
            options: &update.options,
            tree: self.tree,
            over: &update.planned.over,
        };
        let place = |inode| -> &EntryPlace {
            let place = update.planned.places.get(&inode);
            place.expect("a new entry has a place")
        };
        match source {
            Source::File(inode) => {
                new.write_file(inode, place(inode), update.partition, &self.files, out)?;
            }
            Source::Continuation(inode, part) => {
                let place = place(inode);
                new.write_continuation(inode, place, part, update.partition, &self.files, out);
            }
            Source::Patched(inode) => return self.patch_old(address, Some(inode), out),
            Source::Cut => return self.patch_old(address, None, out),
            Source::Folder(index) => {
                let directory = &update.planned.directories[index as usize];
                self.write_folder(directory, &new, out);
                if directory.old.is_some() {
                    return Ok(());
                }
            }
            Source::Directory(index, block) => {
                let directory = &update.planned.directories[index as usize];
                copy_block(&directory.bytes, block, out);
                return Ok(());
            }
            Source::StreamDirectory(index) => {
                let directory = &update.planned.stream_directories[index as usize];
                let at = DirectoryPlace {
                    links: 0,
                    bytes: &directory.bytes,
                    blocks: &directory.blocks,
                    unit: update.unit,
                };
                new.write_stream_directory(directory.owner, &directory.place, &at, out);
            }
            Source::Bitmap(number) => {
                let Area::Sparable(area) = &update.area else {
                    unreachable!("only a sparable partition has a bitmap that changes");
                };
                let bitmap = area.bitmap().expect("there is a bitmap");
                return bitmap.read(&update.base, self.disc, number, out);
            }
            Source::Streams(index, block) => {
                let directory = &update.planned.stream_directories[index as usize];
                copy_block(&directory.bytes, block, out);
                return Ok(());
            }
        }
        tags::set_serial(out, update.serial);
        Ok(())
    }

    /// Puts the old entry at an address into `out`, with what changed of an inode and with other
    /// descriptors if they must be cut.
    fn patch_old(
        &self,
        address: u32,
        inode: Option<InodeId>,
        out: &mut [u8],
    ) -> Result<(), ReadError> {
        let update = self.update;
        update.base.read_entry(self.disc, address, out)?;
        let mut patch = Patch {
            body: self.cut_body(address),
            ..Patch::default()
        };
        if let Some(inode) = inode {
            let is_directory = matches!(self.tree.kind(inode), Kind::Directory);
            let links = u16::try_from(self.tree.links(inode)).ok();
            patch.metadata = Some(self.tree.metadata(inode));
            // That of a folder counts the folders in it, which did not change.
            patch.links = links.filter(|_| !is_directory);
            patch.streams = update.planned.old_streams.get(&inode).copied();
        }
        patch.apply(out);
        Ok(())
    }

    /// What leads to a directory that stays, where its descriptors must be cut.
    fn cut_body(&self, entry: u32) -> Option<NewBody> {
        let directory = self.update.planned.cut.get(&entry)?;
        Some(NewBody {
            form: icb_flags::SHORT,
            tail: directory_ads(&directory.blocks, directory.bytes, self.update.unit),
            information_length: directory.bytes,
            blocks_recorded: directory.blocks.len() as u64,
        })
    }

    fn write_folder(&self, directory: &Directory, new: &NewEntries<'_>, out: &mut [u8]) {
        if let Some(old) = &directory.old {
            out.copy_from_slice(old);
            let patch = Patch {
                metadata: Some(self.tree.metadata(directory.inode)),
                links: Some(directory.links),
                body: Some(directory.body(self.update.unit)),
                attributes: directory.attributes.as_deref(),
                streams: self
                    .update
                    .planned
                    .old_streams
                    .get(&directory.inode)
                    .copied(),
                ..Patch::default()
            };
            patch.apply(out);
            return;
        }
        let place = self.update.planned.places.get(&directory.inode);
        let place = place.expect("a new folder has a place");
        let at = DirectoryPlace {
            links: directory.links,
            bytes: &directory.bytes,
            blocks: &directory.blocks,
            unit: self.update.unit,
        };
        new.write_folder(directory.inode, place, &at, out);
    }

    /// The virtual allocation table that leads to the edit: its entry in the block `entry`, right
    /// behind the table itself. It must be the last block that is recorded (UDF 2.2.11).
    ///
    /// # Panics
    /// If the volume has no virtual partition.
    pub fn virtual_table(&self, entry: Lba) -> UpdateStructure {
        let update = self.update;
        let Area::Virtual(area) = &update.area else {
            panic!("only a virtual partition has such a table");
        };
        let found = (&update.planned, update.counts);
        let table = area.table(found, &self.main, update.time);
        let block = entry.blocks_since(update.partition.start_lba()).get();
        let mut bytes = table.render(&update.options, block);
        let at = bytes.len() - BLOCK_SIZE;
        tags::set_serial(&mut bytes[at..], update.serial);
        let before = BlockCount::in_buffer(at);
        UpdateStructure {
            role: UpdateRole::VirtualTable,
            start: Lba::new(entry.get() - before.get()),
            bytes,
        }
    }

    /// What is written besides file data and the new units, in the order of writing.
    pub fn structures(&self) -> Vec<UpdateStructure> {
        let update = self.update;
        let pieces = (&self.main, &self.mirror);
        let mut structures = update.area.structures(update, pieces, self.places);
        let (start, bytes) = update.integrity.clone();
        if !bytes.is_empty() {
            structures.push(UpdateStructure {
                role: UpdateRole::Integrity,
                start,
                bytes,
            });
        }
        // What is committed keeps its order.
        structures.sort_by_key(|structure| structure.role.epoch() > 0);
        structures
    }

    /// Blocks of the disc that only the old metadata use: free for the next edit, not for this
    /// one. File data is not counted.
    pub fn freed(&self) -> BlockRangeList {
        let now = self.main.ranges().union(&self.mirror.ranges());
        let old = self.update.area.old_ranges(&self.update.base);
        old.difference(&now)
    }
}

/// Fills `out`, a block of zeros, with a block of a directory.
fn copy_block(directory: &[u8], block: u32, out: &mut [u8]) {
    let bytes = &directory[block as usize * BLOCK_SIZE..];
    let len = bytes.len().min(BLOCK_SIZE);
    out[..len].copy_from_slice(&bytes[..len]);
}
