//! Every format and every shape, on files as people have them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sanbao_contract::data::Shape;
use sanbao_data::{Error, FORMATS, Mapper, SHAPES, Table, recognise_file, rule};

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/data"))
}

/// Every fixture with its rows and shape.
const FILES: &[(&str, usize, Shape)] = &[
    ("reviews.csv", 20, Shape::TextLabel),
    ("reviews_gb18030.csv", 16, Shape::TextLabel),
    ("reviews_big5.csv", 8, Shape::TextLabel),
    ("reviews_utf16.tsv", 16, Shape::TextLabel),
    ("avis_1252.csv", 8, Shape::TextLabel),
    ("headerless.csv", 16, Shape::TextLabel),
    ("alpaca.jsonl", 10, Shape::Instruction),
    ("instruction_zh.jsonl", 10, Shape::Instruction),
    ("support.json", 12, Shape::PromptCompletion),
    ("qa_columns.json", 9, Shape::QuestionAnswer),
    ("squad_nested.json", 9, Shape::QuestionAnswer),
    ("chat_openai.jsonl", 9, Shape::Messages),
    ("chat_sharegpt.json", 10, Shape::Messages),
    ("preference.jsonl", 9, Shape::Preference),
    ("preference_openai.jsonl", 10, Shape::Preference),
    ("comparison.csv", 11, Shape::Comparison),
    ("ratings.jsonl", 10, Shape::Ratings),
    ("rated_answers.csv", 24, Shape::RatedAnswer),
    ("unpaired.jsonl", 9, Shape::Unpaired),
    ("questions.csv", 10, Shape::PromptOnly),
    ("prose.txt", 12, Shape::Prose),
];

#[test]
fn every_fixture_is_understood() {
    let mut text = String::new();
    let (mut formats, mut shapes) = (BTreeSet::new(), BTreeSet::new());
    for (name, rows, shape) in FILES {
        let table = Table::open(&fixtures().join(name)).unwrap();
        let recognition = table.recognition(None).unwrap();
        assert_eq!(recognition.mapping.shape, *shape, "{name}: {}", recognition.reason);
        let mapper = Mapper::new(&recognition.mapping).unwrap();
        let examples: Vec<_> = table
            .records()
            .unwrap()
            .map(|record| mapper.example(&record.unwrap()).unwrap())
            .collect();
        assert_eq!(examples.len(), *rows, "{name}");
        assert!(examples.iter().enumerate().all(|(at, example)| example.origin.row
            == at as u64 + 1
            && example.origin.file == *name));
        formats.insert(recognition.format.clone());
        shapes.insert(rule(*shape).name());
        let fields: Vec<String> = recognition
            .mapping
            .fields
            .iter()
            .map(|(field, template)| format!("{field}={template}"))
            .collect();
        let reason = &recognition.reason;
        writeln!(text, "{name}\n  {}\n  {}\n  {}", reason.en, reason.zh, fields.join(" ")).unwrap();
        let second = &examples[1];
        writeln!(text, "  {}", serde_json::to_string(second).unwrap()).unwrap();
    }
    assert_eq!(formats, FORMATS.iter().map(|format| format.name().to_owned()).collect());
    assert_eq!(shapes, SHAPES.iter().map(|rule| rule.name()).collect());
    insta::assert_snapshot!(text);
}

#[test]
fn shapes_are_registered_under_their_own_name() {
    for known in SHAPES {
        assert_eq!(rule(known.shape()).name(), known.name());
        assert_eq!(serde_json::to_value(known.shape()).unwrap(), known.name());
        for field in known.fields() {
            let plain = |name: &&str| {
                name.chars().all(|c| !matches!(c, ' ' | '_' | '-') && !c.is_uppercase())
            };
            assert!(
                field.names.iter().all(plain)
                    && field.names.contains(&field.name.replace('_', "").as_str()),
                "{} {}",
                known.name(),
                field.name
            );
        }
    }
}

fn in_folder(name: &str, bytes: &[u8], use_it: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    use_it(&path);
}

/// The first error that reading the whole file gives.
fn error_of(path: &Path) -> Option<Error> {
    let table = match Table::open(path) {
        Ok(table) => table,
        Err(error) => return Some(error),
    };
    if let Err(error) = table.recognition(None) {
        return Some(error);
    }
    match table.records() {
        Ok(mut records) => records.find_map(Result::err),
        Err(error) => Some(error),
    }
}

