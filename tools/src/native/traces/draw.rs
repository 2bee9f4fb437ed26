//! The lines of a trace: what it is, where the time went, where an error began, and the tree.

use super::{
    choose::{Choice, Line, Wanted, choose},
    span::Span,
    tree::Tree,
};
use crate::native::series::duration;
use datadog_client::untrusted::cap;
use jiff::Timestamp;
use std::{
    collections::{BTreeSet, HashMap},
    fmt::Write,
};

/// What the marks of a line mean, for the line of facts.
pub(super) const LEGEND: &str = "* critical path, ! error, @ start, self = time in no child";

/// Characters of a resource.
const RESOURCE: usize = 90;
/// Deeper lines are indented no further; their depth is written.
const INDENT: usize = 24;
/// Services named with their share.
const SERVICES: usize = 8;

/// Lines of a trace within `budget` tokens as `cost` estimates them, and what was chosen for the tree.
pub(super) fn draw(spans: &[Span<'_>], tree: &Tree, wanted: &Wanted, budget: usize, cost: impl Fn(&str) -> usize) -> (Vec<String>, Choice) {
    let mut lines = header(spans, tree, wanted, budget);
    let mut spent: usize = lines.iter().map(|line| cost(line) + 1).sum();
    // A stack must not crowd out the tree; its lines are the indented ones.
    while spent > budget / 3
        && let Some(at) = lines.iter().rposition(|line| line.starts_with(' '))
    {
        spent -= cost(&lines.remove(at)) + 1;
    }
    let origin = tree.main.map_or(0, |main| spans[main].start);
    let pen = Pen { spans, tree, wanted, origin };
    // What a line says of the spans it stands for is known only once all are chosen; it is priced as it may come.
    let price = |at: usize, alike: bool| {
        let stands_for = usize::from(alike) * 26 + usize::from(!tree.nodes[at].children.is_empty()) * 26;
        cost(&pen.core(at, None)) + 4 + stands_for.max(usize::from(spans[at].error) * 12)
    };
    let choice = choose(spans, tree, wanted, budget.saturating_sub(spent), price);
    let folded: BTreeSet<usize> =
        choice.lines.iter().filter(|line| line.alike.is_some()).filter_map(|line| tree.nodes[line.at].parent).collect();
    lines.extend(choice.lines.iter().map(|line| pen.line(line, folded.contains(&line.at))));
    if choice.hidden_at_top.spans > 0 {
        lines.push(format!("+{} more at the top{}", choice.hidden_at_top.spans, errors(choice.hidden_at_top.errors)));
    }
    (lines, choice)
}

/// The root, the error's origin, the services; or, in a subtree, the way to it and its tags.
fn header(spans: &[Span<'_>], tree: &Tree, wanted: &Wanted, budget: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(main) = tree.main {
        let root = &spans[main];
        let at = Timestamp::from_nanosecond(i128::from(root.start))
            .map(|time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
            .unwrap_or_default();
        let facts = ["env", "http.status_code", "version"].into_iter().filter_map(|name| {
            root.tag(name).map(|value| format!(", {} {value}", if name == "http.status_code" { "status" } else { name }))
        });
        lines.push(format!("root: {} {} at {at}{}", label(root, None), duration(root.duration), facts.collect::<String>()));
    }
    if let Some(under) = wanted.under {
        let way: Vec<String> = tree.ancestors(under).take(12).map(|above| label(&spans[above], None)).collect();
        if !way.is_empty() {
            lines.push(format!("above: {}", way.join(" < ")));
        }
        let tags = serde_json::Value::Object(spans[under].tags()).to_string();
        lines.push(format!("tags of {}: {}", spans[under].id, cap(&tags, (budget / 3 * 3).clamp(200, 6_000))));
    } else {
        lines.extend(blame(spans, tree));
        lines.push(services(spans, tree));
    }
    lines
}

/// Where the error began, its message and the head of its stack.
fn blame(spans: &[Span<'_>], tree: &Tree) -> Vec<String> {
    let Some(at) = tree.error_origin(spans) else {
        return Vec::new();
    };
    let span = &spans[at];
    let kind = span.tag("error.type");
    let message = span.tag("error.message").or_else(|| span.tag("error.msg"));
    let what = [kind, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let mut lines = vec![format!("error origin: {} span_id={} {}", label(span, None), span.id, cap(&what, 400)).trim_end().to_owned()];
    if let Some(stack) = span.tag("error.stack") {
        lines.extend(stack.lines().filter(|line| !line.trim().is_empty()).take(6).map(|line| format!("  {}", cap(line.trim(), 160))));
    }
    lines
}

/// Services by their share of all self time.
fn services(spans: &[Span<'_>], tree: &Tree) -> String {
    let mut shares: HashMap<&str, (i64, usize, usize)> = HashMap::new();
    for (span, node) in spans.iter().zip(&tree.nodes) {
        let share = shares.entry(&span.service).or_default();
        share.0 = share.0.saturating_add(node.own);
        share.1 += 1;
        share.2 += usize::from(span.error);
    }
    let all = shares.values().map(|share| share.0).fold(0_i64, i64::saturating_add).max(1);
    let mut shares: Vec<(&str, (i64, usize, usize))> = shares.into_iter().collect();
    shares.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
    let percent = |own: i64| (own as f64 / all as f64 * 100.0).round();
    let mut words: Vec<String> = shares
        .iter()
        .take(SERVICES)
        .map(|(service, (own, count, erring))| {
            format!("{} {}% {} {}{}", named(service), percent(*own), duration(*own), counted(*count, "span"), errors(*erring))
        })
        .collect();
    if shares.len() > SERVICES {
        let rest = shares[SERVICES..]
            .iter()
            .fold((0_i64, 0, 0), |sum, (_, share)| (sum.0.saturating_add(share.0), sum.1 + share.1, sum.2 + share.2));
        words.push(format!("{} more services {}% {}{}", shares.len() - SERVICES, percent(rest.0), counted(rest.1, "span"), errors(rest.2)));
    }
    format!("self time by service: {}", words.join("; "))
}

/// What every line needs.
struct Pen<'a, 'b> {
    spans: &'a [Span<'b>],
    tree: &'a Tree,
    wanted: &'a Wanted,
    /// Start of the trace.
    origin: i64,
}

impl Pen<'_, '_> {
    /// The line of a span; `folded` when children of it stand for their like, which opening it shows one by one.
    fn line(&self, line: &Line, folded: bool) -> String {
        let span = &self.spans[line.at];
        let mut text = if line.depth > INDENT { format!("{}({}) ", " ".repeat(INDENT), line.depth) } else { " ".repeat(line.depth) };
        if line.skipped > 0 {
            let _infallible = write!(text, "…{} ", line.skipped);
        }
        text.push_str(&self.core(line.at, line.above));
        if let Some(alike) = line.alike {
            let _infallible = write!(
                text,
                " ×{} alike: total {}, {} to {}",
                alike.count,
                duration(alike.total),
                duration(alike.shortest),
                duration(alike.longest)
            );
            let inside = alike.behind.saturating_sub(alike.count - 1);
            if inside > 0 {
                let _infallible = write!(text, ", {} inside", counted(inside, "span"));
            }
            text.push_str(&errors(alike.errors));
        }
        if line.hidden.spans > 0 {
            let _infallible =
                write!(text, " +{} below{} {} self", line.hidden.spans, errors(line.hidden.errors), duration(line.hidden.own));
        }
        // Ids cost seven tokens: they stand where a next call needs one.
        let opens = line.hidden.spans > 0 || folded;
        if (opens || span.error) && self.wanted.under != Some(line.at) {
            let _infallible = write!(text, " span_id={}", span.id);
        }
        text
    }

    /// A line without indentation and what it says of the spans it stands for.
    fn core(&self, at: usize, above: Option<usize>) -> String {
        let (span, node) = (&self.spans[at], &self.tree.nodes[at]);
        let mut text = String::new();
        if node.critical > 0 {
            text.push('*');
        }
        if span.error {
            text.push('!');
        }
        text.push_str(&label(span, above.map(|above| self.spans[above].service.as_ref())));
        let after = span.start.saturating_sub(self.origin);
        let _infallible = match after {
            0 => write!(text, " @0 {}", duration(span.duration)),
            after => write!(text, " @{} {}", duration(after), duration(span.duration)),
        };
        if node.own != span.duration {
            let _infallible = write!(text, " self {}", duration(node.own));
        }
        if span.error
            && let Some(kind) = span.tag("error.type").or_else(|| span.tag("http.status_code"))
        {
            // The head names the class whole; here its last part will do.
            let short = kind.rsplit(['.', ':', '/']).next().unwrap_or(&kind);
            let _infallible = write!(text, " {}", cap(short, 60));
        }
        if span.restricted {
            text.push_str(" (restricted)");
        }
        text
    }
}

/// `checkout: servlet.request POST /cart`; the service is left out where it is the one above.
fn label(span: &Span<'_>, above: Option<&str>) -> String {
    let mut text = String::new();
    if above != Some(span.service.as_ref()) {
        text.push_str(named(&span.service));
        text.push_str(": ");
    }
    text.push_str(&span.name);
    if span.resource != span.name && !span.resource.is_empty() {
        if !span.name.is_empty() {
            text.push(' ');
        }
        let flat = span.resource.split_whitespace().collect::<Vec<_>>().join(" ");
        match flat.char_indices().nth(RESOURCE) {
            Some((end, _)) => {
                text.push_str(&flat[..end]);
                text.push('…');
            }
            None => text.push_str(&flat),
        }
    }
    text
}

fn named(service: &str) -> &str {
    if service.is_empty() { "(no service)" } else { service }
}

fn errors(count: usize) -> String {
    if count == 0 { String::new() } else { format!(", {}", counted(count, "error")) }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
