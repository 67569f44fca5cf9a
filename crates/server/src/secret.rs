//! Keys that nobody can guess.

use std::fmt::{self, Debug, Write};

use sanbao_contract::Fault;

/// Something that only those who may enter know.
#[derive(Clone)]
pub struct Secret {
    text: String,
    hash: blake3::Hash,
}

impl Secret {
    /// A new one: `prefix` and 32 random bytes in hexadecimal.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn fresh(prefix: &str) -> Result<Self, Fault> {
        Ok(Self::of(prefix.to_owned() + &random_hex::<32>()?))
    }

    /// One that was agreed on.
    pub fn of(text: String) -> Self {
        let hash = blake3::hash(text.as_bytes());
        Self { text, hash }
    }

    /// What has to be shown.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether this was shown. Takes as long for a wrong text, however much of it is right:
    /// hashes are compared, and those in constant time.
    pub fn is(&self, shown: &str) -> bool {
        self.hash == blake3::hash(shown.as_bytes())
    }
}

impl Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Random bytes in hexadecimal.
///
/// # Errors
/// When the operating system gives no random numbers.
pub fn random_hex<const BYTES: usize>() -> Result<String, Fault> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("this machine gives no random numbers for a key: {error}");
        Fault::new("serve.no_randomness", message)
    })?;
    let mut text = String::with_capacity(2 * BYTES);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn keys_differ_and_only_the_whole_one_is_right() {
        let (key, other) = (Secret::fresh("sk-").unwrap(), Secret::fresh("sk-").unwrap());
        assert_eq!(key.text().len(), 3 + 64);
        assert!(key.text()[3..].bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(key.is(key.text()));
        assert!(!key.is(other.text()));
        for wrong in ["", "sk-", &key.text()[..66], &format!("{} ", key.text())] {
            assert!(!key.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{key:?}"), "Secret");
    }
}
