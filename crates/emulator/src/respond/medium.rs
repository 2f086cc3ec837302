//! What stands on the medium as a whole, and formatting and closing it.

use reburn_blocks::Lba;
use reburn_drive::software::{Answer, Outcome};
use reburn_mmc::Sense;
use reburn_mmc::command::{
    CloseTrackSession, Command, DiscInformationType, ReadDiscInformation, ReadDiscStructure,
    ReadToc, ReadTrackInformation, TocFormat, TrackAddress,
};
use reburn_mmc::reply::{
    Capacity, DiscStructure, FormatCapacities, FormatParameters, FormattedCapacity, Toc, TocEntry,
    TocSessions,
};

use crate::Emulator;
use crate::media::rules;
use crate::state::FormatState;

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
            Command::ReadTrackInformation(command) => self.track_information(*command),
            Command::ReadToc(command) => self.toc(*command),
            Command::ReadDiscStructure(command) => self.structure(*command),
            Command::CloseTrackSession(command) => self.close(*command),
            Command::SendOpc(command) => {
                self.loaded()?;
                if command.calibrate {
                    self.spend(self.profile.mechanics.calibrate);
                }
                Ok(Answer::DONE)
            }
            Command::SetReadAhead(_) => self.loaded().map(|_| Answer::DONE),
            Command::Blank(_) => self.loaded().and(Err(Sense::CANNOT_FORMAT_MEDIUM)),
            _ => Err(Sense::INVALID_COMMAND),
        }
    }

    fn format_capacities(&self) -> FormatCapacities {
        match self.loaded() {
            Ok(medium) => {
                rules(medium.disc.kind()).format_capacities(medium.situation(&self.profile))
            }
            Err(_) => FormatCapacities {
                current: FormattedCapacity::NoMedium(crate::MediumKind::BdReTl.blocks_max()),
                formattable: Vec::new(),
            },
        }
    }

    /// The list is checked before the medium is touched.
    pub(super) fn format(&mut self, list: &[u8]) -> Result<(), Sense> {
        let medium = self.loaded()?;
        let parameters = FormatParameters::decode(list).map_err(|error| error.as_sense())?;
        if medium.disc.state().write_protected {
            return Err(Sense::WRITE_PROTECTED);
        }
        let now = medium.situation(&self.profile);
        let job = rules(medium.disc.kind()).format(now, &parameters)?;
        if !job.erases {
            self.flush_all()?;
        }
        self.start_job(job, parameters.immediate, Sense::FORMAT_IN_PROGRESS)
    }

    fn close(&mut self, command: CloseTrackSession) -> Outcome {
        let medium = self.loaded()?;
        let now = medium.situation(&self.profile);
        let job = rules(medium.disc.kind()).close(now, command.function)?;
        self.flush_all()?;
        self.start_job(job, command.immediate, Sense::OPERATION_IN_PROGRESS)?;
        Ok(Answer::DONE)
    }

    fn disc_information(&self, command: ReadDiscInformation) -> Outcome {
        let medium = self.loaded()?;
        if command.kind != DiscInformationType::Standard {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        let now = medium.situation(&self.profile);
        let information = rules(medium.disc.kind()).disc_information(now);
        Ok(Answer::bytes(information.encode(), command.allocation))
    }

    fn track_information(&self, command: ReadTrackInformation) -> Outcome {
        let medium = self.loaded()?;
        let blocks = self.usable_blocks().get().max(1);
        match command.address {
            TrackAddress::Lba(lba) if lba.get() >= blocks => return Err(Sense::LBA_OUT_OF_RANGE),
            TrackAddress::Track(number) | TrackAddress::Session(number) if number != 1 => {
                return Err(Sense::INVALID_FIELD_IN_CDB);
            }
            _ => {}
        }
        let now = medium.situation(&self.profile);
        let track = rules(medium.disc.kind()).track_information(now);
        Ok(Answer::bytes(track.encode(), command.allocation))
    }

    /// One session of one track, as drives make up for media without any.
    fn toc(&self, command: ReadToc) -> Outcome {
        self.loaded()?;
        let address = |lba: Lba| {
            if command.msf {
                TocEntry::msf(lba)
            } else {
                lba.get()
            }
        };
        let first_track = TocEntry::data(1, address(Lba::ZERO));
        let bytes = match command.format {
            TocFormat::Tracks if command.first > 1 && command.first != TocEntry::LEAD_OUT => {
                return Err(Sense::INVALID_FIELD_IN_CDB);
            }
            TocFormat::Tracks => {
                let end = address(Lba::new(self.usable_blocks().get()));
                let lead_out = TocEntry::data(TocEntry::LEAD_OUT, end);
                Toc {
                    first_track: 1,
                    last_track: 1,
                    entries: vec![first_track, lead_out],
                }
                .starting_at(command.first)
                .encode()
            }
            TocFormat::Sessions => TocSessions {
                first_session: 1,
                last_session: 1,
                first_track,
            }
            .encode(),
            _ => return Err(Sense::INVALID_FIELD_IN_CDB), // what only CDs have
        };
        Ok(Answer::bytes(bytes, command.allocation))
    }

    fn structure(&self, command: ReadDiscStructure) -> Outcome {
        let medium = self.loaded()?;
        if medium.disc.state().format == FormatState::Unformatted && command.format == 0x0a {
            return Err(Sense::INVALID_FIELD_IN_CDB); // no spare areas yet
        }
        let now = medium.situation(&self.profile);
        let data = rules(medium.disc.kind()).structure(now, &command)?;
        Ok(Answer::bytes(
            DiscStructure { data }.encode(),
            command.allocation,
        ))
    }
}
