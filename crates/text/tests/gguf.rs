//! Tokenizers from GGUF metadata against transformers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;
#[path = "common/gguf.rs"]
mod reader;

use std::collections::HashMap;
use std::path::Path;

use common::{fixture, golden, ids, json};
use proptest::prelude::*;
use sanbao_contract::Message;
use sanbao_text::{ChatOptions, GgufTokenizer, Tokenizer, gguf_tokenizer};
use serde_json::Value;

fn tokenizer(metadata: &GgufTokenizer) -> Tokenizer {
    Tokenizer::new(gguf_tokenizer(metadata).unwrap()).unwrap()
}

/// The metadata of SmolLM2-135M-Instruct, as the file has it.
fn smollm2() -> GgufTokenizer {
    let stored = json(fixture("smollm2_135m_gguf_tokenizer.json"));
    let texts = |key: &str| -> Vec<String> { serde_json::from_value(stored[key].clone()).unwrap() };
    let id = |key: &str| stored[key].as_u64().map(|id| u32::try_from(id).unwrap());
    let merges = texts("merges");
    let mut tokens = texts("head");
    tokens.extend(merges.iter().map(|merge| merge.replacen(' ', "", 1)));
    assert_eq!(tokens.len(), 49_152);
    let control = usize::try_from(stored["control"].as_u64().unwrap()).unwrap();
    GgufTokenizer {
        model: "gpt2".to_owned(),
        pre: Some("smollm".to_owned()),
        token_types: Some((0..tokens.len()).map(|id| if id < control { 3 } else { 1 }).collect()),
        tokens,
        merges: Some(merges),
        bos: id("bos"),
        eos: id("eos"),
        pad: id("pad"),
        unk: id("unk"),
        add_bos: stored["add_bos"].as_bool(),
        add_space_prefix: stored["add_space_prefix"].as_bool(),
        chat_template: stored["chat_template"].as_str().map(str::to_owned),
        ..GgufTokenizer::default()
    }
}

/// Compares with a `golden.json` of goldens/real_models.
fn check_real_model(tokenizer: &Tokenizer, golden: &Value) {
    for case in golden["tokenizer"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        assert_eq!(tokenizer.encode(text, true).unwrap(), ids(&case["ids"]), "{text:?}");
        let plain = ids(&case["ids_no_special"]);
        assert_eq!(tokenizer.encode(text, false).unwrap(), plain, "{text:?}");
        assert_eq!(
            tokenizer.decode(&plain, false).unwrap(),
            case["decoded"].as_str().unwrap(),
            "{text:?}"
        );
    }
    // Some of these texts have the beginning-of-sequence token written out.
    let bos = tokenizer.bos().map(|id| tokenizer.token_text(id));
    let encode = |text: &str| {
        let written = bos.as_ref().is_some_and(|bos| text.starts_with(bos));
        tokenizer.encode(text, !written).unwrap()
    };
    for key in ["text_64", "text_2k"] {
        assert_eq!(
            encode(golden[key]["text"].as_str().unwrap()),
            ids(&golden[key]["ids"]),
            "{key}"
        );
    }
    for prompt in golden["prompts"].as_array().unwrap() {
        let text = prompt["text"].as_str().unwrap();
        let expected = ids(&prompt["ids"]);
        match prompt.get("messages") {
            Some(messages) => {
                let messages: Vec<Message> = serde_json::from_value(messages.clone()).unwrap();
                let options = ChatOptions { add_generation_prompt: true, ..ChatOptions::default() };
                let chat = tokenizer.encode_chat(&messages, &options).unwrap();
                assert_eq!((chat.text.as_str(), chat.ids), (text, expected));
            }
            None => assert_eq!(encode(text), expected, "{text:?}"),
        }
    }
}

#[test]
fn smollm2_equals_transformers() {
    let tokenizer = tokenizer(&smollm2());
    check_real_model(&tokenizer, &json(golden("real_models/smollm2_135m_instruct/golden.json")));
    assert_eq!(tokenizer.vocabulary_size(), 49_152);
    assert_eq!((tokenizer.bos(), tokenizer.eos(), tokenizer.pad()), (Some(1), Some(2), Some(2)));
    assert_eq!(tokenizer.stop_ids(), [2]);
    assert!(!tokenizer.chat_template().is_builtin());
    let messages = [Message::new("user", "Hi"), Message::new("assistant", "Hello 鲸鱼")];
    let chat = tokenizer.encode_chat(&messages, &ChatOptions::default()).unwrap();
    let trained: Vec<u32> =
        chat.ids.iter().zip(&chat.trained).filter(|(_, flag)| **flag).map(|(id, _)| *id).collect();
    assert_eq!(tokenizer.decode(&trained, false).unwrap(), "Hello 鲸鱼<|im_end|>");
    assert!(chat.learns_to_stop(tokenizer.stop_ids()));
}

