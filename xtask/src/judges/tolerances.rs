//! What readers and extractors are known not to give back, and why that is no fault of the
//! image.

use reburn_tests::{Aspect, Difference, Kind, Tolerance};

use super::packages::is_root;

fn kind(difference: &Difference) -> Option<Kind> {
    difference.expected.as_ref().map(|entry| entry.kind)
}

fn is_device(difference: &Difference) -> bool {
    matches!(kind(difference), Some(Kind::CharDevice | Kind::BlockDevice))
}

/// The top folder stands outside what is extracted.
pub const TOP_FOLDER: Tolerance = Tolerance {
    name: "top folder",
    because: "extraction goes into a folder that has its own time, mode and owner",
    forgives: |difference| difference.path == b".",
};

/// Extraction of a link leaves the time of extraction.
pub const LINK_TIMES: Tolerance = Tolerance {
    name: "times of symbolic links",
    because: "the extractor does not set the times of a link itself",
    forgives: |difference| {
        difference.aspect == Aspect::Time && kind(difference) == Some(Kind::Symlink)
    },
};

/// Empty files have no blocks by which a reader could know that they are one file.
pub const EMPTY_HARD_LINKS: Tolerance = Tolerance {
    name: "hard links of empty files",
    because: "the extractor knows a hard link by its first block, which an empty file lacks",
    forgives: |difference| {
        let empty = difference
            .expected
            .as_ref()
            .is_some_and(|entry| entry.size == 0);
        difference.aspect == Aspect::Links && kind(difference) == Some(Kind::File) && empty
    },
};

/// Numbers of devices above 255.
///
/// RRIP 4.1.2 has the halves of a 64-bit number; the Linux kernel writes and reads major and
/// minor number there, unless both fit a byte. xorriso and libarchive take the halves for the
/// number that the C library makes, which is another.
pub const LARGE_DEVICES: Tolerance = Tolerance {
    name: "large device numbers",
    because: "readers disagree on what PN holds; images here suit the kernel",
    forgives: |difference| {
        let numbers = difference
            .expected
            .as_ref()
            .filter(|_| is_device(difference));
        let numbers = numbers.and_then(|entry| std::str::from_utf8(&entry.target).ok());
        let large = |number: &str| number.parse::<u32>().is_ok_and(|number| number > 255);
        numbers.is_some_and(|numbers| numbers.split(':').any(large))
    },
};

/// Device nodes and other owners are the superuser's to make.
const OWNERS: Tolerance = Tolerance {
    name: "owners",
    because: "only the superuser gives files away",
    forgives: |difference| difference.aspect == Aspect::Owner,
};

const DEVICES: Tolerance = Tolerance {
    name: "devices",
    because: "only the superuser makes device nodes",
    forgives: is_device,
};

const SPECIAL_BITS: Tolerance = Tolerance {
    name: "set-id bits",
    because: "set-id bits of files of other owners are the superuser's to set",
    forgives: |difference| {
        let (Some(expected), Some(seen)) = (&difference.expected, &difference.seen) else {
            return false;
        };
        difference.aspect == Aspect::Mode && expected.mode & 0o777 == seen.mode & 0o777
    },
};

/// What extraction loses for want of rights; nothing for the superuser.
pub fn of_plain_users() -> Vec<Tolerance> {
    if is_root() {
        Vec::new()
    } else {
        vec![OWNERS, DEVICES, SPECIAL_BITS]
    }
}
