//! A file by its path: its name, its entries along the ICB's chain (ECMA-167 4/8.10), and what a
//! directory or a link has in it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use reburn_record::Record;

use super::directory::Item;
use super::extents::Entry;
use super::{Found, Inspector, PathError, Show, tag_fault};
use crate::read::Address;
use crate::records::{IndirectEntry, file_type, tag_id};

/// Entries of one file that are shown.
const VERSIONS_MAX: usize = 4096;
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
