//! Bytes of arguments and results, and what comes back instead of a result.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How arguments and results are encoded.
///
/// # Examples
/// ```
/// use offload_runtime::remote::{Format, Local, RemoteExecutor};
/// use offload_runtime::Inline;
///
/// assert_eq!(Local(Inline).format(), Format::Postcard);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Format {
    /// Compact, and without names: for processes of one build.
    Postcard,
    /// Readable, and with the names of fields: for workers of another build.
    Json,
}

impl Format {
    pub(crate) fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Vec<u8>, String> {
        match self {
            Self::Postcard => postcard::to_stdvec(value).map_err(|error| error.to_string()),
            Self::Json => serde_json::to_vec(value).map_err(|error| error.to_string()),
        }
    }

    /// Adds an argument to those in `bytes`.
    pub(super) fn append<T: Serialize + ?Sized>(self, mut bytes: Vec<u8>, value: &T) -> Result<Vec<u8>, String> {
        match self {
            Self::Postcard => postcard::serialize_with_flavor(value, Appends(bytes)).map_err(|error| error.to_string()),
            Self::Json => {
                bytes.push(if bytes.is_empty() { b'[' } else { b',' });
                serde_json::to_writer(&mut bytes, value).map_err(|error| error.to_string())?;
                Ok(bytes)
            }
        }
    }

    /// Ends a list of arguments.
    pub(super) fn close(self, bytes: &mut Vec<u8>) {
        if self == Self::Json {
            if bytes.is_empty() {
                bytes.push(b'[');
            }
            bytes.push(b']');
        }
    }

    pub(crate) fn decode<T: DeserializeOwned>(self, bytes: &[u8]) -> Result<T, String> {
        match self {
            Self::Postcard => match postcard::take_from_bytes(bytes) {
                Ok((value, [])) => Ok(value),
                Ok((_, rest)) => Err(format!("{} bytes too many", rest.len())),
                Err(error) => Err(error.to_string()),
            },
            Self::Json => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
        }
    }
}

/// Bytes behind others. `postcard::to_extend` takes them one by one, which is slow without optimization.
struct Appends(Vec<u8>);

impl postcard::ser_flavors::Flavor for Appends {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Why a function has no result: what a worker answers instead of encoded bytes.
///
/// It is serializable, so that an executor can send it from its workers.
///
/// # Examples
/// ```
/// use offload_runtime::remote::Failure;
///
/// let failure = Failure::Panicked("out of cheese, at src/shop.rs:7:9".into());
/// assert_eq!(failure.to_string(), "the call panicked: out of cheese, at src/shop.rs:7:9");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Failure {
    /// The body panicked. The text is its message and, where the worker knows it, the location. It is resumed in the awaiting task with this text as
    /// payload.
    Panicked(String),
    /// The body ended itself by [`check_cancelled`](crate::check_cancelled): [`Error::Cancelled`](crate::Error::Cancelled).
    Cancelled,
    /// The worker has no function of this name: [`Error::UnknownFunction`](crate::Error::UnknownFunction).
    UnknownFunction(String),
    /// The arguments could not be decoded, or the result not encoded: [`Error::Codec`](crate::Error::Codec).
    Codec(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(message) => write!(f, "the call panicked: {message}"),
            Self::Cancelled => f.write_str("the call was cancelled"),
            Self::UnknownFunction(name) => write!(f, "the worker has no function `{name}`"),
            Self::Codec(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Picture {
        name: String,
        pixels: Vec<u8>,
        edge: Option<u32>,
    }

    #[test]
    fn both_formats_give_back_what_they_encoded() {
        let picture = || Picture { name: "a \"quoted\"\nname".into(), pixels: vec![0, 255, 7], edge: Some(3) };
        for format in [Format::Postcard, Format::Json] {
            let bytes = format.encode(&picture()).unwrap();
            assert_eq!(format.decode::<Picture>(&bytes).unwrap(), picture());
        }
    }

    #[test]
    fn bytes_that_are_cut_or_too_many_are_an_error() {
        for format in [Format::Postcard, Format::Json] {
            let mut bytes = format.encode(&(7_u32, "seven")).unwrap();
            assert!(format.decode::<(u32, String)>(&bytes[..bytes.len() - 1]).is_err());
            bytes.push(b'x');
            assert!(format.decode::<(u32, String)>(&bytes).is_err());
        }
    }
}
