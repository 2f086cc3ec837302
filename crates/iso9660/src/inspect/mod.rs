//! Every structure of a volume, shown field by field.
//!
//! The raw view: what a record's bytes say is shown even where it is nonsense, and what is wrong
//! with it stands below it. [`Inspector`] walks over a volume and hands out a [`Sheet`] a
//! record, in the order in which a reader would come upon them.
//!
//! Invariants: no damage ends a walk early without a sheet that says so; no walk reads more of
//! a directory or path table than the disc has, or follows more than [`CONTINUATIONS_MAX`]
//! areas for one record; memory holds a block and a path table.

mod block;
mod boot;
mod continuation;
mod directory;
mod meaning;
mod path_table;
mod system_use;
mod volume;

use std::fmt;
use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, BlockRead, Lba};
use reburn_record::{Record, Sheet};

use crate::read::Volume;
use meaning::{Context, meaning};

/// Continuation areas followed for one record, as many as Linux follows.
const CONTINUATIONS_MAX: usize = 32;

/// Takes in a sheet, and says whether to go on.
pub type Show<'s> = &'s mut dyn FnMut(&Sheet) -> ControlFlow<()>;

/// Shows the structures of a volume. It never fails for what the disc holds.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use reburn_blocks::Lba;
/// use reburn_iso9660::Inspector;
///
/// let mut disc = vec![0; 20 * 2048];
/// disc[16 * 2048..][..7].copy_from_slice(b"\xffCD001\x01");
/// let inspector = Inspector::new(&disc, Lba::ZERO);
/// assert!(inspector.is_iso9660());
/// let mut text = String::new();
/// let _ = inspector.volume(&mut |sheet| {
///     text += &sheet.to_string();
///     ControlFlow::Continue(())
/// });
/// assert!(text.starts_with("block 16: Volume descriptor set terminator [ECMA-119 8.1]\n"));
/// ```
pub struct Inspector<'a> {
    disc: &'a dyn BlockRead,
    start: Lba,
    /// The volume as the reader sees it, or why it does not.
    volume: Result<Volume, String>,
}

/// Why a path could not be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A directory without that name.
    #[error("{directory} has no {name}")]
    NotFound {
        /// The directory.
        directory: String,
        /// The name that it does not have.
        name: String,
    },
    /// What leads to the root is damaged.
    #[error("the root directory cannot be found: {0}")]
    NoRoot(String),
}

impl<'a> Inspector<'a> {
    /// Looks at the session that starts at `start`.
    pub fn new(disc: &'a dyn BlockRead, start: Lba) -> Self {
        let volume = Volume::open(disc, start).map_err(|error| error.to_string());
        Self {
            disc,
            start,
            volume,
        }
    }

    /// Whether a volume descriptor is where the first one must be.
    pub fn is_iso9660(&self) -> bool {
        let first = self.first_descriptor();
        first.is_some_and(|lba| {
            self.read(lba.get())
                .is_ok_and(|bytes| volume::is_descriptor(&bytes))
        })
    }

    /// A block, or why it cannot be read.
    fn read(&self, block: u32) -> Result<[u8; BLOCK_SIZE], String> {
        let mut bytes = [0; BLOCK_SIZE];
        let lba = Lba::checked(block.into()).ok_or("no disc has this block")?;
        match self.disc.read_blocks(lba, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) => Err(error.to_string()),
        }
    }

    fn end(&self) -> u32 {
        self.disc.block_count().get()
    }
}

/// Adds the record at the start of some bytes; fewer than it takes are shown as they are.
fn add<'b, R: Record>(
    sheet: &mut Sheet,
    offset: usize,
    bytes: &'b [u8],
    context: Context,
) -> Option<(&'b R, &'b [u8])> {
    match R::view(bytes) {
        Ok((record, rest)) => {
            let first = sheet.rows.len();
            sheet.fields(offset, record, &|spot| meaning(context, spot));
            note_halves(sheet, first);
            Some((record, rest))
        }
        Err(short) => {
            sheet.note(short);
            sheet.hex(offset, "bytes", "", bytes);
            None
        }
    }
}

/// Notes numbers whose halves differ, from row `first` on. Returns whether there were any.
fn note_halves(sheet: &mut Sheet, first: usize) -> bool {
    let differ = |value: &str| value.contains(" LE, ") && value.ends_with(" BE");
    let rows = sheet.rows[first..].iter();
    let names: Vec<_> = rows
        .filter(|row| differ(&row.value))
        .map(|row| row.name.clone())
        .collect();
    for name in &names {
        sheet.note(format!("{name}: the two halves differ (ECMA-119 7.3.3)"));
    }
    !names.is_empty()
}

/// Shows a sheet that only says something.
fn say(
    title: &str,
    block: u32,
    byte: usize,
    problem: impl fmt::Display,
    show: Show<'_>,
) -> ControlFlow<()> {
    let mut sheet = Sheet::new(title, block, byte);
    sheet.note(problem);
    show(&sheet)
}
