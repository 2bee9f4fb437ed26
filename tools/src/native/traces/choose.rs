//! Which spans of a trace are shown when not all of them fit: repeated siblings stand for each other, then the
//! critical path and the errors, then what took longest.

use super::{span::Span, tree::Tree};
use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap},
};

/// Siblings that look alike become one line from this many on.
const ALIKE: usize = 3;
/// A chosen span brings this many missing ancestors along.
const ANCESTORS: usize = 6;

/// What the caller wants to see of a trace.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Only below this node, whose own children are not put together.
    pub(super) under: Option<usize>,
    /// Only spans of this service.
    pub(super) service: Option<String>,
    /// Only erring spans.
    pub(super) errors_only: bool,
}

/// Siblings that a shown one stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Alike {
    /// How many there are, the shown one included.
    pub(super) count: usize,
    /// Their durations added up, the shown one's included.
    pub(super) total: i64,
    /// Shortest and longest.
    pub(super) shortest: i64,
    /// Longest.
    pub(super) longest: i64,
    /// Spans that are not shown for it: the other siblings and all below them.
    pub(super) behind: usize,
    /// How many of those err.
    pub(super) errors: usize,
}

/// A choice of spans. Every span in view is shown, behind a shown sibling, or hidden below a shown span.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    /// Shown spans, parents first, with their depth among shown ones.
    pub(super) lines: Vec<Line>,
    /// Spans that the filters left out.
    pub(super) filtered: usize,
    /// Spans hidden at the top, below no shown span.
    pub(super) hidden_at_top: Hidden,
}

/// One shown span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) at: usize,
    /// Depth among shown spans.
    pub(super) depth: usize,
    /// Spans between it and the shown one above it.
    pub(super) skipped: usize,
    /// Nearest shown span above.
    pub(super) above: Option<usize>,
    pub(super) alike: Option<Alike>,
    pub(super) hidden: Hidden,
}

/// Spans left out below a shown one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hidden {
    pub(super) spans: usize,
    pub(super) errors: usize,
    /// Their self times added up.
    pub(super) own: i64,
}

impl Choice {
    /// Spans that are shown.
    pub(super) fn shown(&self) -> usize {
        self.lines.len()
    }

    /// Spans for which a sibling stands.
    pub(super) fn behind(&self) -> usize {
        self.lines.iter().filter_map(|line| line.alike).map(|alike| alike.behind).sum()
    }

    /// Spans hidden for want of room.
    pub(super) fn hidden(&self) -> usize {
        self.lines.iter().map(|line| line.hidden.spans).sum::<usize>() + self.hidden_at_top.spans
    }
}

/// Chooses what fits into `budget`, where `cost` says what the line of a span takes, and whether it stands for its like.
pub(super) fn choose(spans: &[Span<'_>], tree: &Tree, wanted: &Wanted, budget: usize, cost: impl Fn(usize, bool) -> usize) -> Choice {
    let view = View::of(spans, tree, wanted);
    let mut shown = vec![false; spans.len()];
    let mut left = budget;
    let mut refusals = 0;
    for at in view.ranked(spans, tree) {
        if shown[at] {
            continue;
        }
        let missing: Vec<usize> =
            tree.ancestors(at).filter(|&above| view.open[above]).take_while(|&above| !shown[above]).take(ANCESTORS + 1).collect();
        let brought: &[usize] = if missing.len() > ANCESTORS { &[] } else { &missing };
        let price = brought.iter().chain([&at]).map(|&one| cost(one, view.alike.contains_key(&one))).sum::<usize>();
        if price > left {
            refusals += 1;
            // Something cheap may still fit, but not for ever.
            if refusals > 64 {
                break;
            }
            continue;
        }
        left -= price;
        shown[at] = true;
        for &above in brought {
            shown[above] = true;
        }
    }
    view.lay_out(spans, tree, &shown)
}

/// Service, operation, resource without numbers, erring, errors below: siblings that share all of it look alike.
type Looks<'a> = (&'a str, &'a str, Cow<'a, str>, bool, bool);

