//! Requests to a server: who may see the access token, redirects, and what a refusal means.

use std::time::{Duration, Instant};

use ureq::http::{HeaderValue, Response, StatusCode, Uri, header};
use ureq::{Agent, Body};

use crate::Error;

const HUB: &str = "https://huggingface.co";
/// The hub needs one or two.
const MOST_REDIRECTS: usize = 10;

/// Address of the Hugging Face hub, or of the mirror that `HF_ENDPOINT` names; without a
/// closing slash.
///
/// # Errors
/// [`Error::BadEndpoint`].
pub fn hub_endpoint() -> Result<String, Error> {
    match std::env::var_os("HF_ENDPOINT") {
        Some(value) if !value.is_empty() => check_endpoint(&value.to_string_lossy()),
        _ => Ok(HUB.to_owned()),
    }
}

/// The address of a hub or mirror as it is used: without spaces around it and without a
/// closing slash.
///
/// # Errors
/// [`Error::BadEndpoint`] when it does not begin with `https://` or `http://`, names no host, or
/// holds a password or a query.
pub fn check_endpoint(value: &str) -> Result<String, Error> {
    let address = value.trim().trim_end_matches('/');
    let plain = !address.contains(['@', '?', '#', ' ']);
    if plain && Origin::of(address).is_some() {
        return Ok(address.to_owned());
    }
    Err(Error::BadEndpoint { value: value.to_owned() })
}

/// The page where a model's conditions are accepted; a mirror has none.
pub(crate) fn page_of(model: &str) -> String {
    format!("{HUB}/{model}")
}

/// How long a server is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// With a server that says nothing.
    pub silence: Duration,
    /// Tries in a row that may bring nothing.
    pub tries: u32,
    /// Before the second try; doubled for each further one.
    pub pause: Duration,
}

impl Patience {
    /// For large files.
    pub(crate) const LONG: Self =
        Self { silence: Duration::from_secs(30), tries: 5, pause: Duration::from_secs(1) };
    /// When a person waits for the answer.
    pub(crate) const SHORT: Self =
        Self { silence: Duration::from_secs(15), tries: 3, pause: Duration::from_secs(1) };

    /// Waits before the next try, or until it is to stop.
    pub(crate) fn rest(self, fruitless: u32, stop: &dyn Fn() -> bool) {
        const NAP: Duration = Duration::from_millis(50);
        let end = Instant::now() + self.pause * 2u32.saturating_pow(fruitless.saturating_sub(1));
        while !stop() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(NAP));
        }
    }
}

/// What came of one request that did not fail for good.
pub(crate) enum Got {
    /// An answer with the status 200, 206 or 416.
    Answer(Response<Body>),
    /// The server could not be asked; why.
    Unreachable(String),
    /// The server has no time; why.
    Busy(String),
}

/// Asks servers, and keeps the access token from all but one of them.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    hub: Option<Hub>,
}

/// What is known when a model of the hub is asked for.
#[derive(Debug, Clone)]
struct Hub {
    endpoint: String,
    origin: Origin,
    model: String,
    token: Option<HeaderValue>,
}

/// What has to be the same for two addresses to be of one server.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Origin {
    fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        Some(Self { https, host, port })
    }

    /// Whether nobody on the way can read what is sent there.
    fn is_private(&self) -> bool {
        let host = self.host.trim_matches(['[', ']']);
        let is_here = |address: std::net::IpAddr| address.is_loopback();
        self.https || host == "localhost" || host.parse().is_ok_and(is_here)
    }
}

impl Client {
    /// A client without a token.
    pub(crate) fn new(patience: Patience) -> Self {
        let agent = Agent::config_builder()
            .user_agent(concat!("sanbao/", env!("CARGO_PKG_VERSION")))
            // A compressed piece could not be appended to an uncompressed one.
            .accept_encoding("identity")
            .http_status_as_error(false)
            // They are followed here: ureq takes another port of a host for the same server.
            .max_redirects(0)
            .timeout_resolve(Some(patience.silence))
            .timeout_connect(Some(patience.silence))
            .timeout_recv_response(Some(patience.silence))
            .timeout_per_read(Some(patience.silence))
            .build()
            .new_agent();
        Self { agent, hub: None }
    }

