//! Real quantised models, tensor by tensor, against what gguf-py makes of them.
//!
//! SmolLM2-135M-Instruct is looked for in `SANBAO_STARTER_MODEL` and then where the product
//! keeps it; without it the test says that it is skipped, unless `SANBAO_REQUIRE_STARTER=1`.
//! Gemma 3 270M is only compared when `SANBAO_GEMMA_MODEL` names the file.

use std::path::PathBuf;

use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::weights::{Gguf, WeightSource, permute_rows, unpermute_rows};

#[test]
fn every_tensor_of_smollm2_equals_gguf_pys() {
    let Some(path) = starter_model() else {
        let required = std::env::var_os("SANBAO_REQUIRE_STARTER").is_some_and(|value| value == "1");
        assert!(!required, "SANBAO_REQUIRE_STARTER=1, and the starter model is not there");
        eprintln!("skipped: the starter model is not there (cargo xtask test fetches it)");
        return;
    };
    let golden = golden("smollm2-135m-instruct.json");
    let gguf = Gguf::open(&path).unwrap();
    compare_metadata(&gguf, &golden);
    compare_tensors(&gguf, &golden, |name, shape, values| {
        let heads = match name {
            _ if name.contains("q_proj") => 9,
            _ if name.contains("k_proj") => 3,
            _ => return values,
        };
        let moved = unpermute_rows(&values, heads, 64, shape[1]).unwrap();
        assert_eq!(permute_rows(&moved, heads, 64, shape[1]).unwrap(), values, "{name} back again");
        moved
    });
}

#[test]
fn every_tensor_of_gemma3_equals_gguf_pys() {
    let Some(path) = std::env::var_os("SANBAO_GEMMA_MODEL").map(PathBuf::from) else {
        eprintln!("skipped: SANBAO_GEMMA_MODEL does not name gemma-3-270m-q4_k_m.gguf");
        return;
    };
    let golden = golden("gemma3-270m.json");
    let gguf = Gguf::open(&path).unwrap();
    compare_metadata(&gguf, &golden);
    compare_tensors(&gguf, &golden, |name, _, values| match name.contains("norm") {
        true => values.into_iter().map(|value| value - 1.0).collect(),
        false => values,
    });
}

fn starter_model() -> Option<PathBuf> {
    const NAME: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
    let named = std::env::var_os("SANBAO_STARTER_MODEL").map(PathBuf::from);
    let kept = std::env::home_dir().map(|home| home.join(".local/share/sanbao/models").join(NAME));
    named.or(kept).filter(|path| path.is_file())
}

fn golden(file: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/goldens/gguf/");
    serde_json::from_slice(&std::fs::read(format!("{folder}{file}")).unwrap()).unwrap()
}

fn compare_metadata(gguf: &Gguf, golden: &Value) {
    assert_eq!(gguf.architecture().unwrap(), golden["architecture"]);
    let stated = golden["metadata"].as_object().unwrap();
    for (key, value) in stated {
        match value {
            Value::String(text) => assert_eq!(gguf.require::<&str>(key).unwrap(), text),
            Value::Bool(flag) => assert_eq!(gguf.require::<bool>(key).unwrap(), *flag),
            Value::Number(number) => {
                assert_eq!(gguf.require::<f64>(key).unwrap(), number.as_f64().unwrap(), "{key}")
            }
            Value::Array(list) => {
                assert_eq!(gguf.require::<&[String]>(key).unwrap(), texts(list), "{key}")
            }
            _ => panic!("{key} is {value}"),
        }
    }
    let lists = golden["tokenizer_lists"].as_object().unwrap();
    assert_eq!(gguf.metadata().len(), stated.len() + lists.len());
    for (key, list) in lists {
        let count = list["count"].as_u64().unwrap() as usize;
        match key.rsplit('.').next().unwrap() {
            "token_type" => compare_list(list, count, &gguf.require::<Vec<i32>>(key).unwrap()),
            "scores" => compare_list(list, count, gguf.require::<&[f32]>(key).unwrap()),
            _ => compare_list(list, count, gguf.require::<&[String]>(key).unwrap()),
        }
    }
}

fn texts(list: &[Value]) -> Vec<String> {
    list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn compare_list<T: serde::Serialize>(golden: &Value, count: usize, list: &[T]) {
    assert_eq!(list.len(), count);
    assert_eq!(serde_json::to_value(&list[..8]).unwrap(), golden["first8"]);
    assert_eq!(serde_json::to_value(&list[count - 4..]).unwrap(), golden["last4"]);
}

fn compare_tensors(
    gguf: &Gguf,
    golden: &Value,
    to_hugging_face: impl Fn(&str, &[usize], Vec<f32>) -> Vec<f32> + Sync,
) {
    let tensors = golden["tensors"].as_object().unwrap();
    assert_eq!(gguf.names().len(), tensors.len());
    tensors.into_iter().collect::<Vec<_>>().into_par_iter().for_each(|(name, golden)| {
        let stored = golden["gguf_name"].as_str().unwrap();
        let info = gguf.info(stored).unwrap();
        assert_eq!(info.dtype.name(), golden["type"], "{name}");
        let shape: Vec<usize> = serde_json::from_value(golden["shape"].clone()).unwrap();
        assert_eq!(info.shape, shape, "{name}");
        let values = gguf.read_f32(stored).unwrap();
        let middle = shape[0] / 2;
        let row = values.len() / shape[0];
        assert_eq!(
            gguf.read_rows_f32(stored, middle..middle + 1).unwrap(),
            values[middle * row..][..row],
            "{name}"
        );

        let values = to_hugging_face(name, &shape, values);
        let first: Vec<f64> = values[..8].iter().map(|value| f64::from(*value)).collect();
        assert_eq!(serde_json::to_value(first).unwrap(), golden["first8"], "{name}");
        let last: Vec<f64> =
            values[values.len() - 4..].iter().map(|value| f64::from(*value)).collect();
        assert_eq!(serde_json::to_value(last).unwrap(), golden["last4"], "{name}");
        let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / values.len() as f64;
        let expected = golden["mean"].as_f64().unwrap();
        let spread = golden["std"].as_f64().unwrap();
        assert!(
            (mean - expected).abs() <= 1e-6 * spread.max(expected.abs()),
            "{name}: mean {mean}, not {expected}"
        );
        let mut hash = Sha256::new();
        values.chunks(1 << 12).for_each(|part| {
            hash.update(part.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())
        });
        let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, golden["sha256_f32_le"], "{name}");
    });
}
