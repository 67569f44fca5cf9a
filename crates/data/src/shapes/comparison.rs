//! Two answers side by side, and which is better.

use sanbao_contract::Text;
use sanbao_contract::data::{Content, Mapping, Shape};
use serde_json::Value;

use super::preference::{PROMPT_NAMES, no_pair, pair};
use super::ratings::given_rating;
use super::{Column, Field, Filled, ShapeRule, clause, mapping, named, plain_name, turns};

const FIELDS: &[Field] = &[
    Field { name: "prompt", required: false, names: PROMPT_NAMES },
    Field {
        name: "response_a",
        required: true,
        names: &[
            "responsea",
            "response1",
            "answera",
            "answer1",
            "outputa",
            "output1",
            "completiona",
            "completion1",
            "conversationa",
            "humanrefa",
            "回答a",
            "回答1",
            "回答一",
            "回复a",
            "回复1",
            "答案a",
            "答案1",
        ],
    },
    Field {
        name: "response_b",
        required: true,
        names: &[
            "responseb",
            "response2",
            "answerb",
            "answer2",
            "outputb",
            "output2",
            "completionb",
            "completion2",
            "conversationb",
            "humanrefb",
            "回答b",
            "回答2",
            "回答二",
            "回复b",
            "回复2",
            "答案b",
            "答案2",
        ],
    },
    Field {
        name: "winner",
        required: false,
        names: &[
            "winner",
            "preferred",
            "preference",
            "better",
            "choice",
            "verdict",
            "vote",
            "label",
            "胜者",
            "优胜",
            "更好",
            "偏好",
            "选择",
            "标签",
        ],
    },
    Field {
        name: "rating_a",
        required: false,
        names: &[
            "ratinga",
            "rating1",
            "scorea",
            "score1",
            "评分a",
            "评分1",
            "评分一",
            "分数a",
            "分数1",
            "得分a",
            "得分1",
        ],
    },
    Field {
        name: "rating_b",
        required: false,
        names: &[
            "ratingb",
            "rating2",
            "scoreb",
            "score2",
            "评分b",
            "评分2",
            "评分二",
            "分数b",
            "分数2",
            "得分b",
            "得分2",
        ],
    },
];

/// `response_a` and `response_b` with the `winner` (`a`, `b`, `model_a`, `1`, `tie`, …), as
/// Chatbot Arena has it, or with a number each (`rating_a`, `rating_b`), of which the greater is
/// better. The winner counts where both are mapped.
pub(super) struct Comparison;

impl ShapeRule for Comparison {
    fn shape(&self) -> Shape {
        Shape::Comparison
    }

    fn name(&self) -> &'static str {
        "comparison"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let [prompt, a, b, winner, rating_a, rating_b] = FIELDS else { return None };
        let (a, b) = answers(columns, a, b)?;
        let taken = [a.name.as_str(), b.name.as_str()];
        let winner = named(winner, columns, &taken).filter(|column| column.verdict);
        let rating = |field| named(field, columns, &taken).filter(|column| column.rating);
        let mut fields = vec![("response_a", taken[0]), ("response_b", taken[1])];
        match (winner, rating(rating_a), rating(rating_b)) {
            (Some(winner), ..) => fields.push(("winner", &winner.name)),
            (None, Some(of_a), Some(of_b)) => {
                fields.extend([("rating_a", of_a.name.as_str()), ("rating_b", &of_b.name)]);
            }
            _ => return None,
        }
        if let Some(prompt) = named(prompt, columns, &taken) {
            fields.insert(0, ("prompt", &prompt.name));
        }
        Some((mapping(self.shape(), FIELDS, &fields), clause(&fields)))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let prompt = turns(fields, "prompt", "user")?;
        let a = turns(fields, "response_a", "assistant")?;
        let b = turns(fields, "response_b", "assistant")?;
        Ok(match judged(fields)? {
            Some(Better::A) => pair(prompt, a, b),
            Some(Better::B) => pair(prompt, b, a),
            Some(Better::Neither) | None => no_pair(prompt),
        })
    }

    fn is_undecided(&self, fields: &Filled) -> bool {
        matches!(judged(fields), Ok(Some(Better::Neither)))
    }
}