    /// A client for one model of a hub or mirror. The token is sent to the endpoint's own
    /// server and to no other.
    ///
    /// # Errors
    /// [`Error::BadEndpoint`]; [`Error::BadToken`] when the token cannot be one;
    /// [`Error::TokenInTheClear`] when it would travel unencrypted.
    pub(crate) fn of_hub(
        endpoint: &str,
        model: &str,
        token: Option<&str>,
        patience: Patience,
    ) -> Result<Self, Error> {
        let endpoint = check_endpoint(endpoint)?;
        let origin =
            Origin::of(&endpoint).ok_or_else(|| Error::BadEndpoint { value: endpoint.clone() })?;
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        if token.is_some() && !origin.is_private() {
            return Err(Error::TokenInTheClear { endpoint });
        }
        let token = token.map(secret).transpose()?;
        let hub = Hub { endpoint, origin, model: model.to_owned(), token };
        Ok(Self { hub: Some(hub), ..Self::new(patience) })
    }

    /// Asks for what is at `url`, from byte `from` on, and follows redirects.
    ///
    /// # Errors
    /// What the server's refusal means, [`Error::BadAnswer`] when it makes no sense.
    pub(crate) fn get(&self, url: &str, from: u64) -> Result<Got, Error> {
        let bad =
            |reason: &str| Error::BadAnswer { url: url.to_owned(), reason: reason.to_owned() };
        let mut at = url.to_owned();
        for _ in 0..=MOST_REDIRECTS {
            let origin = Origin::of(&at).ok_or_else(|| bad("it leads to no address"))?;
            let mut request = self.agent.get(&at);
            if from > 0 {
                request = request.header(header::RANGE, format!("bytes={from}-"));
            }
            if let Some(token) = self.token_for(&origin) {
                request = request.header(header::AUTHORIZATION, token);
            }
            let response = match request.call() {
                Ok(response) => response,
                Err(error @ (ureq::Error::BadUri(_) | ureq::Error::Http(_))) => {
                    return Err(bad(&error.to_string()));
                }
                Err(ureq::Error::Io(error)) => return Ok(Got::Unreachable(error.to_string())),
                Err(error) => return Ok(Got::Unreachable(error.to_string())),
            };
            if !is_redirect(response.status()) {
                return self.judge(url, &origin, response);
            }
            let location = response.headers().get(header::LOCATION);
            let location = location.and_then(|location| location.to_str().ok());
            at = location
                .and_then(|location| target(&at, location))
                .ok_or_else(|| bad("it redirects to no address"))?;
            if origin.https && Origin::of(&at).is_some_and(|next| !next.https) {
                return Err(bad("it redirects from an encrypted to an unencrypted address"));
            }
        }
        Err(bad("it redirects again and again"))
    }

    fn token_for(&self, origin: &Origin) -> Option<&HeaderValue> {
        let hub = self.hub.as_ref().filter(|hub| hub.origin == *origin)?;
        hub.token.as_ref()
    }

    fn judge(&self, url: &str, from: &Origin, response: Response<Body>) -> Result<Got, Error> {
        let status = response.status();
        match status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                return Ok(Got::Answer(response));
            }
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                return Ok(Got::Busy(format!("status {status}")));
            }
            status if status.is_server_error() => return Ok(Got::Busy(format!("status {status}"))),
            _ => {}
        }
        let forbidden = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        let missing = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let url = url.to_owned();
        match &self.hub {
            // The address that the hub gave has expired; it gives a new one.
            Some(hub) if forbidden && hub.origin != *from => {
                Ok(Got::Busy(format!("status {status} from {}", from.host)))
            }
            Some(hub) if forbidden || missing => Err(hub.refusal(url, missing, &response)),
            None if forbidden => Err(Error::Refused { url, status: status.as_u16() }),
            None if missing => Err(Error::NotFound { url }),
            _ => Err(Error::BadAnswer { url, reason: format!("status {status}") }),
        }
    }
}

