//! Texts that are not to be there.

use sanbao_evaluate::Phrase;
use serde::Deserialize;

use super::contains::IGNORE_CASE;
use super::{CardKind, Rule};
use crate::Error;
use crate::settings::{Kind, Parameter, Settings};
use crate::text::folded;

/// 1 when none of the texts is in the answer, else 0. An empty answer has none of them: beside
/// this card another one should ask for content.
pub static DOES_NOT_CONTAIN: CardKind = CardKind {
    name: "does_not_contain",
    title: Phrase { en: "Does not contain", zh: "不包含文字" },
    help: Phrase {
        en: "Rewards answers in which certain texts do not appear; an empty answer counts as good, so add another card that asks for content.",
        zh: "回答中不出现指定文字时给予奖励；空回答也算合格，请同时添加要求内容的卡片。",
    },
    parameters: &[
        Parameter {
            name: "texts",
            kind: Kind::Lines { default: &["As an AI", "作为一个人工智能"] },
            help: Phrase {
                en: "The texts that must not appear, one a line.",
                zh: "不得出现的文字，每行一条。",
            },
        },
        IGNORE_CASE,
    ],
    needs_reference: false,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoesNotContain {
    texts: Vec<String>,
    ignore_case: bool,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let DoesNotContain { texts, ignore_case } = settings.read()?;
    let texts: Vec<String> = texts.iter().map(|text| folded(text, ignore_case)).collect();
    Ok(Rule::Answer(Box::new(move |answer| {
        let answer = folded(answer, ignore_case);
        f64::from(u8::from(!texts.iter().any(|text| answer.contains(text.as_str()))))
    })))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::cards::testing::score;

    #[test]
    fn one_text_is_one_too_many() {
        let settings = json!({"texts": ["foo", "坏"]});
        assert_eq!(score("does_not_contain", settings.clone(), "A FOOL"), 0.0);
        assert_eq!(score("does_not_contain", settings.clone(), "不坏"), 0.0);
        assert_eq!(score("does_not_contain", settings, "fine"), 1.0);
    }
}
