//! A disc with ISO 9660 and UDF over the same file data.
//!
//! The tree is taken from UDF, which has all that Rock Ridge has. Both are laid out anew when the
//! tree changes, so they must show the same: what only one of them has would be lost.

use std::mem::discriminant;

use reburn_blocks::{BlockRange, BlockRangeList, BlockRead};
use reburn_iso9660::Hierarchy;
use reburn_tree::{Content, Extent, Kind, NodeId, Tree};
use reburn_udf::{UdfOptions, UdfRevision, stays_in_place};

use super::{BaseVolume, Found, iso, udf};
use crate::{EntireImageRequired, FileSystems, ImageError, ImportOptions};

/// Reads both file systems of a disc whose ISO 9660 volume was opened.
pub(super) fn read(
    disc: &dyn BlockRead,
    volume: reburn_iso9660::Volume,
    options: &ImportOptions,
) -> Result<Found, ImageError> {
    let has_rock_ridge = volume.hierarchies().contains(&Hierarchy::RockRidge);
    let udf = udf::read(disc, options)?;
    let (FileSystems::Udf(udf_options), BaseVolume::Udf(udf_base)) = (udf.file_systems, udf.volume)
    else {
        unreachable!("a UDF volume was read")
    };
    if !has_rock_ridge {
        return Err(match udf_options.revision {
            UdfRevision::V1_02 => EntireImageRequired::DvdVideo,
            _ => EntireImageRequired::NoRockRidge,
        }
        .into());
    }
    let iso = iso::read_volume(disc, volume, Hierarchy::RockRidge, options)?;
    let (FileSystems::Iso(iso_options), BaseVolume::Iso(iso_base)) = (iso.file_systems, iso.volume)
    else {
        unreachable!("an ISO 9660 volume was read")
    };
    check_same(&iso.tree, &udf.tree)?;
    let udf_options = UdfOptions {
        // ISO 9660 cannot point into an entry.
        embed_files: false,
        ..udf_options
    };
    let mut notes = iso.notes;
    notes.extend(udf.notes);
    Ok(Found {
        volume: BaseVolume::Bridge(iso_base, udf_base),
        live: iso.live.union(&udf.live),
        metadata: iso.metadata.union(&udf.metadata),
        tree: udf.tree,
        notes,
        file_systems: FileSystems::Bridge(iso_options, udf_options),
    })
}

/// Checks that both trees have the same names, and the same files in the same blocks.
pub(crate) fn check_same(iso: &Tree, udf: &Tree) -> Result<(), EntireImageRequired> {
    let differs = |tree: &Tree, node: NodeId, what| {
        Err(EntireImageRequired::BridgeDiffers {
            path: tree.display_path(node),
            what,
        })
    };
    let mut folders = vec![(Tree::ROOT, Tree::ROOT)];
    while let Some((in_iso, in_udf)) = folders.pop() {
        for &node in udf.children(in_udf) {
            let Some(other) = iso.child(in_iso, udf.name(node)) else {
                return differs(udf, node, "ISO 9660 does not have it");
            };
            if let Some(what) = difference((iso, other), (udf, node)) {
                return differs(udf, node, what);
            }
            if udf.is_directory(node) {
                folders.push((other, node));
            }
        }
        let mut rest = iso.children(in_iso).iter();
        if let Some(&node) = rest.find(|&&node| udf.child(in_udf, iso.name(node)).is_none()) {
            return differs(iso, node, "UDF does not have it");
        }
    }
    Ok(())
}

/// Whether trees with the same names also say the same of their files: permissions, owners and
/// times, as far as both have them.
pub(crate) fn is_same_metadata(iso: &Tree, udf: &Tree) -> bool {
    let said = |tree: &Tree, node: NodeId| {
        let metadata = tree.metadata(tree.inode(node));
        let owner = (metadata.uid, metadata.gid);
        (metadata.permissions, owner, metadata.modified.seconds())
    };
    udf.walk(Tree::ROOT).all(|(node, _)| {
        let other = iso.lookup(&udf.path(node));
        other.is_some_and(|other| said(iso, other) == said(udf, node))
    })
}

/// What differs between two files of the same name.
fn difference(
    (iso, in_iso): (&Tree, NodeId),
    (udf, in_udf): (&Tree, NodeId),
) -> Option<&'static str> {
    let kinds = (iso.kind(iso.inode(in_iso)), udf.kind(udf.inode(in_udf)));
    if discriminant(&kinds.0) != discriminant(&kinds.1) {
        return Some("it is of two kinds");
    }
    match kinds {
        (
            Kind::File {
                size: in_iso,
                content: Content::Base(iso),
            },
            Kind::File {
                size: in_udf,
                content: Content::Base(udf),
            },
        ) => {
            if in_iso != in_udf {
                Some("it has two sizes")
            } else if in_udf > 0 && !(stays_in_place(udf) && are_same_blocks(iso, udf)) {
                Some("its data are in different blocks")
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Whether extents begin with the same block and have the same ones in all.
fn are_same_blocks(iso: &[Extent], udf: &[Extent]) -> bool {
    let blocks = |extents: &[Extent]| -> BlockRangeList {
        extents.iter().filter_map(Extent::blocks).collect()
    };
    let first = |extents: &[Extent]| {
        let mut ranges = extents.iter().filter_map(Extent::blocks);
        ranges.next().map(BlockRange::start_lba)
    };
    first(iso) == first(udf) && blocks(iso) == blocks(udf)
}
