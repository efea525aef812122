//! One client of a server that is done something to.
//!
//! It never waits without a limit, and never judges more than it was asked to: what a reply should
//! have been is said by the fault.

use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::time::Duration;

use spec::exchange::Fence;

use super::stage::now;
use super::{Trouble, hold};
use crate::target::address::Wire;

/// How long any reply may take where the rule says nothing of time.
pub const REPLY_MAX: Duration = Duration::from_secs(10);

/// A client with a connection of its own.
pub struct Client {
    stream: BufReader<Box<dyn Wire>>,
    fence: Fence,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// A client that speaks over this connection.
    #[must_use]
    pub fn over(wire: Box<dyn Wire>, fence: Fence) -> Client {
        let stream = BufReader::new(wire);
        let mut client = Client { stream, fence };
        client.wait_for(REPLY_MAX);
        client
    }

    /// How long a read or a write may take from now on.
    pub fn wait_for(&mut self, limit: Duration) {
        self.stream.get_mut().patience(limit, limit);
    }

    /// Sends all of this.
    ///
    /// # Errors
    /// When the server does not take it.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let sent = self.stream.get_mut().write_all(bytes);
        sent.map_err(|error| broken("the request is read", error))
    }

    /// Sends as much of this as the server takes, and tells how much that was.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            match self.stream.get_mut().write(rest) {
                Ok(0) | Err(_) => break,
                Ok(written) => sent += written,
            }
        }
        sent
    }

    /// The next line, without its end.
    ///
    /// # Errors
    /// When none comes.
    pub fn line(&mut self) -> Result<String, Trouble> {
        let mut line = Vec::new();
        match self.stream.read_until(b'\n', &mut line) {
            Ok(0) => hold(false, "a reply", "the connection was closed")?,
            Ok(_) => {}
            Err(error) => return Err(broken("a reply", error)),
        }
        let line = line.strip_suffix(b"\r\n").unwrap_or(&line);
        Ok(line.escape_ascii().to_string())
    }

    /// Reads and throws away lines up to this one, and tells how many there were.
    ///
    /// # Errors
    /// When it does not come.
    pub fn lines_until(&mut self, last: &str) -> Result<usize, Trouble> {
        let mut count = 0;
        while self.line()? != last {
            count += 1;
        }
        Ok(count)
    }

    /// Reads as many bytes as there are here, which must be these.
    ///
    /// # Errors
    /// When they are others, or none.
    pub fn hear(&mut self, reply: &[u8]) -> Result<(), Trouble> {
        let mut heard = vec![0; reply.len()];
        let read = self.stream.read_exact(&mut heard);
        read.map_err(|error| broken("a reply", error))?;
        let shown = heard.escape_ascii().to_string();
        hold(heard == reply, &reply.escape_ascii().to_string(), shown)
    }

    /// Reads a frame, which must tell of this opcode and of success.
    ///
    /// # Errors
    /// When it is another, or none.
    pub fn hear_frame(&mut self, opcode: u8) -> Result<(), Trouble> {
        let mut head = [0; 24];
        let read = self.stream.read_exact(&mut head);
        read.map_err(|error| broken("a frame", error))?;
        let [magic, said, _, _, _, _, high, low, body @ ..] = head;
        let [a, b, c, d, ..] = body;
        let expected = format!("a frame of success with opcode {opcode:#04x}");
        let is_due = [magic, said, high, low] == [0x81, opcode, 0, 0];
        hold(is_due, &expected, head.escape_ascii())?;
        let length = u64::from(u32::from_be_bytes([a, b, c, d]));
        let mut waste = Vec::new();
        let read = self.stream.by_ref().take(length).read_to_end(&mut waste);
        read.map_err(|error| broken("the body of a frame", error))?;
        Ok(())
    }

    /// Sends a line and reads one line of reply.
    ///
    /// # Errors
    /// When none comes.
    pub fn ask(&mut self, line: &str) -> Result<String, Trouble> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.line()
    }

    /// Sends a line, which must be answered with this one.
    ///
    /// # Errors
    /// When it is answered otherwise.
    pub fn expect(&mut self, line: &str, reply: &str) -> Result<(), Trouble> {
        let received = self.ask(line)?;
        let shown: String = line.chars().take(60).collect();
        hold(
            received == reply,
            &format!("`{reply}` to `{shown}`"),
            received,
        )
    }

    /// Stores so many bytes under a key.
    ///
    /// # Errors
    /// When that fails.
    pub fn set(&mut self, key: &str, length: usize) -> Result<(), Trouble> {
        let line = format!("set {key} 0 0 {length}\r\n{}", "x".repeat(length));
        self.expect(&line, "STORED")
    }

    /// Between two requests there is nothing more to read: the stream is in step.
    ///
    /// # Errors
    /// When it is not.
    pub fn fence(&mut self) -> Result<(), Trouble> {
        let (request, reply) = match self.fence {
            Fence::Noop => ("mn", "MN"),
            Fence::Miss | Fence::Frame => ("get no-such-key", "END"),
        };
        self.expect(request, reply)
    }

    /// The value of a statistic.
    ///
    /// # Errors
    /// When the server has none of that name.
    pub fn statistic(&mut self, name: &str) -> Result<u64, Trouble> {
        self.send(b"stats\r\n")?;
        let mut found = None;
        loop {
            let line = self.line()?;
            match line.split(' ').collect::<Vec<_>>().as_slice() {
                ["END"] => break,
                ["STAT", own, value] if *own == name => found = value.parse().ok(),
                ["STAT", ..] => {}
                _ => hold(false, "lines of `stats`", line)?,
            }
        }
        found.ok_or_else(|| broken(&format!("`STAT {name}` with a number"), "none"))
    }

    /// Whether the server closes within this time; what it sends before is thrown away.
    #[must_use]
    pub fn is_closed_within(&mut self, limit: Duration) -> bool {
        let deadline = now() + limit;
        let mut waste = [0; 4096];
        loop {
            let left = deadline.saturating_duration_since(now());
            if left.is_zero() {
                return false;
            }
            self.wait_for(left);
            match self.stream.read(&mut waste) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if is_late(&error) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Sends nothing more.
    pub fn half_close(&mut self) {
        self.stream.get_mut().finish();
    }

    /// All that comes until the server closes.
    #[must_use]
    pub fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        // What came before a reset is what there is.
        let _ = self.stream.read_to_end(&mut bytes);
        bytes.escape_ascii().to_string()
    }

    /// A second hand on the same connection, to write while this one reads.
    ///
    /// # Errors
    /// When the system does not allow it.
    pub fn another(&self) -> Result<Client, Trouble> {
        let stream = self.stream.get_ref().twin();
        let stream = stream.map_err(|error| Trouble::Unseen(error.to_string()))?;
        Ok(Client {
            stream: BufReader::new(stream),
            fence: self.fence,
        })
    }
}

/// Whether nothing came in time.
fn is_late(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn broken(expected: &str, received: impl ToString) -> Trouble {
    Trouble::Broken {
        expected: expected.to_owned(),
        received: received.to_string(),
    }
}
