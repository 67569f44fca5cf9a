//! Translation edit rate (Snover et al. 2006, AMTA 2006.amta-papers.25), as sacreBLEU computes it
//! after the Tercom program: lower case, no further tokenising.
//!
//! Besides single-word edits a whole run of words may be moved for the price of one edit; moves
//! are taken greedily while they lower the distance.

use sanbao_contract::data::Task;

use super::{About, Answers, Measured, Metric, Place, Sums, Unit};
use crate::Phrase;
use crate::text::{Numbering, split};

/// Longest run of words that is moved.
const LONGEST_MOVE: usize = 10;
/// Furthest that a run is moved.
const FURTHEST_MOVE: usize = 50;
/// Moves tried for one answer before giving up.
const MOST_CANDIDATES: usize = 1000;
/// Half-width of the band of the table that is filled in.
const BAND: usize = 25;
/// A distance that stands for "not filled in".
const UNKNOWN: u32 = u32::MAX / 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Keep,
    Substitute,
    /// A word of the reference without counterpart in the answer.
    Insert,
    /// A word of the answer without counterpart in the reference.
    Delete,
}

/// The table of one comparison, cells in rows of `reference + 1`.
struct Table {
    cells: Vec<(u32, Step)>,
    width: usize,
    rows: usize,
}

impl Table {
    /// Fills in a band around the diagonal. On equal costs keeping or substituting comes first,
    /// then deleting, then inserting: Tercom's order, seen from the other side.
    ///
    /// `known` is a table for an answer of the same length whose first `shared` words are the same.
    fn fill(answer: &[u32], reference: &[u32], known: Option<(&Table, usize)>) -> Self {
        let (rows, width) = (answer.len() + 1, reference.len() + 1);
        let mut cells = Vec::with_capacity(rows * width);
        let first = match known {
            Some((table, shared)) => {
                cells.extend_from_slice(&table.cells[..(shared + 1) * width]);
                shared + 1
            }
            None => {
                cells.extend((0..width).map(|j| (j as u32, Step::Insert)));
                1
            }
        };
        cells.resize(rows * width, (UNKNOWN, Step::Keep));
        let ratio =
            if answer.is_empty() { 1.0 } else { reference.len() as f64 / answer.len() as f64 };
        let band = if (BAND as f64) < ratio / 2.0 {
            (ratio / 2.0 + BAND as f64).ceil() as usize
        } else {
            BAND
        };
        for i in first..rows {
            let diagonal = (i as f64 * ratio).floor() as usize;
            let from = diagonal.saturating_sub(band);
            let to = if i == rows - 1 { width } else { width.min(diagonal + band) };
            for j in from..to {
                let above = (cells[(i - 1) * width + j].0 + 1, Step::Delete);
                cells[i * width + j] = if j == 0 {
                    above
                } else {
                    let corner = cells[(i - 1) * width + j - 1].0;
                    let mut best = if answer[i - 1] == reference[j - 1] {
                        (corner, Step::Keep)
                    } else {
                        (corner + 1, Step::Substitute)
                    };
                    for other in [above, (cells[i * width + j - 1].0 + 1, Step::Insert)] {
                        if other.0 < best.0 {
                            best = other;
                        }
                    }
                    best
                };
            }
        }
        Self { cells, width, rows }
    }

    fn distance(&self) -> usize {
        self.cells.last().map_or(0, |cell| cell.0 as usize)
    }

    /// The steps from start to end.
    fn steps(&self) -> Vec<Step> {
        let (mut i, mut j) = (self.rows - 1, self.width - 1);
        let mut steps = Vec::with_capacity(i + j);
        while i > 0 || j > 0 {
            let step = self.cells[i * self.width + j].1;
            // The band always holds a path, so a border cell is only left along the border.
            let step = if i == 0 {
                Step::Insert
            } else if j == 0 {
                Step::Delete
            } else {
                step
            };
            steps.push(step);
            if step != Step::Insert {
                i -= 1;
            }
            if step != Step::Delete {
                j -= 1;
            }
        }
        steps.reverse();
        steps
    }
}

/// Where each word of the reference lies in the answer, and which words are in error.
struct Alignment {
    /// Index in the answer of the word that stands at, or just before, each reference word; -1
    /// before the first.
    place: Vec<isize>,
    reference_wrong: Vec<bool>,
    answer_wrong: Vec<bool>,
}

impl Alignment {
    fn of(steps: &[Step]) -> Self {
        let mut alignment =
            Self { place: Vec::new(), reference_wrong: Vec::new(), answer_wrong: Vec::new() };
        for step in steps {
            let wrong = *step != Step::Keep;
            if *step != Step::Insert {
                alignment.answer_wrong.push(wrong);
            }
            if *step != Step::Delete {
                alignment.place.push(alignment.answer_wrong.len() as isize - 1);
                alignment.reference_wrong.push(wrong);
            }
        }
        alignment
    }
}

