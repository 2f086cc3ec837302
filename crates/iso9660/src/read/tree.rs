//! The tree of a volume and the blocks that it and its siblings use.

use reburn_blocks::{BLOCK_SIZE, BlockRange, BlockRangeList, BlockRead, Lba};
use reburn_tree::{Metadata, Tree};

use super::Hierarchy;
use super::boot::boot_image_blocks;
use super::disc::{Disc, addressable};
use super::import::Import;
use super::note::{Note, NoteKind};
use super::volume::{Placed, Volume};
use super::walk::{Ranges, Walk};
use crate::IsoError;

/// A volume's files and folders, and which blocks of the disc they use.
#[derive(Debug)]
pub struct ImportedTree {
    /// Files and folders; the files' content is where it is on the disc.
    pub tree: Tree,
    /// Blocks of descriptors, path tables, directories, continuation areas and boot catalog.
    pub metadata_ranges: BlockRangeList,
    /// Blocks of files, also of those that are not in this tree. May reach past the end of the
    /// disc; then a note says so.
    pub data_ranges: BlockRangeList,
    /// What was read leniently, or is not in the tree.
    pub notes: Vec<Note>,
}

impl Volume {
    /// Reads one tree, and the blocks of all: what a program needs that is going to write to
    /// the disc.
    ///
    /// # Errors
    /// [`IsoError::NoHierarchy`] if the volume has no such tree. Damage in any tree is an
    /// error; [`Volume::read_hierarchy`] does not look at the others.
    pub fn read_tree(
        &self,
        disc: &dyn BlockRead,
        hierarchy: Hierarchy,
    ) -> Result<ImportedTree, IsoError> {
        self.read(Disc::new(disc), hierarchy, true)
    }

    /// Reads one tree and the blocks that it uses, and looks at no other: what a program needs
    /// that only reads.
    pub fn read_hierarchy(
        &self,
        disc: &dyn BlockRead,
        hierarchy: Hierarchy,
    ) -> Result<ImportedTree, IsoError> {
        self.read(Disc::new(disc), hierarchy, false)
    }

    fn read(
        &self,
        disc: Disc<'_>,
        hierarchy: Hierarchy,
        with_others: bool,
    ) -> Result<ImportedTree, IsoError> {
        let is_there = self.hierarchies().contains(&hierarchy);
        let chosen = self.placed(hierarchy).filter(|_| is_there);
        let chosen = chosen.ok_or(IsoError::NoHierarchy(hierarchy))?;
        let mut ranges = Ranges::default();
        ranges.metadata.push(self.descriptor_blocks());
        let import = Some(Import::new(hierarchy));
        let walk = Walk::new(disc, chosen, self.susp(chosen), import, ranges);
        let (tree, mut ranges) = walk.run()?;
        add_path_tables(disc, chosen, &mut ranges);
        if with_others {
            ranges = self.read_others(disc, chosen, ranges)?;
        }
        let boot_images = match self.boot_catalog() {
            Some(catalog) if catalog.get() < disc.end().get() => {
                ranges.metadata.push(BlockRange::single(catalog));
                boot_image_blocks(disc, catalog)?
            }
            _ => Vec::new(),
        };
        let metadata_ranges = ranges.metadata.into_iter().collect();
        let mut data_ranges = ranges.data.into_iter().collect();
        add_boot_images(&boot_images, disc, &metadata_ranges, &mut data_ranges);
        Ok(ImportedTree {
            tree: tree.unwrap_or_else(|| Tree::new(Metadata::directory())),
            metadata_ranges,
            data_ranges,
            notes: ranges.notes.into_vec(),
        })
    }

    /// Adds the blocks of all trees but one. Trees that share their root are one.
    fn read_others(
        &self,
        disc: Disc<'_>,
        chosen: &Placed,
        mut ranges: Ranges,
    ) -> Result<Ranges, IsoError> {
        let root = |placed: &Placed| placed.descriptor.root.head.extent_location.le();
        let mut read = vec![root(chosen)];
        for placed in self.all_placed().filter(|placed| placed.lba != chosen.lba) {
            add_path_tables(disc, placed, &mut ranges);
            if read.contains(&root(placed)) {
                continue;
            }
            read.push(root(placed));
            (_, ranges) = Walk::new(disc, placed, self.susp(placed), None, ranges).run()?;
        }
        Ok(ranges)
    }
}

/// Adds the blocks of a descriptor's path tables (ECMA-119 6.9). Nobody reads the tables
/// themselves: directories say the same and more.
fn add_path_tables(disc: Disc<'_>, placed: &Placed, ranges: &mut Ranges) {
    let descriptor = &placed.descriptor;
    let blocks = u64::from(descriptor.path_table_size.le()).div_ceil(BLOCK_SIZE as u64);
    let tables = [
        ("path_table_l", descriptor.path_table_l.get()),
        (
            "optional_path_table_l",
            descriptor.optional_path_table_l.get(),
        ),
        ("path_table_m", descriptor.path_table_m.get()),
        (
            "optional_path_table_m",
            descriptor.optional_path_table_m.get(),
        ),
    ];
    for (field, start) in tables.into_iter().filter(|&(_, start)| start != 0) {
        match addressable(start, blocks).filter(|table| table.end_exclusive() <= disc.end().get()) {
            Some(table) => ranges.metadata.push(table),
            None => ranges.notes.add(NoteKind::PastEnd, || placed.place(field)),
        }
    }
}

/// Adds the blocks of boot images. A catalog says how much of an image is loaded, not how long
/// it is; one that no tree has as a file may reach up to the next block in use.
fn add_boot_images(
    images: &[BlockRange],
    disc: Disc<'_>,
    metadata: &BlockRangeList,
    data: &mut BlockRangeList,
) {
    let used = metadata.union(data);
    for &image in images {
        let start = image.start_lba();
        if data.contains(start) {
            continue;
        }
        let after = used
            .ranges()
            .partition_point(|range| range.start_lba() <= start);
        let next = used
            .ranges()
            .get(after)
            .map_or(disc.end().get(), |range| range.start_lba().get());
        let last = Lba::new(next - 1).max(image.end_lba());
        data.extend(BlockRange::new(start, last));
    }
}
