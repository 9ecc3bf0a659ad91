//! Encrypted connections, and keys.

use std::net::SocketAddr;
use std::time::Duration;

use offload_runtime::Error;
use offload_temporal::temporalio_client::ConnectionOptions;
use offload_temporal::{Temporal, Worker};
use pollster::block_on;
use tests_process::functions;

use crate::server;
use crate::support::tls::{Authority, options, options_of};
use crate::support::unique;
use crate::support::workers::serve;

/// What the servers of these tests are called.
const NAME: &str = "temporal.example";

/// The reason why there is no connection. The limit is long, and is not the reason.
#[track_caller]
fn refused(mut options: ConnectionOptions) -> String {
    options.connect_timeout = Some(Duration::from_secs(60));
    match block_on(Temporal::connect_with(options)) {
        Err(Error::Unavailable(why)) => {
            assert!(!why.contains("60s"), "{why}");
            why
        }
        Err(other) => panic!("{other:?}"),
        Ok(temporal) => panic!("{temporal:?} is connected"),
    }
}

fn url(address: SocketAddr) -> String {
    format!("https://{address}")
}

pub(crate) fn calls_and_workers_with_the_right_authority() {
    let authority = Authority::new();
    let proxy = authority.proxy(NAME, server().address());
    let mut options = options(proxy, NAME, &authority);
    options.api_key = Some("hunter2".into());
    let temporal = block_on(Temporal::connect_with(options)).unwrap().attempts(3).task_queue(unique("tls"));
    // The worker has a connection of its own, with the same options.
    let worker = serve(&temporal, 1);
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
    worker.stop().unwrap();
    let shown = format!("{temporal:?} {:?} {:?}", temporal.id("order-17"), Worker::new(&temporal));
    assert!(shown.contains(&url(proxy)), "{shown}");
    assert!(!shown.contains("hunter") && !shown.contains("CERTIFICATE"), "{shown}");
}

pub(crate) fn another_authority_is_refused() {
    let proxy = Authority::new().proxy(NAME, server().address());
    let why = refused(options(proxy, NAME, &Authority::new()));
    assert!(why.contains(&url(proxy)) && why.contains("certificate"), "{why}");
}

pub(crate) fn another_name_is_refused() {
    let authority = Authority::new();
    let proxy = authority.proxy(NAME, server().address());
    let why = refused(options(proxy, "other.example", &authority));
    assert!(why.contains(&url(proxy)) && why.contains("certificate"), "{why}");
}

pub(crate) fn a_server_without_tls_is_refused() {
    let why = refused(options(server().address(), NAME, &Authority::new()));
    assert!(why.contains(&url(server().address())), "{why}");
}

pub(crate) fn a_key_is_sent_and_not_shown() {
    let authority = Authority::new();
    let (address, keys) = authority.refuses(NAME);
    let mut options = options(address, NAME, &authority);
    options.api_key = Some("hunter2".into());
    let why = refused(options);
    assert_eq!(keys.recv().unwrap(), "Bearer hunter2");
    assert!(why.contains(&url(address)) && why.contains("no such key") && !why.contains("hunter"), "{why}");
}

pub(crate) fn a_certificate_is_shown_to_the_server_and_to_no_other() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let proxy = servers.proxy_for(&clients, NAME, server().address());
    let client = clients.client("shop");
    let secret = String::from_utf8(client.client_private_key.clone()).unwrap();
    let temporal = block_on(Temporal::connect_with(options_of(proxy, NAME, &servers, Some(client)))).unwrap();
    let temporal = temporal.attempts(3).task_queue(unique("mtls"));
    // The worker has a connection of its own, with the same certificate.
    let worker = serve(&temporal, 1);
    assert_eq!(block_on(functions::add(&temporal, 1, 2)).unwrap(), 3);
    worker.stop().unwrap();
    let shown = format!("{temporal:?} {:?}", Worker::new(&temporal));
    let bytes = format!("{:?}", secret.as_bytes());
    let has = |part: &str| shown.contains(part);
    assert!(!has("PRIVATE KEY") && !has("CERTIFICATE") && !has(&secret) && !has(&bytes), "{shown}");
}

pub(crate) fn a_server_that_demands_a_certificate_refuses_none_and_others() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let proxy = servers.proxy_for(&clients, NAME, server().address());
    for client in [None, Some(Authority::new().client("shop"))] {
        let key = client.as_ref().map(|client| String::from_utf8(client.client_private_key.clone()).unwrap());
        let why = refused(options_of(proxy, NAME, &servers, client));
        assert!(why.contains(&url(proxy)) && !why.contains("PRIVATE KEY"), "{why}");
        assert!(key.is_none_or(|key| !why.contains(&key)), "{why}");
    }
}

pub(crate) fn a_key_that_is_none_is_refused_and_not_shown() {
    let (servers, clients) = (Authority::new(), Authority::new());
    let proxy = servers.proxy_for(&clients, NAME, server().address());
    let mut client = clients.client("shop");
    client.client_private_key = b"hunter2".to_vec();
    let why = refused(options_of(proxy, NAME, &servers, Some(client)));
    assert!(why.contains(&url(proxy)) && !why.contains("hunter"), "{why}");
}
