//! A record of a disc as a person reads it: where it is, what it is, a row a field with what
//! the value means, and what is wrong with it.
//!
//! Invariants: a sheet says of a record what its bytes say, sound or not; only its notes judge.
//! Fields of a record inside the record are folded away where one line says all of them; text
//! leaves folded rows out, while [`Sheet::rows`] has them.

use std::fmt::{self, Write as _};

use crate::{Field, FieldValue, Record};

/// Bytes in a row of hexadecimal.
const HEX_BYTES: usize = 16;
/// Rows of hexadecimal that are shown of one thing.
const HEX_ROWS: usize = 32;

/// A record of a disc, field by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What it is, in words.
    pub title: String,
    /// The disc's block that it starts in; `None` for something that is nowhere on the disc.
    pub block: Option<u32>,
    /// Where in that block it starts.
    pub byte: usize,
    /// The same place as the volume counts it, where that differs.
    pub address: Option<String>,
    /// The record's name; empty where there is none.
    pub record: &'static str,
    /// Standard and clause that define it; empty where none does.
    pub clause: &'static str,
    /// Its fields, in the order of the disc.
    pub rows: Vec<Row>,
    /// What is wrong with it.
    pub notes: Vec<String>,
}

/// A field, or something else that follows a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Bytes from the start of the record.
    pub offset: usize,
    /// Bytes that it takes.
    pub len: usize,
    /// How many records it stands in, the sheet's own left out.
    pub depth: usize,
    /// The field's name, after the standard's.
    pub name: String,
    /// Standard and clause that define it; empty where none does.
    pub clause: String,
    /// What is there, unjudged; empty where `meaning` says all of it.
    pub value: String,
    /// What that means; empty where it speaks for itself.
    pub meaning: String,
    /// Whether a row before it says the same.
    pub folded: bool,
}

/// A field whose meaning is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    /// The record that it is a field of.
    pub holder: &'static str,
    /// The field.
    pub field: &'a Field,
    /// The name of its type, if it is itself a record.
    pub declared: Option<&'static str>,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// What a field means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// What its value says.
    Plain,
    /// The value needs a word.
    Beside(String),
    /// The text says the same as the value, and as the fields inside it.
    Instead(String),
}

impl Spot<'_> {
    /// The field as a little-endian number, if it has at most eight bytes.
    pub fn number(&self) -> Option<u64> {
        let mut number = [0; 8];
        number
            .get_mut(..self.bytes.len())?
            .copy_from_slice(self.bytes);
        Some(u64::from_le_bytes(number))
    }
}

