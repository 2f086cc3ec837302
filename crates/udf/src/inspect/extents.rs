//! Where the bytes of a file are, as far as its entry can be believed (ECMA-167 4/12, 4/14.14).
//!
//! Invariants: what an entry states beyond its block is cut off; each block of allocation
//! descriptors is taken once; no more extents are kept than [`EXTENTS_MAX`], and no more bytes
//! are handed out than the disc has.

use std::collections::BTreeSet;
use std::ops::{ControlFlow, Range};

use reburn_record::Record;

use super::Inspector;
use crate::read::Address;
use crate::records::{
    AllocationExtentDescriptor, ExtAd, ExtendedFileEntry, ExtentKind, FileEntry, IcbTag, LongAd,
    ShortAd, Tag, icb_flags, tag_id,
};

/// Extents of one file that are kept.
const EXTENTS_MAX: usize = 1 << 16;

/// A file's entry with what follows its record.
pub(super) struct Entry {
    pub(super) address: Address,
    pub(super) at: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) icb: IcbTag,
    pub(super) information_length: u64,
    pub(super) attribute_icb: LongAd,
    pub(super) stream_icb: Option<LongAd>,
    /// Extended attributes, in the block.
    pub(super) attributes: Range<usize>,
    /// Allocation descriptors or the file's bytes, in the block.
    pub(super) descriptors: Range<usize>,
    /// What does not fit into the block.
    pub(super) problems: Vec<String>,
}

/// A run of blocks that an allocation descriptor names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) kind: ExtentKind,
    pub(super) bytes: u32,
    pub(super) address: Address,
}

/// A block of a file, or less where the file ends in it.
pub(super) struct Part<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) at: u64,
    /// Which block it is; that of the entry for embedded bytes.
    pub(super) address: Address,
}

impl Entry {
    /// The entry in a block; `None` if no file entry is there.
    pub(super) fn parse(bytes: Vec<u8>, at: u64, address: Address) -> Option<Self> {
        let (tag, _) = Tag::view(&bytes).ok()?;
        let (start, icb, information_length, attribute_icb, stream_icb, lengths);
        match tag.tag_identifier.get() {
            tag_id::FILE_ENTRY => {
                let (entry, _) = FileEntry::view(&bytes).ok()?;
                (start, icb) = (FileEntry::SIZE, entry.icb_tag);
                information_length = entry.information_length.get();
                (attribute_icb, stream_icb) = (entry.extended_attribute_icb, None);
                lengths = [
                    entry.length_of_extended_attributes.get(),
                    entry.length_of_allocation_descriptors.get(),
                ];
            }
            tag_id::EXTENDED_FILE_ENTRY => {
                let (entry, _) = ExtendedFileEntry::view(&bytes).ok()?;
                (start, icb) = (ExtendedFileEntry::SIZE, entry.icb_tag);
                information_length = entry.information_length.get();
                attribute_icb = entry.extended_attribute_icb;
                stream_icb = Some(entry.stream_directory_icb).filter(|icb| !icb.is_none());
                lengths = [
                    entry.length_of_extended_attributes.get(),
                    entry.length_of_allocation_descriptors.get(),
                ];
            }
            _ => return None,
        }
        let mut problems = Vec::new();
        let mut cut = |start: usize, length: u32, what: &str| {
            let left = bytes.len() - start;
            if length as usize > left {
                problems.push(format!("{what} take {length} bytes, and {left} are left"));
            }
            start..start + left.min(length as usize)
        };
        let attributes = cut(start, lengths[0], "the extended attributes");
        let descriptors = cut(attributes.end, lengths[1], "the allocation descriptors");
        Some(Self {
            address,
            at,
            bytes,
            icb,
            information_length,
            attribute_icb,
            stream_icb,
            attributes,
            descriptors,
            problems,
        })
    }

    /// The form of its allocation descriptors.
    pub(super) fn form(&self) -> u16 {
        self.icb.flags.get() & icb_flags::DESCRIPTORS
    }

    pub(super) fn is_embedded(&self) -> bool {
        self.form() == icb_flags::EMBEDDED
    }

    pub(super) fn descriptor_bytes(&self) -> &[u8] {
        &self.bytes[self.descriptors.clone()]
    }
}

/// Bytes of an allocation descriptor of this form; `None` for forms without any.
pub(super) const fn descriptor_size(form: u16) -> Option<usize> {
    match form {
        icb_flags::SHORT => Some(ShortAd::SIZE),
        icb_flags::LONG => Some(LongAd::SIZE),
        icb_flags::EXTENDED => Some(ExtAd::SIZE),
        _ => None,
    }
}

/// The extent that the bytes of an allocation descriptor name; `None` for fewer bytes than it
/// takes. `partition` is that of short descriptors.
pub(super) fn extent(form: u16, bytes: &[u8], partition: u16) -> Option<Extent> {
    let (length, address) = match form {
        icb_flags::SHORT => {
            let (short, _) = ShortAd::view(bytes).ok()?;
            let block = short.extent_position.get();
            (short.extent_length, Address { partition, block })
        }
        icb_flags::LONG => {
            let (long, _) = LongAd::view(bytes).ok()?;
            (long.extent_length, Address::of(long.extent_location))
        }
        icb_flags::EXTENDED => {
            let (extended, _) = ExtAd::view(bytes).ok()?;
            let address = Address::of(extended.extent_location);
            (extended.extent_length, address)
        }
        _ => return None,
    };
    let (kind, bytes) = ExtentKind::split(length.get());
    Some(Extent {
        kind,
        bytes,
        address,
    })
}

