//! Several answers to a prompt in one row, each with a rating.

use std::borrow::Cow;

use sanbao_contract::data::{Content, Mapping, Shape};
use sanbao_contract::{Message, Text};
use serde_json::Value;

use super::preference::{PROMPT_NAMES, no_pair, pair};
use super::{Column, Field, Filled, ShapeRule, mapping, named, plain_name, turns};
use crate::template::text_of;

const FIELDS: &[Field] = &[
    Field { name: "prompt", required: false, names: PROMPT_NAMES },
    Field {
        name: "completions",
        required: true,
        names: &[
            "completions",
            "responses",
            "answers",
            "outputs",
            "candidates",
            "generations",
            "replies",
            "回答列表",
            "候选",
            "候选回答",
            "多个回答",
            "回答",
        ],
    },
];

/// Keys of an answer's text and of its rating, the most telling first.
const TEXT_KEYS: &[&str] =
    &["text", "response", "completion", "answer", "content", "output", "文本", "回答", "内容"];
const RATING_KEYS: &[&str] = &[
    "rating",
    "score",
    "overall_score",
    "overall_rating",
    "overall",
    "quality",
    "reward",
    "评分",
    "分数",
    "得分",
    "打分",
];

/// `completions`: a list of answers with a number each, as UltraFeedback has it (or JSON text of
/// one). The best and the worst are the pair of the row; the first of several alike is taken. An
/// answer without a rating (null, `N/A`) does not count.
pub(super) struct Ratings;

impl ShapeRule for Ratings {
    fn shape(&self) -> Shape {
        Shape::Ratings
    }

    fn name(&self) -> &'static str {
        "ratings"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let [prompt, completions] = FIELDS else { return None };
        let list = named(completions, columns, &[]).filter(|column| column.rated)?;
        let prompt = named(prompt, columns, &[&list.name])?;
        let fields = [("prompt", prompt.name.as_str()), ("completions", list.name.as_str())];
        let reason = Text::new(
            format!(
                "`{}` is the prompt and `{}` holds answers with ratings, of which the best and the worst are a pair",
                prompt.name, list.name
            ),
            format!(
                "“{}”是提示，“{}”是带评分的多个回答，取其中最好和最差的组成一对",
                prompt.name, list.name
            ),
        );
        Some((mapping(self.shape(), FIELDS, &fields), reason))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let prompt = turns(fields, "prompt", "user")?;
        let answers = answers(fields)?;
        Ok(match extremes(&answers) {
            Some((best, worst)) if best.0 > worst.0 => {
                let answer = |text: &str| vec![Message::new("assistant", text)];
                pair(prompt, answer(&best.1), answer(&worst.1))
            }
            _ => no_pair(prompt),
        })
    }

    fn is_undecided(&self, fields: &Filled) -> bool {
        answers(fields).is_ok_and(|answers| {
            answers.len() > 1 && extremes(&answers).is_some_and(|(best, worst)| best.0 == worst.0)
        })
    }
}

/// An answer and its rating.
type Rated = (f64, String);

/// The first of the best and the first of the worst answers; `None` without any.
fn extremes(answers: &[Rated]) -> Option<(&Rated, &Rated)> {
    let best = answers.iter().reduce(|best, answer| if answer.0 > best.0 { answer } else { best });
    let worst =
        answers.iter().reduce(|worst, answer| if answer.0 < worst.0 { answer } else { worst });
    best.zip(worst)
}

/// The answers of a row that have a rating.
fn answers(fields: &Filled) -> Result<Vec<Rated>, String> {
    let Some(value) =
        fields.value("completions").filter(|_| !fields.text("completions").trim().is_empty())
    else {
        return Ok(Vec::new());
    };
    let list = list(value).ok_or_else(|| {
        format!(
            "`completions` holds {} where a list of answers with ratings is expected",
            crate::formats::kind(value)
        )
    })?;
    let mut rated = Vec::new();
    for (entry, number) in list.iter().zip(1..) {
        let wrong = |problem: &str| format!("`completions` holds an answer ({number}) {problem}");
        let text = find(entry, TEXT_KEYS)
            .ok_or_else(|| wrong("without a text; give it as `text`, with its `rating`"))?;
        let given = find(entry, RATING_KEYS)
            .ok_or_else(|| wrong("without a rating; give it a number as `rating`"))?;
        let rating = rating(given).map_err(|()| {
            wrong(&format!("whose rating is `{}`; write a number", text_of(given)))
        })?;
        rated.extend(rating.map(|rating| (rating, text_of(text))));
    }
    Ok(rated)
}

/// The list that a value is, or is the JSON text of.
fn list(value: &Value) -> Option<Cow<'_, [Value]>> {
    match value {
        Value::Array(entries) => Some(Cow::Borrowed(entries)),
        Value::String(text) if text.trim_start().starts_with('[') => {
            serde_json::from_str(text).ok().map(Cow::Owned)
        }
        _ => None,
    }
}

