//! What belongs together is written once: columns that one value decides (pod → host, image, zone …) go to a side table.

use std::collections::HashMap;

/// Tokens of a tab, about.
const GAP: f64 = 0.8;
/// A number that points to a row of a side table.
const REFERENCE: f64 = 1.2;
/// Title and header of a side table cost about this much beside its column names.
const TITLE: f64 = 8.0;
/// Values this cheap serve as the key of a side table themselves.
const CHEAP_KEY: f64 = 4.0;
/// A side table must save at least this many tokens: looking things up is work for the reader.
const WORTH: f64 = 40.0;
/// A side table of fewer columns is not made; a dear value alone is written below the table and marked.
const FEWEST: usize = 2;

/// A column as this part sees it: which value each row has (0 absent), what each value costs.
pub(super) struct Part<'a> {
    pub(super) ids: &'a [u32],
    /// Tokens of a value.
    pub(super) price: &'a dyn Fn(u32) -> usize,
    /// Tokens of the column's name.
    pub(super) header: usize,
    /// Stays in the main table.
    pub(super) pinned: bool,
}

/// What stands in one place of a table's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    /// A column.
    Column(usize),
    /// The number of a row of this side table.
    Reference(usize),
}

/// A side table: one row for each different value.
#[derive(Debug)]
pub(super) struct Side {
    /// What its rows are found by: a column of its own, or numbers from 1.
    pub(super) key: Slot,
    /// Number of the side row for each row; 0 when all of its columns are absent there.
    pub(super) numbers: Vec<u32>,
    /// First row of each side row.
    pub(super) firsts: Vec<usize>,
    /// Its columns without the key.
    pub(super) slots: Vec<Slot>,
}

/// The columns of the main table and the side tables, finest first.
#[derive(Debug)]
pub(super) struct Factored {
    pub(super) main: Vec<Slot>,
    pub(super) sides: Vec<Side>,
}

struct Class {
    columns: Vec<usize>,
    /// Values renumbered by first appearance.
    numbers: Vec<u32>,
    firsts: Vec<usize>,
}

