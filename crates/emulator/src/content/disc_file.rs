//! The file of a virtual disc.
//!
//! All numbers are big-endian. The file is sparse: what was never recorded takes no room.
//!
//! | offset | bytes | holds |
//! |---:|---:|---|
//! | 0 | 16 | `REBURN DISC` and zeros |
//! | 16 | 4 | version of this layout, 2 |
//! | 20 | 4 | kind of medium, see `KIND_CODES` |
//! | 24 | 4 | number of write units |
//! | 28 | 4 | bytes of a write unit |
//! | 1024 | 4 | the write unit being recorded, plus 1; 0 for none |
//! | 1028 | 4 | the write unit that sequential recording has reached |
//! | 4096 | 2 x 64 KiB | the medium's state, see the module `state_bytes`, in two slots |
//! | 135,168 | units | a byte for each write unit: 0 readable, 1 unreadable, 2 recorded |
//! | R | units x 4 | BD-R: the write unit that replaces each one, plus 1; 0 for none |
//! | M | units x bytes | the content, M being the end of the tables rounded up to 64 KiB |
//!
//! A slot is a sequence number (8), the length of the state (4), a CRC-32 of the number, the
//! length and the state (4), and the state. The valid slot with the higher number counts, so a
//! state that was being written when the process died leaves the one before.
//!
//! Invariants: a write unit is whole, or marked. Before a unit is recorded its number stands at
//! 1024; a process that dies while it records leaves it there, and the unit counts as
//! unreadable when the disc is opened again, just as a power cut may leave it on a real disc.
//! The place that recording in sequence has reached stands beside it, so that the state is
//! written when a track begins and ends and not with each unit. A replacement counts once its
//! unit is recorded.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use reburn_blocks::positioned::{read_exact_at, write_all_at};

use super::slots::{SLOT_LEN, SLOTS_OFFSET, newest_state, slot, slot_offset};
use crate::state::MediumState;
use crate::state_bytes;
use crate::{DiscError, MediumKind};

const MAGIC: [u8; 16] = *b"REBURN DISC\0\0\0\0\0";
const VERSION: u32 = 2;
const IN_FLIGHT_OFFSET: usize = 1024;
const REACHED_OFFSET: usize = 1028;
const HEADER_LEN: usize = 4096;
const MAP_OFFSET: u64 = (HEADER_LEN + 2 * SLOT_LEN) as u64;
const CONTENT_ALIGN: u64 = 64 * 1024;
const _: () = assert!(SLOTS_OFFSET == HEADER_LEN as u64);

/// The kinds as numbers of the header.
const KIND_CODES: [(u32, MediumKind); 17] = [
    (1, MediumKind::DvdPlusRw),
    (2, MediumKind::DvdRam),
    (3, MediumKind::BdRe),
    (4, MediumKind::BdReDl),
    (5, MediumKind::BdReTl),
    (6, MediumKind::BdReQl),
    (7, MediumKind::CdR),
    (8, MediumKind::CdRw),
    (9, MediumKind::DvdR),
    (10, MediumKind::DvdRDl),
    (11, MediumKind::DvdRw),
    (12, MediumKind::DvdPlusR),
    (13, MediumKind::DvdPlusRDl),
    (14, MediumKind::BdR),
    (15, MediumKind::BdRDl),
    (16, MediumKind::BdRTl),
    (17, MediumKind::BdRQl),
];

/// What the file says of a write unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Readable = 0,
    Unreadable = 1,
    Recorded = 2,
}

/// The file of a virtual disc, locked against other processes.
#[derive(Debug)]
pub(crate) struct DiscFile {
    file: File,
    kind: MediumKind,
    /// How often the state was written; the last bit is the slot.
    written: AtomicU64,
}

/// A file that was opened, and what stands in it besides the content.
pub(crate) struct Opened {
    pub file: DiscFile,
    pub state: MediumState,
    pub unreadable: Vec<u32>,
    pub recorded: Vec<u32>,
    pub replaced: BTreeMap<u32, u32>,
}

impl DiscFile {
    /// Creates the file of a new disc. It must not exist yet.
    pub fn create(path: &Path, kind: MediumKind, state: &MediumState) -> Result<Self, DiscError> {
        let failed = |source| DiscError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(failed)?;
        lock(&file, path, Access::Exclusive)?;
        let disc = Self {
            file,
            kind,
            written: AtomicU64::new(0),
        };
        let written = disc
            .file
            .set_len(content_offset(kind) + content_len(kind))
            .and_then(|()| write_all_at(&disc.file, &header(kind), 0))
            .and_then(|()| disc.write_state(state))
            .and_then(|()| disc.file.sync_all());
        written.map_err(failed)?;
        Ok(disc)
    }

    /// Opens a disc to record on it.
    pub fn open(path: &Path) -> Result<Opened, DiscError> {
        Self::open_with(path, Access::Exclusive)
    }

