//! Path tables (ECMA-119 6.9, 9.4), a row an entry.

use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_record::{Record, Sheet};

use super::meaning::{Context, joliet_level, meaning, ucs2};
use super::{Inspector, Show, say};
use crate::records::{PathTableRecordL, PathTableRecordM, VolumeDescriptor};

/// Entries of a sheet.
const ROWS_MAX: usize = 64;
/// Bytes of a table that are read: as many directories as parent numbers can name, with long
/// names.
const TABLE_MAX: u32 = 16 << 20;

/// A path table that a descriptor leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table {
    block: u32,
    length: u32,
    is_big_endian: bool,
    is_joliet: bool,
}

impl Table {
    /// Adds the tables of a descriptor, those that are not there yet.
    pub(super) fn add(descriptor: &VolumeDescriptor, tables: &mut Vec<Self>) {
        let little = [descriptor.path_table_l, descriptor.optional_path_table_l];
        let big = [descriptor.path_table_m, descriptor.optional_path_table_m];
        let little = little.map(|block| (block.get(), false));
        let big = big.map(|block| (block.get(), true));
        for (block, is_big_endian) in little.into_iter().chain(big) {
            let table = Self {
                block,
                length: descriptor.path_table_size.le(),
                is_big_endian,
                is_joliet: joliet_level(&descriptor.escape_sequences).is_some(),
            };
            if block != 0 && !tables.contains(&table) {
                tables.push(table);
            }
        }
    }
}

impl Inspector<'_> {
    /// Shows a path table.
    pub(super) fn path_table(&self, table: &Table, show: Show<'_>) -> ControlFlow<()> {
        let title = if table.is_big_endian {
            "Path table, type M"
        } else {
            "Path table, type L"
        };
        let left = u64::from(self.end().saturating_sub(table.block)) * BLOCK_SIZE as u64;
        let length = u64::from(table.length.min(TABLE_MAX)).min(left);
        if length < u64::from(table.length) {
            let stated = table.length;
            let problem = format!("it has {stated} bytes, of which {length} can be read");
            say(title, table.block, 0, problem, show)?;
        }
        let length = usize::try_from(length).unwrap_or(0);
        let mut bytes = vec![0; length.next_multiple_of(BLOCK_SIZE)];
        let Some(lba) = Lba::checked(table.block.into()) else {
            return ControlFlow::Continue(());
        };
        if let Err(error) = self.disc.read_blocks(lba, &mut bytes) {
            return say(title, table.block, 0, error, show);
        }
        let bytes = &bytes[..length];
        let (mut offset, mut number) = (0, 1);
        while offset < bytes.len() {
            let block = offset / BLOCK_SIZE;
            let block = table
                .block
                .saturating_add(u32::try_from(block).unwrap_or(u32::MAX));
            let mut sheet = Sheet::new(title, block, offset % BLOCK_SIZE);
            sheet.clause = PathTableRecordL::CLAUSE;
            let (first, start) = (number, offset);
            while offset < bytes.len() && number - first < ROWS_MAX {
                let Some(len) = entry(&mut sheet, table, number, offset - start, &bytes[offset..])
                else {
                    let left = bytes.len() - offset;
                    sheet.note(format!(
                        "entry {number} does not fit into the {left} bytes left"
                    ));
                    return show(&sheet);
                };
                offset += len;
                number += 1;
            }
            if first != 1 || offset < bytes.len() {
                sheet.title = format!("{title}, entries {first} to {}", number - 1);
            }
            show(&sheet)?;
        }
        ControlFlow::Continue(())
    }
}

/// Adds the row of an entry. Its length.
fn entry(
    sheet: &mut Sheet,
    table: &Table,
    number: usize,
    offset: usize,
    bytes: &[u8],
) -> Option<usize> {
    let explain = |spot: &reburn_record::Spot<'_>| meaning(Context::default(), spot);
    let length = usize::from(*bytes.first()?);
    let end = PathTableRecordL::SIZE + length;
    let identifier = bytes.get(PathTableRecordL::SIZE..end)?;
    let name = match identifier {
        [0] => "the root".into(),
        _ if table.is_joliet => format!("{:?}", ucs2(identifier)),
        _ => format!("\"{}\"", identifier.escape_ascii()),
    };
    let line = |attributes: u8, block: u32, parent: u16| {
        let attributes = match attributes {
            0 => String::new(),
            blocks => format!(" after {blocks} blocks of attributes"),
        };
        format!("{name} at block {block}{attributes}, in directory {parent}")
    };
    let row = format!("directory {number}");
    if table.is_big_endian {
        let (record, _) = PathTableRecordM::view(bytes).ok()?;
        let (block, parent) = (record.extent_location.get(), record.parent_number.get());
        let line = line(record.extended_attribute_length, block, parent);
        sheet.folded(offset, record, row, line, &explain);
    } else {
        let (record, _) = PathTableRecordL::view(bytes).ok()?;
        let (block, parent) = (record.extent_location.get(), record.parent_number.get());
        let line = line(record.extended_attribute_length, block, parent);
        sheet.folded(offset, record, row, line, &explain);
    }
    Some(end.next_multiple_of(2))
}
