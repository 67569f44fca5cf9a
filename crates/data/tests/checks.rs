//! Every check finds what it is for, on rows written for it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sanbao_contract::data::{Content, DataReport, Task};
use sanbao_data::{CHECKS, Part, PrepareOptions, Prepared, Source, look, prepare};
use sanbao_text::Tokenizer;

fn tokenizer() -> Tokenizer {
    Tokenizer::from_folder(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/goldens/models/llama_gqa_tied"
    )))
    .unwrap()
}

fn options(max_length: usize) -> PrepareOptions {
    PrepareOptions { max_length, seed: 1, fractions: None, task: None }
}

/// The numbers in a sentence, sorted.
fn numbers(sentence: &str) -> Vec<&str> {
    let mut numbers: Vec<&str> =
        sentence.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    numbers.sort_unstable();
    numbers
}

struct Case {
    code: &'static str,
    max_length: usize,
    files: Vec<(&'static str, String, Option<Part>)>,
}

fn case(code: &'static str, max_length: usize, name: &'static str, content: String) -> Case {
    Case { code, max_length, files: vec![(name, content, None)] }
}

fn labelled(rows: usize, row: impl Fn(usize) -> String) -> String {
    std::iter::once("text,label\n".to_owned()).chain((0..rows).map(|at| row(at) + "\n")).collect()
}

/// Rows that no check has anything to say about.
fn sound(rows: usize) -> String {
    labelled(rows, |at| format!("note number {at},{}", ["up", "down"][at % 2]))
}

fn cases() -> Vec<Case> {
    let turns = |prompt: &str, answer: &str| {
        format!("{}\n", serde_json::json!({"prompt": prompt, "completion": answer}))
    };
    let short: String = (0..120).map(|at| turns(&format!("Say {at}."), "Yes.")).collect();
    let pair = |prompt: &str, chosen: &str, rejected: &str| {
        format!(
            "{}\n",
            serde_json::json!({"prompt": prompt, "chosen": chosen, "rejected": rejected})
        )
    };
    let pairs: String = (0..110)
        .map(|at| {
            let (better, worse) = [("Surely.", "No."), ("Yes.", "Hardly so.")][at % 2];
            pair(&format!("Is it {at}?"), better, worse)
        })
        .collect();
    let rated = |prompts: usize| {
        let two = |at| format!("Is it {at}?,Yes it is,{}\nIs it {at}?,No not so,{}\n", at % 5, 4);
        let rows = (0..prompts).filter(|at| at % 5 < 4).map(two);
        std::iter::once("question,answer,score\n".to_owned()).chain(rows).collect::<String>()
    };
    let judged = |at: usize, winner: &str| format!("Is it {at}?,Yes it is,No not so,{winner}\n");
    vec![
        case("empty", 200, "t.csv", sound(110) + "  ,up\nno label,\n"),
        case("same_answers", 200, "t.jsonl", (0..110).map(|at| format!("{}\n", serde_json::json!({"prompt": format!("q {at}"), "chosen": "yes", "rejected": if at == 3 { "yes" } else { "nay" }}))).collect()),
        case("ties", 200, "t.csv", std::iter::once("prompt,response_a,response_b,winner\n".to_owned()).chain((0..112).map(|at| judged(at, if at % 50 == 7 { "tie" } else { "model_b" }))).collect()),
        case("lone_answers", 200, "t.csv", rated(110) + "Is it so?,It is.,3\n"),
        case("rated_pairs", 200, "t.csv", rated(110) + "Is it 3?,Perhaps.,3.5\nis it 3?,perhaps.,2.5\n"),
        case("reversed_pairs", 200, "t.jsonl", pairs.clone() + &pair("Is  it 4?", "no.", "surely.") + &pair("Is it 4?", "Surely.", "Never.")),
        case("length_bias", 200, "t.jsonl", (0..110).map(|at| if at % 5 == 0 { pair(&format!("Is it {at}?"), "No.", "Perhaps.") } else { pair(&format!("Is it {at}?"), "It is, and well so.", "No.") }).collect()),
        case("one_sided", 200, "t.csv", std::iter::once("prompt,completion,label\n".to_owned()).chain((0..110).map(|at| format!("Is it {at}?,Yes it is,yes\n"))).collect()),
        case("unused_ratings", 200, "t.csv", std::iter::once("prompt,response,rating\n".to_owned()).chain((0..110).map(|at| format!("Is it {at}?,Yes it is,{}\n", at % 5))).chain((0..3).map(|at| format!("Is it {at}?,Not at all,{at}\n"))).collect()),
        case("duplicate", 200, "t.csv", sound(110) + "note number 7,down\nnote number 8,up\n"),
        case("contradiction", 200, "t.csv", sound(110) + "Note  number 7,up\n"),
        case("too_few_rows", 200, "t.csv", sound(7)),
        case("few_rows", 200, "t.csv", sound(20)),
        case("single_class", 200, "t.csv", labelled(110, |at| format!("note number {at},up"))),
        case("rare_class", 200, "t.csv", sound(110) + "odd one,sideways\nodd two,sideways\n"),
        case("imbalance", 200, "t.csv", labelled(110, |at| format!("note number {at},{}", if at % 15 == 0 { "up" } else { "down" }))),
        case("similar_labels", 200, "t.csv", labelled(110, |at| format!("note number {at},{}", ["up", "UP", "down"][at % 3]))),
        Case {
            code: "leakage",
            max_length: 200,
            files: vec![("train.csv", sound(110), Some(Part::Train)), ("test.csv", labelled(30, |at| format!("NOTE number {},{}", at + 100, ["up", "down"][at % 2])), Some(Part::Test))],
        },
        Case {
            code: "unseen_label",
            max_length: 200,
            files: vec![("train.csv", sound(110), Some(Part::Train)), ("test.csv", labelled(30, |at| format!("other {at},{}", ["up", "left"][at % 2])), Some(Part::Test))],
        },
        case("nothing_trained", 16, "t.jsonl", short.clone()),
        case("answer_cut", 100, "t.jsonl", short.clone() + &turns(&"Very long. ".repeat(60), "Yes.")),
        case("truncated", 100, "t.jsonl", short.clone() + &turns("Count.", &"one two three ".repeat(60))),
        case("long_rows", 400, "t.jsonl", short + &turns("Count.", &"one two three ".repeat(20))),
    ]
}

fn report(case: &Case, folder: &Path) -> DataReport {
    look(&sources(case, folder), &tokenizer(), &options(case.max_length), 0, &mut |_| {})
        .unwrap()
        .report
}

fn sources(case: &Case, folder: &Path) -> Vec<Source> {
    let write = |name: &str, content: &str| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    case.files
        .iter()
        .map(|(name, content, part)| Source { part: *part, ..Source::new(write(name, content)) })
        .collect()
}

#[test]
fn every_check_finds_what_it_is_for() {
    let mut text = String::new();
    let mut found = BTreeSet::new();
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        let report = report(&case, folder.path());
        let finding = report.findings.iter().find(|finding| finding.code == case.code);
        let finding =
            finding.unwrap_or_else(|| panic!("{} not found: {:?}", case.code, report.findings));
        found.insert(case.code);
        assert_eq!(numbers(&finding.message.en), numbers(&finding.message.zh), "{}", case.code);
        let rows: Vec<String> = finding
            .examples
            .iter()
            .map(|origin| format!("{}:{}", origin.file, origin.row))
            .collect();
        writeln!(
            text,
            "{} {:?} {} [{}]\n  {}\n  {}",
            case.code,
            finding.severity,
            finding.rows,
            rows.join(" "),
            finding.message.en,
            finding.message.zh
        )
        .unwrap();
        let others: Vec<&str> = report
            .findings
            .iter()
            .map(|finding| finding.code.as_str())
            .filter(|code| *code != case.code)
            .collect();
        writeln!(
            text,
            "  with {others:?}, {} read, {} dropped",
            report.rows_read, report.rows_dropped
        )
        .unwrap();
        assert!(report.findings.windows(2).all(|pair| pair[0].severity >= pair[1].severity));
    }
    assert_eq!(found, CHECKS.iter().map(|check| check.code()).collect());
    insta::assert_snapshot!(text);
}

