//! The target of a symbolic link (ECMA-167 4/14.16).

use reburn_record::little_endian::U16;
use reburn_record::record;

record! {
    /// A component of a path; its identifier follows.
    pub struct PathComponent: 4, "ECMA-167 4/14.16.1" {
        0 component_type: u8, "4/14.16.1.1";
        1 length_of_component_identifier: u8, "4/14.16.1.2";
        2 component_file_version_number: U16, "4/14.16.1.3";
    }
}

impl PathComponent {
    /// Value of `component_type`: the root of a set of volumes, or of what the identifier names.
    pub const VOLUME_ROOT: u8 = 1;
    /// Value of `component_type`: the root of the file set.
    pub const ROOT: u8 = 2;
    /// Value of `component_type`: the directory above.
    pub const PARENT: u8 = 3;
    /// Value of `component_type`: the directory itself.
    pub const CURRENT: u8 = 4;
    /// Value of `component_type`: the identifier is a name.
    pub const NAME: u8 = 5;
}
