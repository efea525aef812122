//! What is said of what was measured: ratios, and between what they lie.

use std::fmt::Write;

use crate::sample::Sample;
use crate::subject::Subject;
use crate::workload::Workload;

/// One server at one kind of work.
pub(crate) struct Row {
    pub(crate) workload: &'static str,
    pub(crate) name: String,
    /// What it took for an operation, in microseconds.
    time: Spread,
    /// The same, or what 99 % of the waits are below, divided by what it was for ours in the same
    /// round.
    pub(crate) ratio: Spread,
    rate: Spread,
    waits: [f64; 3],
    resident: u64,
    rounds: usize,
    /// What the ratio is of.
    of: &'static str,
}

/// The median, the least and the most.
pub(crate) struct Spread(pub(crate) [f64; 3]);

impl Spread {
    fn of(numbers: impl Iterator<Item = f64>) -> Spread {
        let mut all: Vec<f64> = numbers.collect();
        all.sort_by(f64::total_cmp);
        let middle = all.len() / 2;
        let median = match all.len() % 2 {
            0 => f64::midpoint(all[middle - 1], all[middle]),
            _ => all[middle],
        };
        Spread([median, all[0], all[all.len() - 1]])
    }
}

impl Row {
    /// What these samples came to, beside ours of the same rounds.
    pub(crate) fn of(
        workload: &Workload,
        subject: &Subject,
        samples: &[Sample],
        ours: &[Sample],
    ) -> Row {
        let pairs = samples.iter().zip(ours);
        let is_wait = workload.flood > 0;
        let compared = |sample: &Sample| {
            if is_wait {
                sample.waits[1]
            } else {
                sample.time
            }
        };
        let wait = |at: usize| Spread::of(samples.iter().map(|sample| sample.waits[at])).0[0];
        Row {
            workload: workload.name,
            name: subject.name.clone(),
            time: Spread::of(samples.iter().map(|sample| sample.time)),
            ratio: Spread::of(pairs.map(|(sample, ours)| compared(sample) / compared(ours))),
            rate: Spread::of(samples.iter().map(|sample| sample.rate)),
            waits: [0, 1, 2].map(wait),
            resident: subject.resident(),
            rounds: samples.len(),
            of: if is_wait { "p99" } else { "cpu" },
        }
    }

    /// Whether it is another server, which may be compared with ours.
    pub(crate) fn is_peer(&self) -> bool {
        !matches!(self.name.as_str(), "ours" | "null")
    }

    /// What may be said of ours beside it.
    fn claim(&self) -> &'static str {
        match (self.name.as_str(), self.ratio.0) {
            ("ours" | "null", _) => "",
            (_, [_, least, _]) if least > 1.0 => "ours takes less",
            (_, [_, _, most]) if most < 1.0 => "ours takes more",
            _ => "no claim",
        }
    }
}

/// For a terminal.
pub(crate) fn text(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let ([time, ..], [ratio, least, most]) = (row.time.0, row.ratio.0);
        let [half, most_of, nearly_all] = row.waits;
        let _ = writeln!(
            text,
            "{:<32} {:<16} {time:>9.2} us an op  x{ratio:<6.2} ({least:.2} to {most:.2}, n={})  \
             {:>9.0} op/s  waits {half:.0}/{most_of:.0}/{nearly_all:.0} us  {} MiB  {}",
            row.workload,
            row.name,
            row.rounds,
            row.rate.0[0],
            row.resident >> 10,
            row.claim(),
        );
    }
    text
}

/// For a document.
pub(crate) fn markdown(rows: &[Row]) -> String {
    let mut text =
        "| workload | server | us of cpu an op | p99, us | ÷ ours | least | most | n | claim |\n\
                    |---|---|---|---|---|---|---|---|---|\n"
            .to_owned();
    for row in rows {
        let ([time, ..], [ratio, least, most]) = (row.time.0, row.ratio.0);
        let _ = writeln!(
            text,
            "| {} | {} | {time:.2} | {:.0} | {ratio:.2} | {least:.2} | {most:.2} | {} | {} |",
            row.workload,
            row.name,
            row.waits[1],
            row.rounds,
            row.claim(),
        );
    }
    text
}

/// For a program.
pub(crate) fn json(rows: &[Row]) -> String {
    let each = rows.iter().map(|row| {
        let spread = |Spread([median, least, most]): &Spread| {
            format!("{{\"median\":{median},\"min\":{least},\"max\":{most}}}")
        };
        let [half, most_of, nearly_all] = row.waits;
        format!(
            "{{\"workload\":{:?},\"server\":{:?},\"n\":{},\"cpu_us_per_op\":{},\
             \"ratio_to_ours\":{},\"ratio_of\":{:?},\
             \"ops_per_second\":{},\"p50_us\":{half},\"p99_us\":{most_of},\"p999_us\":{nearly_all},\
             \"rss_kib\":{}}}",
            row.workload,
            row.name,
            row.rounds,
            spread(&row.time),
            spread(&row.ratio),
            row.of,
            spread(&row.rate),
            row.resident,
        )
    });
    format!("[{}]\n", each.collect::<Vec<_>>().join(",\n"))
}
