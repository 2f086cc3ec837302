//! From file identifiers and path components to names and targets in a tree.

use reburn_record::Record;

use crate::records::{PathComponent, decode_cs0};

/// Makes a name one that a path can have. Returns whether it was not.
pub(crate) fn mend(name: &mut Vec<u8>) -> bool {
    match name.as_mut_slice() {
        [] => name.push(b'_'),
        [b'.'] => name[0] = b'_',
        [b'.', b'.'] => name.fill(b'_'),
        bytes => {
            let mut mended = false;
            for byte in bytes.iter_mut().filter(|byte| matches!(byte, b'/' | 0)) {
                *byte = b'_';
                mended = true;
            }
            return mended;
        }
    }
    true
}

/// The target of a symbolic link (ECMA-167 4/14.16); the type of a component that is not
/// known or cut off as the error.
pub(super) fn target(mut components: &[u8]) -> Result<Vec<u8>, u8> {
    let mut target: Vec<u8> = Vec::new();
    while !components.is_empty() {
        let (head, rest) = PathComponent::view(components).map_err(|_| components[0])?;
        let kind = head.component_type;
        let len = usize::from(head.length_of_component_identifier);
        let (identifier, rest) = rest.split_at_checked(len).ok_or(kind)?;
        components = rest;
        let name = match kind {
            // What a component before a root said does not matter.
            PathComponent::VOLUME_ROOT | PathComponent::ROOT => {
                target = b"/".to_vec();
                continue;
            }
            PathComponent::PARENT => b"..".to_vec(),
            PathComponent::CURRENT => b".".to_vec(),
            PathComponent::NAME => decode_cs0(identifier).text.into_bytes(),
            other => return Err(other),
        };
        if !target.is_empty() && target != b"/" {
            target.push(b'/');
        }
        target.extend(name);
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_make_a_path() {
        let parts = [
            &[3, 0, 0, 0][..],
            &[4, 0, 0, 0],
            &[5, 4, 0, 0, 8, b'a', b'b', b'c'],
            &[5, 3, 0, 0, 16, 0, b'd'],
        ];
        assert_eq!(target(&parts.concat()).unwrap(), b".././abc/d");
        let absolute = [2, 0, 0, 0, 5, 2, 0, 0, 8, b'x'];
        assert_eq!(target(&absolute).unwrap(), b"/x");
        assert_eq!(target(&[]).unwrap(), b"");
    }

    #[test]
    fn components_that_cannot_be() {
        assert_eq!(target(&[5, 9, 0, 0, 8]), Err(5));
        assert_eq!(target(&[7, 0, 0, 0]), Err(7));
        assert_eq!(target(&[2, 0]), Err(2));
    }

    #[test]
    fn names_no_path_can_have_are_mended() {
        let mended = |name: &str| {
            let mut bytes = name.as_bytes().to_vec();
            let changed = mend(&mut bytes);
            (String::from_utf8(bytes).unwrap(), changed)
        };
        assert_eq!(mended("name"), ("name".into(), false));
        assert_eq!(mended(""), ("_".into(), true));
        assert_eq!(mended(".."), ("__".into(), true));
        assert_eq!(mended("../etc\0"), (".._etc_".into(), true));
    }
}
