//! What `/v1/chat/completions` is asked.

use sanbao_contract::Message;
use sanbao_contract::app::Sampling;
use serde_json::{Map, Value};

use super::error::ApiError;
use super::fields::Fields;

/// Texts that may end an answer. OpenAI takes four; more do no harm.
const MOST_STOPS: usize = 16;
/// Largest number that is sent on: programs in JavaScript know no larger whole ones.
const LARGE: i64 = (1 << 53) - 1;
/// What a turn may carry besides role and content, for templates that know it.
const EXTRAS: &[&str] = &["name", "tool_calls", "tool_call_id"];

/// A request for an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Name of the model.
    pub model: String,
    /// The conversation.
    pub messages: Vec<Message>,
    /// How the answer is drawn.
    pub sampling: Sampling,
    /// Whether it is sent as it comes.
    pub stream: bool,
    /// Whether the stream ends with the numbers of tokens.
    pub with_usage: bool,
}

impl Question {
    /// Understands the body of a request. Fields that nobody knows are passed over; those of
    /// OpenAI's that ask for something Sanbao cannot do are refused rather than not done.
    ///
    /// # Errors
    /// When a field is missing or makes no sense.
    pub fn read(body: &[u8]) -> Result<Self, ApiError> {
        let mut fields = Fields::read(body)?;
        refuse_what_cannot_be_done(&mut fields)?;
        let model = fields.text("model")?.ok_or_else(|| ApiError::missing("model"))?;
        let messages = match fields.take("messages") {
            None => return Err(ApiError::missing("messages")),
            Some(Value::Array(messages)) => messages,
            Some(other) => return Err(ApiError::wrong_type("messages", "an array", &other)),
        };
        if messages.is_empty() {
            return Err(ApiError::wrong_value("messages", "at least one message"));
        }
        let messages = messages.into_iter().enumerate();
        let messages = messages.map(|(at, value)| message(value, &format!("messages[{at}]")));
        let messages = messages.collect::<Result<_, _>>()?;
        let stream = fields.flag("stream")?.unwrap_or(false);
        let with_usage = match fields.take("stream_options") {
            None => false,
            Some(value) => {
                Fields::of(value, "stream_options")?.flag("include_usage")?.unwrap_or(false)
            }
        };
        let sampling = sampling(&mut fields)?;
        Ok(Self { model, messages, sampling, stream, with_usage })
    }
}

/// How answers are drawn when nothing is said, as everywhere in Sanbao.
fn usual() -> Sampling {
    Sampling {
        temperature: 0.7,
        top_p: 0.9,
        top_k: 50,
        min_p: 0.0,
        repetition_penalty: 1.0,
        max_new_tokens: 512,
        stop: Vec::new(),
        seed: 0,
    }
}

/// OpenAI's names, and for what OpenAI does not have those of other servers.
fn sampling(fields: &mut Fields) -> Result<Sampling, ApiError> {
    let usual = usual();
    // The newer name wins; the older one has to make sense all the same.
    let newer = fields.whole("max_completion_tokens", 1..=LARGE)?;
    let older = fields.whole("max_tokens", 1..=LARGE)?;
    let whole = |number: Option<i64>, usual: u64| number.map_or(usual, i64::unsigned_abs);
    let top_p = fields.number("top_p", 0.0..=1.0)?.unwrap_or(usual.top_p);
    Ok(Sampling {
        temperature: fields.number("temperature", 0.0..=2.0)?.unwrap_or(usual.temperature),
        // 0 stands for the likeliest token alone, as the smallest share above it does.
        top_p: top_p.max(f64::MIN_POSITIVE),
        top_k: whole(fields.whole("top_k", 0..=LARGE)?, usual.top_k),
        min_p: fields.number("min_p", 0.0..=1.0)?.unwrap_or(usual.min_p),
        repetition_penalty: fields
            .number("repetition_penalty", 0.01..=10.0)?
            .unwrap_or(usual.repetition_penalty),
        max_new_tokens: whole(newer.or(older), usual.max_new_tokens),
        stop: stops(fields.take("stop"))?,
        // Any number will do, as long as the same one stays the same.
        seed: fields.whole("seed", i64::MIN..=i64::MAX)?.map_or(usual.seed, i64::cast_unsigned),
    })
}

