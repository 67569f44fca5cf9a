#![allow(clippy::unwrap_used, clippy::expect_used)]

use sanbao_models::host::to_vec;
use sanbao_models::rope::RopeScaling;

use super::*;
use crate::testing::{Reference, ids, load};

/// Sum of log-probabilities of `label` after `prompt`, from logits of the whole text.
fn reference_score(model: &Decoder, prompt: &[u32], label: &[u32]) -> f64 {
    let text = [prompt, label].concat();
    let read = &text[..text.len() - 1];
    let logits = to_vec(model.logits(read, &Layout::packed([read.len()]))).unwrap();
    let vocabulary = model.spec.vocab_size;
    let one = |(at, token): (usize, &u32)| {
        let row = &logits[(prompt.len() + at - 1) * vocabulary..][..vocabulary];
        let sum: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
        f64::from(row[*token as usize]) - sum.ln()
    };
    label.iter().enumerate().map(one).sum()
}

fn check(model: &Decoder, prompts: &[Vec<u32>], labels: &[Vec<u32>], name: &str) {
    let scores = label_log_probabilities(model, prompts, labels).unwrap();
    assert_eq!(scores.len(), prompts.len());
    for (prompt, scores) in prompts.iter().zip(&scores) {
        assert_eq!(scores.len(), labels.len());
        for (label, score) in labels.iter().zip(scores) {
            let expected = reference_score(model, prompt, label);
            let near = (score - expected).abs() < 1e-4 * label.len() as f64;
            assert!(near, "{name} {} {label:?}: {score} is not {expected}", prompt.len());
        }
    }
}

fn labels() -> Vec<Vec<u32>> {
    let list: [&[u32]; 8] = [
        &[7, 8, 2],
        &[7, 8, 9, 2],
        &[7, 2],
        &[11],
        &[7, 8, 2],
        &[12, 13, 14, 15, 16, 17, 18, 19, 20, 2],
        &[12, 13],
        &[2],
    ];
    list.map(<[u32]>::to_vec).to_vec()
}

#[test]
fn scores_equal_those_of_whole_texts() {
    for reference in Reference::all() {
        let ids = reference.prompt(1);
        // 20 tokens in common, one prompt twice, one that is the beginning of another.
        let mut prompts = vec![ids.clone(), ids[..21].to_vec(), ids.clone(), ids[..30].to_vec()];
        prompts.push([&ids[..20], &ids[3..10]].concat());
        check(&reference.model, &prompts, &labels(), reference.name);
        let nothing_shared = [reference.prompt(0), ids];
        check(&reference.model, &nothing_shared, &labels(), reference.name);
        let single = [vec![5], vec![6]];
        check(&reference.model, &nothing_shared, &single, reference.name);
    }
}

#[test]
fn many_prompts_take_several_passes() {
    let (model, _) = load("qwen2");
    let prompts: Vec<Vec<u32>> = (0..90)
        .map(|i| (0..30 + i % 7).map(|j| 3 + (i * 31 + j * j * 7) % 300).collect())
        .collect();
    assert!(prompts.iter().map(Vec::len).sum::<usize>() > PASS_TOKENS);
    check(&model, &prompts, &labels(), "qwen2");
}

#[test]
fn labels_across_the_change_of_longrope_are_right() {
    let (mut model, _) = load("phi3");
    let half = model.spec.ropes[0].rotary_dim / 2;
    model.spec.ropes[0].scaling = RopeScaling::LongRope {
        short: vec![1.0; half],
        long: (0..half).map(|i| 1.5 + i as f64).collect(),
        original: 20,
        attention_factor: 1.1,
    };
    let ids: Vec<u32> = (0..30).map(|i| 3 + (i * 37) % 200).collect();
    for count in [10, 18, 19, 20, 21, 28] {
        check(&model, &[ids[..count].to_vec()], &labels(), "longrope");
    }
}

#[test]
fn probabilities_are_the_softmax() {
    let found = probabilities(&[-1000.0, -1000.0 + 3f64.ln()]);
    assert!((found[0] - 0.25).abs() < 1e-12 && (found[1] - 0.75).abs() < 1e-12);
}

#[test]
fn losses_equal_the_reference() {
    for reference in Reference::all() {
        let loss = &reference.golden["loss"];
        let rows = loss["input_ids"].as_array().unwrap().len();
        let mut texts = Vec::new();
        for row in 0..rows {
            let length = ids(&loss["attention_mask"][row]).iter().filter(|m| **m == 1).count();
            let all = ids(&loss["input_ids"][row]);
            let labels = loss["labels"][row].as_array().unwrap();
            let trained: Vec<bool> =
                labels[..length].iter().map(|label| label.as_i64() != Some(-100)).collect();
            texts.push((all[..length].to_vec(), trained));
        }
        let sequences: Vec<ScoredSequence> =
            texts.iter().map(|(ids, trained)| ScoredSequence { ids, trained }).collect();
        let expected = loss["loss_f64"].as_f64().unwrap();
        for budget in [1, 40, 10_000] {
            let losses = sequence_losses(&reference.model, &sequences, budget).unwrap();
            let tokens: usize = losses.iter().map(|loss| loss.tokens).sum();
            assert_eq!(tokens as u64, loss["predicted_tokens"].as_u64().unwrap());
            let mean = losses.iter().map(|loss| loss.sum).sum::<f64>() / tokens as f64;
            assert!((mean - expected).abs() < 1e-5, "{}: {mean} is not {expected}", reference.name);
        }
    }
}

#[test]
fn texts_without_targets_have_no_loss() {
    let (model, _) = load("gpt2");
    let sequence = |ids, trained| ScoredSequence { ids, trained };
    let list = [sequence(&[], &[]), sequence(&[5], &[true]), sequence(&[5, 6], &[true, false])];
    let losses = sequence_losses(&model, &list, 100).unwrap();
    assert_eq!(losses, [SequenceLoss::default(); 3]);
}

#[test]
fn bad_input_is_an_error() {
    let (model, _) = load("gpt2");
    let code = |prompts: &[Vec<u32>], labels: &[Vec<u32>]| {
        label_log_probabilities(&model, prompts, labels).unwrap_err().code()
    };
    assert_eq!(code(&[vec![1]], &[]), "infer.no_labels");
    assert_eq!(code(&[vec![1]], &[vec![]]), "infer.empty");
    assert_eq!(code(&[vec![]], &[vec![1]]), "infer.empty");
    assert_eq!(code(&[vec![1]], &[vec![400]]), "infer.unknown_token");
    assert_eq!(code(&[vec![1; 128]], &[vec![1, 2]]), "infer.too_long");
    label_log_probabilities(&model, &[vec![1; 128]], &[vec![1]]).unwrap();

    let sequence = |ids, trained| ScoredSequence { ids, trained };
    let code = |list: &[ScoredSequence]| sequence_losses(&model, list, 10).unwrap_err().code();
    assert_eq!(code(&[sequence(&[1, 2], &[true])]), "infer.marks");
    assert_eq!(code(&[sequence(&[1; 129], &[true; 129])]), "infer.too_long");
    assert_eq!(code(&[sequence(&[400], &[true])]), "infer.unknown_token");
}
