//! The two places of a disc's file where the medium's state stands by turns.
//!
//! Invariant: a write of the state that is cut leaves the one before: it goes to the slot with
//! the older one, and counts only if its checksum does.

use std::fs::File;
use std::io;

use crc::{CRC_32_ISO_HDLC, Crc};
use reburn_blocks::positioned::read_exact_at;

use crate::state_bytes::STATE_LEN_MAX;

/// Where the first slot begins.
pub(super) const SLOTS_OFFSET: u64 = 4096;
pub(super) const SLOT_LEN: usize = 64 * 1024;
const HEAD_LEN: usize = 16;
const _: () = assert!(HEAD_LEN + STATE_LEN_MAX <= SLOT_LEN);

/// A slot with a state in it.
pub(super) fn slot(number: u64, state: &[u8]) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    let len = u32::try_from(state.len()).unwrap_or(u32::MAX);
    bytes.extend(len.to_be_bytes());
    bytes.extend(checksum(&bytes[..12], state).to_be_bytes());
    bytes.extend(state);
    bytes
}

pub(super) fn slot_offset(number: u64) -> u64 {
    SLOTS_OFFSET + (number & 1) * SLOT_LEN as u64
}

fn checksum(head: &[u8], state: &[u8]) -> u32 {
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    digest.update(head);
    digest.update(state);
    digest.finalize()
}

/// The state that was written last and whole, with its number.
pub(super) fn newest_state(file: &File) -> io::Result<Option<(u64, Vec<u8>)>> {
    let mut newest = None;
    for which in [0, 1] {
        let mut bytes = vec![0; SLOT_LEN];
        read_exact_at(file, &mut bytes, slot_offset(which))?;
        let number = u64::from_be_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|index| bytes[index]));
        let field = |offset: usize| u32::from_be_bytes([0, 1, 2, 3].map(|at| bytes[offset + at]));
        let end = HEAD_LEN.saturating_add(field(8) as usize);
        let Some(state) = bytes.get(HEAD_LEN..end) else {
            continue;
        };
        let whole = number > 0 && number & 1 == which;
        if !whole || checksum(&bytes[..12], state) != field(12) {
            continue;
        }
        if newest.as_ref().is_none_or(|(best, _)| *best < number) {
            newest = Some((number, state.to_vec()));
        }
    }
    Ok(newest)
}
