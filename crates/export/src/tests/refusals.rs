//! What must not pass.

use super::*;
use std::fs;

/// Overwrites bytes of the one file with this ending, `from_end` before its end.
fn overwrite(folder: &Path, ending: &str, from_end: usize, bytes: &[u8]) {
    let file = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let path = file.into_iter().find(|path| path.to_string_lossy().ends_with(ending)).unwrap();
    let mut content = fs::read(&path).unwrap();
    let start = content.len() - from_end;
    content[start..start + bytes.len()].copy_from_slice(bytes);
    fs::write(path, content).unwrap();
}

#[test]
fn a_damaged_export_is_found_and_nothing_is_left() {
    let trained = Trained::golden("llama_gqa_tied");
    let wrong: Vec<u8> = std::iter::repeat_n(0.5_f32.to_le_bytes(), 64).flatten().collect();
    for (target, ending) in
        [("hf", ".safetensors"), ("gguf", ".gguf"), ("peft", ".safetensors"), ("ollama", ".gguf")]
    {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let options = if target == "peft" { json!({}) } else { json!({"dtype": "f32"}) };
        let damage = |inside: &Path| overwrite(inside, ending, 4096, &wrong);
        let error = trained.export_watched(target, options.clone(), &out, &damage).unwrap_err();
        assert_eq!(error.code(), "export.mismatch", "{target}: {error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{target} leaves nothing");

        let infinite =
            |inside: &Path| overwrite(inside, ending, 4096, &f32::INFINITY.to_le_bytes());
        assert_eq!(
            trained.export_watched(target, options.clone(), &out, &infinite).unwrap_err().code(),
            "models.weights_not_finite"
        );
        let cut = |inside: &Path| {
            let path = fs::read_dir(inside).unwrap().map(|entry| entry.unwrap().path());
            let path =
                path.into_iter().find(|path| path.to_string_lossy().ends_with(ending)).unwrap();
            let content = fs::read(&path).unwrap();
            fs::write(path, &content[..content.len() / 2]).unwrap();
        };
        assert!(trained.export_watched(target, options, &out, &cut).is_err(), "{target}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{target} leaves nothing");
    }
}

#[test]
fn a_changed_configuration_is_found() {
    let trained = Trained::golden("llama_gqa_tied");
    let folder = tempfile::tempdir().unwrap();
    let tamper = |key: &'static str, value: Value| {
        let change = move |inside: &Path| {
            let path = inside.join("config.json");
            let mut config = json_file(&path);
            config[key] = value.clone();
            fs::write(path, config.to_string()).unwrap();
        };
        trained.export_watched("hf", json!({}), &folder.path().join("out"), &change).unwrap_err()
    };
    let error = tamper("rope_parameters", json!({"rope_type": "default", "rope_theta": 500_000.0}));
    assert!(error.to_string().contains("rotary positions"), "{error}");
    let error = tamper("rms_norm_eps", json!(0.01));
    assert!(error.to_string().contains("normalisation"), "{error}");
}

#[test]
fn a_changed_tokenizer_is_found() {
    let trained = Trained::golden("llama_gqa_tied");
    let folder = tempfile::tempdir().unwrap();
    let change = |inside: &Path| {
        let path = inside.join("tokenizer.json");
        let mut tokenizer = json_file(&path);
        tokenizer["model"]["merges"].as_array_mut().unwrap().truncate(20);
        fs::write(path, tokenizer.to_string()).unwrap();
    };
    let error =
        trained.export_watched("hf", json!({}), &folder.path().join("out"), &change).unwrap_err();
    assert!(error.to_string().contains("tokenizer"), "{error}");
}

#[test]
fn a_fully_trained_model_has_no_adapter() {
    let trained = Trained::new(&fixture("models/qwen2"), None);
    let folder = tempfile::tempdir().unwrap();
    let error = trained.export("peft", json!({}), &folder.path().join("out")).unwrap_err();
    assert_eq!(error.code(), "export.no_adapter");
    assert!(error.to_string().contains("hf"), "{error}");
}

