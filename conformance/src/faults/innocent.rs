//! The client that does nothing wrong, and asks on whatever is done to its server.
//!
//! It speaks what the server was told to speak, and logs in where that is asked for. How long it
//! waited is kept. It never says what was done to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use spec::exchange::Fence;

use super::client::Client;
use super::stage::{INNOCENT_MAX, now, pause};
use super::waits::{Echo, Waits};
use super::{Trouble, hold};

/// How often it asks.
const INNOCENT_PAUSE: Duration = Duration::from_millis(2);

/// What there is to say to a server that was started so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manners {
    /// What is said once, and the answer.
    login: Option<(Vec<u8>, Vec<u8>)>,
    question: Question,
}

/// What is asked again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Question {
    /// A line, and the answer.
    Line(&'static [u8], &'static [u8]),
    /// A frame with this opcode and nothing else, whose answer has that opcode.
    Frame(u8),
}

/// The opcodes of the binary protocol that it has a use for.
const NOOP: u8 = 0x0a;
const VERSION: u8 = 0x0b;

impl Manners {
    /// What such options and users ask for.
    pub(super) fn of(options: &str, users: &[String], fence: Fence) -> Manners {
        let words: Vec<&str> = options.split_whitespace().collect();
        let is_binary = words.windows(2).any(|two| two == ["-B", "binary"]);
        let login = users.first().and_then(|user| user.split_once(':'));
        let login = login.map(|(user, password)| {
            let token = format!("{user} {password}");
            let line = format!("set login 0 0 {}\r\n{token}\r\n", token.len());
            (line.into_bytes(), b"STORED\r\n".to_vec())
        });
        match fence {
            // Nobody needs to log in for that, and not every memcached finds its users.
            _ if words.contains(&"-S") => Manners {
                login: None,
                question: Question::Frame(VERSION),
            },
            _ if is_binary => Manners {
                login,
                question: Question::Frame(NOOP),
            },
            Fence::Noop => Manners {
                login,
                question: Question::Line(b"mn\r\n", b"MN\r\n"),
            },
            Fence::Miss | Fence::Frame => Manners {
                login,
                question: Question::Line(b"get no-such-key\r\n", b"END\r\n"),
            },
        }
    }

    /// Says what is said first, and asks once.
    ///
    /// # Errors
    /// When the answer is another.
    pub(super) fn greet(&self, client: &mut Client) -> Result<(), Trouble> {
        if let Some((said, answer)) = &self.login {
            client.send(said)?;
            client.hear(answer)?;
        }
        self.ask(client)
    }

    fn ask(&self, client: &mut Client) -> Result<(), Trouble> {
        match self.question {
            Question::Line(line, answer) => {
                client.send(line)?;
                client.hear(answer)
            }
            Question::Frame(opcode) => {
                client.send(&[&[0x80, opcode][..], &[0; 22]].concat())?;
                client.hear_frame(opcode)
            }
        }
    }
}

/// The client at its work.
#[derive(Debug)]
pub(super) struct Innocent {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<(Result<(), Trouble>, Waits)>,
}

impl Innocent {
    /// Lets it ask from now on; it was greeted already.
    pub(super) fn start(mut client: Client, manners: Manners) -> Innocent {
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_over);
        let mut asked = now();
        let ask_on = move || {
            let mut waits = Waits::default();
            let mut echo = Echo::start().ok();
            let mut ended = Ok(());
            while !told.load(Ordering::Relaxed) && ended.is_ok() {
                let silent = now().saturating_duration_since(asked);
                asked = now();
                ended = excused(manners.ask(&mut client), silent);
                let waited = now().saturating_duration_since(asked);
                waits.add(waited, echo.as_mut().and_then(|echo| echo.hear().ok()));
                if ended.is_ok() && waited > INNOCENT_MAX {
                    let waited = waited.as_millis();
                    ended = Err(Trouble::Late(format!("it waited {waited} ms")));
                }
                pause(INNOCENT_PAUSE);
            }
            (ended, waits)
        };
        Innocent {
            is_over,
            thread: thread::spawn(ask_on),
        }
    }

    /// Lets it go: how it was served, and how long it waited.
    pub(super) fn stop(self) -> (Result<(), Trouble>, Waits) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("the innocent does not panic")
    }
}

/// A client that was itself held up for so long before it asked may have been taken for gone: that
/// says nothing of the server.
pub(super) fn excused(answered: Result<(), Trouble>, silent: Duration) -> Result<(), Trouble> {
    match answered {
        Err(Trouble::Broken { .. }) if silent > INNOCENT_MAX => {
            let silent = silent.as_millis();
            Err(Trouble::Late(format!("it was silent for {silent} ms")))
        }
        other => other,
    }
}

/// What a reply was expected to be, where it is one to an innocent client.
pub(super) fn served(answered: Result<(), Trouble>) -> Result<(), Trouble> {
    match answered {
        Err(Trouble::Broken { expected, received }) => hold(
            false,
            &format!("another client is answered: {expected}"),
            received,
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_client_that_was_silent_itself_has_an_excuse() {
        let closed = || hold(false, "a reply", "a close");
        assert_eq!(excused(closed(), INNOCENT_MAX), closed());
        let late = excused(closed(), INNOCENT_MAX * 3);
        assert_eq!(late, Err(Trouble::Late("it was silent for 3000 ms".into())));
        assert_eq!(excused(Ok(()), INNOCENT_MAX * 3), Ok(()));
    }
}
