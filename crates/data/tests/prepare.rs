//! From files to a prepared folder and back.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sanbao_contract::data::{Content, Task};
use sanbao_data::{
    Error, PackedBatch, Part, PrepareOptions, Prepared, Progress, Source, Step, look, pack,
    prepare, tokenizer_hash,
};
use sanbao_text::Tokenizer;

fn fixtures(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures")).join(name)
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_folder(&fixtures("goldens/models/llama_gqa_tied")).unwrap()
}

fn options(max_length: usize) -> PrepareOptions {
    PrepareOptions { max_length, seed: 7, fractions: None, task: None }
}

fn quiet() -> impl FnMut(Progress) {
    |_| {}
}

/// 400 rows, 60 of them twice with different case.
fn labelled(folder: &Path) -> Source {
    let mut text = "text,label\n".to_owned();
    for at in 0..400 {
        let number = if at >= 340 { at - 340 } else { at };
        let word = if at >= 340 { "PARCEL" } else { "parcel" };
        text += &format!(
            "The {word} number {number} has come.,{}\n",
            ["late", "early", "in time"][number % 3]
        );
    }
    let path = folder.join("parcels.csv");
    std::fs::write(&path, text).unwrap();
    Source::new(path)
}

#[test]
fn a_prepared_folder_holds_what_the_report_says() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("a/prepared");
    let source = labelled(folder.path());
    let mut steps = Vec::new();
    let report = prepare(
        std::slice::from_ref(&source),
        &tokenizer(),
        &options(256),
        &out,
        &mut |progress| steps.push(progress),
    )
    .unwrap();
    assert_eq!((report.task, report.rows_read, report.rows_dropped), (Task::Classify, 400, 0));
    assert_eq!(report.test.rows, 60);
    assert_eq!(report.labels.len(), 3);
    assert!(
        steps.iter().any(|progress| progress.step == Step::Reading)
            && steps.iter().all(|progress| progress.done <= progress.total)
    );
    assert_eq!(
        steps.last().map(|progress| (progress.step, progress.done)),
        Some((Step::Tokenising, 400))
    );

    let prepared = Prepared::open(&out).unwrap();
    assert_eq!(prepared.report(), &report);
    assert_eq!(prepared.options(), &options(256));
    assert_eq!(prepared.manifest().inputs["tokenizer"], tokenizer_hash(&tokenizer()));
    assert_eq!(
        prepared.manifest().inputs["data/1/parcels.csv"],
        blake3::hash(&std::fs::read(&source.path).unwrap()).to_hex().as_str()
    );
    let tokenizer = tokenizer();
    for (part, said) in Part::ALL.into_iter().zip([&report.train, &report.validation, &report.test])
    {
        let store = prepared.part(part);
        let sequences: Vec<_> = (0..store.len()).map(|at| store.sequence(at)).collect();
        assert_eq!(said.rows, sequences.len() as u64);
        assert_eq!(
            said.tokens,
            sequences.iter().map(|sequence| sequence.ids.len() as u64).sum::<u64>()
        );
        assert_eq!(
            said.trained_tokens,
            sequences.iter().map(|sequence| sequence.trained_tokens() as u64).sum::<u64>()
        );
        assert_eq!(
            said.longest,
            sequences.iter().map(|sequence| sequence.ids.len() as u64).max().unwrap()
        );
    }
    for part in [Part::Validation, Part::Test] {
        let examples = prepared.examples(part).unwrap();
        assert_eq!(examples.len(), prepared.part(part).len());
        for (at, example) in examples.iter().enumerate() {
            let Content::Classify { text, label } = &example.content else { panic!() };
            let seen = tokenizer.decode(&prepared.part(part).sequence(at).ids, false).unwrap();
            assert!(
                seen.contains(&format!("{text}<|im_end|>"))
                    && seen.contains(&format!("assistant\n{label}<|im_end|>")),
                "{seen}"
            );
        }
    }
    assert!(matches!(prepared.examples(Part::Train), Err(Error::NoExamples)));
}

