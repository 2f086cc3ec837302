//! What an image file answers when asked about itself.

use reburn_blocks::{BlockCount, BlockRead, Lba, WriteUnit};
use reburn_mmc::command::{Command, DiscInformationType, ModeSense, TocFormat, TrackAddress};
use reburn_mmc::reply::{
    BufferCapacity, Capacity, Configuration, DiscInformation, DiscStatus, EventStatus, Feature,
    FeatureDescriptor, FormatCapacities, FormattedCapacity, InquiryData, MechanismState,
    MediaEvent, MediaEventStatus, ModePage, ModeParameters, ProfileDescriptor, RecoveryPage, Toc,
    TocEntry, TrackInformation,
};
use reburn_mmc::{Profile, Sense};

use crate::ImageFileDrive;
use crate::image_file::Tray;
use crate::software::{Answer, Outcome};

impl ImageFileDrive {
    /// Answers a command that changes nothing, or refuses one that the drive does not have.
    pub(crate) fn question(&self, command: &Command) -> Outcome {
        match command {
            Command::TestUnitReady(_) => self.loaded().map(|()| Answer::DONE),
            Command::RequestSense(command) => Ok(Answer::bytes(
                Sense::NONE.encode().to_vec(),
                command.allocation,
            )),
            Command::Inquiry(command) if command.page.is_none() => {
                Ok(Answer::bytes(inquiry_data().encode(), command.allocation))
            }
            Command::GetEventStatus(command) => {
                let bytes = self.event_status(command.classes).encode();
                Ok(Answer::bytes(bytes, command.allocation))
            }
            Command::MechanismStatus(command) => {
                let state = MechanismState {
                    door_open: self.tray == Tray::Ejected,
                    state: 0,
                };
                Ok(Answer::bytes(state.encode(), command.allocation))
            }
            Command::GetConfiguration(command) => {
                let all = self.configuration_data();
                let selected = all.select(command.scope, command.start);
                Ok(Answer::bytes(selected.encode(), command.allocation))
            }
            Command::ModeSense(command) => self.mode_sense(*command),
            Command::ReadBufferCapacity(command) => {
                let buffer = BufferCapacity {
                    in_blocks: command.in_blocks,
                    total: 0,
                    blank: 0,
                };
                Ok(Answer::bytes(buffer.encode(), command.allocation))
            }
            command => {
                self.loaded()?;
                self.question_of_medium(command)
            }
        }
    }

    fn question_of_medium(&self, command: &Command) -> Outcome {
        let blocks = self.image.block_count();
        match command {
            Command::ReadCapacity(_) => {
                let last = Lba::new(blocks.get().saturating_sub(1));
                Ok(Answer::bytes(Capacity::ending_at(last).encode(), u32::MAX))
            }
            Command::ReadFormatCapacities(command) => {
                let capacities = FormatCapacities {
                    current: FormattedCapacity::Formatted(blocks),
                    formattable: Vec::new(),
                };
                Ok(Answer::bytes(capacities.encode(), command.allocation))
            }
            Command::ReadDiscInformation(command)
                if command.kind == DiscInformationType::Standard =>
            {
                let information = DiscInformation {
                    status: DiscStatus::RandomAccess,
                    erasable: self.writable,
                    ..DiscInformation::OVERWRITABLE
                };
                Ok(Answer::bytes(information.encode(), command.allocation))
            }
            Command::ReadTrackInformation(command) => {
                let known = match command.address {
                    TrackAddress::Lba(_) => true,
                    TrackAddress::Track(number) | TrackAddress::Session(number) => number == 1,
                };
                let track = known.then(|| only_track(blocks));
                let track = track.ok_or(Sense::INVALID_FIELD_IN_CDB)?;
                Ok(Answer::bytes(track.encode(), command.allocation))
            }
            Command::ReadToc(command) if command.format == TocFormat::Tracks => {
                let end = if command.msf {
                    TocEntry::msf(Lba::new(blocks.get()))
                } else {
                    blocks.get()
                };
                let start = if command.msf {
                    TocEntry::msf(Lba::ZERO)
                } else {
                    0
                };
                let toc = Toc {
                    first_track: 1,
                    last_track: 1,
                    entries: vec![
                        TocEntry::data(1, start),
                        TocEntry::data(TocEntry::LEAD_OUT, end),
                    ],
                };
                let toc = toc.starting_at(command.first);
                Ok(Answer::bytes(toc.encode(), command.allocation))
            }
            Command::FormatUnit(_) => Err(Sense::CANNOT_FORMAT_MEDIUM),
            Command::Inquiry(_)
            | Command::ReadDiscInformation(_)
            | Command::ReadToc(_)
            | Command::GetPerformance(_) => Err(Sense::INVALID_FIELD_IN_CDB),
            _ => Err(Sense::INVALID_COMMAND),
        }
    }

    fn event_status(&self, classes: u8) -> EventStatus {
        let supported = 1 << EventStatus::MEDIA_CLASS;
        let status = MediaEventStatus {
            event: MediaEvent::None,
            present: self.tray == Tray::Loaded,
            tray_open: self.tray == Tray::Ejected,
        };
        EventStatus {
            supported,
            event: (classes & supported != 0)
                .then_some(reburn_mmc::reply::ClassEvent::Media(status)),
        }
    }

    fn configuration_data(&self) -> Configuration {
        let loaded = self.tray == Tray::Loaded;
        let profile = Profile::REMOVABLE_DISK;
        let removable = Feature::RemovableMedium {
            mechanism: 1,
            load: true,
            eject: true,
            lock: true,
        };
        let core = Feature::Core {
            interface: 1,
            inquiry_pages: false,
        };
        let random_write = Feature::random_writable(Lba::MAX, WriteUnit::FILE);
        Configuration {
            current_profile: if loaded { profile } else { Profile::NONE },
            features: vec![
                FeatureDescriptor::new(
                    Feature::ProfileList(vec![ProfileDescriptor {
                        profile,
                        current: loaded,
                    }]),
                    true,
                    true,
                ),
                FeatureDescriptor::new(core, true, true),
                FeatureDescriptor::new(removable, true, true),
                FeatureDescriptor::new(Feature::random_readable(WriteUnit::FILE), false, loaded),
                FeatureDescriptor::new(random_write, false, loaded && self.writable),
            ],
        }
    }

    fn mode_sense(&self, command: ModeSense) -> Outcome {
        let pages = [
            ModePage::Recovery(RecoveryPage {
                options: 0,
                read_retries: 0,
                write_retries: 0,
            }),
            ModePage::Caching { write_cache: true },
        ];
        let wanted =
            |page: &ModePage| command.page == ModeSense::ALL_PAGES || command.page == page.code();
        let parameters = ModeParameters {
            write_protected: !self.writable,
            pages: pages.into_iter().filter(wanted).collect(),
        };
        if parameters.pages.is_empty() {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        Ok(Answer::bytes(parameters.encode(), command.allocation))
    }
}

fn inquiry_data() -> InquiryData {
    InquiryData {
        device_type: InquiryData::OPTICAL,
        removable: true,
        version: 5,
        vendor: "REBURN".into(),
        product: "IMAGE FILE".into(),
        revision: "0.1".into(),
    }
}

/// The one track of an image.
fn only_track(blocks: BlockCount) -> TrackInformation {
    TrackInformation {
        packet_size: WriteUnit::FILE.blocks(),
        track_size: blocks,
        last_recorded: blocks.get().checked_sub(1).map(Lba::new),
        ..TrackInformation::DATA
    }
}