/// The spans in view: which are candidates, and which stand for their like.
struct View {
    /// In preorder, only those under the wanted span.
    order: Vec<usize>,
    /// Candidate for a line.
    open: Vec<bool>,
    /// For a span behind a sibling (or below one): that sibling.
    behind: HashMap<usize, usize>,
    alike: HashMap<usize, Alike>,
    filtered: usize,
}

impl View {
    fn of(spans: &[Span<'_>], tree: &Tree, wanted: &Wanted) -> Self {
        let order: Vec<usize> = match wanted.under {
            None => tree.preorder.clone(),
            // A subtree is a run of the preorder.
            Some(under) => {
                let from = tree.preorder.iter().position(|&at| at == under).unwrap_or(0);
                tree.preorder[from..(from + tree.nodes[under].size).min(tree.preorder.len())].to_vec()
            }
        };
        let mut view = Self { order, open: vec![false; spans.len()], behind: HashMap::new(), alike: HashMap::new(), filtered: 0 };
        let matches = |span: &Span<'_>| {
            (!wanted.errors_only || span.error) && wanted.service.as_ref().is_none_or(|service| span.service == service.as_str())
        };
        for &at in &view.order {
            view.open[at] = matches(&spans[at]);
        }
        view.filtered = view.order.iter().filter(|&&at| !view.open[at]).count();
        view.put_together(spans, tree, wanted);
        view
    }

