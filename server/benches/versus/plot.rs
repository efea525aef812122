//! The ratios as a picture: a bar for each server at each kind of work, and a line from the least
//! to the most of its rounds. It draws what `report.rs` has, and measures nothing.

use std::fmt::Write;

use crate::report::{Row, Spread};

/// What stands beside what, in pixels.
const LABELS: f64 = 300.0;
const BARS: f64 = 480.0;
const BAR: f64 = 11.0;
const GAP: f64 = 9.0;
const HEAD: f64 = 34.0;

/// One for each server beside ours.
const COLORS: [&str; 5] = ["#4477aa", "#ee6677", "#228833", "#ccbb44", "#aa3377"];

/// A picture of these rows.
pub(crate) fn svg(rows: &[Row]) -> String {
    let rows: Vec<&Row> = rows.iter().filter(|row| row.is_peer()).collect();
    let mut names: Vec<&str> = Vec::new();
    for row in &rows {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    let most = rows.iter().map(|row| row.ratio.0[2]).fold(1.0, f64::max);
    let at = |ratio: f64| LABELS + ratio / most * BARS;
    let mut bars = String::new();
    let (mut top, mut workload) = (HEAD, "");
    for row in &rows {
        if row.workload != workload {
            workload = row.workload;
            top += GAP;
            let y = top + BAR - 2.0;
            let _ = writeln!(bars, "<text x=\"4\" y=\"{y}\">{workload}</text>");
        }
        let Spread([median, least, most]) = row.ratio;
        let place = names.iter().position(|name| *name == row.name).unwrap();
        let (color, middle) = (COLORS[place % COLORS.len()], top + BAR / 2.0);
        let _ = writeln!(
            bars,
            "<rect x=\"{LABELS}\" y=\"{top}\" width=\"{:.1}\" height=\"{}\" fill=\"{color}\"/>\
             <path d=\"M{:.1} {middle}H{:.1}\" stroke=\"#000\"/>\
             <text x=\"{:.1}\" y=\"{}\">{median:.2}</text>",
            at(median) - LABELS,
            BAR - 1.0,
            at(least),
            at(most),
            at(most) + 4.0,
            top + BAR - 2.0,
        );
        top += BAR;
    }
    let keys = names.iter().enumerate().map(|(place, name)| {
        let x = LABELS + place as f64 * 150.0;
        let color = COLORS[place % COLORS.len()];
        format!("<text x=\"{x}\" y=\"14\" fill=\"{color}\">{name} ÷ ours</text>\n")
    });
    let one = at(1.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
         font-family=\"sans-serif\" font-size=\"10\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{}{bars}\
         <path d=\"M{one:.1} {HEAD}V{top}\" stroke=\"#000\" stroke-dasharray=\"3\"/>\n</svg>\n",
        LABELS + BARS + 60.0,
        top + GAP,
        keys.collect::<String>(),
    )
}