    /// Opens a disc to read it. Others may read it meanwhile, but not record.
    pub fn open_read_only(path: &Path) -> Result<Opened, DiscError> {
        Self::open_with(path, Access::Shared)
    }

    fn open_with(path: &Path, access: Access) -> Result<Opened, DiscError> {
        let failed = |source| DiscError::Io {
            path: path.to_owned(),
            source,
        };
        let file = File::options()
            .read(true)
            .write(access == Access::Exclusive)
            .open(path)
            .map_err(failed)?;
        let mut header = [0; HEADER_LEN];
        let len = file.metadata().map_err(failed)?.len();
        if len < HEADER_LEN as u64 {
            return Err(DiscError::NotADisc {
                path: path.to_owned(),
            });
        }
        read_exact_at(&file, &mut header, 0).map_err(failed)?;
        let kind = check_header(&header, len, path)?;
        lock(&file, path, access)?;
        let damaged = |what| DiscError::Damaged {
            path: path.to_owned(),
            what,
        };
        let newest = newest_state(&file).map_err(failed)?;
        let (written, bytes) =
            newest.ok_or_else(|| damaged("neither copy of its state is whole".into()))?;
        let state = state_bytes::decode(&bytes, kind).map_err(damaged)?;
        let disc = Self {
            file,
            kind,
            written: AtomicU64::new(written),
        };
        let (unreadable, recorded) = disc.read_map().map_err(failed)?;
        let replaced = disc.read_replaced().map_err(failed)?;
        let in_flight = field(&header, IN_FLIGHT_OFFSET).checked_sub(1);
        let reached = field(&header, REACHED_OFFSET);
        let units = kind.units();
        for unit in in_flight.into_iter().chain([reached.saturating_sub(1)]) {
            if unit >= units {
                return Err(damaged(format!("write unit {unit} in flight, of {units}")));
            }
        }
        if let Some((unit, target)) = replaced.iter().find(|(_, target)| **target >= units) {
            let what = format!("write unit {target} in place of {unit}, of {units}");
            return Err(damaged(what));
        }
        let mut opened = Opened {
            file: disc,
            state,
            unreadable,
            recorded,
            replaced,
        };
        opened.count_unfinished(in_flight, reached);
        Ok(opened)
    }

    /// What kind of medium it is.
    pub fn kind(&self) -> MediumKind {
        self.kind
    }

    /// The units that are unreadable, and those that are marked as recorded.
    fn read_map(&self) -> io::Result<(Vec<u32>, Vec<u32>)> {
        let mut map = vec![0; self.kind.units() as usize];
        read_exact_at(&self.file, &mut map, MAP_OFFSET)?;
        let with = |mark: Mark| {
            let units = (0..).zip(&map);
            let marked = units.filter(|(_, found)| **found == mark as u8);
            marked.map(|(unit, _)| unit).collect()
        };
        Ok((with(Mark::Unreadable), with(Mark::Recorded)))
    }

    fn read_replaced(&self) -> io::Result<BTreeMap<u32, u32>> {
        let mut table = vec![0; usize::try_from(replaced_len(self.kind)).unwrap_or(0)];
        read_exact_at(&self.file, &mut table, replaced_offset(self.kind))?;
        let entries = (0..).zip(table.as_chunks::<4>().0);
        let replaced = entries.filter_map(|(unit, entry)| {
            let target = u32::from_be_bytes(*entry).checked_sub(1)?;
            Some((unit, target))
        });
        Ok(replaced.collect())
    }