fn find<'a>(entry: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().find_map(|key| entry.get(*key))
}

/// Whether a value is a list of answers with ratings (or JSON text of one).
pub(super) fn rated(value: &Value) -> bool {
    list(value).is_some_and(|entries| {
        !entries.is_empty()
            && entries.iter().all(|entry| {
                find(entry, TEXT_KEYS).is_some()
                    && find(entry, RATING_KEYS).is_some_and(|given| rating(given).is_ok())
            })
    })
}

/// A rating as a number; `None` where it is left open.
pub(super) fn rating(value: &Value) -> Result<Option<f64>, ()> {
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "" | "n/a" | "na" | "none" | "null" | "-" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(()),
            },
        },
        _ => Err(()),
    }
}

/// The rating that a field holds; `None` where it is left open.
pub(super) fn given_rating(fields: &Filled, field: &str) -> Result<Option<f64>, String> {
    let Some(value) = fields.value(field) else { return Ok(None) };
    rating(value).map_err(|()| format!("`{field}` is `{}`; write a number", text_of(value)))
}

/// Whether a column of this name rates the answer of its row.
pub(crate) fn is_rating_name(name: &str) -> bool {
    let name = plain_name(name);
    RATING_KEYS.iter().any(|key| plain_name(key) == name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn filled(completions: Value) -> Filled {
        Filled::new(vec![("prompt".into(), json!("q")), ("completions".into(), completions)])
    }

    /// The better and the worse answer; empty without a pair.
    fn sides(completions: Value) -> (String, String) {
        match Ratings.content(&filled(completions)).unwrap() {
            Content::Preference { chosen, rejected, .. } => {
                let text = |turns: &[Message]| turns.first().map_or("", Message::text).to_owned();
                (text(&chosen), text(&rejected))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_best_and_the_worst_are_a_pair() {
        let list = json!([
            {"text": "good", "rating": 4}, {"text": "worst", "rating": "1"},
            {"text": "best", "rating": 4.5}, {"text": "unrated", "rating": "N/A"},
        ]);
        assert_eq!(sides(list.clone()), ("best".into(), "worst".into()));
        assert_eq!(sides(json!(list.to_string())), ("best".into(), "worst".into()));
        // UltraFeedback, with what else it holds.
        let ultra = json!([
            {"model": "m1", "response": "Yes.", "overall_score": 7.5, "annotations": {"honesty": {"Rating": "4"}}},
            {"model": "m2", "response": "No.", "overall_score": 3.0, "annotations": {}},
        ]);
        assert!(rated(&ultra));
        assert_eq!(sides(ultra), ("Yes.".into(), "No.".into()));
    }

    #[test]
    fn alike_is_a_tie_and_too_few_is_a_gap() {
        let alike = json!([{"text": "a", "score": 2}, {"text": "b", "score": 2.0}]);
        assert!(Ratings.is_undecided(&filled(alike)));
        for few in [json!([{"text": "a", "score": 2}]), json!([]), json!(""), json!(null)] {
            assert!(!Ratings.is_undecided(&filled(few.clone())));
            assert_eq!(sides(few), (String::new(), String::new()));
        }
    }

    #[test]
    fn a_bad_answer_is_named() {
        let problem = |list: Value| Ratings.content(&filled(list)).unwrap_err();
        assert_eq!(
            problem(json!([{"text": "a", "rating": 1}, {"text": "b", "rating": "fine"}])),
            "`completions` holds an answer (2) whose rating is `fine`; write a number"
        );
        assert!(problem(json!([{"rating": 1}])).contains("(1) without a text"));
        assert!(problem(json!([{"text": "a"}])).contains("(1) without a rating"));
        assert!(problem(json!("words")).contains("holds a string where a list"));
        assert!(problem(json!("[1")).contains("holds a string where a list"));
    }

    #[test]
    fn ratings_are_known_by_name() {
        for name in ["rating", "Score", "overall_score", "Overall Score", "评分"] {
            assert!(is_rating_name(name), "{name}");
        }
        assert!(!is_rating_name("answer") && !is_rating_name("scores"));
    }

    proptest! {
        #[test]
        fn nothing_is_better_than_the_best(ratings in prop::collection::vec(-5_i32..5, 0..8)) {
            let entries: Vec<Value> = ratings.iter().map(|rating| json!({"text": format!("{rating}"), "rating": rating})).collect();
            let got = sides(json!(entries));
            match (ratings.iter().max(), ratings.iter().min()) {
                (Some(best), Some(worst)) if best > worst => {
                    prop_assert_eq!(got, (best.to_string(), worst.to_string()));
                }
                _ => prop_assert_eq!(got, (String::new(), String::new())),
            }
        }

        #[test]
        fn any_text_is_survived(text in "[\\[\\]{},: \n\"a1rextiong.-]{0,60}") {
            let fields = filled(json!(text));
            let undecided = Ratings.is_undecided(&fields);
            prop_assert!(!undecided || Ratings.content(&fields).is_ok());
        }
    }
}
