//! The trait of all records and the macro that declares them.
//!
//! Invariants, checked when a record is compiled: every field lies at the offset that its line
//! states, the fields fill the stated size, and no byte is padding.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{Dump, FieldValue};

/// One row of a record's field table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Bytes from the start of the record.
    pub offset: usize,
    /// Bytes that the field takes.
    pub len: usize,
    /// The field's name, after the standard's.
    pub name: &'static str,
    /// Where the standard defines it.
    pub clause: &'static str,
}

/// A record of fixed size, valid for any bytes. Declared with [`record!`](crate::record!).
pub trait Record:
    FromBytes + IntoBytes + KnownLayout + Immutable + Unaligned + FieldValue + Copy
{
    /// The record's name.
    const NAME: &'static str;
    /// Where the standard defines it.
    const CLAUSE: &'static str;
    /// Its fields, ascending, without gaps.
    const FIELDS: &'static [Field];
    /// Its bytes on disc.
    const SIZE: usize = size_of::<Self>();

    /// The record at the start of `bytes`, and the bytes after it.
    fn view(bytes: &[u8]) -> Result<(&Self, &[u8]), TooShort> {
        Self::ref_from_prefix(bytes).map_err(|_| TooShort {
            record: Self::NAME,
            clause: Self::CLAUSE,
            needed: Self::SIZE,
            available: bytes.len(),
        })
    }

    /// The record as it stands on disc.
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }

    /// A record of zero bytes, to be filled.
    fn zeroed() -> Self {
        Self::new_zeroed()
    }

    /// The record as lines of text, one a field.
    fn dump(&self) -> Dump<'_> {
        Dump::new(Self::NAME, Self::CLAUSE, self)
    }
}

/// Fewer bytes are present than the record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{record} ({clause}) takes {needed} bytes, but only {available} are left")]
pub struct TooShort {
    /// The record's name.
    pub record: &'static str,
    /// Where the standard defines it.
    pub clause: &'static str,
    /// Bytes that it takes.
    pub needed: usize,
    /// Bytes that are present.
    pub available: usize,
}

/// Declares a record: one line a field, with its offset, name, type and clause.
///
/// The crate that declares it must depend on this one under its own name, `reburn_record`. A
/// field's type is a number of [`little_endian`](crate::little_endian) or
/// [`big_endian`](crate::big_endian), `u8`, `i8`, an array of bytes, a type of this crate,
/// another record, or any other type that zerocopy can view without alignment and that
/// implements [`FieldValue`].
///
/// ```
/// use reburn_record::{Record, little_endian::U16, record};
///
/// record! {
///     /// Two fields.
///     pub struct Example: 4, "Example 1" {
///         0 signature: [u8; 2], "1.1";
///         2 length: U16, "1.2";
///     }
/// }
/// let example = Example { signature: *b"EX", length: U16::new(9) };
/// assert_eq!(example.bytes(), b"EX\x09\x00");
/// assert_eq!(Example::FIELDS[1].offset, 2);
/// ```
///
/// An offset that does not fit the fields before it does not compile, nor does a size that
/// they don't fill:
///
/// ```compile_fail
/// # use reburn_record::record;
/// record! {
///     /// The second field is at 2.
///     pub struct Wrong: 3, "Example 1" {
///         0 signature: [u8; 2], "1.1";
///         1 length: u8, "1.2";
///     }
/// }
/// ```
///
/// ```compile_fail
/// # use reburn_record::record;
/// record! {
///     /// Takes three bytes, not four.
///     pub struct Short: 4, "Example 1" {
///         0 signature: [u8; 2], "1.1";
///         2 length: u8, "1.2";
///     }
/// }
/// ```
#[macro_export]
macro_rules! record {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $size:literal, $clause:literal {
            $( $offset:literal $field:ident: $kind:ty, $field_clause:literal; )+
        }
    ) => {
        $(#[$meta])*
        #[doc = ""]
        #[doc = concat!("On disc: ", stringify!($size), " bytes, ", $clause, ".")]
        #[doc = ""]
        #[doc = "| offset | field | type | clause |"]
        #[doc = "|-------:|-------|------|--------|"]
        $(
            #[doc = concat!(
                "| ", stringify!($offset), " | `", stringify!($field), "` | `",
                stringify!($kind), "` | ", $field_clause, " |",
            )]
        )+
        #[derive(
            Clone, Copy, PartialEq, Eq,
            $crate::zerocopy::FromBytes, $crate::zerocopy::IntoBytes,
            $crate::zerocopy::KnownLayout, $crate::zerocopy::Immutable,
            $crate::zerocopy::Unaligned,
        )]
        #[zerocopy(crate = "::reburn_record::zerocopy")]
        #[repr(C)]
        $vis struct $name {
            $( #[doc = concat!($field_clause, ", at offset ", stringify!($offset), ".")]
               pub $field: $kind, )+
        }

        const _: () = {
            assert!(::core::mem::size_of::<$name>() == $size);
            $( assert!(::core::mem::offset_of!($name, $field) == $offset); )+
        };

        impl $crate::Record for $name {
            const NAME: &'static str = stringify!($name);
            const CLAUSE: &'static str = $clause;
            const FIELDS: &'static [$crate::Field] = &[
                $( $crate::Field {
                    offset: $offset,
                    len: ::core::mem::size_of::<$kind>(),
                    name: stringify!($field),
                    clause: $field_clause,
                }, )+
            ];
        }

        impl $crate::FieldValue for $name {
            fn fmt_value(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(stringify!($name))
            }

            fn for_each_field(
                &self,
                visit: &mut dyn FnMut(&$crate::Field, &dyn $crate::FieldValue),
            ) {
                let mut fields = <Self as $crate::Record>::FIELDS.iter();
                $( if let Some(field) = fields.next() { visit(field, &self.$field); } )+
            }

            fn declared(&self) -> Option<(&'static str, &'static str)> {
                Some((stringify!($name), $clause))
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&$crate::Record::dump(self), f)
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::little_endian::{U16, U32};

    record! {
        /// A record for these tests.
        struct Sample: 8, "Sample 1" {
            0 signature: [u8; 2], "1.1";
            2 length: U16, "1.2";
            4 location: U32, "1.3";
        }
    }

    const BYTES: [u8; 8] = [b'S', b'A', 8, 0, 0x78, 0x56, 0x34, 0x12];

    #[test]
    fn view_and_bytes_are_inverse() {
        let mut disc = BYTES.to_vec();
        disc.push(0xee);
        let (sample, rest) = Sample::view(&disc).unwrap();
        assert_eq!(sample.signature, *b"SA");
        assert_eq!(sample.length.get(), 8);
        assert_eq!(sample.location.get(), 0x1234_5678);
        assert_eq!(rest, [0xee]);
        assert_eq!(sample.bytes(), BYTES);
    }

    #[test]
    fn fields_cover_the_record_without_gaps() {
        let end = Sample::FIELDS.iter().fold(0, |end, field| {
            assert_eq!(field.offset, end);
            field.offset + field.len
        });
        assert_eq!(end, Sample::SIZE);
    }

    #[test]
    fn missing_bytes_are_named() {
        let error = Sample::view(&BYTES[..7]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Sample (Sample 1) takes 8 bytes, but only 7 are left"
        );
    }
}
