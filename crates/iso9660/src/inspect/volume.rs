//! Volume descriptors, and what they lead to: path tables and boot catalog.

use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_record::{Record, Sheet};

use super::meaning::{Context, descriptor_type, joliet_level};
use super::path_table::Table;
use super::{Inspector, Show, add, say};
use crate::records::{
    BOOT_RECORD, BootRecord, PRIMARY, STANDARD_IDENTIFIER, SUPPLEMENTARY, SYSTEM_AREA_BLOCKS,
    TERMINATOR, VolumeDescriptor, VolumeDescriptorHead,
};

/// Descriptors that are looked at.
const DESCRIPTORS_MAX: u32 = 100;

impl Inspector<'_> {
    /// Shows what a volume is made of: all descriptors, then boot catalog and path tables.
    pub fn volume(&self, show: Show<'_>) -> ControlFlow<()> {
        let Some(first) = self.first_descriptor() else {
            return ControlFlow::Continue(());
        };
        let mut tables: Vec<Table> = Vec::new();
        let mut catalogs = Vec::new();
        for block in (first.get()..self.end()).take(DESCRIPTORS_MAX as usize) {
            let bytes = match self.read(block) {
                Ok(bytes) => bytes,
                Err(problem) => {
                    say("A descriptor that cannot be read", block, 0, problem, show)?;
                    break;
                }
            };
            if !is_descriptor(&bytes) {
                let problem = "the set of descriptors ends here without a terminator";
                say("No volume descriptor", block, 0, problem, show)?;
                break;
            }
            show(&sheet(&bytes, block))?;
            match bytes[0] {
                PRIMARY | SUPPLEMENTARY => {
                    if let Ok((descriptor, _)) = VolumeDescriptor::view(&bytes) {
                        Table::add(descriptor, &mut tables);
                    }
                }
                BOOT_RECORD => {
                    if let Ok((record, _)) = BootRecord::view(&bytes)
                        && record.boot_system_identifier.trimmed() == BootRecord::EL_TORITO
                    {
                        catalogs.push(record.boot_catalog.get());
                    }
                }
                TERMINATOR => break,
                _ => {}
            }
        }
        for catalog in catalogs {
            self.boot_catalog(catalog, show)?;
        }
        for table in &tables {
            self.path_table(table, show)?;
        }
        ControlFlow::Continue(())
    }

    /// Where the first descriptor must be (ECMA-119 6.7.1).
    pub(super) fn first_descriptor(&self) -> Option<Lba> {
        Lba::checked(u64::from(self.start.get()) + u64::from(SYSTEM_AREA_BLOCKS))
    }
}

/// Whether a block says that it is a volume descriptor.
pub(super) fn is_descriptor(bytes: &[u8; BLOCK_SIZE]) -> bool {
    bytes[1..6] == STANDARD_IDENTIFIER
}

/// The sheet of a volume descriptor.
pub(super) fn sheet(bytes: &[u8; BLOCK_SIZE], block: u32) -> Sheet {
    let kind = bytes[0];
    let mut sheet = Sheet::new("", block, 0);
    let level = joliet_level(&bytes[88..]).filter(|_| kind == SUPPLEMENTARY);
    let context = Context {
        is_joliet: level.is_some(),
    };
    let mut title = match kind {
        PRIMARY | SUPPLEMENTARY => {
            add::<VolumeDescriptor>(&mut sheet, 0, bytes, context);
            match (level, bytes[6]) {
                (Some(level), _) => {
                    format!("supplementary volume descriptor, Joliet level {level}")
                }
                (None, 2) if kind == SUPPLEMENTARY => "enhanced volume descriptor".into(),
                _ => descriptor_type(kind).into(),
            }
        }
        BOOT_RECORD => {
            let added = add::<BootRecord>(&mut sheet, 0, bytes, context);
            let is_el_torito = added.is_some_and(|(record, _)| {
                record.boot_system_identifier.trimmed() == BootRecord::EL_TORITO
            });
            if is_el_torito {
                "boot record, El Torito".into()
            } else {
                "boot record".into()
            }
        }
        _ => {
            let added = add::<VolumeDescriptorHead>(&mut sheet, 0, bytes, context);
            if let Some((_, rest)) = added
                && rest.iter().any(|&byte| byte != 0)
            {
                sheet.hex(VolumeDescriptorHead::SIZE, "bytes", "", rest);
            }
            match kind {
                TERMINATOR | crate::records::PARTITION => descriptor_type(kind).into(),
                kind => format!("volume descriptor of unknown type {kind}"),
            }
        }
    };
    title[..1].make_ascii_uppercase();
    sheet.title = title;
    sheet
}
