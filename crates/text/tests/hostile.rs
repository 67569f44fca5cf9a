//! Files and templates made to do harm: every one ends in an error or a result, in time.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::{Duration, Instant};

use common::golden;
use proptest::prelude::*;
use sanbao_contract::Message;
use sanbao_text::{ChatOptions, ChatTemplate, Error, SpecialTokens, Tokenizer, TokenizerFiles};
use serde_json::{Value, json};

fn render(source: &str) -> Result<String, Error> {
    let template = ChatTemplate::new(source, &SpecialTokens::default())?;
    template.render(&[Message::new("user", "Hi")], &ChatOptions::default())
}

#[test]
fn bombs_are_stopped() {
    let nest = "{% set ns = namespace(x=[]) %}{% for i in range(300) %}{% for j in range(900) %}\
                {% set ns.x = [ns.x] %}{% endfor %}{% endfor %}";
    let double = "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}";
    for source in [
        "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}"
            .to_owned(),
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".to_owned(),
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}".to_owned(),
        format!("{nest}{{{{ ns.x }}}}"),
        format!("{nest}{{{{ ns.x|tojson }}}}"),
        double.to_owned(),
        "{{ 'x' * 99999999999 }}".to_owned(),
        "{{ ('x' * 9999999).replace('x', 'y' * 999999) }}".to_owned(),
        "{{ '%999999999d' % 1 }}".to_owned(),
        "{{ '{:999999999}'.format(1) }}".to_owned(),
        "{{ 'x'.center(9999999999) }}".to_owned(),
        "{{ 'x'|center(9999999999) }}".to_owned(),
        "{{ 'a\nb'|indent(99999999999) }}".to_owned(),
        "{{ range(99999999999)|list }}".to_owned(),
        "{{ 'x'.join(['y' * 9999999] * 9999999) }}".to_owned(),
    ] {
        let start = Instant::now();
        let result = render(&source);
        assert!(result.is_err(), "{source}: {} bytes", result.unwrap().len());
        assert!(start.elapsed() < Duration::from_secs(30), "{source}");
    }
}

#[test]
fn values_that_hold_each_other_many_times_are_stopped() {
    let source = "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}";
    for use_it in
        ["{{ ns.x }}", "{{ ns.x|string|length }}", "{{ ns.x|tojson }}", "{{ '%s' % [ns.x] }}"]
    {
        let error = render(&format!("{source}{use_it}")).unwrap_err();
        assert!(
            matches!(error, Error::TemplateLimit { .. } | Error::TemplateFailed { .. }),
            "{error}"
        );
    }
}

#[test]
fn deep_expressions_do_not_exhaust_the_stack() {
    let room = 250_000;
    for (open, close) in [
        ("not ", ""),
        ("-", ""),
        ("(", ")"),
        ("[", "]"),
        ("", "+1"),
        ("", "|e"),
        ("", ".a"),
        ("", "[1]"),
    ] {
        let count = room / (open.len() + close.len());
        let source = format!("{{{{ {}1{} }}}}", open.repeat(count), close.repeat(count));
        // Any result is good, as long as there is one.
        let _ = render(&source);
    }
    for tag in ["{% if 1 %}", "{% for x in y %}", "{% with %}", "{% generation %}"] {
        let _ = render(&tag.repeat(room / tag.len()));
    }
}

#[test]
fn large_templates_and_empty_conversations_are_refused() {
    assert_eq!(render(&"x".repeat(300_000)).unwrap_err().code(), "text.template_too_large");
    let template = ChatTemplate::new("x", &SpecialTokens::default()).unwrap();
    assert_eq!(
        template.render(&[], &ChatOptions::default()).unwrap_err().code(),
        "text.empty_conversation"
    );
}

