//! A small inverted index over names, paths, products and parameters, ranked by rare words.

use crate::{Effect, Registry, Tool};
use datadog_catalogue::Operation;
use std::{collections::HashMap, sync::Arc};

/// A tool or an operation.
#[derive(Debug, Clone)]
pub(super) enum Entry {
    /// A tool of any toolset.
    Tool(Arc<Tool>),
    /// An operation.
    Operation(&'static Operation),
}

impl Entry {
    pub(super) fn effect(&self) -> Effect {
        match self {
            Self::Tool(tool) => tool.effect,
            Self::Operation(operation) => operation.kind.effect(),
        }
    }
}

/// Words of every entry with their weights.
#[derive(Debug)]
pub(super) struct Index {
    entries: Vec<Entry>,
    /// How many words the name of each entry has.
    name_lengths: Vec<usize>,
    /// Word → entries that have it, with the weight of the place where it stands.
    words: HashMap<String, Vec<(u32, f32)>>,
}

/// What an entry scored: words found, those of them in its name, and their weights.
#[derive(Debug, Clone, Copy, Default)]
struct Score {
    words: u32,
    names: usize,
    sum: f32,
}

/// Weights of the places a word can stand in.
const NAME: f32 = 4.0;
const PLACE: f32 = 2.0;
const TEXT: f32 = 1.0;
/// A hand-made tool is the better answer than the bare operation under it.
const TOOL_BONUS: f32 = 1.5;
const DEPRECATED_MALUS: f32 = 0.5;

impl Index {
    pub(super) fn of(registry: &Registry) -> Self {
        let tools = registry.all().iter().map(|tool| Entry::Tool(Arc::clone(tool)));
        let operations = datadog_catalogue::operations().iter().map(Entry::Operation);
        let entries: Vec<Entry> = tools.chain(operations).collect();
        let mut words: HashMap<String, Vec<(u32, f32)>> = HashMap::new();
        let mut name_lengths = Vec::with_capacity(entries.len());
        for (at, entry) in (0_u32..).zip(&entries) {
            let mut own: HashMap<String, f32> = HashMap::new();
            // The version in front of an id is no word of its name.
            let mut add = |text: &str, weight: f32| {
                for word in split(text) {
                    let best = own.entry(word).or_insert(0.0);
                    *best = best.max(weight);
                }
            };
            match entry {
                Entry::Tool(tool) => {
                    add(&tool.name, NAME);
                    add(&tool.title, NAME);
                    add(&tool.description, TEXT);
                    tool.operations.iter().for_each(|operation| add(operation.id, TEXT));
                }
                Entry::Operation(operation) => {
                    add(operation.id.split_once('.').map_or(operation.id, |(_, name)| name), NAME);
                    add(operation.tag, PLACE);
                    add(operation.path, PLACE);
                    operation.params.iter().for_each(|param| add(param.name, TEXT));
                }
            }
            name_lengths.push(own.values().filter(|weight| **weight >= NAME).count());
            for (word, weight) in own {
                words.entry(word).or_default().push((at, weight));
            }
        }
        Self { entries, name_lengths, words }
    }

    /// Entries with the most and rarest words of `query`, best first; ties in a fixed order.
    pub(super) fn search(&self, query: &str, keep: impl Fn(&Entry) -> bool) -> Vec<&Entry> {
        let mut asked: Vec<String> = split(query);
        asked.sort();
        asked.dedup();
        let mut scores: HashMap<u32, Score> = HashMap::new();
        for word in &asked {
            for (at, weight, in_name) in self.matching(word) {
                let score = scores.entry(at).or_default();
                score.words += 1;
                score.names += usize::from(in_name);
                score.sum += weight;
            }
        }
        // An entry that has half of the words or fewer is noise beside one that has them all.
        let most = scores.values().map(|score| score.words).max().unwrap_or(0);
        let mut found: Vec<(f32, u32)> = scores
            .into_iter()
            .filter(|(_, score)| score.words == most || (most > 2 && score.words + 1 == most))
            .map(|(at, score)| (score.sum * score.words as f32 * self.closeness(at, score.names) * self.factor(at), at))
            .filter(|(_, at)| self.entries.get(*at as usize).is_some_and(&keep))
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        found.into_iter().filter_map(|(_, at)| self.entries.get(at as usize)).collect()
    }

    /// Entries that have a word, or one that begins with it; each once, with its weight times the word's rarity, and
    /// whether it stands in the name.
    fn matching(&self, word: &str) -> Vec<(u32, f32, bool)> {
        let rarity = |postings: &[(u32, f32)]| (self.entries.len() as f32 / postings.len() as f32).ln().max(0.1);
        if let Some(postings) = self.words.get(word) {
            let rarity = rarity(postings);
            return postings.iter().map(|(at, weight)| (*at, weight * rarity, *weight >= NAME)).collect();
        }
        if word.len() < 4 {
            return Vec::new();
        }
        let mut best: HashMap<u32, (f32, bool)> = HashMap::new();
        for (_, postings) in
            self.words.iter().filter(|(known, _)| known.starts_with(word) || (known.len() > 3 && word.starts_with(known.as_str())))
        {
            let rarity = rarity(postings);
            for (at, weight) in postings {
                let (score, in_name) = best.entry(*at).or_default();
                *score = score.max(weight * rarity * 0.6);
                *in_name |= *weight >= NAME;
            }
        }
        best.into_iter().map(|(at, (score, in_name))| (at, score, in_name)).collect()
    }

    /// How much of the entry's own name was asked for: `list incidents` means ListIncidents before ListIncidentTodos.
    fn closeness(&self, at: u32, names: usize) -> f32 {
        let length = self.name_lengths.get(at as usize).copied().unwrap_or(1).max(1);
        0.3 + names as f32 / length as f32
    }

    fn factor(&self, at: u32) -> f32 {
        match self.entries.get(at as usize) {
            Some(Entry::Tool(_)) => TOOL_BONUS,
            Some(Entry::Operation(operation)) if operation.deprecated => DEPRECATED_MALUS,
            _ => 1.0,
        }
    }
}

/// Lower-case words of a text: camel case, punctuation and digits part them, a plural's `s` goes.
fn split(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut end = |word: &mut String| {
        if word.len() > 1 {
            words.push(singular(word));
        }
        word.clear();
    };
    let chars: Vec<char> = text.chars().take(2_000).collect();
    for (at, c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            end(&mut word);
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied().unwrap_or(' ');
        let after = chars.get(at + 1).copied().unwrap_or(' ');
        // `AWSAccount` parts before the `A` of `Account`, `logsArchive` before `Archive`.
        if c.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && after.is_lowercase())) {
            end(&mut word);
        }
        word.extend(c.to_lowercase());
    }
    end(&mut word);
    words
}

fn singular(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.len() > 2) {
        return format!("{stem}y");
    }
    let plural = word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("is");
    if plural { word.trim_end_matches('s').to_owned() } else { word.to_owned() }
}
