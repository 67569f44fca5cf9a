#![allow(clippy::unwrap_used, clippy::expect_used)]

use sanbao_models::host::to_vec;
use sanbao_models::rope::RopeScaling;

use super::*;
use crate::testing::{Reference, distance, load, logits_of};

/// The same cache on both paths.
fn both(model: &Decoder) -> [(&'static str, Cache<'_>); 2] {
    [("host", Cache::new(model)), ("tensors", Cache::with_tensors(model))]
}

/// Reads `ids` in stretches of the given lengths, the rest token by token.
fn read(cache: &mut Cache, sequence: SequenceId, ids: &[u32], lengths: &[usize]) -> Vec<f32> {
    let mut logits = Vec::new();
    let mut rest = ids;
    let mut lengths = lengths.iter().copied();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(lengths.next().unwrap_or(1).min(rest.len()));
        let hidden = cache.extend(&[(sequence, now)]).unwrap();
        logits.extend(logits_of(cache.model(), hidden));
        rest = later;
    }
    logits
}

fn full(model: &Decoder, ids: &[u32]) -> Vec<f32> {
    to_vec(model.logits(ids, &Layout::packed([ids.len()]))).unwrap()
}

#[test]
fn stretches_and_single_tokens_give_the_reference_logits() {
    for reference in Reference::all() {
        let (ids, expected) = (reference.prompt(1), reference.logits(1));
        // 40 tokens: longer than the windows of 8, and both kernels of the host are used.
        for lengths in [vec![40], vec![5, 9, 12], vec![1], vec![39]] {
            for (path, mut cache) in both(&reference.model) {
                let sequence = cache.begin();
                let logits = read(&mut cache, sequence, &ids, &lengths);
                let far = distance(&logits, &expected);
                assert!(far < 1e-4, "{} {path} {lengths:?}: {far}", reference.name);
                assert_eq!(cache.tokens(sequence).unwrap(), ids);
            }
        }
    }
}

#[test]
fn a_batch_of_unequal_sequences_equals_each_alone() {
    for reference in Reference::all() {
        let prompts = [reference.prompt(0), reference.prompt(1)];
        for (path, mut cache) in both(&reference.model) {
            let (a, b) = (cache.begin(), cache.begin());
            let mut logits = [Vec::new(), Vec::new()];
            let steps = [(10, 3), (1, 20), (0, 1), (9, 0), (1, 1), (6, 15)];
            let mut at = (0, 0);
            for (x, y) in steps {
                let now = [&prompts[0][at.0..at.0 + x], &prompts[1][at.1..at.1 + y]];
                at = (at.0 + x, at.1 + y);
                // The order of a pass is free.
                let hidden = if x > y {
                    cache.extend(&[(a, now[0]), (b, now[1])]).unwrap()
                } else {
                    let hidden = cache.extend(&[(b, now[1]), (a, now[0])]).unwrap();
                    let rows: Vec<usize> = (y..x + y).chain(0..y).collect();
                    select(hidden, &rows)
                };
                let vocabulary = reference.model.spec.vocab_size;
                let all = logits_of(&reference.model, hidden);
                let (first, second) = all.split_at(x * vocabulary);
                logits[0].extend_from_slice(first);
                logits[1].extend_from_slice(second);
            }
            for (index, logits) in logits.iter().enumerate() {
                let far = distance(logits, &reference.logits(index));
                assert!(far < 1e-4, "{} {path} prompt {index}: {far}", reference.name);
            }
        }
    }
}

#[test]
fn forks_share_their_beginning_and_go_their_own_way() {
    for reference in Reference::all() {
        let model = &reference.model;
        let ids = reference.prompt(1);
        let other: Vec<u32> = ids[..20].iter().chain(&ids[5..17]).copied().collect();
        let expected = [full(model, &ids), full(model, &other)];
        let vocabulary = model.spec.vocab_size;
        for (path, mut cache) in both(model) {
            let stem = cache.begin();
            cache.extend(&[(stem, &ids[..20])]).unwrap();
            let child = cache.fork(stem).unwrap();
            cache.extend(&[(child, &other[20..22])]).unwrap();
            let grandchild = cache.fork(child).unwrap();
            cache.remove(child);
            let a = read(&mut cache, stem, &ids[20..], &[3]);
            let b = read(&mut cache, grandchild, &other[22..], &[9]);
            let far = distance(&a, &expected[0][20 * vocabulary..])
                .max(distance(&b, &expected[1][22 * vocabulary..]));
            assert!(far < 1e-4, "{} {path}: {far}", reference.name);
        }
    }
}

