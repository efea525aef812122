//! Whom a spawned server is to know, in the files that a memcached may read.
//!
//! A folder of its own for each server, gone with it. What is in it is no secret: the users are
//! those of the examples.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The files that name the users, as long as the server runs.
#[derive(Debug)]
pub struct Users {
    folder: PathBuf,
}

impl Users {
    /// Writes the files for these users, each `name:password`.
    ///
    /// # Errors
    /// When there is no place for them.
    pub fn write(users: &[String]) -> io::Result<Users> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("touchstone-users-{}-{count}", std::process::id());
        let users_of = Users {
            folder: std::env::temp_dir().join(name),
        };
        fs::create_dir_all(&users_of.folder)?;
        let lines = |users: &[String]| users.iter().map(|user| format!("{user}\n")).collect();
        let text: String = lines(users);
        fs::write(users_of.file(), &text)?;
        // The Cyrus library says of a user on which host, too.
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let at_host = |user: &String| user.replacen(':', &format!("@{}:", host.trim()), 1);
        let there: Vec<String> = users.iter().map(at_host).collect();
        let there: String = lines(&there);
        fs::write(users_of.folder.join("sasl"), text + &there)?;
        fs::write(users_of.folder.join("memcached.conf"), "mech_list: plain\n")?;
        Ok(users_of)
    }

    /// The file with a line for each, which `{users}` stands for.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join("users")
    }

    /// Lets this command find them.
    pub fn tell(&self, command: &mut Command) {
        command
            .env("SASL_CONF_PATH", &self.folder)
            .env("MEMCACHED_SASL_PWDB", self.folder.join("sasl"));
    }
}

impl Drop for Users {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