#[test]
fn the_margin_of_a_pair_stays_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs.csv");
    let rows = |margin: &dyn Fn(usize) -> String| {
        let row = |at: usize| format!("Is it {at}?,Yes it is {at},No,{}\n", margin(at));
        "prompt,chosen,rejected,margin\n".to_owned() + &(0..60).map(row).collect::<String>()
    };
    let prepared = |text: String| {
        std::fs::write(&path, text).unwrap();
        let out = folder.path().join("prepared");
        let sources = [Source::new(&path)];
        prepare(&sources, &tokenizer(), &options(256), &out, &mut quiet()).unwrap();
        Prepared::open(&out).unwrap()
    };
    let with = prepared(rows(&|at| if at % 3 == 0 { String::new() } else { at.to_string() }));
    assert_eq!(with.margins(Part::Train).len(), with.part(Part::Train).len() / 2);
    let examples = with.examples(Part::Test).unwrap();
    let margins = with.margins(Part::Test);
    assert_eq!((examples.len(), margins.len()), (2 * margins.len(), examples.len() / 2));
    for (pair, given) in examples.chunks(2).zip(margins) {
        let Content::Preference { prompt, .. } = &pair[0].content else { panic!() };
        let at: f64 = prompt[0].text().trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap();
        assert_eq!(*given, if at % 3.0 == 0.0 { 0.0 } else { at });
    }
    assert!(prepared(rows(&|_| String::new())).margins(Part::Train).is_empty());
}

#[test]
fn rows_with_the_same_input_share_a_part_and_labels_keep_their_shares() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("prepared");
    prepare(&[labelled(folder.path())], &tokenizer(), &options(256), &out, &mut quiet()).unwrap();
    let prepared = Prepared::open(&out).unwrap();
    let tokenizer = tokenizer();
    let mut parts: HashMap<String, Part> = HashMap::new();
    let mut labels: HashMap<String, usize> = HashMap::new();
    for part in Part::ALL {
        for at in 0..prepared.part(part).len() {
            let text = tokenizer
                .decode(&prepared.part(part).sequence(at).ids, false)
                .unwrap()
                .to_lowercase();
            let number: String = text
                .split("number ")
                .nth(1)
                .unwrap()
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            assert_eq!(*parts.entry(number).or_insert(part), part, "{text}");
            if part == Part::Test {
                *labels
                    .entry(text.rsplit("assistant\n").next().unwrap().trim().to_owned())
                    .or_default() += 1;
            }
        }
    }
    assert_eq!(parts.len(), 340);
    assert_eq!(labels.values().copied().collect::<Vec<_>>(), [20, 20, 20]);
}

#[test]
fn the_same_files_and_seed_give_the_same_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let source = labelled(folder.path());
    let files = |seed: u64, name: &str| {
        let out = folder.path().join(name);
        prepare(
            std::slice::from_ref(&source),
            &tokenizer(),
            &PrepareOptions { seed, ..options(256) },
            &out,
            &mut quiet(),
        )
        .unwrap();
        ["train.tokens", "validation.tokens", "test.tokens", "test.jsonl"]
            .map(|file| std::fs::read(out.join(file)).unwrap())
    };
    let first = files(1, "one");
    assert_eq!(first, files(1, "two"));
    assert_ne!(first, files(2, "two"));
}

#[test]
fn every_fixture_becomes_tokens() {
    let tokenizer = tokenizer();
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixtures("data")).unwrap() {
        let path = entry.unwrap().path();
        let source = Source::new(&path);
        let report =
            look(std::slice::from_ref(&source), &tokenizer, &options(256), 0, &mut quiet())
                .unwrap()
                .report;
        // Questions without answers have nothing to learn before a model answers them.
        let learns = report.task != Task::PromptOnly;
        assert_eq!(report.train.trained_tokens > 0, learns, "{}", path.display());
        assert!(report.train.tokens > 0, "{}", path.display());
        assert!(report.train.longest <= 256);
        let out = folder.path().join("prepared");
        assert_eq!(
            prepare(&[source], &tokenizer, &options(256), &out, &mut quiet()).unwrap(),
            report
        );
        assert_eq!(Prepared::open(&out).unwrap().report(), &report);
    }
}

