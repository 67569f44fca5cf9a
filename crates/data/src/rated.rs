//! Rows of one rated answer each, put together: the best and the worst answer to a prompt are a
//! pair, the first of several alike. An answer that was rated more than once counts with the mean
//! of its ratings. Prompts and answers are the same regardless of case, spacing and width.
//!
//! The pair stands where the later of its two answers stands. Of each row a few dozen bytes are
//! kept, and the text of an answer only until its pair is whole.

use std::collections::HashMap;

use indexmap::IndexMap;
use sanbao_contract::Message;
use sanbao_contract::data::{Content, Example};

use crate::error::Error;
use crate::facts::{Standing, hash, normalise, texts};
use crate::mapping::Mapper;
use crate::table::Table;

/// What every row of a file is to the pair of its prompt.
pub(crate) struct RatedRows {
    roles: Vec<Role>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Prompt, answer or rating is missing.
    Gap,
    /// The only answer to its prompt.
    Lone,
    /// One of several answers that are all as good.
    Tie,
    /// Neither the best nor the worst, or the same answer as an earlier row.
    Between,
    /// The best or the worst, whose other comes later.
    First,
    /// Makes the pair whole.
    Second {
        /// Index of the row with the other answer.
        first: u32,
        /// Whether this answer is the better one.
        better: bool,
    },
}

/// An answer to a prompt.
struct Rated {
    /// Index of the first row with it.
    row: u32,
    sum: f64,
    ratings: f64,
}

impl Rated {
    fn mean(&self) -> f64 {
        self.sum / self.ratings
    }
}

impl RatedRows {
    /// Reads every row.
    ///
    /// # Errors
    /// What is wrong with a row.
    pub(crate) fn of(table: &Table, mapper: &Mapper) -> Result<Self, Error> {
        let mut roles = Vec::new();
        let mut answers: IndexMap<(u128, u128), Rated> = IndexMap::new();
        for record in table.records()? {
            let record = record?;
            let row = roles.len() as u32;
            roles.push(Role::Gap);
            let (prompt, answer) = sides(&mapper.example(&record)?);
            let Some(rating) = mapper.rating(&record)? else { continue };
            if prompt.is_empty() || answer.is_empty() {
                continue;
            }
            roles[row as usize] = Role::Between;
            let rated = answers.entry((hash(&prompt), hash(&answer))).or_insert(Rated {
                row,
                sum: 0.0,
                ratings: 0.0,
            });
            rated.sum += rating;
            rated.ratings += 1.0;
        }
        answers.sort_by(|a, _, b, _| a.0.cmp(&b.0));
        let answers: Vec<((u128, u128), Rated)> = answers.into_iter().collect();
        for to_one_prompt in answers.chunk_by(|(a, _), (b, _)| a.0 == b.0) {
            assign(to_one_prompt.iter().map(|(_, rated)| rated), &mut roles);
        }
        Ok(Self { roles })
    }

    /// The pair that a row makes whole. `example` is the row's own answer, `row` its number from 1.
    pub(crate) fn pair(&self, row: u64, example: Example, held: &mut Held) -> Option<Example> {
        let Example { origin, content: Content::Preference { prompt, chosen: answer, .. } } =
            example
        else {
            return None;
        };
        match self.role(row) {
            Role::First => {
                held.0.insert((row - 1) as u32, answer);
                None
            }
            Role::Second { first, better } => {
                let other = held.0.remove(&first)?;
                let (chosen, rejected) = if better { (answer, other) } else { (other, answer) };
                let content = Content::Preference { prompt, chosen, rejected, margin: None };
                Some(Example { origin, content })
            }
            _ => None,
        }
    }

    /// How the answer of a row that makes no pair stands.
    pub(crate) fn standing(&self, row: u64) -> Standing {
        match self.role(row) {
            Role::Lone => Standing::Lone,
            Role::Tie => Standing::Undecided,
            Role::Between | Role::First => Standing::Joined,
            Role::Gap | Role::Second { .. } => Standing::Single,
        }
    }

    /// A file that has grown since it was read has rows without a role; reading it fails elsewhere.
    fn role(&self, row: u64) -> Role {
        let at = usize::try_from(row - 1).unwrap_or(usize::MAX);
        self.roles.get(at).copied().unwrap_or(Role::Gap)
    }
}

/// Answers whose pair is not whole yet, by the index of their row.
#[derive(Default)]
pub(crate) struct Held(HashMap<u32, Vec<Message>>);

/// Prompt and answer for comparing.
fn sides(example: &Example) -> (String, String) {
    match &example.content {
        Content::Preference { prompt, chosen, .. } => {
            (normalise(&texts(prompt)), normalise(&texts(chosen)))
        }
        _ => Default::default(),
    }
}

