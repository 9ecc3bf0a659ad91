//! A service that is nothing but the page, and a browser that looks at it.
#![allow(dead_code, reason = "each test uses some of it")]

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::driver::Browser;

/// Serves the routes until the runtime ends.
pub(crate) async fn serve(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
    address
}

/// A browser that has opened the page.
pub(crate) async fn open(routes: Router) -> Browser {
    let address = serve(routes).await;
    let browser = Browser::start().await;
    browser.goto(&format!("http://{address}/pools")).await;
    browser
}

/// What a page is sent first.
pub(crate) async fn history(routes: &Router) -> Value {
    let request = Request::get("/pools/events").body(Body::empty()).unwrap();
    let mut body = routes.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
    let mut text = String::new();
    while !text.contains("\n\n") {
        text.push_str(std::str::from_utf8(&body.next().await.unwrap().unwrap()).unwrap());
    }
    serde_json::from_str(text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap()).unwrap()
}
