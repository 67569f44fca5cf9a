//! A model and data small enough to train on in seconds.

use std::fs;
use std::path::{Path, PathBuf};

/// The folder of fixtures, from whichever package the test belongs to.
pub fn fixtures() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = package.ancestors().map(|folder| folder.join("tests/fixtures"));
    found.into_iter().find(|folder| folder.is_dir()).unwrap()
}

/// A two-layer Llama of 59,376 parameters with a real tokenizer.
pub fn tiny_model() -> PathBuf {
    fixtures().join("goldens/models/llama_gqa_tied")
}

/// A triage job that a tiny model can learn: the label follows from a word.
pub fn triage_csv(folder: &Path, rows: usize) -> PathBuf {
    let path = folder.join(format!("triage-{rows}.csv"));
    let topics = [("parcel", "late"), ("refund", "money"), ("lamp", "broken")];
    let mut text = String::from("text,label\n");
    for row in 0..rows {
        let (word, label) = topics[row % topics.len()];
        text.push_str(&format!("\"Row {row}: about my {word}, please help\",{label}\n"));
    }
    fs::write(&path, text).unwrap();
    path
}
