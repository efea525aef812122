//! What a server counts of its clients.

use spec::req;

use super::stage::until;
use super::{Fault, MEBIBYTE, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "counted-clients",
        rule: req!("statistics.process.connected"),
        does: "Ten clients come, and go.",
        options: "",
        play: counted_clients,
    },
    Fault {
        name: "many-prefixes",
        rule: req!("limits.prefixes.bounded"),
        does: "A client has uses counted by prefix and makes up to 100,000 prefixes of 200 bytes.",
        options: "",
        play: many_prefixes,
    },
];

/// What prefixes may take, by any ceiling that one would document.
const PREFIXES_LIMIT_BYTES: u64 = 8 * MEBIBYTE;

fn counted_clients(stage: &mut Stage) -> Result<(), Trouble> {
    let mut counter = stage.connect()?;
    // The innocent one and the one that counts.
    let two = until(REPLY_MAX, || connected(&mut counter) == Ok(2));
    hold(
        two,
        "`curr_connections` 2",
        format!("{:?}", connected(&mut counter)),
    )?;
    let before = counter.statistic("total_connections")?;
    let mut clients = stage.connect_all(10)?;
    for client in &mut clients {
        client.fence()?;
    }
    let current = counter.statistic("curr_connections")?;
    hold(current == 12, "`curr_connections` 12", current)?;
    let total = counter.statistic("total_connections")?;
    hold(
        total == before + 10,
        &format!("`total_connections` {}", before + 10),
        total,
    )?;
    drop(clients);
    let gone = until(REPLY_MAX, || connected(&mut counter) == Ok(2));
    hold(
        gone,
        "`curr_connections` 2 again",
        format!("{:?}", connected(&mut counter)),
    )?;
    let total = counter.statistic("total_connections")?;
    hold(
        total == before + 10,
        &format!("`total_connections` {} still", before + 10),
        total,
    )
}

fn many_prefixes(stage: &mut Stage) -> Result<(), Trouble> {
    stage.needs(b"stats detail on\r\n")?;
    let mut client = stage.connect()?;
    client.expect("stats detail on", "OK")?;
    let before = stage.footprint()?;
    for thousand in 0..100 {
        let requests: String = (0..1_000)
            .map(|n| format!("delete {:0200}:k noreply\r\n", thousand * 1_000 + n))
            .collect();
        client.send(requests.as_bytes())?;
        client.fence()?;
        // A server that keeps them all is slow at it, and known long before the last.
        before.hold_growth(&stage.footprint()?, PREFIXES_LIMIT_BYTES)?;
    }
    Ok(())
}

fn connected(counter: &mut super::Client) -> Result<u64, Trouble> {
    counter.statistic("curr_connections")
}
