//! Weight files from strangers: whatever the bytes are, opening and reading them ends in a value
//! or an error, never in a panic, and takes memory in proportion to the file.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use sanbao_models::weights::{
    Error, Gguf, GgufWriter, MetaArray, MetaValue, ModelFolder, SafetensorsFile, StoredType,
    TensorToWrite, WeightSource, write_safetensors,
};

/// Counts what each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(change: isize) {
    HELD.with(|held| {
        held.set(held.get() + change);
        MOST.with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: every call is handed on to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `work` and tells the most memory that it held on top of what was there.
fn most_held<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.with(Cell::get);
    MOST.with(|most| most.set(before));
    let result = work();
    (result, (MOST.with(Cell::get) - before).max(0) as usize)
}

/// What opening may take: names, shapes and texts as values take more than as bytes.
fn allowance(file: usize) -> usize {
    (64 << 10) + 16 * file
}

/// Checks a file once it is opened, or that it was refused in words.
fn check(
    opened: Result<impl WeightSource, Error>,
    held: usize,
    file: usize,
) -> Result<bool, TestCaseError> {
    prop_assert!(held <= allowance(file), "{held} bytes held for a file of {file}");
    let source = match opened {
        Ok(source) => source,
        Err(error) => {
            let sentence = error.to_string();
            prop_assert!(
                sentence.starts_with("hostile") && !sentence.contains(char::is_control),
                "{sentence}"
            );
            prop_assert!(sentence.len() < 4000, "{} letters", sentence.len());
            return Ok(false);
        }
    };
    let infos: Vec<_> =
        source.names().into_iter().map(|name| (name, source.info(name).unwrap())).collect();
    let stored: usize = infos.iter().map(|(_, info)| info.bytes).sum();
    prop_assert!(stored <= file, "{stored} bytes of tensors in a file of {file}");
    for (name, info) in infos {
        let values = info.shape.iter().product::<usize>();
        // The densest type packs 256 values into 54 bytes.
        prop_assert!(values * 54 <= info.bytes.max(1) * 256);
        if let Ok(read) = source.read_f32(name) {
            prop_assert_eq!(read.len(), values);
            prop_assert!(read.iter().all(|value| value.is_finite()));
            let rows = info.rows();
            prop_assert_eq!(
                &source.read_rows_f32(name, rows / 2..rows).unwrap()[..],
                &read[rows / 2 * (values / rows.max(1))..]
            );
        }
        let past = info.rows();
        prop_assert!(source.read_rows_f32(name, past..past + 1).is_err());
    }
    Ok(true)
}

fn check_gguf(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let owned = bytes.to_vec();
    let (opened, held) = most_held(|| Gguf::from_bytes(Path::new("hostile.gguf"), owned));
    if let Ok(gguf) = &opened {
        // A tokenizer is there or is refused; either is fine here.
        drop(gguf.tokenizer());
    }
    check(opened, held, bytes.len())
}

fn check_safetensors(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let owned = bytes.to_vec();
    let (opened, held) =
        most_held(|| SafetensorsFile::from_bytes(Path::new("hostile.safetensors"), owned));
    check(opened, held, bytes.len())
}

fn tensor(name: &str, dtype: StoredType, shape: &[usize]) -> TensorToWrite<'static> {
    let values: Vec<f32> = (0..shape.iter().product()).map(|at| (at % 17) as f32 - 8.0).collect();
    TensorToWrite::new(name, dtype, shape.to_vec(), move || Ok(values))
}

fn good_gguf() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.gguf");
    let mut writer = GgufWriter::new("llama");
    writer.set("llama.block_count", MetaValue::U32(2));
    writer.set("llama.rope.freq_base", MetaValue::F32(1e5));
    let texts = |list: &[&str]| {
        MetaValue::Array(MetaArray::String(list.iter().map(|text| (*text).to_owned()).collect()))
    };
    writer.set("tokenizer.ggml.model", MetaValue::String("gpt2".to_owned()));
    writer.set("tokenizer.ggml.tokens", texts(&["a", "b", "ab", "<|end|>"]));
    writer.set("tokenizer.ggml.merges", texts(&["a b"]));
    writer.set("tokenizer.ggml.token_type", MetaValue::Array(MetaArray::I32(vec![1, 1, 1, 3])));
    writer.set("tokenizer.ggml.eos_token_id", MetaValue::U32(3));
    writer.add(tensor("token_embd.weight", StoredType::Q8_0, &[4, 32]));
    writer.add(tensor("output_norm.weight", StoredType::F32, &[32]));
    writer.add(tensor("blk.0.attn_q.weight", StoredType::F16, &[3, 8]));
    writer.add(tensor("blk.0.attn_k.weight", StoredType::BF16, &[3, 16]));
    writer.write(&path).unwrap();
    std::fs::read(path).unwrap()
}

