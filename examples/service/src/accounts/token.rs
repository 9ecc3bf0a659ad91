//! Tokens of sessions: random, and stored as a hash, so that a reader of the database cannot sign in with its contents.
//!
//! A token has 256 random bits: nothing slower than SHA-256 is needed, as it would be for a password.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::error::Error;

const BYTES: usize = 32;

/// The token of a session. Only its owner sees it.
#[derive(Clone)]
pub(crate) struct Token([u8; BYTES]);

impl Token {
    pub(super) fn random() -> Result<Self, Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        BASE64URL_NOPAD.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }

    /// What the client gets.
    pub(crate) fn reveal(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }

    /// What is stored.
    pub(super) fn hash(&self) -> [u8; BYTES] {
        Sha256::digest(self.0).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_written_and_stored_as_something_else() {
        let token = Token::random().unwrap();
        let read = Token::parse(&token.reveal()).unwrap();
        assert_eq!(read.0, token.0);
        assert_ne!(token.hash(), token.0);
        assert_ne!(Token::random().unwrap().0, token.0);
        assert!(Token::parse("' OR 1=1 --").is_none());
        assert!(Token::parse(&token.reveal()[1..]).is_none());
    }
}
