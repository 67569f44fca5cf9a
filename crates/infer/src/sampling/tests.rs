#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::testing::{ids, json};

fn off() -> Sampling {
    Sampling { temperature: 1.0, top_p: 1.0, top_k: 0, ..Sampling::default() }
}

fn settings(case: &str) -> Sampling {
    match case.split(" (").next().unwrap() {
        "temperature 0.7" => Sampling { temperature: 0.7, ..off() },
        "top_k 5" => Sampling { top_k: 5, ..off() },
        "top_p 0.8" => Sampling { top_p: 0.8, ..off() },
        "top_p 0.05" => Sampling { top_p: 0.05, ..off() },
        "min_p 0.1" => Sampling { min_p: 0.1, ..off() },
        "typical_p 0.6" => Sampling { typical_p: 0.6, ..off() },
        "epsilon 0.02" => Sampling { epsilon_cutoff: 0.02, ..off() },
        "repetition_penalty 1.3" => Sampling { repetition_penalty: 1.3, ..off() },
        "no_repeat_ngram 2" => Sampling { no_repeat_ngram_size: 2, ..off() },
        name if name.starts_with("generate order") => Sampling {
            repetition_penalty: 1.2,
            temperature: 0.8,
            top_k: 10,
            top_p: 0.9,
            min_p: 0.02,
            ..off()
        },
        name => panic!("the case '{name}' is not known"),
    }
}

fn floats(value: &Value) -> Vec<f32> {
    let one = |value: &Value| value.as_f64().map_or(f32::NEG_INFINITY, |x| x as f32);
    value.as_array().unwrap().iter().map(one).collect()
}

#[test]
fn every_step_equals_the_reference() {
    let golden = json("sampling/logits_processors.json");
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 10);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let sampling = settings(name);
        for row in 0..2 {
            let logits = floats(&golden["logits"][row]);
            let previous = ids(&golden["previous_ids"][row]);
            let left = warp(&sampling, &penalise(&sampling, &logits, &previous).unwrap());
            let shares = softmax(&left);
            let mut found = vec![f32::NEG_INFINITY; logits.len()];
            let mut probabilities = vec![0.0; logits.len()];
            for (candidate, share) in left.iter().zip(shares) {
                found[candidate.token as usize] = candidate.logit;
                probabilities[candidate.token as usize] = share;
            }
            for (token, expected) in floats(&case["processed"][row]).iter().enumerate() {
                let found = found[token];
                let close = found == *expected || (found - expected).abs() < 2e-6;
                assert!(close, "{name} row {row} token {token}: {found} is not {expected}");
            }
            for (token, expected) in floats(&case["probabilities"][row]).iter().enumerate() {
                let found = probabilities[token];
                assert!((found - f64::from(*expected)).abs() < 1e-6, "{name} token {token}");
            }
        }
    }
}

#[test]
fn temperature_zero_takes_the_first_of_the_likeliest() {
    let mut sampler = Sampler::new(Sampling::greedy(1), 0).unwrap();
    assert_eq!(sampler.next(&[1.0, 3.0, 3.0, 2.0], &[]).unwrap(), 1);
    let penalised = Sampling { repetition_penalty: 4.0, ..Sampling::greedy(1) };
    let mut sampler = Sampler::new(penalised, 0).unwrap();
    assert_eq!(sampler.next(&[1.0, 3.0, 3.0, 2.0], &[1, 2]).unwrap(), 3);
}

#[test]
fn draws_follow_the_probabilities() {
    let mut sampler = Sampler::new(Sampling { seed: 5, ..off() }, 0).unwrap();
    let shares = [0.5_f64, 0.3, 0.15, 0.05];
    let logits = shares.map(|share| share.ln() as f32);
    let mut counts = [0.0; 4];
    let draws = 20_000.0;
    for _ in 0..draws as usize {
        counts[sampler.next(&logits, &[]).unwrap() as usize] += 1.0;
    }
    // Chi-square with 3 degrees of freedom exceeds 16.3 once in a thousand seeds.
    let chi: f64 = counts
        .iter()
        .zip(shares)
        .map(|(count, share)| (count - draws * share) * (count - draws * share) / (draws * share))
        .sum();
    assert!(chi < 16.3, "{chi} {counts:?}");
}

fn many(sampler: &mut Sampler, count: usize) -> Vec<u32> {
    let logits: Vec<f32> = (0..100).map(|i| (i as f32).sin()).collect();
    (0..count).map(|_| sampler.next(&logits, &[]).unwrap()).collect()
}

#[test]
fn a_seed_and_an_index_decide_the_draws() {
    let sampler = |seed, index| Sampler::new(Sampling { seed, ..off() }, index).unwrap();
    let first = many(&mut sampler(1, 0), 20);
    assert_eq!(first, many(&mut sampler(1, 0), 20));
    assert_ne!(first, many(&mut sampler(1, 1), 20));
    assert_ne!(first, many(&mut sampler(2, 0), 20));
    assert_ne!(many(&mut sampler(1, 1), 20), many(&mut sampler(2, 0), 20));
}

