//! PDUs on a stream: header, additional headers, data, and the digests between them.
//!
//! Invariants: nothing is allocated before its length was compared with what this side
//! declared; a PDU that stops coming ends in an error, not in a thread that waits for ever;
//! with digests on, nothing is believed whose digest is wrong.
//!
//! Source: RFC 7143, sections 11.1, 11.2 and 7.8; the polynomial in 13.1.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use crc::{CRC_32_ISCSI, Crc, Table};

use super::header::{self, HEADER_LEN};

/// How long a PDU may take from its first byte to its last.
const PATIENCE: Duration = Duration::from_mins(1);

/// The digest of headers and data.
const CRC32C: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// Which parts of a PDU carry a digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Digests {
    pub header: bool,
    pub data: bool,
}

/// A PDU as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pdu {
    pub header: [u8; HEADER_LEN],
    /// The data segment, without the zeros that fill it up to four bytes.
    pub data: Vec<u8>,
}

/// What a look at the stream brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Pdu(Pdu),
    /// Nothing came within the stream's own timeout.
    Quiet,
}

/// Why no further PDU can be had from a stream.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    #[error("the connection ended")]
    Closed,
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("a PDU stopped coming after its first bytes")]
    Stalled,
    #[error("a data segment of {announced} bytes, of which {limit} were agreed")]
    TooLong { announced: usize, limit: usize },
    #[error("the digest of a header is wrong")]
    HeaderDigest,
    #[error("the digest of a data segment is wrong")]
    DataDigest { header: [u8; HEADER_LEN] },
}

/// The receiving end of a connection.
#[derive(Debug)]
pub(super) struct Inbound<R> {
    stream: R,
    pub digests: Digests,
    /// The longest data segment that this side declared.
    limit: usize,
}

impl<R: Read> Inbound<R> {
    pub fn new(stream: R, limit: usize) -> Self {
        let digests = Digests::default();
        Self {
            stream,
            digests,
            limit,
        }
    }

