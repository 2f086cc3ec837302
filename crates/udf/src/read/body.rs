//! Where the bytes of a file are: embedded in its entry, or in runs that allocation descriptors
//! lead to (ECMA-167 4/12, 4/14.14).
//!
//! Invariants: runs follow each other without gaps and make up the information length; no more
//! of them exist than blocks on the disc, whatever the descriptors say.

use reburn_blocks::BlockRange;
use reburn_record::Record;

use super::disc::blocks_of;
use super::entry::{Entry, Reader};
use super::partitions::{Address, Side};
use crate::records::{
    AllocationExtentDescriptor, ExtAd, ExtentKind, LongAd, ShortAd, icb_flags, tag_id,
};
use crate::{Corrupt, Incompatible, Place, UdfError};

/// Bytes that follow each other on the disc, or a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) kind: ExtentKind,
    /// Where in the file it starts.
    pub(super) offset: u64,
    /// Where on the disc it starts, in bytes; zero for a hole.
    pub(super) at: u64,
    pub(super) bytes: u64,
    /// The first block of it, as the descriptor numbers it.
    pub(super) address: Address,
}

/// Where a file's bytes are.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) length: u64,
    pub(super) source: Source,
    /// Blocks of the disc with data or allocated for it.
    pub(super) data: Vec<BlockRange>,
    /// Blocks of allocation descriptors.
    pub(super) chain: Vec<BlockRange>,
}

#[derive(Debug)]
pub(super) enum Source {
    /// At this byte of the disc, in the file's entry.
    Embedded(u64),
    Runs(Vec<Run>),
}

/// Allocation descriptors that follow each other on disc.
struct Descriptors {
    bytes: Vec<u8>,
    at: u64,
}

/// An allocation descriptor of any form.
struct Extent {
    length: u32,
    address: Address,
    place: Place,
}

