//! A server on a port of its own, and a client that writes down what was said.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use server::net::{self, Clock};
use server::{Settings, Shared, Time};

/// Compares a transcript with the one on record.
macro_rules! transcript {
    ($said:expr) => {
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!($said);
        });
    };
}

/// What a client sends to learn that all replies before it have come, and what it gets.
const FENCE: (&[u8], &[u8]) = (b"mn\r\n", b"MN\r\n");

/// A server that ends with the test.
pub(crate) struct Server {
    /// Where it listens first.
    pub(crate) address: SocketAddr,
    /// Where it listens.
    pub(crate) addresses: Vec<SocketAddr>,
    /// Where its figures are.
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// At a port of its own, at a time that stands.
    pub(crate) fn start(options: &str) -> Self {
        let clock = Clock::standing_at(Time::from_seconds(1_800_000_000));
        Self::start_by(clock, &format!("-p 0 {options}"))
    }

    pub(crate) fn start_by(clock: Clock, options: &str) -> Self {
        let settings = Settings::parse(options.split_whitespace()).expect("the options are good");
        let listening = net::listen(&settings).expect("loopback can be bound");
        let addresses = listening.addresses();
        let addresses = addresses.iter().map(|text| text.parse().expect("TCP"));
        let addresses: Vec<SocketAddr> = addresses.collect();
        let metrics = listening.metrics();
        let shared = Arc::new(Shared::new(settings, clock.now()));
        let serving = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            net::serve(listening, &serving, clock, || ()).expect("it serves");
        });
        Self {
            address: *addresses.first().expect("one"),
            addresses,
            metrics,
            shared,
            thread: Some(thread),
        }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a timeout is set");
        stream
    }

    /// Sends each line, `⏎` standing for a line end, and writes down what comes back.
    pub(crate) fn play(&self, script: &str) -> String {
        let mut client = self.connect();
        let mut transcript = String::new();
        for line in script
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
        {
            let bytes = line.replace(" ⏎ ", "\r\n").replace('⏎', "\r\n") + "\r\n";
            client.write_all(bytes.as_bytes()).expect("it reads");
            let reply = replies(&mut client);
            transcript.push_str(&format!("> {line}\n"));
            for line in String::from_utf8_lossy(&reply).split_inclusive("\r\n") {
                transcript.push_str(&format!(
                    "< {}\n",
                    line.trim_end_matches("\r\n").escape_debug()
                ));
            }
        }
        transcript
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop();
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(matches!(ended, None | Some(Ok(()))), "the server panicked");
    }
}

/// All that the server has to say so far.
pub(crate) fn replies(client: &mut TcpStream) -> Vec<u8> {
    let (question, answer) = FENCE;
    let mut received = Vec::new();
    if client.write_all(question).is_err() {
        return received;
    }
    let mut buffer = [0; 65536];
    while !received.ends_with(answer) {
        match client.read(&mut buffer) {
            Ok(0) | Err(_) => {
                received.extend_from_slice(b"(closed)\r\n");
                return received;
            }
            Ok(read) => received.extend_from_slice(buffer.get(..read).expect("read")),
        }
    }
    received.truncate(received.len() - answer.len());
    received
}
