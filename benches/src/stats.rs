//! The middle of some values, and how far they lie apart.

use crate::meter::as_f64;

/// Median and quartiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// A quarter of the values is below.
    pub(crate) low: f64,
    pub(crate) median: f64,
    /// A quarter of the values is above.
    pub(crate) high: f64,
}

impl Spread {
    /// # Panics
    /// If there is no value, or one that is no number.
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(|a, b| a.partial_cmp(b).expect("no value is NaN"));
        Self { low: quantile(&values, 0.25), median: quantile(&values, 0.5), high: quantile(&values, 0.75) }
    }
}

/// The value below which a share `q` of the sorted `values` lies, between two of them if need be.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the slice")]
pub(crate) fn quantile(values: &[f64], q: f64) -> f64 {
    let place = q * as_f64(values.len() - 1);
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// The same, of times that a clock told which goes on by `step` at a time. Those of one step are taken as spread evenly over it: a median of
/// many of them is finer than the step.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the slice")]
pub(crate) fn quantile_of_steps(times: &[f64], step: f64, q: f64) -> f64 {
    let place = q * as_f64(times.len());
    let time = times[(place.floor() as usize).min(times.len() - 1)];
    let first = times.partition_point(|other| *other < time - step / 2.0);
    let end = times.partition_point(|other| *other <= time + step / 2.0);
    let alike = &times[first..end];
    let middle = alike.iter().sum::<f64>() / as_f64(alike.len());
    middle + step * ((place - as_f64(first)) / as_f64(alike.len()) - 0.5)
}

/// By how much the clock goes on at a time, which told these sorted times, in nanoseconds. One, if that cannot be seen.
pub(crate) fn step(times: &[f64]) -> f64 {
    // A step need not be a whole number of nanoseconds: what was rounded is one or two apart.
    let of_one_step = |a: &f64, b: &f64| b - a <= 2.0;
    let steps: Vec<_> = times.chunk_by(of_one_step).map(|alike| (alike[0], alike[alike.len() - 1])).collect();
    if steps.iter().any(|(first, last)| last - first > 2.0) {
        return 1.0;
    }
    steps.windows(2).map(|pair| pair[1].0 - pair[0].0).min_by(f64::total_cmp).unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of a clock that goes on by ten, in sorted order, each of which began at another moment of a step.
    fn told(time: f64) -> Vec<f64> {
        let mut times: Vec<_> =
            (0..1_000).map(|began| (time + f64::from(began) / 100.0).div_euclid(10.0) * 10.0).collect();
        times.sort_unstable_by(f64::total_cmp);
        times
    }

    #[test]
    fn a_median_is_finer_than_the_clock() {
        let medians: Vec<_> =
            [30.0, 32.0, 34.0, 36.0, 38.0].map(|time| quantile_of_steps(&told(time), 10.0, 0.5)).into();
        assert!(medians.windows(2).all(|pair| pair[0] < pair[1]), "{medians:?}");
        assert!((quantile_of_steps(&told(30.0), 10.0, 0.5) - 30.0).abs() < 0.1);
        let exact: Vec<_> = (0..101).map(f64::from).collect();
        assert!((quantile_of_steps(&exact, 1.0, 0.5) - 50.0).abs() < 1e-9);
        assert!((quantile_of_steps(&exact, 1.0, 1.0) - 100.5).abs() < 1e-9);
    }

    #[test]
    fn a_clock_shows_its_steps() {
        for (times, expected) in [
            (&[20.0, 30.0, 30.0, 31.0, 40.0, 41.0][..], 10.0),
            (&[0.0, 41.0, 42.0, 83.0, 84.0], 41.0),
            (&[20.0, 21.0, 22.0, 23.0, 24.0, 40.0], 1.0),
            (&[20.0, 20.0], 1.0),
        ] {
            assert!((step(times) - expected).abs() < 1e-9, "{times:?}");
        }
    }

    #[test]
    fn quantiles_lie_between_values() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(spread, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(Spread::of(vec![4.0, 1.0]), Spread { low: 1.75, median: 2.5, high: 3.25 });
        assert_eq!(Spread::of(vec![7.0]), Spread { low: 7.0, median: 7.0, high: 7.0 });
    }
}
