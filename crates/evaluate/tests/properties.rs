//! What must hold of any rows.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use sanbao_evaluate::metrics::bleu::{Counts, Tokenizer};
use sanbao_evaluate::metrics::rouge::{rouge_l, rouge_lsum, rouge_n};
use sanbao_evaluate::metrics::{
    Answers, METRICS, Row, Units, chrf, correlation, edit_distance, metric, ner, squad, ter,
};
use sanbao_evaluate::statistics::{mcnemar, paired_bootstrap, sign_test, wilson};

/// Texts with the things that trip metrics: punctuation, numbers, Chinese, blanks, nothing.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "[a-d]{1,3}",
        "[0-9]{1,3}[.,]?[0-9]{0,2}",
        "[.,!?&$-]{1,2}",
        "[今天很好吃。，]{1,4}",
        "[éüß]{1,2}",
        Just("the".to_owned()),
        Just(" \n".to_owned()),
        "\\PC{0,3}",
    ];
    prop::collection::vec(word, 0..9).prop_map(|words| words.join(" "))
}

const LABELS: usize = 4;

#[derive(Debug, Clone)]
struct Rows {
    labels: Vec<String>,
    rows: Vec<(usize, usize, Vec<f64>, f64, u64)>,
}

impl Rows {
    fn answers(&self) -> Answers<'_> {
        let rows = self.rows.iter();
        let rows = rows.map(|(truth, answer, probabilities, loss, tokens)| Row {
            reference: &self.labels[*truth],
            answer: &self.labels[*answer],
            probabilities,
            loss_sum: *loss,
            loss_tokens: *tokens,
            reward: None,
        });
        Answers { labels: &self.labels, rows: rows.collect() }
    }

    fn swapped(&self) -> Self {
        let mut swapped = self.clone();
        swapped.rows.iter_mut().for_each(|row| (row.0, row.1) = (row.1, row.0));
        swapped
    }
}

fn rows() -> impl Strategy<Value = Rows> {
    let probabilities = prop::collection::vec(0.01_f64..1.0, LABELS).prop_map(|weights| {
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| weight / sum).collect::<Vec<_>>()
    });
    let row = (0..LABELS, 0..LABELS, probabilities, 0.0_f64..50.0, 0_u64..20);
    prop::collection::vec(row, 1..25).prop_map(|rows| {
        let labels = ["1", "2", "3", "4"].map(str::to_owned).to_vec();
        Rows { labels, rows }
    })
}

fn value(name: &str, answers: &Answers<'_>) -> Option<f64> {
    metric(name).unwrap().measure(answers)?.whole()
}

fn one<'a>(reference: &'a str, answer: &'a str) -> Answers<'a> {
    let row =
        Row { reference, answer, probabilities: &[], loss_sum: 1.0, loss_tokens: 1, reward: None };
    Answers { labels: &[], rows: vec![row] }
}

/// Bounds of a metric's figure.
fn bounds(name: &str) -> (f64, f64) {
    match name {
        "mcc" | "kappa" | "pearson" | "spearman" | "kendall" => (-1.0, 1.0),
        "loss" | "perplexity" | "ter" | "cer" | "wer" => (0.0, f64::MAX),
        "chrf" | "chrf_plus_plus" | "bleu" => (0.0, 100.0),
        "brier" => (0.0, 2.0),
        _ => (0.0, 1.0),
    }
}

fn assert_bounded(name: &str, value: Option<f64>) {
    if let Some(value) = value {
        let (low, high) = bounds(name);
        assert!(value >= low - 1e-9 && value <= high + 1e-9, "{name} is {value}");
    }
}

/// The table of Levenshtein distances, cell by cell.
fn plain_distance(a: &[u32], b: &[u32]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.iter().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, right) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(left != right)).min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row[b.len()]
}

