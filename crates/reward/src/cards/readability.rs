//! Answers that are easy to read.

use sanbao_evaluate::Phrase;
use serde::Deserialize;
use unicode_segmentation::UnicodeSegmentation;

use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};
use crate::text::{count_sentences, count_words, is_chinese, within};

/// Points of reading ease outside the window at which an English answer gets 0.
const EASE_TOLERANCE: f64 = 30.0;
/// Characters outside the window at which a Chinese answer gets 0.
const LENGTH_TOLERANCE: f64 = 30.0;

/// English: Flesch's reading ease (Flesch 1948, doi:10.1037/h0057532) in a window; it falls in a
/// straight line and is 0 30 points outside. Syllables are counted by their spelling, which is not
/// right for every word.
///
/// Chinese has no syllables to count; there the mean length of a sentence is compared with a
/// window, in characters (a foreign word counts as one), and is 0 30 characters outside.
///
/// An answer without a word gets 0.
pub static READABILITY: CardKind = CardKind {
    name: "readability",
    title: Phrase { en: "Easy to read", zh: "易读" },
    help: Phrase {
        en: "Rewards answers that are as easy to read as you want: by Flesch's score for English, by the length of the sentences for Chinese.",
        zh: "回答的易读程度符合要求时给予奖励：英文按 Flesch 易读度，中文按平均句长。",
    },
    parameters: &[
        Parameter {
            name: "language",
            kind: Kind::Choice { choices: &["auto", "en", "zh"], default: "auto" },
            help: Phrase {
                en: "How to measure: as English, as Chinese, or auto by the characters of each answer.",
                zh: "按英文（en）、中文（zh）衡量，或根据每个回答的文字自动判断（auto）。",
            },
        },
        Parameter {
            name: "easiest",
            kind: Kind::Number { low: -200.0, high: 122.0, default: 122.0 },
            help: Phrase {
                en: "English: the highest Flesch score that is still good; lower it against answers that are too simple.",
                zh: "英文：仍算合适的最高 Flesch 分数；调低可避免过于简单的回答。",
            },
        },
        Parameter {
            name: "hardest",
            kind: Kind::Number { low: -200.0, high: 122.0, default: 60.0 },
            help: Phrase {
                en: "English: the lowest Flesch score that is still good; 60 is plain English, 30 is hard, 90 is for children.",
                zh: "英文：仍算合适的最低 Flesch 分数；60 为通俗英文，30 较难，90 适合儿童。",
            },
        },
        Parameter {
            name: "shortest_sentence",
            kind: Kind::Number { low: 0.0, high: 1_000.0, default: 5.0 },
            help: Phrase {
                en: "Chinese: the smallest good mean length of a sentence, in characters.",
                zh: "中文：合适的最小平均句长（字数）。",
            },
        },
        Parameter {
            name: "longest_sentence",
            kind: Kind::Number { low: 1.0, high: 1_000.0, default: 30.0 },
            help: Phrase {
                en: "Chinese: the largest good mean length of a sentence, in characters.",
                zh: "中文：合适的最大平均句长（字数）。",
            },
        },
    ],
    needs_reference: false,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Readability {
    language: Measured,
    easiest: f64,
    hardest: f64,
    shortest_sentence: f64,
    longest_sentence: f64,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Measured {
    Auto,
    En,
    Zh,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let wanted: Readability = settings.read()?;
    if wanted.hardest > wanted.easiest {
        let limit = wanted.easiest;
        let expected = format!("it cannot be more than 'easiest', which is {limit}");
        return Err(settings.refuse("hardest", expected));
    }
    if wanted.shortest_sentence > wanted.longest_sentence {
        let limit = wanted.longest_sentence;
        let expected = format!("it cannot be more than 'longest_sentence', which is {limit}");
        return Err(settings.refuse("shortest_sentence", expected));
    }
    Ok(Rule::Answer(Box::new(move |answer| {
        let as_chinese = match wanted.language {
            Measured::Auto => is_chinese(answer),
            Measured::En => false,
            Measured::Zh => true,
        };
        let (low, high) = (wanted.shortest_sentence, wanted.longest_sentence);
        if as_chinese {
            sentence_length(answer)
                .map_or(0.0, |length| within(length, low, high, LENGTH_TOLERANCE))
        } else {
            reading_ease(answer)
                .map_or(0.0, |ease| within(ease, wanted.hardest, wanted.easiest, EASE_TOLERANCE))
        }
    })))
}

/// Words for each sentence, at least one; `None` without a word.
fn sentence_length(text: &str) -> Option<f64> {
    let words = count_words(text);
    // Annex 29 may end a sentence inside of a word: "a.א" is one word and two sentences.
    let sentences = count_sentences(text).clamp(1, words.max(1));
    (words > 0).then(|| words as f64 / sentences as f64)
}

/// 206.835 - 1.015·(words / sentences) - 84.6·(syllables / words); `None` without a word.
fn reading_ease(text: &str) -> Option<f64> {
    let length = sentence_length(text)?;
    let syllables: usize = text.unicode_words().map(syllables).sum();
    Some(206.835 - 1.015 * length - 84.6 * syllables as f64 / count_words(text) as f64)
}

/// Syllables of an English word by its spelling: groups of vowels, without endings that are not
/// spoken (`-e`, `-es`, `-ed`), with those that are (`-le`, `-ted`, `be-ing`). At least one.
fn syllables(word: &str) -> usize {
    let word = word.to_lowercase();
    let is_vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let mut groups = 0;
    let mut inside = false;
    for c in word.chars() {
        let vowel = is_vowel(c);
        groups += usize::from(vowel && !inside);
        inside = vowel;
    }
    let ends_silently = |ending: &str, spoken_after: &[char]| {
        let stem = word.strip_suffix(ending)?;
        let last = stem.chars().next_back()?;
        Some(!is_vowel(last) && !spoken_after.contains(&last))
    };
    let consonant_and_l = word
        .strip_suffix("le")
        .and_then(|stem| stem.chars().next_back())
        .is_some_and(|last| !is_vowel(last));
    let silent = (ends_silently("e", &[]).unwrap_or(false) && !consonant_and_l)
        || ends_silently("ed", &['t', 'd']).unwrap_or(false)
        || ends_silently("es", &['s', 'c', 'g', 'x', 'z', 'h']).unwrap_or(false);
    let parted = word.strip_suffix("ing").is_some_and(|stem| stem.ends_with(is_vowel));
    (groups + usize::from(parted)).saturating_sub(usize::from(silent)).max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::cards::testing::{refused, score};

    #[test]
    fn syllables_of_words() {
        for (word, count) in [
            ("the", 1),
            ("cat", 1),
            ("table", 2),
            ("used", 1),
            ("wanted", 2),
            ("being", 2),
            ("playing", 2),
            ("sentence", 2),
            ("boxes", 2),
            ("makes", 1),
            ("syllable", 3),
            ("reading", 2),
            ("I", 1),
            ("be", 1),
            ("3", 1),
            ("house", 1),
            ("whole", 1),
        ] {
            assert_eq!(syllables(word), count, "{word}");
        }
    }

    /// The examples and figures of Wikipedia's "Flesch–Kincaid readability tests", to the digits
    /// given there.
    #[test]
    fn reading_ease_of_published_examples() {
        for (text, ease, tolerance) in [
            ("The cat sat on the mat.", 116.0, 0.5),
            (
                "This sentence, taken as a reading passage unto itself, is being used to prove a point.",
                69.0,
                0.5,
            ),
            (
                "The Australian platypus is seemingly a hybrid of a mammal and reptilian creature.",
                37.5,
                0.1,
            ),
        ] {
            let ours = reading_ease(text).unwrap_or(f64::NAN);
            assert!((ours - ease).abs() <= tolerance, "{text}: {ours}");
        }
    }

    #[test]
    fn plain_is_better_than_hard() {
        let settings = json!({});
        let plain = "We went home. The dog was glad. It ran to the door.";
        let hard =
            "Institutional accountability necessitates comprehensive organisational documentation.";
        assert_eq!(score("readability", settings.clone(), plain), 1.0);
        assert_eq!(score("readability", settings.clone(), hard), 0.0);
        assert_eq!(score("readability", settings, " … "), 0.0);
        assert_eq!(score("readability", json!({"easiest": 60, "hardest": 20}), plain), 0.0);
    }

    #[test]
    fn chinese_is_measured_by_its_sentences() {
        let settings = json!({"shortest_sentence": 4, "longest_sentence": 6});
        assert_eq!(score("readability", settings.clone(), "今天下雨了。我们在家。"), 1.0);
        let long = format!("{}。", "长".repeat(21));
        assert_eq!(score("readability", settings.clone(), &long), 0.5);
        assert_eq!(score("readability", settings, &"长".repeat(36)), 0.0);
    }

    #[test]
    fn windows_that_are_none_are_refused() {
        assert!(
            refused("readability", json!({"easiest": 10.5})).contains("'easiest', which is 10.5")
        );
        let message = refused("readability", json!({"longest_sentence": 2}));
        assert!(message.contains("'shortest_sentence'"), "{message}");
    }

    #[test]
    fn a_word_is_in_one_sentence() {
        assert_eq!((count_words("a.א"), count_sentences("a.א")), (1, 2));
        assert_eq!(sentence_length("a.א"), Some(1.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn the_formula_is_finite_for_any_text(text in "\\PC{0,80}") {
            if let Some(ease) = reading_ease(&text) {
                prop_assert!(ease.is_finite() && ease < 121.3, "{ease}");
            }
        }
    }
}
