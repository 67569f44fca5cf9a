//! Reward models: a score head in place of the output head.

use std::fs;

use sanbao_models::SCORE;
use sanbao_models::weights::{ModelFolder, WeightSource};

use super::*;
use crate::TARGETS;

#[test]
fn every_architecture_hands_on_its_scores() {
    for name in DECODERS {
        let trained = Trained::scoring(name);
        for (target, options) in
            [("hf", json!({"dtype": "f32"})), ("hf", json!({"dtype": "bf16"})), ("peft", json!({}))]
        {
            let folder = tempfile::tempdir().unwrap();
            let out = folder.path().join("out");
            let exported = trained.export(target, options.clone(), &out);
            let exported = exported.unwrap_or_else(|error| panic!("{name} {target}: {error}"));
            println!("{name} {target} {options}: {:?}", exported.parity);
            let card = fs::read_to_string(out.join("README.md")).unwrap();
            assert!(card.contains("ForSequenceClassification"), "{card}");
            assert!(card.contains("pipeline_tag: text-classification"), "{card}");
        }
    }
}

#[test]
fn a_folder_of_a_reward_model_holds_a_score_head_and_no_other() {
    let trained = Trained::scoring("llama3_rope_untied");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    trained.export("hf", json!({"dtype": "f32"}), &out).unwrap();
    let config = json_file(&out.join("config.json"));
    assert_eq!(config["architectures"], json!(["LlamaForSequenceClassification"]));
    assert_eq!(config["id2label"].as_object().unwrap().len(), 1);
    assert_ne!(config["pad_token_id"], config["eos_token_id"]);
    let files = ModelFolder::open(&out).unwrap();
    let width = trained.base.spec.hidden_size;
    assert_eq!(files.info(SCORE).unwrap().shape, [1, width]);
    assert!(files.info("lm_head.weight").is_none());

    let error = BaseModel::open(&out).err().unwrap();
    assert_eq!(error.code(), "models.writes_nothing");
}

#[test]
fn formats_without_a_place_for_scores_refuse_a_reward_model() {
    let trained = Trained::scoring("llama_gqa_tied");
    let folder = tempfile::tempdir().unwrap();
    let refused = TARGETS.iter().filter(|target| !target.holds_scores());
    for target in refused {
        let error = trained.export(target.name, json!({}), &folder.path().join("out")).unwrap_err();
        assert_eq!(error.code(), "export.not_representable");
        assert!(error.to_string().ends_with("choose hf or peft"), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_damaged_score_head_is_found() {
    let trained = Trained::scoring("llama_gqa_tied");
    for (target, options) in [("hf", json!({"dtype": "f32"})), ("peft", json!({}))] {
        let folder = tempfile::tempdir().unwrap();
        let damage = |inside: &Path| {
            let file = fs::read_dir(inside).unwrap().map(|entry| entry.unwrap().path());
            let path = file
                .into_iter()
                .find(|path| path.extension().is_some_and(|kind| kind == "safetensors"))
                .unwrap();
            let mut content = fs::read(&path).unwrap();
            let last = content.len() - 4;
            content[last..].copy_from_slice(&9.0_f32.to_le_bytes());
            fs::write(path, content).unwrap();
        };
        let error = trained
            .export_watched(target, options, &folder.path().join("out"), &damage)
            .unwrap_err();
        assert_eq!(error.code(), "export.mismatch", "{target}: {error}");
    }
}
