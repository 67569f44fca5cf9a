//! Just enough of GGUF to read the metadata of a real file.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::{Value, json};

pub fn metadata(path: &Path) -> HashMap<String, Value> {
    let mut file = BufReader::new(File::open(path).unwrap());
    assert_eq!(&bytes::<4>(&mut file), b"GGUF");
    assert!(u32::from_le_bytes(bytes(&mut file)) >= 2);
    let _tensors = u64::from_le_bytes(bytes(&mut file));
    let count = u64::from_le_bytes(bytes(&mut file));
    (0..count)
        .map(|_| {
            let key = text(&mut file);
            let kind = u32::from_le_bytes(bytes(&mut file));
            (key, value(&mut file, kind))
        })
        .collect()
}

fn bytes<const N: usize>(file: &mut impl Read) -> [u8; N] {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).unwrap();
    bytes
}

fn text(file: &mut impl Read) -> String {
    let length = u64::from_le_bytes(bytes(file));
    let mut text = String::new();
    file.take(length).read_to_string(&mut text).unwrap();
    text
}

fn value(file: &mut impl Read, kind: u32) -> Value {
    match kind {
        0 => json!(u8::from_le_bytes(bytes(file))),
        1 => json!(i8::from_le_bytes(bytes(file))),
        2 => json!(u16::from_le_bytes(bytes(file))),
        3 => json!(i16::from_le_bytes(bytes(file))),
        4 => json!(u32::from_le_bytes(bytes(file))),
        5 => json!(i32::from_le_bytes(bytes(file))),
        6 => json!(f32::from_le_bytes(bytes(file))),
        7 => json!(bytes::<1>(file) != [0]),
        8 => json!(text(file)),
        9 => {
            let kind = u32::from_le_bytes(bytes(file));
            let count = u64::from_le_bytes(bytes(file));
            Value::Array((0..count).map(|_| value(file, kind)).collect())
        }
        10 => json!(u64::from_le_bytes(bytes(file))),
        11 => json!(i64::from_le_bytes(bytes(file))),
        12 => json!(f64::from_le_bytes(bytes(file))),
        _ => panic!("a value of kind {kind}"),
    }
}
