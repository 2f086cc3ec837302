//! Changing descriptors that stand on a disc already, or that were made elsewhere: their tags.

use reburn_record::little_endian::{U16, U32};
use reburn_record::{Record, crc16};

use crate::records::Tag;

/// Moves a descriptor to another block; what it says stays.
pub(crate) fn set_location(descriptor: &mut [u8], location: u32) {
    change(descriptor, |tag| tag.tag_location = U32::new(location));
}

/// Gives a descriptor the serial number that all tags of its volume have (UDF 2.2.1.1).
pub(crate) fn set_serial(descriptor: &mut [u8], serial: u16) {
    change(descriptor, |tag| tag.tag_serial_number = U16::new(serial));
}

/// Vouches anew for the `covered` bytes after the tag.
pub(crate) fn reseal(descriptor: &mut [u8], covered: usize) {
    let covered = covered.min(descriptor.len() - Tag::SIZE);
    let crc = crc16(&descriptor[Tag::SIZE..Tag::SIZE + covered]);
    change(descriptor, |tag| {
        tag.descriptor_crc = U16::new(crc);
        tag.descriptor_crc_length = U16::new(covered as u16);
    });
}

/// The block that a descriptor was written for.
pub(crate) fn location(descriptor: &[u8]) -> Option<u32> {
    Some(Tag::view(descriptor).ok()?.0.tag_location.get())
}

fn change(descriptor: &mut [u8], change: impl FnOnce(&mut Tag)) {
    let Ok((tag, _)) = Tag::view(descriptor) else {
        return;
    };
    let mut tag = *tag;
    change(&mut tag);
    tag.tag_checksum = tag.checksum();
    descriptor[..Tag::SIZE].copy_from_slice(tag.bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_descriptors_pass_the_readers_checks() {
        let mut bytes = [3; 60];
        bytes[..16].fill(0);
        (bytes[0], bytes[2]) = (9, 3);
        reseal(&mut bytes, 40);
        set_location(&mut bytes, 7);
        set_serial(&mut bytes, 5);
        let tag = Tag::expect(&bytes, 9, 7).unwrap();
        assert_eq!(tag.tag_serial_number.get(), 5);
        assert_eq!(tag.descriptor_crc_length.get(), 40);
        assert_eq!(location(&bytes), Some(7));
        // The check ends where the bytes end.
        reseal(&mut bytes, 1000);
        assert_eq!(
            Tag::expect(&bytes, 9, 7)
                .unwrap()
                .descriptor_crc_length
                .get(),
            44
        );
    }
}
