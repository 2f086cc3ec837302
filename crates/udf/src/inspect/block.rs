//! One block of the disc: what it says that it is.

use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_record::Record;

use super::extents::Entry;
use super::sequence::structure;
use super::{Found, Inspector, Show, words};
use crate::records::{FileIdentifier, Tag, VolumeStructure, tag_id};

/// Bytes of a block that are shown if nothing is known of it.
const BYTES_SHOWN: usize = 512;

impl Inspector<'_> {
    /// Shows a block of 2048 bytes by the tags in it. A block without any is shown as bytes.
    /// Whether it says what it is.
    pub fn block(&self, block: Lba, show: Show<'_>) -> ControlFlow<(), bool> {
        let at = block.byte_offset();
        let bytes = match self.raw.bytes(at, BLOCK_SIZE) {
            Ok(bytes) => bytes,
            Err(problem) => {
                self.say("A block that cannot be read", at, problem, show)?;
                return ControlFlow::Continue(false);
            }
        };
        if let Some(title) = structure(&bytes) {
            let mut sheet = self.sheet(title, at, None);
            self.add::<VolumeStructure>(&mut sheet, 0, &bytes, super::Context::default());
            show(&sheet)?;
            return ControlFlow::Continue(true);
        }
        let size = self.raw.sector_size as usize;
        let step = size.min(BLOCK_SIZE);
        let mut known = false;
        for start in (0..BLOCK_SIZE).step_by(step) {
            let at = at + start as u64;
            // A larger block begins with its descriptor.
            if !at.is_multiple_of(size as u64) {
                continue;
            }
            if let Ok(bytes) = self.raw.bytes(at, size)
                && claims(&bytes)
            {
                known = true;
                self.claimed(&bytes, at, show)?;
            }
        }
        if !known {
            self.unclaimed(&bytes, at, show)?;
        }
        ControlFlow::Continue(known)
    }

    /// Shows the descriptors of a block that begins with one.
    fn claimed(&self, bytes: &[u8], at: u64, show: Show<'_>) -> ControlFlow<()> {
        let sector = at / u64::from(self.raw.sector_size);
        let stated = Tag::view(bytes).map_or(0, |(tag, _)| tag.tag_location.get());
        let addresses = self.raw.addresses(sector);
        let address = addresses
            .iter()
            .find(|address| address.block == stated)
            .copied();
        let is_sector = u64::from(stated) == sector;
        let found = Found {
            bytes,
            at,
            address: address.filter(|_| !is_sector),
            // None of its addresses, so say the likeliest one that it should have.
            location: Some(match (address, is_sector, addresses.last()) {
                (Some(_), ..) | (_, true, _) => stated,
                (None, false, Some(likely)) => likely.block,
                (None, false, None) => u32::try_from(sector).unwrap_or(u32::MAX),
            }),
        };
        if found.tag_id() == Some(tag_id::FILE_IDENTIFIER) {
            return self.identifiers(&found, show);
        }
        self.descriptor("", &found, show)?;
        let address = address.or(addresses.last().copied());
        let entry = address.and_then(|address| Entry::parse(bytes.to_vec(), at, address));
        match entry {
            Some(entry) => self.parts_of_entry(&entry, show),
            None => ControlFlow::Continue(()),
        }
    }

    /// Shows the file identifiers that a block begins with.
    fn identifiers(&self, found: &Found<'_>, show: Show<'_>) -> ControlFlow<()> {
        let mut start = 0;
        while let Some(rest) = found.bytes.get(start..)
            && let Ok((record, _)) = FileIdentifier::view(rest)
            && record.tag.is(tag_id::FILE_IDENTIFIER).is_ok()
        {
            let at = found.at + start as u64;
            let length = record.full_length();
            // One that goes on in the next block is read as far as it goes there.
            let longer = (length > rest.len())
                .then(|| self.raw.bytes(at, length).ok())
                .flatten();
            let found = Found {
                bytes: longer.as_deref().unwrap_or(rest),
                at,
                ..*found
            };
            self.identifier("", &found, show)?;
            start += length;
        }
        ControlFlow::Continue(())
    }

    fn unclaimed(&self, bytes: &[u8], at: u64, show: Show<'_>) -> ControlFlow<()> {
        let title = if bytes.iter().all(|&byte| byte == 0) {
            "Nothing but zeros"
        } else {
            "No descriptor"
        };
        let mut sheet = self.sheet(title, at, None);
        let sector = at / u64::from(self.raw.sector_size);
        for address in self.raw.addresses(sector) {
            let (partition, block) = (address.partition, address.block);
            let value = format!("block {block} of partition {partition}");
            sheet.row(0, 0, "address", "", value);
        }
        if bytes.iter().any(|&byte| byte != 0) {
            sheet.hex(0, "bytes", "", &bytes[..BYTES_SHOWN]);
        }
        show(&sheet)
    }
}

/// Whether a block begins with something that is likely to be a tag.
fn claims(bytes: &[u8]) -> bool {
    Tag::view(bytes).is_ok_and(|(tag, rest)| {
        let known = words::descriptor(tag.tag_identifier.get()).is_some();
        let version = matches!(tag.descriptor_version.get(), 2 | 3);
        // A damaged one still has its checksum, or its version and a check over what is there.
        let length = usize::from(tag.descriptor_crc_length.get());
        let sum = tag.tag_checksum == tag.checksum();
        known && version && (sum || length <= rest.len() && length >= 8)
    })
}
