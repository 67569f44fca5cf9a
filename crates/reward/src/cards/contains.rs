//! Texts that are to be there.

use sanbao_evaluate::Phrase;
use serde::Deserialize;

use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};
use crate::text::folded;

/// Looks for texts anywhere in the answer. Of several either one is enough, or the score is the
/// share of those found.
pub static CONTAINS: CardKind = CardKind {
    name: "contains",
    title: Phrase { en: "Contains", zh: "包含文字" },
    help: Phrase {
        en: "Rewards answers in which certain texts appear.",
        zh: "回答中出现指定文字时给予奖励。",
    },
    parameters: &[
        Parameter {
            name: "texts",
            kind: Kind::Lines { default: &["because", "因为"] },
            help: Phrase {
                en: "The texts to look for, one a line.",
                zh: "要查找的文字，每行一条。",
            },
        },
        Parameter {
            name: "match",
            kind: Kind::Choice { choices: &["any", "all"], default: "any" },
            help: Phrase {
                en: "any: one of them is enough; all: the score is the share of them that appear.",
                zh: "any：出现任意一条即可；all：得分为出现的比例。",
            },
        },
        IGNORE_CASE,
    ],
    needs_reference: false,
    needs_judge: false,
    build,
};

pub(super) const IGNORE_CASE: Parameter = Parameter {
    name: "ignore_case",
    kind: Kind::Flag { default: true },
    help: Phrase {
        en: "Whether capital and small letters count as the same.",
        zh: "是否忽略字母大小写。",
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contains {
    texts: Vec<String>,
    #[serde(rename = "match")]
    enough: Enough,
    ignore_case: bool,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Enough {
    Any,
    All,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let Contains { texts, enough, ignore_case } = settings.read()?;
    let texts: Vec<String> = texts.iter().map(|text| folded(text, ignore_case)).collect();
    Ok(Rule::Answer(Box::new(move |answer| {
        let answer = folded(answer, ignore_case);
        let found = texts.iter().filter(|text| answer.contains(text.as_str())).count();
        match enough {
            Enough::Any => f64::from(u8::from(found > 0)),
            Enough::All => found as f64 / texts.len() as f64,
        }
    })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cards::testing::score;

    #[test]
    fn any_is_enough_and_all_is_a_share() {
        let any = json!({"texts": ["Paris", "巴黎"]});
        assert_eq!(score("contains", any.clone(), "It is PARIS."), 1.0);
        assert_eq!(score("contains", any, "Lyon"), 0.0);
        let all = json!({"texts": ["one", "two", "three", "four"], "match": "all"});
        assert_eq!(score("contains", all, "One and two and three"), 0.75);
    }

    #[test]
    fn case_can_matter() {
        let exact = json!({"texts": ["Paris"], "ignore_case": false});
        assert_eq!(score("contains", exact.clone(), "PARIS"), 0.0);
        assert_eq!(score("contains", exact, "to Paris"), 1.0);
    }
}
