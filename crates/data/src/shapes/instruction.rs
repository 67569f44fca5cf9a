//! Instructions: Alpaca's `instruction`, `input`, `output`.

use sanbao_contract::Message;
use sanbao_contract::data::{Content, Shape};

use super::{Field, Filled, ShapeRule};

pub(super) const SYSTEM_NAMES: &[&str] =
    &["system", "systemprompt", "systemmessage", "系统", "系统提示", "系统提示词"];

const FIELDS: &[Field] = &[
    Field {
        name: "instruction",
        required: true,
        names: &["instruction", "instructions", "task", "指令", "任务", "命令"],
    },
    Field {
        name: "input",
        required: false,
        names: &["input", "inputs", "context", "question", "text", "输入", "上下文", "内容"],
    },
    Field {
        name: "output",
        required: true,
        names: &[
            "output",
            "outputs",
            "response",
            "answer",
            "completion",
            "target",
            "reply",
            "输出",
            "回答",
            "回复",
            "答案",
            "结果",
        ],
    },
    Field { name: "system", required: false, names: SYSTEM_NAMES },
];

/// `system` as the system turn where there is one, `instruction` and `input` with a blank line
/// between them as the user's turn, `output` as the assistant's.
pub(super) struct Instruction;

impl ShapeRule for Instruction {
    fn shape(&self) -> Shape {
        Shape::Instruction
    }

    fn name(&self) -> &'static str {
        "instruction"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let user = join_parts(&fields.text("instruction"), &fields.text("input"));
        Ok(Content::Instruct {
            messages: question_and_answer(&fields.text("system"), user, fields.text("output")),
        })
    }
}

/// Two texts with a blank line between them, or the one that is not empty.
pub(super) fn join_parts(first: &str, second: &str) -> String {
    match (first.trim().is_empty(), second.trim().is_empty()) {
        (_, true) => first.to_owned(),
        (true, false) => second.to_owned(),
        (false, false) => format!("{first}\n\n{second}"),
    }
}

/// A conversation of one question and one answer.
pub(super) fn question_and_answer(system: &str, user: String, assistant: String) -> Vec<Message> {
    let mut messages = Vec::with_capacity(3);
    if !system.trim().is_empty() {
        messages.push(Message::new("system", system));
    }
    messages.push(Message::new("user", user));
    messages.push(Message::new("assistant", assistant));
    messages
}
