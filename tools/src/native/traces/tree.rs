//! The tree of a trace: parents and children, self time, the critical path, where an error began.
//!
//! Nothing here recurses: a trace may be a chain of twenty thousand spans.

use super::span::Span;
use std::collections::{HashMap, hash_map::Entry};

/// A node stands at the index of its span.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pub(super) parent: Option<usize>,
    /// By start.
    pub(super) children: Vec<usize>,
    /// 0 for a root.
    pub(super) depth: usize,
    /// Time in the span and in none of its children, nanoseconds.
    pub(super) own: i64,
    /// Time the trace spent waiting for this very span, nanoseconds; sums over all nodes to the main root's duration.
    pub(super) critical: i64,
    /// Spans of the subtree, itself included.
    pub(super) size: usize,
    /// Erring spans below it, itself not included.
    pub(super) errors_below: usize,
}

/// All spans of a trace as a forest.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// By start; orphans and broken cycles among them.
    pub(super) roots: Vec<usize>,
    /// The root that stands for the trace: without parent id, the longest.
    pub(super) main: Option<usize>,
    /// Every node once, parents before children, children by start.
    pub(super) preorder: Vec<usize>,
    /// Roots whose parent is not in the trace.
    pub(super) orphans: usize,
    /// Links that were cut because spans were each other's ancestors.
    pub(super) cycles: usize,
    /// Spans that share an id with an earlier one.
    pub(super) duplicates: usize,
}

