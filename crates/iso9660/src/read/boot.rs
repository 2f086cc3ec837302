//! The boot catalog of El Torito, as far as it tells which blocks are in use.

use reburn_blocks::{BLOCK_SIZE, BlockRange, Lba};

use super::disc::{Disc, addressable};
use crate::IsoError;

const ENTRY_BYTES: usize = 32;
/// First byte of a validation entry (El Torito 2.1).
const VALIDATION: u8 = 0x01;
/// First byte of an entry whose image can be booted, and of one whose image cannot (2.2).
const BOOTABLE: u8 = 0x88;
const NOT_BOOTABLE: u8 = 0x00;
/// First byte of a section header, with more sections after it and as the last one (2.3).
const SECTION: u8 = 0x90;
const LAST_SECTION: u8 = 0x91;
/// First byte of an entry that only adds to the one before (2.5).
const EXTENSION: u8 = 0x44;
/// Sector counts in a catalog are of 512 bytes.
const SECTORS_A_BLOCK: u64 = 4;

/// The blocks that a boot catalog says to load, of those images that are on the disc, at least
/// the first one of each. Empty where no catalog is.
///
/// Only the first block of a catalog is read: its 63 entries are more than any firmware looks
/// at.
pub(super) fn boot_image_blocks(disc: Disc<'_>, catalog: Lba) -> Result<Vec<BlockRange>, IsoError> {
    let mut bytes = [0; BLOCK_SIZE];
    disc.read("the boot catalog", catalog, &mut bytes)?;
    let mut entries = bytes.chunks_exact(ENTRY_BYTES);
    let valid = entries
        .next()
        .is_some_and(|entry| entry[0] == VALIDATION && entry[30..] == [0x55, 0xaa]);
    if !valid {
        return Ok(Vec::new());
    }
    Ok(images(entries)
        .filter_map(|entry| {
            let start = u32::from_le_bytes([entry[8], entry[9], entry[10], entry[11]]);
            let sectors = u64::from(u16::from_le_bytes([entry[6], entry[7]]));
            let blocks = sectors.div_ceil(SECTORS_A_BLOCK).max(1);
            addressable(start, blocks).filter(|range| range.end_exclusive() <= disc.end().get())
        })
        .collect())
}

/// The initial entry, and after it as many entries as each section header announces.
fn images<'a>(entries: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = &'a [u8]> {
    let mut announced = 1;
    let mut done = false;
    let mut in_sections = false;
    entries.filter(move |entry| {
        let kind = entry[0];
        if done || (in_sections && kind == EXTENSION) {
            return false;
        }
        if in_sections && matches!(kind, SECTION | LAST_SECTION) {
            announced = u16::from_le_bytes([entry[2], entry[3]]);
            return false;
        }
        in_sections = true;
        done = announced == 0;
        announced = announced.saturating_sub(1);
        !done && matches!(kind, BOOTABLE | NOT_BOOTABLE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(first: u8, sectors: u16, start: u32) -> Vec<u8> {
        let mut entry = vec![first, 0, 0, 0, 0, 0];
        entry.extend(sectors.to_le_bytes());
        entry.extend(start.to_le_bytes());
        entry.resize(ENTRY_BYTES, 0);
        entry
    }

    fn section(first: u8, count: u8) -> Vec<u8> {
        let mut header = vec![first, 0xef, count];
        header.resize(ENTRY_BYTES, 0);
        header
    }

    #[test]
    fn images_of_bios_and_uefi_are_found() {
        let mut validation = vec![0; ENTRY_BYTES];
        validation[0] = VALIDATION;
        validation[30..].copy_from_slice(&[0x55, 0xaa]);
        let mut disc = [
            validation,
            entry(BOOTABLE, 4, 10),
            section(SECTION, 1),
            entry(BOOTABLE, 9, 20),
            entry(EXTENSION, 0, 25),
            section(LAST_SECTION, 2),
            entry(BOOTABLE, 4, 4_000_000),
            entry(NOT_BOOTABLE, 0, 29),
            entry(BOOTABLE, 4, 26),
        ]
        .concat();
        disc.resize(BLOCK_SIZE * 30, 0);
        let images = boot_image_blocks(Disc::new(&disc), Lba::ZERO).unwrap();
        let shown: Vec<_> = images.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["10", "20-22", "29"]);
        disc[30] = 0;
        let images = boot_image_blocks(Disc::new(&disc), Lba::ZERO).unwrap();
        assert_eq!(images, []);
    }
}
