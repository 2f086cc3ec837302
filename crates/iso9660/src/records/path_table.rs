//! Path table records (ECMA-119 9.4): a fixed head, the identifier, a zero byte after an odd
//! one. Type L tables are little-endian, type M tables big-endian (6.9.2).

use reburn_record::{big_endian, little_endian, record};

record! {
    /// The fixed part of a record in a type L path table.
    pub struct PathTableRecordL: 8, "ECMA-119 9.4, 6.9.2" {
        0 identifier_length: u8, "9.4.1";
        1 extended_attribute_length: u8, "9.4.2";
        2 extent_location: little_endian::U32, "9.4.3";
        6 parent_number: little_endian::U16, "9.4.4";
    }
}

record! {
    /// The fixed part of a record in a type M path table.
    pub struct PathTableRecordM: 8, "ECMA-119 9.4, 6.9.2" {
        0 identifier_length: u8, "9.4.1";
        1 extended_attribute_length: u8, "9.4.2";
        2 extent_location: big_endian::U32, "9.4.3";
        6 parent_number: big_endian::U16, "9.4.4";
    }
}

#[cfg(test)]
mod tests {
    use reburn_record::Record;

    use super::*;

    #[test]
    fn golden_bytes() {
        let root = PathTableRecordL {
            identifier_length: 1,
            extended_attribute_length: 0,
            extent_location: 0x0102_0304.into(),
            parent_number: 1.into(),
        };
        assert_eq!(root.bytes(), [1, 0, 4, 3, 2, 1, 1, 0]);
        let root = PathTableRecordM {
            identifier_length: 1,
            extended_attribute_length: 0,
            extent_location: 0x0102_0304.into(),
            parent_number: 1.into(),
        };
        assert_eq!(root.bytes(), [1, 0, 1, 2, 3, 4, 0, 1]);
    }
}
