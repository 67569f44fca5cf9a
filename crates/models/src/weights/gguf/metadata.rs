//! The key-value part of a GGUF file.

use super::cursor::Cursor;
use crate::weights::Error;

/// How deep lists may stand in lists; the files in use have none at all.
const DEEPEST: usize = 4;

macro_rules! value_types {
    ($($kind:ident, $type:ty, $id:literal, $noun:literal;)*) => {
        /// A value of a GGUF file's metadata.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs)]
        pub enum MetaValue {
            $($kind($type),)*
            Bool(bool),
            String(String),
            Array(MetaArray),
        }

        /// A list in a GGUF file's metadata; all its elements are of one type.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs)]
        pub enum MetaArray {
            $($kind(Vec<$type>),)*
            Bool(Vec<bool>),
            String(Vec<String>),
            Array(Vec<MetaArray>),
        }

        impl MetaValue {
            /// The type's number in files.
            pub(super) fn type_id(&self) -> u32 {
                match self {
                    $(Self::$kind(_) => $id,)*
                    Self::Bool(_) => BOOL,
                    Self::String(_) => STRING,
                    Self::Array(_) => ARRAY,
                }
            }

            /// What it is, for a sentence: `a whole number`, `a list of texts`.
            pub(super) fn noun(&self) -> String {
                match self {
                    $(Self::$kind(_) => concat!("a ", $noun).to_owned(),)*
                    Self::Bool(_) => "true or false".to_owned(),
                    Self::String(_) => "a text".to_owned(),
                    Self::Array(list) => format!("a list of {}", list.nouns()),
                }
            }

            /// Reads a value of type `id`.
            pub(super) fn read(cursor: &mut Cursor<'_>, id: u32, key: &str) -> Result<Self, Error> {
                let what = format!("the value of \"{key}\"");
                Ok(match id {
                    $($id => Self::$kind(read_numbers(cursor, 1, &what, <$type>::from_le_bytes)?[0]),)*
                    BOOL => Self::Bool(read_bools(cursor, 1, &what)?[0]),
                    STRING => Self::String(cursor.text(&what)?.to_owned()),
                    ARRAY => Self::Array(MetaArray::read(cursor, &what, 1)?),
                    _ => return Err(cursor.damaged(format!("{what} has the unknown type number {id}"))),
                })
            }

            /// Appends the value as files hold it, without its type.
            pub(super) fn append(&self, bytes: &mut Vec<u8>) {
                match self {
                    $(Self::$kind(number) => bytes.extend_from_slice(&number.to_le_bytes()),)*
                    Self::Bool(value) => bytes.push(u8::from(*value)),
                    Self::String(text) => append_text(text, bytes),
                    Self::Array(list) => list.append(bytes),
                }
            }
        }

        impl MetaArray {
            /// Number of elements.
            pub fn len(&self) -> usize {
                match self {
                    $(Self::$kind(list) => list.len(),)*
                    Self::Bool(list) => list.len(),
                    Self::String(list) => list.len(),
                    Self::Array(list) => list.len(),
                }
            }

            /// Whether there are no elements.
            pub fn is_empty(&self) -> bool {
                self.len() == 0
            }

            fn type_id(&self) -> u32 {
                match self {
                    $(Self::$kind(_) => $id,)*
                    Self::Bool(_) => BOOL,
                    Self::String(_) => STRING,
                    Self::Array(_) => ARRAY,
                }
            }

            fn nouns(&self) -> &'static str {
                match self {
                    $(Self::$kind(_) => concat!($noun, "s"),)*
                    Self::Bool(_) => "true or false",
                    Self::String(_) => "texts",
                    Self::Array(_) => "lists",
                }
            }

            fn read(cursor: &mut Cursor<'_>, what: &str, depth: usize) -> Result<Self, Error> {
                if depth > DEEPEST {
                    return Err(cursor.damaged(format!("{what} has lists within lists more than {DEEPEST} deep")));
                }
                let id = cursor.u32(what)?;
                Ok(match id {
                    $($id => {
                        let count = cursor.count(size_of::<$type>(), what)?;
                        Self::$kind(read_numbers(cursor, count, what, <$type>::from_le_bytes)?)
                    })*
                    BOOL => {
                        let count = cursor.count(1, what)?;
                        Self::Bool(read_bools(cursor, count, what)?)
                    }
                    STRING => {
                        let count = cursor.count(LEAST_TEXT, what)?;
                        let mut list = Vec::with_capacity(count);
                        for _ in 0..count {
                            list.push(cursor.text(what)?.to_owned());
                        }
                        Self::String(list)
                    }
                    ARRAY => {
                        let count = cursor.count(LEAST_ARRAY, what)?;
                        let mut list = Vec::with_capacity(count);
                        for _ in 0..count {
                            list.push(Self::read(cursor, what, depth + 1)?);
                        }
                        Self::Array(list)
                    }
                    _ => return Err(cursor.damaged(format!("{what} is a list of the unknown type number {id}"))),
                })
            }

            fn append(&self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.type_id().to_le_bytes());
                bytes.extend_from_slice(&(self.len() as u64).to_le_bytes());
                match self {
                    $(Self::$kind(list) => list.iter().for_each(|number| bytes.extend_from_slice(&number.to_le_bytes())),)*
                    Self::Bool(list) => bytes.extend(list.iter().map(|value| u8::from(*value))),
                    Self::String(list) => list.iter().for_each(|text| append_text(text, bytes)),
                    Self::Array(list) => list.iter().for_each(|list| list.append(bytes)),
                }
            }
        }
    };
}

