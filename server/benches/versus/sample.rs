//! One turn of one server: it works until it has taken so much time of its processor, however long
//! that is by the clock. So every sample is as precise as the next, on a busy machine as well.

use std::process::{self, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::subject::Subject;
use crate::workload::{Batch, Workload};

/// A sample ends when the server took so much.
const TIME_MIN: Duration = Duration::from_millis(250);
/// So often the server is asked how much that is.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What was measured.
pub(crate) struct Sample {
    /// What the server took for an operation, in microseconds.
    pub(crate) time: f64,
    /// Operations in a second, by the clock.
    pub(crate) rate: f64,
    /// How long a batch and its replies took, by the clock: half of them, 99 %, 99.9 %, in
    /// microseconds.
    pub(crate) waits: [f64; 3],
}

impl Sample {
    /// Has it work, and compares every reply.
    pub(crate) fn take(subject: &mut Subject, workload: &Workload, batches: &[Batch]) -> Sample {
        let mut waits = Vec::new();
        let (mut buffer, mut torrent) = (vec![0; batches[0].reply.len()], Vec::new());
        let (mut next, mut operations) = (0, 0_u32);
        let (began, before) = (Instant::now(), subject.time());
        let mut looked = began;
        let (taken, lasted) = loop {
            let first = next;
            if let Some((stream, batch)) = &mut subject.torrent {
                stream.write_all(&batch.request).unwrap();
            }
            let sent = Instant::now();
            for stream in &mut subject.streams {
                stream
                    .write_all(&batches[next % batches.len()].request)
                    .unwrap();
                next += 1;
            }
            for (at, stream) in subject.streams.iter_mut().enumerate() {
                stream.read_exact(&mut buffer).unwrap();
                waits.push(sent.elapsed());
                let batch = &batches[(first + at) % batches.len()];
                let right = !batch.is_exact || batch.reply == buffer;
                assert!(
                    right || !subject.is_server,
                    "{}: a wrong reply",
                    subject.name
                );
            }
            if let Some((stream, batch)) = &mut subject.torrent {
                torrent.resize(batch.reply.len(), 0);
                stream.read_exact(&mut torrent).unwrap();
                assert!(batch.reply == torrent, "{}: a wrong reply", subject.name);
            }
            let asked = workload.depth * workload.connections + workload.flood;
            operations += u32::try_from(asked).unwrap();
            if looked.elapsed() > LOOK_EVERY {
                looked = Instant::now();
                let taken = Duration::from_nanos(subject.time() - before);
                if taken > TIME_MIN {
                    break (taken, began.elapsed());
                }
            }
        };
        waits.sort_unstable();
        let wait = |share: usize| waits[(waits.len() - 1) * share / 1000].as_secs_f64() * 1e6;
        Sample {
            time: taken.as_secs_f64() * 1e6 / f64::from(operations),
            rate: f64::from(operations) / lasted.as_secs_f64(),
            waits: [500, 990, 999].map(wait),
        }
    }
}

/// The servers have the first.
pub(crate) fn stay_on_the_last_core() {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let pid = process::id().to_string();
    let last = cores.saturating_sub(1).to_string();
    let moved = Command::new("taskset")
        .args(["-c", "-p", &last, &pid])
        .stdout(Stdio::null())
        .status();
    if cores < 2 || !moved.is_ok_and(|status| status.success()) {
        eprintln!("versus: client and servers share a processor here");
    }
}