#[test]
fn one_row_is_told_in_the_singular() {
    let folder = tempfile::tempdir().unwrap();
    let one = case("empty", 200, "t.csv", sound(110) + "  ,up\n");
    let report = report(&one, folder.path());
    let message = &report.findings[0].message;
    assert_eq!(
        message.en,
        "1 row has nothing in a field that is needed, so it is left out; fill the field to use it."
    );
    assert_eq!(message.zh, "1 行的必需字段为空，已排除；补全后即可使用。");
}

#[test]
fn sound_rows_give_no_finding() {
    let folder = tempfile::tempdir().unwrap();
    let report = report(&case("", 200, "t.csv", sound(320)), folder.path());
    assert_eq!(report.findings, []);
    assert_eq!((report.train.rows, report.validation.rows, report.test.rows), (228, 32, 60));
    assert_eq!((report.rows_read, report.rows_dropped), (320, 0));
}

#[test]
fn a_refusal_says_why_so_few_rows_are_left() {
    let folder = tempfile::tempdir().unwrap();
    let without: String = (0..20).map(|at| format!("other {at},\n")).collect();
    let none = case("empty", 200, "t.csv", sound(4) + &without);
    let sources = sources(&none, folder.path());
    let out = folder.path().join("prepared");
    let error = prepare(&sources, &tokenizer(), &options(none.max_length), &out, &mut |_| {})
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("20 rows have nothing in a field that is needed"), "{error}");
    assert!(error.contains("Only 4 different rows are usable"), "{error}");
}

