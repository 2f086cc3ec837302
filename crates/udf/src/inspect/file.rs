//! A file by its path: its name, its entries along the ICB's chain, extended attributes,
//! allocation descriptors, and what a directory or a link has in it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use reburn_record::Record;

use super::directory::Item;
use super::extents::{Entry, descriptor_size};
use super::meaning::Context;
use super::{Found, Inspector, PathError, Show, tag_fault};
use crate::read::Address;
use crate::records::{
    AllocationExtentDescriptor, ExtAd, IndirectEntry, LongAd, ShortAd, file_type, icb_flags, tag_id,
};

/// Entries of one file that are shown.
const VERSIONS_MAX: usize = 4096;
/// Bytes of a file of extended attributes that are shown.
const ATTRIBUTE_FILE_MAX: usize = 64 * 1024;
/// Streams of a file that are shown.
const STREAMS_MAX: usize = 256;

impl Inspector<'_> {
    /// Shows a file by its path, parts of it separated by `/`: the identifier that names it,
    /// all its entries, and what is in it if it is a directory or a symbolic link.
    pub fn file(&self, path: &[u8], show: Show<'_>) -> Result<ControlFlow<()>, PathError> {
        let file_set = self.raw.file_set();
        let root = file_set.map(|file_set| file_set.root_directory_icb.extent_location);
        let Some(root) = root else {
            let problem = self.raw.problems.first().cloned();
            let problem = problem.unwrap_or("no file set descriptor leads there".into());
            return Err(PathError::NoRoot(problem));
        };
        let mut address = Address::of(root);
        let mut parent: Option<(Entry, Vec<u8>)> = None;
        let mut directory = String::from("/");
        for name in path
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty())
        {
            let entry = self.newest(address);
            let child = entry.as_ref().and_then(|entry| self.child(entry, name));
            let Some((entry, child)) = entry.zip(child) else {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(PathError::NotFound { directory, name });
            };
            if directory.len() > 1 {
                directory.push('/');
            }
            directory += &String::from_utf8_lossy(name);
            parent = Some((entry, name.to_vec()));
            address = child;
        }
        Ok(self.bounded(show, |show| self.named(parent.as_ref(), address, show)))
    }

    fn named(
        &self,
        parent: Option<&(Entry, Vec<u8>)>,
        address: Address,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        if let Some((entry, name)) = parent {
            self.items(entry, &mut |item| match item {
                Item::Identifier(found) if found.is_named(name) => {
                    self.identifier("", &found.found(), show)
                }
                _ => ControlFlow::Continue(()),
            })?;
        }
        let Some(entry) = self.chain("", address, show)? else {
            return ControlFlow::Continue(());
        };
        self.attribute_file(&entry, show)?;
        match entry.icb.file_type {
            file_type::DIRECTORY | file_type::STREAM_DIRECTORY => self.directory(&entry, show)?,
            file_type::SYMLINK => self.target(&entry, show)?,
            _ if entry.is_embedded() => self.embedded(&entry, show)?,
            _ => {}
        }
        match entry.stream_icb {
            Some(icb) => {
                let address = Address::of(icb.extent_location);
                self.stream_directory("streams of the file", address, show)
            }
            None => ControlFlow::Continue(()),
        }
    }

    /// The entry that a name in a directory leads to.
    fn child(&self, directory: &Entry, name: &[u8]) -> Option<Address> {
        let mut child = None;
        let _ = self.items(directory, &mut |item| match item {
            Item::Identifier(found) if found.is_named(name) => {
                child = found.child();
                ControlFlow::Break(())
            }
            _ => ControlFlow::Continue(()),
        });
        child
    }

    /// The newest entry of a file, without showing any.
    fn newest(&self, address: Address) -> Option<Entry> {
        match self.chain("", address, &mut |_| ControlFlow::Continue(())) {
            ControlFlow::Continue(entry) => entry,
            ControlFlow::Break(()) => None,
        }
    }

    /// Shows the entries of a file, the oldest first, each with its extended attributes and
    /// allocation descriptors. The last one.
    pub(super) fn chain(
        &self,
        role: &str,
        address: Address,
        show: Show<'_>,
    ) -> ControlFlow<(), Option<Entry>> {
        let mut seen = BTreeSet::new();
        let (mut next, mut newest) = (Some(address), None);
        while let Some(address) = next.take() {
            if seen.len() == VERSIONS_MAX || !seen.insert(address) {
                let problem = format!(
                    "{} leads back into it, or it is endless",
                    self.place(address)
                );
                self.say_of("The chain of entries", Some(address), problem, show)?;
                break;
            }
            let Some((bytes, at)) = self.copy(role, address, show)? else {
                break;
            };
            if let Ok((indirect, _)) = IndirectEntry::view(&bytes)
                && indirect.tag.is(tag_id::INDIRECT_ENTRY).is_ok()
            {
                next = Some(Address::of(indirect.indirect_icb.extent_location));
                continue;
            }
            let Some(entry) = Entry::parse(bytes, at, address) else {
                break;
            };
            self.parts_of_entry(&entry, show)?;
            if entry.icb.strategy_type.get() == 4096 {
                next = self.after(address);
            }
            newest = Some(entry);
        }
        ControlFlow::Continue(newest)
    }

    /// The block after an entry of strategy 4096, if something is recorded there.
    fn after(&self, address: Address) -> Option<Address> {
        let block = address.block.checked_add(1)?;
        let address = Address { block, ..address };
        let (bytes, at) = self.raw.block(address).ok()?;
        let found = Found {
            bytes: &bytes,
            at,
            address: Some(address),
            location: Some(block),
        };
        let ids = [tag_id::INDIRECT_ENTRY, tag_id::TERMINAL_ENTRY];
        let is_one = found.tag_id().is_some_and(|id| ids.contains(&id));
        (is_one && tag_fault(&found).is_none()).then_some(address)
    }

    /// Shows a descriptor, and if it is damaged its copy in the mirror of a metadata
    /// partition. The bytes to go on with.
    fn copy(
        &self,
        role: &str,
        address: Address,
        show: Show<'_>,
    ) -> ControlFlow<(), Option<(Vec<u8>, u64)>> {
        let main = match self.raw.block(address) {
            Ok((bytes, at)) => {
                let is_whole = self.show_block(role, &bytes, at, address, show)?;
                if is_whole {
                    return ControlFlow::Continue(Some((bytes, at)));
                }
                Some((bytes, at))
            }
            Err(problem) => {
                let title = "An entry that cannot be read";
                self.say_of(title, Some(address), problem, show)?;
                None
            }
        };
        let Some(at) = self.raw.mirror(address) else {
            return ControlFlow::Continue(main);
        };
        let Ok(bytes) = self.raw.bytes(at, self.raw.sector_size as usize) else {
            return ControlFlow::Continue(main);
        };
        let role = if role.is_empty() {
            "in the mirror".into()
        } else {
            format!("{role}, in the mirror")
        };
        let is_whole = self.show_block(&role, &bytes, at, address, show)?;
        ControlFlow::Continue(if is_whole { Some((bytes, at)) } else { main })
    }

    /// Shows the descriptor in a block. Whether it is whole.
    fn show_block(
        &self,
        role: &str,
        bytes: &[u8],
        at: u64,
        address: Address,
        show: Show<'_>,
    ) -> ControlFlow<(), bool> {
        let found = Found {
            bytes,
            at,
            address: Some(address),
            location: Some(address.block),
        };
        self.descriptor(role, &found, show)?;
        ControlFlow::Continue(tag_fault(&found).is_none())
    }

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
    fn descriptor_rows(
        &self,
        sheet: &mut reburn_record::Sheet,
        entry: &Entry,
        offset: usize,
        bytes: &[u8],
    ) {
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
        let explain = |spot: &reburn_record::Spot<'_>| self.meaning(context, spot);
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

    fn embedded(&self, entry: &Entry, show: Show<'_>) -> ControlFlow<()> {
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
    fn attribute_file(&self, entry: &Entry, show: Show<'_>) -> ControlFlow<()> {
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

    /// Shows a stream directory and the streams in it.
    pub(super) fn stream_directory(
        &self,
        role: &str,
        address: Address,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let Some(entry) = self.chain(role, address, show)? else {
            return ControlFlow::Continue(());
        };
        self.directory(&entry, show)?;
        let mut streams = Vec::new();
        self.items(&entry, &mut |item| {
            if let Item::Identifier(found) = item {
                streams.extend(found.child().filter(|_| streams.len() < STREAMS_MAX));
            }
            ControlFlow::Continue(())
        })?;
        for stream in streams {
            let entry = self.chain("stream", stream, show)?;
            if let Some(entry) = entry.filter(Entry::is_embedded) {
                self.embedded(&entry, show)?;
            }
        }
        ControlFlow::Continue(())
    }
}
