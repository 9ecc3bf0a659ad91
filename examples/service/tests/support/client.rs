//! A client of the service, over real HTTP.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use reqwest::{Body, Method, RequestBuilder};
use serde_json::{Value, json};

use super::LONG;

pub(crate) const PASSWORD: &str = "correct horse";

/// Someone who speaks to the service, signed in or not.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<String>,
}

/// All of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The name of the picture that it is about.
    pub(crate) fn id(&self) -> String {
        self.json()["id"].as_str().expect("an id").to_owned()
    }
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let http = reqwest::Client::builder().timeout(LONG).build().unwrap();
        Self { http, address, token: None }
    }

    /// The same, with connections of its own and a token.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..Self::new(self.address) }
    }

    pub(crate) async fn sign_up(&self, name: &str) -> Answer {
        self.post("/accounts", &json!({ "name": name, "password": PASSWORD })).await
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Answer {
        self.post("/sessions", &json!({ "name": name, "password": password })).await
    }

    /// A new account, signed in.
    pub(crate) async fn join(&self, name: &str) -> Self {
        assert_eq!(self.sign_up(name).await.status, StatusCode::CREATED);
        self.come_back(name).await
    }

    /// An account that is there, signed in.
    pub(crate) async fn come_back(&self, name: &str) -> Self {
        let session = self.sign_in(name, PASSWORD).await;
        assert_eq!(session.status, StatusCode::CREATED, "{session:?}");
        self.with_token(session.json()["token"].as_str().unwrap())
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn upload(&self, content_type: &str, body: impl Into<Body>) -> Answer {
        self.send(self.upload_request(content_type, body)).await
    }

    pub(crate) fn upload_request(&self, content_type: &str, body: impl Into<Body>) -> RequestBuilder {
        self.request(Method::POST, "/pictures").header("Content-Type", content_type).body(body)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("http://{}{path}", self.address));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    /// For services that may be killed meanwhile.
    pub(crate) async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await? })
    }

    /// A connection on which `head` was sent, an `Authorization` and an empty line added. For what no decent client sends.
    pub(crate) fn connect(&self, head: &str) -> TcpStream {
        let mut connection = TcpStream::connect(self.address).unwrap();
        connection.set_read_timeout(Some(LONG)).unwrap();
        let token = self.token.as_deref().unwrap_or_default();
        write!(connection, "{head}\r\nHost: service\r\nAuthorization: Bearer {token}\r\n\r\n").unwrap();
        connection
    }
}
