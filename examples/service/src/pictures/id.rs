//! The name of a picture: random, so that it tells nothing, and known before the picture has a row.
//!
//! It is also what its files are called: no part of a path ever comes from a client but through `parse`.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Serialize, Serializer};

use crate::error::Error;

const BYTES: usize = 16;

/// The name of a picture, 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PictureId([u8; BYTES]);

impl PictureId {
    pub(super) fn random() -> Result<Self, Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl FromStr for PictureId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(Error::NotFound)
    }
}

impl fmt::Display for PictureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for PictureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for PictureId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl ToSql for PictureId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.as_slice().to_sql()
    }
}

impl FromSql for PictureId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_it_writes_is_read() {
        let id = PictureId::random().unwrap();
        assert_eq!(id.to_string().parse::<PictureId>().unwrap(), id);
        let upper = id.to_string().to_uppercase() + "AB";
        for bad in ["", "..", "../service.sqlite3", "1 OR 1=1", &upper, "0123456789abcdef0123456789abcde"] {
            assert!(matches!(bad.parse::<PictureId>(), Err(Error::NotFound)), "{bad}");
        }
    }
}
