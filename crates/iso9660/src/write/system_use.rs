//! The system use area of one record: what Rock Ridge says of a file (SUSP, RRIP 1.12).
//!
//! Invariant: every entry is whole and knows where it ends, so that an area can be split
//! between entries.

use reburn_record::Record;
use reburn_tree::{Kind, Metadata, Timestamp};

use crate::records::{
    Cl, ComponentFlags, ComponentHead, DirectoryDate, ErHead, NameFlags, NmHead, Pl, Pn, Px,
    SlHead, Sp, SuspHead, TfHead, TimeFlags, VolumeDate,
};

/// The most bytes an entry has after the head and flags of `NM` and `SL`.
const ENTRY_DATA_MAX: usize = 255 - 5;

/// The longest name that Linux shows. It leaves out a whole part that would make the name
/// longer, so what goes beyond is a part of its own.
const LINUX_NAME_MAX: usize = 253;

/// What an `ER` entry says: identifier, descriptor and source as RRIP 4.3 had them up to
/// version 1.10. The later identifier `IEEE_1282` is the one that goes with the 44 bytes of
/// `PX`, but the readers of BSD and macOS refuse a volume that says so, while none minds the
/// longer `PX` under the older one.
const EXTENSION: [&[u8]; 3] = [
    b"RRIP_1991A",
    b"THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS",
    b"PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN \
      PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION.",
];

/// The entries of one record, in order. Its memory serves one record after the other.
#[derive(Debug, Default)]
pub(super) struct SystemUse {
    bytes: Vec<u8>,
    /// Where each entry ends.
    ends: Vec<u16>,
}

impl SystemUse {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// All entries.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The largest end of an entry that is at most `max` bytes after `start`, itself the end
    /// of an entry or zero.
    pub(super) fn split(&self, start: usize, max: usize) -> usize {
        let fitting = self
            .ends
            .partition_point(|&end| usize::from(end) <= start + max);
        match fitting.checked_sub(1) {
            Some(last) => usize::from(self.ends[last]).max(start),
            None => start,
        }
    }

    /// `SP`: the volume uses the protocol.
    pub(super) fn push_sharing_protocol(&mut self) {
        self.push(&[Sp::new().bytes()]);
    }

    /// `ER`: the extension is Rock Ridge.
    pub(super) fn push_extension_reference(&mut self) {
        let [identifier, descriptor, source] = EXTENSION;
        let length = ErHead::SIZE + identifier.len() + descriptor.len() + source.len();
        let head = ErHead {
            head: SuspHead::new(*b"ER", length as u8),
            identifier_length: identifier.len() as u8,
            descriptor_length: descriptor.len() as u8,
            source_length: source.len() as u8,
            extension_version: 1,
        };
        self.push(&[head.bytes(), identifier, descriptor, source]);
    }

    /// `PX`: mode, owner, number of links and serial number.
    pub(super) fn push_attributes(
        &mut self,
        metadata: &Metadata,
        kind: Kind<'_>,
        links: u32,
        serial: u32,
    ) {
        let mode = file_type(kind) | u32::from(metadata.permissions & 0o7777);
        let px = Px::new(mode, links, metadata.uid, metadata.gid, serial);
        self.push(&[px.bytes()]);
    }

