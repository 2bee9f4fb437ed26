//! The figures as a table.

use serde::Serialize;

/// One line of the table.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// What the numbers count.
    pub unit: Unit,
    /// The same by a bare HTTP client.
    pub client: Option<f64>,
    /// The same by a bare rmcp server.
    pub bare: Option<f64>,
    /// By `datadog-mcp`; `None` when it could not be measured.
    pub ours: Option<f64>,
    /// What it ought to be.
    pub goal: Goal,
}

/// What the numbers of a figure count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Bytes, shown as MiB.
    Bytes,
    /// Calls per second.
    PerSecond,
    /// Times the answer's size.
    Answers,
    /// Tokens of `o200k`.
    Tokens,
}

/// What a figure of ours ought to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// At most this, in the figure's unit.
    AtMost(f64),
    /// At least this, in the figure's unit.
    AtLeast(f64),
    /// At most so many times the bare server's.
    TimesBare(f64),
    /// Shown for comparison.
    None,
}

/// Everything that a run found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Where it ran.
    pub machine: String,
    /// The lines of the table.
    pub figures: Vec<Figure>,
    /// What belongs beside it, a sentence each.
    pub notes: Vec<String>,
    /// What could not be measured, and why.
    pub failures: Vec<String>,
}

impl Figure {
    /// Our figure against the bare server's.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let (ours, bare) = (self.ours?, self.bare?);
        (bare > 0.0).then(|| ours / bare)
    }

    /// Whether the goal is met; `None` when there is none, or nothing to compare.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        match self.goal {
            Goal::AtMost(most) => Some(self.ours? <= most),
            Goal::AtLeast(least) => Some(self.ours? >= least),
            Goal::TimesBare(times) => Some(self.ratio()? <= times),
            Goal::None => None,
        }
    }

    fn row(&self) -> String {
        let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| self.unit.show(value));
        let goal = match self.goal {
            Goal::AtMost(most) => format!("≤ {}", self.unit.show(most)),
            Goal::AtLeast(least) => format!("≥ {}", self.unit.show(least)),
            Goal::TimesBare(times) => format!("≤ {times} × bare"),
            Goal::None => String::new(),
        };
        let ratio =
            self.ratio().map_or_else(|| "–".to_owned(), |ratio| if ratio < 0.1 { format!("{ratio:.3}") } else { format!("{ratio:.2}") });
        let met = self.met().map_or("", |met| if met { "yes" } else { "**no**" });
        format!("| {} | {} | {} | {} | {ratio} | {goal} | {met} |", self.what, cell(self.client), cell(self.bare), cell(self.ours))
    }
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Milliseconds if value < 10.0 => format!("{value:.2} ms"),
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::Bytes => format!("{:.1} MiB", value / f64::from(1 << 20)),
            Self::PerSecond => format!("{}/s", grouped(value)),
            Self::Answers => format!("{value:.2} ×"),
            Self::Tokens => grouped(value),
        }
    }
}

/// A whole number with a comma at every thousand.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Report {
    /// The table and what stands below it, as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text =
            "| figure | bare HTTP client | bare rmcp server | datadog-mcp | ÷ bare server | goal | met |\n|---|--:|--:|--:|--:|--:|---|\n"
                .to_owned();
        for figure in &self.figures {
            text.push_str(&figure.row());
            text.push('\n');
        }
        let below = [format!("\nMedians of one run on {}; the three take turns.", self.machine)];
        let failures = self.failures.iter().map(|failure| format!("Not measured: {failure}"));
        for line in below.into_iter().chain(self.notes.iter().cloned()).chain(failures) {
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(bare: Option<f64>, ours: Option<f64>, unit: Unit, goal: Goal) -> Figure {
        Figure { what: "x".to_owned(), unit, client: None, bare, ours, goal }
    }

    #[test]
    fn goals_are_judged_on_our_figure() {
        let judged = |ours, goal| figure(Some(2.0), ours, Unit::Milliseconds, goal).met();
        assert_eq!(judged(Some(4.0), Goal::TimesBare(2.0)), Some(true));
        assert_eq!(judged(Some(4.1), Goal::TimesBare(2.0)), Some(false));
        assert_eq!(judged(Some(4.1), Goal::AtMost(4.0)), Some(false));
        assert_eq!(judged(Some(4.1), Goal::AtLeast(4.0)), Some(true));
        assert_eq!(judged(None, Goal::AtLeast(4.0)), None);
        assert_eq!(judged(Some(1.0), Goal::None), None);
        assert_eq!(figure(None, Some(1.0), Unit::Tokens, Goal::TimesBare(2.0)).met(), None);
        assert_eq!(figure(Some(0.0), Some(1.0), Unit::Tokens, Goal::TimesBare(2.0)).met(), None);
    }

    #[test]
    fn rows_read_well() {
        let row = figure(Some(82_192.0), Some(6_200.4), Unit::Tokens, Goal::AtMost(6_300.0)).row();
        assert_eq!(row, "| x | – | 82,192 | 6,200 | 0.075 | ≤ 6,300 | yes |");
        let row = figure(Some(7.0 * 1_048_576.0), None, Unit::Bytes, Goal::AtMost(15.0 * 1_048_576.0)).row();
        assert_eq!(row, "| x | – | 7.0 MiB | – | – | ≤ 15.0 MiB |  |");
        let row = figure(Some(0.1), Some(12.34), Unit::Milliseconds, Goal::TimesBare(2.0)).row();
        assert_eq!(row, "| x | – | 0.10 ms | 12.3 ms | 123.40 | ≤ 2 × bare | **no** |");
    }

    #[test]
    fn numbers_are_grouped() {
        for (value, text) in [(0.0, "0"), (999.0, "999"), (1_000.0, "1,000"), (1_234_567.0, "1,234,567")] {
            assert_eq!(grouped(value), text);
        }
    }
}
