//! The vertical scale of a chart over time.

use super::{FOOT, HEAD, HEIGHT};

/// From nothing to a round number at or above the highest value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    step: u64,
    steps: u64,
}

impl Scale {
    /// The scale of values up to `highest`, in steps of `unit` (1 for counts) times 1, 2 or 5 and a power of ten.
    pub(super) fn to(highest: u64, unit: u64) -> Self {
        let highest = highest.max(1).div_ceil(unit);
        let mut step = 1_u64;
        for factor in [2, 5, 10].into_iter().cycle() {
            if highest.div_ceil(step) <= 4 {
                break;
            }
            let power = step.checked_ilog10().map_or(1, |power| 10_u64.saturating_pow(power));
            let next = power.saturating_mul(factor);
            if next <= step {
                break;
            }
            step = next;
        }
        Self { step: step.saturating_mul(unit), steps: highest.div_ceil(step).max(1) }
    }

    /// Where a value lies.
    pub(super) fn y(&self, value: u64) -> f64 {
        let top = self.step.saturating_mul(self.steps) as f64;
        HEIGHT - FOOT - value as f64 / top * (HEIGHT - FOOT - HEAD)
    }

    /// The values that have a grid line.
    pub(super) fn ticks(&self) -> impl Iterator<Item = u64> + '_ {
        (0..=self.steps).map(|at| at.saturating_mul(self.step))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_its_values_in_few_round_steps() {
        for (highest, ticks) in [
            (0, vec![0, 1]),
            (1, vec![0, 1]),
            (4, vec![0, 1, 2, 3, 4]),
            (5, vec![0, 2, 4, 6]),
            (9, vec![0, 5, 10]),
            (38, vec![0, 10, 20, 30, 40]),
            (99, vec![0, 50, 100]),
            (1234, vec![0, 500, 1000, 1500]),
        ] {
            assert_eq!(Scale::to(highest, 1).ticks().collect::<Vec<_>>(), ticks, "{highest}");
        }
        assert_eq!(Scale::to(9_000_000, 3_600_000).ticks().collect::<Vec<_>>(), [0, 3_600_000, 7_200_000, 10_800_000]);
        assert_eq!(Scale::to(u64::MAX, 1).ticks().next(), Some(0));
    }
}
