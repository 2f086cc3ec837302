//! What stands in sectors of the volume: recognition sequence, anchors, descriptor sequences,
//! integrity sequence (ECMA-167 2/8.3, 3/8.4, 3/8.8.2).

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use reburn_blocks::BLOCK_SIZE;
use reburn_record::Record;

use super::meaning::Context;
use super::{Found, Inspector, Show};
use crate::records::{
    AnchorPointer, BootDescriptor, ExtentAd, LogicalVolumeIntegrity, Tag, VolumeDescriptorPointer,
    VolumeStructure, tag_id,
};

/// Structures of the recognition sequence that are looked at.
const STRUCTURES_MAX: u64 = 64;
/// Extents of one sequence that are followed.
const EXTENTS_MAX: usize = 64;
/// Sectors of one extent that are shown.
const SECTORS_MAX: u32 = 512;

impl Inspector<'_> {
    /// Shows the recognition sequence.
    pub(super) fn recognition(&self, show: Show<'_>) -> ControlFlow<()> {
        let start = self.raw.recognition_start();
        let mut gap = false;
        for index in 0..STRUCTURES_MAX {
            let at = start + index * BLOCK_SIZE as u64;
            let Ok(bytes) = self.raw.bytes(at, BLOCK_SIZE) else {
                break;
            };
            let Some(title) = structure(&bytes) else {
                // Sectors of 4096 bytes leave gaps.
                if std::mem::replace(&mut gap, true) {
                    break;
                }
                continue;
            };
            gap = false;
            let mut sheet = self.sheet(title, at, None);
            if bytes[1..6] == *VolumeStructure::BOOT {
                self.add::<BootDescriptor>(&mut sheet, 0, &bytes, Context::default());
            } else {
                self.add::<VolumeStructure>(&mut sheet, 0, &bytes, Context::default());
            }
            show(&sheet)?;
        }
        ControlFlow::Continue(())
    }

    /// Shows all anchors, also those that are damaged.
    pub(super) fn anchors(&self, show: Show<'_>) -> ControlFlow<()> {
        let mut shown = BTreeSet::new();
        for sector in self.raw.anchor_places() {
            let Ok(sector) = u32::try_from(sector) else {
                continue;
            };
            let Ok(bytes) = self.raw.sector(sector) else {
                continue;
            };
            let is_anchor = Tag::view(&bytes).is_ok_and(|(tag, _)| {
                tag.is(tag_id::ANCHOR).is_ok() && matches!(tag.descriptor_version.get(), 2 | 3)
            });
            if is_anchor && shown.insert(sector) {
                let found = self.in_sector(sector, &bytes);
                self.descriptor("", &found, show)?;
            }
        }
        if shown.is_empty() {
            let at = self.raw.sector_at(256);
            let places: Vec<_> = self
                .raw
                .anchor_places()
                .iter()
                .map(ToString::to_string)
                .collect();
            let places = places.join(", ");
            let problem = format!("sectors {places} were looked at; without one, nothing leads on");
            self.say("No anchor was found", at, problem, show)?;
        }
        ControlFlow::Continue(())
    }

    fn in_sector<'b>(&self, sector: u32, bytes: &'b [u8]) -> Found<'b> {
        Found {
            bytes,
            at: self.raw.sector_at(sector),
            address: None,
            location: Some(sector),
        }
    }

    /// Shows the sequences that whole anchors lead to, each once.
    pub(super) fn sequences(&self, show: Show<'_>) -> ControlFlow<()> {
        let mut shown = BTreeSet::new();
        let anchors: Vec<AnchorPointer> = self.raw.anchors().copied().collect();
        for anchor in anchors {
            for (role, extent) in [
                ("main sequence", anchor.main_sequence),
                ("reserve sequence", anchor.reserve_sequence),
            ] {
                self.sequence(role, extent, &mut shown, show)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Shows a descriptor sequence, along the pointers in it. `shown` are the sectors where
    /// extents began that were shown before.
    fn sequence(
        &self,
        role: &str,
        first: ExtentAd,
        shown: &mut BTreeSet<u32>,
        show: Show<'_>,
    ) -> ControlFlow<()> {
        let mut next = Some(first);
        for _ in 0..EXTENTS_MAX {
            let Some(extent) = next.take() else { break };
            let start = extent.extent_location.get();
            if extent.extent_length.get() == 0 || !shown.insert(start) {
                break;
            }
            self.sectors(extent, show, &mut |found, show| {
                let id = found.tag_id();
                self.descriptor(role, found, show)?;
                if id == Some(tag_id::VOLUME_POINTER)
                    && let Ok((pointer, _)) = VolumeDescriptorPointer::view(found.bytes)
                {
                    next = Some(pointer.next_sequence);
                }
                let ends = [Some(tag_id::VOLUME_POINTER), Some(tag_id::TERMINATING)];
                ControlFlow::Continue(!ends.contains(&id))
            })?;
        }
        ControlFlow::Continue(())
    }

    /// Shows the integrity sequence, along its extents.
    pub(super) fn integrity_sequence(&self, show: Show<'_>) -> ControlFlow<()> {
        let first = self.raw.logical();
        let mut next = first.map(|(logical, _)| logical.integrity_sequence_extent);
        let mut shown = BTreeSet::new();
        for _ in 0..EXTENTS_MAX {
            let Some(extent) = next.take() else { break };
            let start = extent.extent_location.get();
            if extent.extent_length.get() == 0 || !shown.insert(start) {
                break;
            }
            self.sectors(extent, show, &mut |found, show| {
                let id = found.tag_id();
                self.descriptor("", found, show)?;
                if id == Some(tag_id::INTEGRITY)
                    && let Ok((record, _)) = LogicalVolumeIntegrity::view(found.bytes)
                {
                    next = Some(record.next_integrity_extent);
                }
                ControlFlow::Continue(id == Some(tag_id::INTEGRITY))
            })?;
        }
        ControlFlow::Continue(())
    }

    /// Calls `take` for each descriptor of an extent, until it says that none follows or a
    /// blank sector comes.
    fn sectors(
        &self,
        extent: ExtentAd,
        show: Show<'_>,
        take: &mut dyn FnMut(&Found<'_>, Show<'_>) -> ControlFlow<(), bool>,
    ) -> ControlFlow<()> {
        let size = self.raw.sector_size;
        let sectors = (extent.extent_length.get() / size).min(SECTORS_MAX);
        let mut index = 0;
        while index < sectors {
            let Some(sector) = extent.extent_location.get().checked_add(index) else {
                break;
            };
            let at = self.raw.sector_at(sector);
            let bytes = match self.raw.sector(sector) {
                Ok(bytes) => bytes,
                Err(problem) => {
                    return self.say("A sector that cannot be read", at, problem, show);
                }
            };
            if bytes.iter().all(|&byte| byte == 0) {
                break;
            }
            index += 1;
            // A logical volume with many maps goes on in the next sectors.
            let covered = Tag::view(&bytes).map_or(0, |(tag, _)| {
                Tag::SIZE + usize::from(tag.descriptor_crc_length.get())
            });
            let more = covered.div_ceil(size as usize).saturating_sub(1);
            let more = u32::try_from(more).unwrap_or(u32::MAX);
            let longer = (more > 0 && more <= sectors - index)
                .then(|| self.raw.bytes(at, ((more + 1) * size) as usize).ok())
                .flatten();
            let found = self.in_sector(sector, longer.as_deref().unwrap_or(&bytes));
            let is_whole = super::tag_fault(&found).is_none();
            if !take(&found, show)? {
                break;
            }
            if longer.is_some() && is_whole {
                index += more;
            }
        }
        ControlFlow::Continue(())
    }
}

impl Found<'_> {
    /// What the descriptor says that it is.
    pub(super) fn tag_id(&self) -> Option<u16> {
        let (tag, _) = Tag::view(self.bytes).ok()?;
        Some(tag.tag_identifier.get())
    }
}

/// What a structure of the recognition sequence says; `None` for anything else.
pub(super) fn structure(bytes: &[u8]) -> Option<&'static str> {
    Some(match bytes.get(1..6)?.first_chunk::<5>()? {
        VolumeStructure::BEGIN => "BEA01: the extended area begins",
        VolumeStructure::NSR02 => "NSR02: a volume by ECMA-167, second edition",
        VolumeStructure::NSR03 => "NSR03: a volume by ECMA-167, third edition",
        VolumeStructure::BOOT => "BOOT2: how to start a system",
        VolumeStructure::END => "TEA01: the extended area ends",
        b"CD001" => "CD001: a volume descriptor of ISO 9660",
        b"CDW02" => "CDW02: a volume by ECMA-168",
        _ => return None,
    })
}
