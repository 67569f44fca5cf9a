//! A large file needs little memory. Alone in its file, so that no other test runs beside it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufWriter, Write};
use std::path::Path;

use sanbao_data::{Part, PrepareOptions, Prepared, Source, Table, prepare};
use sanbao_text::Tokenizer;

/// Highest resident memory of this process so far, in MiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

fn write(path: &Path, mib: usize, row: impl Fn(usize) -> String) -> usize {
    let mut out = BufWriter::new(std::fs::File::create(path).unwrap());
    let (mut written, mut rows) = (0, 0);
    while written < mib * 1024 * 1024 {
        let row = row(rows);
        out.write_all(row.as_bytes()).unwrap();
        written += row.len();
        rows += 1;
    }
    out.flush().unwrap();
    rows
}

#[test]
fn files_are_read_as_streams() {
    let folder = tempfile::tempdir().unwrap();
    let tokenizer = Tokenizer::from_folder(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/goldens/models/llama_gqa_tied"
    )))
    .unwrap();
    let words = "The ferry left the small harbour before sunrise and nobody spoke. ".repeat(30);
    let before = peak();

    let csv = folder.path().join("large.csv");
    let rows = write(&csv, 64, |at| {
        if at == 0 {
            "text,label\n".into()
        } else {
            format!("\"{at} {words}\",{}\n", ["a", "b"][at % 2])
        }
    });
    assert_eq!(Table::open(&csv).unwrap().records().unwrap().map(Result::unwrap).count(), rows - 1);
    std::fs::remove_file(csv).unwrap();

    let json = folder.path().join("large.json");
    let rows = write(&json, 64, |at| {
        format!(
            "{}{{\"text\": \"{at} {words}\", \"label\": {}}}",
            if at == 0 { "[" } else { ",\n" },
            at % 2
        )
    });
    std::fs::OpenOptions::new().append(true).open(&json).unwrap().write_all(b"]").unwrap();
    assert_eq!(Table::open(&json).unwrap().records().unwrap().map(Result::unwrap).count(), rows);
    std::fs::remove_file(json).unwrap();
    let grown = peak() - before;
    assert!(grown < 32, "reading 64 MiB files took {grown} MiB more");

    let prose = folder.path().join("large.txt");
    write(&prose, 16, |at| format!("{at} {words}\n\n"));
    let out = folder.path().join("prepared");
    let options = PrepareOptions { max_length: 512, seed: 0, fractions: None, task: None };
    let report = prepare(&[Source::new(&prose)], &tokenizer, &options, &out, &mut |_| {}).unwrap();
    assert_eq!(
        Prepared::open(&out).unwrap().part(Part::Train).tokens() as u64,
        report.train.tokens
    );
    let grown = peak() - before;
    assert!(
        report.train.tokens > 4_000_000 && grown < 400,
        "preparing {} tokens took {grown} MiB more",
        report.train.tokens
    );
}
