//! The types of pictures that are taken: named by the request, and compared with what the bytes say.

use image::ImageFormat;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::error::Error;

/// The formats that are accepted, for the client that sent another.
const TYPES: &str = "image/png, image/jpeg, image/gif or image/webp";

/// A type of pictures that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format(ImageFormat);

impl Format {
    const ALL: [ImageFormat; 4] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];

    /// By the `Content-Type` of a request, whose parameters say nothing here.
    pub(crate) fn from_content_type(text: &str) -> Result<Self, Error> {
        let essence = text.split(';').next().unwrap_or_default().trim();
        Self::from_name(essence).ok_or(Error::WrongType(TYPES))
    }

    fn from_name(text: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|format| format.to_mime_type().eq_ignore_ascii_case(text)).map(Self)
    }

    pub(crate) fn content_type(self) -> &'static str {
        self.0.to_mime_type()
    }

    pub(super) fn decoder_format(self) -> ImageFormat {
        self.0
    }

    /// An error unless the bytes begin as those of this type do.
    pub(super) fn check(self, bytes: &[u8]) -> Result<(), Error> {
        match image::guess_format(bytes) {
            Ok(found) if found == self.0 => Ok(()),
            Ok(_) => Err(Error::WrongType("of the type that it is said to be")),
            Err(_) => Err(Error::BadPicture("it does not begin as one".to_owned())),
        }
    }
}

impl ToSql for Format {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.content_type().into())
    }
}

impl FromSql for Format {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::from_name(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_types_are_taken_in_any_case_and_with_parameters() {
        for good in ["image/png", "IMAGE/JPEG", "image/gif; q=1", "image/webp"] {
            assert!(Format::from_content_type(good).is_ok(), "{good}");
        }
        for bad in ["", "image/bmp", "text/html", "image/png2", "image/svg+xml", "png"] {
            assert!(matches!(Format::from_content_type(bad), Err(Error::WrongType(_))), "{bad}");
        }
    }
}