    /// `TF`: the times that are known; 7 bytes each, or 17 where one of them needs it.
    pub(super) fn push_times(&mut self, metadata: &Metadata) {
        let times = [
            (TimeFlags::CREATION, metadata.created),
            (TimeFlags::MODIFY, Some(metadata.modified)),
            (TimeFlags::ACCESS, metadata.accessed),
            (TimeFlags::ATTRIBUTES, metadata.changed),
        ];
        let known = || times.iter().filter_map(|&(flag, time)| Some((flag, time?)));
        let in_range = |time: Timestamp| {
            (DirectoryDate::MIN..=DirectoryDate::MAX).contains(&time.floor_to_seconds())
        };
        let long = !known().all(|(_, time)| in_range(time));
        let mut flags = known().fold(0, |flags, (flag, _)| flags | flag);
        let mut stamps = [0; 4 * VolumeDate::SIZE];
        let mut len = 0;
        let mut put = |stamp: &[u8]| {
            stamps[len..len + stamp.len()].copy_from_slice(stamp);
            len += stamp.len();
        };
        if long {
            flags |= TimeFlags::LONG_FORM;
            known().for_each(|(_, time)| put(VolumeDate::new(time).bytes()));
        } else {
            known().for_each(|(_, time)| put(DirectoryDate::new(time).bytes()));
        }
        let head = TfHead {
            head: SuspHead::new(*b"TF", (TfHead::SIZE + len) as u8),
            flags,
        };
        self.push(&[head.bytes(), &stamps[..len]]);
    }

    /// `NM`: the name, byte for byte.
    pub(super) fn push_name(&mut self, name: &[u8]) {
        let (front, beyond) = name.split_at(name.len().min(LINUX_NAME_MAX));
        let parts = front
            .chunks(ENTRY_DATA_MAX)
            .chain(beyond.chunks(ENTRY_DATA_MAX));
        let mut left = name.len();
        for part in parts {
            left -= part.len();
            let head = NmHead {
                head: SuspHead::new(*b"NM", (NmHead::SIZE + part.len()) as u8),
                flags: if left > 0 { NameFlags::CONTINUE } else { 0 },
            };
            self.push(&[head.bytes(), part]);
        }
    }

    /// `PN`: the numbers of a device.
    ///
    /// Some readers take the two fields for major and minor number, some for the halves of
    /// one number (as RRIP has it). Small numbers are all in the lower field, where either
    /// kind finds them; for larger ones the first custom is the one that Linux knows.
    pub(super) fn push_device(&mut self, major: u32, minor: u32) {
        let (high, low) = match (major, minor) {
            (1..=0xff, 0..=0xff) => (0, major << 8 | minor),
            numbers => numbers,
        };
        self.push(&[Pn::new(high, low).bytes()]);
    }

    /// `CL`: the folder of this name is recorded at another place.
    pub(super) fn push_child_link(&mut self, location: u32) {
        self.push(&[Cl::new(location).bytes()]);
    }

    /// `PL`: where the parent of a moved folder is recorded.
    pub(super) fn push_parent_link(&mut self, location: u32) {
        self.push(&[Pl::new(location).bytes()]);
    }

    /// `RE`: the folder is recorded here, but belongs to another place.
    pub(super) fn push_relocated(&mut self) {
        self.push(&[SuspHead::new(*b"RE", 4).bytes()]);
    }

    /// `SL`: the target of a symbolic link.
    ///
    /// Empty components stand for slashes that follow each other or end the target, so that
    /// it comes back byte for byte. Where the target goes on in another entry, a component is
    /// cut in two if possible: there is a reader that forgets the slash between entries.
    pub(super) fn push_target(&mut self, target: &[u8]) {
        let mut entry = Vec::with_capacity(ENTRY_DATA_MAX);
        let mut components = Components::new(target);
        while let Some((flags, mut text)) = components.next() {
            let last = components.rest.is_none();
            loop {
                let room = ENTRY_DATA_MAX - entry.len();
                let len = ComponentHead::SIZE + text.len();
                // The component fits, and one byte of the next one as well.
                if len <= room && (last || flags != 0 || len + ComponentHead::SIZE < room) {
                    push_component(&mut entry, flags, text);
                    break;
                }
                if room > ComponentHead::SIZE && flags == 0 {
                    let cut = text.len().min(room - ComponentHead::SIZE);
                    push_component(&mut entry, ComponentFlags::CONTINUE, &text[..cut]);
                    text = &text[cut..];
                }
                self.push_target_part(&mut entry, true);
            }
        }
        self.push_target_part(&mut entry, false);
    }