/// Gives the first row of each answer to a prompt its role; the answers come in their order.
fn assign<'a>(answers: impl Iterator<Item = &'a Rated> + Clone, roles: &mut [Role]) {
    let best = answers.clone().reduce(|a, b| if b.mean() > a.mean() { b } else { a });
    let worst = answers.clone().reduce(|a, b| if b.mean() < a.mean() { b } else { a });
    let (Some(best), Some(worst)) = (best, worst) else { return };
    if best.mean() > worst.mean() {
        let (first, second) = (best.row.min(worst.row), best.row.max(worst.row));
        roles[first as usize] = Role::First;
        roles[second as usize] = Role::Second { first, better: second == best.row };
        return;
    }
    let role = if answers.clone().count() > 1 { Role::Tie } else { Role::Lone };
    for rated in answers {
        roles[rated.row as usize] = role;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    /// The rows of a file put together: pairs, and how the other rows stand.
    fn joined(rows: &[(&str, &str, &str)]) -> (Vec<(u64, String, String)>, Vec<Standing>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rated.jsonl");
        let lines: Vec<String> = rows
            .iter()
            .map(|(prompt, answer, rating)| {
                serde_json::json!({"prompt": prompt, "completion": answer, "rating": rating})
                    .to_string()
            })
            .collect();
        std::fs::write(&path, lines.join("\n")).unwrap();
        let table = Table::open(&path).unwrap();
        let given = ["prompt=prompt", "completion=completion", "rating=rating"];
        let mapping = crate::parse_mapping(&given, None, table.columns(), None).unwrap();
        let mapper = Mapper::new(&mapping).unwrap();
        let rated = RatedRows::of(&table, &mapper).unwrap();
        let (mut held, mut pairs, mut standings) = (Held::default(), Vec::new(), Vec::new());
        for record in table.records().unwrap() {
            let record = record.unwrap();
            let row = record.origin.row;
            match rated.pair(row, mapper.example(&record).unwrap(), &mut held) {
                Some(Example { content: Content::Preference { chosen, rejected, .. }, .. }) => {
                    pairs.push((row, texts(&chosen), texts(&rejected)));
                }
                _ => standings.push(rated.standing(row)),
            }
        }
        assert!(held.0.is_empty());
        (pairs, standings)
    }

    #[test]
    fn the_best_and_the_worst_answer_to_a_prompt_are_a_pair() {
        let (pairs, others) = joined(&[
            ("Why?", "So.", "3"),
            ("How?", "Badly.", "1"),
            ("why? ", "Because.", "5"),
            ("How?", "Well.", "4"),
            ("Why?", "No idea.", "1.5"),
            ("Who?", "They.", "2"),
        ]);
        let pair = |row, best: &str, worst: &str| (row, best.to_owned(), worst.to_owned());
        assert_eq!(pairs, [pair(4, "Well.", "Badly."), pair(5, "Because.", "No idea.")]);
        use Standing::{Joined, Lone};
        assert_eq!(others, [Joined, Joined, Joined, Lone]);
    }

    #[test]
    fn an_answer_that_several_rated_counts_with_the_mean() {
        let (pairs, others) = joined(&[
            ("Why?", "So.", "5"),
            ("Why?", "so. ", "1"),
            ("Why?", "Because.", "4"),
            ("How?", "Well.", "1"),
            ("How?", "Well.", "5"),
        ]);
        assert_eq!(pairs, [(3, "Because.".to_owned(), "So.".to_owned())]);
        use Standing::{Joined, Lone};
        assert_eq!(others, [Joined, Joined, Lone, Joined]);
    }

    #[test]
    fn ties_and_gaps_are_told_apart() {
        let (pairs, others) = joined(&[
            ("Why?", "So.", "3"),
            ("Why?", "Because.", "3.0"),
            ("How?", "", "4"),
            ("How?", "Well.", "N/A"),
            (" ", "Well.", "4"),
        ]);
        assert_eq!(pairs, []);
        use Standing::{Single, Undecided};
        assert_eq!(others, [Undecided, Undecided, Single, Single, Single]);
    }

    proptest! {
        /// Against the plain way of doing it: all answers of a prompt in memory.
        #[test]
        fn every_prompt_gives_its_best_and_its_worst(
            rows in prop::collection::vec((0..5_u8, 0..9_i32), 1..40)
        ) {
            let given: Vec<(String, String, String)> = rows
                .iter()
                .enumerate()
                .map(|(at, (prompt, rating))| (format!("p{prompt}"), format!("a{at}"), rating.to_string()))
                .collect();
            let given: Vec<(&str, &str, &str)> =
                given.iter().map(|(p, a, r)| (p.as_str(), a.as_str(), r.as_str())).collect();
            let (mut pairs, _) = joined(&given);
            pairs.sort();
            let mut expected = Vec::new();
            for prompt in 0..5 {
                let of: Vec<(usize, i32)> = rows
                    .iter()
                    .enumerate()
                    .filter(|(_, row)| row.0 == prompt)
                    .map(|(at, row)| (at, row.1))
                    .collect();
                let best = of.iter().rev().max_by_key(|(_, rating)| *rating);
                let worst = of.iter().min_by_key(|(_, rating)| *rating);
                if let (Some(best), Some(worst)) = (best, worst) && best.1 > worst.1 {
                    let row = best.0.max(worst.0) as u64 + 1;
                    expected.push((row, format!("a{}", best.0), format!("a{}", worst.0)));
                }
            }
            expected.sort();
            prop_assert_eq!(pairs, expected);
        }
    }
}
