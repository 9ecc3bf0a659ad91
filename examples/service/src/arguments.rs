//! The program's arguments: a [`Config`], or a wish for help.

use std::ffi::OsString;
use std::fmt::Display;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use lexopt::{Arg, Parser};
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
  --connections N       clients at once, and 16 for /metrics, /healthz, /readyz  [500]
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

const SECONDS: RangeInclusive<f64> = 0.0..=86_400.0;
const THREADS: RangeInclusive<usize> = 1..=1024;
const QUEUE: RangeInclusive<usize> = 0..=1_000_000;

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
            Arg::Long("address") => config.address = address(&mut parser)?,
            Arg::Long("data") => config.data = parser.value()?.into(),
            Arg::Long("accept-empty-database") => config.accept_empty_database = true,
            Arg::Long("inline") => config.inline = true,
            Arg::Long("connections") => config.limits.connections = number(&mut parser, "--connections", 1..=100_000)?,
            Arg::Long("drain") => config.drain = Duration::from_secs_f64(number(&mut parser, "--drain", SECONDS)?),
            Arg::Long("db-threads") => config.db.threads = number(&mut parser, "--db-threads", THREADS)?,
            Arg::Long("db-queue") => config.db.queue = number(&mut parser, "--db-queue", QUEUE)?,
            Arg::Long("cpu-threads") => config.cpu.threads = number(&mut parser, "--cpu-threads", THREADS)?,
            Arg::Long("cpu-queue") => config.cpu.queue = number(&mut parser, "--cpu-queue", QUEUE)?,
            Arg::Long("files-threads") => config.files.threads = number(&mut parser, "--files-threads", THREADS)?,
            Arg::Long("files-queue") => config.files.queue = number(&mut parser, "--files-queue", QUEUE)?,
            Arg::Long("hash-memory") => memory = number(&mut parser, "--hash-memory", 8..=1 << 20)?,
            Arg::Long("hash-passes") => passes = number(&mut parser, "--hash-passes", 1..=1_000_000)?,
            Arg::Long("help") | Arg::Short('h') => return Ok(Arguments::Help),
            _ => return Err(argument.unexpected()),
        }
    }
    config.hashing = argon2::Params::new(memory, passes, config.hashing.p_cost(), None)
        .map_err(|error| lexopt::Error::from(format!("--hash-memory {memory} --hash-passes {passes}: {error}")))?;
    Ok(Arguments::Serve(Box::new(config)))
}

/// The value of an option that is a number.
fn number<T>(parser: &mut Parser, option: &str, range: RangeInclusive<T>) -> Result<T, lexopt::Error>
where
    T: FromStr + PartialOrd + Display,
{
    let value = parser.value()?;
    let number = value.to_str().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (value, least, most) = (value.display(), range.start(), range.end());
        format!("{option} {value}: expected a number from {least} to {most}").into()
    })
}

fn address(parser: &mut Parser) -> Result<SocketAddr, lexopt::Error> {
    let value = parser.value()?;
    let address = value.to_str().and_then(|text| text.parse().ok());
    address.ok_or_else(|| {
        format!("--address {}: expected an IP address and a port, such as 127.0.0.1:3000", value.display()).into()
    })
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

    /// Why a value is refused. With a value in its bounds, the same option is accepted.
    fn refusal(option: &str, bad: &str, good: &str) -> String {
        parsed(&[option, good]).unwrap();
        parsed(&[option, bad]).unwrap_err().to_string()
    }

    #[test]
    fn each_option_has_bounds_and_its_error_names_it() {
        let options = [
            ("--connections", "0", "1"),
            ("--connections", "100001", "100000"),
            ("--drain", "-1", "0"),
            ("--drain", "soon", "0.5"),
            ("--drain", "1e300", "86400"),
            ("--db-threads", "0", "1"),
            ("--cpu-threads", "99999999", "1024"),
            ("--files-threads", "1025", "1"),
            ("--db-queue", "-1", "0"),
            ("--cpu-queue", "1000001", "1000000"),
            ("--files-queue", "many", "7"),
            ("--hash-memory", "7", "8"),
            ("--hash-passes", "0", "1"),
            ("--address", "here", "127.0.0.1:0"),
        ];
        for (option, bad, good) in options {
            let refusal = refusal(option, bad, good);
            assert!(refusal.starts_with(&format!("{option} {bad}: expected ")), "{refusal}");
        }
        assert_eq!(refusal("--cpu-threads", "0", "1"), "--cpu-threads 0: expected a number from 1 to 1024");
    }

    #[test]
    fn an_argument_that_is_not_an_option_is_named() {
        for bad in ["--nonsense", "here"] {
            let refusal = parsed(&[bad]).unwrap_err().to_string();
            assert!(refusal.contains(bad), "{refusal}");
        }
        assert!(parsed(&["--data"]).unwrap_err().to_string().contains("--data"));
    }
}
