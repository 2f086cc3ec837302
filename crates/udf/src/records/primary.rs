//! Primary volume descriptor (ECMA-167 3/10.1).

use reburn_record::little_endian::{U16, U32};
use reburn_record::record;

use super::{CharSpec, DString, DiscTime, EntityId, ExtentAd, Tag};

record! {
    /// Names of the volume and of its set, and when it was made.
    pub struct PrimaryVolume: 512, "ECMA-167 3/10.1" {
        0   tag: Tag, "3/10.1.1";
        16  sequence_number: U32, "3/10.1.2";
        20  primary_volume_descriptor_number: U32, "3/10.1.3";
        24  volume_identifier: DString<32>, "3/10.1.4";
        56  volume_sequence_number: U16, "3/10.1.5";
        58  maximum_volume_sequence_number: U16, "3/10.1.6";
        60  interchange_level: U16, "3/10.1.7";
        62  maximum_interchange_level: U16, "3/10.1.8";
        64  character_set_list: U32, "3/10.1.9";
        68  maximum_character_set_list: U32, "3/10.1.10";
        72  volume_set_identifier: DString<128>, "3/10.1.11";
        200 descriptor_character_set: CharSpec, "3/10.1.12";
        264 explanatory_character_set: CharSpec, "3/10.1.13";
        328 volume_abstract: ExtentAd, "3/10.1.14";
        336 volume_copyright_notice: ExtentAd, "3/10.1.15";
        344 application_identifier: EntityId, "3/10.1.16";
        376 recording_date_and_time: DiscTime, "3/10.1.17";
        388 implementation_identifier: EntityId, "3/10.1.18";
        420 implementation_use: [u8; 64], "3/10.1.19";
        484 predecessor_location: U32, "3/10.1.20";
        488 flags: U16, "3/10.1.21";
        490 reserved: [u8; 22], "3/10.1.22";
    }
}
