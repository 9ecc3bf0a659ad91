//! The chart of the first table: a lane for each row, a dot for each contestant, at its time over ours.
//!
//! The axis is logarithmic: half as much and twice as much are equally far from 1.

use std::fmt::Write;

use crate::contestants::{Again, Contestant};
use crate::meter::as_f64;
use crate::rounds::Measured;
use crate::stats::geometric_mean;

const LEFT: f64 = 150.0;
const RIGHT: f64 = 24.0;
const WIDTH: f64 = 760.0;
const TOP: f64 = 78.0;
const LANE: f64 = 18.0;
const TICKS: [f64; 7] = [0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0];
const COLOURS: [&str; 6] = ["#9e9e9e", "#d1495b", "#e68a00", "#2e7d32", "#1565c0", "#7b3fa0"];

pub(crate) fn chart(runs: &[Vec<Measured>]) -> String {
    let rows: Vec<_> = runs[0].iter().enumerate().filter(|(_, row)| row.first).collect();
    let bottom = TOP + LANE * as_f64(rows.len());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"20\" font-size=\"14\">Time per call over offload's; right of 1, offload needs less</text>\n",
        bottom + 12.0
    );
    let names = rows.first().map_or(&[][..], |(_, row)| &row.names[1..]);
    let mut legend = 20.0;
    for (name, colour) in names.iter().zip(COLOURS) {
        dot(&mut svg, legend, 38.0, name, colour);
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"42\">{name}</text>", legend + 9.0);
        legend += 36.0 + 6.5 * as_f64(name.len());
    }
    for tick in TICKS {
        let (x, colour) = (x(tick), if (tick - 1.0).abs() < 1e-9 { "#111111" } else { "#e3e3e3" });
        let _ = writeln!(svg, "<path d=\"M{x:.1} {:.1}V{bottom:.1}\" stroke=\"{colour}\"/>", TOP - 6.0);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>", TOP - 10.0);
    }
    for (lane, (place, row)) in rows.iter().enumerate() {
        let y = TOP + LANE * (as_f64(lane) + 0.5);
        let _ =
            writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>", LEFT - 10.0, y + 4.0, row.id);
        for (name, colour) in names.iter().zip(COLOURS) {
            if let Some(ratio) = geometric_mean(runs.iter().filter_map(|rows| rows[*place].ratio(0, name))) {
                dot(&mut svg, x(ratio), y, name, colour);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The control's dot is hollow.
fn dot(svg: &mut String, x: f64, y: f64, name: &str, colour: &str) {
    let fill = if name == Again::NAME { "#ffffff" } else { colour };
    let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"{fill}\" stroke=\"{colour}\"/>");
}

/// A ratio beyond the ticks is drawn at the edge.
fn x(ratio: f64) -> f64 {
    let (low, high) = (TICKS[0], TICKS[TICKS.len() - 1]);
    LEFT + (ratio.clamp(low, high) / low).ln() / (high / low).ln() * (WIDTH - LEFT - RIGHT)
}
