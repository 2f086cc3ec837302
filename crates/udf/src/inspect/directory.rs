//! File identifiers of a directory (ECMA-167 4/14.4), and path components of a symbolic link
//! (ECMA-167 4/14.16).
//!
//! What cannot be a file identifier is passed over up to the next one; a sheet says so.

use std::ops::ControlFlow;

use reburn_record::Record;

use super::extents::Entry;
use super::meaning::Context;
use super::{Found, Inspector, Show};
use crate::read::{Address, mend};
use crate::records::{
    EntityId, FileIdentifier, PathComponent, Tag, characteristics, decode_cs0, tag_id,
};

/// Components of a target that are shown.
const COMPONENTS_MAX: usize = 256;

/// A file identifier, or bytes where one should be.
pub(super) enum Item<'b> {
    Identifier(Identifier<'b>),
    /// Bytes that are none, zeros for the most part where `is_blank`.
    Nonsense {
        at: u64,
        len: usize,
        is_blank: bool,
    },
}

/// A file identifier as it stands in a directory.
pub(super) struct Identifier<'b> {
    /// All of it, padding included; less where the directory ends early.
    pub(super) bytes: &'b [u8],
    pub(super) record: &'b FileIdentifier,
    pub(super) at: u64,
    /// The block that it starts in.
    pub(super) address: Address,
}

impl Identifier<'_> {
    /// Compression id and characters, as far as they are there.
    fn raw_name(&self) -> &[u8] {
        let used = usize::from(self.record.length_of_implementation_use.get());
        let start = (FileIdentifier::SIZE + used).min(self.bytes.len());
        let end = start + usize::from(self.record.length_of_file_identifier);
        &self.bytes[start..end.min(self.bytes.len())]
    }

    fn has(&self, bit: u8) -> bool {
        self.record.file_characteristics & bit != 0
    }

    /// Whether it leads to a directory or file of this name.
    pub(super) fn is_named(&self, name: &[u8]) -> bool {
        let mut own = decode_cs0(self.raw_name()).text.into_bytes();
        mend(&mut own);
        own == name && !self.has(characteristics::PARENT) && !self.has(characteristics::DELETED)
    }

    /// Where its entry is, unless it is the parent's or that of nothing.
    pub(super) fn child(&self) -> Option<Address> {
        let leads = !self.has(characteristics::PARENT) && !self.record.icb.is_none();
        leads.then(|| Address::of(self.record.icb.extent_location))
    }

    pub(super) fn found(&self) -> Found<'_> {
        Found {
            bytes: self.bytes,
            at: self.at,
            address: Some(self.address),
            location: Some(self.address.block),
        }
    }
}

/// Bytes of a directory that were read and not yet taken, with where its blocks begin.
#[derive(Default)]
struct Window {
    bytes: Vec<u8>,
    /// Where in `bytes` a block begins, where on the disc, and which one it is.
    blocks: Vec<(usize, u64, Address)>,
    next: usize,
}

impl Window {
    fn push(&mut self, bytes: &[u8], at: u64, address: Address) {
        let taken = std::mem::take(&mut self.next);
        let block = self.blocks.partition_point(|(start, ..)| *start <= taken);
        self.blocks.drain(..block.saturating_sub(1));
        // The block that is being taken may have begun before.
        for (start, at, _) in &mut self.blocks {
            *at += taken.saturating_sub(*start) as u64;
            *start = start.saturating_sub(taken);
        }
        self.bytes.drain(..taken);
        self.blocks.push((self.bytes.len(), at, address));
        self.bytes.extend_from_slice(bytes);
    }

    /// Where on the disc the next byte is, and in which block.
    fn place(&self) -> Option<(u64, Address)> {
        let block = self
            .blocks
            .partition_point(|(start, ..)| *start <= self.next);
        let &(start, at, address) = self.blocks.get(block.checked_sub(1)?)?;
        Some((at + (self.next - start) as u64, address))
    }

    /// Takes what can be taken; all of it at the end of the directory.
    fn take(
        &mut self,
        is_end: bool,
        take: &mut dyn FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        while let Some((at, address)) = self.place() {
            let rest = &self.bytes[self.next..];
            if rest.is_empty() {
                break;
            }
            let record = FileIdentifier::view(rest).ok().map(|(record, _)| record);
            let record = record.filter(|record| record.tag.is(tag_id::FILE_IDENTIFIER).is_ok());
            if let Some(record) = record {
                let length = record.full_length();
                if rest.len() < length && !is_end {
                    break;
                }
                let bytes = &rest[..length.min(rest.len())];
                take(Item::Identifier(Identifier {
                    bytes,
                    record,
                    at,
                    address,
                }))?;
                self.next += bytes.len();
                continue;
            }
            if rest.len() < FileIdentifier::SIZE && !is_end {
                break;
            }
            let len = match nonsense(rest) {
                // A tag may begin in the last bytes and go on in the next block.
                len if len == rest.len() && !is_end => (len - Tag::SIZE) & !3,
                len => len,
            };
            let is_blank = rest[..len].iter().all(|&byte| byte == 0);
            take(Item::Nonsense { at, len, is_blank })?;
            self.next += len;
        }
        ControlFlow::Continue(())
    }
}

