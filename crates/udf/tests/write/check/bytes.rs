//! Fields and descriptors in bytes (ECMA-167 1/7, 3/7.2; UDF 2.1).

pub const BLOCK: usize = 2048;

pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

pub fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// The check of descriptors, bit by bit (ECMA-167 3/7.2.6).
fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            let carry = crc & 0x8000 != 0;
            crc << 1 ^ if carry { 0x1021 } else { 0 }
        })
    })
}

/// Verifies a tag and what it vouches for: `covered` bytes after it.
pub fn check_tag(bytes: &[u8], id: u16, location: u32, covered: usize, is_third: bool) {
    let what = format!("descriptor {id} at {location}");
    assert_eq!(u16_at(bytes, 0), id, "{what}");
    assert_eq!(u16_at(bytes, 2), if is_third { 3 } else { 2 }, "{what}");
    let sum = bytes[..16]
        .iter()
        .fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    assert_eq!(bytes[4], sum.wrapping_sub(bytes[4]), "{what}");
    assert_eq!(bytes[5], 0, "{what}");
    assert_eq!(u16_at(bytes, 6), 1, "{what}: one serial number for all");
    assert_eq!(usize::from(u16_at(bytes, 10)), covered, "{what}");
    assert_eq!(u16_at(bytes, 8), crc(&bytes[16..16 + covered]), "{what}");
    assert_eq!(u32_at(bytes, 12), location, "{what}");
}

/// Verifies an identifier with a suffix of UDF or of the domain (UDF 2.1.5).
pub fn check_udf_id(bytes: &[u8], name: &[u8], revision: u16) {
    assert_eq!(bytes[0], 0, "flags of an identifier");
    assert_eq!(&bytes[1..=name.len()], name);
    assert!(is_zero(&bytes[1 + name.len()..24]));
    assert_eq!(u16_at(bytes, 24), revision, "{}", name.escape_ascii());
    // Neither write protection nor a system.
    assert!(is_zero(&bytes[26..32]));
}

/// Verifies the identifier of the developer.
pub fn check_developer(bytes: &[u8]) {
    assert_eq!(&bytes[..8], b"\0*reburn");
    assert!(is_zero(&bytes[8..32]));
}

pub fn check_char_spec(bytes: &[u8]) {
    assert_eq!(&bytes[..24], b"\0OSTA Compressed Unicode");
    assert!(is_zero(&bytes[24..64]));
}

/// A text of a field (UDF 2.1.3).
pub fn dstring(field: &[u8]) -> String {
    let used = usize::from(field[field.len() - 1]);
    assert!(used != 1 && used < field.len());
    assert!(is_zero(&field[used..field.len() - 1]));
    if used == 0 {
        String::new()
    } else {
        name(&field[..used])
    }
}

/// A text of compressed Unicode (UDF 2.1.1).
pub fn name(bytes: &[u8]) -> String {
    match bytes[0] {
        8 => bytes[1..].iter().map(|&byte| char::from(byte)).collect(),
        16 => {
            assert_eq!(bytes.len() % 2, 1);
            let units = bytes[1..].chunks(2);
            let units = units.map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            let text: Result<String, _> = char::decode_utf16(units).collect();
            let text = text.unwrap();
            assert!(
                text.chars().any(|c| c > '\u{ff}'),
                "{text} needs no 16 bits"
            );
            text
        }
        other => panic!("compression id {other}"),
    }
}

/// A time, in UTC, that can be compared (ECMA-167 1/7.3).
pub fn time(bytes: &[u8]) -> [u16; 9] {
    assert_eq!(u16_at(bytes, 0), 0x1000, "local time, zone 0");
    let year = u16_at(bytes, 2);
    assert!((1..=9999).contains(&year), "{year}");
    let limits = [
        1..=12,
        1..=31,
        0..=23,
        0..=59,
        0..=59,
        0..=99,
        0..=99,
        0..=99,
    ];
    let mut time = [year, 0, 0, 0, 0, 0, 0, 0, 0];
    for (index, limit) in limits.into_iter().enumerate() {
        assert!(limit.contains(&bytes[4 + index]), "{bytes:?}");
        time[1 + index] = bytes[4 + index].into();
    }
    time
}
