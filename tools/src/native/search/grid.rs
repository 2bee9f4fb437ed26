//! The steps of a series over its range: Datadog leaves out steps without records, so points are put where they belong in time.

use super::compute::Compute;
use crate::TimeRange;
use jiff::Timestamp;

/// Most steps that are spread out; a series of more is told by its points alone.
const MOST: i64 = 20_000;

/// A regular grid of instants, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    start: i64,
    step: i64,
    slots: usize,
}

impl Grid {
    /// The grid of a range in steps of `asked` (`5m`; empty for Datadog's own choice), aligned to the points of the answer.
    ///
    /// A step of Datadog's choice is the largest that every point is a multiple of. Points outside the range, which
    /// Datadog should not give, make the grid reach from the first to the last of them. `None` without any point, with one
    /// point of an unknown step and with too many steps.
    pub(super) fn of(range: TimeRange, asked: &str, times: impl Iterator<Item = i64>) -> Option<Self> {
        let mut times: Vec<i64> = times.collect();
        times.sort_unstable();
        times.dedup();
        let (first, last) = (*times.first()?, *times.last()?);
        let seen = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0, greatest_common_divisor);
        let step = match (milliseconds(asked), seen) {
            (Some(step), 0) => step,
            // A finer step than asked for is what Datadog counted in.
            (Some(step), seen) => greatest_common_divisor(step, seen),
            (None, seen) => seen,
        };
        if step < 1_000 {
            return None;
        }
        let inside = first > range.from_ms - step && last < range.to_ms + step;
        let (from, to) = if inside { (range.from_ms, range.to_ms.max(last + 1)) } else { (first, last + 1) };
        // The step that the range begins in may start before it.
        let start = first + (from - first).div_euclid(step) * step;
        let slots = (to - start + step - 1).div_euclid(step);
        (1..=MOST).contains(&slots).then_some(Self { start, step, slots: usize::try_from(slots).unwrap_or(0) })
    }

    /// Instants of the steps.
    pub(super) fn times(self) -> Vec<i64> {
        (0..self.slots as i64).map(|slot| self.start + slot * self.step).collect()
    }

    /// One value a step: where there is no point, zero of what is counted and a gap of everything else.
    pub(super) fn spread(self, times: &[i64], values: &[Option<f64>], compute: &Compute) -> Vec<Option<f64>> {
        let mut spread = vec![compute.counts().then_some(0.0); self.slots];
        for (time, value) in times.iter().zip(values) {
            let slot = usize::try_from((time - self.start).div_euclid(self.step)).ok();
            if let (Some(slot), Some(value)) = (slot.and_then(|slot| spread.get_mut(slot)), value) {
                *slot = Some(*value);
            }
        }
        spread
    }
}

/// An instant as Datadog writes it, milliseconds.
pub(super) fn instant_ms(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// A step as [`super::compute::interval`] gives it.
fn milliseconds(step: &str) -> Option<i64> {
    let (number, unit) = step.split_at(step.len().checked_sub(1)?);
    let unit = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit).filter(|step| *step > 0)
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const MINUTE: i64 = 60_000;

    fn range(from: i64, to: i64) -> TimeRange {
        TimeRange { from_ms: from * MINUTE, to_ms: to * MINUTE }
    }

    fn grid(of: TimeRange, step: &str, minutes: &[i64]) -> Option<Vec<i64>> {
        Grid::of(of, step, minutes.iter().map(|minute| minute * MINUTE)).map(|grid| grid.times().iter().map(|time| time / MINUTE).collect())
    }

    #[test]
    fn the_grid_covers_the_range_and_the_points() {
        assert_eq!(grid(range(100, 120), "5m", &[110]).unwrap(), [100, 105, 110, 115]);
        // Steps begin at round times, the range does not.
        assert_eq!(grid(range(103, 121), "5m", &[110]).unwrap(), [100, 105, 110, 115, 120]);
        assert_eq!(grid(range(103, 121), "5m", &[100, 120]).unwrap(), [100, 105, 110, 115, 120]);
        assert_eq!(grid(range(100, 120), "", &[105, 115, 120 - 10]).unwrap(), [100, 105, 110, 115]);
        // Datadog counted in another step than was asked for.
        assert_eq!(grid(range(100, 104), "2m", &[100, 103]).unwrap(), [100, 101, 102, 103]);
        assert_eq!(grid(range(1_000, 1_060), "5m", &[10, 20]).unwrap(), [10, 15, 20], "points outside the range");
        assert_eq!(grid(range(100, 120), "", &[110]), None);
        assert_eq!(grid(range(100, 120), "5m", &[]), None);
        assert_eq!(grid(range(0, 1_000_000), "1s", &[110]), None);
    }

    #[test]
    fn a_missing_step_is_zero_of_a_count_and_a_gap_of_an_average() {
        let grid = Grid::of(range(100, 120), "5m", [105 * MINUTE].into_iter()).unwrap();
        let spread = |text: &str| grid.spread(&[105 * MINUTE], &[Some(7.0)], &Compute::parse(text).unwrap());
        assert_eq!(spread("count"), [Some(0.0), Some(7.0), Some(0.0), Some(0.0)]);
        assert_eq!(spread("avg(@d)"), [None, Some(7.0), None, None]);
    }

    proptest! {
        #[test]
        fn no_point_is_lost(from in 0..500_i64, length in 1..200_i64, at in proptest::collection::btree_set(0..400_i64, 1..20)) {
            let times: Vec<i64> = at.iter().map(|at| at * 5 * MINUTE).collect();
            let grid = Grid::of(range(from * 5, (from + length) * 5), "5m", times.iter().copied()).unwrap();
            let values: Vec<Option<f64>> = times.iter().map(|_| Some(1.0)).collect();
            let spread = grid.spread(&times, &values, &Compute::count());
            prop_assert_eq!(spread.iter().flatten().sum::<f64>() as usize, times.len());
            prop_assert_eq!(spread.len(), grid.times().len());
        }
    }
}