#[test]
fn a_stored_sampler_goes_on_where_it_was() {
    let mut sampler = Sampler::new(Sampling { seed: 9, ..off() }, 3).unwrap();
    many(&mut sampler, 7);
    let stored = serde_json::to_string(&sampler).unwrap();
    let mut restored: Sampler = serde_json::from_str(&stored).unwrap();
    assert_eq!(many(&mut sampler, 20), many(&mut restored, 20));
}

#[test]
fn settings_outside_their_range_are_named() {
    let bad: [(Sampling, &str); 9] = [
        (Sampling { temperature: -0.1, ..off() }, "temperature"),
        (Sampling { temperature: f64::NAN, ..off() }, "temperature"),
        (Sampling { top_p: 0.0, ..off() }, "top_p"),
        (Sampling { min_p: 1.5, ..off() }, "min_p"),
        (Sampling { typical_p: 2.0, ..off() }, "typical_p"),
        (Sampling { epsilon_cutoff: 1.0, ..off() }, "epsilon_cutoff"),
        (Sampling { repetition_penalty: 0.0, ..off() }, "repetition_penalty"),
        (Sampling { max_new_tokens: 0, ..off() }, "max_new_tokens"),
        (Sampling { stop: vec![String::new()], ..off() }, "stop"),
    ];
    for (sampling, name) in bad {
        let error = sampling.validate().unwrap_err();
        assert!(matches!(error, Error::Setting { name: found, .. } if found == name), "{error}");
    }
    let error = Sampling { top_p: 1.2, ..off() }.validate().unwrap_err();
    assert_eq!(error.to_string(), "the setting top_p is 1.2, but must be above 0 and at most 1");
    Sampling::default().validate().unwrap();
}

#[test]
fn numbers_that_are_not_finite_are_an_error() {
    for temperature in [0.0, 1.0] {
        let mut sampler = Sampler::new(Sampling { temperature, ..off() }, 0).unwrap();
        let error = sampler.next(&[0.0, f32::NAN], &[]).unwrap_err();
        assert_eq!(error.code(), "infer.not_finite");
        let sampling = Sampling { temperature, no_repeat_ngram_size: 1, ..off() };
        let error = Sampler::new(sampling, 0).unwrap().next(&[0.5, 1.0], &[0, 1]).unwrap_err();
        assert_eq!(error.code(), "infer.no_token_left");
    }
}

#[test]
fn absent_fields_take_their_defaults_and_unknown_ones_are_refused() {
    let sampling: Sampling = serde_json::from_str(r#"{"temperature": 0.2}"#).unwrap();
    assert_eq!(sampling, Sampling { temperature: 0.2, ..Sampling::default() });
    assert!(serde_json::from_str::<Sampling>(r#"{"temprature": 0.2}"#).is_err());
}

/// Top-p as transformers writes it: everything sorted, summed from the least likely.
fn plain_top_p(left: &[Candidate], mass: f64) -> Vec<u32> {
    let shares = softmax(left);
    let mut order: Vec<usize> = (0..left.len()).collect();
    order.sort_by(|a, b| left[*a].logit.total_cmp(&left[*b].logit).then(a.cmp(b)));
    let mut sum = 0.0;
    let mut kept = Vec::new();
    for (rank, index) in order.iter().enumerate() {
        sum += shares[*index];
        if sum > 1.0 - mass || rank + 1 == order.len() {
            kept.push(left[*index].token);
        }
    }
    kept.sort_unstable();
    kept
}

proptest! {
    #[test]
    fn something_is_always_left_and_drawn(
        logits in prop::collection::vec(-30.0_f32..30.0, 1..60),
        previous in prop::collection::vec(0_u32..80, 0..20),
        temperature in 0.01_f64..5.0,
        top_p in 0.001_f64..1.0,
        top_k in 0_usize..70,
        min_p in 0.0_f64..1.0,
        typical_p in 0.001_f64..1.0,
        epsilon_cutoff in 0.0_f64..0.999,
        repetition_penalty in 0.5_f64..3.0,
    ) {
        let sampling = Sampling {
            temperature, top_p, top_k, min_p, typical_p, epsilon_cutoff, repetition_penalty,
            ..off()
        };
        let mut sampler = Sampler::new(sampling, 0).unwrap();
        let token = sampler.next(&logits, &previous).unwrap();
        prop_assert!((token as usize) < logits.len());
    }

    #[test]
    fn top_p_without_sorting_everything_keeps_the_same(
        logits in prop::collection::vec(-12.0_f32..12.0, 1..200),
        mass in 0.01_f64..0.99,
    ) {
        let mut left: Vec<Candidate> = logits
            .iter()
            .enumerate()
            .map(|(token, logit)| Candidate { token: token as u32, logit: *logit })
            .collect();
        let expected = plain_top_p(&left, mass);
        top_p(&mut left, mass);
        prop_assert_eq!(left.iter().map(|c| c.token).collect::<Vec<_>>(), expected);
    }
}
