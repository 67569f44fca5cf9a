//! Opens any bytes as a GGUF file and reads what it says it holds.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sanbao_models::weights::{Gguf, WeightSource};

fuzz_target!(|bytes: &[u8]| {
    let Ok(gguf) = Gguf::from_bytes(Path::new("fuzz.gguf"), bytes.to_vec()) else { return };
    drop(gguf.architecture().map(str::len));
    drop(gguf.tokenizer());
    let stored: usize =
        gguf.names().into_iter().filter_map(|name| gguf.info(name)).map(|info| info.bytes).sum();
    assert!(stored <= bytes.len(), "tensors share bytes");
    for name in gguf.names() {
        let rows = gguf.info(name).map_or(0, |info| info.rows());
        if let Ok(values) = gguf.read_f32(name) {
            assert!(values.iter().all(|value| value.is_finite()));
            assert!(gguf.read_rows_f32(name, rows / 2..rows).is_ok());
        }
        assert!(gguf.read_rows_f32(name, rows..rows + 1).is_err());
    }
});
