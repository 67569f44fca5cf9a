//! Text metrics against sacreBLEU 2.6.0, rouge_score 0.1.2 and SQuAD's rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod common;

use common::{assert_close, golden};
use sanbao_evaluate::metrics::bleu::{Counts, Tokenizer};
use sanbao_evaluate::metrics::rouge::{Score, rouge_l, rouge_lsum, rouge_n};
use sanbao_evaluate::metrics::{
    Answers, Measured, Row, Units, chrf, edit_distance, metric, squad, ter,
};
use serde_json::Value;

fn pairs(rows: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, name: &str| row[name].as_str().unwrap().to_owned();
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| (text(row, "prediction"), text(row, "reference")))
        .collect()
}

fn answers<'a>(pairs: &'a [(String, String)]) -> Answers<'a> {
    let row = |(answer, reference): &'a (String, String)| Row {
        reference,
        answer,
        probabilities: &[],
        loss_sum: 0.0,
        loss_tokens: 0,
        reward: None,
    };
    Answers { labels: &[], rows: pairs.iter().map(row).collect() }
}

fn measured(name: &str, pairs: &[(String, String)]) -> Box<dyn Measured> {
    metric(name).unwrap().measure(&answers(pairs)).unwrap()
}

fn sum(counts: impl IntoIterator<Item = Counts>) -> Counts {
    counts.into_iter().fold(Counts::default(), |mut all, one| {
        for order in 0..4 {
            all.matches[order] += one.matches[order];
            all.totals[order] += one.totals[order];
        }
        all.answer_length += one.answer_length;
        all.reference_length += one.reference_length;
        all
    })
}

#[test]
fn bleu() {
    let file = golden("text.json");
    let (english, chinese) = (pairs(&file["english"]), pairs(&file["chinese"]));
    for (name, rows, tokenizer) in [
        ("bleu_english_13a", &english, Tokenizer::V13a),
        ("bleu_english_intl", &english, Tokenizer::Intl),
        ("bleu_none", &english, Tokenizer::None),
        ("bleu_chinese_zh", &chinese, Tokenizer::Zh),
        ("bleu_chinese_char", &chinese, Tokenizer::Char),
    ] {
        let want = &file[name];
        for (row, (answer, reference)) in rows.iter().enumerate() {
            let tokens = |text: &str| tokenizer.apply(text);
            assert_eq!(
                tokens(answer),
                want["tokenised_predictions"][row].as_str().unwrap(),
                "{name} {row}"
            );
            assert_eq!(
                tokens(reference),
                want["tokenised_references"][row].as_str().unwrap(),
                "{name} {row}"
            );
            let sentence = Counts::of(answer, reference, tokenizer).score(true);
            assert_close(sentence, &want["sentence_effective_order"][row], 1e-9, name);
        }
        let counts = sum(rows.iter().map(|(a, r)| Counts::of(a, r, tokenizer)));
        let corpus = &want["corpus"];
        for order in 0..4 {
            assert_close(counts.matches[order], &corpus["counts"][order], 0.0, name);
            assert_close(counts.totals[order], &corpus["totals"][order], 0.0, name);
            assert_close(counts.precisions()[order], &corpus["precisions"][order], 1e-9, name);
        }
        assert_close(counts.answer_length, &corpus["sys_len"], 0.0, name);
        assert_close(counts.reference_length, &corpus["ref_len"], 0.0, name);
        assert_close(counts.brevity_penalty(), &corpus["bp"], 1e-12, name);
        assert_close(counts.score(false), &corpus["score"], 1e-9, name);
    }
    // The registry's BLEU finds the tokenizer by itself.
    for (name, rows) in [("bleu_english_13a", &english), ("bleu_chinese_zh", &chinese)] {
        let bleu = measured("bleu", rows);
        assert_close(bleu.whole().unwrap(), &file[name]["corpus"]["score"], 1e-9, name);
        for row in 0..rows.len() {
            assert_close(
                bleu.row(row).unwrap(),
                &file[name]["sentence_effective_order"][row],
                1e-9,
                name,
            );
        }
    }
}

#[test]
fn bleu_lowercase() {
    let file = golden("text.json");
    let want = &file["bleu_english_13a_lowercase"];
    let lower = |text: &str| text.to_lowercase();
    let rows: Vec<Counts> = pairs(&file["english"])
        .iter()
        .map(|(answer, reference)| Counts::of(&lower(answer), &lower(reference), Tokenizer::V13a))
        .collect();
    for (row, counts) in rows.iter().enumerate() {
        assert_close(counts.score(true), &want["sentence_effective_order"][row], 1e-9, "lowercase");
    }
    assert_close(sum(rows).score(false), &want["corpus"]["score"], 1e-9, "lowercase");
}

