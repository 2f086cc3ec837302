//! Extended attributes in entries (ECMA-167 4/9.1, 4/14.10; UDF 3.3.4).
//!
//! Invariants: attributes of ECMA-167 come first, then those of implementations, then those of
//! applications; each is a multiple of four bytes long; all are in the entry.

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;
use reburn_record::little_endian::{U16, U32};
use reburn_tree::{Attribute, InodeId, Kind, NodeId, Tree};

use super::emit::{developer, disc_time, identifier, seal};
use super::entry::EntryForm;
use super::{LayoutError, UdfOptions};
use crate::records::{
    AttributeHead, DeviceSpecification, EntityId, ExtendedAttributeHeader, FileTimes, UseAttribute,
    attribute_type, tag_id,
};

/// Bytes that attributes leave in an entry for what leads to its content.
const DESCRIPTOR_BYTES_MIN: u64 = 64;
/// No group of attributes of that kind (UDF 3.3.4.1); before 2.00 it is their length.
const NO_ATTRIBUTES: u32 = u32::MAX;
/// Bytes of an attribute with one time: head, length, which times, the time.
const FILE_TIMES_BYTES: usize = FileTimes::SIZE + 12;
/// Bytes of an attribute with device numbers and who made them (UDF 3.3.4.4).
const DEVICE_BYTES: usize = DeviceSpecification::SIZE + EntityId::SIZE;
/// Bytes of an attribute of use before what it is used for (ECMA-167 4/14.10.8).
const USE_HEAD_BYTES: usize = UseAttribute::SIZE - CHECKSUM_BYTES;
/// Bytes of the checksum that stands before the content of those that UDF defines (UDF 3.3.4.5).
const CHECKSUM_BYTES: usize = 2;

/// Bytes of an inode's extended attributes.
pub(super) fn attribute_bytes(form: EntryForm, tree: &Tree, inode: InodeId) -> u64 {
    let created = tree.metadata(inode).created.is_some();
    let times = usize::from(created && !form.is_extended) * FILE_TIMES_BYTES;
    let device = usize::from(device(tree, inode).is_some()) * DEVICE_BYTES;
    let others = tree.attributes(inode).iter();
    let others = others.map(|attribute| use_bytes(attribute.value.len(), &attribute.name));
    match (times + device) as u64 + others.sum::<u64>() {
        0 => 0,
        bytes => ExtendedAttributeHeader::SIZE as u64 + bytes,
    }
}

/// Checks that attributes fit into the entry with what leads to its content.
pub(super) fn check_attributes(
    form: EntryForm,
    tree: &Tree,
    node: NodeId,
) -> Result<(), LayoutError> {
    let inode = tree.inode(node);
    let path = || tree.display_path(node);
    let long = tree.attributes(inode).iter().find(|a| a.name.len() > 23);
    if let Some(attribute) = long {
        let name = String::from_utf8_lossy(&attribute.name).into_owned();
        return Err(LayoutError::AttributeName { path: path(), name });
    }
    let bytes = attribute_bytes(form, tree, inode);
    let max = (BLOCK_SIZE - form.head_bytes()) as u64 - DESCRIPTOR_BYTES_MIN;
    if bytes > max {
        let path = path();
        return Err(LayoutError::AttributesTooLarge { path, bytes, max });
    }
    Ok(())
}

/// Bytes of an attribute of use with a value of so many bytes.
fn use_bytes(value: usize, name: &[u8]) -> u64 {
    let checksum = usize::from(has_checksum(name)) * CHECKSUM_BYTES;
    ((USE_HEAD_BYTES + checksum) as u64 + value as u64).next_multiple_of(4)
}

/// Whether an attribute is one of those that UDF defines.
fn has_checksum(name: &[u8]) -> bool {
    name.starts_with(EntityId::UDF_DEFINED)
}

fn device(tree: &Tree, inode: InodeId) -> Option<(u32, u32)> {
    match tree.kind(inode) {
        Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
            Some((major, minor))
        }
        _ => None,
    }
}

