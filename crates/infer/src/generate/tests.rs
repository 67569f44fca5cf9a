#![allow(clippy::unwrap_used, clippy::expect_used)]

use sanbao_models::host::to_vec;
use sanbao_models::ops::Layout;

use super::*;
use crate::testing::{Reference, ids, load};

struct Run {
    answers: Vec<Generated>,
    pieces: Vec<(usize, Piece)>,
}

impl Run {
    /// The text of all pieces of an answer.
    fn streamed(&self, index: usize) -> String {
        self.pieces.iter().filter(|(at, _)| *at == index).map(|(_, p)| p.text.as_str()).collect()
    }
}

fn run(
    model: &Decoder,
    tokenizer: &Tokenizer,
    prompts: &[Vec<u32>],
    sampling: &Sampling,
    token_budget: usize,
    stop_ids: &[u32],
) -> Run {
    let mut pieces = Vec::new();
    let job = Job { model, tokenizer, prompts, sampling, token_budget, stop_ids };
    let answers = job
        .run(&mut |index, piece| {
            pieces.push((index, piece));
            Flow::Continue
        })
        .unwrap();
    let run = Run { answers, pieces };
    for (index, answer) in run.answers.iter().enumerate() {
        assert_eq!(run.streamed(index), answer.text);
        let last = run.pieces.iter().rfind(|(at, _)| *at == index).unwrap();
        assert_eq!(last.1.finish, Some(answer.finish));
    }
    run
}

/// The same prompts without a cache: the whole text is read again for every token.
fn greedy_without_cache(model: &Decoder, prompt: &[u32], count: usize) -> Vec<u32> {
    let mut ids = prompt.to_vec();
    for _ in 0..count {
        let logits = to_vec(model.logits(&ids, &Layout::packed([ids.len()]))).unwrap();
        let last = &logits[logits.len() - model.spec.vocab_size..];
        let best = (0..last.len()).max_by(|a, b| last[*a].total_cmp(&last[*b])).unwrap();
        ids.push(best as u32);
    }
    ids.split_off(prompt.len())
}

#[test]
fn greedy_tokens_equal_the_reference_with_and_without_cache() {
    for reference in Reference::all() {
        let greedy = &reference.golden["greedy"];
        let (prompt, expected) = (ids(&greedy["prompt_ids"]), ids(&greedy["new_tokens"]));
        let Reference { model, tokenizer, name, .. } = &reference;
        assert_eq!(greedy_without_cache(model, &prompt, 24), expected, "{name} without cache");
        // Neighbours in the batch do not disturb, whether they are there from the start or not.
        let prompts = [reference.prompt(1), prompt, reference.prompt(0)];
        for budget in [1, 130, 8192] {
            let run = run(model, tokenizer, &prompts, &Sampling::greedy(24), budget, &[]);
            assert_eq!(run.answers[1].ids, expected, "{name} with a budget of {budget}");
            assert_eq!(run.answers[1].finish, FinishReason::Length);
            assert_eq!(run.answers[1].prompt_tokens, prompts[1].len());
            assert!(run.answers[1].tokens_per_second() > 0.0);
            // Random weights give broken characters. Where bytes are tokens of their own, one
            // of those spoils its neighbours in the whole text but not in what was streamed.
            if !["gemma2", "gemma3", "mistral_sliding", "phi3"].contains(name) {
                let text = tokenizer.decode(&expected, true).unwrap();
                assert_eq!(run.answers[1].text, text, "{name}");
            }
        }
    }
}

#[test]
fn a_batch_of_unequal_prompts_equals_each_alone() {
    for reference in Reference::all() {
        let Reference { model, tokenizer, name, .. } = &reference;
        let long = reference.prompt(1);
        let prompts: Vec<Vec<u32>> =
            [40, 3, 17, 1, 40, 28].iter().map(|count| long[..*count].to_vec()).collect();
        let sampling = Sampling { max_new_tokens: 12, seed: 3, ..Sampling::default() };
        let greedy = Sampling::greedy(12);
        let together = run(model, tokenizer, &prompts, &greedy, 150, &[]);
        for (index, prompt) in prompts.iter().enumerate() {
            let alone = run(model, tokenizer, std::slice::from_ref(prompt), &greedy, 150, &[]);
            assert_eq!(together.answers[index].ids, alone.answers[0].ids, "{name} {index}");
        }
        let drawn = run(model, tokenizer, &prompts, &sampling, 8192, &[]);
        let again = run(model, tokenizer, &prompts, &sampling, 60, &[]);
        for (a, b) in drawn.answers.iter().zip(&again.answers) {
            assert_eq!(a.ids, b.ids, "{name}: the budget changed an answer");
        }
    }
}

#[test]
fn samples_of_one_prompt_differ_and_a_seed_repeats_them() {
    let Reference { model, tokenizer, golden, .. } = Reference::load("llama_gqa_tied");
    let prompts = vec![ids(&golden["prompts"][0]["ids"]); 5];
    let sampling =
        Sampling { temperature: 1.5, top_p: 1.0, max_new_tokens: 10, ..Sampling::default() };
    let answers = |seed| {
        let sampling = Sampling { seed, ..sampling.clone() };
        let run = run(&model, &tokenizer, &prompts, &sampling, 8192, &[]);
        run.answers.into_iter().map(|answer| answer.ids).collect::<Vec<_>>()
    };
    let first = answers(1);
    assert_eq!(first, answers(1));
    assert_ne!(first, answers(2));
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), 5);
}

