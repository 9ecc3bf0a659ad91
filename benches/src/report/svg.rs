//! The chart: a lane for each row, a dot for each peer, where 1 is ours and to the right is slower than ours.
//!
//! It shows the first figure of each row that our pool takes part in, if that is compared by its ratio. The axis is
//! logarithmic: half as much and twice as much are equally far from 1.

use std::fmt::Write;

use super::{is_peer, peers};
use crate::contestants::{Contestant, Offload};
use crate::meter::as_f64;
use crate::rounds::{Measured, MeasuredFigure};
use crate::stats::Spread;

const LEFT: f64 = 330.0;
const RIGHT: f64 = 30.0;
const WIDTH: f64 = 960.0;
const TOP: f64 = 84.0;
const LANE: f64 = 24.0;
const TICKS: [f64; 10] = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];
const COLOURS: [&str; 10] =
    ["#d1495b", "#e68a00", "#2e7d32", "#1565c0", "#7b3fa0", "#9e9e9e", "#c5c5c5", "#00838f", "#111111", "#8d6e63"];

/// The logarithmic axis.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    /// From the tick below everything to the tick above, one half and two at the least.
    fn over(ratios: impl Iterator<Item = Spread> + Clone) -> Self {
        let least = ratios.clone().map(|ratio| ratio.low).fold(0.7, f64::min);
        let most = ratios.map(|ratio| ratio.high).fold(1.4, f64::max);
        let low = TICKS.into_iter().rev().find(|tick| *tick <= least).unwrap_or(TICKS[0]);
        let high = TICKS.into_iter().find(|tick| *tick >= most).unwrap_or(TICKS[TICKS.len() - 1]);
        Self { low, high }
    }

    fn x(&self, ratio: f64) -> f64 {
        let share = (ratio.clamp(self.low, self.high) / self.low).ln() / (self.high / self.low).ln();
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        TICKS.into_iter().filter(|tick| (self.low..=self.high).contains(tick))
    }
}

pub(crate) fn chart(rows: &[Measured]) -> String {
    let lanes: Vec<_> = rows.iter().filter_map(|row| Some((row, lane_figure(row)?))).collect();
    let peers = peers(lanes.iter().map(|(row, _)| *row));
    let axis = Axis::over(lanes.iter().flat_map(|(_, figure)| figure.ratios.iter().filter_map(|ratio| *ratio)));
    let height = TOP + LANE * as_f64(lanes.len()) + 16.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"22\" font-size=\"15\">Cost over offload's: median of per-round ratios, with quartiles \
         (logarithmic; right of 1 costs more than offload)</text>\n"
    );
    legend(&mut svg, &peers);
    for tick in axis.ticks() {
        let (x, bottom) = (axis.x(tick), height - 16.0);
        let colour = if (tick - 1.0).abs() < 1e-9 { "#111111" } else { "#e3e3e3" };
        let _ = writeln!(svg, "<path d=\"M{x:.1} {:.1}V{bottom:.1}\" stroke=\"{colour}\"/>", TOP - 6.0);
        let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}</text>", TOP - 12.0);
    }
    for (number, (row, figure)) in lanes.iter().enumerate() {
        let y = TOP + LANE * (as_f64(number) + 0.5);
        let title = format!("{}: {}", row.id, figure.figure.title);
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{title}</text>", LEFT - 12.0, y + 4.0);
        for (name, ratio) in row.names.iter().zip(&figure.ratios).skip(1) {
            if let Some(ratio) = ratio {
                mark(&mut svg, &axis, y, colour(&peers, name), !is_peer(name), *ratio);
            }
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The figure that the chart shows of a row.
fn lane_figure(row: &Measured) -> Option<&MeasuredFigure> {
    let first = row.figures.first().filter(|_| row.names[0] == Offload::NAME);
    first.filter(|figure| figure.ratios.iter().any(Option::is_some))
}

fn mark(svg: &mut String, axis: &Axis, y: f64, colour: &str, hollow: bool, ratio: Spread) {
    let [low, median, high] = [ratio.low, ratio.median, ratio.high].map(|ratio| axis.x(ratio));
    let fill = if hollow { "#ffffff" } else { colour };
    let _ = writeln!(svg, "<path d=\"M{low:.1} {y:.1}H{high:.1}\" stroke=\"{colour}\" stroke-width=\"2\"/>");
    let _ = writeln!(
        svg,
        "<circle cx=\"{median:.1}\" cy=\"{y:.1}\" r=\"4.5\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.5\">\
         <title>{:.2} ({:.2} to {:.2})</title></circle>",
        ratio.median, ratio.low, ratio.high
    );
}

fn legend(svg: &mut String, peers: &[&str]) {
    let mut x = 16.0;
    for name in peers {
        let colour = colour(peers, name);
        let fill = if is_peer(name) { colour } else { "#ffffff" };
        let _ = writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"42\" r=\"4.5\" fill=\"{fill}\" stroke=\"{colour}\"/>");
        let _ = writeln!(svg, "<text x=\"{:.1}\" y=\"46\">{name}</text>", x + 9.0);
        x += 34.0 + 7.0 * as_f64(name.len());
    }
}

fn colour(peers: &[&str], name: &str) -> &'static str {
    let place = peers.iter().position(|other| *other == name).unwrap_or(0);
    COLOURS[place % COLOURS.len()]
}
