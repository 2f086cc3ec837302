//! The boot catalog of El Torito, an entry a sheet.

use std::ops::ControlFlow;

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Sheet;

use super::meaning::Context;
use super::{Inspector, Show, add, say};
use crate::records::{BootEntry, SectionExtension, SectionHeader, ValidationEntry};

const ENTRY_BYTES: usize = 32;

impl Inspector<'_> {
    /// Shows a boot catalog: of its first block the entries up to the first that is empty.
    pub(super) fn boot_catalog(&self, block: u32, show: Show<'_>) -> ControlFlow<()> {
        match self.read(block) {
            Ok(bytes) => catalog(&bytes, block, show),
            Err(problem) => say("The boot catalog cannot be read", block, 0, problem, show),
        }
    }
}

/// Whether a block is a boot catalog.
pub(super) fn is_catalog(bytes: &[u8; BLOCK_SIZE]) -> bool {
    bytes[0] == ValidationEntry::HEADER_ID
        && bytes[30..32] == ValidationEntry::KEY_BYTES
        && sum(&bytes[..ENTRY_BYTES]) == 0
}

/// The sum of the words of the validation entry, which must be zero.
fn sum(entry: &[u8]) -> u16 {
    let (words, _) = entry.as_chunks::<2>();
    let words = words.iter().map(|word| u16::from_le_bytes(*word));
    words.fold(0, u16::wrapping_add)
}

pub(super) fn catalog(bytes: &[u8; BLOCK_SIZE], block: u32, show: Show<'_>) -> ControlFlow<()> {
    let context = Context::default();
    let mut expected = 1u16;
    for (index, entry) in bytes.chunks_exact(ENTRY_BYTES).enumerate() {
        let mut sheet = Sheet::new("", block, index * ENTRY_BYTES);
        let title = match entry[0] {
            _ if index == 0 => {
                add::<ValidationEntry>(&mut sheet, 0, entry, context);
                if sum(entry) != 0 {
                    sheet.note(format!("the words' sum is {:#06x}, not zero", sum(entry)));
                }
                if entry[30..] != ValidationEntry::KEY_BYTES {
                    sheet.note("the key bytes are not 55 aa");
                }
                "Boot catalog, validation entry"
            }
            SectionHeader::MORE | SectionHeader::LAST => {
                let added = add::<SectionHeader>(&mut sheet, 0, entry, context);
                expected = added.map_or(0, |(header, _)| header.section_entries.get());
                "Boot catalog, section header"
            }
            SectionExtension::INDICATOR if index > 1 => {
                add::<SectionExtension>(&mut sheet, 0, entry, context);
                "Boot catalog, section entry extension"
            }
            BootEntry::BOOTABLE | BootEntry::NOT_BOOTABLE if expected > 0 => {
                expected -= 1;
                add::<BootEntry>(&mut sheet, 0, entry, context);
                if index == 1 {
                    "Boot catalog, initial entry"
                } else {
                    "Boot catalog, section entry"
                }
            }
            _ if entry.iter().all(|&byte| byte == 0) => break,
            _ => {
                sheet.hex(0, "bytes", "", entry);
                "Boot catalog, something else"
            }
        };
        sheet.title = title.into();
        show(&sheet)?;
    }
    ControlFlow::Continue(())
}
