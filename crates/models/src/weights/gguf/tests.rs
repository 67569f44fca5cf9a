#![allow(clippy::unwrap_used, clippy::expect_used)]

mod real_files;

use super::*;
use crate::weights::{StoredType, TensorToWrite, quantise_q8_0};

fn open(bytes: Vec<u8>) -> Result<Gguf, Error> {
    Gguf::from_bytes(Path::new("m.gguf"), bytes)
}

fn refusal(bytes: Vec<u8>) -> String {
    open(bytes).unwrap_err().to_string()
}

/// Puts a file together by hand, so that reader and writer cannot agree on the same mistake.
#[derive(Default)]
struct ByHand {
    pairs: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    data: Vec<u8>,
}

fn text(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl ByHand {
    fn pair(mut self, key: &str, id: u32, value: &[u8]) -> Self {
        self.pairs.push([&text(key), &id.to_le_bytes()[..], value].concat());
        self
    }

    /// `dimensions` in GGUF's own order, the fastest first.
    fn tensor(mut self, name: &str, dimensions: &[u64], id: u32, start: u64) -> Self {
        let mut entry = text(name);
        entry.extend((dimensions.len() as u32).to_le_bytes());
        dimensions.iter().for_each(|side| entry.extend(side.to_le_bytes()));
        entry.extend(id.to_le_bytes());
        entry.extend(start.to_le_bytes());
        self.tensors.push(entry);
        self
    }

    fn data(mut self, data: Vec<u8>) -> Self {
        self.data = data;
        self
    }

    fn bytes(self) -> Vec<u8> {
        let mut bytes = [&b"GGUF"[..], &3_u32.to_le_bytes()].concat();
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.pairs.len() as u64).to_le_bytes());
        bytes.extend(self.pairs.concat());
        bytes.extend(self.tensors.concat());
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes.extend(self.data);
        bytes
    }
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn a_file_made_by_hand_reads_as_it_should() {
    let mut data = floats(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    data.resize(32, 0xEE);
    data.extend([0x00, 0x3C]); // 1.0 as a half
    data.extend((0..32_u8).map(|at| at.wrapping_sub(16)));
    let list = [
        &5_u32.to_le_bytes()[..],
        &2_u64.to_le_bytes(),
        &7_i32.to_le_bytes(),
        &(-8_i32).to_le_bytes(),
    ]
    .concat();
    let file = ByHand::default()
        .pair("general.architecture", 8, &text("llama"))
        .pair("llama.block_count", 4, &30_u32.to_le_bytes())
        .pair("llama.rope.freq_base", 6, &1e5_f32.to_le_bytes())
        .pair("flag", 7, &[1])
        .pair("list", 9, &list)
        .tensor("a", &[3, 2], 0, 0)
        .tensor("q", &[32], 8, 32)
        .data(data);
    let gguf = open(file.bytes()).unwrap();
    assert_eq!(gguf.architecture().unwrap(), "llama");
    assert_eq!(gguf.require::<u64>("llama.block_count").unwrap(), 30);
    assert_eq!(gguf.require::<f64>("llama.rope.freq_base").unwrap(), 1e5);
    assert_eq!(gguf.require::<f64>("llama.block_count").unwrap(), 30.0);
    assert!(gguf.require::<bool>("flag").unwrap());
    assert_eq!(gguf.require::<Vec<i32>>("list").unwrap(), [7, -8]);
    assert_eq!(gguf.get::<u32>("llama.nothing").unwrap(), None);
    assert_eq!(
        gguf.metadata().get_index(1),
        Some((&"llama.block_count".to_owned(), &MetaValue::U32(30)))
    );

    assert_eq!(gguf.names(), ["a", "q"]);
    assert_eq!(
        gguf.info("a"),
        Some(TensorInfo { dtype: StoredType::F32, shape: vec![2, 3], bytes: 24 })
    );
    assert_eq!(gguf.read_f32("a").unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(gguf.read_rows_f32("a", 1..2).unwrap(), [4.0, 5.0, 6.0]);
    let levels: Vec<f32> = (-16..16).map(|at| at as f32).collect();
    assert_eq!(gguf.read_f32("q").unwrap(), levels);
    assert_eq!(gguf.read_rows_f32("q", 5..9).unwrap(), levels[5..9]);

    let errors = [
        gguf.require::<u64>("llama.context_length").unwrap_err(),
        gguf.get::<u64>("general.architecture").unwrap_err(),
        gguf.get::<&str>("list").unwrap_err(),
        gguf.get::<Vec<u32>>("list").unwrap_err(),
        gguf.read_f32("b").unwrap_err(),
        gguf.read_rows_f32("a", 2..3).unwrap_err(),
    ];
    insta::assert_snapshot!(errors.map(|error| format!("{}: {error}", error.code())).join("\n"));
}

#[test]
fn every_broken_file_is_refused_in_one_sentence() {
    let plain = || ByHand::default().pair("general.architecture", 8, &text("llama"));
    let list = |id: u32, count: u64, rest: &[u8]| {
        [&id.to_le_bytes()[..], &count.to_le_bytes(), rest].concat()
    };
    let with_version = |version: [u8; 4]| [b"GGUF", &version[..], &[0; 16]].concat();
    let counts = |tensors: u64, pairs: u64| {
        [&b"GGUF\x03\0\0\0"[..], &tensors.to_le_bytes(), &pairs.to_le_bytes(), &[0; 64]].concat()
    };
    let mut deep = list(8, 0, &[]);
    for _ in 0..4 {
        deep = list(9, 1, &deep);
    }
    let cases: Vec<Vec<u8>> = vec![
        vec![],
        b"GGU".to_vec(),
        b"PK\x03\x04".to_vec(),
        b"tjgg\x01\0\0\0".to_vec(),
        with_version([1, 0, 0, 0]),
        with_version([0, 0, 0, 3]),
        with_version([9, 0, 0, 0]),
        with_version([0, 0, 0, 0]),
        b"GGUF\x03\0\0\0\x01".to_vec(),
        counts(u64::MAX, 0),
        counts(0, 1 << 40),
        plain().pair("general.architecture", 8, &text("qwen2")).bytes(),
        plain().pair("k", 13, &[]).bytes(),
        plain().pair("k", 7, &[2]).bytes(),
        plain().pair("k", 8, &u64::MAX.to_le_bytes()).bytes(),
        plain().pair("k", 8, &[&1_u64.to_le_bytes()[..], &[0xFF]].concat()).bytes(),
        plain().pair("k", 9, &list(6, 1 << 62, &[])).bytes(),
        plain().pair("k", 9, &list(8, 1 << 20, &[0; 64])).bytes(),
        plain().pair("k", 9, &deep).bytes(),
        plain().pair("k", 9, &list(99, 1, &[0; 8])).bytes(),
        plain().pair(&"k".repeat(2000), 7, &[1]).bytes(),
        plain().pair("k\u{1b}[2J", 7, &[1]).bytes(),
        plain().pair("general.alignment", 4, &24_u32.to_le_bytes()).bytes(),
        plain().pair("general.alignment", 8, &text("32")).bytes(),
        plain().pair("split.count", 2, &3_u16.to_le_bytes()).bytes(),
        plain().tensor("w", &[8], 0, 0).bytes(),
        plain().tensor("w", &[8], 0, u64::MAX - 31).bytes(),
        plain().tensor("w", &[8], 0, 16).data(vec![0; 64]).bytes(),
        plain().tensor("w", &[8, 8, 8, 8, 8], 0, 0).bytes(),
        plain().tensor("w", &[1 << 32, 1 << 32], 0, 0).bytes(),
        plain().tensor("w", &[0, 4], 0, 0).bytes(),
        plain().tensor("w", &[16, 2], 8, 0).data(vec![0; 64]).bytes(),
        plain().tensor("w", &[256], 16, 0).data(vec![0; 128]).bytes(),
        plain().tensor("w", &[8], 1234, 0).bytes(),
        plain().tensor("w", &[8], 0, 0).tensor("w", &[8], 0, 32).data(vec![0; 64]).bytes(),
        plain().tensor("v", &[16], 0, 0).tensor("w", &[8], 0, 32).data(vec![0; 64]).bytes(),
    ];
    let refusals: Vec<String> = cases.into_iter().map(refusal).collect();
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn a_weight_that_is_not_a_number_is_named() {
    let mut block = f32_to_half(f32::NAN);
    block.extend([1; 32]);
    let data = [[&f32_to_half(1.0)[..], &[1; 32]].concat(), block].concat();
    let file = ByHand::default().tensor("blk.0.attn_q.weight", &[32, 2], 8, 0).data(data);
    let gguf = open(file.bytes()).unwrap();
    assert_eq!(gguf.read_rows_f32("blk.0.attn_q.weight", 0..1).unwrap(), [1.0; 32]);
    let error = gguf.read_f32("blk.0.attn_q.weight").unwrap_err();
    assert!(
        matches!(&error, Error::NotFinite { tensor, index: 32, .. } if tensor == "blk.0.attn_q.weight"),
        "{error}"
    );
    let table = ByHand::default().tensor("ids", &[4], 26, 0).data(vec![0; 16]);
    let error = open(table.bytes()).unwrap().read_f32("ids").unwrap_err();
    assert_eq!(error.code(), "models.unsupported_tensor_type");
}

fn f32_to_half(value: f32) -> Vec<u8> {
    half::f16::from_f32(value).to_le_bytes().to_vec()
}

/// One metadata entry of every type.
fn all_values() -> Vec<(&'static str, MetaValue)> {
    use MetaValue as V;
    let texts = MetaArray::String(vec!["Ġ t".to_owned(), String::new(), "三宝".to_owned()]);
    vec![
        ("u8", V::U8(200)),
        ("i8", V::I8(-100)),
        ("u16", V::U16(60_000)),
        ("i16", V::I16(-30_000)),
        ("u32", V::U32(4_000_000_000)),
        ("i32", V::I32(-2_000_000_000)),
        ("u64", V::U64(u64::MAX)),
        ("i64", V::I64(i64::MIN)),
        ("f32", V::F32(1e-5)),
        ("f64", V::F64(std::f64::consts::PI)),
        ("bool", V::Bool(true)),
        ("string", V::String("{% for m in messages %}{{ m }}\n{% endfor %}".to_owned())),
        ("list.u8", V::Array(MetaArray::U8(vec![1, 2]))),
        ("list.i8", V::Array(MetaArray::I8(vec![-1]))),
        ("list.u16", V::Array(MetaArray::U16(vec![1, 2, 3]))),
        ("list.i16", V::Array(MetaArray::I16(vec![-5]))),
        ("list.u32", V::Array(MetaArray::U32(vec![7]))),
        ("list.i32", V::Array(MetaArray::I32(vec![3, 1, 6]))),
        ("list.u64", V::Array(MetaArray::U64(vec![1 << 40]))),
        ("list.i64", V::Array(MetaArray::I64(vec![-(1 << 40)]))),
        ("list.f32", V::Array(MetaArray::F32(vec![-1000.0, 0.5]))),
        ("list.f64", V::Array(MetaArray::F64(vec![0.1]))),
        ("list.bool", V::Array(MetaArray::Bool(vec![true, false]))),
        ("list.string", V::Array(texts)),
        (
            "list.list",
            V::Array(MetaArray::Array(vec![
                MetaArray::U8(vec![1]),
                MetaArray::String(vec!["a".to_owned()]),
            ])),
        ),
    ]
}

fn sample(rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns).map(|at| ((at * 7919 % 1000) as f32 - 500.0) / 64.0).collect()
}

/// A file with every metadata type and every written tensor type.
fn written(path: &Path) {
    let mut writer = GgufWriter::new("llama");
    for (key, value) in all_values() {
        writer.set(key, value);
    }
    writer.set("u8", MetaValue::U8(201));
    writer.set("general.alignment", MetaValue::U32(64));
    let shapes = [
        ("f32", StoredType::F32, vec![3, 5]),
        ("f16", StoredType::F16, vec![7]),
        ("bf16", StoredType::BF16, vec![2, 2, 3]),
        ("q8_0", StoredType::Q8_0, vec![3, 64]),
    ];
    for (name, dtype, shape) in shapes {
        let values = sample(1, shape.iter().product());
        writer.add(TensorToWrite::new(name, dtype, shape, move || Ok(values)));
    }
    writer.write(path).unwrap();
}

#[test]
fn the_tokenizers_entries_are_handed_on_as_they_stand() {
    let text_list = |list: &[&str]| {
        let texts: Vec<u8> = list.iter().flat_map(|entry| text(entry)).collect();
        [&8_u32.to_le_bytes()[..], &(list.len() as u64).to_le_bytes(), &texts].concat()
    };
    let kinds = [
        &5_u32.to_le_bytes()[..],
        &2_u64.to_le_bytes(),
        &1_i32.to_le_bytes(),
        &3_i32.to_le_bytes(),
    ]
    .concat();
    let scores = [&6_u32.to_le_bytes()[..], &2_u64.to_le_bytes(), &floats(&[-1.0, 0.0])].concat();
    let file = || {
        ByHand::default()
            .pair("tokenizer.ggml.model", 8, &text("gpt2"))
            .pair("tokenizer.ggml.pre", 8, &text("smollm"))
            .pair("tokenizer.ggml.token_type", 9, &kinds)
            .pair("tokenizer.ggml.scores", 9, &scores)
            .pair("tokenizer.ggml.eos_token_id", 4, &1_u32.to_le_bytes())
            .pair("tokenizer.ggml.add_bos_token", 7, &[0])
            .pair("tokenizer.chat_template", 8, &text("{{ messages }}"))
    };
    let read =
        open(file().pair("tokenizer.ggml.tokens", 9, &text_list(&["a", "<e>"])).bytes()).unwrap();
    let expected = sanbao_text::GgufTokenizer {
        model: "gpt2".to_owned(),
        pre: Some("smollm".to_owned()),
        tokens: vec!["a".to_owned(), "<e>".to_owned()],
        scores: Some(vec![-1.0, 0.0]),
        token_types: Some(vec![1, 3]),
        eos: Some(1),
        add_bos: Some(false),
        chat_template: Some("{{ messages }}".to_owned()),
        ..Default::default()
    };
    assert_eq!(read.tokenizer().unwrap(), expected);
    let without = open(file().bytes()).unwrap().tokenizer().unwrap_err();
    assert_eq!(
        without.to_string(),
        "m.gguf does not say \"tokenizer.ggml.tokens\", which is needed to use the model"
    );
    let wrong = open(file().pair("tokenizer.ggml.tokens", 9, &scores).bytes())
        .unwrap()
        .tokenizer()
        .unwrap_err();
    assert_eq!(wrong.code(), "models.bad_metadata");
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    written(&path);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    let gguf = Gguf::open(&path).unwrap();

    let mut expected = vec![("general.architecture", MetaValue::String("llama".to_owned()))];
    expected.extend(all_values());
    expected[1].1 = MetaValue::U8(201);
    let read: Vec<(&str, MetaValue)> =
        gguf.metadata().iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
    assert_eq!(read, expected);

    assert_eq!(gguf.names(), ["f32", "f16", "bf16", "q8_0"]);
    assert_eq!(gguf.info("bf16").unwrap().shape, [2, 2, 3]);
    assert_eq!(gguf.read_f32("f32").unwrap(), sample(3, 5));
    assert_eq!(gguf.read_f32("f16").unwrap(), sample(1, 7));
    assert_eq!(
        gguf.read_f32("bf16").unwrap(),
        sample(1, 12).map_to(|value| half::bf16::from_f32(value).to_f32())
    );
    let mut blocks = Vec::new();
    quantise_q8_0(&sample(3, 64), &mut blocks);
    let by_hand = ByHand::default().tensor("w", &[64, 3], 8, 0).data(blocks);
    assert_eq!(
        gguf.read_f32("q8_0").unwrap(),
        open(by_hand.bytes()).unwrap().read_f32("w").unwrap()
    );
    let largest = sample(3, 64).iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
    for (read, value) in gguf.read_f32("q8_0").unwrap().iter().zip(sample(3, 64)) {
        assert!((read - value).abs() <= largest / 127.0 * 0.51, "{read} for {value}");
    }
}

trait MapTo {
    fn map_to(self, convert: impl Fn(f32) -> f32) -> Vec<f32>;
}

impl MapTo for Vec<f32> {
    fn map_to(self, convert: impl Fn(f32) -> f32) -> Vec<f32> {
        self.into_iter().map(convert).collect()
    }
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let attempt = |tensors: &[(&str, StoredType, &[usize], usize)]| {
        let mut writer = GgufWriter::new("llama");
        for (name, dtype, shape, count) in tensors {
            let values = vec![1e5; *count];
            writer.add(TensorToWrite::new(*name, *dtype, shape.to_vec(), move || Ok(values)));
        }
        let error = writer.write(&path).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{error}");
        error.to_string()
    };
    let refusals = [
        attempt(&[("w", StoredType::F32, &[2], 2), ("w", StoredType::F32, &[2], 2)]),
        attempt(&[("w", StoredType::Q4_0, &[32], 32)]),
        attempt(&[("w", StoredType::Q8_0, &[2, 16], 32)]),
        attempt(&[("w", StoredType::F32, &[], 1)]),
        attempt(&[("w", StoredType::F32, &[1, 1, 1, 1, 1], 1)]),
        attempt(&[("w", StoredType::F32, &[3], 2)]),
        attempt(&[("w", StoredType::F16, &[3], 3)]),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}
