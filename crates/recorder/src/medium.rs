//! What is in the drive, and what can be done with it.

use std::ops::ControlFlow;

use reburn_blocks::{Appendable, BLOCK_SIZE, BlockCount, Lba, WriteUnit};
use reburn_drive::{CommandError, Drive, DriveExt};
use reburn_mmc::command::TrackAddress;
use reburn_mmc::reply::{
    BackgroundFormat, Configuration, DiscInformation, DiscStatus, Feature, FeatureDescriptor,
    FormatCapacities, FormatDescriptor, FormattedCapacity,
};
use reburn_mmc::{Profile, SenseKey};

use crate::link::Link;
use crate::sequence::Sequence;
use crate::{Event, RecordError};

/// The most blocks that any disc records at once: one command carries them.
const WRITE_UNIT_MAX: WriteUnit = WriteUnit::BLU_RAY;

/// What a drive says of the medium in it.
#[allow(clippy::struct_excessive_bools)] // a question each to the drive
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Medium {
    /// The drive's maker and model.
    pub drive: String,
    /// What kind of medium it is.
    pub profile: Profile,
    /// What the medium records at once.
    pub write_unit: WriteUnit,
    /// Blocks that can be read now: those of an image file, all of a formatted disc, what is
    /// recorded of one that is recorded block after block.
    pub capacity: BlockCount,
    /// Blocks that can be written; none unless `overwritable`. In any order, but those from the
    /// `frontier` on.
    pub writable: BlockCount,
    /// Whether the medium is formatted. An image file is.
    pub formatted: bool,
    /// Whether nothing was ever recorded.
    pub blank: bool,
    /// Whether its blocks can be overwritten now.
    pub overwritable: bool,
    /// From which block on they are written in order, without a gap: on a BD-R whose blocks can be
    /// replaced, and on a DVD-RW that still grows. None where there is no such block.
    pub frontier: Option<Lba>,
    /// Whether the border of a DVD-RW that is overwritten is unfinished, so that it can grow and
    /// not all drives can read it.
    pub border_open: bool,
    /// How far the background format of a DVD+RW got.
    pub background_format: BackgroundFormat,
    /// How far it is recorded, if its blocks are recorded one after the other.
    pub sequence: Option<Sequence>,
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
                | Profile::DVD_RW_OVERWRITE
        ) || self.frontier.is_some()
    }

    /// Where the disc goes on, as a file system must know it that is recorded session by session;
    /// none if its blocks can be overwritten, or if nothing can be added.
    pub fn appendable(&self) -> Option<Appendable> {
        let sequence = self.sequence?;
        let last = self.capacity.get().checked_sub(1);
        Some(Appendable {
            session_start: sequence.session_start,
            last_recorded: last.map(Lba::new),
            next_writable: sequence.next_writable()?,
            begins_session: sequence.begins_session(),
        })
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
    let profile = configuration.current_profile;
    let sequence = match crate::sequence::write_unit(profile) {
        Some(unit) if !is_pseudo_overwritable(&configuration) => {
            Some((unit, Sequence::examine(link, profile, &configuration)?))
        }
        _ => None,
    };
    let name = format!("{} {}", inquiry.vendor.trim(), inquiry.product.trim());
    if let Some((write_unit, sequence)) = sequence {
        return Ok(Medium {
            drive: name,
            profile,
            write_unit,
            capacity: recorded_blocks(link, &sequence)?,
            writable: BlockCount::ZERO,
            formatted: false,
            blank: sequence.status == DiscStatus::Empty,
            overwritable: false,
            frontier: None,
            border_open: false,
            background_format: BackgroundFormat::None,
            sequence: Some(sequence),
            formats: formats
                .map(|formats| formats.formattable)
                .unwrap_or_default(),
        });
    }
    // Formatted quickly, a DVD-RW has no blocks yet, and gets them as it is written.
    let formatted = is_formatted(formats.as_ref()) || profile == Profile::DVD_RW_OVERWRITE;
    let capacity = if formatted {
        link.ask(|drive| drive.block_count())?
    } else {
        BlockCount::ZERO
    };
    let restricted = if formatted {
        restricted(link, &configuration, formats.as_ref(), capacity)?
    } else {
        None
    };
    let (write_unit, writable, frontier) = if let Some(found) = restricted {
        found
    } else {
        let (unit, writable) = geometry(&configuration)?;
        (unit, writable, None)
    };
    let border_open = has_open_border(&configuration);
    let background_format = disc.map_or(BackgroundFormat::None, |disc| disc.background_format);
    Ok(Medium {
        drive: name,
        profile,
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
        frontier,
        border_open,
        background_format,
        sequence: None,
        formats: formats
            .map(|formats| formats.formattable)
            .unwrap_or_default(),
    })
}

