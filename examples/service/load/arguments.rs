//! What can be chosen: [`Arguments`], from the command line.
//!
//! The bounds on what a run may cost are checked here, and that the address is one of this machine's own.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::Failure;

pub(crate) const HELP: &str = "\
Drives the service over loopback, harder than its CPU can bear, and prints how it took it.

usage: load [--address 127.0.0.1:3000] [--pid PID] [options]   a service that runs
       load --compare [options] [-- SERVICE OPTIONS]          starts the service itself, as it is and with --inline

  --address ADDRESS   where the service listens: a loopback address       (127.0.0.1:3000)
  --pid PID           the service's process, to read its memory from /proc
  --seconds N         how long to drive it, at most 600                   (30)
  --requests N        how many requests to send, at most 1000000          (50000)
  --factor X          by how much to exceed what the CPU can do           (4)
  --rate X            sign-ins and uploads per second, instead of measuring
  --seed N            of the arrival times                                (1)
  --help              this

Exit status: 0, or 1 if a picture that was accepted could not be fetched afterwards, or 2 for wrong arguments.
";

/// What can be chosen about a run.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) target: Target,
    /// How long to drive it.
    pub(crate) time: Duration,
    /// How many requests to send at most.
    pub(crate) requests: u64,
    /// By how much to exceed what the CPU can do.
    pub(crate) factor: f64,
    /// Jobs for the CPU per second, instead of `factor`.
    pub(crate) rate: Option<f64>,
    pub(crate) seed: u64,
    /// What a service that is started is given beside what this needs.
    pub(crate) service: Vec<OsString>,
}

/// What to drive.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    Running { address: SocketAddr, pid: Option<u32> },
    Compared,
}

impl Arguments {
    /// `None` if only help was asked for.
    pub(crate) fn parse() -> Result<Option<Self>, Failure> {
        Self::parse_from(Parser::from_env())
    }

    fn parse_from(mut parser: Parser) -> Result<Option<Self>, Failure> {
        let mut address = SocketAddr::from((Ipv4Addr::LOCALHOST, 3000));
        let (mut pid, mut compare, mut service) = (None, false, Vec::new());
        let (mut seconds, mut requests, mut factor, mut rate, mut seed) = (30_u64, 50_000_u64, 4.0_f64, None, 1);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("address") => address = parser.value()?.parse()?,
                Arg::Long("pid") => pid = Some(parser.value()?.parse()?),
                Arg::Long("compare") => compare = true,
                Arg::Long("seconds") => seconds = parser.value()?.parse()?,
                Arg::Long("requests") => requests = parser.value()?.parse()?,
                Arg::Long("factor") => factor = parser.value()?.parse()?,
                Arg::Long("rate") => rate = Some(parser.value()?.parse()?),
                Arg::Long("seed") => seed = parser.value()?.parse()?,
                Arg::Long("help") | Arg::Short('h') => return Ok(None),
                Arg::Value(option) if compare => service.push(option),
                _ => return Err(argument.unexpected().into()),
            }
        }
        if !address.ip().is_loopback() {
            return Err(format!("{address} is not this machine's own: a load generator may disturb nobody else").into());
        }
        if !(1..=600).contains(&seconds) || !(1..=1_000_000).contains(&requests) {
            return Err("expected 1 to 600 seconds, and 1 to 1000000 requests".into());
        }
        if ![Some(factor), rate].into_iter().flatten().all(|number| number > 0.0 && number < 1e5) {
            return Err("expected a factor and a rate above 0 and below 100000".into());
        }
        let target = if compare { Target::Compared } else { Target::Running { address, pid } };
        Ok(Some(Self { target, time: Duration::from_secs(seconds), requests, factor, rate, seed, service }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Arguments>, Failure> {
        Arguments::parse_from(Parser::from_args(arguments))
    }

    #[test]
    fn only_this_machine_is_driven() {
        for foreign in ["192.0.2.1:3000", "0.0.0.0:3000", "[::]:3000", "[2001:db8::1]:80"] {
            let error = parse(&["--address", foreign]).unwrap_err().to_string();
            assert!(error.contains("not this machine's own"), "{error}");
        }
        for own in ["127.0.0.1:3000", "127.9.9.9:80", "[::1]:3000"] {
            assert!(matches!(parse(&["--address", own]), Ok(Some(_))), "{own}");
        }
        // No name is looked up.
        assert!(parse(&["--address", "localhost:3000"]).is_err());
    }

    #[test]
    fn what_a_run_may_cost_is_bounded() {
        for wrong in
            [["--seconds", "601"], ["--seconds", "0"], ["--requests", "1000001"], ["--rate", "NaN"], ["--factor", "0"]]
        {
            assert!(parse(&wrong).is_err(), "{wrong:?}");
        }
        assert!(matches!(parse(&["--seconds", "600", "--rate", "10"]), Ok(Some(_))));
    }
}
