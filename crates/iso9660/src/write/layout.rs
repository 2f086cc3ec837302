//! Sizes of everything, before anything has an address.

use std::sync::Arc;

use reburn_blocks::{BlockCount, BlockRange, Lba};
use reburn_tree::{InodeId, Kind, Tree};

use super::descriptors::{Descriptors, descriptor_count};
use super::hierarchy::HierarchyLayout;
use super::relocation::{Relocation, first_too_deep};
use super::sections::section_lengths;
use super::{DeepDirectories, FilePlacement, IsoOptions, LayoutError, Level, Placed};
use crate::Hierarchy;
use crate::names::NameRules;
use crate::records::SYSTEM_AREA_BLOCKS;

/// The longest name that readers of Rock Ridge take.
const NAME_MAX: usize = 255;

/// How a tree becomes a volume: which directories there are in each hierarchy and how large
/// everything is.
///
/// A layout is made from one tree and goes with that tree as it was then; it holds neither
/// names nor contents. It takes about 4 bytes an inode and 50 a directory and hierarchy.
#[derive(Debug)]
pub struct Layout {
    pub(super) options: IsoOptions,
    pub(super) hierarchies: Vec<HierarchyLayout>,
    /// By inode; one more for the relocation folder.
    pub(super) serials: Vec<u32>,
    metadata_blocks: BlockCount,
    /// Tells this layout from all others.
    pub(super) identity: Arc<()>,
}

impl Layout {
    /// Lays out `tree`. Nothing is read; no address is known yet.
    pub fn new(tree: &Tree, options: &IsoOptions) -> Result<Self, LayoutError> {
        check_files(tree, options)?;
        Descriptors::check(tree, &options.texts)?;
        let serials = serial_numbers(tree);
        let plain = options.level.names();
        let (kind, relocation) = primary(tree, options, plain)?;
        let mut hierarchies = vec![HierarchyLayout::new(
            tree, kind, plain, relocation, &serials,
        )?];
        let others = [
            (Hierarchy::Joliet, options.joliet.names()),
            (
                Hierarchy::Enhanced,
                options.enhanced.then_some(NameRules::Enhanced),
            ),
        ];
        for (kind, rules) in others {
            if let Some(rules) = rules {
                hierarchies.push(HierarchyLayout::new(tree, kind, rules, None, &serials)?);
            }
        }
        let mut blocks = 0;
        for hierarchy in &mut hierarchies {
            hierarchy.place_path_tables(&mut blocks);
        }
        for hierarchy in &mut hierarchies {
            hierarchy.place_directories(&mut blocks);
        }
        let metadata_blocks =
            BlockCount::checked(blocks).ok_or(LayoutError::MetadataTooLarge { blocks })?;
        Ok(Self {
            options: options.clone(),
            hierarchies,
            serials,
            metadata_blocks,
            identity: Arc::new(()),
        })
    }

    /// Blocks of the volume descriptors, terminator included.
    pub fn descriptor_blocks(&self) -> BlockCount {
        BlockCount::new(descriptor_count(self.hierarchies.len()))
    }

    /// Blocks of all path tables and directories, which form one run.
    pub fn metadata_blocks(&self) -> BlockCount {
        self.metadata_blocks
    }

    /// Where the volume descriptors of a session stand that starts at `session_start`.
    pub fn descriptors_start(session_start: Lba) -> Lba {
        session_start + BlockCount::new(SYSTEM_AREA_BLOCKS)
    }

    /// The layout with addresses: metadata from `metadata_start` on, files where `files` says.
    ///
    /// # Panics
    /// If `tree` is not the one that the layout was made from, as far as that shows, or if the
    /// metadata would end past [`Lba::MAX`].
    pub fn place<'a>(
        &'a self,
        tree: &'a Tree,
        metadata_start: Lba,
        files: &'a dyn FilePlacement,
    ) -> Placed<'a> {
        assert_eq!(
            tree.inode_limit() + 1,
            self.serials.len(),
            "the tree has changed since it was laid out"
        );
        let metadata = BlockRange::with_count(metadata_start, self.metadata_blocks)
            .expect("metadata would end past the last address of a disc");
        Placed {
            layout: self,
            tree,
            metadata,
            files,
        }
    }
}

/// The primary hierarchy: its kind, and which of its folders move.
fn primary(
    tree: &Tree,
    options: &IsoOptions,
    rules: NameRules,
) -> Result<(Hierarchy, Option<Relocation>), LayoutError> {
    match (options.rock_ridge, options.deep) {
        (true, DeepDirectories::Relocate) => {
            Ok((Hierarchy::RockRidge, Relocation::plan(tree, rules)?))
        }
        (true, DeepDirectories::InPlace) => Ok((Hierarchy::RockRidge, None)),
        (false, DeepDirectories::InPlace) => Ok((Hierarchy::Plain, None)),
        (false, DeepDirectories::Relocate) => match first_too_deep(tree, rules) {
            Some(folder) => Err(LayoutError::TooDeep {
                path: tree.display_path(folder),
            }),
            None => Ok((Hierarchy::Plain, None)),
        },
    }
}

/// Checks what each file and name must obey whatever directory it is in.
fn check_files(tree: &Tree, options: &IsoOptions) -> Result<(), LayoutError> {
    for (node, _) in tree.walk(Tree::ROOT) {
        let len = tree.name(node).len();
        if options.rock_ridge && len > NAME_MAX {
            return Err(LayoutError::NameTooLong {
                path: tree.display_path(node),
                len,
                max: NAME_MAX,
            });
        }
        let inode = tree.inode(node);
        if let Kind::File { size, .. } = tree.kind(inode)
            && options.level != Level::Three
        {
            let sections = section_lengths(tree, inode).count() as u64;
            if sections > 1 {
                return Err(LayoutError::Sections {
                    path: tree.display_path(node),
                    size,
                    sections,
                    level: options.level.number(),
                });
            }
        }
    }
    Ok(())
}

/// A serial number for each inode, in the order of paths, so that it does not matter how the
/// tree came about; one more for the relocation folder.
fn serial_numbers(tree: &Tree) -> Vec<u32> {
    let mut serials = vec![0; tree.inode_limit() + 1];
    let mut next = 1;
    let mut give = |inode: InodeId| {
        let serial = &mut serials[inode.index()];
        if *serial == 0 {
            *serial = next;
            next += 1;
        }
    };
    for (node, _) in tree.walk(Tree::ROOT) {
        give(tree.inode(node));
    }
    if let Some(last) = serials.last_mut() {
        *last = next;
    }
    serials
}
