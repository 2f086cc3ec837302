//! What a host can set: mode pages and speeds.

use reburn_blocks::Lba;
use reburn_drive::software::{Answer, Outcome};
use reburn_mmc::command::{
    GetPerformance, ModeSelect, ModeSense, PageControl, PerformanceType, SetCdSpeed, SetStreaming,
};
use reburn_mmc::reply::{
    CapabilitiesPage, ModePage, ModeParameters, Performance, PerformanceRange, PowerPage,
    RecoveryPage, StreamingDescriptor, TimeoutPage, WriteParametersPage, WriteSpeed, WriteSpeeds,
    WriteType,
};
use reburn_mmc::{Sense, Speed};

use crate::{DriveProfile, Emulator, MediumKind};

/// The mode pages that a host can change. A reset brings the first ones back.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    recovery: RecoveryPage,
    write: WriteParametersPage,
    power: PowerPage,
    timeout: TimeoutPage,
    read_speed: Speed,
    write_speed: Speed,
}

/// The bits of page 2Ah for the media that it knows.
const CAPABILITIES: [(MediumKind, u8); 4] = [
    (MediumKind::CdR, 0x01),
    (MediumKind::CdRw, 0x02),
    (MediumKind::DvdR, 0x10),
    (MediumKind::DvdRam, 0x20),
];
const TEST_WRITE: u8 = 0x04;
const DVD_ROM: u8 = 0x08;

impl Settings {
    pub fn new(profile: &DriveProfile) -> Self {
        Self {
            recovery: RecoveryPage {
                options: 0xc0,
                read_retries: 32,
                write_retries: 0,
            },
            write: WriteParametersPage {
                underrun_protection: true,
                link_size_valid: true,
                track_mode: 5,
                data_block_type: 8,
                link_size: 16,
                audio_pause: 150,
                ..WriteParametersPage::default()
            },
            power: PowerPage {
                idle: Some(600),
                standby: Some(4800),
            },
            timeout: TimeoutPage {
                options: 0,
                group_1: 120,
                group_2: 600,
            },
            read_speed: profile.bd_re.read,
            write_speed: profile.bd_re.write,
        }
    }
}

impl Settings {
    /// How the host wants CD and sequential DVD to be written.
    pub fn write_parameters(&self) -> &WriteParametersPage {
        &self.write
    }
}

