//! As many clients as there may be, one too many, and what is left of them.

use std::thread;
use std::time::Duration;

use spec::req;

use super::footprint::megabytes;
use super::stage::until;
use super::{Client, Fault, INNOCENT_MAX, MEBIBYTE, REPLY_MAX, Stage, Trouble, hold};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "as-many-as-allowed",
        rule: req!("limits.connections.count"),
        does: "60 clients connect where 60 are allowed.",
        options: "-c 60",
        play: as_many_as_allowed,
    },
    Fault {
        name: "more-than-allowed",
        rule: req!("limits.connections.refused"),
        does: "100 clients connect where 60 are allowed; then those who were served leave.",
        options: "-c 60",
        play: more_than_allowed,
    },
    Fault {
        name: "vanishing-clients",
        rule: req!("limits.connections.released"),
        does: "A thousand clients vanish in the middle of whatever they do.",
        options: "-m 64",
        play: vanishing_clients,
    },
];

fn as_many_as_allowed(stage: &mut Stage) -> Result<(), Trouble> {
    // The innocent one is the sixtieth.
    let mut clients = stage.connect_all(59)?;
    let served = served(&mut clients);
    hold(
        served == clients.len(),
        "60 clients are served",
        format!("{} are", served + 1),
    )
}

fn more_than_allowed(stage: &mut Stage) -> Result<(), Trouble> {
    // Over TLS nobody is connected who is not served: to learn that takes a while.
    let clients = thread::scope(|scope| {
        let comers: Vec<_> = (0..99).map(|_| scope.spawn(|| stage.connect())).collect();
        let comers = comers.into_iter();
        let come = comers.map(|comer| comer.join().expect("no client panics"));
        come.collect::<Vec<_>>()
    });
    let mut served: Vec<Client> = Vec::new();
    let mut others: Vec<Client> = Vec::new();
    for mut client in clients.into_iter().flatten() {
        client.wait_for(Duration::from_millis(20));
        if client.fence().is_ok() {
            served.push(client);
        } else {
            others.push(client);
        }
    }
    hold(
        !served.is_empty() && served.len() < 60,
        "some clients are served, but no more than 60",
        format!("{} are", served.len() + 1),
    )?;
    for client in &mut served {
        client.wait_for(INNOCENT_MAX);
        client.fence()?;
    }
    drop(served);
    drop(others);
    let again = until(REPLY_MAX, || {
        stage
            .connect()
            .and_then(|mut client| client.fence())
            .is_ok()
    });
    hold(
        again,
        "a new client is served when others have left",
        "none is",
    )
}

/// How many of them are answered.
fn served(clients: &mut [Client]) -> usize {
    let mut served = 0;
    for client in clients {
        // Those who were answered do not wait for those who are not.
        let limit = if served == 0 { REPLY_MAX } else { INNOCENT_MAX };
        client.wait_for(limit);
        if client.fence().is_err() {
            break;
        }
        served += 1;
    }
    served
}

/// What a client was doing when it vanished.
const DOINGS: [&str; 6] = [
    "",
    "get half-a-line",
    "set k 0 0 500000\r\nhalf a block",
    "set k 0 0 5000000\r\nhalf a block too large",
    // Unread replies make the system end the connection with a reset.
    "get large\r\nget large\r\nget large\r\nget large\r\nget large\r\nget large\r\n",
    "get large large large large large large large large large large missing\r\nget half",
];

fn vanishing_clients(stage: &mut Stage) -> Result<(), Trouble> {
    let mut keeper = stage.connect()?;
    keeper.set("large", 500_000)?;
    let vanish = |rounds: usize| {
        for _ in 0..rounds {
            let mut clients = stage.connect_all(50)?;
            for (client, doing) in clients.iter_mut().zip(DOINGS.iter().cycle()) {
                let filler = if doing.contains("set") { 100_000 } else { 0 };
                client.send(doing.as_bytes())?;
                client.push(&vec![b'x'; filler]);
            }
            for client in clients.iter_mut().skip(4).step_by(6) {
                client.line()?;
            }
        }
        Ok(())
    };
    let descriptors = stage.footprint()?.descriptors;
    vanish(4)?;
    let settled = stage.descriptors_down_to(descriptors, REPLY_MAX)?;
    let first = stage.footprint()?;
    vanish(16)?;
    let left = stage.descriptors_down_to(descriptors, REPLY_MAX)?;
    hold(
        settled.max(left) <= descriptors,
        &format!("{descriptors} descriptors, as before"),
        settled.max(left),
    )?;
    let last = stage.footprint()?;
    let grown = last.resident_bytes.saturating_sub(first.resident_bytes);
    hold(
        grown <= 32 * MEBIBYTE,
        "no more memory after 1,000 clients than after 200",
        format!("{} more", megabytes(grown)),
    )?;
    keeper.fence()
}
