//! Numbers recorded twice, once in each byte order (ECMA-119 7.2.3 and 7.3.3).

use std::fmt;

use zerocopy::byteorder::{big_endian, little_endian};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::FieldValue;

/// The two halves of a both-endian number are not equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the little-endian half says {little}, the big-endian half {big}")]
pub struct HalvesDiffer {
    /// What the first half says.
    pub little: u32,
    /// What the second half says.
    pub big: u32,
}

macro_rules! both {
    ($(#[$meta:meta])* $name:ident, $part:ident, $int:ident) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, Default, FromBytes, IntoBytes, KnownLayout, Immutable,
            Unaligned,
        )]
        #[repr(C)]
        pub struct $name {
            little: little_endian::$part,
            big: big_endian::$part,
        }

        impl $name {
            /// The number, in both byte orders.
            pub const fn new(number: $int) -> Self {
                Self {
                    little: little_endian::$part::new(number),
                    big: big_endian::$part::new(number),
                }
            }

            /// The number, if both halves agree on it.
            pub fn get(self) -> Result<$int, HalvesDiffer> {
                let (little, big) = (self.le(), self.be());
                if little == big {
                    Ok(little)
                } else {
                    Err(HalvesDiffer {
                        little: little.into(),
                        big: big.into(),
                    })
                }
            }

            /// What the little-endian half says: the one that most readers believe.
            pub const fn le(self) -> $int {
                self.little.get()
            }

            /// What the big-endian half says.
            pub const fn be(self) -> $int {
                self.big.get()
            }
        }

        /// The number; both halves where they differ.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.get() {
                    Ok(number) => write!(f, "{number}"),
                    Err(differ) => write!(f, "{} LE, {} BE", differ.little, differ.big),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FieldValue for $name {
            fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

both! {
    /// A 16-bit number in 4 bytes: little-endian, then big-endian (ECMA-119 7.2.3).
    Both16, U16, u16
}
both! {
    /// A 32-bit number in 8 bytes: little-endian, then big-endian (ECMA-119 7.3.3).
    Both32, U32, u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_written() {
        assert_eq!(Both16::new(0x1234).as_bytes(), [0x34, 0x12, 0x12, 0x34]);
        assert_eq!(
            Both32::new(0x0102_0304).as_bytes(),
            [4, 3, 2, 1, 1, 2, 3, 4]
        );
    }

    #[test]
    fn differing_halves_are_shown() {
        let number = Both16::read_from_bytes(&[7, 0, 0, 8]).unwrap();
        assert_eq!((number.le(), number.be()), (7, 8));
        assert_eq!(number.get(), Err(HalvesDiffer { little: 7, big: 8 }));
        assert_eq!(number.to_string(), "7 LE, 8 BE");
        assert_eq!(Both32::new(9).get(), Ok(9));
    }
}
