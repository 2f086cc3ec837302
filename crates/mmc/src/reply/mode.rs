//! Mode parameters: the list of pages that MODE SENSE returns and MODE SELECT sets.

use crate::DecodeError;
use crate::bytes::{Fields, len8, with_length16};
use crate::reply::{CapabilitiesPage, PowerPage, RecoveryPage, TimeoutPage, WriteParametersPage};

const WHAT: &str = "mode parameters";
const HEADER_LEN: usize = 8;
const SHORT_HEADER_LEN: usize = 4;

/// One mode page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModePage {
    /// 01h: how hard to try.
    Recovery(RecoveryPage),
    /// 05h: how CD and sequential DVD are written.
    WriteParameters(WriteParametersPage),
    /// 08h: whether writes are cached. Optical drives cache them whatever it says.
    Caching {
        /// Whether writes are answered from the buffer.
        write_cache: bool,
    },
    /// 1Ah: when the drive rests.
    Power(PowerPage),
    /// 1Dh: how long commands may take.
    Timeout(TimeoutPage),
    /// 2Ah: what the drive can do, in the way of older standards.
    Capabilities(CapabilitiesPage),
    /// A page without a case here.
    Unknown {
        /// Its code, 6 bits.
        code: u8,
        /// What follows its length, at most 255 bytes.
        data: Vec<u8>,
    },
}

impl ModePage {
    /// The page's code.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Recovery(_) => 0x01,
            Self::WriteParameters(_) => 0x05,
            Self::Caching { .. } => 0x08,
            Self::Power(_) => 0x1a,
            Self::Timeout(_) => 0x1d,
            Self::Capabilities(_) => 0x2a,
            Self::Unknown { code, .. } => *code & 0x3f,
        }
    }

    /// The page: code, length, data.
    pub fn encode(&self) -> Vec<u8> {
        let data = match self {
            Self::Recovery(page) => page.encode(),
            Self::WriteParameters(page) => page.encode(),
            Self::Caching { write_cache } => [&[u8::from(*write_cache) << 2][..], &[0; 9]].concat(),
            Self::Power(page) => page.encode(),
            Self::Timeout(page) => page.encode(),
            Self::Capabilities(page) => page.encode(),
            Self::Unknown { data, .. } => data[..data.len().min(255)].to_vec(),
        };
        [&[self.code(), len8(data.len())][..], &data].concat()
    }

    /// The page in `bytes`: code, length, data. Shorter data than the standard has read as
    /// if zeros followed.
    fn decode(code: u8, data: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new("mode page", data, 0)?;
        Ok(match code & 0x3f {
            0x01 => Self::Recovery(RecoveryPage::decode(fields)),
            0x05 => Self::WriteParameters(WriteParametersPage::decode(fields)),
            0x08 => Self::Caching {
                write_cache: fields.bit(0, 2),
            },
            0x1a => Self::Power(PowerPage::decode(fields)),
            0x1d => Self::Timeout(TimeoutPage::decode(fields)),
            0x2a => Self::Capabilities(CapabilitiesPage::decode(fields)),
            code => Self::Unknown {
                code,
                data: data.to_vec(),
            },
        })
    }
}

/// The pages with their header. There are no block descriptors, as optical drives have none;
/// those of others are skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeParameters {
    /// Whether the medium cannot be written.
    pub write_protected: bool,
    /// The pages, ascending by code.
    pub pages: Vec<ModePage>,
}

impl ModeParameters {
    /// The page with this code.
    pub fn page(&self, code: u8) -> Option<&ModePage> {
        self.pages.iter().find(|page| page.code() == code)
    }

    /// The parameters: a header of 8 bytes, then the pages.
    pub fn encode(&self) -> Vec<u8> {
        let protected = u8::from(self.write_protected) << 7;
        let mut reply = vec![0, 0, 0, protected, 0, 0, 0, 0];
        for page in &self.pages {
            reply.extend(page.encode());
        }
        with_length16(reply)
    }

    /// How many bytes the whole reply has, from its first 2.
    pub fn announced_len(header: &[u8]) -> Result<usize, DecodeError> {
        Ok(usize::from(Fields::new(WHAT, header, 2)?.u16(0)) + 2)
    }

