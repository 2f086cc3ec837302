//! What stands on a medium: write units, whole or unreadable.
//!
//! Invariant: every unit that was recorded holds what was recorded last, as a whole, or cannot
//! be read. Units never recorded read as zeros. A unit that was replaced shows what is recorded
//! in its place, and a unit that replaces another is never recorded again.

mod disc_file;
mod slots;
mod unfinished;
mod unit_map;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use reburn_blocks::WriteUnit;

use disc_file::Mark;
pub(crate) use disc_file::{DiscFile, Opened};
use unit_map::{Unit, UnitMap};

use crate::MediumKind;
use crate::state::{MediumState, RecordingMode};

const _: () = assert!(MediumKind::BdReQl.units() <= UnitMap::CAPACITY);

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
    /// Units that show what is recorded in another one.
    replaced: Arc<BTreeMap<u32, u32>>,
    /// The units that were recorded, a bit each, on media that care.
    recorded: Arc<Vec<u64>>,
    /// The unit that recording in sequence has reached.
    reached: u32,
}

impl Content {
    /// Zeros, in memory.
    pub fn in_memory(unit: WriteUnit) -> Self {
        Self {
            unit,
            units: UnitMap::default(),
            below: Below::Nothing,
            replaced: Arc::default(),
            recorded: Arc::default(),
            reached: 0,
        }
    }

    /// The content of a new file, which takes every change.
    pub fn in_new_file(unit: WriteUnit, file: DiscFile) -> Self {
        Self {
            below: Below::File(Arc::new(file)),
            ..Self::in_memory(unit)
        }
    }

    /// The content of a file: it takes every change, or (`scratch`) it stays as it is and
    /// changes stay in memory. With it, the medium's state.
    pub fn opened(opened: Opened, scratch: bool) -> (Self, MediumState) {
        let file = Arc::new(opened.file);
        let mut content = Self {
            replaced: Arc::new(opened.replaced),
            ..Self::in_memory(file.kind().write_unit())
        };
        let once = opened.state.mode == RecordingMode::RandomOnce;
        for number in opened.unreadable {
            content.units.set(number, Unit::Unreadable);
            if once {
                content.note_recorded(number);
            }
        }
        for number in opened.recorded {
            content.note_recorded(number);
        }
        content.below = if scratch {
            Below::Scratch(file)
        } else {
            Below::File(file)
        };
        (content, opened.state)
    }

    /// A copy that shares everything; `None` if the content records into a file.
    pub fn share(&self) -> Option<Self> {
        match self.below {
            Below::File(_) => None,
            Below::Nothing | Below::Scratch(_) => Some(Self {
                unit: self.unit,
                units: self.units.clone(),
                below: self.below.clone(),
                replaced: Arc::clone(&self.replaced),
                recorded: Arc::clone(&self.recorded),
                reached: self.reached,
            }),
        }
    }

    /// Reads `buf.len()` bytes of a unit from byte `offset` on.
    pub fn read(&self, unit: u32, offset: usize, buf: &mut [u8]) -> Result<(), UnitError> {
        let unit = self.place_of(unit);
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

    /// Records a whole unit in its place; it is readable then.
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
        file.set_in_flight(Some(unit), self.reached)?;
        file.write(unit, &data)?;
        if matches!(self.units.get(unit), Unit::Unreadable) {
            file.mark(unit, Mark::Readable)?;
            self.units.set(unit, Unit::Untouched);
        }
        Ok(())
    }

    /// Records a unit that ends a run in sequence.
    pub fn append(&mut self, unit: u32, data: Arc<[u8]>) -> io::Result<()> {
        self.reached = unit;
        self.record(unit, data)?;
        self.reached = unit + 1;
        Ok(())
    }

    /// Leaves the unit unreadable that ends a run in sequence.
    pub fn append_torn(&mut self, unit: u32) -> io::Result<()> {
        self.lose(unit)?;
        self.reached = unit + 1;
        Ok(())
    }

    /// Records a unit elsewhere: from then on `unit` shows what is in `target`.
    pub fn replace(&mut self, unit: u32, target: u32, data: Arc<[u8]>) -> io::Result<()> {
        self.record(target, data)?;
        if let Below::File(file) = &self.below {
            file.replace(unit, target)?;
        }
        Arc::make_mut(&mut self.replaced).insert(unit, target);
        Ok(())
    }

    /// Notes that a unit was recorded, and must not be again.
    pub fn mark_recorded(&mut self, unit: u32) -> io::Result<()> {
        if let Below::File(file) = &self.below {
            file.mark(unit, Mark::Recorded)?;
        }
        self.note_recorded(unit);
        Ok(())
    }

    fn note_recorded(&mut self, unit: u32) {
        let bits = Arc::make_mut(&mut self.recorded);
        let word = unit as usize / 64;
        if bits.len() <= word {
            bits.resize(word + 1, 0);
        }
        bits[word] |= 1 << (unit % 64);
    }

    /// Whether a unit was marked as recorded.
    pub fn is_recorded(&self, unit: u32) -> bool {
        let word = self.recorded.get(unit as usize / 64);
        word.is_some_and(|word| word >> (unit % 64) & 1 == 1)
    }

    /// How many units show what is recorded elsewhere.
    pub fn replaced(&self) -> usize {
        self.replaced.len()
    }

    /// The unit where a unit's data are recorded.
    pub fn place_of(&self, unit: u32) -> u32 {
        self.replaced.get(&unit).copied().unwrap_or(unit)
    }

    /// Makes a unit unreadable until it is recorded again.
    pub fn lose(&mut self, unit: u32) -> io::Result<()> {
        if let Below::File(file) = &self.below {
            file.mark(unit, Mark::Unreadable)?;
        }
        self.units.set(unit, Unit::Unreadable);
        Ok(())
    }

    /// Tells the file that no unit is being recorded. Called once after a run of records.
    pub fn settle(&self) -> io::Result<()> {
        match &self.below {
            Below::File(file) => file.set_in_flight(None, self.reached),
            Below::Nothing | Below::Scratch(_) => Ok(()),
        }
    }

    /// Makes everything zeros and readable again.
    pub fn erase(&mut self) -> io::Result<()> {
        self.units = UnitMap::default();
        self.replaced = Arc::default();
        self.recorded = Arc::default();
        self.reached = 0;
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
