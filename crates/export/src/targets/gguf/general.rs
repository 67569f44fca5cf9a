//! What a GGUF file says about itself: name, licence, origin.

use sanbao_models::weights::{GgufWriter, MetaArray, MetaValue, StoredType};

use crate::card::hub_licence;
use crate::job::Job;

/// `general.file_type`, after `LlamaFileType` of gguf-py.
fn file_type(dtype: StoredType) -> u32 {
    match dtype {
        StoredType::F16 => 1,
        StoredType::Q8_0 => 7,
        StoredType::BF16 => 32,
        _ => 0,
    }
}

/// Writes the `general.*` keys.
pub(super) fn set(writer: &mut GgufWriter, job: &Job, dtype: StoredType) {
    let (card, facts) = (&job.source.base.card, &job.source.card);
    let mut text = |key: &str, value: &str| writer.set(key, MetaValue::String(value.to_owned()));
    text("general.type", "model");
    text("general.name", &facts.name);
    if let Some(id) = &card.licence.id {
        let (tag, name) = hub_licence(id);
        text("general.license", &tag);
        if let Some(name) = name {
            text("general.license.name", name);
        }
    }
    text("general.base_model.0.name", &card.name);
    writer.set("general.base_model.count", MetaValue::U32(1));
    if !card.languages.is_empty() {
        writer
            .set("general.languages", MetaValue::Array(MetaArray::String(card.languages.clone())));
    }
    writer.set("general.file_type", MetaValue::U32(file_type(dtype)));
    writer.set("general.quantization_version", MetaValue::U32(2));
}
