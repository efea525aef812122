//! The files that a server reads again while it runs: by SIGHUP.
//!
//! It never leaves a server with half of what a file says: what cannot be read whole changes
//! nothing.

use std::fs::File;
use std::io::{self, Read};

use crate::log::Kind;
use crate::settings::Settings;
use crate::shared::Shared;
use crate::time::Time;
use crate::users::Users;

/// The longest file of users, in bytes.
const USERS_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Reads who may log in.
///
/// # Errors
///
/// What is wrong with the file, which it names.
pub fn read_users(settings: &Settings) -> Result<Users, String> {
    let Some(path) = &settings.users_path else {
        return Ok(Users::default());
    };
    let text = read(path).map_err(|error| format!("-Y: {path}: {error}"))?;
    let users = Users::parse(&text).map_err(|problem| format!("-Y: {path}: {problem}"))?;
    // Who writes the file anew empties it first: that is no moment to shut everybody out.
    if users.count() == 0 {
        return Err(format!("-Y: {path}: there is no user in it"));
    }
    Ok(users)
}

/// Reads all files again. What is wrong with one of them is said on the log.
pub(super) fn reload(shared: &Shared, now: Time) {
    if let Some(Err(problem)) = shared.refresh_certificates(now) {
        let line = format!("-o {problem}: going on with the certificates there were");
        shared.log.say(Kind::Operator, line);
    }
    match read_users(&shared.settings) {
        Ok(users) => shared.set_users(users),
        Err(problem) => {
            let line = format!("{problem}: going on with the users there were");
            shared.log.say(Kind::Operator, line);
        }
    }
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(USERS_FILE_BYTES_MAX)
        .read_to_end(&mut text)?;
    Ok(text)
}
