//! File entry and extended file entry (ECMA-167 4/14.9, 4/14.17): all that is known of a file
//! but its name. Extended attributes follow the record, then allocation descriptors or the
//! file's bytes.

use reburn_record::little_endian::{U16, U32, U64};
use reburn_record::record;

use super::{DiscTime, EntityId, IcbTag, LongAd, Tag};

record! {
    /// A file up to UDF 1.50, and later where its writer preferred it.
    pub struct FileEntry: 176, "ECMA-167 4/14.9" {
        0   tag: Tag, "4/14.9.1";
        16  icb_tag: IcbTag, "4/14.9.2";
        36  uid: U32, "4/14.9.3";
        40  gid: U32, "4/14.9.4";
        44  permissions: U32, "4/14.9.5";
        48  file_link_count: U16, "4/14.9.6";
        50  record_format: u8, "4/14.9.7";
        51  record_display_attributes: u8, "4/14.9.8";
        52  record_length: U32, "4/14.9.9";
        56  information_length: U64, "4/14.9.10";
        64  logical_blocks_recorded: U64, "4/14.9.11";
        72  access_date_and_time: DiscTime, "4/14.9.12";
        84  modification_date_and_time: DiscTime, "4/14.9.13";
        96  attribute_date_and_time: DiscTime, "4/14.9.14";
        108 checkpoint: U32, "4/14.9.15";
        112 extended_attribute_icb: LongAd, "4/14.9.16";
        128 implementation_identifier: EntityId, "4/14.9.17";
        160 unique_id: U64, "4/14.9.18";
        168 length_of_extended_attributes: U32, "4/14.9.19";
        172 length_of_allocation_descriptors: U32, "4/14.9.20";
    }
}

record! {
    /// A file with time of creation and named streams, from UDF 2.00 on.
    pub struct ExtendedFileEntry: 216, "ECMA-167 4/14.17" {
        0   tag: Tag, "4/14.17.1";
        16  icb_tag: IcbTag, "4/14.17.2";
        36  uid: U32, "4/14.17.3";
        40  gid: U32, "4/14.17.4";
        44  permissions: U32, "4/14.17.5";
        48  file_link_count: U16, "4/14.17.6";
        50  record_format: u8, "4/14.17.7";
        51  record_display_attributes: u8, "4/14.17.8";
        52  record_length: U32, "4/14.17.9";
        56  information_length: U64, "4/14.17.10";
        64  object_size: U64, "4/14.17.11";
        72  logical_blocks_recorded: U64, "4/14.17.12";
        80  access_date_and_time: DiscTime, "4/14.17.13";
        92  modification_date_and_time: DiscTime, "4/14.17.14";
        104 creation_date_and_time: DiscTime, "4/14.17.15";
        116 attribute_date_and_time: DiscTime, "4/14.17.16";
        128 checkpoint: U32, "4/14.17.17";
        132 reserved: [u8; 4], "4/14.17.18";
        136 extended_attribute_icb: LongAd, "4/14.17.19";
        152 stream_directory_icb: LongAd, "4/14.17.20";
        168 implementation_identifier: EntityId, "4/14.17.21";
        200 unique_id: U64, "4/14.17.22";
        208 length_of_extended_attributes: U32, "4/14.17.23";
        212 length_of_allocation_descriptors: U32, "4/14.17.24";
    }
}
