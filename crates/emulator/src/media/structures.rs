//! Structures outside the user's blocks that media of several kinds share: READ DISC STRUCTURE.

use reburn_blocks::BlockCount;
use reburn_mmc::Sense;
use reburn_mmc::command::{MediaType, ReadDiscStructure};
use reburn_mmc::reply::{DiscUnit, PhysicalFormat, SpareAreas};

use super::Situation;

/// Areas of a DVD that are recorded once.
pub(super) const RECORDABLE: u8 = 2;
/// Areas of a DVD that are recorded again.
pub(super) const REWRITABLE: u8 = 4;

/// What kind of DVD it is, and where its data lie.
pub(super) fn dvd_physical(
    book: u8,
    version: u8,
    layers: u32,
    layer_kinds: u8,
    blocks: BlockCount,
) -> PhysicalFormat {
    let first_sector = PhysicalFormat::FIRST_SECTOR;
    let last = |blocks: u32| first_sector + blocks.saturating_sub(1);
    let dual = layers > 1;
    PhysicalFormat {
        book,
        version,
        size: 0,
        rate: 15,
        layers: u8::from(dual),
        opposite_path: dual,
        layer_kinds,
        densities: 0,
        first_sector,
        last_sector: last(blocks.get()),
        layer_0_end: if dual { last(blocks.get() / 2) } else { 0 },
        burst_cutting_area: false,
    }
}

/// What a Blu-ray disc says of itself: its disc information, and its spare clusters if it has
/// any, of which `used` are taken.
pub(super) fn blu_ray(
    now: Situation<'_>,
    command: &ReadDiscStructure,
    kind: [u8; 3],
    spares: Option<(u32, u32)>,
) -> Result<Vec<u8>, Sense> {
    match (command.media, command.format, spares) {
        (MediaType::BluRay, 0x00, _) => Ok(DiscUnit {
            kind,
            layers: now.kind.layers().to_be_bytes()[3],
            manufacturer: *b"REBURN",
            media_type: *b"VRT",
            revision: 0,
        }
        .encode()),
        (MediaType::BluRay, 0x0a, Some((total, used))) => Ok(SpareAreas {
            free: total.saturating_sub(used),
            total,
        }
        .encode()),
        _ => Err(Sense::INVALID_FIELD_IN_CDB),
    }
}
