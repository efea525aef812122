//! The table of options.
//!
//! Each row is one option: its names, what it takes, what it is for, and what it sets.

use std::net::SocketAddr;

use super::{Listener, MEBIBYTE, Protocol, Purpose, Settings, Shell};

/// An option.
pub(super) struct Option {
    pub(super) short: std::option::Option<char>,
    pub(super) long: &'static str,
    pub(super) range: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
}

/// What an option does when it is given.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// It takes no value.
    Flag(fn(&mut Settings)),
    /// It takes a value; none when that is out of range.
    Value(fn(&mut Settings, &str) -> std::option::Option<()>),
    /// It takes words of `extended.rs`.
    Words,
    /// It names a file of options.
    Config,
    /// It is for whoever reads the command line before.
    Check,
    /// The server does not start; why, says the text.
    Refused(&'static str),
}

impl Option {
    /// Whether memcached calls a bad value of it a bad use, and ends with 64 rather than 1.
    pub(super) fn is_for_usage(&self) -> bool {
        matches!(self.short, Some('p' | 'U' | 'I' | 'B'))
    }

    /// Whether a value stands behind it.
    pub(super) fn takes_value(&self) -> bool {
        match self.kind {
            Kind::Value(_) | Kind::Words | Kind::Config => true,
            Kind::Flag(_) | Kind::Check => false,
            Kind::Refused(_) => !self.range.is_empty(),
        }
    }
}

const fn flag(
    short: char,
    long: &'static str,
    about: &'static str,
    set: fn(&mut Settings),
) -> Option {
    Option {
        short: Some(short),
        long,
        range: "",
        about,
        kind: Kind::Flag(set),
    }
}

const fn value(
    short: char,
    long: &'static str,
    range: &'static str,
    about: &'static str,
    set: fn(&mut Settings, &str) -> std::option::Option<()>,
) -> Option {
    Option {
        short: Some(short),
        long,
        range,
        about,
        kind: Kind::Value(set),
    }
}

const fn refused(
    short: char,
    long: &'static str,
    range: &'static str,
    about: &'static str,
) -> Option {
    Option {
        short: Some(short),
        long,
        range,
        about,
        kind: Kind::Refused(about),
    }
}

/// An option that memcached has not.
const fn own(long: &'static str, range: &'static str, about: &'static str, kind: Kind) -> Option {
    Option {
        short: None,
        long,
        range,
        about,
        kind,
    }
}

