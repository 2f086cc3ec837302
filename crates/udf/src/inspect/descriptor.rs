//! One descriptor, whichever its tag says that it is, with all that follows its record.

use std::ops::ControlFlow;

use reburn_record::{Record, Sheet};

use super::meaning::Context;
use super::{Found, Inspector, Show, tag_fault, words};
use crate::records::{
    AllocationExtentDescriptor, AnchorPointer, EntityId, ExtendedFileEntry, ExtentAd, FileEntry,
    FileSetDescriptor, ImplementationUseVolume, IndirectEntry, IntegrityUse, LogicalVolume,
    LogicalVolumeIntegrity, Partition, PrimaryVolume, SpaceBitmap, SparingTable, Tag,
    TerminalEntry, TerminatingDescriptor, UnallocatedSpace, UnallocatedSpaceEntry,
    VolumeDescriptorPointer, tag_id,
};

/// Rows of a table that are shown of each kind of table.
const TABLE_ROWS: usize = 64;

impl Inspector<'_> {
    /// Shows a descriptor and the records that follow it. `role` is what it is here.
    pub(super) fn descriptor(
        &self,
        role: &str,
        found: &Found<'_>,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let id = Tag::view(found.bytes).map_or(u16::MAX, |(tag, _)| tag.tag_identifier.get());
        match id {
            tag_id::PRIMARY_VOLUME => self.plain::<PrimaryVolume>(role, found, show),
            tag_id::ANCHOR => self.plain::<AnchorPointer>(role, found, show),
            tag_id::VOLUME_POINTER => self.plain::<VolumeDescriptorPointer>(role, found, show),
            tag_id::IMPLEMENTATION_USE => self.implementation_use(role, found, show),
            tag_id::PARTITION => self.plain::<Partition>(role, found, show),
            tag_id::LOGICAL_VOLUME => self.logical_volume(role, found, show),
            tag_id::UNALLOCATED_SPACE => self.unallocated(role, found, show),
            tag_id::TERMINATING => self.plain::<TerminatingDescriptor>(role, found, show),
            tag_id::INTEGRITY => self.integrity(role, found, show),
            tag_id::FILE_SET => self.plain::<FileSetDescriptor>(role, found, show),
            tag_id::FILE_IDENTIFIER => self.identifier(role, found, show),
            tag_id::ALLOCATION_EXTENT => {
                self.plain::<AllocationExtentDescriptor>(role, found, show)
            }
            tag_id::INDIRECT_ENTRY => self.plain::<IndirectEntry>(role, found, show),
            tag_id::TERMINAL_ENTRY => self.plain::<TerminalEntry>(role, found, show),
            tag_id::FILE_ENTRY => self.plain::<FileEntry>(role, found, show),
            tag_id::EXTENDED_FILE_ENTRY => self.plain::<ExtendedFileEntry>(role, found, show),
            tag_id::SPACE_ENTRY => self.plain::<UnallocatedSpaceEntry>(role, found, show),
            tag_id::SPACE_BITMAP => self.space_bitmap(role, found, show),
            tag_id::SPARING_TABLE => self.plain::<SparingTable>(role, found, show),
            _ => self.unknown(role, found, show),
        }
    }

    /// The sheet of a descriptor, with its record and what is wrong with its tag. The bytes
    /// after the record, if it is there as a whole.
    pub(super) fn begin<'b, R: Record>(
        &self,
        role: &str,
        found: &Found<'b>,
        partition: Option<u16>,
    ) -> (Sheet, Option<(&'b R, &'b [u8])>, Context) {
        let fault = tag_fault(found);
        let id = Tag::view(found.bytes).map_or(u16::MAX, |(tag, _)| tag.tag_identifier.get());
        let name = words::descriptor(id).unwrap_or("descriptor of no known kind");
        let mut sheet = self.sheet(title(name, role), found.at, found.address);
        let context = Context {
            tag_is_sound: fault.is_none(),
            partition: partition.or(found.address.map(|address| address.partition)),
        };
        let record = self.add::<R>(&mut sheet, 0, found.bytes, context);
        if let Some(fault) = fault {
            sheet.note(fault);
        }
        (sheet, record, context)
    }

    fn plain<R: Record>(&self, role: &str, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let (sheet, _, _) = self.begin::<R>(role, found, None);
        show(&sheet)
    }

    fn unknown(&self, role: &str, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let (mut sheet, rest, _) = self.begin::<Tag>(role, found, None);
        if let Some((_, rest)) = rest {
            sheet.hex(Tag::SIZE, "bytes", "", &rest[..rest.len().min(112)]);
        }
        show(&sheet)
    }

    fn implementation_use(&self, role: &str, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let (mut sheet, record, _) = self.begin::<ImplementationUseVolume>(role, found, None);
        if let Some((record, _)) = record
            && record.implementation_identifier.name() != EntityId::LV_INFO
        {
            // Only UDF's own identifier gives the bytes a form that is known.
            sheet.rows.retain(|row| row.offset < 52);
            let bytes = record.implementation_use.bytes();
            sheet.hex(52, "implementation_use", "ECMA-167 3/10.4.4", bytes);
        }
        show(&sheet)
    }

    fn logical_volume(&self, role: &str, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let (mut sheet, record, _) = self.begin::<LogicalVolume>(role, found, None);
        let Some((record, maps)) = record else {
            return show(&sheet);
        };
        let stated = record.map_table_length.get() as usize;
        let maps = maps.get(..stated).unwrap_or_else(|| {
            let left = maps.len();
            sheet.note(format!(
                "the partition maps take {stated} bytes, and {left} are left"
            ));
            maps
        });
        show(&sheet)?;
        self.maps(found, record.number_of_partition_maps.get(), maps, show)
    }

    fn unallocated(&self, role: &str, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let (mut sheet, record, context) = self.begin::<UnallocatedSpace>(role, found, None);
        if let Some((record, rest)) = record {
            let count = record.number_of_allocation_descriptors.get() as usize;
            let extents = rest.chunks_exact(ExtentAd::SIZE);
            if extents.len() < count {
                let left = extents.len();
                sheet.note(format!("{count} extents are stated, and {left} fit"));
            }
            for (index, bytes) in extents.take(count).enumerate() {
                if index == TABLE_ROWS {
                    let more = format!("{} more extents are not shown", count - index);
                    sheet.row(0, 0, "", "", more);
                    break;
                }
                let Ok((extent, _)) = ExtentAd::view(bytes) else {
                    break;
                };
                let offset = UnallocatedSpace::SIZE + index * ExtentAd::SIZE;
                let explain = |spot: &reburn_record::Spot<'_>| self.meaning(context, spot);
                let line = self.line_of_extent(*extent);
                sheet.folded(offset, extent, format!("extent[{index}]"), line, &explain);
            }
        }
        show(&sheet)
    }

    fn integrity(&self, role: &str, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let (mut sheet, record, context) = self.begin::<LogicalVolumeIntegrity>(role, found, None);
        let Some((record, rest)) = record else {
            return show(&sheet);
        };
        let count = record.number_of_partitions.get() as usize;
        let tables = count
            .checked_mul(8)
            .and_then(|len| rest.split_at_checked(len));
        let Some((tables, used)) = tables else {
            let left = rest.len();
            sheet.note(format!(
                "tables of {count} partitions do not fit into the {left} bytes that are left"
            ));
            return show(&sheet);
        };
        let names = [
            ("free_space", "ECMA-167 3/10.10.8"),
            ("size", "ECMA-167 3/10.10.9"),
        ];
        let (numbers, _) = tables.as_chunks::<4>();
        for (index, number) in numbers.iter().enumerate().take(2 * TABLE_ROWS) {
            let (name, clause) = names[usize::from(index >= count)];
            let number = u32::from_le_bytes(*number);
            let value = match number {
                u32::MAX => "not known".into(),
                number => format!("{number} blocks"),
            };
            let offset = LogicalVolumeIntegrity::SIZE + index * 4;
            sheet.row(
                offset,
                4,
                format!("{name}[{}]", index % count.max(1)),
                clause,
                value,
            );
        }
        let offset = LogicalVolumeIntegrity::SIZE + tables.len();
        let length = record.length_of_implementation_use.get() as usize;
        let used = used.get(..length).unwrap_or_else(|| {
            let left = used.len();
            sheet.note(format!(
                "the implementation use takes {length} bytes, and {left} are left"
            ));
            used
        });
        let added = self.add::<IntegrityUse>(&mut sheet, offset, used, context);
        if let Some((_, rest)) = added
            && !rest.is_empty()
        {
            let offset = offset + IntegrityUse::SIZE;
            sheet.hex(offset, "implementation_use", "UDF 2.2.6.4", rest);
        }
        show(&sheet)
    }

    fn space_bitmap(&self, role: &str, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        // Its check may cover more than the block.
        let covered = Tag::view(found.bytes).map_or(0, |(tag, _)| {
            Tag::SIZE + usize::from(tag.descriptor_crc_length.get())
        });
        let longer = (covered > found.bytes.len())
            .then(|| self.raw.bytes(found.at, covered).ok())
            .flatten();
        let found = Found {
            bytes: longer.as_deref().unwrap_or(found.bytes),
            ..*found
        };
        let (mut sheet, record, _) = self.begin::<SpaceBitmap>(role, &found, None);
        if let Some((record, bits)) = record {
            let bytes = record.number_of_bytes.get();
            let len = (bytes as usize).min(bits.len());
            let shown = &bits[..len.min(128)];
            sheet.hex(SpaceBitmap::SIZE, "bitmap", "ECMA-167 4/14.12.5", shown);
            if bytes as usize > shown.len() {
                let more = format!(
                    "{} more bytes of bits, 1 for a free block",
                    bytes as usize - shown.len()
                );
                sheet.row(
                    SpaceBitmap::SIZE + shown.len(),
                    bytes as usize - shown.len(),
                    "",
                    "",
                    more,
                );
            }
            if u64::from(bytes) * 8 < u64::from(record.number_of_bits.get()) {
                sheet.note("the bits do not fit into the bytes");
            }
        }
        show(&sheet)
    }
}

/// The title of a descriptor that is something special here.
pub(super) fn title(name: &str, role: &str) -> String {
    let mut title = String::with_capacity(name.len() + role.len() + 2);
    let mut characters = name.chars();
    title.extend(characters.next().map(|first| first.to_ascii_uppercase()));
    title.push_str(characters.as_str());
    if !role.is_empty() {
        title.push_str(", ");
        title.push_str(role);
    }
    title
}