#[test]
fn long_conversations_have_the_fuel_they_need() {
    let source =
        std::fs::read_to_string(golden("chat_templates/templates/qwen_tools.jinja")).unwrap();
    let template =
        ChatTemplate::new(&source, &SpecialTokens::new([("eos_token", "<|im_end|>")])).unwrap();
    let messages: Vec<Message> = (0..2000)
        .map(|turn| {
            Message::new(
                if turn % 2 == 0 { "user" } else { "assistant" },
                "words and more words ".repeat(20),
            )
        })
        .collect();
    let text = template.render(&messages, &ChatOptions::default()).unwrap();
    assert!(text.len() > 800_000);
    let long = [Message::new("user", "x".repeat(20 << 20))];
    assert!(template.render(&long, &ChatOptions::default()).unwrap().len() > 20 << 20);
}

#[test]
fn errors_name_line_and_reason() {
    let error = render("line one\n{% if %}").unwrap_err();
    assert!(matches!(error, Error::TemplateSyntax { line: 2, .. }), "{error}");
    let error = render("one\n\n{{ messages[0].nothing.at_all }}").unwrap_err();
    assert!(matches!(error, Error::TemplateFailed { line: 3, .. }), "{error}");
    let error = render("{{ raise_exception('no!') }}").unwrap_err();
    assert_eq!(error.to_string(), "The model's chat template refuses this conversation: no!");
}

fn files() -> TokenizerFiles {
    TokenizerFiles::from_folder(&golden("models/llama_gqa_tied")).unwrap()
}

#[test]
fn damaged_tokenizers_are_refused() {
    for text in
        ["", "{}", "[]", "null", "{\"model\": {}}", "{\"version\": \"2.0\"}", &"[".repeat(100_000)]
    {
        let broken =
            TokenizerFiles { tokenizer_json: text.to_owned(), ..TokenizerFiles::default() };
        assert_eq!(Tokenizer::new(broken).unwrap_err().code(), "text.bad_file", "{text:.20}");
    }
    let whole = files().tokenizer_json;
    for end in
        (0..whole.len()).step_by(whole.len() / 50 + 1).map(|end| whole.floor_char_boundary(end))
    {
        let cut = TokenizerFiles { tokenizer_json: whole[..end].to_owned(), ..files() };
        assert_eq!(Tokenizer::new(cut).unwrap_err().code(), "text.bad_file");
    }
}

/// Values to put in place of others.
fn wrong() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!("▁")),
        Just(json!(-1)),
        Just(json!(u64::MAX)),
        Just(json!(true)),
        Just(json!({"type": "ByteLevel"})),
        Just(json!({"Regex": "("})),
        Just(json!({"String": ""})),
        Just(json!(["a", "b"])),
    ]
}

