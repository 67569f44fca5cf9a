//! Pairs of answers, one liked better.

use sanbao_contract::Message;
use sanbao_contract::data::{Content, Shape};

use super::{Field, Filled, ShapeRule, turns};

const FIELDS: &[Field] = &[
    Field {
        name: "prompt",
        required: false,
        names: &[
            "prompt",
            "question",
            "instruction",
            "input",
            "query",
            "提示",
            "提示词",
            "问题",
            "提问",
            "指令",
            "输入",
        ],
    },
    Field {
        name: "chosen",
        required: true,
        names: &[
            "chosen",
            "preferred",
            "accepted",
            "better",
            "win",
            "winner",
            "responsechosen",
            "chosenresponse",
            "responsej",
            "优选",
            "好回答",
            "偏好",
            "选中",
            "更好",
        ],
    },
    Field {
        name: "rejected",
        required: true,
        names: &[
            "rejected",
            "dispreferred",
            "worse",
            "lose",
            "loser",
            "responserejected",
            "rejectedresponse",
            "responsek",
            "拒绝",
            "差回答",
            "劣选",
            "未选中",
            "更差",
        ],
    },
];

/// `prompt`, `chosen`, `rejected`, each a text or a list of turns. Without a prompt, what both
/// answers begin with is the prompt (TRL's implicit prompt).
pub(super) struct Preference;

impl ShapeRule for Preference {
    fn shape(&self) -> Shape {
        Shape::Preference
    }

    fn name(&self) -> &'static str {
        "preference"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let given = turns(fields, "prompt", "user")?;
        let mut chosen = turns(fields, "chosen", "assistant")?;
        let mut rejected = turns(fields, "rejected", "assistant")?;
        if given.is_empty()
            && let ([one], [other]) = (chosen.as_slice(), rejected.as_slice())
            && one.role == "assistant"
        {
            let (prompt, chosen, rejected) = split_texts(one.text(), other.text());
            return Ok(Content::Preference {
                prompt: if prompt.is_empty() {
                    Vec::new()
                } else {
                    vec![Message::new("user", prompt)]
                },
                chosen: vec![Message::new("assistant", chosen)],
                rejected: vec![Message::new("assistant", rejected)],
            });
        }
        let shared = shared_turns(&chosen, &rejected);
        let implicit: Vec<Message> = chosen.drain(..shared).collect();
        rejected.drain(..shared);
        // Answers that begin with the conversation repeat the prompt column's text.
        let prompt = if implicit.is_empty() { given } else { implicit };
        Ok(Content::Preference { prompt, chosen, rejected })
    }
}

/// Turns that both conversations begin with, leaving each its last.
fn shared_turns(chosen: &[Message], rejected: &[Message]) -> usize {
    let most = chosen.len().min(rejected.len()).saturating_sub(1);
    chosen.iter().zip(rejected).take(most).take_while(|(a, b)| a == b).count()
}

/// What two texts begin with, up to a blank, and what is left of each.
fn split_texts<'a>(chosen: &'a str, rejected: &'a str) -> (&'a str, &'a str, &'a str) {
    let same = chosen.char_indices().zip(rejected.chars()).take_while(|((_, a), b)| a == b).last();
    let end = same.map_or(0, |((at, c), _)| at + c.len_utf8());
    if end == chosen.len() || end == rejected.len() {
        return ("", chosen, rejected);
    }
    let cut = chosen[..end]
        .char_indices()
        .rev()
        .find(|(_, c)| c.is_whitespace())
        .map_or(0, |(at, c)| at + c.len_utf8());
    (chosen[..cut].trim_end(), &chosen[cut..], &rejected[cut..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::{Value, json};

    fn content(row: Value) -> Content {
        let values = row.as_object().unwrap().clone().into_iter().collect();
        Preference.content(&Filled::new(values)).unwrap()
    }

    #[test]
    fn every_spelling_gives_the_same() {
        let expected = Content::Preference {
            prompt: vec![Message::new("user", "Sky?")],
            chosen: vec![Message::new("assistant", "It is blue.")],
            rejected: vec![Message::new("assistant", "Green.")],
        };
        let turn = |role: &str, text: &str| json!({"role": role, "content": text});
        let whole = |text: &str| json!([turn("user", "Sky?"), turn("assistant", text)]);
        assert_eq!(
            content(json!({"prompt": "Sky?", "chosen": "It is blue.", "rejected": "Green."})),
            expected
        );
        assert_eq!(
            content(
                json!({"prompt": [turn("user", "Sky?")], "chosen": [turn("assistant", "It is blue.")], "rejected": [turn("assistant", "Green.")]})
            ),
            expected
        );
        assert_eq!(
            content(json!({"chosen": whole("It is blue."), "rejected": whole("Green.")})),
            expected
        );
        assert_eq!(
            content(
                json!({"prompt": "Sky?", "chosen": whole("It is blue."), "rejected": whole("Green.")})
            ),
            expected
        );
    }

    #[test]
    fn texts_without_a_prompt_share_their_beginning() {
        let got = content(
            json!({"chosen": "Human: Sky?\n\nAssistant: It is blue.", "rejected": "Human: Sky?\n\nAssistant: Green."}),
        );
        let Content::Preference { prompt, chosen, rejected } = got else { panic!() };
        assert_eq!(
            (prompt[0].text(), chosen[0].text(), rejected[0].text()),
            ("Human: Sky?\n\nAssistant:", "It is blue.", "Green.")
        );
        let same = content(json!({"chosen": "好的", "rejected": "好的"}));
        assert!(
            matches!(same, Content::Preference { prompt, chosen, rejected } if prompt.is_empty() && chosen == rejected)
        );
    }
}
