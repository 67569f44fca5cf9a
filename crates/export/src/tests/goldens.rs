//! PEFT's own adapter and merge, as goldens/training has them.

use std::fs;

use sanbao_contract::verdict::{Comparison, Estimate, Outcome, Verdict};
use sanbao_models::weights::{SafetensorsFile, WeightSource};
use sanbao_train::lora::load_adapter;

use super::*;

/// The golden model with PEFT's final adapter.
fn trained(kind: &str) -> Trained {
    let base = BaseModel::open(&fixture("models/llama_gqa_tied")).unwrap();
    let mut model = base.load(&Device::flex()).unwrap();
    let lora =
        load_adapter(&mut model, &fixture("training").join(kind).join("final_adapter")).unwrap();
    Trained { base, model, lora: Some(lora) }
}

fn largest_difference(found: &SafetensorsFile, expected: &SafetensorsFile) -> f32 {
    let mut names = (found.names(), expected.names());
    names.0.sort_unstable();
    names.1.sort_unstable();
    assert_eq!(names.0, names.1);
    let difference = |name: &str| {
        assert_eq!(found.info(name).unwrap().shape, expected.info(name).unwrap().shape, "{name}");
        let (found, expected) = (found.read_f32(name).unwrap(), expected.read_f32(name).unwrap());
        found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    names.0.iter().map(|name| difference(name)).fold(0.0, f32::max)
}

#[test]
fn an_adapter_goes_through_unchanged() {
    for kind in ["lora", "dora", "rslora"] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        trained(kind).export("peft", json!({}), &out).unwrap();
        let peft = fixture("training").join(kind).join("final_adapter");
        let open = |folder: &Path| {
            SafetensorsFile::open(&folder.join("adapter_model.safetensors")).unwrap()
        };
        assert_eq!(largest_difference(&open(&out), &open(&peft)), 0.0, "{kind}");
        let (ours, theirs) = (
            json_file(&out.join("adapter_config.json")),
            json_file(&peft.join("adapter_config.json")),
        );
        for key in [
            "r",
            "lora_alpha",
            "use_rslora",
            "use_dora",
            "peft_type",
            "task_type",
            "bias",
            "fan_in_fan_out",
        ] {
            // PEFT writes a whole alpha without a point.
            let same = ours[key] == theirs[key]
                || ours[key].as_f64().is_some() && ours[key].as_f64() == theirs[key].as_f64();
            assert!(same, "{kind} {key}: {} is not {}", ours[key], theirs[key]);
        }
    }
}

#[test]
fn merged_weights_are_those_of_peft() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    trained("lora").export("hf", json!({"dtype": "f32"}), &out).unwrap();
    let ours = SafetensorsFile::open(&out.join("model.safetensors")).unwrap();
    let theirs = SafetensorsFile::open(&fixture("training/lora/merged_model.safetensors")).unwrap();
    let difference = largest_difference(&ours, &theirs);
    assert!(difference < 1e-6, "{difference}");
}

#[test]
fn the_card_tells_what_was_done_and_quotes_no_data() {
    let trained = trained("lora");
    let estimate = |value| Estimate { value, low: value - 0.1, high: value + 0.1 };
    let verdict = Verdict {
        task: sanbao_contract::data::Task::Classify,
        rows: 10,
        outcome: Outcome::Better,
        deciding_metric: "accuracy".into(),
        sentence: "Better: it labels 80 % of the held-out rows correctly, up from 40 %.".into(),
        sentence_code: String::new(),
        sentence_params: BTreeMap::new(),
        comparisons: vec![Comparison {
            metric: "accuracy".into(),
            higher_is_better: true,
            before: estimate(0.4),
            after: estimate(0.8),
            difference: estimate(0.4),
            p_value: Some(0.01),
            test: "mcnemar".into(),
            rows: 10,
        }],
        majority_accuracy: None,
        majority_label: Some("a secret label".into()),
        answers_changed: None,
        confusion_before: None,
        confusion_after: None,
        forgetting: None,
        side_by_side: Vec::new(),
        picks: Vec::new(),
        seed: 1,
    };
    let mut source = trained.source();
    source.card.task = Some(sanbao_contract::data::Task::Classify);
    source.card.asked = Some("Classify the text.\n\n<the text>".into());
    source.card.name = "Support: \"helper\"\n# no heading".into();
    source.card.verdict = Some(&verdict);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    crate::export(target("hf").unwrap(), &source, &out, &BTreeMap::new(), &mut |_| ()).unwrap();
    let readme = fs::read_to_string(out.join("README.md")).unwrap();
    assert!(!readme.contains("secret"));
    // The order of sums differs from machine to machine.
    let (before, measured) = readme.split_once("trained model is ").unwrap();
    let (_, after) = measured.split_once(' ').unwrap();
    insta::assert_snapshot!(format!("{before}trained model is SMALL {after}"));
}
