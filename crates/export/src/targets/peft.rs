//! A PEFT adapter folder: only what was learnt, to be put onto the base model.

use std::path::Path;

use sanbao_models::weights::StoredType;
use sanbao_train::lora::save_adapter;
use sanbao_train::recipes::Words;

use super::Target;
use crate::job::{Job, Reread, Written};
use crate::{Error, tokenizer_files};

pub(super) static PEFT: Target = Target {
    name: "peft",
    title: Words { en: "Adapter (PEFT)", zh: "适配器（PEFT）" },
    help: Words {
        en: "A small folder with only what was learnt; whoever uses it needs the base model as well.",
        zh: "只含所学内容的小文件夹；使用者还需要有基础模型。",
    },
    options: &[],
    usage: "With transformers and PEFT:\n\n```python\nfrom peft import AutoPeftModelForCausalLM\nfrom transformers import AutoTokenizer\n\n\
        model = AutoPeftModelForCausalLM.from_pretrained(\"{name}\")\ntokenizer = AutoTokenizer.from_pretrained(\"{name}\")\n```",
    scoring_usage: Some(
        "With transformers and PEFT, one conversation at a time, in the layout of the tokenizer's template:\n\n```python\n\
        from peft import AutoPeftModelForSequenceClassification\nfrom transformers import AutoTokenizer\n\n\
        model = AutoPeftModelForSequenceClassification.from_pretrained(\"{name}\", num_labels=1)\n\
        # The score is that of the last token, even where that token also pads.\n\
        model.config.pad_token_id = None\ntokenizer = AutoTokenizer.from_pretrained(\"{name}\")\n```",
    ),
    library: "peft",
    write,
};

fn write(job: &Job, folder: &Path) -> Result<Written, Error> {
    let source = job.source;
    let config = source.lora.ok_or(Error::NoAdapter)?;
    let mut model = source.model.clone();
    if model.linears().all(|linear| linear.adapter.is_none()) {
        return Err(Error::NoAdapter);
    }
    save_adapter(&mut model, config, &source.card.base_model, folder)?;
    tokenizer_files::write(&source.base.tokenizer, source.card.task, folder)?;
    let mut written = Written::whole(Reread::Adapter(folder.to_path_buf()), StoredType::F32);
    if source.base.path.is_file() {
        written.notes.push(
            "The base model came from a GGUF file; PEFT needs the same model as a Hugging Face folder, whose weights \
             differ a little from those of a quantised file. Export as hf to hand on exactly what was trained."
                .to_owned(),
        );
    }
    Ok(written)
}
