//! Paths of symbolic links as path components (ECMA-167 4/14.16).

use super::names::{encode, encoded_len, recorded_name};

/// Values of the component type (ECMA-167 4/14.16.1.1).
const ROOT: u8 = 2;
const PARENT: u8 = 3;
const CURRENT: u8 = 4;
const NAME: u8 = 5;

/// Bytes before a component's name (ECMA-167 4/14.16.1).
const HEAD: usize = 4;

/// Bytes that `target` takes as path components.
pub(super) fn encoded_target_len(target: &[u8]) -> u64 {
    let name_len = |part: &[u8]| match part {
        b"." | b".." => 0,
        name => encoded_len(&recorded_name(name)),
    };
    let root = u64::from(target.starts_with(b"/")) * HEAD as u64;
    parts(target).fold(root, |len, part| len + (HEAD + name_len(part)) as u64)
}

/// Puts `target` as path components at the end of `out`.
pub(super) fn encode_target(target: &[u8], out: &mut Vec<u8>) {
    if target.starts_with(b"/") {
        out.extend([ROOT, 0, 0, 0]);
    }
    for part in parts(target) {
        match part {
            b"." => out.extend([CURRENT, 0, 0, 0]),
            b".." => out.extend([PARENT, 0, 0, 0]),
            name => {
                let name = recorded_name(name);
                // A recorded name has at most 255 bytes.
                out.extend([NAME, encoded_len(&name) as u8, 0, 0]);
                encode(&name, out);
            }
        }
    }
}

/// The names of a path; separators side by side count as one.
fn parts(target: &[u8]) -> impl Iterator<Item = &[u8]> {
    target
        .split(|&byte| byte == b'/')
        .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_components() {
        let encoded = |target: &[u8]| {
            let mut out = Vec::new();
            encode_target(target, &mut out);
            assert_eq!(out.len() as u64, encoded_target_len(target));
            out
        };
        assert_eq!(encoded(b"/"), b"\x02\0\0\0");
        assert_eq!(
            encoded(b"/usr/b"),
            b"\x02\0\0\0\x05\x04\0\0\x08usr\x05\x02\0\0\x08b"
        );
        assert_eq!(
            encoded(".././/\u{20ac}/".as_bytes()),
            b"\x03\0\0\0\x04\0\0\0\x05\x03\0\0\x10\x20\xac"
        );
    }
}