    /// Lets one of many like siblings stand for all.
    fn put_together(&mut self, spans: &[Span<'_>], tree: &Tree, wanted: &Wanted) {
        let origin = tree.error_origin(spans);
        let mut families: Vec<&[usize]> = Vec::new();
        if wanted.under.is_none() {
            families.push(&tree.roots);
        }
        families.extend(self.order.iter().filter(|&&at| Some(at) != wanted.under).map(|&at| tree.nodes[at].children.as_slice()));
        for family in families.into_iter().filter(|family| family.len() >= ALIKE) {
            let mut groups: HashMap<Looks<'_>, Vec<usize>> = HashMap::new();
            for &at in family.iter().filter(|&&at| self.open[at]) {
                let span = &spans[at];
                groups
                    .entry((&span.service, &span.name, pattern(&span.resource), span.error, tree.nodes[at].errors_below > 0))
                    .or_default()
                    .push(at);
            }
            for members in groups.into_values().filter(|members| members.len() >= ALIKE) {
                self.stand_for(spans, tree, &members, origin);
            }
        }
    }

    fn stand_for(&mut self, spans: &[Span<'_>], tree: &Tree, members: &[usize], origin: Option<usize>) {
        let leads_to_origin = |at: usize| origin.is_some_and(|origin| origin == at || tree.ancestors(origin).any(|above| above == at));
        let Some(&face) = members.iter().max_by_key(|&&at| {
            (tree.nodes[at].errors_below > 0 && leads_to_origin(at) || origin == Some(at), tree.nodes[at].critical, spans[at].duration)
        }) else {
            return;
        };
        let mut alike = Alike { shortest: i64::MAX, ..Alike::default() };
        for &at in members {
            alike.count += 1;
            alike.total = alike.total.saturating_add(spans[at].duration);
            alike.shortest = alike.shortest.min(spans[at].duration);
            alike.longest = alike.longest.max(spans[at].duration);
        }
        for &at in members.iter().filter(|&&at| at != face) {
            // A span below one that already stands behind another keeps its first face.
            let mut stack = vec![at];
            while let Some(below) = stack.pop() {
                if self.open[below] {
                    self.open[below] = false;
                    self.behind.insert(below, face);
                    alike.behind += 1;
                    alike.errors += usize::from(spans[below].error);
                }
                stack.extend(&tree.nodes[below].children);
            }
        }
        if alike.behind > 0 {
            self.alike.insert(face, alike);
        }
    }

    /// Candidates, most telling first.
    fn ranked(&self, spans: &[Span<'_>], tree: &Tree) -> Vec<usize> {
        let origin = tree.error_origin(spans);
        let first: BTreeSet<usize> = self.order.first().copied().into_iter().chain(tree.main).chain(origin).collect();
        let blamed: BTreeSet<usize> = origin.into_iter().flat_map(|origin| tree.ancestors(origin)).take(24).collect();
        let tier = |at: usize| {
            let enters = tree.nodes[at].parent.is_none_or(|parent| spans[parent].service != spans[at].service);
            match () {
                () if first.contains(&at) => 0,
                () if blamed.contains(&at) => 1,
                () if spans[at].error => 2,
                () if tree.nodes[at].critical > 0 => 3,
                () if enters => 4,
                () => 5,
            }
        };
        let mut ranked: Vec<usize> = self.order.iter().copied().filter(|&at| self.open[at]).collect();
        let weight = |at: usize| if tree.nodes[at].critical > 0 { tree.nodes[at].critical } else { spans[at].duration };
        ranked.sort_by_cached_key(|&at| (tier(at), std::cmp::Reverse(weight(at)), spans[at].start, spans[at].id));
        interleave(ranked, tier)
    }

    /// Lines in order, every span that is not shown counted at the nearest shown one above it.
    fn lay_out(self, spans: &[Span<'_>], tree: &Tree, shown: &[bool]) -> Choice {
        let mut choice = Choice { filtered: self.filtered, ..Choice::default() };
        // By span: the nearest line at or above it, and how many spans lie between. Parents come first in the order.
        let mut nearest: Vec<Option<usize>> = vec![None; spans.len()];
        let mut between = vec![0_usize; spans.len()];
        let face_shown = |at: usize| self.behind.get(&at).is_some_and(|face| shown[*face]);
        for &at in &self.order {
            let line = tree.nodes[at].parent.and_then(|parent| nearest[parent]);
            if shown[at] {
                let skipped = tree.nodes[at].parent.map_or(0, |parent| between[parent]);
                let depth = line.map_or(0, |line| choice.lines[line].depth + 1);
                nearest[at] = Some(choice.lines.len());
                let above = line.map(|line| choice.lines[line].at);
                choice.lines.push(Line { at, depth, skipped, above, alike: self.alike.get(&at).copied(), hidden: Hidden::default() });
                continue;
            }
            nearest[at] = line;
            // In a subtree the levels above the opened span are no gap.
            between[at] = tree.nodes[at].parent.map_or(0, |parent| between[parent]) + 1;
            if face_shown(at) || !(self.open[at] || self.behind.contains_key(&at)) {
                continue;
            }
            let hidden = line.map_or(&mut choice.hidden_at_top, |line| &mut choice.lines[line].hidden);
            hidden.spans += 1;
            hidden.errors += usize::from(spans[at].error);
            hidden.own += tree.nodes[at].own;
        }
        choice
    }
}

/// A resource without its running numbers, so that `batch 1` and `batch 2` are alike; digits after a letter (`v1`) stay.
fn pattern(resource: &str) -> Cow<'_, str> {
    if !resource.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(resource);
    }
    let mut text = String::with_capacity(resource.len());
    let mut before = ' ';
    for c in resource.chars() {
        let digit = c.is_ascii_digit();
        match before {
            // Inside a number that was written as `#`.
            '#' if digit => continue,
            before if digit && !before.is_alphanumeric() => text.push('#'),
            _ => text.push(c),
        }
        before = text.chars().next_back().unwrap_or(' ');
    }
    Cow::Owned(text)
}

/// After the root, the error's origin and the way to it: two of the critical path for one error and so on, so that neither crowds the other out.
fn interleave(ranked: Vec<usize>, tier: impl Fn(usize) -> u8) -> Vec<usize> {
    let mut tiers: [Vec<usize>; 6] = Default::default();
    for at in ranked {
        tiers[usize::from(tier(at))].push(at);
    }
    let [mut all, blamed, errors, critical, entries, rest] = tiers;
    all.extend(blamed);
    let (mut errors, mut critical) = (errors.into_iter(), critical.into_iter());
    loop {
        let round = [critical.next(), critical.next(), errors.next()];
        if round.iter().all(Option::is_none) {
            break;
        }
        all.extend(round.into_iter().flatten());
    }
    all.extend(entries);
    all.extend(rest);
    all
}

#[cfg(test)]
#[path = "choose_tests.rs"]
mod tests;
