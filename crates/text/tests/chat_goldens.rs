//! Chat templates against transformers' apply_chat_template (goldens/chat_templates).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{characters, golden, ids, json};
use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sanbao_contract::Message;
use sanbao_text::{ChatOptions, ChatTemplate, Error, SpecialTokens, Tokenizer, TokenizerFiles};
use serde_json::{Map, Value};

fn source(name: &str) -> String {
    std::fs::read_to_string(golden(&format!("chat_templates/templates/{name}.jinja"))).unwrap()
}

fn clock(goldens: &Value) -> Zoned {
    let clock: DateTime = goldens["clock"].as_str().unwrap().parse().unwrap();
    clock.to_zoned(TimeZone::UTC).unwrap()
}

fn turns(value: &Value) -> Vec<Map<String, Value>> {
    value.as_array().unwrap().iter().map(|turn| turn.as_object().unwrap().clone()).collect()
}

struct Case {
    name: String,
    golden: Value,
    special: SpecialTokens,
    turns: Vec<Map<String, Value>>,
    options: ChatOptions,
}

impl Case {
    fn label(&self) -> String {
        format!(
            "{} {} prompt={}",
            self.name, self.golden["conversation"], self.options.add_generation_prompt
        )
    }
}

fn cases() -> Vec<Case> {
    let goldens = json(golden("chat_templates/cases.json"));
    let mut cases = Vec::new();
    for (name, template) in goldens["templates"].as_object().unwrap() {
        let tokens = template["special_tokens"].as_object().unwrap();
        let special = SpecialTokens::new(
            tokens.iter().map(|(name, token)| (name.as_str(), token.as_str().unwrap())),
        );
        for case in template["cases"].as_array().unwrap() {
            let conversation = case["conversation"].as_str().unwrap();
            let messages = case.get("messages").unwrap_or(&goldens["conversations"][conversation]);
            let mut variables =
                case.get("kwargs").and_then(Value::as_object).cloned().unwrap_or_default();
            let options = ChatOptions {
                add_generation_prompt: case["add_generation_prompt"].as_bool().unwrap(),
                tools: variables.shift_remove("tools"),
                documents: variables.shift_remove("documents"),
                variables,
                now: Some(clock(&goldens)),
            };
            cases.push(Case {
                name: name.clone(),
                golden: case.clone(),
                special: special.clone(),
                turns: turns(messages),
                options,
            });
        }
    }
    assert_eq!(cases.len(), 144);
    cases
}

/// Spans in characters.
fn in_characters(text: &str, spans: &[std::ops::Range<usize>]) -> Vec<Vec<usize>> {
    spans
        .iter()
        .map(|span| vec![characters(text, span.start), characters(text, span.end)])
        .collect()
}

fn spans(value: &Value) -> Vec<Vec<usize>> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn texts_are_equal_to_the_letter() {
    for case in cases() {
        for suffix in ["", ".generation"] {
            let template =
                ChatTemplate::new(&source(&format!("{}{suffix}", case.name)), &case.special)
                    .unwrap();
            let rendered = template.render_turns(case.turns.clone(), &case.options);
            match case.golden.get("raises") {
                None => assert_eq!(
                    rendered.unwrap(),
                    case.golden["text"].as_str().unwrap(),
                    "{}{suffix}",
                    case.label()
                ),
                Some(raises) => {
                    let Err(Error::TemplateRaised { message }) = rendered else {
                        panic!("{}: {rendered:?}", case.label())
                    };
                    assert_eq!(raises["type"], "TemplateError");
                    assert_eq!(
                        message,
                        raises["message"].as_str().unwrap(),
                        "{}{suffix}",
                        case.label()
                    );
                }
            }
        }
    }
}

#[test]
fn spans_of_templates_with_marks_are_equal() {
    for case in cases() {
        let template =
            ChatTemplate::new(&source(&format!("{}.generation", case.name)), &case.special)
                .unwrap();
        assert!(template.marks_answers());
        let Ok(rendered) = template.render_turns_with_spans(case.turns.clone(), &case.options)
        else {
            assert!(case.golden.get("raises").is_some(), "{}", case.label());
            continue;
        };
        assert_eq!(
            in_characters(&rendered.text, &rendered.spans),
            spans(&case.golden["assistant_char_spans"]),
            "{}",
            case.label()
        );
        let bytes: Vec<Vec<usize>> =
            rendered.spans.iter().map(|span| vec![span.start, span.end]).collect();
        assert_eq!(bytes, spans(&case.golden["assistant_byte_spans"]), "{}", case.label());
    }
}

