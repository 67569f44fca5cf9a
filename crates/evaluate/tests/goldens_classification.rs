//! Classification metrics and statistics against scikit-learn 1.9.1 and scipy 1.17.1.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{assert_close, golden, numbers};
use sanbao_evaluate::metrics::{Answers, Measured, Row, calibration, correlation, metric};
use sanbao_evaluate::statistics::{
    mcnemar, paired_bootstrap, pass_at_k, sign_test, wilson, win_rate,
};
use serde_json::Value;

/// Labels, truth, answers and probabilities that rows are lent from.
struct Classified {
    labels: Vec<String>,
    truth: Vec<usize>,
    answer: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
}

impl Classified {
    fn new(classes: usize, truth: &Value, answer: &Value) -> Self {
        let indices = |value: &Value| numbers(value).into_iter().map(|n| n as usize).collect();
        let labels = (0..classes).map(|class| class.to_string()).collect();
        let (truth, answer): (Vec<usize>, Vec<usize>) = (indices(truth), indices(answer));
        let one_hot = |class: &usize| {
            (0..classes).map(|other| if other == *class { 1.0 } else { 0.0 }).collect()
        };
        let probabilities = answer.iter().map(one_hot).collect();
        Self { labels, truth, answer, probabilities }
    }

    fn answers(&self) -> Answers<'_> {
        let row = |index: usize| Row {
            reference: &self.labels[self.truth[index]],
            answer: &self.labels[self.answer[index]],
            probabilities: &self.probabilities[index],
            loss_sum: -self.probabilities[index][self.truth[index]].ln(),
            loss_tokens: 1,
            reward: None,
        };
        Answers { labels: &self.labels, rows: (0..self.truth.len()).map(row).collect() }
    }

    fn measured(&self, name: &str) -> Box<dyn Measured> {
        metric(name).unwrap().measure(&self.answers()).unwrap()
    }

    fn value(&self, name: &str) -> f64 {
        self.measured(name).whole().unwrap()
    }
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.iter().map(|power| power / sum).collect()
}

fn multi_class() -> (Value, Classified) {
    let file = golden("classification_and_statistics.json");
    let mut rows = Classified::new(4, &file["truth"], &file["predicted"]);
    let logits = file["logits"].as_array().unwrap();
    rows.probabilities = logits.iter().map(|row| softmax(&numbers(row))).collect();
    (file, rows)
}

#[test]
fn labels() {
    let (file, rows) = multi_class();
    for (name, key) in [
        ("accuracy", "accuracy"),
        ("macro_f1", "macro_f1_sklearn_default_labels"),
        ("macro_f1", "macro_f1_over_all_classes"),
        ("micro_f1", "micro_f1"),
        ("weighted_f1", "weighted_f1"),
        ("mcc", "mcc"),
        ("kappa", "cohen_kappa"),
        ("loss", "log_loss_nats"),
        ("brier", "brier_multiclass"),
    ] {
        assert_close(rows.value(name), &file[key], 1e-9, name);
    }
}

#[test]
fn counts_of_each_class() {
    let (file, rows) = multi_class();
    let measured = rows.measured("macro_f1");
    let sums = measured.sums().unwrap();
    let mut counts = vec![0.0; sums.width()];
    for row in 0..sums.rows() {
        for (index, amount) in sums.contribution(row) {
            counts[*index] += amount;
        }
    }
    for (class, want) in file["per_class"].as_array().unwrap().iter().enumerate() {
        let [right, answered, truth] = counts[3 * class..3 * class + 3] else { unreachable!() };
        let share = |whole: f64| if whole > 0.0 { right / whole } else { 0.0 };
        assert_close(share(answered), &want["precision"], 1e-12, "precision");
        assert_close(share(truth), &want["recall"], 1e-12, "recall");
        assert_close(truth, &want["support"], 0.0, "support");
    }
}

