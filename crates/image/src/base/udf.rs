//! A disc with UDF.

use reburn_blocks::BlockRead;
use reburn_udf::{Incompatible, Session, UdfError, UdfOptions, Volume};

use super::{BaseVolume, Found, ImportNote};
use crate::{FileSystems, ImageError, ImportOptions};

/// What an edit must know of the volume.
pub(crate) struct UdfBase {
    pub(crate) volume: Volume,
}

/// Whether the error says that there is no UDF volume, rather than a damaged one.
pub(super) fn is_absent(error: &UdfError) -> bool {
    matches!(
        error,
        UdfError::Incompatible {
            feature: Incompatible::NotUdf,
            ..
        }
    )
}

pub(super) fn read(disc: &dyn BlockRead, options: &ImportOptions) -> Result<Found, ImageError> {
    let volume = Volume::open(disc, Session::default())?;
    let imported = volume.read_tree(disc)?;
    let udf = UdfOptions {
        time: options.time,
        ..UdfOptions::default()
    };
    Ok(Found {
        live: imported.data_ranges.union(&imported.metadata_ranges),
        metadata: imported.metadata_ranges,
        tree: imported.tree,
        notes: imported.notes.into_iter().map(ImportNote::Udf).collect(),
        file_systems: FileSystems::Udf(udf),
        volume: BaseVolume::Udf(Box::new(UdfBase { volume })),
    })
}