#[test]
fn bad_files_are_explained_in_one_sentence() {
    let late =
        |row: &str| format!("text,label\n{}{row}", "fine words,a\nother words,b\n".repeat(600));
    let huge = format!("text,label\nwords,a\n\"{}", "line after line\n".repeat(1_200_000));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("empty.csv", vec![]),
        ("blank.csv", b" \n\n".to_vec()),
        ("header_only.csv", b"text,label\n".to_vec()),
        ("ragged.csv", late("a, b,c\n").into()),
        ("short.csv", late("alone\n").into()),
        ("unclosed.csv", late("\"never closed,a\nx,b\n").into()),
        ("middle.csv", late("\"a\" b,a\n").into()),
        ("nul.csv", late("a\0b,c\n").into()),
        ("huge.csv", huge.into()),
        ("latin.csv", [late("").as_bytes(), "好好好好好好好好好好\n".as_bytes(), b"\xE9\n"].concat()),
        ("bad.jsonl", b"{\"text\": \"a\"}\n\n{\"text\": \"b\",}\n".to_vec()),
        ("list.jsonl", b"{\"text\": \"a\"}\n[1]\n".to_vec()),
        ("cut.json", b"[{\"text\": \"a\"}, {\"text\": \"b".to_vec()),
        ("bad.json", "[{\"text\": \"a\"},\n  {\"text\": 好}]".as_bytes().to_vec()),
        ("two.json", b"{\"train\": [{\"a\": 1}], \"test\": [{\"a\": 1}, {\"a\": 2}]}".to_vec()),
        ("nothing.json", b"{\"version\": 1}".to_vec()),
        ("after.json", b"[{\"text\": \"a b\"}] x".to_vec()),
        ("numbers.csv", b"x,y\n1,2\n3,4\n5,6\n".to_vec()),
        ("book.xlsx", b"PK\x03\x04....".to_vec()),
        ("one_side.jsonl", b"{\"prompt\": \"a b\", \"chosen\": \"c d\"}\n".to_vec()),
        ("other_side.csv", b"question,non_preferred_output\nWhy?,It is so.\nHow?,By hand.\n".to_vec()),
        ("no_winner.csv", b"prompt,response_a,response_b\nWhy?,It is so.,No reason.\n".to_vec()),
        ("bad_winner.csv", "prompt,response_a,response_b,winner\n".to_owned().into_bytes().into_iter().chain("Why?,It is so.,No reason.,a\n".repeat(1100).into_bytes()).chain(*b"How?,So.,Not.,c\n").collect()),
        ("bad_rating.jsonl", [b"{\"prompt\": \"q\", \"completions\": [{\"text\": \"a\", \"rating\": 1}, {\"text\": \"b\", \"rating\": 2}]}\n".repeat(1100), b"{\"prompt\": \"q\", \"completions\": [{\"text\": \"a\", \"rating\": 1}, {\"text\": \"b\"}]}\n".to_vec()].concat()),
        ("bad_side.jsonl", b"{\"prompt\": \"q\", \"chosen\": \"a\", \"rejected\": \"b\"}\n{\"prompt\": \"q\", \"chosen\": \"a\", \"rejected\": [{\"content\": \"b\"}]}\n".to_vec()),
        ("bad_tag.jsonl", [b"{\"prompt\": \"q\", \"completion\": \"a\", \"kto_tag\": true}\n".repeat(1100), b"{\"prompt\": \"q\", \"completion\": \"a\", \"kto_tag\": \"perhaps\"}\n".to_vec()].concat()),
        ("slip_tag.csv", [b"prompt,completion,label\n".to_vec(), b"Why?,It is so.,yes\nHow?,By hand.,no\n".repeat(10), b"Who?,They did.,maybe\n".to_vec()].concat()),
        ("turns.jsonl", b"{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}\n{\"messages\": [{\"role\": \"boss\", \"content\": \"b\"}]}\n".to_vec()),
    ];
    let mut text = String::new();
    for (name, bytes) in cases {
        in_folder(name, &bytes, |path| {
            let error = match error_of(path) {
                Some(error) => error,
                None => {
                    let table = Table::open(path).unwrap();
                    let mapper = Mapper::new(&table.recognition(None).unwrap().mapping).unwrap();
                    table
                        .records()
                        .unwrap()
                        .find_map(|record| mapper.example(&record.unwrap()).err())
                        .expect(name)
                }
            };
            let fault = sanbao_contract::Fault::from(error);
            writeln!(text, "{}\n  {} {:?}", fault.message, fault.code, fault.params).unwrap();
        });
    }
    let missing = Table::open(Path::new("/nowhere/reviews.csv")).err().unwrap();
    assert!(matches!(missing, Error::Read { .. }));
    insta::assert_snapshot!(text);
}

