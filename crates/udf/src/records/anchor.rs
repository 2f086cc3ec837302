//! Where the volume descriptor sequences are (ECMA-167 3/10.2, 3/10.3).

use reburn_record::little_endian::U32;
use reburn_record::record;

use super::{ExtentAd, Tag};

record! {
    /// Anchor volume descriptor pointer: where reading begins.
    pub struct AnchorPointer: 512, "ECMA-167 3/10.2" {
        0  tag: Tag, "3/10.2.1";
        16 main_sequence: ExtentAd, "3/10.2.2";
        24 reserve_sequence: ExtentAd, "3/10.2.3";
        32 reserved: [u8; 480], "3/10.2.4";
    }
}

record! {
    /// Volume descriptor pointer: where the sequence goes on.
    pub struct VolumeDescriptorPointer: 512, "ECMA-167 3/10.3" {
        0  tag: Tag, "3/10.3.1";
        16 sequence_number: U32, "3/10.3.2";
        20 next_sequence: ExtentAd, "3/10.3.3";
        28 reserved: [u8; 484], "3/10.3.4";
    }
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::{golden, tag_id};

    /// The anchor at sector 256 of a volume that macOS made.
    #[test]
    fn golden_bytes() {
        let mut bytes =
            golden("02000300 1c000100 9193f001 00010000 00000100 0c000000 00000100 ef090000");
        bytes.resize(512, 0);
        assert!(Tag::expect(&bytes, tag_id::ANCHOR, 256).is_ok());
        let (anchor, _) = AnchorPointer::view(&bytes).unwrap();
        assert_eq!(anchor.main_sequence.extent_length.get(), 65536);
        assert_eq!(anchor.main_sequence.extent_location.get(), 12);
        assert_eq!(anchor.reserve_sequence.extent_location.get(), 2543);
    }
}
