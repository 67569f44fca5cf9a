//! Errors as OpenAI's clients expect them.

use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};
use sanbao_contract::Fault;
use serde_json::{Value, json};

use crate::body::Unread;
use crate::gate::Refusal;
use crate::json::json as json_answer;

/// What the one who asked did wrong.
const INVALID: &str = "invalid_request_error";
/// What went wrong here.
const OURS: &str = "server_error";

/// Faults of a conversation or of how the answer is to be drawn. All others are not the doing of
/// the one who asked.
const OF_THE_QUESTION: &[&str] = &[
    "infer.bad_setting",
    "infer.empty",
    "infer.too_long",
    "text.empty_conversation",
    "text.template_failed",
    "text.template_limit",
    "text.template_raised",
];

/// An error with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    param: Option<String>,
    code: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into(), param: None, code: None }
    }

    fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    fn param(mut self, name: &str) -> Self {
        self.param = Some(name.to_owned());
        self
    }

    /// The body is no JSON object.
    pub fn not_json(reason: &str) -> Self {
        let message = format!("The body of the request has to be a JSON object: {reason}.");
        Self::new(StatusCode::BAD_REQUEST, INVALID, message)
    }

    /// A field that has to be there is not.
    pub fn missing(name: &str) -> Self {
        let message = format!("Missing required parameter: '{name}'.");
        Self::new(StatusCode::BAD_REQUEST, INVALID, message)
            .param(name)
            .code("missing_required_parameter")
    }

    /// A field is of another type.
    pub fn wrong_type(name: &str, expected: &str, got: &Value) -> Self {
        let got = match got {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        let message =
            format!("Invalid type for '{name}': expected {expected}, but got {got} instead.");
        Self::new(StatusCode::BAD_REQUEST, INVALID, message).param(name).code("invalid_type")
    }

    /// A field's value is not allowed.
    pub fn wrong_value(name: &str, expected: &str) -> Self {
        let message = format!("Invalid value for '{name}': expected {expected}.");
        Self::new(StatusCode::BAD_REQUEST, INVALID, message).param(name).code("invalid_value")
    }

    /// A field asks for what Sanbao cannot do.
    pub fn unsupported(name: &str, without: &str) -> Self {
        let message = format!("Unsupported parameter: '{name}'; {without}.");
        Self::new(StatusCode::BAD_REQUEST, INVALID, message)
            .param(name)
            .code("unsupported_parameter")
    }

    /// The body was not read.
    pub fn unread(unread: Unread, limit: usize) -> Self {
        match unread {
            Unread::TooLarge => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                INVALID,
                format!("The body of the request is larger than {limit} bytes."),
            )
            .code("request_too_large"),
            Unread::Broken => Self::not_json("it did not arrive whole"),
        }
    }

    /// A request that was meant for another server, or comes from another's page.
    pub fn refused(refusal: Refusal, port: u16) -> Self {
        Self::new(StatusCode::FORBIDDEN, INVALID, refusal.message(port)).code(refusal.code())
    }

    /// No key was shown.
    pub fn no_key() -> Self {
        let message = "You didn't provide an API key. Send the key that Sanbao shows beside the \
                       server's address in an Authorization header: 'Authorization: Bearer KEY'.";
        Self::new(StatusCode::UNAUTHORIZED, INVALID, message)
    }

    /// Another key was shown.
    pub fn wrong_key() -> Self {
        let message = "Incorrect API key provided. Sanbao makes a new key each time the server \
                       is started, and shows it beside the server's address.";
        Self::new(StatusCode::UNAUTHORIZED, INVALID, message).code("invalid_api_key")
    }

    /// There is nothing at this path.
    pub fn unknown_path(method: &str, path: &str) -> Self {
        let message = format!("Invalid URL ({method} {path})");
        Self::new(StatusCode::NOT_FOUND, INVALID, message).code("unknown_url")
    }

    /// There is something at this path, for another method.
    pub fn wrong_method(method: &str, path: &str) -> Self {
        let message = format!("Not allowed to {method} on {path}.");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, INVALID, message).code("method_not_supported")
    }

    /// Another model was asked for.
    pub fn unknown_model(asked: &str, served: &str) -> Self {
        let message = format!("The model '{asked}' does not exist; '{served}' is served here.");
        Self::new(StatusCode::NOT_FOUND, INVALID, message).param("model").code("model_not_found")
    }

    /// The model fell silent before its answer was complete.
    pub fn broken_off() -> Self {
        let message = "The model stopped before its answer was complete. Ask again.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, OURS, message)
    }

    /// What went wrong behind the API.
    pub fn of(fault: &Fault) -> Self {
        let (status, kind) = if OF_THE_QUESTION.contains(&fault.code.as_str()) {
            (StatusCode::BAD_REQUEST, INVALID)
        } else {
            (StatusCode::INTERNAL_SERVER_ERROR, OURS)
        };
        // The name that programs look for to shorten a conversation.
        let code = match fault.code.as_str() {
            "infer.too_long" => "context_length_exceeded",
            code => code,
        };
        Self::new(status, kind, fault.message.clone()).code(code)
    }

    /// What clients read.
    pub fn shown(&self) -> Value {
        json!({ "error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let answer = json_answer(self.status, &self.shown());
        if self.status == StatusCode::UNAUTHORIZED {
            ([(WWW_AUTHENTICATE, "Bearer")], answer).into_response()
        } else {
            answer
        }
    }
}