#[test]
fn alternatives_see_their_sequence_and_themselves_and_leave_no_trace() {
    for reference in Reference::all() {
        let model = &reference.model;
        let prompts = [reference.prompt(0), reference.prompt(1)];
        let tails: [&[u32]; 3] = [&[7, 8, 9], &[9], &[11, 7, 8, 9, 10, 12, 13, 14, 15, 16]];
        let vocabulary = model.spec.vocab_size;
        for (path, mut cache) in both(model) {
            let sequences = prompts.each_ref().map(|ids| {
                let sequence = cache.begin();
                cache.extend(&[(sequence, ids)]).unwrap();
                sequence
            });
            let feeds = sequences.map(|sequence| (sequence, tails.to_vec()));
            let found = logits_of(model, cache.peek(&feeds).unwrap());
            let mut expected = Vec::new();
            for ids in &prompts {
                for tail in tails {
                    let whole = [ids, tail].concat();
                    expected.extend_from_slice(&full(model, &whole)[ids.len() * vocabulary..]);
                }
            }
            let far = distance(&found, &expected);
            assert!(far < 1e-4, "{} {path}: {far}", reference.name);

            let again = read(&mut cache, sequences[1], tails[2], &[]);
            let whole = full(model, &[&prompts[1], tails[2]].concat());
            let far = distance(&again, &whole[prompts[1].len() * vocabulary..]);
            assert!(far < 1e-4, "{} {path} after: {far}", reference.name);
        }
    }
}

#[test]
fn sequences_come_and_go_without_disturbing_others() {
    let reference = Reference::load("gemma3");
    let (ids, expected) = (reference.prompt(1), reference.logits(1));
    for (path, mut cache) in both(&reference.model) {
        let sequence = cache.begin();
        let mut logits = Vec::new();
        let mut guests = Vec::new();
        for (step, id) in ids.iter().enumerate() {
            let hidden = if step % 3 == 0 {
                let guest = cache.begin();
                guests.push(guest);
                let long: Vec<u32> = (0..50 + step as u32).map(|i| i % 200).collect();
                let hidden = cache.extend(&[(guest, &long), (sequence, &[*id])]).unwrap();
                select(hidden, &[long.len()])
            } else {
                cache.extend(&[(sequence, &[*id])]).unwrap()
            };
            if step % 4 == 1 {
                cache.remove(guests.remove(0));
            }
            logits.extend(logits_of(&reference.model, hidden));
        }
        let far = distance(&logits, &expected);
        assert!(far < 1e-4, "{path}: {far}");
    }
}

#[test]
fn keys_are_computed_anew_when_longrope_changes_its_frequencies() {
    let (mut model, _) = load("phi3");
    let half = model.spec.ropes[0].rotary_dim / 2;
    model.spec.ropes[0].scaling = RopeScaling::LongRope {
        short: vec![1.0; half],
        long: (0..half).map(|i| 1.5 + i as f64).collect(),
        original: 20,
        attention_factor: 1.1,
    };
    let ids: Vec<u32> = (0..40).map(|i| 3 + (i * 37) % 200).collect();
    let vocabulary = model.spec.vocab_size;
    for (path, mut cache) in both(&model) {
        let (long, short) = (cache.begin(), cache.begin());
        for (at, id) in ids.iter().enumerate() {
            let mut feeds = vec![(long, std::slice::from_ref(id))];
            if at < 15 {
                feeds.push((short, std::slice::from_ref(id)));
            }
            let hidden = cache.extend(&feeds).unwrap();
            assert_eq!(hidden.dims()[0], feeds.len());
            let expected = full(&model, &ids[..=at]);
            let expected = &expected[at * vocabulary..];
            for found in logits_of(&model, hidden).chunks(vocabulary) {
                let far = distance(found, expected);
                assert!(far < 1e-4, "{path} token {at}: {far}");
            }
        }
    }
}

#[test]
fn bad_input_is_an_error() {
    let (model, _) = load("gpt2");
    for (_, mut cache) in both(&model) {
        let sequence = cache.begin();
        let unknown = cache.extend(&[(sequence, &[1, 400])]).unwrap_err();
        assert_eq!(unknown.code(), "infer.unknown_token");
        let long = cache.extend(&[(sequence, &[1; 129])]).unwrap_err();
        assert_eq!(
            long.to_string(),
            "text number 0 has 129 tokens, but the model's context holds 128; shorten it"
        );
        assert!(cache.tokens(sequence).unwrap().is_empty());
        cache.extend(&[(sequence, &[1; 128])]).unwrap();
        assert_eq!(cache.peek(&[(sequence, vec![&[1]])]).unwrap_err().code(), "infer.too_long");
        cache.remove(sequence);
        let removed = cache.extend(&[(sequence, &[1])]).unwrap_err();
        assert_eq!(removed.code(), "infer.unknown_sequence");
        assert_eq!(cache.extend(&[]).unwrap().dims(), [0, model.spec.hidden_size]);
    }
}
