//! What tokenising found, summed up.

use std::collections::BTreeMap;

use sanbao_contract::data::Origin;

/// Rows that are named in a finding.
pub(crate) const EXAMPLES: usize = 5;

/// Rows with something in common: how many, and the first few.
#[derive(Debug, Default, Clone)]
pub(crate) struct Concerned {
    pub(crate) rows: u64,
    pub(crate) examples: Vec<Origin>,
}

impl Concerned {
    pub(crate) fn add(&mut self, origin: impl FnOnce() -> Origin) {
        self.rows += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(origin());
        }
    }
}

/// Lengths in tokens of the rows as they would be without a maximum, and what the maximum did.
#[derive(Debug, Default, Clone)]
pub(crate) struct TokenTally {
    lengths: BTreeMap<usize, u64>,
    pub(crate) truncated: Concerned,
    pub(crate) untrained: Concerned,
}

impl TokenTally {
    pub(crate) fn add_length(&mut self, tokens: usize) {
        *self.lengths.entry(tokens).or_default() += 1;
    }

    pub(crate) fn rows(&self) -> u64 {
        self.lengths.values().sum()
    }

    pub(crate) fn longest(&self) -> usize {
        self.lengths.last_key_value().map_or(0, |(length, _)| *length)
    }

    /// The length that 99 rows in 100 do not exceed, and the number of rows that do.
    pub(crate) fn ninety_ninth(&self) -> (usize, u64) {
        let rows = self.rows();
        let mut within = 0;
        for (length, count) in &self.lengths {
            within += count;
            if within * 100 >= rows * 99 {
                return (*length, rows - within);
            }
        }
        (0, 0)
    }
}