#[test]
fn what_makes_training_pointless_stops_it() {
    for (code, expected) in [
        ("too_few_rows", "data.too_few_rows"),
        ("single_class", "data.single_class"),
        ("nothing_trained", "data.nothing_trained"),
    ] {
        let case = cases().into_iter().find(|case| case.code == code).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("prepared");
        let error = prepare(
            &sources(&case, folder.path()),
            &tokenizer(),
            &options(case.max_length),
            &out,
            &mut |_| {},
        )
        .unwrap_err();
        assert_eq!(error.code(), expected);
        assert!(!out.exists(), "nothing may be left half-written");
    }
}

#[test]
fn a_pair_is_one_row_and_two_sequences() {
    let case = cases().into_iter().find(|case| case.code == "same_answers").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sources = sources(&case, folder.path());
    let out = folder.path().join("prepared");
    let report = prepare(&sources, &tokenizer(), &options(200), &out, &mut |_| {}).unwrap();
    assert_eq!((report.task, report.rows_read, report.rows_dropped), (Task::Preference, 110, 1));
    let parts = [&report.train, &report.validation, &report.test];
    assert_eq!(parts.iter().map(|part| part.rows).sum::<u64>(), 109);
    let prepared = Prepared::open(&out).unwrap();
    assert_eq!(prepared.part(Part::Train).len() as u64, 2 * report.train.rows);
    let instruct = PrepareOptions { task: Some(Task::Instruct), ..options(200) };
    let report = prepare(&sources, &tokenizer(), &instruct, &out, &mut |_| {}).unwrap();
    assert_eq!((report.task, report.rows_read, report.rows_dropped), (Task::Instruct, 110, 0));
}

