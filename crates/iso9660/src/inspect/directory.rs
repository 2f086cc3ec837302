//! Directory records: those of a directory, and those that a path leads to (ECMA-119 9.1).

use std::ops::ControlFlow;

use reburn_blocks::BLOCK_SIZE;
use reburn_record::{Record, Sheet};

use super::meaning::{Context, ucs2};
use super::{Inspector, PathError, Show, add, say, system_use};
use crate::Hierarchy;
use crate::read::{append_name, mend};
use crate::records::{DirectoryRecord, FileFlags, PARENT_IDENTIFIER, SELF_IDENTIFIER};

/// Where system use entries begin in a directory's records; `None` where there are none.
type Susp = Option<[usize; 2]>;

/// Takes in a record, or the block and byte where records break off and why.
type TakeItem<'t> = &'t mut dyn FnMut(Result<Found<'_>, BreaksOff>) -> ControlFlow<()>;

/// Block, byte, and what is wrong there.
type BreaksOff = (u32, usize, String);

/// Where a directory is.
#[derive(Debug, Clone, Copy)]
struct Directory {
    start: u32,
    length: u32,
    is_root: bool,
}

/// A record as it stands in a directory's block.
pub(super) struct Found<'b> {
    pub(super) bytes: &'b [u8],
    pub(super) block: u32,
    pub(super) byte: usize,
    head: &'b DirectoryRecord,
}

impl<'b> Found<'b> {
    /// The record at byte `byte` of a block; `None` for one that does not fit, or is too short.
    pub(super) fn parse(block: u32, bytes: &'b [u8], byte: usize) -> Option<Self> {
        let rest = bytes.get(byte..)?;
        let bytes = rest.get(..usize::from(*rest.first()?))?;
        let (head, _) = DirectoryRecord::view(bytes).ok()?;
        let length = DirectoryRecord::SIZE + usize::from(head.identifier_length);
        (length <= bytes.len()).then_some(Self {
            bytes,
            block,
            byte,
            head,
        })
    }

    fn identifier(&self) -> &'b [u8] {
        let end = DirectoryRecord::SIZE + usize::from(self.head.identifier_length);
        &self.bytes[DirectoryRecord::SIZE..end]
    }

    /// Whether both copies of every number agree, as in nothing else than a record.
    pub(super) fn is_likely(&self) -> bool {
        self.bytes.len().is_multiple_of(2)
            && self.head.identifier_length > 0
            && self.head.extent_location.get().is_ok()
            && self.head.data_length.get().is_ok()
            && self.head.volume_sequence_number.get().is_ok()
    }

    fn is_directory(&self) -> bool {
        self.head.flags.contains(FileFlags::DIRECTORY)
    }

    fn is_special(&self) -> bool {
        matches!(self.identifier(), [SELF_IDENTIFIER | PARENT_IDENTIFIER])
    }

    /// The system use area, from its first entry on, and where that is in the record.
    fn system_use(&self, susp: Susp, in_root: bool) -> Option<(usize, &'b [u8])> {
        let [root, others] = susp?;
        let skipped = match self.identifier() {
            [SELF_IDENTIFIER] if in_root => root,
            _ => others,
        };
        let start = DirectoryRecord::system_use_offset(self.head.identifier_length);
        let start = start.checked_add(skipped)?;
        Some((start, self.bytes.get(start..)?))
    }

    fn child(&self) -> Directory {
        let attributes = u32::from(self.head.extended_attribute_length);
        Directory {
            start: self.head.extent_location.le().saturating_add(attributes),
            length: self.head.data_length.le(),
            is_root: false,
        }
    }
}

