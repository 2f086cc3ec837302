//! What is in the drive, and what can be done with it.

use std::ops::ControlFlow;

use reburn_blocks::{BLOCK_SIZE, BlockCount, WriteUnit};
use reburn_drive::{CommandError, Drive, DriveExt};
use reburn_mmc::reply::{
    BackgroundFormat, Configuration, DiscInformation, DiscStatus, Feature, FormatCapacities,
    FormatDescriptor, FormattedCapacity,
};
use reburn_mmc::{Profile, SenseKey};

use crate::link::Link;
use crate::{Event, RecordError};

/// The most blocks that any disc records at once: one command carries them.
const WRITE_UNIT_MAX: WriteUnit = WriteUnit::BLU_RAY;

/// What a drive says of the medium in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// The drive's maker and model.
    pub drive: String,
    /// What kind of medium it is.
    pub profile: Profile,
    /// What the medium records at once.
    pub write_unit: WriteUnit,
    /// Blocks that can be read now: those of an image file, all of a formatted disc.
    pub capacity: BlockCount,
    /// Blocks that can be written, in any order; none unless `overwritable`.
    pub writable: BlockCount,
    /// Whether the medium is formatted. An image file is.
    pub formatted: bool,
    /// Whether nothing was ever recorded.
    pub blank: bool,
    /// Whether its blocks can be overwritten now.
    pub overwritable: bool,
    /// How far the background format of a DVD+RW got.
    pub background_format: BackgroundFormat,
    /// How it could be formatted.
    pub formats: Vec<FormatDescriptor>,
}

impl Medium {
    /// Whether this is a kind of medium that can be overwritten, protected or not formatted as
    /// it may be.
    pub fn is_rewritable_kind(&self) -> bool {
        matches!(
            self.profile,
            Profile::REMOVABLE_DISK
                | Profile::DVD_RAM
                | Profile::DVD_PLUS_RW
                | Profile::DVD_PLUS_RW_DL
                | Profile::BD_RE
        )
    }

    /// Whether the drive refuses to write a medium that could be written.
    pub fn is_write_protected(&self) -> bool {
        self.is_rewritable_kind() && self.formatted && !self.overwritable
    }
}

/// Waits until the drive is ready and asks what is in it.
///
/// Takes the kind of medium, its write unit and its size from GET CONFIGURATION, READ CAPACITY,
/// READ FORMAT CAPACITIES and READ DISC INFORMATION; changes nothing.
pub fn inspect(drive: &mut dyn Drive) -> Result<Medium, RecordError> {
    let mut unheard = |_: Event| ControlFlow::Continue(());
    examine(&mut Link::new(drive, &mut unheard))
}

/// [`inspect`] over a link.
pub(crate) fn examine(link: &mut Link<'_>) -> Result<Medium, RecordError> {
    let inquiry = link.ask(|drive| drive.inquiry())?;
    link.ask(|drive| drive.test_unit_ready())?;
    let configuration = link.ask(|drive| drive.configuration())?;
    let formats = supported(link.ask(|drive| drive.format_capacities()))?;
    let disc = supported(link.ask(|drive| drive.disc_information()))?;
    let formatted = is_formatted(formats.as_ref());
    let capacity = if formatted {
        link.ask(|drive| drive.block_count())?
    } else {
        BlockCount::ZERO
    };
    let (write_unit, writable) = geometry(&configuration)?;
    let background_format = disc.map_or(BackgroundFormat::None, |disc| disc.background_format);
    Ok(Medium {
        drive: format!("{} {}", inquiry.vendor.trim(), inquiry.product.trim()),
        profile: configuration.current_profile,
        write_unit,
        capacity,
        writable: if formatted {
            writable
        } else {
            BlockCount::ZERO
        },
        formatted,
        blank: !formatted || disc.is_some_and(is_empty),
        overwritable: formatted && !writable.is_zero(),
        background_format,
        formats: formats
            .map(|formats| formats.formattable)
            .unwrap_or_default(),
    })
}

fn is_empty(disc: DiscInformation) -> bool {
    disc.status == DiscStatus::Empty
}

/// A drive that cannot say how a medium is formatted has none that needs it.
fn is_formatted(formats: Option<&FormatCapacities>) -> bool {
    formats.is_none_or(|formats| matches!(formats.current, FormattedCapacity::Formatted(_)))
}

/// The write unit and the blocks that can be written in any order now.
fn geometry(configuration: &Configuration) -> Result<(WriteUnit, BlockCount), RecordError> {
    let descriptor = configuration.feature(Feature::RANDOM_WRITABLE);
    let Some((current, feature)) = descriptor.map(|entry| (entry.current, &entry.feature)) else {
        return Ok((WriteUnit::FILE, BlockCount::ZERO));
    };
    let Feature::RandomWritable {
        last_lba,
        block_size,
        blocking,
        ..
    } = feature
    else {
        return Ok((WriteUnit::FILE, BlockCount::ZERO));
    };
    if !current {
        return Ok((*blocking, BlockCount::ZERO));
    }
    if *block_size as usize != BLOCK_SIZE {
        return Err(RecordError::Implausible {
            what: format!("blocks of {block_size} bytes"),
        });
    }
    if !WRITE_UNIT_MAX.is_multiple_of(*blocking) {
        return Err(RecordError::Implausible {
            what: format!("write units of {blocking}"),
        });
    }
    Ok((*blocking, BlockCount::new(last_lba.get() + 1)))
}

/// The answer to a question that not every drive understands.
pub(crate) fn supported<T>(answer: Result<T, RecordError>) -> Result<Option<T>, RecordError> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(RecordError::Command(CommandError::Sense { sense, .. }))
            if sense.key == SenseKey::IllegalRequest =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
