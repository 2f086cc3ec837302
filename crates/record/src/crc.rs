//! The cyclic redundancy check of ECMA-167 3/7.2.6: polynomial x^16 + x^12 + x^5 + 1, initial
//! value zero, most significant bit first, nothing inverted.

const POLYNOMIAL: u16 = 0x1021;

/// What each byte adds, worked out when the crate is compiled.
static TABLE: [u16; 256] = table();

#[allow(clippy::cast_possible_truncation)] // the index is below 256
const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            let carry = crc & 0x8000 != 0;
            crc <<= 1;
            if carry {
                crc ^= POLYNOMIAL;
            }
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

/// The check of some bytes, as descriptor tags state it (ECMA-167 3/7.2.6).
///
/// ```
/// assert_eq!(reburn_record::crc16(b"123456789"), 0x31c3);
/// ```
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, &byte| {
        crc << 8 ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of ECMA-167 3/7.2.6.
    #[test]
    fn the_standards_example() {
        assert_eq!(crc16(&[0x70, 0x6a, 0x77]), 0x3299);
        assert_eq!(crc16(&[]), 0);
    }
}
