//! Options of the targets, declared once: forms, command-line flags and checks read these.

use std::collections::BTreeMap;

use sanbao_models::weights::StoredType;
use sanbao_train::recipes::{Kind, Parameter, Words};
use serde_json::Value;

use crate::Error;
use crate::targets::Target;

/// Bytes of a weight file above which it is split, as transformers does.
const SHARD_BYTES: i64 = 5_000_000_000;

pub(crate) static HF_DTYPE: Parameter = Parameter {
    name: "dtype",
    kind: Kind::Choice(&["auto", "f32", "bf16", "f16"]),
    help: Words {
        en: "How weights are stored: f32 is exact, bf16 and f16 take half the space, auto is what the base model uses.",
        zh: "权重的存储方式：f32 精确，bf16 和 f16 只占一半空间，auto 与基础模型相同。",
    },
};

pub(crate) static MAX_SHARD_SIZE: Parameter = Parameter {
    name: "max_shard_size",
    kind: Kind::Integer(1_000, 1 << 50),
    help: Words {
        en: "Bytes above which the weights are split into several files.",
        zh: "权重超过多少字节时拆分为多个文件。",
    },
};

pub(crate) static GGUF_DTYPE: Parameter = Parameter {
    name: "dtype",
    kind: Kind::Choice(&["f16", "f32", "q8_0"]),
    help: Words {
        en: "How weights are stored: f32 is exact, f16 takes half the space, q8_0 a good quarter.",
        zh: "权重的存储方式：f32 精确，f16 占一半空间，q8_0 占四分之一强。",
    },
};

pub(crate) static TEMPERATURE: Parameter = Parameter {
    name: "temperature",
    kind: Kind::Number(0.0, 5.0),
    help: Words {
        en: "How freely the model chooses its words; 0 always takes the most likely one.",
        zh: "模型选词的自由程度；0 表示总是选最可能的词。",
    },
};

/// Values of a target's options, checked.
pub(crate) struct Options(BTreeMap<String, Value>);

impl Options {
    pub(crate) fn resolve(target: &Target, given: &BTreeMap<String, Value>) -> Result<Self, Error> {
        for (name, value) in given {
            let declared = target.options.iter().find(|option| option.name == name);
            let Some(option) = declared else {
                let known: Vec<&str> = target.options.iter().map(|option| option.name).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Error::UnknownOption {
                    target: target.name,
                    name: name.clone(),
                    known,
                });
            };
            option.check(value)?;
        }
        Ok(Self(given.clone()))
    }

    /// How weights are to be stored; `absent` when it is not said, `auto` when it is left open.
    pub(crate) fn dtype(&self, absent: StoredType, auto: StoredType) -> StoredType {
        match self.0.get(HF_DTYPE.name).and_then(Value::as_str) {
            Some("f32") => StoredType::F32,
            Some("f16") => StoredType::F16,
            Some("bf16") => StoredType::BF16,
            Some("q8_0") => StoredType::Q8_0,
            Some("auto") => auto,
            _ => absent,
        }
    }

    pub(crate) fn shard_bytes(&self) -> usize {
        let bytes = self.0.get(MAX_SHARD_SIZE.name).and_then(Value::as_i64).unwrap_or(SHARD_BYTES);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    pub(crate) fn temperature(&self) -> Option<f64> {
        self.0.get(TEMPERATURE.name).and_then(Value::as_f64)
    }
}