#[test]
fn spans_of_templates_without_marks_are_the_same() {
    for case in cases() {
        let template = ChatTemplate::new(&source(&case.name), &case.special).unwrap();
        assert!(!template.marks_answers());
        let Ok(rendered) = template.render_turns_with_spans(case.turns.clone(), &case.options)
        else {
            assert!(case.golden.get("raises").is_some(), "{}", case.label());
            continue;
        };
        let mut expected = spans(&case.golden["assistant_char_spans"]);
        // The header that this template gives for an answer opens a reasoning block. What the
        // header says is not learnt, so a turn that goes on from it begins after it.
        if case.name == "deepseek_think" {
            let opened = "<think>\n";
            for span in &mut expected {
                let start = rendered.text.char_indices().nth(span[0]).unwrap().0;
                if rendered.text[start..].starts_with(opened) {
                    span[0] += opened.len();
                }
            }
        }
        assert_eq!(in_characters(&rendered.text, &rendered.spans), expected, "{}", case.label());
    }
}

#[test]
fn token_masks_are_equal() {
    let goldens = json(golden("chat_templates/token_masks.json"));
    let cases = json(golden("chat_templates/cases.json"));
    let mut rows = 0;
    for (name, template) in goldens["templates"].as_object().unwrap() {
        let mut files =
            TokenizerFiles::from_folder(&golden(template["tokenizer"].as_str().unwrap())).unwrap();
        for suffix in ["", ".generation"] {
            files.chat_template = Some(source(&format!("{name}{suffix}")));
            let tokenizer = Tokenizer::new(files.clone()).unwrap();
            let options = ChatOptions { now: Some(clock(&cases)), ..ChatOptions::default() };
            for row in template["rows"].as_array().unwrap() {
                let label = format!("{name}{suffix} {}", row["conversation"]);
                let messages = &cases["conversations"][row["conversation"].as_str().unwrap()];
                let messages: Vec<Message> = serde_json::from_value(messages.clone()).unwrap();
                let chat = match (tokenizer.encode_chat(&messages, &options), row.get("raises")) {
                    (Ok(chat), None) => chat,
                    (Err(Error::TemplateRaised { .. }), Some(_)) => continue,
                    (result, _) => panic!("{label}: {result:?}"),
                };
                assert_eq!(chat.text, row["text"].as_str().unwrap(), "{label}");
                assert_eq!(chat.ids, ids(&row["input_ids"]), "{label}");
                let mut mask: Vec<bool> =
                    ids(&row["assistant_masks"]).iter().map(|&flag| flag == 1).collect();
                if label.starts_with("smollm2") && row["conversation"] == "whitespace_and_symbols" {
                    // transformers finds no token at the spaces that this answer begins with (its
                    // tokenizer leaves them out of the offsets) and gives up: its mask is empty and
                    // would teach nothing. The same text with another tokenizer shows the right one.
                    assert!(!mask.contains(&true), "{label}");
                    let trained = chat.ids.iter().zip(&chat.trained).filter(|(_, flag)| **flag);
                    let trained: Vec<u32> = trained.map(|(id, _)| *id).collect();
                    let said: String =
                        chat.spans.iter().map(|span| &chat.text[span.clone()]).collect();
                    assert_eq!(tokenizer.decode(&trained, false).unwrap(), said, "{label}");
                    mask.clone_from(&chat.trained);
                }
                let shown = tokenizer.show(&chat.ids, &chat.trained);
                let wrong: Vec<_> = shown
                    .iter()
                    .zip(&mask)
                    .filter(|(token, flag)| token.trained != **flag)
                    .collect();
                assert!(wrong.is_empty(), "{label}: {wrong:?}");
                assert_eq!(
                    chat.learns_to_stop(tokenizer.stop_ids()),
                    mask.contains(&true),
                    "{label}"
                );
                rows += 1;
            }
        }
    }
    assert!(rows >= 50, "{rows}");
}

#[test]
fn the_plain_template_ends_each_answer() {
    let tokenizer = Tokenizer::from_folder(&golden("models/gpt2")).unwrap();
    let messages = [
        Message::new("system", "Be kind. "),
        Message::new("user", "Hi"),
        Message::new("assistant", "Hello"),
        Message::new("tool", "5"),
        Message::new("assistant", "Five\n"),
    ];
    let chat = tokenizer.encode_chat(&messages, &ChatOptions::default()).unwrap();
    assert_eq!(
        chat.text,
        "Be kind.\n\n### Instruction:\nHi\n\n### Response:\nHello<|endoftext|>\n\n### Tool:\n5\n\n\
         ### Response:\nFive<|endoftext|>\n\n"
    );
    let spans: Vec<&str> = chat.spans.iter().map(|span| &chat.text[span.clone()]).collect();
    assert_eq!(spans, ["Hello<|endoftext|>", "Five<|endoftext|>"]);
    assert!(chat.learns_to_stop(tokenizer.stop_ids()));
    let asked = ChatOptions { add_generation_prompt: true, ..ChatOptions::default() };
    let prompt = tokenizer.chat_template().render(&messages[1..2], &asked).unwrap();
    assert_eq!(prompt, "### Instruction:\nHi\n\n### Response:\n");
}

