//! Folding: what edits left in spare packets goes back to where it belongs, and the tables are
//! emptied, so that the spare packets are free again.
//!
//! ```text
//! copies | all sparing tables but the first | first sparing table |
//! ```
//!
//! Readers look at the spare packets until a table says otherwise, so a torn copy does not matter.

use std::collections::BTreeMap;

use reburn_blocks::{BlockRead, Lba};
use reburn_tree::Timestamp;

use super::area::Area;
use super::blocks::{BaseBlocks, Pieces};
use super::integrity::Counts;
use super::plan::Planned;
use super::{Update, UpdateError, UpdateOptions};
use crate::read::Base;
use crate::write::{Over, UdfOptions};
use crate::{EditObstacle, Entries, Volume};

impl Update {
    /// An edit that changes nothing, and moves what is in spare packets of a sparable partition
    /// back. It has no integrity descriptor: the volume says the same as before.
    ///
    /// # Errors
    /// As [`Update::new`].
    pub fn fold(
        volume: &Volume,
        disc: &dyn BlockRead,
        entries: &Entries,
        options: &UpdateOptions,
    ) -> Result<Self, UpdateError> {
        let structures = volume.structures();
        if let Some(obstacle) = structures.obstacle {
            return Err(obstacle.into());
        }
        let udf = volume.write_options().ok_or(EditObstacle::Partitions)?;
        let base = Base::new(volume, disc);
        let loaded = Area::load(volume, &structures, (&base, disc), entries, options)?;
        let (Area::Sparable(mut area), partition) = loaded else {
            return Err(EditObstacle::Partitions.into());
        };
        let reason = "something is where a packet belongs that is elsewhere";
        let units = area.fold().ok_or(UpdateError::Sparing { reason })?;
        let main = Pieces::new(base.main_pieces());
        let planned = Planned {
            sources: BTreeMap::new(),
            directories: Vec::new(),
            stream_directories: Vec::new(),
            old_streams: BTreeMap::new(),
            cut: BTreeMap::new(),
            places: BTreeMap::new(),
            over: Over::new(),
            units,
            end: main.end(),
            free: Vec::new(),
            next_unique_id: 0,
            newest: Timestamp::EPOCH,
        };
        Ok(Self {
            options: UdfOptions {
                write_unit: options.write_unit,
                ..udf
            },
            serial: volume.tag_serial(),
            unit: area.packet(),
            partition,
            area: Area::Sparable(area),
            base: BaseBlocks { main, mirror: None },
            planned,
            time: Timestamp::EPOCH,
            integrity: (Lba::ZERO, Vec::new()),
            counts: Counts::default(),
            is_in_place: false,
        })
    }
}