    fn push_target_part(&mut self, components: &mut Vec<u8>, continues: bool) {
        let head = SlHead {
            head: SuspHead::new(*b"SL", (SlHead::SIZE + components.len()) as u8),
            flags: if continues { SlHead::CONTINUE } else { 0 },
        };
        self.push(&[head.bytes(), components]);
        components.clear();
    }

    fn push(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.bytes.extend_from_slice(part);
        }
        self.ends.push(self.bytes.len() as u16);
    }
}

fn push_component(entry: &mut Vec<u8>, flags: u8, text: &[u8]) {
    let head = ComponentHead {
        flags,
        length: text.len() as u8,
    };
    entry.extend_from_slice(head.bytes());
    entry.extend_from_slice(text);
}

/// The components of a path: flags and, where those are zero, the name.
struct Components<'a> {
    /// What is still to come.
    rest: Option<&'a [u8]>,
    root: bool,
}

impl<'a> Components<'a> {
    fn new(path: &'a [u8]) -> Self {
        let (root, rest) = match path.strip_prefix(b"/") {
            Some(rest) => (true, rest),
            None => (false, path),
        };
        Self {
            rest: (!rest.is_empty()).then_some(rest),
            root,
        }
    }
}

impl<'a> Iterator for Components<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if std::mem::take(&mut self.root) {
            return Some((ComponentFlags::ROOT, b""));
        }
        let rest = self.rest?;
        let slash = rest.iter().position(|&byte| byte == b'/');
        self.rest = slash.map(|slash| &rest[slash + 1..]);
        let name = slash.map_or(rest, |slash| &rest[..slash]);
        Some(match name {
            b"." => (ComponentFlags::CURRENT, b""),
            b".." => (ComponentFlags::PARENT, b""),
            name => (0, name),
        })
    }
}

