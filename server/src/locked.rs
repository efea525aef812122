//! Memory that is kept out of the swap (`-k`).
//!
//! It never locks what may not all be locked: every page is, from then on, and where the system
//! stops at some limit, the first one beyond it would be refused, and that ends the process.

use std::fs;

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use server::Settings;

/// The bit of the right to lock as much as one likes, `CAP_IPC_LOCK`.
const MAY_LOCK: u64 = 1 << 14;

/// Asks for leave to lock as much as there will be: root gets it, who may not stay root.
pub(crate) fn ask(settings: &Settings) {
    if settings.locks_memory {
        // Whether it was granted is seen when it is wanted.
        let _ = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);
    }
}

/// Does without where it is not allowed, and says so.
pub(crate) fn see(settings: &mut Settings) {
    let (limit, _) = getrlimit(Resource::RLIMIT_MEMLOCK).unwrap_or((0, 0));
    let is_allowed = limit == RLIM_INFINITY || rights() & MAY_LOCK != 0;
    if settings.locks_memory && !is_allowed {
        complain(&format!(
            "the system allows {limit} bytes only: raise `LimitMEMLOCK` or `ulimit -l`"
        ));
        settings.locks_memory = false;
    }
}

/// Locks what there is, and what there will be. A process that is forked off has to do it itself.
pub(crate) fn lock(settings: &Settings) {
    if settings.locks_memory
        && let Err(error) = mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE)
    {
        complain(&error.to_string());
    }
}

fn complain(problem: &str) {
    say!("-k: memory is not locked: {problem}");
}

/// What the process may do beyond others, a bit for each right.
fn rights() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let rights = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .map(|rights| u64::from_str_radix(rights.trim(), 16));
    rights.and_then(Result::ok).unwrap_or(0)
}
