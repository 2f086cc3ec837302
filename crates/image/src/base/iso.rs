//! A disc with ISO 9660.

use reburn_blocks::{BLOCK_SIZE, BlockCount, BlockRange, BlockRead, Lba, ReadError};
use reburn_iso9660::{Hierarchy, Volume};

use super::{BaseVolume, Found, ImportNote, first_blocks};
use crate::iso_options::as_before;
use crate::session::{self, Sessions};
use crate::{FileSystems, ImageError, ImportOptions, Medium};

/// What an edit must know of the volume.
pub(crate) struct IsoBase {
    pub(crate) volume: Volume,
    pub(crate) sessions: Sessions,
    /// A boot record as it stands on the disc (El Torito 2.0); its addresses stay true.
    pub(crate) boot_record: Option<Box<[u8; BLOCK_SIZE]>>,
}

impl IsoBase {
    pub(super) fn label(&self) -> String {
        let volume = &self.volume;
        volume.volume_identifier(volume.best()).unwrap_or_default()
    }
}

pub(super) fn read_volume(
    disc: &dyn BlockRead,
    volume: Volume,
    hierarchy: Hierarchy,
    options: &ImportOptions,
) -> Result<Found, ImageError> {
    let imported = volume.read_tree(disc, hierarchy)?;
    let sessions = Sessions::decode(&volume.primary().application_use);

    let mut live = imported.data_ranges.union(&imported.metadata_ranges);
    if options.append.is_none() {
        live.insert(first_blocks(session::FIRST_START + session::SYSTEM_AREA));
    }
    live.extend(
        sessions
            .iter()
            .flat_map(|s| s.heads(volume.descriptor_blocks().block_count())),
    );
    if sessions.is_none() && options.medium == Medium::File && options.append.is_none() {
        // Another program's image may have a partition or a backup table behind the volume.
        let end = Lba::checked(volume.volume_space().get().into());
        let tail = end.zip(disc.block_count().get().checked_sub(1).map(Lba::new));
        live.extend(tail.and_then(|(start, end)| BlockRange::new(start, end)));
    }
    let sessions = sessions.unwrap_or_default();
    let iso = as_before(&volume, sessions.style, options.time);
    let boot_record = read_boot_record(disc, &volume)?;
    Ok(Found {
        live,
        metadata: imported.metadata_ranges,
        tree: imported.tree,
        notes: imported.notes.into_iter().map(ImportNote::Iso).collect(),
        file_systems: FileSystems::Iso(iso),
        volume: BaseVolume::Iso(Box::new(IsoBase {
            volume,
            sessions,
            boot_record,
        })),
    })
}

fn read_boot_record(
    disc: &dyn BlockRead,
    volume: &Volume,
) -> Result<Option<Box<[u8; BLOCK_SIZE]>>, ReadError> {
    if volume.boot_catalog().is_none() {
        return Ok(None);
    }
    let mut block = Box::new([0; BLOCK_SIZE]);
    // Right after the primary descriptor (El Torito 2.0).
    let primary = volume.start() + session::SYSTEM_AREA;
    disc.read_blocks(primary + BlockCount::ONE, &mut *block)?;
    Ok(Some(block))
}
