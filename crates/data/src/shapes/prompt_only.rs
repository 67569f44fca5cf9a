//! Questions without answers: a model tries answers of its own, and rewards say which are good.

use sanbao_contract::Text;
use sanbao_contract::data::{Content, Mapping, Shape};

use super::instruction::SYSTEM_NAMES;
use super::prompt_completion::asked;
use super::{Column, Field, Filled, ShapeRule, by_names, mapping};

const FIELDS: &[Field] = &[
    Field {
        name: "prompt",
        required: true,
        names: &[
            "prompt",
            "prompts",
            "question",
            "questions",
            "query",
            "instruction",
            "ask",
            "提示",
            "提示词",
            "问题",
            "提问",
            "指令",
            "题目",
        ],
    },
    Field { name: "system", required: false, names: SYSTEM_NAMES },
];

/// `prompt` (TRL's prompt-only format), a text or the turns before the answer; optional `system`.
pub(super) struct PromptOnly;

impl ShapeRule for PromptOnly {
    fn shape(&self) -> Shape {
        Shape::PromptOnly
    }

    fn name(&self) -> &'static str {
        "prompt_only"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let fields = by_names(FIELDS, columns)?;
        let prompt = fields.iter().find(|(field, _)| *field == "prompt")?.1;
        // Another column may well be the answers, whatever it is called.
        let is_named = |column: &Column| fields.iter().any(|(_, name)| *name == column.name);
        let says_nothing = |column: &Column| column.identifier || column.distinct <= 1;
        if !columns.iter().all(|column| is_named(column) || says_nothing(column)) {
            return None;
        }
        let reason = Text::new(
            format!(
                "`{prompt}` is the prompt and there are no answers, so the model tries its own"
            ),
            format!("“{prompt}”是提示，没有答案，因此由模型自己尝试回答"),
        );
        Some((mapping(self.shape(), FIELDS, &fields), reason))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        Ok(Content::Prompt { messages: asked(fields)? })
    }
}