#[test]
fn chance_and_few_pairs_are_no_length_bias() {
    let longer_of = |longer: usize, pairs: usize| {
        let rows = (0..pairs).map(|at| {
            let (chosen, rejected) =
                if at < longer { ("It is, surely.", "No.") } else { ("No.", "It is, surely.") };
            format!(
                "{}\n",
                serde_json::json!({"prompt": format!("q {at}"), "chosen": chosen, "rejected": rejected})
            )
        });
        let folder = tempfile::tempdir().unwrap();
        let report = report(&case("", 200, "t.jsonl", rows.collect()), folder.path());
        report.findings.iter().any(|finding| finding.code == "length_bias")
    };
    // 15 of 20 comes about by chance once in 48 times, 16 of 20 once in 169.
    assert!(!longer_of(15, 20) && longer_of(16, 20));
    assert!(!longer_of(19, 19) && longer_of(20, 20));
    // Far from chance, but not far from even.
    assert!(!longer_of(280, 400) && longer_of(290, 400));
}

#[test]
fn too_few_pairs_and_single_answers_stop_it() {
    let pair = |at: usize| serde_json::json!({"prompt": format!("q {at}"), "chosen": "yes", "rejected": "nay"});
    let single = |at: usize| serde_json::json!({"prompt": format!("q {at}"), "completion": "yes", "label": at.is_multiple_of(2)});
    let rows: [&dyn Fn(usize) -> serde_json::Value; 2] = [&pair, &single];
    for row in rows {
        let codes = |count: usize| {
            let lines = (0..count).map(|at| format!("{}\n", row(at))).collect();
            let folder = tempfile::tempdir().unwrap();
            let report = report(&case("", 200, "t.jsonl", lines), folder.path());
            let codes = report.findings.into_iter().map(|finding| finding.code);
            codes.collect::<Vec<_>>()
        };
        assert_eq!(codes(7), ["too_few_rows"]);
        assert_eq!(codes(8), ["few_rows"]);
        assert_eq!(codes(100), Vec::<String>::new());
    }
}

#[test]
fn ties_are_left_out_of_every_task_and_every_part() {
    let case = cases().into_iter().find(|case| case.code == "ties").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sources = sources(&case, folder.path());
    let out = folder.path().join("prepared");
    for task in [None, Some(Task::Instruct)] {
        let options = PrepareOptions { task, ..options(200) };
        let report = prepare(&sources, &tokenizer(), &options, &out, &mut |_| {}).unwrap();
        assert_eq!((report.rows_read, report.rows_dropped), (112, 3));
        let parts = [&report.train, &report.validation, &report.test];
        assert_eq!(parts.iter().map(|part| part.rows).sum::<u64>(), 109);
    }
}

#[test]
fn rated_rows_make_pairs_wherever_pairs_are_of_use() {
    let case = cases().into_iter().find(|case| case.code == "rated_pairs").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sources = sources(&case, folder.path());
    let out = folder.path().join("prepared");
    let prepared = |task| {
        let options = PrepareOptions { task, ..options(200) };
        let report = prepare(&sources, &tokenizer(), &options, &out, &mut |_| {}).unwrap();
        let parts = [&report.train, &report.validation, &report.test];
        let rows = parts.iter().map(|part| part.rows).sum::<u64>();
        (report.task, report.rows_read, report.rows_dropped, rows)
    };
    // A pair of each prompt; the better answer of each; each prompt, one of them in two spellings.
    assert_eq!(prepared(None), (Task::Preference, 178, 90, 88));
    assert_eq!(prepared(Some(Task::Instruct)), (Task::Instruct, 178, 90, 88));
    assert_eq!(prepared(Some(Task::PromptOnly)), (Task::PromptOnly, 178, 89, 89));

    prepared(None);
    let data = Prepared::open(&out).unwrap();
    let texts = |turns: &[sanbao_contract::Message]| turns[0].text().to_owned();
    for example in data.examples(Part::Test).unwrap() {
        let Content::Preference { chosen, rejected, .. } = example.content else { panic!() };
        assert_eq!((texts(&chosen), texts(&rejected)), ("No not so".into(), "Yes it is".into()));
    }
}
