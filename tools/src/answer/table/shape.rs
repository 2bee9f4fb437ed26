//! Rows of one shape stand together: a wide table with holes is hard to read and its columns are hard to count.

/// Fewer holes than this share of the cells are not worth several tables.
const HOLES: f64 = 0.15;
/// Most tables.
const MAX_GROUPS: usize = 8;
/// A row joins a table when at most this many cells differ in being there.
const NEAR: u32 = 2;

/// Groups of rows, each in the order of the rows; one group when shapes hardly differ. `has` says whether a cell is there.
pub(super) fn groups(rows: usize, columns: usize, has: impl Fn(usize, usize) -> bool) -> Vec<Vec<usize>> {
    let shapes: Vec<Vec<u64>> = (0..rows).map(|row| shape(columns, |column| has(row, column))).collect();
    let there: u32 = shapes.iter().map(|shape| ones(shape)).sum();
    let holes = (rows * columns) as f64 - f64::from(there);
    if columns < 4 || rows < 4 || holes < HOLES * (rows * columns) as f64 {
        return vec![(0..rows).collect()];
    }
    let mut counted: Vec<(&Vec<u64>, Vec<usize>)> = Vec::new();
    for (row, shape) in shapes.iter().enumerate() {
        match counted.iter_mut().find(|(other, _)| *other == shape) {
            Some((_, rows)) => rows.push(row),
            None => counted.push((shape, vec![row])),
        }
    }
    counted.sort_by_key(|(_, rows)| (std::cmp::Reverse(rows.len()), rows[0]));
    let mut groups: Vec<(Vec<u64>, Vec<usize>)> = Vec::new();
    for (shape, rows) in counted {
        let nearest = groups.iter().enumerate().map(|(at, (other, _))| (apart(shape, other), at)).min();
        match nearest {
            Some((apart, at)) if apart <= NEAR || groups.len() >= MAX_GROUPS => {
                let (union, members) = &mut groups[at];
                union.iter_mut().zip(shape).for_each(|(union, part)| *union |= part);
                members.extend(rows);
            }
            _ => groups.push((shape.clone(), rows)),
        }
    }
    let mut groups: Vec<Vec<usize>> = groups
        .into_iter()
        .map(|(_, mut rows)| {
            rows.sort_unstable();
            rows
        })
        .collect();
    groups.sort_by_key(|rows| rows[0]);
    groups
}

fn shape(columns: usize, has: impl Fn(usize) -> bool) -> Vec<u64> {
    let mut bits = vec![0_u64; columns.div_ceil(64)];
    for column in (0..columns).filter(|column| has(*column)) {
        bits[column / 64] |= 1 << (column % 64);
    }
    bits
}

fn ones(shape: &[u64]) -> u32 {
    shape.iter().map(|bits| bits.count_ones()).sum()
}

fn apart(a: &[u64], b: &[u64]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shapes_stand_apart_and_small_differences_do_not() {
        let has = |row: usize, column: usize| column < 2 || row.is_multiple_of(2) == (column < 8);
        assert_eq!(groups(6, 14, has), [vec![0, 2, 4], vec![1, 3, 5]]);
        assert_eq!(groups(6, 14, |row, column| row != 3 || column != 5).len(), 1);
        assert_eq!(groups(0, 3, |_, _| true), [Vec::<usize>::new()]);
    }

    proptest! {
        #[test]
        fn every_row_stands_in_one_group(bits in prop::collection::vec(prop::collection::vec(any::<bool>(), 70), 1..40)) {
            let groups = groups(bits.len(), 70, |row, column| bits[row][column]);
            prop_assert!(groups.len() <= MAX_GROUPS);
            let mut rows: Vec<usize> = groups.concat();
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..bits.len()).collect::<Vec<_>>());
        }
    }
}
