//! GGUF files, versions 2 and 3, little-endian.
//!
//! Format: `docs/gguf.md` of ggml. A file is a header, metadata, the list of tensors, then the
//! tensors' bytes, each at a multiple of the alignment. Everything is checked when the file is
//! opened; after that, reading a tensor can only fail for the values in it.

mod cursor;
mod metadata;
mod tokenizer;
mod write;

use std::ops::Range;
use std::path::Path;

use indexmap::IndexMap;

use self::cursor::Cursor;
pub use self::metadata::{FromMeta, MetaArray, MetaValue};
pub use self::write::GgufWriter;
use super::mapped::MappedFile;
use super::stored::{TensorInfo, checked_values};
use super::{Error, WeightSource, decode, quant};

const MAGIC: &[u8; 4] = b"GGUF";
const ALIGNMENT_KEY: &str = "general.alignment";
const DEFAULT_ALIGNMENT: usize = 32;
/// More than any model has; keeps the lists small whatever the file says.
const MOST_ENTRIES: usize = 1 << 17;
const MOST_DIMENSIONS: usize = 4;
/// A tensor's name, shape, type and place take at least this many bytes.
const LEAST_TENSOR: usize = 8 + 4 + 4 + 8;
/// A key and a value take at least this many bytes.
const LEAST_PAIR: usize = 8 + 4 + 1;

/// An opened GGUF file.
#[derive(Debug)]
pub struct Gguf {
    file: MappedFile,
    metadata: IndexMap<String, MetaValue>,
    tensors: IndexMap<String, Placed>,
}

/// A tensor and where its bytes begin.
#[derive(Debug)]
struct Placed {
    info: TensorInfo,
    start: usize,
}

impl Gguf {
    /// Opens and checks the file at `path`; the weights are mapped, not read.
    ///
    /// # Errors
    /// When the file is not GGUF, is cut off, contradicts itself, or is of a kind that is not
    /// read (version 1, big-endian, one part of several, other quantisations).
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::parse(MappedFile::open(path)?)
    }

    /// The same from bytes in memory; `path` is only used in messages.
    ///
    /// # Errors
    /// As [`Gguf::open`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::parse(MappedFile::held(path, bytes))
    }

    fn parse(file: MappedFile) -> Result<Self, Error> {
        let mut cursor = Cursor::new(file.bytes(), file.path());
        check_version(&mut cursor, file.path())?;
        let tensor_count = bounded_count(&mut cursor, LEAST_TENSOR, "the number of tensors")?;
        let pair_count = bounded_count(&mut cursor, LEAST_PAIR, "the number of metadata entries")?;
        let metadata = read_metadata(&mut cursor, pair_count)?;
        let alignment = alignment(&cursor, &metadata)?;
        let tensors = read_tensors(&mut cursor, &file, tensor_count, alignment)?;
        let gguf = Self { file, metadata, tensors };
        gguf.refuse_parts()?;
        Ok(gguf)
    }

    /// The metadata, in file order.
    pub fn metadata(&self) -> &IndexMap<String, MetaValue> {
        &self.metadata
    }

    /// The value of `key` as a `T`; `None` when the file does not say.
    ///
    /// # Errors
    /// [`Error::MetadataType`] when it is of another type or out of range.
    pub fn get<'a, T: FromMeta<'a>>(&'a self, key: &str) -> Result<Option<T>, Error> {
        let Some(value) = self.metadata.get(key) else { return Ok(None) };
        T::from_meta(value).map(Some).ok_or_else(|| Error::MetadataType {
            path: self.file.path().to_owned(),
            key: key.to_owned(),
            expected: T::EXPECTED,
            found: value.noun(),
        })
    }

    /// The value of `key` as a `T`, which must be there.
    ///
    /// # Errors
    /// [`Error::NoMetadata`] when the file does not say, else as [`Gguf::get`].
    pub fn require<'a, T: FromMeta<'a>>(&'a self, key: &str) -> Result<T, Error> {
        self.get(key)?.ok_or_else(|| Error::NoMetadata {
            path: self.file.path().to_owned(),
            key: key.to_owned(),
        })
    }

    /// `general.architecture`: `llama`, `qwen2`, ….
    ///
    /// # Errors
    /// When the file does not say.
    pub fn architecture(&self) -> Result<&str, Error> {
        self.require("general.architecture")
    }

    fn refuse_parts(&self) -> Result<(), Error> {
        let parts: Option<u64> = self.get("split.count")?;
        match parts {
            Some(parts) if parts > 1 => Err(Error::Unsupported {
                path: self.file.path().to_owned(),
                reason: format!(
                    "it is one of {parts} parts of a model; join them into one file with `llama-gguf-split --merge`"
                ),
            }),
            _ => Ok(()),
        }
    }

    fn placed(&self, name: &str) -> Result<&Placed, Error> {
        self.tensors.get(name).ok_or_else(|| Error::NoTensor {
            path: self.file.path().to_owned(),
            tensor: name.to_owned(),
        })
    }
}

