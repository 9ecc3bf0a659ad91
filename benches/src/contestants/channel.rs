//! What a careful user writes by hand: threads that receive boxed closures from a channel of crossbeam, and a oneshot to bring the
//! result back. Its threads end with the channel.

use crossbeam_channel::{Sender, unbounded};

use super::{Contestant, Setup, Unwrapped};

#[derive(Debug)]
pub(crate) struct Channel(Sender<Box<dyn FnOnce() + Send>>);

impl Contestant for Channel {
    const NAME: &'static str = "channel+oneshot";

    fn start(setup: &Setup) -> Self {
        let (sender, receiver) = unbounded::<Box<dyn FnOnce() + Send>>();
        for _ in 0..setup.threads {
            let receiver = receiver.clone();
            std::thread::spawn(move || receiver.into_iter().for_each(|job| job()));
        }
        Self(sender)
    }

    #[inline]
    fn submit<F, T>(&self, f: F) -> impl Future<Output = T> + Send + 'static
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (sender, receiver) = oneshot::async_channel();
        // A caller that has gone is no failure.
        let job = Box::new(move || drop(sender.send(f())));
        self.0.send(job).expect("the threads end only with the channel");
        Unwrapped(receiver)
    }
}
