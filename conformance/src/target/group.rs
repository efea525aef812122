//! A command that runs with all that it starts: a group of processes, which ends together.
//!
//! A command may be a wrapper: a shell, a script, a debugger. Whatever it starts is of its group,
//! unless that is left on purpose. The groups that live are known, so that an interrupt, which does
//! not reach them by itself, ends them all (`interrupt.rs`). It never says what is started.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::interrupt;

/// The groups of this program.
struct Groups {
    living: BTreeSet<i32>,
    /// Whether none may be started any more.
    is_over: bool,
}

static GROUPS: Mutex<Groups> = Mutex::new(Groups {
    living: BTreeSet::new(),
    is_over: false,
});

/// A command that was started, and whatever it has started since.
#[derive(Debug)]
pub(super) struct Group {
    /// The process of the command itself.
    pub(super) leader: Child,
}

impl Group {
    /// Starts the command in a group of its own.
    pub(super) fn start(command: &mut Command) -> io::Result<Group> {
        interrupt::listen();
        let mut groups = groups();
        if groups.is_over {
            return Err(io::Error::other("the trial was interrupted"));
        }
        let group = Group {
            leader: command.process_group(0).spawn()?,
        };
        groups.living.extend(group.number());
        Ok(group)
    }

    /// Ends every process of it. That of the command is waited for.
    pub(super) fn end(&mut self) {
        if let Some(number) = self.number()
            && groups().living.remove(&number)
        {
            kill(number);
        }
        let _ = self.leader.wait();
    }

    fn number(&self) -> Option<i32> {
        i32::try_from(self.leader.id()).ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends every group, and lets nobody start another.
pub(crate) fn end_all() {
    let mut groups = groups();
    groups.is_over = true;
    groups.living.iter().copied().for_each(kill);
}

/// A group that is gone already has nothing left to end.
fn kill(number: i32) {
    let _ = killpg(Pid::from_raw(number), Signal::SIGKILL);
}

fn groups() -> MutexGuard<'static, Groups> {
    GROUPS.lock().expect("nobody panics")
}
