//! `argon2`: hashing on an executor for the processor's work, as the implementation of an async trait.

use std::sync::Arc;

use argon2::password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use offload_runtime::{Error, Executor, ThreadPool, blocking};

use crate::support::{closed, panic_of};

#[derive(Debug, thiserror::Error)]
enum AuthError {
    #[error("the hash could not be made or read: {0}")]
    Hash(#[from] password_hash::Error),
    #[error("argon2: {0}")]
    Argon(#[from] argon2::Error),
    #[error("passwords have at least {} characters", Self::SHORTEST)]
    TooShort,
    #[error(transparent)]
    Unavailable(#[from] Error),
}

impl AuthError {
    const SHORTEST: usize = 8;
}

trait Credentials {
    async fn hash(&self, password: String) -> Result<String, AuthError>;
    fn verify(&self, password: &str, hash: &str) -> impl Future<Output = Result<bool, AuthError>> + Send;
}

#[derive(Clone)]
struct Argon<E> {
    cpu: E,
    params: Params,
    pepper: Arc<[u8]>,
}

impl<E> Argon<E> {
    fn argon(&self) -> Result<Argon2<'_>, argon2::Error> {
        Argon2::new_with_secret(&self.pepper, Algorithm::default(), Version::default(), self.params.clone())
    }
}

impl<E: Executor + Clone + 'static> Credentials for Argon<E> {
    #[blocking(executor = cpu)]
    fn hash(&self, password: String) -> Result<String, AuthError> {
        if password.chars().count() < AuthError::SHORTEST {
            return Err(AuthError::TooShort);
        }
        let hash = self.argon()?.hash_password(password.as_bytes())?;
        Ok(hash.to_string())
    }

    #[blocking(executor = cpu)]
    fn verify(&self, password: &str, hash: &str) -> Result<bool, AuthError> {
        let hash = PasswordHash::new(hash).map_err(|_| password_hash::Error::EncodingInvalid)?;
        match self.argon()?.verify_password(password.as_bytes(), &hash) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

impl<E: Executor + Clone + 'static> Argon<E> {
    /// A key of `N` bytes; the error is the library's own.
    #[blocking(executor = cpu, refused = panic)]
    fn key<const N: usize>(&self, secret: &[u8], salt: &[u8; 16]) -> argon2::Result<[u8; N]> {
        let mut key = [0; N];
        self.argon()?.hash_password_into(secret, salt, &mut key)?;
        Ok(key)
    }
}

/// Cheap parameters: what is tested is not how hard the hash is.
fn argon<E>(cpu: E) -> Argon<E> {
    Argon { cpu, params: Params::new(8, 1, 1, None).unwrap(), pepper: Arc::from(*b"pepper") }
}

/// What an application does: it knows the trait only.
async fn register_and_log_in(credentials: &impl Credentials, attempt: &str) -> Result<bool, AuthError> {
    let hash = credentials.hash("correct horse".into()).await?;
    credentials.verify(attempt, &hash).await
}

#[tokio::test]
async fn a_password_verifies_on_a_rayon_pool() {
    let cpu = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let argon = argon(Arc::new(cpu));
    assert!(register_and_log_in(&argon, "correct horse").await.unwrap());
    assert!(!register_and_log_in(&argon, "battery staple").await.unwrap());
    assert!(matches!(argon.hash("short".into()).await, Err(AuthError::TooShort)));
    let invalid = argon.verify("correct horse", "no hash").await;
    assert!(matches!(invalid, Err(AuthError::Hash(password_hash::Error::EncodingInvalid))));
}

#[tokio::test]
async fn many_verify_at_once() {
    let argon = argon(ThreadPool::new(2));
    let hash = argon.hash("password 3".into()).await.unwrap();
    let attempts: Vec<_> = (0..8)
        .map(|i| {
            let (argon, hash) = (argon.clone(), hash.clone());
            tokio::spawn(async move { argon.verify(&format!("password {i}"), &hash).await.unwrap() })
        })
        .collect();
    for (i, attempt) in attempts.into_iter().enumerate() {
        assert_eq!(attempt.await.unwrap(), i == 3);
    }
}

#[tokio::test]
async fn a_key_has_the_length_that_its_type_says() {
    let argon = argon(ThreadPool::new(1));
    let key: [u8; 32] = argon.key(b"secret", &[7; 16]).await.unwrap();
    assert_eq!(argon.key::<32>(b"secret", &[7; 16]).await.unwrap(), key);
    assert_ne!(argon.key::<32>(b"secret", &[8; 16]).await.unwrap(), key);
    assert!(matches!(argon.key::<3>(b"secret", &[7; 16]).await, Err(argon2::Error::OutputTooShort)));
}

#[tokio::test]
async fn a_refusal_is_typed_or_a_panic() {
    let argon = argon(closed());
    let refused = register_and_log_in(&argon, "correct horse").await;
    assert!(matches!(refused, Err(AuthError::Unavailable(Error::ShutDown))));
    let message = panic_of(argon.key::<16>(b"secret", &[7; 16])).await;
    assert!(message.contains("key") && message.contains("shut down"), "{message}");
}
