//! Pairs of answers, one liked better.

use sanbao_contract::data::{Content, Mapping, Shape};
use sanbao_contract::{Message, Text};

use super::{Column, Field, Filled, ShapeRule, by_names, clause, mapping, named, turns};

/// What columns with the prompt of an answer are called.
pub(super) const PROMPT_NAMES: &[&str] = &[
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
];

const FIELDS: &[Field] = &[
    Field { name: "prompt", required: false, names: PROMPT_NAMES },
    Field {
        name: "chosen",
        required: true,
        names: &[
            "chosen",
            "preferredoutput",
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
            "nonpreferredoutput",
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
    MARGIN,
];

const MARGIN: Field =
    Field { name: "margin", required: false, names: &["margin", "差距", "边际"] };

/// `prompt`, `chosen`, `rejected`, each a text or a list of turns. Without a prompt, what both
/// answers begin with is the prompt (TRL's implicit prompt). OpenAI's form is the same with other
/// names (`input` with its `messages`, `preferred_output`, `non_preferred_output`); what else
/// `input` holds (`tools`, `parallel_tool_calls`) is not read. Optional is `margin`: by how much the
/// chosen answer is better.
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

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        // What else a column of that name may hold is not read.
        let is_other = |column: &Column| {
            !column.numeric && named(&MARGIN, std::slice::from_ref(column), &[]).is_some()
        };
        let columns: Vec<Column> =
            columns.iter().filter(|column| !is_other(column)).cloned().collect();
        let fields = by_names(FIELDS, &columns)?;
        Some((mapping(self.shape(), FIELDS, &fields), clause(&fields)))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let mut content = pair(
            turns(fields, "prompt", "user")?,
            turns(fields, "chosen", "assistant")?,
            turns(fields, "rejected", "assistant")?,
        );
        if let Content::Preference { margin, .. } = &mut content {
            *margin = given_margin(fields)?;
        }
        Ok(content)
    }
}

/// By how much a row says that its chosen answer is better.
fn given_margin(fields: &Filled) -> Result<Option<f64>, String> {
    let text = fields.text("margin");
    match text.trim().parse::<f64>() {
        _ if text.trim().is_empty() => Ok(None),
        Ok(margin) if margin.is_finite() && margin >= 0.0 => Ok(Some(margin)),
        _ => Err(format!("`margin` is `{text}`; write a number that is not below 0")),
    }
}

/// Names that only one side of a pair has; `better` or `win` may be a class.
const CHOSEN_ALONE: Field = Field {
    name: "chosen",
    required: true,
    names: &["chosen", "preferredoutput", "responsechosen", "chosenresponse", "好回答"],
};
const REJECTED_ALONE: Field = Field {
    name: "rejected",
    required: true,
    names: &["rejected", "nonpreferredoutput", "responserejected", "rejectedresponse", "差回答"],
};

/// The column with one side of the pairs where the other side has none, and the standard name of
/// the other.
pub(super) fn one_side(columns: &[Column]) -> Option<(&Column, &'static str)> {
    let answers = |field| {
        named(field, columns, &[]).filter(|column| column.is_text_like() || column.conversation)
    };
    match (answers(&CHOSEN_ALONE), answers(&REJECTED_ALONE)) {
        (Some(chosen), None) => Some((chosen, REJECTED_ALONE.name)),
        (None, Some(rejected)) => Some((rejected, CHOSEN_ALONE.name)),
        _ => None,
    }
}

/// A pair of answers to the prompt that is given, or to what both answers begin with.
pub(super) fn pair(
    given: Vec<Message>,
    mut chosen: Vec<Message>,
    mut rejected: Vec<Message>,
) -> Content {
    if given.is_empty()
        && let ([one], [other]) = (chosen.as_slice(), rejected.as_slice())
        && one.role == "assistant"
    {
        let (prompt, chosen, rejected) = split_texts(one.text(), other.text());
        return Content::Preference {
            prompt: if prompt.is_empty() { Vec::new() } else { vec![Message::new("user", prompt)] },
            chosen: vec![Message::new("assistant", chosen)],
            rejected: vec![Message::new("assistant", rejected)],
            margin: None,
        };
    }
    let shared = shared_turns(&chosen, &rejected);
    let implicit: Vec<Message> = chosen.drain(..shared).collect();
    rejected.drain(..shared);
    // Answers that begin with the conversation repeat the prompt column's text.
    let prompt = if implicit.is_empty() { given } else { implicit };
    Content::Preference { prompt, chosen, rejected, margin: None }
}

