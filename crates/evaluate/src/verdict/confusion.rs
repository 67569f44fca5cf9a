//! Which label was taken for which.

use std::collections::HashMap;

use sanbao_contract::verdict::{Compared, Confusion};

use super::VerdictInput;

/// Confusion matrices before and after, over answered rows, labels in the order of the run.
pub(super) fn confusions(input: &VerdictInput) -> (Confusion, Confusion) {
    let numbers: HashMap<&str, usize> =
        input.labels.iter().enumerate().map(|(number, label)| (label.as_str(), number)).collect();
    let side = |answer: fn(&Compared) -> &str| {
        let mut counts = vec![vec![0_u64; input.labels.len()]; input.labels.len()];
        for (index, row) in input.rows.iter().enumerate() {
            if !input.is_answered(index) {
                continue;
            }
            let cell = (numbers.get(row.reference.as_str()), numbers.get(answer(row)));
            if let (Some(truth), Some(answer)) = cell {
                counts[*truth][*answer] += 1;
            }
        }
        Confusion { labels: input.labels.clone(), counts }
    };
    (side(|row| &row.before.text), side(|row| &row.after.text))
}