#[test]
fn the_plain_template_begins_as_the_tokenizer_does() {
    let mut files = TokenizerFiles::from_folder(&golden("models/llama3_rope_untied")).unwrap();
    files.chat_template = None;
    let tokenizer = Tokenizer::new(files).unwrap();
    assert!(tokenizer.chat_template().is_builtin());
    let chat =
        tokenizer.encode_chat(&[Message::new("user", "Hi")], &ChatOptions::default()).unwrap();
    assert_eq!(chat.text, "<|begin_of_text|>### Instruction:\nHi\n\n");
    assert_eq!(chat.ids.first().copied(), tokenizer.bos());
}

#[test]
fn a_turn_is_not_taken_over_the_result_of_a_tool() {
    // Calls first, then the results, then what the same message says.
    let source = "{% for m in messages %}{% if m.role == 'assistant' %}<a>{% for c in m.tool_calls or [] %}\
        [{{ c.function.name }}]{% endfor %}{% for t in messages if t.role == 'tool' %}({{ t.content }}){% endfor %}\
        {{ m.content }}<end>{% elif m.role == 'user' %}<u>{{ m.content }}<end>{% endif %}{% endfor %}";
    let template = ChatTemplate::new(source, &SpecialTokens::default()).unwrap();
    let messages = serde_json::json!([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Five", "tool_calls": [{"function": {"name": "add", "arguments": {}}}]},
        {"role": "tool", "content": "5"},
    ]);
    let error =
        template.render_turns_with_spans(turns(&messages), &ChatOptions::default()).unwrap_err();
    assert_eq!(error.code(), "text.spans_not_found");
    assert!(error.to_string().contains("message 2"), "{error}");
}

#[test]
fn turns_are_found_in_templates_that_close_in_unusual_ways() {
    let conversation = [
        Message::new("user", "Hi"),
        Message::new("assistant", "Hello"),
        Message::new("user", "Bye"),
        Message::new("assistant", ""),
        Message::new("user", "Again"),
        Message::new("assistant", "Good bye"),
    ];
    let spans = |source: &str| {
        let special = SpecialTokens::new([("eos_token", "<eos>")]);
        let template = ChatTemplate::new(source, &special).unwrap();
        let rendered = template.render_with_spans(&conversation, &ChatOptions::default()).unwrap();
        rendered.spans.iter().map(|span| rendered.text[span.clone()].to_owned()).collect::<Vec<_>>()
    };
    let layout = |before: &str, middle: &str, last: &str| {
        format!(
            "{{% for m in messages %}}{{% if m.role == 'user' %}}<u>{{{{ m.content }}}}<end>{{% else %}}<a>{before}\
             {{{{ m.content }}}}{{% if loop.last %}}{last}{{% else %}}{middle}{{% endif %}}{{% endif %}}{{% endfor %}}\
             {{% if add_generation_prompt %}}<a>{{% endif %}}"
        )
    };
    // Another token at the end of the conversation.
    assert_eq!(
        spans(&layout("", "<end>", "<return>")),
        ["Hello<end>", "<end>", "Good bye<return>"]
    );
    // Two tokens in a row, of which the second is the model's own.
    let two = layout("", "<done><eos>", "<done><eos><more>");
    assert_eq!(spans(&two), ["Hello<done><eos>", "<done><eos>", "Good bye<done><eos>"]);
    // Something before the content that the header does not give.
    let thought = layout("<think></think>", "<end>", "<end>");
    assert_eq!(
        spans(&thought),
        ["<think></think>Hello<end>", "<think></think><end>", "<think></think>Good bye<end>"]
    );
    // No closing token at all: the separator, at least.
    assert_eq!(spans(&layout("", ";\n", ";\n")), ["Hello;\n", ";\n", "Good bye;\n"]);
}

#[test]
fn named_templates_are_chosen_by_tools() {
    let mut files = TokenizerFiles::from_folder(&golden("models/gpt2")).unwrap();
    files.tokenizer_config["chat_template"] = serde_json::json!([
        {"name": "tool_use", "template": "with {{ tools|length }} tools"},
        {"name": "default", "template": "without"},
    ]);
    let tokenizer = Tokenizer::new(files.clone()).unwrap();
    let messages = [Message::new("user", "Hi")];
    let render = |tools: Option<Value>| {
        let options = ChatOptions { tools, ..ChatOptions::default() };
        tokenizer.chat_template().render(&messages, &options).unwrap()
    };
    assert_eq!(render(None), "without");
    assert_eq!(render(Some(serde_json::json!([{}, {}]))), "with 2 tools");
    files.tokenizer_config["chat_template"] = serde_json::json!([{"name": "default"}]);
    assert_eq!(Tokenizer::new(files).unwrap_err().code(), "text.bad_file");
}
