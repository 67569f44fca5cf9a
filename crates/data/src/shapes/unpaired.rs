//! Single answers, liked or not.

use sanbao_contract::Text;
use sanbao_contract::data::{Content, Mapping, Shape};
use serde_json::Value;

use super::{Column, Field, Filled, ShapeRule, by_names, clause, mapping, named, turns};

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
            "标签",
            "好评",
            "点赞",
            "是否满意",
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
        Value::String(text) => match text.trim().to_lowercase().as_str() {
            "true" | "yes" | "1" | "good" | "desirable" | "up" | "liked" | "👍" | "是" | "好"
            | "赞" | "对" | "满意" => Some(true),
            "false" | "no" | "0" | "-1" | "bad" | "undesirable" | "down" | "disliked" | "👎"
            | "否" | "坏" | "差" | "踩" | "错" | "不满意" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
