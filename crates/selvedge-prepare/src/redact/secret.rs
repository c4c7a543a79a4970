//! The secret of an integration, with which values are hashed.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The secret with which the values of an integration are hashed. It is never shown.
///
/// Whoever knows it can find out which values were hashed, by trying: make it of at least 32 random bytes, and keep it. Under
/// another secret the same values have other hashes.
#[derive(Clone)]
pub struct Secret {
    keyed: Hmac<Sha256>,
}

impl Secret {
    /// Takes a secret.
    ///
    /// # Errors
    /// When it is empty.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, EmptySecret> {
        let bytes = Some(bytes.as_ref()).filter(|bytes| !bytes.is_empty()).ok_or(EmptySecret)?;
        let keyed = Hmac::new_from_slice(bytes).map_err(|_| EmptySecret)?;
        Ok(Self { keyed })
    }

    /// The HMAC-SHA-256 of a text, as lower-case hexadecimal digits.
    pub(crate) fn hash(&self, text: &str) -> String {
        let hash = self.keyed.clone().chain_update(text).finalize().into_bytes();
        let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The error of a secret that is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmptySecret;

impl fmt::Display for EmptySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the secret is empty; give at least 32 random bytes")
    }
}

impl std::error::Error for EmptySecret {}
