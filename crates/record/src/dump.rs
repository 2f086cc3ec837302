//! Records as text: a line a field.

use std::fmt;

use zerocopy::ByteOrder;
use zerocopy::byteorder::{U16, U32, U64};

use crate::Field;

/// What stands in a field, shown without judging it.
pub trait FieldValue {
    /// Writes the value on one line.
    fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Calls `visit` for each field, if the value is itself a record.
    fn for_each_field(&self, visit: &mut dyn FnMut(&Field, &dyn FieldValue)) {
        let _ = visit;
    }

    /// Name and clause of the value's type, if the value is itself a record.
    fn declared(&self) -> Option<(&'static str, &'static str)> {
        None
    }
}

/// A record as lines of text. Made by [`Record::dump`](crate::Record::dump).
#[derive(Clone, Copy)]
pub struct Dump<'a> {
    name: &'static str,
    clause: &'static str,
    record: &'a dyn FieldValue,
    base: usize,
}

impl<'a> Dump<'a> {
    pub(crate) fn new(
        name: &'static str,
        clause: &'static str,
        record: &'a dyn FieldValue,
    ) -> Self {
        Self {
            name,
            clause,
            record,
            base: 0,
        }
    }

    /// The same dump with `base` added to every offset: where the record lies in something
    /// larger.
    #[must_use]
    pub fn at(self, base: usize) -> Self {
        Self { base, ..self }
    }
}

/// A heading with name and clause, then a line a field: offset, length, name, clause, value.
/// The fields of a record inside the record follow its line, with both names.
impl fmt::Display for Dump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({})", self.name, self.clause)?;
        fmt_fields(self.record, self.base, "", f)
    }
}

fn fmt_fields(
    record: &dyn FieldValue,
    base: usize,
    path: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut result = Ok(());
    record.for_each_field(&mut |field, value| {
        if result.is_ok() {
            result = fmt_field(field, value, base, path, f);
        }
    });
    result
}

fn fmt_field(
    field: &Field,
    value: &dyn FieldValue,
    base: usize,
    path: &str,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let offset = base + field.offset;
    let name = format!("{path}{}", field.name);
    write!(
        f,
        "{offset:6} {:4}  {name:<32} {:<9} ",
        field.len, field.clause
    )?;
    value.fmt_value(f)?;
    writeln!(f)?;
    fmt_fields(value, offset, &format!("{name}."), f)
}

impl FieldValue for u8 {
    fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FieldValue for i8 {
    fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! integers {
    ($($name:ident)*) => {
        $(impl<O: ByteOrder> FieldValue for $name<O> {
            fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.get(), f)
            }
        })*
    };
}

integers!(U16 U32 U64);

/// Bytes in hexadecimal, at most eight of them, or how many are all the same.
impl<const N: usize> FieldValue for [u8; N] {
    fn fmt_value(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        if N > SHOWN && self.iter().all(|byte| *byte == self[0]) {
            return write!(f, "{N} x {:02x}", self[0]);
        }
        for (index, byte) in self.iter().take(SHOWN).enumerate() {
            let separator = if index == 0 { "" } else { " " };
            write!(f, "{separator}{byte:02x}")?;
        }
        f.write_str(if N > SHOWN { " ..." } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use crate::big_endian::U32;
    use crate::{Both16, Record, Text, record};

    record! {
        /// A record inside another one.
        struct Inner: 6, "Inner 2" {
            0 number: Both16, "2.1";
            4 shift: i8, "2.2";
            5 kind: u8, "2.3";
        }
    }

    record! {
        /// A record with every kind of field.
        struct Outer: 78, "Outer 1" {
            0  name: Text<8>, "1.1";
            8  location: U32, "1.2";
            12 inner: Inner, "1.3";
            18 few: [u8; 4], "1.4";
            22 many: [u8; 32], "1.5";
            54 unused: [u8; 24], "1.6";
        }
    }

    #[test]
    fn every_field_has_a_line() {
        let mut outer = Outer::zeroed();
        outer.name = Text::new(b"disc \x01").unwrap();
        outer.location.set(300);
        outer.inner.number = Both16::new(9);
        outer.inner.shift = -4;
        outer.many[1] = 0xab;
        assert_snapshot!(outer.dump().at(100), @r#"
        Outer (Outer 1)
           100    8  name                             1.1       "disc \x01"
           108    4  location                         1.2       300
           112    6  inner                            1.3       Inner
           112    4  inner.number                     2.1       9
           116    1  inner.shift                      2.2       -4
           117    1  inner.kind                       2.3       0
           118    4  few                              1.4       00 00 00 00
           122   32  many                             1.5       00 ab 00 00 00 00 00 00 ...
           154   24  unused                           1.6       24 x 00
        "#);
        assert_eq!(format!("{outer:?}"), outer.dump().to_string());
    }
}
