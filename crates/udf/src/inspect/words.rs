//! The words for numbers and bits that stand in fields.

use crate::records::{access, characteristics, file_type, icb_flags, tag_id};

/// What a descriptor with this tag is; `None` for a number that no standard gives a meaning.
pub(super) const fn descriptor(identifier: u16) -> Option<&'static str> {
    Some(match identifier {
        tag_id::SPARING_TABLE => "sparing table",
        tag_id::PRIMARY_VOLUME => "primary volume descriptor",
        tag_id::ANCHOR => "anchor volume descriptor pointer",
        tag_id::VOLUME_POINTER => "volume descriptor pointer",
        tag_id::IMPLEMENTATION_USE => "implementation use volume descriptor",
        tag_id::PARTITION => "partition descriptor",
        tag_id::LOGICAL_VOLUME => "logical volume descriptor",
        tag_id::UNALLOCATED_SPACE => "unallocated space descriptor",
        tag_id::TERMINATING => "terminating descriptor",
        tag_id::INTEGRITY => "logical volume integrity descriptor",
        tag_id::FILE_SET => "file set descriptor",
        tag_id::FILE_IDENTIFIER => "file identifier descriptor",
        tag_id::ALLOCATION_EXTENT => "allocation extent descriptor",
        tag_id::INDIRECT_ENTRY => "indirect entry",
        tag_id::TERMINAL_ENTRY => "terminal entry",
        tag_id::FILE_ENTRY => "file entry",
        tag_id::ATTRIBUTE_HEADER => "extended attribute header descriptor",
        tag_id::SPACE_ENTRY => "unallocated space entry",
        tag_id::SPACE_BITMAP => "space bitmap descriptor",
        tag_id::PARTITION_INTEGRITY => "partition integrity entry",
        tag_id::EXTENDED_FILE_ENTRY => "extended file entry",
        _ => return None,
    })
}

/// The type of a file (ECMA-167 4/14.6.6, UDF 2.3.5.2).
pub(super) const fn file(kind: u8) -> &'static str {
    match kind {
        file_type::UNSPECIFIED => "not specified, or a virtual allocation table before UDF 2.00",
        file_type::UNALLOCATED_SPACE => "unallocated space entry",
        2 => "partition integrity entry",
        3 => "indirect entry",
        file_type::DIRECTORY => "directory",
        file_type::FILE => "file",
        file_type::BLOCK_DEVICE => "block device",
        file_type::CHAR_DEVICE => "character device",
        file_type::ATTRIBUTES => "extended attributes",
        file_type::FIFO => "named pipe",
        file_type::SOCKET => "socket",
        11 => "terminal entry",
        file_type::SYMLINK => "symbolic link",
        file_type::STREAM_DIRECTORY => "stream directory",
        file_type::VIRTUAL_TABLE => "virtual allocation table",
        file_type::REAL_TIME => "real-time file",
        file_type::METADATA => "metadata file",
        file_type::METADATA_MIRROR => "metadata mirror file",
        file_type::METADATA_BITMAP => "metadata bitmap file",
        _ => "not known",
    }
}

/// How a partition can be written (ECMA-167 3/10.5.7, UDF 2.2.14.2).
pub(super) const fn access_type(number: u32) -> &'static str {
    match number {
        access::PSEUDO_OVERWRITABLE => "pseudo-overwritable",
        access::READ_ONLY => "read only",
        access::WRITE_ONCE => "write once",
        access::REWRITABLE => "rewritable",
        access::OVERWRITABLE => "overwritable",
        _ => "not known",
    }
}

/// The class of an operating system (UDF 6.3.1).
const fn os_class(class: u8) -> &'static str {
    match class {
        0 => "",
        1 => "DOS",
        2 => "OS/2",
        3 => "Mac OS",
        4 => "UNIX",
        5 => "Windows 9x",
        6 => "Windows NT",
        7 => "OS/400",
        8 => "BeOS",
        9 => "Windows CE",
        _ => "an unknown system",
    }
}

