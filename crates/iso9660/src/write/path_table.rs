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
    let first = hierarchy.path_table_index(window.start());
    for index in first..hierarchy.directories.len() {
        let at = hierarchy.path_table_offset(index);
        if at >= window.end() {
            break;
        }
        let identifier = hierarchy.identifier(index);
        let identifier_length = identifier.len() as u8;
        let location = sources.location(index);
        // No directory past 65535 is a parent; see `HierarchyLayout::new`.
        let parent = (hierarchy.directories[index].parent + 1) as u16;
        let record_l = PathTableRecordL {
            identifier_length,
            extended_attribute_length: 0,
            extent_location: location.into(),
            parent_number: parent.into(),
        };
        let record_m = PathTableRecordM {
            identifier_length,
            extended_attribute_length: 0,
            extent_location: location.into(),
            parent_number: parent.into(),
        };
        match table {
            PathTable::L => window.put(at, record_l.bytes()),
            PathTable::M => window.put(at, record_m.bytes()),
        }
        window.put(at + PathTableRecordL::SIZE as u64, identifier);
    }
}
