//! The program's arguments: a [`Config`], or a wish for help.

use std::ffi::OsString;
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};
use service::Config;

pub(crate) const HELP: &str = "\
A small web service built on #[blocking]. Without arguments it listens on 127.0.0.1:3000.

Usage: service [options]

  --address ADDRESS     where to listen; port 0 is a free one       [127.0.0.1:3000]
  --data DIRECTORY      the database and the pictures               [service-data]
  --accept-empty-database
                        start although the database is empty and there are pictures:
                        they are moved to orphaned/
  --inline              call all that blocks on the async runtime itself, for comparison
  --drain SECONDS       how long a stop may take                    [20]
  --db-threads N        connections to the database                 [4]
  --db-queue N          jobs that may wait for one                  [256]
  --cpu-threads N       threads that compute                        [one for each core]
  --cpu-queue N         jobs that may wait for one                  [32 for each core]
  --files-threads N     threads for the pictures' files             [8]
  --files-queue N       jobs that may wait for one                  [256]
  --hash-memory KIB     what hashing a password takes               [19456]
  --hash-passes N       how many times it goes over that            [2]
  -h, --help            this

GET /pools shows what the executors do. Ctrl-C or SIGTERM stops it.
";

/// What the arguments say.
pub(crate) enum Arguments {
    Serve(Box<Config>),
    Help,
}

pub(crate) fn parse() -> Result<Arguments, lexopt::Error> {
    parse_from(std::env::args_os())
}

fn parse_from(arguments: impl IntoIterator<Item = OsString>) -> Result<Arguments, lexopt::Error> {
    let mut config = Config::default();
    let (mut memory, mut passes) = (config.hashing.m_cost(), config.hashing.t_cost());
    let mut parser = Parser::from_iter(arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("address") => config.address = parser.value()?.parse()?,
            Arg::Long("data") => config.data = parser.value()?.into(),
            Arg::Long("accept-empty-database") => config.accept_empty_database = true,
            Arg::Long("inline") => config.inline = true,
            Arg::Long("drain") => config.drain = parser.value()?.parse_with(seconds)?,
            Arg::Long("db-threads") => config.db.threads = parser.value()?.parse_with(at_least_one)?,
            Arg::Long("db-queue") => config.db.queue = parser.value()?.parse()?,
            Arg::Long("cpu-threads") => config.cpu.threads = parser.value()?.parse_with(at_least_one)?,
            Arg::Long("cpu-queue") => config.cpu.queue = parser.value()?.parse()?,
            Arg::Long("files-threads") => config.files.threads = parser.value()?.parse_with(at_least_one)?,
            Arg::Long("files-queue") => config.files.queue = parser.value()?.parse()?,
            Arg::Long("hash-memory") => memory = parser.value()?.parse()?,
            Arg::Long("hash-passes") => passes = parser.value()?.parse()?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Arguments::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    config.hashing = argon2::Params::new(memory, passes, config.hashing.p_cost(), None)
        .map_err(|error| lexopt::Error::from(format!("--hash-memory {memory} --hash-passes {passes}: {error}")))?;
    Ok(Arguments::Serve(Box::new(config)))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = f64::from_str(text).map_err(|error| error.to_string())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match usize::from_str(text) {
        Ok(0) => Err("has to be 1 at least".to_owned()),
        Ok(n) => Ok(n),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Config, lexopt::Error> {
        match parse_from(std::iter::once("service").chain(arguments.iter().copied()).map(OsString::from))? {
            Arguments::Serve(config) => Ok(*config),
            Arguments::Help => panic!("no help was asked for"),
        }
    }

    #[test]
    fn what_is_not_said_stays() {
        let config = parsed(&["--drain", "1.5", "--cpu-queue=0", "--hash-passes", "7"]).unwrap();
        assert_eq!(config.drain, Duration::from_millis(1500));
        assert_eq!(config.cpu.queue, 0);
        assert_eq!((config.hashing.m_cost(), config.hashing.t_cost()), (argon2::Params::DEFAULT_M_COST, 7));
        assert_eq!(config.address, Config::default().address);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for bad in [&["--drain", "-1"][..], &["--db-threads", "0"], &["--hash-memory", "1"], &["--nonsense"], &["here"]]
        {
            assert!(parsed(bad).is_err(), "{bad:?}");
        }
    }
}
