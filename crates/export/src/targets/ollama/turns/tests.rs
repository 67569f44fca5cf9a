#![allow(clippy::unwrap_used, clippy::expect_used)]
use std::path::Path;

use sanbao_text::TokenizerFiles;

use super::*;

/// A small tokenizer with one of the goldens' chat templates.
fn tokenizer(template: Option<&str>) -> Tokenizer {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/goldens"));
    let mut files =
        TokenizerFiles::from_folder(&fixtures.join("models/llama3_rope_untied")).unwrap();
    files.chat_template = template.map(|name| {
        let path = fixtures.join("chat_templates/templates").join(format!("{name}.jinja"));
        std::fs::read_to_string(path).unwrap()
    });
    Tokenizer::new(files).unwrap()
}

#[test]
fn the_usual_layouts_are_found() {
    for name in [
        "chatml",
        "smollm2",
        "llama3",
        "gemma",
        "phi3",
        "mistral_instruct",
        "zephyr",
        "vicuna",
        "alpaca",
    ] {
        let turns = Turns::find(&tokenizer(Some(name)));
        let turns = turns.unwrap_or_else(|| panic!("{name} is not understood"));
        insta::assert_snapshot!(name, turns.go_template());
    }
}

#[test]
fn base_models_have_the_plain_layout() {
    let turns = Turns::find(&tokenizer(None)).unwrap();
    insta::assert_snapshot!("plain", turns.go_template());
}

#[test]
fn a_template_that_is_no_simple_layout_is_not_believed() {
    for source in [
        "{% for m in messages %}{{ m.content[:5] }}{% endfor %}",
        "{% for m in messages %}<{{ loop.index }}>{{ m.content }}{% endfor %}",
        "{{ raise_exception('no') }}",
        "{{ messages|length }}",
    ] {
        let mut files = tokenizer(None).files().clone();
        files.chat_template = Some(source.to_owned());
        assert_eq!(Turns::find(&Tokenizer::new(files).unwrap()), None, "{source}");
    }
}

#[test]
fn braces_of_the_layout_are_not_taken_for_code() {
    let mut files = tokenizer(None).files().clone();
    files.chat_template =
        Some("{% for m in messages %}{{ '{{' + m.role + '}}' }}{{ m.content }};{% endfor %}{% if add_generation_prompt %}{{ '{{assistant}}' }}{% endif %}".into());
    let turns = Turns::find(&Tokenizer::new(files).unwrap()).unwrap();
    assert!(
        turns.go_template().contains(";{{ \"{{\" }}assistant}}{{ else"),
        "{}",
        turns.go_template()
    );
}
