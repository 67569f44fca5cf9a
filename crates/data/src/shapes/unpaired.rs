//! Single answers, liked or not.

use sanbao_contract::Text;
use sanbao_contract::data::{Content, Mapping, Shape};
use serde_json::Value;

use super::{
    Column, Field, Filled, ShapeRule, by_names, clause, mapping, named, plain_name, turns,
};

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
        name: "completion",
        required: true,
        names: &[
            "completion",
            "response",
            "output",
            "answer",
            "reply",
            "回答",
            "回复",
            "输出",
            "答案",
            "补全",
        ],
    },
    Field {
        name: "label",
        required: true,
        names: &[
            "label",
            "ktotag",
            "liked",
            "desirable",
            "thumbsup",
            "thumbs",
            "good",
            "feedback",
            "thumb",
            "vote",
            "accepted",
            "标签",
            "好评",
            "点赞",
            "是否满意",
            "是否喜欢",
            "是否有用",
            "赞",
        ],
    },
];

/// `prompt`, `completion`, `label`. A completion that is a whole conversation holds its prompt.
pub(super) struct Unpaired;

impl ShapeRule for Unpaired {
    fn shape(&self) -> Shape {
        Shape::Unpaired
    }

    fn name(&self) -> &'static str {
        "unpaired"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let label = named(&FIELDS[2], columns, &[]).filter(|column| column.boolean)?;
        let conversation = columns.iter().find(|column| column.conversation);
        let fields = match (by_names(FIELDS, columns), conversation) {
            (Some(fields), _) if fields.iter().any(|(field, _)| *field == "prompt") => fields,
            (_, Some(conversation)) => {
                vec![("completion", conversation.name.as_str()), ("label", label.name.as_str())]
            }
            _ => return None,
        };
        let clause = clause(&fields);
        let reason = Text::new(
            format!("{}, which says yes or no", clause.en),
            format!("{}，表示满意与否", clause.zh),
        );
        Some((mapping(self.shape(), FIELDS, &fields), reason))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let mut prompt = turns(fields, "prompt", "user")?;
        let mut completion = turns(fields, "completion", "assistant")?;
        let answer_from = completion
            .iter()
            .rposition(|message| message.role != "assistant")
            .map_or(0, |at| at + 1);
        prompt.extend(completion.drain(..answer_from));
        let label = fields.value("label").ok_or("`label` is empty; write true or false")?;
        let label = truth(label).ok_or_else(|| {
            format!("`label` is `{}`; write true or false", crate::template::text_of(label))
        })?;
        Ok(Content::Unpaired { prompt, completion, label })
    }
}

/// What a value says when it says yes or no.
pub(super) fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0 | -1.0) => Some(false),
            _ => None,
        },
        Value::String(text) => spoken(text),
        _ => None,
    }
}

/// What a word says when it says yes or no, regardless of case, blanks, `_` and `-`.
fn spoken(text: &str) -> Option<bool> {
    if let Ok(number) = text.trim().parse::<f64>() {
        return truth(&serde_json::json!(number));
    }
    // A skin tone says nothing about the answer.
    let plain = plain_name(text);
    match plain.trim_end_matches(|c| matches!(c, '\u{1F3FB}'..='\u{1F3FF}' | '\u{FE0F}')) {
        "true" | "t" | "yes" | "y" | "good" | "desirable" | "desired" | "up" | "thumbsup"
        | "thumbup" | "upvote" | "upvoted" | "like" | "liked" | "accept" | "accepted"
        | "helpful" | "👍" | "是" | "真" | "好" | "赞" | "点赞" | "顶" | "对" | "正确" | "好评"
        | "喜欢" | "满意" | "有用" | "有帮助" | "采纳" | "可取" => Some(true),
        "false" | "f" | "no" | "n" | "bad" | "undesirable" | "undesired" | "down"
        | "thumbsdown" | "thumbdown" | "downvote" | "downvoted" | "dislike" | "disliked"
        | "reject" | "rejected" | "unhelpful" | "👎" | "否" | "假" | "坏" | "差" | "踩"
        | "点踩" | "不好" | "不赞" | "错" | "不对" | "错误" | "不正确" | "差评" | "不喜欢"
        | "不满意" | "没用" | "无用" | "没帮助" | "没有帮助" | "未采纳" | "不可取" => {
            Some(false)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn label(given: Value) -> Result<bool, String> {
        let values = json!({"prompt": "q", "completion": "a", "label": given});
        let values = values.as_object().unwrap().clone().into_iter().collect();
        Unpaired.content(&Filled::new(values)).map(|content| match content {
            Content::Unpaired { label, .. } => label,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn yes_and_no_are_understood_in_every_spelling() {
        for (yes, no) in [
            (json!(true), json!(false)),
            (json!(1), json!(0)),
            (json!(1.0), json!(-1)),
            (json!("1"), json!("0")),
            (json!("1.0"), json!("-1")),
            (json!(" TRUE"), json!("False")),
            (json!("yes"), json!("No")),
            (json!("y"), json!("n")),
            (json!("desirable"), json!("undesirable")),
            (json!("Thumbs up"), json!("thumbs_down")),
            (json!("👍"), json!("👎🏽")),
            (json!("like"), json!("dislike")),
            (json!("是"), json!("否")),
            (json!("赞"), json!("踩")),
            (json!("点赞"), json!("点踩")),
            (json!("好评"), json!("差评")),
            (json!("喜欢"), json!("不喜欢")),
            (json!("有用"), json!("没用")),
            (json!("正確"), json!("錯誤")),
        ] {
            assert_eq!(label(yes.clone()), Ok(true), "{yes}");
            assert_eq!(label(no.clone()), Ok(false), "{no}");
        }
        let refused = label(json!("maybe")).unwrap_err();
        assert_eq!(refused, "`label` is `maybe`; write true or false");
        assert!(label(json!(2)).is_err() && label(json!(null)).is_err());
    }

    #[test]
    fn both_names_of_the_label_are_known() {
        for name in ["label", "kto_tag", "是否喜欢", "thumbs_up"] {
            let rows: Vec<crate::Record> = (1..4)
                .map(|row| {
                    let fields = json!({"prompt": "q", "completion": "a", name: row > 1});
                    let origin =
                        sanbao_contract::data::Origin { file: "t".into(), row, line: None };
                    crate::Record::new(
                        origin,
                        fields.as_object().unwrap().clone().into_iter().collect(),
                    )
                })
                .collect();
            let (mapping, _) = Unpaired.by_name(&Column::survey(&rows)).expect(name);
            assert_eq!(mapping.field("label"), Some(format!("{{{{{name}}}}}").as_str()));
        }
    }

    proptest! {
        #[test]
        fn any_label_is_understood_or_refused(text in "\\PC{0,8}") {
            match label(json!(text)) {
                Ok(said) => prop_assert_eq!(truth(&json!(text)), Some(said)),
                Err(problem) => prop_assert!(problem.ends_with("write true or false")),
            }
        }
    }
}
