//! A Hugging Face model folder with the adapter merged in.

mod config;

use std::path::Path;

use sanbao_models::weights::{StoredType, TensorToWrite, write_sharded_safetensors};
use sanbao_train::recipes::Words;

use super::Target;
use crate::Error;
use crate::job::{Job, Reread, Written};
use crate::options::{HF_DTYPE, MAX_SHARD_SIZE};
use crate::tokenizer_files::{self, json_file};

pub(super) static HF: Target = Target {
    name: "hf",
    title: Words { en: "Whole model (Hugging Face)", zh: "完整模型（Hugging Face）" },
    help: Words {
        en: "The usual form: a folder that transformers, vLLM and most other programs load, and that can be trained further here.",
        zh: "通用形式：transformers、vLLM 等大多数程序都能加载的文件夹，也可以在这里继续训练。",
    },
    options: &[&HF_DTYPE, &MAX_SHARD_SIZE],
    usage: "With transformers:\n\n```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n\
        model = AutoModelForCausalLM.from_pretrained(\"{name}\")\ntokenizer = AutoTokenizer.from_pretrained(\"{name}\")\n```",
    scoring_usage: Some(
        "With transformers, in the layout of the tokenizer's template:\n\n```python\n\
        from transformers import AutoModelForSequenceClassification, AutoTokenizer\n\n\
        model = AutoModelForSequenceClassification.from_pretrained(\"{name}\")\n\
        tokenizer = AutoTokenizer.from_pretrained(\"{name}\")\n```",
    ),
    library: "transformers",
    write,
};

/// What `auto` stands for: as the base model, in the format that loses least where the base is
/// quantised.
fn as_stored(base: &str) -> StoredType {
    match base {
        "BF16" => StoredType::BF16,
        "F32" | "F64" => StoredType::F32,
        _ => StoredType::F16,
    }
}

fn write(job: &Job, folder: &Path) -> Result<Written, Error> {
    let base = job.source.base;
    let auto = as_stored(&base.card.stored_as);
    let dtype = job.options.dtype(auto, auto);
    let scores = job.source.scores();
    json_file(&folder.join("config.json"), &config::config_json(base, dtype, scores)?)?;
    let list = job.parameters();
    let tensors = list.iter().map(|parameter| {
        TensorToWrite::new(&parameter.name, dtype, parameter.shape.clone(), || {
            Ok(job.values(parameter)?)
        })
    });
    write_sharded_safetensors(folder, tensors, &Default::default(), job.options.shard_bytes())?;
    tokenizer_files::write(&base.tokenizer, job.source.card.task, folder)?;
    let mut written = Written::whole(Reread::Model(folder.to_path_buf()), dtype);
    if scores {
        written.reads_as = Some(config::without_head(&base.spec));
    }
    Ok(written)
}