/// Blocks that are recorded: up to the end of the last closed session, and in an open one up to
/// the next writable address.
fn recorded_blocks(link: &mut Link<'_>, sequence: &Sequence) -> Result<BlockCount, RecordError> {
    if sequence.status == DiscStatus::Empty {
        return Ok(BlockCount::ZERO);
    }
    let closed = supported(link.ask(|drive| drive.read_capacity()))?;
    let closed = closed.map_or(0, |capacity| capacity.last_lba.get());
    let closed = if closed == 0 { 0 } else { closed + 1 };
    let open = sequence
        .next_writable()
        .filter(|_| !sequence.begins_session());
    Ok(BlockCount::new(closed.max(open.map_or(0, Lba::get))))
}

/// Whether a BD-R is formatted so that its blocks can be replaced (MMC-6, feature 0038h).
fn is_pseudo_overwritable(configuration: &Configuration) -> bool {
    const PSEUDO_OVERWRITE: u16 = 0x0038;
    let feature = configuration.feature(PSEUDO_OVERWRITE);
    feature.is_some_and(|feature| feature.current)
}

fn is_empty(disc: DiscInformation) -> bool {
    disc.status == DiscStatus::Empty
}

/// A drive that cannot say how a medium is formatted has none that needs it.
fn is_formatted(formats: Option<&FormatCapacities>) -> bool {
    formats.is_none_or(|formats| matches!(formats.current, FormattedCapacity::Formatted(_)))
}

/// Whether a DVD-RW that is overwritten has a border that is not finished (MMC-6, feature 002Ch).
fn has_open_border(configuration: &Configuration) -> bool {
    const RIGID_OVERWRITE: u16 = 0x002c;
    let rigid = configuration.feature(RIGID_OVERWRITE);
    rigid.is_some_and(|entry| match entry.feature {
        Feature::RigidRestrictedOverwrite(rigid) => entry.current && rigid.intermediate,
        _ => false,
    })
}

/// The write unit, the blocks that can be written, and where they are only written in order, on
/// media that do not offer writing in any order as such: DVD-RW and CD-RW formatted for overwriting
/// (MMC-6, feature 0026h), and BD-R whose blocks can be replaced.
fn restricted(
    link: &mut Link<'_>,
    configuration: &Configuration,
    formats: Option<&FormatCapacities>,
    capacity: BlockCount,
) -> Result<Option<(WriteUnit, BlockCount, Option<Lba>)>, RecordError> {
    const RESTRICTED_OVERWRITE: u16 = 0x0026;
    const RIGID_OVERWRITE: u16 = 0x002c;
    let is_current = |code| {
        let feature = configuration.feature(code);
        feature.is_some_and(|feature: &FeatureDescriptor| feature.current)
    };
    let end = Lba::checked(capacity.get().into());
    if is_pseudo_overwritable(configuration) {
        let disc = link.ask(|drive| drive.disc_information())?;
        let last = TrackAddress::Track(disc.last_track_in_last_session.max(1).into());
        let track = supported(link.ask(|drive| drive.track_information(last)))?;
        let next = track.and_then(|track| track.next_writable);
        return Ok(Some((WriteUnit::BLU_RAY, capacity, next.or(end))));
    }
    if !is_current(RESTRICTED_OVERWRITE) && !is_current(RIGID_OVERWRITE) {
        return Ok(None);
    }
    if configuration.current_profile == Profile::CD_RW {
        return Ok(Some((WriteUnit::CD_PACKET, capacity, None)));
    }
    let most = formats.into_iter().flat_map(|formats| &formats.formattable);
    let most = most.map(|way| way.blocks).max();
    let most = most.unwrap_or(capacity).max(capacity);
    let frontier = end.filter(|_| most > capacity);
    Ok(Some((WriteUnit::DVD, most, frontier)))
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
