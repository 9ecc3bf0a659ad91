//! The arguments of a call as bytes, one after the other.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{Failure, Format};

/// Encodes arguments. The first failure is kept.
#[derive(Debug)]
pub struct Packer {
    format: Format,
    bytes: Vec<u8>,
    failure: Option<String>,
}

impl Packer {
    pub(super) fn new(format: Format) -> Self {
        Self { format, bytes: Vec::new(), failure: None }
    }

    /// Adds an argument.
    pub fn put<T: Serialize + ?Sized>(&mut self, value: &T) {
        if self.failure.is_some() {
            return;
        }
        let start = std::mem::take(&mut self.bytes);
        match self.format.append(start, value) {
            Ok(bytes) => self.bytes = bytes,
            Err(why) => self.failure = Some(why),
        }
    }

    pub(super) fn end(mut self) -> Result<Vec<u8>, String> {
        if let Some(why) = self.failure {
            return Err(why);
        }
        self.format.close(&mut self.bytes);
        Ok(self.bytes)
    }
}

/// Decodes the arguments of a call, in their order, and encodes its result.
#[derive(Debug)]
pub struct Unpacker<'a> {
    format: Format,
    /// In `Postcard`: what is left.
    rest: &'a [u8],
    /// In `Json`: what is left, parsed.
    values: Option<std::vec::IntoIter<serde_json::Value>>,
}

impl<'a> Unpacker<'a> {
    pub(super) fn new(format: Format, bytes: &'a [u8]) -> Self {
        Self { format, rest: bytes, values: None }
    }

    /// The next argument.
    ///
    /// # Errors
    /// [`Failure::Codec`] if the bytes are not that argument.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<T, Failure> {
        self.next().map_err(|why| Failure::Codec(format!("the arguments: {why}")))
    }

    fn next<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        match self.format {
            Format::Postcard => {
                let (value, rest) = postcard::take_from_bytes(self.rest).map_err(|error| error.to_string())?;
                self.rest = rest;
                Ok(value)
            }
            Format::Json => {
                let value = self.values()?.next().ok_or("there are too few")?;
                serde_json::from_value(value).map_err(|error| error.to_string())
            }
        }
    }

    fn values(&mut self) -> Result<&mut std::vec::IntoIter<serde_json::Value>, String> {
        if self.values.is_none() {
            let values: Vec<_> = serde_json::from_slice(self.rest).map_err(|error| error.to_string())?;
            self.values = Some(values.into_iter());
            self.rest = &[];
        }
        self.values.as_mut().ok_or_else(String::new)
    }

    /// Runs the body if all arguments have been taken, and encodes its result.
    ///
    /// # Errors
    /// [`Failure::Codec`] if there are more arguments, or the result cannot be encoded.
    pub fn end<T: Serialize>(&mut self, body: impl FnOnce() -> T) -> Result<Vec<u8>, Failure> {
        let too_many = match self.format {
            Format::Postcard => !self.rest.is_empty(),
            Format::Json => self.values().map_err(Failure::Codec)?.len() > 0,
        };
        if too_many {
            return Err(Failure::Codec("the arguments: there are too many".into()));
        }
        self.format.encode(&body()).map_err(|why| Failure::Codec(format!("the result: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_taken_as_they_were_put() {
        for format in [Format::Postcard, Format::Json] {
            let mut packer = Packer::new(format);
            packer.put("text");
            packer.put(&7_u64);
            packer.put(&[1_u8, 2][..]);
            let bytes = packer.end().unwrap();
            let mut unpacker = Unpacker::new(format, &bytes);
            assert_eq!(unpacker.take::<String>().unwrap(), "text");
            assert!(
                unpacker.end(|| -> u8 { unreachable!() }).unwrap_err().to_string().contains("too many"),
                "{format:?}"
            );
            assert_eq!(unpacker.take::<u64>().unwrap(), 7);
            assert_eq!(unpacker.take::<Vec<u8>>().unwrap(), [1, 2]);
            assert!(unpacker.take::<u64>().is_err());
            assert_eq!(unpacker.end(|| 5_u8).unwrap(), b"5".map(|five| if format == Format::Json { five } else { 5 }));
        }
    }

    #[test]
    fn json_arguments_are_an_array_that_a_person_can_read() {
        let mut packer = Packer::new(Format::Json);
        packer.put("order-17");
        packer.put(&Some(2));
        assert_eq!(packer.end().unwrap(), br#"["order-17",2]"#);
        assert_eq!(Packer::new(Format::Json).end().unwrap(), b"[]");
        assert_eq!(Unpacker::new(Format::Json, b"[]").end(|| ()).unwrap(), b"null");
    }
}
