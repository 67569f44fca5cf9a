//! The template engine against Jinja2 as transformers sets it up: 636 expressions and templates
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
const DIFFERENT: &[(&str, Option<&str>)] = &[];

#[test]
fn renders_as_jinja2_does() {
    let goldens = json(fixture("python_parity.json"));
    let turns: Vec<Map<String, Value>> = serde_json::from_value(goldens["messages"].clone()).unwrap();
    let special = SpecialTokens::new([("eos_token", goldens["special_tokens"]["eos_token"].as_str().unwrap())]);
    let clock: DateTime = goldens["clock"].as_str().unwrap().parse().unwrap();
    let options = ChatOptions {
        variables: goldens["variables"].as_object().unwrap().clone(),
        now: Some(clock.to_zoned(TimeZone::UTC).unwrap()),
        ..ChatOptions::default()
    };
    let cases = goldens["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 636);
    let mut wrong = Vec::new();
    for case in cases {
        let source = case["template"].as_str().unwrap();
        let rendered = ChatTemplate::new(source, &special)
            .and_then(|template| template.render_turns_with_spans(turns.clone(), &options));
        let found = match &rendered {
            Ok(rendered) => Ok(rendered.text.as_str()),
            Err(error) => Err(error.to_string()),
        };
        let expected = case.get("text").map(|text| text.as_str().unwrap());
        let known = DIFFERENT.iter().find(|(template, _)| *template == source).map(|(_, text)| *text);
        if found.as_ref().ok().copied() != known.unwrap_or(expected) {
            wrong.push(format!("{source}\n  expected {expected:?}\n  found    {found:?}"));
            continue;
        }
        if let (Some(message), Err(error)) = (case.get("message"), &rendered) {
            let Error::TemplateRaised { message: found } = error else { panic!("{source}: {error}") };
            assert_eq!(found, message.as_str().unwrap(), "{source}");
        }
        if let (Some(spans), Ok(rendered)) = (case.get("spans"), &rendered) {
            let spans: Vec<Vec<usize>> = serde_json::from_value(spans.clone()).unwrap();
            let spans: Vec<Vec<usize>> = spans.into_iter().filter(|span| span[0] < span[1]).collect();
            let found: Vec<Vec<usize>> = rendered
                .spans
                .iter()
                .map(|span| vec![characters(&rendered.text, span.start), characters(&rendered.text, span.end)])
                .collect();
            if !source.contains("macro") && found != spans {
                wrong.push(format!("{source}\n  expected {spans:?}\n  found    {found:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