#[test]
fn chrf_scores() {
    let file = golden("text.json");
    let (english, chinese) = (pairs(&file["english"]), pairs(&file["chinese"]));
    for (name, registered, rows, words) in [
        ("chrf2_english", "chrf", &english, 0),
        ("chrf2++_english", "chrf_plus_plus", &english, 2),
        ("chrf2_chinese", "chrf", &chinese, 0),
    ] {
        let measured = measured(registered, rows);
        assert_close(measured.whole().unwrap(), &file[name]["corpus"], 1e-9, name);
        for (row, (answer, reference)) in rows.iter().enumerate() {
            let want = &file[name]["sentence"][row];
            assert_close(chrf::score(&chrf::counts(answer, reference, words)), want, 1e-9, name);
            assert_close(measured.row(row).unwrap(), want, 1e-9, name);
        }
    }
}

#[test]
fn translation_edit_rate() {
    let file = golden("text.json");
    let english = pairs(&file["english"]);
    assert_close(
        measured("ter", &english).whole().unwrap(),
        &file["ter_english"]["corpus"],
        1e-9,
        "ter",
    );
}

/// Cases that the shared golden does not reach: phrases moved, long rows, empty sides.
#[test]
fn translation_edit_rate_with_moves() {
    let file = golden("ter_moves.json");
    for case in file["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let (edits, words) = ter::edits(text("prediction"), text("reference"));
        assert_close(edits as f64, &case["edits"], 0.0, text("prediction"));
        assert_close(words as f64, &case["reference_words"], 0.0, text("prediction"));
    }
}

fn assert_rouge(got: Score, want: &Value, what: &str) {
    assert_close(got.precision, &want["precision"], 1e-9, what);
    assert_close(got.recall, &want["recall"], 1e-9, what);
    assert_close(got.f1, &want["f1"], 1e-9, what);
}

fn assert_all_rouges(rows: &[(String, String)], want: &Value, units: Units, what: &str) {
    for (row, (answer, reference)) in rows.iter().enumerate() {
        let want = &want["rows"][row];
        assert_rouge(rouge_n(answer, reference, 1, units), &want["rouge1"], what);
        assert_rouge(rouge_n(answer, reference, 2, units), &want["rouge2"], what);
        assert_rouge(rouge_l(answer, reference, units), &want["rougeL"], what);
        assert_rouge(rouge_lsum(answer, reference, units), &want["rougeLsum"], what);
    }
}

#[test]
fn rouge() {
    let file = golden("text.json");
    let (english, chinese) = (pairs(&file["english"]), pairs(&file["chinese"]));
    assert_all_rouges(&english, &file["rouge_english_stemmer_off"], Units::AsciiWords, "english");
    assert_all_rouges(&chinese, &file["rouge_chinese_characters"], Units::Characters, "characters");
    assert_all_rouges(
        &chinese,
        &file["rouge_chinese_default_tokenizer"],
        Units::AsciiWords,
        "default",
    );
    let lines = &file["rougeLsum_multi_line"];
    let pair = (lines["prediction"].as_str().unwrap(), lines["reference"].as_str().unwrap());
    let pair = [(pair.0.to_owned(), pair.1.to_owned())];
    assert_all_rouges(&pair, lines, Units::AsciiWords, "lines");
    // The registry's ROUGE finds the units by itself.
    for (rows, want) in
        [(&english, "rouge_english_stemmer_off"), (&chinese, "rouge_chinese_characters")]
    {
        for (name, key) in [
            ("rouge_1", "rouge1"),
            ("rouge_2", "rouge2"),
            ("rouge_l", "rougeL"),
            ("rouge_lsum", "rougeLsum"),
        ] {
            let mean = &file[want]["mean_f1"][key];
            assert_close(measured(name, rows).whole().unwrap(), mean, 1e-9, name);
        }
    }
}

#[test]
fn squad_rules() {
    let file = golden("text.json");
    for case in file["squad"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let (answer, reference) = (text("prediction"), text("reference"));
        assert_eq!(squad::normalise(answer), case["normalised"][0].as_str().unwrap());
        assert_eq!(squad::normalise(reference), case["normalised"][1].as_str().unwrap());
        assert_close(
            squad::exact_match(answer, reference),
            &case["exact_match_normalised"],
            0.0,
            answer,
        );
        assert_close(squad::token_f1(answer, reference), &case["token_f1"], 1e-12, answer);
        let raw = if answer == reference { 1.0 } else { 0.0 };
        assert_close(raw, &case["exact_match_raw"], 0.0, answer);
    }
    let rows = pairs(&file["squad"]);
    for (name, key) in [("exact_match", "exact_match_normalised"), ("token_f1", "token_f1")] {
        let cases = file["squad"].as_array().unwrap();
        let mean =
            cases.iter().map(|case| case[key].as_f64().unwrap()).sum::<f64>() / cases.len() as f64;
        assert!((measured(name, &rows).whole().unwrap() - mean).abs() < 1e-12, "{name}");
    }
}