impl Emulator {
    pub(super) fn mode_sense(&self, command: ModeSense) -> Outcome {
        let pages = match command.control {
            PageControl::Current => self.pages(&self.settings),
            PageControl::Default => self.pages(&Settings::new(&self.profile)),
            PageControl::Changeable => changeable_pages(),
            PageControl::Saved => return Err(Sense::SAVING_NOT_SUPPORTED),
        };
        let wanted =
            |page: &ModePage| command.page == ModeSense::ALL_PAGES || command.page == page.code();
        let disc = self.disc();
        let parameters = ModeParameters {
            write_protected: disc.is_some_and(|disc| disc.state().write_protected),
            pages: pages.into_iter().filter(wanted).collect(),
        };
        if parameters.pages.is_empty() {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        Ok(Answer::bytes(parameters.encode(), command.allocation))
    }

    fn pages(&self, settings: &Settings) -> Vec<ModePage> {
        vec![
            ModePage::Recovery(settings.recovery),
            ModePage::WriteParameters(settings.write),
            ModePage::Caching { write_cache: true },
            ModePage::Power(settings.power),
            ModePage::Timeout(settings.timeout),
            ModePage::Capabilities(self.capabilities()),
        ]
    }

    fn capabilities(&self) -> CapabilitiesPage {
        let kind = self.disc().map(crate::VirtualDisc::kind);
        let speeds = kind.map_or(&self.profile.bd_re, |kind| self.profile.speeds(kind));
        let (read, write) = self.speeds();
        let buffer = self.profile.buffer(kind) / 1024;
        let media = CAPABILITIES
            .iter()
            .filter(|(kind, _)| self.profile.media.contains(kind))
            .fold(0, |bits, (_, bit)| bits | bit);
        let dvd = self.takes(|kind| !kind.is_cd());
        let reads_dvd = if dvd { DVD_ROM } else { 0 };
        CapabilitiesPage {
            reads: media | reads_dvd,
            writes: media | TEST_WRITE,
            underrun_protection: true,
            multi_session: true,
            sectors: 0,
            cd_reading: 0,
            sides_and_volume: 0,
            volume_levels: 0,
            copy_management: 0,
            rotation: 0,
            mechanism: 1,
            eject: true,
            locked: self.locked,
            lock: true,
            read_speed_max: speeds.read,
            buffer_kilobytes: u16::try_from(buffer).unwrap_or(u16::MAX),
            read_speed: read,
            write_speed: write,
            write_speeds: speeds.write_choices.clone(),
        }
    }

    /// Each page must have the length that MODE SENSE gives it; nothing changes if one of them
    /// is refused.
    pub(super) fn mode_select(&mut self, command: ModeSelect, list: &[u8]) -> Result<(), Sense> {
        if command.save {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        if command.list_length == 0 {
            return Ok(());
        }
        let parameters = ModeParameters::decode_list(list).map_err(|error| error.as_sense())?;
        let mut settings = self.settings.clone();
        for page in parameters.pages {
            match page {
                ModePage::Recovery(page) => settings.recovery = page,
                // Programs probe for the write types that there are.
                ModePage::WriteParameters(page) if self.takes_write_parameters(&page) => {
                    settings.write = page;
                }
                ModePage::Caching { .. } => {} // accepted, without effect, as drives do
                ModePage::Power(page) => settings.power = page,
                ModePage::Timeout(page) => settings.timeout = page,
                _ => return Err(Sense::INVALID_FIELD_IN_PARAMETERS),
            }
        }
        // What was written with the laser off ends with the setting.
        if self.settings.write.test_write && !settings.write.test_write {
            self.flush_all()?;
        }
        self.settings = settings;
        Ok(())
    }

    fn takes_write_parameters(&self, page: &WriteParametersPage) -> bool {
        self.ask(|rules, _| Ok(rules.takes_write_parameters(page)))
            .unwrap_or(page.write_type == WriteType::PACKET)
    }

    /// The speeds of reading and writing now.
    fn speeds(&self) -> (Speed, Speed) {
        match &self.medium {
            Some(medium) => (medium.head.read_speed, medium.head.write_speed),
            None => (self.settings.read_speed, self.settings.write_speed),
        }
    }

    pub(super) fn set_speed(&mut self, command: SetCdSpeed) -> Answer {
        self.choose_speeds(Some(command.read), Some(command.write));
        Answer::DONE
    }

    pub(super) fn set_streaming(
        &mut self,
        command: SetStreaming,
        list: &[u8],
    ) -> Result<(), Sense> {
        if command.kind != 0 {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        let streaming = StreamingDescriptor::decode(list).map_err(|error| error.as_sense())?;
        if streaming.start_lba > streaming.end_lba {
            return Err(Sense::INVALID_FIELD_IN_PARAMETERS);
        }
        if streaming.restore_defaults {
            self.choose_speeds(Some(Speed::MAX), Some(Speed::MAX));
        } else {
            self.choose_speeds(streaming.read_speed(), streaming.write_speed());
        }
        Ok(())
    }

    /// Sets the fastest speeds that are not above those wanted, or else the slowest.
    fn choose_speeds(&mut self, read: Option<Speed>, write: Option<Speed>) {
        let Some(medium) = &mut self.medium else {
            return;
        };
        let speeds = self.profile.speeds(medium.disc.kind());
        if let Some(wanted) = read {
            let slowest = medium.disc.kind().single_speed();
            medium.head.read_speed = wanted.min(speeds.read).max(slowest);
        }
        if let Some(wanted) = write {
            let choices = &speeds.write_choices;
            let fitting = choices.iter().find(|choice| **choice <= wanted);
            let chosen = fitting.or(choices.last()).copied();
            medium.head.write_speed = chosen.unwrap_or(speeds.write);
        }
    }

    pub(super) fn performance(&self, command: GetPerformance) -> Outcome {
        let medium = self.loaded()?;
        let (read, write) = self.speeds();
        let blocks = self.usable_blocks().get();
        let last = Lba::new(blocks.saturating_sub(1));
        let bytes = match command.kind {
            PerformanceType::Performance {
                write: for_writing,
                exceptions,
            } => {
                let speed = if for_writing { write } else { read };
                let range = PerformanceRange {
                    start_lba: Lba::ZERO,
                    start_speed: speed,
                    end_lba: last,
                    end_speed: speed,
                };
                let nominal = exceptions == 0 && blocks > 0;
                Performance {
                    write: for_writing,
                    ranges: nominal.then_some(range).into_iter().collect(),
                }
                .encode()
            }
            PerformanceType::WriteSpeeds => {
                let choices = &self.profile.speeds(medium.disc.kind()).write_choices;
                let speeds = choices.iter().map(|choice| WriteSpeed {
                    end_lba: last,
                    read_speed: read,
                    write_speed: *choice,
                });
                WriteSpeeds {
                    speeds: speeds.collect(),
                }
                .encode()
            }
            PerformanceType::Other(_) => return Err(Sense::INVALID_FIELD_IN_CDB),
        };
        let room = 8 + 16 * u32::from(command.descriptors);
        Ok(Answer::bytes(bytes, room))
    }
}

/// The pages with ones where a bit can be changed.
fn changeable_pages() -> Vec<ModePage> {
    vec![
        ModePage::Recovery(RecoveryPage {
            options: 0xff,
            read_retries: 0xff,
            write_retries: 0xff,
        }),
        ModePage::Power(PowerPage {
            idle: Some(u32::MAX),
            standby: Some(u32::MAX),
        }),
        ModePage::Timeout(TimeoutPage {
            options: 0x0f,
            group_1: u16::MAX,
            group_2: u16::MAX,
        }),
    ]
}
