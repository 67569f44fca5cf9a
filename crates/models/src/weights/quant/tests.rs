#![allow(clippy::unwrap_used, clippy::expect_used)]

use sha2::{Digest, Sha256};

use super::*;

/// A tensor of a safetensors file, found without the reader under test.
fn golden_bytes(file: &[u8], name: &str) -> Vec<u8> {
    let header_length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&file[8..8 + header_length]).unwrap();
    let place = |end: usize| {
        header[name]["data_offsets"][end].as_u64().unwrap() as usize + 8 + header_length
    };
    file[place(0)..place(1)].to_vec()
}

fn sha256_of(values: &[f32]) -> String {
    let mut hash = Sha256::new();
    values.iter().for_each(|value| hash.update(value.to_le_bytes()));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn goldens(file: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/goldens/gguf/");
    std::fs::read(format!("{folder}{file}")).unwrap()
}

#[test]
fn every_golden_block_decodes_bit_for_bit() {
    let data = goldens("quant_blocks.safetensors");
    let described: serde_json::Value =
        serde_json::from_slice(&goldens("quant_blocks.json")).unwrap();
    let types = described["types"].as_object().unwrap();
    assert_eq!(types.len(), 16);
    for (name, golden) in types {
        let layout = LAYOUTS.iter().find(|layout| layout.name == name).expect(name);
        assert_eq!(golden["block_values"], layout.block_values, "{name}");
        assert_eq!(golden["block_bytes"], layout.block_bytes, "{name}");
        assert_eq!(golden["ggml_type_id"], layout.ggml_id.unwrap(), "{name}");

        let bytes = golden_bytes(&data, &format!("{name}.bytes"));
        let mut values = vec![0.0; bytes.len() / layout.block_bytes * layout.block_values];
        (layout.decode.unwrap())(&bytes, &mut values);

        let expected = golden_bytes(&data, &format!("{name}.values"));
        let expected: Vec<f32> =
            expected.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        assert_eq!(values, expected, "{name}");
        assert_eq!(sha256_of(&values), golden["sha256_values_f32_le"], "{name}");
    }
}

#[test]
fn the_types_without_a_golden_decode_by_their_formula() {
    let mut block = 0.5_f32.to_le_bytes().to_vec();
    block.extend((0..=255_u8).map(|at| at.wrapping_sub(128)));
    block.extend([0xAA; 32]);
    let mut values = vec![0.0; 256];
    k::q8_k(&block, &mut values);
    assert_eq!((values[0], values[128], values[255]), (-64.0, 0.0, 63.5));

    let mut values = [0.0; 2];
    plain::f64(&[1.5_f64.to_le_bytes(), (-3.0_f64).to_le_bytes()].concat(), &mut values);
    assert_eq!(values, [1.5, -3.0]);
    plain::f32(&[1.25_f32.to_le_bytes(), (-7.0_f32).to_le_bytes()].concat(), &mut values);
    assert_eq!(values, [1.25, -7.0]);
}

#[test]
fn every_layout_is_sound() {
    for (place, layout) in LAYOUTS.iter().enumerate() {
        assert_eq!(layout_of(layout.stored).name, layout.name);
        assert!(layout.block_values.is_power_of_two() && layout.block_bytes > 0);
        for other in &LAYOUTS[place + 1..] {
            assert_ne!(layout.name, other.name);
            assert!(layout.ggml_id.is_none() || layout.ggml_id != other.ggml_id, "{}", layout.name);
        }
        if let Some(id) = layout.ggml_id {
            assert_eq!(from_ggml(id).unwrap().name, layout.name);
            assert!(UNREAD_GGML.iter().all(|(unread, _)| *unread != id));
        }
        // Several blocks decode as each by itself.
        if let Some(decode) = layout.decode {
            let bytes: Vec<u8> =
                (0..layout.block_bytes * 3).map(|at| (at * 37 % 61) as u8).collect();
            let mut together = vec![f32::NAN; layout.block_values * 3];
            decode(&bytes, &mut together);
            let mut alone = vec![f32::NAN; layout.block_values];
            for (block, expected) in
                bytes.chunks(layout.block_bytes).zip(together.chunks(layout.block_values))
            {
                decode(block, &mut alone);
                assert_eq!(alone, expected, "{}", layout.name);
            }
        }
    }
    assert_eq!(from_ggml(16).unwrap_err(), "IQ2_XXS");
    assert_eq!(from_ggml(77).unwrap_err(), "GGUF type number 77");
    assert!(from_safetensors("Q4_0").is_none());
}

#[test]
fn q8_0_rounds_half_away_from_zero() {
    // The largest is 127, so d = 1 and the values are rounded as they stand.
    let mut values = [0.0_f32; 32];
    values[..8].copy_from_slice(&[127.0, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49]);
    let mut bytes = Vec::new();
    quantise_q8_0(&values, &mut bytes);
    assert_eq!(bytes.len(), 34);
    assert_eq!(half_at(&bytes, 0), 1.0);
    let stored: Vec<i8> = bytes[2..10].iter().map(|byte| byte.cast_signed()).collect();
    assert_eq!(stored, [127, 1, 2, 3, -1, -2, -3, 0]);

    bytes.clear();
    quantise_q8_0(&[0.0; 32], &mut bytes);
    assert_eq!(bytes, [0; 34]);
}
