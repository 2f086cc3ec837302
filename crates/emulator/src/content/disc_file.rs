//! The file of a virtual disc.
//!
//! All numbers are big-endian. The file is sparse: what was never recorded takes no room.
//!
//! | offset | bytes | holds |
//! |---:|---:|---|
//! | 0 | 16 | `REBURN DISC` and zeros |
//! | 16 | 4 | version of this layout, 1 |
//! | 20 | 4 | kind of medium: 1 DVD+RW, 2 DVD-RAM, 3 BD-RE, 4 BD-RE DL, 5 BD-RE TL |
//! | 24 | 4 | number of write units |
//! | 28 | 4 | bytes of a write unit |
//! | 512 | 64 | the medium's state, see the module `state` |
//! | 1024 | 4 | the write unit being recorded, plus 1; 0 for none |
//! | 4096 | units | a byte for each write unit: 0 readable, 1 unreadable |
//! | M | units x bytes | the content, M being the end of the map rounded up to 64 KiB |
//!
//! Invariant: a write unit is whole, or marked. Before a unit is recorded its number stands at
//! 1024; a process that dies while it records leaves it there, and the unit counts as
//! unreadable when the disc is opened again, just as a power cut may leave it on a real disc.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use crate::state::MediumState;
use crate::{DiscError, MediumKind};
use reburn_blocks::positioned::{read_exact_at, write_all_at};

const MAGIC: [u8; 16] = *b"REBURN DISC\0\0\0\0\0";
const VERSION: u32 = 1;
const STATE_OFFSET: usize = 512;
const IN_FLIGHT_OFFSET: usize = 1024;
const HEADER_LEN: usize = 4096;
const CONTENT_ALIGN: u64 = 64 * 1024;

/// The file of a virtual disc, locked against other processes.
#[derive(Debug)]
pub(crate) struct DiscFile {
    file: File,
    kind: MediumKind,
}

/// A file that was opened, and what stands in it besides the content.
pub(crate) struct Opened {
    pub file: DiscFile,
    pub state: MediumState,
    pub unreadable: Vec<u32>,
}

impl DiscFile {
    /// Creates the file of a new disc. It must not exist yet.
    pub fn create(path: &Path, kind: MediumKind, state: MediumState) -> Result<Self, DiscError> {
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
        let disc = Self { file, kind };
        let written = disc
            .file
            .set_len(content_offset(kind) + content_len(kind))
            .and_then(|()| write_all_at(&disc.file, &header(kind, state), 0))
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
        let mut state_bytes = [0; MediumState::LEN];
        state_bytes.copy_from_slice(&header[STATE_OFFSET..STATE_OFFSET + MediumState::LEN]);
        let state = MediumState::decode(&state_bytes, kind).map_err(damaged)?;
        let disc = Self { file, kind };
        let mut unreadable = disc.read_map().map_err(failed)?;
        if let Some(torn) = field(&header, IN_FLIGHT_OFFSET).checked_sub(1) {
            if torn >= kind.units() {
                let units = kind.units();
                return Err(damaged(format!("write unit {torn} in flight, of {units}")));
            }
            if let Err(position) = unreadable.binary_search(&torn) {
                unreadable.insert(position, torn);
            }
        }
        Ok(Opened {
            file: disc,
            state: state.after_power_cut(),
            unreadable,
        })
    }

    /// What kind of medium it is.
    pub fn kind(&self) -> MediumKind {
        self.kind
    }

    fn read_map(&self) -> io::Result<Vec<u32>> {
        let mut map = vec![0; self.kind.units() as usize];
        read_exact_at(&self.file, &mut map, HEADER_LEN as u64)?;
        let marked = (0..).zip(map).filter(|(_, mark)| *mark != 0);
        Ok(marked.map(|(unit, _)| unit).collect())
    }

    /// Reads `buf.len()` bytes of a unit from `offset` on.
    pub fn read(&self, unit: u32, offset: usize, buf: &mut [u8]) -> io::Result<()> {
        read_exact_at(&self.file, buf, self.unit_offset(unit) + offset as u64)
    }

    /// Announces that a unit is about to be recorded, or (`None`) that all of them are whole.
    pub fn set_in_flight(&self, unit: Option<u32>) -> io::Result<()> {
        let value = unit.map_or(0, |unit| unit + 1);
        write_all_at(&self.file, &value.to_be_bytes(), IN_FLIGHT_OFFSET as u64)
    }

    /// Records a unit that was announced.
    pub fn write(&self, unit: u32, data: &[u8]) -> io::Result<()> {
        write_all_at(&self.file, data, self.unit_offset(unit))
    }

    /// Marks a unit as readable or not.
    pub fn mark(&self, unit: u32, unreadable: bool) -> io::Result<()> {
        let offset = HEADER_LEN as u64 + u64::from(unit);
        write_all_at(&self.file, &[u8::from(unreadable)], offset)
    }

    /// Stores the medium's state.
    pub fn write_state(&self, state: MediumState) -> io::Result<()> {
        write_all_at(&self.file, &state.encode(), STATE_OFFSET as u64)
    }

    /// Makes the content zeros again and every unit readable.
    pub fn erase(&self) -> io::Result<()> {
        let map = vec![0; self.kind.units() as usize];
        write_all_at(&self.file, &map, HEADER_LEN as u64)?;
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

fn content_offset(kind: MediumKind) -> u64 {
    (HEADER_LEN as u64 + u64::from(kind.units())).next_multiple_of(CONTENT_ALIGN)
}

fn content_len(kind: MediumKind) -> u64 {
    u64::from(kind.units()) * kind.write_unit().bytes() as u64
}

fn kind_code(kind: MediumKind) -> u32 {
    match kind {
        MediumKind::DvdPlusRw => 1,
        MediumKind::DvdRam => 2,
        MediumKind::BdRe => 3,
        MediumKind::BdReDl => 4,
        MediumKind::BdReTl => 5,
    }
}

fn header(kind: MediumKind, state: MediumState) -> Vec<u8> {
    let mut header = vec![0; HEADER_LEN];
    header[..16].copy_from_slice(&MAGIC);
    let numbers = geometry(kind);
    for (offset, number) in (16..).step_by(4).zip(numbers) {
        header[offset..offset + 4].copy_from_slice(&number.to_be_bytes());
    }
    header[STATE_OFFSET..STATE_OFFSET + MediumState::LEN].copy_from_slice(&state.encode());
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
    let kind = MediumKind::ALL
        .into_iter()
        .find(|kind| kind_code(*kind) == code)
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
