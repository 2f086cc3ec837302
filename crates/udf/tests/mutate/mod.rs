//! Damage to metadata whose checks are mended, so that it is read.

use proptest::prelude::*;
use proptest::sample::Index;
use reburn_blocks::BLOCK_SIZE;
use reburn_record::{Record, crc16};
use reburn_udf::records::Tag;

/// A change to a block of metadata.
#[derive(Debug, Clone)]
pub enum Damage {
    Byte(Index, u8),
    Number(Index, u32),
    Copy(Index, Index),
}

pub fn damage() -> impl Strategy<Value = Damage> {
    let number = prop_oneof![0u32..300, Just(u32::MAX), any::<u32>()];
    prop_oneof![
        8 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        4 => (any::<Index>(), number).prop_map(|(at, number)| Damage::Number(at, number)),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Copy(from, to)),
    ]
}

/// What is done to the bytes of a disc.
type Change<'a> = &'a dyn Fn(&mut [u8]);

/// Changes blocks, and mends the checks of descriptors that were whole before.
pub fn apply(disc: &mut [u8], damages: &[Damage], blocks: &[u32]) {
    for damage in damages {
        let place = |index: &Index, len: usize| {
            let offset = index.index(blocks.len() * len);
            blocks[offset / len] as usize * BLOCK_SIZE + (offset % len).min(len - 4)
        };
        // Descriptors take little of their blocks: most changes go there.
        let (block, change): (usize, Change<'_>) = match damage {
            Damage::Byte(index, byte) => {
                let at = place(index, 512);
                (at, &move |disc| disc[at] = *byte)
            }
            Damage::Number(index, number) => {
                let at = place(index, 512) & !3;
                (at, &move |disc| {
                    disc[at..at + 4].copy_from_slice(&number.to_le_bytes());
                })
            }
            Damage::Copy(from, to) => {
                let (from, to) = (place(from, 512), place(to, 512));
                let (from, to) = (from - from % BLOCK_SIZE, to - to % BLOCK_SIZE);
                (to, &move |disc| {
                    disc.copy_within(from..from + BLOCK_SIZE, to);
                })
            }
        };
        let start = block - block % BLOCK_SIZE;
        let whole: Vec<usize> = (start..start + BLOCK_SIZE)
            .step_by(4)
            .filter(|&at| Tag::check(&disc[at..start + BLOCK_SIZE]).is_ok())
            .collect();
        change(disc);
        // Inner descriptors first, as the outer checks are over them.
        for at in whole.into_iter().rev() {
            mend(&mut disc[at..start + BLOCK_SIZE]);
        }
    }
}

/// Makes the checks of a descriptor those of its bytes.
pub fn mend(bytes: &mut [u8]) {
    let (tag, rest) = Tag::view(bytes).unwrap();
    let mut tag = *tag;
    if let Some(covered) = rest.get(..tag.descriptor_crc_length.get().into()) {
        tag.descriptor_crc.set(crc16(covered));
    }
    tag.tag_checksum = tag.checksum();
    bytes[..Tag::SIZE].copy_from_slice(tag.bytes());
}