    /// The next PDU, or [`Received::Quiet`] when the stream's timeout passes before it begins.
    pub fn receive(&mut self) -> Result<Received, WireError> {
        let mut header = [0; HEADER_LEN];
        let first = loop {
            match self.stream.read(&mut header) {
                Ok(0) => return Err(WireError::Closed),
                Ok(count) => break count,
                Err(error) if is_timeout(&error) => return Ok(Received::Quiet),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        };
        let begun = Instant::now();
        self.fill(&mut header[first..], begun)?;
        let announced = header::data_length(&header);
        if announced > self.limit {
            let limit = self.limit;
            return Err(WireError::TooLong { announced, limit });
        }
        // Additional headers are long commands and two-way transfers, which no drive here has:
        // whoever handles a command sees by its header that there are some.
        let mut additional = [0; 4 * 255];
        let additional = &mut additional[..header::ahs_length(&header)];
        self.fill(additional, begun)?;
        if self.digests.header && self.digest(begun)? != digest(&[&header, additional]) {
            return Err(WireError::HeaderDigest);
        }
        let mut data = vec![0; announced.next_multiple_of(4)];
        self.fill(&mut data, begun)?;
        let checked = self.digests.data && announced > 0;
        if checked && self.digest(begun)? != digest(&[&data]) {
            return Err(WireError::DataDigest { header });
        }
        data.truncate(announced);
        Ok(Received::Pdu(Pdu { header, data }))
    }

    fn digest(&mut self, begun: Instant) -> Result<u32, WireError> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes, begun)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn fill(&mut self, mut rest: &mut [u8], begun: Instant) -> Result<(), WireError> {
        while !rest.is_empty() {
            match self.stream.read(rest) {
                Ok(0) => return Err(WireError::Closed),
                Ok(count) => rest = &mut rest[count..],
                Err(error) if is_timeout(&error) || error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if !rest.is_empty() && begun.elapsed() > PATIENCE {
                return Err(WireError::Stalled);
            }
        }
        Ok(())
    }
}

/// Writes a PDU. The length of the data is put into its header.
pub(super) fn send(
    stream: &mut impl Write,
    digests: Digests,
    mut header: [u8; HEADER_LEN],
    data: &[u8],
) -> io::Result<()> {
    header::set_data_length(&mut header, data.len());
    let mut bytes = Vec::with_capacity(HEADER_LEN + data.len() + 12);
    bytes.extend_from_slice(&header);
    if digests.header {
        bytes.extend_from_slice(&digest(&[&header]).to_le_bytes());
    }
    let start = bytes.len();
    bytes.extend_from_slice(data);
    bytes.resize(start + data.len().next_multiple_of(4), 0);
    if digests.data && !data.is_empty() {
        let digest = digest(&[&bytes[start..]]);
        bytes.extend_from_slice(&digest.to_le_bytes());
    }
    stream.write_all(&bytes)
}

fn digest(parts: &[&[u8]]) -> u32 {
    let mut digest = CRC32C.digest();
    for part in parts {
        digest.update(part);
    }
    digest.finalize()
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Digests = Digests {
        header: true,
        data: true,
    };

    fn receive(bytes: &[u8], digests: Digests) -> Result<Received, WireError> {
        let mut inbound = Inbound::new(bytes, 8192);
        inbound.digests = digests;
        inbound.receive()
    }

    fn sent(digests: Digests, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let header = header::NopOut::empty().into();
        send(&mut bytes, digests, header, data).unwrap();
        bytes
    }

    /// The examples of RFC 3720, B.4.
    #[test]
    fn the_digest_is_the_standards() {
        assert_eq!(digest(&[&[0; 32]]).to_le_bytes(), [0xaa, 0x36, 0x91, 0x8a]);
        let ascending: Vec<u8> = (0..32).collect();
        let parts = ascending.split_at(7);
        let digest = digest(&[parts.0, parts.1]);
        assert_eq!(digest.to_le_bytes(), [0x4e, 0x79, 0xdd, 0x46]);
    }

    #[test]
    fn pdus_come_as_they_went() {
        for digests in [Digests::default(), ALL] {
            for data in [&b""[..], b"a", b"four", b"nine byte"] {
                let bytes = sent(digests, data);
                let Ok(Received::Pdu(pdu)) = receive(&bytes, digests) else {
                    panic!("{bytes:?}");
                };
                assert_eq!(pdu.data, data);
            }
        }
        assert_eq!(sent(Digests::default(), b"nine byte").len(), 48 + 12);
        assert_eq!(sent(ALL, b"nine byte").len(), 48 + 4 + 12 + 4);
        assert_eq!(sent(ALL, b"").len(), 48 + 4);
    }

    #[test]
    fn every_flipped_bit_is_noticed_with_digests() {
        let bytes = sent(ALL, b"some data");
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(receive(&bytes, ALL).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_long_segment_is_refused_before_it_is_read() {
        let mut bytes = sent(Digests::default(), b"");
        bytes[5..8].copy_from_slice(&[0xff, 0xff, 0xff]);
        let error = receive(&bytes, Digests::default()).unwrap_err();
        let text = "a data segment of 16777215 bytes, of which 8192 were agreed";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn a_stream_that_ends_or_waits_says_so() {
        struct Waits;
        impl Read for Waits {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::WouldBlock.into())
            }
        }
        assert!(matches!(
            Inbound::new(Waits, 0).receive(),
            Ok(Received::Quiet)
        ));
        let bytes = sent(Digests::default(), b"data");
        for len in 0..bytes.len() {
            let result = receive(&bytes[..len], Digests::default());
            assert!(matches!(result, Err(WireError::Closed)), "{len}");
        }
    }

    proptest! {
        /// Whatever comes, it is a PDU within the limits or an error.
        #[test]
        fn any_bytes_are_survived(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            small in any::<bool>(),
            header in any::<bool>(),
            data in any::<bool>(),
        ) {
            let mut bytes = bytes;
            if small && bytes.len() > 7 {
                let words = bytes[4] & 3;
                bytes[4..7].copy_from_slice(&[words, 0, 0]);
            }
            let mut inbound = Inbound::new(&bytes[..], 100);
            inbound.digests = Digests { header, data };
            while let Ok(received) = inbound.receive() {
                let Received::Pdu(pdu) = received else {
                    panic!("a slice never waits");
                };
                prop_assert!(pdu.data.len() <= 100);
            }
        }
    }
}