/// An operating system (UDF 6.3.2): its class, and its number in that if it is none of those
/// that have a name.
pub(super) fn system(class: u8, identifier: u8) -> String {
    match (class, identifier) {
        (0, 0) => String::new(),
        (3, 1) => "Mac OS X".into(),
        (4, 1) => "AIX".into(),
        (4, 2) => "Solaris".into(),
        (4, 3) => "HP-UX".into(),
        (4, 4) => "Irix".into(),
        (4, 5) => "Linux".into(),
        (4, 6) => "MkLinux".into(),
        (4, 7) => "FreeBSD".into(),
        (4, 8) => "NetBSD".into(),
        (class, 0) if class <= 9 => os_class(class).into(),
        (class, identifier) => format!("system {class}.{identifier}"),
    }
}

/// File characteristics of a name (ECMA-167 4/14.4.3).
pub(super) fn characteristics(bits: u8) -> String {
    const NAMES: [(u8, &str); 5] = [
        (characteristics::HIDDEN, "hidden"),
        (characteristics::DIRECTORY, "directory"),
        (characteristics::DELETED, "deleted"),
        (characteristics::PARENT, "parent"),
        (characteristics::METADATA, "metadata"),
    ];
    named(bits.into(), &NAMES.map(|(bit, name)| (bit.into(), name)))
}

/// Flags of an ICB tag (ECMA-167 4/14.6.8): the form of descriptors, then the bits.
pub(super) fn icb(flags: u16) -> String {
    const NAMES: [(u64, &str); 11] = [
        (0x0008, "sorted"),
        (0x0010, "not relocatable"),
        (0x0020, "archive"),
        (icb_flags::SETUID as u64, "setuid"),
        (icb_flags::SETGID as u64, "setgid"),
        (icb_flags::STICKY as u64, "sticky"),
        (0x0200, "contiguous"),
        (0x0400, "system"),
        (icb_flags::TRANSFORMED as u64, "transformed"),
        (0x1000, "multi-version"),
        (icb_flags::STREAM as u64, "stream"),
    ];
    let form = match flags & icb_flags::DESCRIPTORS {
        icb_flags::SHORT => "short descriptors",
        icb_flags::LONG => "long descriptors",
        icb_flags::EXTENDED => "extended descriptors",
        icb_flags::EMBEDDED => "embedded data",
        _ => "descriptors of no known form",
    };
    let bits = named((flags & !icb_flags::DESCRIPTORS).into(), &NAMES);
    let separator = if bits.is_empty() { "" } else { ", " };
    format!("{form}{separator}{bits}")
}

/// Permissions of a file (ECMA-167 4/14.9.5): read, write, execute, and those to change
/// attributes and to delete.
pub(super) fn permissions(bits: u32) -> String {
    let class = |name: &str, shift: u32| {
        let mut text = format!("{name} ");
        for (bit, letter) in [(2, 'r'), (1, 'w'), (0, 'x'), (3, 'a'), (4, 'd')] {
            let is_set = bits >> (shift + bit) & 1 == 1;
            text.push(if is_set { letter } else { '-' });
        }
        text
    };
    let reserved = bits >> 15;
    let mut text = [class("owner", 10), class("group", 5), class("other", 0)].join(", ");
    if reserved != 0 {
        text += ", reserved bits set";
    }
    text
}

/// The names of the bits that are set, and the number of the first without a name.
pub(super) fn named(bits: u64, names: &[(u64, &str)]) -> String {
    let mut left = bits;
    let mut words = Vec::new();
    for &(bit, name) in names.iter().filter(|&&(bit, _)| bits & bit != 0) {
        left &= !bit;
        words.push(name.to_owned());
    }
    if left != 0 {
        words.push(format!("bit {} has no meaning", left.trailing_zeros()));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_named() {
        assert_eq!(characteristics(0x0a), "directory, parent");
        assert_eq!(characteristics(0x21), "hidden, bit 5 has no meaning");
        assert_eq!(
            icb(0x0230),
            "short descriptors, not relocatable, archive, contiguous"
        );
        assert_eq!(icb(3), "embedded data");
        assert_eq!(permissions(0x14a5), "owner r-x--, group r-x--, other r-x--");
    }
}
