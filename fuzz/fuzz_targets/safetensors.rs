//! Opens any bytes as a safetensors file and reads what it says it holds.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sanbao_models::weights::{SafetensorsFile, WeightSource};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = SafetensorsFile::from_bytes(Path::new("fuzz.safetensors"), bytes.to_vec())
    else {
        return;
    };
    let stored: usize =
        file.names().into_iter().filter_map(|name| file.info(name)).map(|info| info.bytes).sum();
    assert!(stored <= bytes.len(), "tensors share bytes");
    for name in file.names() {
        let rows = file.info(name).map_or(0, |info| info.rows());
        if let Ok(values) = file.read_f32(name) {
            assert!(values.iter().all(|value| value.is_finite()));
            assert!(file.read_rows_f32(name, rows / 2..rows).is_ok());
        }
        assert!(file.read_rows_f32(name, rows..rows + 1).is_err());
    }
});
