//! The middle of some values, and how far they lie apart.

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
    let place = q * crate::meter::as_f64(values.len() - 1);
    let (below, above) = (values[place.floor() as usize], values[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(spread, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(Spread::of(vec![4.0, 1.0]), Spread { low: 1.75, median: 2.5, high: 3.25 });
        assert_eq!(Spread::of(vec![7.0]), Spread { low: 7.0, median: 7.0, high: 7.0 });
    }
}
