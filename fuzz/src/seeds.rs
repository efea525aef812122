//! Where a fuzzer begins: the law's own examples, as inputs for each target.

use std::collections::BTreeSet;

use spec::exchange::{Action, Bindings, Exchange, examples};

use crate::session::{CLIENTS, PASSES};

/// How long a seed may be: a large block teaches a fuzzer nothing but patience.
const SEED_MAX_BYTES: usize = 2048;

/// A fuzz target by name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All fuzz targets.
pub const TARGETS: [Target; 12] = [
    ("binary", crate::binary),
    ("config", crate::config),
    ("datagram", crate::datagram),
    ("history", crate::history),
    ("login", crate::login),
    ("meta", crate::meta),
    ("notation", crate::notation),
    ("options", crate::options),
    ("sasl", crate::sasl),
    ("session", crate::session),
    ("text", crate::text),
    ("users", crate::users),
];

/// The seeds of this target.
///
/// # Panics
/// When the prose is not in the notation, or there is no such target.
#[must_use]
pub fn seeds(target: &str) -> BTreeSet<Vec<u8>> {
    let exchanges = examples().expect("the prose is in the notation");
    let all = exchanges.iter();
    let seeds: BTreeSet<Vec<u8>> = match target {
        "text" => all.flat_map(requests).filter_map(text).collect(),
        "meta" => all.flat_map(requests).filter_map(meta).collect(),
        "binary" => all.flat_map(requests).filter_map(binary).collect(),
        "datagram" => of(&exchanges, "udp").flat_map(requests).collect(),
        "login" => of(&exchanges, "authentication").map(stream).collect(),
        "sasl" => of(&exchanges, "binary/sasl")
            .map(stream)
            .filter_map(binary)
            .collect(),
        "users" => all.map(users).collect(),
        // Bytes are bytes to it: what they do to a store has nothing to do with what they say.
        "history" | "session" => all.map(steps).collect(),
        "notation" => all.map(written).collect(),
        "options" => all.map(options).collect(),
        "config" => all.flat_map(files).chain(packaged()).collect(),
        _ => panic!("there is no target `{target}`"),
    };
    let short = |seed: &Vec<u8>| !seed.is_empty() && seed.len() <= SEED_MAX_BYTES;
    seeds.into_iter().filter(short).collect()
}

/// The exchanges of a chapter.
fn of<'a>(exchanges: &'a [Exchange], chapter: &'a str) -> impl Iterator<Item = &'a Exchange> {
    let own = move |exchange: &&Exchange| exchange.requirement.chapter == chapter;
    exchanges.iter().filter(own)
}

/// The words of the protocol, for a fuzzer that joins them.
///
/// # Panics
/// When the prose is not in the notation.
#[must_use]
pub fn words() -> BTreeSet<Vec<u8>> {
    let exchanges = examples().expect("the prose is in the notation");
    let lines = exchanges.iter().flat_map(requests);
    let words = lines.flat_map(|line| {
        let words = line
            .split(|byte| b" \r\n".contains(byte))
            .map(<[u8]>::to_vec);
        words.collect::<Vec<_>>()
    });
    words
        .chain(option_words())
        .filter(|word| (1..=20).contains(&word.len()))
        .collect()
}

/// The names of options, long and short, and the words of `-o`.
fn option_words() -> Vec<Vec<u8>> {
    let help = server::Settings::help();
    let words = help.split([' ', '\n', ',', '=', ';']);
    let names = words.filter(|word| word.starts_with('-') || word.contains('_'));
    names.map(|name| name.as_bytes().to_vec()).collect()
}

/// What the exchange sends, request by request.
fn requests(exchange: &Exchange) -> Vec<Vec<u8>> {
    let sends = exchange.steps.iter().filter_map(|step| match &step.action {
        // A unique that only a live server gives cannot be filled in here.
        Action::Send(message) => message.render(&Bindings::new(), 0).ok(),
        _ => None,
    });
    sends.collect()
}

fn stream(exchange: &Exchange) -> Vec<u8> {
    requests(exchange).concat()
}

fn users(exchange: &Exchange) -> Vec<u8> {
    exchange.header.users.join("\n").into_bytes()
}

fn text(request: Vec<u8>) -> Option<Vec<u8>> {
    let line = request.strip_suffix(b"\r\n")?;
    (request.first() != Some(&0x80)).then(|| line.to_vec())
}

/// The first byte says which meta command it is, as `crate::meta` reads it.
fn meta(request: Vec<u8>) -> Option<Vec<u8>> {
    let line = request.strip_prefix(b"m")?.strip_suffix(b"\r\n")?;
    let (letter, rest) = line.split_first()?;
    let place = b"gsdaen".iter().position(|known| known == letter)?;
    let rest = rest.strip_prefix(b" ")?;
    Some([&[u8::try_from(place).ok()?], rest].concat())
}

fn binary(request: Vec<u8>) -> Option<Vec<u8>> {
    request.strip_prefix(b"\x80").map(<[u8]>::to_vec)
}

/// An input for [`crate::session`]: who acts, how long what follows is, and what is sent.
fn steps(exchange: &Exchange) -> Vec<u8> {
    let mut input = Vec::new();
    for step in &exchange.steps {
        let who = step.client.wrapping_sub(1) % CLIENTS;
        match &step.action {
            Action::Send(message) => {
                let bytes = message.render(&Bindings::new(), 0).unwrap_or_default();
                for piece in bytes.chunks(255) {
                    input.extend([who, u8::try_from(piece.len()).unwrap_or(0)]);
                    input.extend_from_slice(piece);
                }
            }
            Action::Pass { seconds } => {
                input.extend([PASSES, u8::try_from(*seconds).unwrap_or(u8::MAX)]);
            }
            _ => {}
        }
    }
    input
}

fn written(exchange: &Exchange) -> Vec<u8> {
    let steps: String = exchange
        .steps
        .iter()
        .map(|step| step.text.clone() + "\n")
        .collect();
    format!("r[{}]\n{steps}", exchange.requirement.name).into_bytes()
}

fn options(exchange: &Exchange) -> Vec<u8> {
    let words: Vec<&str> = exchange.header.options.split_whitespace().collect();
    words.join("\n").into_bytes()
}

/// The options of an exchange as a file has them: one on a line, and the words in quotes.
fn files(exchange: &Exchange) -> Vec<Vec<u8>> {
    let options = &exchange.header.options;
    let lines = options.replace(" -", "\n-");
    let quoted = options.split_whitespace().map(|word| format!("'{word}'"));
    let quoted: Vec<_> = quoted.collect();
    vec![lines.into_bytes(), quoted.join(" ").into_bytes()]
}

/// The file that the package brings, one with all that its grammar has, and words that need their
/// quotes.
fn packaged() -> Vec<Vec<u8>> {
    let own = include_bytes!("../../server/package/memcached.conf");
    let all =
        b"# all\n-d\n-m 64 # here\n-s \"/a \\\"b\" -a '0660'\n-o idle_timeout=5,\\#\nlogfile x\n";
    vec![own.to_vec(), all.to_vec(), b"-s\n/a b#c".to_vec()]
}