impl Tree {
    /// Builds the forest of `spans`.
    pub(super) fn of(spans: &[Span<'_>]) -> Self {
        let mut tree = Self { nodes: vec![Node::default(); spans.len()], ..Self::default() };
        tree.link(spans);
        tree.cut_cycles(spans);
        let by_start = |&a: &usize, &b: &usize| {
            spans[a].start.cmp(&spans[b].start).then(spans[b].duration.cmp(&spans[a].duration)).then(spans[a].id.cmp(&spans[b].id))
        };
        for index in 0..spans.len() {
            match tree.nodes[index].parent {
                Some(parent) => tree.nodes[parent].children.push(index),
                None => tree.roots.push(index),
            }
        }
        tree.roots.sort_by(by_start);
        for node in &mut tree.nodes {
            node.children.sort_by(by_start);
        }
        tree.orphans = tree.roots.iter().filter(|root| spans[**root].parent != 0).count() - tree.cycles.min(tree.roots.len());
        tree.main = tree
            .roots
            .iter()
            .copied()
            .max_by_key(|&root| (spans[root].parent == 0, spans[root].duration, std::cmp::Reverse(spans[root].start)));
        tree.walk();
        tree.sum(spans);
        tree.criticise(spans);
        tree
    }

    /// Parent of every span; a span that names itself has none.
    fn link(&mut self, spans: &[Span<'_>]) {
        let mut by_id: HashMap<u64, usize> = HashMap::with_capacity(spans.len());
        for (index, span) in spans.iter().enumerate() {
            match by_id.entry(span.id) {
                Entry::Occupied(_) => self.duplicates += 1,
                Entry::Vacant(free) => {
                    free.insert(index);
                }
            }
        }
        for (index, span) in spans.iter().enumerate() {
            if span.parent == 0 {
                continue;
            }
            match by_id.get(&span.parent) {
                Some(&parent) if parent == index => self.cycles += 1,
                Some(&parent) => self.nodes[index].parent = Some(parent),
                None => {}
            }
        }
    }

    /// Cuts every circle at its earliest span.
    fn cut_cycles(&mut self, spans: &[Span<'_>]) {
        // 0: not seen; the number of the walk that saw it otherwise.
        let mut seen = vec![0_usize; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let walk = start + 1;
            let mut at = start;
            while seen[at] == 0 {
                seen[at] = walk;
                let Some(parent) = self.nodes[at].parent else { break };
                at = parent;
            }
            // Met a node of this very walk that still has a parent: the walk went round.
            if seen[at] == walk && self.nodes[at].parent.is_some() && self.circles(at) {
                let mut earliest = at;
                let mut next = self.nodes[at].parent;
                while let Some(on) = next.filter(|on| *on != at) {
                    if (spans[on].start, spans[on].id) < (spans[earliest].start, spans[earliest].id) {
                        earliest = on;
                    }
                    next = self.nodes[on].parent;
                }
                self.nodes[earliest].parent = None;
                self.cycles += 1;
            }
        }
    }

    /// Whether following parents from `from` comes back to it.
    fn circles(&self, from: usize) -> bool {
        let mut next = self.nodes[from].parent;
        for _ in 0..self.nodes.len() {
            match next {
                Some(at) if at == from => return true,
                Some(at) => next = self.nodes[at].parent,
                None => return false,
            }
        }
        false
    }

    fn walk(&mut self) {
        let mut stack: Vec<usize> = self.roots.iter().rev().copied().collect();
        self.preorder.reserve(self.nodes.len());
        while let Some(at) = stack.pop() {
            self.preorder.push(at);
            let depth = self.nodes[at].parent.map_or(0, |parent| self.nodes[parent].depth + 1);
            self.nodes[at].depth = depth;
            stack.extend(self.nodes[at].children.iter().rev());
        }
    }

    /// Sizes, errors below and self times, children first.
    fn sum(&mut self, spans: &[Span<'_>]) {
        for at in self.preorder.clone().into_iter().rev() {
            let mut size = 1;
            let mut errors = 0;
            for &child in &self.nodes[at].children {
                size += self.nodes[child].size;
                errors += self.nodes[child].errors_below + usize::from(spans[child].error);
            }
            let own = spans[at].duration - covered(spans, &self.nodes[at].children, spans[at].start, spans[at].end());
            let node = &mut self.nodes[at];
            (node.size, node.errors_below, node.own) = (size, errors, own);
        }
    }

    /// Walks back from the end of the main root, always through the child that ended last before what came after it.
    ///
    /// A child that outlives its parent is cut at the parent's end: nobody waited for the rest.
    fn criticise(&mut self, spans: &[Span<'_>]) {
        let Some(main) = self.main else { return };
        let mut stack = vec![(main, spans[main].start, spans[main].end())];
        let mut order: Vec<(i64, i64, usize)> = Vec::new();
        while let Some((at, from, to)) = stack.pop() {
            order.clear();
            order.extend(self.nodes[at].children.iter().map(|&child| (spans[child].end().min(to), spans[child].start.max(from), child)));
            order.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
            let mut now = to;
            for &(end, start, child) in &order {
                if end > now || end <= start {
                    continue;
                }
                self.nodes[at].critical += now - end;
                stack.push((child, start, end));
                now = start;
            }
            self.nodes[at].critical += now - from;
        }
    }

    /// The deepest erring span that no erring span stands under; the earliest of several.
    pub(super) fn error_origin(&self, spans: &[Span<'_>]) -> Option<usize> {
        (0..self.nodes.len())
            .filter(|&at| spans[at].error && self.nodes[at].errors_below == 0)
            .max_by_key(|&at| (self.nodes[at].depth, std::cmp::Reverse((spans[at].start, spans[at].id))))
    }

    /// Ancestors from the parent up.
    pub(super) fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.nodes[at].parent, |&at| self.nodes[at].parent)
    }
}

/// How much of `from..to` the children cover together. They are sorted by start.
fn covered(spans: &[Span<'_>], children: &[usize], from: i64, to: i64) -> i64 {
    let (mut sum, mut reached) = (0, from);
    for &child in children {
        let (start, end) = (spans[child].start.max(reached), spans[child].end().min(to));
        if end > start {
            sum += end - start;
            reached = end;
        }
    }
    sum
}

#[cfg(test)]
#[path = "tree_tests.rs"]
pub(super) mod tests;
