//! Functions that run in a child process, and do there what they should not.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use offload_runtime::process::ProcessPool;
use offload_runtime::{is_cancelled, on_cancel};
use rustix::process::{Signal, getpgrp, getpid, kill_process};
use serde::{Deserialize, Serialize};

/// Writes by hand what `#[blocking(remote)]` generates: a function that submits `body` to a remote executor.
#[macro_export]
macro_rules! remote {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty $body:block)*) => {
        $($(#[$doc])*
        pub fn $name(
            executor: &impl ::offload_runtime::remote::RemoteExecutor,
            $($argument: $type),*
        ) -> ::offload_runtime::JobHandle<$result> {
            use ::offload_runtime::__private::{function_site, remote};
            fn body($($argument: $type),*) -> $result $body
            fn run(unpacker: &mut remote::Unpacker<'_>) -> Result<Vec<u8>, remote::Failure> {
                $(let $argument = unpacker.take::<$type>()?;)*
                unpacker.end(|| body($($argument),*))
            }
            const SITE: &::offload_runtime::Site =
                &function_site(stringify!($name), module_path!(), || concat!(module_path!(), "::", stringify!($name)));
            static FUNCTION: remote::Function = remote::Function::new(
                module_path!(),
                stringify!($name),
                false,
                ::std::any::type_name::<fn($($type),*) -> $result>,
                run,
            );
            remote::inventory::submit! { remote::Registration(&FUNCTION) }
            remote::submit(executor, SITE, &FUNCTION, |packer| {
                let _ = &packer;
                $(packer.put(&$argument);)*
            })
        })*
    };
}

/// An error of a user, which crosses unchanged.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// With what was refused.
    Odd(u64),
}

/// Decodes to a panic, or to an error, on the side that reads it.
#[derive(Debug)]
pub struct Malicious;

impl Serialize for Malicious {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(0)
    }
}

impl<'de> Deserialize<'de> for Malicious {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("the decoder of a result panicked")
    }
}

/// Cannot be encoded.
#[derive(Debug)]
pub struct Unencodable;

impl Serialize for Unencodable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("no bytes for this"))
    }
}