const BOOL: u32 = 7;
const STRING: u32 = 8;
const ARRAY: u32 = 9;
/// Bytes of an empty text: its length.
const LEAST_TEXT: usize = 8;
/// Bytes of an empty list: its type and its length.
const LEAST_ARRAY: usize = 12;

value_types! {
    U8, u8, 0, "whole number";
    I8, i8, 1, "whole number";
    U16, u16, 2, "whole number";
    I16, i16, 3, "whole number";
    U32, u32, 4, "whole number";
    I32, i32, 5, "whole number";
    F32, f32, 6, "number";
    U64, u64, 10, "whole number";
    I64, i64, 11, "whole number";
    F64, f64, 12, "number";
}

fn read_numbers<T, const N: usize>(
    cursor: &mut Cursor<'_>,
    count: usize,
    what: &str,
    convert: fn([u8; N]) -> T,
) -> Result<Vec<T>, Error> {
    let bytes = cursor.take(count * N, what)?;
    Ok(bytes.as_chunks::<N>().0.iter().map(|bytes| convert(*bytes)).collect())
}

fn read_bools(cursor: &mut Cursor<'_>, count: usize, what: &str) -> Result<Vec<bool>, Error> {
    let bytes = cursor.take(count, what)?;
    if bytes.iter().any(|byte| *byte > 1) {
        return Err(cursor.damaged(format!("{what} should be true or false and is neither")));
    }
    Ok(bytes.iter().map(|byte| *byte == 1).collect())
}

/// Appends a length and UTF-8 bytes.
pub(super) fn append_text(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// A Rust value that a metadata value can be read as.
pub trait FromMeta<'a>: Sized {
    /// What is expected, for a sentence: `a whole number`.
    const EXPECTED: &'static str;

    /// The value, or `None` when it is of another type or out of range.
    fn from_meta(value: &'a MetaValue) -> Option<Self>;
}

macro_rules! whole_numbers {
    ($($target:ty),*) => {$(
        impl FromMeta<'_> for $target {
            const EXPECTED: &'static str = "a whole number of ordinary size";

            fn from_meta(value: &MetaValue) -> Option<Self> {
                match *value {
                    MetaValue::U8(number) => number.try_into().ok(),
                    MetaValue::I8(number) => number.try_into().ok(),
                    MetaValue::U16(number) => number.try_into().ok(),
                    MetaValue::I16(number) => number.try_into().ok(),
                    MetaValue::U32(number) => number.try_into().ok(),
                    MetaValue::I32(number) => number.try_into().ok(),
                    MetaValue::U64(number) => number.try_into().ok(),
                    MetaValue::I64(number) => number.try_into().ok(),
                    _ => None,
                }
            }
        }

        impl FromMeta<'_> for Vec<$target> {
            const EXPECTED: &'static str = "a list of whole numbers of ordinary size";

            fn from_meta(value: &MetaValue) -> Option<Self> {
                let MetaValue::Array(list) = value else { return None };
                match list {
                    MetaArray::U8(list) => list.iter().map(|number| (*number).try_into().ok()).collect(),
                    MetaArray::I8(list) => list.iter().map(|number| (*number).try_into().ok()).collect(),
                    MetaArray::U16(list) => list.iter().map(|number| (*number).try_into().ok()).collect(),
                    MetaArray::I16(list) => list.iter().map(|number| (*number).try_into().ok()).collect(),
                    MetaArray::U32(list) => list.iter().map(|number| (*number).try_into().ok()).collect(),
                    MetaArray::I32(list) => list.iter().map(|number| (*number).try_into().ok()).collect(),
                    MetaArray::U64(list) => list.iter().map(|number| (*number).try_into().ok()).collect(),
                    MetaArray::I64(list) => list.iter().map(|number| (*number).try_into().ok()).collect(),
                    _ => None,
                }
            }
        }
    )*};
}
whole_numbers!(u32, i32, u64, usize);

impl FromMeta<'_> for f64 {
    const EXPECTED: &'static str = "a finite number";

    fn from_meta(value: &MetaValue) -> Option<Self> {
        let number = match *value {
            MetaValue::F32(number) => Self::from(number),
            MetaValue::F64(number) => number,
            // Writers of other tools leave out the point of round numbers.
            _ => Self::from(i32::from_meta(value)?),
        };
        number.is_finite().then_some(number)
    }
}

impl FromMeta<'_> for bool {
    const EXPECTED: &'static str = "true or false";

    fn from_meta(value: &MetaValue) -> Option<Self> {
        if let MetaValue::Bool(value) = value { Some(*value) } else { None }
    }
}

impl<'a> FromMeta<'a> for &'a str {
    const EXPECTED: &'static str = "a text";

    fn from_meta(value: &'a MetaValue) -> Option<Self> {
        if let MetaValue::String(text) = value { Some(text) } else { None }
    }
}

macro_rules! lists {
    ($($kind:ident, $element:ty, $expected:literal;)*) => {$(
        impl<'a> FromMeta<'a> for &'a [$element] {
            const EXPECTED: &'static str = $expected;

            fn from_meta(value: &'a MetaValue) -> Option<Self> {
                if let MetaValue::Array(MetaArray::$kind(list)) = value { Some(list) } else { None }
            }
        }
    )*};
}
lists! {
    String, String, "a list of texts";
    F32, f32, "a list of numbers";
    Bool, bool, "a list of true and false";
}