impl Reader<'_> {
    /// Where the bytes of a file are.
    pub(super) fn body(&self, entry: &Entry) -> Result<Body, UdfError> {
        let flags = entry.icb.flags.get();
        if flags & icb_flags::TRANSFORMED != 0 {
            let place = entry.icb_place("flags");
            return Err(place.incompatible(Incompatible::Transformed));
        }
        let length = entry.information_length;
        let mut body = Body {
            length,
            source: Source::Runs(Vec::new()),
            data: Vec::new(),
            chain: Vec::new(),
        };
        let at = entry.block.at + entry.descriptors.start as u64;
        if flags & icb_flags::DESCRIPTORS == icb_flags::EMBEDDED {
            let available = entry.descriptors.len() as u64;
            if length > available {
                let place = entry.place("information_length");
                return Err(place.corrupt(Corrupt::Length { length, available }));
            }
            body.source = Source::Embedded(at);
            return Ok(body);
        }
        let mut runs = Runs::default();
        let mut next = Some(Descriptors {
            bytes: entry.descriptor_bytes().to_vec(),
            at,
        });
        while let Some(descriptors) = next.take() {
            next = self.take_descriptors(entry, &descriptors, &mut runs, &mut body)?;
        }
        if runs.end < length {
            let described = runs.end;
            let place = entry.place("information_length");
            return Err(place.corrupt(Corrupt::Uncovered { length, described }));
        }
        body.source = Source::Runs(runs.list);
        Ok(body)
    }

    /// Takes in descriptors that follow each other. Returns those that they go on with.
    fn take_descriptors(
        &self,
        entry: &Entry,
        descriptors: &Descriptors,
        runs: &mut Runs,
        body: &mut Body,
    ) -> Result<Option<Descriptors>, UdfError> {
        let form = entry.icb.flags.get() & icb_flags::DESCRIPTORS;
        let size = match form {
            icb_flags::SHORT => ShortAd::SIZE,
            icb_flags::LONG => LongAd::SIZE,
            icb_flags::EXTENDED => ExtAd::SIZE,
            form => {
                let place = entry.icb_place("flags");
                return Err(place.incompatible(Incompatible::DescriptorForm(form)));
            }
        };
        for (index, bytes) in descriptors.bytes.chunks_exact(size).enumerate() {
            let at = descriptors.at + (index * size) as u64;
            let extent = self.extent(entry, form, bytes, at)?;
            let (kind, length) = ExtentKind::split(extent.length);
            // A descriptor of no bytes ends the list (ECMA-167 4/12).
            if length == 0 {
                return Ok(None);
            }
            if kind == ExtentKind::Continuation {
                return self.chained(&extent, body).map(Some);
            }
            self.take_extent(&extent, runs, body)?;
        }
        Ok(None)
    }

    /// The extent that a descriptor names.
    fn extent(&self, entry: &Entry, form: u16, bytes: &[u8], at: u64) -> Result<Extent, UdfError> {
        let partition = self
            .partitions
            .of_short_descriptors(entry.block.address.partition);
        let missing = |_| {
            entry
                .place("length_of_allocation_descriptors")
                .corrupt(Corrupt::Length {
                    length: bytes.len() as u64,
                    available: 0,
                })
        };
        Ok(match form {
            icb_flags::SHORT => {
                let (short, _) = ShortAd::view(bytes).map_err(missing)?;
                let long = LongAd::from_short(*short, partition);
                Extent {
                    length: long.extent_length.get(),
                    address: Address::of(long.extent_location),
                    place: Place::of::<ShortAd>(at, "extent_position"),
                }
            }
            icb_flags::LONG => {
                let (long, _) = LongAd::view(bytes).map_err(missing)?;
                Extent {
                    length: long.extent_length.get(),
                    address: Address::of(long.extent_location),
                    place: Place::of::<LongAd>(at, "extent_location"),
                }
            }
            _ => {
                let (extended, _) = ExtAd::view(bytes).map_err(missing)?;
                let recorded = extended.recorded_length.get();
                let information = extended.information_length.get();
                if recorded != information {
                    let place = Place::of::<ExtAd>(at, "recorded_length");
                    return Err(place.incompatible(Incompatible::Compressed {
                        recorded,
                        information,
                    }));
                }
                Extent {
                    length: extended.extent_length.get(),
                    address: Address::of(extended.extent_location),
                    place: Place::of::<ExtAd>(at, "extent_location"),
                }
            }
        })
    }

    /// The descriptors in the block that an extent leads to (ECMA-167 4/14.5).
    fn chained(&self, extent: &Extent, body: &mut Body) -> Result<Descriptors, UdfError> {
        let what = "allocation descriptors";
        let ids = [tag_id::ALLOCATION_EXTENT];
        let block = self.descriptor(what, &ids, extent.address, extent.place)?;
        if !self.chains.borrow_mut().insert(block.at) {
            return Err(extent.place.corrupt(Corrupt::DescriptorLoop));
        }
        body.chain.extend(block.range());
        let field = "length_of_allocation_descriptors";
        let place = Place::of::<AllocationExtentDescriptor>(block.at, field);
        let too_long = |length: u32| {
            let available = (block.bytes.len() - AllocationExtentDescriptor::SIZE) as u64;
            let length = length.into();
            place.corrupt(Corrupt::Length { length, available })
        };
        let view = AllocationExtentDescriptor::view(&block.bytes);
        let (head, rest) = view.map_err(|_| too_long(0))?;
        let length = head.length_of_allocation_descriptors.get();
        let bytes = rest
            .get(..length as usize)
            .ok_or_else(|| too_long(length))?;
        Ok(Descriptors {
            bytes: bytes.to_vec(),
            at: block.at + AllocationExtentDescriptor::SIZE as u64,
        })
    }

    /// Takes in the runs that an extent is made of.
    fn take_extent(
        &self,
        extent: &Extent,
        runs: &mut Runs,
        body: &mut Body,
    ) -> Result<(), UdfError> {
        let (kind, length) = ExtentKind::split(extent.length);
        let mut run = Run {
            kind,
            offset: 0,
            at: 0,
            bytes: length.into(),
            address: extent.address,
        };
        if kind == ExtentKind::Hole {
            runs.push(run, body.length, self.partitions.block_size);
            return Ok(());
        }
        let mut left = u64::from(length);
        while left > 0 {
            let blocks = u32::try_from(left.div_ceil(self.partitions.block_bytes()));
            let blocks = blocks.unwrap_or(u32::MAX);
            let piece = self.partitions.locate(run.address, blocks, Side::Main);
            let piece = piece.map_err(|problem| extent.place.corrupt(problem))?;
            self.count_piece(extent.place)?;
            run.at = piece.at;
            run.bytes = left.min(u64::from(piece.blocks) * self.partitions.block_bytes());
            push_range(&mut body.data, blocks_of(run.at, run.bytes));
            runs.push(run, body.length, self.partitions.block_size);
            left -= run.bytes;
            run.address.block = run.address.block.saturating_add(piece.blocks);
        }
        Ok(())
    }

    fn count_piece(&self, place: Place) -> Result<(), UdfError> {
        let left = self.pieces_left.get();
        if left == 0 {
            let max = self.disc.len() / self.partitions.block_bytes();
            return Err(place.corrupt(Corrupt::TooMany {
                count: max + 1,
                what: "pieces of files",
                max,
            }));
        }
        self.pieces_left.set(left - 1);
        Ok(())
    }

    /// Fills `buf` from byte `offset` of a file on. The file has that many bytes.
    pub(super) fn read_body(
        &self,
        what: &'static str,
        body: &Body,
        offset: u64,
        buf: &mut [u8],
    ) -> Result<(), UdfError> {
        let runs = match &body.source {
            Source::Embedded(at) => return self.disc.read(what, at + offset, buf),
            Source::Runs(runs) => runs,
        };
        let first = runs.partition_point(|run| run.offset + run.bytes <= offset);
        let (mut offset, mut buf) = (offset, buf);
        for run in &runs[first..] {
            let skipped = offset - run.offset;
            let len = usize::try_from(run.bytes - skipped).unwrap_or(usize::MAX);
            let (now, later) = buf.split_at_mut(len.min(buf.len()));
            if run.kind == ExtentKind::Recorded {
                self.disc.read(what, run.at + skipped, now)?;
            } else {
                now.fill(0);
            }
            offset += now.len() as u64;
            buf = later;
            if buf.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// [`Reader::read_body`] from the mirror of a metadata partition. Whether that has all of it.
    pub(super) fn read_mirror(
        &self,
        what: &'static str,
        body: &Body,
        offset: u64,
        buf: &mut [u8],
    ) -> bool {
        let Source::Runs(runs) = &body.source else {
            return false;
        };
        let size = self.partitions.block_bytes();
        let (mut offset, mut buf) = (offset, buf);
        while !buf.is_empty() {
            let first = runs.partition_point(|run| run.offset + run.bytes <= offset);
            let Some(run) = runs.get(first) else {
                return false;
            };
            if run.kind != ExtentKind::Recorded
                || !self.partitions.has_mirror(run.address.partition)
            {
                return false;
            }
            let skipped = offset - run.offset;
            let (_, Some(address)) = body.locate(offset, self.partitions.block_size) else {
                return false;
            };
            let blocks = (run.bytes - skipped).div_ceil(size) + 1;
            let blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
            let Ok(piece) = self.partitions.locate(address, blocks, Side::Mirror) else {
                return false;
            };
            let within = skipped % size;
            let left = (u64::from(piece.blocks) * size - within).min(run.bytes - skipped);
            let len = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
            let (now, later) = buf.split_at_mut(len);
            if self.disc.read(what, piece.at + within, now).is_err() {
                return false;
            }
            offset += len as u64;
            buf = later;
        }
        true
    }

    /// All bytes of a file that has at most `max`. `place` is what states its length.
    pub(super) fn whole_body(
        &self,
        what: &'static str,
        body: &Body,
        max: u64,
        place: Place,
    ) -> Result<Vec<u8>, UdfError> {
        if body.length > max {
            let (length, available) = (body.length, max);
            return Err(place.corrupt(Corrupt::Length { length, available }));
        }
        let mut bytes = vec![0; usize::try_from(body.length).unwrap_or(0)];
        self.read_body(what, body, 0, &mut bytes)?;
        Ok(bytes)
    }
}

impl Body {
    /// Where on the disc byte `offset` of the file is, and in which block of which partition.
    /// `block_size` is that of the volume.
    pub(super) fn locate(&self, offset: u64, block_size: u32) -> (u64, Option<Address>) {
        match &self.source {
            Source::Embedded(at) => (at + offset, None),
            Source::Runs(runs) => {
                let first = runs.partition_point(|run| run.offset + run.bytes <= offset);
                let Some(run) = runs.get(first) else {
                    return (0, None);
                };
                let within = offset - run.offset;
                let blocks = u32::try_from(within / u64::from(block_size)).unwrap_or(u32::MAX);
                let block = run.address.block.saturating_add(blocks);
                let address = Address {
                    block,
                    ..run.address
                };
                (run.at + within, Some(address))
            }
        }
    }
}

/// Adds blocks to a list, to the last entry if they touch it.
pub(super) fn push_range(list: &mut Vec<BlockRange>, added: Option<BlockRange>) {
    let Some(added) = added else { return };
    if let Some(last) = list.last_mut()
        && last.start_lba() <= added.start_lba()
        && added.start_lba().get() <= last.end_exclusive()
        && let Some(joined) = BlockRange::new(last.start_lba(), last.end_lba().max(added.end_lba()))
    {
        *last = joined;
    } else {
        list.push(added);
    }
}

/// Runs of a file that is being put together.
#[derive(Default)]
struct Runs {
    list: Vec<Run>,
    end: u64,
}

impl Runs {
    /// Adds a run, as far as the file's length reaches. What is allocated after it is not part
    /// of the file (ECMA-167 4/12.1).
    fn push(&mut self, mut run: Run, length: u64, block_size: u32) {
        run.bytes = run.bytes.min(length - self.end.min(length));
        if run.bytes == 0 {
            return;
        }
        run.offset = self.end;
        self.end += run.bytes;
        if let Some(last) = self.list.last_mut()
            && last.is_followed_by(&run, block_size.into())
        {
            last.bytes += run.bytes;
            return;
        }
        self.list.push(run);
    }
}

impl Run {
    fn is_followed_by(&self, next: &Self, block_size: u64) -> bool {
        let blocks = self.bytes / block_size;
        let block = u64::from(self.address.block) + blocks;
        let recorded = self.kind == next.kind && self.bytes.is_multiple_of(block_size);
        recorded
            && (self.kind == ExtentKind::Hole
                || self.at + self.bytes == next.at
                    && self.address.partition == next.address.partition
                    && block == u64::from(next.address.block))
    }
}
