#![allow(clippy::unwrap_used, clippy::expect_used)]
use serde_json::json;

use super::*;

/// The smallest question with other fields.
fn with(fields: &Value) -> Vec<u8> {
    let mut question = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]});
    let object = question.as_object_mut().unwrap();
    object.extend(fields.as_object().unwrap().clone());
    question.to_string().into_bytes()
}

fn read(fields: &Value) -> Question {
    Question::read(&with(fields)).unwrap()
}

/// `(param, code)` of the error.
fn refused(fields: &Value) -> (Value, Value) {
    let error = Question::read(&with(fields)).unwrap_err().shown();
    (error["error"]["param"].clone(), error["error"]["code"].clone())
}

#[test]
fn what_is_not_said_is_as_usual() {
    let question = read(&json!({}));
    assert_eq!(question.sampling, usual());
    assert_eq!(question.messages, [Message::new("user", "Hi")]);
    assert!(!question.stream && !question.with_usage);
    let nothing = json!({"temperature": null, "stop": null, "n": null, "stream_options": null,
        "tools": [], "logit_bias": {}, "response_format": {"type": "text"}, "user": "me",
        "presence_penalty": 0, "logprobs": false, "n": 1, "of_no_meaning": [1]});
    assert_eq!(read(&nothing), question);
}

#[test]
fn what_is_said_holds() {
    let question = read(&json!({
        "temperature": 0, "top_p": 1, "max_tokens": 7, "stop": "END", "seed": -1, "stream": true,
        "stream_options": {"include_usage": true}, "top_k": 0, "min_p": 0.1,
        "repetition_penalty": 1.1,
    }));
    let expected = Sampling {
        temperature: 0.0,
        top_p: 1.0,
        top_k: 0,
        min_p: 0.1,
        repetition_penalty: 1.1,
        max_new_tokens: 7,
        stop: vec!["END".to_owned()],
        seed: u64::MAX,
    };
    assert_eq!(question.sampling, expected);
    assert!(question.stream && question.with_usage);

    let both = read(&json!({"max_tokens": 7, "max_completion_tokens": 9, "stop": ["a", "b"]}));
    assert_eq!(both.sampling.max_new_tokens, 9);
    assert_eq!(both.sampling.stop, ["a", "b"]);
    assert!(read(&json!({"top_p": 0})).sampling.top_p > 0.0);
}

#[test]
fn what_makes_no_sense_is_named() {
    let (wrong_type, wrong_value) = (json!("invalid_type"), json!("invalid_value"));
    for (fields, param, code) in [
        (json!({"temperature": "hot"}), "temperature", &wrong_type),
        (json!({"temperature": 2.5}), "temperature", &wrong_value),
        (json!({"top_p": -0.1}), "top_p", &wrong_value),
        (json!({"max_tokens": 0}), "max_tokens", &wrong_value),
        (json!({"max_tokens": 1.5}), "max_tokens", &wrong_type),
        (json!({"seed": 1e30}), "seed", &wrong_type),
        (json!({"stop": 3}), "stop", &wrong_type),
        (json!({"stop": ["a", 3]}), "stop[1]", &wrong_type),
        (json!({"stop": ""}), "stop", &wrong_value),
        (json!({"stop": vec!["x"; 17]}), "stop", &wrong_value),
        (json!({"stream": "yes"}), "stream", &wrong_type),
        (json!({"stream_options": true}), "stream_options", &wrong_type),
        (
            json!({"stream_options": {"include_usage": 1}}),
            "stream_options.include_usage",
            &wrong_type,
        ),
        (json!({"model": 5}), "model", &wrong_type),
        (json!({"messages": "Hi"}), "messages", &wrong_type),
        (json!({"messages": []}), "messages", &wrong_value),
        (json!({"messages": ["Hi"]}), "messages[0]", &wrong_type),
        (json!({"messages": [{"role": "king", "content": ""}]}), "messages[0].role", &wrong_value),
        (json!({"messages": [{"role": "user", "content": 1}]}), "messages[0].content", &wrong_type),
        (
            json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}),
            "messages[0].content[0].type",
            &wrong_value,
        ),
    ] {
        assert_eq!(refused(&fields), (json!(param), code.clone()), "{fields}");
    }
    let missing = json!("missing_required_parameter");
    assert_eq!(refused(&json!({"model": null})), (json!("model"), missing.clone()));
    assert_eq!(refused(&json!({"messages": null})), (json!("messages"), missing.clone()));
    let silent = json!({"messages": [{"role": "user"}]});
    assert_eq!(refused(&silent), (json!("messages[0].content"), missing));
    for body in ["", "{", "[]", "\u{0}", "{\"model\": \"m\"} {}"] {
        assert!(Question::read(body.as_bytes()).is_err(), "{body}");
    }
    assert!(Question::read(&[b'['; 100_000]).is_err(), "nested without end");
}

#[test]
fn what_cannot_be_done_is_refused() {
    for (fields, param) in [
        (json!({"n": 2}), "n"),
        (json!({"frequency_penalty": 0.5}), "frequency_penalty"),
        (json!({"logprobs": true}), "logprobs"),
        (json!({"tools": [{"type": "function"}]}), "tools"),
        (json!({"response_format": {"type": "json_object"}}), "response_format"),
    ] {
        assert_eq!(refused(&fields), (json!(param), json!("unsupported_parameter")), "{fields}");
    }
}

#[test]
fn conversations_are_read_in_all_their_forms() {
    let messages = json!({"messages": [
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]},
        {"role": "assistant", "content": null, "tool_calls": [1], "refusal": null, "other": 2},
        {"role": "tool", "content": "4", "tool_call_id": "x"},
    ]});
    let read = read(&messages).messages;
    assert_eq!(read[0], Message::new("system", "Be kind."));
    assert_eq!(read[1], Message::new("user", "AB"));
    assert_eq!((read[2].content.as_ref(), &read[2].extra["tool_calls"]), (None, &json!([1])));
    assert_eq!(read[2].extra.len(), 1);
    assert_eq!(read[3].extra["tool_call_id"], "x");
}