    /// The reply to MODE SENSE in `bytes`, which must be all of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let len = Self::announced_len(bytes)?.max(HEADER_LEN);
        Self::decode_pages(Fields::new(WHAT, bytes, HEADER_LEN)?.cut(len)?, len)
    }

    /// The list of MODE SELECT in `bytes`: all of them count, as its length field is reserved.
    pub fn decode_list(bytes: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_pages(Fields::new(WHAT, bytes, HEADER_LEN)?, bytes.len())
    }

    /// The parameters in the short form of MODE SENSE (6): a header of 4 bytes, then the pages.
    pub fn encode_short(&self) -> Vec<u8> {
        let mut reply = vec![0, 0, u8::from(self.write_protected) << 7, 0];
        for page in &self.pages {
            reply.extend(page.encode());
        }
        reply[0] = len8(reply.len() - 1);
        reply
    }

    /// The list of MODE SELECT (6) in `bytes`, all of which count.
    pub fn decode_short_list(bytes: &[u8]) -> Result<Self, DecodeError> {
        let fields = Fields::new(WHAT, bytes, SHORT_HEADER_LEN)?;
        let start = SHORT_HEADER_LEN + usize::from(fields.u8(3));
        Ok(Self {
            write_protected: fields.bit(2, 7),
            pages: decode_pages(fields, start, bytes.len())?,
        })
    }

    fn decode_pages(fields: Fields<'_>, len: usize) -> Result<Self, DecodeError> {
        let start = HEADER_LEN + usize::from(fields.u16(6));
        Ok(Self {
            write_protected: fields.bit(3, 7),
            pages: decode_pages(fields, start, len)?,
        })
    }
}

/// The pages from `start` to `len`.
fn decode_pages(
    fields: Fields<'_>,
    start: usize,
    len: usize,
) -> Result<Vec<ModePage>, DecodeError> {
    fields.cut(start)?;
    let mut offset = start;
    let mut pages = Vec::new();
    while offset < len {
        let data_start = offset + 2;
        let data_end = data_start + usize::from(fields.u8(offset + 1));
        let data = fields.cut(data_end)?.from(data_start);
        pages.push(ModePage::decode(fields.u8(offset), data)?);
        offset = data_end;
    }
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parameters() -> ModeParameters {
        ModeParameters {
            write_protected: true,
            pages: vec![
                ModePage::Caching { write_cache: true },
                ModePage::Unknown {
                    code: 0x0e,
                    data: vec![1, 2],
                },
            ],
        }
    }

    const BYTES: [u8; 24] = [
        0, 22, 0, 0x80, 0, 0, 0, 0, // header
        8, 10, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, // caching
        0x0e, 2, 1, 2, // unknown
    ];

    #[test]
    fn golden_bytes() {
        assert_eq!(parameters().encode(), BYTES);
        assert_eq!(ModeParameters::decode(&BYTES), Ok(parameters()));
        assert!(ModeParameters::decode(&BYTES[..23]).is_err());
        assert!(ModeParameters::decode(&BYTES[..1]).is_err());
    }

    #[test]
    fn a_list_to_select_has_no_length_and_may_have_descriptors() {
        let mut list = BYTES.to_vec();
        list[..2].fill(0);
        assert_eq!(ModeParameters::decode_list(&list), Ok(parameters()));
        list[7] = 8;
        list.splice(8..8, [0xee; 8]);
        assert_eq!(ModeParameters::decode_list(&list), Ok(parameters()));
        list[6] = 1; // descriptors longer than the list
        assert!(ModeParameters::decode_list(&list).is_err());
    }

    #[test]
    fn the_short_form_has_a_shorter_header() {
        let short = [&[19, 0, 0x80, 0][..], &BYTES[8..]].concat();
        assert_eq!(parameters().encode_short(), short);
        assert_eq!(ModeParameters::decode_short_list(&short), Ok(parameters()));
        assert!(ModeParameters::decode_short_list(&short[..19]).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
            if let Ok(parameters) = ModeParameters::decode_list(&bytes) {
                let again = ModeParameters::decode(&parameters.encode());
                prop_assert_eq!(again, Ok(parameters));
            }
            let _ = ModeParameters::decode(&bytes);
            let _ = ModeParameters::decode_short_list(&bytes);
        }
    }
}