#[test]
fn prose_is_split_in_blocks_and_loses_nothing() {
    let tokenizer = tokenizer();
    let folder = tempfile::tempdir().unwrap();
    let paragraph = |at: usize| {
        format!(
            "Chapter {at}. {}",
            "The sea was calm and the boat went on. ".repeat(at % 7 + 1).trim_end()
        )
    };
    let text = (0..300).map(paragraph).collect::<Vec<_>>().join("\n\n")
        + "\n<|endoftext|>\n"
        + &(300..360).map(paragraph).collect::<Vec<_>>().join("\n\n");
    let path = folder.path().join("sea.txt");
    std::fs::write(&path, text).unwrap();
    let out = folder.path().join("prepared");
    let report =
        prepare(&[Source::new(path)], &tokenizer, &options(128), &out, &mut quiet()).unwrap();
    assert_eq!((report.task, report.rows_read, report.rows_dropped), (Task::Prose, 360, 0));
    assert!(report.validation.rows > 0 && report.test.rows > 0);
    assert_eq!(report.train.trained_tokens, report.train.tokens - report.train.rows);
    let prepared = Prepared::open(&out).unwrap();
    let mut seen = Vec::new();
    let mut ends = 0;
    for part in Part::ALL {
        let store = prepared.part(part);
        let text: String = (0..store.len())
            .map(|at| tokenizer.decode(&store.sequence(at).ids, false).unwrap())
            .collect();
        ends += text.matches("<|im_end|>").count();
        seen.extend(
            text.split("Chapter ")
                .skip(1)
                .map(|text| text.split('.').next().unwrap().parse::<usize>().unwrap()),
        );
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..360).collect::<Vec<_>>());
    assert_eq!(ends, 2, "one end for each document");
    for (at, example) in prepared.examples(Part::Test).unwrap().iter().enumerate() {
        let Content::Prose { text } = &example.content else { panic!() };
        let seen = tokenizer.decode(&prepared.part(Part::Test).sequence(at).ids, false).unwrap();
        assert_eq!(seen.trim_end_matches("<|im_end|>"), text);
    }
}

#[test]
fn files_given_for_a_part_stay_there() {
    let folder = tempfile::tempdir().unwrap();
    let test = Source { part: Some(Part::Test), ..Source::new(fixtures("data/reviews_utf16.tsv")) };
    let sources = [Source::new(fixtures("data/reviews.csv")), test];
    let out = folder.path().join("prepared");
    let report = prepare(&sources, &tokenizer(), &options(256), &out, &mut quiet()).unwrap();
    assert_eq!((report.train.rows, report.validation.rows, report.test.rows), (18, 2, 16));
    assert!(report.findings.iter().any(|finding| finding.code == "unseen_label"));
}

#[test]
fn damage_is_seen_when_a_folder_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("prepared");
    prepare(
        &[Source::new(fixtures("data/reviews.csv"))],
        &tokenizer(),
        &options(256),
        &out,
        &mut quiet(),
    )
    .unwrap();
    for name in ["train.tokens", "validation.jsonl", "test.jsonl", "report.json", "manifest.json"] {
        let path = out.join(name);
        let whole = std::fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] = damaged[middle].wrapping_add(1);
        std::fs::write(&path, &damaged).unwrap();
        if name != "manifest.json" {
            let error = Prepared::open(&out).unwrap_err();
            assert!(matches!(&error, Error::Corrupt { path: at, .. } if *at == path), "{error}");
        }
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert!(matches!(Prepared::open(&out).unwrap_err(), Error::Corrupt { .. }), "{name}");
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(Prepared::open(&out).unwrap_err(), Error::Read { .. }), "{name}");
        std::fs::write(&path, &whole).unwrap();
    }
    Prepared::open(&out).unwrap();
}

