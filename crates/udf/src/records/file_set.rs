//! File set descriptor (ECMA-167 4/14.1, UDF 2.3.2).

use reburn_record::little_endian::{U16, U32};
use reburn_record::record;

use super::{CharSpec, DString, DiscTime, EntityId, LongAd, Tag};

record! {
    /// Where the root directory is.
    pub struct FileSetDescriptor: 512, "ECMA-167 4/14.1" {
        0   tag: Tag, "4/14.1.1";
        16  recording_date_and_time: DiscTime, "4/14.1.2";
        28  interchange_level: U16, "4/14.1.3";
        30  maximum_interchange_level: U16, "4/14.1.4";
        32  character_set_list: U32, "4/14.1.5";
        36  maximum_character_set_list: U32, "4/14.1.6";
        40  file_set_number: U32, "4/14.1.7";
        44  file_set_descriptor_number: U32, "4/14.1.8";
        48  logical_volume_identifier_character_set: CharSpec, "4/14.1.9";
        112 logical_volume_identifier: DString<128>, "4/14.1.10";
        240 file_set_character_set: CharSpec, "4/14.1.11";
        304 file_set_identifier: DString<32>, "4/14.1.12";
        336 copyright_file_identifier: DString<32>, "4/14.1.13";
        368 abstract_file_identifier: DString<32>, "4/14.1.14";
        400 root_directory_icb: LongAd, "4/14.1.15";
        416 domain_identifier: EntityId, "4/14.1.16";
        448 next_extent: LongAd, "4/14.1.17";
        464 system_stream_directory_icb: LongAd, "4/14.1.18";
        480 reserved: [u8; 32], "4/14.1.19";
    }
}
