//! A cursor over the entries of a system use area (SUSP 4).
//!
//! Invariants: an entry handed out lies within the area and is at least four bytes long; the
//! cursor always ends.

use reburn_record::Record;

use crate::Corrupt;
use crate::records::SuspHead;

/// The entries of one area, first to last.
///
/// Ends at an `ST` entry, at fewer than four bytes, or at a zero signature or length, with
/// which some writers fill up. An entry that does not fit is handed out as an error, once.
#[derive(Debug, Clone)]
pub struct Entries<'a> {
    area: &'a [u8],
    offset: usize,
}

/// An entry: a head and the bytes that belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where the entry starts in its area.
    pub offset: usize,
    /// Its two letters.
    pub signature: [u8; 2],
    /// All its bytes, head included.
    pub bytes: &'a [u8],
}

/// An entry that does not fit into its area, or is too short for its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at byte {offset} of the system use area: {problem}")]
pub struct EntryError {
    /// Where the entry starts in its area.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: Corrupt,
}

impl<'a> Entries<'a> {
    /// The entries of a system use area or a continuation area.
    pub const fn new(area: &'a [u8]) -> Self {
        Self { area, offset: 0 }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, EntryError>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.offset;
        let left = self.area.get(offset..)?;
        let (head, _) = SuspHead::view(left).ok()?;
        let length = usize::from(head.length);
        // Whatever happens, the cursor moves on or ends.
        self.offset = self.area.len();
        if head.signature == [0, 0] || length == 0 || head.signature == *b"ST" {
            return None;
        }
        let fits = length >= SuspHead::SIZE && length <= left.len();
        if !fits {
            let problem = Corrupt::EntryLength {
                signature: head.signature,
                length,
                needed: SuspHead::SIZE,
                left: left.len(),
            };
            return Some(Err(EntryError { offset, problem }));
        }
        self.offset = offset + length;
        Some(Ok(Entry {
            offset,
            signature: head.signature,
            bytes: &left[..length],
        }))
    }
}

impl<'a> Entry<'a> {
    /// The entry as a record, and the bytes after the record's.
    pub fn view<R: Record>(&self) -> Result<(&'a R, &'a [u8]), EntryError> {
        R::view(self.bytes).map_err(|_| EntryError {
            offset: self.offset,
            problem: Corrupt::EntryLength {
                signature: self.signature,
                length: self.bytes.len(),
                needed: R::SIZE,
                left: self.bytes.len(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::records::{Cl, Sp};

    fn signatures(area: &[u8]) -> Vec<String> {
        Entries::new(area)
            .map(|entry| match entry {
                Ok(entry) => entry.signature.escape_ascii().to_string(),
                Err(error) => error.to_string(),
            })
            .collect()
    }

    #[test]
    fn entries_follow_each_other() {
        let mut area = Sp::new().bytes().to_vec();
        area.extend_from_slice(b"RE\x04\x01");
        area.extend_from_slice(Cl::new(7).bytes());
        assert_eq!(signatures(&area), ["SP", "RE", "CL"]);
        area.push(0);
        assert_eq!(signatures(&area), ["SP", "RE", "CL"], "padding is no entry");
        area.splice(7..7, *b"ST\x04\x01");
        assert_eq!(signatures(&area), ["SP"], "nothing counts after ST");
    }

    #[test]
    fn entries_that_do_not_fit_are_errors() {
        assert_eq!(
            signatures(b"RE\x04\x01NM\x09\x01\0abc"),
            [
                "RE",
                "at byte 4 of the system use area: entry \"NM\" of 9 bytes does not fit: it \
                 takes at least 4 bytes, and 8 are left"
            ]
        );
        assert_eq!(signatures(b"NM\x03\x01\0abc").len(), 1);
        assert_eq!(signatures(b"NM\x00\x01\0abc").len(), 0);
        let short = Entries::new(b"CL\x08\x01abcd").next().unwrap().unwrap();
        assert!(short.view::<Cl>().is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end(area in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut end = 0;
            for entry in Entries::new(&area).flatten() {
                prop_assert_eq!(entry.offset, end);
                end += entry.bytes.len();
                prop_assert!(end <= area.len());
            }
        }
    }
}