proptest! {
    #[test]
    fn figures_of_labels_are_bounded(rows in rows()) {
        let answers = rows.answers();
        for entry in METRICS {
            let name = entry.about().name;
            let Some(measured) = entry.measure(&answers) else { continue };
            assert_bounded(name, measured.whole());
            for row in 0..measured.rows() {
                assert_bounded(name, measured.row(row));
            }
        }
    }

    #[test]
    fn figures_of_texts_are_bounded(answer in text(), reference in text()) {
        let answers = one(&reference, &answer);
        for entry in METRICS {
            let Some(measured) = entry.measure(&answers) else { continue };
            assert_bounded(entry.about().name, measured.whole());
            assert_bounded(entry.about().name, measured.row(0));
        }
    }

    #[test]
    fn nothing_beats_the_reference_itself(reference in text()) {
        let same = one(&reference, &reference);
        for (name, best) in [("exact_match", 1.0), ("token_f1", 1.0), ("cer", 0.0), ("wer", 0.0), ("ter", 0.0)] {
            let found = value(name, &same);
            prop_assert!(found.is_none_or(|found| (found - best).abs() < 1e-12), "{} {:?}", name, found);
        }
        if reference.chars().any(|c| !c.is_whitespace()) {
            prop_assert!((value("chrf", &same).unwrap() - 100.0).abs() < 1e-9);
        }
        if !Units::for_reference(&reference).cut(&reference).is_empty() {
            for name in ["rouge_1", "rouge_l", "rouge_lsum"] {
                prop_assert!((value(name, &same).unwrap() - 1.0).abs() < 1e-12, "{}", name);
            }
        }
    }

    #[test]
    fn symmetric_ones_are_symmetric(a in text(), b in text()) {
        let close = |x: f64, y: f64| (x - y).abs() < 1e-12;
        prop_assert!(close(squad::token_f1(&a, &b), squad::token_f1(&b, &a)));
        prop_assert_eq!(squad::exact_match(&a, &b), squad::exact_match(&b, &a));
        for units in [Units::AsciiWords, Units::Characters, Units::UnicodeWords] {
            prop_assert!(close(rouge_n(&a, &b, 2, units).f1, rouge_n(&b, &a, 2, units).f1));
            prop_assert!(close(rouge_l(&a, &b, units).f1, rouge_l(&b, &a, units).f1));
        }
        prop_assert_eq!(edit_distance::characters(&a, &b).0, edit_distance::characters(&b, &a).0);
    }

    #[test]
    fn agreement_does_not_care_who_is_right(rows in rows()) {
        let swapped = rows.swapped();
        for name in ["accuracy", "macro_f1", "micro_f1", "mcc", "kappa"] {
            let (a, b) = (value(name, &rows.answers()), value(name, &swapped.answers()));
            match (a, b) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() < 1e-12, "{}: {} {}", name, a, b),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }

    #[test]
    fn the_order_of_rows_does_not_matter(rows in rows()) {
        let mut reversed = rows.clone();
        reversed.rows.reverse();
        for entry in METRICS {
            let name = entry.about().name;
            match (value(name, &rows.answers()), value(name, &reversed.answers())) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() <= 1e-9 * (1.0 + a.abs()), "{}", name),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
    }

    #[test]
    fn the_fast_distance_is_the_plain_one(
        a in prop::collection::vec(0_u32..4, 0..200),
        b in prop::collection::vec(0_u32..4, 0..200),
    ) {
        prop_assert_eq!(edit_distance::distance(&a, &b), plain_distance(&a, &b));
    }

    #[test]
    fn moves_never_cost_more_than_edits(a in "[a-e ]{0,30}", b in "[a-e ]{1,30}") {
        let (edits, words) = ter::edits(&a, &b);
        let plain = edit_distance::words(&a, &b).0;
        prop_assert!(words == 0 || edits <= plain, "{} {}", edits, plain);
    }

    #[test]
    fn tokenizers_only_move_blanks(text in "[a-z0-9.,!今天“” -]{0,40}") {
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        for tokenizer in [Tokenizer::V13a, Tokenizer::Intl, Tokenizer::None, Tokenizer::Zh, Tokenizer::Char] {
            prop_assert_eq!(letters(&tokenizer.apply(&text)), letters(&text));
        }
    }

    #[test]
    fn bleu_of_longer_answers_has_no_penalty(text in "[a-c]( [a-c]){3,12}") {
        let counts = Counts::of(&format!("{text} {text}"), &text, Tokenizer::V13a);
        prop_assert_eq!(counts.brevity_penalty(), 1.0);
        let counts = Counts::of(&text, &text, Tokenizer::V13a);
        prop_assert!((counts.score(false) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn lines_do_not_change_shared_words(words in prop::collection::vec("[a-e]", 1..12)) {
        let (spaces, lines) = (words.join(" "), words.join("\n"));
        let units = Units::AsciiWords;
        prop_assert!((rouge_lsum(&lines, &lines, units).f1 - 1.0).abs() < 1e-12);
        prop_assert_eq!(rouge_n(&spaces, &lines, 1, units).f1, 1.0);
        prop_assert_eq!(chrf::counts(&spaces, &lines, 2), chrf::counts(&lines, &spaces, 2));
    }

    #[test]
    fn tau_counts_pairs(pairs in prop::collection::vec((-3_i8..4, -3_i8..4), 2..20)) {
        let (x, y): (Vec<f64>, Vec<f64>) =
            pairs.iter().map(|(x, y)| (f64::from(*x), f64::from(*y))).unzip();
        let (mut agree, mut tied_x, mut tied_y, mut all) = (0.0, 0.0, 0.0, 0.0);
        for i in 0..x.len() {
            for j in 0..i {
                let (dx, dy) = (x[i] - x[j], y[i] - y[j]);
                agree += (dx * dy).signum() * f64::from(u8::from(dx * dy != 0.0));
                tied_x += f64::from(u8::from(dx == 0.0));
                tied_y += f64::from(u8::from(dy == 0.0));
                all += 1.0;
            }
        }
        let spread: f64 = (all - tied_x) * (all - tied_y);
        match correlation::kendall(&x, &y) {
            Some(tau) => prop_assert!((tau - agree / spread.sqrt()).abs() < 1e-12),
            None => prop_assert_eq!(spread, 0.0),
        }
    }

    #[test]
    fn area_counts_pairs(rows in prop::collection::vec((any::<bool>(), 0_u8..6), 2..20)) {
        let labels = ["no".to_owned(), "yes".to_owned()];
        let scores: Vec<[f64; 2]> =
            rows.iter().map(|(_, s)| [1.0 - f64::from(*s) / 6.0, f64::from(*s) / 6.0]).collect();
        let lent = rows.iter().zip(&scores).map(|((truth, _), score)| Row {
            reference: &labels[usize::from(*truth)],
            answer: &labels[0],
            probabilities: score,
            loss_sum: 0.0,
            loss_tokens: 0,
            reward: None,
        });
        let answers = Answers { labels: &labels, rows: lent.collect() };
        let (mut wins, mut all) = (0.0, 0.0);
        for (is, score) in &rows {
            for (other, other_score) in &rows {
                if *is && !*other {
                    all += 1.0;
                    wins += match score.cmp(other_score) {
                        std::cmp::Ordering::Greater => 1.0,
                        std::cmp::Ordering::Equal => 0.5,
                        std::cmp::Ordering::Less => 0.0,
                    };
                }
            }
        }
        match value("auc", &answers) {
            Some(area) => prop_assert!((area - wins / all).abs() < 1e-12),
            None => prop_assert_eq!(all, 0.0),
        }
    }

    #[test]
    fn spans_of_sound_tags_come_back(spans in prop::collection::vec((0_usize..3, 1_usize..4), 0..6)) {
        let kinds = ["PER", "LOC", "ORG"];
        let mut tags: Vec<String> = Vec::new();
        for (kind, length) in &spans {
            tags.push(format!("B-{}", kinds[*kind]));
            tags.extend((1..*length).map(|_| format!("I-{}", kinds[*kind])));
            tags.push("O".to_owned());
        }
        let lent: Vec<&str> = tags.iter().map(String::as_str).collect();
        prop_assert_eq!(ner::spans(&lent).len(), spans.len());
    }

    #[test]
    fn intervals_hold_their_figure(successes in 0_u64..50, more in 0_u64..50) {
        let n = successes + more;
        let (low, high) = wilson(successes, n);
        prop_assert!((0.0..=1.0).contains(&low) && (0.0..=1.0).contains(&high) && low < high);
        if n > 0 {
            let share = successes as f64 / n as f64;
            prop_assert!(low <= share && share <= high);
        }
    }

    #[test]
    fn p_values_are_probabilities(a in 0_u64..400, b in 0_u64..400) {
        let p = sign_test(a, b);
        prop_assert!(p > 0.0 && p <= 1.0);
        prop_assert_eq!(p, sign_test(b, a));
        let pairs = (0..a).map(|_| (true, false)).chain((0..b).map(|_| (false, true)));
        let test = mcnemar(pairs);
        prop_assert_eq!(test.exact_p, p);
        prop_assert!((0.0..=1.0).contains(&test.corrected_p));
    }

    #[test]
    fn a_bootstrap_stays_within_the_gaps(gaps in prop::collection::vec(-5.0_f64..5.0, 1..30)) {
        let zeros = vec![0.0; gaps.len()];
        let found = paired_bootstrap(&gaps, &zeros, 200, 1).unwrap();
        let low = gaps.iter().copied().fold(f64::INFINITY, f64::min);
        let high = gaps.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(found.low >= low - 1e-9 && found.high <= high + 1e-9 && found.low <= found.high);
    }
}
