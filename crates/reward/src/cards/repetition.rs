//! Answers that do not go round in circles.

use std::collections::HashSet;

use sanbao_evaluate::Phrase;
use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};

/// Different runs of `n` words over all runs: 1 - seq-rep-n of Welleck et al. 2019 (arXiv
/// 1908.04319). Punctuation marks and symbols count as words, so that "!!!!" is seen;
/// case does not matter. An answer of fewer than `n` words repeats nothing and gets 1.
pub static REPETITION: CardKind = CardKind {
    name: "repetition",
    title: Phrase { en: "No repetition", zh: "不重复" },
    help: Phrase {
        en: "Rewards answers that do not say the same thing again and again; a very short answer counts as good.",
        zh: "回答不反复说同样的话时给予奖励；很短的回答视为合格。",
    },
    parameters: &[Parameter {
        name: "n",
        kind: Kind::Integer { low: 1, high: 20, default: 3 },
        help: Phrase {
            en: "How many words in a row have to be the same to count as repeated; a Chinese character counts as a word.",
            zh: "连续多少个词相同才算重复；一个汉字算一个词。",
        },
    }],
    needs_reference: false,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Repetition {
    n: usize,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let Repetition { n } = settings.read()?;
    Ok(Rule::Answer(Box::new(move |answer| share_of_different_runs(answer, n.max(1)))))
}

fn share_of_different_runs(text: &str, n: usize) -> f64 {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split_word_bounds().filter(|word| !word.trim().is_empty()).collect();
    let runs = words.windows(n);
    match runs.len() {
        0 => 1.0,
        all => runs.collect::<HashSet<&[&str]>>().len() as f64 / all as f64,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::share_of_different_runs;
    use crate::cards::testing::score;

    #[test]
    fn known_shares() {
        assert_eq!(share_of_different_runs("a b c a b c", 3), 0.75);
        assert_eq!(share_of_different_runs("go go go go", 1), 0.25);
        assert_eq!(share_of_different_runs("哈哈哈哈哈", 2), 0.25);
        assert_eq!(share_of_different_runs("!!!!", 2), 1.0 / 3.0);
        assert_eq!(score("repetition", json!({}), "two words"), 1.0);
        assert!(score("repetition", json!({}), &"I am here. ".repeat(50)) < 0.03);
    }

    proptest! {
        #[test]
        fn saying_all_of_it_again_is_worse(words in prop::collection::vec("[a-f]{1,2}", 4..30)) {
            let once = words.join(" ");
            let twice = format!("{once} {once}");
            prop_assert!(share_of_different_runs(&twice, 3) < share_of_different_runs(&once, 3));
        }
    }
}
