//! Who may log in, read from a file that the operator keeps.
//!
//! Each line is `user:password`, as memcached has it. Instead of the password there may stand what
//! `openssl passwd -6` makes of it: `user:$6$salt$hash`, or `user:$6$rounds=N$salt$hash`. Of the
//! slow hashes it is the one that every system can make, and the one that takes no memory: a
//! server that promises to keep within `-m` cannot give a stranger 19 MiB for each attempt.
//! An empty line, or one that begins with `#`, says nothing.
//!
//! It never says which user there is: an unknown one takes as long as a known one with a wrong
//! password. It never reads the file (`net::reload` does).

use std::sync::Arc;

use sha_crypt::{Sha512Params, sha512_crypt_b64};
use subtle::{Choice, ConstantTimeEq};

use crate::limits::{HASH_ROUNDS_MAX, HASHED_PASSWORD_LEN_MAX, USERS_MAX};

/// What a hashed entry begins with.
const HASHED: &str = "$6$";

/// How often is hashed where the entry does not say.
const ROUNDS: usize = 5000;

/// The users of a server.
#[derive(Debug, Default)]
pub struct Users {
    entries: Vec<Entry>,
}

/// One line of the file.
struct Entry {
    name: Vec<u8>,
    secret: Secret,
}

/// What tells a password from others.
enum Secret {
    Plain(Vec<u8>),
    Hashed(Arc<Hashed>),
}

struct Hashed {
    rounds: usize,
    salt: String,
    hash: String,
}

/// What is said of a user and a password.
#[derive(Debug)]
pub enum Judgement {
    /// They belong together, or not.
    Known(bool),
    /// It takes a while to find out.
    Slow(Question),
}

/// Whether a password is that of a hashed entry.
pub struct Question {
    hashed: Arc<Hashed>,
    password: Vec<u8>,
    is_decoy: bool,
}

impl Users {
    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// The number of the first line that is none, and what is wrong with it. It never repeats any
    /// of the line.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let mut entries = Vec::new();
        for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let entry = Entry::parse(line).map_err(|what| format!("line {number}: {what}"))?;
            entries.push(entry);
            if entries.len() > USERS_MAX {
                return Err(format!(
                    "line {number}: more than {USERS_MAX} users are too many"
                ));
            }
        }
        Ok(Self { entries })
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.entries.len()
    }

    /// Whether this is the password of this user, as far as that is found out at once.
    #[must_use]
    pub fn judge(&self, name: &[u8], password: &[u8]) -> Judgement {
        let mut is_right = Choice::from(0);
        let mut hashed = None;
        let mut decoy = None;
        for entry in &self.entries {
            let is_named = equal(&entry.name, name);
            match &entry.secret {
                Secret::Plain(secret) => is_right |= is_named & equal(secret, password),
                Secret::Hashed(secret) => {
                    decoy = Some(secret);
                    hashed = bool::from(is_named).then_some(secret).or(hashed);
                }
            }
        }
        let is_right = bool::from(is_right);
        match hashed.or(decoy) {
            Some(secret) if !is_right && password.len() <= HASHED_PASSWORD_LEN_MAX => {
                Judgement::Slow(Question {
                    hashed: Arc::clone(secret),
                    password: password.to_vec(),
                    is_decoy: hashed.is_none(),
                })
            }
            _ => Judgement::Known(is_right),
        }
    }
}

impl Question {
    /// Finds out. It takes milliseconds, and is nothing for a thread that others wait for.
    #[must_use]
    pub fn answer(&self) -> bool {
        let hashed = &self.hashed;
        let Ok(rounds) = Sha512Params::new(hashed.rounds) else {
            return false;
        };
        let hash = sha512_crypt_b64(&self.password, hashed.salt.as_bytes(), &rounds);
        let is_right = hash.is_ok_and(|hash| equal(hashed.hash.as_bytes(), hash.as_bytes()).into());
        is_right && !self.is_decoy
    }
}

impl Entry {
    fn parse(line: &[u8]) -> Result<Self, &'static str> {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, secret) = colon
            .and_then(|at| line.split_at_checked(at))
            .ok_or("it is not `user:password`")?;
        let secret = secret.get(1..).unwrap_or_default();
        if name.is_empty() || secret.is_empty() {
            return Err("a user has a name and a password");
        }
        if name.iter().chain(secret).any(|byte| *byte == 0) {
            return Err("neither a name nor a password may have a NUL in it");
        }
        let secret = match std::str::from_utf8(secret) {
            Ok(text) if text.starts_with(HASHED) => {
                let hashed = Hashed::parse(text);
                let hashed = hashed.ok_or("this is no hash of `openssl passwd -6`")?;
                if hashed.rounds > HASH_ROUNDS_MAX {
                    return Err("hashing so often would hold up the others");
                }
                Secret::Hashed(Arc::new(hashed))
            }
            Ok(text) if is_hash_of_another_kind(text) => {
                return Err("this hash is of a kind that is not known: use `openssl passwd -6`");
            }
            _ => Secret::Plain(secret.to_vec()),
        };
        let name = name.to_vec();
        Ok(Self { name, secret })
    }
}

impl Hashed {
    /// `$6$salt$hash` or `$6$rounds=N$salt$hash`.
    fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(HASHED)?;
        let (rounds, rest) = match rest.strip_prefix("rounds=") {
            Some(rest) => {
                let (rounds, rest) = rest.split_once('$')?;
                (rounds.parse().ok()?, rest)
            }
            None => (ROUNDS, rest),
        };
        Sha512Params::new(rounds).ok()?;
        let (salt, hash) = rest.split_once('$')?;
        let is_hash = hash.len() == 86 && salt.len() <= 16 && !hash.contains('$');
        is_hash.then(|| Self {
            rounds,
            salt: salt.to_owned(),
            hash: hash.to_owned(),
        })
    }
}

/// Whether it looks like `$id$…$…` of some other `id`. To take that for a password would lock its
/// user out, and never say why.
fn is_hash_of_another_kind(text: &str) -> bool {
    text.starts_with('$') && text.matches('$').count() >= 3
}

/// Whether two texts are the same, in a time that depends on what was said alone.
fn equal(known: &[u8], said: &[u8]) -> Choice {
    let mut same = known.len().ct_eq(&said.len());
    for (byte, known) in said.iter().zip(known.iter().cycle()) {
        same &= byte.ct_eq(known);
    }
    same
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry")
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Question")
    }
}
