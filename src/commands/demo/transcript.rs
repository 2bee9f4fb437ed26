//! How the investigation is printed: a heading a step, the call, the first lines of the answer, what was found.

use crate::{
    commands::{
        print,
        terminal::{Paint, cut, wrap},
    },
    mcp::client::Answered,
};
use serde_json::{Map, Value};
use std::{fmt::Write as _, time::Duration};

/// Columns.
const WIDTH: usize = 96;

/// Lines of an answer that are shown unless everything is asked for.
const LINES: usize = 9;

/// Bytes of English text and identifiers in a token, roughly.
const BYTES_PER_TOKEN: usize = 4;

/// Prints as it goes, and counts.
#[derive(Debug)]
pub(super) struct Transcript {
    paint: Paint,
    full: bool,
    step: usize,
    found: usize,
    missed: usize,
    tokens: usize,
    spent: Duration,
}

/// Something the answer must say.
#[derive(Debug)]
pub(super) struct Clue<'a> {
    /// What it means, for the reader.
    pub(super) meaning: String,
    /// What stands in the answer.
    pub(super) text: &'a str,
}

/// A clue: `text` must stand in the answer, and means `meaning`.
pub(super) fn clue(text: &str, meaning: impl Into<String>) -> Clue<'_> {
    Clue { meaning: meaning.into(), text }
}

impl Transcript {
    pub(super) fn new(paint: Paint, full: bool) -> Self {
        Self { paint, full, step: 0, found: 0, missed: 0, tokens: 0, spent: Duration::ZERO }
    }

    /// Title and the facts of the scene.
    pub(super) fn opening(&self, facts: &[(&str, String)]) -> anyhow::Result<()> {
        let paint = self.paint;
        let mut text = format!("{}\n\n", paint.bold("An agent, a pipe, and a Datadog org that does not exist"));
        for (name, fact) in facts {
            for (at, line) in wrap(fact, WIDTH - 12).iter().enumerate() {
                let label = if at == 0 { *name } else { "" };
                writeln!(text, "  {}  {line}", paint.dim(&format!("{label:8}")))?;
            }
        }
        print(&text)
    }

    /// What the agent is about to find out, and why.
    pub(super) fn heading(&mut self, title: &str, thought: &str) -> anyhow::Result<()> {
        self.step += 1;
        let mut text = format!("\n{} {}\n", self.paint.cyan(&format!("{:2}", self.step)), self.paint.bold(title));
        for line in wrap(thought, WIDTH - 3) {
            writeln!(text, "   {line}")?;
        }
        print(&text)
    }

    /// A line of narration.
    pub(super) fn say(&self, words: &str) -> anyhow::Result<()> {
        let lines: Vec<String> = wrap(words, WIDTH - 3).into_iter().map(|line| format!("   {}", self.paint.yellow(&line))).collect();
        print(&lines.join("\n"))
    }

    /// A call with its answer and which clues stand in it.
    pub(super) fn call(
        &mut self,
        tool: &str,
        arguments: &Map<String, Value>,
        answer: &Answered,
        elapsed: Duration,
        clues: &[Clue<'_>],
    ) -> anyhow::Result<()> {
        let paint = self.paint;
        let tokens = answer.text.len().div_ceil(BYTES_PER_TOKEN);
        self.tokens += tokens;
        self.spent += elapsed;
        let asked: Vec<String> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut text = format!("   {} {} {}\n", paint.cyan("→"), paint.bold(tool), cut(&asked.join(" "), WIDTH - 7 - tool.len()));
        writeln!(text, "     {}", paint.dim(&format!("{} ms, about {tokens} tokens", elapsed.as_millis())))?;
        let all: Vec<&str> = answer.text.lines().collect();
        let show = if self.full { all.len() } else { LINES };
        let bar = if answer.is_error { paint.red("│") } else { paint.dim("│") };
        for line in aligned(&all[..show.min(all.len())], if self.full { usize::MAX } else { WIDEST }) {
            let line = if self.full { line } else { cut(line.trim_end(), WIDTH - 7) };
            writeln!(text, "     {bar} {line}")?;
        }
        if all.len() > show {
            writeln!(text, "     {bar} {}", paint.dim(&format!("… {} more lines", all.len() - show)))?;
        }
        for clue in clues {
            let there = answer.text.contains(clue.text);
            let words = if there { clue.meaning.clone() } else { format!("not found: {} ({})", clue.meaning, clue.text) };
            text.push_str(&self.verdict(there, &words)?);
        }
        print(&text)
    }

    /// A check that is no call.
    pub(super) fn check(&mut self, good: bool, meaning: &str) -> anyhow::Result<()> {
        let line = self.verdict(good, meaning)?;
        print(&line)
    }

    fn verdict(&mut self, good: bool, meaning: &str) -> anyhow::Result<String> {
        let mark = if good { self.paint.green("✓") } else { self.paint.red("✗") };
        if good {
            self.found += 1;
        } else {
            self.missed += 1;
        }
        let mut text = String::new();
        for (at, line) in wrap(meaning, WIDTH - 5).iter().enumerate() {
            writeln!(text, "   {} {line}", if at == 0 { mark.as_str() } else { " " })?;
        }
        Ok(text)
    }

    /// The account of it all.
    pub(super) fn ending(&self) -> String {
        let verdict = if self.all_found() {
            self.paint.green(&format!("All {} facts of the story were found.", self.found))
        } else {
            self.paint.red(&format!("{} of {} facts of the story were not found.", self.missed, self.missed + self.found))
        };
        format!(
            "\n{verdict} {} ms in calls, about {} tokens read.\n\nNext: `datadog-mcp sandbox` to try it yourself, `datadog-mcp doctor` to point it at Datadog.\n",
            self.spent.as_millis(),
            self.tokens
        )
    }

    pub(super) fn all_found(&self) -> bool {
        self.missed == 0 && self.found > 0
    }
}

/// Widest a cell is shown, so that the ones after it are seen too.
const WIDEST: usize = 36;

/// Tab-separated lines with their columns under each other, cells cut to `widest`; other lines as they are.
fn aligned(lines: &[&str], widest: usize) -> Vec<String> {
    let short = |row: &&str| -> Vec<String> {
        if row.contains('\t') { row.split('\t').map(|cell| cut(cell, widest)).collect() } else { vec![(*row).to_owned()] }
    };
    let cells: Vec<Vec<String>> = lines.iter().map(short).collect();
    let width = |at: usize| cells.iter().filter(|row| row.len() > at + 1).map(|row| row[at].chars().count()).max().unwrap_or_default();
    let row = |row: &Vec<String>| {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            line.push_str(cell);
            if at + 1 < row.len() {
                line.extend(std::iter::repeat_n(' ', width(at) + 2 - cell.chars().count()));
            }
        }
        line
    };
    cells.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let lines = [
            "# facts that are longer than any cell may be, and stay whole",
            "service\tcount",
            "checkout\t64",
            "one with a name that is long\t1",
        ];
        let shown = aligned(&lines, 12);
        assert_eq!(shown, [lines[0], "service       count", "checkout      64", "one with a …  1"]);
        assert_eq!(aligned(&lines[1..3], usize::MAX), ["service   count", "checkout  64"]);
    }
}
