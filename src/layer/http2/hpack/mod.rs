//! HPACK (RFC 7541): field blocks in, fields out.
//!
//! A sender refers to fields that it has sent before, so every field block of a direction is needed to read the next one. Where one is missing, or where
//! the capture begins late, names by the static table and literals are still certain; the rest is not known, and said to be so.

mod dynamic_table;
mod huffman;
mod static_table;
#[cfg(test)]
mod tests;

use dynamic_table::{DynamicTable, Pair};

/// Reads the field blocks of one direction.
#[derive(Debug)]
pub struct Decoder {
    table: DynamicTable,
    /// Whether a size update may still come: only at the start of a block (§4.2).
    at_start: bool,
    /// What has been decoded from Huffman's code of the current field.
    text: Vec<u8>,
}

/// A field, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: Option<&'a [u8]>,
    /// Its value.
    pub value: Option<&'a [u8]>,
}

/// What makes a field block unreadable (COMPRESSION_ERROR, RFC 9113 §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Index 0, or one that neither table has (§2.3.3).
    Index,
    /// An integer that is longer than anything can be (§5.1).
    Integer,
    /// A string that is not in Huffman's code (§5.2).
    Huffman,
    /// A size update behind a field (§4.2).
    TableSize,
}

impl Malformed {
    /// What was seen, in plain English.
    pub const fn detail(self) -> &'static str {
        match self {
            Malformed::Index => "a field block refers to an entry that does not exist",
            Malformed::Integer => "a field block with an integer too long to be one",
            Malformed::Huffman => "a field block with a string that breaks the Huffman code",
            Malformed::TableSize => "a field block changes the size of the table behind its first field",
        }
    }
}

/// A dynamic table's size until the receiver says something else (RFC 9113 §6.5.2).
pub const DEFAULT_TABLE_SIZE: u32 = 4096;

/// Bytes of a field's strings.
const LONG: usize = 16 << 10;

/// Where in `bytes` the string literal's own bytes are, and whether they are in Huffman's code.
struct Literal<'b> {
    bytes: &'b [u8],
    huffman: bool,
}

/// How a literal names its field.
enum Name<'b> {
    Index(u32),
    Literal(Literal<'b>),
}

impl Decoder {
    /// For a direction that is seen from its beginning. Of its table at most `table_limit` bytes are kept.
    pub fn new(table_limit: u32) -> Self {
        Self {
            table: DynamicTable::new(DEFAULT_TABLE_SIZE, table_limit),
            at_start: true,
            text: Vec::new(),
        }
    }

    /// A field block, or a part of it, is missing, or will not be read: from here on the table is unknown.
    pub fn forget(&mut self) {
        self.table.forget();
        self.at_start = true;
        self.text = Vec::new();
    }

    /// Whether nothing is missing of the table.
    pub fn is_known(&self) -> bool {
        self.table.is_known()
    }

