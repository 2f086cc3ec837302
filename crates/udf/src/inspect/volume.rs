//! All structures of a volume but its files, in order.

use std::ops::ControlFlow;

use super::{Found, Inspector, Show};
use crate::read::Address;
use crate::records::{ExtentKind, FileSetDescriptor, LongAd, tag_id};

/// Extents of a file set descriptor sequence that are followed.
const EXTENTS_MAX: usize = 16;
/// Blocks of one of them that are shown.
const BLOCKS_MAX: u32 = 64;

impl Inspector<'_> {
    /// Shows what a volume is made of: recognition sequence, anchors, main and reserve
    /// descriptor sequence with the partition maps, integrity sequence, sparing tables, virtual
    /// allocation table, metadata files, free space, file sets and their system streams.
    pub fn volume(&self, show: Show<'_>) -> ControlFlow<()> {
        self.bounded(show, |show| self.all(show))
    }

    fn all(&self, show: Show<'_>) -> ControlFlow<()> {
        self.recognition(show)?;
        self.anchors(show)?;
        self.sequences(show)?;
        for problem in &self.raw.problems {
            self.say_of("What leads to the files is damaged", None, problem, show)?;
        }
        self.integrity_sequence(show)?;
        self.tables(show)?;
        self.space(show)?;
        self.file_sets(show)?;
        self.system_streams(show)
    }

    fn file_sets(&self, show: Show<'_>) -> ControlFlow<()> {
        let mut next = self.raw.file_sets();
        let mut shown = Vec::new();
        for _ in 0..EXTENTS_MAX {
            let Some(extent) = next.take() else { break };
            let first = Address::of(extent.extent_location);
            if extent.is_none() || shown.contains(&first) {
                break;
            }
            shown.push(first);
            next = self.file_set_extent(&extent, first, show)?;
        }
        ControlFlow::Continue(())
    }

    /// Shows one extent of file set descriptors. Where they go on, if they do.
    fn file_set_extent(
        &self,
        extent: &LongAd,
        first: Address,
        show: Show<'_>,
    ) -> ControlFlow<(), Option<LongAd>> {
        let (_, length) = ExtentKind::split(extent.extent_length.get());
        let count = length.div_ceil(self.raw.sector_size).min(BLOCKS_MAX);
        let mut next = None;
        for index in 0..count {
            let block = first.block.saturating_add(index);
            let address = Address { block, ..first };
            let (bytes, at) = match self.raw.block(address) {
                Ok(found) => found,
                Err(problem) => {
                    self.say(
                        "A file set descriptor that cannot be read",
                        0,
                        problem,
                        show,
                    )?;
                    break;
                }
            };
            if bytes.iter().all(|&byte| byte == 0) {
                break;
            }
            let found = Found {
                bytes: &bytes,
                at,
                address: Some(address),
                location: Some(block),
            };
            self.descriptor("", &found, show)?;
            if found.tag_id() != Some(tag_id::FILE_SET) {
                break;
            }
            if let Ok((record, _)) = <FileSetDescriptor as reburn_record::Record>::view(&bytes) {
                next = Some(record.next_extent);
            }
        }
        ControlFlow::Continue(next)
    }

    fn system_streams(&self, show: Show<'_>) -> ControlFlow<()> {
        let file_set = self.raw.file_set();
        let icb = file_set.map(|file_set| file_set.system_stream_directory_icb);
        let Some(icb) = icb.filter(|icb| !icb.is_none()) else {
            return ControlFlow::Continue(());
        };
        let address = Address::of(icb.extent_location);
        self.stream_directory("system stream directory", address, show)
    }
}
