//! Items that are still being shown when they go, and dumps that nobody reads to the end.

use std::time::Duration;

use spec::req;

use super::innocent::served;
use super::stage::until;
use super::{Client, Fault, INNOCENT_MAX, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "items-in-use",
        rule: req!("limits.references"),
        does: "A client asks 70,000 times for an item that another replaces and deletes meanwhile.",
        options: "",
        play: items_in_use,
    },
    Fault {
        name: "slow-reader",
        rule: req!("limits.references"),
        does: "A client asks 24 times for a value of a million bytes and reads it by and by.",
        options: "",
        play: slow_reader,
    },
    Fault {
        name: "unread-dumps",
        rule: req!("limits.dumps.unread"),
        does: "A client asks for a dump of 70,000 items and stops reading; then eight others ask.",
        options: "",
        play: unread_dumps,
    },
    Fault {
        name: "vanishing-operators",
        rule: req!("limits.dumps.released"),
        does: "60 clients ask for a dump or watch, read a line of it, and vanish.",
        options: "",
        play: vanishing_operators,
    },
];

/// How long a client may be kept from sending by a server that does not read.
const STALLED: Duration = Duration::from_millis(500);

const VALUE_BYTES: usize = 200;

fn store(client: &mut Client, letter: &str) -> Result<(), Trouble> {
    let value = letter.repeat(VALUE_BYTES);
    client.expect(&format!("set k 0 0 {VALUE_BYTES}\r\n{value}"), "STORED")
}

fn items_in_use(stage: &mut Stage) -> Result<(), Trouble> {
    const TIMES: usize = 70_000;
    let (mut reader, mut other) = (stage.connect()?, stage.connect()?);
    store(&mut other, "x")?;
    let requests = "get k\r\n".repeat(TIMES);
    reader.wait_for(STALLED);
    let sent = reader.push(requests.as_bytes());
    store(&mut other, "y")?;
    other.expect("delete k", "DELETED")?;
    store(&mut other, "z")?;
    reader.wait_for(REPLY_MAX);
    let mut writer = reader.another()?;
    let rest = requests.as_bytes().get(sent..).unwrap_or_default();
    std::thread::scope(|scope| {
        let writing = scope.spawn(move || writer.send(rest));
        for _ in 0..TIMES {
            let head = reader.line()?;
            if head == "END" {
                continue;
            }
            hold(head == format!("VALUE k 0 {VALUE_BYTES}"), "a value", head)?;
            let value = reader.line()?;
            let is_whole = ["x", "y", "z"]
                .iter()
                .any(|letter| value == letter.repeat(VALUE_BYTES));
            hold(is_whole, "a value that was stored, whole", value)?;
            reader.hear(b"END\r\n")?;
        }
        writing.join().expect("no client panics")
    })?;
    reader.fence()
}

/// No writer gets rid of such replies at once: each must go on where it had to stop, and any other
/// place would be seen, for no eight bytes of the value are as any others.
fn slow_reader(stage: &mut Stage) -> Result<(), Trouble> {
    const TIMES: usize = 24;
    let value: String = (0..125_000).map(|number| format!("{number:08}")).collect();
    let head = format!("VALUE k 0 {}", value.len());
    let mut reader = stage.connect()?;
    reader.expect(&format!("set k 0 0 {}\r\n{value}", value.len()), "STORED")?;
    reader.send("get k\r\n".repeat(TIMES).as_bytes())?;
    for _ in 0..TIMES {
        until(Duration::from_millis(20), || false);
        let said = reader.line()?;
        hold(said == head, &head, said)?;
        let shown = reader.line()?;
        let same =
            { value.bytes().zip(shown.bytes()) }.take_while(|(stored, shown)| stored == shown);
        let same = same.count();
        hold(
            shown == value,
            "the value as it was stored, whole",
            format!("{} bytes, of which {same} are", shown.len()),
        )?;
        reader.hear(b"END\r\n")?;
    }
    reader.fence()
}

/// Stores so many items, whose keys are long: a dump of 70,000 is more than all the buffers between
/// a server and its client.
fn store_many(client: &mut Client, items: usize) -> Result<(), Trouble> {
    let filler = "x".repeat(200);
    let set = |number| format!("set {filler}{number} 0 0 1 noreply\r\na\r\n");
    for thousand in 0..items / 1000 {
        let sets: String = (thousand * 1000..(thousand + 1) * 1000).map(set).collect();
        client.send(sets.as_bytes())?;
        client.fence()?;
    }
    Ok(())
}

const DUMP: &[u8] = b"lru_crawler metadump all\r\n";
const WATCH: &[u8] = b"watch fetchers\r\n";

fn unread_dumps(stage: &mut Stage) -> Result<(), Trouble> {
    stage.needs(DUMP)?;
    let mut other = stage.connect()?;
    store_many(&mut other, 70_000)?;
    let (mut first, mut readers) = (stage.connect()?, stage.connect_all(8)?);
    first.send(DUMP)?;
    let said = first.line()?;
    hold(is_dump(&said), "a dump", said)?;
    // It is under way, and soon has nowhere to go on to.
    until(STALLED, || false);
    for reader in &mut readers {
        reader.send(DUMP)?;
    }
    // The innocent one asks on all the while; who would be kept waiting longer is stuck.
    other.wait_for(INNOCENT_MAX * 2);
    let mut trouble = Ok(());
    until(Duration::from_secs(2), || {
        trouble = other.set("k", 1000);
        trouble.is_err()
    });
    served(trouble)?;
    first.lines_until("END")?;
    for reader in &mut readers {
        // One dump at a time may be all that a server has.
        let said = reader.line()?;
        hold(said.starts_with("BUSY") || is_dump(&said), "a dump", said)?;
    }
    Ok(())
}

/// Whether a dump begins with this line: not every server says that it has been asked for one.
fn is_dump(line: &str) -> bool {
    line == "OK" || line.starts_with("key=")
}

fn vanishing_operators(stage: &mut Stage) -> Result<(), Trouble> {
    stage.needs(DUMP)?;
    stage.needs(WATCH)?;
    let mut keeper = stage.connect()?;
    store_many(&mut keeper, 20_000)?;
    let before = stage.footprint()?.descriptors;
    for number in 0..60 {
        let mut client = stage.connect()?;
        client.send(if number % 2 == 0 { DUMP } else { WATCH })?;
        client.line()?;
        // What is unread makes the system end the connection with a reset.
    }
    let left = stage.descriptors_down_to(before, REPLY_MAX)?;
    hold(
        left <= before,
        &format!("{before} descriptors, as before"),
        left,
    )?;
    let mut said = String::new();
    let dumped = until(REPLY_MAX, || {
        let ask = || {
            let mut client = stage.connect()?;
            client.send(DUMP)?;
            client.line()
        };
        said = ask().unwrap_or_else(|trouble| format!("{trouble:?}"));
        is_dump(&said)
    });
    hold(dumped, "a dump again", said)?;
    keeper.fence()
}
