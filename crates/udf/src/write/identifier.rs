//! One file identifier (ECMA-167 4/14.4).

use reburn_record::Record;
use reburn_record::little_endian::U16;

use super::UdfRevision;
use super::emit::seal;
use super::names::{encode, encoded_len};
use crate::records::{FileIdentifier, LongAd, tag_id};

/// Bytes of a file identifier before its name (ECMA-167 4/14.4).
const FID_HEAD_BYTES: usize = FileIdentifier::SIZE;

/// Bytes of a file identifier with a name of that many (ECMA-167 4/14.4.9).
pub(crate) const fn fid_len(name: usize) -> usize {
    (FID_HEAD_BYTES + name).next_multiple_of(4)
}

/// What an identifier says.
#[derive(Debug)]
pub(crate) struct Identifier<'a> {
    pub(crate) characteristics: u8,
    /// What leads to the entry, with its unique id (UDF 2.3.4.3).
    pub(crate) icb: LongAd,
    /// Whole entity identifiers and what they introduce, or nothing.
    pub(crate) implementation_use: &'a [u8],
    /// The name as it is [recorded](super::names::recorded_name); empty for the parent's.
    pub(crate) name: &'a str,
}

impl Identifier<'_> {
    /// Puts the identifier at the end of `out`, tagged with the block that it starts in.
    pub(crate) fn write(&self, revision: UdfRevision, block: u32, out: &mut Vec<u8>) {
        let start = out.len();
        let mut head = FileIdentifier::zeroed();
        head.file_version_number = U16::new(1);
        head.file_characteristics = self.characteristics;
        // A recorded name has at most 255 bytes.
        head.length_of_file_identifier = encoded_len(self.name) as u8;
        head.length_of_implementation_use = U16::new(self.implementation_use.len() as u16);
        head.icb = self.icb;
        out.extend_from_slice(head.bytes());
        out.extend_from_slice(self.implementation_use);
        encode(self.name, out);
        out.resize(start + (out.len() - start).next_multiple_of(4), 0);
        seal(&mut out[start..], tag_id::FILE_IDENTIFIER, revision, block);
    }
}