/// Splits columns into a main table and side tables, where that saves tokens.
pub(super) fn factor(parts: &[Part<'_>], rows: usize) -> Factored {
    let mut factored = Factored { main: Vec::new(), sides: Vec::new() };
    let mut classes: Vec<Class> = Vec::new();
    let mut by_numbers: HashMap<Vec<u32>, usize> = HashMap::new();
    let mut pinned: HashMap<Vec<u32>, usize> = HashMap::new();
    for (column, part) in parts.iter().enumerate() {
        let (numbers, firsts) = renumber(part.ids);
        // A value that stands in fewer than two rows on average belongs to its row.
        if part.pinned || firsts.len() * 5 > rows * 3 {
            factored.main.push(Slot::Column(column));
            pinned.entry(numbers).or_insert(column);
            continue;
        }
        match by_numbers.get(&numbers) {
            Some(class) => classes[*class].columns.push(column),
            None => {
                by_numbers.insert(numbers.clone(), classes.len());
                classes.push(Class { columns: vec![column], numbers, firsts });
            }
        }
    }
    // Finest first: a coarse class (service) can then stand in the side table of a finer one (pod).
    classes.sort_by_key(|class| (std::cmp::Reverse(class.firsts.len()), class.columns[0]));
    for class in &classes {
        place(class, pinned.get(&class.numbers).copied(), parts, rows, &mut factored);
    }
    factored.main.sort_by_key(|slot| order(*slot, &factored.sides));
    let keys: Vec<(usize, Vec<Slot>)> = factored.sides.iter().enumerate().map(|(at, side)| (at, side.slots.clone())).collect();
    for (at, mut slots) in keys {
        slots.sort_by_key(|slot| order(*slot, &factored.sides));
        factored.sides[at].slots = slots;
    }
    factored
}

/// Where a slot stands: a reference where the first column of its side table would.
fn order(slot: Slot, sides: &[Side]) -> usize {
    match slot {
        Slot::Column(column) => column,
        Slot::Reference(side) => sides[side]
            .slots
            .iter()
            .filter_map(|slot| if let Slot::Column(column) = slot { Some(*column) } else { None })
            .min()
            .unwrap_or(usize::MAX),
    }
}

/// `twin`: a column of the main table that tells the class's values apart as well, and so is their key.
fn place(class: &Class, twin: Option<usize>, parts: &[Part<'_>], rows: usize, factored: &mut Factored) {
    let holder = (0..factored.sides.len())
        .filter(|&side| factored.sides[side].firsts.len() > class.firsts.len() && decides(&factored.sides[side], class))
        .min_by_key(|&side| factored.sides[side].firsts.len());
    // Rows of the table that would hold the class if it had no side table of its own.
    let holding: Vec<usize> = holder.map_or_else(|| (0..rows).collect(), |side| factored.sides[side].firsts.clone());
    let price = |column: usize, row: usize| (parts[column].price)(parts[column].ids[row]) as f64;
    let mean = |column: usize| class.firsts.iter().map(|row| price(column, *row)).sum::<f64>() / class.firsts.len() as f64;
    let complete = |column: usize| class.firsts.iter().all(|row| parts[column].ids[*row] != 0);
    let cheapest = class.columns.iter().copied().filter(|column| complete(*column)).min_by(|a, b| mean(*a).total_cmp(&mean(*b)));
    let natural = twin.or_else(|| cheapest.filter(|column| mean(*column) <= CHEAP_KEY));

    let moved: Vec<usize> = class.columns.iter().copied().filter(|column| Some(*column) != natural).collect();
    let distinct = class.firsts.len() as f64;
    let inline: f64 = moved.iter().map(|column| holding.iter().map(|row| price(*column, *row) + GAP).sum::<f64>()).sum();
    let aside: f64 = moved
        .iter()
        .map(|column| class.firsts.iter().map(|row| price(*column, *row) + GAP).sum::<f64>() + parts[*column].header as f64)
        .sum();
    let keys = match natural {
        Some(column) => distinct * (mean(column) + GAP) + parts[column].header as f64,
        None => distinct * (REFERENCE + GAP) + holding.len() as f64 * (REFERENCE + GAP),
    };
    let present = class.firsts.iter().filter(|row| class.columns.iter().any(|column| parts[*column].ids[**row] != 0)).count();
    let slots = if moved.len() >= FEWEST && present > 1 && inline - aside - keys - TITLE > WORTH {
        let side = factored.sides.len();
        let key = natural.map_or(Slot::Reference(side), Slot::Column);
        let absent = |row: usize| class.columns.iter().all(|column| parts[*column].ids[row] == 0);
        let mut numbers = class.numbers.clone();
        let mut firsts = class.firsts.clone();
        if let Some(gone) = firsts.iter().position(|row| absent(*row)) {
            firsts.remove(gone);
            let gone = gone as u32 + 1;
            for number in &mut numbers {
                *number = match (*number).cmp(&gone) {
                    std::cmp::Ordering::Less => *number,
                    std::cmp::Ordering::Equal => 0,
                    std::cmp::Ordering::Greater => *number - 1,
                };
            }
        }
        factored.sides.push(Side { key, numbers, firsts, slots: moved.into_iter().map(Slot::Column).collect() });
        if twin.is_some() { Vec::new() } else { vec![key] }
    } else {
        class.columns.iter().map(|column| Slot::Column(*column)).collect()
    };
    match holder {
        Some(holder) => factored.sides[holder].slots.extend(slots),
        None => factored.main.extend(slots),
    }
}

/// Whether each row of the side table always comes with the same value of the class.
fn decides(side: &Side, class: &Class) -> bool {
    let mut first = vec![0; side.firsts.len() + 1];
    side.numbers.iter().zip(&class.numbers).all(|(number, value)| {
        // A row without a row in the side table has nowhere to keep the value.
        if *number == 0 {
            return false;
        }
        let known = &mut first[*number as usize];
        if *known == 0 {
            *known = *value;
        }
        *known == *value
    })
}

/// Values as 1, 2, 3 … by first appearance, and the row of each first appearance.
fn renumber(ids: &[u32]) -> (Vec<u32>, Vec<usize>) {
    let mut known: HashMap<u32, u32> = HashMap::new();
    let mut firsts = Vec::new();
    let numbers = ids
        .iter()
        .enumerate()
        .map(|(row, id)| {
            *known.entry(*id).or_insert_with(|| {
                firsts.push(row);
                firsts.len() as u32
            })
        })
        .collect();
    (numbers, firsts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts<'a>(columns: &'a [Vec<u32>], price: &'a dyn Fn(u32) -> usize) -> Vec<Part<'a>> {
        columns.iter().map(|ids| Part { ids, price, header: 2, pinned: false }).collect()
    }

    #[test]
    fn what_a_pod_decides_goes_to_a_side_table() {
        let pod: Vec<u32> = (0..60).map(|row| 1 + row % 6).collect();
        let host: Vec<u32> = pod.iter().map(|pod| pod + 100).collect();
        let service: Vec<u32> = pod.iter().map(|pod| 200 + pod % 2).collect();
        let image: Vec<u32> = service.iter().map(|service| service + 100).collect();
        let message: Vec<u32> = (0..60).map(|row| 1_000 + row).collect();
        let columns = [message, pod, host, service, image];
        let factored = factor(&parts(&columns, &|id| if (200..300).contains(&id) { 1 } else { 12 }), 60);
        assert_eq!(factored.main, [Slot::Column(0), Slot::Reference(0)]);
        assert_eq!(factored.sides[0].firsts.len(), 6);
        assert_eq!(
            factored.sides[0].slots,
            [Slot::Column(1), Slot::Column(2), Slot::Column(3), Slot::Column(4)],
            "too few pods for another table"
        );
        let mut pinned = parts(&columns, &|_| 12);
        pinned[1].pinned = true;
        assert_eq!(
            factor(&pinned, 60).main,
            [Slot::Column(0), Slot::Column(1), Slot::Column(2), Slot::Reference(0)],
            "one column beside the pod makes no table of pods"
        );
    }

    #[test]
    fn short_values_stay_where_they_are() {
        let status: Vec<u32> = (0..60).map(|row| 1 + row % 3).collect();
        let factored = factor(&parts(&[status], &|_| 1), 60);
        assert_eq!(factored.main, [Slot::Column(0)]);
        assert!(factored.sides.is_empty());
    }

    proptest! {
        /// Whatever is moved where: every cell of every column can be read back from the main table.
        #[test]
        fn every_cell_can_be_read_back(rows in 1usize..40, seeds in prop::collection::vec((1u32..9, 0u32..5), 1..8)) {
            let columns: Vec<Vec<u32>> = seeds.iter().map(|(modulus, offset)| (0..rows as u32).map(|row| (row * 7 + row / 3) % modulus + offset).collect()).collect();
            let factored = factor(&parts(&columns, &|id| if id == 0 { 0 } else { 15 }), rows);
            for row in 0..rows {
                let mut read = vec![0; columns.len()];
                let mut open: Vec<Slot> = factored.main.clone();
                while let Some(slot) = open.pop() {
                    let by_key = |column: usize| factored.sides.iter().find(|side| side.key == Slot::Column(column));
                    let side = match slot {
                        Slot::Column(column) => {
                            read[column] = columns[column][row];
                            by_key(column)
                        }
                        Slot::Reference(side) => Some(&factored.sides[side]),
                    };
                    if let Some(side) = side.filter(|side| side.numbers[row] != 0) {
                        let first = side.firsts[side.numbers[row] as usize - 1];
                        for slot in &side.slots {
                            if let Slot::Column(column) = slot {
                                prop_assert_eq!(columns[*column][first], columns[*column][row]);
                            }
                        }
                        open.extend(side.slots.iter().copied());
                    }
                }
                for (column, value) in read.iter().enumerate() {
                    prop_assert_eq!(*value, columns[column][row]);
                }
            }
        }
    }
}
