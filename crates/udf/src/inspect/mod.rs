//! Every structure of a volume, shown field by field.
//!
//! The raw view: what a record's bytes say is shown even where it is nonsense, and what is wrong
//! with it stands below it. [`Inspector`] walks over a volume and hands out a [`Sheet`] a
//! record, in the order in which a reader would come upon them.
//!
//! Invariants: no damage ends a walk early without a sheet that says so; every walk ends, as
//! no extent is followed twice and none is longer than the disc; memory holds one record, and
//! where the extents of one file are.

mod attributes;
mod block;
mod descriptor;
mod directory;
mod entry;
mod extents;
mod file;
mod maps;
mod meaning;
mod sequence;
mod tables;
mod volume;
mod words;

use std::fmt;
use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, BlockRead};
use reburn_record::{Record, Sheet};

use crate::Session;
use crate::read::{Address, RawVolume};
use crate::records::TagFault;
use meaning::Context;

/// Bytes that the least record takes.
const RECORD_MIN: u64 = 12;
/// Sheets that a disc without any room may fill.
const SHEETS_MIN: u64 = 1000;

/// Takes in a sheet, and says whether to go on.
pub type Show<'s> = &'s mut dyn FnMut(&Sheet) -> ControlFlow<()>;

/// Shows the structures of a volume. It never fails for what the disc holds.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use reburn_udf::{Inspector, Session};
///
/// let mut disc = vec![0; 300 * 2048];
/// disc[16 * 2048..][..7].copy_from_slice(b"\0BEA01\x01");
/// disc[17 * 2048..][..7].copy_from_slice(b"\0NSR03\x01");
/// let inspector = Inspector::new(&disc, Session::default());
/// assert!(inspector.is_udf());
/// let mut titles = Vec::new();
/// let _ = inspector.volume(&mut |sheet| {
///     titles.push(sheet.title.clone());
///     ControlFlow::Continue(())
/// });
/// assert_eq!(titles[1], "NSR03: a volume by ECMA-167, third edition");
/// assert_eq!(titles[2], "No anchor was found");
/// ```
pub struct Inspector<'a> {
    raw: RawVolume<'a>,
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

/// A record that is being shown: its bytes, and where they are.
#[derive(Clone, Copy)]
struct Found<'b> {
    /// From its first byte on; more than it takes may follow.
    bytes: &'b [u8],
    /// Bytes from the start of the disc.
    at: u64,
    /// Its block as a partition counts it, unless it is the volume's.
    address: Option<Address>,
    /// What its tag must state, where that is known.
    location: Option<u32>,
}

impl<'a> Inspector<'a> {
    /// Looks at a session of a disc; [`Session::default`] is that of a disc with one session.
    pub fn new(disc: &'a dyn BlockRead, session: Session) -> Self {
        let raw = RawVolume::new(disc, session);
        Self { raw }
    }

    /// Whether a recognition sequence or an anchor announces a UDF volume.
    pub fn is_udf(&self) -> bool {
        self.raw.is_udf
    }

    /// Runs a walk that hands out no more sheets than a disc can hold records.
    fn bounded<T>(
        &self,
        show: Show<'_>,
        walk: impl FnOnce(Show<'_>) -> ControlFlow<(), T>,
    ) -> ControlFlow<(), T> {
        let mut left = self.raw.len() / RECORD_MIN + SHEETS_MIN;
        walk(&mut |sheet| {
            if left == 0 {
                let problem = "more records than the disc has room for; the rest is not shown";
                self.say_of("The volume leads in circles", None, problem, show)?;
                return ControlFlow::Break(());
            }
            left -= 1;
            show(sheet)
        })
    }

    /// A sheet without rows.
    fn sheet(&self, title: impl Into<String>, at: u64, address: Option<Address>) -> Sheet {
        let block = u32::try_from(at / BLOCK_SIZE as u64).unwrap_or(u32::MAX);
        let byte = usize::try_from(at % BLOCK_SIZE as u64).unwrap_or(0);
        let mut sheet = Sheet::new(title, block, byte);
        let size = u64::from(self.raw.sector_size);
        sheet.address = match address {
            Some(Address { partition, block }) => {
                Some(format!("partition {partition}, block {block}"))
            }
            None if size != BLOCK_SIZE as u64 && at.is_multiple_of(size) => {
                Some(format!("sector {}", at / size))
            }
            None => None,
        };
        sheet
    }

    /// Adds the record at the start of some bytes; fewer than it takes are shown as they are.
    fn add<'b, R: Record>(
        &self,
        sheet: &mut Sheet,
        offset: usize,
        bytes: &'b [u8],
        context: Context,
    ) -> Option<(&'b R, &'b [u8])> {
        match R::view(bytes) {
            Ok((record, rest)) => {
                sheet.fields(offset, record, &|spot| self.meaning(context, spot));
                Some((record, rest))
            }
            Err(short) => {
                sheet.note(short);
                sheet.hex(offset, "bytes", "", bytes);
                None
            }
        }
    }

    /// A sheet that only says something of a block that cannot be read, or of the volume.
    fn say_of(
        &self,
        title: &str,
        address: Option<Address>,
        problem: impl fmt::Display,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let mut sheet = self.sheet(title, 0, address);
        sheet.block = None;
        sheet.address = address.is_some().then_some(sheet.address).flatten();
        sheet.note(problem);
        show(&sheet)
    }

    /// A sheet that only says something of a place on the disc.
    fn say(
        &self,
        title: &str,
        at: u64,
        problem: impl fmt::Display,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let mut sheet = self.sheet(title, at, None);
        sheet.note(problem);
        show(&sheet)
    }
}

/// What is wrong with the tag at the start of some bytes.
fn tag_fault(found: &Found<'_>) -> Option<TagFault> {
    use crate::records::Tag;
    let tag = match Tag::check(found.bytes) {
        Ok(tag) => tag,
        Err(fault) => return Some(fault),
    };
    tag.at(found.location?).err()
}
