//! DVD-RW in restricted overwrite mode: one border with one RZone, overwritten in whole write
//! units.
//!
//! ```text
//! blank --FORMAT 15h--> intermediate border, nothing in it --WRITE at its end--> it grows
//!   | FORMAT 00h, 10h         | CLOSE 2, 3          ^
//!   v                         v                     | FORMAT 13h
//!   +------------------> complete border -----------+
//! any --BLANK--> recorded in sequence, see `dvd_minus`
//! ```
//!
//! FORMAT 13h lets the border grow: by so many blocks at once, or (0) with what is written at
//! its end. READ CAPACITY tells the size of the border.

use reburn_blocks::{BlockCount, BlockRange, Lba};
use reburn_mmc::command::{Blank, CloseFunction, MediaType, ReadDiscStructure, TrackAddress};
use reburn_mmc::reply::{
    DiscInformation, DiscStatus, Feature, FormatCapacities, FormatDescriptor, FormatKind,
    FormatParameters, FormattableWays, FormattedCapacity, RigidOverwriting, SessionStatus,
    TrackInformation,
};
use reburn_mmc::{Profile, Sense};

use super::structures::{REWRITABLE, dvd_physical};
use super::{Job, Placement, Rules, Situation, TocTrack, dvd_minus, overwritable, way};
use crate::state::{FormatState, MediumState, RecordingMode};

/// The rules of DVD-RW in restricted overwrite mode.
pub(super) struct DvdOverwrite;

/// What the formats have in their parameter but 00h: blocks of a write unit.
const UNIT: u32 = 16;

/// The ways to format a DVD-RW in any mode.
pub(super) fn ways(now: Situation<'_>) -> Vec<FormatDescriptor> {
    let all = now.kind.capacity();
    let mut ways = vec![
        way(FormatKind::FULL, all, 0x800),
        way(FormatKind::REWRITABLE_FULL, all, UNIT),
        way(FormatKind::QUICK, all, UNIT),
    ];
    if let Some(size) = complete_border(now) {
        ways.push(way(FormatKind::QUICK_GROW, all - size, UNIT));
    }
    ways
}

/// The size of the border, if it is complete.
fn complete_border(now: Situation<'_>) -> Option<BlockCount> {
    match (now.state.mode, now.state.format) {
        (RecordingMode::RestrictedOverwrite { intermediate }, FormatState::Formatted(size)) => {
            (!intermediate).then_some(size)
        }
        _ => None,
    }
}

/// FORMAT UNIT of a DVD-RW in any mode.
pub(super) fn format(now: Situation<'_>, parameters: &FormatParameters) -> Result<Job, Sense> {
    let refused = Sense::INVALID_FIELD_IN_PARAMETERS;
    let wanted = parameters.descriptor;
    let all = now.kind.capacity();
    let given = wanted.blocks;
    let fits = given <= all || given == BlockCount::MAX;
    let border = |size, intermediate| MediumState {
        write_protected: now.state.write_protected,
        ..MediumState::with(
            FormatState::Formatted(size),
            RecordingMode::RestrictedOverwrite { intermediate },
        )
    };
    let time = now.profile.mechanics.format;
    match wanted.kind {
        FormatKind::FULL | FormatKind::REWRITABLE_FULL if fits => {
            let size = if given.is_zero() { all } else { given.min(all) };
            let size = size.round_up(now.kind.write_unit());
            Ok(Job {
                time: time + now.whole_medium(all),
                erases: true,
                result: border(size, false),
            })
        }
        // However many blocks are asked for: the border grows as it is written.
        FormatKind::QUICK if fits => Ok(Job {
            time,
            erases: true,
            result: border(BlockCount::ZERO, true),
        }),
        FormatKind::QUICK_GROW if wanted.parameter == UNIT => {
            let size = complete_border(now).ok_or(refused)?;
            let added = given.round_up(now.kind.write_unit());
            let grown = size.checked_add(added).filter(|grown| *grown <= all);
            let grown = grown.ok_or(refused)?;
            Ok(Job {
                time: time + now.whole_medium(added),
                ..Job::at_once(border(grown, true))
            })
        }
        _ => Err(refused),
    }
}

