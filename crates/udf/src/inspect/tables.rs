//! Tables that partitions need: sparing tables, virtual allocation table,
//! metadata files, and free space (UDF 2.2.8 to 2.2.13, ECMA-167 4/10, 4/14.3).

use std::ops::ControlFlow;

use reburn_record::{Record, Sheet, Spot};

use super::descriptor::title;
use super::extents::Entry;
use super::maps::MAPS_MAX;
use super::meaning::Context;
use super::{Found, Inspector, Show};
use crate::read::Address;
use crate::records::{
    EntityId, ExtentKind, MapHead, MetadataMap, ShortAd, SparableMap, SparingEntry, SparingTable,
    TypeTwoMap, UnallocatedSpaceEntry, VirtualTableHead, VirtualTableTail, file_type,
    map_identifier, tag_id,
};

/// Rows that are shown of one table.
const ROWS_MAX: usize = 64;
/// Bytes of a sparing table that are read: its head and as many entries as it can count.
const SPARING_MAX: u32 = 56 + 8 * 0xffff;
/// Bytes of a virtual allocation table that are read.
const VIRTUAL_MAX: usize = 4 << 20;

impl Inspector<'_> {
    /// Shows sparing tables, virtual allocation table and metadata files.
    pub(super) fn tables(&self, show: Show<'_>) -> ControlFlow<()> {
        let bytes = self
            .raw
            .logical()
            .map_or(Vec::new(), |(_, maps)| maps.to_vec());
        let mut maps = bytes.as_slice();
        for _ in 0..MAPS_MAX {
            let length = MapHead::view(maps).map_or(0, |(head, _)| head.partition_map_length);
            let Some((map, rest)) = maps.split_at_checked(length.into()).filter(|_| length >= 2)
            else {
                break;
            };
            maps = rest;
            let name = TypeTwoMap::view(map)
                .ok()
                .map(|(map, _)| map.partition_type_identifier);
            match name.as_ref().map_or(&b""[..], EntityId::name) {
                map_identifier::SPARABLE => {
                    if let Ok((map, _)) = SparableMap::view(map) {
                        self.sparing_tables(map, show)?;
                    }
                }
                map_identifier::METADATA => {
                    if let Ok((map, _)) = MetadataMap::view(map) {
                        self.metadata_files(map, show)?;
                    }
                }
                _ => {}
            }
        }
        match self.raw.virtual_table {
            Some(address) => self.virtual_table(address, show),
            None => ControlFlow::Continue(()),
        }
    }

    fn sparing_tables(&self, map: &SparableMap, show: Show<'_>) -> ControlFlow<()> {
        let locations = map.locations();
        let length = map.size_of_each_sparing_table.get().min(SPARING_MAX);
        let count = usize::from(map.number_of_sparing_tables).min(locations.len());
        for &(sector, _) in &locations[..count] {
            let at = self.raw.sector_at(sector);
            let bytes = match self.raw.bytes(at, length as usize) {
                Ok(bytes) => bytes,
                Err(problem) => {
                    self.say("A sparing table that cannot be read", at, problem, show)?;
                    continue;
                }
            };
            let found = Found {
                bytes: &bytes,
                at,
                address: None,
                location: Some(sector),
            };
            let (mut sheet, record, _) = self.begin::<SparingTable>("", &found, None);
            if let Some((table, entries)) = record {
                let count = usize::from(table.reallocation_table_length.get());
                sparing_rows(&mut sheet, count, entries);
            }
            show(&sheet)?;
        }
        ControlFlow::Continue(())
    }

    /// Shows the entry of the virtual allocation table, then the table.
    fn virtual_table(&self, address: Address, show: Show<'_>) -> ControlFlow<()> {
        let role = "of the virtual allocation table";
        let Some(entry) = self.chain(role, address, show)? else {
            return ControlFlow::Continue(());
        };
        let (bytes, start) = self.content(&entry, VIRTUAL_MAX);
        let Some((at, address)) = start else {
            return ControlFlow::Continue(());
        };
        let mut sheet = self.sheet("Virtual allocation table", at, Some(address));
        let is_cut = entry.information_length > bytes.len() as u64;
        let context = Context::default();
        if entry.icb.file_type == file_type::VIRTUAL_TABLE {
            let head = self.add::<VirtualTableHead>(&mut sheet, 0, &bytes, context);
            let length = head.map_or(bytes.len(), |(head, _)| head.length_of_header.get().into());
            let (length, start) = (length.min(bytes.len()), VirtualTableHead::SIZE);
            if let Some(used) = bytes.get(start..length) {
                sheet.hex(start, "implementation_use", "UDF 2.2.11", used);
            }
            virtual_rows(&mut sheet, length, &bytes[length..]);
        } else {
            let tail = if is_cut { 0 } else { VirtualTableTail::SIZE };
            let (entries, tail) = bytes.split_at(bytes.len().saturating_sub(tail));
            virtual_rows(&mut sheet, 0, entries);
            if !is_cut {
                self.add::<VirtualTableTail>(&mut sheet, entries.len(), tail, context);
            }
        }
        if is_cut {
            let (length, read) = (entry.information_length, bytes.len());
            sheet.note(format!(
                "the table has {length} bytes, of which {read} were read"
            ));
        }
        show(&sheet)
    }

    /// Shows the entries of metadata file, mirror and bitmap, and the head of the bitmap.
    fn metadata_files(&self, map: &MetadataMap, show: Show<'_>) -> ControlFlow<()> {
        let number = map.common.partition_number.get();
        let base = self.raw.partitions();
        let base = base.filter(|(descriptor, _)| descriptor.partition_number.get() == number);
        let Some(partition) = base.map(|(_, index)| index).next() else {
            return ControlFlow::Continue(());
        };
        let bitmap = map.metadata_bitmap_file_location.get();
        for (role, block) in [
            ("of the metadata file", map.metadata_file_location.get()),
            (
                "of the metadata mirror file",
                map.metadata_mirror_file_location.get(),
            ),
            ("of the metadata bitmap file", bitmap),
        ] {
            if block == MetadataMap::NO_BITMAP {
                continue;
            }
            let entry = self.chain(role, Address { partition, block }, show)?;
            if let Some(entry) = entry.filter(|_| block == bitmap) {
                self.bitmap_file(&entry, show)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn bitmap_file(&self, entry: &Entry, show: Show<'_>) -> ControlFlow<()> {
        let (bytes, start) = self.content(entry, self.raw.sector_size as usize);
        let Some((at, address)) = start else {
            return ControlFlow::Continue(());
        };
        let found = Found {
            bytes: &bytes,
            at,
            address: Some(address),
            location: Some(address.block),
        };
        self.descriptor("of the metadata partition", &found, show)
    }

    /// Shows what the partition descriptors say of free space.
    pub(super) fn space(&self, show: Show<'_>) -> ControlFlow<()> {
        let partitions: Vec<_> = self
            .raw
            .partitions()
            .map(|(found, at)| (*found, at))
            .collect();
        for (descriptor, partition) in partitions {
            let header = &descriptor.header;
            for (role, extent) in [
                ("unallocated space", &header.unallocated_space_table),
                ("unallocated space", &header.unallocated_space_bitmap),
                ("freed space", &header.freed_space_table),
                ("freed space", &header.freed_space_bitmap),
            ] {
                let (_, length) = ExtentKind::split(extent.extent_length.get());
                if length == 0 {
                    continue;
                }
                let block = extent.extent_position.get();
                self.space_descriptor(role, Address { partition, block }, show)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn space_descriptor(&self, role: &str, address: Address, show: Show<'_>) -> ControlFlow<()> {
        let (bytes, at) = match self.raw.block(address) {
            Ok(found) => found,
            Err(problem) => {
                let title = title(role, "which cannot be read");
                return self.say_of(&title, Some(address), problem, show);
            }
        };
        let found = Found {
            bytes: &bytes,
            at,
            address: Some(address),
            location: Some(address.block),
        };
        if found.tag_id() == Some(tag_id::SPACE_ENTRY) {
            return self.space_entry(role, &found, show);
        }
        self.descriptor(role, &found, show)
    }

    /// Shows an unallocated space entry with its extents.
    pub(super) fn space_entry(
        &self,
        role: &str,
        found: &Found<'_>,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let (mut sheet, record, context) = self.begin::<UnallocatedSpaceEntry>(role, found, None);
        if let Some((record, rest)) = record {
            let length = record.length_of_allocation_descriptors.get() as usize;
            if length > rest.len() {
                let left = rest.len();
                sheet.note(format!(
                    "the extents take {length} bytes, and {left} are left"
                ));
            }
            let extents = rest[..length.min(rest.len())].chunks_exact(ShortAd::SIZE);
            for (index, bytes) in extents.enumerate() {
                let Ok((short, _)) = ShortAd::view(bytes) else {
                    break;
                };
                let offset = UnallocatedSpaceEntry::SIZE + index * ShortAd::SIZE;
                let explain = |spot: &Spot<'_>| self.meaning(context, spot);
                let line = self.line_of_short(context, *short);
                sheet.folded(offset, short, format!("short_ad[{index}]"), line, &explain);
            }
        }
        show(&sheet)
    }
}

/// Adds the entries of a sparing table; those that follow each other and say the same share a
/// row.
fn sparing_rows(sheet: &mut Sheet, count: usize, entries: &[u8]) {
    let entries = entries.chunks_exact(SparingEntry::SIZE).take(count);
    if entries.len() < count {
        let there = entries.len();
        sheet.note(format!("{count} entries are stated, and {there} fit"));
    }
    let entries = entries.filter_map(|bytes| SparingEntry::view(bytes).ok());
    let runs = runs(entries.map(|(entry, _)| {
        let original = entry.original_location.get();
        let what = match original {
            u32::MAX => "free".into(),
            SparingEntry::ORIGINAL_RESERVED => "damaged".into(),
            original if original > SparingEntry::ORIGINAL_RESERVED => {
                format!("reserved {original:#010x}")
            }
            original => format!("packet of block {original}"),
        };
        (what, entry.mapped_location.get())
    }));
    let shown = runs.len().min(ROWS_MAX);
    for run in &runs[..shown] {
        let offset = SparingTable::SIZE + run.first * SparingEntry::SIZE;
        let len = run.count * SparingEntry::SIZE;
        let value = match run.count {
            1 => format!("{}, mapped to sector {}", run.what, run.low),
            _ => format!(
                "{}, mapped to sectors {} to {}",
                run.what, run.low, run.high
            ),
        };
        sheet.row(offset, len, run.name("map_entry"), "UDF 2.2.12", value);
    }
    rest_of_rows(sheet, runs.len() - shown);
}

/// Adds the entries of a virtual allocation table; entries that follow each other and lead to
/// blocks that follow each other share a row.
fn virtual_rows(sheet: &mut Sheet, offset: usize, entries: &[u8]) {
    let (numbers, odd) = entries.as_chunks::<4>();
    let mut runs: Vec<Run> = Vec::new();
    for (index, number) in numbers.iter().enumerate() {
        let block = u32::from_le_bytes(*number);
        let is_used = block != u32::MAX;
        if let Some(last) = runs.last_mut()
            && (last.low != u32::MAX) == is_used
            && (!is_used || last.high.checked_add(1) == Some(block))
        {
            last.count += 1;
            last.high = block;
            continue;
        }
        runs.push(Run {
            what: String::new(),
            first: index,
            count: 1,
            low: block,
            high: block,
        });
    }
    let shown = runs.len().min(ROWS_MAX);
    for run in &runs[..shown] {
        let value = match (run.low, run.count) {
            (u32::MAX, _) => "not used".into(),
            (block, 1) => format!("block {block}"),
            (block, _) => format!("blocks {block} to {}", run.high),
        };
        let (at, len) = (offset + run.first * 4, run.count * 4);
        sheet.row(at, len, run.name("vat_entry"), "UDF 2.2.11", value);
    }
    rest_of_rows(sheet, runs.len() - shown);
    if !odd.is_empty() {
        sheet.note(format!(
            "{} bytes are left, and an entry takes 4",
            odd.len()
        ));
    }
}

fn rest_of_rows(sheet: &mut Sheet, more: usize) {
    if more > 0 {
        sheet.row(0, 0, "", "", format!("{more} more rows are not shown"));
    }
}

/// Entries of a table that follow each other and say the same.
struct Run {
    what: String,
    first: usize,
    count: usize,
    low: u32,
    high: u32,
}

impl Run {
    fn name(&self, entry: &str) -> String {
        match self.count {
            1 => format!("{entry}[{}]", self.first),
            count => format!("{entry}[{}..{}]", self.first, self.first + count - 1),
        }
    }
}

/// Puts entries together that say the same.
fn runs(entries: impl Iterator<Item = (String, u32)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (index, (what, number)) in entries.enumerate() {
        match runs.last_mut() {
            Some(last) if last.what == what => {
                last.count += 1;
                last.low = last.low.min(number);
                last.high = last.high.max(number);
            }
            _ => runs.push(Run {
                what,
                first: index,
                count: 1,
                low: number,
                high: number,
            }),
        }
    }
    runs
}
