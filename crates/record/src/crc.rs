//! The cyclic redundancy check of ECMA-167 3/7.2.6: polynomial x^16 + x^12 + x^5 + 1, initial
//! value zero, most significant bit first, nothing inverted. Catalogues of checksums call it
//! XMODEM.

use crc::{CRC_16_XMODEM, Crc};

const ECMA_167: Crc<u16> = Crc::<u16>::new(&CRC_16_XMODEM);

/// The check of some bytes (ECMA-167 3/7.2.6).
///
/// ```
/// // The example that the standard gives.
/// assert_eq!(reburn_record::crc16(&[0x70, 0x6a, 0x77]), 0x3299);
/// ```
pub fn crc16(bytes: &[u8]) -> u16 {
    ECMA_167.checksum(bytes)
}
