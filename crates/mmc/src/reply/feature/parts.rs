//! Features whose data are tables.

use crate::bytes::{Fields, flags, len8};

/// How data are appended in pieces: packets on CD, increments on DVD.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IncrementalStreaming {
    /// The layouts of data that can be written, a bit each: bit 8 for 2048 bytes.
    pub data_types: u16,
    /// Whether READ DISC INFORMATION counts tracks.
    pub counts_tracks: bool,
    /// Whether RESERVE TRACK can split a track at an address.
    pub splits_tracks: bool,
    /// Whether the drive survives an empty buffer.
    pub underrun_protection: bool,
    /// The link sizes that can be chosen, at most 248: 7 on CD, 16 on DVD.
    pub link_sizes: Vec<u8>,
}

impl IncrementalStreaming {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut data = self.data_types.to_be_bytes().to_vec();
        data.push(flags([
            (self.counts_tracks, 2),
            (self.splits_tracks, 1),
            (self.underrun_protection, 0),
        ]));
        push_link_sizes(&mut data, &self.link_sizes);
        data
    }

    pub(super) fn decode(fields: Fields<'_>) -> Self {
        Self {
            data_types: fields.u16(0),
            counts_tracks: fields.bit(2, 2),
            splits_tracks: fields.bit(2, 1),
            underrun_protection: fields.bit(2, 0),
            link_sizes: link_sizes(fields),
        }
    }
}

/// Appends a count of link sizes and the sizes.
pub(super) fn push_link_sizes(data: &mut Vec<u8>, sizes: &[u8]) {
    const MOST: usize = 248; // with what stands before them, the most that a feature holds
    let sizes = &sizes[..sizes.len().min(MOST)];
    data.push(len8(sizes.len()));
    data.extend(sizes);
}

/// The link sizes, counted in byte 3; those that are missing do not count.
pub(super) fn link_sizes(fields: Fields<'_>) -> Vec<u8> {
    let count = usize::from(fields.u8(3));
    fields.from(4).iter().copied().take(count).collect()
}

/// A bitmap of versions for each of four classes.
type Versions = [u16; 4];

fn versions(fields: Fields<'_>, offset: usize) -> Versions {
    std::array::from_fn(|class| fields.u16(offset + class * 2))
}

fn push_versions(data: &mut Vec<u8>, versions: Versions) {
    data.extend(versions.iter().flat_map(|bitmap| bitmap.to_be_bytes()));
}

/// The Blu-ray discs that can be read: for each kind a bitmap of versions by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BdReadClasses {
    /// BD-RE.
    pub re: [u16; 4],
    /// BD-R.
    pub r: [u16; 4],
    /// BD-ROM.
    pub rom: [u16; 4],
}

impl BdReadClasses {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut data = vec![0; 4];
        push_versions(&mut data, self.re);
        push_versions(&mut data, self.r);
        push_versions(&mut data, self.rom);
        data
    }

    pub(super) fn decode(fields: Fields<'_>) -> Self {
        Self {
            re: versions(fields, 4),
            r: versions(fields, 12),
            rom: versions(fields, 20),
        }
    }
}

/// The Blu-ray discs that can be written: for each kind a bitmap of versions by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BdWriteClasses {
    /// Whether writing without verification can be asked for.
    pub unverified: bool,
    /// BD-RE.
    pub re: [u16; 4],
    /// BD-R.
    pub r: [u16; 4],
}

impl BdWriteClasses {
    pub(super) fn encode(self) -> Vec<u8> {
        let mut data = vec![u8::from(self.unverified), 0, 0, 0];
        push_versions(&mut data, self.re);
        push_versions(&mut data, self.r);
        data
    }

    pub(super) fn decode(fields: Fields<'_>) -> Self {
        Self {
            unverified: fields.bit(0, 0),
            re: versions(fields, 4),
            r: versions(fields, 12),
        }
    }
}