impl Inspector<'_> {
    /// Shows a file by its path in a hierarchy, parts of it separated by `/`: all records that
    /// name it, with their system use entries, and the records in it if it is a directory.
    /// Without a hierarchy the best one is taken.
    pub fn file(
        &self,
        path: &[u8],
        hierarchy: Option<Hierarchy>,
        show: Show<'_>,
    ) -> Result<ControlFlow<()>, PathError> {
        let volume = self.volume.as_ref();
        let volume = volume.map_err(|error| PathError::NoRoot(error.clone()))?;
        let hierarchy = hierarchy.unwrap_or_else(|| volume.best());
        let root = volume.raw_root(hierarchy);
        let (root, susp) =
            root.ok_or_else(|| PathError::NoRoot(format!("the volume has no {hierarchy} tree")))?;
        let attributes = u32::from(root.extended_attribute_length);
        let mut directory = Directory {
            start: root.extent_location.le().saturating_add(attributes),
            length: root.data_length.le(),
            is_root: true,
        };
        let names = path
            .split(|&byte| byte == b'/')
            .filter(|name| !name.is_empty());
        let names: Vec<_> = names.collect();
        let Some((last, folders)) = names.split_last() else {
            return Ok(self.records(directory, susp, hierarchy, show));
        };
        let mut shown = String::from("/");
        let not_found = |directory: &str, name: &[u8]| PathError::NotFound {
            directory: directory.into(),
            name: String::from_utf8_lossy(name).into_owned(),
        };
        for name in folders {
            let child = self.child(directory, name, susp, hierarchy);
            directory = child.flatten().ok_or_else(|| not_found(&shown, name))?;
            if shown.len() > 1 {
                shown.push('/');
            }
            shown += &String::from_utf8_lossy(name);
        }
        let child = self.child(directory, last, susp, hierarchy);
        let child = child.ok_or_else(|| not_found(&shown, last))?;
        let of_name = |found: &Found<'_>| {
            let (name, _) = self.name(found, susp, hierarchy, directory.is_root);
            !found.is_special() && name == *last
        };
        let flow = self.each(directory, &mut |item| match item {
            Ok(found) if of_name(&found) => {
                self.record(&found, susp, hierarchy, directory.is_root, show)
            }
            _ => ControlFlow::Continue(()),
        });
        Ok(match (flow, child) {
            (ControlFlow::Continue(()), Some(child)) => self.records(child, susp, hierarchy, show),
            (flow, _) => flow,
        })
    }

    /// What a name in a directory leads to: `None` if it is not there, `Some(None)` if it is
    /// no directory.
    #[allow(clippy::option_option)] // two questions with one answer
    fn child(
        &self,
        directory: Directory,
        name: &[u8],
        susp: Susp,
        hierarchy: Hierarchy,
    ) -> Option<Option<Directory>> {
        let mut child = None;
        let _ = self.each(directory, &mut |item| {
            let Ok(found) = item else {
                return ControlFlow::Continue(());
            };
            if found.is_special() {
                return ControlFlow::Continue(());
            }
            let (own, moved) = self.name(&found, susp, hierarchy, directory.is_root);
            if own != name {
                return ControlFlow::Continue(());
            }
            child = Some(match moved {
                Some(block) => self.moved(block),
                None => found.is_directory().then(|| found.child()),
            });
            ControlFlow::Break(())
        });
        child
    }

    /// The directory that was moved to a block, by its own record.
    fn moved(&self, block: u32) -> Option<Directory> {
        let bytes = self.read(block).ok()?;
        let own = Found::parse(block, &bytes, 0)?;
        Some(Directory {
            start: block,
            ..own.child()
        })
    }

    /// The name of a record in a hierarchy, and where a directory of this name was moved to.
    fn name(
        &self,
        found: &Found<'_>,
        susp: Susp,
        hierarchy: Hierarchy,
        in_root: bool,
    ) -> (Vec<u8>, Option<u32>) {
        let mut name = Vec::new();
        let mut moved = None;
        if hierarchy == Hierarchy::RockRidge
            && let Some((_, area)) = found.system_use(susp, in_root)
        {
            let posix = self.posix_name(area);
            moved = posix.1;
            name = posix.0.unwrap_or_default();
        }
        if name.is_empty() {
            append_name(
                hierarchy,
                found.identifier(),
                found.is_directory(),
                &mut name,
            );
        }
        mend(&mut name, 0);
        (name, moved)
    }

    /// Shows all records of a directory.
    fn records(
        &self,
        directory: Directory,
        susp: Susp,
        hierarchy: Hierarchy,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        self.each(directory, &mut |item| match item {
            Ok(found) => self.record(&found, susp, hierarchy, directory.is_root, show),
            Err((block, byte, problem)) => say(
                "The directory's block breaks off",
                block,
                byte,
                problem,
                show,
            ),
        })
    }

    /// Shows a record with its system use entries.
    fn record(
        &self,
        found: &Found<'_>,
        susp: Susp,
        hierarchy: Hierarchy,
        in_root: bool,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let area = found.system_use(susp, in_root);
        let is_joliet = hierarchy == Hierarchy::Joliet;
        let (mut sheet, rest) = sheet(found, is_joliet);
        let mut next = None;
        match area {
            Some((start, area)) => next = system_use::rows(&mut sheet, start, area),
            None if rest.iter().any(|&byte| byte != 0) => {
                let start = found.bytes.len() - rest.len();
                sheet.hex(start, "system_use", "ECMA-119 9.1.13", rest);
            }
            None => {}
        }
        show(&sheet)?;
        self.continuations(next, show)
    }

    /// Calls `take` for each record of a directory, and for where a block of it breaks off.
    fn each(&self, directory: Directory, take: TakeItem<'_>) -> ControlFlow<()> {
        let blocks = u64::from(directory.length).div_ceil(BLOCK_SIZE as u64);
        for index in (0..).take_while(|&index| u64::from(index) < blocks) {
            let Some(block) = directory.start.checked_add(index) else {
                break;
            };
            let bytes = match self.read(block) {
                Ok(bytes) => bytes,
                // What comes after a block that is not there is not there either.
                Err(problem) => return take(Err((block, 0, problem))),
            };
            let left = u64::from(directory.length) - u64::from(index) * BLOCK_SIZE as u64;
            let len = usize::try_from(left).unwrap_or(BLOCK_SIZE).min(BLOCK_SIZE);
            let bytes = &bytes[..len];
            let mut byte = 0;
            while bytes.get(byte).is_some_and(|&length| length > 0) {
                let Some(found) = Found::parse(block, bytes, byte) else {
                    let length = bytes[byte];
                    let left = len - byte;
                    let problem =
                        format!("a record of {length} bytes cannot be here, where {left} are left");
                    take(Err((block, byte, problem)))?;
                    break;
                };
                byte += found.bytes.len();
                take(Ok(found))?;
            }
        }
        ControlFlow::Continue(())
    }
}