    /// Reads `buf.len()` bytes of a unit from `offset` on.
    pub fn read(&self, unit: u32, offset: usize, buf: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, buf, self.unit_offset(unit) + offset as u64)
    }

    /// Announces that a unit is about to be recorded, or (`None`) that all of them are whole,
    /// and where recording in sequence has got.
    pub fn set_in_flight(&self, unit: Option<u32>, reached: u32) -> io::Result<()> {
        let value = unit.map_or(0, |unit| unit + 1);
        let fields = u64::from(value) << 32 | u64::from(reached);
        write_all_at(&self.file, &fields.to_be_bytes(), IN_FLIGHT_OFFSET as u64)
    }

    /// Records a unit that was announced.
    pub fn write(&self, unit: u32, data: &[u8]) -> io::Result<()> {
        write_all_at(&self.file, data, self.unit_offset(unit))
    }

    /// Marks a unit.
    pub fn mark(&self, unit: u32, mark: Mark) -> io::Result<()> {
        write_all_at(&self.file, &[mark as u8], MAP_OFFSET + u64::from(unit))
    }

    /// Notes that `target` holds from now on what `unit` shows.
    pub fn replace(&self, unit: u32, target: u32) -> io::Result<()> {
        let offset = replaced_offset(self.kind) + 4 * u64::from(unit);
        write_all_at(&self.file, &(target + 1).to_be_bytes(), offset)
    }

    /// Stores the medium's state in the slot that holds the older one.
    pub fn write_state(&self, state: &MediumState) -> io::Result<()> {
        let number = self.written.load(Ordering::Relaxed) + 1;
        let slot = slot(number, &state_bytes::encode(state));
        write_all_at(&self.file, &slot, slot_offset(number))?;
        self.written.store(number, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the content zeros again and every unit readable, in its own place, and forgets
    /// where recording has got.
    pub fn erase(&self) -> io::Result<()> {
        let tables = content_offset(self.kind) - MAP_OFFSET;
        let zeros = vec![0; 1 << 16];
        for start in (0..tables).step_by(zeros.len()) {
            let len = (tables - start).min(zeros.len() as u64);
            let part = &zeros[..usize::try_from(len).unwrap_or(zeros.len())];
            write_all_at(&self.file, part, MAP_OFFSET + start)?;
        }
        self.set_in_flight(None, 0)?;
        self.file.set_len(content_offset(self.kind))?;
        self.file
            .set_len(content_offset(self.kind) + content_len(self.kind))
    }

    /// Waits until the host has stored everything.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn unit_offset(&self, unit: u32) -> u64 {
        content_offset(self.kind) + u64::from(unit) * self.kind.write_unit().bytes() as u64
    }
}

/// The lock goes with the file, even while a process that was just started still shares it.
impl Drop for DiscFile {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Exclusive,
    Shared,
}

fn lock(file: &File, path: &Path, access: Access) -> Result<(), DiscError> {
    let locked = match access {
        Access::Exclusive => file.try_lock(),
        Access::Shared => file.try_lock_shared(),
    };
    match locked {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(DiscError::InUse {
            path: path.to_owned(),
        }),
        // A file system without locks: the user's own care has to do.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(source)) => Err(DiscError::Io {
            path: path.to_owned(),
            source,
        }),
    }
}

fn replaced_offset(kind: MediumKind) -> u64 {
    MAP_OFFSET + u64::from(kind.units())
}

fn replaced_len(kind: MediumKind) -> u64 {
    if kind.is_bd_r() {
        4 * u64::from(kind.units())
    } else {
        0
    }
}

fn content_offset(kind: MediumKind) -> u64 {
    (replaced_offset(kind) + replaced_len(kind)).next_multiple_of(CONTENT_ALIGN)
}

fn content_len(kind: MediumKind) -> u64 {
    u64::from(kind.units()) * kind.write_unit().bytes() as u64
}

fn kind_code(kind: MediumKind) -> u32 {
    let code = KIND_CODES.iter().find(|(_, known)| *known == kind);
    code.map_or(0, |(code, _)| *code)
}

fn header(kind: MediumKind) -> Vec<u8> {
    let mut header = vec![0; HEADER_LEN];
    header[..16].copy_from_slice(&MAGIC);
    let numbers = geometry(kind);
    for (offset, number) in (16..).step_by(4).zip(numbers) {
        header[offset..offset + 4].copy_from_slice(&number.to_be_bytes());
    }
    header
}

/// The numbers that follow the magic.
fn geometry(kind: MediumKind) -> [u32; 4] {
    let unit_blocks = kind.write_unit().blocks().get();
    let unit_bytes = unit_blocks * 2048;
    [VERSION, kind_code(kind), kind.units(), unit_bytes]
}

fn field(header: &[u8; HEADER_LEN], offset: usize) -> u32 {
    u32::from_be_bytes([0, 1, 2, 3].map(|index| header[offset + index]))
}

/// The kind of the disc with this header in a file of `len` bytes.
fn check_header(header: &[u8; HEADER_LEN], len: u64, path: &Path) -> Result<MediumKind, DiscError> {
    let path = || path.to_owned();
    if header[..16] != MAGIC {
        return Err(DiscError::NotADisc { path: path() });
    }
    let version = field(header, 16);
    if version != VERSION {
        return Err(DiscError::Version {
            path: path(),
            version,
            known: VERSION,
        });
    }
    let damaged = |what| DiscError::Damaged { path: path(), what };
    let code = field(header, 20);
    let kind = KIND_CODES
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, kind)| *kind)
        .ok_or_else(|| damaged(format!("kind of medium {code}")))?;
    let [_, _, units, unit_bytes] = geometry(kind);
    let found = (field(header, 24), field(header, 28));
    if found != (units, unit_bytes) {
        let (found_units, found_bytes) = found;
        return Err(damaged(format!(
            "{found_units} write units of {found_bytes} bytes, where a {kind} has {units} of \
             {unit_bytes}"
        )));
    }
    let expected = content_offset(kind) + content_len(kind);
    if len != expected {
        return Err(damaged(format!("the file has {len} bytes, not {expected}")));
    }
    Ok(kind)
}
