//! Words that cost, each time they are used.

use sanbao_evaluate::Phrase;
use serde::Deserialize;

use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};

/// 1 without a hit, less by an equal part with each, 0 from `worst` hits on. Case does not matter.
/// In alphabets that have small letters a word counts only as a whole word ("ass" is not in
/// "class"); elsewhere, as in Chinese, it counts wherever it stands.
pub static FORBIDDEN_WORDS: CardKind = CardKind {
    name: "forbidden_words",
    title: Phrase { en: "Forbidden words", zh: "禁用词" },
    help: Phrase {
        en: "Takes away some of the score for every use of a word on your list; an empty answer counts as good, so add another card that asks for content.",
        zh: "每出现一次名单中的词就扣分；空回答也算合格，请同时添加要求内容的卡片。",
    },
    parameters: &[
        Parameter {
            name: "words",
            kind: Kind::Lines { default: &["basically", "literally", "说白了", "众所周知"] },
            help: Phrase {
                en: "The words or phrases to avoid, one a line.",
                zh: "要避免的词或短语，每行一条。",
            },
        },
        Parameter {
            name: "worst",
            kind: Kind::Integer { low: 1, high: 1_000, default: 3 },
            help: Phrase {
                en: "With this many uses the score is 0; with 1 a single use is enough.",
                zh: "出现多少次时得分为 0；设为 1 则出现一次即为 0。",
            },
        },
    ],
    needs_reference: false,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ForbiddenWords {
    words: Vec<String>,
    worst: u32,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let ForbiddenWords { words, worst } = settings.read()?;
    let mut words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    words.sort();
    words.dedup();
    Ok(Rule::Answer(Box::new(move |answer| {
        let answer = answer.to_lowercase();
        let hits: usize = words.iter().map(|word| uses(&answer, word)).sum();
        (1.0 - hits as f64 / f64::from(worst)).max(0.0)
    })))
}

/// How often a word is used; both are in lower case.
fn uses(text: &str, word: &str) -> usize {
    let joins = |c: char| c.is_lowercase() || c.is_ascii_digit();
    let (starts_joined, ends_joined) = (word.starts_with(joins), word.ends_with(joins));
    text.match_indices(word)
        .filter(|(at, _)| {
            let before = text.get(..*at).is_some_and(|before| before.ends_with(joins));
            let after = text.get(at + word.len()..).is_some_and(|after| after.starts_with(joins));
            !(starts_joined && before || ends_joined && after)
        })
        .count()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::uses;
    use crate::cards::testing::score;

    #[test]
    fn whole_words_where_there_are_words() {
        assert_eq!(uses("class ass, ass-like; ass1", "ass"), 2);
        assert_eq!(uses("真的很坏很坏", "很坏"), 2);
        assert_eq!(uses("use c++ or c++", "c++"), 2);
        assert_eq!(uses("мир миру", "мир"), 1);
    }

    #[test]
    fn the_score_falls_with_hits() {
        let settings = json!({"words": ["bad", "坏", "BAD"], "worst": 4});
        let with = |answer| score("forbidden_words", settings.clone(), answer);
        assert_eq!(with("good"), 1.0);
        assert_eq!(with("Bad!"), 0.75);
        assert_eq!(with("bad 坏"), 0.5);
        assert_eq!(with("bad bad bad bad bad"), 0.0);
    }
}
