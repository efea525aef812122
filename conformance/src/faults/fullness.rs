//! More items than a server has been made for, and more than it has room for.

use spec::req;

use super::{Client, Fault, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "many-items",
        rule: req!("memory.kept"),
        does: "A client stores 220,000 items, a quarter of the memory, and reads them all.",
        options: "-m 64",
        play: many_items,
    },
    Fault {
        name: "overfull",
        rule: req!("memory.whole"),
        does: "A client stores 12,000 items of a kilobyte five times over, where 3,500 have room.",
        options: "-m 4",
        play: overfull,
    },
];

/// So many are asked for at once.
const AT_ONCE: usize = 100;

/// Of 64 MiB a server keeps 220,000 items, whatever it spends on each of them: a table that grows
/// as they come grows more than once.
fn many_items(stage: &mut Stage) -> Result<(), Trouble> {
    const ITEMS: usize = 220_000;
    let mut client = stage.connect()?;
    let value = |number: usize| format!("{number:06}");
    let numbers: Vec<usize> = (0..ITEMS).collect();
    for some in numbers.chunks(AT_ONCE) {
        store(&mut client, some, value)?;
    }
    for some in numbers.chunks(AT_ONCE) {
        let found = found(&mut client, some)?;
        for (number, found) in some.iter().zip(found) {
            let kept = found.unwrap_or_else(|| "nothing".to_owned());
            hold(kept == value(*number), &value(*number), kept)?;
        }
    }
    client.fence()
}

/// What is there was stored last; what was stored just now is there.
fn overfull(stage: &mut Stage) -> Result<(), Trouble> {
    const ITEMS: usize = 12_000;
    let mut client = stage.connect()?;
    let numbers: Vec<usize> = (0..ITEMS).collect();
    for round in 0..5 {
        let value = |number: usize| {
            let text = format!("{number} in round {round}; ");
            text.repeat(1000 / text.len())
        };
        for some in numbers.chunks(AT_ONCE) {
            store(&mut client, some, value)?;
            if let [.., last] = some {
                let found = found(&mut client, &[*last])?;
                let found = found.into_iter().flatten().next();
                let expected = Some(value(*last));
                let what = "what was stored just now";
                hold(found == expected, what, found.unwrap_or_default())?;
            }
        }
        for some in numbers.chunks(AT_ONCE) {
            let found = found(&mut client, some)?;
            for (number, found) in some.iter().zip(found) {
                let shown = found.unwrap_or_else(|| value(*number));
                hold(shown == value(*number), &value(*number), shown)?;
            }
        }
    }
    client.fence()
}

fn key(number: usize) -> String {
    format!("item{number}")
}

fn store(
    client: &mut Client,
    numbers: &[usize],
    value: impl Fn(usize) -> String,
) -> Result<(), Trouble> {
    let set = |number: &usize| {
        let value = value(*number);
        format!("set {} 0 0 {}\r\n{value}\r\n", key(*number), value.len())
    };
    client.send(numbers.iter().map(set).collect::<String>().as_bytes())?;
    for _ in numbers {
        let said = client.line()?;
        hold(said == "STORED", "STORED", said)?;
    }
    Ok(())
}

/// What these have, in their order.
fn found(client: &mut Client, numbers: &[usize]) -> Result<Vec<Option<String>>, Trouble> {
    let keys: Vec<String> = numbers.iter().map(|number| key(*number)).collect();
    client.send(format!("get {}\r\n", keys.join(" ")).as_bytes())?;
    let mut found = vec![None; keys.len()];
    let mut places = found.iter_mut().zip(&keys);
    loop {
        let line = client.line()?;
        let ["VALUE", of, ..] = line.split(' ').collect::<Vec<_>>()[..] else {
            hold(line == "END", "END", line)?;
            return Ok(found);
        };
        let place = places.find(|(_, key)| *key == of);
        let Some((place, _)) = place else {
            hold(false, "each key that was asked for once, in its order", of)?;
            continue;
        };
        *place = Some(client.line()?);
    }
}
