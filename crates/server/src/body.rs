//! Reading what a request carries.

use axum::body::Body;
use futures_util::StreamExt;

/// Bytes that are listened to beyond what is allowed. Many clients look for an answer only when
/// they have sent everything, and would otherwise see a broken connection instead.
const HEARD_OUT: usize = 16 << 20;

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// It is larger than allowed.
    TooLarge,
    /// It did not arrive whole.
    Broken,
}

/// Reads a body of at most `limit` bytes.
///
/// # Errors
/// When it is larger, or does not arrive whole.
pub async fn read(body: Body, limit: usize) -> Result<Vec<u8>, Unread> {
    let mut chunks = body.into_data_stream();
    let mut read = Vec::new();
    let mut total = 0_usize;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Unread::Broken)?;
        total = total.saturating_add(chunk.len());
        if total <= limit {
            read.extend_from_slice(&chunk);
        } else if total > limit.saturating_add(HEARD_OUT) {
            break;
        }
    }
    if total > limit { Err(Unread::TooLarge) } else { Ok(read) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[tokio::test]
    async fn a_body_may_be_as_large_as_allowed_and_no_larger() {
        assert_eq!(read(Body::from("12345"), 5).await.unwrap(), b"12345");
        assert_eq!(read(Body::from("123456"), 5).await, Err(Unread::TooLarge));
        assert_eq!(read(Body::from(vec![0; HEARD_OUT + 9]), 5).await, Err(Unread::TooLarge));
        let broken = futures_util::stream::iter([Ok("1"), Err(std::io::Error::other("gone"))]);
        assert_eq!(read(Body::from_stream(broken), 5).await, Err(Unread::Broken));
    }
}