/// Says what fields mean.
type Explain<'a> = &'a dyn Fn(&Spot<'_>) -> Reading;

impl Sheet {
    /// A sheet without rows for something that starts at byte `byte` of a block.
    pub fn new(title: impl Into<String>, block: u32, byte: usize) -> Self {
        Self {
            title: title.into(),
            block: Some(block),
            byte,
            address: None,
            record: "",
            clause: "",
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds the fields of a record that starts `offset` bytes into the sheet's. The first
    /// record added gives the sheet its name and clause.
    pub fn fields<R: Record>(&mut self, offset: usize, record: &R, explain: Explain<'_>) {
        if self.record.is_empty() {
            (self.record, self.clause) = (R::NAME, R::CLAUSE);
        }
        let mut walk = Walk {
            rows: &mut self.rows,
            bytes: record.bytes(),
            start: offset,
            explain,
        };
        walk.fields((R::NAME, R::CLAUSE), record, 0, 0, false);
    }

    /// Adds a record as one row that says all of it, its fields folded.
    pub fn folded<R: Record>(
        &mut self,
        offset: usize,
        record: &R,
        name: impl Into<String>,
        meaning: impl Into<String>,
        explain: Explain<'_>,
    ) {
        self.inner(offset, record, name, meaning, explain, true);
    }

    /// Adds a record as a row with its fields below it.
    pub fn unfolded<R: Record>(
        &mut self,
        offset: usize,
        record: &R,
        name: impl Into<String>,
        meaning: impl Into<String>,
        explain: Explain<'_>,
    ) {
        self.inner(offset, record, name, meaning, explain, false);
    }

    fn inner<R: Record>(
        &mut self,
        offset: usize,
        record: &R,
        name: impl Into<String>,
        meaning: impl Into<String>,
        explain: Explain<'_>,
        folded: bool,
    ) {
        self.row(offset, R::SIZE, name, R::CLAUSE, meaning);
        let mut walk = Walk {
            rows: &mut self.rows,
            bytes: record.bytes(),
            start: offset,
            explain,
        };
        walk.fields((R::NAME, R::CLAUSE), record, 0, 1, folded);
    }

    /// Adds a row for something that no record declares.
    pub fn row(
        &mut self,
        offset: usize,
        len: usize,
        name: impl Into<String>,
        clause: impl Into<String>,
        value: impl Into<String>,
    ) {
        self.rows.push(Row {
            offset,
            len,
            depth: 0,
            name: name.into(),
            clause: clause.into(),
            value: value.into(),
            meaning: String::new(),
            folded: false,
        });
    }

    /// Adds bytes that nothing more is known of, as many as a screen holds.
    pub fn hex(&mut self, offset: usize, name: &str, clause: &str, bytes: &[u8]) {
        for (index, row) in bytes.chunks(HEX_BYTES).take(HEX_ROWS).enumerate() {
            let mut value = String::with_capacity(HEX_BYTES * 4);
            for byte in row {
                let _ = write!(value, "{byte:02x} ");
            }
            let _ = write!(value, "{:1$}", "", (HEX_BYTES - row.len()) * 3 + 1);
            let text = row.iter().map(|&byte| match byte {
                b' '..=b'~' => char::from(byte),
                _ => '.',
            });
            value.extend(text);
            let name = if index == 0 { name } else { "" };
            let clause = if index == 0 { clause } else { "" };
            self.row(offset + index * HEX_BYTES, row.len(), name, clause, value);
        }
        let shown = HEX_BYTES * HEX_ROWS;
        if let Some(more) = bytes.len().checked_sub(shown).filter(|&more| more > 0) {
            let value = format!("{more} more bytes are not shown");
            self.row(offset + shown, more, "", "", value);
        }
    }

    /// Says that something is wrong.
    pub fn note(&mut self, text: impl fmt::Display) {
        self.notes.push(text.to_string());
    }
}

/// Adds the fields of one record, and of those inside it.
struct Walk<'a> {
    rows: &'a mut Vec<Row>,
    bytes: &'a [u8],
    /// Where the record starts in the sheet's.
    start: usize,
    explain: Explain<'a>,
}

impl Walk<'_> {
    /// `at` is where the record starts in `self.bytes`.
    fn fields(
        &mut self,
        (holder, clause): (&'static str, &'static str),
        record: &dyn FieldValue,
        at: usize,
        depth: usize,
        folded: bool,
    ) {
        record.for_each_field(&mut |field, value| {
            let offset = at + field.offset;
            let declared = value.declared();
            let spot = Spot {
                holder,
                field,
                declared: declared.map(|(name, _)| name),
                bytes: &self.bytes[offset..offset + field.len],
            };
            let explained = (self.explain)(&spot);
            // A record's value is what its fields are.
            let value_text = match (&explained, declared) {
                (Reading::Instead(_), _) | (_, Some(_)) => String::new(),
                _ => Value(value).to_string(),
            };
            let meaning = match explained {
                Reading::Plain => String::new(),
                Reading::Beside(meaning) | Reading::Instead(meaning) => meaning,
            };
            let says_all = value_text.is_empty() && !meaning.is_empty();
            self.rows.push(Row {
                offset: self.start + offset,
                len: field.len,
                depth,
                name: field.name.into(),
                clause: full_clause(clause, field.clause),
                value: value_text,
                meaning,
                folded,
            });
            if let Some(declared) = declared {
                self.fields(declared, value, offset, depth + 1, folded || says_all);
            }
        });
    }
}

/// A value as its type shows it.
struct Value<'a>(&'a dyn FieldValue);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt_value(f)
    }
}

/// The standard that a clause is of: all before the first number.
fn standard(clause: &str) -> &str {
    let number = clause.match_indices(' ').find(|(at, _)| {
        clause
            .as_bytes()
            .get(at + 1)
            .is_some_and(u8::is_ascii_digit)
    });
    number.map_or("", |(at, _)| &clause[..at])
}

/// A field's clause with its standard, which is the record's where it names none.
fn full_clause(record: &str, field: &str) -> String {
    if field.starts_with(|first: char| first.is_ascii_digit()) {
        format!("{} {field}", standard(record))
    } else {
        field.into()
    }
}

