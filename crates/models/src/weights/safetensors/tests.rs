#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::weights::{StoredType, TensorToWrite};

/// A file put together by hand.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

fn open(header: &str, data: &[u8]) -> Result<SafetensorsFile, Error> {
    SafetensorsFile::from_bytes(Path::new("m.safetensors"), file(header, data))
}

fn refusal(header: &str, data: &[u8]) -> String {
    open(header, data).unwrap_err().to_string()
}

#[test]
fn a_file_made_by_hand_reads_as_it_should() {
    let header = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2,2],"data_offsets":[12,20]},
        "a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"h":{"dtype":"F16","shape":[],"data_offsets":[20,22]},
        "mask":{"dtype":"BOOL","shape":[1,1],"data_offsets":[22,23]},"none":{"dtype":"F32","shape":[0,4],"data_offsets":[22,22]}}   "#;
    let mut data: Vec<u8> =
        [1.0_f32, -2.5, 1e-30].iter().flat_map(|value| value.to_le_bytes()).collect();
    data.extend([0x80, 0x3F, 0x00, 0xC0, 0x00, 0x00, 0x49, 0x40]);
    data.extend([0x00, 0x3E, 0x01]);
    let read = open(header, &data).unwrap();
    assert_eq!(read.metadata()["format"], "pt");
    assert_eq!(read.names(), ["a", "b", "h", "none", "mask"]);
    assert_eq!(
        read.info("b"),
        Some(TensorInfo { dtype: StoredType::BF16, shape: vec![2, 2], bytes: 8 })
    );
    assert_eq!(read.read_f32("a").unwrap(), [1.0, -2.5, 1e-30]);
    assert_eq!(read.read_f32("b").unwrap(), [1.0, -2.0, 0.0, 3.140625]);
    assert_eq!(read.read_f32("h").unwrap(), [1.5]);
    assert_eq!(read.read_f32("none").unwrap(), [0.0; 0]);
    assert_eq!(read.read_rows_f32("b", 1..2).unwrap(), [0.0, 3.140625]);
    assert_eq!(read.read_rows_f32("b", 1..1).unwrap(), [0.0; 0]);

    let text = read.read_rows_f32("b", 1..3).unwrap_err().to_string();
    assert_eq!(text, "m.safetensors: tensor \"b\" has 2 rows, so rows 1 to 3 cannot be read");
    assert_eq!(read.read_f32("c").unwrap_err().to_string(), "m.safetensors has no tensor \"c\"");
    let text = read.read_f32("mask").unwrap_err().to_string();
    assert!(
        text.starts_with(
            "m.safetensors: tensor \"mask\" is stored as BOOL, which is not read as weights;"
        ),
        "{text}"
    );
}

