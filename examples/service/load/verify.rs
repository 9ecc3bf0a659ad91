//! What became of what was accepted: every picture that got a 201 has to be there, as it was sent, and so has its thumbnail.
//!
//! Asked for at leisure, a few at a time. A service that is still busy may say so: that is asked again, so many times.

use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use crate::client::{Account, Client, Ending, PictureId};
use crate::drive::{Accepted, Setup, bar};

const AT_ONCE: usize = 4;
const TRIES: u32 = 30;
/// As the service's `Retry-After` has it.
const PAUSE: Duration = Duration::from_secs(1);
/// How many of the lost pictures are named.
const NAMED: usize = 10;

pub(crate) async fn count_lost(client: &Client, setup: &Setup, accepted: &[Accepted], name: &'static str) -> usize {
    let bar = bar(accepted.len().try_into().unwrap_or(u64::MAX), name, "{pos} of {len} accepted pictures fetched");
    let fetches = accepted.iter().map(|picture| async {
        let found = find(client, setup, picture).await;
        bar.inc(1);
        found.err().map(|why| format!("picture {} is lost: {why}", picture.id))
    });
    let lost: Vec<String> =
        stream::iter(fetches).buffer_unordered(AT_ONCE).filter_map(async |lost| lost).collect().await;
    bar.finish_and_clear();
    for line in lost.iter().take(NAMED) {
        eprintln!("load: {line}");
    }
    lost.len()
}

async fn find(client: &Client, setup: &Setup, picture: &Accepted) -> Result<(), String> {
    let account = &setup.accounts[picture.account];
    let bytes = insist(account, &picture.id, async |account, id| client.fetch(account, id).await).await?;
    if !setup.samples[picture.sample].is(&bytes) {
        return Err(format!("its {} bytes are not those that were sent", bytes.len()));
    }
    let thumbnail = insist(account, &picture.id, async |account, id| client.thumbnail(account, id).await).await?;
    image::load_from_memory(&thumbnail).map_err(|error| format!("its thumbnail is no picture: {error}"))?;
    Ok(())
}

async fn insist(
    account: &Account,
    id: &PictureId,
    ask: impl AsyncFn(&Account, &PictureId) -> Ending<Vec<u8>>,
) -> Result<Vec<u8>, String> {
    for _ in 0..TRIES {
        match ask(account, id).await {
            Ending::Served(bytes) => return Ok(bytes),
            Ending::Refused | Ending::GaveUp => tokio::time::sleep(PAUSE).await,
            other => return Err(format!("{:?}", other.map(drop))),
        }
    }
    Err(format!("no answer in {TRIES} tries"))
}
