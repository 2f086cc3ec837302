//! Path tables: every directory with its place and parent (ECMA-119 6.9, 9.4).

use reburn_record::Record;

use super::directory::Sources;
use super::window::Window;
use crate::records::{PathTableRecordL, PathTableRecordM};

/// Byte order of a path table (ECMA-119 6.9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathTable {
    /// Least significant byte first.
    L,
    /// Most significant byte first.
    M,
}

/// Puts what the window shows of a path table.
pub(super) fn write_path_table(sources: &Sources<'_>, table: PathTable, window: &mut Window<'_>) {
    let hierarchy = sources.hierarchy;
    let mut at = 0;
    for (index, directory) in hierarchy.directories.iter().enumerate() {
        if at >= window.end() {
            break;
        }
        let identifier = hierarchy.identifier(index);
        let len = 8 + (identifier.len() as u64).next_multiple_of(2);
        if at + len > window.start() {
            let location = sources.location(index);
            // No directory past 65535 is a parent; see `HierarchyLayout::new`.
            let parent = (directory.parent + 1) as u16;
            let identifier_length = identifier.len() as u8;
            match table {
                PathTable::L => window.put(
                    at,
                    PathTableRecordL {
                        identifier_length,
                        extended_attribute_length: 0,
                        extent_location: location.into(),
                        parent_number: parent.into(),
                    }
                    .bytes(),
                ),
                PathTable::M => window.put(
                    at,
                    PathTableRecordM {
                        identifier_length,
                        extended_attribute_length: 0,
                        extent_location: location.into(),
                        parent_number: parent.into(),
                    }
                    .bytes(),
                ),
            }
            window.put(at + 8, identifier);
        }
        at += len;
    }
}
