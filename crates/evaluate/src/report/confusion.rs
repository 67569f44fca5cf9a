//! Picture: which label was taken for which.

use askama::Template;
use sanbao_contract::verdict::Confusion;

use super::format::{count, shortened};
use super::messages::Messages;
use crate::Error;
use crate::text::{is_unspaced, printable};

/// Labels drawn at most; the rarest beyond are put together.
const MOST_LABELS: usize = 12;
/// Room for the names of the true labels, and for those of the answers.
const LEFT: f64 = 104.0;
const TOP: f64 = 88.0;
/// Side of the square of cells.
const SIDE: f64 = 250.0;
/// Width of the room for a name, counted in narrow letters.
const NAME_WIDTH: usize = 15;

struct Cell {
    x: f64,
    y: f64,
    text: String,
    class: &'static str,
    /// Strength of the colour, 0 to 1.
    share: f64,
    /// Whether the number is written in the colour of the paper.
    inverse: bool,
}

struct Name {
    at: f64,
    text: String,
    whole: String,
}

#[derive(Template)]
#[template(path = "confusion.svg")]
struct Picture {
    title: &'static str,
    truth: &'static str,
    answer: &'static str,
    size: f64,
    cells: Vec<Cell>,
    names: Vec<Name>,
}

/// The picture of one matrix.
pub(super) fn draw(
    confusion: &Confusion,
    title: &'static str,
    words: &Messages,
) -> Result<String, Error> {
    let (labels, counts) = condensed(confusion, words.confusion_other);
    let size = SIDE / labels.len().max(1) as f64;
    let mut cells = Vec::with_capacity(labels.len() * labels.len());
    for (row, line) in counts.iter().enumerate() {
        let all: u64 = line.iter().sum();
        for (column, rows) in line.iter().enumerate() {
            let share = if all > 0 { *rows as f64 / all as f64 } else { 0.0 };
            cells.push(Cell {
                x: LEFT + column as f64 * size,
                y: TOP + row as f64 * size,
                text: if *rows > 0 { count(*rows) } else { String::new() },
                class: if row == column { "right" } else { "wrong" },
                share,
                inverse: share > 0.55,
            });
        }
    }
    let name = |(at, label): (usize, &String)| Name {
        at: (at as f64 + 0.5) * size,
        text: narrowed(label),
        whole: label.clone(),
    };
    let picture = Picture {
        title,
        truth: words.confusion_truth,
        answer: words.confusion_answer,
        size,
        cells,
        names: labels.iter().enumerate().map(name).collect(),
    };
    Ok(picture.render()?)
}

/// The most frequent labels in their order, the others together as one.
fn condensed(confusion: &Confusion, others: &str) -> (Vec<String>, Vec<Vec<u64>>) {
    let labels = confusion.labels.len();
    let clean = |label: &String| printable(label);
    if labels <= MOST_LABELS {
        return (confusion.labels.iter().map(clean).collect(), confusion.counts.clone());
    }
    let size = |label: &usize| -> u64 { confusion.counts[*label].iter().sum() };
    let mut kept: Vec<usize> = (0..labels).collect();
    kept.sort_by_key(|label| (std::cmp::Reverse(size(label)), *label));
    kept.truncate(MOST_LABELS - 1);
    kept.sort_unstable();
    let place = |label: usize| kept.binary_search(&label).unwrap_or(kept.len());
    let mut counts = vec![vec![0; MOST_LABELS]; MOST_LABELS];
    for (truth, line) in confusion.counts.iter().enumerate() {
        for (answer, rows) in line.iter().enumerate() {
            counts[place(truth)][place(answer)] += rows;
        }
    }
    let mut names: Vec<String> =
        kept.iter().map(|label| clean(&confusion.labels[*label])).collect();
    names.push(format!("{others} ({})", labels - kept.len()));
    (names, counts)
}

/// A name that fits its room; a wide character counts as two.
fn narrowed(label: &str) -> String {
    let mut width = 0;
    let fits = label
        .chars()
        .take_while(|c| {
            width += if is_unspaced(*c) { 2 } else { 1 };
            width <= NAME_WIDTH
        })
        .count();
    if fits < label.chars().count() { shortened(label, fits.max(2)) } else { label.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_labels_are_put_together_without_losing_a_row() {
        let labels: Vec<String> = (0..20).map(|label| format!("label {label}")).collect();
        let counts: Vec<Vec<u64>> =
            (0..20).map(|row| (0..20).map(|column| row * 20 + column).collect()).collect();
        let all: u64 = counts.iter().flatten().sum();
        let (names, condensed) = condensed(&Confusion { labels, counts }, "others");
        assert_eq!(names.len(), MOST_LABELS);
        assert_eq!(names[MOST_LABELS - 1], "others (9)");
        assert_eq!(condensed.iter().flatten().sum::<u64>(), all);
    }

    #[test]
    fn names_fit() {
        assert_eq!(narrowed("billing"), "billing");
        assert_eq!(narrowed("a label much too long"), "a label much t…");
        assert_eq!(narrowed("客户服务与技术支持"), "客户服务与技…");
    }
}
