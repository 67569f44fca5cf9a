//! A GGUF file: one file with everything, for llama.cpp and the programs built on it.

mod general;
mod hyper_parameters;
mod runtime;
mod tokenizer;

use std::path::Path;

use sanbao_models::gguf_map::{stored_shape, tensor_name, to_gguf};
use sanbao_models::names::{Parameter, Role};
use sanbao_models::weights::{GgufWriter, StoredType, TensorToWrite};
use sanbao_train::recipes::Words;

use super::Target;
use crate::Error;
use crate::job::{Job, Reread, Written};
use crate::options::GGUF_DTYPE;

pub(super) static GGUF: Target = Target {
    name: "gguf",
    title: Words { en: "One file (GGUF)", zh: "单个文件（GGUF）" },
    help: Words {
        en: "One file with everything, for llama.cpp, LM Studio, Jan and similar programs.",
        zh: "包含一切的单个文件，供 llama.cpp、LM Studio、Jan 等程序使用。",
    },
    options: &[&GGUF_DTYPE],
    usage: "With llama.cpp:\n\n```sh\nllama-cli -m {file}\n```",
    scoring_usage: None,
    library: "gguf",
    write,
};

/// Values of a block that q8_0 stores together.
const Q8_0_BLOCK: usize = 32;

fn write(job: &Job, folder: &Path) -> Result<Written, Error> {
    let dtype = job.options.dtype(StoredType::F16, StoredType::F16);
    write_file(job, &folder.join(file_name(job, dtype)), dtype)
}

/// Name of the file: the model's and the number format's.
pub(super) fn file_name(job: &Job, dtype: StoredType) -> String {
    format!("{}-{}.gguf", job.file_stem(), dtype.name())
}

/// Writes the file.
pub(super) fn write_file(job: &Job, path: &Path, dtype: StoredType) -> Result<Written, Error> {
    let base = job.source.base;
    let (spec, architecture) = (&base.spec, base.architecture);
    let limits = runtime::check(spec, architecture)?;
    let vocabulary = tokenizer::describe(job)?;

    let mut list = job.parameters();
    let mut reads_as = limits.reads_as;
    if architecture.gguf.architecture == "gptneox" && spec.tie_word_embeddings {
        // llama.cpp asks for the head of this family, so a tied one is written out.
        list.extend(written_out_head(&list));
        reads_as.tie_word_embeddings = false;
    }

    let mut writer = GgufWriter::new(architecture.gguf.architecture);
    general::set(&mut writer, job, dtype);
    hyper_parameters::set(&mut writer, spec, architecture);
    tokenizer::set(&mut writer, vocabulary);
    for (name, values) in hyper_parameters::rope_factors(spec) {
        let shape = vec![values.len()];
        writer.add(TensorToWrite::new(name, StoredType::F32, shape, move || Ok(values)));
    }
    let mut halved = 0;
    for parameter in &list {
        let shape = stored_shape(spec, parameter);
        let stored = stored_type(parameter, &shape, dtype);
        halved += usize::from(dtype == StoredType::Q8_0 && stored == StoredType::F16);
        writer.add(TensorToWrite::new(tensor_name(parameter), stored, shape, move || {
            let values = job.values(parameter)?;
            Ok(to_gguf(architecture, spec, parameter, values)?)
        }));
    }
    writer.write(path)?;

    let mut notes = limits.notes;
    if halved > 0 {
        notes.push(format!(
            "{halved} of {} weights are stored as f16, because their rows are not a multiple of the {Q8_0_BLOCK} numbers that q8_0 stores together.",
            list.len()
        ));
    }
    Ok(Written {
        reread: Reread::Model(path.to_path_buf()),
        stored: dtype,
        notes,
        reads_as: Some(reads_as),
        agrees_up_to: limits.agrees_up_to,
    })
}

/// How a weight is stored: norms, biases and learnt positions always in full, as llama.cpp
/// computes with them in full.
fn stored_type(parameter: &Parameter, shape: &[usize], dtype: StoredType) -> StoredType {
    let row = shape.last().copied().unwrap_or(1);
    if shape.len() < 2 || parameter.role == Role::Positions {
        StoredType::F32
    } else if dtype == StoredType::Q8_0 && !row.is_multiple_of(Q8_0_BLOCK) {
        StoredType::F16
    } else {
        dtype
    }
}

/// A head that repeats the embeddings, whose numbers are found under their name.
fn written_out_head(list: &[Parameter]) -> Option<Parameter> {
    let embeddings = list.iter().find(|parameter| parameter.role == Role::Embed)?;
    Some(Parameter { role: Role::Head, ..embeddings.clone() })
}
