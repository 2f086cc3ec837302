//! Who the drive is and what it can do: INQUIRY, GET CONFIGURATION, events.

use reburn_blocks::{Lba, WriteUnit};
use reburn_drive::software::{Answer, Outcome};
use reburn_mmc::command::{GetConfiguration, GetEventStatus, Inquiry, MechanismStatus};
use reburn_mmc::reply::{
    BdReadClasses, BdWriteClasses, ClassEvent, Configuration, EventStatus, Feature,
    FeatureDescriptor, FormattableWays, InquiryData, MechanismState, MediaEvent, MediaEventStatus,
    ProfileDescriptor, StreamingSupport,
};
use reburn_mmc::{Profile, Sense};

use crate::{Emulator, MediumKind};

/// How the drive is attached: serial ATAPI.
const INTERFACE: u32 = 7;

/// What the drive handles, best first.
const PROFILES: [Profile; 4] = [
    Profile::BD_RE,
    Profile::DVD_PLUS_RW,
    Profile::DVD_RAM,
    Profile::REMOVABLE_DISK,
];

/// The versions of BD-RE by class: 2.1 and 3.0 of class 1.
const BD_RE_VERSIONS: [u16; 4] = [0, 0x000c, 0, 0];

impl Emulator {
    /// Pages of vital product data are refused, as ATAPI drives do.
    pub(super) fn inquiry(&self, command: Inquiry) -> Outcome {
        if command.page.is_some() {
            return Err(Sense::INVALID_FIELD_IN_CDB);
        }
        let data = InquiryData {
            device_type: InquiryData::OPTICAL,
            removable: true,
            version: 5,
            vendor: self.profile.vendor.clone(),
            product: self.profile.product.clone(),
            revision: self.profile.revision.clone(),
        };
        Ok(Answer::bytes(data.encode(), command.allocation))
    }

    pub(super) fn configuration(&self, command: GetConfiguration) -> Answer {
        let kind = self.loaded().ok().map(|medium| medium.disc.kind());
        let all = Configuration {
            current_profile: kind.map_or(Profile::NONE, MediumKind::profile),
            features: self.features(kind),
        };
        let selected = all.select(command.scope, command.start);
        Answer::bytes(selected.encode(), command.allocation)
    }

    /// The features, ascending by code.
    fn features(&self, kind: Option<MediumKind>) -> Vec<FeatureDescriptor> {
        let mut features = self.features_of_drive(kind);
        features.extend(self.features_of_medium(kind));
        features.sort_by_key(|descriptor| descriptor.feature.code());
        features
    }

    /// What the drive can do with or without a medium.
    fn features_of_drive(&self, kind: Option<MediumKind>) -> Vec<FeatureDescriptor> {
        let current = kind.map(MediumKind::profile);
        let profiles = PROFILES.map(|profile| ProfileDescriptor {
            profile,
            current: current == Some(profile),
        });
        let core = Feature::Core {
            interface: INTERFACE,
            inquiry_pages: false,
        };
        let morphing = Feature::Morphing {
            operational_change: true,
        };
        let removable = Feature::RemovableMedium {
            mechanism: 1,
            load: true,
            eject: true,
            lock: true,
        };
        let streaming = Feature::RealTimeStreaming(StreamingSupport {
            buffer_capacity_in_blocks: true,
            set_cd_speed: true,
            write_speeds_in_page_2a: true,
            write_speeds: true,
            stream_writing: true,
        });
        let serial = Feature::SerialNumber(self.profile.serial.clone().into_bytes());
        [
            (0, Feature::ProfileList(profiles.to_vec())),
            (2, core),
            (1, morphing),
            (1, removable),
            (0, Feature::PowerManagement),
            (0, Feature::Timeout { group_3_unit: None }),
            (4, streaming),
            (0, serial),
        ]
        .map(|(version, feature)| FeatureDescriptor {
            version,
            ..FeatureDescriptor::new(feature, true, true)
        })
        .to_vec()
    }

    /// What the drive can do with the right medium; current if that is in.
    fn features_of_medium(&self, kind: Option<MediumKind>) -> Vec<FeatureDescriptor> {
        let blu_ray = kind.is_some_and(MediumKind::is_blu_ray);
        let dvd = kind.is_some() && !blu_ray;
        let defects = blu_ray || kind == Some(MediumKind::DvdRam);
        let blocking = kind.map_or(WriteUnit::FILE, MediumKind::write_unit);
        let blocks = self.usable_blocks().get();
        let formatted = kind.is_some() && blocks > 0;
        let protected = self.disc().is_some_and(|disc| disc.state().write_protected);
        let writable = kind.is_some() && !protected;
        let last = Lba::new(blocks.saturating_sub(1));
        let ways = FormattableWays {
            spare_areas: blu_ray,
            expandable: defects,
            quick_certification: blu_ray,
            certification: defects,
            random_recording: false,
        };
        let defect_management = Feature::DefectManagement {
            spare_area_information: true,
        };
        let plus_rw = Feature::DvdPlusRw {
            write: true,
            quick_start: true,
            close_only: false,
        };
        let dvd_read = Feature::DvdRead {
            multi_110: true,
            dual_layer_rw: false,
            dual_layer_r: true,
        };
        let bd_read = BdReadClasses {
            re: BD_RE_VERSIONS,
            ..BdReadClasses::default()
        };
        let bd_write = BdWriteClasses {
            re: BD_RE_VERSIONS,
            ..BdWriteClasses::default()
        };
        let plus_rw_in = kind == Some(MediumKind::DvdPlusRw);
        [
            (0, Feature::random_readable(blocking), formatted),
            (1, dvd_read, dvd),
            (
                1,
                Feature::random_writable(last, blocking),
                formatted && writable,
            ),
            (1, Feature::Formattable(ways), writable),
            (0, defect_management, defects),
            (1, plus_rw, plus_rw_in && writable),
            (0, Feature::BdRead(bd_read), blu_ray),
            (0, Feature::BdWrite(bd_write), blu_ray && writable),
        ]
        .map(|(version, feature, current)| FeatureDescriptor {
            version,
            ..FeatureDescriptor::new(feature, false, current)
        })
        .to_vec()
    }

    /// An event is told once.
    pub(super) fn event_status(&mut self, command: GetEventStatus) -> Answer {
        let supported = 1 << EventStatus::MEDIA_CLASS;
        let asked = command.classes & supported != 0;
        let status = EventStatus {
            supported,
            event: asked.then_some(ClassEvent::Media(MediaEventStatus {
                event: self.event,
                present: self.loaded().is_ok(),
                tray_open: self.tray_open,
            })),
        };
        if asked && command.allocation > 4 {
            self.event = MediaEvent::None;
        }
        Answer::bytes(status.encode(), command.allocation)
    }

    pub(super) fn mechanism_status(&self, command: MechanismStatus) -> Answer {
        let state = MechanismState {
            door_open: self.tray_open,
            state: 0,
        };
        Answer::bytes(state.encode(), command.allocation)
    }
}
