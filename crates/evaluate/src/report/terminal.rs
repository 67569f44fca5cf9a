//! The verdict for a terminal.

use std::fmt::Write;

use sanbao_contract::verdict::{Comparison, Estimate, Verdict};

use super::format::{Figures, count};
use crate::metrics::metric;
use crate::verdict::{percent, quotable};
use crate::{Language, forgetting_sentence, sentence_in};

/// The sentence, a table of the metrics with their 95 % intervals, what always answering the most
/// frequent label would reach, and what was forgotten: English, sentences broken at 96 columns,
/// ending with a line feed.
pub fn verdict_text(verdict: &Verdict) -> String {
    let mut text = wrapped(&sentence_in(verdict, Language::En), 96);
    text.push_str("\n\n");
    let header = ["", "before", "after", "difference"].map(str::to_owned);
    let table: Vec<[String; 4]> =
        std::iter::once(header).chain(verdict.comparisons.iter().map(line)).collect();
    let width =
        |column: usize| table.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    for line in &table {
        let mut row = String::from("  ");
        for (cell, width) in line.iter().zip(widths) {
            let _ = write!(row, "{cell:<width$}  ");
        }
        row.push_str(&line[3]);
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text.push('\n');
    let mut note = format!("  95% intervals over {} held-out rows", count(verdict.rows));
    if let Some(changed) = verdict.answers_changed {
        let _ = write!(note, "; answers changed: {}", count(changed));
    }
    let compared = verdict.comparisons.iter().map(|one| one.rows).min().unwrap_or(verdict.rows);
    if compared < verdict.rows {
        let _ = write!(note, "; answers compared on {} of them", count(compared));
    }
    text.push_str(&note);
    text.push_str(".\n");
    if let (Some(accuracy), Some(label)) = (verdict.majority_accuracy, &verdict.majority_label) {
        let label = quotable(label);
        let _ = writeln!(text, "  Always answering “{label}”: {}% accuracy.", percent(accuracy));
    }
    if let Some(forgetting) = &verdict.forgetting {
        let sentence = forgetting_sentence(forgetting, Language::En);
        let _ = writeln!(text, "\n{}", wrapped(&sentence, 96));
    }
    text
}

fn line(comparison: &Comparison) -> [String; 4] {
    let name = &comparison.metric;
    let label = metric(name).map_or(name.as_str(), |metric| metric.about().label.en);
    let figures = Figures::of(comparison);
    let side = |one: &Estimate| {
        let (low, high) = (figures.figure(one.low), figures.figure(one.high));
        format!("{} ({low} to {high})", figures.figure(one.value))
    };
    let gap = &comparison.difference;
    let (low, high) = (figures.difference(gap.low), figures.difference(gap.high));
    [
        label.to_owned(),
        side(&comparison.before),
        side(&comparison.after),
        format!("{} ({low} to {high})", figures.difference(gap.value)),
    ]
}

/// Lines broken between words.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::with_capacity(text.len() + 8);
    let mut column = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}