/// The sheet of a record up to its system use area, and that area.
pub(super) fn sheet<'b>(found: &Found<'b>, is_joliet: bool) -> (Sheet, &'b [u8]) {
    let identifier = found.identifier();
    let name = match identifier {
        [SELF_IDENTIFIER] => "00, the directory itself".into(),
        [PARENT_IDENTIFIER] => "01, the parent".into(),
        _ if is_joliet => format!("{:?}", ucs2(identifier)),
        _ => format!("\"{}\"", identifier.escape_ascii()),
    };
    let title = match identifier {
        [SELF_IDENTIFIER] => "Directory record of the directory itself".into(),
        [PARENT_IDENTIFIER] => "Directory record of the parent".into(),
        _ => format!("Directory record, {name}"),
    };
    let mut sheet = Sheet::new(title, found.block, found.byte);
    let context = Context { is_joliet };
    add::<DirectoryRecord>(&mut sheet, 0, found.bytes, context);
    let clause = "ECMA-119 9.1.11";
    sheet.row(
        DirectoryRecord::SIZE,
        identifier.len(),
        "identifier",
        clause,
        name,
    );
    let start = DirectoryRecord::system_use_offset(found.head.identifier_length);
    let rest = found.bytes.get(start..).unwrap_or_default();
    (sheet, rest)
}
