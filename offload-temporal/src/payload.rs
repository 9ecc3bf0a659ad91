//! The JSON of a call as Temporal's payloads: one for each argument, and one for the result.
//!
//! This is how Temporal's own SDKs encode calls, so that its page shows them, and so that a worker in another language can serve them.

use std::collections::HashMap;

use prost::Message as _;
use serde_json::value::RawValue;
use temporalio_common::protos::temporal::api::common::v1::{Payload, Payloads};

/// What a server stores in one piece unless it is configured otherwise: its `limit.blobSize.error`.
pub(crate) const LIMIT: usize = 2 * 1024 * 1024;

const ENCODING: &str = "encoding";

/// `[a,b]` as two payloads.
pub(crate) fn of_arguments(json: &[u8]) -> Result<Payloads, String> {
    let arguments: Vec<&RawValue> = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    Ok(Payloads { payloads: arguments.into_iter().map(|one| of_json(one.get().as_bytes().to_vec())).collect() })
}

/// The array that [`of_arguments`] has split.
pub(crate) fn to_arguments(payloads: &[Payload]) -> Result<Vec<u8>, String> {
    let mut json = vec![b'['];
    for (index, payload) in payloads.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        json.extend_from_slice(to_json(payload)?);
    }
    json.push(b']');
    Ok(json)
}

pub(crate) fn of_result(json: Vec<u8>) -> Payloads {
    Payloads { payloads: vec![of_json(json)] }
}

/// The JSON of a result. A worker in another language may send none for a function that returns nothing.
pub(crate) fn to_result(payloads: &Payloads) -> Result<Vec<u8>, String> {
    match &*payloads.payloads {
        [] => Ok(b"null".to_vec()),
        [one] => Ok(to_json(one)?.to_vec()),
        more => Err(format!("{} values instead of one", more.len())),
    }
}

/// An error that names both sizes, if `payloads` is larger than `limit`.
pub(crate) fn check_size(what: &str, payloads: &Payloads, limit: usize) -> Result<(), String> {
    let size = payloads.encoded_len();
    if size > limit {
        return Err(format!("{what}: {size} bytes, but Temporal stores {limit} at most"));
    }
    Ok(())
}

fn of_json(data: Vec<u8>) -> Payload {
    Payload { metadata: HashMap::from([(ENCODING.into(), b"json/plain".to_vec())]), data, ..Payload::default() }
}

fn to_json(payload: &Payload) -> Result<&[u8], String> {
    match payload.metadata.get(ENCODING).map(Vec::as_slice) {
        Some(b"json/plain") => Ok(&payload.data),
        Some(b"binary/null") => Ok(b"null"),
        Some(other) => Err(format!("encoded as {}, not as json/plain", String::from_utf8_lossy(other))),
        None => Err("without an encoding".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_argument_is_a_payload_of_its_own() {
        let json = br#"["order-17",{"edge":64},[1,2]]"#;
        let payloads = of_arguments(json).unwrap();
        let data: Vec<_> = payloads.payloads.iter().map(|one| String::from_utf8_lossy(&one.data)).collect();
        assert_eq!(data, [r#""order-17""#, r#"{"edge":64}"#, "[1,2]"]);
        assert_eq!(to_arguments(&payloads.payloads).unwrap(), json);
        assert_eq!(to_arguments(&of_arguments(b"[]").unwrap().payloads).unwrap(), b"[]");
    }

    #[test]
    fn a_worker_in_another_language_may_return_nothing() {
        assert_eq!(to_result(&Payloads::default()).unwrap(), b"null");
        let mut null = of_result(Vec::new());
        null.payloads[0].metadata.insert(ENCODING.into(), b"binary/null".to_vec());
        assert_eq!(to_result(&null).unwrap(), b"null");
    }

    #[test]
    fn another_encoding_is_an_error_that_names_it() {
        let mut payloads = of_result(b"7".to_vec());
        payloads.payloads[0].metadata.insert(ENCODING.into(), b"binary/encrypted".to_vec());
        assert!(to_result(&payloads).unwrap_err().contains("binary/encrypted"));
        payloads.payloads[0].metadata.clear();
        assert!(to_arguments(&payloads.payloads).is_err());
    }

    #[test]
    fn the_limit_is_of_the_whole_message() {
        let payloads = of_result(b"7".to_vec());
        let size = payloads.encoded_len();
        assert!(check_size("the result", &payloads, size).is_ok());
        let error = check_size("the result", &payloads, size - 1).unwrap_err();
        assert!(
            error.contains(&format!("{size} bytes")) && error.contains(&format!("{} at most", size - 1)),
            "{error}"
        );
    }
}
