//! Who the drive is and what it can do: INQUIRY, GET CONFIGURATION, events.

use reburn_blocks::{Lba, WriteUnit};
use reburn_drive::software::{Answer, Outcome};
use reburn_mmc::command::{GetConfiguration, GetEventStatus, Inquiry, MechanismStatus};
use reburn_mmc::reply::{
    BdReadClasses, BdWriteClasses, CdReading, ClassEvent, Configuration, DvdMinusWriting,
    EventStatus, Feature, FeatureDescriptor, FormattableWays, IncrementalStreaming, InquiryData,
    MechanismState, MediaEvent, MediaEventStatus, ProfileDescriptor, RigidOverwriting,
    StreamingSupport,
};
use reburn_mmc::{Profile, Sense};

use crate::media::{BD_R_VERSIONS, BD_RE_VERSIONS, CD_RW_SUBTYPES, cd_mastering, cd_track_at_once};
use crate::{Emulator, MediumKind};

/// How the drive is attached: serial ATAPI.
const INTERFACE: u32 = 7;

/// Tells kinds of media apart.
type Kinds = fn(MediumKind) -> bool;

/// What drives handle, best first, each with the kinds of media that it stands for.
const PROFILES: [(Profile, Kinds); 17] = [
    (Profile::BD_RE, |kind| kind.is_blu_ray() && !kind.is_bd_r()),
    (Profile::BD_R_RANDOM, MediumKind::is_bd_r),
    (Profile::BD_R_SEQUENTIAL, MediumKind::is_bd_r),
    (Profile::DVD_PLUS_R_DL, |kind| {
        kind == MediumKind::DvdPlusRDl
    }),
    (Profile::DVD_PLUS_R, |kind| kind == MediumKind::DvdPlusR),
    (Profile::DVD_PLUS_RW, |kind| kind == MediumKind::DvdPlusRw),
    (Profile::DVD_R_DL_SEQUENTIAL, |kind| {
        kind == MediumKind::DvdRDl
    }),
    (Profile::DVD_RW_SEQUENTIAL, |kind| kind == MediumKind::DvdRw),
    (Profile::DVD_RW_OVERWRITE, |kind| kind == MediumKind::DvdRw),
    (Profile::DVD_RAM, |kind| kind == MediumKind::DvdRam),
    (Profile::DVD_R, |kind| kind == MediumKind::DvdR),
    (Profile::CD_RW, |kind| kind == MediumKind::CdRw),
    (Profile::CD_R, |kind| kind == MediumKind::CdR),
    (Profile::BD_ROM, MediumKind::is_blu_ray),
    (Profile::DVD_ROM, MediumKind::is_dvd),
    (Profile::CD_ROM, MediumKind::is_cd),
    (Profile::REMOVABLE_DISK, |_| true),
];

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
        let current = self.ask(|rules, now| Ok(rules.profile(now)));
        let current_profile = current.unwrap_or(Profile::NONE);
        let mut features = self.features_of_drive(current_profile);
        features.extend(self.features_of_medium());
        features.sort_by_key(|descriptor| descriptor.feature.code());
        let all = Configuration {
            current_profile,
            features,
        };
        let selected = all.select(command.scope, command.start);
        Answer::bytes(selected.encode(), command.allocation)
    }

    /// What the drive can do with or without a medium.
    fn features_of_drive(&self, current: Profile) -> Vec<FeatureDescriptor> {
        let handled = PROFILES.iter().filter(|(_, kinds)| self.takes(*kinds));
        let profiles = handled.map(|&(profile, _)| ProfileDescriptor {
            profile,
            current: current == profile,
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
            (0, Feature::ProfileList(profiles.collect())),
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

    /// What the drive can do with the right medium; current if that is in, and, for writing,
    /// not protected.
    fn features_of_medium(&self) -> Vec<FeatureDescriptor> {
        let kind = self.loaded().ok().map(|medium| medium.disc.kind());
        let protected = self.disc().is_some_and(|disc| disc.state().write_protected);
        let current = self.ask(|rules, now| {
            let mut features = rules.features(now);
            if protected {
                features.retain(|feature| matches!(feature, Feature::DefectManagement { .. }));
            }
            let blu_ray = now.kind.is_blu_ray();
            if !rules.capacity(now).is_zero() {
                features.push(Feature::random_readable(now.kind.write_unit()));
            }
            if !now.kind.is_cd() {
                features.push(if blu_ray { bd_read() } else { DVD_READ });
            }
            Ok(features)
        });
        let current = current.unwrap_or_default();
        let others = others(kind.map_or(WriteUnit::FILE, MediumKind::write_unit));
        let others = others.into_iter().filter(|(kinds, _)| self.takes(*kinds));
        let others = others.map(|(_, other)| other).filter(|other| {
            let same = |feature: &Feature| feature.code() == other.code();
            !current.iter().any(same)
        });
        let others: Vec<_> = others.map(|feature| (feature, false)).collect();
        let current = current.into_iter().map(|feature| (feature, true));
        current
            .chain(others)
            .map(|(feature, current)| FeatureDescriptor {
                version: version(&feature),
                ..FeatureDescriptor::new(feature, false, current)
            })
            .collect()
    }

    /// Whether the drive takes one of these kinds of media.
    pub(super) fn takes(&self, kinds: Kinds) -> bool {
        self.profile.media.iter().any(|kind| kinds(*kind))
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

const DVD_READ: Feature = Feature::DvdRead {
    multi_110: true,
    dual_layer_rw: false,
    dual_layer_r: true,
};

fn bd_read() -> Feature {
    Feature::BdRead(BdReadClasses {
        re: BD_RE_VERSIONS,
        r: BD_R_VERSIONS,
        ..BdReadClasses::default()
    })
}

/// The version of a feature's data.
fn version(feature: &Feature) -> u8 {
    match feature {
        Feature::DvdRead { .. }
        | Feature::RandomWritable { .. }
        | Feature::IncrementalStreaming(_)
        | Feature::Formattable(_)
        | Feature::DvdPlusRw { .. } => 1,
        Feature::DvdMinusWrite(_) => 2,
        _ => 0,
    }
}

/// The features that a drive has with one medium or another, without any; each with the kinds of
/// media that it is about.
fn others(blocking: WriteUnit) -> Vec<(Kinds, Feature)> {
    let groups: [(Kinds, Vec<Feature>); 5] = [
        (|_| true, of_every_kind(blocking).into()),
        (|kind| !kind.is_cd(), of_overwritable(blocking).into()),
        (MediumKind::is_cd, of_cd().into()),
        (MediumKind::is_dvd, of_dvd().into()),
        (MediumKind::is_blu_ray, of_blu_ray(blocking).into()),
    ];
    let features = groups
        .into_iter()
        .flat_map(|(kinds, features)| features.into_iter().map(move |feature| (kinds, feature)));
    features.collect()
}

fn of_every_kind(blocking: WriteUnit) -> [Feature; 2] {
    [
        Feature::random_readable(blocking),
        Feature::IncrementalStreaming(IncrementalStreaming {
            data_types: 0x0100,
            counts_tracks: true,
            underrun_protection: true,
            link_sizes: vec![0x10],
            ..IncrementalStreaming::default()
        }),
    ]
}

fn of_cd() -> [Feature; 5] {
    [
        Feature::MultiRead,
        Feature::CdRead(CdReading::default()),
        cd_track_at_once(true),
        cd_mastering(true),
        Feature::CdRwMediaWrite(CD_RW_SUBTYPES),
    ]
}

fn of_dvd() -> [Feature; 7] {
    [
        DVD_READ,
        Feature::RestrictedOverwrite,
        Feature::DvdPlusRw {
            write: true,
            quick_start: true,
            close_only: false,
        },
        Feature::DvdPlusR { write: true },
        Feature::RigidRestrictedOverwrite(RigidOverwriting {
            blank: true,
            ..RigidOverwriting::default()
        }),
        Feature::DvdMinusWrite(DvdMinusWriting {
            underrun_protection: true,
            dual_layer: true,
            test_write: true,
            rewritable: true,
        }),
        Feature::DvdPlusRDualLayer { write: true },
    ]
}

fn of_blu_ray(blocking: WriteUnit) -> [Feature; 4] {
    [
        Feature::WriteOnce {
            block_size: 2048,
            blocking,
            error_recovery_page: true,
        },
        Feature::BdPseudoOverwrite,
        bd_read(),
        Feature::BdWrite(BdWriteClasses {
            unverified: false,
            re: BD_RE_VERSIONS,
            r: BD_R_VERSIONS,
        }),
    ]
}

/// What is written in any order, formatted, and kept whole by the drive: DVD and Blu-ray.
fn of_overwritable(blocking: WriteUnit) -> [Feature; 3] {
    [
        Feature::random_writable(Lba::ZERO, blocking),
        Feature::Formattable(FormattableWays {
            spare_areas: true,
            expandable: true,
            quick_certification: true,
            certification: true,
            random_recording: true,
        }),
        Feature::DefectManagement {
            spare_area_information: true,
        },
    ]
}
