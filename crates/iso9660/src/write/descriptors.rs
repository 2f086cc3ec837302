//! Volume descriptors (ECMA-119 8): primary, enhanced, Joliet, terminator, in that order.

use reburn_blocks::{BLOCK_SIZE, BlockCount};
use reburn_record::{Both16, Both32, Record, Text, TextTooLong};
use reburn_tree::{Kind, Timestamp, Tree};

use super::directory::version_suffix;
use super::hierarchy::HierarchyLayout;
use super::listing::{Listing, Member};
use super::{LayoutError, Placed, VolumeTexts};
use crate::Hierarchy;
use crate::names::{a_characters, d_characters, ucs2_text};
use crate::records::{
    DirectoryDate, DirectoryRecord, FileFlags, PRIMARY, RootDirectoryRecord, STANDARD_IDENTIFIER,
    SUPPLEMENTARY, TERMINATOR, VolumeDate, VolumeDescriptor,
};

/// Escape sequence of Joliet level 3, UCS-2 (Joliet; ECMA-119 8.5.6).
const JOLIET_ESCAPE: [u8; 3] = *b"%/E";

/// Descriptors of a volume with that many hierarchies, terminator included.
pub(super) fn descriptor_count(hierarchies: usize) -> u32 {
    hierarchies as u32 + 1
}

/// What descriptors are made from.
pub(super) struct Descriptors<'a> {
    placed: &'a Placed<'a>,
    volume_space: BlockCount,
    application_use: &'a [u8; 512],
}

impl<'a> Descriptors<'a> {
    pub(super) fn new(
        placed: &'a Placed<'a>,
        volume_space: BlockCount,
        application_use: &'a [u8; 512],
    ) -> Self {
        Self {
            placed,
            volume_space,
            application_use,
        }
    }

    /// Checks that all texts fit into the primary descriptor, and that files exist.
    pub(super) fn check(tree: &Tree, texts: &VolumeTexts) -> Result<(), LayoutError> {
        let fields = [
            ("system identifier (ECMA-119 8.4.5)", &texts.system, 32),
            ("volume identifier (ECMA-119 8.4.6)", &texts.volume, 32),
            (
                "volume set identifier (ECMA-119 8.4.19)",
                &texts.volume_set,
                128,
            ),
            (
                "publisher identifier (ECMA-119 8.4.20)",
                &texts.publisher,
                128,
            ),
            (
                "data preparer identifier (ECMA-119 8.4.21)",
                &texts.data_preparer,
                128,
            ),
            (
                "application identifier (ECMA-119 8.4.22)",
                &texts.application,
                128,
            ),
        ];
        for (field, text, max) in fields {
            let len = text.chars().count();
            if len > max {
                return Err(LayoutError::TextTooLong {
                    field,
                    text: text.clone(),
                    len,
                    max,
                });
            }
        }
        for (field, name) in files(texts) {
            let node = name.map_or(Some(Tree::ROOT), |name| tree.child(Tree::ROOT, name));
            let is_file = node.is_some_and(|node| {
                node == Tree::ROOT || matches!(tree.kind(tree.inode(node)), Kind::File { .. })
            });
            if !is_file {
                return Err(LayoutError::NoSuchFile {
                    field,
                    name: String::from_utf8_lossy(name.unwrap_or_default()).into_owned(),
                });
            }
        }
        Ok(())
    }

    /// All descriptors, a block each.
    pub(super) fn render(&self) -> Vec<u8> {
        let hierarchies = &self.placed.layout.hierarchies;
        let mut blocks = Vec::with_capacity((hierarchies.len() + 1) * BLOCK_SIZE);
        // Joliet comes last: of several supplementary descriptors, some readers take the last.
        for wanted in [Hierarchy::Plain, Hierarchy::Enhanced, Hierarchy::Joliet] {
            for hierarchy in hierarchies {
                let kind = match hierarchy.kind {
                    Hierarchy::RockRidge => Hierarchy::Plain,
                    kind => kind,
                };
                if kind == wanted {
                    blocks.extend_from_slice(self.descriptor(hierarchy, kind).bytes());
                }
            }
        }
        let mut terminator = VolumeDescriptor::zeroed();
        terminator.descriptor_type = TERMINATOR;
        terminator.standard_identifier = STANDARD_IDENTIFIER;
        terminator.version = 1;
        blocks.extend_from_slice(terminator.bytes());
        blocks
    }

    fn descriptor(&self, hierarchy: &HierarchyLayout, kind: Hierarchy) -> VolumeDescriptor {
        let mut descriptor = VolumeDescriptor::zeroed();
        descriptor.standard_identifier = STANDARD_IDENTIFIER;
        (descriptor.descriptor_type, descriptor.version) = match kind {
            Hierarchy::Plain | Hierarchy::RockRidge => (PRIMARY, 1),
            Hierarchy::Joliet => (SUPPLEMENTARY, 1),
            Hierarchy::Enhanced => (SUPPLEMENTARY, 2),
        };
        descriptor.file_structure_version = descriptor.version;
        if kind == Hierarchy::Joliet {
            descriptor.escape_sequences[..3].copy_from_slice(&JOLIET_ESCAPE);
        }
        if kind == Hierarchy::Plain {
            descriptor.application_use = *self.application_use;
        }
        self.set_texts(&mut descriptor, kind);
        self.set_files(&mut descriptor, hierarchy, kind);
        self.set_dates(&mut descriptor);
        self.set_addresses(&mut descriptor, hierarchy);
        descriptor
    }

