//! The load generator: drives the service harder than its CPU can bear, and tells how it took it.
//!
//! `cargo run --release -p service --bin load -- --help` lists what can be chosen. It measures what the service's CPU can do, offers
//! four times as much, and probes `GET /` all the while; afterwards it fetches every picture that was accepted, and ends with 1
//! if one is lost. With `--compare` it starts the service itself, once as it is and once with `--inline`.
//!
//! `arguments.rs` · `client.rs` one request and how it ended · `samples.rs` the pictures it sends · `capacity.rs` what the CPU can do.
//! `drive.rs` the load · `schedule.rs` when what is sent · `tally.rs` what is counted · `verify.rs` what was lost · `process.rs` the
//! service as a process · `report.rs` the tables. Requests are bounded in number and in time, and go to this machine alone.

mod arguments;
mod capacity;
mod client;
mod drive;
mod process;
mod report;
mod samples;
mod schedule;
mod tally;
mod verify;

use std::process::ExitCode;

use arguments::{Arguments, Target};
use client::Client;
use drive::Run;
use process::Service;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::parse() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("load: {error}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing that was accepted is lost.
async fn run(arguments: &Arguments) -> Result<bool, Failure> {
    match arguments.target {
        Target::Running { address, pid } => {
            let client = Client::new(address)?;
            let rate = rate(arguments, &client).await?;
            let run = drive::drive(&client, arguments, rate, pid, "load").await?;
            print!("{}", report::table(&run));
            Ok(run.lost == 0)
        }
        Target::Compared => {
            let (rate, threads) = in_service(arguments, false, None).await?;
            let (_, inline) = in_service(arguments, true, Some(rate)).await?;
            print!("{}\n{}", report::title("On executors"), report::table(&threads));
            print!("\n{}\n{}", report::title("Inline"), report::table(&inline));
            print!("\n{}", report::comparison(&threads, &inline));
            Ok(threads.lost + inline.lost == 0)
        }
    }
}

/// One run against a service of its own. Without a rate, it is measured first.
async fn in_service(arguments: &Arguments, inline: bool, rate: Option<f64>) -> Result<(f64, Run), Failure> {
    let service = Service::start(inline, &arguments.service).await?;
    let client = Client::new(service.address())?;
    let rate = match rate {
        Some(rate) => rate,
        None => self::rate(arguments, &client).await?,
    };
    let name = if inline { "inline" } else { "executors" };
    let run = drive::drive(&client, arguments, rate, Some(service.pid()), name).await?;
    service.stop().await?;
    Ok((rate, run))
}

/// Jobs for the CPU to offer, per second.
async fn rate(arguments: &Arguments, client: &Client) -> Result<f64, Failure> {
    if let Some(rate) = arguments.rate {
        return Ok(rate);
    }
    let capacity = capacity::measure(client).await?;
    let rate = capacity * arguments.factor;
    eprintln!("load: the CPU does {capacity:.1} sign-ins and uploads per second; offering {rate:.1}");
    Ok(rate)
}
