//! Conversations: OpenAI's `messages`, ShareGPT's `conversations`.

use sanbao_contract::data::{Content, Mapping, Shape};
use sanbao_contract::{Message, Text};

use super::{Column, Field, Filled, ShapeRule, conversation, mapping, named};

const FIELDS: &[Field] = &[
    Field {
        name: "messages",
        required: true,
        names: &[
            "messages",
            "conversations",
            "conversation",
            "dialogue",
            "dialog",
            "dialogues",
            "chat",
            "turns",
            "对话",
            "消息",
            "会话",
            "聊天",
        ],
    },
    Field { name: "system", required: false, names: super::instruction::SYSTEM_NAMES },
];

/// A conversation per row; every assistant turn is learnt.
pub(super) struct Messages;

impl ShapeRule for Messages {
    fn shape(&self) -> Shape {
        Shape::Messages
    }

    fn name(&self) -> &'static str {
        "messages"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn by_name(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let column = named(&FIELDS[0], columns, &[]).filter(|column| column.conversation)?;
        Some(self.propose(column, columns))
    }

    fn by_content(&self, columns: &[Column]) -> Option<(Mapping, Text)> {
        let column = columns.iter().find(|column| column.conversation)?;
        Some(self.propose(column, columns))
    }

    fn content(&self, fields: &Filled) -> Result<Content, String> {
        let Some(value) =
            fields.value("messages").filter(|_| !fields.text("messages").trim().is_empty())
        else {
            return Ok(Content::Instruct { messages: Vec::new() });
        };
        let mut messages =
            conversation(value).map_err(|problem| format!("`messages` {problem}"))?;
        let system = fields.text("system");
        if !system.trim().is_empty() && messages.first().is_none_or(|first| first.role != "system")
        {
            messages.insert(0, Message::new("system", system));
        }
        Ok(Content::Instruct { messages })
    }
}

impl Messages {
    fn propose(&self, column: &Column, columns: &[Column]) -> (Mapping, Text) {
        let mut fields = vec![("messages", column.name.as_str())];
        if let Some(system) =
            named(&FIELDS[1], columns, &[&column.name]).filter(|system| system.scalar)
        {
            fields.push(("system", &system.name));
        }
        let reason = Text::new(
            format!("`{}` holds conversations", column.name),
            format!("“{}”是对话", column.name),
        );
        (mapping(self.shape(), FIELDS, &fields), reason)
    }
}
