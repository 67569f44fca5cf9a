//! The header of a safetensors file, read strictly.

use std::fmt;
use std::path::Path;

use indexmap::IndexMap;
use indexmap::map::Entry;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::weights::stored::{TensorInfo, checked_values};
use crate::weights::{Error, quant};

/// Bytes that give the header's length.
const LENGTH_BYTES: usize = 8;
/// The longest header that the reference implementation takes.
pub(super) const LONGEST_HEADER: usize = 100_000_000;
pub(super) const METADATA_KEY: &str = "__metadata__";
const MOST_DIMENSIONS: usize = 8;
/// Names have to fit in a message; those in use have fewer than a hundred bytes.
const LONGEST_NAME: usize = 1024;

/// Letters of a JSON error that are shown.
const LONGEST_QUOTE: usize = 300;

/// A checked header.
#[derive(Debug)]
pub(super) struct Header {
    pub metadata: IndexMap<String, String>,
    pub tensors: IndexMap<String, Placed>,
}

/// A tensor and where its bytes begin in the file.
#[derive(Debug)]
pub(super) struct Placed {
    pub info: TensorInfo,
    pub start: usize,
}

impl Header {
    /// Reads and checks the header of the file whose bytes these are.
    pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let damaged = |offset: usize, reason: String| Error::Damaged {
            path: path.to_owned(),
            offset: offset as u64,
            reason,
        };
        let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
            return Err(damaged(
                0,
                format!("it has {} bytes and is cut off in its first eight", bytes.len()),
            ));
        };
        let length = u64::from_le_bytes(*length);
        let Some(length) = usize::try_from(length).ok().filter(|length| *length <= rest.len())
        else {
            let reason =
                format!("its header should have {length} bytes, which is more than the file holds");
            return Err(damaged(0, reason));
        };
        if length > LONGEST_HEADER {
            return Err(damaged(
                0,
                format!("its header has {length} bytes, and at most {LONGEST_HEADER} are allowed"),
            ));
        }
        let (json, data) = rest.split_at(length);
        if json.first() != Some(&b'{') {
            return Err(damaged(LENGTH_BYTES, "its header does not begin with {".to_owned()));
        }
        let raw: RawHeader = serde_json::from_slice(json).map_err(|error| {
            // The message may quote the file at any length.
            let what: String = error.to_string().chars().take(LONGEST_QUOTE).collect();
            damaged(LENGTH_BYTES, format!("its header is not right: {what}"))
        })?;
        let data_start = LENGTH_BYTES + length;
        let tensors = place(raw.tensors, data_start, data.len(), path)?;
        Ok(Self { metadata: raw.metadata, tensors })
    }
}

/// Checks every tensor by itself and that together they fill the data without gaps.
fn place(
    raw: IndexMap<String, RawTensor>,
    data_start: usize,
    data_bytes: usize,
    path: &Path,
) -> Result<IndexMap<String, Placed>, Error> {
    let bad = |tensor: &str, reason: String| Error::BadTensor {
        path: path.to_owned(),
        tensor: tensor.to_owned(),
        reason,
    };
    let mut tensors = IndexMap::with_capacity(raw.len());
    for (name, tensor) in raw {
        let Some(layout) = quant::from_safetensors(&tensor.dtype) else {
            return Err(Error::TensorType {
                path: path.to_owned(),
                tensor: name,
                stored: tensor.dtype.chars().take(32).flat_map(char::escape_debug).collect(),
                advice: "use the model's F32, F16 or BF16 version",
            });
        };
        if tensor.shape.len() > MOST_DIMENSIONS {
            let reason = format!(
                "has {} dimensions, and at most {MOST_DIMENSIONS} are read",
                tensor.shape.len()
            );
            return Err(bad(&name, reason));
        }
        let [begin, end] = tensor.data_offsets;
        if begin > end || end > data_bytes {
            let reason =
                format!("should lie at bytes {begin} to {end} of the data, which has {data_bytes}");
            return Err(bad(&name, reason));
        }
        let bytes =
            checked_values(&tensor.shape).and_then(|values| layout.stored.bytes_for(values));
        if bytes != Some(end - begin) {
            let reason = format!(
                "has {} bytes, which do not match its shape {:?} in {}",
                end - begin,
                tensor.shape,
                layout.name
            );
            return Err(bad(&name, reason));
        }
        let info = TensorInfo { dtype: layout.stored, shape: tensor.shape, bytes: end - begin };
        tensors.insert(name, Placed { info, start: data_start + begin });
    }

    tensors.sort_by(|_, left, _, right| {
        (left.start, left.info.bytes).cmp(&(right.start, right.info.bytes))
    });
    let mut reached = data_start;
    for (name, placed) in &tensors {
        if placed.start != reached {
            let what = if placed.start < reached {
                "overlaps the tensor before it"
            } else {
                "leaves a gap before it"
            };
            return Err(bad(name, what.to_owned()));
        }
        reached += placed.info.bytes;
    }
    if reached != data_start + data_bytes {
        return Err(Error::Damaged {
            path: path.to_owned(),
            offset: reached as u64,
            reason: format!(
                "{} bytes after the last tensor belong to none",
                data_start + data_bytes - reached
            ),
        });
    }
    Ok(tensors)
}

#[derive(Deserialize)]
struct RawTensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// The JSON as it stands, except that a name may not stand in it twice.
struct RawHeader {
    metadata: IndexMap<String, String>,
    tensors: IndexMap<String, RawTensor>,
}

impl<'de> Deserialize<'de> for RawHeader {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawHeaderVisitor)
    }
}

struct RawHeaderVisitor;

impl<'de> Visitor<'de> for RawHeaderVisitor {
    type Value = RawHeader;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawHeader, A::Error> {
        let mut metadata = None;
        let mut tensors = IndexMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == METADATA_KEY {
                if metadata.replace(map.next_value()?).is_some() {
                    return Err(A::Error::custom("__metadata__ stands in it twice"));
                }
                continue;
            }
            if name.len() > LONGEST_NAME {
                return Err(A::Error::custom(format!("a tensor's name has {} bytes", name.len())));
            }
            if name.contains(char::is_control) {
                return Err(A::Error::custom(format!(
                    "a tensor's name holds control characters: {name:?}"
                )));
            }
            match tensors.entry(name) {
                Entry::Occupied(there) => {
                    return Err(A::Error::custom(format!(
                        "the tensor \"{}\" stands in it twice",
                        there.key()
                    )));
                }
                Entry::Vacant(free) => {
                    free.insert(map.next_value()?);
                }
            }
        }
        Ok(RawHeader { metadata: metadata.unwrap_or_default(), tensors })
    }
}