impl Hub {
    /// The hub answers 401 for a model that does not exist, too, and tells in a header what it
    /// means; a simple mirror does not.
    fn refusal(&self, url: String, missing: bool, response: &Response<Body>) -> Error {
        let header = |name| {
            let value: Option<&HeaderValue> = response.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let model = self.model.clone();
        let is_file = !url.contains("/api/models/");
        match header("x-error-code") {
            "RepoNotFound" => Error::NoModel { model, endpoint: self.endpoint.clone() },
            _ if missing && is_file => Error::NotFound { url },
            _ if missing => Error::NoModel { model, endpoint: self.endpoint.clone() },
            _ if self.token.is_some() && header("x-error-message").contains("credentials") => {
                Error::BadToken { reason: "the hub does not know it".to_owned() }
            }
            _ => Error::Gated { page: page_of(&model), model },
        }
    }
}

fn secret(token: &str) -> Result<HeaderValue, Error> {
    let value = token.bytes().all(|byte| byte.is_ascii_graphic());
    let value = value.then(|| HeaderValue::from_str(&format!("Bearer {token}")).ok()).flatten();
    let mut value = value.ok_or_else(|| Error::BadToken {
        reason: "it holds characters that no token has".to_owned(),
    })?;
    // Left out of everything that is printed.
    value.set_sensitive(true);
    Ok(value)
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// The address that `location` means when it is said at the address `at`.
fn target(at: &str, location: &str) -> Option<String> {
    let location = location.trim();
    if location.is_empty() {
        return None;
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    if location.split_once(':').is_some_and(|(scheme, _)| scheme.bytes().all(is_letter)) {
        // A whole address; whether it is one that can be asked, its origin tells.
        return Some(location.to_owned());
    }
    let base: Uri = at.parse().ok()?;
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    if location.starts_with("//") {
        return Some(format!("{scheme}:{location}"));
    }
    if location.starts_with('/') {
        return Some(format!("{scheme}://{authority}{location}"));
    }
    if location.starts_with('?') {
        return Some(format!("{scheme}://{authority}{}{location}", base.path()));
    }
    let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("{scheme}://{authority}{folder}/{location}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn an_endpoint_is_an_address() {
        assert_eq!(check_endpoint("https://hub.example/").unwrap(), "https://hub.example");
        assert_eq!(check_endpoint(" http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(check_endpoint("https://a.example/hf/").unwrap(), "https://a.example/hf");
        for value in [
            "",
            "hub.example",
            "ftp://hub.example",
            "https://",
            "file:///etc/passwd",
            "https://huggingface.co@hub.example",
            "https://hub.example?x=",
            "https://hub example",
        ] {
            assert_eq!(check_endpoint(value).unwrap_err().code(), "hub.bad_endpoint", "{value}");
        }
    }

    #[test]
    fn a_redirect_leads_where_a_browser_would_go() {
        let at = "https://hub.example:8443/owner/name/resolve/main/config.json?x=1";
        for (location, expected) in [
            ("/api/cache/a", "https://hub.example:8443/api/cache/a"),
            ("//cdn.example/a", "https://cdn.example/a"),
            ("http://cdn.example/a?b=c", "http://cdn.example/a?b=c"),
            ("HTTPS://cdn.example/a", "HTTPS://cdn.example/a"),
            ("ftp://cdn.example/a", "ftp://cdn.example/a"),
            ("?page=a:b", "https://hub.example:8443/owner/name/resolve/main/config.json?page=a:b"),
            ("other.json", "https://hub.example:8443/owner/name/resolve/main/other.json"),
        ] {
            assert_eq!(target(at, location).as_deref(), Some(expected), "{location}");
        }
        assert_eq!(target(at, " "), None);
    }

    #[test]
    fn a_server_is_told_by_scheme_host_and_port() {
        let of = |url| Origin::of(url).unwrap();
        assert_eq!(of("https://Hub.example/a"), of("https://hub.example:443/b"));
        for other in [
            "http://hub.example/a",
            "https://hub.example:8443/a",
            "https://hub.example.evil.example/a",
            "https://hub.example@evil.example/a",
        ] {
            assert_ne!(of("https://hub.example/a"), of(other), "{other}");
        }
        assert_eq!(Origin::of("ftp://hub.example"), None);
    }

    #[test]
    fn a_token_does_not_travel_in_the_clear_and_is_not_printed() {
        let of = |endpoint: &str, token: &str| {
            Client::of_hub(endpoint, "owner/name", Some(token), Patience::SHORT)
        };
        for endpoint in ["https://hub.example", "http://127.0.0.1:1", "http://[::1]:1"] {
            let client = of(endpoint, " hf_secret\n").unwrap();
            assert!(!format!("{client:?}").contains("hf_secret"), "{endpoint}");
        }
        let code = |endpoint, token| of(endpoint, token).unwrap_err().code();
        assert_eq!(code("http://mirror.example", "hf_secret"), "hub.token_in_the_clear");
        for token in ["hf secret", "hf_\r\nX-Other: 1", "hf_秘密"] {
            assert_eq!(code("https://hub.example", token), "hub.bad_token", "{token}");
        }
        let none = of("http://mirror.example", " ").unwrap();
        assert!(none.hub.unwrap().token.is_none());
    }
}
