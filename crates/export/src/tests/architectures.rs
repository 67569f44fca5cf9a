//! Every architecture to every target.

use super::*;
use crate::TARGETS;

#[test]
fn every_target_says_what_it_is_in_both_languages() {
    for target in TARGETS {
        for words in [target.title, target.help] {
            assert!(!words.en.is_empty() && !words.zh.is_empty(), "{}", target.name);
        }
        for option in target.options {
            assert!(
                option.help.en.ends_with('.') && option.help.zh.ends_with('。'),
                "{}",
                option.name
            );
        }
        assert!(
            target.usage.contains("{name}") || target.usage.contains("{file}"),
            "{}",
            target.name
        );
    }
}

/// Exports and returns the destination; the parity check is inside the export.
fn exported(trained: &Trained, target: &str, options: Value) -> (tempfile::TempDir, Exported) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let exported = trained.export(target, options.clone(), &out);
    let exported = exported.unwrap_or_else(|error| panic!("{target} {options}: {error}"));
    assert!(out.join("README.md").is_file());
    let bytes: u64 =
        exported.files.iter().map(|file| std::fs::metadata(out.join(file)).unwrap().len()).sum();
    assert_eq!(bytes, exported.bytes);
    (folder, exported)
}

#[test]
fn hugging_face_folders() {
    for name in DECODERS {
        let trained = Trained::golden(name);
        for dtype in ["f32", "f16", "bf16"] {
            let (folder, exported) = exported(&trained, "hf", json!({"dtype": dtype}));
            println!("{name} hf {dtype}: {:?}", exported.parity);
            assert!(exported.parity.max_logit_difference > 0.0, "{name}: merging rounds");
            let again = BaseModel::open(&folder.path().join("out")).unwrap();
            assert_eq!(again.spec, trained.base.spec, "{name}");
            assert_eq!(again.card.stored_as.to_lowercase(), dtype);
        }
    }
}

#[test]
fn configurations_are_spelled_as_transformers_spells_them() {
    for name in DECODERS {
        let original = fixture("models").join(name).join("config.json");
        let expected = json_file(&original);
        for spelling in ["config.json", "config.v4style.json"] {
            let source = fixture("models").join(name).join(spelling);
            if !source.is_file() {
                continue;
            }
            let base = variant(name, json!({}));
            std::fs::copy(source, base.path().join("config.json")).unwrap();
            let trained = Trained::new(base.path(), None);
            let (folder, _) = exported(&trained, "hf", json!({"dtype": "f32"}));
            let found = json_file(&folder.path().join("out/config.json"));
            for (key, value) in expected.as_object().unwrap() {
                // What only says how it was made, or what the layer types say already.
                let told_elsewhere =
                    matches!(key.as_str(), "_sliding_window_pattern" | "transformers_version");
                // Left open, transformers takes four times the width.
                let implied = *name == "gpt2" && key == "n_inner";
                // A file that rotates whole heads need not say so.
                if told_elsewhere || implied || value.is_null() {
                    continue;
                }
                let mut value = value.clone();
                if key == "rope_parameters" && value["partial_rotary_factor"] == 1.0 {
                    value.as_object_mut().unwrap().remove("partial_rotary_factor");
                }
                assert_eq!(found[key], value, "{name} {spelling} {key}");
            }
        }
    }
}

#[test]
fn gguf_files() {
    for name in DECODERS {
        let base = variant(name, for_gguf(name));
        let trained = Trained::new(base.path(), Some(lora(false)));
        for dtype in ["f32", "f16", "q8_0"] {
            let (_folder, exported) = exported(&trained, "gguf", json!({"dtype": dtype}));
            println!("{name} gguf {dtype}: {:?} {:?}", exported.parity, exported.notes);
            let told = exported.notes.iter().any(|note| note.contains("stored as f16"));
            assert_eq!(told, dtype == "q8_0", "{name}: rows of 48 do not fill blocks of 32");
        }
    }
}

