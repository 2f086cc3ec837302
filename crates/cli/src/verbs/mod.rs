//! What the program does, a file a verb.

pub mod burn;
pub mod diff;
pub mod edit;
pub mod get;
pub mod make;
pub mod show;

use std::ffi::OsStr;

use reburn_blocks::Lba;
use reburn_iso9660::{Hierarchy, ImportedTree, Volume};
use reburn_tree::NodeId;

use crate::args::{TreeArg, TreeArgs};
use crate::disc::{DiscName, OpenDisc};
use crate::failure::Failure;
use crate::progress::Terminal;

impl TreeArgs {
    /// The hierarchy asked for.
    fn hierarchy(&self) -> Option<Hierarchy> {
        self.tree.map(|tree| match tree {
            TreeArg::RockRidge => Hierarchy::RockRidge,
            TreeArg::Joliet => Hierarchy::Joliet,
            TreeArg::Enhanced => Hierarchy::Enhanced,
            TreeArg::Plain => Hierarchy::Plain,
        })
    }
}

/// A volume that is open for reading.
struct OpenVolume {
    disc: OpenDisc,
    volume: Volume,
    hierarchy: Hierarchy,
    files: ImportedTree,
}

impl OpenVolume {
    /// Reads the tree of a disc, and tells what was read leniently.
    fn open(name: &DiscName, tree: &TreeArgs, terminal: Terminal) -> Result<Self, Failure> {
        let disc = name.open()?;
        let failed = |error| Failure::from(error).of(name);
        let volume = Volume::open(&*disc.blocks, Lba::ZERO).map_err(failed)?;
        let hierarchy = tree.hierarchy().unwrap_or_else(|| volume.best());
        let files = volume
            .read_hierarchy(&*disc.blocks, hierarchy)
            .map_err(failed)?;
        for note in &files.notes {
            terminal.note(&format!("{name}: {note}"));
        }
        Ok(Self {
            disc,
            volume,
            hierarchy,
            files,
        })
    }

    /// The node at a path, or the root.
    fn find(&self, name: &DiscName, path: Option<&OsStr>) -> Result<NodeId, Failure> {
        let path = path.unwrap_or_default();
        self.files
            .tree
            .lookup(path.as_encoded_bytes())
            .ok_or_else(|| {
                let path = path.display();
                Failure::usage(format!(
                    "{name} has no {path}; `reburn show {name}` lists what it has"
                ))
            })
    }
}
