//! SmolLM2-135M-Instruct against the reference stack, where the file is present: named by
//! `SANBAO_STARTER_MODEL` or in the data folder. `SANBAO_REQUIRE_STARTER=1` makes its absence
//! an error.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use burn::tensor::Device;
use safetensors::SafeTensors;
use sanbao_contract::Message;
use sanbao_infer::{
    Cache, Flow, Sampling, ScoredSequence, answer, chat_prompt, generate, label_log_probabilities,
    probabilities, sequence_losses,
};
use sanbao_models::host::to_vec;
use sanbao_models::{BaseModel, Decoder};
use sanbao_text::Tokenizer;
use serde_json::Value;

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/fixtures/goldens/real_models/smollm2_135m_instruct"
);

fn starter() -> Option<(Decoder, Tokenizer)> {
    let path = match std::env::var_os("SANBAO_STARTER_MODEL") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(std::env::var_os("HOME")?)
            .join(".local/share/sanbao/models/SmolLM2-135M-Instruct.Q4_1.gguf"),
    };
    if !path.is_file() {
        let required = std::env::var("SANBAO_REQUIRE_STARTER").is_ok_and(|value| value == "1");
        assert!(!required, "{} is not there", path.display());
        return None;
    }
    let base = BaseModel::open(&path).unwrap();
    Some((base.load(&Device::flex()).unwrap(), base.tokenizer))
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn floats(tensors: &SafeTensors, name: &str) -> Vec<f32> {
    let data = tensors.tensor(name).unwrap().data().to_vec();
    data.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

fn integers(tensors: &SafeTensors, name: &str) -> Vec<usize> {
    let data = tensors.tensor(name).unwrap().data().to_vec();
    let one = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().unwrap()) as usize;
    data.chunks_exact(8).map(one).collect()
}

#[test]
fn the_starter_model_answers_like_the_reference() {
    let Some((model, tokenizer)) = starter() else { return };
    let golden: Value =
        serde_json::from_str(&std::fs::read_to_string(format!("{GOLDEN}/golden.json")).unwrap())
            .unwrap();
    greedy_answers(&model, &tokenizer, &golden);
    logits(&model, &golden);
    losses(&model, &golden);
    labels(&model, &tokenizer);
}

fn greedy_answers(model: &Decoder, tokenizer: &Tokenizer, golden: &Value) {
    let cases = golden["prompts"].as_array().unwrap();
    let prompts: Vec<Vec<u32>> = cases.iter().map(|case| ids(&case["ids"])).collect();
    let greedy = Sampling::greedy(32);
    let answers =
        generate(model, tokenizer, &prompts, &greedy, 8192, &mut |_, _| Flow::Continue).unwrap();
    for (case, found) in cases.iter().zip(&answers) {
        // The reference goes on behind the end token.
        let expected = ids(&case["greedy_32_ids"]);
        let clear = case["compare_first"].as_u64().unwrap() as usize;
        let count = clear.min(found.ids.len()).min(expected.len());
        assert_eq!(found.ids[..count], expected[..count], "{}", case["text"]);
        assert!(count > 5);

        let messages: Vec<Message> = serde_json::from_value(case["messages"].clone()).unwrap();
        assert_eq!(chat_prompt(tokenizer, &messages).unwrap(), ids(&case["ids"]));
    }
    let messages = [Message::new("user", "What is the capital of France?")];
    let alone = answer(model, tokenizer, &messages, &greedy).unwrap();
    assert_eq!(alone.text, "The capital of France is Paris.");
    eprintln!("{:.1} tokens/s alone", alone.tokens_per_second());
}

fn logits(model: &Decoder, golden: &Value) {
    let bytes = std::fs::read(format!("{GOLDEN}/logits_64_tokens.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let text = ids(&golden["text_64"]["ids"]);
    let (top, tokens) = (floats(&tensors, "top20_values"), integers(&tensors, "top20_ids"));
    let sums = floats(&tensors, "logsumexp");
    let mut cache = Cache::new(model);
    let sequence = cache.begin();
    let mut at = 0;
    for stretch in [text[..40].chunks(40), text[40..].chunks(1)].into_iter().flatten() {
        let hidden = cache.extend(&[(sequence, stretch)]).unwrap();
        for row in to_vec(model.logits_of(hidden)).unwrap().chunks(model.spec.vocab_size) {
            for rank in at * 20..at * 20 + 20 {
                let far = (row[tokens[rank]] - top[rank]).abs();
                assert!(far < 5e-4, "position {at}: {far}");
            }
            let sum = row.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
            assert!((sum - f64::from(sums[at])).abs() < 1e-4, "position {at}");
            at += 1;
        }
    }
    assert_eq!(at, 64);
}

fn losses(model: &Decoder, golden: &Value) {
    let text = ids(&golden["text_2k"]["ids"]);
    let trained = vec![true; text.len()];
    let sequence = ScoredSequence { ids: &text, trained: &trained };
    let loss = sequence_losses(model, &[sequence], 4096).unwrap()[0];
    assert_eq!(loss.tokens, 539);
    let expected = golden["text_2k"]["mean_nll"].as_f64().unwrap();
    assert!((loss.sum / 539.0 - expected).abs() < 1e-4);
}

fn labels(model: &Decoder, tokenizer: &Tokenizer) {
    let ask = |text: &str| {
        let question = format!("Is this film review positive or negative? Review: {text}");
        chat_prompt(tokenizer, &[Message::new("user", question)]).unwrap()
    };
    let prompts = [ask("A wonderful, moving film. I loved it!"), ask("Dreadful. I left early.")];
    let labels = ["Positive<|im_end|>", "Negative<|im_end|>"]
        .map(|label| tokenizer.encode(label, false).unwrap());
    let scores = label_log_probabilities(model, &prompts, &labels).unwrap();
    for (prompt, scores) in prompts.iter().zip(&scores) {
        for (label, score) in labels.iter().zip(scores) {
            let text = [prompt.as_slice(), label].concat();
            let trained: Vec<bool> = (0..text.len()).map(|at| at >= prompt.len()).collect();
            let sequence = ScoredSequence { ids: &text, trained: &trained };
            let whole = sequence_losses(model, &[sequence], 4096).unwrap()[0];
            assert!((whole.sum + score).abs() < 5e-4, "{} is not {score}", -whole.sum);
        }
    }
    let shares: Vec<Vec<f64>> = scores.iter().map(|scores| probabilities(scores)).collect();
    assert!(shares[0][0] > shares[1][0], "{shares:?}");
}