/// The words with the run `start..start + length` moved to before `target`.
fn moved(words: &[u32], start: usize, length: usize, target: usize) -> Vec<u32> {
    let end = start + length;
    let parts: [&[u32]; 4] = if target < start {
        [&words[..target], &words[start..end], &words[target..start], &words[end..]]
    } else if target > end {
        [&words[..start], &words[end..target], &words[start..end], &words[target..]]
    } else {
        let cut = (length + target).min(words.len());
        [&words[..start], &words[end..cut], &words[start..end], &words[cut..]]
    };
    parts.concat()
}

/// A move worth trying.
struct Move {
    gain: isize,
    length: usize,
    start: usize,
    target: usize,
    words: Vec<u32>,
    table: Table,
}

impl Move {
    /// Tercom's ranking: largest gain, then longest run, then earliest, then nearest the front.
    fn rank(&self) -> (isize, usize, std::cmp::Reverse<usize>, std::cmp::Reverse<usize>) {
        let earliest = std::cmp::Reverse(self.start);
        (self.gain, self.length, earliest, std::cmp::Reverse(self.target))
    }
}

/// Tries the moves of runs that the reference has elsewhere; the best one, if any was tried.
fn best_move(answer: &[u32], reference: &[u32], table: &Table, tried: &mut usize) -> Option<Move> {
    let alignment = Alignment::of(&table.steps());
    let mut best: Option<Move> = None;
    for start in 0..answer.len() {
        let from = start.saturating_sub(FURTHEST_MOVE);
        let to = reference.len().min(start + FURTHEST_MOVE + 1);
        for at in from..to {
            let run = answer[start..].iter().zip(&reference[at..]);
            let longest = run.take_while(|(left, right)| left == right).count();
            for length in 1..=longest.min(LONGEST_MOVE) {
                let end = start + length;
                let place = alignment.place[at];
                let inside = place >= start as isize && place < end as isize;
                if !alignment.answer_wrong[start..end].contains(&true)
                    || !alignment.reference_wrong[at..at + length].contains(&true)
                    || inside
                {
                    continue;
                }
                let mut before: Option<usize> = None;
                for offset in 0..=length {
                    // Just after where the reference word before the run lies in the answer.
                    let target = match (at + offset).checked_sub(1) {
                        None => 0,
                        Some(word) => match alignment.place.get(word) {
                            Some(place) => (place + 1) as usize,
                            None => break,
                        },
                    };
                    if before == Some(target) {
                        continue;
                    }
                    before = Some(target);
                    let words = moved(answer, start, length, target);
                    let shared = words.iter().zip(answer).take_while(|(a, b)| a == b).count();
                    let table_moved = Table::fill(&words, reference, Some((table, shared)));
                    let gain = table.distance() as isize - table_moved.distance() as isize;
                    let candidate = Move { gain, length, start, target, words, table: table_moved };
                    *tried += 1;
                    if best.as_ref().is_none_or(|known| candidate.rank() > known.rank()) {
                        best = Some(candidate);
                    }
                }
            }
            if *tried >= MOST_CANDIDATES {
                return best;
            }
        }
    }
    best
}

/// Edits (moves included) and the reference's number of words.
pub fn edits(answer: &str, reference: &str) -> (usize, usize) {
    let (answer, reference) = (answer.to_lowercase(), reference.to_lowercase());
    let mut numbering = Numbering::default();
    let mut words = numbering.of(split(&answer));
    let reference = numbering.of(split(&reference));
    if reference.is_empty() {
        return (words.len(), 0);
    }
    let mut table = Table::fill(&words, &reference, None);
    let (mut moves, mut tried) = (0, 0);
    while let Some(best) = best_move(&words, &reference, &table, &mut tried) {
        if tried >= MOST_CANDIDATES || best.gain <= 0 {
            break;
        }
        moves += 1;
        words = best.words;
        table = best.table;
    }
    (moves + table.distance(), reference.len())
}

/// Edits for each hundred reference words; an answer to an empty reference counts as 100.
fn rate(amounts: &[f64]) -> Option<f64> {
    match amounts {
        [edits, words] if *words > 0.0 => Some(100.0 * edits / words),
        [edits, _] => Some(if *edits > 0.0 { 100.0 } else { 0.0 }),
        _ => None,
    }
}

/// Corpus TER.
pub struct Ter;

// Trying moves costs up to a thousand comparisons for each row, so it waits until asked for.
static ABOUT: About = About {
    name: "ter",
    label: Phrase { en: "TER", zh: "翻译编辑率" },
    explanation: Phrase {
        en: "How many word edits, moves of whole phrases included, each hundred expected words need.",
        zh: "每一百个预期词语需要多少次词级修改（整段移动算一次）。",
    },
    higher_is_better: false,
    unit: Unit::Points,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Instruct, Place::OnRequest)],
};

impl Metric for Ter {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let mut sums = Sums::new(2, rate);
        for row in &answers.rows {
            let (edits, words) = edits(row.answer, row.reference);
            sums.push([(0, edits as f64), (1, words as f64)]);
        }
        Some(Box::new(sums))
    }
}
