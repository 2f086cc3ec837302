//! Options for writing ISO 9660: for a new volume, and so that an old one stays as it was.

use reburn_iso9660::{
    DeepDirectories, Hierarchy, IsoOptions, Joliet, Level, Volume, VolumeDates, VolumeTexts,
};
use reburn_tree::Timestamp;

use crate::session::Style;

/// The program that made a volume, as its descriptors say (ECMA-119 8.4.22).
const APPLICATION: &str = "REBURN";

/// A new volume of that name: level 3 with Rock Ridge and Joliet, dated `time`.
pub fn new_volume(name: &str, time: Timestamp) -> IsoOptions {
    IsoOptions {
        texts: VolumeTexts {
            volume: name.into(),
            application: APPLICATION.into(),
            ..VolumeTexts::default()
        },
        dates: VolumeDates {
            created: Some(time),
            modified: Some(time),
            ..VolumeDates::default()
        },
        ..IsoOptions::default()
    }
}

/// The volume as it was, changed at `time`.
pub(crate) fn as_before(volume: &Volume, style: Style, time: Timestamp) -> IsoOptions {
    let has = |hierarchy| volume.descriptor(hierarchy).is_some();
    let primary = volume.primary();
    let best_name = if has(Hierarchy::Joliet) {
        Hierarchy::Joliet
    } else {
        Hierarchy::Plain
    };
    IsoOptions {
        level: style.level,
        joliet: if has(Hierarchy::Joliet) {
            style.joliet
        } else {
            Joliet::Off
        },
        rock_ridge: volume.hierarchies().contains(&Hierarchy::RockRidge),
        deep: style.deep,
        enhanced: has(Hierarchy::Enhanced),
        texts: VolumeTexts {
            system: text(primary.system_identifier.trimmed()),
            volume: volume.volume_identifier(best_name).unwrap_or_default(),
            volume_set: text(primary.volume_set_identifier.trimmed()),
            publisher: text(primary.publisher_identifier.trimmed()),
            data_preparer: text(primary.data_preparer_identifier.trimmed()),
            application: text(primary.application_identifier.trimmed()),
            ..VolumeTexts::default()
        },
        dates: VolumeDates {
            created: primary.creation_date.timestamp(),
            modified: Some(time),
            expires: primary.expiration_date.timestamp(),
            effective: primary.effective_date.timestamp(),
        },
    }
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(field).into_owned()
}

/// What a volume with these options keeps of them for its next change.
pub(crate) fn style_of(options: &IsoOptions) -> Style {
    Style {
        level: options.level,
        joliet: options.joliet,
        deep: options.deep,
    }
}

impl Default for Style {
    /// For volumes of other programs: the loosest limits that lose nothing.
    fn default() -> Self {
        Self {
            level: Level::Three,
            joliet: Joliet::Strict64,
            deep: DeepDirectories::InPlace,
        }
    }
}
