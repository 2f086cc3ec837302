//! A disc with UDF.

use reburn_blocks::{BlockRange, BlockRangeList, BlockRead, Lba};
use reburn_udf::{Entries, Incompatible, UdfError, UdfOptions, Volume, VolumeStructures};

use super::{BaseVolume, Found, ImportNote};
use crate::{EntireImageRequired, FileSystems, ImageError, ImportOptions};

/// What an edit must know of the volume.
pub(crate) struct UdfBase {
    pub(crate) volume: Volume,
    pub(crate) structures: VolumeStructures,
    /// Where the entries of the tree's files are.
    pub(crate) entries: Entries,
    /// Blocks that no file may use, as the volume lists them.
    pub(crate) unusable: BlockRangeList,
}

/// Whether the error says that there is no UDF volume, rather than a damaged one.
pub(crate) fn is_absent(error: &UdfError) -> bool {
    matches!(
        error,
        UdfError::Incompatible {
            feature: Incompatible::NotUdf,
            ..
        }
    )
}

pub(super) fn read(disc: &dyn BlockRead, options: &ImportOptions) -> Result<Found, ImageError> {
    let volume = Volume::open(disc, options.udf_session())?;
    let imported = volume.read_tree(disc)?;
    let structures = volume.structures();
    let as_before = volume.write_options();
    let as_before = as_before.ok_or(EntireImageRequired::UdfStructure {
        reason: "it is of a revision that is not written",
    })?;
    let udf = UdfOptions {
        time: options.time,
        ..as_before
    };
    let unused: BlockRangeList = unused_integrity(&structures).collect();
    let unused = unused.union(&free_spares(&structures));
    // An entry that cannot be read is written anew where it is.
    let entries = structures.metadata.iter();
    let entries = entries.flat_map(|metadata| [metadata.entry, metadata.mirror_entry]);
    let entries: BlockRangeList = entries.map(BlockRange::single).collect();
    let used = |ranges: BlockRangeList| ranges.union(&entries).difference(&unused);
    Ok(Found {
        live: used(imported.data_ranges.union(&imported.metadata_ranges)),
        metadata: used(imported.metadata_ranges),
        tree: imported.tree,
        notes: imported.notes.into_iter().map(ImportNote::Udf).collect(),
        file_systems: FileSystems::Udf(udf),
        volume: BaseVolume::Udf(Box::new(UdfBase {
            volume,
            structures,
            entries: imported.entries,
            unusable: imported.unusable,
        })),
    })
}

/// Blocks of spare packets that nothing is in.
fn free_spares(structures: &VolumeStructures) -> BlockRangeList {
    let packet = structures.sparing.as_ref().map(|sparing| sparing.packet);
    let spares = structures.free_spares().into_iter();
    spares
        .filter_map(|start| BlockRange::with_count(start, packet?))
        .collect()
}

/// Blocks of the integrity sequence behind the descriptor that prevails: the next one goes there.
pub(crate) fn unused_integrity(structures: &VolumeStructures) -> impl Iterator<Item = BlockRange> {
    let last = structures.integrity_descriptor;
    structures.integrity.iter().filter_map(move |extent| {
        let next = Lba::checked(u64::from(last?.get()) + 1)?;
        let behind = BlockRange::new(next, extent.end_lba())?;
        extent.contains(last?).then_some(behind)
    })
}