#[test]
fn calibration_error() {
    let (file, rows) = multi_class();
    let want = &file["calibration"];
    assert_close(rows.value("ece"), &want["ece"], 1e-9, "ece");
    let bins = calibration(&rows.answers()).unwrap();
    let table = want["bins_used_index_count_accuracy_confidence"].as_array().unwrap();
    assert_eq!(bins.len(), table.len());
    let mut largest = 0.0_f64;
    for (bin, want) in bins.iter().zip(table) {
        assert_close(bin.bin as f64, &want[0], 0.0, "bin");
        assert_close(bin.rows, &want[1], 0.0, "rows");
        assert_close(bin.accuracy, &want[2], 1e-12, "accuracy");
        assert_close(bin.confidence, &want[3], 1e-9, "confidence");
        largest = largest.max((bin.accuracy - bin.confidence).abs());
    }
    assert_close(largest, &want["mce"], 1e-9, "mce");
}

#[test]
fn two_labels() {
    let file = golden("classification_and_statistics.json");
    let binary = &file["binary"];
    let mut rows = Classified::new(2, &binary["truth"], &binary["predicted_at_0.5"]);
    rows.probabilities = numbers(&binary["score"]).iter().map(|p| vec![1.0 - p, *p]).collect();
    assert_close(rows.value("accuracy"), &binary["accuracy"], 1e-12, "accuracy");
    assert_close(rows.value("mcc"), &binary["mcc"], 1e-9, "mcc");
    assert_close(rows.value("auc"), &binary["roc_auc_with_ties"], 1e-9, "auc");
    // F1 of the second label alone: its three counts.
    let measured = rows.measured("macro_f1");
    let sums = measured.sums().unwrap();
    let mut counts = [0.0; 6];
    for row in 0..sums.rows() {
        for (index, amount) in sums.contribution(row) {
            counts[*index] += amount;
        }
    }
    assert_close(2.0 * counts[3] / (counts[4] + counts[5]), &binary["f1"], 1e-12, "f1");
}

#[test]
fn degenerate_labels() {
    let file = golden("classification_and_statistics.json");
    let one = &file["degenerate"]["all_one_class"];
    let rows = Classified::new(2, &one["truth"], &one["predicted"]);
    assert_close(rows.value("mcc"), &one["mcc_sklearn"], 0.0, "mcc");
    assert_close(rows.value("macro_f1"), &one["f1"], 1e-12, "f1");
    assert!(rows.measured("auc").whole().is_none());
    let never = &file["degenerate"]["never_predicted"];
    let rows = Classified::new(2, &never["truth"], &never["predicted"]);
    assert_close(rows.value("mcc"), &never["mcc_sklearn"], 0.0, "mcc");
    assert_close(rows.value("macro_f1"), &never["macro_f1_zero_division_0"], 1e-12, "f1");
}

#[test]
fn correlations() {
    let file = golden("classification_and_statistics.json");
    let want = &file["correlation"];
    let (x, y) = (numbers(&want["x"]), numbers(&want["y"]));
    let pearson = correlation::pearson(&x, &y).unwrap();
    assert_close(pearson, &want["pearson"]["r"], 1e-9, "pearson");
    let p = correlation::t_test(pearson, x.len()).unwrap();
    assert_close(p, &want["pearson"]["p"], 1e-12, "pearson p");
    let spearman = correlation::spearman(&x, &y).unwrap();
    assert_close(spearman, &want["spearman"]["rho"], 1e-9, "spearman");
    let p = correlation::t_test(spearman, x.len()).unwrap();
    assert_close(p, &want["spearman"]["p"], 1e-12, "spearman p");
    let kendall = correlation::kendall_test(&x, &y).unwrap();
    assert_close(kendall.value, &want["kendall_tau_b"]["tau"], 1e-9, "kendall");
    assert_close(kendall.p_value, &want["kendall_tau_b"]["p"], 1e-12, "kendall p");
    let error = |f: fn(&[f64], &[f64]) -> Option<f64>| f(&x, &y).unwrap();
    assert_close(error(correlation::mean_squared_error), &want["mse"], 1e-12, "mse");
    assert_close(error(correlation::mean_absolute_error), &want["mae"], 1e-12, "mae");
    assert_close(error(correlation::r_squared), &want["r2_x_true_y_pred"], 1e-9, "r2");
    // The same through the registry, from texts.
    let texts: Vec<(String, String)> =
        x.iter().zip(&y).map(|(x, y)| (x.to_string(), y.to_string())).collect();
    let row = |(x, y): &'_ (String, String)| (x.clone(), y.clone());
    let owned: Vec<(String, String)> = texts.iter().map(row).collect();
    let rows = owned
        .iter()
        .map(|(x, y)| Row {
            reference: x,
            answer: y,
            probabilities: &[],
            loss_sum: 0.0,
            loss_tokens: 0,
            reward: None,
        })
        .collect();
    let answers = Answers { labels: &[], rows };
    for (name, want) in [
        ("pearson", &want["pearson"]["r"]),
        ("spearman", &want["spearman"]["rho"]),
        ("kendall", &want["kendall_tau_b"]["tau"]),
    ] {
        let measured = metric(name).unwrap().measure(&answers).unwrap();
        assert_close(measured.whole().unwrap(), want, 1e-9, name);
    }
}