/// A golden tokenizer's vocabulary as a GGUF file would hold it.
fn as_gguf(name: &str, model: &str, pre: Option<&str>) -> GgufTokenizer {
    let file = json(golden(&format!("models/{name}/tokenizer.json")));
    let mut tokens: Vec<(u64, String)> = file["model"]["vocab"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(token, id)| (id.as_u64().unwrap(), token.clone()))
        .collect();
    tokens.sort();
    let tokens: Vec<String> = tokens.into_iter().map(|(_, token)| token).collect();
    let special: HashMap<&str, bool> = file["added_tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| (token["content"].as_str().unwrap(), token["special"].as_bool().unwrap()))
        .collect();
    let kind = |token: &String| match special.get(token.as_str()) {
        Some(true) => 3,
        Some(false) => 4,
        None if token.starts_with("<0x") && token.len() == 6 => 6,
        None => 1,
    };
    let merges = file["model"]["merges"].as_array().unwrap().iter().map(|merge| match merge {
        Value::String(merge) => merge.clone(),
        pair => format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()),
    });
    let folder = Tokenizer::from_folder(&golden(&format!("models/{name}"))).unwrap();
    let first = folder.encode("", true).unwrap().first().copied();
    let unk = folder.special_tokens().get("unk_token").and_then(|token| folder.token_id(token));
    GgufTokenizer {
        model: model.to_owned(),
        pre: pre.map(str::to_owned),
        scores: (model == "llama").then(|| (0..tokens.len()).map(|id| -(id as f32)).collect()),
        token_types: Some(tokens.iter().map(kind).collect()),
        merges: (model == "gpt2").then(|| merges.collect()),
        tokens,
        bos: folder.bos(),
        eos: folder.eos(),
        pad: folder.pad(),
        unk,
        add_bos: Some(first.is_some()),
        add_eos: None,
        add_space_prefix: Some(!name.starts_with("gemma")),
        chat_template: None,
    }
}

#[test]
fn every_kind_gives_the_ids_of_the_folder() {
    for (name, model, pre) in [
        ("gpt2", "gpt2", Some("gpt-2")),
        ("gpt2", "gpt2", None),
        ("gpt_neox", "gpt2", Some("olmo")),
        ("llama_gqa_tied", "gpt2", Some("smollm")),
        ("llama3_rope_untied", "gpt2", Some("llama-bpe")),
        ("smollm3_nope", "gpt2", Some("smaug-bpe")),
        ("qwen2", "gpt2", Some("qwen2")),
        ("qwen3", "gpt2", Some("qwen2")),
        ("mistral_sliding", "llama", Some("default")),
        ("phi3", "llama", None),
        ("gemma2", "llama", None),
        ("gemma3", "llama", Some("default")),
    ] {
        let tokenizer = tokenizer(&as_gguf(name, model, pre));
        for case in
            json(golden(&format!("models/{name}/golden_tokenizer.json"))).as_array().unwrap()
        {
            let text = case["text"].as_str().unwrap();
            assert_eq!(
                tokenizer.encode(text, true).unwrap(),
                ids(&case["ids"]),
                "{name} {pre:?}: {text:?}"
            );
            let plain = ids(&case["ids_no_special"]);
            assert_eq!(tokenizer.encode(text, false).unwrap(), plain, "{name} {pre:?}: {text:?}");
            assert_eq!(
                tokenizer.decode(&plain, false).unwrap(),
                case["decoded"].as_str().unwrap(),
                "{name}: {text:?}"
            );
        }
    }
}

#[test]
fn llama3_begins_with_bos_unless_the_file_says_otherwise() {
    let mut metadata = as_gguf("llama3_rope_untied", "gpt2", Some("llama-bpe"));
    metadata.add_bos = None;
    assert_eq!(tokenizer(&metadata).encode("", true).unwrap(), [metadata.bos.unwrap()]);
    metadata.add_bos = Some(false);
    metadata.add_eos = Some(true);
    assert_eq!(tokenizer(&metadata).encode("", true).unwrap(), [metadata.eos.unwrap()]);
    metadata.eos = None;
    assert_eq!(gguf_tokenizer(&metadata).unwrap_err().code(), "text.gguf_vocabulary");
}

#[test]
fn what_is_not_supported_is_named() {
    let mut metadata = smollm2();
    metadata.pre = Some("klingon".to_owned());
    let error = gguf_tokenizer(&metadata).unwrap_err();
    assert_eq!(error.code(), "text.gguf_pre");
    let message = error.to_string();
    for word in ["klingon", "smollm", "llama-bpe", "qwen2", "gpt-2", "default", "phi-2", "tekken"] {
        assert!(message.contains(word), "{message}");
    }
    metadata.model = "rwkv".to_owned();
    let error = gguf_tokenizer(&metadata).unwrap_err();
    assert_eq!(error.code(), "text.gguf_model");
    assert!(
        error.to_string().contains("rwkv") && error.to_string().contains("gpt2, llama"),
        "{error}"
    );
}