/// All options.
pub(super) const OPTIONS: &[Option] = &[
    value(
        'p',
        "port",
        "a port, -1 to 65535",
        "the TCP port; -1 lets the system choose, and so does 0, which beside -U is for none",
        |settings, text| {
            settings.port = port(text)?;
            settings.has_port = true;
            settings.has_tcp = text != "0";
            Some(())
        },
    ),
    value(
        'l',
        "listen",
        "an address, or several with commas",
        "where to listen (loopback); each is host, host:port, or one of these with \
         proto[ascii|binary|negotiating]: and tag[name]: before it, and notls:, btls: or mtls: \
         before that",
        listen,
    ),
    value(
        's',
        "unix-socket",
        "a path",
        "a socket file to listen on, instead of addresses",
        |settings, text| {
            settings.socket_path = (!text.is_empty()).then(|| text.to_owned());
            settings.socket_path.is_some().then_some(())
        },
    ),
    value(
        'a',
        "unix-mask",
        "an octal number, 0 to 0777",
        "who may connect to the socket file (0700)",
        |settings, text| {
            let mode = u32::from_str_radix(text, 8).ok()?;
            settings.socket_mode = Some(mode).filter(|mode| *mode <= 0o777)?;
            Some(())
        },
    ),
    value(
        'm',
        "memory-limit",
        "a number of megabytes, 1 to 16777216",
        "memory for items",
        |settings, text| {
            settings.memory_bytes = number::<usize>(text, 1, 16_777_216)?.checked_mul(MEBIBYTE)?;
            Some(())
        },
    ),
    value(
        'I',
        "max-item-size",
        "a size, 1k to 1g",
        "the largest item",
        |settings, text| {
            settings.item_bytes_max =
                size(text).filter(|size| (1024..=1024 * MEBIBYTE).contains(size))?;
            Some(())
        },
    ),
    value(
        'c',
        "conn-limit",
        "a number of clients, 1 to 1000000",
        "clients at once",
        |settings, text| {
            settings.connections_max = number(text, 1, 1_000_000)?;
            Some(())
        },
    ),
    value(
        't',
        "threads",
        "a number of threads, 1 to 256",
        "threads that serve",
        |settings, text| {
            settings.threads = number(text, 1, 256)?;
            Some(())
        },
    ),
    value(
        'b',
        "listen-backlog",
        "a number of connections, 1 to 65535",
        "connections waiting",
        |settings, text| {
            settings.backlog = number(text, 1, 65535)?;
            Some(())
        },
    ),
    flag(
        'M',
        "disable-evictions",
        "refuse new items when memory is full",
        |settings| settings.evicts = false,
    ),
    flag('C', "disable-cas", "keep no cas uniques", |settings| {
        settings.has_uniques = false
    }),
    flag('F', "disable-flush-all", "refuse flush_all", |settings| {
        settings.allows_flush = false
    }),
    flag('X', "disable-dumping", "refuse to list keys", |settings| {
        settings.allows_dump = false
    }),
    flag('W', "disable-watch", "refuse watch", |settings| {
        settings.allows_watch = false
    }),
    flag('A', "enable-shutdown", "allow shutdown", |settings| {
        settings.allows_shutdown = true
    }),
    value(
        'D',
        "",
        "one character",
        "what ends the prefix of a key; counts by prefix",
        |settings, text| {
            let [delimiter] = text.as_bytes() else {
                return None;
            };
            settings.prefix_delimiter = *delimiter;
            settings.counts_prefixes = true;
            Some(())
        },
    ),
    Option {
        short: Some('o'),
        long: "extended",
        range: "a list of extended options",
        about: "several with commas between them:",
        kind: Kind::Words,
    },
    flag(
        'v',
        "verbose",
        "say more; -vv and -vvv say still more",
        |settings| {
            settings.verbosity = settings.verbosity.saturating_add(1);
        },
    ),
    flag('d', "daemon", "go into the background", |settings| {
        settings.is_daemon = true
    }),
    value(
        'P',
        "pidfile",
        "a path",
        "where to write the process id",
        |settings, text| {
            settings.pid_file = Some(text.to_owned());
            Some(())
        },
    ),
    value(
        'u',
        "user",
        "a user's name",
        "whom to become when started as root",
        |settings, text| {
            settings.user = Some(text.to_owned());
            Some(())
        },
    ),
    flag('V', "version", "say the version and end", |settings| {
        settings.purpose = Purpose::Version
    }),
    flag('h', "help", "say this and end", |settings| {
        settings.purpose = Purpose::Help
    }),
    value(
        'U',
        "udp-port",
        "a port, -1 to 65535",
        "the UDP port; 0, which is what it is, for none, -1 lets the system choose. Without -p it \
         is the TCP port as well",
        |settings, text| {
            settings.udp_port = port(text)?;
            settings.has_udp = text != "0";
            Some(())
        },
    ),
    value(
        'B',
        "protocol",
        "auto, ascii or binary",
        "the protocol; auto lets each connection tell by its first byte",
        |settings, text| {
            settings.protocol = match text {
                "auto" => None,
                "ascii" => Some(Protocol::Text),
                "binary" => Some(Protocol::Binary),
                _ => return None,
            };
            Some(())
        },
    ),
    flag(
        'Z',
        "enable-ssl",
        "speak TLS, with the certificate of -o ssl_chain_cert=<file> and the key of -o \
         ssl_key=<file>; -o ssl_ca_cert=<file>, ssl_verify_mode=<0-3> and notls:, btls: and mtls: \
         of -l say who may connect; SIGHUP and refresh_certs read the files again",
        |settings| settings.tls.is_on = true,
    ),
    flag(
        'S',
        "enable-sasl",
        "let binary clients log in by SASL PLAIN; users as -Y has them, or of the file that \
         MEMCACHED_SASL_PWDB names",
        |settings| settings.has_sasl_login = true,
    ),
    value(
        'Y',
        "auth-file",
        "a path",
        "let text clients log in by a first set; the file has lines user:password, or \
         user:hash as `openssl passwd -6` makes it; SIGHUP reads it again",
        |settings, text| {
            settings.has_text_login = true;
            settings.users_path = (!text.is_empty()).then(|| text.to_owned());
            settings.users_path.is_some().then_some(())
        },
    ),
    value(
        'R',
        "max-reqs-per-event",
        "a number, 1 to 1000000",
        "accepted; fairness is by bytes here",
        |settings, text| {
            number::<u32>(text, 1, 1_000_000)?;
            settings
                .warnings
                .push("-R: has no effect: fairness is by bytes here, not by requests".to_owned());
            Some(())
        },
    ),
    value(
        'f',
        "slab-growth-factor",
        "a factor above 1",
        "accepted; there are no slabs",
        |settings, text| {
            text.parse::<f64>().ok().filter(|factor| *factor > 1.0)?;
            settings
                .warnings
                .push("-f: has no effect: there are no slabs here".to_owned());
            Some(())
        },
    ),
    value(
        'n',
        "slab-min-size",
        "a number of bytes, 1 to 65536",
        "accepted; there are no slabs",
        |settings, text| {
            number::<u32>(text, 1, 65536)?;
            settings
                .warnings
                .push("-n: has no effect: there are no slabs here".to_owned());
            Some(())
        },
    ),
    flag(
        'k',
        "lock-memory",
        "keep all memory out of the swap",
        |settings| settings.locks_memory = true,
    ),
    flag(
        'r',
        "enable-coredumps",
        "let core files be as large as the system allows",
        |settings| settings.dumps_core = true,
    ),
    flag(
        'L',
        "enable-largepages",
        "accepted; large pages are for the system to give",
        |settings| {
            settings
                .warnings
                .push("-L: has no effect: large pages are for the system to give".to_owned());
        },
    ),
    flag('i', "license", "say the licence and end", |settings| {
        settings.purpose = Purpose::License
    }),
    refused(
        'N',
        "napi-ids",
        "a number",
        "connections are dealt out in turn here, not by network queues",
    ),
    refused(
        'e',
        "memory-file",
        "a path",
        "items do not outlive the server here",
    ),
    own(
        "config",
        "a path, or several with commas",
        "read options from a file first, the first of these that is there: one on a line as in \
         /etc/memcached.conf; what stands behind it on the command line goes before what stands \
         there",
        Kind::Config,
    ),
    own(
        "check-config",
        "",
        "say what each option does here, and all that is wrong, and end; `--` may stand before \
         the options of another",
        Kind::Check,
    ),
    own(
        "metrics",
        "a port, or an address and a port",
        "where to serve figures for Prometheus (/metrics), a page of plots (/) and whether the \
         server serves (/healthz), all by HTTP; a port alone is one of loopback. `stats hotkeys` \
         then lists the keys seen most, of one wake in 64, and `stats bigkeys` those with the \
         largest values",
        Kind::Value(|settings, text| {
            let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
            let port = text.strip_prefix("localhost:").unwrap_or(text);
            let address = port.parse().ok().map(loopback);
            settings.metrics = Some(address.or_else(|| text.parse().ok())?);
            Some(())
        }),
    ),
    own(
        "manual",
        "",
        "say the manual page and end",
        Kind::Flag(|settings| settings.purpose = Purpose::Manual),
    ),
    own(
        "completions",
        "bash, zsh or fish",
        "say what this shell needs to complete options and end",
        Kind::Value(|settings, text| {
            settings.purpose = Purpose::Completions(Shell::named(text)?);
            Some(())
        }),
    ),
];

fn listen(settings: &mut Settings, text: &str) -> std::option::Option<()> {
    for address in text.split([',', ';']) {
        settings.listen.push(Listener::parse(address)?);
    }
    Some(())
}

/// A port; 0 where the system is to choose.
fn port(text: &str) -> std::option::Option<u16> {
    if text == "-1" {
        return Some(0);
    }
    number(text, 0, 65535)
}

/// A number within a range.
pub(super) fn number<N>(text: &str, min: N, max: N) -> std::option::Option<N>
where
    N: std::str::FromStr + PartialOrd,
{
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits)?;
    (min <= number && number <= max).then_some(number)
}

/// A number of bytes; `k`, `m` and `g` multiply it.
fn size(text: &str) -> std::option::Option<usize> {
    let (digits, unit) = match text.to_ascii_lowercase().chars().last()? {
        'k' => (text.get(..text.len() - 1)?, 1024),
        'm' => (text.get(..text.len() - 1)?, MEBIBYTE),
        'g' => (text.get(..text.len() - 1)?, 1024 * MEBIBYTE),
        _ => (text, 1),
    };
    number(digits, 1, usize::MAX)?.checked_mul(unit)
}
