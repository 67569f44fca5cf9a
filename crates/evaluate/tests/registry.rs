//! Every metric of the registry keeps the promises of the registry.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::HashSet;

use sanbao_contract::data::Task;
use sanbao_evaluate::metrics::{Answers, METRICS, Metric, Place, Row, metric};

fn row<'a>(reference: &'a str, answer: &'a str, probabilities: &'a [f64]) -> Row<'a> {
    let reward = Some(answer.len() as f64);
    Row { reference, answer, probabilities, loss_sum: 3.0, loss_tokens: 2, reward }
}

/// Reference, answer, probabilities.
type Spoken = (&'static str, &'static str, Vec<f64>);

/// Labels and rows that every kind of metric can speak about: labels, numbers, tags, text.
fn speaking_rows() -> Vec<(Vec<String>, Vec<Spoken>)> {
    let labels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    vec![
        (
            labels(&["1", "2", "3"]),
            vec![
                ("1", "1", vec![0.7, 0.2, 0.1]),
                ("2", "3", vec![0.2, 0.3, 0.5]),
                ("3", "3", vec![0.1, 0.1, 0.8]),
                ("2", "2", vec![0.1, 0.6, 0.3]),
            ],
        ),
        (Vec::new(), vec![("O B-PER I-PER", "O B-PER O", vec![]), ("B-LOC", "B-LOC", vec![])]),
        (Vec::new(), vec![("the cat sat", "the cat", vec![]), ("今天很好", "今天好", vec![])]),
    ]
}

fn with_every_sample(mut look: impl FnMut(&Answers<'_>)) {
    for (labels, rows) in speaking_rows() {
        let rows = rows.iter().map(|(r, a, p)| row(r, a, p)).collect();
        look(&Answers { labels: &labels, rows });
    }
}

#[test]
fn names_and_words_are_there() {
    let mut names = HashSet::new();
    for entry in METRICS {
        let about = entry.about();
        let name = about.name;
        assert!(names.insert(name), "{name} twice");
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        assert!(about.explanation.en.ends_with('.') && about.explanation.en.len() > 20, "{name}");
        assert!(about.explanation.zh.ends_with('。'), "{name}");
        assert!(!about.label.en.is_empty() && !about.label.zh.is_empty(), "{name}");
        assert!(!about.tasks.is_empty(), "{name}");
        let tasks: HashSet<Task> = about.tasks.iter().map(|(task, _)| *task).collect();
        assert_eq!(tasks.len(), about.tasks.len(), "{name} names a task twice");
        assert!(std::ptr::eq(metric(name).unwrap().about(), about));
    }
    assert!(metric("no_such_metric").is_none());
}

#[test]
fn every_metric_speaks_about_some_sample() {
    let mut spoken = HashSet::new();
    with_every_sample(|answers| {
        for entry in METRICS {
            let Some(measured) = entry.measure(answers) else { continue };
            assert_eq!(measured.rows(), answers.rows.len());
            if measured.whole().is_some() {
                spoken.insert(entry.about().name);
            }
        }
    });
    for entry in METRICS {
        assert!(spoken.contains(entry.about().name), "{}", entry.about().name);
    }
}

#[test]
fn counting_a_row_twice_is_having_it_twice() {
    with_every_sample(|answers| {
        let mut doubled = answers.clone();
        doubled.rows.push(answers.rows[1]);
        let mut counts = vec![1; answers.rows.len()];
        counts[1] = 2;
        for entry in METRICS {
            let name = entry.about().name;
            let (Some(measured), Some(twice)) = (entry.measure(answers), entry.measure(&doubled))
            else {
                continue;
            };
            match (measured.value(&counts), twice.whole()) {
                (Some(a), Some(b)) => assert!((a - b).abs() < 1e-12, "{name}: {a} and {b}"),
                (a, b) => assert_eq!(a, b, "{name}"),
            }
        }
    });
}

#[test]
fn no_rows_have_no_value() {
    let labels = ["a".to_owned(), "b".to_owned()];
    let none = Answers { labels: &labels, rows: Vec::new() };
    for entry in METRICS {
        let value = entry.measure(&none).and_then(|measured| measured.whole());
        // Without a match or an edit these two are 0 by definition.
        let by_definition =
            matches!(entry.about().name, "bleu" | "chrf" | "chrf_plus_plus" | "ter");
        assert!(value.is_none() || by_definition, "{}", entry.about().name);
    }
}

#[test]
fn every_task_has_a_headline_and_its_deciding_metric() {
    for (task, deciding) in
        [(Task::Classify, "accuracy"), (Task::Instruct, "loss"), (Task::Prose, "perplexity")]
    {
        assert_eq!(metric(deciding).unwrap().about().place(task), Some(Place::Headline));
        // The reward is there only where answers were rewarded.
        let shown = |entry: &&&dyn Metric| {
            let about = entry.about();
            about.place(task) == Some(Place::Headline) && about.name != "reward"
        };
        assert!(METRICS.iter().filter(shown).count() <= 6, "few enough to be read first");
    }
}