/// A pair whose answers are missing, as of a row that does not say which is better.
pub(super) fn no_pair(prompt: Vec<Message>) -> Content {
    Content::Preference { prompt, chosen: Vec::new(), rejected: Vec::new(), margin: None }
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
    use super::super::Lack;
    use super::*;
    use proptest::prelude::*;
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
            margin: None,
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
    fn a_margin_is_read_where_there_is_one() {
        let row =
            |margin: Value| json!({"chosen": "Blue.", "rejected": "Green.", "margin": margin});
        for (given, expected) in [
            (json!(0.5), Some(0.5)),
            (json!(" 2 "), Some(2.0)),
            (json!(""), None),
            (json!(null), None),
        ] {
            let Content::Preference { margin, .. } = content(row(given)) else { panic!() };
            assert_eq!(margin, expected);
        }
        for wrong in [json!("NaN"), json!(-1), json!("much"), json!([1])] {
            let values = row(wrong).as_object().unwrap().clone().into_iter().collect();
            let problem = Preference.content(&Filled::new(values)).unwrap_err();
            assert!(problem.starts_with("`margin` is `"), "{problem}");
        }
    }

    #[test]
    fn a_column_of_that_name_with_words_is_no_margin() {
        let mapped = |margin: Value| {
            let fields = json!({"chosen": "It is.", "rejected": "No.", "margin": margin});
            let fields = fields.as_object().unwrap().clone().into_iter().collect();
            let origin = sanbao_contract::data::Origin { file: "t".into(), row: 1, line: None };
            let columns = Column::survey(&[crate::Record::new(origin, fields)]);
            Preference.by_name(&columns).unwrap().0.field("margin").is_some()
        };
        assert!(mapped(json!(1.5)) && !mapped(json!("wide")));
    }

    #[test]
    fn texts_without_a_prompt_share_their_beginning() {
        let got = content(
            json!({"chosen": "Human: Sky?\n\nAssistant: It is blue.", "rejected": "Human: Sky?\n\nAssistant: Green."}),
        );
        let Content::Preference { prompt, chosen, rejected, .. } = got else { panic!() };
        assert_eq!(
            (prompt[0].text(), chosen[0].text(), rejected[0].text()),
            ("Human: Sky?\n\nAssistant:", "It is blue.", "Green.")
        );
        let same = content(json!({"chosen": "好的", "rejected": "好的"}));
        assert!(
            matches!(same, Content::Preference { prompt, chosen, rejected, .. } if prompt.is_empty() && chosen == rejected)
        );
    }

    #[test]
    fn openai_s_form_is_a_preference() {
        let row = json!({
            "input": {
                "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Sky?"}],
                "tools": [],
                "parallel_tool_calls": true,
            },
            "preferred_output": [{"role": "assistant", "content": "It is blue."}],
            "non_preferred_output": [{"role": "assistant", "content": "Green."}],
        });
        let record = |row: &Value| {
            let origin = sanbao_contract::data::Origin { file: "t".into(), row: 1, line: None };
            crate::Record::new(origin, row.as_object().unwrap().clone().into_iter().collect())
        };
        let (mapping, _) = super::super::recognise(&Column::survey(&[record(&row)])).unwrap();
        assert_eq!(mapping.shape, Shape::Preference);
        let mapper = crate::Mapper::new(&mapping).unwrap();
        let Content::Preference { prompt, chosen, rejected, .. } =
            mapper.example(&record(&row)).unwrap().content
        else {
            panic!()
        };
        assert_eq!(prompt, [Message::new("system", "Be brief."), Message::new("user", "Sky?")]);
        assert_eq!((chosen[0].text(), rejected[0].text()), ("It is blue.", "Green."));
        let mut bad = row.clone();
        bad["input"]["messages"][1]["role"] = json!("boss");
        let problem = mapper.example(&record(&bad)).unwrap_err().to_string();
        assert_eq!(
            problem,
            "t, row 1: `messages` of `prompt` is a conversation whose turn 2 has the unknown role `boss`; use system, user, assistant or tool."
        );
        bad["input"] = json!({"messages": "Sky?"});
        let problem = mapper.example(&record(&bad)).unwrap_err().to_string();
        assert!(problem.contains("holds a text where a list of turns is expected"), "{problem}");
    }

    proptest! {
        #[test]
        fn openai_s_form_says_what_the_plain_one_says(question in "\\PC{1,20}", better in "\\PC{0,20}", worse in "\\PC{0,20}") {
            let turn = |role: &str, text: &str| json!([{"role": role, "content": text}]);
            let openai = json!({"prompt": {"messages": turn("user", &question)}, "chosen": turn("assistant", &better), "rejected": turn("assistant", &worse)});
            let plain = json!({"prompt": question, "chosen": better, "rejected": worse});
            prop_assert_eq!(content(openai), content(plain));
        }

        #[test]
        fn any_value_is_a_pair_or_a_problem(text in "[\\[\\]{},: \"rolecntusmag1]{0,60}", parsed in any::<bool>()) {
            let value = if parsed { serde_json::from_str(&text).unwrap_or(json!([text])) } else { json!(text) };
            for field in ["prompt", "chosen", "rejected"] {
                let mut row = json!({"prompt": "q", "chosen": "a", "rejected": "b"});
                row[field] = value.clone();
                let values = row.as_object().unwrap().clone().into_iter().collect();
                if let Err(problem) = Preference.content(&Filled::new(values)) {
                    prop_assert!(problem.contains(field), "{}", problem);
                }
            }
        }
    }

    #[test]
    fn one_side_alone_is_noticed() {
        let lack = |row: Value| {
            let fields: indexmap::IndexMap<String, Value> =
                row.as_object().unwrap().clone().into_iter().collect();
            let origin = sanbao_contract::data::Origin { file: "t".into(), row: 1, line: None };
            super::super::lack(&Column::survey(&[crate::Record::new(origin, fields)]))
        };
        let side = |column: &str, missing| Some(Lack::Answer { column: column.into(), missing });
        assert_eq!(
            lack(json!({"prompt": "q", "chosen": "It is blue."})),
            side("chosen", "rejected")
        );
        assert_eq!(
            lack(
                json!({"input": "q", "non_preferred_output": [{"role": "assistant", "content": "No."}]})
            ),
            side("non_preferred_output", "chosen")
        );
        assert_eq!(
            lack(json!({"prompt": "q", "response_a": "x", "response_b": "y"})),
            Some(Lack::Winner { first: "response_a".into(), second: "response_b".into() })
        );
        for whole in [
            json!({"prompt": "q", "chosen": "It is blue.", "rejected": "Green."}),
            json!({"prompt": "q", "response_a": "x", "response_b": "y", "winner": "tie"}),
            json!({"prompt": "q", "response": "x y", "chosen": true}),
            json!({"text": "x y", "accepted": "no"}),
        ] {
            assert_eq!(lack(whole.clone()), None, "{whole}");
        }
    }
}