#[test]
fn formats_are_told_by_content_where_the_name_does_not_help() {
    let cases: &[(&str, &str, &str)] = &[
        ("a.txt", "text\tlabel\ngood one\ta\nbad one\tb\n", "csv"),
        ("a.txt", "First, a word.\nThen, another.\nAt last, silence.\n", "text"),
        ("a.txt", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n", "jsonl"),
        ("a.json", "{\"text\": \"a\"}\n{\"text\": \"b\"}\n", "jsonl"),
        ("a.json", "{\"data\": [{\"text\": \"a\"}]}\n", "json"),
        ("a.jsonl", "[{\"text\": \"a\"}]", "json"),
        ("a", " [\n{\"text\": \"a\"}]", "json"),
        ("a.md", "# Title\n\nWords.\n", "text"),
        ("a.data", "question;answer\nWhy, then?;So.\nHow?;Thus, friend.\n", "csv"),
    ];
    for (name, content, format) in cases {
        in_folder(name, content.as_bytes(), |path| {
            assert_eq!(Table::open(path).unwrap().format(), *format, "{content}")
        });
    }
}

#[test]
fn columns_are_recognised_by_names_and_content() {
    let rows = |row: &dyn Fn(usize) -> String| (0..40).map(|at| row(at) + "\n").collect::<String>();
    let sentence = |at: usize| format!("This is sentence number {at} about something.");
    let cases: Vec<(String, Shape, &str)> = vec![
        (
            format!(
                "id,foo,bar\n{}",
                rows(&|at| format!("{at},{},{}", sentence(at), ["up", "down", "left"][at % 3]))
            ),
            Shape::TextLabel,
            "foo",
        ),
        (
            format!(
                "Review Text,Star Rating\n{}",
                rows(&|at| format!("{},{}", sentence(at), at % 5))
            ),
            Shape::TextLabel,
            "Review Text",
        ),
        (
            format!(
                "foo,bar\n{}",
                rows(&|at| format!("{},{} Indeed so.", sentence(at), sentence(at + 1)))
            ),
            Shape::PromptCompletion,
            "foo",
        ),
        (
            format!(
                "source,target\n{}",
                rows(&|at| format!("{},{} Indeed so.", sentence(at), sentence(at + 1)))
            ),
            Shape::PromptCompletion,
            "source",
        ),
        (
            format!(
                "prompt,response,category\n{}",
                rows(&|at| format!("{},{} So.,{}", sentence(at), sentence(at), at % 2))
            ),
            Shape::PromptCompletion,
            "prompt",
        ),
        (
            format!("id,Question\n{}", rows(&|at| format!("{at},{}", sentence(at)))),
            Shape::PromptOnly,
            "Question",
        ),
        (
            rows(&|at| {
                let turn = format!("{{\"role\":\"user\",\"content\":\"{}\"}}", sentence(at));
                format!("{{\"prompt\":[{turn}]}}")
            }),
            Shape::PromptOnly,
            "prompt",
        ),
        (
            format!(
                "question,category\n{}",
                rows(&|at| format!("{},{}", sentence(at), ["up", "down", "left"][at % 3]))
            ),
            Shape::TextLabel,
            "question",
        ),
        (format!("n,body\n{}", rows(&|at| format!("{at},{}", sentence(at)))), Shape::Prose, "body"),
        (
            format!("问题,回答\n{}", rows(&|at| format!("第{at}题怎么做？,答案是{at}。"))),
            Shape::QuestionAnswer,
            "问题",
        ),
        (
            format!(
                "标题,内容,分类\n{}",
                rows(&|at| format!("题{at},内容是第{at}条。,{}", ["甲", "乙"][at % 2]))
            ),
            Shape::TextLabel,
            "内容",
        ),
    ];
    for (content, shape, first) in cases {
        let name = if content.starts_with('{') { "t.jsonl" } else { "t.csv" };
        in_folder(name, content.as_bytes(), |path| {
            let recognition = recognise_file(path).unwrap();
            let template = format!("{{{{{first}}}}}");
            assert_eq!(
                (recognition.mapping.shape, recognition.mapping.fields[0].1.as_str()),
                (shape, template.as_str()),
                "{}",
                recognition.reason
            );
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 1..200), extension in prop::sample::select(vec!["csv", "tsv", "jsonl", "json", "txt"])) {
        in_folder(&format!("x.{extension}"), &bytes, |path| drop(error_of(path)));
    }

    #[test]
    fn any_json_like_text_is_survived(text in "[\\[\\]{},: \n\"a1\\\\tn-]{1,60}", extension in prop::sample::select(vec!["jsonl", "json", "txt"])) {
        in_folder(&format!("x.{extension}"), text.as_bytes(), |path| drop(error_of(path)));
    }

    #[test]
    fn rows_come_back_from_every_json_form(table in prop::collection::vec(("\\PC{0,12}", any::<i32>(), prop::option::of("[a-z\"\\\\\n]{0,5}")), 1..20)) {
        let rows: Vec<serde_json::Value> = table.iter().map(|(text, number, other)| serde_json::json!({"text": text, "n": number, "other": other})).collect();
        let columns = serde_json::json!({
            "text": table.iter().map(|row| &row.0).collect::<Vec<_>>(),
            "n": table.iter().map(|row| row.1).collect::<Vec<_>>(),
            "other": table.iter().map(|row| &row.2).collect::<Vec<_>>(),
        });
        let lines: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let list = serde_json::to_string_pretty(&rows).unwrap();
        let nested = serde_json::json!({"version": [1], "data": rows}).to_string();
        for (name, content) in [("a.jsonl", lines), ("a.json", list), ("b.json", nested), ("c.json", columns.to_string())] {
            in_folder(name, content.as_bytes(), |path| {
                let read: Vec<serde_json::Value> = Table::open(path).unwrap().records().unwrap()
                    .map(|record| serde_json::Value::Object(record.unwrap().fields.into_iter().collect())).collect();
                assert_eq!(read, rows, "{name}");
            });
        }
    }
}