#[test]
fn lists_that_do_not_fit_are_errors() {
    let good = as_gguf("mistral_sliding", "llama", None);
    let bpe = as_gguf("gpt2", "gpt2", None);
    let broken: Vec<GgufTokenizer> = vec![
        GgufTokenizer { tokens: Vec::new(), ..good.clone() },
        GgufTokenizer { scores: None, ..good.clone() },
        GgufTokenizer { scores: Some(vec![0.0]), ..good.clone() },
        GgufTokenizer { scores: Some(vec![f32::NAN; good.tokens.len()]), ..good.clone() },
        GgufTokenizer { token_types: Some(vec![1; 3]), ..good.clone() },
        GgufTokenizer { eos: Some(1_000_000), ..good.clone() },
        GgufTokenizer { tokens: vec!["a".to_owned(); good.tokens.len()], ..good.clone() },
        GgufTokenizer { merges: None, ..bpe.clone() },
        GgufTokenizer { merges: Some(vec!["ab".to_owned()]), ..bpe.clone() },
        GgufTokenizer { merges: Some(vec!["zzz qqq".to_owned()]), ..bpe.clone() },
    ];
    for metadata in broken {
        let error = gguf_tokenizer(&metadata).unwrap_err();
        assert_eq!(error.code(), "text.gguf_vocabulary", "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_metadata_gives_a_tokenizer_or_an_error(
        llama: bool,
        tokens in prop::collection::vec("[ab ▁<>0xF]{0,4}", 0..40),
        kinds in prop::collection::vec(0_i32..8, 0..40),
        scores in prop::collection::vec(prop::num::f32::ANY, 0..40),
        merges in prop::option::of(prop::collection::vec("[ab] ?[ab]{0,2}", 0..10)),
        bos in prop::option::of(0_u32..60),
        fit: bool,
    ) {
        let mut metadata = GgufTokenizer {
            model: if llama { "llama" } else { "gpt2" }.to_owned(),
            scores: Some(scores),
            token_types: Some(kinds),
            tokens,
            merges,
            bos,
            ..GgufTokenizer::default()
        };
        if fit {
            metadata.tokens.sort();
            metadata.tokens.dedup();
            let count = metadata.tokens.len();
            metadata.scores = Some((0..count).map(|id| -(id as f32)).collect());
            metadata.token_types = Some(vec![1; count]);
        }
        if let Ok(files) = gguf_tokenizer(&metadata)
            && let Ok(tokenizer) = Tokenizer::new(files)
        {
            let _ = tokenizer.encode("a b ab<0xF> é", true).and_then(|ids| tokenizer.decode(&ids, false));
        }
    }
}

/// `SANBAO_STARTER_MODEL` names a GGUF file.
#[test]
fn a_real_file_equals_transformers() {
    if let Some(file) = std::env::var_os("SANBAO_STARTER_MODEL") {
        check_file(Path::new(&file));
    }
}

fn check_file(path: &Path) {
    let metadata = reader::metadata(path);
    let get = |key: &str| metadata.get(&format!("tokenizer.{key}")).cloned();
    let id = |key: &str| get(key).and_then(|id| id.as_u64()).map(|id| u32::try_from(id).unwrap());
    let flag = |key: &str| get(key).and_then(|flag| flag.as_bool());
    let text = |key: &str| get(key).and_then(|text| text.as_str().map(str::to_owned));
    let tokenizer = tokenizer(&GgufTokenizer {
        model: text("ggml.model").unwrap(),
        pre: text("ggml.pre"),
        tokens: serde_json::from_value(get("ggml.tokens").unwrap()).unwrap(),
        scores: get("ggml.scores").map(|list| serde_json::from_value(list).unwrap()),
        token_types: get("ggml.token_type").map(|list| serde_json::from_value(list).unwrap()),
        merges: get("ggml.merges").map(|list| serde_json::from_value(list).unwrap()),
        bos: id("ggml.bos_token_id"),
        eos: id("ggml.eos_token_id"),
        pad: id("ggml.padding_token_id"),
        unk: id("ggml.unknown_token_id"),
        add_bos: flag("ggml.add_bos_token"),
        add_eos: flag("ggml.add_eos_token"),
        add_space_prefix: flag("ggml.add_space_prefix"),
        chat_template: text("chat_template"),
    });
    let golden_of = match metadata["general.architecture"].as_str().unwrap() {
        "llama" => "real_models/smollm2_135m_instruct/golden.json",
        _ => "real_models/gemma3_270m/golden.json",
    };
    if golden(golden_of).exists() {
        check_real_model(&tokenizer, &json(golden(golden_of)));
    }
    let mixed = "  Two  spaces,\ttabs\n\n鲸鱼 naïve 🐳 3.14 <b>x</b>";
    let ids = tokenizer.encode(mixed, false).unwrap();
    assert_eq!(tokenizer.decode(&ids, false).unwrap(), mixed);
}
