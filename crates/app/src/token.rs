//! The access token for gated models: in the system's keychain, nowhere else.

use keyring::{Entry, Error};
use sanbao_contract::Fault;
use sanbao_contract::rpc::Reply;

use crate::App;

impl App {
    /// Keeps a token in the keychain, or removes it.
    pub(crate) fn set_hub_token(&self, token: Option<&str>) -> Result<Reply, Fault> {
        let entry = entry()?;
        match token.map(str::trim).filter(|token| !token.is_empty()) {
            Some(token) => entry.set_password(token).map_err(|error| fault(&error))?,
            None => match entry.delete_credential() {
                Ok(()) | Err(Error::NoEntry) => {}
                Err(error) => return Err(fault(&error)),
            },
        }
        Ok(Reply::SetHubToken)
    }
}

/// The token that is kept; a keychain that cannot be read has none.
pub(crate) fn hub_token() -> Option<String> {
    entry().ok()?.get_password().ok()
}

fn entry() -> Result<Entry, Fault> {
    Entry::new("Sanbao", "huggingface.co").map_err(|error| fault(&error))
}

fn fault(error: &Error) -> Fault {
    let text = format!("the system's keychain cannot be used, so the token is not kept: {error}");
    Fault::new("app.keychain", text)
}
