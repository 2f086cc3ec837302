//! A CD's sector of mode 1 as it stands on the disc: 2352 bytes around 2048 of the user.
//!
//! | offset | bytes | holds |
//! |---:|---:|---|
//! | 0 | 12 | synchronization: 00, ten times FF, 00 |
//! | 12 | 4 | minute, second, frame in decimal digits, mode |
//! | 16 | 2048 | the user's data |
//! | 2064 | 4 | error detection: a CRC over all before it |
//! | 2068 | 8 | zeros |
//! | 2076 | 172 | P parity: 86 columns of 24 bytes of what stands from byte 12 on |
//! | 2248 | 104 | Q parity: 52 diagonals of 43 bytes of that and of the P parity |
//!
//! Invariant: each column and each diagonal with its two parity bytes is a code word of the
//! Reed-Solomon code over GF(256) with the roots 1 and 2.
//!
//! Source: ECMA-130, clause 14 and annex A.

use reburn_blocks::{BLOCK_SIZE, Lba};
use reburn_mmc::Msf;

/// Bytes of a whole sector.
pub(crate) const SECTOR_SIZE: usize = 2352;
/// Where each part of a sector starts, and the next one.
pub(crate) const SYNC: usize = 0;
pub(crate) const HEADER: usize = 12;
pub(crate) const USER_DATA: usize = 16;
pub(crate) const CORRECTION: usize = USER_DATA + BLOCK_SIZE;
const P_PARITY: usize = 2076;
const Q_PARITY: usize = 2248;

/// The sector that holds a block of the user.
pub(crate) fn mode_1(lba: Lba, user: &[u8]) -> [u8; SECTOR_SIZE] {
    let mut sector = [0; SECTOR_SIZE];
    sector[SYNC + 1..HEADER - 1].fill(0xff);
    let [minute, second, frame] = Msf::of(lba).bytes().map(decimal_digits);
    sector[HEADER..USER_DATA].copy_from_slice(&[minute, second, frame, 1]);
    sector[USER_DATA..CORRECTION].copy_from_slice(user);
    let detection = detection(&sector[..CORRECTION]);
    sector[CORRECTION..CORRECTION + 4].copy_from_slice(&detection.to_le_bytes());
    add_parity(&mut sector, P_PARITY, 86, |column, row| {
        (row < 24).then(|| column + row * 86)
    });
    add_parity(&mut sector, Q_PARITY, 52, |diagonal, step| {
        let (word, byte) = (diagonal / 2, diagonal % 2);
        (step < 43).then(|| (word * 86 + step * 88 + byte) % (Q_PARITY - HEADER))
    });
    sector
}

/// Two decimal digits in a byte.
const fn decimal_digits(number: u8) -> u8 {
    (number / 10 % 10) * 16 + number % 10
}

/// The CRC with the polynomial (x^16 + x^15 + x^2 + 1) (x^16 + x^2 + x + 1), lowest bit first.
fn detection(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0u32, |crc, byte| {
        crc >> 8 ^ CRC_OF_BYTE[usize::from(crc.to_le_bytes()[0] ^ byte)]
    })
}

const CRC_OF_BYTE: [u32; 256] = {
    const POLYNOMIAL: u32 = 0xd801_8001;
    let mut table = [0; 256];
    let mut byte: u8 = 0;
    loop {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
            bit += 1;
        }
        table[byte as usize] = crc;
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

/// Twice an element of GF(256) with x^8 + x^4 + x^3 + x^2 + 1.
const fn double(element: u8) -> u8 {
    element << 1 ^ if element >> 7 == 1 { 0x1d } else { 0 }
}

/// Each element divided by 3, which is 1 + 2.
const THIRDS: [u8; 256] = {
    let mut table = [0; 256];
    let mut third: u8 = 0;
    loop {
        table[(third ^ double(third)) as usize] = third;
        if third == u8::MAX {
            break table;
        }
        third += 1;
    }
};

/// Appends two parity bytes to each of `count` runs of bytes; `place` gives the places of a
/// run, counted from the header.
///
/// With the sum `a` of a run's bytes and their sum `b` weighted by the powers of 2 that their
/// places have, the parity bytes `p` and `q` solve a + p + q = 0 and b + 2 p + q = 0.
fn add_parity(
    sector: &mut [u8; SECTOR_SIZE],
    parity: usize,
    count: usize,
    place: impl Fn(usize, usize) -> Option<usize>,
) {
    for run in 0..count {
        let (mut sum, mut weighted) = (0u8, 0u8);
        let places = (0..).map_while(|step| place(run, step));
        for byte in places.map(|place| sector[HEADER + place]) {
            sum ^= byte;
            weighted = double(weighted ^ byte);
        }
        let first = THIRDS[usize::from(sum ^ double(weighted))];
        sector[parity + run] = first;
        sector[parity + count + run] = first ^ sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sector() -> [u8; SECTOR_SIZE] {
        let user: Vec<u8> = (0..BLOCK_SIZE)
            .map(|index| u8::try_from(index * index % 251).unwrap())
            .collect();
        mode_1(Lba::new(16), &user)
    }

    #[test]
    fn a_sector_says_where_it_stands() {
        let sector = sector();
        let (start, end) = ([0, 0xff], [0xff, 0]);
        assert_eq!((&sector[..2], &sector[10..12]), (&start[..], &end[..]));
        assert_eq!(sector[HEADER..USER_DATA], [0x00, 0x02, 0x16, 1]);
        let later = mode_1(Lba::new(359_848), &[0; BLOCK_SIZE]);
        assert_eq!(later[HEADER..USER_DATA], [0x79, 0x59, 0x73, 1]);
    }

    #[test]
    fn the_checksum_of_a_checked_sector_is_zero() {
        let sector = sector();
        assert_eq!(detection(&sector[..CORRECTION + 4]), 0);
        assert_ne!(detection(&sector[..CORRECTION]), 0);
    }

    /// Both sums of every code word are zero: over its bytes, and weighted by powers of 2.
    #[test]
    fn columns_and_diagonals_are_code_words() {
        let sector = sector();
        let at = |place: usize| sector[HEADER + place];
        let column = |n: usize| (0..26).map(move |row| at(n + row * 86)).collect::<Vec<_>>();
        let diagonal = |n: usize| {
            let data = (0..43).map(move |step| at((n / 2 * 86 + step * 88 + n % 2) % 2236));
            let parity = [sector[Q_PARITY + n], sector[Q_PARITY + 52 + n]];
            data.chain(parity).collect::<Vec<_>>()
        };
        for word in (0..86).map(column).chain((0..52).map(diagonal)) {
            let sum = word.iter().fold(0, |sum, byte| sum ^ byte);
            let weighted = word.iter().fold(0, |sum, byte| double(sum) ^ byte);
            assert_eq!((sum, weighted), (0, 0));
        }
    }
}