fn good_safetensors() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.safetensors");
    let tensors = [
        tensor("model.norm.weight", StoredType::F32, &[32]),
        tensor("lm_head.weight", StoredType::BF16, &[4, 32]),
        tensor("h.0.weight", StoredType::F16, &[3, 5, 2]),
    ];
    write_safetensors(&path, tensors, &Default::default()).unwrap();
    std::fs::read(path).unwrap()
}

/// Numbers that break sums and products.
fn awkward() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(u64::MAX - 31),
        Just(1 << 63),
        Just(1 << 62),
        Just(1 << 32),
        Just(u64::from(u32::MAX)),
        0..200_u64,
        any::<u64>(),
    ]
}

#[derive(Debug, Clone)]
enum Damage {
    Byte(usize, u8),
    Number(usize, u64),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        (any::<usize>(), awkward()).prop_map(|(at, number)| Damage::Number(at, number)),
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), proptest::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (any::<usize>(), 1..40_usize).prop_map(|(at, count)| Damage::Remove(at, count)),
    ]
}

fn damaged(mut bytes: Vec<u8>, all: &[Damage]) -> Vec<u8> {
    for damage in all {
        let length = bytes.len();
        match damage {
            _ if length == 0 => {}
            Damage::Byte(at, byte) => bytes[at % length] = *byte,
            Damage::Number(at, number) => {
                let at = at % length;
                let count = 8.min(length - at);
                bytes[at..at + count].copy_from_slice(&number.to_le_bytes()[..count]);
            }
            Damage::Cut(at) => bytes.truncate(at % length),
            Damage::Insert(at, more) => {
                let at = at % length;
                bytes.splice(at..at, more.iter().copied());
            }
            Damage::Remove(at, count) => {
                let at = at % length;
                bytes.drain(at..(at + count).min(length));
            }
        }
    }
    bytes
}

/// A GGUF file whose counts, types, shapes and places are anything.
fn made_up_gguf() -> impl Strategy<Value = Vec<u8>> {
    let text = |most: usize| {
        (
            proptest::option::weighted(0.1, awkward()),
            proptest::collection::vec(any::<u8>(), 0..most),
        )
            .prop_map(|(length, bytes)| {
                [&length.unwrap_or(bytes.len() as u64).to_le_bytes()[..], &bytes].concat()
            })
    };
    let value = (0..14_u32, 0..14_u32, awkward(), proptest::collection::vec(any::<u8>(), 0..64))
        .prop_map(|(id, inner, count, bytes)| match id {
            9 => [&9_u32.to_le_bytes()[..], &inner.to_le_bytes(), &count.to_le_bytes(), &bytes]
                .concat(),
            _ => [&id.to_le_bytes()[..], &bytes].concat(),
        });
    let pair = (text(12), value).prop_map(|(key, value)| [key, value].concat());
    let tensor = (text(8), proptest::collection::vec(awkward(), 0..5), 0..45_u32, awkward())
        .prop_map(|(name, sides, id, start)| {
            let sides_bytes: Vec<u8> = sides.iter().flat_map(|side| side.to_le_bytes()).collect();
            let count = (sides.len() as u32).to_le_bytes();
            [&name[..], &count, &sides_bytes, &id.to_le_bytes(), &start.to_le_bytes()].concat()
        });
    let pairs = proptest::collection::vec(pair, 0..4);
    let tensors = proptest::collection::vec(tensor, 0..5);
    let counts = proptest::option::weighted(0.1, (awkward(), awkward()));
    (pairs, tensors, counts, 0..600_usize).prop_map(|(pairs, tensors, counts, data)| {
        let (tensor_count, pair_count) =
            counts.unwrap_or((tensors.len() as u64, pairs.len() as u64));
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(tensor_count.to_le_bytes());
        bytes.extend(pair_count.to_le_bytes());
        bytes.extend(pairs.concat());
        bytes.extend(tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(32) + data, 0);
        bytes
    })
}

