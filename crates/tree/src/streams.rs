//! What a file has besides its content: named streams, and attributes of other systems.
//!
//! Few files have any, so they stand in side tables. A stream is a file without a name in any
//! folder: it has an inode, so that its bytes are placed and read as those of every file.

use bytes::Bytes;

use crate::history::Undo;
use crate::tree::{Inode, InodeKind, NameRef};
use crate::{InodeId, Metadata, NewKind, Tree, TreeError};

/// Something that another system keeps with a file, under the name of an entity identifier
/// (ECMA-167 1/7.4), as `*UDF Mac FinderInfo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Whether an application keeps it, rather than a system.
    pub is_application: bool,
    /// At most 23 bytes.
    pub name: Vec<u8>,
    /// What the identifier says besides its name.
    pub suffix: [u8; 8],
    /// The bytes behind the identifier; without the checksum that stands there in those of UDF.
    pub value: Bytes,
}

/// What one file has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Extras {
    /// In the order of their names.
    pub(crate) streams: Vec<(NameRef, InodeId)>,
    pub(crate) attributes: Vec<Attribute>,
}

impl Extras {
    fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.attributes.is_empty()
    }
}

impl Tree {
    /// The named streams of a file or folder, in the order of their names' bytes.
    pub fn streams(&self, inode: InodeId) -> impl ExactSizeIterator<Item = (&[u8], InodeId)> {
        let streams = self.extras.get(&inode).map_or(&[][..], |e| &e.streams);
        streams
            .iter()
            .map(|(name, stream)| (name.of(&self.names), *stream))
    }

    /// Every file and folder with named streams.
    pub fn inodes_with_streams(&self) -> impl Iterator<Item = InodeId> {
        let extras = self.extras.iter();
        let with = extras.filter(|(_, extras)| !extras.streams.is_empty());
        with.map(|(inode, _)| *inode)
    }

    /// The stream of that name.
    pub fn stream(&self, inode: InodeId, name: &[u8]) -> Option<InodeId> {
        let mut streams = self.streams(inode);
        streams.find(|(known, _)| *known == name).map(|(_, s)| s)
    }

    /// Adds a named stream to a file or folder, or exchanges the one that has the name.
    pub fn set_stream(
        &mut self,
        owner: InodeId,
        name: &[u8],
        metadata: Metadata,
        kind: NewKind,
    ) -> Result<InodeId, TreeError> {
        if name.is_empty() || name.contains(&0) {
            let name = String::from_utf8_lossy(name).into_owned();
            let reason = "a stream's name has characters, none of them zero";
            return Err(TreeError::BadName { name, reason });
        }
        let name = self.intern_name(name)?;
        let kind = self.intern(kind, name)?;
        if !matches!(kind, InodeKind::File(..)) {
            let name = String::from_utf8_lossy(name.of(&self.names)).into_owned();
            return Err(TreeError::StreamKind { name });
        }
        let id = self.next_inode()?;
        self.inodes.push(Inode {
            metadata,
            kind,
            links: 1,
        });
        self.note_extras(owner);
        let extras = self.extras.entry(owner).or_default();
        let names = &self.names;
        let place = extras
            .streams
            .binary_search_by(|(known, _)| known.of(names).cmp(name.of(names)));
        match place {
            Ok(index) => extras.streams[index].1 = id,
            Err(index) => extras.streams.insert(index, (name, id)),
        }
        Ok(id)
    }

    /// Removes a named stream; whether there was one.
    pub fn remove_stream(&mut self, owner: InodeId, name: &[u8]) -> bool {
        let Some(index) = self.streams(owner).position(|(known, _)| known == name) else {
            return false;
        };
        self.change_extras(owner, |extras| {
            extras.streams.remove(index);
        });
        true
    }

    /// What other systems keep with a file.
    pub fn attributes(&self, inode: InodeId) -> &[Attribute] {
        self.extras.get(&inode).map_or(&[], |e| &e.attributes)
    }

    /// Exchanges what other systems keep with a file.
    pub fn set_attributes(&mut self, inode: InodeId, attributes: Vec<Attribute>) {
        self.change_extras(inode, |extras| extras.attributes = attributes);
    }

    fn change_extras(&mut self, inode: InodeId, change: impl FnOnce(&mut Extras)) {
        self.note_extras(inode);
        let mut extras = self.extras.remove(&inode).unwrap_or_default();
        change(&mut extras);
        self.put_extras(inode, extras);
    }

    pub(crate) fn put_extras(&mut self, inode: InodeId, extras: Extras) {
        if extras.is_empty() {
            self.extras.remove(&inode);
        } else {
            self.extras.insert(inode, extras);
        }
    }

    fn note_extras(&mut self, inode: InodeId) {
        let extras = &self.extras;
        self.history.note(|| {
            let old = extras.get(&inode).cloned().unwrap_or_default();
            Undo::Extras(inode, Box::new(old))
        });
    }
}