/// Replaces the value at the `place`-th node of a JSON tree, not going into long lists.
fn replace(tree: &mut Value, place: &mut usize, value: &Value) {
    if *place == 0 {
        *tree = value.clone();
        *place = usize::MAX;
        return;
    }
    *place = place.saturating_sub(1);
    match tree {
        Value::Array(items) => items.iter_mut().take(6).for_each(|item| {
            if *place != usize::MAX {
                replace(item, place, value);
            }
        }),
        Value::Object(fields) => fields.values_mut().take(9).for_each(|item| {
            if *place != usize::MAX {
                replace(item, place, value);
            }
        }),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn tokenizers_with_one_wrong_value_work_or_are_refused(
        name in prop::sample::select(vec!["bert_cls", "gemma3", "llama3_rope_untied", "mistral_sliding", "roberta_cls"]),
        mut place in 0_usize..120,
        value in wrong(),
        config: bool,
        text in "\\PC{0,12}",
    ) {
        let mut files = TokenizerFiles::from_folder(&golden(&format!("models/{name}"))).unwrap();
        if config {
            replace(&mut files.tokenizer_config, &mut place, &value);
        } else {
            let mut tree: Value = serde_json::from_str(&files.tokenizer_json).unwrap();
            replace(&mut tree, &mut place, &value);
            files.tokenizer_json = tree.to_string();
        }
        if let Ok(tokenizer) = Tokenizer::new(files) {
            if let Ok(ids) = tokenizer.encode(&text, true) {
                let _ = tokenizer.decode(&ids, false);
                tokenizer.show(&ids, &[]);
            }
            let _ = tokenizer.encode_chat(&[Message::new("user", text)], &ChatOptions::default());
        }
    }

    #[test]
    fn streams_equal_whole_texts(ids in prop::collection::vec(0_u32..420, 0..60), skip: bool) {
        for name in ["llama_gqa_tied", "gemma3", "mistral_sliding"] {
            let tokenizer = Tokenizer::from_folder(&golden(&format!("models/{name}"))).unwrap();
            let mut decoder = tokenizer.decoder(skip);
            let mut streamed = String::new();
            for &id in &ids {
                streamed.extend(decoder.push(id));
            }
            streamed.extend(decoder.finish());
            let whole = tokenizer.decode(&ids, skip).unwrap();
            // Random ids give broken characters, which may be cut at another place.
            if !whole.contains('\u{fffd}') {
                prop_assert_eq!(streamed, whole);
            }
        }
    }

    #[test]
    fn text_survives_encoding_and_streaming(text in "(\\PC|[\\n\\t 鲸🐳é]){0,40}") {
        let tokenizer = Tokenizer::from_folder(&golden("models/llama_gqa_tied")).unwrap();
        let ids = tokenizer.encode(&text, false).unwrap();
        prop_assert_eq!(tokenizer.decode(&ids, false).unwrap(), text.clone());
        let mut decoder = tokenizer.decoder(false);
        let mut streamed = String::new();
        for id in ids {
            streamed.extend(decoder.push(id));
        }
        streamed.extend(decoder.finish());
        prop_assert_eq!(streamed, text);
    }

    #[test]
    fn any_template_source_is_answered(pieces in prop::collection::vec(prop::sample::select(vec![
        "{% for m in messages %}", "{% endfor %}", "{{ m.content }}", "{{ m['role'] ~ 1 }}", "{% if m.role == 'user' %}",
        "{% else %}", "{% endif %}", "{% generation %}", "{%- endgeneration -%}", "{{ '%s' % m }}", "{{ messages|tojson }}",
        "{% set x = messages[1:] %}", "{{ x|length % 2 }}", "\n", "text ", "{#", "#}", "{% raw %}", "{% endraw %}",
        "{{ strftime_now('%Y') }}", "{{ m.content.split()[0] }}", "{% macro f(a) %}", "{% endmacro %}", "{{ f(1) }}",
    ]), 0..20)) {
        if let Ok(template) = ChatTemplate::new(&pieces.concat(), &SpecialTokens::default()) {
            let messages = [Message::new("user", "Hi there"), Message::new("assistant", "Hello %s {{ x }}")];
            if let Ok(rendered) = template.render_with_spans(&messages, &ChatOptions::default()) {
                prop_assert_eq!(&template.render(&messages, &ChatOptions::default()).unwrap(), &rendered.text);
                for span in rendered.spans {
                    prop_assert!(rendered.text.get(span).is_some());
                }
            }
        }
    }

    #[test]
    fn what_the_assistant_says_is_found_in_every_template(
        name in prop::sample::select(vec![
            "alpaca", "chatml", "command", "gemma", "llama3", "mistral_instruct", "phi3", "qwen_tools", "smollm2", "vicuna", "zephyr",
        ]),
        words in prop::collection::vec("[a-zA-Z0-9 .,<>|鲸é\\n]{0,12}[a-z鲸]", 2..9),
    ) {
        let source = |suffix: &str| {
            std::fs::read_to_string(golden(&format!("chat_templates/templates/{name}{suffix}.jinja"))).unwrap()
        };
        let special = SpecialTokens::new([("bos_token", "<s>"), ("eos_token", "</s>")]);
        let messages: Vec<Message> = words
            .iter()
            .enumerate()
            .map(|(turn, word)| Message::new(if turn % 2 == 0 { "user" } else { "assistant" }, word))
            .collect();
        let spans = |source: String| {
            ChatTemplate::new(&source, &special).unwrap().render_with_spans(&messages, &ChatOptions::default()).unwrap()
        };
        prop_assert_eq!(spans(source("")), spans(source(".generation")));
    }
}