/// How many bytes there are before the next whole tag of a file identifier.
fn nonsense(bytes: &[u8]) -> usize {
    let next = (4..bytes.len()).step_by(4).find(|&start| {
        Tag::view(&bytes[start..]).is_ok_and(|(tag, _)| {
            tag.is(tag_id::FILE_IDENTIFIER).is_ok() && tag.tag_checksum == tag.checksum()
        })
    });
    next.unwrap_or(bytes.len())
}

impl Inspector<'_> {
    /// Calls `take` for everything in a directory. The problem that ends it early, if one does.
    pub(super) fn items(
        &self,
        entry: &Entry,
        take: &mut dyn FnMut(Item<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<(), Option<String>> {
        let mut window = Window::default();
        let problem = self.parts(entry, &mut |part| {
            window.push(part.bytes, part.at, part.address);
            window.take(false, take)
        })?;
        window.take(true, take)?;
        ControlFlow::Continue(problem)
    }

    /// Shows what is in a directory.
    pub(super) fn directory(&self, entry: &Entry, show: Show<'_>) -> ControlFlow<()> {
        let problem = self.items(entry, &mut |item| match item {
            Item::Identifier(identifier) => self.identifier("", &identifier.found(), show),
            Item::Nonsense { at, len, is_blank } => {
                let what = if is_blank {
                    "zeros"
                } else {
                    "no file identifier"
                };
                let problem = format!("{len} bytes are {what}; they were passed over");
                self.say("Something else in the directory", at, problem, show)
            }
        })?;
        match problem {
            Some(problem) => self.say("The directory breaks off", entry.at, problem, show),
            None => ControlFlow::Continue(()),
        }
    }

    /// Shows a file identifier with its name.
    pub(super) fn identifier(
        &self,
        role: &str,
        found: &Found<'_>,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let whole = FileIdentifier::view(found.bytes).ok();
        let whole = whole.map(|(record, _)| record.full_length().min(found.bytes.len()));
        let found = Found {
            bytes: &found.bytes[..whole.unwrap_or(found.bytes.len())],
            ..*found
        };
        let (mut sheet, record, context) = self.begin::<FileIdentifier>(role, &found, None);
        let Some((record, rest)) = record else {
            return show(&sheet);
        };
        let used = usize::from(record.length_of_implementation_use.get());
        let (used, rest) = rest.split_at(used.min(rest.len()));
        let mut offset = FileIdentifier::SIZE;
        if let Ok((identifier, data)) = EntityId::view(used) {
            let explain = |spot: &reburn_record::Spot<'_>| self.meaning(context, spot);
            let line = super::meaning::line_of_entity(identifier).unwrap_or_default();
            sheet.folded(offset, identifier, "implementation_use", line, &explain);
            sheet.hex(offset + EntityId::SIZE, "", "", data);
        } else {
            sheet.hex(offset, "implementation_use", "ECMA-167 4/14.4.7", used);
        }
        offset += used.len();
        let length = usize::from(record.length_of_file_identifier);
        let name = &rest[..length.min(rest.len())];
        let decoded = decode_cs0(name);
        if !name.is_empty() {
            let text = format!("{:?}, compression id {}", decoded.text, name[0]);
            sheet.row(
                offset,
                name.len(),
                "file_identifier",
                "ECMA-167 4/14.4.8",
                text,
            );
            sheet.title = format!("{}, {:?}", sheet.title, decoded.text);
        } else if record.file_characteristics & characteristics::PARENT != 0 {
            sheet.title += ", the parent";
        }
        if name.len() < length {
            sheet.note(format!(
                "the name takes {length} bytes, and {} are left",
                name.len()
            ));
        } else if !name.is_empty() && !decoded.is_clean {
            sheet.note("the name is not OSTA compressed Unicode (UDF 2.1.1)");
        }
        let padding = &rest[name.len()..];
        if padding.iter().any(|&byte| byte != 0) {
            sheet.hex(offset + name.len(), "padding", "ECMA-167 4/14.4.9", padding);
            sheet.note("the padding is not zero");
        }
        show(&sheet)
    }

    /// Shows the target of a symbolic link.
    pub(super) fn target(&self, entry: &Entry, show: Show<'_>) -> ControlFlow<()> {
        let (bytes, start) = self.content(entry, 1 << 16);
        let Some((at, address)) = start else {
            return self.say("The link has no target", entry.at, "it has no bytes", show);
        };
        let mut sheet = self.sheet("Path components of the link's target", at, Some(address));
        let mut rest = bytes.as_slice();
        for _ in 0..COMPONENTS_MAX {
            if rest.is_empty() {
                break;
            }
            let offset = bytes.len() - rest.len();
            let added = self.add::<PathComponent>(&mut sheet, offset, rest, Context::default());
            let Some((component, after)) = added else {
                break;
            };
            let length = usize::from(component.length_of_component_identifier);
            let identifier = &after[..length.min(after.len())];
            if identifier.len() < length {
                let left = identifier.len();
                sheet.note(format!(
                    "the identifier takes {length} bytes, and {left} are left"
                ));
            }
            if !identifier.is_empty() {
                let text = format!("{:?}", decode_cs0(identifier).text);
                let offset = offset + PathComponent::SIZE;
                let clause = "ECMA-167 4/14.16.1.4";
                sheet.row(
                    offset,
                    identifier.len(),
                    "component_identifier",
                    clause,
                    text,
                );
            }
            rest = &after[identifier.len()..];
        }
        if !rest.is_empty() {
            sheet.note(format!("{} more bytes are not shown", rest.len()));
        }
        show(&sheet)
    }
}