/// The file type bits of a POSIX mode.
fn file_type(kind: Kind<'_>) -> u32 {
    match kind {
        Kind::Directory => 0o040_000,
        Kind::File { .. } => 0o100_000,
        Kind::Symlink(_) => 0o120_000,
        Kind::CharDevice { .. } => 0o020_000,
        Kind::BlockDevice { .. } => 0o060_000,
        Kind::Fifo => 0o010_000,
        Kind::Socket => 0o140_000,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::susp::{Entries, Entry};

    /// The entries that `push` makes.
    fn made(push: impl FnOnce(&mut SystemUse)) -> SystemUse {
        let mut entries = SystemUse::default();
        push(&mut entries);
        let ends: Vec<_> = entries.ends.iter().map(|&end| usize::from(end)).collect();
        let found = Entries::new(&entries.bytes).map(Result::unwrap);
        assert!(found.map(|entry| entry.offset + entry.bytes.len()).eq(ends));
        entries
    }

    fn each(entries: &SystemUse) -> impl Iterator<Item = Entry<'_>> {
        Entries::new(&entries.bytes).map(Result::unwrap)
    }

    #[test]
    fn the_extension_is_named() {
        let entries = made(SystemUse::push_extension_reference);
        assert_eq!(entries.bytes.len(), 237);
        assert_eq!(entries.bytes[..8], *b"ER\xed\x01\x0a\x54\x87\x01");
        assert_eq!(EXTENSION.map(<[u8]>::len), [10, 84, 135]);
    }

    #[test]
    fn long_names_have_parts() {
        let parts = |len: usize| -> Vec<(u8, usize)> {
            let name = vec![b'n'; len];
            each(&made(|entries| entries.push_name(&name)))
                .map(|entry| (entry.bytes[4], entry.bytes.len() - 5))
                .collect()
        };
        assert_eq!(parts(1), [(0, 1)]);
        assert_eq!(parts(250), [(0, 250)]);
        assert_eq!(parts(253), [(1, 250), (0, 3)]);
        assert_eq!(parts(255), [(1, 250), (1, 3), (0, 2)]);
    }

    #[test]
    fn times_have_two_forms() {
        let at = Timestamp::from_seconds;
        let metadata = Metadata {
            accessed: Some(at(0)),
            created: Some(at(86_400)),
            ..Metadata::file().modified_at(at(1))
        };
        let entries = made(|entries| entries.push_times(&metadata));
        assert_eq!(
            entries.bytes,
            b"TF\x1a\x01\x07\x46\x01\x02\0\0\0\0\x46\x01\x01\0\0\x01\0\x46\x01\x01\0\0\0\0"
        );
        let late = metadata.modified_at(DirectoryDate::MAX);
        let entries = made(|entries| entries.push_times(&late));
        assert_eq!(entries.bytes[2..5], [26, 1, 0x07]);
        let later = at(DirectoryDate::MAX.seconds() + 1);
        let entries = made(|entries| entries.push_times(&metadata.modified_at(later)));
        assert_eq!(entries.bytes[2..5], [5 + 3 * 17, 1, 0x87]);
        assert_eq!(&entries.bytes[5 + 17..][..17], b"2156010100000000\0");
    }

    #[test]
    fn small_device_numbers_are_one_number() {
        let numbers = |major, minor| {
            let entries = made(|entries| entries.push_device(major, minor));
            let (pn, _) = Pn::view(&entries.bytes).unwrap();
            (pn.high.le(), pn.low.le(), pn.numbers())
        };
        assert_eq!(numbers(1, 3), (0, 0x103, (1, 3)));
        assert_eq!(numbers(255, 255), (0, 0xffff, (255, 255)));
        assert_eq!(numbers(1, 256), (1, 256, (1, 256)));
        assert_eq!(numbers(259, 0), (259, 0, (259, 0)));
        assert_eq!(numbers(0, 5), (0, 5, (0, 5)));
    }

    #[test]
    fn targets_are_components() {
        let entries = made(|entries| entries.push_target(b"/.././a//b/"));
        assert_eq!(
            entries.bytes,
            b"SL\x15\x01\0\x08\0\x04\0\x02\0\0\x01a\0\0\0\x01b\0\0"
        );
        assert_eq!(
            made(|entries| entries.push_target(b"/")).bytes,
            b"SL\x07\x01\0\x08\0"
        );
        assert_eq!(
            made(|entries| entries.push_target(b"")).bytes,
            b"SL\x05\x01\0"
        );
    }

    /// Puts a target together again. One reader forgets the slash between two entries.
    fn target(entries: &SystemUse, forgets_slash: bool) -> Vec<u8> {
        let mut target = Vec::new();
        let mut slash = false;
        let mut goes_on = true;
        for entry in each(entries) {
            assert!(goes_on, "an entry after the last one");
            goes_on = entry.bytes[4] & SlHead::CONTINUE != 0;
            slash &= !forgets_slash;
            let mut rest = &entry.bytes[5..];
            while let [flags, len, after @ ..] = rest {
                let (text, after) = after.split_at(usize::from(*len));
                target.extend(slash.then_some(b'/'));
                target.extend_from_slice(match *flags {
                    ComponentFlags::ROOT => b"/",
                    ComponentFlags::CURRENT => b".",
                    ComponentFlags::PARENT => b"..",
                    _ => text,
                });
                slash = !matches!(*flags, ComponentFlags::ROOT | ComponentFlags::CONTINUE);
                rest = after;
            }
        }
        assert!(!goes_on, "the last entry does not say so");
        target
    }

    proptest! {
        #[test]
        fn targets_come_back(
            lens in prop::collection::vec(prop_oneof![0usize..9, 230usize..260], 1..30),
            root: bool,
        ) {
            let parts: Vec<_> = lens.into_iter().map(|len| "t".repeat(len)).collect();
            let path = format!("{}{}", if root { "/" } else { "" }, parts.join("/"));
            let entries = made(|entries| entries.push_target(path.as_bytes()));
            prop_assert_eq!(&target(&entries, false), path.as_bytes());
            prop_assert_eq!(&target(&entries, true), path.as_bytes());
        }
    }
}