fn stops(value: Option<Value>) -> Result<Vec<String>, ApiError> {
    let texts = match value {
        None => return Ok(Vec::new()),
        Some(Value::Array(texts)) => texts,
        Some(text @ Value::String(_)) => vec![text],
        Some(other) => {
            return Err(ApiError::wrong_type("stop", "a string or an array of strings", &other));
        }
    };
    if texts.len() > MOST_STOPS {
        return Err(ApiError::wrong_value("stop", &format!("at most {MOST_STOPS} texts")));
    }
    let stop = |(at, text)| match text {
        Value::String(text) if text.is_empty() => {
            Err(ApiError::wrong_value("stop", "texts that are not empty"))
        }
        Value::String(text) => Ok(text),
        other => Err(ApiError::wrong_type(&format!("stop[{at}]"), "a string", &other)),
    };
    texts.into_iter().enumerate().map(stop).collect()
}

fn message(value: Value, place: &str) -> Result<Message, ApiError> {
    let mut fields = Fields::of(value, place)?;
    let role_name = fields.name("role");
    let role = fields.text("role")?.ok_or_else(|| ApiError::missing(&role_name))?;
    let role = match role.as_str() {
        // What OpenAI calls the system prompt of its newer models.
        "developer" => "system".to_owned(),
        "system" | "user" | "assistant" | "tool" => role,
        _ => return Err(ApiError::wrong_value(&role_name, "system, user, assistant or tool")),
    };
    let content_name = fields.name("content");
    let content = match fields.take("content") {
        None if role == "assistant" => None,
        None => return Err(ApiError::missing(&content_name)),
        Some(Value::String(text)) => Some(text),
        Some(Value::Array(parts)) => Some(text_of(parts, &content_name)?),
        Some(other) => {
            let expected = "a string or an array of text parts";
            return Err(ApiError::wrong_type(&content_name, expected, &other));
        }
    };
    let extra: Map<String, Value> =
        EXTRAS.iter().filter_map(|name| Some(((*name).to_owned(), fields.take(name)?))).collect();
    Ok(Message { role, content, extra })
}

/// The text of a content that comes in parts.
fn text_of(parts: Vec<Value>, place: &str) -> Result<String, ApiError> {
    let mut whole = String::new();
    for (at, part) in parts.into_iter().enumerate() {
        let mut part = Fields::of(part, &format!("{place}[{at}]"))?;
        let (kind, text) = (part.name("type"), part.name("text"));
        if part.text("type")?.as_deref() != Some("text") {
            return Err(ApiError::wrong_value(&kind, "text; the model reads nothing else"));
        }
        whole += &part.text("text")?.ok_or_else(|| ApiError::missing(&text))?;
    }
    Ok(whole)
}

fn refuse_what_cannot_be_done(fields: &mut Fields) -> Result<(), ApiError> {
    if fields.whole("n", 1..=LARGE)?.is_some_and(|answers| answers > 1) {
        return Err(ApiError::unsupported("n", "one answer at a time is given, so leave it out"));
    }
    for penalty in ["presence_penalty", "frequency_penalty"] {
        if fields.number(penalty, -2.0..=2.0)?.is_some_and(|penalty| penalty != 0.0) {
            let without = "leave it out, or use repetition_penalty";
            return Err(ApiError::unsupported(penalty, without));
        }
    }
    if fields.flag("logprobs")? == Some(true) {
        return Err(ApiError::unsupported("logprobs", "probabilities are not given"));
    }
    for name in ["tools", "functions", "logit_bias"] {
        let asks = fields.take(name).is_some_and(|value| match value {
            Value::Array(list) => !list.is_empty(),
            Value::Object(map) => !map.is_empty(),
            _ => true,
        });
        if asks {
            return Err(ApiError::unsupported(name, "leave it out"));
        }
    }
    if let Some(value) = fields.take("response_format") {
        let kind = Fields::of(value, "response_format")?.text("type")?;
        if kind.is_some_and(|kind| kind != "text") {
            return Err(ApiError::unsupported("response_format", "answers are plain text"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
