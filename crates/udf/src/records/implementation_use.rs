//! Implementation use volume descriptor (ECMA-167 3/10.4) and what UDF puts into it (UDF 2.2.7).

use reburn_record::little_endian::U32;
use reburn_record::record;

use super::{CharSpec, DString, EntityId, Tag};

record! {
    /// Something about the volume that its identifier gives a meaning.
    pub struct ImplementationUseVolume: 512, "ECMA-167 3/10.4" {
        0  tag: Tag, "3/10.4.1";
        16 sequence_number: U32, "3/10.4.2";
        20 implementation_identifier: EntityId, "3/10.4.3";
        52 implementation_use: LogicalVolumeInformation, "3/10.4.4";
    }
}

record! {
    /// The logical volume once more, and whose it is: the implementation use behind the
    /// identifier [`EntityId::LV_INFO`].
    pub struct LogicalVolumeInformation: 460, "UDF 2.2.7.2" {
        0   lvi_charset: CharSpec, "2.2.7.2.1";
        64  logical_volume_identifier: DString<128>, "2.2.7.2.2";
        192 lv_info_1: DString<36>, "2.2.7.2.3";
        228 lv_info_2: DString<36>, "2.2.7.2.3";
        264 lv_info_3: DString<36>, "2.2.7.2.3";
        300 implementation_identifier: EntityId, "2.2.7.2.4";
        332 implementation_use: [u8; 128], "2.2.7.2.5";
    }
}