#[test]
fn a_stop_token_ends_an_answer_and_the_next_prompt_takes_its_place() {
    let reference = Reference::load("qwen3");
    let Reference { model, tokenizer, golden, .. } = &reference;
    let (prompt, expected) =
        (ids(&golden["greedy"]["prompt_ids"]), ids(&golden["greedy"]["new_tokens"]));
    let stop = expected[6];
    let first = expected.iter().position(|id| *id == stop).unwrap();
    let prompts = [prompt.clone(), reference.prompt(0), prompt];
    let run = run(model, tokenizer, &prompts, &Sampling::greedy(24), 110, &[stop]);
    for index in [0, 2] {
        let answer = &run.answers[index];
        assert_eq!(answer.finish, FinishReason::Stop);
        assert_eq!(answer.ids, expected[..=first]);
        assert_eq!(answer.text, tokenizer.decode(&expected[..first], true).unwrap());
    }
}

#[test]
fn stop_texts_end_an_answer_wherever_tokens_divide_them() {
    for name in ["llama_gqa_tied", "mistral_sliding", "gpt2", "gemma3"] {
        let Reference { model, tokenizer, golden, .. } = Reference::load(name);
        let prompts = [ids(&golden["greedy"]["prompt_ids"])];
        let whole = run(&model, &tokenizer, &prompts, &Sampling::greedy(24), 8192, &[]);
        let text = &whole.answers[0].text;
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for start in 1..boundaries.len().saturating_sub(4) {
            let stop = text[boundaries[start]..boundaries[start + 3]].to_owned();
            let expected = &text[..text.find(&stop).unwrap()];
            let sampling = Sampling {
                stop: vec!["never to be seen".into(), stop.clone()],
                ..Sampling::greedy(24)
            };
            let run = run(&model, &tokenizer, &prompts, &sampling, 8192, &[]);
            assert_eq!(run.answers[0].text, expected, "{name}: stop text {stop:?}");
            assert_eq!(run.answers[0].finish, FinishReason::Stop);
        }
    }
}

#[test]
fn a_full_context_ends_an_answer_with_its_own_reason() {
    let (model, tokenizer) = load("gpt2");
    let context = model.spec.max_position_embeddings;
    let prompt = |count: usize| (0..count).map(|i| 5 + (i as u32 * 7) % 300).collect::<Vec<u32>>();
    let prompts = [prompt(context - 6), prompt(context), prompt(context + 50), prompt(4)];
    let run = run(&model, &tokenizer, &prompts, &Sampling::greedy(24), 8192, &[]);
    let ends: Vec<_> = run.answers.iter().map(|a| (a.ids.len(), a.finish)).collect();
    assert_eq!(
        ends,
        [
            (6, FinishReason::Context),
            (0, FinishReason::Context),
            (0, FinishReason::Context),
            (24, FinishReason::Length)
        ]
    );
}

#[test]
fn the_caller_can_stop_at_any_piece() {
    let Reference { model, tokenizer, golden, .. } = Reference::load("llama_gqa_tied");
    let prompts = vec![ids(&golden["greedy"]["prompt_ids"]); 3];
    let expected = ids(&golden["greedy"]["new_tokens"]);
    for after in 1..12 {
        let mut pieces = 0;
        let mut streamed = vec![String::new(); 3];
        let answers = generate(
            &model,
            &tokenizer,
            &prompts,
            &Sampling::greedy(24),
            100,
            &mut |index, piece| {
                pieces += 1;
                streamed[index].push_str(&piece.text);
                if pieces == after { Flow::Stop } else { Flow::Continue }
            },
        )
        .unwrap();
        assert_eq!(pieces, after);
        assert!(answers.iter().all(|answer| answer.finish == FinishReason::Cancelled));
        assert_eq!(answers.iter().map(|answer| answer.ids.len()).sum::<usize>(), after);
        for (answer, streamed) in answers.iter().zip(streamed) {
            assert_eq!(answer.ids, expected[..answer.ids.len()]);
            assert!(answer.text.starts_with(&streamed));
        }
    }
}

#[test]
fn bad_input_is_an_error_and_nothing_to_do_is_none() {
    let (mut model, tokenizer) = load("llama_gqa_tied");
    let ask = |model: &Decoder, prompts: &[Vec<u32>], sampling: &Sampling| {
        generate(model, &tokenizer, prompts, sampling, 100, &mut |_, _| Flow::Continue)
    };
    let greedy = Sampling::greedy(2);
    assert_eq!(ask(&model, &[], &greedy).unwrap(), []);
    let code = |result: Result<Vec<Generated>, Error>| result.unwrap_err().code();
    assert_eq!(code(ask(&model, &[vec![1], vec![]], &greedy)), "infer.empty");
    assert_eq!(code(ask(&model, &[vec![400]], &greedy)), "infer.unknown_token");
    let sampling = Sampling { top_p: 7.0, ..Sampling::default() };
    assert_eq!(code(ask(&model, &[vec![1]], &sampling)), "infer.bad_setting");
    model.final_norm.weight = model.final_norm.weight.clone() * f32::NAN;
    assert_eq!(code(ask(&model, &[vec![1]], &greedy)), "infer.not_finite");
}
