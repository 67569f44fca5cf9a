//! An answer, whole or as it comes.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use futures_util::stream::unfold;
use sanbao_app::Heard;
use serde_json::{Value, json};

use super::error::ApiError;
use crate::engine::Words;
use crate::json::json as json_answer;
use crate::secret::random_hex;

/// A sign of life is sent when the model says nothing for so long.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What every part of an answer carries.
pub struct Head {
    id: String,
    created: u64,
    model: String,
}

impl Head {
    /// The head of a new answer.
    ///
    /// # Errors
    /// When there are no random numbers for its id.
    pub fn new(model: &str) -> Result<Self, ApiError> {
        let id = random_hex::<16>().map_err(|fault| ApiError::of(&fault))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(Self { id: format!("chatcmpl-{id}"), created: now.as_secs(), model: model.to_owned() })
    }

    fn chunk(&self, choices: &Value) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        })
    }
}

fn usage(prompt: u64, answer: u64) -> Value {
    json!({
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt.saturating_add(answer),
    })
}

/// Answers when the answer is complete. A client that goes away drops this, and so the words.
///
/// # Errors
/// When it does not become complete.
pub async fn whole(head: Head, mut words: Words) -> Result<Response, ApiError> {
    let mut text = String::new();
    loop {
        match words.next().await {
            None => return Err(ApiError::broken_off()),
            Some(Heard::Piece(piece)) => text += &piece,
            Some(Heard::Ended { fault: Some(fault), .. }) => return Err(ApiError::of(&fault)),
            Some(Heard::Ended { tokens, prompt_tokens, finish, .. }) => {
                let answer = json!({
                    "id": head.id,
                    "object": "chat.completion",
                    "created": head.created,
                    "model": head.model,
                    "choices": [{
                        "index": 0,
                        "message": { "role": "assistant", "content": text, "refusal": null },
                        "logprobs": null,
                        "finish_reason": finish,
                    }],
                    "usage": usage(prompt_tokens, tokens),
                });
                return Ok(json_answer(StatusCode::OK, &answer));
            }
        }
    }
}

/// Answers as the words come, with server-sent events.
///
/// # Errors
/// When nothing comes: until the first words there is still a status to tell it by.
pub async fn streamed(
    head: Head,
    mut words: Words,
    with_usage: bool,
) -> Result<Response, ApiError> {
    let first = match words.next().await {
        None => return Err(ApiError::broken_off()),
        Some(Heard::Ended { fault: Some(fault), .. }) => return Err(ApiError::of(&fault)),
        Some(first) => first,
    };
    let mut telling = Telling { head, words, with_usage, lines: VecDeque::new(), ended: false };
    telling.add(&json!({ "role": "assistant", "content": "", "refusal": null }), None);
    telling.hear(Some(first));
    let events = unfold(telling, |mut telling| async move {
        let line = telling.next_line().await?;
        Some((Ok::<_, Infallible>(Event::default().data(line)), telling))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response())
}

/// An answer that is being streamed.
struct Telling {
    head: Head,
    words: Words,
    with_usage: bool,
    lines: VecDeque<String>,
    ended: bool,
}

impl Telling {
    async fn next_line(&mut self) -> Option<String> {
        while self.lines.is_empty() && !self.ended {
            let heard = self.words.next().await;
            self.hear(heard);
        }
        self.lines.pop_front()
    }

    fn hear(&mut self, heard: Option<Heard>) {
        match heard {
            Some(Heard::Piece(text)) if text.is_empty() => {}
            Some(Heard::Piece(text)) => self.add(&json!({ "content": text }), None),
            Some(Heard::Ended { fault: None, tokens, prompt_tokens, finish, .. }) => {
                self.add(&json!({}), Some(&finish));
                if self.with_usage {
                    let mut chunk = self.head.chunk(&json!([]));
                    chunk["usage"] = usage(prompt_tokens, tokens);
                    self.lines.push_back(chunk.to_string());
                }
                self.end();
            }
            Some(Heard::Ended { fault: Some(fault), .. }) => self.fail(&ApiError::of(&fault)),
            None => self.fail(&ApiError::broken_off()),
        }
    }

    fn add(&mut self, delta: &Value, finish: Option<&str>) {
        let mut chunk = self.head.chunk(&json!([{
            "index": 0,
            "delta": delta,
            "logprobs": null,
            "finish_reason": finish,
        }]));
        if self.with_usage {
            chunk["usage"] = Value::Null;
        }
        self.lines.push_back(chunk.to_string());
    }

    /// The status is long sent; clients look for an `error` in what comes.
    fn fail(&mut self, error: &ApiError) {
        self.lines.push_back(error.shown().to_string());
        self.end();
    }

    fn end(&mut self) {
        self.lines.push_back("[DONE]".to_owned());
        self.ended = true;
    }
}