#[test]
fn a_failed_run_leaves_the_folder_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("prepared");
    prepare(
        &[Source::new(fixtures("data/reviews.csv"))],
        &tokenizer(),
        &options(256),
        &out,
        &mut quiet(),
    )
    .unwrap();
    let error = prepare(
        &[Source::new(fixtures("data/reviews.csv"))],
        &tokenizer(),
        &options(16),
        &out,
        &mut quiet(),
    )
    .unwrap_err();
    assert_eq!(error.code(), "data.nothing_trained");
    assert_eq!(Prepared::open(&out).unwrap().options().max_length, 256);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn the_preview_shows_the_tokens_that_are_trained_on() {
    let tokenizer = tokenizer();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("prepared");
    let sources = [Source::new(fixtures("data/reviews_gb18030.csv"))];
    prepare(&sources, &tokenizer, &options(256), &out, &mut quiet()).unwrap();
    let prepared = Prepared::open(&out).unwrap();
    let look = look(&sources, &tokenizer, &options(256), 3, &mut quiet()).unwrap();
    assert_eq!(look.rows.len(), 3);
    assert_eq!(look.report, *prepared.report());
    assert_eq!(look.lengths.len() as u64, look.report.rows_read - look.report.rows_dropped);
    let first = &look.rows[0];
    let text: String = first.tokens.iter().map(|token| token.text.as_str()).collect();
    let learnt: String = first
        .tokens
        .iter()
        .filter(|token| token.trained)
        .map(|token| token.text.as_str())
        .collect();
    assert_eq!(
        text,
        "<|im_start|>user\nClassify the text. Answer with one of these labels only: 好评, 差评.\n\n水烧得很快，手柄一点也不烫。<|im_end|>\n<|im_start|>assistant\n好评<|im_end|>"
    );
    assert_eq!(learnt, "好评<|im_end|>");
    let store = prepared.part(first.part);
    let same = (0..store.len())
        .find(|at| tokenizer.decode(&store.sequence(*at).ids, false).unwrap() == text)
        .unwrap();
    assert_eq!(store.sequence(same).ids.len() as u64, first.length);
    assert_eq!(look.rows.iter().map(|row| row.origin.row).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn an_epoch_of_packed_rows_holds_every_target() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("prepared");
    let report =
        prepare(&[labelled(folder.path())], &tokenizer(), &options(128), &out, &mut quiet())
            .unwrap();
    let prepared = Prepared::open(&out).unwrap();
    let train = prepared.part(Part::Train);
    let rows = pack(&train.lengths(), 512, 3, 0).unwrap();
    let batches: Vec<PackedBatch> =
        rows.iter().map(|row| PackedBatch::new(row.iter().map(|at| train.sequence(*at)))).collect();
    assert_eq!(
        batches.iter().map(|batch| batch.ids.len() as u64).sum::<u64>(),
        report.train.tokens
    );
    assert_eq!(
        batches.iter().map(|batch| batch.trained_tokens() as u64).sum::<u64>(),
        report.train.trained_tokens
    );
    assert!(batches.iter().all(|batch| batch.ids.len() <= 512));
}

#[test]
fn bad_options_and_files_of_different_kinds_are_refused() {
    let tokenizer = tokenizer();
    let run = |sources: &[Source], options: &PrepareOptions| {
        look(sources, &tokenizer, options, 0, &mut quiet()).unwrap_err().code()
    };
    let reviews = Source::new(fixtures("data/reviews.csv"));
    let prose = Source::new(fixtures("data/prose.txt"));
    assert_eq!(run(&[], &options(256)), "data.options");
    assert_eq!(run(std::slice::from_ref(&reviews), &options(8)), "data.options");
    let fractions = Some(sanbao_data::Fractions { validation: 0.5, test: 0.6 });
    assert_eq!(
        run(std::slice::from_ref(&reviews), &PrepareOptions { fractions, ..options(256) }),
        "data.options"
    );
    assert_eq!(run(&[reviews.clone(), prose.clone()], &options(256)), "data.mixed_tasks");
    assert_eq!(
        run(&[prose], &PrepareOptions { task: Some(Task::Classify), ..options(256) }),
        "data.task"
    );
    let together = PrepareOptions { task: Some(Task::Prose), ..options(256) };
    assert!(
        look(
            &[reviews, Source::new(fixtures("data/prose.txt"))],
            &tokenizer,
            &together,
            0,
            &mut quiet()
        )
        .is_ok()
    );
}
