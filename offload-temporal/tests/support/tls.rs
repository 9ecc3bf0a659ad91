//! TLS before the server: a proxy with a certificate of its own authority, which may ask for one, and a listener that shows the first request.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, mpsc};
use std::thread;

use offload_temporal::temporalio_client::{ClientTlsOptions, ConnectionOptions, TlsOptions, Url};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// An authority that was made for one test.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    /// Its certificate, as the SDK takes it.
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), pem: certificate.pem(), certificate: certificate.into() }
    }

    /// A certificate for `name` and its key, as the SDK takes them.
    pub(crate) fn client(&self, name: &str) -> ClientTlsOptions {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        ClientTlsOptions::builder()
            .client_cert(certificate.pem().into_bytes())
            .client_private_key(key.serialize_pem().into_bytes())
            .build()
    }

    /// The TLS side of a server that is called `name`. `clients`: the authority of the certificates that it demands.
    fn acceptor(&self, name: &str, clients: Option<&Self>) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ClientCertVerifier> = match clients {
            None => WebPkiClientVerifier::no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.clone()).unwrap();
                WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build().unwrap()
            }
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate.der().clone()], PrivatePkcs8KeyDer::from(key.serialize_der()).into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    /// Ends TLS before `server`, as `name`. Returns the address. Listens until the process ends.
    pub(crate) fn proxy(&self, name: &str, server: SocketAddr) -> SocketAddr {
        Self::forward(self.acceptor(name, None), server)
    }

    /// As `proxy`, for clients with a certificate of `clients`.
    pub(crate) fn proxy_for(&self, clients: &Self, name: &str, server: SocketAddr) -> SocketAddr {
        Self::forward(self.acceptor(name, Some(clients)), server)
    }

    fn forward(acceptor: TlsAcceptor, server: SocketAddr) -> SocketAddr {
        listen(async move |client| {
            let Ok(mut client) = acceptor.accept(client).await else { return };
            let Ok(mut server) = TcpStream::connect(server).await else { return };
            let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
        })
    }

    /// A server that is called `name`, and refuses all requests as one does that knows no such key. It sends the `authorization` of each.
    pub(crate) fn refuses(&self, name: &str) -> (SocketAddr, mpsc::Receiver<String>) {
        let acceptor = self.acceptor(name, None);
        let (sent, keys) = mpsc::channel();
        let address = listen(async move |client| {
            let Ok(client) = acceptor.accept(client).await else { return };
            let Ok(mut client) = h2::server::handshake(client).await else { return };
            while let Some(Ok((request, mut respond))) = client.accept().await {
                let key = request.headers().get("authorization").map(|key| key.to_str().unwrap().to_owned());
                let _ = sent.send(key.unwrap_or_default());
                let response = http::Response::builder()
                    .header("content-type", "application/grpc")
                    .header("grpc-status", "16")
                    .header("grpc-message", "no such key");
                respond.send_response(response.body(()).unwrap(), true).unwrap();
            }
        });
        (address, keys)
    }
}

/// Gives each connection to `serve`, on a thread of its own.
pub(crate) fn listen(serve: impl AsyncFn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let serve = std::rc::Rc::new(serve);
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((client, _)) = listener.accept().await {
                let serve = std::rc::Rc::clone(&serve);
                tokio::task::spawn_local(async move { serve(client).await });
            }
        });
    });
    address
}

/// Options for a server at `address` that is called `name`, and whose authority has this certificate.
pub(crate) fn options(address: SocketAddr, name: &str, authority: &Authority) -> ConnectionOptions {
    options_of(address, name, authority, None)
}

/// As `options`, with a certificate of one's own.
pub(crate) fn options_of(
    address: SocketAddr,
    name: &str,
    authority: &Authority,
    client: Option<ClientTlsOptions>,
) -> ConnectionOptions {
    let tls = TlsOptions::builder()
        .server_root_ca_cert(authority.pem.clone().into_bytes())
        .domain(name.to_owned())
        .maybe_client_tls_options(client)
        .build();
    ConnectionOptions::new(Url::parse(&format!("https://{address}")).unwrap()).tls_options(tls).build()
}
