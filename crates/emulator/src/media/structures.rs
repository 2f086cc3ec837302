//! Structures outside the user's blocks that media of several kinds share: READ DISC STRUCTURE.

use reburn_blocks::BlockCount;
use reburn_mmc::Sense;
use reburn_mmc::command::{MediaType, ReadDiscStructure};

use super::Situation;

/// The physical format information of a DVD (MMC-6, READ DISC STRUCTURE format 00h): book
/// type, size, layers, first and last physical sector.
pub(super) fn dvd_physical(book_type: u8, version: u8, layers: u32, blocks: BlockCount) -> Vec<u8> {
    const FIRST_SECTOR: u32 = 0x3_0000;
    let mut data = vec![0; 2048];
    data[0] = book_type << 4 | version;
    data[1] = 0x0f; // 120 mm, no maximal rate given
    data[2] = u8::from(layers > 1) << 5 | 0x02; // recordable area
    data[5..8].copy_from_slice(&FIRST_SECTOR.to_be_bytes()[1..]);
    let last = FIRST_SECTOR + blocks.get().saturating_sub(1);
    data[9..12].copy_from_slice(&last.to_be_bytes()[1..]);
    data
}

/// What a Blu-ray disc says of itself: its disc information, and its spare clusters if it has
/// any, of which `used` are taken.
pub(super) fn blu_ray(
    now: Situation<'_>,
    command: &ReadDiscStructure,
    class: [u8; 3],
    spares: Option<(u32, u32)>,
) -> Result<Vec<u8>, Sense> {
    match (command.media, command.format, spares) {
        (MediaType::BluRay, 0x00, _) => Ok(disc_information_unit(now, class)),
        (MediaType::BluRay, 0x0a, Some((all, used))) => {
            let mut data = vec![0; 12];
            data[4..8].copy_from_slice(&all.saturating_sub(used).to_be_bytes());
            data[8..12].copy_from_slice(&all.to_be_bytes());
            Ok(data)
        }
        _ => Err(Sense::INVALID_FIELD_IN_CDB),
    }
}

/// The disc information: one unit, with its header and who made the medium.
fn disc_information_unit(now: Situation<'_>, class: [u8; 3]) -> Vec<u8> {
    const LEN: usize = 4098;
    const MANUFACTURER: usize = 100;
    const MEDIA_TYPE: usize = 106;
    let mut data = vec![0; LEN];
    data[..3].copy_from_slice(b"DI\x01");
    data[8..11].copy_from_slice(&class);
    data[12] = now.kind.layers().to_be_bytes()[3];
    data[MANUFACTURER..MANUFACTURER + 6].copy_from_slice(b"REBURN");
    data[MEDIA_TYPE..MEDIA_TYPE + 3].copy_from_slice(b"VRT");
    data
}