#[test]
fn wilson_intervals() {
    let file = golden("classification_and_statistics.json");
    for case in file["wilson_95"]["cases"].as_array().unwrap() {
        let count = |name: &str| case[name].as_u64().unwrap();
        let (low, high) = wilson(count("successes"), count("n"));
        assert_close(low, &case["interval"][0], 1e-9, "low");
        assert_close(high, &case["interval"][1], 1e-9, "high");
    }
}

#[test]
fn mcnemars_test() {
    let file = golden("classification_and_statistics.json");
    let want = &file["mcnemar"];
    let (a, b) = (numbers(&want["a_correct"]), numbers(&want["b_correct"]));
    let test = mcnemar(a.iter().zip(&b).map(|(a, b)| (*a == 1.0, *b == 1.0)));
    assert_close(test.only_first as f64, &want["only_a"], 0.0, "only a");
    assert_close(test.only_second as f64, &want["only_b"], 0.0, "only b");
    assert_close(test.exact_p, &want["exact_two_sided_p"], 1e-9, "exact");
    assert_close(test.corrected, &want["chi2_continuity_corrected"], 1e-12, "corrected");
    assert_close(test.corrected_p, &want["chi2_p"], 1e-9, "corrected p");
    assert_close(test.uncorrected, &want["chi2_uncorrected"], 1e-12, "uncorrected");
}

#[test]
fn bootstrap() {
    let file = golden("classification_and_statistics.json");
    let (inputs, want) = (&file["mcnemar"], &file["paired_bootstrap"]);
    let (a, b) = (numbers(&inputs["a_correct"]), numbers(&inputs["b_correct"]));
    let tolerance = |name: &str| want["tolerance"][name].as_f64().unwrap();
    for seed in [0, 7, 42] {
        let got = paired_bootstrap(&a, &b, 10_000, seed).unwrap();
        assert_close(got.observed, &want["observed"], 1e-12, "observed");
        let ends = tolerance("interval_ends_at_10000_resamples");
        assert_close(got.low, &want["percentile_95"][0], ends, "low");
        assert_close(got.high, &want["percentile_95"][1], ends, "high");
        let error = want["standard_error"].as_f64().unwrap();
        let slack = error * tolerance("standard_error_relative");
        assert_close(got.standard_error, &want["standard_error"], slack, "standard error");
        let slack = tolerance("fraction_not_above_0_absolute");
        assert_close(got.fraction_not_above_zero, &want["fraction_not_above_0"], slack, "fraction");
    }
    let again = |seed| paired_bootstrap(&a, &b, 1_000, seed).unwrap();
    assert_eq!(again(3), again(3));
    assert_ne!(again(3), again(4));
}

#[test]
fn preferences_and_samples() {
    let file = golden("classification_and_statistics.json");
    let want = &file["preference"];
    let count = |name: &str| want[name].as_u64().unwrap();
    let rate = win_rate(count("wins"), count("ties"), count("losses")).unwrap();
    assert_close(rate, &want["win_rate_ties_half"], 1e-12, "win rate");
    let p = sign_test(count("wins"), count("losses"));
    assert_close(p, &want["sign_test_p_without_ties"], 1e-9, "sign test");
    for case in file["pass_at_k"].as_array().unwrap() {
        let count = |name: &str| case[name].as_u64().unwrap();
        let value = pass_at_k(count("n"), count("c"), count("k")).unwrap();
        assert_close(value, &case["value"], 1e-9, "pass@k");
    }
}
