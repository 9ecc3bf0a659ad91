//! Medians, quartiles, and geometric means.

use crate::meter::as_f64;

/// The median of some values and the quartiles beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let [low, median, high] = [0.25, 0.5, 0.75].map(|share| quantile(&values, share));
        Self { low, median, high }
    }
}

/// The value below which a `share` of the sorted `values` lies, interpolated between two of them.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the slice")]
fn quantile(values: &[f64], share: f64) -> f64 {
    let place = share * as_f64(values.len() - 1);
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// The mean under which twice as much and half as much cancel out. `None` of nothing.
pub(crate) fn geometric_mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let logarithms: Vec<_> = values.into_iter().map(f64::ln).collect();
    (!logarithms.is_empty()).then(|| (logarithms.iter().sum::<f64>() / as_f64(logarithms.len())).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_values() {
        assert_eq!(Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]), Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(Spread::of(vec![4.0, 1.0]), Spread { low: 1.75, median: 2.5, high: 3.25 });
        assert_eq!(Spread::of(vec![7.0]), Spread { low: 7.0, median: 7.0, high: 7.0 });
    }

    #[test]
    fn half_and_twice_cancel_out() {
        assert!((geometric_mean([0.5, 2.0]).unwrap() - 1.0).abs() < 1e-12);
        assert!((geometric_mean([1.0, 1.0, 8.0]).unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(geometric_mean([]), None);
    }
}