    /// Reads the fields at the start of `bytes`, which go on with the current field block, and returns how many bytes those took. What is left is the
    /// beginning of a field that is not complete; it is to be given again, with what follows it.
    pub fn read(&mut self, bytes: &[u8], mut field: impl FnMut(Field<'_>)) -> Result<usize, Malformed> {
        let mut used = 0;
        while let Some(&first) = bytes.get(used) {
            let mut rest = &bytes[used..];
            let whole = match first {
                0x80.. => self.indexed(&mut rest, &mut field)?,
                0x40..0x80 => self.literal(&mut rest, 6, &mut field)?,
                0x20..0x40 => self.size_update(&mut rest)?,
                // Without indexing, and never indexed (§6.2.2, §6.2.3).
                _ => self.literal(&mut rest, 4, &mut field)?,
            };
            if whole.is_none() {
                break;
            }
            used = bytes.len() - rest.len();
        }
        Ok(used)
    }

    /// The field block has ended.
    pub fn end_block(&mut self) {
        self.at_start = true;
    }

    /// How much memory it takes, in bytes.
    pub fn cost(&self) -> usize {
        self.table.cost() + self.text.capacity()
    }

    /// §6.1.
    fn indexed(&mut self, rest: &mut &[u8], field: &mut impl FnMut(Field<'_>)) -> Result<Option<()>, Malformed> {
        let Some(index) = integer(rest, 7)? else {
            return Ok(None);
        };
        self.at_start = false;
        let (name, value) = self.entry(index)?;
        field(Field { name, value });
        Ok(Some(()))
    }

    /// §6.2: with incremental indexing when the index has six bits.
    fn literal(
        &mut self,
        rest: &mut &[u8],
        bits: u32,
        field: &mut impl FnMut(Field<'_>),
    ) -> Result<Option<()>, Malformed> {
        let Some(index) = integer(rest, bits)? else {
            return Ok(None);
        };
        let name = match index {
            0 => string(rest)?.map(Name::Literal),
            _ => Some(Name::Index(index)),
        };
        let Some((name, value)) = name.zip(string(rest)?) else {
            return Ok(None);
        };
        self.at_start = false;
        // Taken out so that it can be read while the table changes.
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let result = self.decoded_literal(&name, &value, bits == 6, &mut text, field);
        // One that was long for once is not kept.
        self.text = if text.capacity() > LONG { Vec::new() } else { text };
        result.map(Some)
    }

    /// A literal of which all bytes are there; `text` takes what its strings are decoded to.
    fn decoded_literal(
        &mut self,
        name: &Name<'_>,
        value: &Literal<'_>,
        index: bool,
        text: &mut Vec<u8>,
        field: &mut impl FnMut(Field<'_>),
    ) -> Result<(), Malformed> {
        let name_end = match name {
            Name::Literal(name) => name.decode(text)?,
            Name::Index(_) => 0,
        };
        value.decode(text)?;
        let (decoded_name, decoded_value) = text.split_at(name_end);
        let value = Some(value.or_decoded(decoded_value));
        match name {
            Name::Literal(name) => {
                let name = Some(name.or_decoded(decoded_name));
                field(Field { name, value });
                if index {
                    self.table.insert((name, value));
                }
            }
            Name::Index(number) => {
                let (name, _) = self.entry(*number)?;
                field(Field { name, value });
                match static_table::entry(*number) {
                    _ if !index => {}
                    Some((name, _)) => self.table.insert((Some(name), value)),
                    None => self.table.insert_named_by(number - static_table::LENGTH - 1, value),
                }
            }
        }
        Ok(())
    }

    /// §6.3.
    fn size_update(&mut self, rest: &mut &[u8]) -> Result<Option<()>, Malformed> {
        let Some(size) = integer(rest, 5)? else {
            return Ok(None);
        };
        if !self.at_start {
            return Err(Malformed::TableSize);
        }
        // What the receiver allows is in its SETTINGS, which the capture may not hold: what the sender says is what counts.
        self.table.resize(size);
        Ok(Some(()))
    }

    /// The field with this index (§2.3.3).
    fn entry(&self, index: u32) -> Result<Pair<'_>, Malformed> {
        match static_table::entry(index) {
            Some((name, value)) => Ok((Some(name), Some(value))),
            None => index
                .checked_sub(static_table::LENGTH + 1)
                .and_then(|index| self.table.get(index))
                .ok_or(Malformed::Index),
        }
    }
}

impl Literal<'_> {
    /// Appends the string to `text` if it is coded; where `text` ends then.
    fn decode(&self, text: &mut Vec<u8>) -> Result<usize, Malformed> {
        if self.huffman {
            huffman::decode(self.bytes, text).map_err(|huffman::Malformed| Malformed::Huffman)?;
        }
        Ok(text.len())
    }
}

impl<'b> Literal<'b> {
    /// The string, which is `decoded` if it was coded.
    fn or_decoded(&self, decoded: &'b [u8]) -> &'b [u8] {
        if self.huffman { decoded } else { self.bytes }
    }
}

/// An integer whose first byte has `bits` bits of it (§5.1). `None` when it is not complete.
fn integer(rest: &mut &[u8], bits: u32) -> Result<Option<u32>, Malformed> {
    let Some((&first, mut bytes)) = rest.split_first() else {
        return Ok(None);
    };
    let most = (1_u32 << bits) - 1;
    let mut value = u32::from(first) & most;
    if value == most {
        let mut shift = 0;
        loop {
            let Some((&byte, next)) = bytes.split_first() else {
                return Ok(None);
            };
            bytes = next;
            // Four bytes hold 28 bits: no length or index that anybody needs has more.
            if shift > 21 {
                return Err(Malformed::Integer);
            }
            value += u32::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    *rest = bytes;
    Ok(Some(value))
}

/// A string literal (§5.2). `None` when it is not complete.
fn string<'b>(rest: &mut &'b [u8]) -> Result<Option<Literal<'b>>, Malformed> {
    let Some(&first) = rest.first() else {
        return Ok(None);
    };
    let mut behind = *rest;
    let Some(length) = integer(&mut behind, 7)? else {
        return Ok(None);
    };
    let Some((bytes, behind)) = behind.split_at_checked(length as usize) else {
        return Ok(None);
    };
    *rest = behind;
    Ok(Some(Literal {
        bytes,
        huffman: first & 0x80 != 0,
    }))
}