#[test]
fn edit_distances() {
    let file = golden("text.json");
    let (english, chinese) = (pairs(&file["english"]), pairs(&file["chinese"]));
    let want = &file["edit"];
    for (row, (answer, reference)) in english.iter().chain(&chinese).enumerate() {
        let edits = edit_distance::characters(answer, reference).0;
        assert_close(edits as f64, &want["character_distance"][row], 0.0, answer);
    }
    for (row, (answer, reference)) in english.iter().enumerate() {
        let edits = edit_distance::words(answer, reference).0;
        assert_close(edits as f64, &want["word_distance"][row], 0.0, answer);
    }
    assert_close(measured("wer", &english).whole().unwrap(), &want["wer_corpus"], 1e-12, "wer");
    assert_close(
        measured("cer", &chinese).whole().unwrap(),
        &want["cer_corpus_chinese"],
        1e-12,
        "cer",
    );
}

#[test]
fn spans_of_names() {
    let file = golden("ner.json");
    let tags =
        |side: &str| -> Vec<Vec<String>> { serde_json::from_value(file[side].clone()).unwrap() };
    let (truth, predicted) = (tags("truth"), tags("predicted"));
    for (row, tags) in truth.iter().enumerate() {
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let mut spans: Vec<_> = sanbao_evaluate::metrics::ner::spans(&tags).into_iter().collect();
        spans.sort_unstable();
        assert_eq!(serde_json::to_value(spans).unwrap(), file["truth_spans"][row]);
    }
    let rows: Vec<(String, String)> =
        predicted.iter().zip(&truth).map(|(p, t)| (p.join(" "), t.join(" "))).collect();
    let measured = measured("span_f1", &rows);
    let sums = measured.sums().unwrap();
    let mut counts = [0.0; 3];
    for row in 0..rows.len() {
        for (index, amount) in sums.contribution(row) {
            counts[*index] += amount;
        }
    }
    for (index, key) in
        ["true_positives", "predicted_spans", "truth_spans_count"].iter().enumerate()
    {
        assert_close(counts[index], &file[*key], 0.0, key);
    }
    assert_close(counts[0] / counts[1], &file["precision"], 1e-12, "precision");
    assert_close(counts[0] / counts[2], &file["recall"], 1e-12, "recall");
    assert_close(measured.whole().unwrap(), &file["f1"], 1e-12, "f1");
}

/// Texts that the shared golden does not hold: mixed scripts, entities, line breaks, nothing.
#[test]
fn odd_texts() {
    let file = golden("odd_texts.json");
    for case in file["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let (answer, reference) = (text("prediction"), text("reference"));
        for (name, tokenizer) in [
            ("13a", Tokenizer::V13a),
            ("intl", Tokenizer::Intl),
            ("none", Tokenizer::None),
            ("zh", Tokenizer::Zh),
            ("char", Tokenizer::Char),
        ] {
            let want = &case[name];
            assert_eq!(tokenizer.apply(answer), want["tokens"][0].as_str().unwrap(), "{name}");
            assert_eq!(tokenizer.apply(reference), want["tokens"][1].as_str().unwrap(), "{name}");
            let score = Counts::of(answer, reference, tokenizer).score(true);
            assert_close(score, &want["score"], 1e-9, &format!("{name}: {answer} | {reference}"));
        }
        for (name, words) in [("chrf2", 0), ("chrf2++", 2)] {
            let score = chrf::score(&chrf::counts(answer, reference, words));
            assert_close(score, &case[name], 1e-9, &format!("{name}: {answer} | {reference}"));
        }
        let (want, units) = (&case["rouge"], Units::AsciiWords);
        assert_rouge(rouge_n(answer, reference, 1, units), &want["rouge1"], answer);
        assert_rouge(rouge_n(answer, reference, 2, units), &want["rouge2"], answer);
        assert_rouge(rouge_l(answer, reference, units), &want["rougeL"], answer);
        assert_rouge(rouge_lsum(answer, reference, units), &want["rougeLsum"], answer);
    }
}