/// Extended attributes of an inode, for the entry in `block`.
pub(super) fn attributes(
    form: EntryForm,
    options: &UdfOptions,
    tree: &Tree,
    inode: InodeId,
    block: u32,
) -> Vec<u8> {
    let bytes = attribute_bytes(form, tree, inode);
    if bytes == 0 {
        return Vec::new();
    }
    let mut out = vec![0; ExtendedAttributeHeader::SIZE];
    if let Some(created) = tree.metadata(inode).created
        && !form.is_extended
    {
        let mut times = FileTimes::zeroed();
        times.head = head(attribute_type::FILE_TIMES, FILE_TIMES_BYTES);
        times.data_length = U32::new(12);
        times.file_time_existence = U32::new(FileTimes::CREATION);
        out.extend_from_slice(times.bytes());
        out.extend_from_slice(disc_time(created).bytes());
    }
    if let Some((major, minor)) = device(tree, inode) {
        let mut device = DeviceSpecification::zeroed();
        device.head = head(attribute_type::DEVICE, DEVICE_BYTES);
        device.implementation_use_length = U32::new(EntityId::SIZE as u32);
        device.major_device_identification = U32::new(major);
        device.minor_device_identification = U32::new(minor);
        out.extend_from_slice(device.bytes());
        out.extend_from_slice(developer(options).bytes());
    }
    let of = |is_application: bool| {
        let all = tree.attributes(inode).iter();
        all.filter(move |attribute| attribute.is_application == is_application)
    };
    let implementation = of(false).next().map(|_| out.len());
    for attribute in of(false) {
        push_use(options, attribute, &mut out);
    }
    let application = of(true).next().map(|_| out.len());
    for attribute in of(true) {
        push_use(options, attribute, &mut out);
    }
    debug_assert_eq!(out.len() as u64, bytes);
    write_header(options, [implementation, application], block, &mut out);
    out
}

/// The virtual allocation table's own attribute (UDF 1.50, errata): what later tables have in
/// their header.
pub(super) fn table_attributes(options: &UdfOptions, value: &[u8], block: u32) -> Vec<u8> {
    let mut out = vec![0; ExtendedAttributeHeader::SIZE];
    let attribute = Attribute {
        is_application: false,
        name: EntityId::VAT_EXTENSION.to_vec(),
        suffix: [0; 8],
        value: value.to_vec().into(),
    };
    push_use(options, &attribute, &mut out);
    let first = Some(ExtendedAttributeHeader::SIZE);
    write_header(options, [first, None], block, &mut out);
    out
}

/// Fills in the header in front of the attributes.
fn write_header(options: &UdfOptions, groups: [Option<usize>; 2], block: u32, out: &mut [u8]) {
    let none = if options.revision.is_third_edition() {
        NO_ATTRIBUTES
    } else {
        out.len() as u32
    };
    let [implementation, application] = groups.map(|at| at.map_or(none, |at| at as u32));
    let mut header = ExtendedAttributeHeader::zeroed();
    header.implementation_attributes_location = U32::new(implementation);
    header.application_attributes_location = U32::new(application);
    let out = &mut out[..ExtendedAttributeHeader::SIZE];
    out.copy_from_slice(header.bytes());
    seal(out, tag_id::ATTRIBUTE_HEADER, options.revision, block);
}

/// Puts an attribute of use at the end of `out`. Those that UDF defines say for which revision.
fn push_use(options: &UdfOptions, attribute: &Attribute, out: &mut Vec<u8>) {
    let start = out.len();
    let bytes = use_bytes(attribute.value.len(), &attribute.name) as usize;
    let is_udf = has_checksum(&attribute.name);
    let kind = if attribute.is_application {
        attribute_type::APPLICATION_USE
    } else {
        attribute_type::IMPLEMENTATION_USE
    };
    let mut record = UseAttribute::zeroed();
    record.head = head(kind, bytes);
    let checksum_bytes = usize::from(is_udf) * CHECKSUM_BYTES;
    record.use_length = U32::new((checksum_bytes + attribute.value.len()) as u32);
    record.identifier = identifier(&attribute.name);
    record.identifier.suffix = attribute.suffix;
    if is_udf {
        let revision = options.revision.code().to_le_bytes();
        record.identifier.suffix[..2].copy_from_slice(&revision);
    }
    record.header_checksum = U16::new(record.checksum());
    out.extend_from_slice(&record.bytes()[..USE_HEAD_BYTES + checksum_bytes]);
    out.extend_from_slice(&attribute.value);
    out.resize(start + bytes, 0);
}

fn head(kind: u32, bytes: usize) -> AttributeHead {
    let mut head = AttributeHead::zeroed();
    head.attribute_type = U32::new(kind);
    head.attribute_subtype = 1;
    head.attribute_length = U32::new(bytes as u32);
    head
}
