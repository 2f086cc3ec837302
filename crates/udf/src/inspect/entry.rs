//! What follows the record of a file's entry: extended attributes, allocation descriptors, or
//! the file's own bytes (ECMA-167 4/14.9, 4/14.14, 4/14.17).

use std::ops::ControlFlow;

use reburn_record::{Record, Sheet, Spot};

use super::extents::{Entry, descriptor_size};
use super::meaning::Context;
use super::{Found, Inspector, Show};
use crate::read::Address;
use crate::records::{AllocationExtentDescriptor, ExtAd, LongAd, ShortAd, icb_flags, tag_id};

/// Bytes of a file of extended attributes that are shown.
const ATTRIBUTE_FILE_MAX: usize = 64 * 1024;

impl Inspector<'_> {
    /// Shows what follows the record of an entry: extended attributes and allocation
    /// descriptors, with those in further blocks.
    pub(super) fn parts_of_entry(&self, entry: &Entry, show: Show<'_>) -> ControlFlow<()> {
        for problem in &entry.problems {
            self.say(
                "What follows the entry does not fit",
                entry.at,
                problem,
                show,
            )?;
        }
        let space = &entry.bytes[entry.attributes.clone()];
        if !space.is_empty() {
            let found = Found {
                bytes: space,
                at: entry.at + entry.attributes.start as u64,
                address: Some(entry.address),
                location: Some(entry.address.block),
            };
            self.attributes(&found, show)?;
        }
        let bytes = entry.descriptor_bytes();
        if entry.is_embedded() || bytes.is_empty() {
            return ControlFlow::Continue(());
        }
        let at = entry.at + entry.descriptors.start as u64;
        let mut sheet = self.sheet("Allocation descriptors", at, Some(entry.address));
        self.descriptor_rows(&mut sheet, entry, 0, bytes);
        show(&sheet)?;
        self.extents(entry, &mut |bytes, at, address| {
            self.chained(entry, bytes, at, address, show)
        })?;
        ControlFlow::Continue(())
    }

    /// Shows a further block of allocation descriptors.
    fn chained(
        &self,
        entry: &Entry,
        bytes: &[u8],
        at: u64,
        address: Address,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let found = Found {
            bytes,
            at,
            address: Some(address),
            location: Some(address.block),
        };
        let (mut sheet, record, _) = self.begin::<AllocationExtentDescriptor>("", &found, None);
        if bytes.is_empty() {
            sheet.block = None;
            sheet.title = "Allocation descriptors that cannot be read".into();
        }
        if let Some((record, rest)) = record
            && record.tag.is(tag_id::ALLOCATION_EXTENT).is_ok()
        {
            let length = record.length_of_allocation_descriptors.get() as usize;
            if length > rest.len() {
                let left = rest.len();
                sheet.note(format!(
                    "the descriptors take {length} bytes, and {left} are left"
                ));
            }
            let rest = &rest[..length.min(rest.len())];
            self.descriptor_rows(&mut sheet, entry, AllocationExtentDescriptor::SIZE, rest);
        }
        show(&sheet)
    }

    /// Adds a row for each allocation descriptor.
    fn descriptor_rows(&self, sheet: &mut Sheet, entry: &Entry, offset: usize, bytes: &[u8]) {
        let form = entry.form();
        let Some(size) = descriptor_size(form) else {
            sheet.note(format!(
                "descriptors of form {form} are not known (ECMA-167 4/14.6.8)"
            ));
            sheet.hex(offset, "bytes", "", bytes);
            return;
        };
        let partition = self.raw.of_short_descriptors(entry.address.partition);
        let context = Context {
            tag_is_sound: false,
            partition: Some(partition),
        };
        let explain = |spot: &Spot<'_>| self.meaning(context, spot);
        for (index, bytes) in bytes.chunks_exact(size).enumerate() {
            let offset = offset + index * size;
            match form {
                icb_flags::SHORT => {
                    if let Ok((short, _)) = ShortAd::view(bytes) {
                        let line = self.line_of_short(context, *short);
                        sheet.folded(offset, short, format!("short_ad[{index}]"), line, &explain);
                    }
                }
                icb_flags::LONG => {
                    if let Ok((long, _)) = LongAd::view(bytes) {
                        let line = self.line_of_long(long);
                        sheet.folded(offset, long, format!("long_ad[{index}]"), line, &explain);
                    }
                }
                _ => {
                    if let Ok((extended, _)) = ExtAd::view(bytes) {
                        let line = self.line_of_extended(extended);
                        sheet.folded(offset, extended, format!("ext_ad[{index}]"), line, &explain);
                    }
                }
            }
        }
        let left = bytes.len() % size;
        if left != 0 {
            sheet.note(format!(
                "{left} bytes are left, and a descriptor takes {size}"
            ));
        }
    }

    /// Shows the bytes of a file that are in its entry.
    pub(super) fn embedded(&self, entry: &Entry, show: Show<'_>) -> ControlFlow<()> {
        let bytes = entry.descriptor_bytes();
        if bytes.is_empty() {
            return ControlFlow::Continue(());
        }
        let at = entry.at + entry.descriptors.start as u64;
        let mut sheet = self.sheet("The file's bytes, embedded", at, Some(entry.address));
        if entry.information_length != bytes.len() as u64 {
            let (length, there) = (entry.information_length, bytes.len());
            sheet.note(format!(
                "the file has {length} bytes, and {there} are embedded"
            ));
        }
        sheet.hex(0, "data", "ECMA-167 4/14.6.8", bytes);
        show(&sheet)
    }

    /// Shows the file of a file's extended attributes, if it has one.
    pub(super) fn attribute_file(&self, entry: &Entry, show: Show<'_>) -> ControlFlow<()> {
        if entry.attribute_icb.is_none() {
            return ControlFlow::Continue(());
        }
        let address = Address::of(entry.attribute_icb.extent_location);
        let Some(file) = self.chain("extended attributes of the file", address, show)? else {
            return ControlFlow::Continue(());
        };
        let (bytes, start) = self.content(&file, ATTRIBUTE_FILE_MAX);
        let Some((at, address)) = start.filter(|_| !bytes.is_empty()) else {
            return ControlFlow::Continue(());
        };
        let found = Found {
            bytes: &bytes,
            at,
            address: Some(address),
            location: Some(address.block),
        };
        self.attributes(&found, show)
    }
}
