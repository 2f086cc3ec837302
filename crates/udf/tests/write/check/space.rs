//! Free space: bitmaps say what the walk found (ECMA-167 4/14.12, UDF 2.2.6, 2.3.8).

use reburn_udf::Access;

use super::bytes::{BLOCK, check_tag, is_zero, u32_at};
use super::files::Files;
use super::volume::block;

/// Verifies the bitmaps after everything has claimed its blocks.
pub fn check(files: &Files<'_>) {
    let volume = &files.volume;
    let mut used = volume.used.clone();
    if let Some((first, count)) = volume.bitmap {
        let mut bitmap = Vec::new();
        for number in first..first + count {
            let lba = volume.physical(number);
            assert!(used.insert(lba), "the bitmap shares block {lba}");
            bitmap.extend_from_slice(block(volume.image, lba));
        }
        check_tag(&bitmap, 264, first, 8, volume.is_third());
        assert_eq!(u32_at(&bitmap, 16), volume.length);
        let bytes = volume.length.div_ceil(8);
        assert_eq!(u32_at(&bitmap, 20), bytes);
        let end = 24 + bytes as usize;
        assert!(is_zero(&bitmap[end..]) && end.div_ceil(BLOCK) == count as usize);
        let blocks = (0..volume.length).map(|number| used.contains(&volume.physical(number)));
        let free = check_bits(&bitmap[24..end], blocks);
        assert_eq!(volume.integrity.free[0], free);
    }
    let metadata = volume.integrity.free.get(1).copied();
    if let Some(bitmap) = &files.free_metadata {
        // The first blocks are used, those of directories too.
        let blocks = (0..volume.integrity.size[1]).map(|n| files.used_metadata.contains(&n));
        assert_eq!(metadata, Some(check_bits(bitmap, blocks)));
    }
    if volume.options.access == Access::WriteOnce {
        let end = volume.start + volume.length;
        let recorded = u32::try_from(volume.image.len() / BLOCK).unwrap();
        assert_eq!(volume.integrity.free[0], end - recorded);
    }
}

/// Verifies that free blocks have a 1; how many there are.
fn check_bits(bitmap: &[u8], used: impl Iterator<Item = bool>) -> u32 {
    let (mut free, mut count) = (0, 0);
    for (number, is_used) in used.enumerate() {
        let bit = bitmap[number / 8] >> (number % 8) & 1;
        assert_eq!(bit == 0, is_used, "block {number}");
        free += u32::from(bit);
        count = number + 1;
    }
    for number in count..8 * bitmap.len() {
        assert_eq!(bitmap[number / 8] >> (number % 8) & 1, 0);
    }
    free
}
