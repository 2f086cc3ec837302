//! What stands on the medium as a whole; formatting, blanking, closing, reserving.

use reburn_blocks::Lba;
use reburn_drive::software::{Answer, Outcome};
use reburn_mmc::Sense;
use reburn_mmc::command::{
    CloseTrackSession, Command, DiscInformationType, ReadDiscInformation, ReadDiscStructure,
    ReadToc, SendDiscStructure, TocFormat,
};
use reburn_mmc::reply::{
    Capacity, DiscStructure, FormatCapacities, FormatParameters, FormattedCapacity, Toc, TocEntry,
    TocSessions,
};

use crate::media::{Job, Rules, Situation, TocTrack};
use crate::state::FormatState;
use crate::{Emulator, MediumKind};

impl Emulator {
    /// Answers a command that is about the medium, or refuses one that the drive does not have.
    pub(super) fn respond_for_medium(&mut self, command: &Command) -> Outcome {
        match command {
            Command::ReadFormatCapacities(command) => {
                let capacities = self.format_capacities().encode();
                Ok(Answer::bytes(capacities, command.allocation))
            }
            Command::ReadCapacity(_) => {
                self.loaded()?;
                let last = Lba::new(self.usable_blocks().get().saturating_sub(1));
                Ok(Answer::bytes(Capacity::ending_at(last).encode(), u32::MAX))
            }
            Command::ReadDiscInformation(command) => self.disc_information(*command),
            Command::ReadTrackInformation(command) => {
                let track = self
                    .ask(|rules, now| rules.track_information(now, command.address, command.open));
                Ok(Answer::bytes(track?.encode(), command.allocation))
            }
            Command::ReadToc(command) => self.toc(*command),
            Command::ReadDiscStructure(command) => self.structure(*command),
            Command::CloseTrackSession(command) => self.close(*command),
            Command::ReserveTrack(command) => {
                self.begin(false, Sense::OPERATION_IN_PROGRESS, |rules, now| {
                    rules.reserve(now, command.reservation)
                })
            }
            Command::RepairTrack(command) => self.begin(
                command.immediate,
                Sense::OPERATION_IN_PROGRESS,
                |rules, now| rules.repair(now, command.track),
            ),
            Command::Blank(command) => self.begin(
                command.immediate,
                Sense::OPERATION_IN_PROGRESS,
                |rules, now| rules.blank(now, *command),
            ),
            Command::SendOpc(command) => {
                self.loaded()?;
                if command.calibrate {
                    self.spend(self.profile.mechanics.calibrate);
                }
                Ok(Answer::DONE)
            }
            Command::SetReadAhead(_) => self.loaded().map(|_| Answer::DONE),
            _ => Err(Sense::INVALID_COMMAND),
        }
    }

    fn format_capacities(&self) -> FormatCapacities {
        let answered = self.ask(|rules, now| Ok(rules.format_capacities(now)));
        answered.unwrap_or_else(|_| FormatCapacities {
            current: FormattedCapacity::NoMedium(MediumKind::BdReQl.blocks_max()),
            formattable: Vec::new(),
        })
    }

