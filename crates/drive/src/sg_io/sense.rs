//! Sense as devices return it: in the fixed format, or in descriptors, which some bridges make of
//! it (SPC-4 4.5.2).

use reburn_mmc::{DecodeError, Sense, SenseKey};

/// Response codes of sense in descriptors: of this command, of an earlier one.
const CURRENT: u8 = 0x72;
const DEFERRED: u8 = 0x73;
/// Types of descriptors.
const INFORMATION: u8 = 0x00;
const KEY_SPECIFIC: u8 = 0x02;
/// Where descriptors begin.
const DESCRIPTORS: usize = 8;

/// The sense in these bytes, in either format.
pub fn decode(bytes: &[u8]) -> Result<Sense, DecodeError> {
    let code = bytes.first().copied().unwrap_or_default() & 0x7f;
    if ![CURRENT, DEFERRED].contains(&code) {
        return Sense::decode(bytes);
    }
    let &[_, key, asc, ascq, ..] = bytes else {
        return Err(DecodeError::TooShort {
            what: "sense",
            needed: DESCRIPTORS,
            present: bytes.len(),
        });
    };
    let mut sense = Sense::new(SenseKey::from_low_bits(key), asc, ascq);
    sense.deferred = code == DEFERRED;
    let mut rest = bytes.get(DESCRIPTORS..).unwrap_or_default();
    while let Some((&[kind, length], body)) = rest.split_first_chunk() {
        let Some((body, behind)) = body.split_at_checked(usize::from(length)) else {
            break;
        };
        match (kind, body) {
            // Valid, reserved, and 64 bits, of which blocks need the lower half.
            (INFORMATION, [valid, _, 0, 0, 0, 0, block @ ..]) if valid >> 7 == 1 => {
                sense.information = block.first_chunk().map(|block| u32::from_be_bytes(*block));
            }
            (KEY_SPECIFIC, [_, _, valid, high, low, ..]) if valid >> 7 == 1 => {
                let waits = matches!(sense.key, SenseKey::NoSense | SenseKey::NotReady);
                sense.progress = waits.then(|| u16::from_be_bytes([*high, *low]));
            }
            _ => {}
        }
        rest = behind;
    }
    Ok(sense)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let fixed = Sense::WRITE_ERROR.at(0x5750).as_deferred();
        assert_eq!(decode(&fixed.encode()), Ok(fixed));
        let descriptors = [
            0x73, 3, 0x0c, 0, 0, 0, 0, 12, // header
            0, 10, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x57, 0x50, // information
        ];
        assert_eq!(decode(&descriptors), Ok(fixed));
    }

    #[test]
    fn progress_is_found_behind_other_descriptors() {
        let bytes = [
            0x72, 2, 0x04, 0x04, 0, 0, 0, 20, // header
            0x80, 2, 1, 2, // a vendor's
            2, 6, 0, 0, 0x80, 0x40, 0, 0, // key specific
        ];
        let sense = Sense::FORMAT_IN_PROGRESS.with_progress(0x4000);
        assert_eq!(decode(&bytes), Ok(sense));
    }

    #[test]
    fn hostile_bytes_end_the_search() {
        assert!(decode(&[]).is_err());
        assert!(decode(&[0x72, 5]).is_err());
        let cut = [0x72, 5, 0x24, 0, 0, 0, 0, 200, 0, 200, 1];
        assert_eq!(decode(&cut), Ok(Sense::INVALID_FIELD_IN_CDB));
        let empty = [0x72, 5, 0x24, 0, 0, 0, 0, 2, 0, 0];
        assert_eq!(decode(&empty), Ok(Sense::INVALID_FIELD_IN_CDB));
    }
}
