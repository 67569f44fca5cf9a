//! The data's own answer, said exactly.

use sanbao_evaluate::Phrase;
use sanbao_evaluate::metrics::squad;
use serde::Deserialize;

use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};

/// 1 when the answer is the data's own, else 0.
///
/// `words` compares as SQuAD v1.1 does (Rajpurkar et al., arXiv 1606.05250): without case,
/// punctuation and articles. Since that would also make 3.5 and 35 the same, the numbers in both
/// have to be equal too. `number` compares the last number of each, as GSM8K's results are (Cobbe
/// et al., arXiv 2110.14168); where the reference has none, words are compared. `text` forgives
/// nothing but blanks at the ends.
pub static EXACT_ANSWER: CardKind = CardKind {
    name: "exact_answer",
    title: Phrase { en: "Right answer", zh: "答案正确" },
    help: Phrase {
        en: "Rewards answers that are the same as the answer in your data.",
        zh: "回答与数据中的答案一致时给予奖励。",
    },
    parameters: &[Parameter {
        name: "compare",
        kind: Kind::Choice { choices: &["words", "number", "text"], default: "words" },
        help: Phrase {
            en: "words: capitals, punctuation and articles do not matter; number: only the last number of both is compared (of answers without numbers the words); text: every character matters.",
            zh: "words：忽略大小写、标点和冠词；number：只比较两者的最后一个数字（参考答案没有数字时比较词语）；text：每个字符都要一致。",
        },
    }],
    needs_reference: true,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExactAnswer {
    compare: Compare,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Compare {
    Words,
    Number,
    Text,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let ExactAnswer { compare } = settings.read()?;
    let is_same = match compare {
        Compare::Words => same_words,
        Compare::Number => same_number,
        Compare::Text => |answer: &str, reference: &str| answer.trim() == reference.trim(),
    };
    Ok(Rule::Reference(Box::new(move |answer, reference| {
        f64::from(u8::from(is_same(answer, reference)))
    })))
}

fn same_words(answer: &str, reference: &str) -> bool {
    let normalised = squad::normalise(reference);
    if normalised.is_empty() {
        // Nothing but punctuation or an article, which is the answer then.
        return answer.trim() == reference.trim();
    }
    squad::normalise(answer) == normalised && numbers(answer) == numbers(reference)
}

fn same_number(answer: &str, reference: &str) -> bool {
    match numbers(reference).pop() {
        Some(number) => numbers(answer).pop() == Some(number),
        None => same_words(answer, reference),
    }
}

/// The numbers of a text, each in one way of writing it: a minus sign where nothing is before it
/// that it could join, no commas between thousands, no zeros that say nothing.
fn numbers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut before = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let digits = c.is_ascii_digit();
        let negative = matches!(c, '-' | '\u{2212}')
            && !before.is_alphanumeric()
            && rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit());
        if digits || negative {
            let start = if negative { c.len_utf8() } else { 0 };
            let unsigned = rest.get(start..).unwrap_or_default();
            let length = number_length(unsigned);
            let (number, after) = unsigned.split_at(length);
            found.push(plain(number, negative));
            before = '0';
            rest = after;
        } else {
            before = c;
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    found
}

/// Bytes of the number that a text begins with: digits, `,` before three digits, one `.` before a
/// digit.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let (mut at, mut point) = (0, false);
    loop {
        match bytes.get(at) {
            Some(b'0'..=b'9') => at += 1,
            Some(b',')
                if !point && digit(at + 1) && digit(at + 2) && digit(at + 3) && !digit(at + 4) =>
            {
                at += 4;
            }
            Some(b'.') if !point && digit(at + 1) => {
                point = true;
                at += 1;
            }
            _ => return at,
        }
    }
}

fn plain(number: &str, negative: bool) -> String {
    let number = number.replace(',', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let sign = if negative && !(whole.is_empty() && fraction.is_empty()) { "-" } else { "" };
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::numbers;
    use crate::cards::testing::score_beside;

    fn compared(how: &str, answer: &str, reference: &str) -> f64 {
        score_beside("exact_answer", json!({ "compare": how }), answer, reference)
    }

    #[test]
    fn words_forgive_what_squad_forgives_and_no_more() {
        assert_eq!(compared("words", "The Eiffel  Tower!", "eiffel tower"), 1.0);
        assert_eq!(compared("words", "北京。", "北京"), 1.0);
        assert_eq!(compared("words", "35", "3.5"), 0.0);
        assert_eq!(compared("words", "5", "-5"), 0.0);
        assert_eq!(compared("words", "1000 m", "1,000 m"), 1.0);
        assert_eq!(compared("words", "!", "?"), 0.0);
        assert_eq!(compared("words", "?", " ? "), 1.0);
    }

    #[test]
    fn the_last_number_is_the_result() {
        let reference = "48/2 = 24, together 72.\n#### 72";
        assert_eq!(compared("number", "First 48, so the answer is $72.00.", reference), 1.0);
        assert_eq!(compared("number", "72 or 71", reference), 0.0);
        assert_eq!(compared("number", "I do not know", reference), 0.0);
        assert_eq!(compared("number", "Yes.", "yes"), 1.0);
    }

    #[test]
    fn text_is_text() {
        assert_eq!(compared("text", " a b\n", "a b"), 1.0);
        assert_eq!(compared("text", "A b", "a b"), 0.0);
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        assert_eq!(
            numbers("-1,234.50 and .5, 007; 3-5 x-2 (−3)"),
            ["-1234.5", "5", "7", "3", "5", "2", "-3"]
        );
        assert_eq!(
            numbers("1,2,3 and 1,2345 v1.2.3 -0.0"),
            ["1", "2", "3", "1", "2345", "1.2", "3", "0"]
        );
    }

    proptest! {
        #[test]
        fn a_number_is_itself_however_it_is_written(
            whole in 0_i64..2_000_000, cents in 0_i64..100, zeros in 0_usize..3,
        ) {
            let plain = numbers(&format!("{whole}.{cents:02}{}", "0".repeat(zeros)));
            let thousands = format!("{:03}", whole % 1_000);
            let parted = if (1_000..1_000_000).contains(&whole) {
                format!("{},{thousands}.{cents:02}", whole / 1_000)
            } else {
                format!("{whole}.{cents:02}")
            };
            prop_assert_eq!(plain, numbers(&parted));
        }
    }
}
