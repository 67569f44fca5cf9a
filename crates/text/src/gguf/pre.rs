//! Ways of splitting text before byte-level BPE, by their names in `tokenizer.ggml.pre`.

use serde_json::{Value, json};

use crate::Error;

/// One step of splitting.
#[derive(Debug, Clone, Copy)]
enum Split {
    /// GPT-2's pattern, built into the byte-level step.
    Gpt2,
    /// Each digit alone.
    Digits,
    /// Each match of a pattern alone.
    Pattern(&'static str),
}

/// A way of splitting with the names it goes by.
pub(super) struct Splitting {
    names: &'static [&'static str],
    steps: &'static [Split],
    /// Whether text is brought into Unicode's composed form first.
    compose: bool,
    /// A word that is in the vocabulary is one token, whatever the merges say.
    pub(super) ignore_merges: bool,
    /// Whether the tokenizers of this kind begin texts with the beginning-of-sequence token.
    pub(super) add_bos: bool,
}

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;

/// Every supported way. Sources: llama.cpp's `llama-vocab.cpp` for names and flags, the models'
/// own `tokenizer.json` for the patterns.
pub(super) static SPLITTINGS: &[Splitting] = &[
    Splitting {
        names: &[
            "gpt-2",
            "default",
            "phi-2",
            "mpt",
            "jais",
            "trillion",
            "exaone4",
            "gigachat",
            "mellum",
            "granite-docling",
        ],
        steps: &[Split::Gpt2],
        compose: false,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &["olmo"],
        steps: &[Split::Gpt2],
        compose: true,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &[
            "smollm",
            "starcoder",
            "refact",
            "command-r",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2",
        ],
        steps: &[Split::Digits, Split::Gpt2],
        compose: false,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
        ],
        steps: &[Split::Pattern(LLAMA3)],
        compose: false,
        ignore_merges: true,
        add_bos: true,
    },
    Splitting {
        names: &["smaug-bpe", "dbrx", "chatglm-bpe", "glm4"],
        steps: &[Split::Pattern(LLAMA3)],
        compose: false,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &["qwen2"],
        steps: &[Split::Pattern(QWEN2)],
        compose: true,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &[
            "stablelm2",
            "deepseek-r1-qwen",
            "hunyuan",
            "megrez",
            "kormo",
            "solar-open",
            "grok-2",
        ],
        steps: &[Split::Pattern(QWEN2)],
        compose: false,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &["qwen35"],
        steps: &[Split::Pattern(QWEN35)],
        compose: true,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &["tekken"],
        steps: &[Split::Pattern(TEKKEN)],
        compose: false,
        ignore_merges: true,
        add_bos: true,
    },
    Splitting {
        names: &["gpt-4o", "llama4", "kanana2", "minimax-m2"],
        steps: &[Split::Pattern(GPT4O)],
        compose: false,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &["deepseek-v3", "hunyuan-dense"],
        steps: &[
            Split::Pattern(r"\p{N}{1,3}"),
            Split::Pattern("[一-龥\u{3040}-ゟ゠-ヿ]+"),
            Split::Pattern(DEEPSEEK3),
        ],
        compose: false,
        ignore_merges: false,
        add_bos: false,
    },
    Splitting {
        names: &["deepseek-coder"],
        steps: &[
            Split::Pattern(r"[\r\n]"),
            Split::Pattern(r"\s?\p{L}+"),
            Split::Pattern(r"\s?\p{P}+"),
            Split::Pattern("[一-龥ࠀ-一가-\u{d7ff}]+"),
            Split::Digits,
        ],
        compose: false,
        ignore_merges: false,
        add_bos: false,
    },
];

/// The way of splitting that a file names. One that names none is old and split as GPT-2 does.
pub(super) fn splitting(pre: Option<&str>) -> Result<&'static Splitting, Error> {
    let name = pre.unwrap_or("gpt-2");
    SPLITTINGS.iter().find(|splitting| splitting.names.contains(&name)).ok_or_else(|| {
        Error::GgufPre {
            pre: name.to_owned(),
            supported: SPLITTINGS
                .iter()
                .flat_map(|splitting| splitting.names)
                .copied()
                .collect::<Vec<_>>()
                .join(", "),
        }
    })
}

impl Splitting {
    /// The `normalizer` of a `tokenizer.json`.
    pub(super) fn normalizer(&self) -> Value {
        if self.compose { json!({"type": "NFC"}) } else { Value::Null }
    }

    /// The `pre_tokenizer` of a `tokenizer.json`.
    pub(super) fn json(&self) -> Value {
        let byte_level = |use_regex: bool| json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex});
        let mut steps: Vec<Value> = self
            .steps
            .iter()
            .filter_map(|step| match step {
                Split::Gpt2 => None,
                Split::Digits => Some(json!({"type": "Digits", "individual_digits": true})),
                Split::Pattern(pattern) => Some(json!({
                    "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false,
                })),
            })
            .collect();
        steps.push(byte_level(self.steps.iter().any(|step| matches!(step, Split::Gpt2))));
        json!({"type": "Sequence", "pretokenizers": steps})
    }
}