#[test]
fn every_broken_header_is_refused_in_one_sentence() {
    let one = r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    assert!(open(one, &[0; 8]).is_ok());
    let mut refusals = vec![
        refusal(one, &[0; 7]),
        refusal(one, &[0; 9]),
        refusal("[]", &[]),
        refusal("{\"w\":", &[]),
        refusal("{\"\u{0}", &[]),
        refusal(
            r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
            &[0; 8],
        ),
        refusal(r#"{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, &[0; 8]),
        refusal(
            r#"{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#,
            &[0; 8],
        ),
        refusal(r#"{"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, &[0; 8]),
        refusal(r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, &[0; 8]),
        refusal(
            r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[18446744073709551608,18446744073709551615]}}"#,
            &[0; 8],
        ),
        refusal(r#"{"w\n":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, &[0; 8]),
        refusal(r#"{"w":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}"#, &[0; 8]),
        refusal(
            r#"{"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}"#,
            &[0; 8],
        ),
        refusal(
            r#"{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
            &[0; 12],
        ),
        refusal(
            r#"{"v":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
            &[0; 12],
        ),
        refusal(r#"{"__metadata__":{},"__metadata__":{}}"#, &[]),
        refusal(r#"{"__metadata__":{"a":1}}"#, &[]),
    ];
    for bytes in
        [vec![], vec![0; 7], vec![255; 8], [vec![8, 0, 0, 0, 0, 0, 0, 0], vec![b'{']].concat()]
    {
        refusals.push(
            SafetensorsFile::from_bytes(Path::new("m.safetensors"), bytes).unwrap_err().to_string(),
        );
    }
    insta::assert_snapshot!(refusals.join("\n"));
}

#[test]
fn a_weight_that_is_not_a_number_is_named() {
    let values = [1.0_f32, 2.0, f32::INFINITY, f32::NAN];
    let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    let read =
        open(r#"{"layer.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#, &data)
            .unwrap();
    assert_eq!(read.read_rows_f32("layer.weight", 0..1).unwrap(), [1.0, 2.0]);
    let error = read.read_f32("layer.weight").unwrap_err();
    assert!(
        matches!(&error, Error::NotFinite { tensor, index: 2, .. } if tensor == "layer.weight")
    );
    assert!(
        error
            .to_string()
            .starts_with("m.safetensors: tensor \"layer.weight\" holds inf at index 2;"),
        "{error}"
    );
    let error = read.read_rows_f32("layer.weight", 1..2).unwrap_err();
    assert!(matches!(error, Error::NotFinite { index: 2, .. }));
}

#[test]
fn large_tensors_are_read_in_parts_that_fit_together() {
    let count = (1 << 20) + 12_345;
    let values: Vec<f32> = (0..count).map(|at| at as f32).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let written = values.clone();
    let tensor = TensorToWrite::new("w", StoredType::F32, vec![count, 1], move || Ok(written));
    write_safetensors(&path, [tensor], &IndexMap::new()).unwrap();
    let read = SafetensorsFile::open(&path).unwrap();
    assert_eq!(read.read_f32("w").unwrap(), values);
    // Pages that were let go after the first reading are there again for the second.
    assert_eq!(read.read_f32("w").unwrap(), values);
    assert_eq!(read.read_rows_f32("w", 1_000_000..count).unwrap(), values[1_000_000..]);

    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[end - 40..end - 36].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let error = SafetensorsFile::open(&path).unwrap().read_f32("w").unwrap_err();
    assert!(matches!(error, Error::NotFinite { index, .. } if index == count - 10), "{error}");
}

fn tensor(name: &str, dtype: StoredType, shape: &[usize]) -> TensorToWrite<'static> {
    let values = sample(name, shape.iter().product());
    TensorToWrite::new(name, dtype, shape.to_vec(), move || Ok(values))
}

/// Values that every written type holds exactly.
fn sample(name: &str, count: usize) -> Vec<f32> {
    (0..count).map(|at| (at % 200) as f32 * 0.5 - name.len() as f32).collect()
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let tensors = [
        tensor("half", StoredType::F16, &[3, 5]),
        tensor("whole", StoredType::F32, &[7]),
        tensor("brain", StoredType::BF16, &[2, 2, 2]),
        tensor("one", StoredType::F32, &[]),
    ];
    let metadata = IndexMap::from([("made_with".to_owned(), "Sanbao".to_owned())]);
    let written = write_sharded_safetensors(folder.path(), tensors, &metadata, usize::MAX).unwrap();
    assert_eq!(written, [folder.path().join("model.safetensors")]);
    let bytes = std::fs::read(&written[0]).unwrap();
    assert_eq!(bytes[..8], u64::to_le_bytes((bytes.len() - 8 - 30 - 28 - 16 - 4) as u64));
    assert_eq!(u64::from_le_bytes(bytes[..8].try_into().unwrap()) % 8, 0);

    let file = SafetensorsFile::open(&written[0]).unwrap();
    assert_eq!(file.metadata()["format"], "pt");
    assert_eq!(file.metadata()["made_with"], "Sanbao");
    let read = ModelFolder::open(folder.path()).unwrap();
    assert_eq!(read.names(), ["whole", "one", "half", "brain"]);
    for (name, count) in [("half", 15), ("whole", 7), ("brain", 8), ("one", 1)] {
        assert_eq!(read.read_f32(name).unwrap(), sample(name, count), "{name}");
    }
    assert_eq!(read.file_bytes(), bytes.len() as u64);
}

fn sharded() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let tensors =
        ["a", "bb", "ccc", "dddd", "eeeee"].map(|name| tensor(name, StoredType::F32, &[4, 2]));
    let written = write_sharded_safetensors(folder.path(), tensors, &IndexMap::new(), 70).unwrap();
    let names: Vec<_> =
        written.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "model-00001-of-00003.safetensors",
            "model-00002-of-00003.safetensors",
            "model-00003-of-00003.safetensors",
            "model.safetensors.index.json",
        ]
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4, "no temporary file is left");
    folder
}

#[test]
fn a_sharded_model_is_read_back() {
    let folder = sharded();
    let index =
        std::fs::read_to_string(folder.path().join("model.safetensors.index.json")).unwrap();
    insta::assert_snapshot!(index);
    let read = ModelFolder::open(folder.path()).unwrap();
    assert_eq!(read.names(), ["a", "bb", "ccc", "dddd", "eeeee"]);
    for name in read.names() {
        assert_eq!(read.read_f32(name).unwrap(), sample(name, 8));
    }
    assert_eq!(read.read_rows_f32("ccc", 3..4).unwrap(), sample("ccc", 8)[6..]);
}

#[test]
fn a_folder_that_is_not_whole_is_refused() {
    let folder = sharded();
    let index = folder.path().join("model.safetensors.index.json");
    let good = std::fs::read_to_string(&index).unwrap();
    let refusal = |index_text: &str| {
        std::fs::write(&index, index_text).unwrap();
        let error = ModelFolder::open(folder.path()).unwrap_err();
        (error.code(), error.to_string().replace(&folder.path().display().to_string(), "FOLDER"))
    };
    let with_shard = |name: &str| good.replace("model-00002-of-00003.safetensors", name);
    let mut refusals = vec![
        refusal(&with_shard("../model-00002-of-00003.safetensors")),
        refusal(&with_shard("/etc/model.safetensors")),
        refusal(&with_shard("C:\\\\model.safetensors")),
        refusal(&with_shard("sub/model.safetensors")),
        refusal(&with_shard("model.bin")),
        refusal(&with_shard("\\nmodel.safetensors")),
        refusal(&with_shard("..")),
        refusal(&with_shard("model-00004-of-00003.safetensors")),
        refusal(&good.replace("\"bb\"", "\"b\"")),
        refusal("{"),
        refusal("{\"weight_map\":{}}"),
        refusal("{\"weight_map\":[1]}"),
    ];
    std::fs::remove_file(&index).unwrap();
    for file in ["adapter_model.safetensors", "pytorch_model.bin", "model.gguf"] {
        std::fs::remove_file(folder.path().join("model-00001-of-00003.safetensors")).ok();
        let nothing = tempfile::tempdir().unwrap();
        std::fs::write(nothing.path().join(file), "").unwrap();
        let error = ModelFolder::open(nothing.path()).unwrap_err();
        refusals.push((
            error.code(),
            error.to_string().replace(&nothing.path().display().to_string(), "FOLDER"),
        ));
    }
    let lines: Vec<String> =
        refusals.into_iter().map(|(code, text)| format!("{code}: {text}")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let attempt = |tensors: Vec<TensorToWrite<'static>>| {
        let error = write_safetensors(&path, tensors, &IndexMap::new()).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{error}");
        error.to_string()
    };
    let values =
        |dtype, values: Vec<f32>| vec![TensorToWrite::new("w", dtype, vec![2], move || Ok(values))];
    let refusals = [
        attempt(vec![tensor("w", StoredType::F32, &[1]), tensor("w", StoredType::F32, &[1])]),
        attempt(vec![tensor("w", StoredType::Q8_0, &[32])]),
        attempt(vec![tensor("__metadata__", StoredType::F32, &[1])]),
        attempt(vec![
            tensor("v", StoredType::F32, &[1]),
            TensorToWrite::new("w", StoredType::F32, vec![2], || Err("the device is gone".into())),
        ]),
        attempt(values(StoredType::F32, vec![1.0])),
        attempt(values(StoredType::F32, vec![1.0, f32::NAN])),
        attempt(values(StoredType::F16, vec![65_519.0, -65_520.0])),
        attempt(values(StoredType::BF16, vec![f32::MAX, 1.0])),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
    let missing = folder.path().join("none").join("model.safetensors");
    let error = write_safetensors(&missing, [tensor("w", StoredType::F32, &[1])], &IndexMap::new())
        .unwrap_err();
    assert_eq!(error.code(), "models.cannot_write");
}
