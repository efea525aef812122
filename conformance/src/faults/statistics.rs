//! What a server counts of its clients.

use spec::req;

use super::stage::until;
use super::{Fault, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "counted-clients",
    rule: req!("statistics.process.connected"),
    does: "Ten clients come, and go.",
    options: "",
    play: counted_clients,
}];

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

fn connected(counter: &mut super::Client) -> Result<u64, Trouble> {
    counter.statistic("curr_connections")
}
