//! Servers that are careless in one way each, so that every fault can be known to find something.
//!
//! Each is the model behind a socket, with a thread for each client; what it answers is right. It
//! never is careless in two ways, and without a carelessness it passes every fault. The servers
//! whose answers are wrong are in `liars/`.

mod house;

use std::io;
use std::net::{Ipv4Addr, TcpListener};

use house::House;

/// A server that is careless in one way.
#[derive(Clone, Copy, Debug)]
pub struct Careless {
    /// What to call it: `touchstone serve --careless NAME`.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub does: &'static str,
    /// The faults that must find it.
    pub caught_by: &'static [&'static str],
    /// What it is careless about; nothing where it is not.
    care: Option<Care>,
}

/// What a server may be careless about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Addresses,
    Batches,
    Closing,
    Clock,
    Comers,
    Counting,
    Echo,
    Files,
    Growth,
    Hangups,
    Idleness,
    Keeping,
    Lengths,
    Limit,
    Lines,
    Lockout,
    Log,
    Misses,
    Moods,
    Others,
    Paths,
    Prefixes,
    Queue,
    Readers,
    Rounds,
    Shutdown,
    Slots,
    Spinning,
    Strangers,
    Swallowed,
    Torn,
    Turns,
    Watchers,
}

const fn careless(
    name: &'static str,
    care: Care,
    caught_by: &'static [&'static str],
    does: &'static str,
) -> Careless {
    Careless {
        name,
        does,
        caught_by,
        care: Some(care),
    }
}

/// All of them, the careful one first.
pub static CARELESS: [Careless; 34] = [
    Careless {
        name: "careful",
        does: "It is careless about nothing.",
        caught_by: &[],
        care: None,
    },
    careless(
        "miscounts",
        Care::Counting,
        &["counted-clients"],
        "It forgets to count who comes.",
    ),
    careless(
        "hoards-prefixes",
        Care::Prefixes,
        &["many-prefixes"],
        "It counts any number of prefixes.",
    ),
    careless(
        "hoards-lines",
        Care::Lines,
        &["endless-line"],
        "It keeps a line until that ends.",
    ),
    careless(
        "believes-lengths",
        Care::Lengths,
        &["announced-blocks"],
        "It makes room for whatever length is announced.",
    ),
    careless(
        "keeps-swallowed",
        Care::Swallowed,
        &["long-swallow"],
        "It keeps what it reads until the client leaves.",
    ),
    careless(
        "starves-others",
        Care::Others,
        &["held-uploads"],
        "It stores nothing small once somebody stores large items.",
    ),
    careless(
        "pays-for-misses",
        Care::Misses,
        &["many-misses"],
        "It prepares a reply to each key before it looks for it.",
    ),
    careless(
        "queues-replies",
        Care::Queue,
        &["unread-values", "unread-hits"],
        "It queues replies without end.",
    ),
    careless(
        "tears",
        Care::Torn,
        &["items-in-use", "slow-reader"],
        "It shows values with their first half from elsewhere.",
    ),
    careless(
        "outgrows",
        Care::Growth,
        &["many-items"],
        "It loses what it has when it has been given 100,000 items.",
    ),
    careless(
        "remembers-too-well",
        Care::Rounds,
        &["overfull"],
        "Once it was given 20,000 items, it takes one of seven for stored, and stores nothing.",
    ),
    careless(
        "waits-for-readers",
        Care::Readers,
        &["deaf-client", "unread-dumps"],
        "It lets all clients wait while one does not read.",
    ),
    careless(
        "finishes-batches",
        Care::Batches,
        &["greedy-reader"],
        "It lets all clients wait while one has more to ask, a millisecond for each request.",
    ),
    careless(
        "never-closes",
        Care::Idleness,
        &[
            "idle",
            "half-a-line",
            "half-a-hello",
            "half-a-block",
            "half-a-swallow",
            "half-a-reply",
        ],
        "It has no idle timeout.",
    ),
    careless(
        "counts-files",
        Care::Files,
        &["as-many-as-allowed"],
        "It counts its own files as clients.",
    ),
    careless(
        "takes-all",
        Care::Limit,
        &["more-than-allowed"],
        "It has no connection limit.",
    ),
    careless(
        "leaks",
        Care::Closing,
        &["vanishing-clients", "vanishing-operators"],
        "It forgets to close the connection of a client that left.",
    ),
    careless(
        "shows-addresses",
        Care::Addresses,
        &["addresses"],
        "Its settings show where they stand in memory.",
    ),
    careless(
        "shows-paths",
        Care::Paths,
        &["addresses"],
        "Its settings show where it is installed.",
    ),
    careless(
        "stays",
        Care::Shutdown,
        &["shutdown", "graceful-shutdown"],
        "It closes the connection on `shutdown`, and serves on.",
    ),
    careless(
        "hangs-up",
        Care::Hangups,
        &["half-closed-clients"],
        "It ends a connection once the client has sent its last byte, whatever it is owed.",
    ),
    careless(
        "takes-turns",
        Care::Turns,
        &["slow-lines", "slow-values", "stalled-handshakes"],
        "It lets all clients wait while one is in the middle of a request.",
    ),
    careless(
        "locks-out",
        Care::Lockout,
        &["connection-flood", "more-than-allowed"],
        "Once it had to refuse somebody, it refuses everybody.",
    ),
    careless(
        "spins",
        Care::Spinning,
        &["no-descriptors"],
        "It tries without a pause to accept what it has no file for.",
    ),
    careless(
        "keeps-clients",
        Care::Keeping,
        &["vanishing-clients"],
        "It keeps 200 KB of each client that ever was.",
    ),
    careless(
        "admits-strangers",
        Care::Strangers,
        &["strangers"],
        "It takes no notice of who may log in.",
    ),
    careless(
        "waits-for-watchers",
        Care::Watchers,
        &["unread-watches"],
        "It tells its watchers of each request before it answers.",
    ),
    careless(
        "trusts-the-clock",
        Care::Clock,
        &["stopped"],
        "It takes all clients for dead when it was not let run for a while.",
    ),
    careless(
        "shares-slots",
        Care::Slots,
        &["many-lines"],
        "It answers no more than a hundred requests of those that came together.",
    ),
    careless(
        "echoes",
        Care::Echo,
        &["other-protocols"],
        "It says again what it does not understand.",
    ),
    careless(
        "errs",
        Care::Moods,
        &[],
        "It refuses one request in two thousand for no reason: only a soak is long enough to see.",
    ),
    careless(
        "logs-comers",
        Care::Comers,
        &["brief-clients"],
        "It logs who comes, before it listens to anybody else.",
    ),
    careless(
        "logs-raw",
        Care::Log,
        &["escaped-log", "unread-log"],
        "It logs what it is sent, before it answers.",
    ),
];

/// The one of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Careless> {
    CARELESS.iter().find(|careless| careless.name == name)
}

impl Careless {
    /// Serves on this port of this machine for ever, started with memcached's options.
    ///
    /// # Errors
    /// When the port cannot be had, or somebody is to log in of whom nothing can be read.
    pub fn serve(&self, port: u16, options: &[String]) -> io::Result<()> {
        let house = House::new(self.care, options)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        house.serve(&listener);
        Ok(())
    }
}
