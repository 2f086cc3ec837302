//! Virtual allocation table (UDF 2.2.11): where the blocks of a virtual partition are. The
//! entries are numbers of four bytes; what stands around them changed with UDF 2.00.

use reburn_record::little_endian::{U16, U32};
use reburn_record::record;

use super::{DString, EntityId};

record! {
    /// What follows the entries before UDF 2.00.
    pub struct VirtualTableTail: 36, "UDF 1.50 2.2.10" {
        0  entity_identifier: EntityId, "2.2.10";
        32 previous_vat_icb_location: U32, "2.2.10";
    }
}

record! {
    /// What precedes the entries from UDF 2.00 on. Implementation use may stand in between;
    /// the length of the header says where the entries begin.
    pub struct VirtualTableHead: 152, "UDF 2.2.11" {
        0   length_of_header: U16, "2.2.11";
        2   length_of_implementation_use: U16, "2.2.11";
        4   logical_volume_identifier: DString<128>, "2.2.11";
        132 previous_vat_icb_location: U32, "2.2.11";
        136 number_of_files: U32, "2.2.11";
        140 number_of_directories: U32, "2.2.11";
        144 minimum_udf_read_revision: U16, "2.2.11";
        146 minimum_udf_write_revision: U16, "2.2.11";
        148 maximum_udf_write_revision: U16, "2.2.11";
        150 reserved: [u8; 2], "2.2.11";
    }
}

/// Values around an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviousVat;

impl PreviousVat {
    /// No earlier table; as an entry, a block that is not used.
    pub const NONE: u32 = u32::MAX;
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;
    use crate::records::golden;

    /// By mkudffs.
    #[test]
    fn golden_bytes_before_2_00() {
        let bytes = golden(
            "00000000 01000000 002a5544 46205669 72747561 6c20416c 6c6f6320 54626c00 50010405 \
             00000000 ffffffff",
        );
        assert_eq!(bytes.len(), 44);
        let (tail, _) = VirtualTableTail::view(&bytes[8..]).unwrap();
        assert_eq!(tail.entity_identifier.name(), EntityId::VIRTUAL_TABLE);
        assert_eq!(tail.previous_vat_icb_location.get(), PreviousVat::NONE);
    }

    /// By Nero.
    #[test]
    fn golden_bytes_from_2_00() {
        let mut bytes = golden("98000000 10004c00");
        bytes.resize(132, 0);
        bytes.extend(golden(
            "ffffffff 01000000 01000000 50026002 60020000 00000000 01000000 02000000 05000000",
        ));
        let (head, entries) = VirtualTableHead::view(&bytes).unwrap();
        assert_eq!(head.length_of_header.get(), 152);
        assert_eq!(head.number_of_files.get(), 1);
        assert_eq!(head.minimum_udf_write_revision.get(), 0x0260);
        assert_eq!(entries.len(), 16);
    }
}
