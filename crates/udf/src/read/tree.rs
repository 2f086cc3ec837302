//! The tree of a volume and the blocks that it uses.

use std::cell::RefCell;

use reburn_blocks::{BlockRangeList, BlockRead};
use reburn_tree::Tree;

use super::Volume;
use super::disc::Disc;
use super::entries::Entries;
use super::entry::Reader;
use super::note::Note;
use super::partitions::{Address, Kind};
use super::walk::Walk;
use crate::records::FileSetDescriptor;
use crate::{Place, UdfError};

/// A volume's files and folders, and which blocks of the disc they use.
#[derive(Debug)]
pub struct ImportedTree {
    /// Files and folders with their named streams and extended attributes. Content is where it
    /// is on the disc.
    pub tree: Tree,
    /// Blocks with anything of descriptors, entries, directories, tables and attributes; of
    /// spare packets too.
    pub metadata_ranges: BlockRangeList,
    /// Blocks of files and streams, also of those that are not in the tree, and blocks that no
    /// file may use. May reach past the end of the disc; then a note says so.
    pub data_ranges: BlockRangeList,
    /// Where the entries of the tree's inodes are.
    pub entries: Entries,
    /// Blocks that no file may use, as the volume lists them: damaged ones.
    pub unusable: BlockRangeList,
    /// The volume's own streams but for that list, which the tree does not have.
    pub streams: Vec<NamedStream>,
    /// What was read leniently, or is not in the tree; with what opening the volume noted.
    pub notes: Vec<Note>,
}

/// A stream of the system stream directory (UDF 3.3.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedStream {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
}

impl Volume {
    /// Reads all files and folders.
    pub fn read_tree(&self, disc: &dyn BlockRead) -> Result<ImportedTree, UdfError> {
        let disc = Disc::new(disc);
        let notes = RefCell::new(self.notes.clone());
        let reader = Reader::new(&disc, &self.partitions, &notes);
        let mut metadata = self.blocks.clone();
        for (index, map) in (0u16..).zip(&self.partitions.maps) {
            if matches!(map.kind, Kind::Plain | Kind::Sparable(_))
                && let Some((descriptor, at)) = self.sequence.partitions.get(&map.number)
                // A damaged bitmap does not disturb reading.
                && let Ok(Some(space)) = reader.free_space(index, descriptor, *at)
            {
                metadata.extend(space.blocks);
            }
        }
        let place = |field| Place::of::<FileSetDescriptor>(self.file_set_at, field);
        let root = &self.file_set.root_directory_icb;
        let mut walk = Walk::new(&reader, self.file_set_partition());
        walk.start(
            Address::of(root.extent_location),
            place("root_directory_icb"),
        )?;
        walk.run()?;
        let system = &self.file_set.system_stream_directory_icb;
        if !system.is_none() {
            let address = Address::of(system.extent_location);
            walk.read_system_streams(address, place("system_stream_directory_icb"))?;
        }
        let found = walk.finish();
        drop(reader);
        let walked: BlockRangeList = found.metadata.into_iter().collect();
        let data_ranges = found.data.into_iter().collect();
        let mut entries = found.entries;
        let ranges = [&walked, &data_ranges];
        let partitions = (&self.partitions, self.file_set_partition());
        entries.note_used(partitions, ranges, self.file_set_blocks());
        let metadata_ranges = metadata.into_iter().collect::<BlockRangeList>();
        let metadata_ranges = metadata_ranges.union(&walked);
        Ok(ImportedTree {
            tree: found.tree,
            metadata_ranges,
            data_ranges,
            entries,
            unusable: found.unusable.into_iter().collect(),
            streams: found.streams,
            notes: notes.into_inner().into_vec(),
        })
    }
}