/// The columns of two answers side by side, when the names tell them.
pub(super) fn two_answers(columns: &[Column]) -> Option<(&Column, &Column)> {
    let [_, a, b, ..] = FIELDS else { return None };
    answers(columns, a, b)
}

fn answers<'a>(columns: &'a [Column], a: &Field, b: &Field) -> Option<(&'a Column, &'a Column)> {
    named(a, columns, &[]).zip(named(b, columns, &[]))
}

/// Which of two answers is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Better {
    A,
    B,
    Neither,
}

/// What a row says of its answers; `None` when it leaves that open.
fn judged(fields: &Filled) -> Result<Option<Better>, String> {
    if fields.is_mapped("winner") {
        let said = fields.text("winner");
        return match fields.value("winner") {
            Some(value) if !said.trim().is_empty() => {
                better(value).map(Some).ok_or_else(|| {
                    format!("`winner` is `{said}`; write a, b or tie (or 1 for the first answer and 2 for the second)")
                })
            }
            _ => Ok(None),
        };
    }
    if !fields.is_mapped("rating_a") || !fields.is_mapped("rating_b") {
        return Err(
            "nothing says which of the two answers is better; fill `winner`, or `rating_a` and `rating_b`, from a column"
                .to_owned(),
        );
    }
    let ratings = given_rating(fields, "rating_a")?.zip(given_rating(fields, "rating_b")?);
    Ok(ratings.map(|(a, b)| match a.total_cmp(&b) {
        std::cmp::Ordering::Greater => Better::A,
        std::cmp::Ordering::Less => Better::B,
        std::cmp::Ordering::Equal => Better::Neither,
    }))
}

/// What stands before the name of an answer without adding to it.
const PREFIXES: &[&str] = &[
    "model",
    "response",
    "answer",
    "output",
    "completion",
    "assistant",
    "option",
    "回答",
    "回复",
    "答案",
    "模型",
    "选项",
];

