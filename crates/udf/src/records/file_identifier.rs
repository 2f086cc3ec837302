//! File identifier descriptor (ECMA-167 4/14.4, UDF 2.3.4): a name in a directory.

use reburn_record::little_endian::U16;
use reburn_record::{Record, record};

use super::{LongAd, Tag};

record! {
    /// A name and the entry that it leads to. Implementation use follows, then the name, then
    /// zeros up to a multiple of four bytes.
    pub struct FileIdentifier: 38, "ECMA-167 4/14.4" {
        0  tag: Tag, "4/14.4.1";
        16 file_version_number: U16, "4/14.4.2";
        18 file_characteristics: u8, "4/14.4.3";
        19 length_of_file_identifier: u8, "4/14.4.4";
        20 icb: LongAd, "4/14.4.5";
        36 length_of_implementation_use: U16, "4/14.4.6";
    }
}

impl FileIdentifier {
    /// Bytes of the descriptor with all that follows the record (ECMA-167 4/14.4.9).
    pub fn full_length(&self) -> usize {
        let name = usize::from(self.length_of_file_identifier);
        let used = usize::from(self.length_of_implementation_use.get());
        (Self::SIZE + used + name).next_multiple_of(4)
    }
}

/// Bits of [`FileIdentifier::file_characteristics`] (ECMA-167 4/14.4.3).
pub mod characteristics {
    /// Not to be shown to users.
    pub const HIDDEN: u8 = 0x01;
    /// The entry is a directory's.
    pub const DIRECTORY: u8 = 0x02;
    /// The name was removed.
    pub const DELETED: u8 = 0x04;
    /// The entry is that of the parent directory.
    pub const PARENT: u8 = 0x08;
    /// The stream has metadata of the file system.
    pub const METADATA: u8 = 0x10;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::golden;

    /// Of `Non-Allocatable Space` by mkudffs.
    #[test]
    fn golden_bytes() {
        let bytes = golden(
            "01010200 44000100 daf92c00 40000000 01000116 00080000 60000000 00000000 10000000 \
             0000084e",
        );
        let (file, _) = FileIdentifier::view(&bytes).unwrap();
        assert_eq!(file.file_characteristics, characteristics::HIDDEN);
        assert_eq!(file.length_of_file_identifier, 22);
        assert_eq!(file.icb.unique_id.get(), 16);
        assert_eq!(file.full_length(), 60);
    }
}
