//! Writing safetensors files, one tensor in memory at a time.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::folder::{INDEX, SINGLE};
use super::header::{LONGEST_HEADER, METADATA_KEY};
use crate::weights::encode::TensorToWrite;
use crate::weights::pending::PendingFile;
use crate::weights::{Error, StoredType};

/// What can be written.
const WRITTEN: &[StoredType] = &[StoredType::F32, StoredType::F16, StoredType::BF16];
/// The header's length is a multiple of this, so that the data after it is aligned.
const ALIGNMENT: usize = 8;

/// Writes one safetensors file.
///
/// `metadata` are the free-form texts of the header; `format: pt`, which transformers asks
/// for, is added when it is not among them. Tensors of wider types come first (so that every
/// tensor is aligned), otherwise they keep their order.
///
/// # Errors
/// When two tensors have one name, a type, shape or value cannot be written, a tensor's values
/// cannot be had, or the disk refuses. Nothing is left behind then.
pub fn write_safetensors<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = TensorToWrite<'a>>,
    metadata: &IndexMap<String, String>,
) -> Result<(), Error> {
    let tensors = sized(tensors)?;
    write_pending(path, tensors, metadata)?.finish()
}

/// Writes the weights of a Hugging Face model folder: `model.safetensors`, or when the tensors
/// take more than `shard_bytes`, `model-00001-of-0000N.safetensors` … and
/// `model.safetensors.index.json`. Returns the files written.
///
/// A file takes tensors, in their order, until the next would make it larger than
/// `shard_bytes`, as transformers' `save_pretrained` does. The files get their names when all
/// of them are complete, the index last.
///
/// # Errors
/// As [`write_safetensors`].
pub fn write_sharded_safetensors<'a>(
    folder: &Path,
    tensors: impl IntoIterator<Item = TensorToWrite<'a>>,
    metadata: &IndexMap<String, String>,
    shard_bytes: usize,
) -> Result<Vec<PathBuf>, Error> {
    let tensors = sized(tensors)?;
    let total: usize = tensors.iter().map(|(_, bytes)| bytes).sum();
    let parameters: usize =
        tensors.iter().map(|(tensor, _)| tensor.shape.iter().product::<usize>()).sum();
    let mut shards = divide(tensors, shard_bytes);
    if shards.len() <= 1 {
        let path = folder.join(SINGLE);
        write_pending(&path, shards.pop().unwrap_or_default(), metadata)?.finish()?;
        return Ok(vec![path]);
    }

    let count = shards.len();
    let mut weight_map = Map::new();
    let mut pending = Vec::with_capacity(count + 1);
    let mut paths = Vec::with_capacity(count + 1);
    for (place, shard) in shards.into_iter().enumerate() {
        let name = format!("model-{:05}-of-{count:05}.safetensors", place + 1);
        for (tensor, _) in &shard {
            weight_map.insert(tensor.name.clone(), Value::String(name.clone()));
        }
        let path = folder.join(name);
        pending.push(write_pending(&path, shard, metadata)?);
        paths.push(path);
    }
    let index = json!({
        "metadata": { "total_parameters": parameters, "total_size": total },
        "weight_map": weight_map,
    });
    let path = folder.join(INDEX);
    let mut file = PendingFile::create(&path)?;
    file.write(format!("{index:#}\n").as_bytes())?;
    pending.push(file);
    paths.push(path);
    for file in pending {
        file.finish()?;
    }
    Ok(paths)
}

type SizedTensors<'a> = Vec<(TensorToWrite<'a>, usize)>;

/// Checks the tensors and pairs each with its size in bytes.
fn sized<'a>(
    tensors: impl IntoIterator<Item = TensorToWrite<'a>>,
) -> Result<SizedTensors<'a>, Error> {
    let mut names = HashSet::new();
    tensors
        .into_iter()
        .map(|tensor| {
            if !names.insert(tensor.name.clone()) {
                return Err(tensor.bad("another tensor has the same name".to_owned()));
            }
            if tensor.name == METADATA_KEY {
                return Err(tensor.bad("safetensors uses this name itself".to_owned()));
            }
            let bytes = tensor.bytes(WRITTEN)?;
            Ok((tensor, bytes))
        })
        .collect()
}

fn divide(tensors: SizedTensors<'_>, shard_bytes: usize) -> Vec<SizedTensors<'_>> {
    let mut shards: Vec<SizedTensors<'_>> = Vec::new();
    let mut filled = 0;
    for (tensor, bytes) in tensors {
        match shards.last_mut() {
            Some(shard) if filled + bytes <= shard_bytes => {
                filled += bytes;
                shard.push((tensor, bytes));
            }
            _ => {
                filled = bytes;
                shards.push(vec![(tensor, bytes)]);
            }
        }
    }
    shards
}

/// Writes a whole file that does not have its name yet.
fn write_pending(
    path: &Path,
    mut tensors: SizedTensors<'_>,
    metadata: &IndexMap<String, String>,
) -> Result<PendingFile, Error> {
    tensors.sort_by_key(|(tensor, _)| std::cmp::Reverse(tensor.dtype.layout().block_bytes));
    let header = header(&tensors, metadata);
    if header.len() > LONGEST_HEADER {
        let last = tensors.last().map(|(tensor, _)| tensor.name.clone()).unwrap_or_default();
        return Err(Error::BadExport {
            tensor: last,
            reason: "there are too many tensors for one file".to_owned(),
        });
    }
    let mut file = PendingFile::create(path)?;
    file.write(&(header.len() as u64).to_le_bytes())?;
    file.write(&header)?;
    for (tensor, _) in tensors {
        tensor.write(&mut file)?;
    }
    Ok(file)
}

fn header(tensors: &SizedTensors<'_>, metadata: &IndexMap<String, String>) -> Vec<u8> {
    let mut texts: Map<String, Value> =
        metadata.iter().map(|(key, text)| (key.clone(), Value::String(text.clone()))).collect();
    texts.entry("format").or_insert_with(|| Value::String("pt".to_owned()));
    let mut header = Map::new();
    header.insert(METADATA_KEY.to_owned(), Value::Object(texts));
    let mut begin = 0;
    for (tensor, bytes) in tensors {
        let end = begin + bytes;
        let entry = json!({ "dtype": tensor.dtype.name(), "shape": tensor.shape, "data_offsets": [begin, end] });
        header.insert(tensor.name.clone(), entry);
        begin = end;
    }
    let mut header = Value::Object(header).to_string().into_bytes();
    header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
    header
}
