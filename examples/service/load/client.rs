//! One request to the service, and how it ended.
//!
//! [`Client`] knows the service's interface and nothing of load: each call is one request, whose body is read to its end.

use std::net::SocketAddr;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use crate::Failure;
use crate::samples::Sample;

/// When a client gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How a request ended.
#[derive(Debug)]
pub(crate) enum Ending<T = ()> {
    /// 2xx.
    Served(T),
    /// 503: the service says that it has too much to do.
    Refused,
    /// No answer within [`PATIENCE`].
    GaveUp,
    /// Another status.
    Status(StatusCode),
    /// No answer at all, or not what it should be.
    Broken(String),
}

/// An account that is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) token: String,
}

/// A picture as the service names it.
pub(crate) type PictureId = serde_json::Value;

#[derive(Deserialize)]
struct Token {
    token: String,
}

#[derive(Deserialize)]
struct Created {
    id: PictureId,
}

/// Where the service is, and connections to it.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// All accounts have this one; what a guess costs is not what is measured.
const PASSWORD: &str = "correct horse battery staple";

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Result<Self, Failure> {
        let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Ok(Self { http: builder.timeout(PATIENCE).build()?, base: format!("http://{address}") })
    }

    /// The latency probe: a page that needs no executor.
    pub(crate) async fn probe(&self) -> Ending {
        self.read(Method::GET, "/", None).await.map(drop)
    }

    pub(crate) async fn sign_up(&self, name: &str) -> Ending {
        let body = json!({ "name": name, "password": PASSWORD });
        end(self.request(Method::POST, "/accounts", None).json(&body)).await.map(drop)
    }

    pub(crate) async fn sign_in(&self, name: &str) -> Ending<Account> {
        let body = json!({ "name": name, "password": PASSWORD });
        let signed_in = end(self.request(Method::POST, "/sessions", None).json(&body)).await;
        signed_in.parse(|Token { token }| Account { name: name.to_owned(), token })
    }

    pub(crate) async fn upload(&self, account: &Account, sample: &Sample) -> Ending<PictureId> {
        let request = self.request(Method::POST, "/pictures", Some(account)).header(CONTENT_TYPE, "image/jpeg");
        end(request.body(sample.bytes())).await.parse(|Created { id }| id)
    }

    pub(crate) async fn list(&self, account: &Account) -> Ending {
        self.read(Method::GET, "/pictures", Some(account)).await.map(drop)
    }

    pub(crate) async fn fetch(&self, account: &Account, id: &PictureId) -> Ending<Vec<u8>> {
        self.read(Method::GET, &format!("/pictures/{}", in_path(id)), Some(account)).await
    }

    pub(crate) async fn thumbnail(&self, account: &Account, id: &PictureId) -> Ending<Vec<u8>> {
        self.read(Method::GET, &format!("/pictures/{}/thumbnail", in_path(id)), Some(account)).await
    }

    async fn read(&self, method: Method, path: &str, account: Option<&Account>) -> Ending<Vec<u8>> {
        end(self.request(method, path, account)).await
    }

    fn request(&self, method: Method, path: &str, account: Option<&Account>) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match account {
            Some(account) => request.bearer_auth(&account.token),
            None => request,
        }
    }
}

async fn end(request: RequestBuilder) -> Ending<Vec<u8>> {
    let body = async |response: Response| Ok((response.status(), response.bytes().await?));
    let ended = match request.send().await {
        Ok(response) => body(response).await,
        Err(error) => Err(error),
    };
    match ended {
        Ok((status, bytes)) if status.is_success() => Ending::Served(bytes.into()),
        Ok((StatusCode::SERVICE_UNAVAILABLE, _)) => Ending::Refused,
        Ok((status, _)) => Ending::Status(status),
        Err(error) if error.is_timeout() => Ending::GaveUp,
        Err(error) => Ending::Broken(error.to_string()),
    }
}

impl<T> Ending<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Ending<U> {
        match self {
            Self::Served(value) => Ending::Served(change(value)),
            Self::Refused => Ending::Refused,
            Self::GaveUp => Ending::GaveUp,
            Self::Status(status) => Ending::Status(status),
            Self::Broken(why) => Ending::Broken(why),
        }
    }

    /// What was served, where nothing else will do.
    pub(crate) fn expect_served(self, what: &str) -> Result<T, Failure> {
        match self {
            Self::Served(value) => Ok(value),
            other => Err(format!("{what}: {:?}", other.map(drop)).into()),
        }
    }
}

impl Ending<Vec<u8>> {
    fn parse<J: serde::de::DeserializeOwned, T>(self, change: impl FnOnce(J) -> T) -> Ending<T> {
        match self.map(|bytes| serde_json::from_slice(&bytes)) {
            Ending::Served(Err(error)) => Ending::Broken(error.to_string()),
            other => other.map(|parsed| change(parsed.expect("an error is broken, above"))),
        }
    }
}

/// Whether ids are numbers or text is the service's affair.
fn in_path(id: &PictureId) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}
