//! The template engine against Jinja2 as transformers sets it up: 655 expressions and templates
//! rendered by transformers 5.23.0 with Jinja2 3.1.6 on CPython 3.11.7 (fixtures/python_parity.json).
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::{characters, fixture, json};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sanbao_text::{ChatOptions, ChatTemplate, Error, SpecialTokens};
use serde_json::{Map, Value};

/// Where the engine is known to differ, with what it gives instead (`None`: an error). Each of
/// these stands for something that no chat template does.
const DIFFERENT: &[(&str, Option<&str>)] = &[
    // Values of different kinds have an order here, and some things that are no lists or numbers
    // are passed over, where Python refuses.
    ("{{ [1,'a']|sort }}", Some("[1, 'a']")),
    ("{{ 1 < 'a' }}", Some("True")),
    ("{{ none|join }}", Some("")),
    ("{{ l|sum('x') }}", Some("0")),
    ("{{ {[]: 1} }}", Some("{[]: 1}")),
    // `attr` looks only at attributes in Python, which a dictionary does not have for its keys.
    ("{{ d|attr('b') }}", Some("1")),
    ("{% for i in x %}a{% else %}b{% endfor %}", Some("b")),
    // A namespace is a mapping here.
    ("{{ namespace(a=1) is iterable }}", Some("True")),
    (
        "{{ namespace(a=1) is mapping }}{{ caller is defined }}{{ loop is defined }}",
        Some("TrueFalseFalse"),
    ),
];

#[test]
fn renders_as_jinja2_does() {
    let goldens = json(fixture("python_parity.json"));
    let turns: Vec<Map<String, Value>> =
        serde_json::from_value(goldens["messages"].clone()).unwrap();
    let special = SpecialTokens::new([(
        "eos_token",
        goldens["special_tokens"]["eos_token"].as_str().unwrap(),
    )]);
    let clock: DateTime = goldens["clock"].as_str().unwrap().parse().unwrap();
    let options = ChatOptions {
        variables: goldens["variables"].as_object().unwrap().clone(),
        now: Some(clock.to_zoned(TimeZone::UTC).unwrap()),
        ..ChatOptions::default()
    };
    let cases = goldens["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 655);
    let mut wrong = Vec::new();
    for case in cases {
        let source = case["template"].as_str().unwrap();
        let template = ChatTemplate::new(source, &special);
        let rendered = template.as_ref().map_err(ToString::to_string).and_then(|template| {
            template.render_turns(turns.clone(), &options).map_err(|error| match error {
                Error::TemplateRaised { message } => message,
                error => error.to_string(),
            })
        });
        let found = rendered.as_ref().map(String::as_str);
        let expected = case.get("text").map(|text| text.as_str().unwrap());
        let known =
            DIFFERENT.iter().find(|(template, _)| *template == source).map(|(_, text)| *text);
        if found.ok() != known.unwrap_or(expected) {
            wrong.push(format!("{source}\n  expected {expected:?}\n  found    {found:?}"));
            continue;
        }
        if let Some(message) = case.get("message") {
            assert_eq!(found.unwrap_err(), message.as_str().unwrap(), "{source}");
        }
        if let (Some(spans), Ok(template)) = (case.get("spans"), &template)
            && template.marks_answers()
        {
            let spans: Vec<Vec<usize>> = serde_json::from_value(spans.clone()).unwrap();
            let spans: Vec<Vec<usize>> =
                spans.into_iter().filter(|span| span[0] < span[1]).collect();
            let rendered = template.render_turns_with_spans(turns.clone(), &options).unwrap();
            let found: Vec<Vec<usize>> = rendered
                .spans
                .iter()
                .map(|span| {
                    vec![
                        characters(&rendered.text, span.start),
                        characters(&rendered.text, span.end),
                    ]
                })
                .collect();
            if found != spans {
                wrong.push(format!("{source}\n  expected {spans:?}\n  found    {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
