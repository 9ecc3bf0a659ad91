//! Passwords at rest: Argon2id, with its parameters and its salt in the hash itself.
//!
//! Verifying compares in constant time (`password-hash` does). An unknown name is verified, too, against a hash that no
//! password has: the time that a refusal takes does not show whether an account exists.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::credentials::Password;
use crate::error::Error;

/// Hashes and verifies passwords.
#[derive(Clone, Debug)]
pub(super) struct Hasher {
    params: Params,
    /// A hash as any other, as costly to verify against, that no password has.
    nobody: String,
}

impl Hasher {
    pub(super) fn new(params: &Params) -> Result<Self, Error> {
        let nobody = hash_of_nothing(params)?.to_string();
        Ok(Self { params: params.clone(), nobody })
    }

    pub(super) fn hash(&self, password: &Password) -> Result<String, Error> {
        Ok(self.argon2().hash_password(password.as_bytes())?.to_string())
    }

    /// Whether it is the password of `hash`; of no hash, no password is.
    pub(super) fn verify(&self, password: &Password, hash: Option<&str>) -> Result<bool, Error> {
        let parsed = PasswordHash::new(hash.unwrap_or(&self.nobody)).map_err(password_hash::Error::from)?;
        match self.argon2().verify_password(password.as_bytes(), &parsed) {
            Ok(()) => Ok(hash.is_some()),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }
}

/// Random bytes in the place of a hash.
fn hash_of_nothing(params: &Params) -> Result<PasswordHash, Error> {
    let mut bytes = [0; Params::DEFAULT_OUTPUT_LEN];
    getrandom::fill(&mut bytes)?;
    let output = Output::new(&bytes).map_err(password_hash::Error::from)?;
    Ok(PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params)?,
        salt: Some(Salt::generate()),
        hash: Some(output),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn only_the_password_of_a_hash_is_right_and_none_is_right_for_an_unknown_name() {
        let hasher = Hasher::new(&Params::new(64, 1, 1, None).unwrap()).unwrap();
        let hash = hasher.hash(&password("correct horse")).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash(&password("correct horse")).unwrap());
        assert!(hasher.verify(&password("correct horse"), Some(&hash)).unwrap());
        assert!(!hasher.verify(&password("correct house"), Some(&hash)).unwrap());
        assert!(!hasher.verify(&password("correct horse"), None).unwrap());
        assert!(hasher.verify(&password("correct horse"), Some("not a hash")).is_err());
    }

    /// The hash for unknown names differs from a real one in salt and output alone.
    #[test]
    fn an_unknown_name_costs_as_much_as_a_known_one() {
        let hasher = Hasher::new(&Params::new(128, 3, 2, None).unwrap()).unwrap();
        let somebody = PasswordHash::new(&hasher.hash(&password("correct horse")).unwrap()).unwrap();
        let nobody = PasswordHash::new(&hasher.nobody).unwrap();
        assert_eq!(nobody.algorithm, somebody.algorithm);
        assert_eq!(nobody.version, somebody.version);
        assert_eq!(nobody.params, somebody.params);
        let lengths = |hash: &PasswordHash| (hash.salt.map(|salt| salt.len()), hash.hash.map(|output| output.len()));
        assert_eq!(lengths(&nobody), lengths(&somebody));
    }
}
