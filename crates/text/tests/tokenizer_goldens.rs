//! Tokenizers against transformers (goldens/models/*/golden_tokenizer.json).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{characters, golden, ids, json};
use sanbao_text::Tokenizer;
use serde_json::Value;

fn folders() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(golden("models"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| golden(&format!("models/{name}/golden_tokenizer.json")).exists())
        .collect();
    names.sort();
    assert_eq!(names.len(), 16, "{names:?}");
    names
}

fn each_case(check: impl Fn(&str, &Tokenizer, &str, &Value)) {
    for name in folders() {
        let tokenizer = Tokenizer::from_folder(&golden(&format!("models/{name}"))).unwrap();
        let cases = json(golden(&format!("models/{name}/golden_tokenizer.json")));
        for case in cases.as_array().unwrap() {
            check(&name, &tokenizer, case["text"].as_str().unwrap(), case);
        }
    }
}

#[test]
fn ids_equal() {
    each_case(|name, tokenizer, text, case| {
        assert_eq!(tokenizer.encode(text, true).unwrap(), ids(&case["ids"]), "{name}: {text:?}");
        assert_eq!(
            tokenizer.encode(text, false).unwrap(),
            ids(&case["ids_no_special"]),
            "{name}: {text:?}"
        );
    });
}

#[test]
fn offsets_equal() {
    each_case(|name, tokenizer, text, case| {
        let (found, offsets) = tokenizer.encode_with_offsets(text, false).unwrap();
        assert_eq!(found, ids(&case["ids_no_special"]), "{name}: {text:?}");
        let offsets: Vec<Vec<usize>> = offsets
            .iter()
            .map(|range| vec![characters(text, range.start), characters(text, range.end)])
            .collect();
        let expected: Vec<Vec<usize>> =
            serde_json::from_value(case["offsets_no_special"].clone()).unwrap();
        assert_eq!(offsets, expected, "{name}: {text:?}");
    });
}

#[test]
fn decoded_text_equals() {
    each_case(|name, tokenizer, text, case| {
        let plain = tokenizer.decode(&ids(&case["ids_no_special"]), false).unwrap();
        assert_eq!(plain, case["decoded"].as_str().unwrap(), "{name}: {text:?}");
        let skipped = tokenizer.decode(&ids(&case["ids"]), true).unwrap();
        assert_eq!(skipped, case["decoded_skip_special"].as_str().unwrap(), "{name}: {text:?}");
    });
}

#[test]
fn streams_give_the_same_text_in_whole_characters() {
    each_case(|name, tokenizer, text, case| {
        if name.contains("bert") && !name.contains("modern") && !name.contains("roberta") {
            // WordPiece text is tidied as a whole; a stream cannot look ahead.
            return;
        }
        for (key, skip) in [("ids", true), ("ids_no_special", false)] {
            let ids = ids(&case[key]);
            let mut decoder = tokenizer.decoder(skip);
            let mut streamed = String::new();
            for &id in &ids {
                if let Some(piece) = decoder.push(id) {
                    assert!(!piece.is_empty() && !piece.contains('\u{fffd}'), "{name}: {text:?}");
                    streamed.push_str(&piece);
                }
            }
            streamed.extend(decoder.finish());
            assert_eq!(streamed, tokenizer.decode(&ids, skip).unwrap(), "{name}: {text:?}");
        }
    });
}

#[test]
fn special_tokens_are_those_of_the_configuration() {
    for (name, bos, eos, pad, stops) in [
        ("bert_cls", None, None, Some("[PAD]"), vec![]),
        ("gemma2", Some("<bos>"), Some("<eos>"), Some("<pad>"), vec!["<eos>", "<end_of_turn>"]),
        ("gemma3", Some("<bos>"), Some("<eos>"), Some("<pad>"), vec!["<eos>", "<end_of_turn>"]),
        (
            "gpt2",
            Some("<|endoftext|>"),
            Some("<|endoftext|>"),
            Some("<|endoftext|>"),
            vec!["<|endoftext|>"],
        ),
        (
            "llama3_rope_untied",
            Some("<|begin_of_text|>"),
            Some("<|eot_id|>"),
            Some("<|end_of_text|>"),
            vec!["<|eot_id|>"],
        ),
        (
            "llama_gqa_tied",
            Some("<|im_start|>"),
            Some("<|im_end|>"),
            Some("<|im_end|>"),
            vec!["<|im_end|>"],
        ),
        ("mistral_sliding", Some("<s>"), Some("</s>"), Some("</s>"), vec!["</s>"]),
        ("phi3", Some("<s>"), Some("<|end|>"), Some("<|endoftext|>"), vec!["<|end|>"]),
        ("qwen2", None, Some("<|im_end|>"), Some("<|endoftext|>"), vec!["<|im_end|>"]),
    ] {
        let tokenizer = Tokenizer::from_folder(&golden(&format!("models/{name}"))).unwrap();
        let text = |id: Option<u32>| id.map(|id| tokenizer.token_text(id));
        assert_eq!(text(tokenizer.bos()).as_deref(), bos, "{name}");
        assert_eq!(text(tokenizer.eos()).as_deref(), eos, "{name}");
        assert_eq!(text(tokenizer.pad()).as_deref(), pad, "{name}");
        let found: Vec<String> =
            tokenizer.stop_ids().iter().map(|&id| tokenizer.token_text(id)).collect();
        assert_eq!(found, stops, "{name}");
    }
}

#[test]
fn models_without_a_template_get_the_plain_one() {
    for (name, builtin) in
        [("gpt2", true), ("gpt_neox", true), ("gemma3", false), ("llama_gqa_tied", false)]
    {
        let tokenizer = Tokenizer::from_folder(&golden(&format!("models/{name}"))).unwrap();
        assert_eq!(tokenizer.chat_template().is_builtin(), builtin, "{name}");
    }
}

#[test]
fn tokens_are_shown_as_text() {
    let gpt2 = Tokenizer::from_folder(&golden("models/gpt2")).unwrap();
    let ids = gpt2.encode("the whale\n<|endoftext|>", false).unwrap();
    let shown = gpt2.show(&ids, &[true]);
    let text: String = shown.iter().map(|token| token.text.as_str()).collect();
    assert_eq!(text, "the whale\n<|endoftext|>");
    assert!(shown[0].trained && !shown[1].trained);
    assert!(shown.last().unwrap().special && !shown[0].special);
    assert_eq!(gpt2.token_text(u32::MAX), format!("[{}]", u32::MAX));
    let mistral = Tokenizer::from_folder(&golden("models/mistral_sliding")).unwrap();
    let ids = mistral.encode("a whale", false).unwrap();
    let text: String = mistral.show(&ids, &[]).iter().map(|token| token.text.as_str()).collect();
    assert_eq!(text, " a whale");
}

#[test]
fn truncation_and_padding_in_the_file_do_not_count() {
    let mut files = Tokenizer::from_folder(&golden("models/gpt2")).unwrap().files().clone();
    let mut tokenizer: Value = serde_json::from_str(&files.tokenizer_json).unwrap();
    tokenizer["truncation"] = serde_json::json!({"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0});
    tokenizer["padding"] = serde_json::json!({"strategy": {"Fixed": 50}, "direction": "Right",
        "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<|endoftext|>"});
    let text = "Call me Ishmael. Some years ago";
    let expected = Tokenizer::new(files.clone()).unwrap().encode(text, true).unwrap();
    files.tokenizer_json = tokenizer.to_string();
    assert_eq!(Tokenizer::new(files).unwrap().encode(text, true).unwrap(), expected);
}
