//! What the service's CPU can do: how many sign-ins and uploads it gets done per second when it is busy and no more than that.
//!
//! Four clients for each core, so that there is always a next one: each asks for one thing after another.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::client::Client;
use crate::drive::{Setup, sign_up};

const WARM_UP: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_secs(3);

pub(crate) async fn measure(client: &Client) -> Result<f64, Failure> {
    let clients = 4 * available_parallelism()?.get();
    let setup = Arc::new(sign_up(client, "capacity").await?);
    let start = Instant::now();
    let work = (0..clients).map(|number| tokio::spawn(ask_on(client.clone(), Arc::clone(&setup), number, start)));
    let mut done = 0;
    for client in work.collect::<Vec<_>>() {
        done += client.await??;
    }
    Ok(f64::from(done) / TIME.as_secs_f64())
}

/// How many were done between the end of the warm-up and the end.
async fn ask_on(client: Client, setup: Arc<Setup>, number: usize, start: Instant) -> Result<u32, Failure> {
    let mut done = 0;
    for turn in number.. {
        let account = &setup.accounts[turn % setup.accounts.len()];
        if turn % 2 == 0 {
            client.sign_in(&account.name).await.expect_served("signing in")?;
        } else {
            client.upload(account, &setup.samples[turn % setup.samples.len()]).await.expect_served("uploading")?;
        }
        let elapsed = start.elapsed();
        if elapsed > WARM_UP + TIME {
            break;
        }
        done += u32::from(elapsed > WARM_UP);
    }
    Ok(done)
}