/// Takes in a block of allocation descriptors: its bytes, where it is, and its address.
pub(super) type TakeChained<'t> = &'t mut dyn FnMut(&[u8], u64, Address) -> ControlFlow<()>;

impl Inspector<'_> {
    /// The extents of a file. `take` is called for each further block of descriptors, or with
    /// no bytes for one that cannot be read.
    pub(super) fn extents(
        &self,
        entry: &Entry,
        take: TakeChained<'_>,
    ) -> ControlFlow<(), Vec<Extent>> {
        let partition = self.raw.of_short_descriptors(entry.address.partition);
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        let form = entry.form();
        let mut next = Self::take_extents(form, entry.descriptor_bytes(), partition, &mut found);
        while let Some(address) = next.take().filter(|&address| seen.insert(address)) {
            let Ok((bytes, at)) = self.raw.block(address) else {
                take(&[], 0, address)?;
                break;
            };
            take(&bytes, at, address)?;
            let Ok((head, rest)) = AllocationExtentDescriptor::view(&bytes) else {
                break;
            };
            if head.tag.is(tag_id::ALLOCATION_EXTENT).is_err() {
                break;
            }
            let length = head.length_of_allocation_descriptors.get() as usize;
            let descriptors = &rest[..length.min(rest.len())];
            next = Self::take_extents(form, descriptors, partition, &mut found);
        }
        ControlFlow::Continue(found)
    }

    /// Takes in descriptors that follow each other. Where they go on, if they do.
    fn take_extents(
        form: u16,
        descriptors: &[u8],
        partition: u16,
        found: &mut Vec<Extent>,
    ) -> Option<Address> {
        for bytes in descriptors.chunks_exact(descriptor_size(form)?) {
            let extent = extent(form, bytes, partition)?;
            if extent.bytes == 0 {
                return None;
            }
            if extent.kind == ExtentKind::Continuation {
                return Some(extent.address);
            }
            if found.len() == EXTENTS_MAX {
                return None;
            }
            found.push(extent);
        }
        None
    }

    /// Hands out the bytes of a file, a block at a time, as far as they are on the disc. The
    /// problem that ends it early, if one does.
    pub(super) fn parts(
        &self,
        entry: &Entry,
        take: &mut dyn FnMut(&Part<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<(), Option<String>> {
        if entry.is_embedded() {
            let bytes = entry.descriptor_bytes();
            let length = usize::try_from(entry.information_length).unwrap_or(usize::MAX);
            take(&Part {
                bytes: &bytes[..length.min(bytes.len())],
                at: entry.at + entry.descriptors.start as u64,
                address: entry.address,
            })?;
            return ControlFlow::Continue(None);
        }
        let extents = self.extents(entry, &mut |_, _, _| ControlFlow::Continue(()))?;
        let mut left = entry.information_length;
        let mut budget = self.raw.len();
        let size = u64::from(self.raw.sector_size);
        for extent in extents {
            let mut within = 0;
            while within < u64::from(extent.bytes) && left > 0 {
                if budget == 0 {
                    let problem = "it goes on for longer than the disc is";
                    return ControlFlow::Continue(Some(problem.into()));
                }
                let blocks = u32::try_from(within / size).unwrap_or(u32::MAX);
                let address = Address {
                    block: extent.address.block.saturating_add(blocks),
                    ..extent.address
                };
                let len = size.min(u64::from(extent.bytes) - within).min(left);
                let found = match extent.kind {
                    ExtentKind::Recorded => self.raw.block(address),
                    _ => Err(format!(
                        "byte {} of it is in an extent that is not recorded",
                        entry.information_length - left
                    )),
                };
                let (bytes, at) = match found {
                    Ok(found) => found,
                    Err(problem) => return ControlFlow::Continue(Some(problem)),
                };
                let bytes = &bytes[..usize::try_from(len).unwrap_or(bytes.len())];
                take(&Part { bytes, at, address })?;
                within += len;
                left -= len;
                budget = budget.saturating_sub(size);
            }
        }
        let problem = (left > 0).then(|| {
            let length = entry.information_length;
            format!(
                "it has {length} bytes, and its descriptors lead to {}",
                length - left
            )
        });
        ControlFlow::Continue(problem)
    }

    /// The first bytes of a file, at most `max`, and where its first block is.
    pub(super) fn content(&self, entry: &Entry, max: usize) -> (Vec<u8>, Option<(u64, Address)>) {
        let mut content = Vec::new();
        let mut start = None;
        let _ = self.parts(entry, &mut |part| {
            start.get_or_insert((part.at, part.address));
            let left = max - content.len();
            content.extend_from_slice(&part.bytes[..part.bytes.len().min(left)]);
            if content.len() == max {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        (content, start)
    }
}