fn intermediate(now: Situation<'_>) -> bool {
    now.state.mode == RecordingMode::RestrictedOverwrite { intermediate: true }
}

impl Rules for DvdOverwrite {
    fn profile(&self, _now: Situation<'_>) -> Profile {
        Profile::DVD_RW_OVERWRITE
    }

    fn features(&self, now: Situation<'_>) -> Vec<Feature> {
        vec![
            Feature::Formattable(FormattableWays::default()),
            Feature::RestrictedOverwrite,
            Feature::RigidRestrictedOverwrite(RigidOverwriting {
                blank: true,
                intermediate: intermediate(now),
                ..RigidOverwriting::default()
            }),
        ]
    }

    fn area(&self, now: Situation<'_>) -> BlockCount {
        now.kind.capacity()
    }

    fn place(
        &self,
        now: Situation<'_>,
        range: BlockRange,
    ) -> Result<(Placement, BlockCount), Sense> {
        let unit = now.kind.write_unit();
        if range.align_outward(unit) != range {
            return Err(now.profile.sequential.misaligned_overwrite);
        }
        let size = now.state.blocks().get();
        let grows = intermediate(now) && range.start_lba().get() <= size;
        if range.end_exclusive() > size && !grows {
            return Err(Sense::INVALID_ADDRESS_FOR_WRITE);
        }
        Ok((Placement::InPlace, range.block_count()))
    }

    fn format_capacities(&self, now: Situation<'_>) -> FormatCapacities {
        let size = now.state.blocks();
        FormatCapacities {
            current: match now.state.format {
                FormatState::Formatted(_) if intermediate(now) => FormattedCapacity::NoMedium(size),
                _ => now.formatted_capacity(now.kind.capacity()),
            },
            formattable: ways(now),
        }
    }

    fn format(&self, now: Situation<'_>, parameters: &FormatParameters) -> Result<Job, Sense> {
        format(now, parameters)
    }

    fn blank(&self, now: Situation<'_>, command: Blank) -> Result<Job, Sense> {
        dvd_minus::blank(now, command)
    }

    fn close(
        &self,
        now: Situation<'_>,
        function: CloseFunction,
        _track: u16,
    ) -> Result<Job, Sense> {
        match function {
            CloseFunction::Session | CloseFunction::SessionComplete if intermediate(now) => {
                let intermediate = false;
                Ok(Job {
                    time: now.profile.mechanics.close,
                    ..Job::at_once(MediumState {
                        mode: RecordingMode::RestrictedOverwrite { intermediate },
                        ..now.state.clone()
                    })
                })
            }
            CloseFunction::Session | CloseFunction::SessionComplete => Ok(Job::nothing(now)),
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }

    fn disc_information(&self, now: Situation<'_>) -> DiscInformation {
        if !intermediate(now) {
            return DiscInformation::OVERWRITABLE;
        }
        DiscInformation {
            status: DiscStatus::Appendable,
            last_session: SessionStatus::Incomplete,
            ..DiscInformation::OVERWRITABLE
        }
    }

    fn track_information(
        &self,
        now: Situation<'_>,
        address: TrackAddress,
        _open: bool,
    ) -> Result<TrackInformation, Sense> {
        overwritable::check_address(now, address)?;
        let size = now.state.blocks();
        let grows = intermediate(now);
        Ok(TrackInformation {
            packet: true,
            fixed_packet: true,
            next_writable: grows.then(|| Lba::new(size.get())),
            free_blocks: if grows {
                now.kind.capacity() - size
            } else {
                BlockCount::ZERO
            },
            last_recorded: size.get().checked_sub(1).map(Lba::new),
            ..overwritable::only_track(now)
        })
    }

    fn toc(&self, now: Situation<'_>) -> Vec<TocTrack> {
        overwritable::toc(now)
    }

    fn structure(&self, now: Situation<'_>, command: &ReadDiscStructure) -> Result<Vec<u8>, Sense> {
        match (command.media, command.format) {
            (MediaType::Dvd, 0x00 | 0x10) => {
                Ok(dvd_physical(3, 5, 1, REWRITABLE, now.kind.capacity()).encode())
            }
            _ => Err(Sense::INVALID_FIELD_IN_CDB),
        }
    }
}
