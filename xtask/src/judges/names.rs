//! Which names a poorer file system carries unchanged.

/// Whether every part of a path satisfies `carries`.
pub fn all_parts(path: &[u8], carries: impl Fn(&[u8]) -> bool) -> bool {
    path.split(|byte| *byte == b'/').all(carries)
}

/// Whether Joliet carries a name of at most `limit` UCS-2 characters as it is.
///
/// Microsoft's Joliet specification, section "Joliet recursion of directory names": UCS-2,
/// without control characters and `* / : ; ? \`.
pub fn joliet_carries(name: &[u8], limit: usize) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let allowed = |c: char| {
        u32::from(c) < 0x1_0000 && !c.is_control() && !"*/:;?\\".contains(c) && c != '\u{feff}'
    };
    name.chars().count() <= limit && name.chars().all(allowed)
}

/// Whether a program that also wants to please Windows keeps a name as it is: no dots or
/// spaces at either end, nothing that a shell there would trip over, no two names that only
/// the end tells apart.
pub fn survives_windows(name: &[u8]) -> bool {
    let odd = |byte: &u8| byte.is_ascii_control() || b"\"*/:;<>?\\|".contains(byte);
    name == b"."
        || !(name.iter().any(odd) || name.ends_with(b".") || name.ends_with(b" ") || name == b" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joliet_counts_characters_and_refuses_some() {
        assert!(joliet_carries("é".repeat(64).as_bytes(), 64));
        assert!(!joliet_carries("é".repeat(65).as_bytes(), 64));
        for name in ["a;1", "a*", "a\u{7}", "💿"] {
            assert!(!joliet_carries(name.as_bytes(), 64), "{name:?}");
        }
        assert!(!joliet_carries(b"\xff", 64));
    }

    #[test]
    fn windows_takes_dots_and_spaces_inside_only() {
        assert!(survives_windows(b"a. b") && survives_windows(b".") && survives_windows(b".a"));
        assert!(!survives_windows(b"a.") && !survives_windows(b"a ") && !survives_windows(b"a:b"));
    }
}
