//! Records as they stand on disc (ECMA-167 parts 2 to 4, OSTA UDF), a file a descriptor.
//!
//! Any bytes can be viewed as any record, so that damaged volumes can be shown too; what the
//! fields mean is the reader's business. All numbers are little-endian.

mod address;
mod allocation;
mod anchor;
mod attribute;
mod entity;
mod file_entry;
mod file_identifier;
mod file_set;
mod icb;
mod implementation_use;
mod integrity;
mod logical_volume;
mod partition;
mod partition_map;
mod path;
mod primary;
mod recognition;
mod space;
mod sparing;
mod tag;
mod terminating;
mod text;
mod time;
mod unallocated;
mod virtual_table;

pub use address::{EXTENT_BYTES_MAX, ExtAd, ExtentAd, ExtentKind, LbAddr, LongAd, ShortAd};
pub use allocation::AllocationExtentDescriptor;
pub use anchor::{AnchorPointer, VolumeDescriptorPointer};
pub use attribute::{
    AttributeHead, DeviceSpecification, ExtendedAttributeHeader, FileTimes, UseAttribute,
    VirtualTableExtension, attribute_type,
};
pub use entity::{CharSpec, DomainSuffix, EntityId, UdfSuffix};
pub use file_entry::{ExtendedFileEntry, FileEntry};
pub use file_identifier::{FileIdentifier, characteristics};
pub use file_set::FileSetDescriptor;
pub use icb::{IcbTag, IndirectEntry, TerminalEntry, file_type, icb_flags};
pub use implementation_use::{ImplementationUseVolume, LogicalVolumeInformation};
pub use integrity::{IntegrityUse, LogicalVolumeIntegrity};
pub use logical_volume::{LogicalVolume, SpareIntegrity};
pub use partition::{Partition, PartitionHeader, access};
pub use partition_map::{
    MapHead, MetadataMap, SparableMap, TypeOneMap, TypeTwoMap, VirtualMap, map_identifier,
};
pub use path::PathComponent;
pub use primary::PrimaryVolume;
pub use recognition::{BootDescriptor, VolumeStructure};
pub use space::{SpaceBitmap, UnallocatedSpaceEntry};
pub use sparing::{SparingEntry, SparingTable};
pub use tag::{Tag, TagFault, tag_id};
pub use terminating::TerminatingDescriptor;
pub use text::{CompressedUnicode, DString, decode_cs0};
pub use time::DiscTime;
pub use unallocated::UnallocatedSpace;
pub use virtual_table::{PreviousVat, VirtualTableHead, VirtualTableTail};

/// The bytes that hexadecimal digits stand for; blanks are passed over.
#[cfg(test)]
pub(crate) fn golden(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}