/// A heading with place, title and clause; a line a field, with offset, length, name, clause
/// and value; a line a note. Clauses of the heading's standard stand without its name.
impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match (self.block, self.byte) {
            (Some(block), 0) => format!("block {block}"),
            (Some(block), byte) => format!("block {block}, byte {byte}"),
            (None, _) => String::new(),
        };
        match (&self.address, self.block) {
            (Some(address), Some(_)) => write!(f, "{place} ({address}): ")?,
            (Some(address), None) => write!(f, "{address}, nowhere on the disc: ")?,
            (None, Some(_)) => write!(f, "{place}: ")?,
            (None, None) => {}
        }
        f.write_str(&self.title)?;
        if !self.clause.is_empty() {
            write!(f, " [{}]", self.clause)?;
        }
        writeln!(f)?;
        let own = standard(self.clause);
        let shown = |row: &&Row| !row.folded;
        let name_width = |row: &Row| row.depth * 2 + row.name.chars().count();
        let clause = |row: &Row| {
            let short = row.clause.strip_prefix(own).map(str::trim_start);
            let short = short.filter(|_| !own.is_empty());
            short.unwrap_or(&row.clause).to_owned()
        };
        let rows = || self.rows.iter().filter(shown);
        let names = rows().map(name_width).max().unwrap_or(0).clamp(30, 44);
        let clauses = rows().map(|row| clause(row).len()).max().unwrap_or(0);
        let clauses = clauses.clamp(9, 20);
        for row in rows() {
            let name = format!("{:1$}{2}", "", row.depth * 2, row.name);
            let separator = match (row.value.is_empty(), row.meaning.is_empty()) {
                (false, false) => "  ",
                _ => "",
            };
            let line = format!(
                "{:6} {:5}  {name:<names$} {:<clauses$} {}{separator}{}",
                row.offset,
                row.len,
                clause(row),
                row.value,
                row.meaning
            );
            writeln!(f, "{}", line.trim_end())?;
        }
        for note in &self.notes {
            writeln!(f, "     !  {note}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::little_endian::{U16, U32};
    use crate::record;

    record! {
        /// A record inside another one.
        struct Extent: 8, "Other 3" {
            0 length: U32, "3.1";
            4 location: U32, "3.2";
        }
    }

    record! {
        /// A record with records in it.
        struct Outer: 20, "Sample 1" {
            0  kind: U16, "1.1";
            2  flags: u8, "1.2";
            3  reserved: u8, "1.3";
            4  first: Extent, "1.4";
            12 second: Extent, "1.5";
        }
    }

    fn explain(spot: &Spot<'_>) -> Reading {
        let number = spot.number().unwrap_or(0);
        match (spot.holder, spot.field.name) {
            ("Outer", "kind") => Reading::Beside(format!("kind {number}")),
            ("Outer", "first") => Reading::Instead(format!("{} bytes at 7", number & 0xff)),
            ("Extent", "length") => Reading::Beside("too long".into()),
            _ => Reading::Plain,
        }
    }

    fn sheet() -> Sheet {
        let mut outer = Outer::zeroed();
        outer.kind.set(5);
        outer.first.length.set(100);
        outer.first.location.set(7);
        let mut sheet = Sheet::new("Something", 16, 40);
        sheet.fields(0, &outer, &explain);
        sheet
    }

    #[test]
    fn what_one_line_says_is_folded() {
        let mut sheet = sheet();
        sheet.address = Some("partition 0, block 3".into());
        sheet.row(20, 4, "name", "Sample 2.1", "\"x\"");
        let extent = Extent::zeroed();
        sheet.folded(24, &extent, "extent[0]", "none", &explain);
        sheet.note("the name is short");
        assert_snapshot!(sheet, @r#"
        block 16, byte 40 (partition 0, block 3): Something [Sample 1]
             0     2  kind                           1.1       5  kind 5
             2     1  flags                          1.2       0
             3     1  reserved                       1.3       0
             4     8  first                          1.4       100 bytes at 7
            12     8  second                         1.5
            12     4    length                       Other 3.1 0  too long
            16     4    location                     Other 3.2 0
            20     4  name                           2.1       "x"
            24     8  extent[0]                      Other 3   none
             !  the name is short
        "#);
        assert_eq!(sheet.rows.iter().filter(|row| row.folded).count(), 4);
    }

    #[test]
    fn bytes_are_shown_up_to_a_bound() {
        let mut sheet = Sheet::new("Bytes", 0, 0);
        sheet.hex(4, "data", "", b"\x00hello");
        assert_eq!(
            sheet.rows[0].value,
            format!("00 68 65 6c 6c 6f {:30} .hello", "")
        );
        sheet.hex(10, "more", "", &[7; 10_000]);
        assert_eq!(sheet.rows.len(), 1 + HEX_ROWS + 1);
        let last = sheet.rows.last().unwrap();
        assert_eq!(last.value, "9488 more bytes are not shown");
        assert_eq!(last.offset + last.len, 10_010);
    }
}