/// What a value says when it names the better of two answers.
pub(super) fn better(value: &Value) -> Option<Better> {
    let plain = match value {
        Value::String(text) => plain_name(text),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let plain = plain.trim_matches(['[', ']', '(', ')', '"', '\'', '.', '。']);
    let bare = PREFIXES.iter().find_map(|prefix| plain.strip_prefix(prefix)).unwrap_or(plain);
    match bare {
        "a" | "1" | "left" | "first" | "甲" | "一" | "左" | "前者" | "第一个" => {
            Some(Better::A)
        }
        "b" | "2" | "right" | "second" | "乙" | "二" | "右" | "后者" | "第二个" => {
            Some(Better::B)
        }
        "tie" | "tied" | "tie(bothbad" | "bothbad" | "bothgood" | "both" | "neither" | "equal"
        | "same" | "draw" | "平" | "平局" | "平手" | "一样" | "相同" | "都好" | "都不好"
        | "都差" | "无差别" => Some(Better::Neither),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn filled(row: &Value) -> Filled {
        Filled::new(row.as_object().unwrap().clone().into_iter().collect())
    }

    /// The better and the worse answer.
    fn sides(row: Value) -> (String, String) {
        match Comparison.content(&filled(&row)).unwrap() {
            Content::Preference { prompt, chosen, rejected, .. } => {
                assert_eq!(prompt[0].text(), "q");
                let text = |turns: &[sanbao_contract::Message]| {
                    turns.first().map_or("", |turn| turn.text()).to_owned()
                };
                (text(&chosen), text(&rejected))
            }
            other => panic!("{other:?}"),
        }
    }

    fn row(more: &Value) -> Value {
        let mut row = json!({"prompt": "q", "response_a": "x", "response_b": "y"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    }

    #[test]
    fn the_winner_is_chosen() {
        for winner in [
            json!("a"),
            json!(" A "),
            json!("model_a"),
            json!("Response A"),
            json!(1),
            json!("1"),
            json!("[[A]]"),
            json!("回答A"),
            json!("第一个"),
        ] {
            assert_eq!(sides(row(&json!({"winner": winner}))), ("x".into(), "y".into()));
        }
        for winner in [json!("b"), json!("model_b"), json!(2), json!("[[B]]"), json!("乙")] {
            assert_eq!(sides(row(&json!({"winner": winner}))), ("y".into(), "x".into()));
        }
        // The winner counts where there are ratings too.
        let both = json!({"winner": "b", "rating_a": 5, "rating_b": 1});
        assert_eq!(sides(row(&both)), ("y".into(), "x".into()));
    }

    #[test]
    fn a_tie_is_no_pair_and_no_gap() {
        for tie in [
            json!({"winner": "tie"}),
            json!({"winner": "tie (bothbad)"}),
            json!({"winner": "平局"}),
            json!({"rating_a": 3, "rating_b": "3.0"}),
        ] {
            assert_eq!(sides(row(&tie)), (String::new(), String::new()));
            assert!(Comparison.is_undecided(&filled(&row(&tie))), "{tie}");
        }
        for open in [
            json!({"winner": null}),
            json!({"winner": " "}),
            json!({"rating_a": 3, "rating_b": null}),
            json!({"rating_a": "n/a", "rating_b": 2}),
        ] {
            assert_eq!(sides(row(&open)), (String::new(), String::new()));
            assert!(!Comparison.is_undecided(&filled(&row(&open))), "{open}");
        }
    }

    #[test]
    fn what_does_not_judge_is_named() {
        let problem = |more: Value| Comparison.content(&filled(&row(&more))).unwrap_err();
        assert_eq!(
            problem(json!({"winner": 0})),
            "`winner` is `0`; write a, b or tie (or 1 for the first answer and 2 for the second)"
        );
        assert_eq!(
            problem(json!({"rating_a": "good", "rating_b": 1})),
            "`rating_a` is `good`; write a number"
        );
        assert!(problem(json!({})).contains("fill `winner`, or `rating_a` and `rating_b`"));
        assert!(problem(json!({"rating_a": 1})).contains("fill `winner`"));
    }

    #[test]
    fn whole_conversations_share_their_prompt() {
        let turn = |role: &str, text: &str| json!({"role": role, "content": text});
        let whole = |text: &str| json!([turn("user", "q"), turn("assistant", text)]);
        let arena =
            json!({"response_a": whole("x"), "response_b": whole("y"), "winner": "model_b"});
        assert_eq!(sides(arena), ("y".into(), "x".into()));
    }

    proptest! {
        #[test]
        fn the_greater_rating_wins_whichever_side_it_is_on(a in -1e6..1e6_f64, b in -1e6..1e6_f64, as_text: bool) {
            let given = |rating: f64| if as_text { json!(rating.to_string()) } else { json!(rating) };
            let one = sides(row(&json!({"rating_a": given(a), "rating_b": given(b)})));
            let turned = json!({"prompt": "q", "response_a": "y", "response_b": "x", "rating_a": given(b), "rating_b": given(a)});
            prop_assert_eq!(&one, &sides(turned));
            prop_assert_eq!(one.0 == "x", a > b);
            prop_assert_eq!(one.0 == "y", b > a);
        }

        #[test]
        fn any_winner_is_understood_or_refused(winner in "\\PC{0,12}") {
            let row = row(&json!({"winner": winner}));
            let undecided = Comparison.is_undecided(&filled(&row));
            match Comparison.content(&filled(&row)) {
                Ok(_) => prop_assert!(winner.trim().is_empty() || better(&json!(winner)).is_some()),
                Err(problem) => prop_assert!(!undecided && problem.contains("write a, b or tie")),
            }
        }
    }
}
