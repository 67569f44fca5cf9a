//! Prompts with the text that should follow.

use sanbao_contract::data::{Content, Mapping, Shape};
use sanbao_contract::{Message, Text};

use super::instruction::SYSTEM_NAMES;
use super::{Column, Field, Filled, ShapeRule, mapping, turns};

const FIELDS: &[Field] = &[
    Field {
        name: "prompt",
        required: true,
        names: &[
            "prompt",
            "prompts",
            "input",
            "question",
            "query",
            "source",
            "src",
            "request",
            "document",
            "article",
            "dialogue",
            "message",
            "提示",
            "提示词",
            "输入",
            "提问",
            "问题",
            "原文",
            "用户",
            "正文",
        ],
    },
    Field {
        name: "completion",
        required: true,
        names: &[
            "completion",
            "completions",
            "response",
            "output",
            "reply",
            "target",
            "tgt",
            "answer",
            "summary",
            "translation",
            "highlights",
            "solution",
            "groundtruth",
            "expected",
            "expectedanswer",
            "finalanswer",
            "reference",
            "referenceanswer",
            "补全",
            "输出",
            "回复",
            "回应",
            "回答",
            "答案",
            "答复",
            "译文",
            "摘要",
            "续写",
            "标准答案",
            "参考答案",
            "解答",
        ],
    },
    Field { name: "system", required: false, names: SYSTEM_NAMES },
];

/// The turns of `prompt`, after `system` as the system turn where there is one.
pub(super) fn asked(fields: &Filled) -> Result<Vec<Message>, String> {
    let mut messages = turns(fields, "prompt", "user")?;
    let system = fields.text("system");
    if !system.trim().is_empty() {
        messages.insert(0, Message::new("system", system));
    }
    Ok(messages)
}

/// `prompt` as the user's turn and `completion` as the assistant's, or the turns themselves where
/// a column holds a list of them.
pub(super) struct PromptCompletion;

impl ShapeRule for PromptCompletion {
    fn shape(&self) -> Shape {
        Shape::PromptCompletion
    }

    fn name(&self) -> &'static str {
        "prompt_completion"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_content(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let texts: Vec<&Column> = columns.iter().filter(|column| column.is_text_like()).collect();
        let [prompt, completion] = texts.as_slice() else { return None };
        if columns.iter().any(Column::is_class_like) {
            return None;
        }
        let mapping = mapping(
            self.shape(),
            FIELDS,
            &[("prompt", &prompt.name), ("completion", &completion.name)],
        );
        let reason = Text::new(
            format!(
                "`{}` and `{}` both hold text, so the second is taken as the answer to the first",
                prompt.name, completion.name
            ),
            format!("“{}”和“{}”都是文本，因此把后者当作对前者的回答", prompt.name, completion.name),
        );
        Some((mapping, reason))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let mut messages = asked(fields)?;
        messages.extend(turns(fields, "completion", "assistant")?);
        Ok(Content::Instruct { messages })
    }
}