#[test]
fn adapters() {
    for name in DECODERS {
        for use_dora in [false, true] {
            let trained = Trained::new(&fixture("models").join(name), Some(lora(use_dora)));
            let (_folder, exported) = exported(&trained, "peft", json!({}));
            assert_eq!(exported.parity.max_logit_difference, 0.0, "{name}: nothing is rounded");
            assert!(exported.files.contains(&"adapter_model.safetensors".to_owned()));
            assert!(exported.files.contains(&"tokenizer.json".to_owned()));
        }
    }
}

#[test]
fn ollama_folders() {
    for name in DECODERS {
        let base = variant(name, for_gguf(name));
        let trained = Trained::new(base.path(), Some(lora(true)));
        let (folder, exported) = exported(&trained, "ollama", json!({"temperature": 0.25}));
        let modelfile = std::fs::read_to_string(folder.path().join("out/Modelfile")).unwrap();
        assert!(modelfile.starts_with("FROM ./support-helper-F16.gguf\n"), "{modelfile}");
        assert!(modelfile.contains("PARAMETER temperature 0.25\n"));
        assert!(modelfile.contains("PARAMETER stop "), "{name}: {modelfile}");
        assert!(modelfile.contains("TEMPLATE \"\"\""), "{name}: {:?}", exported.notes);
    }
}

#[test]
fn merged_dora_and_full_models() {
    let path = fixture("models/llama_gqa_tied");
    for lora in [Some(lora(true)), None] {
        let trained = Trained::new(&path, lora);
        for (target, dtype) in [("hf", "f32"), ("gguf", "f32"), ("gguf", "q8_0")] {
            exported(&trained, target, json!({"dtype": dtype}));
        }
    }
}

#[test]
fn a_tied_head_is_written_out_where_llama_cpp_asks_for_one() {
    let base = variant("gpt_neox", json!({"tie_word_embeddings": true}));
    let trained = Trained::new(base.path(), Some(lora(false)));
    let (folder, exported) = exported(&trained, "gguf", json!({"dtype": "f32"}));
    let file = exported.files.iter().find(|file| file.ends_with(".gguf")).unwrap();
    assert!(
        !BaseModel::open(&folder.path().join("out").join(file)).unwrap().spec.tie_word_embeddings
    );
}

#[test]
fn a_large_model_is_split_into_several_files() {
    let trained = Trained::golden("qwen3");
    let (folder, exported) =
        exported(&trained, "hf", json!({"dtype": "f32", "max_shard_size": 60_000}));
    let shards = exported.files.iter().filter(|file| file.starts_with("model-")).count();
    assert!(shards > 2, "{:?}", exported.files);
    let index = json_file(&folder.path().join("out/model.safetensors.index.json"));
    assert_eq!(index["metadata"]["total_parameters"], trained.base.spec.parameters());
}

#[test]
fn a_gguf_file_becomes_a_whole_hugging_face_folder_and_a_gguf_file_again() {
    for name in DECODERS {
        let base = variant(name, for_gguf(name));
        let trained = Trained::new(base.path(), None);
        let (folder, first) = exported(&trained, "gguf", json!({"dtype": "f32"}));
        let file = first.files.iter().find(|file| file.ends_with(".gguf")).unwrap();
        let from_gguf = Trained::new(&folder.path().join("out").join(file), Some(lora(false)));
        let (second, _) = exported(&from_gguf, "hf", json!({"dtype": "f32"}));
        let out = second.path().join("out");
        for file in [
            "config.json",
            "tokenizer.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "generation_config.json",
        ] {
            assert!(out.join(file).is_file(), "{name} {file}");
        }
        let again = BaseModel::open(&out).unwrap();
        assert_eq!(again.tokenizer.stop_ids(), from_gguf.base.tokenizer.stop_ids(), "{name}");
        exported(&from_gguf, "gguf", json!({"dtype": "f16"}));
    }
}
