//! What stands on a medium: write units, whole or unreadable.
//!
//! Invariant: every unit that was recorded holds what was recorded last, as a whole, or cannot
//! be read. Units never recorded read as zeros.

mod disc_file;
mod unit_map;

use std::io;
use std::sync::Arc;

use reburn_blocks::WriteUnit;

pub(crate) use disc_file::{DiscFile, Opened};
use unit_map::{Unit, UnitMap};

use crate::MediumKind;

const _: () = assert!(MediumKind::BdReTl.units() <= UnitMap::CAPACITY);

/// Where units lie that the map does not hold.
#[derive(Debug, Clone)]
enum Below {
    /// Nowhere: they read as zeros.
    Nothing,
    /// In a file that stays as it is.
    Scratch(Arc<DiscFile>),
    /// In a file that units go to at once; the map holds only the unreadable ones.
    File(Arc<DiscFile>),
}

/// Why a unit could not be read or recorded.
#[derive(Debug)]
pub(crate) enum UnitError {
    /// It is torn or worn.
    Unreadable,
    /// The host failed.
    Host(io::Error),
}

impl From<io::Error> for UnitError {
    fn from(error: io::Error) -> Self {
        Self::Host(error)
    }
}

/// The content of a medium.
#[derive(Debug)]
pub(crate) struct Content {
    unit: WriteUnit,
    units: UnitMap,
    below: Below,
}

impl Content {
    /// Zeros, in memory.
    pub fn in_memory(unit: WriteUnit) -> Self {
        Self::over(unit, Below::Nothing, &[])
    }

    /// The content of a file, which takes every change.
    pub fn in_file(unit: WriteUnit, file: DiscFile, unreadable: &[u32]) -> Self {
        Self::over(unit, Below::File(Arc::new(file)), unreadable)
    }

    /// The content of a file that stays as it is; changes stay in memory.
    pub fn scratch(unit: WriteUnit, file: DiscFile, unreadable: &[u32]) -> Self {
        Self::over(unit, Below::Scratch(Arc::new(file)), unreadable)
    }

    fn over(unit: WriteUnit, below: Below, unreadable: &[u32]) -> Self {
        let mut units = UnitMap::default();
        for &number in unreadable {
            units.set(number, Unit::Unreadable);
        }
        Self { unit, units, below }
    }

    /// A copy that shares everything; `None` if the content records into a file.
    pub fn share(&self) -> Option<Self> {
        match self.below {
            Below::File(_) => None,
            Below::Nothing | Below::Scratch(_) => Some(Self {
                unit: self.unit,
                units: self.units.clone(),
                below: self.below.clone(),
            }),
        }
    }

    /// Reads `buf.len()` bytes of a unit from byte `offset` on.
    pub fn read(&self, unit: u32, offset: usize, buf: &mut [u8]) -> Result<(), UnitError> {
        match self.units.get(unit) {
            Unit::Recorded(data) => buf.copy_from_slice(&data[offset..offset + buf.len()]),
            Unit::Unreadable => return Err(UnitError::Unreadable),
            Unit::Untouched => match &self.below {
                Below::Nothing => buf.fill(0),
                Below::Scratch(file) | Below::File(file) => file.read(unit, offset, buf)?,
            },
        }
        Ok(())
    }

    /// Records a whole unit; it is readable then.
    pub fn record(&mut self, unit: u32, data: Arc<[u8]>) -> io::Result<()> {
        debug_assert_eq!(
            data.len(),
            self.unit.bytes(),
            "a unit is recorded as a whole"
        );
        let Below::File(file) = &self.below else {
            self.units.set(unit, Unit::Recorded(data));
            return Ok(());
        };
        file.set_in_flight(Some(unit))?;
        file.write(unit, &data)?;
        if matches!(self.units.get(unit), Unit::Unreadable) {
            file.mark(unit, false)?;
            self.units.set(unit, Unit::Untouched);
        }
        Ok(())
    }

    /// Makes a unit unreadable until it is recorded again.
    pub fn lose(&mut self, unit: u32) -> io::Result<()> {
        if let Below::File(file) = &self.below {
            file.mark(unit, true)?;
        }
        self.units.set(unit, Unit::Unreadable);
        Ok(())
    }

    /// Tells the file that no unit is being recorded. Called once after a run of records.
    pub fn settle(&self) -> io::Result<()> {
        match &self.below {
            Below::File(file) => file.set_in_flight(None),
            Below::Nothing | Below::Scratch(_) => Ok(()),
        }
    }

    /// Makes everything zeros and readable again.
    pub fn erase(&mut self) -> io::Result<()> {
        self.units = UnitMap::default();
        match &self.below {
            Below::File(file) => file.erase(),
            Below::Nothing => Ok(()),
            Below::Scratch(_) => {
                self.below = Below::Nothing;
                Ok(())
            }
        }
    }

    /// The file that takes every change, if there is one.
    pub fn file(&self) -> Option<&DiscFile> {
        match &self.below {
            Below::File(file) => Some(file),
            Below::Nothing | Below::Scratch(_) => None,
        }
    }

    /// The units that cannot be read, ascending.
    pub fn unreadable(&self) -> impl Iterator<Item = u32> {
        let known = self.units.iter();
        known.filter_map(|(unit, content)| matches!(content, Unit::Unreadable).then_some(unit))
    }
}
