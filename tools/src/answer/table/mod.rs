//! Rows as a compact table: constant columns lifted out, what belongs together written once, one table a shape.

mod factor;
mod grid;
mod pick;
mod shape;
mod write;

pub(super) use grid::{Grid, value};
pub(super) use pick::{Picked, Wanted, pick};
pub(super) use write::Written;