    /// Puts the buffer on the medium and begins what the rules make of a command. What they
    /// refuse, and a protected medium, is refused before anything is touched.
    fn begin(
        &mut self,
        immediate: bool,
        busy: Sense,
        job: impl Fn(&dyn Rules, Situation<'_>) -> Result<Job, Sense>,
    ) -> Outcome {
        let first = self.ask(&job)?;
        if self.loaded()?.disc.state().write_protected {
            return Err(Sense::WRITE_PROTECTED);
        }
        let job = if first.erases {
            first
        } else if self.loaded()?.state().format == FormatState::Interrupted {
            return Err(Sense::MEDIUM_FORMAT_CORRUPTED);
        } else {
            self.flush_all()?;
            self.ask(&job)?
        };
        self.start_job(job, immediate, busy)?;
        Ok(Answer::DONE)
    }

    /// The list is checked before the medium is touched.
    pub(super) fn format(&mut self, list: &[u8]) -> Result<(), Sense> {
        self.loaded()?;
        let parameters = FormatParameters::decode(list).map_err(|error| error.as_sense())?;
        if self.loaded()?.disc.state().write_protected {
            return Err(Sense::WRITE_PROTECTED);
        }
        let busy = Sense::FORMAT_IN_PROGRESS;
        self.begin(parameters.immediate, busy, |rules, now| {
            rules.format(now, &parameters)
        })?;
        Ok(())
    }

    fn close(&mut self, command: CloseTrackSession) -> Outcome {
        let busy = Sense::OPERATION_IN_PROGRESS;
        self.begin(command.immediate, busy, |rules, now| {
            rules.close(now, command.function, command.track)
        })
    }

    fn disc_information(&self, command: ReadDiscInformation) -> Outcome {
        let bytes = self.ask(|rules, now| {
            Ok(match command.kind {
                DiscInformationType::Standard => rules.disc_information(now).encode(),
                DiscInformationType::TrackResources => rules.track_resources(now)?.encode(),
                DiscInformationType::PseudoOverwrite => rules.pseudo_overwrite(now)?.encode(),
            })
        })?;
        Ok(Answer::bytes(bytes, command.allocation))
    }

    /// The closed tracks, as drives make a table of contents up for DVD and Blu-ray.
    fn toc(&self, command: ReadToc) -> Outcome {
        if !matches!(command.format, TocFormat::Tracks | TocFormat::Sessions) {
            let table = self.ask(|rules, now| rules.cd_table(now, command.format, command.first));
            return Ok(Answer::bytes(table?, command.allocation));
        }
        let tracks = self.ask(|rules, now| Ok(rules.toc(now)))?;
        let refused = Sense::INVALID_FIELD_IN_CDB;
        if tracks.is_empty() && self.profile.sequential.blank_toc_is_refused {
            return Err(refused);
        }
        let address = |lba: Lba| {
            if command.msf {
                TocEntry::msf(lba)
            } else {
                lba.get()
            }
        };
        // Numbers past 99 do not fit; drives leave such tracks out.
        let fitting = tracks.iter().filter(|track| track.number < 100);
        let entry = |number: u16, start| {
            let number = u8::try_from(number).unwrap_or(u8::MAX);
            TocEntry::data(number, address(start))
        };
        let mut entries: Vec<_> = fitting
            .map(|track| entry(track.number, track.start))
            .collect();
        let last_track = entries.last().map_or(1, |entry| entry.track);
        let bytes = match command.format {
            TocFormat::Tracks
                if command.first > last_track && command.first != TocEntry::LEAD_OUT =>
            {
                return Err(refused);
            }
            TocFormat::Tracks => {
                let end = tracks.last().map_or(Lba::ZERO, |track| track.end);
                entries.push(TocEntry::data(TocEntry::LEAD_OUT, address(end)));
                Toc {
                    first_track: 1,
                    last_track,
                    entries,
                }
                .starting_at(command.first)
                .encode()
            }
            TocFormat::Sessions => self.toc_sessions(&tracks, entry)?.encode(),
            _ => return Err(refused), // what only CDs have
        };
        Ok(Answer::bytes(bytes, command.allocation))
    }

    /// The first track of the last session that is closed.
    fn toc_sessions(
        &self,
        tracks: &[TocTrack],
        entry: impl Fn(u16, Lba) -> TocEntry,
    ) -> Result<TocSessions, Sense> {
        let closed = self.ask(|_, now| Ok(now.closed_sessions()))?;
        let last = tracks.iter().find(|track| track.session == closed);
        let last = last.ok_or(Sense::INVALID_FIELD_IN_CDB)?;
        Ok(TocSessions {
            first_session: 1,
            last_session: u8::try_from(last.session).unwrap_or(u8::MAX),
            first_track: entry(last.number, last.start),
        })
    }

    /// The list is a head of 4 bytes and the structure.
    pub(super) fn send_structure(
        &mut self,
        command: SendDiscStructure,
        list: &[u8],
    ) -> Result<(), Sense> {
        self.loaded()?;
        let data = list.get(4..).ok_or(Sense::PARAMETER_LIST_LENGTH)?;
        self.begin(false, Sense::OPERATION_IN_PROGRESS, |rules, now| {
            rules.send_structure(now, command, data)
        })?;
        Ok(())
    }

    fn structure(&self, command: ReadDiscStructure) -> Outcome {
        let data = self.ask(|rules, now| rules.structure(now, &command))?;
        Ok(Answer::bytes(
            DiscStructure { data }.encode(),
            command.allocation,
        ))
    }
}
