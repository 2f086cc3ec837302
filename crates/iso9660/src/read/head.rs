//! Volume descriptors as bytes: for whoever looks for those of a session, or copies them.

use reburn_blocks::{BLOCK_SIZE, BlockCount};
use reburn_record::{Both32, Record};

use crate::records::{PRIMARY, STANDARD_IDENTIFIER, SUPPLEMENTARY, VolumeDescriptor};

/// The primary volume descriptor (ECMA-119 8.4) that a block is, if it is one.
pub fn primary_descriptor(block: &[u8]) -> Option<&VolumeDescriptor> {
    let (descriptor, _) = VolumeDescriptor::view(block).ok()?;
    let is_primary = descriptor.descriptor_type == PRIMARY
        && descriptor.standard_identifier == STANDARD_IDENTIFIER;
    is_primary.then_some(descriptor)
}

/// Changes the size of the volume (ECMA-119 8.4.8) in each of some descriptors, a block each, that
/// states one. `None`, and all or some of them as they were, if a size cannot be changed so.
pub fn change_volume_space(
    descriptors: &mut [u8],
    change: impl Fn(BlockCount) -> Option<BlockCount>,
) -> Option<()> {
    for block in descriptors.chunks_mut(BLOCK_SIZE) {
        let mut descriptor = *VolumeDescriptor::view(block).ok()?.0;
        if matches!(descriptor.descriptor_type, PRIMARY | SUPPLEMENTARY) {
            let size = BlockCount::new(descriptor.volume_space_size.le());
            descriptor.volume_space_size = Both32::new(change(size)?.get());
            block.copy_from_slice(descriptor.bytes());
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_where_there_are_some() {
        let mut descriptors = vec![0; 3 * BLOCK_SIZE];
        for (at, kind) in [(0, PRIMARY), (1, SUPPLEMENTARY), (2, 255)] {
            let block = &mut descriptors[at * BLOCK_SIZE..];
            block[0] = kind;
            block[1..6].copy_from_slice(&STANDARD_IDENTIFIER);
        }
        let before = descriptors.clone();
        let grown = |size: BlockCount| size.checked_add(BlockCount::new(300));
        assert_eq!(change_volume_space(&mut descriptors, grown), Some(()));
        let primary = primary_descriptor(&descriptors).unwrap();
        assert_eq!(primary.volume_space_size.le(), 300);
        assert!(primary_descriptor(&descriptors[BLOCK_SIZE..]).is_none());
        assert_eq!(descriptors[2 * BLOCK_SIZE..], before[2 * BLOCK_SIZE..]);
        assert_eq!(change_volume_space(&mut descriptors, |_| None), None);
    }
}