#[test]
fn a_folder_with_files_is_never_replaced() {
    let trained = Trained::golden("qwen2");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let error = trained.export("hf", json!({}), folder.path()).unwrap_err();
    assert_eq!(error.code(), "export.occupied");
    assert!(folder.path().join("thesis.txt").is_file());
    let file = folder.path().join("thesis.txt");
    assert_eq!(trained.export("hf", json!({}), &file).unwrap_err().code(), "export.occupied");

    let empty = folder.path().join("new/deep/empty");
    fs::create_dir_all(&empty).unwrap();
    trained.export("peft", json!({}), &empty).unwrap();
    assert!(empty.join("adapter_config.json").is_file());
}

#[test]
fn wrong_names_and_values_are_named() {
    let trained = Trained::golden("qwen2");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let error = trained.export("hf", json!({"type": "f16"}), &out).unwrap_err();
    assert!(error.to_string().contains("'type'") && error.to_string().contains("dtype"), "{error}");
    let error = trained.export("gguf", json!({"dtype": "bf16"}), &out).unwrap_err();
    assert!(error.to_string().contains("q8_0"), "{error}");
    let error = target("onnx").map(|target| target.name).unwrap_err();
    assert!(error.to_string().contains("gguf"), "{error}");
    assert!(!out.exists());
}

#[test]
fn gguf_refuses_what_llama_cpp_would_compute_differently() {
    let cases = [
        ("mistral_sliding", json!({}), "sliding window of 8"),
        ("gemma3", json!({}), "which layers slide"),
        ("gemma2", json!({}), "scale of its attention"),
        ("smollm3_nope", json!({}), "rotary positions"),
        (
            "qwen2",
            json!({"rope_parameters": {"rope_type": "llama3", "rope_theta": 1e6, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}}),
            "llama3",
        ),
        ("llama_gqa_tied", json!({"hidden_act": "gelu"}), "activation"),
    ];
    for (name, changes, word) in cases {
        let base = variant(name, changes);
        let trained = Trained::new(base.path(), Some(lora(false)));
        let folder = tempfile::tempdir().unwrap();
        for target in ["gguf", "ollama"] {
            let error = trained.export(target, json!({}), &folder.path().join("out")).unwrap_err();
            assert_eq!(error.code(), "export.not_representable", "{name}");
            assert!(
                error.to_string().contains(word) && error.to_string().contains("hf"),
                "{name}: {error}"
            );
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_long_window_is_left_out_and_said() {
    let base = variant(
        "mistral_sliding",
        json!({"sliding_window": 2048, "max_position_embeddings": 8192}),
    );
    let trained = Trained::new(base.path(), Some(lora(false)));
    let folder = tempfile::tempdir().unwrap();
    let exported =
        trained.export("gguf", json!({"dtype": "f32"}), &folder.path().join("out")).unwrap();
    assert!(exported.notes[0].contains("2048"), "{:?}", exported.notes);
}

#[test]
fn stretched_positions_survive() {
    let theta = 10_000.0;
    let factors: Vec<f64> = (0..6).map(|i| 1.0 + f64::from(i)).collect();
    let cases = [
        ("llama_gqa_tied", json!({"rope_type": "linear", "factor": 2.0, "rope_theta": theta})),
        (
            "qwen2",
            json!({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "rope_theta": theta}),
        ),
        (
            "llama_gqa_tied",
            json!({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_theta": 500_000.0}),
        ),
        (
            "phi3",
            json!({"rope_type": "longrope", "short_factor": factors, "long_factor": factors.iter().map(|f| f * 2.0).collect::<Vec<_>>(), "original_max_position_embeddings": 64, "rope_theta": theta}),
        ),
    ];
    for (name, rope) in cases {
        let mut changes = json!({"rope_parameters": rope});
        if name == "phi3" {
            changes["original_max_position_embeddings"] = json!(64);
        }
        let base = variant(name, changes);
        let trained = Trained::new(base.path(), Some(lora(false)));
        for target in ["hf", "gguf"] {
            let folder = tempfile::tempdir().unwrap();
            let result =
                trained.export(target, json!({"dtype": "f32"}), &folder.path().join("out"));
            result.unwrap_or_else(|error| panic!("{name} {target} {rope}: {error}"));
        }
    }
}
