//! What a CD can be recorded as: the features that are current with it.

use reburn_mmc::reply::{
    CdReading, CdSessionWriting, CdTrackWriting, Feature, IncrementalStreaming,
};

use crate::MediumKind;
use crate::media::Situation;

/// The features that are current with the CD in the drive.
pub(super) fn of_medium(now: Situation<'_>) -> Vec<Feature> {
    let rewritable = now.kind == MediumKind::CdRw;
    let mut features = vec![Feature::MultiRead, Feature::CdRead(CdReading::default())];
    if now.tracks().finalized {
        return features;
    }
    features.push(Feature::IncrementalStreaming(IncrementalStreaming {
        data_types: 0x0100,
        underrun_protection: true,
        link_sizes: vec![7],
        ..IncrementalStreaming::default()
    }));
    features.push(track_at_once(rewritable));
    features.push(mastering(rewritable));
    if rewritable {
        features.push(Feature::CdRwMediaWrite(RW_SUBTYPES));
    }
    features
}

/// The subtypes of CD-RW that can be written: ordinary, high speed, ultra speed.
pub(crate) const RW_SUBTYPES: u8 = 0x07;

/// The feature of recording tracks at once.
pub(crate) const fn track_at_once(rewritable: bool) -> Feature {
    Feature::CdTrackAtOnce {
        writing: CdTrackWriting {
            underrun_protection: true,
            raw_subchannel: false,
            packed_subchannel: false,
            test_write: true,
            rewritable,
            subchannel: false,
        },
        data_types: 0x0100,
    }
}

/// The feature of recording sessions at once.
pub(crate) const fn mastering(rewritable: bool) -> Feature {
    Feature::CdMastering {
        writing: CdSessionWriting {
            underrun_protection: true,
            session_at_once: true,
            raw_multi_session: false,
            raw: false,
            test_write: true,
            rewritable,
            subchannel: false,
        },
        cue_sheet_max: 0xfff,
    }
}
