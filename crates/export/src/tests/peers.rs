//! Exports for `bench/peers/check_exports.py`, which loads them with transformers, PEFT and
//! llama.cpp. Not a check by itself: it writes what the peers are to be asked about.
//!
//! ```sh
//! SANBAO_PEER_EXPORTS=/somewhere cargo test --workspace --lib exports_for_peers -- --ignored
//! ```

use std::fs;

use sanbao_models::Layout;
use sanbao_models::host::to_vec;

use super::*;
use crate::parity::{Probes, every_row};

const PROMPT_TOKENS: usize = 24;
const ANSWER_TOKENS: usize = 24;

/// A safetensors file of the kind that peers read: the outputs of each token, logits or a score.
fn write_expected(path: &Path, ids: &[u32], prompt: usize, outputs: &[f32]) {
    let ids_bytes: Vec<u8> = ids.iter().flat_map(|id| i64::from(*id).to_le_bytes()).collect();
    let output_bytes: Vec<u8> = outputs.iter().flat_map(|value| value.to_le_bytes()).collect();
    let (ids_end, outputs_end) = (ids_bytes.len() + 8, ids_bytes.len() + 8 + output_bytes.len());
    let mut header = json!({
        "ids": {"dtype": "I64", "shape": [ids.len()], "data_offsets": [0, ids_bytes.len()]},
        "prompt_tokens": {"dtype": "I64", "shape": [], "data_offsets": [ids_bytes.len(), ids_end]},
        "outputs": {"dtype": "F32", "shape": [ids.len(), outputs.len() / ids.len()], "data_offsets": [ids_end, outputs_end]},
    })
    .to_string()
    .into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = (header.len() as u64).to_le_bytes();
    let prompt = (prompt as i64).to_le_bytes();
    fs::write(path, [&length[..], &header, &ids_bytes, &prompt, &output_bytes].concat()).unwrap();
}

/// A prompt, the greedy answer to it, and the logits of all.
fn expect(trained: &Trained, path: &Path) {
    let probes = Probes::new(&trained.base.tokenizer, PROMPT_TOKENS).unwrap();
    let mut ids = probes.ids[probes.layout.segments[0].clone()].to_vec();
    let prompt = ids.len();
    let logits =
        |ids: &[u32]| to_vec(trained.model.logits(ids, &Layout::packed([ids.len()]))).unwrap();
    let vocabulary = trained.base.spec.vocab_size;
    for _ in 0..ANSWER_TOKENS {
        let all = logits(&ids);
        let last = &all[all.len() - vocabulary..];
        let best = (0..vocabulary).max_by(|a, b| last[*a].total_cmp(&last[*b])).unwrap() as u32;
        if trained.base.tokenizer.stop_ids().contains(&best) {
            break;
        }
        ids.push(best);
    }
    write_expected(path, &ids, prompt, &logits(&ids));
}

/// A reward model's folders, and its scores of every token of a conversation.
fn export_scores(trained: &Trained, out: &Path) {
    trained.export("hf", json!({"dtype": "f32"}), &out.join("scores-hf")).unwrap();
    trained.export("peft", json!({}), &out.join("scores-peft")).unwrap();
    let probes = Probes::new(&trained.base.tokenizer, PROMPT_TOKENS).unwrap();
    let ids = &probes.ids[probes.layout.segments[0].clone()];
    let layout = Layout::packed([ids.len()]);
    let scores = trained.model.scores(ids, &layout, &every_row(ids)).unwrap();
    write_expected(&out.join("scores.safetensors"), ids, 0, &scores);
}

fn export_all(trained: &Trained, out: &Path) {
    let dtypes = |name: &str, list: &[&str]| -> Vec<(String, String, Value)> {
        list.iter()
            .map(|dtype| (format!("{name}-{dtype}"), name.to_owned(), json!({"dtype": dtype})))
            .collect()
    };
    let mut jobs = dtypes("hf", &["f32", "bf16", "f16"]);
    jobs.extend(dtypes("gguf", &["f32", "f16", "q8_0"]));
    jobs.push(("peft".into(), "peft".into(), json!({})));
    jobs.push(("ollama".into(), "ollama".into(), json!({})));
    for (folder, target, options) in jobs {
        let exported = trained.export(&target, options, &out.join(&folder)).unwrap();
        println!("{} {folder}: {:?}", out.display(), exported.parity);
    }
    expect(trained, &out.join("expected.safetensors"));
}

#[test]
#[ignore = "writes exports for other programs; see the top of this file"]
fn exports_for_peers() {
    let out = PathBuf::from(
        std::env::var_os("SANBAO_PEER_EXPORTS").expect("SANBAO_PEER_EXPORTS names a new folder"),
    );
    for name in DECODERS {
        let base = variant(name, for_gguf(name));
        let folder = out.join(name);
        fs::create_dir_all(folder.join("base")).unwrap();
        for file in fs::read_dir(base.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.join("base").join(file.file_name())).unwrap();
        }
        export_all(&Trained::new(base.path(), Some(lora(*name == "qwen3"))), &folder);
        export_scores(&Trained::scoring_at(base.path()), &folder);
    }
    // A real model as well: a GGUF file or a folder.
    if let Some(model) = std::env::var_os("SANBAO_PEER_MODEL") {
        let model = Path::new(&model);
        let folder = out.join("real");
        let untrained = Trained::new(model, None);
        untrained.export("hf", json!({"dtype": "f32"}), &folder.join("base")).unwrap();
        drop(untrained);
        export_all(&Trained::new(model, Some(lora(false))), &folder);
    }
}
