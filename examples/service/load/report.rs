//! The tables: one for a run, and one that puts two runs side by side. They are Markdown, and line up on a terminal.

use std::fmt::Write;
use std::time::Duration;

use crate::drive::Run;
use crate::schedule::Endpoint;
use crate::tally::Tally;

/// A heading for what follows.
pub(crate) fn title(text: &str) -> String {
    format!("{text}:\n")
}

/// All that is known of one run.
pub(crate) fn table(run: &Run) -> String {
    let header = ["", "served", "p50", "p90", "p99", "max", "503", "p99", "max", "gave up", "other", "unsent"];
    let mut rows = vec![header.map(str::to_owned).to_vec()];
    let mut broken = String::new();
    for endpoint in Endpoint::ALL {
        let Some(tally) = run.tallies.get(&endpoint) else { continue };
        let others = tally.broken + tally.others.values().sum::<u64>();
        let mut row = vec![format!("`{}`", endpoint.name()), tally.served.to_string()];
        row.extend([0.5, 0.9, 0.99].map(|quantile| time(tally.waited.quantile(quantile))));
        row.extend([time(tally.waited.max()), tally.refused.to_string()]);
        row.extend([time(tally.refusals.quantile(0.99)), time(tally.refusals.max())]);
        row.extend([tally.gave_up, others, tally.unsent].map(|count| count.to_string()));
        rows.push(row);
        for (status, count) in &tally.others {
            let _ = writeln!(broken, "{}: {count} times status {status}", endpoint.name());
        }
        if let Some(why) = &tally.why_broken {
            let _ = writeln!(broken, "{}: {} times no answer, such as: {why}", endpoint.name(), tally.broken);
        }
    }
    let mut text = align(&rows);
    let offered = format!("{:.1} sign-ins and uploads per second offered", run.rate);
    let _ = writeln!(
        text,
        "\n{offered}, for {:.1} s.{}",
        run.time.as_secs_f64(),
        memory(run).map_or(String::new(), |text| { format!(" Memory: {text}.") })
    );
    let _ = writeln!(text, "{} pictures accepted, {} of them lost.", run.accepted, run.lost);
    text + &broken
}

/// Two runs of the same load: the service on its executors, and with its calls made inline.
pub(crate) fn comparison(threads: &Run, inline: &Run) -> String {
    let header = ["", "`#[blocking]`", "inline"].map(str::to_owned).to_vec();
    let mut rows = vec![header];
    let mut row =
        |name: &str, figure: &dyn Fn(&Run) -> String| rows.push(vec![name.to_owned(), figure(threads), figure(inline)]);
    let probes = |run: &Run| sum(run, &[Endpoint::Probe]);
    let work = |run: &Run| sum(run, &[Endpoint::SignIn, Endpoint::Upload]);
    let reads = |run: &Run| sum(run, &[Endpoint::List, Endpoint::Fetch, Endpoint::Thumbnail]);
    row("`GET /`: p50", &|run| time(probes(run).waited.quantile(0.5)));
    row("`GET /`: p99", &|run| time(probes(run).waited.quantile(0.99)));
    row("`GET /`: longest", &|run| time(probes(run).waited.max()));
    row("list, picture, thumbnail: p50", &|run| time(reads(run).waited.quantile(0.5)));
    row("list, picture, thumbnail: p99", &|run| time(reads(run).waited.quantile(0.99)));
    row("sign in, upload: offered", &|run| format!("{:.0} /s", run.rate));
    row("sign in, upload: done", &|run| format!("{:.0} /s", per_second(work(run).served, run.time)));
    row("sign in, upload: p50", &|run| time(work(run).waited.quantile(0.5)));
    row("sign in, upload: p99", &|run| time(work(run).waited.quantile(0.99)));
    row("answered 503", &|run| percent(&everything(run), |tally| tally.refused));
    row("answered 503: p99", &|run| time(everything(run).refusals.quantile(0.99)));
    row("gave up after 10 s", &|run| percent(&everything(run), |tally| tally.gave_up));
    row("not sent, as hundreds were under way", &|run| percent(&everything(run), |tally| tally.unsent));
    row("pictures accepted, lost", &|run| format!("{}, {}", run.accepted, run.lost));
    row("memory", &|run| memory(run).unwrap_or_default());
    align(&rows)
}

fn sum(run: &Run, endpoints: &[Endpoint]) -> Tally {
    let tallies = endpoints.iter().filter_map(|endpoint| run.tallies.get(endpoint));
    tallies.fold(Tally::new(), |mut sum, tally| {
        sum.add(tally);
        sum
    })
}

fn everything(run: &Run) -> Tally {
    sum(run, &Endpoint::ALL)
}

/// The share of all that were to be sent.
fn percent(tally: &Tally, part: impl Fn(&Tally) -> u64) -> String {
    match (part(tally), tally.sent() + tally.unsent) {
        (0, _) | (_, 0) => "none".to_owned(),
        (part, all) => format!("{:.1} %", share(part, all) * 100.0),
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of requests, far below 2^52")]
fn share(part: u64, all: u64) -> f64 {
    part as f64 / all as f64
}

#[allow(clippy::cast_precision_loss, reason = "counts of requests, far below 2^52")]
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn memory(run: &Run) -> Option<String> {
    let memory = run.memory?;
    Some(format!("{} MiB before, {} MiB at most", memory.before >> 10, memory.peak >> 10))
}

/// Three digits and a unit.
fn time(time: Option<Duration>) -> String {
    let Some(time) = time else { return "–".to_owned() };
    let (number, unit) = match time.as_secs_f64() {
        seconds if seconds < 1.0 => (seconds * 1e3, "ms"),
        seconds => (seconds, "s"),
    };
    let digits = if number < 9.995 { 2 } else { usize::from(number < 99.95) };
    format!("{number:.digits$} {unit}")
}

/// Rows of equally many cells, the first of them the header, as a table: text on the left, figures on the right.
fn align(rows: &[Vec<String>]) -> String {
    let columns = rows[0].len();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0).max(3);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = if column == 0 { write!(text, "| {cell:width$} ") } else { write!(text, "| {cell:>width$} ") };
        }
        text.push_str("|\n");
        if number == 0 {
            let _ = write!(text, "|{}", "-".repeat(widths[0] + 2));
            for width in &widths[1..] {
                let _ = write!(text, "|{}:", "-".repeat(width + 1));
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let shown =
            [120, 1_234, 99_960, 999_000, 1_500_000, 10_000_000].map(|us| time(Some(Duration::from_micros(us))));
        assert_eq!(shown, ["0.12 ms", "1.23 ms", "100 ms", "999 ms", "1.50 s", "10.0 s"]);
        assert_eq!(time(None), "–");
    }

    #[test]
    fn a_table_is_markdown_and_lines_up() {
        let rows = [["", "count"], ["a", "1"], ["long", "22"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(align(&rows), "|      | count |\n|------|------:|\n| a    |     1 |\n| long |    22 |\n");
    }
}
