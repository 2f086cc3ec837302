//! What options would make a volume like this one: for recording it anew as a whole.

use reburn_tree::Timestamp;

use super::volume::Volume;
use super::{AccessType, Revision};
use crate::records::{DString, MetadataMap};
use crate::write::{Access, UdfOptions, UdfRevision, UdfTexts};

/// Digits before the text of a volume set identifier (UDF 2.2.2.5).
const SET_DIGITS: usize = 16;

impl Volume {
    /// Options that keep what the volume says of itself: revision, texts, access, whether
    /// metadata are duplicated, and the next unique id. Write unit, time and whether files are
    /// embedded are the caller's; they are those of [`UdfOptions::default`], and the time is
    /// that of the integrity descriptor. `None` for revisions that are not written.
    pub fn write_options(&self) -> Option<UdfOptions> {
        let Revision(code) = self.revision();
        let revision = UdfRevision::ALL.into_iter().find(|r| r.code() == code)?;
        let partitions = self.partitions();
        let kind = partitions.last().map(|partition| partition.kind);
        let kind = kind.filter(|kind| revision.partitions().contains(kind));
        let defaults =
            UdfOptions::with_partition(revision, kind.unwrap_or(revision.usual_partition()));
        let access = match (defaults.access, partitions.first()?.access) {
            (Access::ReadOnly, AccessType::PseudoOverwritable)
                if revision == UdfRevision::V2_60 =>
            {
                Access::PseudoOverwritable
            }
            (Access::ReadOnly, AccessType::ReadOnly | AccessType::WriteOnce) => Access::ReadOnly,
            (Access::ReadOnly, _) => Access::Overwritable,
            (only, _) => only,
        };
        let set: String = self.volume_set_identifier();
        let information = self.sequence.information.as_ref();
        let information = information.map(|volume| &volume.implementation_use);
        let [owner, organization, contact] = match information {
            Some(info) => [&info.lv_info_1, &info.lv_info_2, &info.lv_info_3].map(DString::text),
            None => [(); 3].map(|()| String::new()),
        };
        let map = self.metadata_map();
        let integrity = self.integrity();
        Some(UdfOptions {
            access,
            duplicate_metadata: map.is_some_and(|(_, m)| m.flags & MetadataMap::DUPLICATE != 0),
            time: integrity
                .and_then(|i| i.recorded)
                .unwrap_or(Timestamp::EPOCH),
            next_unique_id: integrity.map_or(0, |i| i.next_unique_id),
            texts: UdfTexts {
                label: self.label(),
                volume_set: set.chars().skip(SET_DIGITS).collect(),
                volume_set_digits: set.chars().take(SET_DIGITS).collect(),
                owner,
                organization,
                contact,
                developer: UdfTexts::default().developer,
            },
            ..defaults
        })
    }
}
