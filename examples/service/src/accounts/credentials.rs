//! What a name and a password may be. A value of these types has been checked.

use std::fmt;

use crate::error::Error;

/// The name of an account: letters, digits, `.`, `-` and `_`, so that it is safe wherever it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Name(String);

impl Name {
    pub(crate) fn parse(text: String) -> Result<Self, Error> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if (2..=32).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text))
        } else {
            Err(Error::Invalid("a name is 2 to 32 of a to z, 0 to 9, `.`, `-` and `_`"))
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password, as it was typed. It is never shown.
#[derive(Clone)]
pub(crate) struct Password(String);

impl Password {
    /// Long enough not to be guessed at once, and no longer than anyone types.
    const BYTES: std::ops::RangeInclusive<usize> = 8..=256;

    /// For signing up.
    pub(crate) fn parse(text: String) -> Result<Self, Error> {
        if Self::BYTES.contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(Error::Invalid("a password is 8 to 256 bytes"))
        }
    }

    /// For signing in, where one out of bounds is a wrong password like any other. The size of the body is its bound.
    pub(crate) fn attempt(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_few_characters() {
        for good in ["ada", "a.b-c_d", "X9", &"n".repeat(32)] {
            assert!(Name::parse(good.to_owned()).is_ok(), "{good}");
        }
        for bad in ["", "a", "a b", "a'--", "../..", "a\0b", "ädä", &"n".repeat(33)] {
            assert!(Name::parse(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_have_bounds_and_are_not_shown() {
        assert!(Password::parse("x".repeat(7)).is_err());
        assert!(Password::parse("x".repeat(257)).is_err());
        let password = Password::parse("secret: ' OR 1=1".to_owned()).unwrap();
        assert!(!format!("{password:?}").contains("secret"));
    }
}