/// A safetensors file whose header is well-formed JSON that says anything.
fn made_up_safetensors() -> impl Strategy<Value = Vec<u8>> {
    let dtype = prop_oneof![
        Just("F32"),
        Just("F16"),
        Just("BF16"),
        Just("F64"),
        Just("BOOL"),
        Just("I64"),
        Just("Q4_0"),
        Just("")
    ];
    let number = prop_oneof![
        awkward().prop_map(|number| number.to_string()),
        Just("-1".to_owned()),
        Just("1.5".to_owned()),
        Just("1e999".to_owned())
    ];
    let numbers = |most: usize| {
        proptest::collection::vec(number.clone(), 0..most).prop_map(|list| list.join(","))
    };
    let entry = ("[a-c]|__metadata__", dtype, numbers(4), numbers(4)).prop_map(
        |(name, dtype, shape, offsets)| {
            format!(
                r#""{name}":{{"dtype":"{dtype}","shape":[{shape}],"data_offsets":[{offsets}]}}"#
            )
        },
    );
    let entries = proptest::collection::vec(entry, 0..4);
    (entries, 0..300_usize, proptest::option::weighted(0.1, awkward())).prop_map(
        |(entries, data, length)| {
            let header = format!("{{{}}}", entries.join(","));
            let length = length.unwrap_or(header.len() as u64);
            [&length.to_le_bytes()[..], header.as_bytes(), &vec![0; data]].concat()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 600,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(!check_gguf(&bytes)?);
        check_safetensors(&bytes)?;
        check_gguf(&[&b"GGUF\x03\0\0\0"[..], &bytes].concat())?;
        check_safetensors(&[&(bytes.len() as u64).to_le_bytes()[..], b"{", &bytes].concat())?;
    }

    #[test]
    fn damaged_gguf_files_do_no_harm(all in proptest::collection::vec(damage(), 1..5)) {
        check_gguf(&damaged(good_gguf(), &all))?;
    }

    #[test]
    fn damaged_safetensors_files_do_no_harm(all in proptest::collection::vec(damage(), 1..5)) {
        check_safetensors(&damaged(good_safetensors(), &all))?;
    }

    #[test]
    fn made_up_gguf_files_do_no_harm(bytes in made_up_gguf()) {
        check_gguf(&bytes)?;
    }

    #[test]
    fn made_up_safetensors_files_do_no_harm(bytes in made_up_safetensors()) {
        check_safetensors(&bytes)?;
    }

    #[test]
    fn made_up_indexes_do_no_harm(index in r#"(\{"weight_map":\{("[a-c]":"(\.\./|/)?[a-c.]{0,3}(\.safetensors)?",?){0,3}\}\}|.{0,60})"#) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
        let (opened, held) = most_held(|| ModelFolder::open(folder.path()));
        prop_assert!(matches!(&opened, Err(error) if !error.to_string().contains(char::is_control)));
        prop_assert!(held <= allowance(200));
    }
}

#[test]
fn every_cut_is_noticed() {
    let good = good_gguf();
    assert!(check_gguf(&good).unwrap());
    // The last tensor has 96 bytes, so its padding is none and every byte counts.
    for length in 0..good.len() {
        assert!(!check_gguf(&good[..length]).unwrap(), "cut to {length} of {}", good.len());
    }
    let good = good_safetensors();
    assert!(check_safetensors(&good).unwrap());
    for length in 0..good.len() {
        assert!(!check_safetensors(&good[..length]).unwrap(), "cut to {length} of {}", good.len());
    }
}

/// The worst that a header of a given size can do to memory.
#[test]
fn files_of_nothing_but_entries_stay_within_the_allowance() {
    let entry = |at: usize| {
        format!(r#""{at}":{{"dtype":"F32","shape":[],"data_offsets":[{},{}]}}"#, at * 4, at * 4 + 4)
    };
    let header = format!("{{{}}}", (0..20_000).map(entry).collect::<Vec<_>>().join(","));
    let file = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 80_000]].concat();
    assert!(check_safetensors(&file).unwrap());

    let shape = vec!["1"; 1_000_000].join(",");
    let header = format!(r#"{{"w":{{"dtype":"F32","shape":[{shape}],"data_offsets":[0,4]}}}}"#);
    assert!(
        !check_safetensors(
            &[&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0; 4]].concat()
        )
        .unwrap()
    );

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.gguf");
    let mut writer = GgufWriter::new("llama");
    for at in 0..20_000 {
        writer.set(&at.to_string(), MetaValue::Bool(true));
    }
    writer.set("empty", MetaValue::Array(MetaArray::String(vec![String::new(); 100_000])));
    writer.set("short", MetaValue::Array(MetaArray::String(vec!["a".to_owned(); 100_000])));
    writer.set(
        "lists",
        MetaValue::Array(MetaArray::Array(vec![MetaArray::Bool(Vec::new()); 50_000])),
    );
    for at in 0..5_000 {
        writer.add(tensor(&at.to_string(), StoredType::F32, &[1]));
    }
    writer.write(&path).unwrap();
    assert!(check_gguf(&std::fs::read(path).unwrap()).unwrap());
}
