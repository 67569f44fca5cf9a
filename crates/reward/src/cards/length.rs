//! Answers of the right length.

use sanbao_evaluate::Phrase;
use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};
use crate::text::{count_sentences, count_words, within};

/// 1 for a length from `min` to `max`; outside it falls in a straight line and is 0 `tolerance`
/// beyond. Counted as people count, so that it means the same for every model: characters as they
/// are seen (an emoji is one), words and sentences after Unicode Annex 29.
pub static LENGTH: CardKind = CardKind {
    name: "length",
    title: Phrase { en: "Length", zh: "长度" },
    help: Phrase {
        en: "Rewards answers that are neither too short nor too long.",
        zh: "回答长短合适时给予奖励。",
    },
    parameters: &[
        Parameter {
            name: "unit",
            kind: Kind::Choice { choices: &["words", "characters", "sentences"], default: "words" },
            help: Phrase {
                en: "What is counted; a Chinese character counts as a word.",
                zh: "按什么计数；一个汉字算一个词。",
            },
        },
        Parameter {
            name: "min",
            kind: Kind::Integer { low: 0, high: 1_000_000, default: 20 },
            help: Phrase { en: "The shortest good length.", zh: "合适的最短长度。" },
        },
        Parameter {
            name: "max",
            kind: Kind::Integer { low: 1, high: 1_000_000, default: 200 },
            help: Phrase { en: "The longest good length.", zh: "合适的最长长度。" },
        },
        Parameter {
            name: "tolerance",
            kind: Kind::Integer { low: 0, high: 1_000_000, default: 50 },
            help: Phrase {
                en: "How far outside the score reaches 0; up to there it falls evenly.",
                zh: "超出多少时得分降为 0，其间均匀下降。",
            },
        },
    ],
    needs_reference: false,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Length {
    unit: Unit,
    min: u32,
    max: u32,
    tolerance: u32,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Words,
    Characters,
    Sentences,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let Length { unit, min, max, tolerance } = settings.read()?;
    if min > max {
        return Err(settings.refuse("min", format!("it cannot be more than 'max', which is {max}")));
    }
    let (min, max, tolerance) = (f64::from(min), f64::from(max), f64::from(tolerance));
    Ok(Rule::Answer(Box::new(move |answer| {
        let length = match unit {
            Unit::Words => count_words(answer),
            Unit::Characters => answer.trim().graphemes(true).count(),
            Unit::Sentences => count_sentences(answer),
        };
        within(length as f64, min, max, tolerance)
    })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cards::testing::{refused, score};

    #[test]
    fn a_window_with_slopes() {
        let settings = json!({"min": 4, "max": 6, "tolerance": 4});
        let words = |count: usize| score("length", settings.clone(), &"word ".repeat(count));
        assert_eq!([0, 1, 3, 4, 6, 8, 10].map(words), [0.0, 0.25, 0.75, 1.0, 1.0, 0.5, 0.0]);
    }

    #[test]
    fn units_are_what_people_count() {
        let exactly = |unit: &str, count: u32| json!({"unit": unit, "min": count, "max": count, "tolerance": 0});
        assert_eq!(score("length", exactly("characters", 3), " e\u{301}👩‍👩‍👧你\n"), 1.0);
        assert_eq!(score("length", exactly("words", 6), "今天很好 very good"), 1.0);
        assert_eq!(score("length", exactly("sentences", 2), "今天很好。Really?"), 1.0);
    }

    #[test]
    fn a_window_that_is_none_is_refused() {
        let message = refused("length", json!({"min": 7, "max": 6}));
        assert!(message.contains("'min' of the card 'length' is 7"), "{message}");
        assert!(message.contains("'max', which is 6"), "{message}");
    }
}
