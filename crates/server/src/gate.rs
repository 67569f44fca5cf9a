//! Who is let in: requests that were meant for this server, from those who may send them.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};

/// Why a request is turned away before it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It was meant for another server.
    Host,
    /// A page of another server sent it.
    Origin,
}

impl Refusal {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Host => "serve.host",
            Self::Origin => "serve.origin",
        }
    }

    /// One sentence.
    pub fn message(self, port: u16) -> String {
        match self {
            Self::Host => format!(
                "requests have to be sent to 127.0.0.1:{port} or localhost:{port}; for a tunnel \
                 from another machine use the same port on both sides"
            ),
            Self::Origin => "pages of other servers may not send requests here".to_owned(),
        }
    }
}

/// Which programs besides this server's own pages may send requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Senders {
    /// Only those that are no browser.
    Pages,
    /// Also those built like a browser whose pages come from no server (`vscode-webview://…`).
    Tools,
}

/// Turns away what was meant for another server or comes from another server's page.
///
/// # Errors
/// What was wrong.
pub fn admit(headers: &HeaderMap, port: u16, senders: Senders) -> Result<(), Refusal> {
    let ours = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let is_ours = |name: &[u8]| ours.iter().any(|our| name.eq_ignore_ascii_case(our.as_bytes()));

    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_ours(host.as_bytes()) => {}
        _ => return Err(Refusal::Host),
    }

    for origin in headers.get_all(ORIGIN) {
        let origin = origin.as_bytes();
        let is_own_page = origin.strip_prefix(b"http://").is_some_and(is_ours);
        let is_tool = senders == Senders::Tools && is_of_a_tool(origin);
        if !is_own_page && !is_tool {
            return Err(Refusal::Origin);
        }
    }
    Ok(())
}

/// Whether a page comes from no server: a browser gives the pages that it fetched `http://…`,
/// `https://…` or `null`.
fn is_of_a_tool(origin: &[u8]) -> bool {
    let scheme = str::from_utf8(origin).ok().and_then(|origin| origin.split_once("://"));
    scheme.is_some_and(|(scheme, _)| !["http", "https", "file"].contains(&scheme))
}

/// The key that a request shows: `Authorization: Bearer KEY`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use axum::http::HeaderName;

    use super::*;

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_requests_for_this_server_are_let_in() {
        let from = |host| admit(&headers(&[(HOST, host)]), 8080, Senders::Tools);
        for right in ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080"] {
            assert_eq!(from(right), Ok(()), "{right}");
        }
        for wrong in [
            "evil.example",
            "evil.example:8080",
            "127.0.0.1",
            "127.0.0.1:80800",
            "localhost.evil.example:8080",
            "[::1]:8080",
            "",
        ] {
            assert_eq!(from(wrong), Err(Refusal::Host), "{wrong}");
        }
        assert_eq!(admit(&HeaderMap::new(), 8080, Senders::Tools), Err(Refusal::Host));
        let mut twice = headers(&[(HOST, "localhost:8080")]);
        twice.append(HOST, "evil.example".parse().unwrap());
        assert_eq!(admit(&twice, 8080, Senders::Tools), Err(Refusal::Host));
    }

    #[test]
    fn pages_of_other_servers_are_not_let_in() {
        let from = |origin, senders| {
            admit(&headers(&[(HOST, "localhost:8080"), (ORIGIN, origin)]), 8080, senders)
        };
        for senders in [Senders::Pages, Senders::Tools] {
            assert_eq!(from("http://localhost:8080", senders), Ok(()));
            assert_eq!(from("http://127.0.0.1:8080", senders), Ok(()));
            for other in
                ["https://evil.example", "http://localhost:3000", "https://localhost:8080", "null"]
            {
                assert_eq!(from(other, senders), Err(Refusal::Origin), "{other}");
            }
        }
        assert_eq!(from("vscode-webview://abc", Senders::Tools), Ok(()));
        assert_eq!(from("vscode-webview://abc", Senders::Pages), Err(Refusal::Origin));
    }

    #[test]
    fn the_key_is_read_from_the_header() {
        let shown = |value| {
            let headers = headers(&[(AUTHORIZATION, value)]);
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(shown("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(shown("bearer  abc "), Some("abc".to_owned()));
        assert_eq!(shown("Basic abc"), None);
        assert_eq!(shown("abc"), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
