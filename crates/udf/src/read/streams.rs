//! Named streams of files, and those of the volume (ECMA-167 4/9.2, UDF 3.3.5, 3.3.7).

use std::collections::BTreeSet;

use reburn_tree::{InodeId, Metadata};

use super::body::push_range;
use super::content::content;
use super::entries::EntryAt;
use super::entry::Entry;
use super::note::NoteKind;
use super::partitions::{Address, Kind};
use super::tree::NamedStream;
use super::walk::{Identifier, Walk};
use crate::records::file_type;
use crate::{Place, UdfError};

/// The list of blocks that no file may use: a stream of the volume (UDF 3.3.7.2).
const UNUSABLE_STREAM: &[u8] = b"*UDF Non-Allocatable Space";
/// The same before UDF 2.00: a hidden file of the root (UDF 1.50 2.3.13).
const UNUSABLE_FILE: &[u8] = b"Non-Allocatable Space";

impl Walk<'_> {
    /// Reads the streams of a file, if it has any, into the tree.
    pub(super) fn read_own_streams(
        &mut self,
        entry: &Entry,
        owner: InodeId,
    ) -> Result<(), UdfError> {
        let Some(icb) = &entry.stream_icb else {
            return Ok(());
        };
        let place = entry.place("stream_directory_icb");
        let address = Address::of(icb.extent_location);
        let identifiers = self.read_directory(address, place, file_type::STREAM_DIRECTORY)?;
        let mut taken = BTreeSet::new();
        for identifier in identifiers {
            let Some((metadata, entry)) = self.read_stream(&identifier)? else {
                continue;
            };
            let body = self.reader.body(&entry)?;
            self.take_blocks(&entry, &body);
            let name = self.stream_name(&identifier, &taken);
            let tree = &mut self.found.tree;
            let stream = tree.set_stream(owner, &name, metadata, content(&body))?;
            let at = EntryAt::of(&entry, self.partition);
            self.found.entries.note(stream, at);
            taken.insert(name);
        }
        Ok(())
    }

    /// What a stream's entry says; `None` for what is no file.
    fn read_stream(
        &mut self,
        identifier: &Identifier,
    ) -> Result<Option<(Metadata, Entry)>, UdfError> {
        let entry = self
            .reader
            .entry(identifier.address, identifier.place("icb"))?;
        let (metadata, attributes) = self.take_metadata(&entry)?;
        if !attributes.others.is_empty() {
            let place = || entry.place("length_of_extended_attributes");
            self.reader.note(NoteKind::ExtendedAttributes, place);
        }
        let is_file = matches!(
            entry.icb.file_type,
            file_type::FILE | file_type::REAL_TIME | file_type::UNSPECIFIED
        );
        if !is_file || entry.stream_icb.is_some() {
            let place = || entry.icb_place("file_type");
            self.reader.note(NoteKind::FileType, place);
        }
        let metadata = Metadata {
            real_time: false,
            ..metadata
        };
        Ok(is_file.then_some((metadata, entry)))
    }

    /// The name of a stream, or one near it that is free.
    fn stream_name(&self, identifier: &Identifier, taken: &BTreeSet<Vec<u8>>) -> Vec<u8> {
        let mut name = identifier.name.clone();
        name.retain(|&byte| byte != 0);
        let is_kept = name == identifier.name && !name.is_empty() && !taken.contains(&name);
        if is_kept {
            return name;
        }
        let place = identifier.place("length_of_file_identifier");
        self.reader.note(NoteKind::Renamed, || place);
        // Where the identifier is makes the name unique, and keeps the search short.
        let mut number = identifier.at;
        loop {
            let near = [&name, format!("~{number}").as_bytes()].concat();
            if !taken.contains(&near) {
                return near;
            }
            number += 1;
        }
    }

    /// Reads the volume's own streams: what they are called, and which blocks they use.
    pub(super) fn read_system_streams(
        &mut self,
        address: Address,
        place: Place,
    ) -> Result<(), UdfError> {
        let identifiers = self.read_directory(address, place, file_type::STREAM_DIRECTORY)?;
        for identifier in identifiers {
            let entry = self
                .reader
                .entry(identifier.address, identifier.place("icb"))?;
            if identifier.name == UNUSABLE_STREAM {
                self.take_unusable(&entry)?;
                continue;
            }
            let body = self.reader.body(&entry)?;
            self.take_blocks(&entry, &body);
            self.found.streams.push(NamedStream {
                name: String::from_utf8_lossy(&identifier.name).into_owned(),
                size: body.length,
            });
        }
        Ok(())
    }

    /// Whether a name in the root is the list of blocks that no file may use.
    pub(super) fn is_unusable_file(&self, identifier: &Identifier, entry: &Entry) -> bool {
        let maps = &self.reader.partitions.maps;
        identifier.is_hidden
            && identifier.name == UNUSABLE_FILE
            && !entry.is_extended()
            && maps.iter().any(|map| matches!(map.kind, Kind::Sparable(_)))
    }

    /// Takes in the list of blocks that no file may use.
    pub(super) fn take_unusable(&mut self, entry: &Entry) -> Result<(), UdfError> {
        let body = self.reader.body(entry)?;
        for &range in entry.blocks.iter().chain(&body.chain) {
            push_range(&mut self.found.metadata, Some(range));
        }
        self.found.data.extend(&body.data);
        self.found.unusable.extend(&body.data);
        Ok(())
    }
}