impl WeightSource for Gguf {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn file_bytes(&self) -> u64 {
        self.file.len() as u64
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.tensors.get(name).map(|placed| placed.info.clone())
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, Error> {
        let placed = self.placed(name)?;
        decode::read_rows(&self.file, name, &placed.info, placed.start, 0..placed.info.rows())
    }

    fn read_rows_f32(&self, name: &str, rows: Range<usize>) -> Result<Vec<f32>, Error> {
        let placed = self.placed(name)?;
        decode::read_rows(&self.file, name, &placed.info, placed.start, rows)
    }
}

fn check_version(cursor: &mut Cursor<'_>, path: &Path) -> Result<(), Error> {
    let unsupported = |reason: String| Error::Unsupported { path: path.to_owned(), reason };
    let magic = cursor.take(MAGIC.len(), "its first four letters")?;
    if matches!(magic, b"lmgg" | b"fmgg" | b"tjgg" | b"algg") {
        return Err(unsupported("it is an old GGML file; use the model's GGUF version".to_owned()));
    }
    if magic != MAGIC {
        return Err(unsupported(
            "it is not a GGUF file (its first four letters are not GGUF)".to_owned(),
        ));
    }
    match cursor.u32("its version number")? {
        2 | 3 => Ok(()),
        version if version != 0 && version.swap_bytes() <= 0xFFFF => {
            Err(unsupported("it is a big-endian GGUF file; use the little-endian one".to_owned()))
        }
        1 => Err(unsupported(
            "it is a GGUF file of version 1; use a newer file (version 2 or 3)".to_owned(),
        )),
        version => Err(unsupported(format!(
            "it is a GGUF file of the unknown version {version} (2 and 3 are read)"
        ))),
    }
}

fn bounded_count(cursor: &mut Cursor<'_>, least: usize, what: &str) -> Result<usize, Error> {
    let count = cursor.count(least, what)?;
    if count > MOST_ENTRIES {
        return Err(cursor
            .damaged(format!("{what} says {count}, and no model has more than {MOST_ENTRIES}")));
    }
    Ok(count)
}

fn read_metadata(
    cursor: &mut Cursor<'_>,
    count: usize,
) -> Result<IndexMap<String, MetaValue>, Error> {
    let mut metadata = IndexMap::new();
    for _ in 0..count {
        let key = cursor.name("a metadata key")?;
        let id = cursor.u32("the type of a metadata value")?;
        let value = MetaValue::read(cursor, id, key)?;
        if metadata.insert(key.to_owned(), value).is_some() {
            return Err(cursor.damaged(format!("the metadata key \"{key}\" stands in it twice")));
        }
    }
    Ok(metadata)
}

fn alignment(cursor: &Cursor<'_>, metadata: &IndexMap<String, MetaValue>) -> Result<usize, Error> {
    match metadata.get(ALIGNMENT_KEY) {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(value) => usize::from_meta(value)
            .filter(|alignment| alignment.is_power_of_two())
            .ok_or_else(|| cursor.damaged("its alignment is not a power of two")),
    }
}

fn read_tensors(
    cursor: &mut Cursor<'_>,
    file: &MappedFile,
    count: usize,
    alignment: usize,
) -> Result<IndexMap<String, Placed>, Error> {
    let mut tensors = IndexMap::new();
    for _ in 0..count {
        let (name, placed) = read_tensor(cursor, file.path(), alignment)?;
        if tensors.insert(name.to_owned(), placed).is_some() {
            return Err(bad_tensor(file.path(), name, "stands in the list twice"));
        }
    }
    let begin = cursor.at().checked_next_multiple_of(alignment).unwrap_or(usize::MAX);
    for (name, placed) in &mut tensors {
        let inside = begin.checked_add(placed.start).filter(|start| {
            start.checked_add(placed.info.bytes).is_some_and(|end| end <= file.len())
        });
        let Some(start) = inside else {
            return Err(bad_tensor(
                file.path(),
                name,
                &format!(
                    "needs {} bytes at place {} and the file ends before that",
                    placed.info.bytes, placed.start
                ),
            ));
        };
        placed.start = start;
    }
    refuse_overlap(file.path(), &tensors)?;
    Ok(tensors)
}

/// One entry of the list of tensors; `start` still counts from the beginning of the data.
fn read_tensor<'a>(
    cursor: &mut Cursor<'a>,
    path: &Path,
    alignment: usize,
) -> Result<(&'a str, Placed), Error> {
    let name = cursor.name("a tensor's name")?;
    let bad = |reason: &str| bad_tensor(path, name, reason);
    let dimensions = cursor.u32("a tensor's number of dimensions")? as usize;
    if dimensions > MOST_DIMENSIONS {
        return Err(bad(&format!(
            "says it has {dimensions} dimensions, and at most {MOST_DIMENSIONS} are possible"
        )));
    }
    let mut shape = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        let side = usize::try_from(cursor.u64("a tensor's shape")?).unwrap_or(usize::MAX);
        shape.insert(0, side);
    }
    let layout =
        quant::from_ggml(cursor.u32("a tensor's type")?).map_err(|stored| Error::TensorType {
            path: path.to_owned(),
            tensor: name.to_owned(),
            stored,
            advice: "use the model's Q4_K_M, Q8_0, F16 or BF16 version",
        })?;
    let start = usize::try_from(cursor.u64("a tensor's place")?).unwrap_or(usize::MAX);

    let values = checked_values(&shape).filter(|values| *values > 0);
    let Some(values) = values else {
        return Err(bad(&format!("has the impossible shape {shape:?}")));
    };
    let row = shape.last().copied().unwrap_or(1);
    let bytes = layout.stored.bytes_for(values).filter(|_| row.is_multiple_of(layout.block_values));
    let Some(bytes) = bytes else {
        return Err(bad(&format!(
            "has the shape {shape:?}, whose rows do not fill whole {} blocks",
            layout.name
        )));
    };
    if !start.is_multiple_of(alignment) {
        return Err(bad(&format!(
            "begins at place {start}, which is not a multiple of {alignment}"
        )));
    }
    Ok((name, Placed { info: TensorInfo { dtype: layout.stored, shape, bytes }, start }))
}

/// Two tensors over the same bytes would let a small file ask for any amount of memory.
fn refuse_overlap(path: &Path, tensors: &IndexMap<String, Placed>) -> Result<(), Error> {
    let mut order: Vec<(&String, &Placed)> = tensors.iter().collect();
    order.sort_by_key(|(_, placed)| placed.start);
    for pair in order.windows(2) {
        let ((first, before), (second, after)) = (pair[0], pair[1]);
        if before.start + before.info.bytes > after.start {
            return Err(bad_tensor(path, second, &format!("overlaps the tensor \"{first}\"")));
        }
    }
    Ok(())
}

fn bad_tensor(path: &Path, tensor: &str, reason: &str) -> Error {
    Error::BadTensor { path: path.to_owned(), tensor: tensor.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