    fn set_addresses(&self, descriptor: &mut VolumeDescriptor, hierarchy: &HierarchyLayout) {
        descriptor.volume_space_size = Both32::new(self.volume_space.get());
        descriptor.volume_set_size = Both16::new(1);
        descriptor.volume_sequence_number = Both16::new(1);
        descriptor.logical_block_size = Both16::new(BLOCK_SIZE as u16);
        let table = self.placed.metadata.start_lba().get() + hierarchy.path_table_start;
        descriptor.path_table_size = Both32::new(hierarchy.path_table_bytes);
        descriptor.path_table_l = table.into();
        descriptor.path_table_m = (table + hierarchy.path_table_blocks()).into();
        let root = &hierarchy.directories[0];
        let tree = self.placed.tree;
        let metadata = tree.metadata(tree.inode(Tree::ROOT));
        descriptor.root = RootDirectoryRecord {
            head: DirectoryRecord {
                length: RootDirectoryRecord::SIZE as u8,
                extended_attribute_length: 0,
                extent_location: Both32::new(self.placed.sources(hierarchy).location(0)),
                data_length: Both32::new(root.data_length()),
                date: DirectoryDate::new(metadata.modified),
                flags: FileFlags::DIRECTORY,
                file_unit_size: 0,
                interleave_gap: 0,
                volume_sequence_number: Both16::new(1),
                identifier_length: 1,
            },
            identifier: 0,
        };
    }

    fn set_texts(&self, descriptor: &mut VolumeDescriptor, kind: Hierarchy) {
        let texts = &self.placed.layout.options.texts;
        descriptor.system_identifier = text(kind, &texts.system, a_characters);
        descriptor.volume_identifier = text(kind, &texts.volume, d_characters);
        descriptor.volume_set_identifier = text(kind, &texts.volume_set, d_characters);
        descriptor.publisher_identifier = text(kind, &texts.publisher, a_characters);
        descriptor.data_preparer_identifier = text(kind, &texts.data_preparer, a_characters);
        descriptor.application_identifier = text(kind, &texts.application, a_characters);
    }

    /// States under which identifiers the root has the files that the texts name. Where an
    /// identifier is longer than the field, the field stays empty.
    fn set_files(
        &self,
        descriptor: &mut VolumeDescriptor,
        hierarchy: &HierarchyLayout,
        kind: Hierarchy,
    ) {
        let tree = self.placed.tree;
        let names = files(&self.placed.layout.options.texts).map(|(_, name)| name);
        let mut fields = [text(kind, "", a_characters); 3];
        if names.iter().any(Option::is_some) {
            let mut listing = Listing::default();
            listing.fill(tree, hierarchy, 0);
            for place in 0..listing.len() {
                let (member, identifier) = listing.get(place);
                let Member::Node(node) = member else { continue };
                let suffix = version_suffix(hierarchy.rules, identifier);
                let whole = [identifier, suffix].concat();
                for (name, field) in names.iter().zip(&mut fields) {
                    if *name == Some(tree.name(node))
                        && let Ok(file) = file_identifier(kind, &whole)
                    {
                        *field = file;
                    }
                }
            }
        }
        [
            descriptor.copyright_file_identifier,
            descriptor.abstract_file_identifier,
            descriptor.bibliographic_file_identifier,
        ] = fields;
    }

    fn set_dates(&self, descriptor: &mut VolumeDescriptor) {
        let dates = &self.placed.layout.options.dates;
        let date = |time: Option<Timestamp>| time.map_or(VolumeDate::UNSET, VolumeDate::new);
        descriptor.creation_date = date(dates.created);
        descriptor.modification_date = date(dates.modified);
        descriptor.expiration_date = date(dates.expires);
        descriptor.effective_date = date(dates.effective);
    }
}

/// The fields that name files, and the names.
fn files(texts: &VolumeTexts) -> [(&'static str, Option<&[u8]>); 3] {
    [
        (
            "copyright file identifier (ECMA-119 8.4.23)",
            texts.copyright_file.as_deref(),
        ),
        (
            "abstract file identifier (ECMA-119 8.4.24)",
            texts.abstract_file.as_deref(),
        ),
        (
            "bibliographic file identifier (ECMA-119 8.4.25)",
            texts.bibliographic_file.as_deref(),
        ),
    ]
}

/// A file's identifier in the field of a descriptor.
fn file_identifier(kind: Hierarchy, identifier: &[u8]) -> Result<Text<37>, TextTooLong> {
    if kind != Hierarchy::Joliet {
        return Text::new(identifier);
    }
    let mut field: [u8; 37] = ucs2_text("");
    let len = identifier.len();
    let room = field.get_mut(..len).ok_or(TextTooLong { len, field: 37 })?;
    room.copy_from_slice(identifier);
    Ok(Text::from_raw(field))
}

/// `text` as the descriptor of a hierarchy has it.
fn text<const N: usize>(kind: Hierarchy, text: &str, characters: fn(&str) -> Vec<u8>) -> Text<N> {
    let bytes = match kind {
        Hierarchy::Joliet => return Text::from_raw(ucs2_text(text)),
        Hierarchy::Enhanced => text.as_bytes()[..text.floor_char_boundary(N)].to_vec(),
        Hierarchy::Plain | Hierarchy::RockRidge => characters(text),
    };
    // Layouts are made only of texts that fit.
    Text::new(&bytes).unwrap_or(Text::BLANK)
}