impl<'de> Deserialize<'de> for Unencodable {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

remote! {
    /// Adds.
    fn add(a: u64, b: u64) -> u64 {
        a + b
    }

    /// Gives back what it is given.
    fn echo(text: String) -> String {
        text
    }

    /// So many bytes.
    fn zeros(count: usize) -> Vec<u8> {
        vec![0; count]
    }

    /// A result of structure.
    fn count_words(text: String) -> HashMap<String, u32> {
        let mut counts = HashMap::new();
        for word in text.split_whitespace() {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
        counts
    }

    /// Halves, or refuses.
    fn halve(n: u64) -> Result<u64, Refusal> {
        if n.is_multiple_of(2) { Ok(n / 2) } else { Err(Refusal::Odd(n)) }
    }

    /// The process that runs it.
    fn process_id() -> u32 {
        std::process::id()
    }

    /// The process group.
    fn process_group() -> u32 {
        u32::try_from(getpgrp().as_raw_nonzero().get()).unwrap_or(0)
    }

    /// Panics.
    fn panics(text: String) -> u32 {
        panic!("{text}")
    }

    /// Panics with what is no text.
    fn panics_without_text() -> u32 {
        std::panic::panic_any(7_u8)
    }

    /// A result that its reader cannot bear.
    fn malicious() -> Malicious {
        Malicious
    }

    /// A result that has no bytes.
    fn unencodable() -> Unencodable {
        Unencodable
    }

    /// Ends the process in one of several ways.
    fn dies(how: String) -> u32 {
        match &*how {
            "abort" => std::process::abort(),
            "exit 0" => std::process::exit(0),
            "exit 3" => std::process::exit(3),
            // Rust's handler takes the first for no overflow of the stack, and steps aside.
            "segfault" => (0..2).for_each(|_| kill_process(getpid(), Signal::SEGV).unwrap()),
            "kill" => kill_process(getpid(), Signal::KILL).unwrap(),
            "stop" => kill_process(getpid(), Signal::STOP).unwrap(),
            "overflow" => drop(overflow(0)),
            other => panic!("unknown: {other}"),
        }
        loop {
            thread::park();
        }
    }

    /// Writes its process id to a file, and runs until the process is killed.
    fn runs_for_ever(file: PathBuf) -> u32 {
        std::fs::write(file, std::process::id().to_string()).unwrap();
        loop {
            thread::park();
        }
    }

    /// Sleeps, then gives `token` back.
    fn sleeps(milliseconds: u64, token: u64) -> u64 {
        thread::sleep(Duration::from_millis(milliseconds));
        token
    }

    /// Writes to the file, that it runs; then waits until it is cancelled and writes that.
    fn waits_for_cancellation(file: PathBuf) -> bool {
        let (heard, hook) = std::sync::mpsc::channel();
        let _guard = on_cancel(move || heard.send(()).unwrap());
        std::fs::write(&file, "runs").unwrap();
        hook.recv().unwrap();
        std::fs::write(&file, if is_cancelled() { "cancelled" } else { "not cancelled" }).unwrap();
        true
    }

    /// As `waits_for_cancellation`, with an argument that takes long to read.
    fn waits_long_after(file: PathBuf, argument: String) -> bool {
        drop(argument);
        let (heard, hook) = std::sync::mpsc::channel();
        let _guard = on_cancel(move || heard.send(()).unwrap());
        std::fs::write(&file, "runs").unwrap();
        hook.recv().is_ok()
    }

    /// Writes to the file, that it runs; waits until the other file is there; writes that it has ended.
    fn waits_for_file(file: PathBuf, other: PathBuf) -> bool {
        std::fs::write(&file, "runs").unwrap();
        while !other.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        std::fs::write(&file, "ended").unwrap();
        true
    }

    /// Touches so many bytes, one page after the other, and holds them for ever.
    fn eats(bytes: usize) -> u32 {
        let mut eaten = Vec::new();
        while eaten.len() * (1 << 20) < bytes {
            eaten.push(vec![1_u8; 1 << 20]);
        }
        loop {
            thread::park();
        }
    }

    /// Reserves so many bytes and touches few of them.
    fn reserves(bytes: usize) -> usize {
        let mut reserved: Vec<u8> = Vec::with_capacity(bytes);
        reserved.push(1);
        thread::sleep(Duration::from_millis(100));
        reserved.capacity()
    }

    /// What a worker says to one that asks for a pool of its own.
    fn wants_a_pool() -> String {
        match ProcessPool::new(1) {
            Ok(_) => "a pool".into(),
            Err(error) => error.to_string(),
        }
    }

    /// The open descriptors of the worker, by what they lead to.
    fn descriptors() -> Vec<String> {
        let here = std::fs::read_dir("/proc/self/fd").unwrap();
        let mut all: Vec<_> = here
            .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
            .map(|path| path.display().to_string())
            .collect();
        all.sort();
        all
    }

    /// Starts a process that holds on to everything, writes its id, and dies.
    fn leaves_an_orphan(file: PathBuf) -> u32 {
        let orphan = Command::new("sleep").arg("1000").spawn().unwrap();
        std::fs::write(file, orphan.id().to_string()).unwrap();
        std::process::exit(9)
    }

    /// A variable of the environment, and the working directory.
    fn surroundings(variable: String) -> (Option<String>, PathBuf) {
        (std::env::var(variable).ok(), std::env::current_dir().unwrap())
    }

    /// What stdin has.
    fn reads_stdin() -> usize {
        std::io::read_to_string(std::io::stdin()).unwrap().len()
    }

    /// Writes an event of each of two levels. Returns the trace that it is in.
    fn says(text: String) -> String {
        tracing::info!("{text}");
        tracing::warn!("{text}");
        crate::traces::current()
    }

    /// The level of the caller, as the child knows it.
    fn caller_level() -> Option<String> {
        offload_runtime::process::caller_level().map(|level| level.to_string())
    }

    /// What `warm_up` has left.
    fn is_warm() -> bool {
        WARM.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[expect(unconditional_recursion, reason = "to overflow the stack")]
fn overflow(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 1024]);
    overflow(depth + 1) + room[1000]
}

static WARM: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// A function for `on_worker_start`.
pub fn warm_up() {
    WARM.store(true, std::sync::atomic::Ordering::SeqCst);
}
offload_runtime::process::worker_start!(warm_up);

/// One that was not registered.
pub fn not_registered() {}
