//! The table of options as people read it: the help and the manual page.
//!
//! It never says anything of an option that the table does not.

use super::extended;
use super::options::{Kind, OPTIONS, Option as Choice};

/// What stands in the manual page before the options.
const MANUAL_HEAD: &str = r#".TH TOUCHSTONED 1
.SH NAME
touchstoned \- a memcached server
.SH SYNOPSIS
.B touchstoned
.RI [ options ]
.br
.B touchstoned \-\-check\-config
.RI [ options ]
.SH DESCRIPTION
A server that keeps items in memory for clients of memcached. It takes memcached's options and
speaks its protocols. Started without options it listens on loopback, at port 11211, and keeps 64
megabytes.
.SH OPTIONS
Long names may be shortened as long as they are one option's only.
"#;

/// What stands in it behind them.
const MANUAL_FOOT: &str = r#".SH FILES
.TP
.I /etc/touchstoned.conf, /etc/memcached.conf
Options, one on a line, with # before what is no more than a comment; the service reads the first
of these that is there.
.SH SIGNALS
.TP
.B SIGTERM, SIGINT, SIGUSR1
No new clients; what is owed is sent, for at most 5 seconds; the process ends.
.TP
.B SIGHUP
The files of users and certificates are read again.
.SH EXIT STATUS
.TP
.B 0
It was told to end, or asked for no server.
.TP
.B 1
An option is unknown, or cannot have its value.
.TP
.B 64
So, and it is -p, -U, -I or -B, or stands in a file; or two options contradict each other.
.TP
.B 67
There is no such user.
.TP
.B 71
The system refuses an address, a thread or a right.
.SH SEE ALSO
.BR memcached (1)
"#;

impl Choice {
    /// Its names, as they are written.
    pub(super) fn names(&self) -> Vec<String> {
        let short = self.short.map(|letter| format!("-{letter}"));
        let long = (!self.long.is_empty()).then(|| format!("--{}", self.long));
        short.into_iter().chain(long).collect()
    }

    /// What it is for.
    pub(super) fn purpose(&self) -> String {
        match self.kind {
            Kind::Refused(_) => format!("refused: {}", self.about),
            _ => self.about.to_owned(),
        }
    }
}

/// The text that `-h` prints.
pub(super) fn help() -> String {
    let mut help = String::new();
    for option in OPTIONS {
        let short = option
            .short
            .map_or_else(String::new, |letter| format!("-{letter}, "));
        let value = match option.kind {
            _ if !option.takes_value() => String::new(),
            _ => format!(" <{}>", option.range),
        };
        let long = match option.long {
            "" => String::new(),
            long => format!("--{long}"),
        };
        let about = option.purpose();
        help.push_str(&format!("{short:4}{long}{value}\n        {about}\n"));
        if matches!(option.kind, Kind::Words) {
            extended::words().for_each(|word| help.push_str(&word.help()));
        }
    }
    help
}

/// The manual page, in the language of `man`.
pub(super) fn page() -> String {
    let mut page = MANUAL_HEAD.to_owned();
    for option in OPTIONS {
        let names = option.names().join(", ");
        let value = if option.takes_value() {
            format!(" <{}>", option.range)
        } else {
            String::new()
        };
        let (head, about) = (plain(&format!("{names}{value}")), plain(&option.purpose()));
        page.push_str(&format!(".TP\n.B {head}\n{about}\n"));
        if matches!(option.kind, Kind::Words) {
            page.push_str(".RS\n");
            for word in extended::words() {
                let help = plain(&word.help());
                let mut lines = help.lines().map(str::trim_start);
                let (head, about) = (lines.next(), lines.next());
                let (head, about) = (head.unwrap_or_default(), about.unwrap_or_default());
                page.push_str(&format!(".TP\n.B {head}\n{about}\n"));
            }
            page.push_str(".RE\n");
        }
    }
    page.push_str(MANUAL_FOOT);
    page
}

/// Text that stands for itself in a manual page.
fn plain(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-")
}
