//! A base model at a glance.

use std::collections::BTreeMap;
use std::path::Path;

use sanbao_contract::model::ModelCard;
use sanbao_text::Tokenizer;

use crate::licence::{of_folder, of_gguf};
use crate::memory::{Dimensions, memory_needs};
use crate::spec::Spec;
use crate::weights::{Gguf, StoredType, WeightSource};

/// Bytes of a weight in memory: models are run and trained in float32.
const BYTES_PER_WEIGHT: u64 = 4;
/// Tokens at once that a card's memory figures are for, unless the model's context is shorter.
const CARD_TOKENS: u64 = 1024;

/// The card of the model at `path`, a folder, or the GGUF file `gguf`.
pub fn describe(
    path: &Path,
    spec: &Spec,
    tokenizer: &Tokenizer,
    source: &dyn WeightSource,
    gguf: Option<&Gguf>,
) -> ModelCard {
    let dimensions = Dimensions::of(spec);
    let context = spec.max_position_embeddings as u64;
    let statement = gguf.map_or_else(|| of_folder(path), of_gguf);
    ModelCard {
        name: name_of(path),
        architecture: spec.model_type.clone(),
        parameters: dimensions.parameters,
        context,
        vocabulary: dimensions.vocabulary,
        layers: dimensions.layers,
        hidden: dimensions.hidden,
        languages: statement.languages,
        stored_as: stored_as(source),
        bytes_on_disk: source.file_bytes(),
        has_chat_template: !tokenizer.chat_template().is_builtin(),
        licence: statement.licence,
        memory: memory_needs(&dimensions, CARD_TOKENS.min(context), BYTES_PER_WEIGHT),
    }
}

/// The name of a folder or file, without `.gguf` and the type of its numbers; what a GGUF file calls
/// itself (`general.name`) is often the name of a training run. In the hub's cache
/// (`models--OWNER--NAME/snapshots/HASH`) the name stands two folders up.
fn name_of(path: &Path) -> String {
    let text =
        |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let cached = path
        .parent()
        .filter(|folder| folder.file_name().is_some_and(|name| name == "snapshots"))
        .and_then(|folder| text(folder.parent()?.file_name()))
        .and_then(|name| Some(name.strip_prefix("models--")?.rsplit("--").next()?.to_owned()));
    let name =
        cached.or_else(|| text(path.file_name())).unwrap_or_else(|| path.display().to_string());
    match name.len().checked_sub(5).and_then(|at| name.split_at_checked(at)) {
        Some((stem, ending)) if ending.eq_ignore_ascii_case(".gguf") => {
            without_type(stem).to_owned()
        }
        _ => name,
    }
}

/// `Name.Q4_1` and `Name-Q4_K_M` without their ending.
fn without_type(stem: &str) -> &str {
    let Some((name, ending)) = stem.rsplit_once(['.', '-']) else { return stem };
    let ending = ending.to_ascii_uppercase();
    let quantised = ["Q", "IQ"].iter().any(|kind| {
        ending.strip_prefix(kind).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let plain = matches!(ending.as_str(), "F32" | "F16" | "BF16");
    if (quantised || plain) && !name.is_empty() { name } else { stem }
}

/// The type that most bytes of the weights are stored in; empty when there are no tensors.
fn stored_as(source: &dyn WeightSource) -> String {
    let mut bytes: BTreeMap<StoredType, usize> = BTreeMap::new();
    for info in source.names().into_iter().filter_map(|name| source.info(name)) {
        *bytes.entry(info.dtype).or_default() += info.bytes;
    }
    let most = bytes.into_iter().max_by_key(|(_, bytes)| *bytes);
    most.map(|(stored, _)| stored.name().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::weights::{SafetensorsFile, TensorToWrite, write_safetensors};

    #[test]
    fn names_come_from_the_path() {
        assert_eq!(name_of(Path::new("/a/SmolLM2-135M")), "SmolLM2-135M");
        assert_eq!(name_of(Path::new("/a/SmolLM2.Q4_1.GGUF")), "SmolLM2");
        assert_eq!(name_of(Path::new("/a/gemma-3-270m-it-Q4_K_M.gguf")), "gemma-3-270m-it");
        assert_eq!(name_of(Path::new("/a/model-bf16.gguf")), "model");
        assert_eq!(name_of(Path::new("/a/phi-3.gguf")), "phi-3");
        assert_eq!(
            name_of(Path::new("/hub/models--Qwen--Qwen3-0.6B/snapshots/c1899de2")),
            "Qwen3-0.6B"
        );
    }

    #[test]
    fn the_type_of_most_bytes_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let tensor = |name: &str, dtype, values: usize| {
            TensorToWrite::new(name, dtype, vec![values], move || Ok(vec![1.0; values]))
        };
        let tensors = [tensor("norm", StoredType::F32, 4), tensor("layer", StoredType::BF16, 100)];
        write_safetensors(&path, tensors, &Default::default()).unwrap();
        assert_eq!(stored_as(&SafetensorsFile::open(&path).unwrap()), "BF16");
    }
}
